# SPDX-License-Identifier: Apache-2.0
"""Faults of the backend: each gives the right status, and the next attempt works."""
import time

import pytest

import harness_mail as mail
from easphone.errors import HttpError, StatusError
from easphone.fetching import Fetch
from easphone.options import Coll, delete, mail_options, set_read
from harness_sandbox import INBOX, SEEN

FAULTS = {
    "500": ("status", {"status": 500}), "502": ("status", {"status": 502}),
    "503": ("status", {"status": 503, "retry_after": 7}), "rate limit": ("rate_limit", {}),
    "malformed": ("malformed", {}), "cut before": ("cut", {"where": "before"}), "cut after": ("cut", {"where": "after"}),
    "cut in the middle": ("cut", {"where": "mid"}), "expired": ("expired_once", {}),
}
FAULT = pytest.mark.parametrize("fault", sorted(FAULTS))
PATIENCE = 12                                    # seconds: longer than the breaker stays open

pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture(autouse=True)
def logged(site):
    """the module says once what went wrong; the words are its own"""
    site.httpd.expect("eas:")


def outcome(action):
    """None after success, else the HTTP or ActiveSync status"""
    try:
        action()
    except HttpError as error:
        return "HTTP %d" % error.status
    except StatusError as error:
        return error.status
    return None


def until_it_works(action):
    """the next attempts of a phone; the breaker may hold it back for some seconds"""
    end = time.monotonic() + PATIENCE
    while True:
        found = outcome(action)
        if found is None:
            return
        assert found in ("HTTP 503", 5, 6, 16, 111), found
        assert time.monotonic() < end, "still %s" % found
        time.sleep(0.25)


@FAULT
def test_foldersync(site, fault):
    phone = site.ready_phone()
    before = dict(phone.mailbox.folders)
    kind, settings = FAULTS[fault]
    site.control.inject(kind, match={"module": "folders"}, **settings)
    assert outcome(phone.foldersync) in (None, "HTTP 503", 6, 111, 110)
    assert phone.mailbox.folders == before, "a fault must not look like deleted folders"
    until_it_works(phone.foldersync)
    assert phone.mailbox.folders == before


@FAULT
@pytest.mark.parametrize("action", ["all", "examine", "get", "list", "search"])
def test_sync_brings_new_mail(site, fault, action):
    phone, cid = site.synced_phone()
    site.control.deliver(raw=mail.plain("during trouble"))
    kind, settings = FAULTS[fault]
    site.control.inject(kind, match={"module": "mail", "action": action}, **settings)
    before = set(phone.mailbox.collection(cid).items)

    def step():
        status = phone.sync_all(cid).status
        if status != 1:
            raise StatusError("Sync", status)

    assert outcome(step) in (None, "HTTP 503", 5, 16, 111)
    assert before <= set(phone.mailbox.collection(cid).items), "a fault must not look like deleted mail"
    site.control.clear_faults()
    until_it_works(step)
    phone.sync_all(cid)
    assert {i.subject for s, i in phone.mailbox.collection(cid).items.items() if s not in before} == {"during trouble"}


@FAULT
def test_first_sync(site, fault):
    phone = site.ready_phone()
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    kind, settings = FAULTS[fault]
    site.control.inject(kind, match={"module": "mail", "nth": 4}, **settings)

    def step():
        status = phone.sync_all(cid, mail_options(141, truncation=200), window=8).status
        if status != 1:
            raise StatusError("Sync", status)

    outcome(step)
    site.control.clear_faults()
    until_it_works(step)
    phone.sync_all(cid)
    assert len(phone.mailbox.collection(cid).items) == len(site.control.dump(INBOX))


@FAULT
def test_changes_of_the_phone(site, fault):
    """a change is either done or reported as not done; and the repeat does it"""
    phone, cid = site.synced_phone()
    read, gone = (site.control.deliver(raw=mail.plain(s)) for s in ("read", "gone"))
    phone.sync_all(cid)
    a, b = "%s:%s" % (cid, read), "%s:%s" % (cid, gone)
    kind, settings = FAULTS[fault]
    site.control.inject(kind, match={"module": "mail"}, **settings)
    prepared = phone.prepare_sync(Coll(cid, deletes_as_moves=1, commands=[set_read(a), delete(b)]))
    failed = []

    def step():
        result = phone.run(prepared)[cid]
        if result.status != 1:
            raise StatusError("Sync", result.status)
        failed[:] = list(result.change_responses) + list(result.delete_responses)

    outcome(step)
    site.control.clear_faults()
    until_it_works(step) if failed or phone.mailbox.collection(cid).items.get(b) else None
    for _ in range(3):                                        # whatever was reported as failed is tried again
        again = ([set_read(a)] if a in failed else []) + ([delete(b)] if b in failed else [])
        if not again:
            break
        result = phone.sync(Coll(cid, commands=again))[cid]
        failed[:] = list(result.change_responses) + list(result.delete_responses)
    phone.sync_all(cid)
    flags = {m["id"]: m["flags"] for m in site.control.dump(INBOX)}
    assert flags[read] & SEEN and gone not in flags
    assert set(phone.mailbox.collection(cid).items) == {"%s:%s" % (cid, i) for i in flags}


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"malformed"}))      # that spoils JSON; a mail's bytes have no form
def test_attachment(site, fault):
    phone, cid = site.synced_phone()
    raw = mail.with_attachments(files=(("a.bin", "application/octet-stream", b"0123456789" * 1000),))
    sid = "%s:%s" % (cid, site.control.deliver(raw=raw))
    reference = phone.sync_all(cid).adds[sid].attachments[0]["reference"]
    kind, settings = FAULTS[fault]
    site.control.inject(kind, match={"module": "mail"}, **settings)

    def step():
        found = phone.itemoperations(Fetch(reference=reference))[0]
        if found.status != 1:
            raise StatusError("ItemOperations", found.status)
        assert found.data == b"0123456789" * 1000

    assert outcome(step) in (None, "HTTP 503", 3, 7, 12, 111)
    site.control.clear_faults()
    end = time.monotonic() + PATIENCE
    while outcome(step) is not None:
        assert time.monotonic() < end
        time.sleep(0.25)


def test_slow_backend_is_waited_for(site):
    phone, cid = site.synced_phone()
    site.control.deliver(raw=mail.plain("slow"))
    site.control.inject("delay", match={"module": "mail"}, seconds=1.5)
    assert len(phone.sync_all(cid).adds) == 1


def test_dead_backend_does_not_hang_phones(site):
    """a backend that answers nothing: 503 within the time limits, and other requests go on"""
    phone, cid = site.synced_phone()
    site.control.inject("delay", match={"module": "mail"}, seconds=20, count=1)
    start = time.monotonic()
    outcome(lambda: phone.sync(cid))
    assert time.monotonic() - start < 60
    site.control.clear_faults()
    until_it_works(lambda: phone.sync_all(cid))


def test_breaker_spares_a_backend_that_is_down(site):
    phone, cid = site.synced_phone()
    site.control.inject("status", match={}, count=0, status=503)
    before = len(site.control.requests())
    found = [outcome(lambda: phone.sync(cid)) for _ in range(40)]
    assert set(found) <= {"HTTP 503", 5, 16, 111}
    assert len(site.control.requests()) - before < 40
    site.control.clear_faults()
    until_it_works(lambda: phone.sync(cid))


def test_fault_never_means_401(site):
    for kind, settings in FAULTS.values():
        site.control.inject(kind, count=1, **settings)
        phone = site.phone(device_id="F%d" % len(site.phones))
        assert outcome(phone.options) in (None, "HTTP 503")
        site.control.clear_faults()
