# SPDX-License-Identifier: Apache-2.0
"""Read, flag and delete in both directions, and Fetch."""
import pytest

import harness_mail as mail
from easphone.node import Node
from easphone.options import BodyPreference, Coll, Options, add, change, delete, fetch, flag_node, set_flag, set_read
from harness_sandbox import FLAGGED, INBOX, SEEN, TRASH

FOLDER = INBOX


def ox_id(sid):
    return sid.partition(":")[2]


def flags(site, sid, folder=FOLDER):
    return next(m["flags"] for m in site.control.dump(folder) if m["id"] == ox_id(sid))


def with_mail(site, version="14.1", **settings):
    """(phone, folder id, item id): the inbox is in step and holds one fresh unread mail of ours"""
    phone, cid = site.synced_phone(version=version)
    new = site.control.deliver(FOLDER, raw=mail.plain("ours"), **settings)
    phone.sync_all(cid)
    return phone, cid, "%s:%s" % (cid, new)


def test_read_and_unread_from_the_phone(site, version):
    phone, cid, sid = with_mail(site, version)
    for read in (True, False, True):
        result = phone.sync(Coll(cid, commands=[set_read(sid, read)]))[cid]
        assert not result.changes, "the echo of an own change"
        assert bool(flags(site, sid) & SEEN) == read
        assert phone.sync(cid)[cid].nothing


def test_read_elsewhere_arrives_as_read_alone(site, version):
    phone, cid, sid = with_mail(site, version)
    site.control.set_flags(FOLDER, ox_id(sid), set=SEEN)
    assert phone.sync(cid)[cid].changes == {sid: {"Email:Read": "1"}}
    site.control.set_flags(FOLDER, ox_id(sid), clear=SEEN)
    assert phone.sync(cid)[cid].changes == {sid: {"Email:Read": "0"}}
    assert phone.sync(cid)[cid].nothing


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_flag_from_the_phone(site, version):
    phone, cid, sid = with_mail(site, version)
    result = phone.sync(Coll(cid, commands=[set_flag(sid, 2)]))[cid]
    assert not result.changes and not result.change_responses
    assert flags(site, sid) & FLAGGED
    result = phone.sync(Coll(cid, commands=[set_flag(sid, 0)]))[cid]
    assert not result.change_responses and not flags(site, sid) & FLAGGED
    assert phone.sync(cid)[cid].nothing


@pytest.mark.site(directives={"EASFlagRefresh": "0"})
@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_flag_elsewhere_arrives_as_flag_alone(site, version):
    phone, cid, sid = with_mail(site, version)
    site.control.set_flags(FOLDER, ox_id(sid), set=FLAGGED)
    changes = phone.sync(cid)[cid].changes
    assert list(changes) == [sid] and list(changes[sid]) == ["Email:Flag"]
    assert phone.mailbox.collection(cid).items[sid].flagged
    site.control.set_flags(FOLDER, ox_id(sid), clear=FLAGGED)
    assert phone.sync(cid)[cid].changes == {sid: {"Email:Flag": ""}}


def test_read_and_flag_in_one_change(site):
    phone, cid, sid = with_mail(site)
    phone.sync(Coll(cid, commands=[change(sid, Node("Email:Read", 1), flag_node(2))]))
    assert flags(site, sid) & (SEEN | FLAGGED) == SEEN | FLAGGED


def test_many_changes_in_one_request_are_few_backend_calls(site):
    phone, cid = site.synced_phone()
    for n in range(40):
        site.control.deliver(FOLDER, raw=mail.plain("mail %d" % n))
    new = list(phone.sync_all(cid).adds)
    site.control.clear_log()
    phone.sync(Coll(cid, get_changes=0, commands=[set_read(sid) for sid in new]))
    assert len(site.control.requests()) <= 5
    assert all(flags(site, sid) & SEEN for sid in new)


def test_delete_moves_to_the_trash(site, version):
    phone, cid, sid = with_mail(site, version)
    trash = len(site.control.dump(TRASH))
    result = phone.sync(Coll(cid, deletes_as_moves=1, commands=[delete(sid)]))[cid]
    assert result.nothing and not result.delete_responses
    assert sid not in phone.mailbox.collection(cid).items
    assert ox_id(sid) not in [m["id"] for m in site.control.dump(FOLDER)]
    assert len(site.control.dump(TRASH)) == trash + 1
    assert phone.sync(cid)[cid].nothing


def test_delete_without_deletesasmoves_is_a_move(site):
    phone, cid, sid = with_mail(site)
    trash = len(site.control.dump(TRASH))
    phone.sync(Coll(cid, commands=[delete(sid)]))
    assert len(site.control.dump(TRASH)) == trash + 1


def test_delete_for_good(site, version):
    phone, cid, sid = with_mail(site, version)
    trash = len(site.control.dump(TRASH))
    phone.sync(Coll(cid, deletes_as_moves=0, commands=[delete(sid)]))
    assert ox_id(sid) not in [m["id"] for m in site.control.dump(FOLDER)]
    assert len(site.control.dump(TRASH)) == trash


def test_delete_inside_the_trash_is_for_good(site):
    phone = site.ready_phone()
    trash = phone.mailbox.folder_of_type(4)
    new = site.control.deliver(TRASH, raw=mail.plain("garbage"))
    phone.sync_all(trash)
    phone.sync(Coll(trash, deletes_as_moves=1, commands=[delete("%s:%s" % (trash, new))]))
    assert new not in [m["id"] for m in site.control.dump(TRASH)]


def test_deleted_mail_arrives_in_the_trash_of_the_phone(site):
    phone, cid, sid = with_mail(site)
    trash = phone.mailbox.folder_of_type(4)
    phone.sync_all(trash)
    phone.sync(Coll(cid, commands=[delete(sid)]))
    assert [i.subject for i in phone.sync_all(trash).adds.values()] == ["ours"]


def test_change_of_an_item_that_is_gone(site, version):
    phone, cid, sid = with_mail(site, version)
    site.control.delete(FOLDER, ox_id(sid))
    result = phone.sync(Coll(cid, commands=[set_read(sid)]))[cid]
    assert result.change_responses.get(sid, 8) == 8
    if not result.deletes:
        result = phone.sync(cid)[cid]
    assert result.deletes == [sid]


def test_delete_of_an_item_that_is_gone_is_success(site, version):
    phone, cid, sid = with_mail(site, version)
    site.control.delete(FOLDER, ox_id(sid))
    result = phone.sync(Coll(cid, commands=[delete(sid)]))[cid]
    assert result.delete_responses.get(sid, 8) == 8 and not result.adds
    phone.sync_all(cid)
    assert sid not in phone.mailbox.collection(cid).items


@pytest.mark.parametrize("tail", ["999999", "abc", "", "1/../2", "18446744073709551616", "-1", "1:2"])
def test_unknown_ids_are_status_8_and_harm_nothing(site, tail):
    phone, cid, _ = with_mail(site)
    before = site.control.dump(FOLDER)
    sid = "%s:%s" % (cid, tail)
    result = phone.sync(Coll(cid, get_changes=0, commands=[set_read(sid)]))[cid]
    assert result.status == 1 and result.change_responses == {sid: 8}
    result = phone.sync(Coll(cid, get_changes=0, commands=[fetch(sid)]))[cid]
    assert result.fetches[sid][0] == 8
    phone.sync(Coll(cid, get_changes=0, commands=[delete(sid)]))
    assert site.control.dump(FOLDER) == before


def test_item_of_another_folder_is_not_touched(site):
    phone, cid, _ = with_mail(site)
    other = phone.mailbox.folder_named("Archive/2023")
    new = site.control.deliver("default0/Archive/2023", raw=mail.plain("elsewhere"))
    phone.sync_all(other)
    sid = "%s:%s" % (other, new)
    result = phone.sync(Coll(cid, get_changes=0, commands=[set_read(sid)]))[cid]
    assert result.change_responses == {sid: 8}
    assert not flags(site, sid, "default0/Archive/2023") & SEEN


def test_server_deletes_what_the_phone_changes(site):
    phone, cid, sid = with_mail(site)
    site.control.set_flags(FOLDER, ox_id(sid), set=SEEN)
    result = phone.sync(Coll(cid, commands=[set_flag(sid)]))[cid]      # both changed: no conflict for mail
    assert not result.change_responses
    assert flags(site, sid) & FLAGGED and flags(site, sid) & SEEN
    if not result.changes:
        result = phone.sync(cid)[cid]
    assert result.changes == {sid: {"Email:Read": "1"}}


@pytest.mark.parametrize("properties", [[Node("Email:Read", 2)], [Node("Email:Read", "yes")],
                                        [Node("Email:Flag", Node("Status", 7))]])
def test_values_that_make_no_sense_are_status_6(site, properties):
    phone, cid, sid = with_mail(site)
    before = flags(site, sid)
    result = phone.sync(Coll(cid, get_changes=0, commands=[change(sid, *properties)]))[cid]
    assert result.status == 1 and result.change_responses == {sid: 6}
    assert flags(site, sid) == before


def test_one_bad_command_does_not_stop_the_others(site):
    phone, cid, sid = with_mail(site)
    bad = "%s:77777" % cid
    result = phone.sync(Coll(cid, get_changes=0, commands=[set_read(bad), set_read(sid), delete(bad)]))[cid]
    assert result.change_responses == {bad: 8}
    assert flags(site, sid) & SEEN


@pytest.mark.parametrize("version", ["14.1", "16.1"])
def test_add_of_mail_is_status_6(site, version):
    phone, cid, _ = with_mail(site, version)
    before = site.control.dump(FOLDER)
    result = phone.sync(Coll(cid, commands=[add("c1", Node("Email:Subject", "mine"))]))[cid]
    assert result.add_responses == {"c1": (6, None)}
    assert site.control.dump(FOLDER) == before


def test_fetch_brings_the_whole_item(site, version):
    phone = site.ready_phone(version=version)
    cid = phone.mailbox.folder_of_type(2)
    new = site.control.deliver(FOLDER, raw=mail.plain("long", "0123456789\n" * 500))
    phone.sync(cid)
    short = Options(truncation=1) if version == "2.5" else Options(bodies=[BodyPreference(1, 100)])
    sid = "%s:%s" % (cid, new)
    phone.sync_all(cid, short)
    assert phone.mailbox.collection(cid).items[sid].truncated
    status, item = phone.sync(Coll(cid, get_changes=0, commands=[fetch(sid)]))[cid].fetches[sid]
    assert status == 1 and not item.truncated
    assert item.body.decode().replace("\r\n", "\n").rstrip() == ("0123456789\n" * 500).rstrip()


def test_fetch_sees_the_other_commands_of_the_request(site):
    phone, cid, sid = with_mail(site)
    result = phone.sync(Coll(cid, get_changes=0, commands=[set_read(sid), fetch(sid)]))[cid]
    assert result.fetches[sid][1].read


def test_changes_reach_a_second_phone(site):
    phone, cid, sid = with_mail(site)
    second, _ = site.synced_phone(device_id="SECOND", version="16.1")
    phone.sync(Coll(cid, commands=[set_read(sid)]))
    assert second.sync(cid)[cid].changes == {sid: {"Email:Read": "1"}}
    phone.sync(Coll(cid, commands=[delete(sid)]))
    assert second.sync(cid)[cid].deletes == [sid]


def test_sms_class_does_not_loop(site):
    """phones with SMS sync send such options and items into the inbox; whatever the answer, mail goes on"""
    phone, cid, _ = with_mail(site)
    body = Node("AirSync:Sync", Node("Collections", Node("Collection",
                Node("SyncKey", phone.mailbox.collection(cid).key), Node("CollectionId", cid), Node("GetChanges", 0),
                Node("Options", Node("Class", "Email"), Node("FilterType", 0)),
                Node("Options", Node("Class", "SMS"), Node("FilterType", 0)),
                Node("Commands", add("sms1", Node("Email:From", "+49301234"), Node("Email:Read", 1), klass="SMS")))))
    answer = phone.post("Sync", body)
    collection = answer.document.find("Collections/Collection")
    assert collection is not None and collection.get("Status") == "1"
    response = collection.find("Responses/Add")
    assert response.get("ClientId") == "sms1" and response.get("Status") in ("1", "6")
    phone.mailbox.collection(cid).key = collection.get("SyncKey")
    assert phone.sync(cid)[cid].nothing


def test_forty_deletes_at_once(site):
    phone, cid = site.synced_phone()
    for n in range(40):
        site.control.deliver(FOLDER, raw=mail.plain("mail %d" % n))
    new = list(phone.sync_all(cid).adds)
    site.control.clear_log()
    result = phone.sync(Coll(cid, commands=[delete(s) for s in new]))[cid]
    assert not result.delete_responses
    assert len(site.control.requests()) <= 6
    left = {m["id"] for m in site.control.dump(FOLDER)}
    assert not left & {ox_id(s) for s in new}
