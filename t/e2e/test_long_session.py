# SPDX-License-Identifier: Apache-2.0
"""A day in the life of a phone, with a graceful restart of httpd between any two steps."""
import random

import pytest

import harness_mail as mail
from easphone.errors import StatusError
from easphone.fetching import Fetch
from easphone.options import BodyPreference, Coll, delete, mail_options, set_flag, set_read
from harness_sandbox import INBOX, SEEN


def steps(site, phone):
    """generator: each step is one thing that a phone or the world does"""
    phone.options()
    yield "options"
    phone.foldersync()
    yield "folders"
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    yield "key 0"
    options = mail_options(phone.version, filter=5, truncation=300)
    while phone.sync(Coll(cid, window=12, options=options))[cid].more:
        options = None
        yield "page"
    yield "first sync"
    window = 5
    for round in range(3):
        new = ["%s:%s" % (cid, site.control.deliver(raw=mail.with_attachments("round %d.%d" % (round, n)))) for n in range(3)]
        yield "delivery"
        assert sorted(phone.sync_all(cid).adds) == sorted(new)
        yield "arrival"
        phone.sync(Coll(cid, commands=[set_read(new[0])]))
        yield "read"
        if phone.version >= 120:
            phone.sync(Coll(cid, commands=[set_flag(new[1])]))
            yield "flag"
            found = phone.itemoperations(Fetch(cid, new[1], bodies=[BodyPreference(2)]))[0]
            assert found.status == 1
            yield "fetch"
            reference = phone.mailbox.collection(cid).items[new[1]].attachments[0]["reference"]
            assert phone.itemoperations(Fetch(reference=reference))[0].data == b"\x00\x01"
            yield "attachment"
        phone.sync(Coll(cid, commands=[delete(new[2])]))
        yield "delete"
        site.control.create_folder("default0", "folder %d" % round)
        yield "folder elsewhere"
        assert len(phone.foldersync().added) == 1
        yield "folders again"
        assert phone.getitemestimate(cid, filter=window)[cid] == (1, 0)
        yield "estimate"
        window = 3 if round % 2 else 5
        phone.sync_all(cid, mail_options(phone.version, filter=window, truncation=300))
        yield "another filter"
    site.control.expire_sessions()
    assert phone.sync_all(cid).status == 1
    yield "expired session"
    if phone.version >= 121:
        phone.sync(cid)
        site.control.deliver(raw=mail.plain("for the empty request"))
        yield "before the empty request"
        try:
            assert len(phone.empty_sync()[cid].adds) == 1
        except StatusError as error:
            assert error.status == 13                   # the cached request need not survive a restart
            assert len(phone.sync(cid)[cid].adds) == 1
        yield "empty request"


@pytest.mark.long
def test_graceful_restart_between_any_two_steps(site, version):
    phone = site.phone(version=version)
    for number, step in enumerate(steps(site, phone)):
        site.httpd.graceful()
        if number % 3 == 0:
            phone.close()
    cid = phone.mailbox.folder_of_type(2)
    phone.sync_all(cid, mail_options(phone.version, truncation=300))
    server = {"%s:%s" % (cid, m["id"]): bool(m["flags"] & SEEN) for m in site.control.dump(INBOX)}
    assert {s: i.read for s, i in phone.mailbox.collection(cid).items.items()} == server
    assert site.control.counters().get("login.login") <= 3


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_life(site, seed):
    """random acts on both sides, lost answers in between; at the end both sides are equal"""
    dice = random.Random(seed)
    phone, cid = site.synced_phone(version=dice.choice(("2.5", "12.1", "14.1", "16.1")))
    for _ in range(60):
        act, ids = dice.randrange(9), [m["id"] for m in site.control.dump(INBOX)]
        mine = list(phone.mailbox.collection(cid).items)
        if act == 0:
            site.control.deliver(raw=mail.plain("random %d" % dice.randrange(1000)))
        elif act == 1 and len(ids) > 5:
            site.control.delete(INBOX, dice.choice(ids))
        elif act == 2 and ids:
            site.control.set_flags(INBOX, dice.choice(ids), **{dice.choice(("set", "clear")): SEEN})
        elif act == 3 and mine:
            phone.sync(Coll(cid, commands=[set_read(dice.choice(mine), bool(dice.randrange(2)))]))
        elif act == 4 and mine:
            phone.sync(Coll(cid, deletes_as_moves=dice.randrange(2), commands=[delete(dice.choice(mine))]))
        elif act == 5:
            prepared = phone.prepare_sync(Coll(cid, window=dice.choice((1, 5, 100))))
            try:
                phone.run(prepared, cut=dice.choice((0, 1, 60, None)))
            except Exception as error:
                assert type(error).__name__ == "LostAnswer"
                phone.run(prepared)
        elif act == 6 and phone.version >= 120 and mine:
            phone.sync(Coll(cid, commands=[set_flag(dice.choice(mine), dice.choice((0, 2)))]))
        elif act == 7:
            site.httpd.graceful()
        else:
            phone.sync(Coll(cid, window=dice.choice((1, 3, 50))))
    phone.sync_all(cid)
    server = {"%s:%s" % (cid, m["id"]): m["flags"] for m in site.control.dump(INBOX)}
    items = phone.mailbox.collection(cid).items
    assert {s: i.read for s, i in items.items()} == {s: bool(f & SEEN) for s, f in server.items()}
