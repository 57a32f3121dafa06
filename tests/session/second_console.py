# SPDX-License-Identifier: MIT
"""Further consoles of a module that runs with --listen: `lifeboat console` in a pipe or on a terminal, bare sockets."""

import itertools
import signal
import socket
import struct
import subprocess
import time

import pexpect
import pytest
from depot_server import LIFEBOAT
from firmware import FACTORY_VERSION, status_lines
from terminal import Screen, Terminal
from virtual_module import ENVIRONMENT, TIMEOUT, wait_until

EXECUTE, COMPLETE, EXPLAIN, CANCEL = b"x", b"c", b"?", b"k"
GREETING, OUTPUT, CANDIDATE, END, FAREWELL = b"g", b"o", b"w", b"e", b"b"
GREETING_TEXT = b"lifeboat console 1"
PAYLOAD = 1024
CANCELLED = -247  # MODULE_ERR_CANCELLED
WAS_RESET = -249  # MODULE_ERR_RESET

BIN = "/firmware/ota/v3.1/main/ovms3.bin"
STATUS = status_lines(FACTORY_VERSION, "factory")
FLASHED = status_lines(FACTORY_VERSION, "factory", "ota_0")
SAID_CANCELLED = "Error: the command was cancelled"
SAID_RESET = "Error: the module was reset during the command"
BEGUN = "Preparing flash partition..."

numbers = itertools.count()


def frame(kind, payload=b""):
    return kind + struct.pack("<H", len(payload)) + payload


def clean(log):
    assert "Sanitizer" not in log and "runtime error" not in log, log


class Wire:
    """A client that speaks the protocol itself, as well or as badly as a test wants."""

    def __init__(self, path, greeted=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        wait_until(lambda: self.connect(path), "place in the queue of clients")
        self.bytes = b""
        if greeted:
            assert self.receive() == (GREETING, GREETING_TEXT)

    def connect(self, path):
        try:
            self.socket.connect(str(path))
        except BlockingIOError:  # the queue is full
            return False
        return True

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def receive(self):
        """The next frame; None: the module has hung up."""
        while len(self.bytes) < 3 or len(self.bytes) < 3 + struct.unpack("<H", self.bytes[1:3])[0]:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                assert not self.bytes, self.bytes
                return None
            self.bytes += piece
        end = 3 + struct.unpack("<H", self.bytes[1:3])[0]
        kind, payload, self.bytes = self.bytes[:1], self.bytes[3:end], self.bytes[end:]
        assert len(payload) <= PAYLOAD
        return kind, payload

    def answer(self):
        """Everything up to the end of the request: (output, candidates, result)."""
        output, candidates = b"", []
        while True:
            received = self.receive()
            assert received, "hung up instead of an answer"
            kind, payload = received
            if kind == OUTPUT:
                output += payload
            elif kind == CANDIDATE:
                candidates.append(payload.decode())
            else:
                assert kind == END and len(payload) == 4, received
                return output.decode(), candidates, struct.unpack("<i", payload)[0]

    def execute(self, line):
        """Has a line executed: (lines of output, result)."""
        self.send(frame(EXECUTE, line.encode()))
        output, _, result = self.answer()
        return output.splitlines(), result

    def begin(self, line):
        self.send(frame(EXECUTE, line.encode()))

    def wait_for(self, text):
        """Reads output until this text has come."""
        output = b""
        while text.encode() not in output:
            received = self.receive()
            assert received and received[0] == OUTPUT, (received, output)
            output += received[1]

    def farewell(self):
        """The module says why it hangs up, and does."""
        kind, reason = self.receive()
        assert kind == FAREWELL
        assert self.receive() is None
        return reason

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Attached:
    """`lifeboat console` whose input is no terminal."""

    def __init__(self, folder, path, *options, **more):
        number = next(numbers)
        self.output, self.log = folder / f"attached-{number}.txt", folder / f"attached-{number}.log"
        with open(self.output, "w") as output, open(self.log, "w") as log:
            self.process = subprocess.Popen([LIFEBOAT, "console", str(path), *options], stdin=subprocess.PIPE,
                                            stdout=output, stderr=log, env=ENVIRONMENT, text=True, **more)

    @property
    def lines(self):
        return self.output.read_text().splitlines()

    @property
    def errors(self):
        return self.log.read_text()

    def send(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def wait_for(self, text):
        wait_until(lambda: text in self.output.read_text() or self.process.poll() is not None, repr(text))
        assert text in self.output.read_text(), self.errors

    def end(self, code=0, number=None):
        if number is not None:
            self.process.send_signal(number)
        return self.wait(code)

    def wait(self, code):
        """The end of its input, and then its own."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(TIMEOUT)
        finally:
            self.process.kill()
            self.process.wait()
        clean(self.errors)
        assert self.process.returncode == code, (self.process.returncode, self.lines, self.errors)
        return self


def run_attached(folder, path, *lines, code=0, options=(), **more):
    attached = Attached(folder, path, *options, **more)
    try:
        attached.send(*lines)
    except BrokenPipeError:
        pass  # it has ended before: its exit status tells
    return attached.wait(code)


class AttachedTerminal(Terminal):
    """`lifeboat console` on a terminal of its own; `main` is the session of the module, which knows about resets."""

    def __init__(self, folder, path, main=None):
        number = next(numbers)
        self.log = folder / f"attached-{number}.log"
        self.log.touch()
        self.main = main
        self.screen = Screen()
        words = ["-c", 'exec "$@" 2>"$0"', str(self.log), LIFEBOAT, "console", str(path)]
        self.process = pexpect.spawn("/bin/sh", words, env={**ENVIRONMENT, "TERM": "xterm"}, timeout=TIMEOUT,
                                     dimensions=(50, 250), encoding="utf-8")
        self.process.delaybeforesend = None
        self.wait_for_prompt(0)

    def check_life(self):
        self.main.check_life()

    def check_end(self):
        clean(self.boot_log)

    def hang_up(self):
        """The window is closed."""
        self.process.kill(signal.SIGHUP)
        self.end(code=130)


class FakeModule:
    """Whatever may listen where a module is expected: what it sends is all that it does."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(4)
        self.socket.settimeout(TIMEOUT)

    def accept(self, *frames):
        client, _ = self.socket.accept()
        client.settimeout(TIMEOUT)
        client.sendall(b"".join(frames))
        return client

    def close(self):
        self.socket.close()


def percentages(wire, count, pause=0.1):
    """What `ota status` says of the update under way, `count` different values of it."""
    found = []
    end = time.monotonic() + TIMEOUT
    while len(found) < count:
        lines, result = wire.execute("ota status nocheck")
        assert result == 0
        status = [line for line in lines if line.startswith("Status: ")]
        assert status and time.monotonic() < end, (lines, found)
        value = int(status[0].rsplit("(", 1)[1].removesuffix("%)"))
        if not found or value != found[-1]:
            found.append(value)
        time.sleep(pause)
    return found


def is_idle(wire):
    """No update is under way."""
    return not [line for line in wire.execute("ota status nocheck")[0] if line.startswith("Status: ")]


def wait_until_idle(path):
    with Wire(path) as wire:
        wait_until(lambda: is_idle(wire), "end of the update")


# ---- fixtures ----


@pytest.fixture
def path(tmp_path):
    """Where the module listens."""
    return tmp_path / "s"


@pytest.fixture
def listening(module, path):
    """A module on whose own console nothing happens, with further ones."""
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    yield session
    if session.process.poll() is None:
        session.end()
    assert not path.exists()


@pytest.fixture
def online(web, module, path):
    """Such a module with a server."""
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    yield session
    if session.process.poll() is None:
        session.end()
