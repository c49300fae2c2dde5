# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a child and of everything, between any two state writes: the next Sync goes on or says Status 3.

Needs a module built with --enable-failpoints (EAS_MODULE_FAILPOINTS). The points are read from the source, so a new one is
tested from the day it exists.
"""
import contextlib
import pathlib
import re

import pytest

import harness_mail as mail
from easphone.errors import HttpError, StatusError, TransportError
from easphone.options import Coll, delete, mail_options, set_read
from harness_sandbox import INBOX, SEEN

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Failpoint names look like "store.put"; only those on the way of state to disk belong here.
POINTS = sorted({name for source in (ROOT / "mod_eas").rglob("*.c")
                 for name in re.findall(r'EAS_FAILPOINT\("(store\.[^"]+)"\)', source.read_text(encoding="utf-8"))})
NTH = (1, 2, 3, 5, 8)

pytestmark = pytest.mark.site(failpoints=True)


def consistent(site, phone, cid):
    """the phone goes on, or starts again after Status 3 or, when all of its state is gone, 12; then both sides hold the same"""
    for _ in range(4):
        status = phone.sync_all(cid, mail_options(phone.version, truncation=512)).status
        if status == 1:
            break
        if status == 12:
            with contextlib.suppress(StatusError):                    # 9: the hierarchy starts anew, too
                phone.foldersync()
            phone.foldersync()
    assert phone.sync(cid)[cid].nothing
    server = {"%s:%s" % (cid, m["id"]): bool(m["flags"] & SEEN) for m in site.control.dump(INBOX)}
    assert {sid: i.read for sid, i in phone.mailbox.collection(cid).items.items()} == server


def run_or_die(phone, prepared):
    """True when an answer came"""
    try:
        phone.run(prepared)
        return True
    except TransportError:
        phone.close()
        return False


@pytest.mark.parametrize("nth", NTH)
@pytest.mark.parametrize("point", POINTS)
def test_child_dies_at_a_state_write(site, point, nth):
    site.httpd.expect(r"child pid \d+ exit signal Killed", "state file", "set aside")
    phone, cid = site.synced_phone()
    new = [site.control.deliver(raw=mail.plain("m%d" % n)) for n in range(3)]
    victim = next(sid for sid in phone.mailbox.collection(cid).items)
    prepared = phone.prepare_sync(Coll(cid, commands=[delete(victim)]))
    site.failpoint("%s:%d:die" % (point, nth))
    answered = run_or_die(phone, prepared)
    site.failpoint("")
    site.wait_children()
    if not answered:
        try:
            phone.run(prepared)
        except StatusError as error:
            assert error.status in (12, 13, 16)
    consistent(site, phone, cid)
    assert victim.partition(":")[2] not in [m["id"] for m in site.control.dump(INBOX)]
    assert {"%s:%s" % (cid, n) for n in new} <= set(phone.mailbox.collection(cid).items)


@pytest.mark.parametrize("nth", NTH)
@pytest.mark.parametrize("point", POINTS)
def test_child_dies_during_the_first_sync(site, point, nth):
    site.httpd.expect(r"child pid \d+ exit signal Killed", "state file", "set aside")
    phone = site.phone()
    site.failpoint("%s:%d:die" % (point, nth))
    for _ in range(6):                                        # each child dies at most once more
        try:
            phone.foldersync()
            break
        except TransportError:
            phone.close()
            site.failpoint("")
        except StatusError:
            pass
    cid = phone.mailbox.folder_of_type(2)
    site.failpoint("%s:%d:die" % (point, nth))
    try:
        phone.sync_all(cid, mail_options(141, truncation=100), window=10)
    except TransportError:
        phone.close()
    site.failpoint("")
    site.wait_children()
    consistent(site, phone, cid)


@pytest.mark.parametrize("nth", NTH)
@pytest.mark.parametrize("point", POINTS)
def test_everything_dies_at_a_state_write(site, point, nth):
    site.httpd.expect("state file", "set aside")
    phone, cid = site.synced_phone()
    site.control.deliver(raw=mail.plain("m"))
    sid = next(s for s, i in phone.mailbox.collection(cid).items.items() if not i.read)
    prepared = phone.prepare_sync(Coll(cid, commands=[set_read(sid)]))
    site.failpoint("%s:%d:die" % (point, nth))
    run_or_die(phone, prepared)
    site.failpoint("")
    site.httpd.kill_everything()
    site.httpd.start()
    folders = dict(phone.mailbox.folders)
    try:
        phone.foldersync()
    except StatusError as error:
        assert error.status == 9
        phone.foldersync()
    assert phone.mailbox.folders == folders
    if phone.mailbox.collection(cid).key != "0":
        phone.run(phone.prepare_sync(Coll(cid, commands=[set_read(sid)])))
    consistent(site, phone, cid)


@pytest.mark.parametrize("point", POINTS)
def test_state_write_fails(site, point):
    """a full disk: the phone is told to come back, and afterwards all is well"""
    site.httpd.expect("state", "store", "injected", "failpoint")
    phone, cid = site.synced_phone()
    site.control.deliver(raw=mail.plain("m"))
    prepared = phone.prepare_sync(cid)
    site.failpoint("%s:1:fail" % point)
    try:
        phone.run(prepared)
    except HttpError as error:
        assert error.status == 503
    except StatusError as error:
        assert error.status in (5, 16, 110, 111)
    site.failpoint("")
    consistent(site, phone, cid)


def test_power_loss_without_failpoints(sites):
    """kill -9 of everything while a phone works, some times over"""
    site = sites(failpoints=False)
    site.httpd.expect("set aside")                            # where the end came in the middle of a commit
    phone, cid = site.synced_phone()
    for n in range(4):
        site.control.deliver(raw=mail.plain("m%d" % n))
        prepared = phone.prepare_sync(cid)
        try:
            phone.run(prepared, cut="send")
        except Exception:
            phone.close()
        site.httpd.kill_everything()
        site.httpd.start()
        phone.run(prepared)
    consistent(site, phone, cid)


def test_children_killed_between_requests(sites):
    site = sites(failpoints=False)
    phone, cid = site.synced_phone()
    for n in range(3):
        new = site.control.deliver(raw=mail.plain("m%d" % n))
        site.httpd.kill_children()
        phone.close()
        assert list(phone.sync(cid)[cid].adds) == ["%s:%s" % (cid, new)]
    consistent(site, phone, cid)
