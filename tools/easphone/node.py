# SPDX-License-Identifier: Apache-2.0
"""One element of an ActiveSync document.

    Node("AirSync:Sync", Node("Collections", Node("Collection", Node("SyncKey", "0"), Node("CollectionId", "1"))))

A name is "Page:Tag"; a bare "Tag" is on the page of its parent. Content is either child nodes, or text (str or int:
an inline string), or bytes (opaque). None among the content is skipped, so optional children are easy to write.
"""
import base64
import xml.etree.ElementTree as ET


class Node:
    __slots__ = ("ns", "tag", "children", "value")

    def __init__(self, name, *content):
        ns, colon, tag = name.rpartition(":")
        self.ns, self.tag = (ns if colon else None), tag
        self.children, self.value = [], None
        for part in content:
            if part is None:
                continue
            if isinstance(part, Node):
                self.children.append(part)
            elif isinstance(part, (list, tuple)):
                self.children.extend(p for p in part if p is not None)
            elif isinstance(part, (bytes, bytearray)):
                self.value = bytes(part)
            else:
                self.value = str(part)
        if self.ns is not None:
            self.resolve(self.ns)

    def resolve(self, ns):
        """give bare names below the page of their parent"""
        if self.ns is None:
            self.ns = ns
        for child in self.children:
            child.resolve(self.ns)
        return self

    @property
    def name(self):
        return "%s:%s" % (self.ns, self.tag)

    def _full(self, name):
        return name if ":" in name else "%s:%s" % (self.ns, name)

    def find(self, path):
        """first node at 'Tag' or 'A/B' (bare names: the page of the node that is searched), or None"""
        node = self
        for name in path.split("/"):
            full = node._full(name)
            node = next((c for c in node.children if c.name == full), None)
            if node is None:
                return None
        return node

    def all(self, name):
        full = self._full(name)
        return [c for c in self.children if c.name == full]

    def get(self, path, default=None):
        """text at path; default when the element is not there; '' when it is there and empty"""
        node = self.find(path)
        if node is None:
            return default
        if isinstance(node.value, bytes):
            return node.value
        return node.value or ""

    def has(self, path):
        return self.find(path) is not None

    def names(self):
        return [c.name for c in self.children]

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    def __eq__(self, other):
        return (isinstance(other, Node) and self.name == other.name and self.children == other.children
                and (self.value or "") == (other.value or ""))

    __hash__ = None

    def __repr__(self):
        if self.children:
            return "%s(%s)" % (self.name, ", ".join(map(repr, self.children)))
        return "%s=%r" % (self.name, self.value)

    def plain(self):
        """JSON form: text, {"opaque": base64} or a dict; a repeated child becomes a list"""
        if isinstance(self.value, bytes):
            return {"opaque": base64.b64encode(self.value).decode("ascii")}
        if not self.children:
            return self.value or ""
        out = {}
        for child in self.children:
            name, value = child.name, child.plain()
            if name not in out:
                out[name] = value
            elif isinstance(out[name], list):
                out[name].append(value)
            else:
                out[name] = [out[name], value]
        return out


def _element(node, parent, kinds):
    name = "{%s}%s" % (node.ns, node.tag)
    element = ET.Element(name) if parent is None else ET.SubElement(parent, name)
    for child in node.children:
        _element(child, element, kinds)
    if isinstance(node.value, bytes):
        element.text = base64.b64encode(node.value).decode("ascii")
    elif node.value:
        element.text = node.value
    return element


def to_element(node):
    """as xml.etree element: namespace = page name, opaque as base64 text (what a schema validates)"""
    return _element(node, None, None)


def _escape(text):
    for plain, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = text.replace(plain, escaped)
    return text


def to_xml(node, header=True):
    """pretty XML text; the default namespace is declared where it changes; no blanks inside text"""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>'] if header else []

    def write(n, ns, indent):
        start = indent + "<" + n.tag + ("" if n.ns == ns else ' xmlns="%s"' % n.ns)
        if n.children:
            lines.append(start + ">")
            for child in n.children:
                write(child, n.ns, indent + "  ")
            lines.append("%s</%s>" % (indent, n.tag))
        elif n.value:
            text = base64.b64encode(n.value).decode("ascii") if isinstance(n.value, bytes) else _escape(n.value)
            lines.append("%s>%s</%s>" % (start, text, n.tag))
        else:
            lines.append(start + "/>")

    write(node, None, "")
    return "\n".join(lines) + "\n"


def from_xml(text, kinds):
    """a Node from XML text; elements whose kind is "opaque" hold base64"""
    def convert(element):
        ns, _, tag = element.tag[1:].partition("}") if element.tag.startswith("{") else ("", "", element.tag)
        node = Node("%s:%s" % (ns, tag))
        node.children = [convert(child) for child in element]
        body = element.text or ""
        if node.children:
            if body.strip():
                raise ValueError("text beside elements in " + node.name)
        elif kinds(node.name) == "opaque" and body:
            node.value = base64.b64decode(body)
        elif body:
            node.value = body
        return node

    return convert(ET.fromstring(text))
