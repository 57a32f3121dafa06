# SPDX-License-Identifier: MIT
"""Running `lifeboat module`: with lines on its stdin here, on a terminal in terminal.py. Both are guarded."""

import os
import signal
import subprocess
import time

from depot_server import LIFEBOAT, ROOT
from flash_guard import BOOTED, FlashGuard
from flash_layout import OVMS, area

SERVER_NAME = "api.openvehicles.com"
RESET = "module reset"
TIMEOUT = 60
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}
ENVIRONMENT["LSAN_OPTIONS"] = f"print_suppressions=0:suppressions={ROOT}/tests/session/leak_suppressions.txt"
for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
    ENVIRONMENT.setdefault(sanitizer, "exitcode=99")  # else a fault would look like a refused command


def wait_until(condition, what, timeout=TIMEOUT):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"no {what} for {timeout} s"
        time.sleep(0.004)


class Life:
    """What the two kinds of session share: the boot log in a file, and the guard, which sees every boot's end."""

    def __init__(self, module, options):
        self.log = module.folder / f"boot-{module.sessions}.log"
        self.log.touch()
        module.sessions += 1
        self.guard = FlashGuard(module.flash, module.layout)
        self.guard.has_second_console = "--listen" in options

    @property
    def boot_log(self):
        return self.log.read_text(errors="replace")

    @property
    def booted(self):
        """What the bootloader started, in order; "" where it halted."""
        return BOOTED.findall(self.boot_log)

    @property
    def changed(self):
        """Names of the areas of the flash that differ from what they were at the beginning."""
        return self.guard.changed

    def check_life(self):
        """After a reset was asked for: waits for the next boot, and compares what the last life left behind."""
        lives = self.guard.lives + 2
        wait_until(lambda: len(self.booted) >= lives or not self.is_alive(), "boot")
        self.guard.check(self.boot_log, self.text)

    def check_end(self):
        log = self.boot_log
        self.guard.check(log, self.text)
        assert len(BOOTED.findall(log)) <= self.guard.lives, "there was a reset that the test did not announce"
        assert "Sanitizer" not in log and "runtime error" not in log, log


class Session(Life):
    """A module whose input is no terminal, from power-on until its process ends."""

    def __init__(self, module, *options):
        super().__init__(module, options)
        self.output = module.folder / f"output-{module.sessions}.txt"
        with open(self.output, "w") as output, open(self.log, "w") as log:
            self.process = subprocess.Popen(module.command(*options), stdin=subprocess.PIPE, stdout=output, stderr=log,
                                            env=ENVIRONMENT, text=True, preexec_fn=module.before_exec)

    @property
    def text(self):
        return self.output.read_text(errors="replace")

    @property
    def lines(self):
        return self.text.splitlines()

    def is_alive(self):
        return self.process.poll() is None

    def send(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return  # it has ended before; its exit status tells
        if line == RESET:
            self.check_life()

    def wait_for(self, text, timeout=TIMEOUT):
        wait_until(lambda: text in self.text or not self.is_alive(), repr(text), timeout)
        assert text in self.text, (self.text, self.boot_log)

    def end(self, code=0, number=None, timeout=TIMEOUT):
        """The end of the input, or else a signal of that number; then everything is compared."""
        if number is not None:
            self.process.send_signal(number)
        else:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            wait_until(lambda: not self.is_alive(), "end of the process", timeout)
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stdin and not self.process.stdin.closed:
                try:
                    self.process.stdin.close()
                except BrokenPipeError:
                    pass
        self.check_end()
        found = self.process.returncode
        assert found == code or code is None, f"exit status {found} instead of {code}\n{self.text}\n{self.boot_log}"
        return self

    def kill(self):
        """The power goes, as far as a process can feel it."""
        return self.end(code=-signal.SIGKILL, number=signal.SIGKILL)


class VirtualModule:
    """A flash file with what belongs to it: /sd, /store, and the server that it knows."""

    def __init__(self, folder, flash, layout=OVMS):
        self.folder = folder
        self.flash = flash
        self.layout = layout
        self.sd = folder / "sd"
        self.store = folder / "store"
        self.sd.mkdir(exist_ok=True)
        self.store.mkdir(exist_ok=True)
        self.server = None  # (address, port) of what SERVER_NAME is; None: there is no network
        self.sessions = 0
        self.before_exec = None

    def command(self, *options):
        words = [LIFEBOAT, "module", "--flash", self.flash, "--sd", self.sd, "--store", self.store]
        if self.server:
            host, port = self.server
            words += ["--host", f"{SERVER_NAME}={f'[{host}]' if ':' in host else host}:{port}"]
        else:
            words += ["--link", "down"]
        return [str(word) for word in (*words, *options)]

    def start(self, *options):
        return Session(self, *options)

    def run(self, *lines, code=0, options=(), timeout=TIMEOUT, crashes=0):
        """One session with these lines; its exit status has to be `code`, if that is not None.

        `crashes`: resets behind the last one that a line asks for.
        """
        session = self.start(*options)
        for line in lines:
            session.send(line)
        session.guard.unannounced = crashes
        return session.end(code, timeout=timeout)

    def confirm(self):
        """Lets what is selected on trial run until it is confirmed, and switches off."""
        session = self.run("ota confirm", "module wait 120", "boot status", options=["--clock", "virtual"])
        assert session.lines[-1].startswith("  Its trial has ended well: "), session.text

    def wait_until_written(self, slot="ota_0"):
        """A slot that was erased is being written; what it began with is kept back, so look behind that."""
        found = area(slot, self.layout)

        def is_written():
            with open(self.flash, "rb") as file:
                file.seek(found.start + 0x100)
                return file.read(0x100) != b"\xff" * 0x100

        wait_until(is_written, f"byte in {slot}")

    def put(self, name, data):
        """A file on the card; returns its path as the module knows it."""
        (self.sd / name).write_bytes(data)
        return f"/sd/{name}"
