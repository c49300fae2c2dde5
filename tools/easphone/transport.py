# SPDX-License-Identifier: Apache-2.0
"""HTTP as phones do it: one kept-alive connection, whole requests as bytes, and ways to break an exchange on purpose.

A Request is complete and immutable (method, target, headers, body), so a test can send the same bytes twice. Connection
sends them and reads one answer. `cut` says where the phone loses its connection:

    None    nowhere
    "send"  right after the request left: nobody knows whether the server processed it
    n >= 0  when the answer begins to arrive, after n of its bytes were read: the server did process the request
"""
import gzip
import http.client
import select
import socket
import ssl
import urllib.parse
import zlib


class LostAnswer(Exception):
    """the connection was cut on purpose before the answer was complete"""


class TransportError(Exception):
    """no answer: refused, reset, timed out, or not HTTP"""


class Request:
    def __init__(self, method, target, headers, body=b""):
        self.method, self.target, self.headers, self.body = method, target, list(headers), body

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def wire(self):
        lines = ["%s %s HTTP/1.1" % (self.method, self.target)]
        lines += ["%s: %s" % header for header in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


class Response:
    """status, headers in order, body as the peer sent it (raw) and unpacked (body)"""

    def __init__(self, status, reason, headers, raw):
        self.status, self.reason, self.headers, self.raw = status, reason, headers, raw
        self.closes = (self.header("Connection") or "").lower() == "close"
        coding = (self.header("Content-Encoding") or "").lower()
        try:
            if coding == "gzip":
                self.body = gzip.decompress(raw)
            elif coding == "deflate":
                self.body = zlib.decompress(raw)
            else:
                self.body = raw
        except (OSError, EOFError, zlib.error) as error:
            raise TransportError("answer is not %s: %s" % (coding, error)) from None

    def header(self, name, default=None):
        return next((v for k, v in self.headers if k.lower() == name.lower()), default)

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def content_type(self):
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()


class Connection:
    """One TCP (and TLS) connection at a time; opened when needed, kept while the server keeps it."""

    def __init__(self, url, tls_verify=True, ca_file=None, timeout=30.0):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TransportError("not an http or https URL: %s" % url)
        self.host, self.timeout = parts.hostname, timeout
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.path = parts.path if parts.path.strip("/") else "/Microsoft-Server-ActiveSync"
        host = "[%s]" % self.host if ":" in self.host else self.host
        default = (parts.scheme, self.port) in (("http", 80), ("https", 443))
        self.authority = host if default else "%s:%d" % (host, self.port)
        self.context = None
        if parts.scheme == "https":
            self.context = ssl.create_default_context(cafile=ca_file)
            if not tls_verify:
                self.context.check_hostname = False
                self.context.verify_mode = ssl.CERT_NONE
        self.sock, self.reused, self.reconnects = None, False, 0

    def open(self):
        try:
            sock = socket.create_connection((self.host, self.port), timeout=self.timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock, server_hostname=self.host)
        except OSError as error:
            raise TransportError("cannot connect to %s: %s" % (self.authority, error)) from None
        self.sock, self.reused = sock, False

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def clone(self):
        """another connection to the same server, with the same settings"""
        other = object.__new__(Connection)
        other.__dict__.update(self.__dict__, sock=None, reused=False, reconnects=0)
        return other

    def exchange(self, request, cut=None):
        """Send, read one answer. A kept connection that the server had closed meanwhile is opened again, once."""
        if self.sock is None:
            self.open()
        reused = self.reused
        try:
            return self._once(request, cut)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as error:
            self.close()
            if not reused:
                raise TransportError("connection closed without an answer (%s)" % error) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise TransportError("no answer: %s: %s" % (type(error).__name__, error)) from None
        self.reconnects += 1
        self.open()
        try:
            return self._once(request, cut)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise TransportError("no answer: %s: %s" % (type(error).__name__, error)) from None

    def _once(self, request, cut):
        self._send(request.wire())
        if cut is not None:
            if cut != "send":
                self._wait_for_answer()
                if cut:
                    self.sock.recv(cut)
            self.close()
            raise LostAnswer("connection cut at %s" % cut)
        answer = http.client.HTTPResponse(self.sock, method=request.method)
        answer.begin()
        raw = answer.read()
        response = Response(answer.status, answer.reason, answer.getheaders(), raw)
        keep = not answer.will_close
        answer.close()
        if keep:
            self.reused = True
        else:
            self.close()
        return response

    def _send(self, data):
        """A server may answer (413) and close while a big request is still being sent: then read what it said."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            if len(data) < 65536:
                raise

    def _wait_for_answer(self):
        if self.context and self.sock.pending():
            return
        if not select.select([self.sock], [], [], self.timeout)[0]:
            raise TransportError("no answer within %g s" % self.timeout)
