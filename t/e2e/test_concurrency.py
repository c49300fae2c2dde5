# SPDX-License-Identifier: Apache-2.0
"""Several requests of a device at once, and several phones of a person at once."""
import threading

import pytest

import harness_mail as mail
from easphone.options import Coll, delete, set_read
from harness_sandbox import INBOX, TRASH


def statuses(answers):
    out = []
    for answer in answers:
        assert not isinstance(answer, Exception), answer
        assert answer.status in (200, 503), answer.status
        if answer.status == 200 and answer.document is not None:
            out.append(answer.document.get("Status") or answer.document.get("Collections/Collection/Status"))
    return out


def test_the_same_sync_twice_at_once(site, version):
    phone, cid = site.synced_phone(version=version)
    site.control.deliver(raw=mail.plain("one"))
    prepared = phone.prepare_sync(cid)
    found = statuses(phone.at_once([("Sync", prepared.request)] * 2))
    assert set(found) <= {"1", "16"} and "1" in found
    assert len(phone.run(prepared)[cid].adds) == 1
    assert phone.sync(cid)[cid].nothing


def test_delete_twice_at_once_moves_once(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(raw=mail.plain("one"))
    phone.sync_all(cid)
    trash = len(site.control.dump(TRASH))
    prepared = phone.prepare_sync(Coll(cid, deletes_as_moves=1, commands=[delete("%s:%s" % (cid, new))]))
    found = statuses(phone.at_once([("Sync", prepared.request)] * 3))
    assert "1" in found
    assert len(site.control.dump(TRASH)) == trash + 1
    phone.run(prepared)
    assert phone.sync(cid)[cid].nothing


def test_two_folders_at_once(site):
    phone, inbox = site.synced_phone()
    other = phone.mailbox.folder_named("Archive/2023")
    phone.sync_all(other)
    site.control.deliver(raw=mail.plain("a"))
    site.control.deliver("default0/Archive/2023", raw=mail.plain("b"))
    one, two = phone.prepare_sync(inbox), phone.prepare_sync(other)
    answers = phone.at_once([("Sync", one.request), ("Sync", two.request)])
    statuses(answers)
    for prepared, answer, cid in ((one, answers[0], inbox), (two, answers[1], other)):
        busy = answer.status != 200 or answer.document.get("Status") == "16"
        assert len((phone.run(prepared) if busy else prepared.apply(answer))[cid].adds) == 1
    assert phone.sync(inbox)[inbox].nothing and phone.sync(other)[other].nothing


def test_foldersync_beside_sync(site):
    phone, cid = site.synced_phone()
    site.control.create_folder("default0", "beside")
    site.control.deliver(raw=mail.plain("a"))
    folders, items = phone.prepare_foldersync(), phone.prepare_sync(cid)
    statuses(phone.at_once([("FolderSync", folders.request), ("Sync", items.request)]))
    assert len(phone.run(folders).added) == 1
    assert len(phone.run(items)[cid].adds) == 1


@pytest.mark.parametrize("count", [6])
def test_many_phones_of_one_person(site, count):
    """each keeps a state of its own; what one does arrives at all others exactly once"""
    phones = [site.phone(version=("2.5", "12.1", "14.1", "16.1")[n % 4], device_id="DEV%d" % n) for n in range(count)]
    errors = []

    def live(phone, number):
        try:
            phone.foldersync()
            cid = phone.mailbox.folder_of_type(2)
            phone.sync_all(cid)
            new = site.control.deliver(raw=mail.plain("from %d" % number))
            phone.sync_all(cid)
            phone.sync(Coll(cid, commands=[set_read("%s:%s" % (cid, new))]))
            phone.sync_all(cid)
        except Exception as error:
            errors.append((number, error))

    threads = [threading.Thread(target=live, args=(p, n)) for n, p in enumerate(phones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    server = {m["id"]: bool(m["flags"] & 32) for m in site.control.dump(INBOX)}
    for phone in phones:
        cid = phone.mailbox.folder_of_type(2)
        phone.sync_all(cid)
        assert {s.partition(":")[2]: i.read for s, i in phone.mailbox.collection(cid).items.items()} == server


def test_first_logins_at_once_are_one_login(site):
    """single flight: a phone that opens several connections at start does not log in several times"""
    phone = site.phone()
    prepared = phone.prepare_foldersync()
    statuses(phone.at_once([("FolderSync", prepared.request)] * 4))
    assert site.control.counters().get("login.login") <= 2


def test_children_end_by_themselves_and_cleanly(site):
    phone, cid = site.synced_phone()
    phone.sync_all(cid)
    phone.close()
    site.httpd.stop_gracefully()
    assert "exit signal" not in site.httpd.log()
