# SPDX-License-Identifier: Apache-2.0
"""The form of answers: lengths, compression, headers. The phone itself refuses chunked answers and missing lengths."""
import gzip

import pytest

import harness_mail as mail
from easphone.options import mail_options


def test_gzip_when_offered_and_only_then(site, version):
    with_gzip, without = site.phone(version=version, gzip=True), site.phone(version=version, gzip=False)
    one = with_gzip.post("FolderSync", with_gzip.prepare_foldersync().request.body)
    two = without.post("FolderSync", without.prepare_foldersync().request.body)
    assert one.response.header("Content-Encoding") == "gzip" and two.response.header("Content-Encoding") is None
    assert len(one.response.raw) < len(two.response.raw)
    assert gzip.decompress(one.response.raw) == one.response.body
    assert "Accept-Encoding" in (one.response.header("Vary") or "Accept-Encoding")


@pytest.mark.parametrize("offer, packed", [("gzip, deflate, br", True), ("GZIP", True), ("br", False), ("identity", False),
                                           ("gzip;q=0", False), ("*;q=0", False), ("deflate;q=0.5, gzip;q=1.0", True)])
def test_forms_of_accept_encoding(site, offer, packed):
    phone = site.phone(gzip=False)
    request = phone.request("FolderSync", phone.prepare_foldersync().request.body, headers={"Accept-Encoding": offer})
    response = phone.connection.exchange(request)
    assert (response.header("Content-Encoding") == "gzip") == packed


def test_big_answer_has_its_length(site):
    """a megabyte in one answer: still one body with a length, never chunked"""
    phone, cid = site.synced_phone(gzip=False)
    for n in range(4):
        site.control.deliver(raw=mail.plain("big %d" % n, ("%d " % n) * 150000))
    result = phone.sync_all(cid, mail_options(141))
    assert sum(len(i.body) for i in result.adds.values()) > 1000000


def test_empty_answers_have_no_body_and_no_encoding(site):
    phone, cid = site.synced_phone()
    prepared = phone.prepare_sync(cid)
    response = phone.exchange("Sync", prepared.request).response
    assert response.status == 200 and response.raw == b"" and response.header("Content-Length") == "0"
    assert response.header("Content-Encoding") is None


def test_headers_of_an_answer(site):
    phone = site.phone()
    response = phone.post("FolderSync", phone.prepare_foldersync().request.body).response
    assert response.content_type == "application/vnd.ms-sync.wbxml"
    assert "private" in (response.header("Cache-Control") or "")
    assert response.header("MS-Server-ActiveSync")
    assert response.header("X-MS-RP") == response.header("MS-ASProtocolVersions")


def test_x_ms_rp_only_with_key_0(site):
    phone, cid = site.synced_phone()
    for command, prepared in (("FolderSync", phone.prepare_foldersync()), ("Sync", phone.prepare_sync(cid))):
        assert phone.exchange(command, prepared.request).response.header("X-MS-RP") is None
