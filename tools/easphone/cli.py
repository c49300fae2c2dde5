# SPDX-License-Identifier: Apache-2.0
"""The easphone command."""
import argparse
import base64
import getpass
import json
import os
import sys

from . import options, show, wbxml
from .client import Phone
from .errors import HttpError, LostAnswer, ProtocolViolation, StatusError, TransportError, WbxmlError
from .fetching import Fetch
from .model import Mailbox
from .node import from_xml, to_xml
from .options import BodyPreference, Coll, mail_options
from .tables import VERSIONS, TableError

EPILOG = """\
examples:
  easphone --url https://mail.example.com --user bob@example.com --password-file pw setup
  easphone --url https://mail.example.com --user bob@example.com --password-file pw --state bob.json sync Inbox
  easphone --state bob.json mail Inbox
  easphone wbxml decode answer.wbxml

With --state FILE the phone remembers folders, keys, mails, and the URL and user it was used with, so later commands
need neither (the password is asked again; where it comes from is remembered). Folders are given by name (Inbox), path (Projects/2026) or id. Mails are given by the ID that "mail" shows.
"""


class UsageError(Exception):
    """a sentence for the user"""


def parser():
    p = argparse.ArgumentParser(prog="easphone", description="A scripted ActiveSync phone.", epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--url", help="server, for example https://mail.example.com (path added when it has none)")
    p.add_argument("--user", help="login name")
    p.add_argument("--password-file", metavar="FILE", help="first line is the password")
    p.add_argument("--password-env", metavar="VAR", help="environment variable that holds the password")
    p.add_argument("--latin1", action="store_true", help="send name and password as ISO-8859-1 instead of UTF-8")
    p.add_argument("--version", choices=VERSIONS, help="protocol version (default: 14.1, or the one in the state file)")
    p.add_argument("--device-id", metavar="ID", help="default EASPHONE0001")
    p.add_argument("--device-type", metavar="TYPE", help="default easphone")
    p.add_argument("--base64-query", action="store_true", help="send the query in its base64 form (12.1 and later)")
    p.add_argument("--no-gzip", action="store_true", help="do not offer compression")
    p.add_argument("--insecure", action="store_true", help="accept any TLS certificate")
    p.add_argument("--ca", metavar="FILE", help="trust this certificate")
    p.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds to wait for an answer (default 60)")
    p.add_argument("--state", metavar="FILE", help="remember the mailbox between runs")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.add_argument("--trace", action="store_true", help="print every request and answer as XML to stderr")
    commands = p.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, text, *arguments):
        sub = commands.add_parser(name, help=text, description=text)
        for names, settings in arguments:
            sub.add_argument(*names, **settings)

    def argument(*names, **settings):
        return names, settings

    folder = argument("folder", nargs="?", default="Inbox", help="name, path or id (default Inbox)")
    shape = [argument("--filter", type=int, default=0, help="age: 0 all, 1 day, 2 3 days, 3 week, 4 2 weeks, 5 month"),
             argument("--body", type=int, choices=(1, 2, 4), default=1, help="1 plain, 2 HTML, 4 MIME"),
             argument("--truncate", type=int, default=512, metavar="BYTES", help="body bytes per mail (default 512)"),
             argument("--window", type=int, metavar="N", help="changes per answer")]
    command("options", "ask what the server can do")
    command("foldersync", "bring the list of folders up to date and show it")
    command("sync", "bring a folder up to date and show what changed", folder, *shape)
    command("setup", "what a phone does first: options, folders, all mail folders", *shape)
    command("mail", "show the mails of a folder as the phone has them", folder,
            argument("--limit", type=int, default=None, metavar="N", help="newest N only"))
    command("fetch", "get one mail whole and show it", argument("id"),
            argument("--body", type=int, choices=(1, 2, 4), default=1, help="1 plain, 2 HTML, 4 MIME"))
    command("attachment", "get one attachment", argument("reference", help="as the fetch command shows it"),
            argument("--output", "-o", metavar="FILE", help="default: standard output"),
            argument("--range", metavar="M-N", help="only these bytes (12.0 and later)"))
    command("estimate", "how many changes the next sync of a folder would bring", folder,
            argument("--filter", type=int, default=None))
    for name, text in (("read", "mark as read"), ("unread", "mark as unread"), ("flag", "set the flag"),
                       ("unflag", "clear the flag")):
        command(name, "%s, on phone and server" % text, argument("id", nargs="+"))
    command("delete", "delete mails, on phone and server", argument("id", nargs="+"),
            argument("--final", action="store_true", help="for good instead of into the trash"))
    command("wbxml", "convert between WBXML and XML", argument("direction", choices=("decode", "encode")),
            argument("file", help="- is standard input"), argument("--output", "-o", metavar="FILE"))
    return p


# ------------------------------------------------------------------------------------------------------------- helpers

def password(args):
    if args.password_file:
        with open(args.password_file, encoding="utf-8") as f:
            return f.readline().rstrip("\r\n")
    if args.password_env:
        if args.password_env not in os.environ:
            raise UsageError("the environment variable %s is not set" % args.password_env)
        return os.environ[args.password_env]
    if sys.stdin.isatty():
        return getpass.getpass("Password of %s: " % args.user)
    raise UsageError("no password: use --password-file or --password-env")


ACCOUNT = ("url", "user", "password_file", "password_env", "ca", "insecure", "device_id", "device_type")


def remember_account(args, mailbox):
    """Fill in what earlier runs with this state file were told, and keep it for the next. Never the password itself."""
    for name in ACCOUNT:
        if not getattr(args, name):
            setattr(args, name, mailbox.account.get(name))
    args.device_id = args.device_id or "EASPHONE0001"
    args.device_type = args.device_type or "easphone"
    mailbox.account = {name: getattr(args, name) for name in ACCOUNT}


def make_phone(args, mailbox):
    remember_account(args, mailbox)
    for name in ("url", "user"):
        if not getattr(args, name):
            raise UsageError("--%s is missing" % name)
    version = args.version or mailbox.version or "14.1"
    if mailbox.version not in (None, version):
        raise UsageError("%s belongs to a phone of version %s" % (args.state, mailbox.version))
    mailbox.version = version
    phone = Phone(args.url, args.user, password(args), device_id=args.device_id, device_type=args.device_type,
                  version=version, base64_query=args.base64_query, gzip=not args.no_gzip, tls_verify=not args.insecure,
                  ca_file=args.ca, policy_key=mailbox.policy_key, auth="latin-1" if args.latin1 else "utf-8",
                  timeout=args.timeout, mailbox=mailbox)
    if args.trace:
        phone.on_answer.append(trace)
    return phone


def trace(phone, command, request, answer):
    print("> %s %s" % (request.method, request.target), file=sys.stderr)
    if request.body:
        try:
            print(to_xml(wbxml.decode(request.body), header=False), end="", file=sys.stderr)
        except WbxmlError:
            print("(%d bytes)" % len(request.body), file=sys.stderr)
    print("< %d %s, %d bytes" % (answer.status, answer.response.reason, len(answer.response.raw)), file=sys.stderr)
    if answer.document:
        print(to_xml(answer.document, header=False), end="", file=sys.stderr)


def folder_id(phone, name):
    if not phone.mailbox.folders:
        phone.foldersync()
    cid = phone.mailbox.folder_named(name)
    if cid is None and name.lower() == "inbox":
        cid = phone.mailbox.folder_of_type(2)
    if cid is None:
        raise UsageError("no folder %r; \"foldersync\" shows what there is" % name)
    return cid


def locate(phone, sid):
    """the collection that holds a mail"""
    for cid, collection in phone.mailbox.collections.items():
        if sid in collection.items:
            return cid
    raise UsageError("this phone has no mail %s; \"mail\" shows what there is" % sid)


def wanted(phone, args):
    return mail_options(phone.version, filter=args.filter, body=args.body, truncation=args.truncate,
                        mime_support=2 if args.body == 4 else 0)


def emit(args, data, text):
    print(json.dumps(data, indent=1, ensure_ascii=False) if args.json else text)


def status_or_raise(result, what):
    if result.status != 1:
        raise StatusError("Sync", result.status, what)


# ------------------------------------------------------------------------------------------------------------ commands

def do_options(phone, args):
    found = phone.options()
    emit(args, found, "versions  %s\ncommands  %s\nserver    %s" %
         (", ".join(found["versions"]), ", ".join(found["commands"]), found["server"] or "-"))


def do_foldersync(phone, args):
    phone.foldersync()
    emit(args, phone.mailbox.folders, show.folders(phone.mailbox))


def sync_folder(phone, args, cid):
    """bring a folder up to date; options are sent when they differ from what the server remembers"""
    asked, stored = wanted(phone, args), phone.mailbox.collection(cid).options
    result = phone.sync_all(cid, None if stored == asked.plain() else asked, args.window)
    if result.status == 3:
        result = phone.sync_all(cid, asked, args.window)
    status_or_raise(result, phone.mailbox.path(cid))
    return result


def summary(result):
    parts = [(len(result.adds), "new"), (len(result.changes), "changed"), (len(result.deletes), "deleted"),
             (len(result.soft_deletes), "out of the time window")]
    return ", ".join("%d %s" % part for part in parts if part[0]) or "no changes"


def changes_plain(result):
    return {"added": result.adds, "changed": result.changes, "deleted": result.deletes,
            "soft_deleted": result.soft_deletes}


def do_sync(phone, args):
    cid = folder_id(phone, args.folder)
    result = sync_folder(phone, args, cid)
    shown = type(phone.mailbox.collection(cid))(items=result.adds)
    text = "%s: %s" % (phone.mailbox.path(cid), summary(result))
    emit(args, changes_plain(result), text + ("\n" + show.mails(shown) if result.adds else ""))


def do_setup(phone, args):
    found = phone.options()
    phone.foldersync()
    total = {cid: sync_folder(phone, args, cid) for cid in phone.mailbox.mail_folders()}
    text = "%s speaks versions %s\n\n%s\n" % (phone.connection.authority, ", ".join(found["versions"]),
                                             show.folders(phone.mailbox))
    for cid in phone.mailbox.mail_folders():
        if phone.mailbox.collection(cid).items:
            text += "\n%s\n%s\n" % (phone.mailbox.path(cid), show.mails(phone.mailbox.collection(cid)))
    emit(args, {"options": found, "folders": phone.mailbox.folders,
                "mails": {cid: changes_plain(result) for cid, result in total.items()}}, text)


def do_mail(mailbox, args):
    """what the phone has; needs no server"""
    cid = mailbox.folder_named(args.folder)
    if cid is None and args.folder.lower() == "inbox":
        cid = mailbox.folder_of_type(2)
    if cid is None or mailbox.collection(cid).key == "0":
        raise UsageError("%s was not synchronised yet; \"sync\" does that (and --state FILE keeps it)" % args.folder)
    emit(args, mailbox.collection(cid).items, show.mails(mailbox.collection(cid), args.limit))


def do_fetch(phone, args):
    if phone.version >= 120:
        found = phone.itemoperations(Fetch(locate(phone, args.id), args.id, bodies=[BodyPreference(args.body)],
                                           mime_support=2 if args.body == 4 else None))[0]
        if found.status != 1:
            raise StatusError("ItemOperations", found.status, args.id)
        item = found.item
    else:
        cid = locate(phone, args.id)
        status, item = phone.sync(Coll(cid, get_changes=0, commands=[options.fetch(args.id)]))[cid].fetches[args.id]
        if status != 1:
            raise StatusError("Sync Fetch", status, args.id)
    emit(args, item, show.mail(item))


def do_attachment(phone, args):
    if phone.version >= 120:
        found = phone.itemoperations(Fetch(reference=args.reference, range=args.range))[0]
        if found.status != 1:
            raise StatusError("ItemOperations", found.status, args.reference)
        data = found.data
    else:
        data = phone.getattachment(args.reference)[1]
    if args.output:
        with open(args.output, "wb") as out:
            out.write(data)
        emit(args, {"bytes": len(data)}, "%s: %d bytes" % (args.output, len(data)))
    elif args.json:
        emit(args, {"bytes": len(data), "base64": base64.b64encode(data).decode("ascii")}, "")
    else:
        sys.stdout.buffer.write(data)


def do_estimate(phone, args):
    cid = folder_id(phone, args.folder)
    status, number = phone.getitemestimate(cid, filter=args.filter)[cid]
    if status != 1:
        raise StatusError("GetItemEstimate", status, args.folder)
    emit(args, {"estimate": number}, "%s: %d" % (args.folder, number))


def do_commands(phone, args, make, deletes_as_moves=None):
    by_folder = {}
    for sid in args.id:
        by_folder.setdefault(locate(phone, sid), []).append(sid)
    out = {}
    for cid, ids in by_folder.items():
        result = phone.sync(Coll(cid, get_changes=0, deletes_as_moves=deletes_as_moves,
                                 commands=[make(sid) for sid in ids]))[cid]
        status_or_raise(result, phone.mailbox.path(cid))
        for sid in ids:
            status = result.change_responses.get(sid) or result.delete_responses.get(sid) or 1
            out[sid] = status
            if status != 1:
                raise StatusError("Sync", status, sid)
    emit(args, out, "\n".join("%s: done" % sid for sid in out))


COMMANDS = {
    "options": do_options, "foldersync": do_foldersync, "sync": do_sync, "setup": do_setup,
    "fetch": do_fetch, "attachment": do_attachment, "estimate": do_estimate,
    "read": lambda phone, args: do_commands(phone, args, options.set_read),
    "unread": lambda phone, args: do_commands(phone, args, lambda sid: options.set_read(sid, False)),
    "flag": lambda phone, args: do_commands(phone, args, options.set_flag),
    "unflag": lambda phone, args: do_commands(phone, args, lambda sid: options.set_flag(sid, 0)),
    "delete": lambda phone, args: do_commands(phone, args, options.delete, 0 if args.final else 1),
}


def do_wbxml(args):
    with sys.stdin.buffer if args.file == "-" else open(args.file, "rb") as f:
        data = f.read()
    if args.direction == "decode":
        out = to_xml(wbxml.decode(data)).encode("utf-8")
    else:
        out = wbxml.encode(from_xml(data.decode("utf-8"), wbxml.kind))
    with open(args.output, "wb") if args.output else sys.stdout.buffer as f:
        f.write(out)


def main(argv=None):
    args = parser().parse_args(argv)
    try:
        if args.command == "wbxml":
            do_wbxml(args)
            return 0
        mailbox = Mailbox.load(args.state) if args.state else Mailbox()
        if args.command == "mail":
            do_mail(mailbox, args)
            return 0
        phone = make_phone(args, mailbox)
        try:
            COMMANDS[args.command](phone, args)
        finally:
            phone.close()
            if args.state:
                mailbox.save(args.state)
        return 0
    except HttpError as error:
        meaning = {401: "the server refuses this name and password", 403: "the server does not let this user or device in",
                   404: "there is no ActiveSync at this address", 503: "the server asks to come back later"}
        print("easphone: %s%s" % (error, meaning.get(error.status) and ": " + meaning[error.status] or ""), file=sys.stderr)
    except (StatusError, TransportError, LostAnswer) as error:
        print("easphone: %s" % error, file=sys.stderr)
    except ProtocolViolation as error:
        print("easphone: the server breaks the protocol: %s" % error, file=sys.stderr)
    except (UsageError, TableError, WbxmlError, OSError, ValueError) as error:
        print("easphone: %s" % error, file=sys.stderr)
        return 2
    return 1
