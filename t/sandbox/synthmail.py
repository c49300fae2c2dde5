# SPDX-License-Identifier: Apache-2.0
"""Synthetic mails: made again from a few numbers each time they are asked for.

The bytes of one spec are always the same and exactly `size` long.
"""
import base64
import email.utils
import random

KINDS = ("plain", "html", "alternative", "attachment")

_PEOPLE = (("Nadia Rahman", "nadia@example.com"), ("Jonas Beck", "jonas@example.org"),
           ("Lucía Fernández", "lucia@example.net"), ("Piotr Zieliński", "piotr@example.com"),
           ("Mei Tanaka", "mei@example.org"), ("Owen Hughes", "owen@example.net"),
           ("Sofia Rossi", "sofia@example.com"), ("Lars Nyström", "lars@example.org"))
_TOPICS = ("Weekly report", "Delivery of the parts", "Minutes of the meeting", "Offer and prices",
           "Travel to Lisbon", "Question about the plan", "Photos of the fair", "Invoice",
           "New figures", "Agenda for Thursday")
_WORDS = ("the plan was changed after we spoke and the figures are in the second table please look "
          "at them before Thursday because the printer needs an answer and nobody else knows the "
          "order of the pages our partner in Porto sends greetings and asks for the old drawing "
          "again it should be in the blue folder next to the window").split()

_rng = random.Random(20240229)
_TEXT = "\r\n".join(" ".join(_rng.choice(_WORDS) for _ in range(12)) for _ in range(4000)) + "\r\n"
_B64 = b"\r\n".join(base64.b64encode(_rng.randbytes(57)) for _ in range(14000)).decode() + "\r\n"
_LINE64 = 78

_FILLER = "X-Filler: %s\r\n"
_FILLER_MIN = len(_FILLER) - 2
_SMALLEST = 2400              # above what any kind needs for headers and text


class SynthSpec:
    __slots__ = ("number", "kind", "sent", "size", "to")

    def __init__(self, number, kind, sent, size, to):
        self.number = number
        self.kind = kind
        self.sent = sent
        self.to = to
        self.size = max(size, _SMALLEST)

    def _person(self):
        return _PEOPLE[self.number * 7 % len(_PEOPLE)]

    def _subject(self):
        return "%s %d" % (_TOPICS[self.number * 3 % len(_TOPICS)], self.number)

    def _message_id(self):
        return "<synthetic.%d@sandbox.example.org>" % self.number

    def envelope(self):
        name, address = self._person()
        multi = {"plain": "text/plain", "html": "text/html",
                 "alternative": "multipart/alternative"}.get(self.kind, "multipart/mixed")
        return {"from": [[name, address]], "to": [[None, self.to]], "cc": [], "bcc": [],
                "reply_to": [], "subject": self._subject(), "sent": self.sent, "priority": 0,
                "receipt": None, "content_type": multi, "message_id": self._message_id(),
                "headers": {"message-id": [self._message_id()], "subject": [self._subject()]}}

    def _lead(self):
        start = self.number * 977 % 150000
        return "Mail number %d of the synthetic set.\r\n%s\r\n" % (
            self.number, _TEXT[_TEXT.index("\r\n", start) + 2:][:500].rpartition("\r\n")[0])

    def summary(self):
        return self.kind == "attachment", " ".join(self._lead().split())[:100]

    def _build(self, filler, room):
        """The mail with `filler` as header line and about `room` bytes of extra content."""
        name, address = self._person()
        seconds = self.sent // 1000
        head = ("Return-Path: <%s>\r\nReceived: from mx.example.net by mx.example.org; %s\r\n"
                "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: %s\r\n"
                "MIME-Version: 1.0\r\n%s") % (
                    address, email.utils.formatdate(seconds),
                    email.utils.formataddr((name, address)), self.to, self._subject(),
                    email.utils.formatdate(seconds), self._message_id(), filler)
        lead = self._lead()
        bound = "=_s%d" % self.number
        if self.kind == "plain":
            return (head + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + lead
                    + _repeat(_TEXT, room))
        if self.kind == "html":
            return (head + "Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>"
                    + lead.replace("\r\n", "<br>\r\n") + "</p>\r\n<p>" + _repeat(_TEXT, room)
                    + "</p></body></html>\r\n")
        if self.kind == "alternative":
            return (head + "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n"
                    "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n"
                    "--%s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
                    "<html><body><p>%s</p>\r\n<p>%s</p></body></html>\r\n--%s--\r\n" % (
                        bound, bound, lead, bound, lead, _repeat(_TEXT, room), bound))
        return (head + "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n"
                "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n"
                "--%s\r\nContent-Type: application/octet-stream; name=\"data-%d.bin\"\r\n"
                "Content-Disposition: attachment; filename=\"data-%d.bin\"\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n%s--%s--\r\n" % (
                    bound, bound, lead, bound, self.number, self.number,
                    _repeat(_B64, room // _LINE64 * _LINE64), bound))

    def render(self):
        base = len(self._build("", 0))
        room = max(0, self.size - base - 150)
        gap = self.size - len(self._build("", room)) - _FILLER_MIN
        filler = _FILLER % ("x" * gap) if gap >= 0 else ""
        return self._build(filler, room).encode()


def _repeat(block, count):
    if count <= len(block):
        return block[:count]
    return (block * (count // len(block) + 1))[:count]


def make_specs(count, mean_size, kind, newest, span, to, first=1, seed=1):
    """`count` specs, oldest first, evenly spread over `span` milliseconds up to `newest`."""
    rng = random.Random(seed * 1000003 + first)
    step = max(1, span // max(1, count))
    for index in range(count):
        number = first + index
        chosen = KINDS[number % len(KINDS)] if kind == "mixed" else kind
        size = int(mean_size * (0.5 + rng.random()))
        sent = newest - (count - 1 - index) * step
        yield SynthSpec(number, chosen, sent // 1000 * 1000, size, to)
