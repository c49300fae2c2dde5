# SPDX-License-Identifier: Apache-2.0
"""Sync: applying an answer to the mailbox the way a strict phone does.

Own commands that the server confirmed (by silence or by a Response) are applied first, then the server's commands: so an
echo of an own Delete is a Delete of an unknown item and is refused.
"""
import dataclasses
import typing

from . import rules
from .errors import ProtocolViolation, StatusError
from .model import Item
from .options import Options
from .rules import refuse


@dataclasses.dataclass
class CollectionResult:
    status: int
    key: str
    more: bool = False
    adds: typing.Dict[str, Item] = dataclasses.field(default_factory=dict)
    changes: typing.Dict[str, dict] = dataclasses.field(default_factory=dict)
    deletes: typing.List[str] = dataclasses.field(default_factory=list)
    soft_deletes: typing.List[str] = dataclasses.field(default_factory=list)
    add_responses: typing.Dict[str, tuple] = dataclasses.field(default_factory=dict)     # ClientId -> (status, ServerId)
    change_responses: typing.Dict[str, int] = dataclasses.field(default_factory=dict)    # ServerId -> status
    delete_responses: typing.Dict[str, int] = dataclasses.field(default_factory=dict)
    fetches: typing.Dict[str, tuple] = dataclasses.field(default_factory=dict)           # ServerId -> (status, Item)

    @property
    def nothing(self):
        return not (self.adds or self.changes or self.deletes or self.soft_deletes)

    @property
    def count(self):
        return len(self.adds) + len(self.changes) + len(self.deletes) + len(self.soft_deletes)


@dataclasses.dataclass
class SyncResult:
    empty: bool
    collections: typing.Dict[str, CollectionResult]

    def __getitem__(self, cid):
        """the collection's result; one that the answer leaves out has status 1 and nothing new"""
        return self.collections.get(cid) or CollectionResult(1, "")

    @property
    def more(self):
        return any(c.more for c in self.collections.values())


class Asked:
    """one collection of the request, as it was sent"""

    def __init__(self, coll, key, collection):
        self.coll, self.key, self.window = coll, key, coll.window
        self.options = coll.options or (Options.from_plain(collection.options) if collection.options else None)


def apply(mailbox, document, asked, version, asked_everything=True):
    """document None = empty answer; asked: list of Asked in request order"""
    if document is None:
        _check_empty(asked, version)
        _remember_options(mailbox, asked)
        return SyncResult(True, {})
    refuse(document.name != "AirSync:Sync", "answer to Sync is " + document.name)
    rules.check_status_range(document, version)
    rules.in_order(document, rules.SYNC_ORDER)
    status = int(document.get("Status", "1"))
    if status != 1:
        refuse(document.has("Collections"), "Collections beside the global status %d" % status)
        refuse(document.has("Limit") != (status in (14, 15)), "Limit and status %d" % status)
        raise StatusError("Sync", status)
    by_id, results = {a.coll.id: a for a in asked}, {}
    collections = document.find("Collections")
    for node in collections.children if collections else ():
        refuse(node.tag != "Collection", "%s inside Collections" % node.tag)
        cid = node.get("CollectionId")
        refuse(cid not in by_id, "collection %s was not asked for" % cid)
        refuse(cid in results, "collection %s twice" % cid)
        results[cid] = _apply_collection(mailbox, node, by_id[cid], version)
    if version < 121 and asked_everything:
        missing = set(by_id) - set(results)
        refuse(bool(missing), "collections %s left out in version %s" % (sorted(missing), version / 10))
    for a in asked:
        if a.coll.commands and a.coll.id not in results:
            raise ProtocolViolation("collection %s with commands left out" % a.coll.id)
    _remember_options(mailbox, [a for a in asked if results.get(a.coll.id, CollectionResult(1, "")).status == 1])
    return SyncResult(False, results)


def _check_empty(asked, version):
    refuse(version < 121, "empty answer to Sync in version %s" % (version / 10))
    for a in asked:
        refuse(a.key == "0", "empty answer to a Sync with key 0")
        refuse(bool(a.coll.commands), "empty answer to a Sync with commands")


def _remember_options(mailbox, asked):
    for a in asked:
        if a.coll.options is not None:
            mailbox.collection(a.coll.id).options = a.coll.options.plain()
        mailbox.collection(a.coll.id).klass = a.coll.klass


def _apply_collection(mailbox, node, asked, version):
    rules.in_order(node, rules.COLLECTION_ORDER)
    cid, state = asked.coll.id, mailbox.collection(asked.coll.id)
    refuse(node.has("Class") != (version < 140), "Class in a collection of version %s: %s"
           % (version / 10, node.has("Class")))
    refuse(node.has("Class") and node.get("Class") != asked.coll.klass, "Class %s" % node.get("Class"))
    refuse(not node.has("SyncKey") or not node.has("Status"), "collection %s without key or status" % cid)
    result = CollectionResult(int(node.get("Status")), node.get("SyncKey"), node.has("MoreAvailable"))
    if result.status != 1:
        refuse(node.has("Commands") or node.has("MoreAvailable"), "commands beside status %d" % result.status)
        if result.status == 3:
            state.reset()
        return result
    refuse(not result.key or result.key == "0" or len(result.key) > 64, "SyncKey %r" % result.key)
    refuse(result.more and result.key == asked.key, "MoreAvailable with an unchanged key")
    commands, responses = node.find("Commands"), node.find("Responses")
    if asked.key == "0":
        refuse(commands is not None or result.more, "items in the answer to key 0")
        state.reset()
    _responses(responses, asked, result, state, version)
    _server_commands(commands, asked, result, state, version)
    refuse(result.key == asked.key and bool(result.count or asked.coll.commands), "changes under an unchanged key")
    window = 100 if asked.window is None else asked.window if 0 < asked.window <= 512 else 512
    refuse(result.count > window, "%d changes in a window of %d" % (result.count, window))
    state.key = result.key
    return result


def _responses(responses, asked, result, state, version):
    failed = set()
    for entry in responses.children if responses else ():
        status, sid, client_id = int(entry.get("Status", "0")), entry.get("ServerId"), entry.get("ClientId")
        if entry.tag == "Add":
            rules.in_order(entry, ("Class", "ClientId", "ServerId", "Status", "ApplicationData"))
            result.add_responses[client_id] = (status, sid)
            continue
        rules.in_order(entry, ("Class", "ServerId", "Status", "ApplicationData"))
        if entry.tag == "Fetch":
            data = entry.find("ApplicationData")
            refuse((status == 1) != (data is not None), "Fetch with status %d, data %s" % (status, data is not None))
            item = None
            if data is not None:
                rules.check_mail(data, version, asked.options, True, exact=True)
                item = Item(data.plain())
                if sid in state.items:
                    state.items[sid] = item
            result.fetches[sid] = (status, item)
        elif entry.tag in ("Change", "Delete"):
            refuse(status == 1 and entry.tag == "Delete", "success of a %s in Responses" % entry.tag)
            refuse(status == 1 and not entry.has("ApplicationData"), "success of a Change in Responses")
            (result.change_responses if entry.tag == "Change" else result.delete_responses)[sid] = status
            failed.add((entry.tag, sid))
        else:
            raise ProtocolViolation("%s inside Responses" % entry.tag)
    for command in asked.coll.commands:
        sid = command.get("ServerId")
        if command.tag == "Add":
            refuse(command.get("ClientId") not in result.add_responses, "no response to Add %s" % command.get("ClientId"))
        elif command.tag == "Fetch":
            refuse(sid not in result.fetches, "no response to Fetch %s" % sid)
        elif (command.tag, sid) in failed:
            continue
        elif command.tag == "Delete":
            state.items.pop(sid, None)
        elif sid in state.items:
            state.items[sid].update(command.find("ApplicationData").plain() or {})


def _server_commands(commands, asked, result, state, version):
    touched = set()
    for entry in commands.children if commands else ():
        rules.in_order(entry, rules.ENTRY_ORDER)
        sid = entry.get("ServerId")
        refuse(not sid or len(sid) > 64, "ServerId %r" % sid)
        refuse(sid in touched, "item %s twice in one answer" % sid)
        touched.add(sid)
        refuse(entry.has("Class") and version >= 140, "Class inside %s" % entry.tag)
        data = entry.find("ApplicationData")
        if entry.tag in ("Delete", "SoftDelete"):
            refuse(sid not in state.items, "%s of the unknown item %s" % (entry.tag, sid))
            del state.items[sid]
            (result.deletes if entry.tag == "Delete" else result.soft_deletes).append(sid)
            continue
        refuse(data is None, "%s without ApplicationData" % entry.tag)
        if entry.tag == "Add":
            refuse(sid in state.items, "Add of the known item %s" % sid)
            refuse(not sid.startswith(asked.coll.id + ":"), "ServerId %s in collection %s" % (sid, asked.coll.id))
            rules.check_mail(data, version, asked.options, True)
            state.items[sid] = result.adds[sid] = Item(data.plain())
        elif entry.tag == "Change":
            refuse(sid not in state.items, "Change of the unknown item %s" % sid)
            rules.check_mail(data, version, asked.options, False)
            refuse(not data.children, "empty Change of %s" % sid)
            result.changes[sid] = data.plain()
            state.items[sid].update(result.changes[sid])
        else:
            raise ProtocolViolation("%s inside Commands" % entry.tag)
