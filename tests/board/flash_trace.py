# SPDX-License-Identifier: MIT
"""Which operations of the flash a life of the board does, and what lies on the flash if the power goes at one of them.

The gdbstub stops the board at the entry of the driver's program and erase functions, in whatever program runs:
address, length and data are in a1, a2, a3 and memory. QEMU writes its flash file out when it stops, so the file is then
what a cut leaves that comes before this operation. The trace keeps the operations, so that one life gives all of its
cuts: replayed up to one of them it is the file at that stop, byte for byte. Each stop compares what the last operation
left in the file with the replay; at the end all of it is compared, and test_board_cuts.py ends QEMU at some of them.
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
BOOTLOADER, LOADED = "bootloader", "handoff_write"  # called when the firmware is in memory, before the jump to it
MEMORY = 0x80080000  # of a firmware, which begins with its description
IN_IMAGE = 32  # that one's place in the image, behind two headers
DESCRIPTION = 256
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
    starts: int  # how many firmwares the bootloader has started in this life until then

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
        assert len(before) == len(self.data), f"{self}: over the end of the flash"
        both = int.from_bytes(before, "big") & int.from_bytes(self.data, "big")
        return both.to_bytes(self.length, "big")

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

    def check_torn(self, before, left, way):
        """That is left there, and it was that before: as it has to be after a cut of this way, and not done."""
        if way == BEFORE:
            assert left == before, f"{self}: something has happened"
            return
        half = self.length // 2
        old, now, done = (int.from_bytes(content, "big") for content in (before, left, self.done(before)))
        assert now not in (old, done), f"{self}, {way}: nothing has happened, or all of it"
        if self.kind == PROGRAM:
            assert now | old == old and now & done == done, f"{self}, {way}: other bits than those to be cleared"
        else:
            assert now & old == old, f"{self}, {way}: a bit was cleared"
        if way in (PREFIX, HALF):
            assert left[:half] == self.done(before)[:half], f"{self}, {way}: the first half is not done"
            assert left[half + 1:] == before[half + 1:], f"{self}, {way}: the second half has begun"

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

    def check_cut(self, number, way, left):
        """That flash, read back, is what the cut demands: nothing differs from before it but at its operation."""
        before = self.cut(number, BEFORE)
        assert len(left) == len(before), f"the flash has {len(left)} bytes instead of {len(before)}"
        if number == len(self.operations):
            assert left == before, "behind the last operation something has happened"
            return
        operation = self.operations[number]
        end = operation.address + operation.length
        operation.check_torn(bytes(before[operation.address:end]), bytes(left[operation.address:end]), way)
        before[operation.address:end] = left[operation.address:end]
        assert left == before, f"{operation}, {way}: something else differs, too"

    def check_running(self, booted):
        """Nothing was written where what did it runs from, nor by the bootloader to any slot. `booted`: Board's."""
        slots = {area.name for area in OVMS if area.name == "factory" or area.name.startswith("ota_")}
        started = [slot for slot in booted if slot]
        for operation in self.operations:
            own = slots if operation.program == BOOTLOADER else {started[operation.starts - 1]}
            assert operation.area not in own, f"{operation}, which runs from {own}"

    def cuts(self):
        """(number, way) of all cuts, without those that leave what another one has left; the last one is behind all."""
        found, seen, flash, state = [], set(), bytearray(self.initial), 0
        for number, operation in enumerate(self.operations):
            before = bytes(flash[operation.address:operation.address + operation.length])
            others = state ^ fingerprint(flash, operation, before)
            after = others ^ fingerprint(flash, operation, operation.done(before))
            for way in WAYS[operation.kind]:
                left = others ^ fingerprint(flash, operation, operation.torn(before, way))
                if left not in seen and left != after:
                    seen.add(left)
                    found.append((number, way))
            operation.apply(flash)
            state = after
        return found if state in seen else [*found, (len(self.operations), BEFORE)]


def fingerprint(flash, operation, content):
    """Of the sectors that the operation touches, with that content in its place; XOR puts them together with others."""
    first = operation.address // SECTOR * SECTOR
    part = flash[first:-(-(operation.address + operation.length) // SECTOR) * SECTOR]
    part[operation.address - first:operation.address - first + operation.length] = content
    result = 0
    for at in range(0, len(part), SECTOR):
        result ^= hash((first + at, bytes(part[at:at + SECTOR])))
    return result


class Tracer(threading.Thread):
    """Runs a board that was made with gdb=True, and notes its operations, until finish() or its operation `last`.

    `firmwares` are those that the board may start.

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
        self.bootloader = ElfProgram(BUILD / f"{BOOTLOADER}.elf")
        self.firmwares = firmwares
        self.starts = 0
        self.sites = {}  # address -> (program, kind), of the bootloader and the firmware that runs

    def run(self):
        try:
            self.gdb.set_breakpoint(self.bootloader.function(LOADED))
            self.watch(BOOTLOADER, self.bootloader)
            while not self.ending.is_set():
                self.gdb.resume()
                if not self.wait():
                    break
                registers = self.gdb.registers()
                if registers[PC] in self.sites:
                    if self.note(registers):
                        break
                else:
                    self.follow()
                self.gdb.step(registers[PC])
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

    def watch(self, name, program):
        for function, kind in SITES.items():
            address = program.function(function)
            self.gdb.set_breakpoint(address)
            self.sites[address] = name, kind

    def follow(self):
        """The bootloader is about to start a firmware: finds out which one, and watches that one from now on."""
        for address, (name, _) in list(self.sites.items()):
            if name != BOOTLOADER:
                self.gdb.clear_breakpoint(address)
                del self.sites[address]
        self.starts += 1
        found = self.gdb.read(MEMORY, DESCRIPTION)
        loaded = next(firmware for firmware in self.firmwares
                      if firmware.bytes[IN_IMAGE:IN_IMAGE + DESCRIPTION] == found)
        self.watch(loaded.name, ElfProgram(BUILD / f"{loaded.name}.elf"))

    def note(self, registers):
        """Is this the last operation to be waited for? It is not done then, and not in the trace."""
        self.compare()
        if len(self.trace.operations) == self.last:
            return True
        name, kind = self.sites[registers[PC]]
        address, second, third = registers[ARGUMENTS + 1:ARGUMENTS + 4]
        length = third if kind == PROGRAM else second
        data = self.gdb.read(second, length) if kind == PROGRAM else b""
        operation = Operation(kind, address, length, data, name, self.starts)
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
