# SPDX-License-Identifier: Apache-2.0
"""Client of the sandbox's control interface, and a helper that starts a sandbox.

    with Sandbox("--flavour", "7.10") as sandbox:
        new = sandbox.control.deliver("default0/INBOX", template="plain-english")
        ...                                   # talk to sandbox.api
        assert sandbox.control.violations() == []

`user` is a login name such as anna@example.org; `folder` an OX folder id such as default0/INBOX;
mail ids are strings; `age` is in seconds before now; `flags` the mask of the API reference 3.4.
"""
import base64
import http.client
import json
import os
import re
import signal
import subprocess
import urllib.parse

ANNA = "anna@example.org"


class ControlError(Exception):
    pass


class Control:
    def __init__(self, url):
        self.url = url
        self._address = urllib.parse.urlsplit(url)

    def call(self, verb, **args):
        link = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=120)
        try:
            link.request("POST", "/" + verb, json.dumps(args),
                         {"Content-Type": "application/json", "Connection": "close"})
            answer = json.loads(link.getresponse().read())
        finally:
            link.close()
        if "error" in answer:
            raise ControlError("%s: %s" % (verb, answer["error"]))
        return answer["result"]

    # State

    def reset(self, empty=False):
        """Back to the seed (or to folders without mails): sessions, faults, logs, settings too."""
        return self.call("reset", empty=empty)

    def settings(self, **changes):
        """Changes and returns the settings; dispatcher.DEFAULT_SETTINGS lists them."""
        return self.call("settings", **changes)

    def clock(self):
        """Milliseconds since the epoch on the sandbox's clock."""
        return self.call("clock")

    # What another client would do

    def deliver(self, folder="default0/INBOX", raw=None, template=None, age=0, flags=0, label=0,
                keywords=(), user=ANNA):
        """A new mail, from bytes or from a template of seed/ (without .eml) -> id."""
        coded = None if raw is None else base64.b64encode(raw).decode()
        return self.call("deliver", folder=folder, raw=coded, template=template, age=age,
                         flags=flags, label=label, keywords=list(keywords), user=user)

    def set_flags(self, folder, id, set=0, clear=0, label=None, keywords=None, user=ANNA):
        return self.call("set_flags", folder=folder, id=id, set=set, clear=clear, label=label,
                         keywords=keywords, user=user)

    def delete(self, folder, ids, user=ANNA):
        """Removes mails for good; `ids` is one id or a list."""
        ids = [ids] if isinstance(ids, str) else list(ids)
        return self.call("delete", folder=folder, ids=ids, user=user)

    def move(self, folder, id, dest, user=ANNA):
        """-> the new id"""
        return self.call("move", folder=folder, id=id, dest=dest, user=user)

    def create_folder(self, parent, title, subscribed=True, user=ANNA):
        """-> id of the folder; `parent` may be default0"""
        return self.call("create_folder", parent=parent, title=title, subscribed=subscribed,
                         user=user)

    def rename_folder(self, id, title, parent=None, user=ANNA):
        """-> the new id; `parent` also moves it"""
        return self.call("rename_folder", id=id, title=title, parent=parent, user=user)

    def delete_folder(self, id, user=ANNA):
        return self.call("delete_folder", id=id, user=user)

    def set_used_for_sync(self, id, value, user=ANNA):
        return self.call("set_used_for_sync", id=id, value=value, user=user)

    def add_folders(self, total, user=ANNA):
        """Adds folders until there are `total` mail folders -> all ids"""
        return self.call("add_folders", total=total, user=user)

    def fill(self, folder, count, mean_size=52000, kind="mixed", days=90, flags=0, user=ANNA):
        """Synthetic mails (plain, html, alternative, attachment, mixed) -> [first, last] id"""
        return self.call("fill", folder=folder, count=count, mean_size=mean_size, kind=kind,
                         days=days, flags=flags, user=user)

    def bump_uidvalidity(self, folder, user=ANNA):
        """Renumbers the folder's mails under a new UIDVALIDITY -> that"""
        return self.call("bump_uidvalidity", folder=folder, user=user)

    # Accounts

    def expire_sessions(self, user=None):
        """Ends the sessions of a user or of all -> how many"""
        return self.call("expire_sessions", user=user)

    def set_password(self, user, password, expire=False):
        return self.call("set_password", user=user, password=password, expire=expire)

    def set_user(self, user, blocked=None, active_sync=None, config=None):
        """`config`: values of the configuration tree by path, e.g. {"mail/harddelete": True}"""
        return self.call("set_user", user=user, blocked=blocked, active_sync=active_sync,
                         config=config)

    def sessions(self, user=None):
        return self.call("sessions", user=user)

    # Faults

    def inject(self, kind, match=None, count=1, **args):
        """kind and its arguments:
             delay (seconds)              error (code)      expired_once     rate_limit
             status (status, retry_after) malformed         cut (where: before | after | mid)
           match: any of module, action, user, nth (1 = the next match); count 0 = until cleared.
        """
        return self.call("inject", kind=kind, match=match or {}, count=count, **args)

    def clear_faults(self):
        return self.call("clear_faults")

    def faults(self):
        """Rules still waiting."""
        return self.call("faults")

    # What happened

    def requests(self, since=0):
        """The request log: seq, time, method, module, action, params, user, status, code, ms,
           body (small JSON bodies) and, for multiple, parts [{module, action, params, body}]."""
        return self.call("requests", since=since)

    def violations(self, since=0):
        """Misuse of the API by the client: seq, kind, detail, module, action, user."""
        return self.call("violations", since=since)

    def counters(self):
        """{"module.action": number}, parts of multiple included"""
        return self.call("counters")

    def clear_log(self):
        """Forgets requests, violations and counters."""
        return self.call("clear_log")

    def folders(self, user=ANNA):
        return self.call("folders", user=user)

    def dump(self, folder="default0/INBOX", user=ANNA):
        """Newest first: id, flags, label, keywords, received, size, subject."""
        return self.call("dump", folder=folder, user=user)

    def source(self, folder, id, user=ANNA):
        """The bytes of a mail."""
        return base64.b64decode(self.call("source", folder=folder, id=id, user=user))

    def list_templates(self):
        return self.call("list_templates")


class Sandbox:
    """A sandbox process of one's own: .api, .control (Control), .pid; ends with the block."""

    def __init__(self, *options):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sandbox.py")
        self._process = subprocess.Popen(["/usr/bin/python3", path, *options],
                                         stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        found = re.match(r"sandbox ready api=(\S+) control=(\S+)", line)
        if not found:
            self.stop()
            raise ControlError("the sandbox did not start: %r" % line)
        self.api = found.group(1)
        self.control = Control(found.group(2))
        self.pid = self._process.pid

    def stop(self):
        """-> the exit status"""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=10)
        finally:
            self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
