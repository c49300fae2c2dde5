# SPDX-License-Identifier: Apache-2.0
"""The sample exchanges (t/data/wire) that apply, sent to a real server: keys and ids replaced, the rest byte for byte.

The answer must have the shape of the sample's answer: the same elements in the same order, as far as they depend on the
protocol and not on the mailbox.
"""
import pathlib

import pytest

import harness_mail as mail
from easphone import wbxml
from easphone.node import Node
from easphone.transport import Request

WIRE = pathlib.Path(__file__).resolve().parents[1] / "data" / "wire"
KEYS = ("AirSync:SyncKey", "FolderHierarchy:SyncKey")


def sample(name, what):
    return wbxml.decode((WIRE / ("%s.%s.wbxml" % (name, what))).read_bytes())


def replaced(root, **values):
    """values by tag: a text, or a function of the old text"""
    for node in root.walk():
        if node.tag in values and not node.children:
            new = values[node.tag]
            node.value = new(node.value) if callable(new) else new
    return root


def shape(node, without=()):
    """names of the elements below a node in order, repeated ones once"""
    out = []
    for child in node.children:
        if child.name not in without and (not out or out[-1][0] != child.name):
            out.append((child.name, shape(child, without)))
    return out


def send(phone, command, root):
    answer = phone.post(command, root)
    assert answer.status == 200
    return answer.document


def test_01_foldersync_initial(site):
    document = send(site.phone(), "FolderSync", sample("01-foldersync-initial", "request"))
    assert shape(document) == shape(sample("01-foldersync-initial", "response"))


def test_02_foldersync_changes(site):
    phone = site.ready_phone()
    for name in ("2023", "2024"):                      # what the phone has synced is known again for certain
        cid = next(c for c in phone.mailbox.folders if phone.mailbox.path(c) == "Archive/" + name)
        phone.sync_all(cid)
    site.control.create_folder("default0", "new")
    site.control.rename_folder("default0/Archive/2023", "2022")
    site.control.delete_folder("default0/Archive/2024")
    document = send(phone, "FolderSync", replaced(sample("02-foldersync-delta", "request"), SyncKey=phone.mailbox.folder_key))
    names = {c.name for c in document.find("Changes").children}
    assert names == {"FolderHierarchy:" + n for n in ("Count", "Update", "Delete", "Add")}
    assert document.names() == sample("02-foldersync-delta", "response").names()


def test_03_foldersync_unchanged(site):
    phone = site.ready_phone()
    document = send(phone, "FolderSync", replaced(sample("03-foldersync-nochange", "request"),
                                                  SyncKey=phone.mailbox.folder_key))
    assert shape(document) == shape(sample("03-foldersync-nochange", "response"))
    assert document.get("Changes/Count") == "0"


def test_04_foldersync_bad_key(site):
    document = send(site.ready_phone(), "FolderSync", sample("04-foldersync-badkey", "request"))
    assert document == sample("04-foldersync-badkey", "response")


def test_08_sync_initial(site):
    phone = site.ready_phone()
    document = send(phone, "Sync", replaced(sample("08-sync-mail-initial", "request"),
                                            CollectionId=phone.mailbox.folder_of_type(2)))
    assert shape(document) == shape(sample("08-sync-mail-initial", "response"))


def test_09_sync_page(site):
    phone = site.ready_phone()
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    root = replaced(sample("09-sync-mail-page", "request"), CollectionId=cid, SyncKey=phone.mailbox.collection(cid).key)
    document = send(phone, "Sync", root)
    collection = document.find("Collections/Collection")
    assert collection.names() == sample("09-sync-mail-page", "response").find("Collections/Collection").names()
    assert len(collection.find("Commands").children) == 2


def test_10_changes_of_the_phone(site):
    phone, cid = site.synced_phone()
    new = [site.control.deliver(raw=mail.plain("m%d" % n)) for n in range(3)]
    phone.sync_all(cid)
    ids = {"1:77": "%s:%s" % (cid, new[0]), "1:76": "%s:%s" % (cid, new[1]), "1:70": "%s:%s" % (cid, new[2])}
    root = replaced(sample("10-sync-mail-changes", "request"), CollectionId=cid, SyncKey=phone.mailbox.collection(cid).key,
                    ServerId=ids.get)
    collection = send(phone, "Sync", root).find("Collections/Collection")
    assert collection.get("Status") == "1"
    responses = collection.find("Responses")
    assert [c.tag for c in responses.children] == ["Fetch"], "silence means success"
    assert responses.get("Fetch/ServerId") == ids["1:76"]
    assert new[2] not in [m["id"] for m in site.control.dump()]


def test_11_nothing_new(site):
    phone, cid = site.synced_phone()
    root = replaced(sample("11-sync-mail-nochange", "request"), CollectionId=cid, SyncKey=phone.mailbox.collection(cid).key)
    answer = phone.post("Sync", root)
    assert (WIRE / "11-sync-mail-nochange.response.empty-14.1").read_bytes() == answer.response.raw == b""


def test_12_sync_of_25(site):
    phone = site.ready_phone(version="2.5")
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    site.control.deliver(raw=mail.with_attachments())
    root = replaced(sample("12-sync-mail-25", "request"), CollectionId=cid, SyncKey=phone.mailbox.collection(cid).key)
    collection = send(phone, "Sync", root).find("Collections/Collection")
    wanted = sample("12-sync-mail-25", "response").find("Collections/Collection")
    assert [n for n in collection.names() if n != "AirSync:MoreAvailable"] == wanted.names()
    entry = next(a for a in collection.find("Commands").children if a.find("ApplicationData/Email:Attachments") is not None)
    mine, theirs = entry.find("ApplicationData"), wanted.find("Commands/Add/ApplicationData")
    assert set(theirs.names()) - {"Email:BodyTruncated"} <= set(mine.names())


@pytest.mark.parametrize("name, status", [("23-sync-invalidkey", "3")])
def test_23_unknown_key(site, name, status):
    phone = site.ready_phone()
    root = Node("AirSync:Sync", Node("Collections", Node("Collection", Node("SyncKey", "{00000000}9"), Node(
        "CollectionId", phone.mailbox.folder_of_type(2)))))
    document = send(phone, "Sync", root)
    assert shape(document) == shape(sample(name, "response"))
    assert document.get("Collections/Collection/Status") == status


def test_26_partial_without_cache(site):
    document = send(site.ready_phone(), "Sync", sample("26-sync-partial", "request"))
    assert document in (sample("26-sync-partial", "response"), Node("AirSync:Sync", Node("Status", 4)))


def test_41_itemoperations(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(raw=mail.with_attachments(files=(("a.pdf", "application/pdf", b"%PDF-1.4 tiny"),)))
    sid = "%s:%s" % (cid, new)
    reference = phone.sync_all(cid).adds[sid].attachments[0]["reference"]
    root = replaced(sample("41-itemoperations-fetch", "request"), CollectionId=cid, ServerId=sid, FileReference=reference)
    document = send(phone, "ItemOperations", root)
    mail_part, file_part = document.find("Response").children
    wanted = sample("41-itemoperations-fetch", "response").find("Response").children
    assert mail_part.names() == wanted[0].names()
    assert shape(file_part) == shape(wanted[1])
    assert file_part.get("Properties/Data") == wanted[1].get("Properties/Data")


def test_42_multipart(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(raw=mail.with_attachments(files=(("a.pdf", "application/pdf", b"%PDF-1.4 tiny"),)))
    reference = phone.sync_all(cid).adds["%s:%s" % (cid, new)].attachments[0]["reference"]
    body = Node("ItemOperations:ItemOperations", Node("Fetch", Node("Store", "Mailbox"),
                                                      Node("AirSyncBase:FileReference", reference)))
    request = phone.request("ItemOperations", body, {"multipart": True})
    answer = phone.exchange("ItemOperations", request)
    raw = (WIRE / "42-itemoperations-multipart.response.bin").read_bytes()
    assert answer.response.content_type == "application/vnd.ms-sync.multipart"
    assert answer.response.raw[:4] == raw[:4] and answer.parts[1] == b"%PDF-1.4 tiny"


@pytest.mark.parametrize("name, version", [("53-getitemestimate-14", "14.1"), ("54-getitemestimate-25", "2.5")])
def test_53_54_estimate(site, name, version):
    phone, cid = site.synced_phone(version=version)
    root = replaced(sample(name, "request"), CollectionId=cid, SyncKey=phone.mailbox.collection(cid).key)
    assert shape(send(phone, "GetItemEstimate", root)) == shape(sample(name, "response"))


def test_60_published_base64_query(site):
    phone = site.phone()
    text = (WIRE / "60-base64-query.txt").read_text(encoding="ascii")
    for blob in (line.split("?")[1] for line in text.splitlines() if line.startswith("POST") and "jQAJ" in line):
        made = phone.request("Sync", Node("AirSync:Sync", Node("Collections", Node("Collection", Node("SyncKey", "0"), Node(
            "CollectionId", "nowhere")))))
        answer = phone.exchange("Sync", Request("POST", phone.connection.path + "?" + blob, made.headers, made.body))
        assert answer.status == 200
