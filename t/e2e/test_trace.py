# SPDX-License-Identifier: Apache-2.0
"""EASTrace: decoded requests and answers of chosen users in the log, without secrets, bodies or subjects."""
import pytest

import harness_mail as mail
from harness_site import PASSWORDS


@pytest.mark.site(directives={"EASTrace": "user anna"})
def test_trace_shows_elements_and_masks_content(site):
    phone, cid = site.synced_phone()
    site.control.deliver(raw=mail.plain("very private subject", "very private body\n"))
    site.httpd.mark()
    phone.sync_all(cid)
    site.httpd.wait_line("ServerId")
    text = "\n".join(site.httpd.new_lines())
    for shown in ("<Sync", "CollectionId", "SyncKey", cid):
        assert shown in text
    for hidden in ("very private", PASSWORDS["anna"], phone.authorization().split()[1]):
        assert hidden not in text


@pytest.mark.site(directives={"EASTrace": "user anna"})
def test_trace_of_others_is_off(site):
    site.phone("bob").foldersync()
    assert "<FolderSync" not in site.httpd.log()


def test_no_trace_by_default(site):
    site.synced_phone()
    log = site.httpd.log()
    assert "<FolderSync" not in log and "<Sync" not in log


@pytest.mark.site(directives={"EASTrace": "user anna"})
def test_trace_is_capped(site):
    for n in range(30):
        site.control.deliver(raw=mail.plain("m%d" % n, "x" * 20000))
    site.synced_phone()
    assert max(map(len, site.httpd.log().splitlines())) < 10000
    assert len(site.httpd.log()) < 2000000


def test_nothing_private_in_the_log_of_a_normal_session(site):
    phone, cid = site.synced_phone()
    site.control.deliver(raw=mail.plain("very private subject", "very private body\n"))
    phone.sync_all(cid)
    site.control.expire_sessions()
    phone.sync_all(cid)
    log = site.httpd.log()
    for hidden in ("very private", PASSWORDS["anna"]):
        assert hidden not in log
