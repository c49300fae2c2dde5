# SPDX-License-Identifier: Apache-2.0
"""A small HTTP/1.1 server: one thread per connection, keep-alive, one write per answer.

The standard library's http.server parses headers with the mail parser and writes in pieces;
tests do thousands of requests, so this one reads and writes the socket itself.
"""
import socket
import ssl
import struct
import threading
import time

MAX_HEAD = 65536
MAX_BODY = 104857600          # com.openexchange.servlet.maxBodySize

REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
           404: "Not Found", 405: "Method Not Allowed", 413: "Payload Too Large",
           429: "Too Many Requests", 431: "Request Header Fields Too Large",
           500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout"}


class Request:
    __slots__ = ("method", "path", "query", "headers", "body", "peer", "tls")

    def __init__(self, method, target, headers, body, peer, tls):
        self.method = method
        self.path, _, self.query = target.partition("?")
        self.headers = headers
        self.body = body
        self.peer = peer
        self.tls = tls


class Response:
    """An answer.  `cut`: None, "silent" (no byte is sent), "mid" (half of the body).
    `code` is the OX error code that the body carries, for the request log."""
    __slots__ = ("status", "ctype", "body", "headers", "cut", "code")

    def __init__(self, body=b"", status=200, ctype="text/javascript; charset=UTF-8", headers=()):
        self.status = status
        self.ctype = ctype
        self.body = body
        self.headers = list(headers)
        self.cut = None
        self.code = None

    def head(self, close):
        lines = ["HTTP/1.1 %d %s" % (self.status, REASONS.get(self.status, "Status")),
                 "Date: " + _http_date(),
                 "Content-Type: " + self.ctype,
                 "Content-Length: %d" % len(self.body)]
        lines += ["%s: %s" % pair for pair in self.headers]
        if close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def html(status, title, headers=()):
    body = ("<!DOCTYPE html>\n<html><head><title>%d %s</title></head>"
            "<body><h1>%s</h1></body></html>\n")
    return Response((body % (status, REASONS.get(status, ""), title)).encode(), status,
                    "text/html; charset=UTF-8", headers)


_date_cache = (0, "")


def _http_date():
    global _date_cache
    now = int(time.time())
    if _date_cache[0] != now:
        _date_cache = (now, time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now)))
    return _date_cache[1]


class BadRequest(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class _Reader:
    def __init__(self, sock):
        self.sock = sock
        self.buf = b""

    def _more(self):
        data = self.sock.recv(65536)
        self.buf += data
        return len(data)

    def until(self, mark, limit):
        """Bytes up to `mark`, None at the end of the stream."""
        start = 0
        while True:
            at = self.buf.find(mark, start)
            if at >= 0:
                out, self.buf = self.buf[:at], self.buf[at + len(mark):]
                return out
            if len(self.buf) > limit:
                raise BadRequest(431, "header too long")
            start = max(0, len(self.buf) - len(mark))
            if not self._more():
                return None

    def exactly(self, count):
        if count <= len(self.buf):
            out, self.buf = self.buf[:count], self.buf[count:]
            return out
        parts, have = [self.buf], len(self.buf)
        self.buf = b""
        while have < count:
            data = self.sock.recv(min(262144, count - have))
            if not data:
                return None
            parts.append(data)
            have += len(data)
        return b"".join(parts)


class WebServer:
    """Serves `handler(Request) -> Response` on host:port (0 = the kernel chooses)."""

    def __init__(self, host, port, handler, certificate=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(512)
        self.host = host
        self.port = self.listener.getsockname()[1]
        self.handler = handler
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)

    def url(self):
        host = "[%s]" % self.host if ":" in self.host else self.host
        return "%s://%s:%d" % ("https" if self.tls else "http", host, self.port)

    def start(self):
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(sock, peer[0]), daemon=True).start()

    def _connection(self, sock, peer):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            self._serve(sock, peer)
        except (OSError, ValueError):
            pass                          # the peer went away or does not speak HTTP
        finally:
            sock.close()

    def _serve(self, sock, peer):
        reader = _Reader(sock)
        while True:
            try:
                request = self._read(reader, sock, peer)
            except BadRequest as bad:
                answer = html(bad.status, str(bad))
                sock.sendall(answer.head(True) + answer.body)
                return
            if request is None:
                return
            close = request.headers.get("connection", "").lower() == "close"
            answer = self.handler(request)
            if answer.cut == "silent":
                # A reset rather than an orderly end: what a crashed node looks like.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if answer.cut == "mid":
                sock.sendall(answer.head(close) + answer.body[:len(answer.body) // 2])
                return
            if len(answer.body) < 262144:
                sock.sendall(answer.head(close) + answer.body)
            else:
                sock.sendall(answer.head(close))
                sock.sendall(answer.body)
            if close:
                return

    def _read(self, reader, sock, peer):
        head = reader.until(b"\r\n\r\n", MAX_HEAD)
        if head is None:
            return None
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequest(400, "malformed request line")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise BadRequest(400, "malformed header")
            name, value = name.strip().lower(), value.strip()
            if name in headers:
                value = headers[name] + ("; " if name == "cookie" else ", ") + value
            headers[name] = value
        if headers.get("expect", "").lower() == "100-continue":
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunked(reader)
        else:
            length = headers.get("content-length", "0")
            if not length.isdigit():
                raise BadRequest(400, "malformed Content-Length")
            if int(length) > MAX_BODY:
                raise BadRequest(500, "body too large")
            body = reader.exactly(int(length)) if length != "0" else b""
        if body is None:
            return None
        if words[2] == "HTTP/1.0":
            headers.setdefault("connection", "close")
        return Request(words[0], words[1], headers, body, peer, self.tls is not None)

    @staticmethod
    def _chunked(reader):
        parts, total = [], 0
        while True:
            line = reader.until(b"\r\n", 1024)
            if line is None:
                return None
            size = int(line.split(b";")[0], 16)
            total += size
            if total > MAX_BODY:
                raise BadRequest(500, "body too large")
            if size == 0:
                while True:
                    trailer = reader.until(b"\r\n", MAX_HEAD)
                    if not trailer:
                        return b"".join(parts)
            part = reader.exactly(size + 2)
            if part is None:
                return None
            parts.append(part[:-2])
