# SPDX-License-Identifier: Apache-2.0
"""ItemOperations Fetch: requests and answers, inline and multipart."""
import base64
import binascii
import dataclasses
import struct
import typing

from . import rules
from .errors import StatusError
from .model import Item
from .node import Node
from .options import BodyPreference, Options
from .rules import refuse

MULTIPART = "application/vnd.ms-sync.multipart"


@dataclasses.dataclass
class Fetch:
    """One Fetch: a mail (collection + server_id, or long_id) or an attachment (reference)."""
    collection: typing.Optional[str] = None
    server_id: typing.Optional[str] = None
    long_id: typing.Optional[str] = None
    reference: typing.Optional[str] = None
    range: typing.Optional[str] = None
    mime_support: typing.Optional[int] = None
    bodies: typing.List[BodyPreference] = dataclasses.field(default_factory=list)
    schema: typing.Optional[typing.List[str]] = None
    store: str = "Mailbox"

    def node(self):
        def text(name, value):
            return None if value is None else Node(name, value)
        schema = Node("ItemOperations:Schema", [Node(n) for n in self.schema]) if self.schema else None
        options = [schema, text("ItemOperations:Range", self.range), text("AirSync:MIMESupport", self.mime_support)]
        options += [b.node() for b in self.bodies]
        return Node("ItemOperations:Fetch", Node("Store", self.store),
                    text("AirSync:CollectionId", self.collection), text("AirSync:ServerId", self.server_id),
                    text("Search:LongId", self.long_id), text("AirSyncBase:FileReference", self.reference),
                    Node("ItemOperations:Options", options) if any(o is not None for o in options) else None)


@dataclasses.dataclass
class Fetched:
    """One Fetch of an answer. data: the attachment or the body as bytes, from Data or from the part it names."""
    status: int
    collection: typing.Optional[str] = None
    server_id: typing.Optional[str] = None
    reference: typing.Optional[str] = None
    properties: typing.Optional[Node] = None
    data: typing.Optional[bytes] = None
    content_type: typing.Optional[str] = None
    range: typing.Optional[str] = None
    total: typing.Optional[int] = None

    @property
    def item(self):
        return Item(self.properties.plain()) if self.properties is not None else None


def split_multipart(raw):
    """the parts of a multipart answer; part 0 is the WBXML document"""
    refuse(len(raw) < 4, "multipart answer of %d bytes" % len(raw))
    count = struct.unpack_from("<I", raw)[0]
    refuse(count < 1 or 4 + 8 * count > len(raw), "multipart answer with %d parts" % count)
    parts, end = [], 4 + 8 * count
    for index in range(count):
        offset, length = struct.unpack_from("<II", raw, 4 + 8 * index)
        refuse(offset != end, "part %d begins at %d, not at %d" % (index, offset, end))
        refuse(offset + length > len(raw), "part %d is longer than the answer" % index)
        parts.append(raw[offset:offset + length])
        end = offset + length
    refuse(end != len(raw), "%d bytes behind the last part" % (len(raw) - end))
    return parts


def apply(document, parts, asked, version):
    """list of Fetched, in answer order; parts None = inline answer"""
    refuse(document.name != "ItemOperations:ItemOperations", "answer to ItemOperations is " + document.name)
    rules.check_status_range(document, version)
    rules.in_order(document, ("Status", "Response"))
    status = int(document.get("Status", "0"))
    if status != 1:
        refuse(document.has("Response"), "Response beside the global status %d" % status)
        raise StatusError("ItemOperations", status)
    response = document.find("Response")
    nodes = response.all("Fetch") if response else []
    refuse(len(nodes) != len(asked), "%d answers to %d fetches" % (len(nodes), len(asked)))
    return [_fetched(node, parts, question, version) for node, question in zip(nodes, asked)]


def _fetched(node, parts, asked, version):
    rules.in_order(node, rules.FETCH_ORDER)
    out = Fetched(int(node.get("Status", "0")), node.get("AirSync:CollectionId"), node.get("AirSync:ServerId"),
                  node.get("AirSyncBase:FileReference"), node.find("Properties"))
    if out.status != 1:
        refuse(out.properties is not None, "Properties beside status %d" % out.status)
        return out
    refuse((out.reference or None) != asked.reference, "FileReference is not echoed")
    refuse(asked.server_id is not None and (out.collection, out.server_id) != (asked.collection, asked.server_id),
           "CollectionId and ServerId are not echoed")
    properties = out.properties
    refuse(properties is None, "success without Properties")
    out.content_type, out.range = properties.get("AirSyncBase:ContentType"), properties.get("Range")
    refuse(asked.range is None and out.range is not None, "Range was not asked for")
    out.total = int(properties.get("Total")) if properties.has("Total") else None
    holder = properties if asked.reference is not None else properties.find("AirSyncBase:Body")
    if holder is not None:
        part, data = holder.get("ItemOperations:Part"), holder.get("Data")
        refuse(part is not None and parts is None, "Part in an inline answer")
        refuse(part is not None and data is not None, "Part beside Data")
        refuse(parts is not None and data is not None, "Data in a multipart answer")
        if part is not None:
            refuse(not 1 <= int(part) < len(parts), "Part %s of %d" % (part, len(parts)))
            out.data = parts[int(part)]
        elif data is not None and holder is properties:
            out.data = _unbase64(data)
        elif data is not None:
            out.data = data if isinstance(data, bytes) else data.encode("utf-8")
    if asked.reference is None and asked.schema is None and parts is None:
        rules.check_mail(properties, version, Options(bodies=asked.bodies), True, exact=False)
    return out


def _unbase64(data):
    if isinstance(data, bytes):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        refuse(True, "attachment data is not base64: %s" % error)
