# SPDX-License-Identifier: Apache-2.0
"""Modules `config`, `user`, `capabilities` and `system` (8.1, 8.2, 8.4, 1.3, 1.10)."""
from oxerrors import OXError

VERSIONS = {"7.10": "7.10.6-Rev45", "8": "8.20.0"}


def tree(x):
    """The configuration tree of the user; leaves are values, nodes are objects."""
    user = x.user
    folder = user.default_folders
    mail_folders = {name: f.id for name, f in (
        ("inbox", user.mailbox.special(7)), ("drafts", user.mailbox.special(9)),
        ("sent", user.mailbox.special(10)), ("trash", user.mailbox.special(12)),
        ("spam", user.mailbox.special(11))) if f}
    modules = {name: {"module": name in ("mail", "calendar", "contacts", "tasks", "folder")}
               for name in ("mail", "calendar", "contacts", "tasks", "folder", "infostore")}
    modules["com.openexchange.usm.eas"] = {"module": "active_sync" in user.capabilities}
    return {
        "identifier": user.id, "context_id": user.context, "contact_id": user.id,
        "language": user.locale, "timezone": user.timezone,
        "serverVersion": VERSIONS[x.box.settings["flavour"]], "currentTime": x.box.now(),
        "maxUploadIdleTimeout": 300000, "minimumSearchCharacters": 0,
        "mail": {"addresses": [user.address, "%s.alias@%s" % (user.login, user.domain)],
                 "defaultaddress": user.address, "sendaddress": user.address,
                 "folder": mail_folders, "harddelete": False, "deletemail": False,
                 "nocopytosent": False, "htmlinline": True, "linewrap": 80},
        "folder": {name: number for name, number in folder.items()},
        "modules": modules,
    }


def _merge(base, path, value):
    node = base
    for word in path[:-1]:
        node = node.setdefault(word, {})
    node[path[-1]] = value


def _lookup(x, path):
    whole = tree(x)
    for written, value in x.user.config.items():
        _merge(whole, written.split("/"), value)
    for word in filter(None, path.split("/")):
        if not isinstance(whole, dict) or word not in whole:
            return None
        whole = whole[word]
    return whole


def config(x):
    path = x.params.get("path", "").strip("/")
    if x.method == "GET" or x.in_multiple:
        return _lookup(x, path)
    if not isinstance(x.body, dict) or "data" not in x.body or not path:
        raise OXError("SVL-0020", "config needs a path and {\"data\": value}",
                      violation=("malformed-body", "config"))
    x.user.config[path] = x.body["data"]
    return None


def get_property(x):
    return {"name": x.params["name"], "value": _lookup(x, x.params["name"])}


def hard_delete(user):
    """The user's setting that mails are destroyed instead of moved to the trash (3.6)."""
    return any(user.config.get(name) is True for name in ("mail/harddelete", "mail/deletemail"))


def capabilities_all(x):
    return [{"id": name, "attributes": {}} for name in x.user.capabilities]


def capabilities_get(x):
    wanted = x.params["id"]
    return {"id": wanted, "attributes": {}} if wanted in x.user.capabilities else {}


def me(x):
    return {"context_id": x.user.context, "user_id": x.user.id, "context_admin": 2,
            "login_name": x.user.login, "display_name": x.user.name}


def user_get(x):
    wanted = x.number("id", x.user.id)
    for user in x.box.directory.users:
        if user.context == x.user.context and user.id == wanted:
            first, _, last = user.name.partition(" ")
            return {"id": user.id, "folder_id": 6, "user_id": user.id, "display_name": user.name,
                    "first_name": first, "last_name": last, "email1": user.address,
                    "aliases": [user.address, "%s.alias@%s" % (user.login, user.domain)],
                    "timezone": user.timezone, "locale": user.locale, "groups": [0, 1],
                    "contact_id": user.id, "login_info": user.login, "guest_created_by": 0}
    raise x.invalid("id")


def ping(x):
    return True


HANDLERS = {
    ("config", ""): config,
    ("config", "get_property"): get_property,
    ("capabilities", "all"): capabilities_all,
    ("capabilities", "get"): capabilities_get,
    ("user", "get"): user_get,
    ("user/me", ""): me,
    ("system", "ping"): ping,
}
