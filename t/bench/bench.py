#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The figures of mod_eas: httpd with one child, the bench backend behind it, the scripted phone in front.

    bench.py --builddir DIR [--json | --markdown] [--module FILE] [NAME ...]

NAME: only figures whose name begins so ("sync.unchanged"). Measured is the CPU time of the httpd processes, from their own
clocks in nanoseconds, so that neither phone nor backend count; calls are the requests that the backend saw. Every figure is
the best of several rounds: what the code costs, not what else the machine did. docs/benchmarks.md explains the names.
"""
import argparse
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "t" / "e2e"), str(ROOT / "tools")]
sys.dont_write_bytecode = True

import harness_config  # noqa: E402
import harness_httpd  # noqa: E402
from easphone.client import Phone  # noqa: E402
from easphone.options import BodyPreference, Coll, Options  # noqa: E402

# name -> (unit, largest good value or None)
FIGURES = {
    "wbxml.decode_sync_request": ("us", 2.0),
    "wbxml.encode_100_mails_2k": ("us", 50.0),
    "wbxml.decode_sendmail_10m": ("us", None),
    "options.static_13_bytes": ("us", None),
    "options.known_ticket_cpu": ("us", None),
    "options.known_ticket": ("x static", 2.0),
    "foldersync.unchanged_30": ("us", 400.0),
    "foldersync.unchanged_30_calls": ("calls", 1.0),
    "sync.unchanged_100": ("us", 300.0),
    "sync.unchanged_100_calls": ("calls", 1.0),
    "sync.unchanged_10000": ("us", 300.0),
    "sync.unchanged_10000_calls": ("calls", 1.0),
    "sync.unchanged_100000": ("us", 300.0),
    "sync.unchanged_100000_calls": ("calls", 1.0),
    "sync.one_new_10000": ("us", 3000.0),
    "sync.one_new_10000_calls": ("calls", None),
    "sync.one_new_100000": ("us", 3000.0),
    "sync.one_new_100000_calls": ("calls", None),
    "sync.full_compare_100000": ("us", 25000.0),
    "sync.first_1000": ("ms/mail", 0.6),
    "sync.first_1000_calls": ("calls/mail", 1.1),
    "sync.first_1000_exact": ("ms/mail", 0.6),
    "sync.first_1000_exact_calls": ("calls/mail", 1.1),
    "sync.first_1000_preview": ("ms/mail", 0.6),
    "sync.first_1000_preview_calls": ("calls/mail", 0.5),
    "sync.first_10000": ("ms/mail", 0.6),
    "sync.first_10000_linearity": ("x first_1000", 1.2),
    "sync.first_rss": ("MB", 20.0),
    "sync.first_rss_10000": ("MB", 20.0),
}

ONE_CHILD = ("StartServers 1\nServerLimit 1\nThreadLimit 8\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 8\n"
             "MaxRequestWorkers 8\nMaxConnectionsPerChild 0\nGracefulShutdownTimeout 5")
STATIC = b"Hello, bench\n"


class Backend:
    """t/bench/bench_backend"""

    def __init__(self, builddir):
        self.process = subprocess.Popen([str(pathlib.Path(builddir) / "t" / "bench" / "bench_backend")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        _, self.port, _, control = self.process.stdout.readline().split()
        self.connection = http.client.HTTPConnection("127.0.0.1", int(control))

    def control(self, path):
        self.connection.request("GET", path)
        return json.loads(self.connection.getresponse().read())

    def add(self, folder):
        self.control("/add?folder=" + folder)

    def toggle(self, folder, uid):
        self.control("/toggle?folder=%s&id=%d" % (folder, uid))

    def calls(self):
        counters = self.control("/counters")
        assert not counters["unknown"], "the backend got calls that it does not know"
        return counters["calls"]

    def stop(self):
        self.connection.close()
        self.process.stdin.close()
        self.process.wait(10)


class Httpd(harness_httpd.Httpd):
    """one child of eight threads, logging as in production, and a static file to compare with"""

    def __init__(self, backend, module):
        harness_config.MPM["event"] = ONE_CHILD
        certificate = harness_config.make_certificate(os.environ.get("TMPDIR", "/var/tmp"))
        super().__init__("http://127.0.0.1:%s/ajax" % backend.port, certificate, module=module,
                         server="LogLevel warn\nMaxKeepAliveRequests 0\nKeepAliveTimeout 300")
        pages = self.directory / "htdocs"
        pages.mkdir(mode=0o755)
        (pages / "static.txt").write_bytes(STATIC)
        self.vhost_lines = 'DocumentRoot "%s"\n<Directory "%s">\nRequire all granted\n</Directory>' % (pages, pages)

    def _ready(self, before):
        return harness_httpd.accepts(self.port) and len(self.children()) == 1

    def cpu(self):
        """seconds of parent and children together (clock_getcpuclockid: (~pid << 3) | CPUCLOCK_SCHED)"""
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in [self.process.pid] + self.children())

    def memory(self, what):
        """VmRSS or VmHWM of the child, in MB"""
        with open("/proc/%d/status" % self.children()[0], encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(what))

    def forget_peak(self):
        with open("/proc/%d/clear_refs" % self.children()[0], "w", encoding="ascii") as refs:
            refs.write("5")

    def stop(self):
        super().stop()
        for path in self.certificate:
            path.unlink(missing_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)


class Bench:
    def __init__(self, arguments):
        self.wanted, self.builddir = arguments.names, arguments.builddir
        self.values, self.serial = {}, 0
        self.backend = Backend(arguments.builddir)
        self.httpd = Httpd(self.backend, pathlib.Path(arguments.module)).start()

    def stop(self):
        self.httpd.stop()
        self.backend.stop()

    def wants(self, *names):
        return not self.wanted or any(name.startswith(w) for name in names for w in self.wanted)

    def record(self, name, value):
        assert name in FIGURES, name
        self.values[name] = value

    # ------------------------------------------------------------------------------------------------------- measuring

    def measure(self, step, count, rounds=5, before=None):
        """(CPU seconds, backend calls) of one step(); the CPU of the best round, the calls of all"""
        best, all_calls = None, 0
        for _ in range(rounds):
            spent, calls = 0.0, 0
            if before is None:
                first, start = self.backend.calls(), self.httpd.cpu()
                for _ in range(count):
                    step()
                time.sleep(0.002)                            # the last answer is out before its thread is idle
                spent, calls = self.httpd.cpu() - start, self.backend.calls() - first
            else:
                for _ in range(count):
                    before()
                    first, start = self.backend.calls(), self.httpd.cpu()
                    step()
                    time.sleep(0.002)
                    spent += self.httpd.cpu() - start
                    calls += self.backend.calls() - first
            best = spent if best is None else min(best, spent)
            all_calls += calls
        return best / count, all_calls / count / rounds

    def phone(self, folder=None):
        """a phone of its own that is logged in and has its folder tree; with the id of a folder"""
        self.serial += 1
        phone = Phone(self.httpd.url(), "bench", "secret", device_id="BENCH%05d" % self.serial, version="14.1", timeout=600)
        phone.options()
        phone.foldersync()
        return (phone, phone.mailbox.folder_named(folder)) if folder else phone

    def raw(self, request, wanted):
        """a function that sends these bytes over one connection and reads the answer"""
        connection = socket.create_connection(("127.0.0.1", self.httpd.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def step():
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
            while len(body) < length:
                body += connection.recv(65536)
            assert head.startswith(b"HTTP/1.1 200 "), head
            assert wanted in answer, answer
        return step

    # --------------------------------------------------------------------------------------------------------- figures

    def wbxml(self):
        lines = subprocess.run([str(pathlib.Path(self.builddir) / "t" / "bench" / "bench_wbxml")], check=True,
                               capture_output=True, text=True).stdout
        for name, value, unit in (line.split() for line in lines.splitlines()):
            if name in FIGURES:
                self.record(name, float(value) / {"ns": 1000.0, "us": 1.0}[unit])

    def options(self):
        phone = self.phone()
        request = "OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n" \
                  "Authorization: %s\r\n\r\n" % phone.authorization()
        known = self.raw(request.encode(), b"MS-ASProtocolVersions")
        static = self.raw(b"GET /static.txt HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
                          b"Authorization: Basic bm9ib2R5OnNlY3JldA==\r\n\r\n", STATIC)
        for step in (known, static):
            self.measure(step, 200, 1)
        static_cpu = self.measure(static, 2000)[0]
        known_cpu, calls = self.measure(known, 2000)
        assert calls == 0, "OPTIONS with a known ticket called the backend"
        self.record("options.static_13_bytes", static_cpu * 1e6)
        self.record("options.known_ticket_cpu", known_cpu * 1e6)
        self.record("options.known_ticket", known_cpu / static_cpu)

    def foldersync(self):
        phone = self.phone()
        assert len(phone.mailbox.folders) == 30, "the phone has %d folders" % len(phone.mailbox.folders)
        self.measure(phone.foldersync, 50, 1)
        cpu, calls = self.measure(phone.foldersync, 200)
        self.record("foldersync.unchanged_30", cpu * 1e6)
        self.record("foldersync.unchanged_30_calls", calls)

    def in_step(self, size):
        """a phone that is in step with a folder"""
        phone, folder = self.phone("B%d" % size)
        options = Options(filter=0, mime_support=0, bodies=[BodyPreference(1, 0)])
        got = phone.sync_all(folder, options, 512)
        assert len(got.adds) == size, "the first Sync brought %d of %d mails" % (len(got.adds), size)
        phone.sync_all(folder)
        return phone, folder

    def steady(self, size):
        names = ["sync.%s_%d" % (what, size) for what in ("unchanged", "one_new", "full_compare")]
        if not self.wants(*names):
            return
        phone, folder = self.in_step(size)
        backend_id, coll = "default0/B%d" % size, Coll(folder)

        def unchanged():
            assert phone.sync(coll)[folder].nothing

        def one_new():
            assert len(phone.sync(coll)[folder].adds) == 1

        def one_change():
            assert len(phone.sync(coll)[folder].changes) == 1

        self.measure(unchanged, 50, 1)
        cpu, calls = self.measure(unchanged, 200)
        self.record(names[0], cpu * 1e6)
        self.record(names[0] + "_calls", calls)
        if names[1] in FIGURES:
            cpu, calls = self.measure(one_new, 10, 5, lambda: self.backend.add(backend_id))
            self.record(names[1], cpu * 1e6)
            self.record(names[1] + "_calls", calls)
        if names[2] in FIGURES:
            # An old mail becomes read or unread: the counts tell that something changed, not what.
            cpu, _ = self.measure(one_change, 3, 5, lambda: self.backend.toggle(backend_id, size // 2))
            self.record(names[2], cpu * 1e6)

    def first(self, size, options, rounds):
        """(CPU seconds per mail, calls per mail, MB above idle) of a first Sync, window 100"""
        best, calls, grown = None, 0, 0.0
        for _ in range(rounds):
            phone, folder = self.phone("B%d" % size)
            phone.sync(folder)
            self.httpd.forget_peak()
            idle, before, start = self.idle, self.backend.calls(), self.httpd.cpu()
            got = phone.sync_all(folder, options, 100)
            time.sleep(0.002)
            spent = self.httpd.cpu() - start
            count = len(got.adds)
            assert count >= size, "the first Sync brought %d of %d mails" % (count, size)
            best = spent / count if best is None else min(best, spent / count)
            calls = (self.backend.calls() - before) / count
            grown = max(grown, self.httpd.memory("VmHWM") - idle)
        return best, calls, grown

    def firsts(self):
        if not self.wants("sync.first_1000", "sync.first_10000", "sync.first_rss"):
            return
        self.idle = self.httpd.memory("VmRSS")
        plain = Options(filter=0, mime_support=0, bodies=[BodyPreference(1, 32768)])
        exact = Options(filter=0, mime_support=2, bodies=[BodyPreference(4, 512)])
        short = Options(filter=0, mime_support=0, bodies=[BodyPreference(1, 512)])
        rss = 0.0
        for name, options in (("sync.first_1000", plain), ("sync.first_1000_exact", exact),
                              ("sync.first_1000_preview", short)):
            cpu, calls, grown = self.first(1000, options, 3)
            self.record(name, cpu * 1e3)
            self.record(name + "_calls", calls)
            rss = max(rss, grown)
        self.record("sync.first_rss", rss)
        long_cpu, _, grown = self.first(10000, plain, 2)
        self.record("sync.first_10000", long_cpu * 1e3)
        self.record("sync.first_10000_linearity", long_cpu * 1e3 / self.values["sync.first_1000"])
        self.record("sync.first_rss_10000", grown)

    def run(self):
        steps = [(("wbxml",), self.wbxml), (("options",), self.options), (("foldersync",), self.foldersync)]
        for names, step in steps:
            if self.wants(*[n for n in FIGURES if n.startswith(names[0] + ".")]):
                step()
        # First, while the child is small: memory is measured against what it holds after a few requests.
        self.firsts()
        for size in (100, 10000, 100000):
            self.steady(size)
        return {name: value for name, value in self.values.items() if self.wants(name)}


def rows(values):
    for name in FIGURES:
        if name in values:
            unit, target = FIGURES[name]
            value = float("%.4g" % values[name])
            yield {"name": name, "value": value, "unit": unit, "target": target,
                   "met": None if target is None else value <= target}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--builddir", default=".")
    parser.add_argument("--module", default=os.environ.get("EAS_MODULE"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/benchmarks.md")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    arguments.module = arguments.module or str(pathlib.Path(arguments.builddir) / "mod_eas" / ".libs" / "mod_eas.so")
    bench = Bench(arguments)
    try:
        values = bench.run()
    finally:
        bench.stop()
    if arguments.markdown:
        print("| name | value | unit | target |\n|---|---|---|---|")
    elif not arguments.json:
        print("%-32s %12s %-14s %s" % ("name", "value", "unit", "target"))
    for row in rows(values):
        if arguments.json:
            print(json.dumps(row))
        elif arguments.markdown:
            target = "" if row["target"] is None else "≤ %g" % row["target"]
            print("| `%s` | %.4g | %s | %s |" % (row["name"], row["value"], row["unit"], target))
        else:
            target = "" if row["target"] is None else "<= %g%s" % (row["target"], "" if row["met"] else "  MISSED")
            print("%-32s %12.4g %-14s %s" % (row["name"], row["value"], row["unit"], target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
