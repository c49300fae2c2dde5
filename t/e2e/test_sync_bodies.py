# SPDX-License-Identifier: Apache-2.0
"""Bodies as the phone asked for them: type, truncation, preview, MIME; and options that stick."""
import pytest

import harness_mail as mail
from easphone.options import BodyPreference, Coll, Options, mail_options
from harness_sandbox import INBOX

TEXT = "Grüße aus Köln, %s\r\n" % ("€ " * 40) * 30
HTML = "<html><body><p>Hello <b>Anna</b>,</p><p>" + "äöü &lt;tag&gt; " * 200 + "</p></body></html>"


def one(site, raw, options, version="14.1", **settings):
    """(item, phone, collection id): a single delivered mail as it arrives with these options"""
    phone = site.ready_phone(version=version, **settings)
    cid = phone.mailbox.folder_named("Archive/2023")
    for m in site.control.dump("default0/Archive/2023"):
        site.control.delete("default0/Archive/2023", m["id"])
    new = site.control.deliver("default0/Archive/2023", raw=raw)
    phone.sync(cid)
    result = phone.sync(Coll(cid, options=options))[cid]
    assert list(result.adds) == ["%s:%s" % (cid, new)]
    return result.adds["%s:%s" % (cid, new)], phone, cid


def prefs(*bodies, mime=0, **settings):
    return Options(bodies=[BodyPreference(*b) if isinstance(b, tuple) else BodyPreference(b) for b in bodies],
                   mime_support=mime, **settings)


def text_of(item):
    return item.body.decode("utf-8").replace("\r\n", "\n")


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_plain_mail_as_plain_text(site, version):
    item, _, _ = one(site, mail.plain(text=TEXT), prefs(1), version)
    assert item.body_type == 1 and not item.truncated
    assert text_of(item).rstrip() == TEXT.replace("\r\n", "\n").rstrip()
    assert item["AirSyncBase:NativeBodyType"] == "1"


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_html_mail_as_html(site, version):
    item, _, _ = one(site, mail.html(markup=HTML), prefs(2), version)
    assert item.body_type == 2 and item["AirSyncBase:NativeBodyType"] == "2"
    assert "<b>Anna</b>" in text_of(item) and "äöü &lt;tag&gt;" in text_of(item)


def test_html_mail_as_plain_text(site):
    item, _, _ = one(site, mail.html(markup=HTML), prefs(1))
    text = text_of(item)
    assert item.body_type == 1 and "<b>" not in text and "<p>" not in text
    assert "Hello Anna" in " ".join(text.split()) and "äöü <tag>" in text
    assert item["AirSyncBase:NativeBodyType"] == "2"


def test_plain_mail_as_html(site):
    item, _, _ = one(site, mail.plain(text="1 < 2 & 3\nsecond line\n"), prefs(2))
    assert item.body_type == 2 and "1 &lt; 2 &amp; 3" in text_of(item)


@pytest.mark.parametrize("bodies, native, expected", [((1, 2), "html", 2), ((1, 2), "plain", 1), ((2, 1), "html", 2),
                                                       ((1,), "html", 1), ((2,), "plain", 2)])
def test_native_type_is_preferred(site, bodies, native, expected):
    raw = mail.html(markup=HTML) if native == "html" else mail.plain(text=TEXT)
    assert one(site, raw, prefs(*bodies))[0].body_type == expected


@pytest.mark.parametrize("size", [1, 100, 101, 102, 103, 512, 2000])
@pytest.mark.parametrize("kind", [1, 2])
def test_truncation_is_exact_and_never_splits_a_character(site, kind, size):
    raw = mail.plain(text=TEXT) if kind == 1 else mail.html(markup=HTML)
    whole, phone, cid = one(site, raw, prefs(kind))
    key = phone.mailbox.collection(cid)
    key.reset()
    phone.sync(cid)
    cut = next(iter(phone.sync(Coll(cid, options=prefs((kind, size))))[cid].adds.values()))
    if size >= len(whole.body):
        assert not cut.truncated and cut.body == whole.body
        return
    assert cut.truncated and cut.size == len(whole.body)
    assert whole.body.startswith(cut.body) and size - 3 <= len(cut.body) <= size
    cut.body.decode("utf-8")


def test_truncation_0_brings_no_data(site):
    item, _, _ = one(site, mail.plain(text=TEXT), prefs((1, 0)))
    assert not item.body and item.body_type == 1 and item.size > 1000


def test_all_or_none(site):
    item, phone, cid = one(site, mail.plain(text=TEXT), prefs((1, 100, True)))
    assert not item.body and item.truncated
    phone.mailbox.collection(cid).reset()
    phone.sync(cid)
    small = next(iter(phone.sync(Coll(cid, options=prefs((1, 100000, True))))[cid].adds.values()))
    assert small.body and not small.truncated


@pytest.mark.parametrize("version", ["14.1", "16.1"])
def test_preview(site, version):
    item, _, _ = one(site, mail.html(markup="<p>Hello   <b>Anna</b>,</p>\n<p>how are you?</p>"), prefs((2, 10, False, 16)),
                     version)
    assert item.preview == "Hello Anna, how are you?"[:16].rstrip() or item.preview == "Hello Anna, how "


def test_mime_when_asked_and_allowed(site):
    raw = mail.with_attachments(files=(("a.bin", "application/octet-stream", bytes(range(256))),))
    item, _, _ = one(site, raw, prefs(1, 2, 4, mime=2))
    assert item.body_type == 4 and item.body == raw and item.size == len(raw)
    assert [a["name"] for a in item.attachments] == ["a.bin"], "attachments are listed beside MIME"


def test_mime_only_for_signed_mail(site):
    item, _, _ = one(site, mail.html(markup=HTML), prefs(1, 2, 4, mime=1))
    assert item.body_type == 2


def test_mime_not_allowed(site):
    assert one(site, mail.html(markup=HTML), prefs(1, 4, mime=0))[0].body_type == 1


def test_only_mime_listed_but_not_allowed_is_a_body_without_data(site):
    item, _, _ = one(site, mail.html(markup=HTML), prefs(4, mime=0))
    assert item.body is None and item.size > 0


@pytest.mark.parametrize("number, limit", [(0, 0), (1, 4096), (2, 5120)])
def test_mime_truncation(site, number, limit):
    raw = mail.plain(text=TEXT * 3)
    item, _, _ = one(site, raw, prefs(4, mime=2, mime_truncation=number))
    assert item.body_type == 4 and item.truncated
    assert (item.body or b"") == raw[:limit]


def test_mime_with_8bit_text_is_not_broken(site):
    raw = ("From: b@example.org\r\nTo: a@example.org\r\nSubject: latin\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
           "charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u00fc\u00dfe\r\n").encode("latin-1")
    item, phone, cid = one(site, raw, prefs(1))
    assert text_of(item).strip() == "Grüße"
    phone.mailbox.collection(cid).reset()
    phone.sync(cid)
    mime = next(iter(phone.sync(Coll(cid, options=prefs(4, mime=2)))[cid].adds.values()))
    assert mime.body_type == 4 and mime.body.endswith(b"e\r\n")


@pytest.mark.parametrize("number, limit", [(0, 0), (1, 512), (2, 1024), (9, None), (None, None)])
def test_truncation_of_25(site, number, limit):
    item, _, _ = one(site, mail.plain(text=TEXT), Options(truncation=number), version="2.5")
    whole = TEXT.replace("\r\n", "\n").rstrip()
    text = (item.body or b"").decode("utf-8")
    if limit is None:
        assert not item.truncated and text.replace("\r\n", "\n").rstrip() == whole
    else:
        assert item.truncated and len(text) <= limit and len(text) >= limit - 1
        assert whole.startswith(text.replace("\r\n", "\n").rstrip())


def test_mime_of_25(site):
    raw = mail.plain(text=TEXT)
    item, _, _ = one(site, raw, Options(mime_support=2), version="2.5")
    assert item.body == raw


def test_options_stick_and_a_new_block_replaces_all_of_it(site):
    item, phone, cid = one(site, mail.html(markup=HTML), prefs((2, 50)))
    assert item.body_type == 2 and len(item.body) <= 50
    new = site.control.deliver("default0/Archive/2023", raw=mail.html("second", markup=HTML))
    sticky = phone.sync(cid)[cid].adds["%s:%s" % (cid, new)]
    assert sticky.body_type == 2 and sticky.truncated and len(sticky.body) <= 50
    new = site.control.deliver("default0/Archive/2023", raw=mail.html("third", markup=HTML))
    other = phone.sync(Coll(cid, options=prefs(1)))[cid].adds["%s:%s" % (cid, new)]
    assert other.body_type == 1 and not other.truncated
    new = site.control.deliver("default0/Archive/2023", raw=mail.html("fourth", markup=HTML))
    assert phone.sync(cid)[cid].adds["%s:%s" % (cid, new)].body_type == 1


def test_options_stick_over_a_restart_of_httpd(site):
    _, phone, cid = one(site, mail.html(markup=HTML), prefs((2, 50)))
    site.httpd.restart()
    new = site.control.deliver("default0/Archive/2023", raw=mail.html("later", markup=HTML))
    item = phone.sync(cid)[cid].adds["%s:%s" % (cid, new)]
    assert item.body_type == 2 and len(item.body) <= 50


def test_options_with_key_0_count(site):
    phone = site.ready_phone()
    cid = phone.mailbox.folder_named("Archive/2023")
    new = site.control.deliver("default0/Archive/2023", raw=mail.html(markup=HTML))
    phone.sync(Coll(cid, options=prefs((2, 60))))
    item = phone.sync(cid)[cid].adds["%s:%s" % (cid, new)]
    assert item.body_type == 2 and len(item.body) <= 60


def test_empty_options_block_means_defaults(site):
    _, phone, cid = one(site, mail.html(markup=HTML), prefs((2, 50)))
    new = site.control.deliver("default0/Archive/2023", raw=mail.html("later", markup=HTML))
    item = phone.sync(Coll(cid, options=Options()))[cid].adds["%s:%s" % (cid, new)]
    assert item.body_type in (0, 1)


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_attachments_and_inline_images(site, version):
    raw = mail.with_attachments(markup='<p><img src="cid:logo@x"></p>', images=[("logo@x", "image/png", b"\x89PNG" + b"x" * 50)],
                                files=[("Größe.pdf", "application/pdf", b"%PDF-1.4")])
    item, _, _ = one(site, raw, prefs(2), version)
    assert "cid:logo@x" in text_of(item)
    inline = [a for a in item.attachments if a["inline"]]
    rest = [a for a in item.attachments if not a["inline"]]
    assert [a["content_id"] for a in inline] == ["logo@x"]
    assert [a["name"] for a in rest] == ["Größe.pdf"] and rest[0]["method"] == 1
    assert len({a["reference"] for a in item.attachments}) == 2


def test_fields_of_a_mail(site, version):
    raw = mail.plain("Re: Ünïcode — subject", "text\n", sender='"Doe, Jane" <jane@example.org>',
                     to="Anna <anna@example.org>, bob@example.org", Cc="Carol <carol@example.org>",
                     Reply_To="answers@example.org", Importance="high")
    phone = site.phone(version=version)
    options = mail_options(phone.version, truncation=512)
    item, _, _ = one(site, raw, options, version)
    assert item.subject == "Re: Ünïcode — subject" and item["Email:ThreadTopic"] == "Ünïcode — subject"
    assert "jane@example.org" in item.sender and "Doe, Jane" in item.sender
    assert "anna@example.org" in item.to and "bob@example.org" in item.to
    assert "carol@example.org" in item["Email:Cc"] and "answers@example.org" in item["Email:ReplyTo"]
    assert item["Email:Importance"] == "2" and not item.read
    assert item["Email:MessageClass"] == "IPM.Note" and item["Email:InternetCPID"] == "65001"
    assert ("Email2:ConversationId" in item) == (phone.version >= 140)


def test_mails_of_one_thread_have_one_conversation(site):
    phone, cid = site.synced_phone()
    first = mail.plain("Topic")
    message_id = next(line for line in first.decode().splitlines() if line.lower().startswith("message-id:")).split(" ", 1)[1]
    site.control.deliver(INBOX, raw=first)
    site.control.deliver(INBOX, raw=mail.plain("Re: Topic", In_Reply_To=message_id, References=message_id))
    site.control.deliver(INBOX, raw=mail.plain("Something else"))
    items = {i.subject: i for i in phone.sync_all(cid).adds.values()}
    ids = {s: str(i["Email2:ConversationId"]) for s, i in items.items()}
    assert ids["Topic"] == ids["Re: Topic"] != ids["Something else"]


def test_control_characters_never_reach_the_phone(site):
    raw = (b"From: =?utf-8?q?a=07b?= <b@example.org>\r\nSubject: =?utf-8?q?bell=07_and_nul=00_end?=\r\nMIME-Version: 1.0\r\n"
           b"Content-Type: text/plain; charset=utf-8\r\n\r\nescape \x1b[1m and \x00 nul \x08\r\n")
    item, _, _ = one(site, raw, prefs(1))               # the phone refuses them by itself
    assert "bell" in item.subject and "escape" in text_of(item)
