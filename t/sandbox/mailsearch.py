# SPDX-License-Identifier: Apache-2.0
"""Mail search filters (3.9): a prefix expression becomes a predicate over mails."""
import facts
import mimeview

_MAX_DEPTH = 20
_DAY = 86400000


class BadFilter(Exception):
    pass


def _people(name):
    return lambda m: " ".join("%s %s" % (n or "", a) for n, a in m.envelope()[name])


def _content(mail):
    found = mimeview.collect(mimeview.parse(mail.source()), "raw")
    return " ".join(mimeview.render(mimeview.part_text(p), p.get_content_type(), "text")
                    for _, p in found.texts)


def _file_names(mail):
    parts = mimeview.sections(mimeview.parse(mail.source()))
    return " ".join(filter(None, (mimeview.filename(p) for _, p in parts)))


def _dispositions(mail):
    parts = mimeview.sections(mimeview.parse(mail.source()))
    return " ".join(filter(None, (p.get_content_disposition() for _, p in parts)))


_TEXTS = {
    "from": _people("from"), "to": _people("to"), "cc": _people("cc"), "bcc": _people("bcc"),
    "subject": lambda m: m.envelope()["subject"] or "",
    "content": _content, "content_type": lambda m: m.envelope()["content_type"],
    "disp": _dispositions,
}
# IMAP SEARCH compares dates by day.
_NUMBERS = {
    "received_date": lambda m: m.received // _DAY,
    "sent_date": lambda m: (m.envelope()["sent"] or 0) // _DAY,
    "size": lambda m: m.size, "flags": lambda m: m.mask(),
    "priority": lambda m: m.envelope()["priority"] or 3,
}
_DATES = ("received_date", "sent_date")
_COMPARE = {"=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b,
            ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b}


def compile_filter(expr, depth=0):
    if depth > _MAX_DEPTH or not isinstance(expr, list) or not expr:
        raise BadFilter("not an expression")
    operator, operands = expr[0], expr[1:]
    if operator in ("and", "or"):
        inner = [compile_filter(e, depth + 1) for e in operands]
        if not inner:
            raise BadFilter("%s without operands" % operator)
        join = all if operator == "and" else any
        return lambda m: join(test(m) for test in inner)
    if operator == "not" and len(operands) == 1:
        test = compile_filter(operands[0], depth + 1)
        return lambda m: not test(m)
    if operator not in _COMPARE or len(operands) != 2:
        raise BadFilter("unknown operator %s" % operator)
    return _comparison(operator, *operands)


def _comparison(operator, left, right):
    if isinstance(left, dict) and left.get("attachment") == "name" and operator == "=":
        return _contains(_file_names, right)
    field = left.get("field") if isinstance(left, dict) else None
    if field not in facts.SEARCH_FIELDS:
        raise BadFilter("unknown field %s" % field)
    if field in _TEXTS:
        if operator not in ("=", "<>"):
            raise BadFilter("operator %s on text" % operator)
        found = _contains(_TEXTS[field], right)
        return found if operator == "=" else lambda m: not found(m)
    try:
        number = int(right)
    except (TypeError, ValueError):
        raise BadFilter("%s needs a number" % field) from None
    value = _NUMBERS[field]
    if field == "flags" and operator in ("=", "<>"):
        return lambda m: (value(m) & number == number) == (operator == "=")
    if field in _DATES:
        number //= _DAY
        if operator == ">":                # SINCE includes the day itself
            operator = ">="
    compare = _COMPARE[operator]
    return lambda m: compare(value(m), number)


def _contains(get, needle):
    if not isinstance(needle, str):
        raise BadFilter("text expected")
    needle = needle.lower()
    return lambda m: needle in get(m).lower()
