# SPDX-License-Identifier: Apache-2.0
"""The scripted phone's own WBXML code, query strings and multipart reader against the sample exchanges."""
import base64
import pathlib
import re
import struct
import subprocess

import pytest

from easphone import fetching, query, wbxml
from easphone.errors import ProtocolViolation
from easphone.node import Node, from_xml, to_xml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIRE = ROOT / "t" / "data" / "wire"
SAMPLES = sorted(WIRE.glob("*.wbxml"))

pytestmark = pytest.mark.no_server


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_sample_decodes_and_encodes_to_the_same_bytes(path):
    data = path.read_bytes()
    document = wbxml.decode_document(data)
    xml = path.with_suffix(".xml").read_text(encoding="utf-8")
    assert to_xml(document.root) == xml
    assert wbxml.encode(document.root) == data
    assert wbxml.encode(from_xml(xml, wbxml.kind)) == data
    assert document.redundant_switches == []


@pytest.mark.parametrize("path", [p for p in SAMPLES if ".response" in p.name], ids=lambda p: p.stem)
def test_sample_response_is_accepted_in_its_version_or_names_the_elements_that_are_not_of_it(path):
    document = wbxml.decode_document(path.read_bytes())
    found = {version: wbxml.check(document, version) for version in (25, 121, 141, 161)}
    assert min(map(len, found.values())) == 0, found


def test_every_sample_response_validates(schema):
    if schema is None:
        pytest.skip("no schemas")
    for path in SAMPLES:
        if ".response" in path.name:
            schema.validate(wbxml.decode(path.read_bytes()), path.name)


@pytest.mark.parametrize("data, offset", [
    (b"", 0),
    (b"\x05\x01\x6a\x00\x05", 0),                             # version 2.1 of WBXML does not exist
    (b"\x03\x01\x04\x00\x05", 3),                             # Latin-1
    (b"\x03\x01\x6a\x05ab\x00", 4),                           # string table longer than the document
    (b"\x03\x01\x6a\x00\x45\x4b\x03abc", 7),                  # string without end
    (b"\x03\x01\x6a\x00\x45\x4b\xc3\x05ab\x01\x01", 8),       # opaque beyond the end
    (b"\x03\x01\x6a\x00\x45\x4b\x03\xff\x00\x01\x01", 10),    # invalid UTF-8
    (b"\x03\x01\x6a\x00\xc5\x01", 4),                         # attributes
    (b"\x03\x01\x6a\x00\x45\x04\x01", 5),                     # LITERAL
    (b"\x03\x01\x6a\x00\x45\x3f\x01", 5),                     # no such token on page 0
    (b"\x03\x01\x6a\x00\x00\x63\x45\x01", 4),                 # no such page
    (b"\x03\x01\x6a\x00\x05\x00", 5),                         # bytes after the root
    (b"\x03\x01\x6a\x00\x45", 5),                             # root not closed
    (b"\x03\x01\x6a\x00" + b"\x45" * 65, 68),                 # too deep
])
def test_broken_document_is_refused_with_its_offset(data, offset):
    with pytest.raises(wbxml.WbxmlError) as caught:
        wbxml.decode(data)
    assert caught.value.offset == offset


def test_three_forms_of_an_empty_element_are_the_same():
    forms = [b"\x03\x01\x6a\x00\x45\x5c\x4f\x13\x01\x01\x01", b"\x03\x01\x6a\x00\x45\x5c\x4f\x53\x01\x01\x01\x01",
             b"\x03\x01\x6a\x00\x45\x5c\x4f\x53\x03\x00\x01\x01\x01\x01"]
    roots = [wbxml.decode(f) for f in forms]
    assert roots[0] == roots[1] == roots[2]
    assert roots[0].find("Collections/Collection/GetChanges") is not None


def test_string_runs_entities_and_string_table_join():
    data = b"\x03\x01\x6a\x04ab\x00c" + b"\x45\x4b\x03x\x00\x02\x83\x68\x83\x00\x01\x01"
    assert wbxml.decode(data).get("SyncKey") == "x\u01e8ab"


def test_long_text_and_opaque_survive():
    node = Node("AirSync:Sync", Node("SyncKey", "ü€😀" * 5000), Node("Email2:ConversationId", bytes(range(256)) * 300))
    assert wbxml.decode(wbxml.encode(node)) == node


@pytest.mark.parametrize("node, version, text", [
    (Node("AirSync:Sync", Node("Collections")), 141, "empty container"),
    (Node("AirSync:Sync", Node("Email2:ConversationId", "text")), 141, "must be opaque"),
    (Node("AirSync:Sync", Node("Email:Subject", b"bytes")), 141, "must be a string"),
    (Node("AirSync:Sync", Node("Email:Subject", "bell\x07")), 141, "control character 0x07"),
    (Node("AirSync:Sync", Node("Email2:IsDraft", 1)), 141, "does not exist in version 14.1"),
    (Node("AirSync:Sync", Node("Status", "one")), 141, "not a int"),
    (Node("AirSync:Sync", Node("Email:Read", 2)), 141, "not a bool"),
])
def test_check_names_what_phones_reject(node, version, text):
    wrong = wbxml.check(wbxml.decode_document(wbxml.encode(node)), version)
    assert len(wrong) == 1 and text in wrong[0]


def test_redundant_page_switches_are_seen():
    document = wbxml.decode_document(b"\x03\x01\x6a\x00\x00\x00\x45\x4e\x031\x00\x01\x01")
    assert "page switch" in wbxml.check(document, 141)[0]


def test_base64_query_bytes():
    text = (WIRE / "60-base64-query.txt").read_text(encoding="ascii")
    published = re.findall(r"POST /Microsoft-Server-ActiveSync\?(\S+)", text)
    assert query.base64_form(141, "Sync", "Nine0123456789AB", "Android", 3942919513, {"Options": 0}) == published[0]
    assert query.base64_form(121, "GetAttachment", "AB12", "PocketPC", None, {"AttachmentName": "1:90:2"},
                             locale=0x0407) == published[1]
    assert query.base64_form(140, 0, "v140Device", "SmartPhone") == "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l"


def test_multipart_sample_and_broken_ones():
    raw = (WIRE / "42-itemoperations-multipart.response.bin").read_bytes()
    parts = fetching.split_multipart(raw)
    assert len(parts) == 2 and parts[1] == b"%PDF-1.4 tiny"
    fetched = fetching.apply(wbxml.decode(parts[0]), parts, [fetching.Fetch(reference="1%3a77%3a2")], 141)
    assert fetched[0].data == b"%PDF-1.4 tiny" and fetched[0].content_type == "application/pdf"
    for broken in (raw[:3], raw[:-1], raw + b"x", struct.pack("<I", 9) + raw[4:], struct.pack("<I", 0) + raw[4:]):
        with pytest.raises(ProtocolViolation):
            fetching.split_multipart(broken)


def test_command_converts_a_file_both_ways(tmp_path):
    command = [str(ROOT / "tools" / "easphone" / "easphone"), "wbxml"]
    source = WIRE / "09-sync-mail-page.response.wbxml"
    xml = subprocess.run(command + ["decode", str(source)], check=True, capture_output=True).stdout
    assert xml == source.with_suffix(".xml").read_bytes()
    back = subprocess.run(command + ["encode", "-"], input=xml, check=True, capture_output=True).stdout
    assert back == source.read_bytes()
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x03\x01\x6a\x00\x45")
    failed = subprocess.run(command + ["decode", str(broken)], capture_output=True, text=True)
    assert failed.returncode == 2 and "byte 5" in failed.stderr


def test_base64_helper_is_plain_base64():
    assert base64.b64decode(query.base64_form(161, "Find", "A", "B", 1)) == b"\xa1\x17\x09\x04\x01A\x04\x01\0\0\0\x01B"
