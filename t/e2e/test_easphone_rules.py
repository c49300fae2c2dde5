# SPDX-License-Identifier: Apache-2.0
"""The scripted phone is strict: good answers change its mailbox, bad ones are refused and named."""
import copy
import pathlib

import pytest

from easphone import folders, syncing, wbxml
from easphone.errors import ProtocolViolation, StatusError
from easphone.model import Mailbox
from easphone.node import Node
from easphone.options import BodyPreference, Coll, Options, delete, fetch, set_flag, set_read

WIRE = pathlib.Path(__file__).resolve().parents[1] / "data" / "wire"
KEY = "{0b1f7f0e-8f44-49f6-8f0e-5a3d1c2b4e60}%d"
PREFS = Options(filter=3, bodies=[BodyPreference(1, 512, preview=100), BodyPreference(2, 51200)], mime_support=1)

pytestmark = pytest.mark.no_server


def sample(name):
    return wbxml.decode((WIRE / (name + ".response.wbxml")).read_bytes())


def mailbox(generation, items=(), options=PREFS):
    data = {"1": {"key": KEY % generation if generation else "0", "class": "Email", "options": options.plain(),
                  "items": {sid: {"Email:Read": "0"} for sid in items}}}
    return Mailbox({"collections": data})


def apply(box, document, version=141, commands=(), window=None, klass="Email"):
    coll = Coll("1", window=window, commands=list(commands), klass=klass)
    asked = [syncing.Asked(coll, box.collection("1").key, box.collection("1"))]
    return syncing.apply(box, document, asked, version)["1"]


PAGE = "09-sync-mail-page"


def test_samples_are_accepted_one_after_the_other():
    box = mailbox(0)
    assert apply(box, sample("08-sync-mail-initial")).status == 1
    result = apply(box, sample(PAGE), window=2)
    assert sorted(result.adds) == ["1:76", "1:77"] and result.more
    item = box.collection("1").items["1:77"]
    assert item.subject == "Quarterly numbers" and not item.read and item.body_type == 2
    assert [a["name"] for a in item.attachments] == ["numbers.pdf", "logo.png"] and item.attachments[1]["inline"]
    assert box.collection("1").items["1:76"].flagged and box.collection("1").items["1:76"].truncated
    for sid in ("1:75", "1:60", "1:12", "1:70"):
        box.collection("1").items[sid] = copy.deepcopy(item)
    commands = [set_read("1:77"), set_flag("1:76", 0), delete("1:70"), fetch("1:76")]
    result = apply(box, sample("10-sync-mail-changes"), commands=commands)
    assert result.changes == {"1:75": {"Email:Read": "1"}} and result.deletes == ["1:60"]
    assert result.soft_deletes == ["1:12"] and result.delete_responses == {"1:70": 8}
    assert box.collection("1").items["1:77"].read and not box.collection("1").items["1:76"].flagged


def test_sample_of_25_is_accepted():
    box = mailbox(5, options=Options(truncation=4))
    result = apply(box, sample("12-sync-mail-25"), version=25)
    assert result.adds["1:90"].body == b"Hello." and result.adds["1:90"].attachments[0]["reference"] == "1:90:2"


def _data(collection):
    return collection.find("Commands/Add/ApplicationData")


def _move_first_to_end(node):
    node.children.append(node.children.pop(0))


DAMAGE = {
    "Class": lambda c: c.children.insert(0, Node("AirSync:Class", "Email")),
    "too late": lambda c: c.children.append(c.children.pop(2)),
    "unchanged key": lambda c: setattr(c.find("SyncKey"), "value", KEY % 1),
    "known item": lambda c: setattr(c.find("Commands/Add/ServerId"), "value", "1:5"),
    "twice in one answer": lambda c: setattr(c.find("Commands").children[1].find("ServerId"), "value", "1:77"),
    "in a window of": lambda c: c.find("Commands").children.extend(
        Node("AirSync:Delete", Node("ServerId", "1:5")) for _ in range(1)),
    "of the unknown item": lambda c: c.find("Commands").children.append(Node("AirSync:SoftDelete", Node("ServerId", "1:9"))),
    "in collection 1": lambda c: setattr(c.find("Commands/Add/ServerId"), "value", "2:77"),
    "comes too late in a mail": lambda c: _move_first_to_end(_data(c)),
    "twice in a mail": lambda c: _data(c).children.insert(0, Node("Email:To", "x")),
    "without Email:Importance": lambda c: _data(c).children.remove(_data(c).find("Email:Importance")),
    "without Email2:IsDraft": None,
    "DateReceived": lambda c: setattr(_data(c).find("Email:DateReceived"), "value", "20260309T081522Z"),
    "not 16 bytes": lambda c: setattr(_data(c).find("Email2:ConversationId"), "value", b"short"),
    "ConversationIndex": lambda c: setattr(_data(c).find("Email2:ConversationIndex"), "value", b"123456"),
    "without FileReference": lambda c: _data(c).find("AirSyncBase:Attachments/Attachment").children.pop(1),
    "Truncated with value 0": lambda c: _data(c).find("AirSyncBase:Body").children.insert(2, Node("AirSyncBase:Truncated", 0)),
    "was not asked for": lambda c: setattr(_data(c).find("AirSyncBase:Body/Type"), "value", "3"),
    "estimated size": lambda c: _data(c).find("AirSyncBase:Body").children.__setitem__(
        slice(1, 2), [Node("AirSyncBase:EstimatedDataSize", 5), Node("AirSyncBase:Truncated", 1)]),
    "bytes, 51200 asked": lambda c: setattr(_data(c).find("AirSyncBase:Body/Data"), "value", "x" * 51201),
    "preview of": lambda c: setattr(_data(c).find("AirSyncBase:Body/Preview"), "value", "x" * 101),
    "in a mail": lambda c: _data(c).children.insert(0, Node("Calendar:Subject", "x")),
}


@pytest.mark.parametrize("words", sorted(DAMAGE))
def test_damaged_page_is_refused(words):
    document, version = sample(PAGE), 141
    if DAMAGE[words] is None:
        version = 161
    else:
        DAMAGE[words](document.find("Collections/Collection"))
    box = mailbox(1, ["1:5"])
    with pytest.raises(ProtocolViolation) as caught:
        apply(box, document, version, window=2)
    assert words in str(caught.value)


def test_echo_of_an_own_delete_is_refused():
    box = mailbox(1, ["1:5"])
    document = Node("AirSync:Sync", Node("Collections", Node("Collection", Node("SyncKey", KEY % 2), Node("CollectionId", 1),
                    Node("Status", 1), Node("Commands", Node("Delete", Node("ServerId", "1:5"))))))
    with pytest.raises(ProtocolViolation, match="unknown item"):
        apply(box, document, commands=[delete("1:5")])


@pytest.mark.parametrize("version, commands, generation", [(120, [], 1), (141, [set_read("1:5")], 1), (141, [], 0)])
def test_empty_answer_where_none_may_be(version, commands, generation):
    with pytest.raises(ProtocolViolation, match="empty answer"):
        apply(mailbox(generation, ["1:5"]), None, version, commands)


def test_success_in_responses_is_refused():
    document = Node("AirSync:Sync", Node("Collections", Node("Collection", Node("SyncKey", KEY % 2), Node("CollectionId", 1),
                    Node("Status", 1), Node("Responses", Node("Delete", Node("ServerId", "1:5"), Node("Status", 1))))))
    with pytest.raises(ProtocolViolation, match="success of a Delete"):
        apply(mailbox(1, ["1:5"]), document, commands=[delete("1:5")])


def test_status_3_forgets_the_items_and_global_status_is_an_error():
    box = mailbox(1, ["1:5"])
    assert apply(box, sample("23-sync-invalidkey")).status == 3
    assert box.collection("1").key == "0" and not box.collection("1").items
    with pytest.raises(StatusError) as caught:
        apply(box, sample("24-sync-hierarchy-changed"))
    assert caught.value.status == 12
    with pytest.raises(ProtocolViolation, match="status 142 in version 12.1"):
        apply(box, sample("27-sync-needs-provision-14x"), version=121)


def tree(*adds):
    return Node("FolderHierarchy:FolderSync", Node("Status", 1), Node("SyncKey", "{a}1"), Node(
        "Changes", Node("Count", len(adds)), [Node("Add", Node("ServerId", i), Node("ParentId", p), Node("DisplayName", n),
                                                   Node("Type", t)) for i, p, n, t in adds]))


DEFAULTS = [("1", "0", "Inbox", 2), ("2", "0", "Drafts", 3), ("3", "0", "Trash", 4), ("4", "0", "Sent", 5)]


@pytest.mark.parametrize("adds, words", [
    (DEFAULTS[:3], "no default folder of type 5"),
    (DEFAULTS + [("5", "0", "Second", 2)], "two default folders of type 2"),
    (DEFAULTS + [("5", "6", "Child", 12), ("6", "0", "Parent", 12)], "before its parent"),
    (DEFAULTS + [("5", "0", "Inbox", 12)], "two folders named"),
    (DEFAULTS + [("5", "0", "", 12)], "without name"),
    (DEFAULTS + [("1", "0", "Again", 12)], "twice in one answer"),
    (DEFAULTS + [("5", "0", "Notes", 10)], "folder type 10 in version 12.1"),
    (DEFAULTS + [("a+b", "0", "x", 12)], "folder id"),
])
def test_broken_folder_trees_are_refused(adds, words):
    box = Mailbox()
    with pytest.raises(ProtocolViolation, match=words):
        folders.apply(box, tree(*adds), "0", 121)
    assert box.folders == {} and box.folder_key == "0"


def test_good_folder_tree_and_its_changes():
    box = Mailbox()
    assert len(folders.apply(box, tree(*DEFAULTS, ("5", "1", "Child", 12)), "0", 141).added) == 5
    assert box.path("5") == "Inbox/Child"
    orphan = Node("FolderHierarchy:FolderSync", Node("Status", 1), Node("SyncKey", "{a}2"), Node(
        "Changes", Node("Count", 1), Node("Delete", Node("ServerId", "99"))))
    with pytest.raises(ProtocolViolation, match="unknown folder"):
        folders.apply(box, orphan, "{a}1", 141)


def test_mailbox_survives_a_file(tmp_path):
    box = mailbox(1)
    apply(box, sample(PAGE), window=2)
    box.save(str(tmp_path / "state"))
    again = Mailbox.load(str(tmp_path / "state"))
    assert again.plain() == box.plain() and again.collection("1").items["1:77"].subject == "Quarterly numbers"
