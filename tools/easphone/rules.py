# SPDX-License-Identifier: Apache-2.0
"""What strict phones insist on in answers, beyond the schema: order, presence and form of elements."""
import re

from .errors import ProtocolViolation

COLLECTION_ORDER = ("Class", "SyncKey", "CollectionId", "Status", "MoreAvailable", "Commands", "Responses")
SYNC_ORDER = ("Status", "Limit", "Collections")
FOLDERSYNC_ORDER = ("Status", "SyncKey", "Changes")
ENTRY_ORDER = ("Class", "ClientId", "ServerId", "Status", "ApplicationData")
FOLDER_ORDER = ("ServerId", "ParentId", "DisplayName", "Type")
BODY_ORDER = ("Type", "EstimatedDataSize", "Truncated", "Data", "ItemOperations:Part", "Preview")
ATTACHMENT_ORDER = ("DisplayName", "FileReference", "ClientId", "Method", "EstimatedDataSize", "ContentId",
                    "ContentLocation", "IsInline")
FETCH_ORDER = ("ItemOperations:Status", "AirSync:CollectionId", "AirSync:ServerId", "Search:LongId", "AirSync:Class",
               "DocumentLibrary:LinkId", "AirSyncBase:FileReference", "ItemOperations:Properties")

# One line per rank: elements of one line may come in any order among themselves.
MAIL_ORDER = """
Email:To
Email:Cc
Email:From
Email:Subject
Email:ReplyTo
Email:DateReceived
Email:DisplayTo
Email:ThreadTopic
Email:Importance
Email:Read
Email:Attachments AirSyncBase:Attachments
Email:BodyTruncated Email:BodySize Email:Body Email:MIMETruncated Email:MIMESize Email:MIMEData AirSyncBase:Body
AirSyncBase:BodyPart
Email:MessageClass
Email:MeetingRequest
Email:InternetCPID
Email:Flag
Email:ContentClass
AirSyncBase:NativeBodyType
Email2:ConversationId Email2:ConversationIndex Email2:LastVerbExecuted Email2:LastVerbExecutionTime Email2:ReceivedAsBcc Email2:Sender Email2:AccountId Email2:IsDraft Email2:Bcc
Email:Categories
"""
MAIL_RANK = {name: rank for rank, line in enumerate(MAIL_ORDER.split("\n")) for name in line.split()}

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MAIL_REQUIRED = ((25, "Email:DateReceived"), (25, "Email:Importance"), (25, "Email:Read"), (25, "Email:MessageClass"),
                 (25, "Email:InternetCPID"), (120, "Email:Flag"), (120, "AirSyncBase:NativeBodyType"),
                 (140, "Email:Categories"), (160, "Email2:IsDraft"))


def refuse(condition, text):
    if condition:
        raise ProtocolViolation(text)


def in_order(node, order, many=()):
    """children are of the given names, in that order, each once (but those of many)"""
    ranks = {node._full(name): rank for rank, name in enumerate(order)}
    repeatable = {node._full(name) for name in many}
    last, seen = -1, set()
    for child in node.children:
        refuse(child.name not in ranks, "%s inside %s" % (child.name, node.name))
        refuse(ranks[child.name] < last, "%s comes too late inside %s" % (child.name, node.name))
        refuse(child.name in seen and child.name not in repeatable, "%s twice inside %s" % (child.name, node.name))
        last = ranks[child.name]
        seen.add(child.name)


def check_status_range(document, version):
    """statuses from 101 exist only from 14.0"""
    for node in document.walk():
        if node.tag == "Status" and node.ns not in ("Email", "Tasks"):
            refuse(version < 140 and (node.value or "0").isdigit() and int(node.value) > 100,
                   "status %s in version %s" % (node.value, version / 10))


def check_body(body, preferences, exact=False, mime_cut=False):
    """An AirSyncBase:Body against the preferences of the request. exact: Fetch, where truncation does not apply.
    mime_cut: MIMETruncation was given, which cuts Type 4 bodies."""
    in_order(body, BODY_ORDER)
    kind, data = int(body.get("Type", "0")), body.get("Data")
    refuse(kind not in (1, 2, 3, 4), "body of type %d" % kind)
    refuse(not body.has("EstimatedDataSize"), "body without EstimatedDataSize")
    estimated = int(body.get("EstimatedDataSize"))
    raw = None if data is None else data if isinstance(data, bytes) else data.encode("utf-8")
    refuse(body.get("Truncated") == "0", "Truncated with value 0")
    wanted = [p for p in preferences if p.type == kind]
    refuse(bool(preferences) and not wanted, "body type %d was not asked for" % kind)
    if body.has("Truncated"):
        refuse(raw is not None and estimated <= len(raw),
               "a truncated body of %d bytes with an estimated size of %d" % (len(raw or b""), estimated))
        refuse(not exact and bool(wanted) and not (kind == 4 and mime_cut) and all(p.truncation is None for p in wanted),
               "body truncated although no truncation was asked")
        refuse(exact, "body truncated in a Fetch")
    elif raw is not None and kind == 4:
        refuse(estimated != len(raw), "uncut MIME body of %d bytes with an estimated size of %d" % (len(raw), estimated))
    if raw is not None and wanted and not exact:
        limit = max((p.truncation if p.truncation is not None else 1 << 62) for p in wanted)
        refuse(len(raw) > limit, "body of %d bytes, %d asked" % (len(raw), limit))
    preview = body.get("Preview")
    if preview is not None:
        limit = max((p.preview or 0 for p in preferences), default=0)
        refuse(len(preview) > limit, "preview of %d characters, %d asked" % (len(preview), limit))
        refuse(kind == 1 and raw is not None, "preview beside plain text")


def check_mail(data, version, options, whole, exact=False, required=True):
    """The ApplicationData (or Properties) of a mail; whole: an Add or Fetch, not a Change of single properties."""
    last, seen = -1, set()
    for child in data.children:
        rank = MAIL_RANK.get(child.name)
        refuse(rank is None, "%s in a mail" % child.name)
        refuse(rank < last, "%s comes too late in a mail" % child.name)
        refuse(child.name in seen, "%s twice in a mail" % child.name)
        last = rank
        seen.add(child.name)
    if whole and required:
        for since, name in MAIL_REQUIRED:
            refuse(version >= since and name not in seen, "mail without %s" % name)
    date = data.get("Email:DateReceived")
    refuse(date is not None and not DATE.fullmatch(date), "DateReceived %r" % date)
    body = data.find("AirSyncBase:Body")
    if body is not None:
        check_body(body, options.bodies if options else [], exact,
                   options is not None and options.mime_truncation is not None)
    refuse(data.has("AirSyncBase:BodyPart"), "BodyPart was not asked for")
    attachments = data.find("AirSyncBase:Attachments")
    for attachment in attachments.children if attachments else ():
        in_order(attachment, ATTACHMENT_ORDER)
        for name in ("FileReference", "Method", "EstimatedDataSize"):
            refuse(not attachment.get(name), "attachment without %s" % name)
        refuse(attachment.get("IsInline") == "0", "IsInline with value 0")
        refuse((attachment.get("ContentId") or "").startswith("<"), "ContentId with angle brackets")
    conversation = data.get("Email2:ConversationId")
    refuse(conversation is not None and len(conversation) != 16, "ConversationId is not 16 bytes")
    index = data.get("Email2:ConversationIndex")
    refuse(index is not None and (len(index) < 5 or len(index) % 5), "ConversationIndex of %d bytes" % len(index or b""))
