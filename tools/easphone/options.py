# SPDX-License-Identifier: Apache-2.0
"""Sync options and collection requests as a phone composes them, in the element order of each version."""
import dataclasses
import typing

from .node import Node


@dataclasses.dataclass
class BodyPreference:
    type: int
    truncation: typing.Optional[int] = None
    all_or_none: bool = False
    preview: typing.Optional[int] = None

    def node(self):
        return Node("AirSyncBase:BodyPreference",
                    Node("Type", self.type),
                    None if self.truncation is None else Node("TruncationSize", self.truncation),
                    Node("AllOrNone", 1) if self.all_or_none else None,
                    None if self.preview is None else Node("Preview", self.preview))


@dataclasses.dataclass
class Options:
    """None = the element is not sent. bodies: 12.0 and later; truncation: 2.5 (the number of the table, not bytes)."""
    filter: typing.Optional[int] = None
    bodies: typing.List[BodyPreference] = dataclasses.field(default_factory=list)
    mime_support: typing.Optional[int] = None
    mime_truncation: typing.Optional[int] = None
    truncation: typing.Optional[int] = None
    conflict: typing.Optional[int] = None
    klass: typing.Optional[str] = None

    def node(self, version):
        def number(name, value):
            return None if value is None else Node("AirSync:" + name, value)
        return Node("AirSync:Options",
                    number("FilterType", self.filter),
                    number("Truncation", self.truncation) if version < 120 else None,
                    number("Class", self.klass) if version >= 140 else None,
                    [b.node() for b in self.bodies] if version >= 120 else None,
                    number("Conflict", self.conflict),
                    number("MIMESupport", self.mime_support),
                    number("MIMETruncation", self.mime_truncation))

    def plain(self):
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, data):
        data = dict(data)
        data["bodies"] = [BodyPreference(**b) for b in data["bodies"]]
        return cls(**data)


def mail_options(version, filter=0, body=1, truncation=None, mime_support=0, preview=None):
    """What a phone usually asks for, in the words of each version. truncation in bytes (2.5: the next table step)."""
    if version < 120:
        steps = (0, 512, 1024, 2048, 5120, 10240, 20480, 51200, 102400)
        number = None if truncation is None else next((n for n, s in enumerate(steps) if s >= truncation), 9)
        return Options(filter=filter, truncation=number, mime_support=mime_support)
    if preview is not None and version < 140:
        preview = None
    return Options(filter=filter, mime_support=mime_support,
                   bodies=[BodyPreference(body, truncation, preview=preview)])


@dataclasses.dataclass
class Coll:
    """One Collection of a Sync request. key None = the newest one of the mailbox; options None = the sticky ones."""
    id: str
    key: typing.Optional[str] = None
    options: typing.Optional[Options] = None
    window: typing.Optional[int] = None
    get_changes: typing.Optional[int] = None
    deletes_as_moves: typing.Optional[int] = None
    conversation_mode: typing.Optional[int] = None
    klass: str = "Email"
    commands: typing.List[Node] = dataclasses.field(default_factory=list)

    def node(self, version, key):
        def number(name, value):
            return None if value is None else Node("AirSync:" + name, value)
        return Node("AirSync:Collection",
                    Node("Class", self.klass) if version < 140 else None,
                    Node("SyncKey", key), Node("CollectionId", self.id),
                    number("DeletesAsMoves", self.deletes_as_moves),
                    number("GetChanges", self.get_changes),
                    number("WindowSize", self.window),
                    number("ConversationMode", self.conversation_mode),
                    self.options.node(version) if self.options else None,
                    Node("Commands", self.commands) if self.commands else None)


# ------------------------------------------------------------------------------------------------- commands of a phone

def change(server_id, *properties):
    return Node("AirSync:Change", Node("ServerId", server_id), Node("ApplicationData", list(properties)))


def set_read(server_id, read=True):
    return change(server_id, Node("Email:Read", int(read)))


def flag_node(status=2):
    """the Flag element; status 2 carries the dates a set flag needs, 0 clears"""
    if not status:
        return Node("Email:Flag")
    day = "2026-03-08T00:00:00.000Z"
    due = "2026-03-10T00:00:00.000Z"
    return Node("Email:Flag", Node("Status", status), Node("FlagType", "Flag for follow up"),
                Node("Tasks:StartDate", day), Node("Tasks:DueDate", due),
                Node("Tasks:UtcStartDate", day), Node("Tasks:UtcDueDate", due), Node("Tasks:ReminderSet", 0))


def set_flag(server_id, status=2):
    return change(server_id, flag_node(status))


def delete(server_id):
    return Node("AirSync:Delete", Node("ServerId", server_id))


def fetch(server_id):
    return Node("AirSync:Fetch", Node("ServerId", server_id))


def add(client_id, *properties, klass=None):
    return Node("AirSync:Add", Node("Class", klass) if klass else None, Node("ClientId", client_id),
                Node("ApplicationData", list(properties)))
