# SPDX-License-Identifier: MIT
"""A client of QEMU's gdbstub, with as much of GDB's remote protocol as stopping a board at its flash operations takes.

Each packet is answered with "+" here and there (QEMU 7.2 knows no mode without). QEMU puts the two harts into two
processes of which only the first, hart 0, is attached; hart 1 stops and goes on with it. A breakpoint is QEMU's own:
it changes no byte of memory and stays over a reset of the board.
"""

import re
import select

PC = 32  # behind x0 to x31 in what `g` answers
ARGUMENTS = 10  # x10 is a0
REGISTER = 4
MOST = 1024  # bytes of memory in a packet, far below QEMU's PacketSize of 4096 characters
TIMEOUT = 60


class GdbError(AssertionError):
    pass


class GdbRemote:
    """The stub's end is `connection`, a socket. The board is either stopped, or runs between resume() and a stop."""

    def __init__(self, connection):
        self.connection = connection
        self.input = b""
        self.breakpoints = set()
        self.running = False

    # ---- packets ----

    def receive(self, timeout=TIMEOUT):
        """The next packet's text; None if none came in time."""
        while True:
            self.input = self.input.lstrip(b"+")
            found = re.match(rb"\$([^#]*)#([0-9a-f]{2})", self.input)
            if found:
                self.input = self.input[found.end():]
                text, checksum = found.groups()
                if sum(text) & 0xFF != int(checksum, 16):
                    raise GdbError(f"a packet with a wrong checksum: {text!r}")
                self.connection.sendall(b"+")
                return text.decode("latin-1")
            if not select.select([self.connection], [], [], timeout)[0]:
                return None
            piece = self.connection.recv(65536)
            if not piece:
                raise GdbError("QEMU has ended")
            self.input += piece

    def send(self, text):
        data = text.encode("ascii")
        self.connection.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def ask(self, text):
        """A command to the stopped board, and its answer, which has to be there."""
        if self.running:
            raise GdbError(f"{text} while the board runs")
        self.send(text)
        answer = self.receive()
        if answer is None or re.fullmatch(r"E[0-9a-f]{2}", answer):
            raise GdbError(f"the answer to {text} is {answer}")
        return answer

    def do(self, text):
        answer = self.ask(text)
        if answer != "OK":
            raise GdbError(f"the answer to {text} is {answer!r}")

    # ---- the stopped board ----

    def registers(self):
        """x0 to x31 and the program counter."""
        data = bytes.fromhex(self.ask("g"))
        return [int.from_bytes(data[at:at + REGISTER], "little") for at in range(0, (PC + 1) * REGISTER, REGISTER)]

    def read(self, address, length):
        data = b""
        while len(data) < length:
            count = min(MOST, length - len(data))
            data += bytes.fromhex(self.ask(f"m{address + len(data):x},{count:x}"))
        return data

    def set_breakpoint(self, address):
        if address not in self.breakpoints:
            self.do(f"Z0,{address:x},4")
            self.breakpoints.add(address)

    def clear_breakpoint(self, address):
        self.do(f"z0,{address:x},4")
        self.breakpoints.remove(address)

    def step(self, address):
        """One instruction of hart 0, which is at that address, also if a breakpoint is there."""
        covered = address in self.breakpoints
        if covered:
            self.clear_breakpoint(address)
        self.resume("s")
        if self.wait_for_stop() is None:
            raise GdbError("one instruction takes too long")
        if covered:
            self.set_breakpoint(address)

    # ---- running and stopping ----

    def resume(self, how="c"):
        if self.running:
            raise GdbError("the board runs already")
        self.send(how)
        self.running = True

    def wait_for_stop(self, timeout=TIMEOUT):
        """Why it has stopped ("T05..." at a breakpoint, "T02..." after interrupt()); None: it has not, and runs on."""
        answer = self.receive(timeout)
        if answer is None:
            return None
        if not answer.startswith(("T", "S")):
            raise GdbError(f"instead of a stop: {answer!r}")
        self.running = False
        return answer

    def interrupt(self):
        """Asks the running board to stop; wait_for_stop() tells when, and why, if a breakpoint came first."""
        self.connection.sendall(b"\x03")

    def close(self):
        self.connection.close()
