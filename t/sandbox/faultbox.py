# SPDX-License-Identifier: Apache-2.0
"""Faults that a test injects: one rule = what it matches, what happens, how often.

A rule can match a whole request or a part of a `multiple`.  In a part, kind "error" answers just
that part; every other kind strikes the whole request.
"""
import time

from oxerrors import OXError
from webserver import html

KINDS = ("delay", "status", "cut", "malformed", "expired_once", "rate_limit", "error")
WHERE = ("before", "after", "mid")


class Fault:
    def __init__(self, kind, match=None, count=1, seconds=0.0, status=503, where="before",
                 code="", retry_after=None):
        if kind not in KINDS:
            raise ValueError("unknown kind of fault: %s" % kind)
        if kind == "cut" and where not in WHERE:
            raise ValueError("where must be one of %s" % ", ".join(WHERE))
        if kind == "error" and not code:
            raise ValueError("an error needs a code")
        match = match or {}
        unknown = set(match) - {"module", "action", "nth", "user"}
        if unknown:
            raise ValueError("unknown match: %s" % ", ".join(sorted(unknown)))
        self.kind = kind
        self.module = match.get("module")
        self.action = match.get("action")
        self.user = match.get("user")
        self.skip = int(match.get("nth", 1)) - 1       # matches let through first
        self.left = int(count)                         # 0 = until cleared
        self.forever = self.left == 0
        self.seconds = float(seconds)
        self.status = int(status)
        self.where = where
        self.code = code if kind == "error" else ""
        self.retry_after = retry_after
        self.hits = 0

    def matches(self, module, action, user):
        return (self.module in (None, module) and self.action in (None, action)
                and self.user in (None, user))

    def before(self, box, exchange):
        """What happens instead of the request; None lets it run."""
        if self.kind == "delay":
            time.sleep(self.seconds)
        elif self.kind == "status":
            extra = [("Retry-After", str(self.retry_after))] if self.retry_after else []
            return html(self.status, "injected", extra)
        elif self.kind == "rate_limit":
            return html(429, "Too Many Requests", [("Retry-After", "60")])
        elif self.kind == "cut" and self.where == "before":
            answer = html(500, "cut")
            answer.cut = "silent"
            return answer
        elif self.kind == "error":
            with box.lock:
                return box.error_answer(exchange, OXError(self.code))
        elif self.kind == "expired_once":
            with box.lock:
                session = box.directory.sessions.get(exchange.params.get("session", ""))
                if session:
                    box.directory.close(session)
        return None

    def after(self, answer):
        if self.kind == "cut":
            answer.cut = "mid" if self.where == "mid" else "silent"
        elif self.kind == "malformed":
            answer.body = answer.body[:max(1, len(answer.body) * 2 // 3)]
        return answer


class FaultBox:
    def __init__(self):
        self.rules = []

    def add(self, fault):
        self.rules.append(fault)

    def clear(self):
        self.rules.clear()

    def take(self, module, action, user):
        """The first rule that strikes now."""
        if not self.rules:
            return None
        for rule in self.rules:
            if not rule.matches(module, action, user):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            rule.hits += 1
            if not rule.forever:
                rule.left -= 1
                if rule.left <= 0:
                    self.rules.remove(rule)
            return rule
        return None

    def pending(self):
        return [{"kind": r.kind, "module": r.module, "action": r.action, "hits": r.hits}
                for r in self.rules]
