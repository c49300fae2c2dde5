# SPDX-License-Identifier: Apache-2.0
"""One httpd with mod_eas, one sandbox behind it, and phones in front of it."""
import os

from easphone.client import Phone
from easphone.options import mail_options
from harness_httpd import Httpd
from harness_process import has_ipv6, wait_until

# login name on the phone -> password; the accounts that the sandbox seeds (t/sandbox/accounts.py)
PASSWORDS = {"anna": "anna-secret", "bob": "bob-secret", "carol": "grün-ß-geheim", "dave": "dave-secret",
             "erin": "erin-secret", "anna@example.net": "other-secret", "zoe@example.net": "zoe-secret"}


class Site:
    def __init__(self, certificate, schema, sandbox, tls=False, ipv6=False, **httpd):
        self.certificate, self.schema, self.tls, self.ipv6 = certificate, schema, tls, ipv6 and has_ipv6()
        self.sandbox, self.phones, self.keep, self.violations_expected = sandbox, [], True, False
        environment = dict(httpd.pop("environment", {}))
        if os.environ.get("EAS_TEST_PRELOAD"):
            environment["LD_PRELOAD"] = os.environ["EAS_TEST_PRELOAD"]
        self.httpd = Httpd(sandbox.api, certificate, environment=environment, **httpd)
        self.directory = self.httpd.directory
        self.failpoint_file = self.directory / "failpoints"
        self.httpd.environment["EAS_FAILPOINT_FILE"] = str(self.failpoint_file)

    def start(self):
        self.control.reset()
        self.httpd.start()
        return self

    def stop(self):
        for phone in self.phones:
            phone.close()
        self.httpd.stop()

    @property
    def control(self):
        return self.sandbox.control

    # ----------------------------------------------------------------------------------------------------------- phones

    def phone(self, user="anna", version="14.1", password=None, tls=None, ipv6=None, **settings):
        """a phone of a seeded user; every answer is checked against the schemas"""
        tls = self.tls if tls is None else tls
        url = self.httpd.url(tls=tls, ipv6=self.ipv6 if ipv6 is None else ipv6)
        settings.setdefault("device_id", "PHONE%03d" % len(self.phones))
        settings.setdefault("gzip", len(self.phones) % 2 == 0)
        settings.setdefault("base64_query", version in ("12.1", "16.1"))
        phone = Phone(url, user, PASSWORDS[user] if password is None else password, version=version,
                      ca_file=str(self.certificate[0]), **settings)
        if self.schema is not None:
            phone.on_answer.append(self._validate)
        self.phones.append(phone)
        return phone

    def _validate(self, phone, command, request, answer):
        if answer.document is not None:
            self.schema.validate(answer.document, "%s %s" % (command, phone.version_text))

    def ready_phone(self, user="anna", version="14.1", **settings):
        """a phone that has its folder tree"""
        phone = self.phone(user, version, **settings)
        phone.foldersync()
        return phone

    def synced_phone(self, user="anna", version="14.1", options=None, window=None, folder=None, **settings):
        """(phone, folder id): folder tree and one mail folder (default the inbox) are up to date"""
        phone = self.ready_phone(user, version, **settings)
        cid = phone.mailbox.folder_named(folder) if folder else phone.mailbox.folder_of_type(2)
        assert cid, "no folder %s" % (folder or "inbox")
        phone.sync_all(cid, options or mail_options(phone.version, truncation=512), window)
        return phone, cid

    # ------------------------------------------------------------------------------------------------------------- ends

    def failpoint(self, line):
        """arm one point: 'name:nth:die', 'name:nth:delay:ms', 'name:nth:fail'; '' disarms"""
        self.failpoint_file.write_text(line + "\n" if line else "", encoding="ascii")
        self.failpoint_file.chmod(0o644)

    def wait_children(self):
        wait_until(lambda: len(self.httpd.children()) >= 2, "children of httpd", 20)

    def finish(self, passed):
        """what every test ends with, beyond its own assertions"""
        if not passed:
            return
        violations = [] if self.violations_expected else self.control.violations()
        assert not violations, "the sandbox saw violations of the OX API: %s" % violations
        for phone in self.phones:
            phone.close()
        self.httpd.stop()
        complaints = self.httpd.complaints()
        assert not complaints, "in the error log:\n" + "\n".join(complaints)
