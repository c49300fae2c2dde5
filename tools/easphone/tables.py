# SPDX-License-Identifier: Apache-2.0
"""The WBXML token table (codepages.tsv), read once per process."""
import os

# "version" is written as an int, ten times the protocol version, everywhere in this package: 25, 120, ... 161.
VERSIONS = ("2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1")


def version_number(text):
    """'14.1' -> 141; '2.5' -> 25"""
    major, _, minor = text.partition(".")
    return int(major) * 10 + int(minor or "0")


class TableError(Exception):
    """codepages.tsv is missing or broken"""


def find_table():
    """Where codepages.tsv is: EAS_CODEPAGES, a source tree, or the installed place."""
    here = os.path.dirname(os.path.abspath(__file__))
    places = [os.environ.get("EAS_CODEPAGES", ""),
              os.path.join(here, "codepages.tsv"),
              os.path.join(here, "..", "codepages.tsv"),
              os.path.join(here, "..", "..", "build", "codepages.tsv"),
              os.path.join(here, "..", "share", "mod_eas", "codepages.tsv")]
    for place in places:
        if place and os.path.isfile(place):
            return place
    raise TableError("codepages.tsv not found; set EAS_CODEPAGES to its path")


class Token:
    """one row: which byte on which page is which element, since and until which version, of which kind"""
    __slots__ = ("page", "ns", "byte", "tag", "first", "last", "kind")

    def __init__(self, page, ns, byte, tag, first, last, kind):
        self.page, self.ns, self.byte, self.tag = page, ns, byte, tag
        self.first, self.last, self.kind = first, last, kind

    @property
    def name(self):
        return self.ns + ":" + self.tag

    def exists_in(self, version):
        return self.first <= version and (self.last == 0 or version <= self.last)


class Table:
    def __init__(self, path=None):
        self.by_byte, self.by_name, self.pages, self.page_numbers = {}, {}, {}, {}
        with open(path or find_table(), encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(("#", "page\t")) or not line.strip():
                    continue
                page, ns, byte, tag, first, last, kind = line.rstrip("\n").split("\t")[:7]
                token = Token(int(page), ns, int(byte, 16), tag, version_number(first),
                              version_number(last) if last else 0, kind)
                self.by_byte[token.page, token.byte] = token
                self.by_name[token.name] = token
                self.pages[token.page] = ns
                self.page_numbers[ns] = token.page


_table = None


def table():
    global _table
    if _table is None:
        _table = Table()
    return _table
