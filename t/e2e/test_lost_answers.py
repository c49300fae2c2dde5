# SPDX-License-Identifier: Apache-2.0
"""The connection breaks after the request was processed and the phone repeats it: nothing twice, nothing missing.

Every request of a session is lost in turn: at its first byte, in the middle, or right after sending. The model of the phone
refuses duplicates and echoes by itself; at the end both sides must hold the same.
"""
import contextlib

import pytest

import harness_mail as mail
from easphone.errors import LostAnswer
from easphone.options import Coll, delete, mail_options, set_flag, set_read
from harness_sandbox import FLAGGED, INBOX, SEEN, TRASH

CUTS = pytest.mark.parametrize("cut", [0, 1, 150, "send"])


def lose(action, cut):
    with contextlib.suppress(LostAnswer):
        action(cut=cut)


def in_step(site, phone, cid, folder=INBOX):
    """the phone holds exactly what the server holds, with the same read flags"""
    phone.sync_all(cid)
    assert phone.sync(cid)[cid].nothing
    server = {"%s:%s" % (cid, m["id"]): bool(m["flags"] & SEEN) for m in site.control.dump(folder)}
    assert {sid: i.read for sid, i in phone.mailbox.collection(cid).items.items()} == server


@CUTS
def test_lost_foldersync(site, version, cut):
    phone = site.phone(version=version)
    lose(phone.foldersync, cut)
    phone.foldersync()
    site.control.create_folder("default0", "late")
    lose(phone.foldersync, cut)
    changes = phone.repeat()
    assert len(changes.added) == 1
    assert phone.foldersync().nothing


@CUTS
def test_lost_initial_sync(site, version, cut):
    phone = site.ready_phone(version=version)
    cid = phone.mailbox.folder_of_type(2)
    lose(lambda cut: phone.sync(cid, cut=cut), cut)
    phone.repeat()
    lose(lambda cut: phone.sync(Coll(cid, window=10, options=mail_options(phone.version, truncation=100)), cut=cut), cut)
    assert len(phone.repeat()[cid].adds) == 10
    in_step(site, phone, cid)


@CUTS
def test_every_page_of_a_first_sync_is_lost_once(site, cut):
    phone = site.ready_phone()
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    more = True
    while more:
        lose(lambda cut: phone.sync(Coll(cid, window=9), cut=cut), cut)
        more = phone.repeat()[cid].more
    in_step(site, phone, cid)


@CUTS
def test_lost_answer_to_changes_of_the_phone(site, version, cut):
    phone, cid = site.synced_phone(version=version)
    new = [site.control.deliver(raw=mail.plain("m%d" % n)) for n in range(4)]
    phone.sync_all(cid)
    sids = ["%s:%s" % (cid, n) for n in new]
    trash = len(site.control.dump(TRASH))
    commands = [set_read(sids[0]), delete(sids[1])] + ([set_flag(sids[2])] if version != "2.5" else [])
    lose(lambda cut: phone.sync(Coll(cid, deletes_as_moves=1, commands=commands), cut=cut), cut)
    result = phone.repeat()[cid]
    assert result.status == 1 and not result.change_responses and not result.delete_responses
    assert not result.changes and not result.adds
    assert len(site.control.dump(TRASH)) == trash + 1, "moved once"
    flags = {m["id"]: m["flags"] for m in site.control.dump(INBOX)}
    assert flags[new[0]] & SEEN and new[1] not in flags
    assert version == "2.5" or flags[new[2]] & FLAGGED
    in_step(site, phone, cid)


@CUTS
def test_repeated_without_the_commands(site, cut):
    """a phone that forgot its own commands gets their effect like any other change"""
    phone, cid = site.synced_phone()
    read, gone = (site.control.deliver(raw=mail.plain(s)) for s in ("read", "gone"))
    phone.sync_all(cid)
    a, b = "%s:%s" % (cid, read), "%s:%s" % (cid, gone)
    lose(lambda cut: phone.sync(Coll(cid, commands=[set_read(a), delete(b)]), cut=cut), 0 if cut == "send" else cut)
    result = phone.sync(cid)[cid]
    assert result.changes == {a: {"Email:Read": "1"}} and result.deletes == [b]
    in_step(site, phone, cid)


@CUTS
def test_new_mail_while_the_answer_is_lost(site, version, cut):
    phone, cid = site.synced_phone(version=version)
    site.control.deliver(raw=mail.plain("first"))
    lose(lambda cut: phone.sync(cid, cut=cut), cut)
    site.control.deliver(raw=mail.plain("second"))
    found = {i.subject for i in phone.repeat()[cid].adds.values()}
    found |= {i.subject for i in phone.sync_all(cid).adds.values()}
    assert found == {"first", "second"}
    in_step(site, phone, cid)


def test_mail_that_is_deleted_while_its_answer_is_lost(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(raw=mail.plain("short life"))
    lose(lambda cut: phone.sync(cid, cut=cut), 0)
    site.control.delete(INBOX, new)
    result = phone.repeat()[cid]
    assert not result.adds and not result.deletes
    in_step(site, phone, cid)


def test_the_same_answer_lost_many_times(site):
    phone, cid = site.synced_phone()
    site.control.deliver(raw=mail.plain("persistent"))
    sid = next(iter(phone.mailbox.collection(cid).items))
    prepared = phone.prepare_sync(Coll(cid, commands=[set_read(sid)]))
    for cut in (0, 1, 40, 0, "send", 0):
        lose(lambda cut: phone.run(prepared, cut), cut)
    assert len(phone.run(prepared)[cid].adds) == 1
    in_step(site, phone, cid)


def test_lost_answers_over_graceful_restarts(site):
    phone, cid = site.synced_phone()
    for n in range(3):
        new = site.control.deliver(raw=mail.plain("m%d" % n))
        lose(lambda cut: phone.sync(cid, cut=cut), 0)
        site.httpd.graceful()
        assert list(phone.repeat()[cid].adds) == ["%s:%s" % (cid, new)]
    in_step(site, phone, cid)


def test_lost_answer_over_a_full_restart(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(raw=mail.plain("m"))
    victim = next(iter(phone.mailbox.collection(cid).items))
    prepared = phone.prepare_sync(Coll(cid, commands=[delete(victim)]))
    lose(lambda cut: phone.run(prepared, cut), 0)
    site.httpd.restart()
    result = phone.run(prepared)[cid]
    assert list(result.adds) == ["%s:%s" % (cid, new)] and not result.deletes
    in_step(site, phone, cid)


@pytest.mark.parametrize("cut", [0, 1, 150])
def test_lost_softdelete_and_filter_change(site, cut):
    phone, cid = site.synced_phone()
    everything = set(phone.mailbox.collection(cid).items)
    lose(lambda cut: phone.sync(Coll(cid, options=mail_options(141, filter=1, truncation=100)), cut=cut), cut)
    result = phone.repeat()[cid]
    assert result.soft_deletes and not result.deletes
    lose(lambda cut: phone.sync(Coll(cid, options=mail_options(141, filter=0, truncation=100)), cut=cut), cut)
    phone.repeat()
    phone.sync_all(cid)
    assert set(phone.mailbox.collection(cid).items) == everything


@pytest.mark.parametrize("cut", [0, 1])
def test_lost_empty_sync(site, cut):
    phone, cid = site.synced_phone()
    phone.sync(cid)
    site.control.deliver(raw=mail.plain("pushed"))
    lose(lambda cut: phone.empty_sync(cut=cut), cut)
    # the phone does not know the new key: it must name the old one; an empty request would take the cached one
    assert [i.subject for i in phone.sync(cid)[cid].adds.values()] == ["pushed"]
    in_step(site, phone, cid)
