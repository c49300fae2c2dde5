# SPDX-License-Identifier: Apache-2.0
"""What a phone remembers of a mailbox: folders, and per collection the key, the options and the items.

Everything is plain dicts, so a Mailbox is saved and loaded as JSON and several runs of the command go on with it.
"""
import base64
import json
import os


def as_list(value):
    """children that may be repeated: absent -> [], one -> [it], several -> the list"""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def as_bytes(value):
    """text or opaque content as bytes"""
    if isinstance(value, dict) and "opaque" in value:
        return base64.b64decode(value["opaque"])
    return (value or "").encode("utf-8")


class Item(dict):
    """the ApplicationData of one mail, by 'Page:Tag'; the properties speak of 2.5 and of later mails alike"""

    @property
    def subject(self):
        return self.get("Email:Subject", "")

    @property
    def sender(self):
        return self.get("Email:From", "")

    @property
    def to(self):
        return self.get("Email:To", "")

    @property
    def date(self):
        return self.get("Email:DateReceived", "")

    @property
    def read(self):
        return self.get("Email:Read") == "1"

    @property
    def flagged(self):
        flag = self.get("Email:Flag")
        return isinstance(flag, dict) and flag.get("Email:Status") == "2"

    @property
    def _body(self):
        body = self.get("AirSyncBase:Body")
        return body if isinstance(body, dict) else {}

    @property
    def body_type(self):
        """1 plain, 2 HTML, 4 MIME; 0 without body"""
        if "Email:MIMEData" in self:
            return 4
        if "Email:Body" in self:
            return 1
        return int(self._body.get("AirSyncBase:Type", 0))

    @property
    def body(self):
        """bytes; None when no data came"""
        for value in (self.get("Email:MIMEData"), self.get("Email:Body"), self._body.get("AirSyncBase:Data")):
            if value is not None:
                return as_bytes(value)
        return None

    @property
    def truncated(self):
        return "1" in (self.get("Email:BodyTruncated"), self.get("Email:MIMETruncated"),
                       self._body.get("AirSyncBase:Truncated"))

    @property
    def size(self):
        """the size of the whole body as the server estimates it"""
        for value in (self.get("Email:MIMESize"), self.get("Email:BodySize"),
                      self._body.get("AirSyncBase:EstimatedDataSize")):
            if value is not None:
                return int(value)
        return 0

    @property
    def preview(self):
        return self._body.get("AirSyncBase:Preview")

    @property
    def attachments(self):
        """list of dicts: name, reference, method, size, content_id, inline"""
        out = []
        modern = self.get("AirSyncBase:Attachments")
        if isinstance(modern, dict):
            for a in as_list(modern.get("AirSyncBase:Attachment")):
                out.append({"name": a.get("AirSyncBase:DisplayName", ""), "reference": a.get("AirSyncBase:FileReference"),
                            "method": int(a.get("AirSyncBase:Method", 0)),
                            "size": int(a.get("AirSyncBase:EstimatedDataSize", 0)),
                            "content_id": a.get("AirSyncBase:ContentId"), "inline": a.get("AirSyncBase:IsInline") == "1"})
        old = self.get("Email:Attachments")
        if isinstance(old, dict):
            for a in as_list(old.get("Email:Attachment")):
                out.append({"name": a.get("Email:DisplayName", ""), "reference": a.get("Email:AttName"),
                            "method": int(a.get("Email:AttMethod", 0)), "size": int(a.get("Email:AttSize", 0)),
                            "content_id": None, "inline": False})
        return out


class Collection:
    """one synchronised folder"""

    def __init__(self, key="0", klass="Email", options=None, items=None):
        self.key, self.klass, self.options = key, klass, options
        self.items = {sid: Item(data) for sid, data in (items or {}).items()}

    def reset(self):
        """what a phone does on Status 3: forget all and begin again"""
        self.key, self.items = "0", {}

    def plain(self):
        return {"key": self.key, "class": self.klass, "options": self.options, "items": self.items}


FOLDER_TYPES = {1: "folder", 2: "Inbox", 3: "Drafts", 4: "Trash", 5: "Sent", 6: "Outbox", 7: "Tasks", 8: "Calendar",
                9: "Contacts", 10: "Notes", 11: "Journal", 12: "mail", 13: "calendar", 14: "contacts", 15: "tasks",
                16: "journal", 17: "notes", 18: "unknown", 19: "recent recipients"}
MAIL_TYPES = (1, 2, 3, 4, 5, 6, 12)
INBOX, DRAFTS, TRASH, SENT = 2, 3, 4, 5


class Mailbox:
    def __init__(self, data=None):
        data = data or {}
        self.folder_key = data.get("folder_key", "0")
        self.folders = dict(data.get("folders", {}))              # id -> {"parent", "name", "type"}
        self.policy_key = data.get("policy_key")
        self.version = data.get("version")
        self.account = data.get("account", {})                    # what the command line remembers
        self.collections = {cid: Collection(c["key"], c["class"], c["options"], c["items"])
                            for cid, c in data.get("collections", {}).items()}

    def collection(self, cid):
        return self.collections.setdefault(cid, Collection())

    def plain(self):
        return {"folder_key": self.folder_key, "folders": self.folders, "policy_key": self.policy_key,
                "version": self.version, "account": self.account,
                "collections": {cid: c.plain() for cid, c in self.collections.items()}}

    def folder_of_type(self, wanted):
        """id of the first folder of a type, or None"""
        return next((cid for cid, f in self.folders.items() if f["type"] == wanted), None)

    def folder_named(self, name):
        """id of a folder by its id, its name, or its path 'A/B'; None when there is none"""
        if name in self.folders:
            return name
        return next((cid for cid in self.folders if self.folders[cid]["name"] == name or self.path(cid) == name), None)

    def path(self, cid):
        names = []
        while cid in self.folders and len(names) < 64:
            names.insert(0, self.folders[cid]["name"])
            cid = self.folders[cid]["parent"]
        return "/".join(names)

    def mail_folders(self):
        return [cid for cid, f in self.folders.items() if f["type"] in MAIL_TYPES]

    def save(self, path):
        """written beside and renamed, so that an interrupted run leaves the old state"""
        with open(path + ".new", "w", encoding="utf-8") as out:
            json.dump(self.plain(), out, indent=1)
        os.replace(path + ".new", path)

    @classmethod
    def load(cls, path):
        if not os.path.exists(path):
            return cls()
        with open(path, encoding="utf-8") as data:
            return cls(json.load(data))
