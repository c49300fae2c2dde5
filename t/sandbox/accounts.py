# SPDX-License-Identifier: Apache-2.0
"""Contexts, users and sessions of the sandbox."""
import base64
import hashlib
import re
import secrets
import time

from mailstore import Mailbox

USM_AGENT = "Open-Xchange USM HTTP Client"     # exact match: excused from the public cookie (1.2)

# Login mappings of each context (1.6).
CONTEXTS = {1: ("defaultcontext", "example.org", "1"), 2: ("example.net", "2")}

BASE_CAPABILITIES = ("active_sync", "usm", "webmail", "contacts", "gab", "calendar", "tasks",
                     "delegate_tasks", "caldav", "carddav", "mailfilter_v2",
                     "read_create_shared_folders")

# context, id, login, password, display name, locale, time zone, missing capability, blocked
USERS = (
    (1, 4, "anna", "anna-secret", "Anna Lindqvist", "en_US", "Europe/Berlin", "", False),
    (1, 5, "bob", "bob-secret", "Bob Okafor", "en_GB", "Europe/London", "", False),
    (1, 6, "carol", "grün-ß-geheim", "Carol Weiß", "de_DE", "Europe/Berlin", "", False),
    (1, 7, "dave", "dave-secret", "Dave Locked", "en_US", "UTC", "", True),
    (1, 8, "erin", "erin-secret", "Erin O'Neill", "en_US", "UTC", "active_sync", False),
    (2, 4, "anna", "other-secret", "Anna Berger", "de_AT", "Europe/Vienna", "", False),
    (2, 5, "zoe", "zoe-secret", "Zoë Martin", "fr_FR", "Europe/Paris", "", False),
)


class User:
    def __init__(self, row, validity_base):
        (self.context, self.id, self.login, self.password, self.name, self.locale,
         self.timezone, missing, self.blocked) = row
        self.domain = CONTEXTS[self.context][1]
        self.address = "%s@%s" % (self.login, self.domain)
        self.capabilities = [c for c in BASE_CAPABILITIES if c != missing]
        self.config = {}                       # values written with PUT config/...
        self.mailbox = Mailbox(validity_base + self.context * 1000 + self.id * 100)
        # Numeric ids of the default groupware folders, unique within the context.
        base = 20 + self.id * 10
        self.default_folders = {"calendar": base + 1, "contacts": base + 2, "tasks": base + 3,
                                "infostore": base + 4}

    def label(self):
        return self.address


class Session:
    __slots__ = ("id", "user", "client", "agent", "secret", "public", "jsession", "ip", "used")

    def __init__(self, user, client, agent, ip):
        self.id = secrets.token_hex(16)
        self.user = user
        self.client = client
        self.agent = agent
        self.secret = secrets.token_hex(16)
        self.public = secrets.token_hex(16)
        self.jsession = "%d.OX0" % secrets.randbits(62)
        self.ip = ip
        self.used = time.monotonic()


def cookie_hash(agent, client):
    """The suffix of the OX cookies: from User-Agent and client id (1.2)."""
    digest = hashlib.md5(("%s\0%s\0sandbox" % (agent, client)).encode("utf-8", "replace")).digest()
    return re.sub(r"\W", "", base64.b64encode(digest).decode())


def parse_cookies(header):
    jar = {}
    for item in header.split(";"):
        name, equals, value = item.strip().partition("=")
        if equals:
            jar[name] = value
    return jar


class Directory:
    """All users, and the live sessions."""

    def __init__(self, validity_base):
        self.users = [User(row, validity_base) for row in USERS]
        self.sessions = {}
        self.by_secret = {}
        self.by_jsession = {}
        self.ended = set()                     # ids of sessions that once lived
        self.auth_ids = set()

    def find(self, name):
        """The user of a login name, split at the last '@'; None when unknown."""
        login, at, mapping = name.rpartition("@")
        if not at:
            login, mapping = name, "defaultcontext"
        for user in self.users:
            if user.login == login and mapping.lower() in CONTEXTS[user.context]:
                return user
        return None

    def sessions_of(self, user):
        return [s for s in self.sessions.values() if s.user is user]

    def open(self, user, client, agent, ip):
        session = Session(user, client, agent, ip)
        self.sessions[session.id] = session
        self.by_secret[session.secret] = session
        self.by_jsession[session.jsession] = session
        return session

    def close(self, session):
        self.sessions.pop(session.id, None)
        self.by_secret.pop(session.secret, None)
        self.by_jsession.pop(session.jsession, None)
        self.ended.add(session.id)
