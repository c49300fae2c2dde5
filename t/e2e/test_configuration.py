# SPDX-License-Identifier: Apache-2.0
"""The configuration: conf.d/eas.conf as it is, and what configtest says to mistakes."""
import pytest

import harness_config as config
from harness_httpd import Httpd


@pytest.fixture
def httpd(certificate, tmp_path):
    if config.module_path() is None:
        pytest.skip("mod_eas.so is not built")
    made = []

    def make(**settings):
        made.append(Httpd("http://127.0.0.1:9/ajax", certificate, **settings))
        return made[0]

    yield make
    for server in made:
        server.stop()


def test_the_shipped_file_is_complete(httpd):
    status, text = httpd().configtest()
    assert status == 0 and "Syntax OK" in text


@pytest.mark.parametrize("directives, words", [
    ({"EASBackend": "ftp://example.com/ajax"}, "EASBackend"),
    ({"EASBackend": "not a url"}, "EASBackend"),
    ({"EASMaxVersion": "17.0"}, "EASMaxVersion"),
    ({"EASMaxBody": "many"}, "EASMaxBody"),
    ({"EASMaxBody": "-1"}, "EASMaxBody"),
    ({"EASNoSuchDirective": "1"}, "EASNoSuchDirective"),
])
def test_mistakes_stop_configtest_with_a_sentence(httpd, directives, words):
    status, text = httpd(directives=directives).configtest()
    assert status != 0 and words in text
    assert "Segmentation" not in text


def test_secret_file_that_others_can_read_is_refused(httpd):
    server = httpd()
    server.secret.chmod(0o644)
    status, text = server.configtest()
    if status == 0:                                        # checked when the server starts, at the latest
        with pytest.raises(AssertionError) as caught:
            server.start()
        text = str(caught.value)
    assert "EASSecretFile" in text or str(server.secret) in text


def test_missing_secret_file_is_a_clear_error(httpd):
    server = httpd()
    server.secret.unlink()
    status, text = server.configtest()
    if status == 0:
        with pytest.raises(AssertionError) as caught:
            server.start()
        text = str(caught.value)
    assert "EASSecretFile" in text or str(server.secret) in text


@pytest.mark.parametrize("mode", [0o755, 0o770])
def test_state_directory_that_others_can_read_is_refused(httpd, mode):
    server = httpd()
    server.state.chmod(mode)
    status, text = server.configtest()
    if status == 0:
        with pytest.raises(AssertionError) as caught:
            server.start()
        text = str(caught.value)
    assert "EASStateDir" in text or str(server.state) in text
