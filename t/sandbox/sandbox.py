#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the Open-Xchange HTTP API: see README.md."""
import argparse
import json
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import controlport
import dispatcher
import seeding
import webserver


def arguments():
    parser = argparse.ArgumentParser(description="Open-Xchange API sandbox")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: the kernel chooses")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="API over HTTPS")
    parser.add_argument("--prefix", default="/ajax")
    parser.add_argument("--flavour", choices=("7.10", "8"), default="8")
    parser.add_argument("--seed", type=int, default=1, help="of UIDVALIDITY and synthetic mails")
    parser.add_argument("--now", type=float, help="start of the sandbox's clock, epoch seconds")
    parser.add_argument("--port-file", help="write the addresses here as JSON")
    parser.add_argument("--large-folder", type=int, default=0, metavar="N",
                        help="a folder default0/INBOX/Large with N synthetic mails")
    return parser.parse_args()


def main():
    args = arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    templates = seeding.Templates()
    box = dispatcher.Sandbox(
        args.prefix, args.now, args.seed,
        lambda b, empty: seeding.seed(b, templates, empty, args.large_folder), args.flavour)
    api = webserver.WebServer(args.host, args.port, box.handle, args.tls)
    control = webserver.WebServer(args.host, args.control_port,
                                  controlport.ControlPort(box, templates).handle)
    api.start()
    control.start()
    ready = {"api": api.url() + box.prefix, "control": control.url(), "pid": os.getpid()}
    if args.port_file:
        with open(args.port_file + ".tmp", "w", encoding="utf-8") as handle:
            json.dump(ready, handle)
        os.replace(args.port_file + ".tmp", args.port_file)
    print("sandbox ready api=%(api)s control=%(control)s" % ready, flush=True)
    stop.wait()


if __name__ == "__main__":
    main()
