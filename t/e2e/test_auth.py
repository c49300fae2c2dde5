# SPDX-License-Identifier: Apache-2.0
"""Who gets in, what the others are told, and how often the backend is asked."""
import pytest

from easphone.errors import HttpError
from harness_process import free_port
from harness_site import PASSWORDS

LOGINS = "login.login"


def logins(site):
    return site.control.counters().get(LOGINS, 0)


def refused(phone):
    with pytest.raises(HttpError) as caught:
        phone.options()
    return caught.value


def test_wrong_password_is_401_and_logged_for_fail2ban(site):
    site.httpd.expect(r"anna")
    site.httpd.mark()
    error = refused(site.phone(password="wrong"))
    assert error.status == 401
    line = site.httpd.wait_line(r"anna.*127\.0\.0\.1|127\.0\.0\.1.*anna")
    assert "wrong" not in line


def test_unknown_user_is_401(site):
    site.httpd.expect(r"nobody", r"user anna: authentication failure")
    assert refused(site.phone(user="anna", password="x")).status == 401
    phone = site.phone(password="x")
    phone.user = "nobody.at.all"
    assert refused(phone).status == 401


@pytest.mark.parametrize("user", ["dave", "erin"])
def test_blocked_user_and_user_without_the_right_are_403(site, user):
    site.httpd.expect(user)
    error = refused(site.phone(user))
    assert error.status == 403
    assert error.response.header("WWW-Authenticate") is None


def test_backend_down_is_503_with_retry_after_and_never_401(sites):
    site = sites(directives={"EASBackend": "http://127.0.0.1:%d/ajax" % free_port()})
    site.httpd.expect("backend", "refused", "127.0.0.1")
    for _ in range(5):                                     # the breaker answers in the same way
        error = refused(site.phone())
        assert error.status == 503
        assert 1 <= int(error.response.header("Retry-After")) <= 300


@pytest.mark.parametrize("kind, settings", [("rate_limit", {}), ("status", {"status": 500}), ("malformed", {}),
                                            ("cut", {"where": "after"})])
def test_trouble_at_login_is_503_and_the_next_attempt_works(site, kind, settings):
    site.httpd.expect("login", "backend")
    site.control.inject(kind, match={"module": "login", "action": "login"}, **settings)
    assert refused(site.phone()).status == 503
    if kind != "rate_limit":                               # a rate limit opens the breaker for a while
        site.phone().options()


@pytest.mark.parametrize("name", ["anna", "anna@example.org", "ANNA@EXAMPLE.ORG"])
def test_login_names_of_the_same_person(site, name):
    phone = site.phone(user="anna")
    phone.user = name
    if name.isupper():
        site.httpd.expect("ANNA")
        phone.exchange("OPTIONS", phone.request("OPTIONS", method="OPTIONS"))       # whatever OX says, no crash
        return
    phone.foldersync()
    assert phone.mailbox.folder_of_type(2)


def test_two_names_of_one_person_share_nothing_but_the_mailbox(site):
    """the identity comes from the backend: ids of folders and items are the same under both names"""
    first, cid = site.synced_phone("anna")
    second = site.phone("anna", device_id="OTHER")
    second.user = "anna@example.org"
    second.foldersync()
    second.sync_all(cid)
    assert second.mailbox.folders == first.mailbox.folders
    assert set(second.mailbox.collection(cid).items) == set(first.mailbox.collection(cid).items)


def test_user_of_another_context(site):
    phone, cid = site.synced_phone("zoe@example.net")
    assert phone.mailbox.folder_of_type(2) == cid


@pytest.mark.site(directives={"EASLoginTemplate": '"%u@example.net"'})
def test_login_template(site):
    phone = site.phone("zoe@example.net")
    phone.user = "zoe"
    phone.options()


def test_utf8_and_latin1_credentials(site):
    assert "ü" in PASSWORDS["carol"]
    site.phone("carol", auth="utf-8").foldersync()
    site.phone("carol", auth="latin-1").foldersync()


def test_a_known_ticket_needs_no_further_login(site):
    phone = site.phone()
    for _ in range(5):
        phone.options()
    phone.foldersync()
    phone.close()
    phone.foldersync()
    assert logins(site) == 1


def test_ticket_survives_graceful_restart(site):
    phone = site.ready_phone()
    before = logins(site)
    for _ in range(2):
        site.httpd.graceful()
        assert phone.foldersync().nothing
    assert logins(site) == before == 1


def test_each_device_has_a_session_of_its_own(site):
    one, two = site.phone(device_id="ONE"), site.phone(device_id="TWO")
    one.foldersync()
    two.foldersync()
    assert logins(site) == 2
    one.foldersync()
    two.foldersync()
    assert logins(site) == 2


def test_expired_session_is_renewed_once_and_unseen(site):
    phone, cid = site.synced_phone()
    assert site.control.expire_sessions() >= 1
    site.control.deliver(raw=b"From: a@example.org\r\nSubject: after expiry\r\n\r\nx\r\n")
    result = phone.sync_all(cid)
    assert [i.subject for i in result.adds.values()] == ["after expiry"]
    assert logins(site) == 2


def test_session_that_expires_in_every_command_is_no_endless_loop(site):
    site.httpd.expect("session", "expired", "backend")
    phone = site.ready_phone()
    site.control.inject("expired_once", match={"module": "folders"}, count=0)
    site.control.inject("expired_once", match={"module": "mail"}, count=0)
    before = logins(site)
    try:
        phone.foldersync()
    except Exception as error:                             # the phone is told to come back; what matters is the number
        assert getattr(error, "status", 0) in (503, 6, 111)
    assert logins(site) - before <= 3


def test_wrong_password_does_not_remove_a_good_ticket(site):
    site.httpd.expect("anna")
    good, bad = site.phone(device_id="SAME"), site.phone(device_id="SAME", password="wrong")
    good.foldersync()
    before = logins(site)
    assert refused(bad).status == 401
    good.foldersync()
    assert logins(site) - before <= 1                      # the wrong one may have been asked for, the good one not


def test_stale_password_asks_the_backend_a_bounded_number_of_times(site):
    site.httpd.expect("anna")
    for _ in range(30):
        phone = site.phone(password="old password")
        assert refused(phone).status == 401
        phone.close()
    assert logins(site) <= 3


def test_changed_password_works_at_once(site):
    site.httpd.expect("anna")
    old = site.phone(device_id="SAME")
    old.foldersync()
    site.control.set_password("anna@example.org", "brand new", expire=True)
    new = site.phone(device_id="SAME", password="brand new")
    new.foldersync()
    assert refused_or_status(old) == 401


def refused_or_status(phone):
    return phone.post("FolderSync", phone.prepare_foldersync().request.body).status


def test_guessing_many_passwords_is_slowed_down_before_the_backend(site):
    """token buckets: distinct wrong passwords from one address do not all reach OX, which would block all phones"""
    site.httpd.expect("anna", "127.0.0.1")
    statuses = []
    for number in range(60):
        phone = site.phone(password="guess %d" % number)
        statuses.append(refused(phone).status)
        phone.close()
    assert set(statuses) <= {401, 503, 429}
    assert logins(site) < 60


def test_password_never_reaches_the_log(site):
    site.httpd.expect("anna", "carol")
    site.phone(password="hunter2-very-secret")
    refused(site.phones[-1])
    site.phone("carol").foldersync()
    log = site.httpd.log()
    for secret in ("hunter2-very-secret", PASSWORDS["carol"], PASSWORDS["anna"]):
        assert secret not in log
    for session in site.control.requests():
        value = (session.get("params") or {}).get("session")
        assert not value or value == "***" or value not in log
