# SPDX-License-Identifier: Apache-2.0
"""The query string of a request, in its plain and its base64 form."""
import base64
import struct
import urllib.parse

COMMANDS = ("Sync", "SendMail", "SmartForward", "SmartReply", "GetAttachment", "GetHierarchy", "CreateCollection",
            "DeleteCollection", "MoveCollection", "FolderSync", "FolderCreate", "FolderDelete", "FolderUpdate", "MoveItems",
            "GetItemEstimate", "MeetingResponse", "Search", "Settings", "Ping", "ItemOperations", "Provision",
            "ResolveRecipients", "ValidateCert", "Find")
PARAMETER_TAGS = {"AttachmentName": 0, "CollectionId": 1, "ItemId": 3, "LongId": 4, "Occurrence": 6, "Options": 7, "User": 8}
SAVE_IN_SENT, ACCEPT_MULTIPART = 0x01, 0x02


def plain(command, user, device_id, device_type, parameters=None):
    """Cmd=...&User=...; values that are None are left out"""
    pairs = [("Cmd", command), ("User", user), ("DeviceId", device_id), ("DeviceType", device_type)]
    pairs += list((parameters or {}).items())
    return "&".join("%s=%s" % (name, urllib.parse.quote(str(value), safe=""))
                    for name, value in pairs if value is not None)


def packed(version, command, device_id, device_type, policy_key=None, parameters=None, locale=0x0409):
    """the bytes below the base64 form; version as int (141), command as name or code"""
    code = command if isinstance(command, int) else COMMANDS.index(command)
    device, kind = device_id.encode("utf-8"), device_type.encode("utf-8")
    out = struct.pack("<BBH", version, code, locale) + bytes([len(device)]) + device
    out += b"\0" if policy_key is None else b"\4" + struct.pack("<I", policy_key)
    out += bytes([len(kind)]) + kind
    for name, value in (parameters or {}).items():
        raw = bytes([value]) if isinstance(value, int) else value.encode("utf-8")
        out += bytes([PARAMETER_TAGS[name], len(raw)]) + raw
    return out


def base64_form(*args, **kwargs):
    return base64.b64encode(packed(*args, **kwargs)).decode("ascii")
