# SPDX-License-Identifier: Apache-2.0
"""Mails that tests deliver: small, exact, and made with the standard library."""
import email.message
import email.policy
import email.utils

WIRE = email.policy.SMTP


def plain(subject="Hello", text="Hello Anna,\n\nthis is a short mail.\n", sender="Bob Okafor <bob@example.org>",
          to="Anna Lindqvist <anna@example.org>", **headers):
    message = _head(subject, sender, to, headers)
    message.set_content(text)
    return message.as_bytes(policy=WIRE)


def html(subject="Hello", markup="<p>Hello <b>Anna</b></p>", sender="Bob Okafor <bob@example.org>",
         to="Anna Lindqvist <anna@example.org>", **headers):
    message = _head(subject, sender, to, headers)
    message.set_content(markup, subtype="html")
    return message.as_bytes(policy=WIRE)


def with_attachments(subject="Files", text="see attached\n", files=(("data.bin", "application/octet-stream", b"\x00\x01"),),
                     markup=None, images=(), sender="Bob Okafor <bob@example.org>",
                     to="Anna Lindqvist <anna@example.org>", **headers):
    """files: (name, type, bytes); images: (content id without brackets, type, bytes), shown inside the markup"""
    message = _head(subject, sender, to, headers)
    message.set_content(text)
    if markup is not None:
        message.add_alternative(markup, subtype="html")
        part = message.get_payload()[-1]
        for cid, kind, data in images:
            part.add_related(data, *kind.split("/"), cid="<%s>" % cid)
    for name, kind, data in files:
        message.add_attachment(data, *kind.split("/"), filename=name)
    return message.as_bytes(policy=WIRE)


def _head(subject, sender, to, headers):
    message = email.message.EmailMessage(policy=WIRE)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = email.utils.formatdate()
    message["Message-ID"] = email.utils.make_msgid(domain="example.org")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return message
