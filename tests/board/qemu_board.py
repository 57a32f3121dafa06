# SPDX-License-Identifier: MIT
"""The emulated board from power-on to power-off, with a terminal on its UART.

    with Board(flash, sd=card) as board:
        assert board.command("ota boot factory") == [...]

The UART is QEMU's standard input and output, as pipes: QEMU drops what its reader does not take at once, and of single
bytes a pipe takes a thousand times as many as a socket. The gdbstub is at the end of a socket pair. QEMU is ended by
SIGTERM only: it writes the flash file behind the guest's back, and SIGKILL would lose what the guest was told is
written, which no flash does. Its standard error has to stay empty, but for the words that it was terminated and that
it has no network.
"""

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pexpect
from flash_layout import OVMS, area, content
from gdb_remote import GdbRemote
from pexpect.fdpexpect import fdspawn
from terminal import PROMPT, Screen

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LIFEBOAT_BOARD", ROOT / "build" / "board")).resolve()
QEMU = "qemu-system-riscv32"
PIPE_SIZE = 1 << 20
SLICE = 0.2  # seconds between looks at the clock
TIMEOUT = 60  # of whatever is waited for; what is tested takes a second or two
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
BOOTED = re.compile(r"^boot: (?:starting (\S+)(?: on trial, attempt \d+ of \d+)?|halted: .*)$", re.MULTILINE)
EXPECTED = re.compile(r"qemu-system-riscv32: (?:terminating on signal 15 from pid \d+ \(.*\)|"
                      r"warning: nic cadence_gem\.0 has no peer)\n")
ENTER, CTRL_C = "\r", "\x03"


class Stopped(Exception):
    """The board was stopped for good while something was waited for."""


class Ended(AssertionError):
    """QEMU has ended."""


def end_with_parent():
    """In the child: also if the tests are killed, no QEMU stays behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Board:
    """One life of the board. `gdb`: it is stopped before its first instruction, and `board.gdb` resumes it."""

    def __init__(self, flash, sd=None, gdb=False, network=True):
        self.flash = Path(flash)
        self.before = self.flash.read_bytes()
        self.screen = Screen()
        self.rows_followed = 0
        self.running, self.running_content = None, b""  # the slot that runs, and what was in it when it was started
        self.errors = tempfile.TemporaryFile("w+")
        self.gdb = None
        self.stop_waiting = False  # set by another thread that has stopped the board for good
        words = [QEMU, "-M", "sifive_u", "-m", "128M", "-bios", str(BUILD / "first_stage.elf"), "-display", "none",
                 "-monitor", "none", "-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart",
                 "-drive", f"if=mtd,format=raw,cache=unsafe,file={flash}", "-nic", "user" if network else "none"]
        if sd:
            words += ["-drive", f"if=sd,format=raw,cache=unsafe,file={sd}"]
        passed = []
        if gdb:
            connection, end = socket.socketpair()
            passed = [end.fileno()]
            words += ["-S", "-chardev", f"socket,id=gdb,fd={end.fileno()}", "-gdb", "chardev:gdb"]
            self.gdb = GdbRemote(connection)
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        pipesize=PIPE_SIZE, pass_fds=passed, preexec_fn=end_with_parent)
        if gdb:
            end.close()
        self.uart = fdspawn(self.process.stdout, timeout=TIMEOUT, encoding="utf-8", codec_errors="replace")

    # ---- the terminal ----

    @property
    def rows(self):
        return [row.rstrip() for row in self.screen.rows]

    @property
    def text(self):
        return "\n".join(self.rows)

    @property
    def tail(self):
        return "\n".join(self.rows[-40:])

    @property
    def booted(self):
        """What the bootloader has started in this life, in order; "" where it halted."""
        return BOOTED.findall(self.text)

    def read(self, condition, what, timeout=TIMEOUT):
        """Reads what the board prints until the condition holds."""
        end = time.monotonic() + timeout
        while not condition():
            if self.stop_waiting:
                raise Stopped(what)
            try:
                self.screen.feed(self.uart.read_nonblocking(65536, timeout=SLICE))
                self.follow()
            except pexpect.TIMEOUT:
                assert time.monotonic() < end, f"no {what} for {timeout} s\n{self.tail}"
            except pexpect.EOF as error:
                raise Ended(f"QEMU has ended without {what}\n{self.tail}") from error

    def wait_for(self, text, row=0, timeout=TIMEOUT):
        self.read(lambda: text in "\n".join(self.rows[row:]), repr(text), timeout)

    def wait_for_prompt(self, row=0, timeout=TIMEOUT):
        """The last row is an empty prompt, and lies at `row` or below."""
        self.read(lambda: len(self.screen.rows) > row and self.screen.rows[-1] == PROMPT, "prompt", timeout)

    def send(self, keys):
        try:
            self.process.stdin.write(keys.encode())
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Ended(f"QEMU has ended before {keys!r} was typed\n{self.tail}") from error

    def command(self, line, timeout=TIMEOUT):
        """Types a line behind the prompt; returns the rows that come until the next prompt."""
        self.wait_for_prompt()
        row = len(self.screen.rows)
        self.send(line + ENTER)
        self.wait_for_prompt(row, timeout)
        assert self.rows[row - 1] == (PROMPT + line).rstrip(), self.rows[-10:]
        return self.rows[row:-1]

    # ---- the slot that runs ----

    def follow(self):
        """At each start: what ran until then has left its own slot alone."""
        rows = self.screen.rows
        for row in rows[self.rows_followed:-1]:
            slot = BOOTED.match(row.rstrip())
            if slot and slot[1]:
                self.check_running()
                first = self.running is None
                self.running = slot[1]
                found = area(self.running)
                self.running_content = (self.before[found.start:found.end] if first
                                        else content(self.flash, self.running))
        self.rows_followed = max(self.rows_followed, len(rows) - 1)

    def check_running(self):
        assert self.running is None or content(self.flash, self.running) == self.running_content, (
            f"{self.running} changed while it ran")

    # ---- its end ----

    def is_alive(self):
        return self.process.poll() is None

    def terminate(self):
        """Power off, whatever it does at the moment; nothing is checked. May be called again."""
        if self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            while self.process.poll() is None:
                try:
                    self.screen.feed(self.uart.read_nonblocking(65536, timeout=TIMEOUT))
                except pexpect.EOF:
                    break
            self.process.wait(TIMEOUT)
        finally:
            if self.process.returncode is None:  # it hangs: the test has failed
                self.process.kill()
                self.process.wait()
            with contextlib.suppress(BrokenPipeError):  # what was typed and not read
                self.process.stdin.close()
            self.process.stdout.close()
            if self.gdb:
                self.gdb.close()
            self.errors.seek(0)
            self.complaints = EXPECTED.sub("", self.errors.read())
            self.errors.close()

    def check(self):
        """After power-off: what no life may change is as it was."""
        assert self.process.returncode == 0, (self.process.returncode, self.complaints)
        assert self.complaints == "", self.complaints
        self.follow()
        self.check_running()
        running = set(self.booted)
        allowed = {"nvs", "otadata", "ota_0", "ota_1"} - (running if len(running) == 1 else set())
        changed = changed_areas(self.before, self.flash.read_bytes())
        assert changed <= allowed, f"{changed - allowed} changed while {running or 'nothing'} ran"

    def power_off(self):
        self.terminate()
        self.check()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.terminate()
        if kind is None:
            self.check()


def changed_areas(before, after):
    """Names of the areas of the flash in which two contents differ; behind the first 16 MB is "rest", too."""
    if before == after:
        return set()
    assert len(before) == len(after), f"the flash has {len(after)} bytes instead of {len(before)}"
    parts = [(area.name, area.start, area.end) for area in OVMS[:-1]] + [("rest", OVMS[-1].start, len(before))]
    return {name for name, start, end in parts if before[start:end] != after[start:end]}
