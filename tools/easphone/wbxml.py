# SPDX-License-Identifier: Apache-2.0
"""ActiveSync's profile of WBXML: encode(Node) -> bytes, decode(bytes) -> Node.

The encoder writes a page switch only where the page changes, and never an element with 0x40 and no content. The decoder
is strict: what the profile forbids is an error with its byte offset. check() adds what a strict phone expects of a server:
tokens of the spoken version only, opaque content where the table says so, no redundant page switch, no control characters.
"""
from .node import Node
from .tables import table

SWITCH_PAGE, END, ENTITY, STR_I, STR_T, OPAQUE = 0x00, 0x01, 0x02, 0x03, 0x83, 0xC3
HAS_CONTENT, HAS_ATTRIBUTES, TOKEN_MASK, FIRST_TOKEN = 0x40, 0x80, 0x3F, 0x05
MAX_DEPTH = 64
HEADER = b"\x03\x01\x6a\x00"


class WbxmlError(Exception):
    """not a document of the profile; offset = the byte where that was seen"""

    def __init__(self, text, offset=None):
        super().__init__(text if offset is None else "%s (byte %d)" % (text, offset))
        self.offset = offset


def mb_uint(number):
    out = bytearray([number & 0x7F])
    number >>= 7
    while number:
        out.insert(0, 0x80 | (number & 0x7F))
        number >>= 7
    return bytes(out)


# --------------------------------------------------------------------------------------------------------------- encode

def encode(root):
    """bytes of a document; unknown element names raise WbxmlError"""
    tokens, out, page = table(), bytearray(HEADER), 0

    def put(node):
        nonlocal page
        token = tokens.by_name.get(node.name)
        if token is None:
            raise WbxmlError("no token for element " + node.name)
        if token.page != page:
            out.extend((SWITCH_PAGE, token.page))
            page = token.page
        if not node.children and not node.value:
            out.append(token.byte)
            return
        out.append(token.byte | HAS_CONTENT)
        if node.children:
            if node.value:
                raise WbxmlError("text beside elements in " + node.name)
            for child in node.children:
                put(child)
        elif isinstance(node.value, bytes):
            out.append(OPAQUE)
            out.extend(mb_uint(len(node.value)) + node.value)
        else:
            if "\0" in node.value:
                raise WbxmlError("NUL inside the text of " + node.name)
            out.append(STR_I)
            out.extend(node.value.encode("utf-8") + b"\0")
        out.append(END)

    put(root.resolve(root.ns))
    return bytes(out)


# --------------------------------------------------------------------------------------------------------------- decode

class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        if self.at >= len(self.data):
            raise WbxmlError("document ends too early", self.at)
        self.at += 1
        return self.data[self.at - 1]

    def uint(self):
        start, number = self.at, 0
        for _ in range(5):
            byte = self.byte()
            number = number << 7 | byte & 0x7F
            if not byte & 0x80:
                if number > 0xFFFFFFFF:
                    break
                return number
        raise WbxmlError("number longer than 32 bits", start)

    def string(self):
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise WbxmlError("string without end", self.at)
        raw, self.at = self.data[self.at:end], end + 1
        return raw

    def take(self, length):
        if length > len(self.data) - self.at:
            raise WbxmlError("opaque longer than the document", self.at)
        self.at += length
        return self.data[self.at - length:self.at]


class Document:
    """the root of a decoded document and what check() needs to know about its bytes"""

    def __init__(self, root, redundant_switches):
        self.root, self.redundant_switches = root, redundant_switches


def decode_document(data):
    tokens, r = table(), _Reader(bytes(data))
    if r.byte() not in (0x01, 0x02, 0x03):
        raise WbxmlError("unknown WBXML version", 0)
    if r.uint() == 0:
        r.uint()
    charset = r.uint()
    if charset not in (0, 0x6A):
        raise WbxmlError("charset %d is not UTF-8" % charset, r.at)
    strings = r.take(r.uint())
    page, root, stack, redundant, last_switch = 0, None, [], [], False
    runs = []                                     # per open element: list of (is_opaque, bytes)

    def close():
        node, parts = stack.pop(), runs.pop()
        if not parts:
            return
        raw = b"".join(part for _, part in parts)
        if node.children:
            raise WbxmlError("text beside elements in " + node.name, r.at)
        if any(opaque for opaque, _ in parts):
            node.value = raw
            return
        try:
            node.value = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise WbxmlError("invalid UTF-8 in " + node.name, r.at) from None

    def content(opaque, raw):
        if not stack:
            raise WbxmlError("content outside of the root", r.at)
        runs[-1].append((opaque, raw))

    while True:
        at, byte = r.at, r.byte()
        if byte == SWITCH_PAGE:
            new = r.byte()
            if new not in tokens.pages:
                raise WbxmlError("unknown page %d" % new, at)
            if new == page or last_switch:
                redundant.append(at)
            page, last_switch = new, True
            continue
        last_switch = False
        if byte == END:
            if not stack:
                raise WbxmlError("END without element", at)
            close()
            if not stack:
                break
        elif byte == STR_I:
            content(False, r.string())
        elif byte == STR_T:
            offset = r.uint()
            end = strings.find(b"\0", offset)
            if offset >= len(strings) or end < 0:
                raise WbxmlError("string table offset out of range", at)
            content(False, strings[offset:end])
        elif byte == ENTITY:
            content(False, chr(r.uint()).encode("utf-8"))
        elif byte == OPAQUE:
            content(True, r.take(r.uint()))
        elif byte & HAS_ATTRIBUTES or byte & TOKEN_MASK < FIRST_TOKEN:
            raise WbxmlError("token 0x%02x is not part of ActiveSync" % byte, at)
        else:
            token = tokens.by_byte.get((page, byte & TOKEN_MASK))
            if token is None:
                raise WbxmlError("unknown token 0x%02x on page %d" % (byte & TOKEN_MASK, page), at)
            node = Node(token.name)
            if stack:
                stack[-1].children.append(node)
            else:
                root = node
            if byte & HAS_CONTENT:
                if len(stack) >= MAX_DEPTH:
                    raise WbxmlError("nested deeper than %d" % MAX_DEPTH, at)
                stack.append(node)
                runs.append([])
            elif not stack:
                break
    if r.at != len(r.data):
        raise WbxmlError("%d bytes after the end of the root" % (len(r.data) - r.at), r.at)
    return Document(root, redundant)


def decode(data):
    return decode_document(data).root


# ---------------------------------------------------------------------------------------------------------------- check

def kind(name):
    token = table().by_name.get(name)
    return token.kind if token else "string"


# Containers the protocol sends empty on purpose; any other empty container breaks phones.
EMPTY_ALLOWED = {"Email:Flag", "Email:Categories", "Search:Result", "AirSync:ApplicationData", "Find:Result",
                 "ItemOperations:Properties", "AirSyncBase:Location"}
# Elements that hold text in one direction and elements in the other.
EITHER = {"Ping:Folder", "ValidateCert:Certificate"}


def check(document, version):
    """list of sentences, one for each thing a strict phone of that version would reject"""
    wrong = ["redundant page switch at byte %d" % at for at in document.redundant_switches]
    tokens = table()
    for node in document.root.walk():
        token = tokens.by_name[node.name]
        if not token.exists_in(version):
            wrong.append("%s does not exist in version %s" % (node.name, version / 10))
        if token.kind == "opaque" and isinstance(node.value, str) and node.value:
            wrong.append("%s must be opaque" % node.name)
        if token.kind not in ("opaque", "stream", "mixed") and isinstance(node.value, bytes):
            wrong.append("%s must be a string" % node.name)
        if node.name in EITHER:
            continue
        if token.kind == "container":
            if node.value:
                wrong.append("%s holds text" % node.name)
            elif not node.children and node.name not in EMPTY_ALLOWED:
                wrong.append("%s is an empty container" % node.name)
        elif node.children and token.kind != "mixed":
            wrong.append("%s holds elements" % node.name)
        elif token.kind == "empty" and node.value:
            wrong.append("%s must be empty" % node.name)
        elif token.kind in ("int", "bool") and token.ns != "Provision" and not _number(node.value, token.kind):
            wrong.append("%s is not a %s: %r" % (node.name, token.kind, node.value))
        if isinstance(node.value, str):
            bad = [c for c in node.value if c < " " and c not in "\t\n\r"]
            if bad:
                wrong.append("%s holds the control character 0x%02x" % (node.name, ord(bad[0])))
    return wrong


def _number(text, wanted):
    if not isinstance(text, str):
        return False
    return text in ("0", "1") if wanted == "bool" else text.lstrip("-").isdigit()
