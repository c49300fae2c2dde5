# SPDX-License-Identifier: Apache-2.0
"""Sync of a mail folder: keys, windows, empty and partial requests."""
import pytest

import harness_mail as mail
from easphone.errors import HttpError, StatusError
from easphone.node import Node
from easphone.options import Coll, mail_options, set_read
from harness_sandbox import INBOX

FOREIGN = "{11111111-2222-3333-4444-555555555555}"


def deliver(site, *subjects, folder=INBOX, **settings):
    return [site.control.deliver(folder, raw=mail.plain(s), **settings) for s in subjects]


def subjects(found):
    return sorted(i.subject for i in found.values())


def test_key_0_gives_a_key_and_no_items(site, version):
    phone = site.ready_phone(version=version)
    cid = phone.mailbox.folder_of_type(2)
    result = phone.sync(cid)[cid]
    assert result.status == 1 and result.nothing and not result.more
    assert phone.mailbox.collection(cid).key not in ("0", "")


def test_every_mail_comes_once_in_windows(site, version):
    phone = site.ready_phone(version=version)
    cid = phone.mailbox.folder_of_type(2)
    total = len(site.control.dump(INBOX))
    assert total >= 20
    phone.sync(cid)
    seen, rounds = 0, 0
    while True:
        result = phone.sync(Coll(cid, window=7, options=mail_options(phone.version, truncation=200) if not rounds else None))[cid]
        assert result.status == 1 and not result.changes and not result.deletes
        assert result.more == (seen + len(result.adds) < total)
        assert result.adds or not result.more
        seen, rounds = seen + len(result.adds), rounds + 1
        if not result.more:
            break
    assert seen == total and rounds >= (total + 6) // 7
    assert len(phone.mailbox.collection(cid).items) == total


@pytest.mark.parametrize("window", [1, 3, 512, 0, 600])
def test_window_sizes(site, window):
    phone = site.ready_phone()
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    result = phone.sync(Coll(cid, window=window, options=mail_options(141, truncation=0)))[cid]
    total = len(site.control.dump(INBOX))
    assert len(result.adds) <= (window if 0 < window <= 512 else 512)
    assert result.more == (len(result.adds) < total)


def test_newest_mails_come_first(site):
    phone = site.ready_phone()
    cid = phone.mailbox.folder_of_type(2)
    deliver(site, "the newest")
    phone.sync(cid)
    result = phone.sync(Coll(cid, window=1, options=mail_options(141, truncation=100)))[cid]
    assert subjects(result.adds) == ["the newest"]


def test_global_window_size(site):
    phone = site.ready_phone(version="14.1")
    inbox = phone.mailbox.folder_of_type(2)
    other = phone.mailbox.folder_named("Archive/2023")
    deliver(site, *["old %d" % n for n in range(6)], folder="default0/Archive/2023")
    phone.sync(inbox, other)
    result = phone.sync(Coll(other, window=4), Coll(inbox, window=100), window=5)
    counts = {cid: r.count for cid, r in result.collections.items()}
    assert counts[other] == 4 and sum(counts.values()) == 5
    assert result[other].more


def test_nothing_new(site, version):
    phone, cid = site.synced_phone(version=version)
    for _ in range(3):
        result = phone.sync(cid)
        assert result[cid].nothing and result[cid].status == 1
        assert result.empty == (phone.version >= 121)


def test_nothing_new_is_one_backend_call(site, version):
    phone, cid = site.synced_phone(version=version)
    site.control.clear_log()
    phone.sync(cid)
    assert len(site.control.requests()) <= 1


def test_new_mail_arrives(site, version):
    phone, cid = site.synced_phone(version=version)
    deliver(site, "one", "two")
    result = phone.sync_all(cid)
    assert subjects(result.adds) == ["one", "two"] and not result.changes and not result.deletes
    assert all(sid.startswith(cid + ":") for sid in result.adds)
    assert phone.sync(cid)[cid].nothing


def test_deleted_mail_disappears(site, version):
    phone, cid = site.synced_phone(version=version)
    victims = [m["id"] for m in site.control.dump(INBOX)[:3]]
    site.control.delete(INBOX, victims)
    result = phone.sync_all(cid)
    assert sorted(result.deletes) == sorted("%s:%s" % (cid, v) for v in victims)
    assert not result.adds and not result.soft_deletes


def test_moved_mail_is_deleted_here_and_added_there(site):
    phone, cid = site.synced_phone()
    other = phone.mailbox.folder_named("Archive/2024")
    phone.sync_all(other)
    (new,) = deliver(site, "wanderer")
    phone.sync_all(cid)
    site.control.move(INBOX, new, "default0/Archive/2024")
    assert len(phone.sync_all(cid).deletes) == 1
    assert subjects(phone.sync_all(other).adds) == ["wanderer"]


def test_get_changes_0_keeps_changes_back(site, version):
    phone, cid = site.synced_phone(version=version)
    deliver(site, "patience")
    sid = next(iter(phone.mailbox.collection(cid).items))
    result = phone.sync(Coll(cid, get_changes=0, commands=[set_read(sid)]))[cid]
    assert result.status == 1 and result.nothing
    assert subjects(phone.sync_all(cid).adds) == ["patience"]


def test_items_of_two_collections_in_one_request(site, version):
    phone = site.ready_phone(version=version)
    inbox, other = phone.mailbox.folder_of_type(2), phone.mailbox.folder_named("Archive/2023")
    deliver(site, "a", "b", folder="default0/Archive/2023")
    phone.sync(inbox, other)
    result = phone.sync(Coll(inbox, window=5), Coll(other, window=50))
    assert result[inbox].more and len(result[inbox].adds) == 5
    assert {"a", "b"} <= set(subjects(result[other].adds))


# ------------------------------------------------------------------------------------------------------------------ keys

@pytest.mark.parametrize("key", [FOREIGN + "3", "abc", "7", "{x}1", "0" * 64])
def test_unknown_key_is_status_3_and_a_restart_works(site, version, key):
    phone, cid = site.synced_phone(version=version)
    count = len(phone.mailbox.collection(cid).items)
    result = phone.sync(Coll(cid, key=key))[cid]
    assert result.status == 3
    assert phone.mailbox.collection(cid).key == "0"
    phone.sync_all(cid)
    assert len(phone.mailbox.collection(cid).items) == count


def test_key_of_another_collection_and_of_another_user_is_status_3(site):
    phone, cid = site.synced_phone()
    other = phone.mailbox.folder_named("Archive/2023")
    assert phone.sync(Coll(other, key=phone.mailbox.collection(cid).key))[other].status == 3
    stranger = site.ready_phone("zoe@example.net", device_id=phone.device_id)
    assert stranger.sync(Coll(cid, key=phone.mailbox.collection(cid).key))[cid].status == 3


def test_key_older_than_the_previous_one_is_status_3(site):
    phone, cid = site.synced_phone()
    oldest = phone.mailbox.collection(cid).key
    for n in range(3):
        deliver(site, "mail %d" % n)
        phone.sync_all(cid)
    assert phone.sync(Coll(cid, key=oldest))[cid].status == 3


def test_previous_key_repeats_the_changes_against_what_the_phone_had(site, version):
    phone, cid = site.synced_phone(version=version)
    deliver(site, "first")
    prepared = phone.prepare_sync(cid)
    lost = phone.exchange("Sync", prepared.request).document            # the phone never gets to read this
    deliver(site, "second")
    result = phone.run(prepared)[cid]
    assert {"first", "second"} >= set(subjects(result.adds)) >= {"first"}
    result2 = phone.sync_all(cid)
    assert sorted(subjects(result.adds) + subjects(result2.adds)) == ["first", "second"]
    assert lost.find("Collections/Collection/SyncKey") is not None


def test_key_0_again_starts_from_nothing(site):
    phone, cid = site.synced_phone()
    items = set(phone.mailbox.collection(cid).items)
    old = phone.mailbox.collection(cid).key
    phone.sync(Coll(cid, key="0"))
    assert phone.mailbox.collection(cid).key != old
    phone.sync_all(cid)
    assert set(phone.mailbox.collection(cid).items) == items


def test_unknown_folder(site, version):
    phone = site.ready_phone(version=version)
    try:
        status = phone.sync(Coll("m" + "a" * 10, key="0"))["m" + "a" * 10].status
    except StatusError as error:
        status = error.status
    assert status in (8, 12)


def test_deleted_folder_sends_the_phone_to_foldersync(site, version):
    phone, cid = site.synced_phone(version=version, folder="Archive/2024")
    site.control.delete_folder("default0/Archive/2024")
    try:
        status = phone.sync(cid)[cid].status
    except StatusError as error:
        status = error.status
    assert status in (8, 12)
    assert cid in phone.foldersync().deleted


def test_renumbered_folder_is_never_wrong_data(site):
    """another UIDVALIDITY: the mails are new ones, whatever their numbers say"""
    phone, cid = site.synced_phone()
    count = len(phone.mailbox.collection(cid).items)
    site.control.bump_uidvalidity(INBOX)
    result = phone.sync(cid)[cid]
    if result.status != 1:
        assert result.status == 3
    phone.sync_all(cid)
    assert len(phone.mailbox.collection(cid).items) == count
    assert phone.sync(cid)[cid].nothing


# --------------------------------------------------------------------------------------------------- empty and partial

@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_empty_request_repeats_the_last_one(site, version):
    phone, cid = site.synced_phone(version=version)
    phone.sync(cid)
    assert phone.empty_sync()[cid].nothing
    deliver(site, "by empty request")
    assert subjects(phone.empty_sync()[cid].adds) == ["by empty request"]
    # Did the phone get that answer? An empty request does not say so; it is asked for its keys, and nothing can be lost.
    with pytest.raises(StatusError) as caught:
        phone.empty_sync()
    assert caught.value.status == 13
    assert phone.sync(cid)[cid].nothing
    assert phone.empty_sync()[cid].nothing


def test_empty_request_without_cache_is_13(site):
    phone = site.ready_phone()
    with pytest.raises(StatusError) as caught:
        phone.empty_sync()
    assert caught.value.status == 13
    phone.sync(phone.mailbox.folder_of_type(2))                           # key 0 is not repeatable
    with pytest.raises(StatusError) as caught:
        phone.empty_sync()
    assert caught.value.status == 13


@pytest.mark.parametrize("version", ["2.5", "12.0"])
def test_empty_request_does_not_exist_below_121(site, version):
    phone, cid = site.synced_phone(version=version)
    with pytest.raises(HttpError) as caught:
        phone.empty_sync()
    assert caught.value.status == 400


def test_partial_takes_the_rest_from_the_cache(site):
    phone, inbox = site.synced_phone()
    other = phone.mailbox.folder_named("Archive/2023")
    phone.sync_all(other)
    phone.sync(inbox, other)
    deliver(site, "in the inbox")
    deliver(site, "in the archive", folder="default0/Archive/2023")
    result = phone.sync(Coll(inbox, window=50), partial=True)
    assert subjects(result[inbox].adds) == ["in the inbox"]
    assert subjects(result[other].adds) == ["in the archive"]


def test_partial_without_cache_is_13(site):
    phone = site.ready_phone()
    cid = phone.mailbox.folder_of_type(2)
    with pytest.raises(StatusError) as caught:
        phone.sync(Coll(cid, key="0"), partial=True)
    assert caught.value.status == 13


def test_partial_alone_is_4(site):
    phone, _ = site.synced_phone()
    assert phone.post("Sync", Node("AirSync:Sync", Node("Partial"))).document.get("Status") in ("4", "13")


def test_two_devices_see_the_same_mail_independently(site):
    one, cid = site.synced_phone(device_id="ONE")
    two, _ = site.synced_phone(device_id="TWO", version="16.1")
    deliver(site, "for both")
    assert subjects(one.sync_all(cid).adds) == ["for both"]
    deliver(site, "for both again")
    assert subjects(two.sync_all(cid).adds) == ["for both", "for both again"]
    assert subjects(one.sync_all(cid).adds) == ["for both again"]
