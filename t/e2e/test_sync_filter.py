# SPDX-License-Identifier: Apache-2.0
"""FilterType: what is inside the time window, and what happens when the window moves."""
import pytest

import harness_mail as mail
from easphone.errors import StatusError
from easphone.options import Coll, Options, mail_options

DAY = 86400
ARCHIVE = "default0/Archive/2023"
AGES = {"hour": 3600, "2 days": 2 * DAY, "5 days": 5 * DAY, "10 days": 10 * DAY, "3 weeks": 21 * DAY, "year": 365 * DAY}
INSIDE = {0: set(AGES), 1: {"hour"}, 2: {"hour", "2 days"}, 3: {"hour", "2 days", "5 days"},
          4: {"hour", "2 days", "5 days", "10 days"}, 5: {"hour", "2 days", "5 days", "10 days", "3 weeks"}}


def filled(site, version="14.1"):
    phone = site.ready_phone(version=version)
    cid = phone.mailbox.folder_named("Archive/2023")
    for m in site.control.dump(ARCHIVE):
        site.control.delete(ARCHIVE, m["id"])
    for name, age in AGES.items():
        site.control.deliver(ARCHIVE, raw=mail.plain(name), age=age)
    phone.sync(cid)
    return phone, cid


def have(phone, cid):
    return {i.subject for i in phone.mailbox.collection(cid).items.values()}


@pytest.mark.parametrize("number", sorted(INSIDE))
def test_windows(site, number):
    phone, cid = filled(site)
    phone.sync_all(cid, mail_options(phone.version, filter=number, truncation=100))
    assert have(phone, cid) == INSIDE[number]
    assert phone.sync(cid)[cid].nothing


def test_narrower_gives_softdelete_at_once_and_wider_gives_add(site, version):
    phone, cid = filled(site, version)
    phone.sync_all(cid, mail_options(phone.version, filter=0, truncation=100))
    result = phone.sync(Coll(cid, options=mail_options(phone.version, filter=2, truncation=100)))[cid]
    assert len(result.soft_deletes) == 4 and not result.deletes and not result.adds
    assert have(phone, cid) == INSIDE[2]
    assert phone.sync(cid)[cid].nothing
    result = phone.sync(Coll(cid, options=mail_options(phone.version, filter=4, truncation=100)))[cid]
    assert {i.subject for i in result.adds.values()} == INSIDE[4] - INSIDE[2] and not result.soft_deletes
    assert have(phone, cid) == INSIDE[4]


def test_softdelete_obeys_the_window(site):
    phone, cid = filled(site)
    phone.sync_all(cid, mail_options(phone.version, filter=0, truncation=100))
    result = phone.sync(Coll(cid, window=3, options=mail_options(phone.version, filter=1, truncation=100)))[cid]
    assert len(result.soft_deletes) == 3 and result.more
    assert len(phone.sync(Coll(cid, window=3))[cid].soft_deletes) == 2
    assert have(phone, cid) == INSIDE[1]


def test_a_new_block_without_filter_means_everything(site):
    phone, cid = filled(site)
    phone.sync_all(cid, mail_options(phone.version, filter=1, truncation=100))
    phone.sync_all(cid, Options(bodies=mail_options(141, truncation=100).bodies))
    assert have(phone, cid) == set(AGES)


def test_softdeleted_mail_that_is_deleted_on_the_server_is_not_told_again(site):
    phone, cid = filled(site)
    phone.sync_all(cid, mail_options(phone.version, filter=0, truncation=100))
    phone.sync_all(cid, mail_options(phone.version, filter=1, truncation=100))
    old = [m["id"] for m in site.control.dump(ARCHIVE) if m["subject"] == "year"]
    site.control.delete(ARCHIVE, old)
    assert phone.sync(cid)[cid].nothing                # a Delete of an unknown item would be refused by the model


def test_changes_outside_of_the_window_are_not_told(site):
    phone, cid = filled(site)
    phone.sync_all(cid, mail_options(phone.version, filter=1, truncation=100))
    old = next(m["id"] for m in site.control.dump(ARCHIVE) if m["subject"] == "year")
    site.control.set_flags(ARCHIVE, old, set=32)
    assert phone.sync(cid)[cid].nothing


def test_old_mail_delivered_later_stays_outside(site):
    phone, cid = filled(site)
    phone.sync_all(cid, mail_options(phone.version, filter=1, truncation=100))
    site.control.deliver(ARCHIVE, raw=mail.plain("late but old"), age=30 * DAY)
    site.control.deliver(ARCHIVE, raw=mail.plain("new"), age=60)
    result = phone.sync_all(cid)
    assert {i.subject for i in result.adds.values()} == {"new"}


def test_filter_8_is_for_tasks(site):
    phone, cid = filled(site)
    with pytest.raises(StatusError) as caught:
        phone.sync(Coll(cid, options=mail_options(phone.version, filter=8)))
    assert caught.value.status == 4
    phone.sync_all(cid, mail_options(phone.version, filter=3, truncation=100))
    assert have(phone, cid) == INSIDE[3]
