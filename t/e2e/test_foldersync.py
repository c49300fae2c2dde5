# SPDX-License-Identifier: Apache-2.0
"""The folder tree on the phone and its changes."""
import pytest

from easphone.errors import StatusError
from easphone.node import Node
from harness_sandbox import INBOX

MAIL_TYPES = (2, 3, 4, 5, 12)


def paths(phone):
    return {phone.mailbox.path(cid): cid for cid in phone.mailbox.folders}


def test_initial_tree(site, version):
    phone = site.ready_phone(version=version)
    types = [f["type"] for f in phone.mailbox.folders.values()]
    assert set(types) <= {1, *MAIL_TYPES}, "default folders of classes that are not built"
    for default in (2, 3, 4, 5):
        assert types.count(default) == 1
    found = paths(phone)
    inbox = phone.mailbox.folders[phone.mailbox.folder_of_type(2)]["name"]
    for name in ("Archive/2023", "Archive/2024", "Einkäufe & Co", "Мои письма", inbox + "/Projekte/Brücke Süd"):
        assert name in found, sorted(found)
        assert phone.mailbox.folders[found[name]]["type"] == 12
    assert not any("Old newsletters" in path for path in found), "a folder that is not subscribed"


def test_default_ids_are_the_same_for_everybody(site):
    one, two = site.ready_phone("anna"), site.ready_phone("zoe@example.net", device_id="OTHER")
    for kind in (2, 3, 4, 5):
        assert one.mailbox.folder_of_type(kind) == two.mailbox.folder_of_type(kind)


def test_nothing_new_costs_at_most_one_backend_call(site, version):
    phone = site.ready_phone(version=version)
    key = phone.mailbox.folder_key
    site.control.clear_log()
    assert phone.foldersync().nothing
    assert phone.mailbox.folder_key == key
    assert sum(1 for _ in site.control.requests()) <= 1


def test_new_renamed_moved_and_deleted_folder(site, version):
    phone = site.ready_phone(version=version)
    site.control.create_folder("default0", "Häuser")
    changes = phone.foldersync()
    assert len(changes.added) == 1 and not changes.updated and not changes.deleted
    cid = changes.added[0]
    assert phone.mailbox.path(cid) == "Häuser"

    new = site.control.rename_folder("default0/Häuser", "Gärten")
    changes = phone.foldersync()
    assert (changes.added, changes.updated, changes.deleted) == ([], [cid], []), "a rename keeps the id"
    assert phone.mailbox.path(cid) == "Gärten"

    moved = site.control.rename_folder(new, "Gärten", parent="default0/Archive")
    changes = phone.foldersync()
    assert (changes.added, changes.updated, changes.deleted) == ([], [cid], [])
    assert phone.mailbox.path(cid) == "Archive/Gärten"

    site.control.delete_folder(moved)
    changes = phone.foldersync()
    assert (changes.added, changes.updated, changes.deleted) == ([], [], [cid])
    assert phone.foldersync().nothing


def test_folder_with_children_renamed_and_deleted(site):
    phone = site.ready_phone()
    before = paths(phone)
    site.control.rename_folder("default0/Archive", "Ablage")
    phone.foldersync()
    after = paths(phone)
    assert after["Ablage"] == before["Archive"]
    assert after["Ablage/2023"] == before["Archive/2023"]
    site.control.delete_folder("default0/Ablage/2023")
    site.control.delete_folder("default0/Ablage/2024")
    site.control.delete_folder("default0/Ablage")
    changes = phone.foldersync()
    assert set(changes.deleted) == {before["Archive"], before["Archive/2023"], before["Archive/2024"]}


def test_new_folder_below_a_new_folder_comes_after_its_parent(site):
    phone = site.ready_phone()
    for parent, title in (("default0", "a"), ("default0/a", "b"), ("default0/a/b", "c")):
        site.control.create_folder(parent, title)
    assert len(phone.foldersync().added) == 3             # the model refuses a child before its parent
    assert "a/b/c" in paths(phone)


def test_two_folders_swap_their_names(site):
    phone = site.ready_phone()
    one, two = site.control.create_folder("default0", "one"), site.control.create_folder("default0", "two")
    for number in range(2):
        site.control.deliver(one, raw=b"Subject: in one %d\r\n\r\nx\r\n" % number)
    phone.foldersync()
    ids = paths(phone)
    site.control.rename_folder(one, "tmp")
    site.control.rename_folder(two, "one")
    site.control.rename_folder("default0/tmp", "two")
    phone.foldersync()
    after = paths(phone)
    # which id has which name is the server's choice, but the mails must be where the name says
    phone.sync_all(after["two"])
    phone.sync_all(after["one"])
    assert len(phone.mailbox.collection(after["two"]).items) == 2
    assert not phone.mailbox.collection(after["one"]).items
    assert set(after) == set(ids)


@pytest.mark.parametrize("key", ["{00000000-0000-0000-0000-000000000000}7", "nonsense", "1", "{x", "0" * 64])
def test_unknown_key_is_status_9(site, version, key):
    phone = site.ready_phone(version=version)
    with pytest.raises(StatusError) as caught:
        phone.foldersync(key=key)
    assert caught.value.status == 9
    phone.foldersync()                                      # the phone starts again with key 0
    assert phone.mailbox.folder_of_type(2)


def test_key_of_another_device_is_status_9(site):
    one, two = site.ready_phone(device_id="ONE"), site.phone(device_id="TWO")
    with pytest.raises(StatusError) as caught:
        two.foldersync(key=one.mailbox.folder_key)
    assert caught.value.status == 9


def test_key_0_again_keeps_ids_and_the_keys_of_collections(site, version):
    phone, cid = site.synced_phone(version=version)
    folders, key = dict(phone.mailbox.folders), phone.mailbox.collection(cid).key
    phone.foldersync(key="0")
    assert phone.mailbox.folders == folders
    assert phone.mailbox.collection(cid).key == key
    site.control.deliver(raw=b"From: a@example.org\r\nSubject: still in step\r\n\r\nx\r\n")
    result = phone.sync_all(cid)
    assert [i.subject for i in result.adds.values()] == ["still in step"]


def test_previous_key_gives_the_same_changes_again(site, version):
    phone = site.ready_phone(version=version)
    old = phone.mailbox.folder_key
    site.control.create_folder("default0", "New")
    request = phone.prepare_foldersync().request
    first = phone.exchange("FolderSync", request).document
    second = phone.exchange("FolderSync", request).document
    assert first.find("Changes") == second.find("Changes")
    assert second.get("SyncKey") != old
    assert phone.foldersync().added                         # and applies once more: the phone never saw an answer
    assert phone.foldersync().nothing


def test_malformed_requests_are_status_10(site):
    phone = site.ready_phone()
    for body in (Node("FolderHierarchy:FolderSync"), Node("FolderHierarchy:FolderSync", Node("Count", 1)),
                 Node("FolderHierarchy:FolderSync", Node("SyncKey", "0"), Node("SyncKey", "0"))):
        assert phone.post("FolderSync", body).document.get("Status") in ("10", "103"), body


def test_many_folders(site):
    site.control.add_folders(400)
    phone = site.ready_phone()
    assert len(phone.mailbox.folders) >= 400 - 1            # the unsubscribed one
    assert phone.foldersync().nothing


def test_names_that_need_care(site):
    names = ["a/b" .replace("/", "∕"), "  spaces  ".strip(), "<&\">", "日本語", "😀", "a" * 200, "%2F", "x+y=z?"]
    for name in names:
        site.control.create_folder("default0", name)
    phone = site.ready_phone()
    shown = {f["name"] for f in phone.mailbox.folders.values()}
    assert set(names) <= shown


def test_folder_no_longer_used_for_sync_disappears(site):
    phone = site.ready_phone()
    cid = paths(phone)["Archive/2023"]
    site.control.set_used_for_sync("default0/Archive/2023", False)
    assert phone.foldersync().deleted in ([cid], [])         # the API may or may not tell; never an error
    site.control.deliver(INBOX, raw=b"Subject: x\r\n\r\nx\r\n")
    assert phone.foldersync().nothing
