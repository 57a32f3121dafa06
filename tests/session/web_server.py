# SPDX-License-Identifier: MIT
"""A web server that does exactly what a test wants: each path has one function that writes to the bare socket.

    with WebServer() as web:
        web.pages["/x"] = page(b"...")
        web.pages["/y"] = lambda visit: visit.send(b"garbage")
"""

import re
import socket
import ssl
import threading

HEAD = b"HTTP/1.1 200 OK\r\n"
SLICE = 4096
CHUNK = 1000


class Visit:
    """One connection, after its request was read."""

    def __init__(self, server, connection, request):
        self.server = server
        self.connection = connection
        self.request = request

    def send(self, data):
        self.connection.sendall(data)

    def wait(self, seconds):
        """Waits, but no longer than the server is there."""
        self.server.stopping.wait(seconds)


def answer(status, body=b"", *headers, length=None):
    """An answer with a status line like "404 Not Found", and a length, if need be a wrong one."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body) if length is None else length}", "", ""]
    return lambda visit: visit.send("\r\n".join(lines).encode() + body)


def page(body, *headers, length=None):
    return answer("200 OK", body, *headers, length=length)


def redirect(location, status="302 Found"):
    return answer(status, b"moved", f"Location: {location}")


def without_length(body):
    return lambda visit: visit.send(HEAD + b"Connection: close\r\n\r\n" + body)


def in_chunks(body, end=b"0\r\n\r\n"):
    chunks = [body[at:at + CHUNK] for at in range(0, len(body), CHUNK)]
    data = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return lambda visit: visit.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + data + end)


def silent_after(data=b""):
    """Sends that much and then nothing, with the connection left open."""

    def silent(visit):
        visit.send(data)
        visit.wait(120)

    return silent


def announce(body):
    """The beginning of an answer that promises `body`."""
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body)


def slowly(body, pieces, pause):
    """Sends it in so many pieces with a pause before each."""

    def slow(visit):
        visit.send(announce(body))
        size = -(-len(body) // pieces)
        for at in range(0, len(body), size):
            visit.wait(pause)
            visit.send(body[at:at + size])

    return slow


class Parts:
    """A page that sends a file, or the part that is asked for, and keeps count. A test may bend every bit of that."""

    def __init__(self, body, tag='"v1"'):
        self.body = body
        self.tag = tag  # None: no ETag
        self.cuts = []  # in turn for each visit: how many bytes are sent before it hangs up; None or the list's end: all
        self.holds = []  # the same, but then it stays silent
        self.answers = []  # in turn for each visit: another page instead, or None
        self.ranges = True  # False: always the whole
        self.blind = False  # True: If-Range is not looked at
        self.shift = 0  # added to where a part begins
        self.asked = []  # of each visit: (first byte or None, If-Range or None)
        self.sent = []  # of each visit: bytes of the file, as far as they were given to the system

    @staticmethod
    def header(visit, name):
        found = re.search(rb"\r\n%s: ([^\r]*)\r\n" % name.encode(), visit.request, re.IGNORECASE)
        return found[1].decode() if found else None

    def head(self, first, whole):
        tag = f"ETag: {self.tag}\r\n" if self.tag else ""
        length = f"Content-Length: {len(self.body) - first}\r\n\r\n"
        if whole:
            return f"HTTP/1.1 200 OK\r\n{tag}{length}"
        total = len(self.body)
        return f"HTTP/1.1 206 Partial Content\r\n{tag}Content-Range: bytes {first}-{total - 1}/{total}\r\n{length}"

    def __call__(self, visit):
        number = len(self.asked)
        asked = self.header(visit, "Range")
        first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else None
        self.asked.append((first, self.header(visit, "If-Range")))
        self.sent.append(0)
        if number < len(self.answers) and self.answers[number]:
            self.answers[number](visit)
            return
        whole = first is None or not self.ranges or not (self.blind or self.asked[-1][1] == self.tag)
        if not whole and first >= len(self.body):
            answer("416 Range Not Satisfiable", b"", f"Content-Range: bytes */{len(self.body)}")(visit)
            return
        first = 0 if whole else first + self.shift
        visit.send(self.head(first, whole).encode())
        limits = [plan[number] for plan in (self.cuts, self.holds) if number < len(plan) and plan[number] is not None]
        part = self.body[first:first + limits[0]] if limits else self.body[first:]
        for at in range(0, len(part), SLICE):
            visit.send(part[at:at + SLICE])
            self.sent[number] = min(at + SLICE, len(part))
        if number < len(self.holds) and self.holds[number] is not None:
            visit.wait(120)


class WebServer:
    def __init__(self, address="127.0.0.1", certificate=None):
        self.pages = {}
        self.requests = []  # paths that were asked for, in order, but for those of lists of patches
        self.lists = []  # those
        self.stopping = threading.Event()
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.socket.bind((address, 0))
        self.socket.listen(16)
        self.address = self.socket.getsockname()[:2]
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def url(self, path):
        host, port = self.address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return  # stopped
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    piece = connection.recv(SLICE)
                    if not piece:
                        return
                    request += piece
                    if not request.startswith(b"GET "):  # TLS, for example
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                        return
                path = request.split(b" ")[1].decode()
                (self.lists if path.endswith(".patches") else self.requests).append(path)
                self.pages.get(path, answer("404 Not Found", b"not here"))(Visit(self, connection, request))
                connection.close()
        except OSError:
            pass  # the module has hung up, or refused our certificate: what it says about that is tested

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)
