# SPDX-License-Identifier: Apache-2.0
"""Readable tables for the terminal."""
import html
import re
import shutil
import unicodedata

from .model import FOLDER_TYPES


def width_of(text):
    """columns on a terminal: East Asian wide characters and emoji take two, combining marks none"""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def clip(text, width):
    text = "".join(c if c.isprintable() else " " for c in text)
    if width_of(text) <= width:
        return text + " " * (width - width_of(text))
    out, used = "", 0
    for c in text:
        if used + width_of(c) > width - 1:
            break
        out, used = out + c, used + width_of(c)
    return out + "…" + " " * (width - 1 - used)


def table(rows, heads, limits, total=None):
    """Columns as wide as their content, at most their limit; the last column takes what the terminal has left."""
    total = total or shutil.get_terminal_size((110, 24)).columns
    widths = [min(limit, max([width_of(head)] + [width_of(row[i]) for row in rows]))
              for i, (head, limit) in enumerate(zip(heads, limits))]
    widths[-1] = max(12, min(limits[-1], total - sum(widths[:-1]) - 2 * (len(widths) - 1)))
    lines = ["  ".join(clip(h, w) for h, w in zip(heads, widths)).rstrip(), "  ".join("-" * w for w in widths)]
    lines += ["  ".join(clip(c, w) for c, w in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


def size(number):
    for unit in ("B", "KB", "MB"):
        if number < 1000 or unit == "MB":
            return "%d %s" % (number, unit) if unit == "B" or number >= 10 else "%.1f %s" % (number, unit)
        number /= 1024
    return ""


def body_start(item, length=200):
    """the first words of a body as plain text"""
    if item.preview:
        return item.preview
    text = (item.body or b"").decode("utf-8", "replace")
    if item.body_type == 2:
        text = re.sub(r"(?is)<(style|script|head)\b.*?</\1>", " ", text)
        text = html.unescape(re.sub(r"(?s)<[^>]*>", " ", text))
    elif item.body_type == 4:
        text = text.partition("\r\n\r\n")[2]
    return " ".join(text.split())[:length]


def sender(item):
    """the name of the sender, without its address when there is a name"""
    found = re.fullmatch(r'\s*"?([^"<]+?)"?\s*<[^>]*>\s*', item.sender)
    return found.group(1) if found else item.sender


def folders(mailbox):
    rows = []
    for cid in sorted(mailbox.folders, key=lambda c: (mailbox.folders[c]["type"] == 12, mailbox.path(c).lower())):
        state = mailbox.collections.get(cid)
        rows.append([cid, FOLDER_TYPES.get(mailbox.folders[cid]["type"], "?"), mailbox.path(cid),
                     str(len(state.items)) if state and state.key != "0" else "-"])
    return table(rows, ["ID", "TYPE", "FOLDER", "ITEMS"], [20, 10, 50, 12])


def mails(collection, limit=None):
    rows = []
    newest = sorted(collection.items.items(), key=lambda pair: pair[1].date, reverse=True)
    for sid, item in newest[:limit]:
        marks = ("  " if item.read else "* ")[0] + ("!" if item.flagged else " ") + ("@" if item.attachments else " ")
        rows.append([sid, marks, item.date[:16].replace("T", " "), sender(item), item.subject, size(item.size),
                     body_start(item)])
    return table(rows, ["ID", "", "DATE", "FROM", "SUBJECT", "SIZE", "BODY"], [14, 3, 16, 22, 34, 8, 80])


def mail(item):
    lines = ["%-9s %s" % (name + ":", value) for name, value in
             (("From", item.sender), ("To", item.to), ("Cc", item.get("Email:Cc")), ("Subject", item.subject),
              ("Date", item.date)) if value]
    lines += ["%-9s %s (%s, %s)" % ("Attached:", a["name"], size(a["size"]), a["reference"]) for a in item.attachments]
    text = (item.body or b"").decode("utf-8", "replace").replace("\r\n", "\n")
    return "\n".join(lines) + "\n\n" + text
