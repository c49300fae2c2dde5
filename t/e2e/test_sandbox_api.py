# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a user of the API sees it, and its fact table against the API description."""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SANDBOX = ROOT / "t" / "sandbox"
sys.path.insert(0, str(SANDBOX))

import facts                                                        # noqa: E402
import synthmail                                                    # noqa: E402
from control import ControlError, Sandbox                           # noqa: E402

AGENT = "Open-Xchange USM HTTP Client (mod_eas/1.0)"
INBOX = "default0/INBOX"
ACCEPT = "application/json, text/javascript"


class Client:
    """A well-behaved API client: one jar, one session, one User-Agent."""

    def __init__(self, api, agent=AGENT, client="USM-EAS"):
        self.url = urllib.parse.urlsplit(api)
        self.agent, self.client = agent, client
        self.jar, self.session = {}, None
        self.link = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=30)
        self.status, self.headers, self.raw = 0, {}, b""

    def send(self, method, path, body=None, ctype=None, **headers):
        head = {"User-Agent": self.agent, "Accept": ACCEPT}
        if self.jar:
            head["Cookie"] = "; ".join("%s=%s" % pair for pair in self.jar.items())
        if ctype:
            head["Content-Type"] = ctype
        head.update(headers)
        self.link.request(method, self.url.path + path, body,
                          {k: v for k, v in head.items() if v is not None})
        answer = self.link.getresponse()
        self.status, self.raw = answer.status, answer.read()
        self.headers = {k.lower(): v for k, v in answer.getheaders()}
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.jar[key] = rest.partition(";")[0]
        return self.raw

    def login(self, name="anna@example.org", password="anna-secret", auth_id=None):
        form = urllib.parse.urlencode({"name": name, "password": password,
                                       "client": self.client, "version": "1"})
        query = "/login?action=login" + ("&authId=" + auth_id if auth_id else "")
        raw = self.send("POST", query, form, "application/x-www-form-urlencoded")
        answer = json.loads(raw) if self.status == 200 else {}
        self.session = answer.get("session")
        return answer

    def path(self, module, params):
        query = dict(params, session=self.session)
        return "/%s?%s" % (module, urllib.parse.urlencode(
            {k: v for k, v in query.items() if v is not None}, quote_via=urllib.parse.quote))

    def get(self, module, **params):
        return json.loads(self.send("GET", self.path(module, params)))

    def put(self, module, body, **params):
        return json.loads(self.send("PUT", self.path(module, params), json.dumps(body),
                                    "application/json; charset=utf-8"))

    def data(self, module, **params):
        answer = self.get(module, **params)
        assert "error" not in answer, answer
        return answer["data"]

    def bytes(self, module, **params):
        return self.send("GET", self.path(module, params))

    def close(self):
        self.link.close()


@pytest.fixture(scope="module")
def server():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server):
    server.control.reset()
    return server


@pytest.fixture
def control(sandbox):
    return sandbox.control


@pytest.fixture
def anna(sandbox):
    client = Client(sandbox.api)
    assert client.login()["user_id"] == 4
    yield client
    client.close()


def kinds(control):
    return [v["kind"] for v in control.violations()]


def ids(client, folder=INBOX):
    return [row[0] for row in client.data("mail", action="all", folder=folder, columns="600")]


# -- the process ----------------------------------------------------------------------------------

def test_it_tells_its_addresses_and_ends_cleanly_on_sigterm(tmp_path):
    port_file = tmp_path / "ports.json"
    sandbox = Sandbox("--port-file", str(port_file), "--prefix", "/appsuite/api")
    ready = json.loads(port_file.read_text())
    assert ready["api"] == sandbox.api and sandbox.api.endswith("/appsuite/api")
    assert ready["control"] == sandbox.control.url and ready["pid"] == sandbox.pid
    client = Client(sandbox.api)
    assert client.login()["context_id"] == 1
    assert sandbox.stop() == 0


def test_it_serves_ipv6():
    with Sandbox("--host", "::1") as sandbox:
        assert sandbox.api.startswith("http://[::1]:")
        assert Client(sandbox.api).login()["user_id"] == 4


def test_it_serves_tls_with_secure_cookies(tmp_path):
    import ssl
    cert, key = tmp_path / "cert", tmp_path / "key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    with Sandbox("--tls", str(cert), str(key)) as sandbox:
        assert sandbox.api.startswith("https://")
        client = Client(sandbox.api)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client.link = http.client.HTTPSConnection(client.url.hostname, client.url.port,
                                                  context=context)
        assert client.login()["user_id"] == 4
        assert "Secure" in client.headers["set-cookie"]
        assert client.data("mail", action="count", folder=INBOX) > 30


def test_the_large_folder_and_the_clock_are_set_by_options():
    with Sandbox("--large-folder", "300", "--now", "1700000000") as sandbox:
        client = Client(sandbox.api)
        client.login()
        assert client.data("mail", action="examine", folder="default0/INBOX/Large")["total"] == 300
        newest = client.data("mail", action="all", folder=INBOX, columns="610", limit="1",
                             timezone="UTC")[0][0]
        assert 1700000000000 - 90 * 86400000 < newest <= 1700000060000


# -- login and sessions -------------------------------------------------------------------------

def test_login_answers_at_top_level_and_sets_three_cookies(sandbox):
    client = Client(sandbox.api)
    answer = client.login()
    assert answer["user"] == "anna@example.org" and answer["locale"] == "en_US"
    assert len(answer["session"]) == 32 and int(answer["session"], 16) >= 0
    names = sorted(name.rpartition("-")[0] or name for name in client.jar)
    assert names == ["JSESSIONID", "open-xchange-public-session", "open-xchange-secret"]
    assert client.jar["JSESSIONID"].endswith(".OX0")


@pytest.mark.parametrize("name, password, who", [
    ("anna", "anna-secret", (1, 4)), ("anna@1", "anna-secret", (1, 4)),
    ("anna@EXAMPLE.org", "anna-secret", (1, 4)), ("anna@2", "other-secret", (2, 4)),
    ("bob@defaultcontext", "bob-secret", (1, 5)), ("zoe@example.net", "zoe-secret", (2, 5))])
def test_the_login_name_is_split_at_the_last_at(sandbox, name, password, who):
    answer = Client(sandbox.api).login(name, password)
    assert (answer["context_id"], answer["user_id"]) == who and answer["user"] == name


@pytest.mark.parametrize("name, password, code", [
    ("anna@example.org", "wrong", "LGI-0006"), ("nobody@example.org", "x", "LGI-0006"),
    ("anna@nowhere.example", "anna-secret", "LGI-0006"),
    ("dave@example.org", "dave-secret", "LGI-0001"),
    ("dave@example.org", "wrong", "LGI-0006")])
def test_failed_logins_answer_200_with_an_envelope(sandbox, name, password, code):
    client = Client(sandbox.api)
    answer = client.login(name, password)
    assert client.status == 200 and answer["code"] == code and answer["error_id"]
    assert not client.jar


def test_passwords_are_utf8(sandbox):
    assert Client(sandbox.api).login("carol@example.org", "grün-ß-geheim")["user_id"] == 6


def test_equal_names_of_two_contexts_are_two_users(sandbox):
    other = Client(sandbox.api)
    assert other.login("anna@example.net", "other-secret")["context_id"] == 2
    subjects = [r[0] for r in other.data("mail", action="all", folder=INBOX, columns="607")]
    assert subjects == ["Only for Anna Berger of context 2"]


def test_an_auth_id_serves_once(sandbox):
    assert "session" in Client(sandbox.api).login(auth_id="abc")
    assert Client(sandbox.api).login(auth_id="abc")["code"] == "SES-0008"


def test_a_password_in_the_url_is_refused_and_noted(sandbox, control):
    client = Client(sandbox.api)
    client.send("POST", "/login?action=login&name=anna&password=anna-secret",
                "name=anna&password=anna-secret", "application/x-www-form-urlencoded")
    assert json.loads(client.raw)["code"] == "SVL-0030"
    assert "password-in-url" in kinds(control)


def test_the_client_id_must_differ_from_the_user_agent(sandbox):
    assert Client(sandbox.api, "same", "same").login()["code"] == "LGI-0021"


def test_logout_ends_the_session(anna, control):
    anna.get("login", action="logout")
    assert anna.get("user/me")["code"] == "SES-0203"
    assert control.sessions() == [] and kinds(control) == []


def test_logout_with_wrong_cookies_is_forbidden(anna, control):
    anna.jar = {name: "0" * 32 for name in anna.jar}
    anna.send("GET", anna.path("login", {"action": "logout"}))
    assert anna.status == 403 and len(control.sessions()) == 1


def test_a_user_has_a_limited_number_of_sessions(sandbox, control):
    control.settings(max_sessions_per_user=2)
    assert [Client(sandbox.api).login().get("code") for _ in range(3)] == [None, None, "SES-0007"]


def test_failed_logins_are_limited_until_one_succeeds(sandbox, control):
    control.settings(login_rate=3)
    bad = Client(sandbox.api)
    for _ in range(2):
        assert bad.login(password="wrong")["code"] == "LGI-0006"
    assert "session" in Client(sandbox.api).login()
    for _ in range(3):
        assert bad.login(password="wrong")["code"] == "LGI-0006"
    bad.login(password="wrong")
    assert bad.status == 429 and bad.headers["retry-after"]
    assert "session" in Client(sandbox.api, agent="another agent").login()


@pytest.mark.parametrize("flavour, code", [("7.10", "SES-0206"), ("8", "SES-0203")])
def test_another_user_agent_loses_the_session(anna, control, flavour, code):
    control.settings(flavour=flavour)
    anna.agent = "something else"
    answer = anna.get("user/me")
    assert anna.status == 200 and answer["code"] == code and answer["category"] == 4
    assert "user-agent-changed" in kinds(control)


def test_missing_cookies_are_noted(anna, control):
    kept = dict(anna.jar)
    anna.jar = {k: v for k, v in kept.items() if "secret" not in k}
    assert anna.get("user/me")["code"] == "SES-0203"
    anna.jar = {k: v for k, v in kept.items() if "secret" in k}
    assert anna.get("user/me")["data"]["user_id"] == 4
    assert "open-xchange-public-session" in anna.headers["set-cookie"]
    assert kinds(control) == ["cookie-missing"] * 3


def test_cookies_of_another_session_are_noted(sandbox, anna, control):
    bob = Client(sandbox.api)
    bob.login("bob@example.org", "bob-secret")
    assert kinds(control) == []
    anna.jar = bob.jar
    assert anna.get("user/me")["code"] == "SES-0203"
    assert "foreign-cookie" in kinds(control)


def test_expired_sessions_are_no_misuse(anna, control):
    assert control.expire_sessions("anna@example.org") == 1
    assert anna.get("user/me")["code"] == "SES-0203"
    anna.jar = {}
    anna.login()
    assert anna.data("user/me")["login_name"] == "anna"
    assert kinds(control) == []


def test_a_changed_password_can_end_sessions(anna, control):
    assert control.set_password("anna@example.org", "new-secret", expire=True) == 1
    assert anna.login()["code"] == "LGI-0006"
    assert "session" in anna.login(password="new-secret")


def test_active_sync_is_a_capability(sandbox, anna):
    erin = Client(sandbox.api)
    erin.login("erin@example.org", "erin-secret")
    assert erin.data("capabilities", action="get", id="active_sync") == {}
    assert anna.data("capabilities", action="get", id="active_sync")["id"] == "active_sync"
    assert {"id": "webmail", "attributes": {}} in erin.data("capabilities", action="all")
    assert erin.data("config/modules/com.openexchange.usm.eas/module") is False


def test_only_lenient_agents_pass_the_request_rate_limit(sandbox, control):
    control.settings(request_rate=5)
    plain = Client(sandbox.api, agent="curl/8")
    plain.login()
    statuses = []
    for _ in range(6):
        plain.send("GET", "/user/me?session=" + plain.session)
        statuses.append(plain.status)
    assert statuses == [200] * 4 + [429] * 2
    lenient = Client(sandbox.api)
    lenient.login()
    assert [lenient.data("mail", action="count", folder=INBOX) > 0 for _ in range(9)] == [True] * 9


# -- strictness ---------------------------------------------------------------------------------

@pytest.mark.parametrize("path, code, kind", [
    ("nomodule?action=all", "SVL-0006", "unknown-module"),
    ("mail?action=frobnicate", "SVL-0001", "unknown-action"),
    ("mail?action=all&folder=default0%2FINBOX", "SVL-0002", "missing-parameter"),
    ("mail?action=all&folder=default0%2FINBOX&columns=600,999", "SVL-0010", "unknown-column"),
    ("mail?action=all&folder=default0%2FINBOX&columns=600,x", "SVL-0010", "unknown-column"),
    ("mail?action=all&folder=default0%2FINBOX&columns=600&sort=600&order=asc", "SVL-0010",
     "unknown-sort"),
    ("mail?action=all&folder=default0%2FINBOX&columns=600&sort=610", "SVL-0002",
     "missing-parameter"),
    ("mail?action=all&folder=default0%2FINBOX&columns=600&limit=abc", "SVL-0010", "invalid-value"),
    ("mail?action=get&folder=default0%2FINBOX&id=1&view=pretty", "SVL-0010", "invalid-value"),
    ("mail?action=delete", "SVL-0001", "wrong-method"),
    ("mail?action=count&folder=default0%2FINBOX&colour=red", None, "unknown-parameter"),
    ("mail?action=count&folder=default0/INBOX", None, "not-encoded"),
    ("folders?action=allVisible&content_type=cars&columns=1", "SVL-0010", "invalid-value"),
])
def test_misuse_is_answered_and_noted(anna, control, path, code, kind):
    anna.send("GET", "/%s&session=%s" % (path, anna.session))
    answer = json.loads(anna.raw)
    assert anna.status == 200 and answer.get("code") == code
    assert kinds(control) == [kind]
    if code:
        assert {"error", "error_params", "error_id", "error_desc", "categories",
                "category"} <= set(answer) and "data" not in answer


def test_a_request_without_session_misses_a_parameter(anna, control):
    anna.session = None
    assert anna.get("mail", action="count", folder=INBOX)["code"] == "SVL-0002"
    anna.send("PUT", "/multiple", "[]", "application/json")
    assert anna.status == 400 and b"<html>" in anna.raw
    assert kinds(control) == ["missing-parameter"] * 2


def test_bad_bodies_are_noted(anna, control):
    path = anna.path("mail", {"action": "update", "folder": INBOX, "id": "1"})
    for body, ctype in (("{", "application/json"), ("", "application/json"),
                        ("{\"set_flags\":32}", "text/plain"), ("[]", "application/json")):
        anna.send("PUT", path, body, ctype)
    anna.put("mail", {"set_flags": 16, "shade": 1}, action="update", folder=INBOX, id="1")
    assert kinds(control) == ["malformed-body", "missing-body", "content-type", "malformed-body",
                              "unknown-field", "flag-not-writable"]


def test_errors_of_file_actions_depend_on_accept(anna, control):
    query = {"action": "attachment", "folder": INBOX, "id": "999999", "attachment": "2"}
    path = anna.path("mail", query)
    anna.send("GET", path, Accept=ACCEPT)
    assert anna.status == 200 and json.loads(anna.raw)["code"] == "MSG-0032"
    anna.send("GET", path, Accept="*/*;q=0.5")
    assert anna.status == 500 and anna.headers["content-type"].startswith("text/html")
    control.expire_sessions()
    anna.send("GET", path, Accept="image/png")
    assert anna.status == 403 and b"SES-0203" in anna.raw
    anna.send("GET", path, Accept="*/*")
    assert anna.status == 200 and json.loads(anna.raw)["code"] == "SES-0203"
    exact = Client("http://%s:%d/ajax" % (anna.url.hostname, anna.url.port),
                   agent="Open-Xchange USM HTTP Client")
    exact.session = "0" * 32
    exact.send("GET", exact.path("mail", query), Accept="image/png")
    assert exact.status == 200 and b'callback_attachment' in exact.raw


def test_ping_needs_no_session(sandbox, control):
    client = Client(sandbox.api)
    assert client.get("system", action="ping") == {"data": True}
    assert kinds(control) == []


# -- configuration ------------------------------------------------------------------------------

def test_the_configuration_tree(anna, control):
    whole = anna.data("config/")
    assert whole["mail"]["folder"]["inbox"] == INBOX and whole["identifier"] == 4
    assert anna.data("config/mail/folder/trash") == "default0/Trash"
    assert anna.data("config/serverVersion").startswith("8.")
    assert "anna@example.org" in anna.data("config/mail/addresses")
    anna.put("config/mail/harddelete", {"data": True})
    assert anna.data("config/mail/harddelete") is True
    control.settings(flavour="7.10")
    assert anna.data("config/serverVersion").startswith("7.10.")
    assert kinds(control) == []


def test_user_tells_name_and_aliases(anna):
    assert anna.data("user/me") == {"context_id": 1, "user_id": 4, "context_admin": 2,
                                    "login_name": "anna", "display_name": "Anna Lindqvist"}
    assert "anna@example.org" in anna.data("user", action="get", id="4")["aliases"]


# -- folders ------------------------------------------------------------------------------------

FOLDER_COLUMNS = "1,20,300,304,305,314,316,318"


def test_the_folder_tree_read_by_list(anna, control):
    found, todo = {}, ["default0"]
    while todo:
        for row in anna.data("folders", action="list", parent=todo.pop(), columns=FOLDER_COLUMNS):
            found[row[0]] = row
            if row[3]:
                todo.append(row[0])
    assert len(found) == 12
    assert {row[6]: row[0] for row in found.values() if row[6]} == {
        7: INBOX, 9: "default0/Drafts", 10: "default0/Sent", 11: "default0/Spam",
        12: "default0/Trash"}
    assert found["default0/INBOX/Projekte/Brücke Süd"][1:3] == ["default0/INBOX/Projekte",
                                                               "Brücke Süd"]
    assert "default0/Old newsletters" not in found and kinds(control) == []
    everything = anna.data("folders", action="list", parent="default0", columns="1,314", all="1")
    assert ["default0/Old newsletters", False] in everything


def test_all_visible_lists_each_content_type(anna, control):
    mail = anna.data("folders", action="allVisible", content_type="mail", columns="1,301,302")
    assert set(mail) == {"private"} and ["default0/INBOX", "mail", 7] in mail["private"]
    event = anna.data("folders", action="allVisible", content_type="event",
                      columns="1,301,308,3203")
    assert event["private"] == [["cal://0/61", "event", True, "chronos"]]
    assert event["public"] == [] and event["shared"] == []
    old = anna.data("folders", action="allVisible", content_type="calendar", columns="1,301,316")
    assert old["private"] == [["61", "calendar", 2]]
    contacts = anna.data("folders", action="allVisible", content_type="contacts", columns="1")
    assert contacts["private"] == [["con://0/62"]]
    assert anna.data("folders", action="allVisible", content_type="tasks",
                     columns="1,316")["private"] == [["63", 1]]


def test_root_path_and_get(anna):
    assert [r[0] for r in anna.data("folders", action="root", columns="1,300")] == ["1", "2", "3"]
    path = anna.data("folders", action="path", id="default0/INBOX/Projekte", columns="1")
    assert [r[0] for r in path] == ["default0/INBOX/Projekte", INBOX, "default0", "1"]
    inbox = anna.data("folders", action="get", id=INBOX)
    assert inbox["standard_folder_type"] == 7 and inbox["unread"] > 10
    assert inbox["total"] == anna.data("mail", action="count", folder=INBOX)
    assert inbox["used_for_sync"] == {"value": "true", "protected": "false"}
    assert anna.get("folders", action="get", id="default0/None")["code"] == "IMAP-1002"
    assert anna.get("folders", action="get", id="12345")["code"] == "FLD-0008"


def test_a_renamed_folder_takes_its_children_along(anna, control):
    stamp = {"timestamp": "1"}
    renamed = anna.put("folders", {"folder": {"title": "Bauten"}}, action="update",
                       id="default0/INBOX/Projekte", **stamp)
    assert renamed["data"] == "default0/INBOX/Bauten"
    assert anna.get("folders", action="get", id="default0/INBOX/Projekte")["code"] == "IMAP-1002"
    assert anna.data("folders", action="get", id="default0/INBOX/Bauten/Brücke Süd")
    moved = anna.put("folders", {"folder": {"folder_id": "default0/Archive"}}, action="update",
                     id="default0/INBOX/Bauten", **stamp)
    assert moved["data"] == "default0/Archive/Bauten"
    assert anna.data("mail", action="count", folder="default0/Archive/Bauten") == 2
    assert kinds(control) == []


def test_folders_are_made_and_deleted(anna, control):
    made = anna.put("folders", {"folder": {"title": "Neu & grün"}}, action="new",
                    folder_id="default0")
    assert made["data"] == "default0/Neu & grün"
    again = anna.put("folders", {"folder": {"title": "Neu & grün"}}, action="new",
                     folder_id="default0")
    assert again["code"] == "MSG-0063"
    assert anna.put("folders", {"folder": {"title": "a/b"}}, action="new",
                    folder_id="default0")["code"] == "MSG-0060"
    assert anna.put("folders", {"folder": {"title": "x"}}, action="new",
                    folder_id="default0/None")["code"] == "IMAP-1002"
    assert anna.put("folders", [made["data"]], action="delete")["data"] == []
    assert anna.data("folders", action="get", id="default0/Trash/Neu & grün")
    assert anna.put("folders", ["default0/Trash/Neu & grün"], action="delete")["data"] == []
    assert anna.get("folders", action="get", id="default0/Trash/Neu & grün")["code"] == "IMAP-1002"
    assert kinds(control) == []


def test_default_folders_are_kept(anna):
    refused = anna.put("folders", [INBOX], action="delete")
    assert refused["data"] == [INBOX] and refused["category"] == 13
    assert refused["code"] == "MSG-0097"
    strict = anna.put("folders", [INBOX], action="delete", failOnError="true")
    assert strict["code"] == "MSG-0097" and "data" not in strict
    for body, code in (({"title": "Post"}, "MSG-0098"),
                       ({"folder_id": "default0/Archive"}, "MSG-0099")):
        assert anna.put("folders", {"folder": body}, action="update", id=INBOX,
                        timestamp="1")["code"] == code


def test_folders_can_be_emptied(anna):
    assert anna.put("folders", ["default0/Spam"], action="clear")["data"] == []
    assert anna.data("mail", action="count", folder="default0/Spam") == 0
    assert anna.put("sync", ["default0/Trash"], action="refresh_server")["data"] == []
    assert anna.data("mail", action="count", folder="default0/Trash") == 0


# -- mail: lists --------------------------------------------------------------------------------

def test_examine_follows_each_change(anna, control):
    def probe():
        return anna.data("mail", action="examine", folder=INBOX)
    first = probe()
    assert set(first) == {"validity", "total", "unread", "next"}
    new = control.deliver(raw=b"Subject: x\r\n\r\ny\r\n")
    second = probe()
    assert int(new) == first["next"] and second["next"] == first["next"] + 1
    assert (second["total"], second["unread"]) == (first["total"] + 1, first["unread"] + 1)
    control.set_flags(INBOX, new, set=32)
    assert probe()["unread"] == first["unread"]
    control.delete(INBOX, new)
    assert probe() == dict(first, next=first["next"] + 1)
    control.bump_uidvalidity(INBOX)
    assert probe()["validity"] != first["validity"]
    control.settings(modseq=True)
    before = probe()["modseq"]
    control.set_flags(INBOX, ids(anna)[0], set=8)
    assert probe()["modseq"] > before
    control.settings(examine=False)
    assert anna.get("mail", action="examine", folder=INBOX)["code"] == "MSG-0087"


def test_all_is_sorted_by_date_and_windows_agree(anna):
    rows = anna.data("mail", action="all", folder=INBOX, columns="600,611,102,610", sort="610",
                     order="desc", timezone="UTC")
    dates = [r[3] for r in rows]
    assert dates == sorted(dates, reverse=True) and len(rows) > 40
    assert all(isinstance(r[0], str) and isinstance(r[1], int) for r in rows)

    def window(**limits):
        return anna.data("mail", action="all", folder=INBOX, columns="600,611,102,610",
                         timezone="UTC", **limits)
    assert window(limit="5") == rows[:5]
    assert window(limit="3,7") == rows[3:7]
    assert window(left_hand_limit="2", right_hand_limit="4") == rows[2:4]
    assert window(limit="100000") == rows
    assert window(sort="610", order="asc", limit="5") == rows[::-1][:5]
    assert window(limit="1000,1010") == []


def test_times_are_in_the_zone_of_the_user_unless_asked_otherwise(anna, control):
    new = control.deliver(template="plain-english")
    body = [{"folder": INBOX, "id": new}]
    utc = anna.put("mail", body, action="list", columns="610", timezone="UTC")["data"][0][0]
    own = anna.put("mail", body, action="list", columns="610")["data"][0][0]
    tokyo = anna.put("mail", body, action="list", columns="610",
                     timezone="Asia/Tokyo")["data"][0][0]
    assert own - utc in (3600000, 7200000) and tokyo - utc == 9 * 3600000
    assert abs(utc - time.time() * 1000) < 60000


@pytest.mark.parametrize("column", sorted(facts.MAIL_SORTS))
def test_every_documented_sort_orders(anna, column):
    def order(direction):
        return [r[0] for r in anna.data("mail", action="all", folder=INBOX, columns="600",
                                        sort=str(column), order=direction)]
    up = order("asc")
    assert up == order("desc")[::-1] and len(up) > 40


def test_list_gives_columns_and_headers_in_order(anna, control):
    new = control.deliver(template="wants-receipt", flags=8, label=4)
    row = anna.put("mail", [{"folder": INBOX, "id": new}, {"folder": INBOX, "id": "99999"}],
                   action="list", columns="600,601,603,607,611,102,613,614,602",
                   headers="Importance,Message-ID,Nothing")
    assert row["data"] == [[new, INBOX, [["Sofia Rossi", "sofia@example.com"]],
                            "Please confirm by Friday", 8, 4, "sofia@example.com", 1, False,
                            "High", "<confirm.1@example.com>", None]]
    assert kinds(control) == []


def test_unseen_and_deleted_filters(anna, control):
    first = ids(anna)[0]
    control.set_flags(INBOX, first, set=2 | 32)
    assert first in ids(anna)
    shown = anna.data("mail", action="all", folder=INBOX, columns="600", deleted="false")
    assert [first] not in shown and len(shown) == len(ids(anna)) - 1
    unseen = anna.data("mail", action="all", folder=INBOX, columns="600,611", unseen="true")
    assert unseen and not any(flags & 32 for _, flags in unseen)
    assert len(unseen) == anna.data("mail", action="count", folder=INBOX, unseen="true")
    assert anna.put("mail", [INBOX], action="expunge")["data"] == []
    assert first not in ids(anna)


def test_updates_of_mail_are_always_empty(anna, control):
    control.deliver(template="spam")
    assert anna.data("mail", action="updates", folder=INBOX, columns="600", timestamp="0") == []


def test_a_missing_folder(anna):
    for action, more in (("all", {"columns": "600"}), ("examine", {}), ("count", {})):
        assert anna.get("mail", action=action, folder="default0/None",
                        **more)["code"] == "IMAP-1002"
    assert anna.get("mail", action="count", folder="default0")["code"] == "MSG-0050"


# -- mail: one mail -----------------------------------------------------------------------------

def test_the_source_is_byte_exact(anna, control):
    raw = b"Subject: x\r\n\r\n" + bytes(range(256)) * 40
    new = control.deliver(raw=raw)
    got = anna.bytes("mail", action="get", folder=INBOX, id=new, src="1", save="1", unseen="true")
    assert got == raw and anna.headers["content-type"] == "application/octet-stream"
    assert control.source(INBOX, new) == raw
    assert anna.get("mail", action="get", folder=INBOX, id="99999", src="1",
                    save="1")["code"] == "MSG-0032"


def test_reading_marks_as_seen_unless_told_otherwise(anna, control):
    new = control.deliver(template="plain-english")

    def flags():
        return anna.put("mail", [{"folder": INBOX, "id": new}], action="list",
                        columns="611")["data"][0][0]
    anna.data("mail", action="get", folder=INBOX, id=new, unseen="true")
    assert flags() == 0
    assert anna.data("mail", action="get", folder=INBOX, id=new)["unread"] == 1
    assert flags() == 32


def test_header_block_and_source_as_strings(anna, control):
    new = control.deliver(template="plain-english")
    assert anna.data("mail", action="get", folder=INBOX, id=new, hdr="1").startswith(
        "From: Jonas Beck <jonas@example.com>\r\n")
    assert "half" not in anna.data("mail", action="get", folder=INBOX, id=new, hdr="1").lower()
    assert "Half past twelve" in anna.data("mail", action="get", folder=INBOX, id=new, src="1")
    by_id = anna.data("mail", action="get", folder=INBOX, message_id="<smart.1@example.com>")
    assert by_id["from"] == [["Smith, Robert", "rob@example.com"]]


@pytest.mark.parametrize("template, text", [
    ("latin1-8bit", "la réunion est déplacée"), ("windows-1252", "about 40 €” – is that"),
    ("iso-2022-jp", "来週の打ち合わせ"), ("koi8-r", "Отчёт за февраль готов"),
    ("shift-jis", "請求書を受け取りました"), ("gb18030", "图纸第三页"), ("emoji-utf8", "👨‍👩‍👧"),
    ("plain-german-utf8", "Würzburg")])
def test_charsets_arrive_as_text(anna, control, template, text):
    new = control.deliver(template=template)
    mail = anna.data("mail", action="get", folder=INBOX, id=new, view="text", unseen="true")
    assert text in mail["attachments"][0]["content"]
    assert mail["attachments"][0]["content_type"] == "text/plain"


def test_views_choose_the_body(anna, control):
    new = control.deliver(template="alternative")

    def body(view):
        mail = anna.data("mail", action="get", folder=INBOX, id=new, view=view, unseen="true")
        return [(a["id"], a["content_type"], a["content"]) for a in mail["attachments"]]
    assert [(i, t) for i, t, _ in body("text")] == [("1", "text/plain")]
    assert [(i, t) for i, t, _ in body("html")] == [("2", "text/html")]
    assert [i for i, _, _ in body("raw")] == ["1", "2"]
    page = control.deliver(template="html-only")
    for view, script, pixel in (("raw", True, True), ("html", False, True),
                                ("noimg", False, False)):
        text = anna.data("mail", action="get", folder=INBOX, id=page, view=view,
                         unseen="true")["attachments"][0]["content"]
        assert ("<script" in text, "pixel.gif" in text) == (script, pixel)


def test_max_size_cuts_bodies(anna, control):
    new = control.deliver(raw=b"Subject: x\r\n\r\n" + b"a" * 20000)
    for size, length, cut in (("12000", 12000, True), ("10", 10000, True), ("30000", 20000, False)):
        mail = anna.data("mail", action="get", folder=INBOX, id=new, view="text", max_size=size,
                         unseen="true")
        part = mail["attachments"][0]
        assert (len(part["content"]), part["truncated"]) == (length, cut)
        assert mail.get("truncated", False) is cut


def test_parts_are_numbered_as_imap_sections(anna, control):
    new = control.deliver(template="mixed-related-alternative")
    mail = anna.data("mail", action="get", folder=INBOX, id=new, view="html", unseen="true")
    assert [(a["id"], a["content_type"]) for a in mail["attachments"]] == [
        ("1.2.1", "text/html"), ("1.2.2", "image/png"), ("2", "application/pdf")]
    pdf = anna.bytes("mail", action="attachment", folder=INBOX, id=new, attachment="2", save="1")
    assert pdf.startswith(b"%PDF") and "poster.pdf" in anna.headers["content-disposition"]
    assert anna.headers["content-type"] == "application/octet-stream"
    image = anna.bytes("mail", action="attachment", folder=INBOX, id=new, cid="<colour>")
    assert image.startswith(b"\x89PNG") and anna.headers["content-type"] == "image/png"
    assert anna.get("mail", action="attachment", folder=INBOX, id=new,
                    attachment="9")["code"] == "MSG-0049"


def test_nested_messages_and_attachment_names(anna, control):
    new = control.deliver(template="nested-message")
    mail = anna.data("mail", action="get", folder=INBOX, id=new, view="text", unseen="true")
    inner = mail["nested_msgs"][0]
    assert inner["id"] == "2" and inner["subject"] == "Die Hecke wächst über den Zaun"
    assert anna.bytes("mail", action="attachment", folder=INBOX, id=new,
                      attachment="2.2").startswith(b"\x89PNG")
    names = control.deliver(template="attachment-names")
    mail = anna.data("mail", action="get", folder=INBOX, id=names, view="text", unseen="true")
    assert [a["filename"] for a in mail["attachments"][1:]] == [
        "Prévisions € 2024.csv", "Résumé.txt", "Очень длинное name.bin", "写真.png",
        '../../etc/a "quoted" name;.txt']


def test_every_seeded_mail_can_be_read_in_every_view(anna, control):
    assert len(control.list_templates()) >= 40
    for folder in control.folders():
        for mail_id in ids(anna, folder["id"]):
            for view in ("raw", "text", "html", "noimg"):
                mail = anna.data("mail", action="get", folder=folder["id"], id=mail_id, view=view,
                                 unseen="true")
                assert mail["id"] == mail_id
            source = anna.bytes("mail", action="get", folder=folder["id"], id=mail_id, src="1",
                                save="1", unseen="true")
            assert len(source) == mail["size"]
    assert kinds(control) == []


def test_odd_mails_show_their_oddity(anna, control):
    def row(template, columns):
        new = control.deliver(template=template)
        return anna.put("mail", [{"folder": INBOX, "id": new}], action="list",
                        columns=columns)["data"][0]
    assert row("missing-headers", "603,607,609") == [[], None, None]
    assert row("control-characters", "607")[0].startswith("NUL \x00 and ESC \x1b")
    assert len(row("hundred-recipients", "604")[0]) == 100
    assert len(row("long-subject", "607")[0]) > 255
    assert row("huge-attachment", "608,602")[0] > 5 * 1024 * 1024
    assert row("raw-utf8-headers", "607")[0] == "Grüße ohne Kodierung – 8 Bit im Kopf"


# -- mail: changes ------------------------------------------------------------------------------

def test_flags_and_labels(anna, control):
    target = ids(anna)[0]

    def state():
        return [(m["flags"], m["label"]) for m in control.dump(INBOX) if m["id"] == target][0]

    def change(**body):
        answer = anna.put("mail", body, action="update", folder=INBOX, id=target)
        assert answer["data"] == {"folder_id": INBOX, "id": target}
    change(clear_flags=511)
    assert state() == (0, 0)
    change(set_flags=32 | 8)
    assert state() == (40, 0)
    change(clear_flags=32, color_label=7)
    assert state() == (8, 7)
    change(flags=1, value=True)
    change(flags=8, value=False)
    assert state() == (1, 7)
    assert anna.put("mail", {"color_label": 11}, action="update", folder=INBOX,
                    id=target)["code"] == "SVL-0010"
    control.set_flags(INBOX, target, keywords=["Budget"])
    mail = anna.data("mail", action="get", folder=INBOX, id=target, unseen="true")
    assert mail["flags"] & 64 and mail["user"] == ["Budget"]


def test_an_update_without_id_changes_the_whole_folder(anna, control):
    anna.put("mail", {"set_flags": 32}, action="update", folder=INBOX)
    assert anna.data("mail", action="examine", folder=INBOX)["unread"] == 0
    anna.put("mail", {"clear_flags": 32}, action="update", folder=INBOX)
    assert anna.put("mail", None, action="all_seen", folder=INBOX)["data"] is True
    assert anna.data("mail", action="count", folder=INBOX, unseen="true") == 0


def test_a_moved_mail_gets_a_new_id(anna, control):
    target = ids(anna)[3]
    source = control.source(INBOX, target)
    moved = anna.put("mail", {"folder_id": "default0/Archive"}, action="update", folder=INBOX,
                     id=target)["data"]
    assert moved["folder_id"] == "default0/Archive" and target not in ids(anna)
    assert control.source("default0/Archive", moved["id"]) == source
    copied = anna.put("mail", {"folder_id": INBOX}, action="copy", folder="default0/Archive",
                      id=moved["id"])["data"]
    assert control.source(INBOX, copied["id"]) == source
    assert moved["id"] in ids(anna, "default0/Archive")
    gone = anna.put("mail", {"folder_id": "default0/Archive"}, action="update", folder=INBOX,
                    id=target)
    assert gone["code"] == "MSG-0032"


def test_delete_goes_to_the_trash_or_is_final(anna, control):
    one, two, three = ids(anna)[:3]
    trash = anna.data("mail", action="count", folder="default0/Trash")
    assert anna.put("mail", [{"folder": INBOX, "id": one}], action="delete") == {"data": []}
    assert anna.data("mail", action="count", folder="default0/Trash") == trash + 1
    anna.put("mail", [{"folder": INBOX, "id": two}], action="delete", harddelete="1")
    assert anna.data("mail", action="count", folder="default0/Trash") == trash + 1
    in_trash = ids(anna, "default0/Trash")[0]
    anna.put("mail", [{"folder": "default0/Trash", "id": in_trash}], action="delete")
    assert anna.data("mail", action="count", folder="default0/Trash") == trash
    control.set_user("anna@example.org", config={"mail/harddelete": True})
    anna.put("mail", [{"folder": INBOX, "id": three}], action="delete")
    assert anna.data("mail", action="count", folder="default0/Trash") == trash
    assert anna.put("mail", [{"folder": INBOX, "id": one}], action="delete") == {"data": []}
    assert not {one, two, three} & set(ids(anna))


def test_clear_empties_into_the_trash(anna):
    count = anna.data("mail", action="count", folder="default0/Spam")
    trash = anna.data("mail", action="count", folder="default0/Trash")
    assert anna.put("mail", ["default0/Spam"], action="clear")["data"] == []
    assert anna.data("mail", action="count", folder="default0/Trash") == trash + count


def test_import_is_byte_exact(anna, control):
    raw = b"Subject: \xfc\r\n\r\n8 bit \xff\x00 body\r\n--x\r\n"
    body = (b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"m.eml\"\r\n"
            b"Content-Type: message/rfc822\r\n\r\n" + raw + b"\r\n--XX--\r\n")
    query = {"action": "import", "folder": "default0/Drafts", "flags": "36", "force": "true"}
    ctype = "multipart/form-data; boundary=XX"
    anna.send("POST", anna.path("mail", dict(query, force_json_response="true")), body, ctype)
    made = json.loads(anna.raw)["data"][0]
    assert control.source("default0/Drafts", made["id"]) == raw
    assert [m["flags"] for m in control.dump("default0/Drafts") if m["id"] == made["id"]] == [36]
    anna.send("POST", anna.path("mail", query), body, ctype)
    assert b"callback_import" in anna.raw and anna.headers["content-type"].startswith("text/html")
    assert kinds(control) == []


# -- search -------------------------------------------------------------------------------------

@pytest.mark.parametrize("expr, subjects", [
    (["=", {"field": "subject"}, "lunch"], {"Lunch on Thursday?"}),
    (["and", ["=", {"field": "from"}, "jonas"], ["not", ["=", {"field": "subject"}, "lunch"]]],
     {"Invitation: Site visit at the south bridge", "Cancelled: Rehearsal"}),
    (["=", {"field": "content"}, "quiet corner"], {"Lunch on Thursday?"}),
    (["=", {"attachment": "name"}, "poster.pdf"], {"Draft of the poster"}),
    ([">", {"field": "size"}, "1000000"], {"Survey of the site, full resolution"}),
    (["or", ["=", {"field": "to"}, "singer099"], ["=", {"field": "priority"}, "1"]],
     {"Rehearsal moved to hall B", "Please confirm by Friday"}),
])
def test_search(anna, control, expr, subjects):
    rows = anna.put("mail", {"filter": expr}, action="search", folder=INBOX, columns="607")
    assert {r[0] for r in rows["data"]} == subjects
    assert kinds(control) == []


def test_search_by_date_has_day_granularity(anna, control):
    since = control.clock() - 3 * 86400000
    rows = anna.put("mail", {"filter": [">", {"field": "received_date"}, str(since)]},
                    action="search", folder=INBOX, columns="600,610", timezone="UTC")["data"]
    expected = [m["id"] for m in control.dump(INBOX)
                if m["received"] // 86400000 >= since // 86400000]
    assert [r[0] for r in rows] == expected and len(expected) > 10


def test_search_hides_deleted_mails_by_flavour(anna, control):
    target = ids(anna)[0]
    control.set_flags(INBOX, target, set=2)
    every = {"filter": [">", {"field": "size"}, "0"]}

    def found(**more):
        return [target] in anna.put("mail", every, action="search", folder=INBOX, columns="600",
                                    **more)["data"]
    assert not found() and found(deleted="true")
    control.settings(flavour="7.10")
    assert found() and not found(deleted="false")


def test_an_unknown_search_field_is_noted(anna, control):
    answer = anna.put("mail", {"filter": ["=", {"field": "colour"}, "red"]}, action="search",
                      folder=INBOX, columns="600")
    assert answer["code"] == "SVL-0010" and kinds(control) == ["search-filter"]


# -- multiple -----------------------------------------------------------------------------------

def test_multiple_runs_all_parts_in_order(anna, control):
    target = ids(anna)[0]
    answer = anna.put("multiple", [
        {"module": "mail", "action": "update", "folder": INBOX, "id": target,
         "data": {"set_flags": 8}},
        {"module": "mail", "action": "get", "folder": INBOX, "id": "99999", "unseen": True},
        {"module": "folders", "action": "get", "id": INBOX},
        {"module": "mail", "action": "list", "columns": "600,611",
         "data": [{"folder": INBOX, "id": target}]}], **{"continue": "true"})
    assert answer[0]["data"]["id"] == target
    assert answer[1]["code"] == "MSG-0032"
    assert answer[2]["data"]["id"] == INBOX
    assert answer[3]["data"][0][1] & 8
    assert kinds(control) == []
    logged = control.requests()[-1]
    assert [p["action"] for p in logged["parts"]] == ["update", "get", "get", "list"]
    assert logged["parts"][0]["body"] == {"set_flags": 8}


def test_multiple_is_strict(anna, control):
    answer = anna.put("multiple", [
        {"module": "mail", "action": "nothing"}, {"module": "login", "action": "logout"},
        {"module": "mail", "action": "all", "folder": INBOX, "columns": "1"}])
    assert [p["code"] for p in answer] == ["SVL-0001", "SVL-0001", "SVL-0010"]
    assert kinds(control) == ["unknown-action", "not-in-multiple", "unknown-column"]
    control.clear_log()
    part = {"module": "mail", "action": "count", "folder": INBOX}
    assert len(anna.put("multiple", [part] * 50)) == 50 and kinds(control) == []
    assert len(anna.put("multiple", [part] * 51)) == 51
    assert kinds(control) == ["multiple-too-long"]
    anna.send("PUT", anna.path("multiple", {}), "{}", "application/json")
    assert anna.status == 400


# -- control ------------------------------------------------------------------------------------

def test_another_client_works_on_the_folders(anna, control):
    made = control.create_folder("default0", "Neu")
    new = control.deliver(made, template="spam", age=3600)
    renamed = control.rename_folder(made, "Alt", parent="default0/Archive")
    assert renamed == "default0/Archive/Alt" and ids(anna, renamed) == [new]
    moved = control.move(renamed, new, INBOX)
    assert moved in ids(anna)
    control.delete_folder(renamed)
    assert anna.get("mail", action="count", folder=renamed)["code"] == "IMAP-1002"
    assert len(control.add_folders(30)) == 30 == len(control.folders())
    control.set_used_for_sync("default0/Archive", False)
    assert anna.data("folders", action="get",
                     id="default0/Archive")["used_for_sync"]["value"] == "false"
    with pytest.raises(ControlError):
        control.deliver("default0/None", template="spam")


def test_uidvalidity_bump_voids_all_ids(anna, control):
    before = [(m["id"], m["subject"]) for m in control.dump()]
    control.delete(INBOX, before[5][0])
    control.bump_uidvalidity(INBOX)
    after = control.dump()
    assert len(after) == len(before) - 1
    assert sorted(int(m["id"]) for m in after) == list(range(1, len(after) + 1))


@pytest.mark.parametrize("kind", synthmail.KINDS + ("mixed",))
def test_synthetic_mails_are_exact_and_repeatable(anna, control, kind):
    folder = control.create_folder("default0", "Big")
    first, last = control.fill(folder, 40, mean_size=20000, kind=kind)
    assert (first, last) == ("1", "40")
    rows = anna.data("mail", action="all", folder=folder, columns="600,608,607,603,602")
    assert abs(sum(r[1] for r in rows) / 40 - 20000) < 4000
    for mail_id, size, subject, sender, attached in rows:
        source = anna.bytes("mail", action="get", folder=folder, id=mail_id, src="1", save="1",
                            unseen="true")
        assert len(source) == size
        mail = anna.data("mail", action="get", folder=folder, id=mail_id, unseen="true")
        assert (mail["subject"], mail["from"], mail["attachment"]) == (subject, sender, attached)


def test_a_folder_of_100000_mails_stays_quick(anna, control):
    folder = control.create_folder("default0", "Big")
    control.fill(folder, 100000)

    def timed(**params):
        start = time.monotonic()
        data = anna.data("mail", folder=folder, **params)
        return data, time.monotonic() - start
    examined, seconds = timed(action="examine")
    assert examined["total"] == 100000 and seconds < 0.1
    newest, seconds = timed(action="all", columns="600,611,102,610", limit="200", timezone="UTC")
    assert len(newest) == 200 and seconds < 0.2
    rows, seconds = timed(action="all", columns="600,611,102,610", timezone="UTC")
    assert len(rows) == 100000 and seconds < 10
    control.set_flags(folder, newest[0][0], set=8)
    assert timed(action="all", columns="600,611,102,610", timezone="UTC")[0][0][1] == 8


def test_a_reset_forgets_everything(anna, control):
    before = control.dump()
    control.deliver(template="spam")
    control.inject("error", code="MSG-0109")
    control.settings(flavour="7.10")
    control.reset()
    assert [m["subject"] for m in control.dump()] == [m["subject"] for m in before]
    assert control.faults() == [] and control.settings()["flavour"] == "8"
    assert control.sessions() == [] and control.requests() == []
    control.reset(empty=True)
    assert sum(f["total"] for f in control.folders()) == 0 and len(control.folders()) == 13


def test_the_request_log_holds_no_secret(sandbox, anna, control):
    anna.data("mail", action="count", folder=INBOX)
    Client(sandbox.api).login(password="very-wrong")
    log = json.dumps(control.requests()) + json.dumps(control.violations())
    for secret in [anna.session, "anna-secret", "very-wrong", *anna.jar.values()]:
        assert secret not in log
    entry = [e for e in control.requests() if e["action"] == "count"][0]
    assert entry["params"] == {"folder": INBOX} and entry["user"] == "anna@example.org"
    assert control.counters() == {"login.login": 2, "mail.count": 1}
    assert control.requests(since=entry["seq"])[0]["code"] == "LGI-0006"


# -- faults -------------------------------------------------------------------------------------

def probe(client):
    return client.get("mail", action="examine", folder=INBOX)


def test_faults_that_answer(anna, control):
    match = {"module": "mail", "action": "examine"}
    control.inject("status", match, status=503, retry_after=7)
    anna.bytes("mail", action="examine", folder=INBOX)
    assert anna.status == 503 and anna.headers["retry-after"] == "7"
    control.inject("rate_limit", match)
    anna.bytes("mail", action="examine", folder=INBOX)
    assert anna.status == 429
    control.inject("error", match, code="MSG-0109")
    assert probe(anna)["category"] == 5
    control.inject("malformed", match)
    with pytest.raises(ValueError):
        probe(anna)
    control.inject("delay", match, seconds=0.3)
    start = time.monotonic()
    assert "data" in probe(anna) and time.monotonic() - start >= 0.3
    control.inject("expired_once", match)
    assert probe(anna)["code"] == "SES-0203"
    anna.jar = {}
    anna.login()
    assert "data" in probe(anna) and control.faults() == [] and kinds(control) == []


@pytest.mark.parametrize("where, executed", [("before", False), ("after", True), ("mid", True)])
def test_cut_connections(anna, control, where, executed):
    target = ids(anna)[0]
    control.set_flags(INBOX, target, clear=8)
    control.inject("cut", {"action": "update"}, where=where)
    with pytest.raises((http.client.HTTPException, ConnectionError, socket.error)):
        anna.put("mail", {"set_flags": 8}, action="update", folder=INBOX, id=target)
    anna.link.close()
    flags = [m["flags"] for m in control.dump() if m["id"] == target][0]
    assert bool(flags & 8) is executed
    assert "data" in probe(anna)


def test_faults_strike_the_nth_match_so_many_times(anna, control):
    control.inject("error", {"module": "mail", "nth": 3}, count=2, code="SVL-0019")
    codes = [probe(anna).get("code") for _ in range(6)]
    assert codes == [None, None, "SVL-0019", "SVL-0019", None, None]
    control.inject("error", {"user": "bob@example.org"}, count=0, code="SVL-0019")
    assert probe(anna).get("code") is None
    control.inject("error", {"action": "examine"}, count=0, code="XYZ-4711")
    assert [probe(anna)["code"] for _ in range(3)] == ["XYZ-4711"] * 3
    control.clear_faults()
    assert "data" in probe(anna)
    with pytest.raises(ControlError):
        control.inject("explode")


def test_faults_strike_parts_of_multiple(anna, control):
    parts = [{"module": "mail", "action": "count", "folder": INBOX},
             {"module": "mail", "action": "examine", "folder": INBOX}]
    control.inject("error", {"action": "examine"}, code="MSG-0086")
    answer = anna.put("multiple", parts)
    assert "data" in answer[0] and answer[1]["code"] == "MSG-0086"
    control.inject("status", {"action": "examine"}, status=502)
    anna.send("PUT", anna.path("multiple", {}), json.dumps(parts), "application/json")
    assert anna.status == 502
    assert "data" in anna.put("multiple", parts)[1]


# -- HTTP ---------------------------------------------------------------------------------------

def raw_exchange(api, data):
    url = urllib.parse.urlsplit(api)
    with socket.create_connection((url.hostname, url.port), timeout=10) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        parts = []
        while True:
            part = sock.recv(65536)
            if not part:
                return b"".join(parts)
            parts.append(part)


def test_pipelined_and_chunked_requests(sandbox):
    form = b"name=anna&password=anna-secret"
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(form), form)
    answer = raw_exchange(sandbox.api, (
        b"GET /ajax/system?action=ping HTTP/1.1\r\nHost: x\r\n\r\n"
        b"POST /ajax/login?action=login HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunked))
    assert answer.count(b"HTTP/1.1 200 OK") == 2 and b'"session":"' in answer


@pytest.mark.parametrize("data, status", [
    (b"nonsense\r\n\r\n", b"400"), (b"GET / HTTP/1.1\r\nbroken\r\n\r\n", b"400"),
    (b"GET /x HTTP/1.1\r\nX: " + b"a" * 70000, b"431"),
    (b"GET /elsewhere HTTP/1.1\r\n\r\n", b"404"),
    (b"PUT /ajax/mail HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", b"500")])
def test_bad_http_is_refused(sandbox, data, status):
    assert raw_exchange(sandbox.api, data).split(b" ")[1] == status


def test_many_clients_at_once(sandbox, control):
    import threading
    problems = []

    def work(number):
        client = Client(sandbox.api)
        client.login()
        for _ in range(50):
            if probe(client)["data"]["total"] < 40:
                problems.append(number)
        client.close()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and control.counters()["mail.examine"] == 400
    assert kinds(control) == []


# -- facts --------------------------------------------------------------------------------------

def described():
    """{(module, action): set of parameters} of the API description, None when it is absent."""
    path = pathlib.Path(os.environ.get("OX_OPENAPI") or ROOT.parent / "shared/ox/openapi.json")
    if not path.exists():
        return None
    whole = json.loads(path.read_text(encoding="utf-8"))
    found = {}
    for name, methods in whole["paths"].items():
        module, _, query = name.strip("/").partition("?")
        module = module.removesuffix("/{path}")
        action = dict(urllib.parse.parse_qsl(query)).get("action", "")
        known = found.setdefault((module, action), {"params": set(), "methods": set()})
        for method, operation in methods.items():
            if not isinstance(operation, dict):
                continue                       # parameters shared by all methods of a path
            known["methods"].add(method.upper())
            for param in operation.get("parameters", ()):
                if "$ref" in param:
                    param = whole["parameters"][param["$ref"].rpartition("/")[2]]
                known["params"].add(param["name"])
    return found


def newer(module, action, param=None):
    return any(key in facts.NEWER for key in ((module, action, None), (module, action, param),
                                              (module, "*", param)))


def test_the_facts_agree_with_the_api_description():
    known = described()
    if known is None:
        pytest.skip("no API description at ../shared/ox/openapi.json or $OX_OPENAPI")
    missing = []
    for module, actions in facts.MODULES.items():
        for action, fact in actions.items():
            if newer(module, action):
                continue
            there = known.get((module, action))
            if there is None:
                missing.append((module, action))
                continue
            assert set(fact.method.split("|")) <= there["methods"], (module, action)
            names = fact.required | fact.optional | fact.form_required | fact.form_optional
            missing += [(module, action, name) for name in sorted(names - there["params"])
                        if not newer(module, action, name)]
    assert missing == []


def test_newer_facts_are_used_and_really_newer():
    known = described()
    if known is None:
        pytest.skip("no API description at ../shared/ox/openapi.json or $OX_OPENAPI")
    for module, action, param in facts.NEWER:
        every = facts.MODULES[module]
        actions = every if action == "*" else {action: every[action]}
        if param is None:
            assert (module, action) not in known
        else:
            uses = [a for a, f in actions.items() if param in f.required | f.optional]
            assert any(param not in known.get((module, a), {"params": ()})["params"]
                       for a in uses), (module, action, param)


def test_every_action_has_its_handler():
    import dispatcher
    assert set(dispatcher.HANDLERS) == {(m, a) for m, actions in facts.MODULES.items()
                                        for a in actions}
