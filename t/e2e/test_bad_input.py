# SPDX-License-Identifier: Apache-2.0
"""What bad input gets: never a crash, never a hang, always the documented answer and one line in the log."""
import random
import socket
import threading

import pytest

from easphone import query, wbxml
from easphone.node import Node
from easphone.transport import Request

FOLDERSYNC = wbxml.encode(Node("FolderHierarchy:FolderSync", Node("SyncKey", "0")))


@pytest.fixture(autouse=True)
def logged(site):
    site.httpd.expect("eas:")


def alive(site, phone):
    """the same children still serve"""
    assert phone.post("FolderSync", FOLDERSYNC).status == 200
    assert "exit signal" not in site.httpd.log()


# ------------------------------------------------------------------------------------------------------------------ WBXML

BROKEN = {
    "empty header": (b"", None), "short header": (b"\x03\x01", None), "not WBXML": (b"<?xml version='1.0'?>", 0),
    "attributes": (FOLDERSYNC[:6] + b"\xd6" + FOLDERSYNC[7:], 6), "not closed": (FOLDERSYNC[:-1], None),
    "trailing": (FOLDERSYNC + b"\x01", None), "string without end": (b"\x03\x01\x6a\x00\x00\x07\x56\x52\x03abc", None),
    "opaque too long": (b"\x03\x01\x6a\x00\x00\x07\x56\x52\xc3\xff\xff\xff\x7fabc", None),
    "bad UTF-8": (b"\x03\x01\x6a\x00\x00\x07\x56\x52\x03\xc3\x28\x00\x01\x01", None),
    "literal": (b"\x03\x01\x6a\x00\x00\x07\x56\x04\x01\x01", 7), "extension": (b"\x03\x01\x6a\x00\x00\x07\x56\x40\x01\x01", 7),
    "charset": (b"\x03\x01\x04\x00\x00\x07\x56\x52\x030\x00\x01\x01", None),
    "deep": (b"\x03\x01\x6a\x00" + b"\x45" * 5000, None), "many": (b"\x03\x01\x6a\x00\x45" + b"\x05" * 100000, None),
    "length of 32 bits": (b"\x03\x01\x6a\x00\x45\x02\x8f\xff\xff\xff\x7f\x01", None),
    "foreign token": (b"\x03\x01\x6a\x00\x00\x07\x56\x52\x030\x00\x01\xff\x01", None),
}


@pytest.mark.parametrize("name", sorted(n for n in BROKEN if BROKEN[n][0]))
@pytest.mark.parametrize("version", ["12.1", "14.1"])
def test_broken_wbxml_is_400_or_102_with_its_offset_in_the_log(site, version, name):
    phone = site.phone(version=version)
    phone.options()
    data, offset = BROKEN[name]
    site.httpd.mark()
    answer = phone.post("FolderSync", data)
    if version == "12.1":
        assert answer.status == 400
    else:
        assert answer.status == 400 or answer.document.get("Status") in ("102", "103")
    line = site.httpd.wait_line(r"(offset|byte)\D{0,4}\d+")
    assert offset is None or str(offset) in line
    alive(site, phone)


def test_unknown_elements_are_no_crash(site):
    phone = site.phone()
    body = b"\x03\x01\x6a\x00\x00\x07\x56\x52\x030\x00\x01\x7f\x03x\x00\x01\x01"
    answer = phone.post("FolderSync", body)
    assert answer.status in (200, 400)
    alive(site, phone)


def test_wrong_root(site):
    phone = site.phone()
    answer = phone.post("FolderSync", Node("AirSync:Sync", Node("Collections", Node("Collection"))))
    assert answer.status == 400 or answer.document.get("Status") in ("10", "103")


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_to_good_requests(site, seed):
    """each byte of a real request changed in some way: no crash, no hang, an answer each time"""
    phone, cid = site.synced_phone()
    good = phone.prepare_sync(cid).request.body
    dice = random.Random(seed)
    for _ in range(60):
        data = bytearray(good)
        for _ in range(dice.choice((1, 1, 2, 5))):
            kind = dice.randrange(3)
            at = dice.randrange(len(data))
            if kind == 0:
                data[at] = dice.randrange(256)
            elif kind == 1:
                del data[at]
            else:
                data.insert(at, dice.randrange(256))
        response = phone.connection.exchange(phone.request("Sync", bytes(data)))
        assert response.status in (200, 400, 503), (seed, bytes(data))
    alive(site, phone)


# -------------------------------------------------------------------------------------------------------------- HTTP level

@pytest.mark.site(directives={"EASMaxBody": "100000"})
def test_body_over_the_limit_is_413(site):
    site.httpd.expect("eas:")
    phone = site.phone()
    phone.options()
    big = wbxml.encode(Node("FolderHierarchy:FolderSync", Node("SyncKey", "x" * 200000)))
    answer = phone.post("FolderSync", big)
    assert answer.status == 413
    phone.close()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(big), big)
    made = phone.request("FolderSync", chunked, headers={"Content-Length": None, "Transfer-Encoding": "chunked"})
    assert phone.connection.exchange(made).status == 413
    phone.close()
    alive(site, phone)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-unknown"])
def test_content_encoding_is_415(site, coding):
    phone = site.phone()
    assert phone.post("FolderSync", FOLDERSYNC, headers={"Content-Encoding": coding}).status == 415
    phone.close()
    alive(site, phone)


def test_empty_body_where_one_is_needed(site):
    assert site.phone(version="12.1").post("FolderSync").status == 400
    answer = site.phone(version="14.1").post("FolderSync")
    assert answer.status == 400 or answer.document.get("Status") == "101"


def test_unknown_command_is_501(site, version):
    phone = site.phone(version=version, base64_query=False)
    for command in ("Nonsense", "CreateCollection", "sync.", "Sync%20", "x" * 500):
        assert phone.post(command, FOLDERSYNC).status == 501, command


def test_command_code_that_does_not_exist(site):
    phone = site.phone()
    blob = query.base64_form(141, 200, "DEV1", "phone")
    request = Request("POST", phone.connection.path + "?" + blob, phone.request("FolderSync", FOLDERSYNC).headers, FOLDERSYNC)
    assert phone.exchange("FolderSync", request).status in (400, 501)


@pytest.mark.parametrize("text", ["1.0", "2.0", "13.0", "17.0", "14", "abc", "", "16.1.1", "999999999999", "14.1,16.1"])
def test_unknown_version(site, text):
    phone = site.phone(base64_query=False)
    answer = phone.post("FolderSync", FOLDERSYNC, headers={"MS-ASProtocolVersion": text})
    assert answer.status == 400 or (answer.status == 200 and answer.document.get("Status") == "138")


def test_missing_version(site):
    phone = site.phone(base64_query=False)
    assert phone.post("FolderSync", FOLDERSYNC, headers={"MS-ASProtocolVersion": None}).status in (200, 400)


@pytest.mark.parametrize("device, fine", [
    ("A", True), ("a" * 32, True), ("ABC-def_123", True), ("a" * 33, False), ("", False), (None, False),
    ("x" * 5000, False)])
@pytest.mark.parametrize("version", ["12.1", "14.1"])
def test_device_ids(site, version, device, fine):
    phone = site.phone(version=version, base64_query=False, device_id=device)
    answer = phone.post("FolderSync", FOLDERSYNC)
    if fine:
        assert answer.document.get("Status") == "1"
    elif version == "12.1":
        assert answer.status == 400
    else:
        assert answer.status == 200 and answer.document.get("Status") == "108"


@pytest.mark.parametrize("kind, fine", [("iPhone", True), ("x" * 32, True), ("x" * 33, False), (None, False)])
@pytest.mark.parametrize("version", ["12.1", "14.1"])
def test_device_types(site, version, kind, fine):
    phone = site.phone(version=version, base64_query=False, device_type=kind)
    answer = phone.post("FolderSync", FOLDERSYNC)
    if fine:
        assert answer.document.get("Status") == "1"
    else:
        assert answer.status == 400 if version == "12.1" else answer.document.get("Status") == "109"


def test_device_ids_compare_without_case(site):
    upper = site.ready_phone(device_id="AbCdEf")
    lower = site.phone(device_id="aBcDeF")
    lower.mailbox = upper.mailbox
    assert lower.foldersync().nothing


def test_device_validate_stores_nothing(site):
    phone = site.phone(device_id="validate")
    phone.options()
    phone.foldersync()
    assert not [p for p in site.httpd.state.rglob("*") if p.is_file() and "validate" in p.name.lower()]


@pytest.mark.parametrize("blob", ["", "A", "AAAA", "jQ", "!!!!", "jQAJBP9BQkM", "%%%", "jQAJBBBOaW5lMDEyMzQ1Njc4OUFCBFkt",
                                  "A" * 8000, "=", "?", "%00%00"])
def test_broken_query(site, blob):
    phone = site.phone()
    headers = phone.request("FolderSync", FOLDERSYNC).headers
    response = phone.connection.exchange(Request("POST", phone.connection.path + "?" + blob, headers, FOLDERSYNC))
    assert response.status in (400, 414, 501)
    phone.close()
    alive(site, phone)


def test_base64_query_with_lengths_that_lie(site):
    phone = site.phone()
    good = query.packed(141, "FolderSync", "DEVICE", "phone", 7, {"User": "anna"})
    headers = phone.request("FolderSync", FOLDERSYNC).headers
    dice = random.Random(1)
    import base64
    for _ in range(200):
        data = bytearray(good)
        data[dice.randrange(len(data))] = dice.randrange(256)
        target = phone.connection.path + "?" + base64.b64encode(bytes(data)).decode()
        assert phone.connection.exchange(Request("POST", target, headers, FOLDERSYNC)).status in (200, 400, 501)
    alive(site, phone)


def test_request_that_never_ends_does_not_hold_others(site):
    """slow and half-sent requests occupy no more than their own connection"""
    site.httpd.expect("AH0", "eas:")
    phone = site.phone()
    whole = phone.request("FolderSync", FOLDERSYNC).wire()
    halves = []
    for n in range(4):
        sock = socket.create_connection(("127.0.0.1", site.httpd.port))
        sock.sendall(whole[:len(whole) - 3 - n])
        halves.append(sock)
    for _ in range(3):
        phone.foldersync()
        phone.close()
    for sock in halves:
        sock.close()
    alive(site, phone)


def test_connections_that_say_nothing(site):
    socks = [socket.create_connection(("127.0.0.1", site.httpd.port)) for _ in range(5)]
    phone = site.phone()
    phone.foldersync()
    for sock in socks:
        sock.close()


@pytest.mark.parametrize("headers", [
    {"Authorization": "Basic"}, {"Authorization": "Basic !!!"}, {"Authorization": "Basic " + "QQ" * 4000},
    {"Authorization": "Basic OnNlY3JldA=="}, {"Authorization": "Basic YW5uYQ=="}, {"Authorization": "Digest x"},
    {"Authorization": "Bearer abc"}])
def test_broken_credentials(site, headers):
    site.httpd.expect("auth")
    phone = site.phone()
    answer = phone.post("FolderSync", FOLDERSYNC, headers=headers)
    assert answer.status in (400, 401, 403, 431)
    assert site.control.counters().get("login.login", 0) <= 1


@pytest.mark.parametrize("value", ["abc", "-1", "99999999999999999999", "", "4294967296"])
def test_policy_key_that_is_no_number(site, value):
    phone = site.phone(base64_query=False)
    assert phone.post("FolderSync", FOLDERSYNC, headers={"X-MS-PolicyKey": value}).status in (200, 400)


def test_strange_user_agents_and_names(site):
    for agent in ("", "x" * 4000, "\x7f\xfe", "a\tb", "%n%s%x"):
        phone = site.phone(user_agent=agent)
        assert phone.post("FolderSync", FOLDERSYNC).status in (200, 400)


def test_flood_of_bad_requests_keeps_others_served(site):
    phones = [site.phone() for _ in range(4)]

    def flood(phone):
        for _ in range(50):
            phone.connection.exchange(phone.request("Sync", b"\x03\x01\x6a\x00\x45"))

    threads = [threading.Thread(target=flood, args=(p,)) for p in phones]
    for thread in threads:
        thread.start()
    good = site.phone()
    for _ in range(10):
        good.foldersync()
    for thread in threads:
        thread.join()
    alive(site, good)
