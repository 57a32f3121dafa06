# SPDX-License-Identifier: MIT
"""Clients that break the rules of the socket, and whatever may listen there instead of a module."""

import os
import random
import socket
import struct
import threading
import time
from pathlib import Path

import pytest
from firmware import NEWER
from second_console import (BEGUN, BIN, CANCEL, COMPLETE, END, EXECUTE, EXPLAIN, FLASHED, GREETING, GREETING_TEXT,
                            OUTPUT, PAYLOAD, STATUS, Attached, AttachedTerminal, FakeModule, Wire, frame, listening,
                            online, path, run_attached, wait_until_idle)
from terminal import CTRL_C, TAB
from virtual_module import wait_until
from web_server import slowly

STALL = 5  # seconds after which a client that does not read is given up


# ---- hostile clients ----


def works(path):
    with Wire(path) as wire:
        assert wire.execute("ota status nocheck") == (STATUS, 0)


def test_random_bytes(listening, path):
    seeded = random.Random(3)
    for _ in range(200):
        with Wire(path, greeted=False) as wire:
            try:
                wire.socket.sendall(seeded.randbytes(seeded.choice((1, 3, 17, 1000, 5000))))
            except (BrokenPipeError, ConnectionResetError):
                pass
    works(path)


def test_random_frames(listening, path):
    """Well-formed frames of any kind with any text: whatever is answered, the module goes on."""
    seeded = random.Random(4)
    words = [b"ota", b"status", b"nocheck", b"boot", b"flash", b"vfs", b"ls", b"/", b"/sd/", b'"', b"help", b"\xff\xfe",
             b"..", b"%s%n", b"\x1b[2J", b" "]
    for _ in range(300):
        with Wire(path) as wire:
            for _ in range(seeded.randint(1, 5)):
                kind = seeded.choice((EXECUTE, COMPLETE, EXPLAIN, CANCEL))
                text = b" ".join(seeded.choices(words, k=seeded.randint(0, 30)))
                if b"reset" not in text:
                    wire.send(frame(kind, text[:PAYLOAD]))
            wire.socket.shutdown(socket.SHUT_WR)
            while wire.receive():
                pass
    works(path)


@pytest.mark.parametrize("sent", [
    b"x\x01\x04", b"x\xff\xff" + b"y" * 3000, b"z\0\0", b"\0", b"\xff" * 9000, frame(EXECUTE, b"ota\0status"),
    frame(GREETING, GREETING_TEXT), frame(END, bytes(4)), frame(OUTPUT, b"x"),
], ids=["1025 bytes", "65535 bytes", "no kind", "NUL", "ones", "NUL in a line", "greeting", "end", "output"])
def test_broken_rules(listening, path, sent):
    with Wire(path) as wire:
        try:
            wire.send(sent)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert wire.farewell() == b"p"
    works(path)


def test_broken_rules_in_an_update(web, online, path):
    web.pages[BIN] = slowly(NEWER, pieces=20, pause=0.1)
    with Wire(path) as wire:
        wire.begin("ota flash http")
        wire.wait_for(BEGUN)
        wire.send(b"\xff" * 5000)
        assert wire.farewell() == b"p"
    wait_until_idle(path)
    with Wire(path) as other:
        assert other.execute("ota status nocheck") == (FLASHED, 0)


def test_half_frames(listening, path):
    whole = frame(EXECUTE, b"ota status nocheck")
    for length in range(len(whole)):
        with Wire(path) as wire:
            wire.send(whole[:length])
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.receive() is None
    works(path)


def test_byte_by_byte(listening, path):
    with Wire(path) as wire:
        for byte in frame(EXECUTE, b"ota status nocheck"):
            wire.send(bytes([byte]))
            time.sleep(0.005)
        assert wire.answer()[0].splitlines() == STATUS


def test_largest_frame(listening, path):
    with Wire(path) as wire:
        wire.send(frame(EXECUTE, b"x" * PAYLOAD), frame(COMPLETE, b"x" * PAYLOAD), frame(EXPLAIN, b"x" * PAYLOAD))
        output, _, result = wire.answer()
        assert result != 0 and output.startswith("Error: ")
        assert wire.answer()[1:] == ([], 0)
        wire.answer()
        assert wire.execute("ota status nocheck") == (STATUS, 0)


def test_many_requests_at_once(listening, path):
    """They wait for each other, also where they do not fit into the module's buffer."""
    with Wire(path) as wire:
        wire.send(*[frame(EXECUTE, b"ota status nocheck")] * 500)
        for _ in range(500):
            assert wire.answer()[0].splitlines() == STATUS


def resident_kib(session):
    status = Path(f"/proc/{session.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def flood(wire, seconds):
    """Sends requests and reads nothing, as long as they are taken. True: the module has hung up."""
    end = time.monotonic() + seconds
    wire.socket.settimeout(0.1)
    data = frame(EXECUTE, b"help") * 100
    while time.monotonic() < end:
        try:
            data = data[wire.socket.send(data):] or frame(EXECUTE, b"help") * 100
        except TimeoutError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            return True
    return False


def test_client_that_does_not_read(listening, path):
    works(path)
    before = resident_kib(listening)
    with Wire(path) as wire, Wire(path) as other:
        assert not flood(wire, STALL / 2)
        begin = time.monotonic()
        assert other.execute("ota status nocheck") == (STATUS, 0)
        assert time.monotonic() - begin < 1
        assert flood(wire, STALL * 2), "it is still there"
    assert resident_kib(listening) - before < 16 * 1024
    works(path)


def test_processor_time_while_nobody_does_anything(listening, path):
    def used():
        fields = Path(f"/proc/{listening.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with Wire(path) as wire, Wire(path) as half:
        half.send(b"x")
        wire.execute("ota status nocheck")
        before = used()
        time.sleep(1.5)
        assert used() - before < 0.3


def test_too_many_consoles(listening, tmp_path, path):
    wires = [Wire(path) for _ in range(4)]
    with Wire(path, greeted=False) as fifth:
        assert fifth.farewell() == b"f"
    attached = run_attached(tmp_path, path, "help", code=1)
    assert "as many consoles as it takes" in attached.errors
    for wire in wires:
        assert wire.execute("ota status nocheck") == (STATUS, 0)
        wire.close()
    wait_until(lambda: is_greeted(path), "free console")
    works(path)


def is_greeted(path):
    with Wire(path, greeted=False) as wire:
        return wire.receive()[0] == GREETING


def test_candidates(module, listening, path):
    for number in range(300):
        module.put(f"file-{number:03}", b"")
    with Wire(path) as wire:
        wire.send(frame(COMPLETE, b"ota boot "))
        assert wire.answer() == ("", ["factory", "ota_0", "ota_1"], 0)
        wire.send(frame(COMPLETE, b"vfs stat /sd/f"))
        output, candidates, result = wire.answer()
        assert (output, result) == ("", 0)
        assert candidates == [f"/sd/file-{number:03}" for number in range(256)]


# ---- what is no module ----


@pytest.fixture
def fake(path):
    module = FakeModule(path)
    yield module
    module.close()
    path.unlink()


GREETED = frame(GREETING, GREETING_TEXT)
STRANGER = "whoever listens there is no module of this version"


@pytest.mark.parametrize("sent", [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100, frame(GREETING, b"lifeboat console 2"), frame(END, bytes(4)),
    b"g\xff\xff", b"x\0\0", GREETED + b"o\x01\x04" + b"x" * 1025, GREETED + frame(END, b"xx"),
    GREETED + frame(EXECUTE, b"x"), GREETED + b"\xff", GREETED + frame(OUTPUT, b"a\0b"),
], ids=["HTTP", "NULs", "other version", "end", "long", "request", "long output",
        "short end", "order", "no kind", "NUL"])
def test_strangers(fake, tmp_path, path, sent):
    attached = Attached(tmp_path, path)
    client = fake.accept(sent)
    attached.send("help")
    attached.wait(1)
    assert STRANGER in attached.errors, attached.errors
    client.close()


@pytest.mark.parametrize("sent", [b"", GREETED[:5], GREETED, GREETED + frame(OUTPUT, b"x"), GREETED + b"o\x10\0x"])
def test_module_that_hangs_up(fake, tmp_path, path, sent):
    attached = Attached(tmp_path, path)
    client = fake.accept(sent)
    if sent.startswith(GREETED):
        attached.send("help")
        client.recv(7)
    client.close()
    attached.wait(1)
    assert "the module has hung up" in attached.errors


def test_random_module(fake, tmp_path, path):
    seeded = random.Random(5)
    for _ in range(30):
        attached = Attached(tmp_path, path)
        client = fake.accept(GREETED, seeded.randbytes(seeded.choice((1, 4, 2000, 20000))))
        try:
            attached.send("help")
        except BrokenPipeError:
            pass
        time.sleep(0.02)
        client.close()
        attached.wait(1)


CANDIDATE_CASES = [
    ([b"o", b"", b"xyz"], "ota", "ota"),  # shorter than what was typed, empty, something else
    ([b"ota\x1b[2J"], "ota", "ota"),
    ([b"x" * 1024], "x", "x"),
    ([b"/sd/my firmware.bin"], "vfs stat /sd/my", 'vfs stat "/sd/my firmware.bin" '),
    ([b"/sd/my firmware.bin"], 'vfs stat "/sd/my f', 'vfs stat "/sd/my firmware.bin" '),
    ([b"/sd/my folder/"], "vfs stat /sd/m", 'vfs stat "/sd/my folder/'),
    ([b"/sd/my a", b"/sd/my b"], "vfs stat /sd/m", 'vfs stat "/sd/my '),
    (["/sd/größe.bin".encode()], "vfs stat /sd/grö", "vfs stat /sd/größe.bin "),
    (["/sd/größe 2.bin".encode()], "vfs stat /sd/grö", 'vfs stat "/sd/größe 2.bin" '),
]


@pytest.mark.parametrize("candidates, typed, completed", CANDIDATE_CASES)
def test_candidates_of_a_stranger(fake, tmp_path, path, candidates, typed, completed):
    def serve():
        client = fake.accept(GREETED)
        received = b""
        while True:
            piece = client.recv(4096)
            if not piece:
                return
            received += piece
            while len(received) >= 3 and len(received) >= 3 + struct.unpack("<H", received[1:3])[0]:
                size = 3 + struct.unpack("<H", received[1:3])[0]
                words = candidates if received[:1] == COMPLETE else []
                client.sendall(b"".join(frame(b"w", word) for word in words) + frame(END, bytes(4)))
                received = received[size:]

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    with AttachedTerminal(tmp_path, path) as terminal:
        terminal.keys(typed, TAB, "!", line=completed + "!")
        terminal.keys(CTRL_C)
        terminal.settle()
    server.join(10)
