# SPDX-License-Identifier: Apache-2.0
"""The sandbox (t/sandbox, the stand-in for OX): one process for a whole test run, reset for each test."""
import pathlib
import sys

SANDBOX = pathlib.Path(__file__).resolve().parents[1] / "sandbox"
if str(SANDBOX) not in sys.path:
    sys.path.append(str(SANDBOX))

from control import Sandbox  # noqa: E402,F401

INBOX, TRASH, SENT, DRAFTS = "default0/INBOX", "default0/Trash", "default0/Sent", "default0/Drafts"
SEEN, ANSWERED, FLAGGED = 32, 1, 8
