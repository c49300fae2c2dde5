# SPDX-License-Identifier: Apache-2.0
"""ItemOperations Fetch of mails and attachments, inline and multipart, and GetAttachment."""
import email
import email.policy

import pytest

import harness_mail as mail
from easphone.errors import HttpError, StatusError
from easphone.fetching import Fetch
from easphone.node import Node
from easphone.options import BodyPreference, mail_options
from harness_sandbox import INBOX

MODERN = pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
DATA = bytes(range(256)) * 200 + b"end"


def with_file(site, version="14.1", data=DATA, name="Übersicht 1.bin"):
    """(phone, folder id, item id, attachment) of a fresh mail with one attached file"""
    phone, cid = site.synced_phone(version=version)
    raw = mail.with_attachments("file", files=((name, "application/octet-stream", data),))
    sid = "%s:%s" % (cid, site.control.deliver(raw=raw))
    item = phone.sync_all(cid).adds[sid]
    (attachment,) = item.attachments
    return phone, cid, sid, attachment


# ----------------------------------------------------------------------------------------------------------------- mails

@MODERN
@pytest.mark.parametrize("kind", [1, 2, 4])
def test_mail_by_id(site, version, kind):
    phone, cid = site.synced_phone(version=version)
    raw = mail.html("whole", "<p>" + "text " * 2000 + "</p>")
    sid = "%s:%s" % (cid, site.control.deliver(raw=raw))
    phone.sync_all(cid)
    fetched = phone.itemoperations(Fetch(cid, sid, bodies=[BodyPreference(kind)], mime_support=2 if kind == 4 else None))[0]
    assert fetched.status == 1 and fetched.item.subject == "whole"
    assert fetched.item.body_type == kind and not fetched.item.truncated
    if kind == 4:
        assert fetched.item.body == raw
    else:
        assert fetched.item.body.count(b"text") == 2000


@MODERN
def test_mail_in_parts(site, version):
    phone, cid = site.synced_phone(version=version)
    raw = mail.plain("parts", "line\n" * 1000)
    sid = "%s:%s" % (cid, site.control.deliver(raw=raw))
    phone.sync_all(cid)
    fetched = phone.itemoperations(Fetch(cid, sid, bodies=[BodyPreference(4)], mime_support=2), multipart=True)[0]
    assert fetched.status == 1 and fetched.data == raw


def test_mail_without_preference_is_plain_text(site):
    phone, cid = site.synced_phone()
    sid = "%s:%s" % (cid, site.control.deliver(raw=mail.plain("x", "just text\n")))
    fetched = phone.itemoperations(Fetch(cid, sid))[0]
    assert fetched.status == 1 and fetched.item.body_type in (0, 1)


def test_schema_restricts_the_properties(site):
    phone, cid = site.synced_phone()
    sid = "%s:%s" % (cid, site.control.deliver(raw=mail.plain("x")))
    fetched = phone.itemoperations(Fetch(cid, sid, schema=["Email:Subject", "Email:From"]))[0]
    assert sorted(fetched.properties.names()) == ["Email:From", "Email:Subject"]


def test_truncation_applies_to_fetch(site):
    phone, cid = site.synced_phone()
    sid = "%s:%s" % (cid, site.control.deliver(raw=mail.plain("x", "0123456789" * 100 + "\n")))
    item = phone.itemoperations(Fetch(cid, sid, bodies=[BodyPreference(1, 50)]))[0].item
    assert item.truncated and len(item.body) == 50


@pytest.mark.parametrize("tail", ["424242", "x", ""])
def test_unknown_mail_is_status_6(site, tail):
    phone, cid = site.synced_phone()
    fetched = phone.itemoperations(Fetch(cid, "%s:%s" % (cid, tail)))[0]
    assert fetched.status in (6, 105, 106)


def test_several_fetches_in_one_request(site):
    phone, cid, sid, attachment = with_file(site)
    found = phone.itemoperations(Fetch(cid, sid, bodies=[BodyPreference(1)]), Fetch(reference=attachment["reference"]),
                                 Fetch(cid, cid + ":99999"))
    assert [f.status for f in found[:2]] == [1, 1] and found[2].status == 6
    assert found[1].data == DATA


# ----------------------------------------------------------------------------------------------------------- attachments

@MODERN
@pytest.mark.parametrize("multipart", [False, True])
def test_attachment_is_byte_exact(site, version, multipart):
    phone, _, _, attachment = with_file(site, version)
    fetched = phone.itemoperations(Fetch(reference=attachment["reference"]), multipart=multipart)[0]
    assert fetched.status == 1 and fetched.data == DATA
    assert fetched.content_type == "application/octet-stream"
    assert attachment["name"] == "Übersicht 1.bin"
    assert abs(attachment["size"] - len(DATA)) < len(DATA) * 0.5


@pytest.mark.parametrize("version", ["2.5", "12.1"])
def test_getattachment(site, version):
    phone, _, _, attachment = with_file(site, version)
    kind, data = phone.getattachment(attachment["reference"])
    assert kind == "application/octet-stream" and data == DATA


def test_getattachment_is_gone_from_140(site):
    phone, _, _, attachment = with_file(site, "14.1")
    answer = phone.post("GetAttachment", parameters={"AttachmentName": attachment["reference"]})
    assert answer.status == 501


@pytest.mark.parametrize("name", ["nonsense", "", "2:1:2", "../../etc/passwd", "%00", "x" * 2000])
def test_getattachment_of_nothing_is_500(site, name):
    site.httpd.expect("ttachment", "reference")
    phone, _ = site.synced_phone(version="12.1", base64_query=False)
    answer = phone.post("GetAttachment", parameters={"AttachmentName": name})
    assert answer.status in (400, 500)


@pytest.mark.parametrize("span, expected", [("0-99", slice(0, 100)), ("100-100", slice(100, 101)),
                                            ("51000-99999", slice(51000, None)), ("0-51202", slice(0, None))])
@pytest.mark.parametrize("multipart", [False, True])
def test_range(site, span, expected, multipart):
    phone, _, _, attachment = with_file(site)
    fetched = phone.itemoperations(Fetch(reference=attachment["reference"], range=span), multipart=multipart)[0]
    assert fetched.status == 1 and fetched.data == DATA[expected]
    start = expected.start
    assert fetched.range == "%d-%d" % (start, start + len(DATA[expected]) - 1)
    assert fetched.total == len(DATA)


def test_range_outside_is_status_8(site):
    phone, _, _, attachment = with_file(site)
    assert phone.itemoperations(Fetch(reference=attachment["reference"], range="60000-70000"))[0].status == 8


@pytest.mark.parametrize("span", ["", "x", "5-1", "-", "1-2-3", "-5"])
def test_broken_range(site, span):
    phone, _, _, attachment = with_file(site)
    try:
        status = phone.itemoperations(Fetch(reference=attachment["reference"], range=span))[0].status
    except StatusError as error:
        status = error.status
    assert status in (2, 8)


@pytest.mark.parametrize("reference", ["nonsense", "x" * 3000, "1:2:3", "%", "\u20ac"])
def test_unknown_reference_is_status_15(site, reference):
    phone, _ = site.synced_phone()
    assert phone.itemoperations(Fetch(reference=reference))[0].status in (6, 15)


def test_reference_of_a_deleted_mail(site):
    phone, cid, sid, attachment = with_file(site)
    site.control.delete(INBOX, sid.partition(":")[2])
    assert phone.itemoperations(Fetch(reference=attachment["reference"]))[0].status in (6, 15)


def test_reference_of_another_user_is_refused(site):
    """references carry their user: another account must not read the bytes even when it knows the name"""
    _, _, _, attachment = with_file(site)
    stranger, _ = site.synced_phone("zoe@example.net")
    site.httpd.expect("reference")
    fetched = stranger.itemoperations(Fetch(reference=attachment["reference"]))[0]
    assert fetched.status in (6, 15, 16) and fetched.data is None


def test_reference_survives_a_restart(site):
    phone, _, _, attachment = with_file(site)
    site.httpd.restart()
    assert phone.itemoperations(Fetch(reference=attachment["reference"]))[0].data == DATA


def test_attachment_of_5_megabytes(site):
    phone, cid = site.synced_phone(options=mail_options(141, truncation=0))
    item = next(i for i in phone.mailbox.collection(cid).items.values() if "full resolution" in i.subject)
    (attachment,) = item.attachments
    raw = next(site.control.source(INBOX, m["id"]) for m in site.control.dump(INBOX) if "full resolution" in m["subject"])
    part = [p for p in email.message_from_bytes(raw, policy=email.policy.default).walk() if p.get_filename()][0]
    exact = part.get_payload(decode=True)
    assert phone.itemoperations(Fetch(reference=attachment["reference"]), multipart=True)[0].data == exact
    assert phone.itemoperations(Fetch(reference=attachment["reference"]))[0].data == exact
    tail = "%d-%d" % (len(exact) - 10, len(exact) - 1)
    assert phone.itemoperations(Fetch(reference=attachment["reference"], range=tail))[0].data == exact[-10:]


def test_empty_attachment(site):
    phone, _, _, attachment = with_file(site, data=b"")
    fetched = phone.itemoperations(Fetch(reference=attachment["reference"]))[0]
    assert fetched.status in (1, 10) and not fetched.data


def test_attached_message(site):
    """a message inside a message is offered as an .eml file and comes as it was"""
    inner = mail.plain("inner", "inside\n")
    outer = email.message.EmailMessage(policy=mail.WIRE)
    outer["From"], outer["To"], outer["Subject"] = "b@example.org", "anna@example.org", "outer"
    outer.set_content("see below\n")
    outer.add_attachment(email.message_from_bytes(inner, policy=mail.WIRE))
    phone, cid = site.synced_phone()
    sid = "%s:%s" % (cid, site.control.deliver(raw=outer.as_bytes(policy=mail.WIRE)))
    (attachment,) = phone.sync_all(cid).adds[sid].attachments
    assert attachment["method"] == 5 and attachment["name"].endswith(".eml")
    data = phone.itemoperations(Fetch(reference=attachment["reference"]))[0].data
    assert b"Subject: inner" in data and b"inside" in data


# -------------------------------------------------------------------------------------------------------- broken requests

def global_status(phone, *children):
    answer = phone.post("ItemOperations", Node("ItemOperations:ItemOperations", list(children)))
    if answer.status != 200:
        return "HTTP %d" % answer.status
    return answer.document.get("Status")


def test_global_errors(site):
    phone, cid, sid, attachment = with_file(site)
    reference = Node("AirSyncBase:FileReference", attachment["reference"])
    store = Node("Store", "Mailbox")
    assert global_status(phone, Node("Fetch", store, reference, reference)) == "2"
    assert global_status(phone, Node("Fetch", store, reference,
                                     Node("Options", BodyPreference(1).node()))) == "2"
    assert global_status(phone, Node("Fetch", store, Node("AirSync:CollectionId", cid), Node("AirSync:ServerId", sid), Node(
        "Options", Node("AirSyncBase:BodyPreference", Node("TruncationSize", 5), Node("Type", 1))))) == "2"
    assert global_status(phone) in ("2", "103")
    assert global_status(phone, *[Node("Fetch", store, reference) for _ in range(101)]) in ("103", "2")


def test_unknown_store_is_status_9(site):
    phone, cid = site.synced_phone()
    assert phone.itemoperations(Fetch(cid, cid + ":1", store="Cellar"))[0].status == 9


def test_itemoperations_does_not_exist_in_25(site):
    phone, cid = site.synced_phone(version="2.5")
    with pytest.raises(HttpError) as caught:
        phone.itemoperations(Fetch(cid, cid + ":1"))
    assert caught.value.status in (400, 501)
