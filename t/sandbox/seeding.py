# SPDX-License-Identifier: Apache-2.0
"""Fills the mailboxes at start: folders, and the mails of seed/ by their index.

The .eml files are complete mails with a date of their own; when one is delivered its Date header
is set to the time of delivery (unless it has none, or the index says to keep it).
"""
import base64
import email.utils
import json
import os
import random
import re

import mailstore

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seed")

_FOLDERS = {
    "anna@example.org": ("INBOX/Projekte", "INBOX/Projekte/Brücke Süd", "Archive", "Archive/2023",
                         "Archive/2024", "Einkäufe & Co", "Мои письма"),
    "bob@example.org": ("Archive",),
    "carol@example.org": ("Geschäftliches",),
}
# A folder that exists but is not subscribed: clients are to leave it out.
_UNSUBSCRIBED = ("anna@example.org", "Old newsletters")

_DATE = re.compile(rb"^Date:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.I | re.M)


class Templates:
    def __init__(self):
        with open(os.path.join(HERE, "index.json"), encoding="utf-8") as handle:
            self.index = json.load(handle)
        self.raw = {}
        for name in {row["file"] for row in self.index}:
            path = os.path.join(HERE, name + ".eml")
            if name == "huge-attachment":
                self.raw[name] = huge_attachment()
            else:
                with open(path, "rb") as handle:
                    self.raw[name] = handle.read()

    def names(self):
        return sorted(self.raw)

    def source(self, name, millis=None):
        """The mail, dated `millis`."""
        raw = self.raw[name]
        if millis is None:
            return raw
        head, gap, body = raw.partition(b"\r\n\r\n")
        stamp = email.utils.formatdate(millis / 1000, usegmt=False).encode()
        return _DATE.sub(b"Date: " + stamp, head, count=1) + gap + body


def huge_attachment():
    """A mail with a 5 MB attachment, the same bytes each time."""
    data = random.Random(5).randbytes(5 * 1024 * 1024)
    coded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return (b"From: Construction Office <office@example.net>\r\n"
            b"To: Anna Lindqvist <anna@example.org>\r\n"
            b"Subject: Survey of the site, full resolution\r\n"
            b"Date: Mon, 04 Mar 2024 10:15:00 +0100\r\n"
            b"Message-ID: <survey.full@example.net>\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=\"survey-5mb\"\r\n\r\n"
            b"--survey-5mb\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
            b"Dear Anna,\r\n\r\nhere is the survey in full resolution, 5 MB.\r\n\r\n"
            b"--survey-5mb\r\nContent-Type: image/x-raw; name=\"survey.raw\"\r\n"
            b"Content-Disposition: attachment; filename=\"survey.raw\"\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + coded + b"--survey-5mb--\r\n")


def seed(box, templates, empty=False, large=0):
    """Called at each reset."""
    import synthmail
    directory = box.directory
    for name, folders in _FOLDERS.items():
        for full in folders:
            directory.find(name).mailbox.create(full)
    owner, full = _UNSUBSCRIBED
    directory.find(owner).mailbox.create(full).subscribed = False
    if empty:
        return
    now = box.now()
    for row in sorted(templates.index, key=lambda r: -r["age_h"]):
        user = directory.find(row.get("user", "anna@example.org"))
        folder = user.mailbox.folders[row["folder"]]
        when = (now - int(row["age_h"] * 3600000)) // 1000 * 1000
        raw = templates.source(row["file"], None if row.get("keep_date") else when)
        folder.add(mailstore.Mail(when, raw, flags=row.get("flags", 0),
                                  label=row.get("label", 0),
                                  keywords=row.get("keywords", ())))
    if large:
        user = directory.find("anna@example.org")
        folder = user.mailbox.create("INBOX/Large")
        specs = synthmail.make_specs(large, 52000, "mixed", now - 1000, 90 * 86400000,
                                     user.address, 1, box.seed)
        folder.add_many([mailstore.Mail(s.sent, spec=s) for s in specs])
