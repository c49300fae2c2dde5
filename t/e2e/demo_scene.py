#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What build/demo shows: the servers, a phone that sets itself up, a mail that arrives. Started by build/demo."""
import argparse
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "t" / "e2e"), str(ROOT / "tools")]

import harness_config  # noqa: E402
import harness_mail  # noqa: E402
from harness_httpd import Httpd  # noqa: E402
from harness_sandbox import Sandbox  # noqa: E402

EASPHONE = ROOT / "tools" / "easphone" / "easphone"
USER, PASSWORD = "anna", "anna-secret"


def say(text):
    print("\033[1m== %s\033[0m" % text if sys.stdout.isatty() else "== " + text, flush=True)


class Person:
    """somebody at a terminal with the easphone command"""

    def __init__(self, directory, url, certificate):
        self.words = ["--url", url, "--ca", str(certificate), "--user", USER, "--password-env", "EASPHONE_PASSWORD",
                      "--state", str(directory / "phone.json")]
        self.columns = str(max(100, shutil.get_terminal_size((120, 24)).columns))

    def run(self, *words):
        print("$ easphone %s" % " ".join(map(shlex.quote, words)), flush=True)
        done = subprocess.run([str(EASPHONE), *self.words, *words], timeout=300,
                              env=dict(os.environ, EASPHONE_PASSWORD=PASSWORD, COLUMNS=self.columns))
        if done.returncode:
            raise SystemExit("demo: easphone ended with %d" % done.returncode)
        print(flush=True)


def logins():
    from accounts import CONTEXTS, USERS
    for context, _, login, password, name, *_, blocked in USERS:
        if not blocked:
            yield login if context == 1 else "%s@%s" % (login, CONTEXTS[context][0]), password, name


def scene(person, control):
    person.run("setup", "--filter", "4")
    say("Somebody writes a mail")
    control.deliver(raw=harness_mail.with_attachments(
        "Tickets for Saturday", "Hi Anna,\n\nI got two tickets for Saturday evening, they are attached.\n\nBob\n",
        files=(("tickets.pdf", "application/pdf", b"%PDF-1.4\n% two seats in row 7\n" * 400),)))
    person.run("sync", "--filter", "4", "Inbox")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", required=True)
    parser.add_argument("--once", action="store_true")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="eas-demo-"))
    httpd = None
    try:
        certificate = harness_config.make_certificate(directory)
        with Sandbox() as sandbox:
            httpd = Httpd(sandbox.api, certificate, module=os.path.abspath(args.module))
            httpd.start()
            url = httpd.url(tls=True)
            print("httpd with mod_eas  %s/Microsoft-Server-ActiveSync\nsandbox (OX)        %s\nconfiguration       %s\n" %
                  (url, sandbox.api, httpd.file), flush=True)
            scene(Person(directory, url, certificate[0]), sandbox.control)
            if not args.once:
                stay(httpd, sandbox, certificate)
            complaints = httpd.complaints()
            if complaints:
                raise SystemExit("demo: in the error log:\n" + "\n".join(complaints))
    except KeyboardInterrupt:
        print()
    finally:
        if httpd:
            fell = httpd.process is not None and httpd.process.poll() is not None
            httpd.stop()
            if not fell:
                shutil.rmtree(httpd.directory, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


def stay(httpd, sandbox, certificate):
    say("The servers stay up; Ctrl-C ends them")
    print("ActiveSync  %s  (plain: %s)\nCertificate %s\nError log   %s/error.log\nSandbox     %s, control %s\n\nLogins:" %
          (httpd.url(tls=True), httpd.url(), certificate[0], httpd.directory, sandbox.api, sandbox.control.url))
    for login, password, name in logins():
        print("  %-18s %-16s %s" % (login, password, name))
    print("\nTry: %s --url %s --ca %s --user %s setup" % (EASPHONE, httpd.url(tls=True), certificate[0], USER), flush=True)
    httpd.process.wait()
    raise SystemExit("demo: httpd ended by itself, see its error log in " + str(httpd.directory))


if __name__ == "__main__":
    main()
