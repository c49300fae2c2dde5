# SPDX-License-Identifier: Apache-2.0
"""Mailboxes: folders of RFC 822 mails as an IMAP server keeps them.

A mail holds its bytes, or a SynthSpec from which they are made when asked, so that a folder of
100,000 mails costs little.  Counters and the order by date are kept up to date with each change:
`examine` and a window of `all` must not depend on the size of the folder.
"""
import bisect

import mimeview

SEEN, ANSWERED, DELETED, DRAFT, FLAGGED, USER, FORWARDED = 32, 1, 2, 4, 8, 64, 256

SEPARATOR = "/"
ROOT = "default0"

# standard_folder_type (2.3, column 316)
STANDARD = {"INBOX": 7, "Drafts": 9, "Sent": 10, "Trash": 12, "Spam": 11}


class Mail:
    __slots__ = ("uid", "flags", "label", "keywords", "received", "size", "_raw", "_spec",
                 "_envelope", "_summary")

    def __init__(self, received, raw=None, spec=None, flags=0, label=0, keywords=()):
        self.uid = 0
        self.flags = flags & ~USER
        self.label = label
        self.keywords = tuple(keywords)
        self.received = received
        self._raw = raw
        self._spec = spec
        self.size = len(raw) if raw is not None else spec.size
        self._envelope = None
        self._summary = None

    def copy(self):
        return Mail(self.received, self._raw, self._spec, self.flags, self.label, self.keywords)

    def source(self):
        return self._raw if self._raw is not None else self._spec.render()

    def mask(self):
        """Column 611: bit 64 tells that user flags exist."""
        return self.flags | USER if self.keywords else self.flags

    def envelope(self):
        if self._spec is not None:
            return self._spec.envelope()       # not kept: there may be very many of these
        if self._envelope is None:
            self._envelope = mimeview.envelope(self._raw)
        return self._envelope

    def summary(self):
        """(has attachments, text preview)"""
        if self._spec is not None:
            return self._spec.summary()
        if self._summary is None:
            self._summary = mimeview.summary(self._raw)
        return self._summary


class Folder:
    __slots__ = ("name", "validity", "next", "mails", "by_date", "unread", "deleted", "type",
                 "subscribed", "used_for_sync", "modseq", "created", "listings")

    def __init__(self, name, validity, standard=0):
        self.name = name
        self.validity = validity
        self.next = 1
        self.mails = {}
        self.by_date = []
        self.unread = 0
        self.deleted = 0
        self.type = standard
        self.subscribed = True
        self.used_for_sync = True
        self.modseq = 1
        self.listings = {}                     # encoded answers of `all`, see mod_mail

    @property
    def id(self):
        return ROOT + SEPARATOR + self.name

    @property
    def title(self):
        return self.name.rpartition(SEPARATOR)[2]

    def touch(self):
        self.modseq += 1
        self.listings.clear()

    def _count(self, flags, step):
        if not flags & SEEN:
            self.unread += step
        if flags & DELETED:
            self.deleted += step

    def add(self, mail):
        mail.uid = self.next
        self.next += 1
        self.mails[mail.uid] = mail
        bisect.insort(self.by_date, (mail.received, mail.uid))
        self._count(mail.flags, 1)
        self.touch()
        return mail.uid

    def add_many(self, mails):
        for mail in mails:
            mail.uid = self.next
            self.next += 1
            self.mails[mail.uid] = mail
            self.by_date.append((mail.received, mail.uid))
            self._count(mail.flags, 1)
        self.by_date.sort()
        self.touch()

    def remove(self, uid):
        mail = self.mails.pop(uid, None)
        if mail is None:
            return None
        del self.by_date[bisect.bisect_left(self.by_date, (mail.received, uid))]
        self._count(mail.flags, -1)
        self.touch()
        return mail

    def remove_all(self):
        mails = list(self.mails.values())
        self.mails, self.by_date = {}, []
        self.unread = self.deleted = 0
        self.touch()
        return mails

    def set_flags(self, mail, set_mask=0, clear_mask=0):
        flags = (mail.flags | set_mask) & ~clear_mask & ~USER
        if flags != mail.flags:
            self._count(mail.flags, -1)
            self._count(flags, 1)
            mail.flags = flags
            self.touch()

    def set_label(self, mail, label):
        if mail.label != label:
            mail.label = label
            self.touch()

    def renumber(self, validity):
        """A new UIDVALIDITY: every id of the folder is void."""
        mails = [self.mails[uid] for _, uid in self.by_date]
        self.remove_all()
        self.validity = validity
        self.next = 1
        self.add_many(mails)

    def ordered(self, descending):
        rows = reversed(self.by_date) if descending else self.by_date
        mails = self.mails
        return [mails[uid] for _, uid in rows]

    def window(self, descending, left, right):
        """Rows left..right of the order by date without walking the folder."""
        count = len(self.by_date)
        if descending:
            rows = self.by_date[max(0, count - right):max(0, count - left)][::-1]
        else:
            rows = self.by_date[left:right]
        return [self.mails[uid] for _, uid in rows]


class Mailbox:
    def __init__(self, validity):
        self._validity = validity
        self.folders = {}
        for name, kind in STANDARD.items():
            self.create(name, kind)

    def _next_validity(self):
        self._validity += 1
        return self._validity

    def create(self, name, standard=0):
        folder = Folder(name, self._next_validity(), standard)
        self.folders[name] = folder
        return folder

    def by_id(self, folder_id):
        """The folder of an id such as default0/INBOX; None when there is none."""
        head, slash, name = folder_id.partition(SEPARATOR)
        if head != ROOT or not slash:
            return None
        return self.folders.get(name)

    def children(self, name):
        """Direct children of a full name ("" = the root), sorted as OX does: defaults first."""
        prefix = name + SEPARATOR if name else ""
        found = [f for n, f in self.folders.items()
                 if n.startswith(prefix) and SEPARATOR not in n[len(prefix):]]
        order = list(STANDARD)
        return sorted(found, key=lambda f: (order.index(f.name) if f.name in order else 99,
                                            f.title.lower()))

    def subtree(self, name):
        return [n for n in self.folders if n == name or n.startswith(name + SEPARATOR)]

    def rename(self, old, new):
        """Renames or moves a folder with its children; contents and ids of mails stay."""
        moved = {n: new + n[len(old):] for n in self.subtree(old)}
        fresh = {}
        for name, folder in self.folders.items():
            folder.name = moved.get(name, name)
            fresh[folder.name] = folder
        self.folders = fresh
        return self.folders[new]

    def remove(self, name):
        for victim in self.subtree(name):
            del self.folders[victim]

    def free_name(self, parent, title):
        """parent/title, numbered when taken (a folder deleted twice into the trash)."""
        base = parent + SEPARATOR + title if parent else title
        name, number = base, 2
        while name in self.folders:
            name = "%s %d" % (base, number)
            number += 1
        return name

    def bump(self, folder):
        folder.renumber(self._next_validity() + 500000)

    def special(self, kind):
        for folder in self.folders.values():
            if folder.type == kind:
                return folder
        return None
