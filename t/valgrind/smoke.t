#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""valgrind smoke, as TAP: a few unit programs, and one httpd process that serves a phone's first minutes.

    EAS_MODULE=.../mod_eas.so t/valgrind/smoke.t        in a build directory whose unit programs are built
"""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "t" / "e2e"), str(ROOT / "tools")]
sys.dont_write_bytecode = True

import harness_config  # noqa: E402
import harness_httpd  # noqa: E402
from easphone.client import Phone  # noqa: E402
from easphone.options import Coll, mail_options, set_read  # noqa: E402
from harness_process import accepts, wait_until  # noqa: E402
from harness_sandbox import Sandbox  # noqa: E402

UNIT = ("t/unit/test_wbxml_reader", "t/unit/test_wbxml_writer", "t/unit/test_ox_rows", "t/unit/test_ox_envelope")
ERROR_EXIT = 99
VALGRIND = ["valgrind", "-q", "--error-exitcode=%d" % ERROR_EXIT, "--leak-check=no", "--num-callers=30", "--vgdb=no",
            "--suppressions=%s" % (ROOT / "t" / "valgrind" / "valgrind.supp")]


class Valgrinded(harness_httpd.Httpd):
    """one process, under valgrind"""

    def command(self, *more):
        if "-t" in more:
            return super().command(*more)
        return VALGRIND + ["--log-file=%s" % (self.directory / "valgrind.%p"), harness_httpd.HTTPD, "-X", "-d",
                           str(self.directory), "-f", str(self.file)]

    def _ready(self, before):
        return accepts(self.port)

    def reports(self):
        return "".join(p.read_text(errors="replace") for p in sorted(self.directory.glob("valgrind.*")))


def session(httpd):
    phone = Phone(httpd.url(), "anna", "anna-secret", device_id="VALGRIND1", version="14.1", timeout=180)
    phone.options()
    phone.foldersync()
    inbox = phone.mailbox.folder_of_type(2)
    phone.sync_all(inbox, mail_options(phone.version, truncation=512), 20)
    first = next(iter(phone.mailbox.collection(inbox).items))
    phone.sync(Coll(inbox, commands=[set_read(first, True)]))
    phone.sync_all(inbox)
    phone.post("Sync", b"\x03\x01\x6a\x00\x45\x02\x8f")            # broken on purpose
    phone.close()
    return len(phone.mailbox.collection(inbox).items)


def main():
    number, bad = 0, 0

    def report(good, text, detail=""):
        nonlocal number, bad
        number, bad = number + 1, bad + (not good)
        print("%sok %d - %s" % ("" if good else "not ", number, text), flush=True)
        for line in detail.splitlines()[:60] if not good else ():
            print("# " + line, flush=True)

    for program in UNIT:
        done = subprocess.run(VALGRIND + [program], capture_output=True, text=True, errors="replace", timeout=300)
        report(done.returncode == 0, program, done.stdout[-2000:] + done.stderr)
    with Sandbox() as sandbox:
        sandbox.control.reset()
        made = harness_config.make_certificate(os.environ.get("TMPDIR", "/var/tmp"))
        httpd = Valgrinded(sandbox.api, made).start()
        try:
            count = session(httpd)
            report(count > 10, "a phone syncs its inbox of %d mails" % count)
            httpd.process.terminate()
            wait_until(lambda: httpd.process.poll() is not None, "end of httpd", 60)
            said = httpd.reports()
            report(not said.strip(), "valgrind has nothing to say about httpd", said)
        finally:
            httpd.stop()
            shutil.rmtree(httpd.directory, ignore_errors=True)
            for path in made:
                os.unlink(path)
    print("1..%d" % number)
    return bad > 0


sys.exit(main())
