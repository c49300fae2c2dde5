# SPDX-License-Identifier: Apache-2.0
"""Module `folders` (section 2): the mail tree and the default folders of the other modules."""
import facts
import mailstore
from oxerrors import OXError

ALL_RIGHTS = 403710016
ROOT_RIGHTS = 4                            # subfolders may be created, nothing else (2.4)
_CREATED = 1500000000000

# Virtual roots of the primary tree.
_SYSTEM = {"1": "Private folders", "2": "Public folders", "3": "Shared folders"}

_GROUPWARE = {                            # module -> (type of default folder, English title)
    "calendar": (2, "Calendar"), "contacts": (3, "Contacts"), "tasks": (1, "Tasks"),
}
_CONTENT = {"mail": "mail", "contacts": "contacts", "calendar": "calendar", "event": "calendar",
            "tasks": "tasks"}


def _base(x, fid, parent, title, module, **rest):
    row = {
        "id": fid, "created_by": x.user.id, "modified_by": x.user.id, "creation_date": _CREATED,
        "last_modified": _CREATED, "last_modified_utc": _CREATED, "folder_id": parent,
        "title": title, "module": module, "type": 1, "subfolders": False, "own_rights": ALL_RIGHTS,
        "permissions": [{"bits": ALL_RIGHTS, "entity": x.user.id, "group": False,
                         "type": "user"}],
        "summary": "", "standard_folder": False, "total": 0, "new": 0, "unread": 0, "deleted": 0,
        "capabilities": 0, "subscribed": True, "subscr_subflds": False,
        "standard_folder_type": 0, "supported_capabilities": ["permissions"], "account_id": None,
        "folder_name": title, "origin": None,
        "used_for_sync": {"value": "true", "protected": "false"},
        "com.openexchange.publish.publicationFlag": False,
        "com.openexchange.subscribe.subscriptionFlag": False,
        "com.openexchange.folderstorage.displayName": None,
        "com.openexchange.folderstorage.accountError": None,
        "com.openexchange.share.extendedPermissions": [],
        "com.openexchange.calendar.extendedProperties": None,
        "com.openexchange.calendar.provider": None,
        "com.openexchange.calendar.accountError": None, "com.openexchange.calendar.config": None,
        "com.openexchange.caldav.url": None,
        "com.openexchange.contacts.extendedProperties": None,
    }
    row.update(rest)
    return row


def mail_object(x, folder):
    parent = folder.name.rpartition(mailstore.SEPARATOR)[0]
    children = x.mailbox.children(folder.name)
    return _base(
        x, folder.id, mailstore.ROOT + ("/" + parent if parent else ""), folder.title, "mail",
        type=7, subfolders=bool(children), subscr_subflds=any(c.subscribed for c in children),
        standard_folder=bool(folder.type), standard_folder_type=folder.type,
        total=len(folder.mails), unread=folder.unread, new=0,
        deleted=folder.deleted,
        capabilities=31, subscribed=folder.subscribed, account_id="default0",
        permissions=[{"bits": ALL_RIGHTS, "entity": x.user.id, "group": False, "type": "user",
                      "rights": "acdeiklprstwx"}],
        supported_capabilities=["permissions", "quota", "sort", "subscription"],
        used_for_sync={"value": "true" if folder.used_for_sync else "false",
                       "protected": "false"})


def mail_root(x):
    return _base(x, mailstore.ROOT, "1", "E-Mail", "mail", type=7, subfolders=True,
                 subscr_subflds=True, account_id="default0",
                 own_rights=ROOT_RIGHTS, capabilities=31)


def groupware_object(x, module, event=False):
    kind, title = _GROUPWARE[module]
    number = x.user.default_folders[module]
    fid, shown = str(number), module
    extra = {}
    if module == "calendar" and event:
        fid, shown = "cal://0/%d" % number, "event"
        extra["com.openexchange.calendar.provider"] = "chronos"
        extra["com.openexchange.calendar.extendedProperties"] = {
            "usedForSync": {"value": "true", "protected": "true"}}
    elif module == "contacts" and x.box.settings["flavour"] == "8":
        fid = "con://0/%d" % number
        extra["com.openexchange.contacts.extendedProperties"] = {
            "usedForSync": {"value": "true", "protected": "true"}}
    return _base(x, fid, "1", title, shown, standard_folder=True, standard_folder_type=kind,
                 **extra)


def system_object(x, fid):
    return _base(x, fid, "0", _SYSTEM[fid], "system", type=5, subfolders=fid == "1",
                 own_rights=1, permissions=[])


def find(x, fid):
    """The folder object of any id."""
    if fid in _SYSTEM:
        return system_object(x, fid)
    if fid == mailstore.ROOT:
        return mail_root(x)
    folder = x.mailbox.by_id(fid)
    if folder:
        return mail_object(x, folder)
    if fid.startswith("default"):
        raise OXError("IMAP-1002", fid)
    for module, number in x.user.default_folders.items():
        if module in _GROUPWARE and fid in (str(number), "cal://0/%d" % number,
                                            "con://0/%d" % number):
            return groupware_object(x, module, fid.startswith("cal://"))
    raise OXError("FLD-0008", fid)


def _rows(x, objects):
    names = [facts.COLUMNS["folders"][c] for c in x.columns()]
    return [[obj[name] for name in names] for obj in objects]


def root(x):
    return _rows(x, [system_object(x, fid) for fid in _SYSTEM]), x.box.now()


def _children(x, parent):
    if parent == "0":
        return [system_object(x, fid) for fid in _SYSTEM]
    if parent == "1":
        return [mail_root(x)] + [groupware_object(x, m) for m in _GROUPWARE]
    if parent == mailstore.ROOT:
        return [mail_object(x, f) for f in _shown(x, "")]
    folder = x.mailbox.by_id(parent)
    if folder:
        return [mail_object(x, f) for f in _shown(x, folder.name)]
    find(x, parent)                        # raises when there is no such folder
    return []


def _shown(x, name):
    everything = x.flag("all")
    return [f for f in x.mailbox.children(name) if f.subscribed or everything]


def list_(x):
    return _rows(x, _children(x, x.params["parent"])), x.box.now()


def path(x):
    steps, fid = [], x.params["id"]
    while fid != "0":
        step = find(x, fid)
        steps.append(step)
        fid = step["folder_id"]
    return _rows(x, steps), x.box.now()


def get(x):
    return find(x, x.params["id"]), x.box.now()


def all_visible(x):
    kind = x.params["content_type"]
    module = _CONTENT.get(kind)
    if module is None:
        raise x.invalid("content_type")
    if module == "mail":
        objects = [mail_root(x)] + [mail_object(x, f) for f in _walk(x, "")]
        return {"private": _rows(x, objects)}, x.box.now()
    rows = _rows(x, [groupware_object(x, module, kind == "event")])
    return {"private": rows, "public": [], "shared": []}, x.box.now()


def _walk(x, name):
    for folder in x.mailbox.children(name):
        if folder.subscribed:
            yield folder
        yield from _walk(x, folder.name)


def updates(x):
    """Mail folders have no timestamps and the groupware defaults never change."""
    stamp = x.number("timestamp")
    x.columns()
    find(x, x.params["parent"])
    return [], stamp


def shares(x):
    if x.params["content_type"] not in _CONTENT:
        raise x.invalid("content_type")
    x.columns()
    return [], x.box.now()


def _body(x):
    body = x.body.get("folder") if isinstance(x.body, dict) else None
    if not isinstance(body, dict):
        raise OXError("SVL-0020", "folder", violation=("malformed-body", "folder"))
    for name in sorted(set(body) - facts.FOLDER_BODY_FIELDS):
        x.misuse("unknown-field", name)
    return body


def _check_title(title):
    if not isinstance(title, str) or not title.strip() or mailstore.SEPARATOR in title \
            or any(ord(c) < 32 for c in title):
        raise OXError("MSG-0060", title)


def _parent_name(x, fid):
    """Full name of a parent folder; "" for the root of the account."""
    if fid == mailstore.ROOT:
        return ""
    folder = x.mailbox.by_id(str(fid))
    if folder is None:
        if str(fid).startswith("default"):
            raise OXError("IMAP-1002", fid)
        find(x, str(fid))
        raise OXError("FLD-1029", fid)
    return folder.name


def new(x):
    body = _body(x)
    parent = _parent_name(x, x.params["folder_id"])
    _check_title(body.get("title"))
    name = parent + "/" + body["title"] if parent else body["title"]
    if name in x.mailbox.folders:
        raise OXError("MSG-0063", body["title"])
    folder = x.mailbox.create(name)
    folder.subscribed = bool(body.get("subscribed", True))
    return folder.id, x.box.now()


def update(x):
    fid = x.params["id"]
    x.number("timestamp")
    body = _body(x)
    folder = x.mailbox.by_id(fid)
    if folder is None:
        find(x, fid)
        raise OXError("FLD-1027", fid)
    parent, _, title = folder.name.rpartition("/")
    wanted_title = body.get("title", title)
    wanted_parent = _parent_name(x, body["folder_id"]) if "folder_id" in body else parent
    if folder.type and wanted_title != title:
        raise OXError("MSG-0098", fid)
    if folder.type and wanted_parent != parent:
        raise OXError("MSG-0099", fid)
    _check_title(wanted_title)
    name = wanted_parent + "/" + wanted_title if wanted_parent else wanted_title
    if name != folder.name:
        if name in x.mailbox.folders:
            raise OXError("MSG-0063", wanted_title)
        if name.startswith(folder.name + "/"):
            raise OXError("FLD-1027", fid)
        folder = x.mailbox.rename(folder.name, name)
    if "subscribed" in body and not folder.type:
        folder.subscribed = bool(body["subscribed"])
    sync = body.get("used_for_sync")
    if isinstance(sync, dict):
        folder.used_for_sync = str(sync.get("value")).lower() == "true"
    return folder.id, x.box.now()


def _ids(x):
    if not isinstance(x.body, list) or not all(isinstance(i, str) for i in x.body):
        raise OXError("SVL-0020", "ids", violation=("malformed-body", x.action))
    return x.body


def delete(x):
    refused, reason = [], None
    for fid in _ids(x):
        try:
            _delete_one(x, fid)
        except OXError as error:
            if x.flag("failOnError"):
                raise
            refused.append(fid)
            reason = reason or error
    if reason is None:
        return [], x.box.now()
    # Refused ids: data and the first problem as a warning (0.2).
    envelope = {"data": refused, "timestamp": x.box.now()}
    envelope.update(reason.fields(), category=13, categories="WARNING")
    return {"": envelope}


def _delete_one(x, fid):
    folder = x.mailbox.by_id(fid)
    if folder is None:
        find(x, fid)
        raise OXError("FLD-1026", fid)
    if folder.type:
        raise OXError("MSG-0097", fid)
    trash = x.mailbox.special(12)
    if x.flag("hardDelete") or trash is None or folder.name.startswith(trash.name + "/"):
        x.mailbox.remove(folder.name)
    else:
        x.mailbox.rename(folder.name, x.mailbox.free_name(trash.name, folder.title))


def clear(x):
    for fid in _ids(x):
        folder = x.mailbox.by_id(fid)
        if folder is None:
            find(x, fid)
            continue
        folder.remove_all()
    return [], x.box.now()


HANDLERS = {
    ("folders", "root"): root,
    ("folders", "list"): list_,
    ("folders", "path"): path,
    ("folders", "get"): get,
    ("folders", "allVisible"): all_visible,
    ("folders", "updates"): updates,
    ("folders", "shares"): shares,
    ("folders", "new"): new,
    ("folders", "update"): update,
    ("folders", "delete"): delete,
    ("folders", "clear"): clear,
    ("sync", "refresh_server"): clear,
}
