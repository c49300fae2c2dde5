# SPDX-License-Identifier: Apache-2.0
"""The easphone command as a person uses it, with a state file between the runs."""
import json
import os
import pathlib
import subprocess

import pytest

import harness_mail as mail
from harness_sandbox import INBOX, SEEN
from harness_site import PASSWORDS

EASPHONE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "easphone" / "easphone"


@pytest.fixture(params=["14.1", "2.5"])
def run(site, tmp_path, request):
    """run(words...) -> completed process; JSON output is parsed when --json is among the words"""
    def call(*words, good=True, password=PASSWORDS["anna"]):
        command = [str(EASPHONE), "--url", site.httpd.url(tls=True), "--ca", str(site.certificate[0]), "--user", "anna",
                   "--password-env", "PHONE_PASSWORD", "--version", request.param, "--state", str(tmp_path / "state"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                              env=dict(os.environ, PHONE_PASSWORD=password, LD_PRELOAD="", COLUMNS="120"))
        assert (done.returncode == 0) == good, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in words and good else done
    return call


def test_set_up_and_daily_life(site, run, tmp_path):
    text = run("setup", "--filter", "0").stdout
    for shown in ("14.1", "Inbox", "Archive", "FROM", "SUBJECT"):
        assert shown in text
    assert "no changes" in run("sync").stdout
    new = site.control.deliver(raw=mail.with_attachments("fresh from the sandbox", files=[("x.txt", "text/plain", b"12345")]))
    assert "fresh from the sandbox" in run("sync").stdout
    items = run("--json", "mail")
    (sid,) = [s for s, i in items.items() if i.get("Email:Subject") == "fresh from the sandbox"]
    assert sid.endswith(":" + new)
    run("read", sid)
    assert next(m["flags"] for m in site.control.dump(INBOX) if m["id"] == new) & SEEN
    fetched = run("fetch", sid).stdout
    assert "see attached" in fetched and "x.txt" in fetched
    reference = fetched.split("x.txt (")[1].split(", ", 1)[1].split(")")[0]
    run("attachment", reference, "-o", str(tmp_path / "x.txt"))
    assert (tmp_path / "x.txt").read_bytes() == b"12345"
    assert run("--json", "estimate") == {"estimate": 0}
    run("delete", sid)
    assert new not in [m["id"] for m in site.control.dump(INBOX)]
    assert sid not in run("--json", "mail")


def test_options_and_folders(run):
    assert "16.1" in run("options").stdout
    assert "ItemOperations" in run("--json", "options")["commands"]
    folders = run("--json", "foldersync")
    assert 2 in [f["type"] for f in folders.values()]


def test_errors_are_sentences(site, run):
    site.httpd.expect("anna")
    done = run("sync", "Nowhere", good=False)
    assert "no folder 'Nowhere'" in done.stderr and "Traceback" not in done.stderr
    assert "was not synchronised" in run("mail", "Archive", good=False).stderr
    done = run("options", good=False, password="wrong")
    assert "401" in done.stderr and "refuses" in done.stderr
