# SPDX-License-Identifier: Apache-2.0
"""The response schemas, where they are present: EAS_XSD, else ../shared/eas/xsd beside the project."""
import os
import pathlib

from easphone.node import to_element

ROOT = pathlib.Path(__file__).resolve().parents[2]


def schema_directory():
    for place in (os.environ.get("EAS_XSD"), ROOT.parent / "shared" / "eas" / "xsd"):
        if place and (pathlib.Path(place) / "all.xsd").is_file():
            return pathlib.Path(place)
    return None


class Schema:
    def __init__(self, directory):
        from lxml import etree
        self.etree = etree
        self.schema = etree.XMLSchema(etree.parse(str(directory / "all.xsd")))
        self.validated = 0

    def validate(self, node, what):
        import xml.etree.ElementTree as ET
        document = self.etree.fromstring(ET.tostring(to_element(node)))
        self.validated += 1
        if not self.schema.validate(document):
            errors = "; ".join("%s" % e.message for e in self.schema.error_log)
            raise AssertionError("%s does not validate: %s" % (what, errors))


def load():
    """Schema, or None where schemas or lxml are not there"""
    directory = schema_directory()
    if directory is None:
        return None
    try:
        return Schema(directory)
    except ImportError:
        return None
