# SPDX-License-Identifier: Apache-2.0
"""Module `multiple`: several actions in one request (8.9).

Parts run in order here; a client must not rely on it for modules that OX runs concurrently.
"""
from webserver import Response, html

_MAX_PARTS = 50


def multiple(x):
    if not isinstance(x.body, list):
        x.misuse("malformed-body", "multiple needs an array")
        return html(400, "Malformed multiple request")
    if len(x.body) > _MAX_PARTS:
        x.misuse("multiple-too-long", "%d parts" % len(x.body))
    parts = [x.box.run_part(x, part, index) for index, part in enumerate(x.body)]
    return Response(b"[" + b",".join(parts) + b"]", ctype=x.box.json_type())


HANDLERS = {("multiple", ""): multiple}
