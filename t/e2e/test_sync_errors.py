# SPDX-License-Identifier: Apache-2.0
"""Requests that break the rules of Sync: the answer is Sync(Status 4) alone and nothing was executed."""
import pytest

import harness_mail as mail
from easphone.node import Node
from easphone.options import BodyPreference, Coll, delete
from harness_sandbox import INBOX


@pytest.fixture
def synced(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(raw=mail.plain("witness"))
    phone.sync_all(cid)
    return phone, cid, "%s:%s" % (cid, new)


def collection(phone, cid, *more, key=None, order=("SyncKey", "CollectionId")):
    values = {"SyncKey": phone.mailbox.collection(cid).key if key is None else key, "CollectionId": cid}
    return Node("AirSync:Collection", [Node(name, values[name]) for name in order], list(more))


def sync_of(*collections, more=()):
    return Node("AirSync:Sync", Node("Collections", list(collections)), list(more))


def options(*children):
    return Node("AirSync:Options", list(children))


def preference(*children):
    return Node("AirSyncBase:BodyPreference", list(children))


BROKEN = {
    "no CollectionId": lambda p, c: sync_of(Node("AirSync:Collection", Node("SyncKey", p.mailbox.collection(c).key))),
    "no SyncKey": lambda p, c: sync_of(Node("AirSync:Collection", Node("CollectionId", c))),
    "GetChanges with key 0": lambda p, c: sync_of(collection(p, c, Node("AirSync:GetChanges", 1), key="0")),
    "empty GetChanges with key 0": lambda p, c: sync_of(collection(p, c, Node("AirSync:GetChanges"), key="0")),
    "wait and heartbeat": lambda p, c: sync_of(collection(p, c), more=[Node("AirSync:Wait", 5),
                                                                       Node("AirSync:HeartbeatInterval", 120)]),
    "empty Sync": lambda p, c: Node("AirSync:Sync"),
    "empty Collections": lambda p, c: Node("AirSync:Sync", Node("Collections")),
    "two options of one class": lambda p, c: sync_of(collection(p, c, options(Node("AirSync:Class", "Email")),
                                                                options(Node("AirSync:Class", "Email")))),
    "options of mail and calendar": lambda p, c: sync_of(collection(p, c, options(Node("AirSync:Class", "Email")),
                                                                    options(Node("AirSync:Class", "Calendar")))),
    "two preferences of one type": lambda p, c: sync_of(collection(p, c, options(BodyPreference(1).node(),
                                                                                 BodyPreference(1, 5).node()))),
    "preference in the wrong order": lambda p, c: sync_of(collection(p, c, options(preference(
        Node("TruncationSize", 5), Node("Type", 1))))),
    "preference without type": lambda p, c: sync_of(collection(p, c, options(preference(Node("TruncationSize", 5))))),
    "preference with two sizes": lambda p, c: sync_of(collection(p, c, options(preference(
        Node("Type", 1), Node("TruncationSize", 5), Node("TruncationSize", 6))))),
    "window that is no number": lambda p, c: sync_of(collection(p, c, Node("AirSync:WindowSize", "many"))),
    "filter that is no number": lambda p, c: sync_of(collection(p, c, options(Node("AirSync:FilterType", "x")))),
    "change without ServerId": lambda p, c: sync_of(collection(p, c, Node("AirSync:Commands", Node(
        "Change", Node("ApplicationData", Node("Email:Read", 1)))))),
    "delete without ServerId": lambda p, c: sync_of(collection(p, c, Node("AirSync:Commands", Node("Delete")))),
    "add without ClientId": lambda p, c: sync_of(collection(p, c, Node("AirSync:Commands", Node(
        "Add", Node("ApplicationData", Node("Email:Subject", "x")))))),
    "201 commands": lambda p, c: sync_of(collection(p, c, Node("AirSync:Commands", [
        delete("%s:%d" % (c, 100000 + n)) for n in range(201)]))),
    "long SyncKey": lambda p, c: sync_of(collection(p, c, key="1" * 65)),
    "same collection twice": lambda p, c: sync_of(collection(p, c), collection(p, c)),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_protocol_error_is_status_4_alone_and_nothing_is_executed(site, synced, name):
    phone, cid, sid = synced
    body = BROKEN[name](phone, cid)
    # a good command in front: it must not be executed either
    collections = body.find("Collections")
    if collections is not None and collections.children:
        other = phone.mailbox.folder_named("Archive/2023")
        if phone.mailbox.collection(other).key == "0":
            phone.sync_all(other)
    before = site.control.dump(INBOX)
    key = phone.mailbox.collection(cid).key
    document = phone.post("Sync", body).document
    if name == "long SyncKey" and document.has("Collections"):
        assert document.get("Collections/Collection/Status") in ("3", "4")
    elif name == "same collection twice" and document.has("Collections"):
        assert len(document.find("Collections").children) == 1
    else:
        assert [c.name for c in document.children] == ["AirSync:Status"]
        assert document.get("Status") in ("4", "103")
    assert site.control.dump(INBOX) == before
    phone.mailbox.collection(cid).key = key
    assert phone.sync(cid)[cid].status == 1


def test_one_bad_collection_stops_the_whole_request(site, synced):
    phone, cid, sid = synced
    other = phone.mailbox.folder_named("Archive/2023")
    phone.sync_all(other)
    good = collection(phone, cid, Node("AirSync:Commands", delete(sid)))
    bad = Node("AirSync:Collection", Node("SyncKey", phone.mailbox.collection(other).key))
    document = phone.post("Sync", sync_of(good, bad)).document
    assert document.get("Status") == "4" and not document.has("Collections")
    assert sid.partition(":")[2] in [m["id"] for m in site.control.dump(INBOX)]


@pytest.mark.parametrize("body", [
    lambda p, c: sync_of(collection(p, c, Node("AirSync:Commands"))),
    lambda p, c: sync_of(collection(p, c, options())),
    lambda p, c: sync_of(collection(p, c, options(Node("AirSync:FilterType", 0), Node("AirSync:FilterType", 0)))),
    lambda p, c: sync_of(collection(p, c, Node("AirSync:Supported", Node("Email:Subject")))),
    lambda p, c: sync_of(collection(p, c, Node("AirSync:DeletesAsMoves"), Node("AirSync:GetChanges"))),
    lambda p, c: sync_of(collection(p, c, Node("AirSync:ConversationMode", 1))),
], ids=["empty Commands", "empty Options", "FilterType twice", "late Supported", "empty booleans", "ConversationMode"])
def test_unusual_but_legal(site, synced, body):
    phone, cid, _ = synced
    answer = phone.post("Sync", body(phone, cid))
    assert answer.status == 200
    if answer.document is not None:
        assert answer.document.get("Collections/Collection/Status", "1") == "1"
        assert not answer.document.has("Status")


def test_class_of_25_must_fit_the_folder(site):
    phone, cid = site.synced_phone(version="2.5")
    request = phone.prepare_sync(Coll(cid, klass="Calendar"))
    answer = phone.exchange("Sync", request.request)
    assert answer.status == 200
    status = answer.document.get("Status") or answer.document.get("Collections/Collection/Status")
    assert status in ("4", "8", "12")


@pytest.mark.parametrize("folder", ["", "x" * 65, "../../etc", "2/3", "RI", "0", "1:2"])
def test_collection_ids_that_are_none(site, synced, folder):
    phone, _, _ = synced
    answer = phone.post("Sync", sync_of(Node("AirSync:Collection", Node("SyncKey", "0"), Node("CollectionId", folder))))
    assert answer.status == 200
    document = answer.document
    assert (document.get("Status") or document.get("Collections/Collection/Status")) in ("4", "8", "12", "105", "106")
