# SPDX-License-Identifier: MIT
"""Application images with made-up programs in them, linked from the same functions into different places.

    program = Program("esp32", seed=1)
    old = program.image()
    program.change()
    new = program.image()

Functions call each other, load constants and addresses, and read members of structures; constants hold pointers. What
the instructions do together makes no sense.
"""

import random
import struct

from image_builder import CHIPS, MAP_PAGE, Chip, description, seal

XTENSA_CHIPS = ("esp32", "esp32s2", "esp32s3")
BOARD = Chip(5, 0x80000000, 0x80400000, 0x80200000)  # a RISC-V processor with all its memory in one place
ZEROED = 5000  # memory behind the initialised one that programs point to, too


class Program:
    """`shift` more bytes of data move the code away from multiples of four in the file, not in memory."""

    def __init__(self, chip, functions=120, seed=0, shift=0):
        self.random = random.Random(f"{chip}/{seed}")
        self.chip = CHIPS.get(chip, BOARD)
        self.assembler = Xtensa() if chip in XTENSA_CHIPS else RiscV()
        self.shift = shift
        self.version = 0
        self.next_name = 0
        self.functions = {}  # name: instructions, each a tuple of an operation and what it works on
        self.constants = {}  # name: bytes, or the names of what the words point to, or both
        for _ in range(functions):
            self.constants[self.new_name()] = self.random_text()
        self.functions = {self.new_name(): [] for _ in range(functions)}
        for name in self.functions:
            self.functions[name] = self.random_function()
        for _ in range(functions // 8):
            self.constants[self.new_name()] = self.random_table()

    def new_name(self):
        self.next_name += 1
        return self.next_name

    def random_text(self):
        return bytes(self.random.choices(b"etaoin shrdlu%s:\n", k=self.random.randrange(3, 40))) + b"\0"

    def random_table(self):
        """Words that point somewhere; not always do they begin at a multiple of four."""
        front = bytes(self.random.choices([0, 0, 1, 2, 3], k=1)[0])
        return front, self.random.choices([*self.functions, *self.constants, "memory"], k=self.random.randrange(2, 9))

    def random_function(self):
        return [self.random_instruction() for _ in range(self.random.randrange(5, 60))]

    def random_instruction(self):
        pick = self.random
        operation = pick.choice(["call", "load", "member", "member", "short", "short", "plain"])
        if operation == "call":
            return operation, pick.choice([*self.functions])
        if operation == "load":
            other = pick.choice([*self.constants, *self.functions, "memory", f"number {pick.randrange(200)}"])
            return operation, other, pick.randrange(8)
        return operation, pick.randrange(1 << 16), pick.randrange(120)

    def change(self, places=4):
        """Functions become longer, new and different; a structure gets a new member; another version."""
        pick = self.random
        self.version += 1
        for _ in range(places):
            name = pick.choice([*self.functions])
            body = self.functions[name]
            at = pick.randrange(len(body))
            body[at:at + pick.randrange(4)] = [self.random_instruction() for _ in range(pick.randrange(1, 6))]
        self.functions = dict(sorted([*self.functions.items(), (self.new_name(), self.random_function())],
                                     key=lambda item: (item[0] * 7 if item[0] % 41 == 0 else item[0])))
        self.constants[self.new_name()] = self.random_text()
        self.constants = dict(sorted(self.constants.items(), key=lambda item: item[0] % 97))
        for body in self.functions.values():
            for at, (operation, *rest) in enumerate(body):
                if operation == "member" and 40 <= rest[1] < 60:
                    body[at] = (operation, rest[0], rest[1] + 3)

    def image(self):
        beginning = description(f"3.1.00{self.version}")
        memory = bytes(range(100))
        offset = 24 + 8
        data_load = self.chip.data + offset % MAP_PAGE
        places = {f"number {i}": i * 0x01030507 & 0xFFFFFFFF for i in range(200)}
        places["memory"] = self.chip.memory + ZEROED
        size = len(beginning)
        for name, what in self.constants.items():
            places[name] = data_load + size
            size += (len(self.constant(what, {})) + 3) // 4 * 4
        offset += size + self.shift + 8
        code_load = self.chip.code + offset % MAP_PAGE & ~3
        for _ in range(2):  # the second time all places are known
            code = self.assembler.code(code_load, self.functions, places)
        data = bytearray(beginning)
        for what in self.constants.values():
            data += self.constant(what, places)
            data += bytes(-len(data) % 4)
        data += bytes(self.shift)
        header = struct.pack("<BBBBIB3sHBHH4sB", 0xE9, 3, 2, 0x40, code_load, 0xEE, b"", self.chip.number, 0, 0, 0xFFFF,
                             b"", 1)
        parts = [(data_load, data), (code_load, code), (self.chip.memory, memory)]
        return seal(header + b"".join(struct.pack("<II", load, len(part)) + part for load, part in parts))

    @staticmethod
    def constant(what, places):
        if isinstance(what, bytes):
            return what
        front, names = what
        return front + struct.pack(f"<{len(names)}I", *[places.get(name, 0) for name in names])


class Xtensa:
    TOGETHER = 10  # functions of a source file, whose literals are in front of them

    def code(self, load, functions, places):
        code = bytearray()
        names = [*functions]
        for first in range(0, len(names), self.TOGETHER):
            together = names[first:first + self.TOGETHER]
            wanted = dict.fromkeys(item[1] for name in together for item in functions[name] if item[0] == "load")
            literals = {}
            for other in wanted:
                literals[other] = load + len(code)
                code += struct.pack("<I", places.get(other, load))
            for name in together:
                code += bytes(-len(code) % 4)
                places[name] = load + len(code)
                code += bytes([0x36, 0x41, 0])
                for item in functions[name]:
                    code += self.instruction(load + len(code), item, literals, places)
                code += bytes([0x1D, 0xF0])
            code += bytes(-len(code) % 4)
        return code

    @staticmethod
    def instruction(at, item, literals, places):
        operation, first, *rest = item
        if operation == "call":
            distance = (places.get(first, at & ~3) - (at & ~3) - 4) // 4
            return (0x25 | (distance & 0x3FFFF) << 6).to_bytes(3, "little")
        if operation == "load":
            distance = (literals[first] - (at + 3 & ~3)) // 4
            return bytes([0x21 | rest[0] << 4]) + (distance & 0xFFFF).to_bytes(2, "little")
        if operation == "member":
            return bytes([(first & 15) << 4 | 2, first % 16 << 4 | first >> 12, rest[0]])
        if operation == "short":
            return bytes([(first & 15) << 4 | 8 + first % 6, first >> 8])
        return bytes([(first & 15) << 4, first >> 8, (0x80, 0xC0, 0x20)[first % 3]])


class RiscV:
    def code(self, load, functions, places):
        code = bytearray()
        for name, body in functions.items():
            code += bytes(-len(code) % 4)
            if len(body) % 9 == 0:  # a table of a switch
                code += struct.pack("<HHII", 1, 0x2223, places.get(name, load), places.get(name, load) + 8)
            places[name] = load + len(code)
            for item in body:
                code += self.instruction(load + len(code), item, places)
            code += struct.pack("<H", 0x8082)
        return code + bytes(-len(code) % 4)

    @staticmethod
    def instruction(at, item, places):
        operation, first, *rest = item
        if operation == "call":
            d = places.get(first, at) - at
            return struct.pack("<I", 0xEF | (d >> 20 & 1) << 31 | (d >> 1 & 0x3FF) << 21 | (d >> 11 & 1) << 20
                               | (d >> 12 & 0xFF) << 12)
        if operation == "load":
            d = places.get(first, at) - at
            register = 8 + rest[0]
            second = d & 0xFFF
            words = [0x17 | register << 7 | d + 0x800 & 0xFFFFF000,
                     0x13 | register << 7 | register << 15 | second << 20]
            if rest[0] % 3 == 0:
                words[1] = 0x2003 | register << 15 | 10 << 7 | second << 20
            if rest[0] % 3 == 1:
                words[1] = 0x2023 | register << 15 | second >> 5 << 25 | (second & 31) << 7
            if rest[0] == 7:
                words[1] = 0x67 | 1 << 7 | register << 15 | second << 20
            return struct.pack("<II", *words)
        if operation == "member":
            offset = 4 * rest[0] & 0xFFF
            if first & 1:
                return struct.pack("<I", 0x2023 | (first & 0x1F) << 15 | offset >> 5 << 25 | (offset & 31) << 7)
            return struct.pack("<I", 0x2003 | (first & 0x1F) << 15 | 10 << 7 | offset << 20)
        if operation == "short":
            return struct.pack("<H", first & 0xFFFC | first % 3)
        return struct.pack("<I", 0x33 | (first & 0x1F) << 7 | (first >> 5 & 0x1F) << 15)
