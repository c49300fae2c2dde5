# SPDX-License-Identifier: Apache-2.0
"""The one table of what the sandbox understands: module -> action -> facts.

Sources: the OX HTTP API description (Swagger, level 7.10.2) and, where that is older, the
API reference; every such difference is listed in NEWER with the section of the reference
that describes it.  The dispatcher checks requests against this table and nothing else.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    method: str
    required: frozenset
    optional: frozenset
    form_required: frozenset = frozenset()   # fields of a form body (login)
    form_optional: frozenset = frozenset()
    columns: str = ""                        # name of the column table, "" = no columns
    body: str = "none"                       # none | form | json | raw | multipart
    answer: str = "json"                     # json | file (0.2: errors depend on Accept)
    session: bool = True
    in_multiple: bool = True


def _words(text):
    return frozenset(text.split())


def _act(method, required="", optional="", form="", form_optional="", **rest):
    if form and "body" not in rest:
        rest["body"] = "form"
    return Action(method, _words(required), _words(optional), _words(form),
                  _words(form_optional), **rest)


_FOLDER = " tree allowed_modules language timezone"
_WINDOW = " limit left_hand_limit right_hand_limit"

MODULES = {
    "login": {
        "login": _act("POST", "", "authId", "name password",
                      "client version clientIP clientUserAgent rampup rampupFor",
                      session=False, in_multiple=False),
        "logout": _act("GET", in_multiple=False),
        "store": _act("GET", in_multiple=False),
        "refreshSecret": _act("GET", in_multiple=False),
        "changeip": _act("POST", "clientIP", in_multiple=False),
        "autologin": _act("GET", "", "client authId", session=False, in_multiple=False),
    },
    "folders": {
        "root": _act("GET", "columns", _FOLDER, columns="folders"),
        "list": _act("GET", "parent columns", "all errorOnDuplicateName" + _FOLDER,
                     columns="folders"),
        "path": _act("GET", "id columns", _FOLDER, columns="folders"),
        "get": _act("GET", "id", _FOLDER),
        "allVisible": _act("GET", "content_type columns", _FOLDER, columns="folders"),
        "updates": _act("GET", "parent timestamp columns", "ignore" + _FOLDER, columns="folders"),
        "shares": _act("GET", "content_type columns", "all" + _FOLDER, columns="folders"),
        "new": _act("PUT", "folder_id", "pushToken" + _FOLDER, body="json"),
        "update": _act("PUT", "id timestamp", "cascadePermissions allow_enqueue pushToken"
                       + _FOLDER, body="json"),
        "delete": _act("PUT", "", "timestamp hardDelete failOnError extendedResponse pushToken"
                       + _FOLDER, body="json"),
        "clear": _act("PUT", "", "pushToken" + _FOLDER, body="json"),
    },
    "sync": {
        "refresh_server": _act("PUT", body="json"),
    },
    "mail": {
        "all": _act("GET", "folder columns", "headers unseen deleted sort order timezone"
                    + _WINDOW, columns="mail"),
        "list": _act("PUT", "columns", "headers timezone", columns="mail", body="json"),
        "search": _act("PUT", "folder columns", "headers unseen deleted sort order limit timezone",
                       columns="mail", body="json"),
        "updates": _act("GET", "folder columns", "headers ignore timestamp timezone",
                        columns="mail"),
        "get": _act("GET", "folder", "id message_id edit view forceImages unseen max_size "
                    "attach_src estimate_length pregenerate_previews no_nested_message decrypt "
                    "cryptoAuth hdr src save ignorable timezone"),
        "count": _act("GET", "folder", "unseen"),
        "examine": _act("GET", "folder"),
        "update": _act("PUT", "folder", "id message_id", body="json"),
        "copy": _act("PUT", "folder id", body="json"),
        "delete": _act("PUT", "", "timestamp harddelete returnAffectedFolders", body="json"),
        "clear": _act("PUT", "", "timestamp harddelete", body="json"),
        "expunge": _act("PUT", body="json"),
        "all_seen": _act("PUT", "folder"),
        "import": _act("POST", "folder", "flags force force_json_response", body="multipart",
                       in_multiple=False),
        "attachment": _act("GET", "folder id", "attachment cid save filter allow_nested_messages "
                           "scan as_json decrypt cryptoAuth", answer="file", in_multiple=False),
    },
    "multiple": {
        "": _act("PUT", "", "continue", body="json", in_multiple=False),
    },
    "config": {
        "": _act("GET|PUT", "", "path", body="json"),
        "get_property": _act("GET", "name"),
    },
    "capabilities": {
        "all": _act("GET"),
        "get": _act("GET", "id"),
    },
    "user": {
        "get": _act("GET", "", "id timezone"),
    },
    "user/me": {
        "": _act("GET"),
    },
    "system": {
        "ping": _act("GET", session=False, in_multiple=False),
    },
}

# (module, action, parameter or None for the whole action) -> section of the API reference.
# Action "*" stands for all actions of the module.
NEWER = {
    ("folders", "*", "timezone"): "2 (optional on all actions)",
    ("folders", "*", "language"): "2 (optional on all actions)",
    ("folders", "*", "allowed_modules"): "2 (optional on all actions)",
    ("mail", "*", "timezone"): "0.4",
    ("mail", "search", "limit"): "3.2",
    ("mail", "updates", "timestamp"): "3.2",
    ("mail", "get", "hdr"): "3.5",
    ("mail", "get", "src"): "3.5",
    ("mail", "get", "ignorable"): "3.5",
    ("mail", "count", "unseen"): "3.2",
    ("mail", "clear", "harddelete"): "3.2",
    ("mail", "expunge", None): "3.2",
    ("mail", "import", "force_json_response"): "0.3",
    ("user", "get", "timezone"): "0.4",
    ("system", "ping", None): "1.3",
}

COLUMNS = {
    "folders": {
        1: "id", 2: "created_by", 3: "modified_by", 4: "creation_date", 5: "last_modified",
        6: "last_modified_utc", 20: "folder_id", 300: "title", 301: "module", 302: "type",
        304: "subfolders", 305: "own_rights", 306: "permissions", 307: "summary",
        308: "standard_folder", 309: "total", 310: "new", 311: "unread", 312: "deleted",
        313: "capabilities", 314: "subscribed", 315: "subscr_subflds",
        316: "standard_folder_type", 317: "supported_capabilities", 318: "account_id",
        319: "folder_name", 320: "origin", 321: "used_for_sync",
        3010: "com.openexchange.publish.publicationFlag",
        3020: "com.openexchange.subscribe.subscriptionFlag",
        3030: "com.openexchange.folderstorage.displayName",
        3031: "com.openexchange.folderstorage.accountError",
        3060: "com.openexchange.share.extendedPermissions",
        3201: "com.openexchange.calendar.extendedProperties",
        3203: "com.openexchange.calendar.provider",
        3204: "com.openexchange.calendar.accountError",
        3205: "com.openexchange.calendar.config",
        3220: "com.openexchange.caldav.url",
        3301: "com.openexchange.contacts.extendedProperties",
    },
    "mail": {
        102: "color_label", 309: "total", 310: "new", 311: "folder_unread", 312: "deleted",
        600: "id", 601: "folder_id", 602: "attachment", 603: "from", 604: "to", 605: "cc",
        606: "bcc", 607: "subject", 608: "size", 609: "sent_date", 610: "received_date",
        611: "flags", 612: "level", 613: "disp_notification_to", 614: "priority", 615: "msgref",
        650: "folder", 651: "flag_seen", 652: "account_name", 653: "account_id",
        654: "original_id", 655: "original_folder_id", 656: "content_type", 657: "answered",
        658: "forwarded", 659: "draft", 660: "flagged", 661: "date", 662: "text_preview",
        663: "text_preview_computed",
    },
}

# What `sort` of mail accepts (3.2, 3.3), besides "thread".
MAIL_SORTS = frozenset((102, 602, 603, 604, 605, 607, 608, 609, 610, 651, 657, 658, 659, 660,
                        661))

# Fields of a mail search filter (3.9).
SEARCH_FIELDS = frozenset("from to cc bcc subject received_date sent_date size flags content "
                          "content_type disp priority".split())

# Body fields of mail update (3.6); flag bits a client may write (3.4).
MAIL_UPDATE_FIELDS = frozenset(("folder_id", "color_label", "set_flags", "clear_flags", "flags",
                                "value"))
WRITABLE_FLAGS = 1 | 2 | 4 | 8 | 32 | 128 | 256 | 512

# Body fields of folders new and update.
FOLDER_BODY_FIELDS = frozenset(("title", "folder_id", "module", "subscribed", "permissions",
                                "summary", "used_for_sync", "type"))
