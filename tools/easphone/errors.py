# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a phone and its server, by who is to blame."""
from .transport import LostAnswer, TransportError
from .wbxml import WbxmlError

__all__ = ["HttpError", "LostAnswer", "ProtocolViolation", "StatusError", "TransportError", "WbxmlError"]


class HttpError(Exception):
    """the server answered with another HTTP status than 200"""

    def __init__(self, command, response):
        super().__init__("%s: HTTP %d %s" % (command, response.status, response.reason))
        self.status, self.response = response.status, response


class StatusError(Exception):
    """the server answered with an ActiveSync status that means failure"""

    def __init__(self, command, status, where=""):
        super().__init__("%s: status %d%s" % (command, status, where and " for " + where))
        self.status = status


class ProtocolViolation(Exception):
    """the server sent something that breaks phones"""
