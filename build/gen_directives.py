#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/directives.md from the list of directives.

    build/gen_directives.py mod_eas/httpd/eas_directives.def docs/directives.md
"""
import re
import sys

HEAD = """\
# Directives

Generated from `mod_eas/httpd/eas_directives.def` by `build/gen_directives.py`; do not edit. How they play together is
told in [admin.md](admin.md); [conf.d/eas.conf](../conf.d/eas.conf) is a complete example.

- Times are seconds, or a number with `s`, `m` (or `min`), `h` or `d`. Sizes are bytes, or a number with `K`, `M` or `G`.
- Context "server": once, outside of virtual hosts. Context "server, virtual host": a virtual host inherits what it does
  not set itself; one that sets `EASBackend` does not inherit `EASBackendName`.
- A wrong value stops `apachectl configtest` with a sentence that says what is allowed.

"""

SYNTAX = {"STRING": "*text*", "URL": "*url*", "PATH": "*path*", "INTEGER": "*number*", "SIZE": "*size*", "TIME": "*time*",
          "FLAG": "On\\|Off", "VERSION": "*version*", "RATE": "*number*/*time*", "TEMPLATE": "*template*",
          "TRACE": "Off\\|On\\|user=*name*\\|device=*id* ..."}
SCOPE = {"SERVER": "server", "VHOST": "server, virtual host"}
WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([\w.-]+)|([(),]))', re.S)


def without_comments(text):
    return re.sub(r'("(?:[^"\\\n]|\\.)*")|/\*.*?\*/', lambda m: m.group(1) or "", text, flags=re.S)


def rows(text):
    """the arguments of each EAS_DIRECTIVE(...), adjacent strings joined"""
    text = without_comments(text)
    for call in re.finditer(r"^EAS_DIRECTIVE", text, re.M):
        at, fields, current = call.end(), [], None
        while True:
            found = WORD.match(text, at)
            if not found:
                sys.exit("gen_directives: cannot read the list at: %r" % text[at:at + 40])
            at = found.end()
            string, word, sign = found.groups()
            if string is not None:
                current = (current or "") + re.sub(r"\\(.)", r"\1", string)
            elif word is not None:
                current = word
            elif sign in ",)":
                fields.append(current)
                current = None
                if sign == ")":
                    break
        yield fields


def escaped(text):
    return re.sub(r"([|_*<>])", r"\\\1", text)


def limits(kind, low, high):
    if kind not in ("INTEGER", "SIZE", "TIME"):
        return ""
    unit = {"INTEGER": "", "SIZE": " bytes", "TIME": " seconds"}[kind]
    return "\nAllowed: %s to %s%s  " % (low, high, unit)


def entry(row):
    kind, _, name, scope, default, low, high, text = row
    return "## %s\n\nSyntax: `%s` %s  \nDefault: %s  \nContext: %s  %s\n\n%s\n" % (
        name, name, SYNTAX[kind], "`%s`" % default if default else "none", SCOPE[scope], limits(kind, low, high),
        escaped(text))


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        found = list(rows(file.read()))
    index = "\n".join("- [%s](#%s)" % (row[2], row[2].lower()) for row in found)
    with open(target, "w", encoding="utf-8") as file:
        file.write(HEAD + index + "\n\n" + "\n".join(map(entry, found)))


if __name__ == "__main__":
    main()
