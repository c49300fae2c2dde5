# SPDX-License-Identifier: Apache-2.0
"""GetItemEstimate: the number that the next Sync brings, without using the key up."""
import pytest

import harness_mail as mail
from easphone.node import Node
from easphone.options import Coll, mail_options
from harness_sandbox import INBOX, SEEN


def test_estimate_is_what_sync_brings(site, version):
    phone = site.ready_phone(version=version)
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    status, number = phone.getitemestimate(cid)[cid]
    assert status == 1 and number == len(site.control.dump(INBOX))
    assert phone.getitemestimate(cid)[cid] == (1, number), "the key is not used up"
    phone.sync_all(cid)
    assert phone.getitemestimate(cid)[cid] == (1, 0)
    site.control.deliver(raw=mail.plain("one"))
    gone = site.control.dump(INBOX)[3]["id"]
    site.control.delete(INBOX, gone)
    status, number = phone.getitemestimate(cid)[cid]
    assert (status, number) == (1, 2)
    assert phone.sync(cid)[cid].count == 2


def test_estimate_with_filter(site, version):
    phone = site.ready_phone(version=version)
    cid = phone.mailbox.folder_of_type(2)
    phone.sync(cid)
    hour = site.control.clock() // 3600000 * 3600000          # mails leave the window in batches of an hour
    week = [m for m in site.control.dump(INBOX) if m["received"] >= hour - 7 * 86400000]
    assert phone.getitemestimate(cid, filter=3)[cid] == (1, len(week))
    result = phone.sync_all(cid, mail_options(phone.version, filter=3, truncation=100))
    assert len(result.adds) == len(week)


def test_estimate_after_a_read_elsewhere(site):
    phone, cid = site.synced_phone()
    new = site.control.deliver(raw=mail.plain("x"))
    phone.sync_all(cid)
    site.control.set_flags(INBOX, new, set=SEEN)
    assert phone.getitemestimate(cid)[cid] == (1, 1)
    assert phone.sync(cid)[cid].count == 1


@pytest.mark.parametrize("key, expected", [("0", 3), ("{11111111-2222-3333-4444-555555555555}3", 4), ("nonsense", 4)])
def test_keys_that_are_none(site, version, key, expected):
    phone, cid = site.synced_phone(version=version)
    assert phone.getitemestimate(Coll(cid, key=key))[cid] == (expected, None)
    assert phone.sync(cid)[cid].status == 1


def test_folder_that_is_not_primed_is_status_3(site):
    phone, _ = site.synced_phone()
    other = phone.mailbox.folder_named("Archive/2023")
    assert phone.getitemestimate(other)[other][0] == 3


def test_unknown_folder_is_status_2(site):
    phone, cid = site.synced_phone()
    assert phone.getitemestimate(Coll("m" + "q" * 10, key=phone.mailbox.collection(cid).key))["m" + "q" * 10][0] in (2, 4)


def test_two_folders_in_one_request(site):
    phone, cid = site.synced_phone()
    other = phone.mailbox.folder_named("Archive/2023")
    phone.sync(other)
    site.control.deliver(raw=mail.plain("x"))
    found = phone.getitemestimate(cid, other)
    assert found[cid] == (1, 1) and found[other] == (1, len(site.control.dump("default0/Archive/2023")))


@pytest.mark.parametrize("collection, statuses", [
    (lambda c, k: Node("GetItemEstimate:Collection", Node("CollectionId", c)), ("103",)),
    (lambda c, k: Node("GetItemEstimate:Collection", Node("AirSync:SyncKey", k), Node("CollectionId", c),
                       Node("AirSync:Options", Node("AirSync:FilterType", 9))), ("103", "110", "4")),
    (lambda c, k: Node("GetItemEstimate:Collection", Node("AirSync:SyncKey", k), Node("CollectionId", c),
                       Node("AirSync:Options", Node("AirSync:FilterType", 8))), ("110",)),
])
def test_broken_requests(site, collection, statuses):
    phone, cid = site.synced_phone()
    body = Node("GetItemEstimate:GetItemEstimate", Node("Collections", collection(cid, phone.mailbox.collection(cid).key)))
    document = phone.post("GetItemEstimate", body).document
    assert (document.get("Status") or document.get("Response/Status")) in statuses


def test_empty_body(site):
    phone, _ = site.synced_phone()
    answer = phone.post("GetItemEstimate")
    assert answer.status == 400 or answer.document.get("Status") == "101"
