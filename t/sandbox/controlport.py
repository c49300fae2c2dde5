# SPDX-License-Identifier: Apache-2.0
"""The control interface: what another client, an operator or bad luck would do.

POST /<verb> with a JSON object; the answer is {"result": ...}, or HTTP 400 with {"error": "..."}.
Reading verbs also answer GET.  The verbs and their arguments are the methods of control.Control.
"""
import base64
import json

import mailstore
import synthmail
from dispatcher import DEFAULT_SETTINGS
from faultbox import Fault
from webserver import Response

_DAY = 86400000


class Refused(Exception):
    pass


class ControlPort:
    def __init__(self, box, templates):
        self.box = box
        self.templates = templates

    def handle(self, request):
        verb = request.path.strip("/")
        action = VERBS.get(verb)
        try:
            if action is None:
                raise Refused("unknown verb: %s" % verb)
            args = json.loads(request.body.decode("utf-8")) if request.body else {}
            if not isinstance(args, dict):
                raise Refused("arguments must be an object")
            with self.box.lock:
                result = action(self, **args)
            status, body = 200, {"result": result}
        except (Refused, TypeError, ValueError, KeyError) as error:
            status, body = 400, {"error": str(error)}
        return Response(json.dumps(body).encode(), status, "application/json")

    # -- helpers

    def _user(self, name):
        user = self.box.directory.find(name)
        if user is None:
            raise Refused("unknown user: %s" % name)
        return user

    def _folder(self, fid, user):
        folder = self._user(user).mailbox.by_id(fid)
        if folder is None:
            raise Refused("unknown folder: %s" % fid)
        return folder

    def _mail(self, folder, mail_id):
        mail = folder.mails.get(int(mail_id))
        if mail is None:
            raise Refused("unknown mail: %s" % mail_id)
        return mail

    # -- verbs

    def reset(self, empty=False):
        self.box.reset(empty)

    def deliver(self, folder, user, raw=None, template=None, age=0, flags=0, label=0,
                keywords=()):
        target = self._folder(folder, user)
        if template is not None:
            raw = self.templates.source(template, self.box.now() - int(age * 1000))
        elif raw is not None:
            raw = base64.b64decode(raw)
        else:
            raise Refused("raw or template is needed")
        mail = mailstore.Mail(self.box.now() - int(age * 1000), raw, flags=flags, label=label,
                              keywords=keywords)
        return str(target.add(mail))

    def set_flags(self, folder, id, user, set=0, clear=0, label=None, keywords=None):
        target = self._folder(folder, user)
        mail = self._mail(target, id)
        target.set_flags(mail, set, clear)
        if label is not None:
            target.set_label(mail, label)
        if keywords is not None:
            mail.keywords = tuple(keywords)
            target.touch()

    def delete(self, folder, ids, user):
        target = self._folder(folder, user)
        for mail_id in ids:
            self._mail(target, mail_id)
            target.remove(int(mail_id))

    def move(self, folder, id, dest, user):
        source, target = self._folder(folder, user), self._folder(dest, user)
        mail = self._mail(source, id)
        source.remove(mail.uid)
        return str(target.add(mail))

    def create_folder(self, parent, title, user, subscribed=True):
        mailbox = self._user(user).mailbox
        name = title if parent == mailstore.ROOT else self._folder(parent, user).name + "/" + title
        if name in mailbox.folders:
            raise Refused("folder exists: %s" % name)
        folder = mailbox.create(name)
        folder.subscribed = subscribed
        return folder.id

    def rename_folder(self, id, title, user, parent=None):
        mailbox, folder = self._user(user).mailbox, self._folder(id, user)
        above = folder.name.rpartition("/")[0]
        if parent is not None:
            above = "" if parent == mailstore.ROOT else self._folder(parent, user).name
        name = above + "/" + title if above else title
        if name in mailbox.folders or name.startswith(folder.name + "/"):
            raise Refused("folder cannot become %s" % name)
        return mailbox.rename(folder.name, name).id

    def delete_folder(self, id, user):
        self._user(user).mailbox.remove(self._folder(id, user).name)

    def set_used_for_sync(self, id, value, user):
        self._folder(id, user).used_for_sync = bool(value)

    def add_folders(self, total, user):
        """Adds folders below the root until the user has `total` mail folders."""
        mailbox, number = self._user(user).mailbox, 1
        while len(mailbox.folders) < total:
            name = "Project %02d" % number
            if name not in mailbox.folders:
                mailbox.create(name)
            number += 1
        return sorted(f.id for f in mailbox.folders.values())

    def folders(self, user):
        return [{"id": f.id, "total": len(f.mails), "unread": f.unread, "type": f.type}
                for f in self._user(user).mailbox.folders.values()]

    def fill(self, folder, count, user, mean_size=52000, kind="mixed", days=90, flags=0):
        target = self._folder(folder, user)
        if kind != "mixed" and kind not in synthmail.KINDS:
            raise Refused("unknown kind: %s" % kind)
        first = target.next
        specs = synthmail.make_specs(count, mean_size, kind, self.box.now() - 1000, days * _DAY,
                                     self._user(user).address, first, self.box.seed)
        target.add_many([mailstore.Mail(s.sent, spec=s, flags=flags) for s in specs])
        return [str(first), str(target.next - 1)]

    def bump_uidvalidity(self, folder, user):
        target = self._folder(folder, user)
        self._user(user).mailbox.bump(target)
        return target.validity

    def expire_sessions(self, user=None):
        directory = self.box.directory
        gone = directory.sessions_of(self._user(user)) if user else \
            list(directory.sessions.values())
        for session in gone:
            directory.close(session)
        return len(gone)

    def set_password(self, user, password, expire=False):
        """A password changed elsewhere; `expire` also ends the user's sessions."""
        self._user(user).password = password
        return self.expire_sessions(user) if expire else 0

    def set_user(self, user, blocked=None, active_sync=None, config=None):
        person = self._user(user)
        if blocked is not None:
            person.blocked = blocked
        if active_sync is not None:
            person.capabilities = [c for c in person.capabilities if c != "active_sync"]
            if active_sync:
                person.capabilities.insert(0, "active_sync")
        person.config.update(config or {})

    def inject(self, kind, match=None, count=1, **args):
        self.box.faults.add(Fault(kind, match, count, **args))

    def clear_faults(self):
        self.box.faults.clear()

    def faults(self):
        return self.box.faults.pending()

    def requests(self, since=0):
        return [entry for entry in self.box.log if entry["seq"] > since]

    def violations(self, since=0):
        return [v for v in self.box.violations if v["seq"] > since]

    def counters(self):
        return dict(self.box.counters)

    def clear_log(self):
        self.box.clear_log()

    def dump(self, folder, user):
        target = self._folder(folder, user)
        return [{"id": str(m.uid), "flags": m.mask(), "label": m.label,
                 "keywords": list(m.keywords), "received": m.received, "size": m.size,
                 "subject": m.envelope()["subject"]} for m in target.ordered(True)]

    def source(self, folder, id, user):
        raw = self._mail(self._folder(folder, user), id).source()
        return base64.b64encode(raw).decode()

    def settings(self, **changes):
        unknown = set(changes) - set(DEFAULT_SETTINGS)
        if unknown:
            raise Refused("unknown setting: %s" % ", ".join(sorted(unknown)))
        if changes.get("flavour", "8") not in ("7.10", "8"):
            raise Refused("flavour is 7.10 or 8")
        self.box.settings.update(changes)
        return self.box.settings

    def sessions(self, user=None):
        everyone = self.box.directory.sessions.values()
        mine = self._user(user) if user else None
        return [{"user": s.user.label(), "client": s.client, "agent": s.agent, "ip": s.ip}
                for s in everyone if mine is None or s.user is mine]

    def list_templates(self):
        return self.templates.names()

    def clock(self):
        return self.box.now()


VERBS = {name: getattr(ControlPort, name) for name in (
    "reset deliver set_flags delete move create_folder rename_folder delete_folder "
    "set_used_for_sync add_folders folders fill bump_uidvalidity expire_sessions set_password "
    "set_user inject clear_faults faults requests violations counters clear_log dump source "
    "settings sessions list_templates clock").split()}
