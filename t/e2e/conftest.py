# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests.

    def test_something(site):
        phone = site.phone("anna")          # scripted phone, every answer checked against the schemas
        phone.foldersync()

`site` is one httpd with mod_eas, fresh for the test, and the sandbox, reset to its seed. At its end the sandbox must have seen no
violation of the OX API and the error log must hold nothing that the test did not expect. `sites` starts
one with settings of the test's own. `version` runs a test once for each of four protocol versions. Environment: EAS_MODULE, EAS_MODULE_FAILPOINTS, EAS_TEST_MPM (event, worker, prefork, or several
with commas), EAS_XSD, EAS_TEST_PRELOAD (for sanitizers).
"""
import os
import pathlib
import shutil
import sys
import zlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import harness_config as config  # noqa: E402
import harness_schema  # noqa: E402
from harness_sandbox import Sandbox  # noqa: E402
from harness_site import Site  # noqa: E402

VERSIONS = ("2.5", "12.1", "14.1", "16.1")
MPMS = tuple(os.environ.get("EAS_TEST_MPM", "event").split(","))
_schema = []


def loaded_schema():
    if not _schema:
        _schema.append(harness_schema.load())
    return _schema[0]


def pytest_configure(config):
    for name, text in (("no_server", "needs neither httpd nor sandbox"),
                       ("site(**settings)", "settings of the site fixture: directives, vhost, server, failpoints, tls, "
                                            "ipv6, mpm"),
                       ("long", "takes more than some seconds; left out with -m 'not long'")):
        config.addinivalue_line("markers", "%s: %s" % (name, text))


def pytest_report_header(config):
    directory = harness_schema.schema_directory()
    return ["mod_eas: %s" % (config_module() or "not built, tests that need it are skipped"),
            "schemas: %s" % (directory or "NOT THERE, answers are not validated (set EAS_XSD)")]


def config_module():
    return config.module_path()


def pytest_terminal_summary(terminalreporter):
    if not _schema:
        return
    terminalreporter.write_line("answers validated against the schemas: %s" % (
        _schema[0].validated if _schema[0] else "none, the schemas are not there"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "report_" + call.when, outcome.get_result())


@pytest.fixture(scope="session")
def schema():
    return loaded_schema()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    return config.make_certificate(directory)


@pytest.fixture(scope="session")
def sandbox():
    """the process; a test's site resets it"""
    with Sandbox() as running:
        yield running


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def _settings(request):
    out = {}
    for marker in reversed(list(request.node.iter_markers("site"))):
        out.update(marker.kwargs)
    return out


@pytest.fixture(params=MPMS)
def mpm(request):
    return request.param


@pytest.fixture
def sites(request, certificate, schema, sandbox, mpm):
    """Starts a site with the settings of the markers and of the call. Half of the tests, chosen by name, talk TLS."""
    started = []

    def start(**more):
        assert not started, "one site for one test"
        settings = dict(_settings(request), **more)
        if settings.pop("failpoints", False):
            settings["module"] = config.module_path(failpoints=True)
            if settings["module"] is None:
                pytest.skip("needs EAS_MODULE_FAILPOINTS")
        elif config.module_path() is None:
            pytest.skip("mod_eas.so is not built")
        settings.setdefault("mpm", mpm)
        settings.setdefault("tls", bool(zlib.crc32(request.node.nodeid.encode()) & 1))
        started.append(Site(certificate, schema, sandbox, **settings))
        return started[0].start()

    yield start
    if not started:
        return
    made, passed = started[0], request.node.report_call.passed if hasattr(request.node, "report_call") else False
    try:
        made.finish(passed)
        made.keep = not passed
    finally:
        made.stop()
        if made.keep:
            print("server files kept in %s" % made.directory)
        else:
            shutil.rmtree(made.directory, ignore_errors=True)


@pytest.fixture
def site(sites):
    return sites()
