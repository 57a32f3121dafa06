# SPDX-License-Identifier: MIT
"""Running `lifeboat depot`, and talking HTTP to it without anything that would tidy up a request."""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIFEBOAT = str(Path(os.environ.get("LIFEBOAT_BINARY", ROOT / "build" / "lifeboat")).resolve())
PREFIX = "/firmware/ota"


def lifeboat(*arguments, **options):
    """Runs the program to its end."""
    return subprocess.run([LIFEBOAT, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
                          **options)


def publish(folder, image, *more, product="v3.1", tag="main", patches=False):
    """Without patches, unless the test is about them: `patches` leaves their number to the program."""
    if not patches and not {"--patches", "--base"} & set(more):
        more += ("--patches", 0)
    return lifeboat("depot", "publish", folder, image, "--product", product, "--tag", tag, *more)


def publish_with_patches(*arguments, **names):
    return publish(*arguments, patches=True, **names)


def published(*arguments, **names):
    """The same, for a publication that has to succeed. Returns its line."""
    result = publish(*arguments, **names)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def published_with_patches(*arguments, **names):
    return published(*arguments, patches=True, **names)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def __getitem__(self, name):
        return self.headers[name]


def request(address, target, method="GET", body=None, **headers):
    """One request on a connection of its own; header names are written with _ for -. The target goes out as it is."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def raw_request(address, data, half_close=False):
    """Sends bytes and returns all that comes until the server closes the connection."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


class DepotServer:
    """`lifeboat depot serve`, from its ready line until it is stopped: `with DepotServer(folder) as server:`."""

    def __init__(self, folder, listen="127.0.0.1:0", *more):
        self.folder = folder
        self.errors = tempfile.TemporaryFile("w+")  # no pipe: a full one would stop the server
        self.process = subprocess.Popen([LIFEBOAT, "depot", "serve", str(folder), "--listen", listen, *more],
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.log = None
        self.ready = self.process.stdout.readline()
        if not self.ready:
            self.process.communicate(timeout=20)
            raise AssertionError(f"no ready line: {self.read_errors()}")
        place = self.ready.rstrip("\n").rpartition("http://")[2].split("/")[0]
        host, _, port = place.rpartition(":")
        self.address = (host.strip("[]"), int(port))

    def read_errors(self):
        self.errors.seek(0)
        return self.errors.read()

    def get(self, target, method="GET", **headers):
        """A request for PREFIX + target, or for target itself if it begins with "!"."""
        target = target[1:] if target.startswith("!") else PREFIX + target
        return request(self.address, target, method, **headers)

    def stop(self, number=signal.SIGTERM):
        """Ends it with a signal; its exit has to be clean. Returns the lines of its access log."""
        if self.log is None:
            self.process.send_signal(number)
            try:
                rest, _ = self.process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
            self.log = self.read_errors().splitlines()
            self.errors.close()
            assert (self.process.returncode, rest) == (0, ""), (self.process.returncode, rest, self.log)
        return self.log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
