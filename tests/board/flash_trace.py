# SPDX-License-Identifier: MIT
"""Which operations of the flash a life of the board does, and what lies on the flash if the power goes at one of them.

The gdbstub stops the board at the entry of the driver's program and erase functions, in whatever program runs: address,
length and data are in a1, a2, a3 and memory. QEMU writes its flash file out when it stops, so the file is then what a cut
leaves that comes before this operation. The trace keeps the operations, so that one life gives all of its cuts: replayed
up to one of them it is the file at that stop, byte for byte. Each stop compares what the last operation left in the file
with the replay, and test_board_trace.py ends QEMU at some of them and compares all of it.
"""

import random
import threading
from dataclasses import dataclass

from elf_program import ElfProgram
from flash_layout import OVMS, SECTOR
from gdb_remote import ARGUMENTS, PC
from qemu_board import BUILD

PROGRAM, ERASE = "program", "erase"
SITES = {"nor_program": PROGRAM, "nor_erase": ERASE}  # static functions of ports/spi/spi_nor.c
CODE = 32  # bytes that tell whether it is this program's function, and not the middle of another program's
TICK = 0.02  # seconds between looks at whether the trace shall end
BEFORE, PREFIX, SUBSET, HALF, MIXED = "before", "prefix", "subset", "half", "mixed"
WAYS = {PROGRAM: (BEFORE, PREFIX, SUBSET), ERASE: (BEFORE, HALF, MIXED)}


@dataclass(frozen=True)
class Operation:
    kind: str
    address: int
    length: int
    data: bytes  # of a program
    program: str  # which did it: "bootloader" or a firmware

    @property
    def area(self):
        return next(area.name for area in OVMS if area.start <= self.address < area.end)

    @property
    def is_mark(self):
        """Not one of the many that write an image's content: otadata, nvs, and a slot's first and last sector."""
        area = next(area for area in OVMS if area.name == self.area)
        return area.name in ("otadata", "nvs") or not area.start + SECTOR <= self.address < area.end - SECTOR

    def done(self, before):
        """What is at its place when it is done, if that was there before."""
        if self.kind == ERASE:
            return b"\xff" * self.length
        return bytes(old & new for old, new in zip(before, self.data))

    def torn(self, before, way):
        """What is left there if the power goes in the middle; the same each time."""
        chance = random.Random(f"{self.address}/{self.length}/{way}")
        half = self.length // 2
        if way == PREFIX:  # the first half of the bytes, and half of the next one's bits
            begun = bytes([before[half] & (self.data[half] | 0x0F)])
            return self.done(before)[:half] + begun + before[half + 1:]
        if way == SUBSET:  # some of the bits that are to be cleared
            return bytes(old & (new | chance.getrandbits(8)) for old, new in zip(before, self.data))
        if way == HALF:  # some sectors, or a part of one
            return b"\xff" * half + before[half:]
        if way == MIXED:  # some of the bits that are to be set
            noise = chance.randbytes(self.length)
            return (int.from_bytes(before, "big") | int.from_bytes(noise, "big")).to_bytes(self.length, "big")
        assert way == BEFORE
        return before

    def apply(self, flash, way=None):
        """Puts what is done, or torn, into a flash."""
        place = slice(self.address, self.address + self.length)
        before = bytes(flash[place])
        flash[place] = self.done(before) if way is None else self.torn(before, way)

    def __str__(self):
        return f"{self.kind} of {self.length} at {self.address:#x} ({self.area}, by {self.program})"


class Trace:
    """`operations` follow each other on the flash `initial`."""

    def __init__(self, initial):
        self.initial = initial
        self.operations = []

    def cut(self, number, way):
        """The flash that a power cut in the operation of that number, counted from 0, leaves."""
        flash = bytearray(self.initial)
        for operation in self.operations[:number]:
            operation.apply(flash)
        if way != BEFORE:
            self.operations[number].apply(flash, way)
        return flash

    def cuts(self):
        """(number, way) of all cuts that leave something else than the ones before; the last one is behind all."""
        found, flash, changed = [], bytearray(self.initial), True
        for number, operation in enumerate(self.operations):
            before = bytes(flash[operation.address:operation.address + operation.length])
            after = operation.done(before)
            seen = {after}
            for way in WAYS[operation.kind]:
                left = operation.torn(before, way)
                if left not in seen and (way != BEFORE or changed):
                    found.append((number, way))
                seen.add(left)
            operation.apply(flash)
            changed = after != before
        return [*found, (len(self.operations), BEFORE)]


class Tracer(threading.Thread):
    """Runs a board that was made with gdb=True, and notes its operations, until finish() or its operation `last`.

    The board is then stopped, so that its flash file can be looked at.
    """

    def __init__(self, board, firmwares, last=None):
        super().__init__(daemon=True)
        self.board = board
        self.gdb = board.gdb
        self.trace = Trace(board.before)
        self.flash = bytearray(board.before)  # as the operations so far have left it
        self.last = last
        self.ending = threading.Event()
        self.stopped = threading.Event()
        self.error = None
        self.sites = {}  # address -> [(program, kind, code)]
        for name in ("bootloader", *firmwares):
            program = ElfProgram(BUILD / f"{name}.elf")
            for function, kind in SITES.items():
                address = program.function(function)
                self.sites.setdefault(address, []).append((name, kind, program.content(address, CODE)))

    def run(self):
        try:
            for address in self.sites:
                self.gdb.set_breakpoint(address)
            while not self.ending.is_set():
                self.gdb.resume()
                if not self.wait() or self.note():
                    break
                self.gdb.step()
        except Exception as error:  # whatever it is, the test's thread has to know
            self.error = error
        finally:
            self.board.stop_waiting = True
            self.stopped.set()

    def wait(self):
        """Until a breakpoint; False if it was stopped because all is over."""
        while True:
            stop = self.gdb.wait_for_stop(TICK)
            if stop is not None:
                return not stop.startswith("T02")
            if self.ending.is_set():
                self.gdb.interrupt()
                self.gdb.wait_for_stop()
                return False

    def note(self):
        """Is this the last operation to be waited for? It is not done then, and not in the trace."""
        registers = self.gdb.registers()
        found = self.sites.get(registers[PC], [])
        code = self.gdb.read(registers[PC], CODE)
        which = next(((name, kind) for name, kind, bytes_of_it in found if bytes_of_it == code), None)
        if not which:
            return False
        self.compare()
        if len(self.trace.operations) == self.last:
            return True
        name, kind = which
        address, second, third = registers[ARGUMENTS + 1:ARGUMENTS + 4]
        length = third if kind == PROGRAM else second
        data = self.gdb.read(second, length) if kind == PROGRAM else b""
        operation = Operation(kind, address, length, data, name)
        operation.apply(self.flash)
        self.trace.operations.append(operation)
        return False

    def compare(self):
        """The file has what the last operation did: QEMU has written it."""
        if self.trace.operations:
            operation = self.trace.operations[-1]
            with open(self.board.flash, "rb") as file:
                file.seek(operation.address)
                found = file.read(operation.length)
            place = slice(operation.address, operation.address + operation.length)
            assert found == self.flash[place], f"the file is not as {operation} has left it"

    def finish(self):
        """Stops the board and returns the trace."""
        self.ending.set()
        self.join(60)
        if self.error:
            raise self.error
        assert self.stopped.is_set(), "the trace does not end"
        assert self.board.flash.read_bytes() == self.flash, "the flash file is not what the operations have made of it"
        return self.trace
