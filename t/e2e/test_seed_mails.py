# SPDX-License-Identifier: Apache-2.0
"""Every mail of the sandbox arrives: as an item or as a stub that says so, and never stops its folder."""
import email
import email.header
import email.policy

import pytest

from easphone.fetching import Fetch
from easphone.options import BodyPreference, Options, mail_options
from harness_sandbox import INBOX

ACCOUNTS = {"anna": "anna@example.org", "bob": "bob@example.org", "carol": "carol@example.org",
            "anna@example.net": "anna@example.net", "zoe@example.net": "zoe@example.net"}


def whole(version, kind):
    if version == "2.5":
        return Options(mime_support=2 if kind == 4 else 0)
    return mail_options(int(version.replace(".", "")), body=kind, mime_support=2 if kind == 4 else 0)


@pytest.mark.parametrize("kind", [1, 2, 4])
def test_every_mail_of_every_folder(site, version, kind):
    if version == "2.5" and kind == 2:
        kind = 1                                               # 2.5 has no HTML bodies: the plain ones again
    site.httpd.expect("stub", "cannot be (read|converted)")
    phone = site.ready_phone(version=version)
    here = {f["id"]: f["total"] for f in site.control.folders()}
    got = 0
    for cid in phone.mailbox.mail_folders():
        result = phone.sync_all(cid, whole(version, kind), window=10)
        assert result.status == 1
        got += len(phone.mailbox.collection(cid).items)
        assert phone.sync(cid)[cid].nothing
    subscribed = sum(total for name, total in here.items() if "Old newsletters" not in name)
    assert got == subscribed


@pytest.mark.parametrize("account", sorted(ACCOUNTS))
def test_every_account(site, account):
    phone, cid = site.synced_phone(account)
    dump = site.control.dump(INBOX, user=ACCOUNTS[account])
    assert len(phone.mailbox.collection(cid).items) == len(dump) > 0


def test_mime_is_byte_exact_for_every_mail(site):
    phone = site.ready_phone(version="14.1")
    cid = phone.mailbox.folder_of_type(2)
    phone.sync_all(cid, mail_options(141, body=4, mime_support=2, truncation=10))
    for m in site.control.dump(INBOX):
        sid = "%s:%s" % (cid, m["id"])
        raw = site.control.source(INBOX, m["id"])
        fetched = phone.itemoperations(Fetch(cid, sid, bodies=[BodyPreference(4)], mime_support=2), multipart=True)[0]
        assert fetched.status == 1, m["subject"]
        assert fetched.data == raw, m["subject"]


def test_flags_of_the_seed(site):
    phone, cid = site.synced_phone()
    items = phone.mailbox.collection(cid).items
    for m in site.control.dump(INBOX):
        item = items["%s:%s" % (cid, m["id"])]
        assert item.read == bool(m["flags"] & 32), m["subject"]
        assert item.flagged == bool(m["flags"] & 8), m["subject"]


@pytest.mark.parametrize("template, wanted", [
    ("latin1-8bit", None), ("windows-1252", None), ("iso-2022-jp", None), ("shift-jis", None), ("koi8-r", None),
    ("gb18030", None), ("emoji-utf8", None), ("rtl-hebrew-arabic", None)])
def test_charsets_are_decoded(site, template, wanted):
    phone, cid = site.synced_phone()
    new = site.control.deliver(template=template)
    item = phone.sync_all(cid, mail_options(141)).adds["%s:%s" % (cid, new)]
    message = email.message_from_bytes(site.control.source(INBOX, new), policy=email.policy.default)
    part = message.get_body(("plain", "html"))
    charset = part.get_content_charset() or "utf-8"
    text = part.get_payload(decode=True).decode(charset, "replace")
    words = [w for w in text.replace("<", " ").replace(">", " ").split() if len(w) > 1 and not w.isascii()]
    assert words, "the seed has no text beyond ASCII"
    body = item.body.decode("utf-8")
    assert "\ufffd" not in body and "=?" not in item.subject
    assert all(w in body for w in words[:5] if "&" not in w)


def test_headers_of_raw_utf8_are_read(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(template="raw-utf8-headers")
    item = phone.sync_all(cid, mail_options(141)).adds["%s:%s" % (cid, new)]
    assert item.subject == "Grüße ohne Kodierung – 8 Bit im Kopf"
    assert "Jürgen Groß" in item["Email:From"]


@pytest.mark.parametrize("template, message_class", [
    ("smime-signed", "IPM.Note.SMIME.MultipartSigned"), ("smime-enveloped", "IPM.Note.SMIME"), ("plain-english", "IPM.Note")])
def test_message_class(site, template, message_class):
    phone, cid = site.synced_phone()
    new = site.control.deliver(template=template)
    assert phone.sync_all(cid).adds["%s:%s" % (cid, new)]["Email:MessageClass"] == message_class


def test_signed_mail_comes_as_mime_when_only_that_is_allowed(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(template="smime-signed")
    options = Options(bodies=[BodyPreference(1), BodyPreference(4)], mime_support=1)
    item = phone.sync_all(cid, options).adds["%s:%s" % (cid, new)]
    assert item.body_type == 4 and item.body == site.control.source(INBOX, new)


@pytest.mark.parametrize("template, count", [("attachment-pdf", 1), ("attachment-zip", 1), ("related-inline", None),
                                             ("attachment-only", None), ("nested-message", None)])
def test_attachments_of_the_seed_are_byte_exact(site, template, count):
    phone, cid = site.synced_phone()
    new = site.control.deliver(template=template)
    item = phone.sync_all(cid, mail_options(141, body=2)).adds["%s:%s" % (cid, new)]
    assert len(item.attachments) == count if count else item.attachments
    message = email.message_from_bytes(site.control.source(INBOX, new), policy=email.policy.default)
    payloads = [p.get_payload(decode=True) for p in message.walk()
                if not p.is_multipart() and (p.get_filename() or p.get("Content-ID"))]
    for attachment in item.attachments:
        data = phone.itemoperations(Fetch(reference=attachment["reference"]))[0].data
        if attachment["method"] != 5:
            assert data in payloads, attachment["name"]


def test_a_mail_that_cannot_be_read_becomes_a_stub_and_the_folder_goes_on(site):
    site.httpd.expect("mail", "item")
    phone = site.ready_phone()
    cid = phone.mailbox.folder_of_type(2)
    total = len(site.control.dump(INBOX))
    phone.sync(cid)
    for action in ("get", "get_structure"):
        site.control.inject("error", match={"module": "mail", "action": action, "nth": 3}, code="MSG-0032", count=1)
    phone.sync_all(cid, mail_options(141, body=4, mime_support=2), window=5)
    phone.sync_all(cid)
    assert len(phone.mailbox.collection(cid).items) == total


def test_html_that_names_its_charset_inside_is_read_also_in_previews(site):
    phone, cid = site.synced_phone()
    new = [site.control.deliver(template="windows-1251-html") for _ in range(2)]   # two, so that previews are asked for
    adds = phone.sync_all(cid, mail_options(141, truncation=512)).adds
    assert site.control.counters().get("mail.get", 0) > 0
    for n in new:
        assert "Приглашаем на выставку" in adds["%s:%s" % (cid, n)].body.decode()
