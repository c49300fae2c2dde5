# SPDX-License-Identifier: Apache-2.0
"""Module `login` (1.1 - 1.5): opening and closing sessions."""
import time

import accounts
from oxerrors import OXError
from webserver import html


def login(x):
    box, directory, form = x.box, x.box.directory, x.body
    for name in ("name", "password"):
        if name in x.params:
            raise OXError("SVL-0030", name, violation=("password-in-url", name))
    x.entry["user"] = form["name"]
    requester = (x.request.peer, x.agent)
    if _limited(box, requester):
        return html(429, "Too Many Requests", [("Retry-After", "60")])
    auth_id = x.params.get("authId")
    if auth_id:
        if auth_id in directory.auth_ids:
            raise OXError("SES-0008")
        directory.auth_ids.add(auth_id)
    client = form.get("client", "")
    if client and client == x.agent:
        raise OXError("LGI-0021", violation=("client-is-agent", client))
    user = directory.find(form["name"])
    if user is None or user.password != form["password"]:
        box.failed_logins.setdefault(requester, []).append(time.monotonic())
        raise OXError("LGI-0006")
    if user.blocked:
        raise OXError("LGI-0001")
    if len(directory.sessions_of(user)) >= box.settings["max_sessions_per_user"]:
        raise OXError("SES-0007")
    box.failed_logins.pop(requester, None)
    x.entry["user"] = user.label()
    box.check_jar(x, accounts.parse_cookies(x.request.headers.get("cookie", "")), None)
    session = directory.open(user, client, x.agent, form.get("clientIP", x.request.peer))
    suffix = accounts.cookie_hash(x.agent, client)
    x.set_cookies += [box.cookie(x, "JSESSIONID", session.jsession),
                      box.cookie(x, "open-xchange-secret-" + suffix, session.secret),
                      box.cookie(x, "open-xchange-public-session-" + suffix, session.public)]
    return {"": {"session": session.id, "user": form["name"], "user_id": user.id,
                 "context_id": user.context, "locale": user.locale}}


def _limited(box, requester):
    """After a failed login further ones are counted; a success forgets them (1.5)."""
    times = box.failed_logins.get(requester)
    if not times:
        return False
    oldest = time.monotonic() - box.settings["login_window"]
    times[:] = [t for t in times if t > oldest]
    return len(times) >= box.settings["login_rate"]


def logout(x):
    x.box.directory.close(x.session)
    return {"": {}}


def store(x):
    suffix = accounts.cookie_hash(x.agent, x.session.client)
    x.set_cookies.append(x.box.cookie(x, "open-xchange-session-" + suffix, x.session.id))
    return True


def refresh_secret(x):
    suffix = accounts.cookie_hash(x.agent, x.session.client)
    x.set_cookies.append(x.box.cookie(x, "open-xchange-secret-" + suffix, x.session.secret))
    return True


def change_ip(x):
    x.session.ip = x.params["clientIP"]
    return "1"


def autologin(x):
    raise OXError("LGI-0019")


HANDLERS = {
    ("login", "login"): login,
    ("login", "logout"): logout,
    ("login", "store"): store,
    ("login", "refreshSecret"): refresh_secret,
    ("login", "changeip"): change_ip,
    ("login", "autologin"): autologin,
}
