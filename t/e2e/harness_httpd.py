# SPDX-License-Identifier: Apache-2.0
"""A real httpd with mod_eas on loopback: plain, TLS and IPv6 ports from the kernel, its files in a directory of its own."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import harness_config as config
from harness_process import accepts, alive, children_of, end, free_port, has_ipv6, kill_all, wait_until

HTTPD = "/usr/sbin/apache2"
# Not /tmp or /var/tmp: the module refuses a state directory there.
TEST_DIRECTORY = os.environ.get("EAS_TEST_DIR") or ("/var/lib" if os.getuid() == 0 else os.path.expanduser("~"))
STARTS = 5                                       # tries, when somebody else took a port in between

LINE = re.compile(r"\[[^\]]*\] \[(?P<module>[^:\]]*):(?P<level>\w+)\]")
BAD_LEVELS = ("emerg", "alert", "crit", "error")
BAD_TEXT = re.compile(r"AH\d{5}: child pid \d+ exit signal|AddressSanitizer|LeakSanitizer|runtime error:|ThreadSanitizer"
                      r"|Segmentation fault|exit signal|scoreboard is full")
# What the MPM says when it is stopped under load (see stop()).
STOPPING = re.compile(r"child pid \d+ exit signal Segmentation fault|\[mpm_event:error\]")


class Httpd:
    """directives: values for conf.d/eas.conf; server: more lines of the server part; vhost: more lines of each host"""

    def __init__(self, api, certificate, mpm="event", directives=None, module=None, server="", vhost="", environment=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="eas-httpd-", dir=TEST_DIRECTORY))
        self.directory.chmod(0o755)
        self.certificate, self.mpm = certificate, mpm
        self.module = module or config.module_path()
        self.server_lines, self.vhost_lines = server, vhost
        self.environment = dict(os.environ, **(environment or {}))
        self.state, self.secret = self.directory / "state", self.directory / "secret"
        self.state.mkdir(mode=0o700)
        self.stopped_at = []
        config.own(self.state)
        config.write_secret(self.secret)
        self.directives = {"EASBackend": api, "EASStateDir": str(self.state), "EASSecretFile": str(self.secret)}
        self.directives.update(directives or {})
        self.process, self.expected, self.read_to = None, [], 0
        self.address6 = "::1" if has_ipv6() else None
        self.port = self.tls_port = self.port6 = None

    # ------------------------------------------------------------------------------------------------------- start, end

    def write(self):
        if self.port is None:
            self.port, self.tls_port = free_port(), free_port()
            self.port6 = free_port("::1") if self.address6 else None
        listen = ["Listen 127.0.0.1:%d" % self.port, "Listen 127.0.0.1:%d" % self.tls_port]
        if self.port6:
            listen.append("Listen [::1]:%d" % self.port6)
        user = config.httpd_user()
        text = config.BASE.format(root=self.directory, modules=config.MODULES, eas=self.module, mpm=self.mpm,
                                  user="User %s\nGroup %s" % user if user else "", mpm_settings=config.MPM[self.mpm],
                                  listen="\n".join(listen))
        server, vhost = config.split_block(config.eas_block(self.directives))
        tls = "SSLEngine on\nSSLCertificateFile %s\nSSLCertificateKeyFile %s" % self.certificate
        hosts = [("127.0.0.1:%d" % self.port, ""), ("127.0.0.1:%d" % self.tls_port, tls)]
        if self.port6:
            hosts.append(("[::1]:%d" % self.port6, ""))
        text += "%s\n%s\n" % (server, self.server_lines)
        for address, more in hosts:
            text += "<VirtualHost %s>\nServerName localhost\n%s\n%s\n%s\n</VirtualHost>\n" % (address, more, vhost, self.vhost_lines)
        self.file = self.directory / "httpd.conf"
        self.file.write_text(text, encoding="utf-8")

    def command(self, *more):
        return [HTTPD, "-d", str(self.directory), "-f", str(self.file), *more]

    def configtest(self):
        """(exit status, output)"""
        self.write()
        done = subprocess.run(self.command("-t"), capture_output=True, text=True, env=self.environment, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def start(self):
        for _ in range(STARTS):
            self.write()
            before = self._starts()
            self.output = open(self.directory / "httpd.out", "ab")
            self.process = subprocess.Popen(self.command("-DFOREGROUND"), stdin=subprocess.DEVNULL, stdout=self.output,
                                            stderr=subprocess.STDOUT, env=self.environment, start_new_session=True)
            wait_until(lambda: self.process.poll() is not None or self._ready(before), "httpd start", 30)
            if self.process.poll() is None:
                return self
            said = (self.directory / "httpd.out").read_text(errors="replace") + self.log()
            if "could not bind" not in said and "multiple Listeners" not in said:
                raise AssertionError("httpd did not start:\n" + said)
            self.port = None
        raise AssertionError("httpd found no free ports")

    def _starts(self):
        return self.log().count("resuming normal operations")

    def _ready(self, before):
        return self._starts() > before and accepts(self.port)

    def stop(self):
        """SIGTERM. A child of the event MPM may crash then in httpd's own close_worker_sockets(), which races with its
        worker threads; what is logged from here on about the end of children is not ours."""
        if self.process:
            self.stopped_at.append(len(self.log()))
            end(self.process, 20)
            self.output.close()
        self.process = None

    def stop_gracefully(self):
        """as apachectl graceful-stop: every child ends by itself, and none may crash"""
        end(self.process, 20, signal.SIGWINCH)
        self.output.close()
        self.process = None

    def restart(self):
        """stop and start, with the same state directory and ports"""
        self.stop()
        self.start()

    def graceful(self):
        """as apachectl graceful: new children; returns when the new generation answers"""
        before = self._starts()
        os.kill(self.process.pid, signal.SIGUSR1)
        wait_until(lambda: self._starts() > before, "graceful restart", 30)
        wait_until(lambda: accepts(self.port), "httpd after graceful restart", 10)

    def children(self):
        return [pid for pid in children_of(self.process.pid) if alive(pid)]

    def kill_children(self):
        """kill -9 of every child; returns when new ones serve"""
        old = self.children()
        kill_all(old)
        wait_until(lambda: set(self.children()) - set(old), "new children", 20)
        self.expect(r"child pid \d+ exit signal Killed")

    def kill_everything(self):
        """kill -9 of parent and children, as when the machine loses power"""
        pids = [self.process.pid] + self.children()
        kill_all(pids)
        self.process.wait()
        wait_until(lambda: not any(alive(pid) for pid in pids), "end of all processes", 10)
        self.output.close()
        self.process = None

    # -------------------------------------------------------------------------------------------------------------- log

    def url(self, tls=False, ipv6=False):
        if ipv6:
            return "http://[::1]:%d" % self.port6
        return "https://localhost:%d" % self.tls_port if tls else "http://127.0.0.1:%d" % self.port

    def log(self):
        path = self.directory / "error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def mark(self):
        """log lines until now are not returned by new_lines()"""
        self.read_to = len(self.log())

    def new_lines(self):
        return self.log()[self.read_to:].splitlines()

    def wait_line(self, pattern, seconds=5):
        """the first log line since mark() that the pattern matches"""
        return wait_until(lambda: next((l for l in self.new_lines() if re.search(pattern, l)), None),
                          "log line %r" % pattern, seconds)

    def expect(self, *patterns):
        """these lines are no fault of this test"""
        self.expected += [re.compile(p) for p in patterns]

    def complaints(self):
        """log lines that nobody expected"""
        out, at, stopping, stops = [], 0, False, list(self.stopped_at)
        for line in self.log().splitlines(keepends=True):
            stopping = (stopping or at in stops) and "resuming normal operations" not in line
            at += len(line)
            line = line.rstrip("\n")
            found = LINE.match(line)
            bad = (found and found.group("level") in BAD_LEVELS) or BAD_TEXT.search(line)
            if bad and not (stopping and STOPPING.search(line)) and not any(p.search(line) for p in self.expected):
                out.append(line)
        return out
