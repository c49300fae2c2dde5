# SPDX-License-Identifier: Apache-2.0
"""What OX shows of a mail: envelope columns, body views, parts by IMAP section number."""
import email
import email.header
import email.utils
import html
import html.parser
import re

TEXT_LIMIT = 10000            # the smallest max_size the server honours (3.5)


def header_block(raw):
    """The header bytes, without the empty line."""
    ends = [at for at in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if at >= 0]
    if raw.startswith((b"\r\n", b"\n")):
        return b""
    return raw[:min(ends)] if ends else raw


def _text(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def header_map(raw):
    """Lower-case name -> list of unfolded values, undecoded, in order."""
    found = {}
    name = None
    for line in _text(header_block(raw)).replace("\r\n", "\n").split("\n"):
        if line[:1] in (" ", "\t") and name:
            found[name][-1] += line
        else:
            head, colon, value = line.partition(":")
            name = head.strip().lower() if colon else None
            if name:
                found.setdefault(name, []).append(value.strip(" \t"))
    return found


def decode(text):
    """RFC 2047 decoding that never fails."""
    if "=?" not in text:
        return text
    try:
        parts = email.header.decode_header(text)
    except (ValueError, email.errors.HeaderParseError):
        return text
    out = []
    for data, charset in parts:
        if isinstance(data, str):
            out.append(data)
        else:
            out.append(decode_bytes(data, charset))
    return "".join(out)


def decode_bytes(data, charset):
    try:
        return data.decode(charset or "utf-8", "strict" if not charset else "replace")
    except (LookupError, UnicodeDecodeError):
        return data.decode("windows-1252", "replace")


def addresses(values):
    """[[name or null, address], ...] as OX lists it."""
    out = []
    for name, address in email.utils.getaddresses(values):
        if name or address:
            out.append([decode(name) or None, address])
    return out


def _millis(values):
    if not values:
        return None
    try:
        return int(email.utils.parsedate_to_datetime(values[0]).timestamp() * 1000)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


_PRIORITY = re.compile(r"\s*([1-5])")


def envelope(raw):
    head = header_map(raw)
    priority = _PRIORITY.match(head.get("x-priority", [""])[0])
    receipt = addresses(head.get("disposition-notification-to", []))
    ctype = head.get("content-type", ["text/plain"])[0]
    return {
        "from": addresses(head.get("from", [])), "to": addresses(head.get("to", [])),
        "cc": addresses(head.get("cc", [])), "bcc": addresses(head.get("bcc", [])),
        "reply_to": addresses(head.get("reply-to", [])),
        "subject": decode(head["subject"][0]) if "subject" in head else None,
        "sent": _millis(head.get("date")),
        "priority": int(priority.group(1)) if priority else 0,
        "receipt": receipt[0][1] if receipt else None,
        "content_type": ctype.split(";")[0].strip().lower(),
        "message_id": head.get("message-id", [None])[0],
        "headers": head,
    }


def parse(raw):
    return email.message_from_bytes(raw)


def sections(part, prefix=""):
    """(section number, leaf part) in order; a nested message is a leaf, then its own parts."""
    if part.get_content_maintype() == "multipart" and isinstance(part.get_payload(), list):
        for number, sub in enumerate(part.get_payload(), 1):
            yield from _numbered(sub, "%s.%d" % (prefix, number) if prefix else str(number))
    else:
        yield from _numbered(part, prefix + ".1" if prefix else "1")


def _numbered(part, number):
    if part.get_content_maintype() == "multipart" and isinstance(part.get_payload(), list):
        yield from sections(part, number)
        return
    yield number, part
    if part.get_content_type() == "message/rfc822" and isinstance(part.get_payload(), list):
        yield from sections(part.get_payload()[0], number)


def part_bytes(part):
    if part.get_content_type() == "message/rfc822" and isinstance(part.get_payload(), list):
        return part.get_payload()[0].as_bytes()
    data = part.get_payload(decode=True)
    if data is None:                          # a multipart type without readable parts
        payload = part.get_payload()
        if isinstance(payload, list):
            return b"".join(p.as_bytes() for p in payload)
        return str(payload).encode("utf-8", "replace")
    return data


def filename(part):
    try:
        name = part.get_filename()
    except (LookupError, ValueError):
        name = None
    return decode(name) if name else None


_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)


def part_text(part):
    """The part's text; HTML that names its charset only inside is read as it says, as OX does."""
    data, charset = part_bytes(part), part.get_content_charset()
    if charset is None and part.get_content_type() == "text/html":
        named = _META.search(data[:4096])
        charset = named.group(1).decode("ascii") if named else None
    return decode_bytes(data, charset)


class _Stripper(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.out, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style", "head"):
            self.hidden += 1
        elif tag in ("br", "p", "div", "tr", "li", "h1", "h2", "h3"):
            self.out.append("\n")

    def handle_endtag(self, tag):
        if tag in ("script", "style", "head") and self.hidden:
            self.hidden -= 1

    def handle_data(self, data):
        if not self.hidden:
            self.out.append(data)


def html_to_text(text):
    stripper = _Stripper()
    stripper.feed(text)
    stripper.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(stripper.out)).strip()


_ACTIVE = re.compile(r"<script\b.*?</script\s*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)",
                     re.I | re.S)
_REMOTE = re.compile(r"(<img\b[^>]*?\bsrc\s*=\s*[\"']?)https?://[^\"'\s>]*", re.I)


def render(text, ctype, view):
    """A text part as the asked view shows it."""
    if view == "raw":
        return text
    if view in ("text", "textNoHtmlAttach"):
        return html_to_text(text) if ctype == "text/html" else text
    if ctype == "text/plain":
        return html.escape(text).replace("\r\n", "\n").replace("\n", "<br>")
    text = _ACTIVE.sub("", text)
    return _REMOTE.sub(r"\1", text) if view == "noimg" else text


class _Collector:
    """Walks a message and sorts its leaves into body texts, files and nested messages."""

    def __init__(self, view):
        self.view = view
        self.texts, self.files, self.nested = [], [], []

    def container(self, part, prefix):
        children = [(sub, "%s.%d" % (prefix, n) if prefix else str(n))
                    for n, sub in enumerate(part.get_payload(), 1)]
        if part.get_content_type() == "multipart/alternative" and self.view != "raw":
            self._alternative(children)
            return
        for sub, number in children:
            self.visit(sub, number)

    def visit(self, part, number):
        if part.get_content_maintype() == "multipart" and isinstance(part.get_payload(), list):
            self.container(part, number)
        elif part.get_content_type() == "message/rfc822":
            self.nested.append((number, part))
        elif _is_body(part):
            self.texts.append((number, part))
        else:
            self.files.append((number, part))

    def _alternative(self, children):
        plain = self.view in ("text", "textNoHtmlAttach")
        wanted = "text/plain" if plain else "text/html"
        bodies = [c for c in children if _holds_text(c[0])]
        match = [c for c in bodies if _holds_text(c[0], wanted)]
        chosen = (match or bodies[-1:])[:1]
        for child in children:
            if child in chosen or child not in bodies:
                self.visit(*child)


def _is_body(part):
    return (part.get_content_type() in ("text/plain", "text/html")
            and part.get_content_disposition() != "attachment" and not filename(part))


def _holds_text(part, ctype=None):
    return any(_is_body(p) and (ctype is None or p.get_content_type() == ctype)
               for _, p in sections(part))


def collect(message, view):
    found = _Collector(view)
    if message.get_content_maintype() == "multipart" and isinstance(message.get_payload(), list):
        found.container(message, "")
    else:
        found.visit(message, "1")
    return found


def summary(raw):
    """(has attachments, text preview of at most 100 characters)"""
    found = collect(parse(raw), "text")
    attached = bool(found.nested) or any(p.get_content_disposition() == "attachment"
                                         or (filename(p) and not p.get("Content-ID"))
                                         for _, p in found.files)
    preview = ""
    if found.texts:
        part = found.texts[0][1]
        preview = " ".join(render(part_text(part), part.get_content_type(), "text").split())[:100]
    return attached, preview


def _attachment_entry(number, part):
    cid = part.get("Content-ID")
    return {"id": number, "content_type": part.get_content_type(),
            "size": len(part_bytes(part)),
            "disp": part.get_content_disposition() or "attachment",
            "filename": filename(part), "cid": cid.strip() if cid else None}


def body_entries(message, view, max_size=0):
    """(attachments, nested_msgs, truncated) of a mail object."""
    found = collect(message, view)
    limit = max(max_size, TEXT_LIMIT) if max_size > 0 else 0
    entries, truncated = [], False
    for number, part in found.texts:
        ctype = part.get_content_type()
        text = render(part_text(part), ctype, view)
        shown = "text/plain" if view in ("text", "textNoHtmlAttach") else ctype
        cut = bool(limit) and len(text.encode("utf-8", "replace")) > limit
        if cut:
            text = text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")
            truncated = True
        entries.append({"id": number, "content_type": shown, "content": text, "disp": "inline",
                        "size": -1, "truncated": cut, "filename": None, "cid": None})
    entries += [_attachment_entry(number, part) for number, part in found.files]
    nested = []
    for number, part in found.nested:
        payload = part.get_payload()
        raw = part_bytes(part)
        inner = envelope(raw)
        entry = {"id": number, "subject": inner["subject"], "from": inner["from"],
                 "to": inner["to"], "size": len(raw), "filename": filename(part)}
        if isinstance(payload, list):
            entry["attachments"] = body_entries(payload[0], view, max_size)[0]
        nested.append(entry)
    return entries, nested, truncated


def find_part(message, number=None, cid=None):
    for section, part in sections(message):
        if number is not None and section == number:
            return part
        if cid is not None and (part.get("Content-ID") or "").strip().strip("<>") == \
                cid.strip().strip("<>"):
            return part
    return None
