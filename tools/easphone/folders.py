# SPDX-License-Identifier: Apache-2.0
"""FolderSync: applying an answer to the mailbox the way a strict phone does."""
import dataclasses
import typing

from . import rules
from .errors import StatusError
from .rules import refuse


@dataclasses.dataclass
class FolderChanges:
    """ids that an answer brought"""
    added: typing.List[str]
    updated: typing.List[str]
    deleted: typing.List[str]
    initial: bool

    @property
    def nothing(self):
        return not (self.added or self.updated or self.deleted)


def apply(mailbox, document, sent_key, version):
    refuse(document.name != "FolderHierarchy:FolderSync", "answer to FolderSync is " + document.name)
    rules.check_status_range(document, version)
    rules.in_order(document, rules.FOLDERSYNC_ORDER)
    status = int(document.get("Status", "0"))
    if status != 1:
        refuse(document.has("SyncKey"), "SyncKey beside status %d" % status)
        refuse(document.has("Changes"), "Changes beside status %d" % status)
        if status == 9:
            mailbox.folder_key = "0"
        raise StatusError("FolderSync", status)
    key = document.get("SyncKey")
    refuse(not key or key == "0" or len(key) > 64, "FolderSync key %r" % key)
    initial = sent_key == "0"
    folders = {} if initial else dict(mailbox.folders)
    result = FolderChanges([], [], [], initial)
    changes = document.find("Changes")
    if changes is not None:
        _apply_changes(folders, changes, result, version)
    refuse(key == sent_key and not result.nothing, "folder changes under an unchanged key")
    _check_tree(folders, version)
    mailbox.folders, mailbox.folder_key = folders, key
    for cid in [cid for cid in mailbox.collections if cid not in folders]:
        del mailbox.collections[cid]
    return result


def _apply_changes(folders, changes, result, version):
    count = changes.get("Count")
    refuse(count is None, "Changes without Count")
    refuse(int(count) != len(changes.children) - 1, "Count %s beside %d changes" % (count, len(changes.children) - 1))
    refuse(changes.children[0].tag != "Count", "Count is not the first child of Changes")
    touched = set()
    for entry in changes.children[1:]:
        cid = entry.get("ServerId")
        refuse(not cid or len(cid) > 64 or any(c in "/?&%+=" for c in cid), "folder id %r" % cid)
        refuse(cid in touched, "folder %s twice in one answer" % cid)
        touched.add(cid)
        if entry.tag == "Delete":
            rules.in_order(entry, ("ServerId",))
            refuse(cid not in folders, "Delete of the unknown folder %s" % cid)
            del folders[cid]
            result.deleted.append(cid)
            continue
        rules.in_order(entry, rules.FOLDER_ORDER)
        refuse(entry.names() != [entry._full(n) for n in rules.FOLDER_ORDER], "incomplete folder entry %r" % entry)
        folder = {"parent": entry.get("ParentId"), "name": entry.get("DisplayName"), "type": int(entry.get("Type"))}
        refuse(not folder["name"], "folder %s without name" % cid)
        if entry.tag == "Add":
            refuse(cid in folders, "Add of the known folder %s" % cid)
            refuse(folder["parent"] != "0" and folder["parent"] not in folders,
                   "folder %s comes before its parent %s" % (cid, folder["parent"]))
            result.added.append(cid)
        else:
            refuse(entry.tag != "Update", "%s in FolderSync" % entry.tag)
            refuse(cid not in folders, "Update of the unknown folder %s" % cid)
            result.updated.append(cid)
        folders[cid] = folder


def _check_tree(folders, version):
    names, defaults = set(), set()
    for cid, folder in folders.items():
        refuse(folder["parent"] != "0" and folder["parent"] not in folders, "folder %s without parent" % cid)
        place = (folder["parent"], folder["name"])
        refuse(place in names, "two folders named %r" % folder["name"])
        names.add(place)
        kind = folder["type"]
        refuse(not 1 <= kind <= 19, "folder type %d" % kind)
        refuse(version < 140 and kind in (10, 17, 19), "folder type %d in version %s" % (kind, version / 10))
        if 2 <= kind <= 11:
            refuse(kind in defaults, "two default folders of type %d" % kind)
            defaults.add(kind)
    for kind in (2, 3, 4, 5):
        refuse(kind not in defaults, "no default folder of type %d" % kind)
