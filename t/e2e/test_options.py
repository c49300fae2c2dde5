# SPDX-License-Identifier: Apache-2.0
"""OPTIONS, paths, methods and the forms of a request line."""
import pytest

from easphone.errors import HttpError
from easphone.transport import Request

ALL = ["2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1"]


def test_options_lists_versions_and_only_what_works(site):
    found = site.phone().options()
    assert found["versions"] == ALL
    assert {"FolderSync", "Sync", "GetItemEstimate", "ItemOperations", "GetAttachment"} <= set(found["commands"])
    assert "CreateCollection" not in found["commands"]
    assert len(set(found["commands"])) == len(found["commands"])
    assert found["server"][0].isdigit()


def test_options_headers_and_empty_body(site):
    phone = site.phone()
    response = phone.exchange("OPTIONS", phone.request("OPTIONS", method="OPTIONS")).response
    assert response.header("Content-Length") == "0" and response.raw == b""
    for name in ("Allow", "Public"):
        assert {"OPTIONS", "POST"} <= {m.strip() for m in response.header(name).split(",")}
    assert "Content-Encoding" not in dict(response.headers)


def test_options_without_credentials_is_401_with_a_realm(site):
    phone = site.phone()
    response = phone.exchange("OPTIONS", phone.request("OPTIONS", method="OPTIONS",
                                                       headers={"Authorization": None})).response
    assert response.status == 401
    assert response.header("WWW-Authenticate").startswith("Basic realm=")
    assert response.header("MS-ASProtocolVersions") is None
    assert site.control.counters().get("login.login", 0) == 0


@pytest.mark.parametrize("path", ["/Microsoft-Server-ActiveSync", "/microsoft-server-activesync",
                                  "/MICROSOFT-SERVER-ACTIVESYNC/", "/Microsoft-Server-ActiveSync/"])
def test_path_in_any_case_with_and_without_slash(site, path):
    phone = site.phone()
    phone.connection.path = path
    assert phone.options()["versions"] == ALL
    phone.foldersync()


@pytest.mark.parametrize("path", ["/", "/Microsoft-Server-ActiveSyncs", "/Microsoft-Server-ActiveSync/x"])
def test_other_paths_are_not_ours(site, path):
    site.httpd.expect("client denied by server configuration")
    phone = site.phone()
    phone.connection.path = path
    with pytest.raises(HttpError) as caught:
        phone.options()
    assert caught.value.status in (403, 404)
    assert site.control.counters().get("login.login", 0) == 0


@pytest.mark.parametrize("ceiling, versions", [("2.5", ALL[:1]), ("12.1", ALL[:3]), ("14.1", ALL[:5]), ("16.0", ALL[:6])])
def test_ceiling(sites, ceiling, versions):
    site = sites(directives={"EASMaxVersion": ceiling})
    phone = site.phone()
    found = phone.options()
    assert found["versions"] == versions
    assert ("ItemOperations" in found["commands"]) == (ceiling != "2.5")
    above = site.phone(version="16.1", base64_query=False)
    answer = above.post("FolderSync", above.prepare_foldersync().request.body)
    assert answer.status == 400 or answer.document.get("Status") == "138"
    site.phone(version=ceiling).foldersync()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PROPFIND"])
def test_other_methods(site, method):
    phone = site.phone()
    response = phone.connection.exchange(phone.request("x", method=method))
    assert response.status in (405, 501)
    phone.options()


def test_plain_query_in_any_order_and_case(site):
    phone = site.phone(version="14.1")
    prepared = phone.prepare_foldersync()
    made = prepared.request
    path = phone.connection.path
    for query in ("deviceTYPE=iPhone&CMD=foldersync&user=&deviceid=ABC", "DeviceType=iPhone&DeviceId=ABC&Cmd=FOLDERSYNC",
                  "Cmd=FolderSync&User=EXAMPLE%5Canna&DeviceId=abc&DeviceType=iPhone&Unknown=1",
                  "Cmd=FolderSync&User=somebody%40else.example&DeviceId=abc&DeviceType=i%20Phone"):
        answer = phone.exchange("FolderSync", Request("POST", path + "?" + query, made.headers, made.body))
        assert answer.document.get("Status") == "1", query


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_base64_query(site, version):
    phone = site.phone(version=version, base64_query=True)
    phone.foldersync()
    assert phone.foldersync().nothing
    prepared = phone.prepare_foldersync()
    blob = prepared.request.target.partition("?")[2]
    headers = prepared.request.headers
    for form in (blob.rstrip("="), blob.replace("=", "%3D"), blob.replace("+", "-").replace("/", "_")):
        request = Request("POST", phone.connection.path + "?" + form, headers, prepared.request.body)
        assert phone.exchange("FolderSync", request).document.get("Status") == "1"


def test_base64_query_wins_over_headers(site):
    phone = site.phone(version="14.1", base64_query=True)
    request = phone.request("FolderSync", phone.prepare_foldersync().request.body,
                            headers={"MS-ASProtocolVersion": "2.5"})
    assert phone.exchange("FolderSync", request).document.get("Status") == "1"


def test_keep_alive_serves_many_commands_on_one_connection(site):
    phone = site.ready_phone()
    for _ in range(20):
        assert phone.foldersync().nothing
    assert phone.connection.reconnects == 0


def test_content_type_with_parameters_and_short_form(site):
    phone = site.phone()
    body = phone.prepare_foldersync().request.body
    for kind in ("application/vnd.ms-sync.wbxml; charset=utf-8", "application/vnd.ms-sync", "Application/VND.MS-Sync.WBXML"):
        assert phone.post("FolderSync", body, headers={"Content-Type": kind}).document.get("Status") == "1"


def test_chunked_request_body(site):
    phone = site.phone()
    body = phone.prepare_foldersync().request.body
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 5]), body[i:i + 5]) for i in range(0, len(body), 5)) + b"0\r\n\r\n"
    made = phone.request("FolderSync", chunked, headers={"Content-Length": None, "Transfer-Encoding": "chunked"})
    assert phone.exchange("FolderSync", made).document.get("Status") == "1"


def test_expect_100_continue(site):
    """some HTTP libraries ask before they send a body"""
    phone = site.phone()
    prepared = phone.prepare_foldersync()
    made = phone.request("FolderSync", prepared.request.body, headers={"Expect": "100-continue"})
    assert phone.exchange("FolderSync", made).document.get("Status") == "1"


@pytest.mark.site(ipv6=True, tls=False)
def test_ipv6(site):
    if not site.ipv6:
        pytest.skip("this machine has no ::1")
    phone, cid = site.synced_phone()
    assert "[::1]" in phone.connection.authority
    assert phone.mailbox.collection(cid).items
