# SPDX-License-Identifier: Apache-2.0
"""The sandbox (t/sandbox, the stand-in for OX) as a process of its own."""
import pathlib
import re
import subprocess
import sys

from harness_process import end, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
SANDBOX = ROOT / "t" / "sandbox"
if str(SANDBOX) not in sys.path:
    sys.path.append(str(SANDBOX))


class Sandbox:
    """api: the URL for EASBackend; control: the Control object of t/sandbox/control.py"""

    def __init__(self, directory, arguments=()):
        from control import Control
        self.port_file = pathlib.Path(directory) / "sandbox.ports"
        self.output = open(pathlib.Path(directory) / "sandbox.out", "wb")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(SANDBOX / "sandbox.py"), "--port", "0", "--control-port", "0",
             "--port-file", str(self.port_file), *arguments],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        text = wait_until(self._ready, "sandbox start", 60)
        self.api, control_url = re.search(r"api=(\S+)\s+control=(\S+)", text).groups()
        self.control = Control(control_url)

    def _ready(self):
        assert self.process.poll() is None, "sandbox ended with %s" % self.process.returncode
        text = self.port_file.read_text(encoding="ascii") if self.port_file.exists() else ""
        return text if text.endswith("\n") and "control=" in text else None

    def stop(self):
        end(self.process)
        self.output.close()
