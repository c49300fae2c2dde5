# SPDX-License-Identifier: Apache-2.0
"""Module `mail` (section 3)."""
import re

import facts
import mailsearch
import mailstore
import mimeview
from envelope import RawJSON, callback, encode
from mod_config import hard_delete
from oxerrors import OXError
from webserver import Response

_ENCODED_LISTING = 1000       # listings longer than this are kept encoded until the folder changes
_LISTINGS = 8


# -- rows ---------------------------------------------------------------------------------------

def _getters(x, folder):
    """Column -> function of a mail."""
    shift = x.zone_offset()
    env = mailstore.Mail.envelope

    def when(value):
        return shift(value) if shift else value

    return {
        102: lambda m: m.label,
        309: lambda m: len(folder.mails), 310: lambda m: 0, 311: lambda m: folder.unread,
        312: lambda m: folder.deleted,
        600: lambda m: str(m.uid), 601: lambda m: folder.id, 602: lambda m: m.summary()[0],
        603: lambda m: env(m)["from"], 604: lambda m: env(m)["to"], 605: lambda m: env(m)["cc"],
        606: lambda m: env(m)["bcc"], 607: lambda m: env(m)["subject"], 608: lambda m: m.size,
        609: lambda m: when(env(m)["sent"]), 610: lambda m: when(m.received),
        611: mailstore.Mail.mask, 612: lambda m: 0, 613: lambda m: env(m)["receipt"],
        614: lambda m: env(m)["priority"], 615: lambda m: None,
        650: lambda m: folder.id, 651: lambda m: bool(m.flags & mailstore.SEEN),
        652: lambda m: "E-Mail", 653: lambda m: "default0",
        654: lambda m: str(m.uid), 655: lambda m: folder.id,
        656: lambda m: env(m)["content_type"],
        657: lambda m: bool(m.flags & mailstore.ANSWERED),
        658: lambda m: bool(m.flags & mailstore.FORWARDED),
        659: lambda m: bool(m.flags & mailstore.DRAFT),
        660: lambda m: bool(m.flags & mailstore.FLAGGED),
        661: lambda m: when(m.received), 662: lambda m: m.summary()[1],
        663: lambda m: m.summary()[1],
    }


def _header_getters(x):
    names = [n for n in x.params.get("headers", "").split(",") if n.strip()]

    def getter(name):
        key = name.strip().lower()

        def value(mail):
            found = mail.envelope()["headers"].get(key)
            return ", ".join(mimeview.decode(v) for v in found) if found else None
        return value
    return [getter(n) for n in names]


def _rows(x, folder, mails):
    table = _getters(x, folder)
    getters = [table[c] for c in x.columns()] + _header_getters(x)
    return [[get(mail) for get in getters] for mail in mails]


_SORT_KEYS = {
    102: lambda m: m.label,
    602: lambda m: m.summary()[0],
    603: lambda m: _first(m.envelope()["from"]), 604: lambda m: _first(m.envelope()["to"]),
    605: lambda m: _first(m.envelope()["cc"]),
    607: lambda m: (m.envelope()["subject"] or "").lower(),
    608: lambda m: m.size, 609: lambda m: m.envelope()["sent"] or 0,
    651: lambda m: m.flags & mailstore.SEEN, 657: lambda m: m.flags & mailstore.ANSWERED,
    658: lambda m: m.flags & mailstore.FORWARDED, 659: lambda m: m.flags & mailstore.DRAFT,
    660: lambda m: m.flags & mailstore.FLAGGED,
}
_BY_DATE = (610, 661)


def _first(people):
    return ((people[0][0] or people[0][1]) if people else "").lower()


def _order(x):
    """(sort column, descending)"""
    sort = x.params.get("sort")
    order = x.params.get("order", "").lower()
    if order not in ("", "asc", "desc"):
        raise x.invalid("order")
    if sort is None:
        return 610, order != "asc"
    if not order:
        raise OXError("SVL-0002", "order", violation=("missing-parameter", "order"))
    if sort == "thread":
        return 610, order == "desc"
    if not sort.isdigit() or int(sort) not in facts.MAIL_SORTS:
        raise OXError("SVL-0010", "sort", violation=("unknown-sort", sort))
    return int(sort), order == "desc"


def _limits(x):
    """(left, right) or None: `limit=n`, `limit=from,to` or the two older parameters."""
    text = x.params.get("limit")
    if text is not None:
        if not re.fullmatch(r"\d+(,\d+)?", text):
            raise x.invalid("limit")
        numbers = [int(n) for n in text.split(",")]
        return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    left, right = x.number("left_hand_limit"), x.number("right_hand_limit")
    if left is None and right is None:
        return None
    if left is None or right is None or left < 0 or right < left:
        raise x.invalid("left_hand_limit")
    return left, right


def _folder(x, fid=None):
    fid = x.params["folder"] if fid is None else fid
    folder = x.mailbox.by_id(fid) if isinstance(fid, str) else None
    if folder is None:
        if fid == mailstore.ROOT:
            raise OXError("MSG-0050", fid)
        raise OXError("IMAP-1002", fid)
    return folder


def _sorted(mails, column, descending):
    if column in _BY_DATE:
        key = lambda m: (m.received, m.uid)
    else:
        chosen = _SORT_KEYS[column]
        key = lambda m: (chosen(m), m.received, m.uid)
    return sorted(mails, key=key, reverse=descending)


def _select(x, folder):
    column, descending = _order(x)
    limits = _limits(x)
    unseen = x.flag("unseen")
    hide_deleted = "deleted" in x.params and not x.flag("deleted")
    if column in _BY_DATE and not unseen and not hide_deleted:
        if limits:
            return folder.window(descending, *limits)
        return folder.ordered(descending)
    mails = [m for m in folder.mails.values()
             if not (unseen and m.flags & mailstore.SEEN)
             and not (hide_deleted and m.flags & mailstore.DELETED)]
    mails = _sorted(mails, column, descending)
    return mails[limits[0]:limits[1]] if limits else mails


def all_(x):
    folder = _folder(x)
    key = tuple(sorted((k, v) for k, v in x.params.items() if k not in ("session", "folder")))
    kept = folder.listings.get((x.params["folder"],) + key)
    if kept:
        return RawJSON(kept)
    rows = _rows(x, folder, _select(x, folder))
    if len(rows) < _ENCODED_LISTING:
        return rows
    encoded = encode(rows)
    if len(folder.listings) >= _LISTINGS:
        folder.listings.clear()
    folder.listings[(x.params["folder"],) + key] = encoded
    return RawJSON(encoded)


def _uid(value):
    return int(value) if isinstance(value, (str, int)) and re.fullmatch(r"\d{1,10}", str(value)) \
        else -1


def _pairs(x):
    """The [{"folder","id"},...] of list and delete."""
    if not isinstance(x.body, list):
        raise OXError("SVL-0020", "body", violation=("malformed-body", x.action))
    for item in x.body:
        if not isinstance(item, dict) or "folder" not in item or "id" not in item:
            raise OXError("SVL-0020", "body", violation=("malformed-body", x.action))
    return x.body


def list_(x):
    """Rows of the mails that exist; an id that is gone has no row."""
    rows = []
    for item in _pairs(x):
        folder = _folder(x, item["folder"])
        mail = folder.mails.get(_uid(item["id"]))
        if mail:
            rows += _rows(x, folder, [mail])
    return rows


def search(x):
    folder = _folder(x)
    body = x.body.get("filter") if isinstance(x.body, dict) else None
    if body is None:
        raise OXError("SVL-0020", "filter", violation=("malformed-body", "search"))
    try:
        wanted = mailsearch.compile_filter(body)
    except mailsearch.BadFilter as bad:
        raise OXError("SVL-0010", "filter", violation=("search-filter", str(bad))) from None
    column, descending = _order(x)
    limits = _limits(x)
    hide = not x.flag("deleted") if "deleted" in x.params else x.box.settings["flavour"] == "8"
    unseen = x.flag("unseen")
    mails = [m for m in folder.mails.values()
             if not (hide and m.flags & mailstore.DELETED)
             and not (unseen and m.flags & mailstore.SEEN) and wanted(m)]
    mails = _sorted(mails, column, descending)
    return _rows(x, folder, mails[limits[0]:limits[1]] if limits else mails)


def updates(x):
    """IMAP keeps no change log: always empty (3.2)."""
    _folder(x)
    x.columns()
    return []


def count(x):
    folder = _folder(x)
    return folder.unread if x.flag("unseen") else len(folder.mails)


def examine(x):
    if not x.box.settings["examine"]:
        raise OXError("MSG-0087")
    folder = _folder(x)
    answer = {"validity": folder.validity, "total": len(folder.mails), "unread": folder.unread,
              "next": folder.next}
    if x.box.settings["modseq"] and x.box.settings["flavour"] == "8":
        answer["modseq"] = folder.modseq
    return answer


# -- one mail -----------------------------------------------------------------------------------

_VIEWS = ("raw", "text", "textNoHtmlAttach", "html", "noimg", "document")


def _find(x, folder, required=True):
    if "id" in x.params:
        mail = folder.mails.get(_uid(x.params["id"]))
    elif "message_id" in x.params:
        mail = next((m for m in folder.mails.values()
                     if m.envelope()["message_id"] == x.params["message_id"]), None)
    else:
        raise OXError("SVL-0002", "id", violation=("missing-parameter", "id"))
    if mail is None and required:
        raise OXError("MSG-0032", x.params.get("id", ""), folder.id)
    return mail


def get(x):
    folder = _folder(x)
    view = x.params.get("view", "noimg")
    if view not in _VIEWS:
        raise x.invalid("view")
    max_size = x.number("max_size", 0)
    src, hdr, save = x.flag("src"), x.flag("hdr"), x.flag("save")
    mail = _find(x, folder)
    was = mail.flags
    if not x.flag("unseen"):
        folder.set_flags(mail, mailstore.SEEN)
    if src and save:
        return Response(mail.source(), ctype="application/octet-stream", headers=[
            ("Content-Disposition", "attachment; filename=\"mail-%d.eml\"" % mail.uid)])
    if src:
        return _guess(mail.source())
    if hdr:
        return _guess(mimeview.header_block(mail.source()))
    return mail_object(x, folder, mail, view, max_size, was), x.box.now()


def _guess(data):
    """How OX makes a string of a source: wrong for 8-bit content that is no UTF-8 (3.5)."""
    return data.decode("utf-8", "replace")


def mail_object(x, folder, mail, view, max_size, was):
    shift = x.zone_offset() or (lambda value: value)
    env = mail.envelope()
    raw = mail.source()
    head = mimeview.header_map(raw)
    attachments, nested, truncated = mimeview.body_entries(mimeview.parse(raw), view, max_size)
    shown = {name.title(): mimeview.decode(values[0]) if len(values) == 1
             else [mimeview.decode(v) for v in values]
             for name, values in head.items()
             if name not in ("from", "to", "cc", "bcc", "subject", "date", "content-type",
                             "reply-to", "disposition-notification-to", "x-priority")}
    result = {
        "id": str(mail.uid), "folder_id": folder.id, "subject": env["subject"],
        "from": env["from"], "to": env["to"], "cc": env["cc"], "bcc": env["bcc"],
        "reply_to": env["reply_to"], "sent_date": shift(env["sent"]),
        "received_date": shift(mail.received), "flags": mail.mask(), "user": list(mail.keywords),
        "color_label": mail.label, "priority": env["priority"] or 3, "size": mail.size,
        "unread": 0 if was & mailstore.SEEN else 1, "attachment": mail.summary()[0],
        "disp_notification_to": env["receipt"], "msgref": None, "headers": shown,
        "attachments": attachments, "nested_msgs": nested, "authenticity": {},
        "account_name": "E-Mail", "account_id": "default0", "content_type": env["content_type"],
    }
    if truncated:
        result["truncated"] = True
    if x.flag("attach_src"):
        result["source"] = _guess(raw)
    if x.flag("estimate_length"):
        result["estimated_length"] = len(raw)
    return result


def attachment(x):
    folder = _folder(x)
    mail = _find(x, folder)
    number, cid = x.params.get("attachment"), x.params.get("cid")
    if number is None and cid is None:
        raise OXError("SVL-0002", "attachment", violation=("missing-parameter", "attachment"))
    part = mimeview.find_part(mimeview.parse(mail.source()), number, cid)
    if part is None:
        raise OXError("MSG-0049", number or cid, mail.uid)
    data = mimeview.part_bytes(part)
    name = mimeview.filename(part) or "attachment"
    save = x.flag("save")
    ctype = "application/octet-stream" if save else part.get_content_type()
    plain = "".join(c if c.isascii() and c.isprintable() and c not in "\"\\" else "_"
                    for c in name)
    return Response(data, ctype=ctype, headers=[
        ("Content-Disposition", "%s; filename=\"%s\"" % ("attachment" if save else "inline",
                                                         plain))])


# -- changes ------------------------------------------------------------------------------------

def _mask(x, body, name):
    value = body.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise x.invalid(name)
    if value & ~facts.WRITABLE_FLAGS:
        x.misuse("flag-not-writable", "%s %d" % (name, value))
    return value & facts.WRITABLE_FLAGS


def update(x):
    folder = _folder(x)
    body = x.body
    if not isinstance(body, dict) or not body:
        raise OXError("SVL-0020", "body", violation=("malformed-body", "update"))
    for name in sorted(set(body) - facts.MAIL_UPDATE_FIELDS):
        x.misuse("unknown-field", name)
    set_mask, clear_mask = _mask(x, body, "set_flags"), _mask(x, body, "clear_flags")
    if "flags" in body:
        mask = _mask(x, body, "flags")
        if body.get("value", True):
            set_mask |= mask
        else:
            clear_mask |= mask
    label = body.get("color_label")
    if label is not None and (not isinstance(label, int) or not 0 <= label <= 10):
        raise x.invalid("color_label")
    target = _folder(x, body["folder_id"]) if "folder_id" in body else None
    if set_mask & 128:                    # spam: the handler moves the mail (3.4)
        target = x.mailbox.special(11)
    if "id" in x.params or "message_id" in x.params:
        mail = _find(x, folder, required=target is not None)
        mails = [mail] if mail else []
    else:
        mails = list(folder.mails.values())
    last = x.params.get("id")
    for mail in mails:
        folder.set_flags(mail, set_mask & ~128, clear_mask)
        if label is not None:
            folder.set_label(mail, label)
        last = str(mail.uid)
        if target is not None and target is not folder:
            folder.remove(mail.uid)
            last = str(target.add(mail))
    return {"folder_id": (target or folder).id, "id": last}


def copy(x):
    folder = _folder(x)
    if not isinstance(x.body, dict) or "folder_id" not in x.body:
        raise OXError("SVL-0020", "folder_id", violation=("malformed-body", "copy"))
    target = _folder(x, x.body["folder_id"])
    mail = _find(x, folder)
    return {"folder_id": target.id, "id": str(target.add(mail.copy()))}


def _discard(x, folder, uids, hard):
    """To the trash, or for good (3.6)."""
    trash = x.mailbox.special(12)
    final = hard or trash is None or folder is trash \
        or folder.name.startswith(trash.name + "/") or hard_delete(x.user)
    for uid in uids:
        mail = folder.remove(uid)
        if mail and not final:
            trash.add(mail)


def delete(x):
    hard = x.flag("harddelete")
    for item in _pairs(x):
        folder = _folder(x, item["folder"])
        _discard(x, folder, [_uid(item["id"])], hard)
    return []


def _folder_ids(x):
    if not isinstance(x.body, list) or not all(isinstance(i, str) for i in x.body):
        raise OXError("SVL-0020", "body", violation=("malformed-body", x.action))
    return [_folder(x, fid) for fid in x.body]


def clear(x):
    for folder in _folder_ids(x):
        _discard(x, folder, list(folder.mails), x.flag("harddelete"))
    return []


def expunge(x):
    for folder in _folder_ids(x):
        for uid in [u for u, m in folder.mails.items() if m.flags & mailstore.DELETED]:
            folder.remove(uid)
    return []


def all_seen(x):
    folder = _folder(x)
    for mail in folder.mails.values():
        folder.set_flags(mail, mailstore.SEEN)
    return True


def import_(x):
    folder = _folder(x)
    flags = x.number("flags", 0)
    files = _files(x)
    done = []
    for raw in files:
        mail = mailstore.Mail(x.box.now(), raw, flags=flags & facts.WRITABLE_FLAGS)
        done.append({"folder_id": folder.id, "id": str(folder.add(mail))})
    if x.flag("force_json_response"):
        return done
    return Response(callback("import", encode({"data": done})), ctype="text/html; charset=UTF-8")


def _files(x):
    """File parts of a multipart/form-data body, byte exact."""
    ctype = x.request.headers.get("content-type", "")
    found = re.search(r"boundary=\"?([^\";]+)", ctype)
    if not ctype.lower().startswith("multipart/form-data") or not found:
        raise OXError("SVL-0020", "multipart", violation=("content-type", ctype))
    mark = b"--" + found.group(1).encode()
    files = []
    for piece in (b"\r\n" + x.request.body).split(b"\r\n" + mark)[1:]:
        if piece.startswith(b"--"):
            break
        head, _, data = piece.partition(b"\r\n\r\n")
        if b"filename" in head.lower():
            files.append(data)
    if not files:
        raise OXError("SVL-0024", violation=("missing-body", "import"))
    return files


HANDLERS = {
    ("mail", "all"): all_,
    ("mail", "list"): list_,
    ("mail", "search"): search,
    ("mail", "updates"): updates,
    ("mail", "get"): get,
    ("mail", "count"): count,
    ("mail", "examine"): examine,
    ("mail", "update"): update,
    ("mail", "copy"): copy,
    ("mail", "delete"): delete,
    ("mail", "clear"): clear,
    ("mail", "expunge"): expunge,
    ("mail", "all_seen"): all_seen,
    ("mail", "import"): import_,
    ("mail", "attachment"): attachment,
}
