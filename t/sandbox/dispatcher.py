# SPDX-License-Identifier: Apache-2.0
"""From an HTTP request to the handler of one action, as strict as the fact table.

Every misuse by the client is answered as OX answers it and recorded as a violation; a test run
must end with none.  The order of the checks is that of OX: module and action, session, parameters,
body.
"""
import collections
import datetime
import json
import re
import threading
import time
import urllib.parse
import zoneinfo

import accounts
import facts
from envelope import callback, encode, envelope
from faultbox import FaultBox
from oxerrors import OXError
from webserver import Response, html

import mod_config
import mod_folders
import mod_login
import mod_mail
import mod_multiple

HANDLERS = {}
for _module in (mod_config, mod_folders, mod_login, mod_mail, mod_multiple):
    HANDLERS.update(_module.HANDLERS)

# What a query value may hold without percent-encoding; the comma of column lists is let through.
_ENCODED = re.compile(r"(?:[A-Za-z0-9\-._~,*+]|%[0-9A-Fa-f]{2})*\Z")
_SECRET_PARAMS = frozenset(("session", "password", "name"))
_JSON_BODY_TYPES = ("application/json", "text/javascript")


class Exchange:
    """One action being executed: a whole request, or one part of a `multiple`."""

    def __init__(self, box, request, module, action, params, entry):
        self.box = box
        self.request = request
        self.module = module
        self.action = action
        self.params = params
        self.entry = entry                  # its line in the request log
        self.facts = None
        self.session = None
        self.body = None
        self.in_multiple = False
        self.set_cookies = []
        self.part_errors = {}               # injected: index of a part -> code

    @property
    def user(self):
        return self.session.user

    @property
    def mailbox(self):
        return self.session.user.mailbox

    @property
    def method(self):
        return self.request.method

    @property
    def agent(self):
        return self.request.headers.get("user-agent", "")

    def misuse(self, kind, detail):
        self.box.violate(kind, detail, self)

    def invalid(self, name):
        return OXError("SVL-0010", name, violation=("invalid-value", name))

    def flag(self, name):
        value = self.params.get(name)
        if value is None:
            return False
        if value.lower() not in ("true", "false", "1", "0"):
            raise self.invalid(name)
        return value.lower() in ("true", "1")

    def number(self, name, default=None):
        value = self.params.get(name)
        if value is None:
            return default
        try:
            return int(value)
        except ValueError:
            raise self.invalid(name) from None

    def columns(self):
        table = facts.COLUMNS[self.facts.columns]
        out = []
        for word in self.params["columns"].split(","):
            if not word.strip().isdigit() or int(word) not in table:
                raise OXError("SVL-0010", "columns",
                              violation=("unknown-column", "%s %s" % (self.module, word)))
            out.append(int(word))
        return out

    def zone_offset(self):
        """A function from UTC to Time (0.4): adds the offset of the asked or the user's zone."""
        name = self.params.get("timezone") or self.user.timezone
        if name in ("UTC", "GMT", "Etc/UTC"):
            return None
        try:
            zone = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise self.invalid("timezone") from None
        return _Shift(zone)


class _Shift:
    def __init__(self, zone):
        self.zone = zone
        self.known = {}

    def __call__(self, millis):
        if millis is None:
            return None
        slot = millis // 900000
        offset = self.known.get(slot)
        if offset is None:
            moment = datetime.datetime.fromtimestamp(slot * 900, self.zone)
            offset = self.known[slot] = int(moment.utcoffset().total_seconds() * 1000)
        return millis + offset


DEFAULT_SETTINGS = {
    "flavour": "8",               # 7.10 | 8
    "login_rate": 50,             # login attempts after a failure (1.5) ...
    "login_window": 300,          # ... within so many seconds
    "request_rate": 1500,         # 1.9, for User-Agents that are not exempt
    "request_window": 300,
    "max_sessions_per_user": 100,
    "session_idle": 3600,
    "examine": True,              # False: MSG-0087, as an account that cannot do it
    "modseq": False,              # True: examine tells a modseq
}


class Sandbox:
    """Everything one server process knows.  `lock` guards all of it."""

    def __init__(self, prefix, now=None, seed=1, seeder=None, flavour="8"):
        self.prefix = prefix.rstrip("/")
        self.lock = threading.RLock()
        self.offset = (now - time.time()) if now is not None else 0.0
        self.seed = seed
        self.seeder = seeder
        self.flavour = flavour
        self.log = collections.deque(maxlen=100000)
        self.violations = []
        self.sequence = 0
        self.reset()

    def reset(self, empty=False):
        with self.lock:
            self.settings = dict(DEFAULT_SETTINGS, flavour=self.flavour)
            self.directory = accounts.Directory(1600000000 + self.seed * 10000)
            self.faults = FaultBox()
            self.failed_logins = {}
            self.rates = {}
            self.clear_log()
            if self.seeder:
                self.seeder(self, empty)

    def clear_log(self):
        self.log.clear()
        self.violations.clear()
        self.counters = collections.Counter()

    def now(self):
        """Milliseconds since the epoch, on the sandbox's clock."""
        return int((time.time() + self.offset) * 1000)

    def violate(self, kind, detail, exchange):
        user = exchange.session.user.label() if exchange.session else None
        self.violations.append({"seq": exchange.entry["seq"], "kind": kind, "detail": detail,
                                "module": exchange.module, "action": exchange.action,
                                "user": user})

    # -- requests ------------------------------------------------------------------------------

    def handle(self, request):
        started = time.monotonic()
        with self.lock:
            self.sequence += 1
            entry = {"seq": self.sequence, "time": self.now(), "method": request.method,
                     "module": "", "action": "", "params": {}, "user": None}
        exchange = Exchange(self, request, "", "", {}, entry)
        path = request.path
        if not path.startswith(self.prefix + "/"):
            return html(404, "Not Found")
        module = path[len(self.prefix) + 1:].rstrip("/")
        exchange.module = "config" if module.startswith("config/") else module
        with self.lock:
            exchange.params = self._query(request, exchange)
        if exchange.module != module:
            exchange.params["path"] = urllib.parse.unquote(module[len("config/"):])
        module = exchange.module
        exchange.action = exchange.params.pop("action", "")
        entry["module"], entry["action"] = module, exchange.action
        entry["params"] = {k: v for k, v in exchange.params.items() if k not in _SECRET_PARAMS}
        answer = self._respond(exchange)
        for cookie in exchange.set_cookies:
            answer.headers.append(("Set-Cookie", cookie))
        with self.lock:
            entry["status"] = answer.status
            entry["code"] = answer.code
            entry["cut"] = answer.cut
            entry["ms"] = round((time.monotonic() - started) * 1000, 3)
            self.log.append(entry)
            self.counters["%s.%s" % (module, exchange.action)] += 1
        return answer

    @staticmethod
    def _query(request, exchange):
        params = {}
        for pair in request.query.split("&") if request.query else ():
            name, _, value = pair.partition("=")
            if not _ENCODED.match(value):
                exchange.misuse("not-encoded", name)
            params[urllib.parse.unquote_plus(name)] = urllib.parse.unquote_plus(value)
        return params

    def _respond(self, exchange):
        with self.lock:
            limited = self._rate_limited(exchange)
            fault = self._take_fault(exchange)
        if limited:
            return html(429, "Too Many Requests", [("Retry-After", "60")])
        if fault:
            early = fault.before(self, exchange)
            if early:
                return early
        with self.lock:
            answer = self._execute_request(exchange)
        return fault.after(answer) if fault else answer

    def _peek_user(self, exchange):
        session = self.directory.sessions.get(exchange.params.get("session", ""))
        return session.user.label() if session else None

    def _take_fault(self, exchange):
        """The fault of this request; parts of a `multiple` are matched too."""
        if not self.faults.rules:
            return None
        user = self._peek_user(exchange)
        fault = self.faults.take(exchange.module, exchange.action, user)
        if fault or exchange.module != "multiple":
            return fault
        try:
            parts = json.loads(exchange.request.body)
        except ValueError:
            return None
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict):
                struck = self.faults.take(part.get("module"), part.get("action", ""), user)
                if struck and struck.code:
                    exchange.part_errors[index] = struck.code
                else:
                    fault = fault or struck
        return fault

    def _rate_limited(self, exchange):
        if exchange.agent.startswith(("Open-Xchange USM HTTP Client",
                                      "Open-Xchange .NET HTTP Client",
                                      "Jakarta Commons-HttpClient")) \
                or exchange.module == "system" or not self.settings["request_rate"]:
            return False
        now, window = time.monotonic(), self.settings["request_window"]
        times = self.rates.setdefault((exchange.request.peer, exchange.agent),
                                      collections.deque())
        while times and times[0] < now - window:
            times.popleft()
        if len(times) >= self.settings["request_rate"]:
            return True
        times.append(now)
        return False

    def _execute_request(self, exchange):
        try:
            result = self.execute(exchange)
        except OXError as error:
            return self.error_answer(exchange, error)
        if isinstance(result, Response):
            return result
        return Response(envelope(result), ctype=self.json_type())

    def json_type(self):
        return ("text/javascript" if self.settings["flavour"] == "7.10" else "application/json") \
            + "; charset=UTF-8"

    def error_answer(self, exchange, error):
        """0.2: a JSON envelope with HTTP 200; for file actions Accept decides."""
        if error.violation:
            exchange.misuse(*error.violation)
        answer = self._error_form(exchange, error)
        answer.code = error.code
        return answer

    def _error_form(self, exchange, error):
        if exchange.module == "multiple" and error.code == "SVL-0002":
            return html(400, "Missing parameter: session")
        if (exchange.module, exchange.action) == ("login", "logout") and exchange.session:
            return html(403, "The cookies do not match the session")
        body = encode(error.fields())
        if exchange.facts is None or exchange.facts.answer == "json" or _wants_json(exchange):
            return Response(body, ctype=self.json_type())
        if exchange.agent == accounts.USM_AGENT:
            return Response(callback(exchange.action, body), ctype="text/html; charset=UTF-8")
        return html(403 if error.code.startswith("SES-") else 500, "%s %s" % (error.code,
                                                                              error.text))

    def execute(self, exchange):
        """Checks one action against the facts and runs it; raises OXError."""
        module = facts.MODULES.get(exchange.module)
        if module is None:
            raise OXError("SVL-0006", exchange.module,
                          violation=("unknown-module", exchange.module))
        known = module.get(exchange.action)
        if known is None:
            raise OXError("SVL-0001", exchange.action,
                          violation=("unknown-action", "%s.%s" % (exchange.module,
                                                                  exchange.action)))
        exchange.facts = known
        if exchange.in_multiple:
            if not known.in_multiple:
                raise OXError("SVL-0001", exchange.action,
                              violation=("not-in-multiple", "%s.%s" % (exchange.module,
                                                                       exchange.action)))
        elif exchange.method not in known.method.split("|"):
            raise OXError("SVL-0001", exchange.action,
                          violation=("wrong-method", exchange.method))
        if known.session and not exchange.in_multiple:
            exchange.session = self.check_session(exchange)
            exchange.entry["user"] = exchange.session.user.label()
        self._check_params(exchange, known)
        if not exchange.in_multiple:
            self._read_body(exchange, known)
        return HANDLERS[(exchange.module, exchange.action)](exchange)

    @staticmethod
    def _check_params(exchange, known):
        names = set(exchange.params) - {"session"}
        for name in sorted(names - known.required - known.optional):
            exchange.misuse("unknown-parameter", name)
        for name in sorted(known.required - names):
            raise OXError("SVL-0002", name, violation=("missing-parameter", name))

    @staticmethod
    def _read_body(exchange, known):
        request = exchange.request
        ctype = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if known.body == "json" and request.method == "PUT":
            if ctype not in _JSON_BODY_TYPES:
                exchange.misuse("content-type", ctype or "none")
            if not request.body:
                raise OXError("SVL-0024", violation=("missing-body", exchange.action))
            try:
                exchange.body = json.loads(request.body.decode("utf-8"))
            except ValueError:
                raise OXError("SVL-0023", "no JSON",
                              violation=("malformed-body", exchange.action)) from None
            if len(request.body) <= 2048 and exchange.module not in ("multiple", "config"):
                exchange.entry["body"] = exchange.body
        elif known.body == "form":
            if ctype != "application/x-www-form-urlencoded":
                exchange.misuse("content-type", ctype or "none")
            exchange.body = dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace"),
                                                        keep_blank_values=True))
            for name in sorted(set(exchange.body) - known.form_required - known.form_optional):
                exchange.misuse("unknown-parameter", name)
            for name in sorted(known.form_required - set(exchange.body)):
                raise OXError("SVL-0002", name, violation=("missing-parameter", name))

    # -- sessions ------------------------------------------------------------------------------

    def check_session(self, exchange):
        """Session id, secret cookie, same User-Agent (1.2, 1.4)."""
        directory = self.directory
        wanted = exchange.params.get("session")
        if not wanted:
            raise OXError("SVL-0002", "session", violation=("missing-parameter", "session"))
        session = directory.sessions.get(wanted)
        if session and time.monotonic() - session.used > self.settings["session_idle"]:
            directory.close(session)
            session = None
        jar = accounts.parse_cookies(exchange.request.headers.get("cookie", ""))
        self.check_jar(exchange, jar, session)
        if session is None:
            if wanted not in directory.ended:
                exchange.misuse("unknown-session", "never issued")
            raise OXError("SES-0203")
        exchange.session = session
        lost = "SES-0206" if self.settings["flavour"] == "7.10" else "SES-0203"
        if exchange.agent != session.agent:
            exchange.misuse("user-agent-changed", exchange.agent)
        suffix = accounts.cookie_hash(exchange.agent, session.client)
        secret = jar.get("open-xchange-secret-" + suffix)
        if secret is None:
            raise OXError(lost, violation=("cookie-missing", "open-xchange-secret"))
        if secret != session.secret:
            raise OXError(lost, violation=("cookie-wrong", "open-xchange-secret"))
        if "JSESSIONID" not in jar:
            exchange.misuse("cookie-missing", "JSESSIONID")
        public = "open-xchange-public-session-" + suffix
        if jar.get(public) != session.public and exchange.agent != accounts.USM_AGENT:
            exchange.misuse("cookie-missing", "open-xchange-public-session")
            exchange.set_cookies.append(self.cookie(exchange, public, session.public))
        session.used = time.monotonic()
        return session

    def check_jar(self, exchange, jar, session):
        """A jar belongs to one session; whatever names another live one is a mix-up."""
        for name, value in jar.items():
            owner = None
            if name.startswith("open-xchange-secret-"):
                owner = self.directory.by_secret.get(value)
            elif name == "JSESSIONID":
                owner = self.directory.by_jsession.get(value)
            if owner is not None and owner is not session:
                exchange.misuse("foreign-cookie", name.rpartition("-")[0] or name)

    @staticmethod
    def cookie(exchange, name, value):
        return "%s=%s; Path=/; HttpOnly%s" % (name, value,
                                              "; Secure" if exchange.request.tls else "")

    def run_part(self, exchange, part, index):
        """One part of a `multiple`: an envelope, encoded."""
        if not isinstance(part, dict) or not isinstance(part.get("module"), str):
            exchange.misuse("malformed-body", "part %d" % index)
            return encode(OXError("SVL-0006", "").fields())
        params = {k: v if isinstance(v, str) else ("true" if v is True else
                                                   "false" if v is False else str(v))
                  for k, v in part.items() if k not in ("module", "action", "data")}
        module, action = part["module"], str(part.get("action", ""))
        if module.startswith("config/"):
            module, params["path"] = "config", module[len("config/"):]
        entry = exchange.entry
        logged = {"module": module, "action": action, "params": dict(params)}
        if "data" in part:
            logged["body"] = part["data"]
        logged["params"].pop("session", None)
        entry.setdefault("parts", []).append(logged)
        self.counters["%s.%s" % (module, action)] += 1
        inner = Exchange(self, exchange.request, module, action, params, entry)
        inner.in_multiple = True
        inner.session = exchange.session
        inner.body = part.get("data")
        try:
            if index in exchange.part_errors:
                raise OXError(exchange.part_errors[index])
            result = self.execute(inner)
            if isinstance(result, Response):
                raise OXError("SVL-0001", action,
                              violation=("not-in-multiple", "%s.%s" % (module, action)))
            return envelope(result)
        except OXError as error:
            if error.violation:
                inner.misuse(*error.violation)
            logged["code"] = error.code
            return encode(error.fields())


def _wants_json(exchange):
    """0.2: application/json, text/javascript or */* with q=1."""
    for item in exchange.request.headers.get("accept", "").lower().split(","):
        kind, _, rest = item.strip().partition(";")
        if kind.strip() in ("application/json", "text/javascript", "*/*"):
            quality = re.search(r"q\s*=\s*([0-9.]+)", rest)
            if not quality or float(quality.group(1) or 0) == 1.0:
                return True
    return False
