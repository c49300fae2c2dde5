# SPDX-License-Identifier: Apache-2.0
"""The forms of an answer (0.2, 0.3)."""
import json


class RawJSON:
    """A payload that is already encoded."""
    __slots__ = ("data",)

    def __init__(self, data):
        self.data = data


def encode(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8",
                                                                             "replace")


def envelope(result):
    """Handlers return the payload, or (payload, timestamp), or {"": top-level fields}."""
    timestamp = None
    if isinstance(result, tuple):
        result, timestamp = result
    if isinstance(result, RawJSON):
        return b'{"data":' + result.data + b"}"
    if isinstance(result, dict) and "" in result:
        return encode(result[""])
    whole = {"data": result}
    if timestamp is not None:
        whole["timestamp"] = timestamp
    return encode(whole)


def callback(name, body):
    """The JavaScript form that uploads and old clients get."""
    name = name.encode()
    return (b"<!DOCTYPE html><html><head><script type=\"text/javascript\">"
            b"(parent[\"callback_" + name + b"\"]||window.opener&&window.opener[\"callback_"
            + name + b"\"])(" + body + b")</script></head></html>")
