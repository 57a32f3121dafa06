# SPDX-License-Identifier: MIT
"""lifeboat flash map: the drawing on a terminal and in a pipe, and the picture."""

import hashlib
import os
import re
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pexpect
import pytest
from firmware import FACTORY, NEWER, NEWER_VERSION, OLDER, OLDER_VERSION
from flash_layout import MB, OTADATA, OVMS, SEVEN_MB, TABLE, TABLE_COPY, area, change, record, stage
from image_builder import build_image

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
SVG = "{http://www.w3.org/2000/svg}"
ROW = re.compile(r"^ (0x[0-9a-f]{8}) ([ ~])\|(.*)\|(?: (.*))?$|^ {13}\|( *)\| (.*)$")
OTA_0, OTA_1 = area("ota_0").start, area("ota_1").start
PLAIN = {name: value for name, value in os.environ.items()
         if name not in ("NO_COLOR", "TERM", "LANG", "LC_ALL", "LC_CTYPE", "COLUMNS")}


def run(*words, code=0, **environment):
    done = subprocess.run([BINARY, "flash", "map", *map(str, words)], capture_output=True, timeout=60,
                          env={**PLAIN, **environment})
    assert done.returncode == code, done.stdout + done.stderr
    return done


def draw(path, *options, code=0):
    return run(path, *options, code=code).stdout.decode("ascii")


def regions(text):
    """{name: (address, size, cells, notes)} of a drawing; several gaps have the same name and are counted."""
    found, current = {}, None
    for line in text.splitlines():
        match = ROW.match(line)
        if not match:
            assert "|" not in line
            continue
        address, _, cells, words, _, more = match.groups()
        head = re.match(r"(\S+(?: copy)?) +([0-9.]+ (?:MB|KB|bytes))(?:  (.*))?$", words or "")
        if head:
            name = head[1] if head[1] not in found else f"{head[1]} {len(found)}"
            found[name] = current = [int(address, 16), head[2], "", head[3] or ""]
        elif words or more:
            current[3] += f" {words or more}"
        current[2] += (cells or "").strip(" ")
    return {name: (address, size, cells, notes.strip()) for name, (address, size, cells, notes) in found.items()}


@pytest.fixture
def flash(make_module):
    """flash(factory=IMAGE, ...): a flash file of the test's own."""
    return lambda *layout, **slots: make_module(*layout, **slots).flash


def test_fresh_module(flash):
    path = flash(factory=FACTORY)
    before = path.read_bytes()
    text = draw(path)
    assert text.splitlines()[0] == f"Flash: {path}, 16 MB; a row is 1 MB, a cell 32 KB"
    assert text.splitlines()[1] == "Boots: factory, by default, since nothing is selected"
    found = regions(text)
    assert list(found) == ["unused", "bootloader", "table copy", "table", "nvs", "otadata", "phy_init", "factory",
                           "ota_0", "ota_1", "store", "unused 11"]
    assert found["factory"] == (0x10000, "4 MB", "###" + "." * 125, "BOOTS 3.1.001 good, 72 KB used (1 %)")
    assert found["ota_1"] == (0x810000, "4 MB", "." * 128, "blank")
    assert found["table"] == (0x8000, "4 KB", "#", "good") and found["table copy"][3] == "good"
    assert found["otadata"] == (0xD000, "8 KB", ".", "blank")
    assert found["unused 11"][:3] == (0xD10000, "2.94 MB", "." * 94)
    assert path.read_bytes() == before


def test_after_an_update(flash):
    path = flash(factory=FACTORY, ota_0=NEWER)
    change(path, (OTADATA, record(1)))
    text = draw(path)
    found = regions(text)
    assert found["ota_0"][3] == f"BOOTS {NEWER_VERSION} good, 72 KB used (1 %)"
    assert "BOOTS" not in found["factory"][3] and found["otadata"][2:] == ("+", "selects ota_0")
    assert "Boots: ota_0, selected by otadata" in text.splitlines()


def test_damaged_slot(flash):
    path = flash(factory=FACTORY, ota_0=NEWER)
    change(path, (OTADATA, record(1)), (OTA_0 + 40000, b"\x55\xaa\x55"))
    text = draw(path)
    found = regions(text)
    assert found["ota_0"][3].startswith(f"SELECTED {NEWER_VERSION} bad: ")
    assert found["ota_0"][2] == "XXX" + "." * 125
    assert found["factory"][3].startswith("BOOTS ")
    assert "Boots: factory, in place of ota_0, which is selected: " in text


def test_interrupted_update(flash):
    path = flash(factory=FACTORY)
    data = b"\x5a" * (300 * 1024)
    change(path, (OTA_1, b"\xff" * 24 + data[24:]), (OTA_1 + 0x60000, b"old"))
    found = regions(draw(path))["ota_1"]
    assert found[2] == "%" * 10 + ".." + "+" + "." * 115
    assert found[3] == "no image, an update was interrupted at most 300 KB written (7 %) behind it 4 KB of older data"
    change(path, (OTA_1, b"\xff" * len(data)))
    found = regions(draw(path))["ota_1"]
    assert found[2] == "." * 12 + "+" + "." * 115
    assert found[3] == "no image, an update was interrupted nothing written yet behind it 4 KB of older data"


def test_patch_that_waits(flash):
    path = flash(factory=FACTORY, ota_0=OLDER)
    source = "http://depot.example/ovms3.bin.9af3c2d1a0b1c2d3.patch"
    stage(path, area("ota_0"), b"\x5a" * 5000, 9000, source)
    found = regions(draw(path))["ota_0"]
    assert "patch waiting, 4096 of 9000 bytes: http://" in found[3]
    assert found[3].replace(" ", "").endswith(source)  # a long one takes more than a line
    status = subprocess.run([BINARY, "flash", "status", path], capture_output=True, text=True, timeout=60, check=True).stdout
    assert f", good\n                   patch waiting, 4096 of 9000 bytes: {source}\n" in status
    change(path, (OTA_1, b"\xff" * 24 + b"\x5a" * (300 * 1024 - 24)))
    stage(path, area("ota_1"), b"\x5a" * 9000, 9000, "http://depot.example/\x1b[2J" + 400 * "x", whole=True)
    found = regions(draw(path))["ota_1"]
    words = "no image, an update was interrupted at most 300 KB written (7 %) patch waiting, 9000 of 9000 bytes: "
    assert found[3].startswith(words + "http://depot.example/?[2Jxxx")
    assert len(found[3].replace(" ", "")) == len(words.replace(" ", "")) + 96
    change(path, (area("ota_1").end - 2 * 4096, bytes(32)))
    assert "behind it 16 KB of older data" in regions(draw(path))["ota_1"][3]


def test_older_data_behind_an_image_is_shown(flash):
    path = flash(factory=FACTORY, ota_0=OLDER)
    change(path, (OTA_0 + 2 * MB, b"left"))
    found = regions(draw(path))["ota_0"]
    assert found[2] == "###" + "." * 61 + "+" + "." * 63 and OLDER_VERSION in found[3]


def test_layout_without_factory(flash):
    path = flash(SEVEN_MB, ota_0=OLDER, ota_1=NEWER)
    change(path, (OTADATA, record(2)))
    found = regions(draw(path))
    assert "factory" not in found and found["ota_0"][1] == "7 MB" and len(found["ota_0"][2]) == 7 * 32
    assert found["ota_1"][3].startswith("BOOTS ") and found["store"][1] == "1.94 MB"


def small_flash(tmp_path):
    """4 MB with slots of 1.5 MB, a bootloader, a table without MD5 and a label of 16 wide letters."""
    rows = [(1, 2, 0x9000, 0x4000, b"nvs"), (1, 0, 0xD000, 0x2000, b"otadata"), (1, 1, 0xF000, 0x1000, b"phy_init"),
            (0, 0x10, 0x10000, 0x180000, b"ota_0"), (0, 0x11, 0x190000, 0x180000, b"ota_1"),
            (1, 0x82, 0x310000, 0xE0000, b"W" * 16)]
    table = b"".join(struct.pack("<HBBII16sI", 0x50AA, *row, 0) for row in rows)
    body = struct.pack("<BBBBIB3sHBHH4sB", 0xE9, 1, 2, 0x20, 0x40080000, 0xEE, b"", 0, 0, 0, 0xFFFF, b"", 1)
    body += struct.pack("<II", 0x40080000, 20000) + bytes(20000)
    body += bytes(15 - len(body) % 16) + b"\xef"
    boot = body + hashlib.sha256(body).digest()
    path = tmp_path / "small.bin"
    data = bytearray(b"\xff" * (4 * MB))
    for start, content in ((0x1000, boot), (TABLE, table),
                           (0x10000, build_image("9.9.9-a-version-of-31-characters", size=0x100000))):
        data[start:start + len(content)] = content
    path.write_bytes(data)
    return path


def test_small_flash(tmp_path):
    text = draw(small_flash(tmp_path))
    found = regions(text)
    assert "4 MB; a row is 256 KB, a cell 8 KB" in text
    assert found["bootloader"] == (0x1000, "28 KB", "###.", "good, 20080 bytes")
    assert found["table"][3] == "good, no MD5" and found["nvs"][2] == ".."
    assert found["ota_0"][2] == "#" * 128 + "." * 64
    assert found["W" * 16][1] == "896 KB" and found["unused 9"][:2] == (0x3F0000, "64 KB")


def test_garbage_table(flash):
    path = flash(factory=FACTORY, ota_0=NEWER)
    change(path, (TABLE, b"\x12\x34" * 100))
    found = regions(draw(path))
    assert found["table"][3].startswith("bad: ") and found["table copy"][3] == "good, used in place of the table"
    change(path, (TABLE_COPY, b"\x12\x34" * 100))
    done = run(path, code=3)
    assert done.stderr.startswith(b"Error: ")
    found = regions(done.stdout.decode())
    assert list(found) == ["unknown", "bootloader", "table", "unknown 3"]
    assert found["unknown 3"][3] == "144 KB of data" and found["unknown 3"][2].startswith("++++.")
    assert "Boots: nothing; " in done.stdout.decode()


def test_nothing_boots(flash):
    path = flash(factory=FACTORY)
    change(path, (area("factory").start, b"\0"))
    assert b"SELECTED" in run(path, code=3).stdout


def test_all_is_drawn_and_to_scale(flash):
    """Whatever the width: addresses follow each other without a gap, and cells are as many as the sizes ask for."""
    path = flash(factory=FACTORY)
    for width, cells in ((60, 16), (80, 32), (120, 64), (300, 128)):
        text = draw(path, "--width", width)
        assert max(map(len, text.splitlines()[2:])) <= width
        rows = [ROW.match(line) for line in text.splitlines()]
        addresses = [int(row[1], 16) for row in rows if row and row[1]]
        assert addresses == sorted(addresses) and addresses[0] == 0
        cell = MB // cells
        for area_ in OVMS[3:]:
            drawn = next(cells_ for address, _, cells_, _ in regions(text).values() if address == area_.start)
            assert len(drawn) == -(-area_.size // cell)
        small = [row for row in rows if row and row[2] == "~"]
        assert {int(row[1], 16) for row in small} == {0, 0x1000, *(a.start for a in OVMS if a.size < cell)} - (
            {0x1000} if cell <= 0x6000 else set())


def test_pipe_is_plain_whatever_the_environment(flash):
    path = flash(factory=FACTORY, ota_0=NEWER)
    plain = draw(path)
    for environment in ({"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}, {"COLUMNS": "200"}, {"NO_COLOR": "1"}):
        assert run(path, **environment).stdout.decode("ascii") == plain
    assert not any(line.endswith(" ") for line in plain.splitlines())


def on_terminal(path, columns, *options, **environment):
    child = pexpect.spawn(str(BINARY), ["flash", "map", str(path), *options], dimensions=(24, columns), timeout=60,
                          encoding="utf-8", env={**PLAIN, "LC_ALL": "C.UTF-8", "TERM": "xterm", **environment})
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    return child.before.replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120, 40])
def test_terminal(flash, columns):
    path = flash(factory=FACTORY, ota_0=NEWER)
    change(path, (OTADATA, record(1)))
    coloured = on_terminal(path, columns)
    assert "\x1b[32m█\x1b[0m" in coloured
    text = on_terminal(path, columns, NO_COLOR="1")
    assert text == re.sub(r"\x1b\[[0-9;]*m", "", coloured) and "\x1b" not in text
    ascii_text = on_terminal(path, columns, LC_ALL="C", TERM="dumb")
    assert ascii_text.isascii()
    translated = text.translate(str.maketrans("·▒█╳▞│┌┐├┤└┘─", ".+#X%|++++++-"))
    assert translated == ascii_text == draw(path, "--width", str(max(columns, 60)))


def test_labels_cannot_steer_the_terminal(flash):
    path = flash(factory=FACTORY)
    table = bytearray(path.read_bytes()[TABLE:TABLE + 7 * 32])
    table[6 * 32 + 12:6 * 32 + 28] = b"\x1b[2J<&>\xc3\xb6".ljust(16, b"\0")
    change(path, (TABLE, table + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()))
    assert "?[2J<&>??" in draw(path)
    assert "?[2J<&>??" in [text for _, _, text in svg_texts(picture(path))]


# ---- the picture ----


def picture(path, code=0):
    out = path.parent / "map.svg"
    out.unlink(missing_ok=True)
    done = run(path, "--svg", out, code=code)
    assert done.stdout == b""
    return ElementTree.parse(out).getroot()


def svg_texts(root):
    """(x, y, words) of each line; a name beside its size is a line of its own."""
    found = []
    for text in root.iter(f"{SVG}text"):
        for part in [text, *text.iter(f"{SVG}tspan")]:
            if part.text:
                found.append((float(text.get("x")), float(text.get("y")), part.text))
    return found


def frames(root):
    """The outline of each region: (y, height, is it to scale)."""
    return [(int(r.get("y")), int(r.get("height")), r.get("stroke-dasharray") is None)
            for r in root.iter(f"{SVG}rect") if r.get("stroke-width") == "1"]


@pytest.mark.parametrize("kind", ["fresh", "damaged", "interrupted", "seven", "small", "garbage"])
def test_picture(flash, tmp_path, kind):
    path = small_flash(tmp_path) if kind == "small" else flash(SEVEN_MB, ota_0=OLDER) if kind == "seven" else \
        flash(factory=FACTORY, ota_0=NEWER)
    if kind == "damaged":
        change(path, (OTADATA, record(1)), (OTA_0 + 40000, b"\x55\xaa\x55"))
    elif kind == "interrupted":
        change(path, (OTA_1, b"\xff" * 24 + bytes(MB)), (OTA_1 + 2 * MB, bytes(MB)))
    elif kind == "garbage":
        change(path, (TABLE, bytes(32)), (TABLE_COPY, bytes(32)))
    root = picture(path, code=3 if kind == "garbage" else 0)
    width, height = int(root.get("width")), int(root.get("height"))
    assert width == 800 and root.get("viewBox") == f"0 0 800 {height}"
    outlines = frames(root)
    for (y, high, _), (following, _, _) in zip(outlines, outlines[1:]):
        assert y + high == following
    shown = regions(draw(path, code=3 if kind == "garbage" else 0))
    assert len(outlines) == len(shown)
    # to scale: as many units for each byte as for any other that is
    scale = {high / float(size.split()[0]) for (_, high, exact), (_, size, _, _) in zip(outlines, shown.values())
             if exact and size.endswith(" MB")}
    assert max(scale) - min(scale) < 1.5
    by_column = {}
    for x, y, words in svg_texts(root):
        assert 0 < x < width and 0 < y < height
        assert x + len(words) * 6 < width + 12 or x == 736, words
        by_column.setdefault(x, set()).add(y)
    for x, lines in by_column.items():
        lines = sorted(lines)
        assert all(b - a >= 16 for a, b in zip(lines, lines[1:])), (x, lines)
    words = [text for _, _, text in svg_texts(root)]
    assert {"good", "bad", "blank", "other data", "interrupted update"} <= set(words)
    assert [text for text in words if text.startswith("0x")] == [f"0x{address:08x}" for address, *_ in shown.values()]
    assert ("BOOTS" in words) == (kind != "garbage") and ("SELECTED" in words) == (kind == "damaged")


def test_picture_shows_what_is_filled(flash):
    path = flash(factory=FACTORY)
    change(path, (OTA_1, b"\xff" * 24 + b"\x5a" * (2 * MB - 24)))
    root = picture(path)
    outline = frames(root)[9]
    filled = [(int(r.get("y")), int(r.get("height"))) for r in root.iter(f"{SVG}rect")
              if r.get("fill") == "url(#interrupted)" and r.get("width") == "220"]
    assert filled == [(outline[0], outline[1] // 2)]


def test_picture_names_are_escaped(flash):
    path = flash(factory=FACTORY)
    odd = path.rename(path.parent / "a<b>&'\"c.bin")
    root = picture(odd)
    assert "a<b>&'\"c.bin, 16 MB" in [text for _, _, text in svg_texts(root)]
    odd.unlink()


def test_picture_is_written_whole_or_not_at_all(flash):
    path = flash(factory=FACTORY)
    done = run(path, "--svg", path.parent / "no" / "folder.svg", code=1)
    assert done.stderr.startswith(b"Error: cannot write ")
    picture(path)
    first = (path.parent / "map.svg").read_bytes()
    run(path, "--svg", path.parent / "map.svg")
    assert (path.parent / "map.svg").read_bytes() == first


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--width", "59"], ["a", "--width", "301"],
                                   ["a", "--width", "wide"], ["a", "--chip", "esp99"], ["a", "--svg"]])
def test_wrong_use(words):
    assert run(*words, code=2).stdout == b""


def test_what_is_no_flash(tmp_path):
    assert b"does not exist" in run(tmp_path / "missing", code=1).stderr
    (tmp_path / "short.bin").write_bytes(bytes(1000))
    assert b"wrong size" in run(tmp_path / "short.bin", code=1).stderr
