# SPDX-License-Identifier: MIT
"""lifeboat flash boot, write, read, copy, erase: changes to dumps, to the byte, also when the tool is killed."""

import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass

import pexpect
import pytest
from depot_server import LIFEBOAT, lifeboat
from esp_idf_defs.otadata import OtaDataSelectEntry
from firmware import FACTORY, NEWER, OLDER, SIZE
from flash_layout import MB, OTADATA, OVMS, SEVEN_MB, TABLE, TABLE_COPY, area, change, flip, record
from image_builder import build_image, seal
from test_tool_table import OVMS_CSV, SEVEN_CSV
from virtual_module import ENVIRONMENT, VirtualModule

KILLS = 14
LONG = build_image("9.0.0", size=3 * MB)
LAYOUTS = {"ovms": OVMS, "7m": SEVEN_MB}


def run(*words, code=0):
    done = lifeboat("flash", *words, env=ENVIRONMENT)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def refused(*words, code=1):
    """The error lines of a command that has to be refused, and to say nothing else."""
    done = run(*words, code=code)
    assert done.stdout == "" and done.stderr.startswith("Error: ")
    return done.stderr.splitlines()


def status(path):
    return json.loads(run("status", path, "--json").stdout)


def boots(path):
    return status(path)["boot"]["partition"]


class Dump:
    """A dump and what its bytes were."""

    def __init__(self, path, layout=OVMS):
        self.path = path
        self.layout = layout
        self.before = path.read_bytes()

    def changed(self):
        """Names of the areas that differ from what they were; looks at every byte."""
        now = self.path.read_bytes()
        assert len(now) == len(self.before)
        return {area.name for area in self.layout if self.before[area.start:area.end] != now[area.start:area.end]}

    def unchanged(self):
        return self.path.read_bytes() == self.before


@pytest.fixture
def make_dump(tmp_path, flash_files):
    copies = []

    def make(layout=OVMS, selected=None, **slots):
        copies.append(tmp_path / f"dump-{len(copies)}.bin")
        shutil.copyfile(flash_files(layout, **slots), copies[-1])
        if selected is not None:
            change(copies[-1], (OTADATA, record(selected + 1)))
        return Dump(copies[-1], layout)

    yield make
    for copy in copies:
        copy.unlink(missing_ok=True)


@pytest.fixture
def dump(make_dump):
    """factory boots, ota_0 and ota_1 hold other good images, neither is selected."""
    return make_dump(factory=FACTORY, ota_0=OLDER, ota_1=NEWER)


@pytest.fixture
def image(tmp_path):
    """image(BYTES): a file with them."""

    def put(content, name="image.bin"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return put


def slot_bytes(path, name, length, layout=OVMS):
    place = area(name, layout)
    with open(path, "rb") as file:
        file.seek(place.start)
        return file.read(length)


# ---- boot ----


def test_boot_selects_as_the_module_does(dump):
    done = run("boot", dump.path, "ota_1")
    assert (done.stdout, done.stderr) == ("Boot from ota_1 at 0x00810000 (size 0x00400000)\n", "")
    assert dump.changed() == {"otadata"} and boots(dump.path) == "ota_1"
    assert run("boot", dump.path, "ota_0").stdout == "Boot from ota_0 at 0x00410000 (size 0x00400000)\n"
    data = dump.path.read_bytes()
    records = [OtaDataSelectEntry.from_bytes(data[at:at + 32]) for at in (OTADATA, OTADATA + 0x1000)]
    assert [found.seq for found in records] == [2, 3]
    assert OtaDataSelectEntry.select(*records)[0].seq == 3
    before = dump.path.read_bytes()
    run("boot", dump.path, "ota_0")
    assert dump.path.read_bytes() == before  # selected already
    assert run("boot", dump.path, "factory").stdout == "Boot from factory at 0x00010000 (size 0x00400000)\n"
    assert dump.unchanged()


def test_boot_for_programs(dump):
    done = run("boot", dump.path, "ota_1", "--json")
    assert json.loads(done.stdout) == {
        "event": "done", "command": "boot", "file": str(dump.path),
        "slot": {"label": "ota_1", "offset": 0x810000, "size": 0x400000}, "boots": "ota_1", "version": "3.1.003"}
    assert done.stdout.count("\n") == 1


def test_boot_refuses_what_does_not_boot(make_dump):
    dump = make_dump(factory=FACTORY, ota_0=OLDER)
    flip(dump.path, area("ota_0").start + 20000)
    dump = Dump(dump.path)
    lines = refused("boot", dump.path, "ota_0")
    assert lines == ["Error: ota_0 cannot be booted: the checksum of the image is wrong - flash it first, or choose "
                     "another (ESP_ERR_OTA_VALIDATE_FAILED, 5379)"]
    assert refused("boot", dump.path, "ota_1")[0].startswith("Error: ota_1 cannot be booted: this does not begin")
    for slot in ("ota_2", "nvs", "store", "", "OTA_0", "ota_0 "):
        assert refused("boot", dump.path, slot) == ["Error: OTA partition not found",
                                                    f"  {dump.path} has the slots factory ota_0 ota_1"]
    assert dump.unchanged()


def test_boot_without_a_factory(make_dump):
    dump = make_dump(SEVEN_MB, ota_0=OLDER, ota_1=NEWER)
    assert run("boot", dump.path, "ota_1").stdout == "Boot from ota_1 at 0x00710000 (size 0x00700000)\n"
    assert refused("boot", dump.path, "factory") == ["Error: OTA partition not found",
                                                     f"  {dump.path} has the slots ota_0 ota_1"]
    assert dump.changed() == {"otadata"} and boots(dump.path) == "ota_1"


# ---- write ----


def test_write_leaves_the_selection_alone(dump, image):
    new = build_image("4.0.0", size=200000 // 16 * 16)
    done = run("write", dump.path, "ota_0", image(new))
    assert done.stdout.splitlines() == [f"ota_0: version 4.0.0, {len(new)} bytes, from {image(new)}",
                                        "  Next boot will be from 'factory'"]
    assert done.stderr == ""
    assert dump.changed() == {"ota_0"}
    assert slot_bytes(dump.path, "ota_0", len(new)) == new
    found = next(slot for slot in status(dump.path)["slots"] if slot["label"] == "ota_0")
    assert found["good"] and found["version"] == "4.0.0"


def test_write_and_select(dump, image):
    lines = run("write", dump.path, "ota_1", image(LONG), "--select", "--json").stdout.splitlines()
    told = [json.loads(line) for line in lines]
    assert [entry["event"] for entry in told] == ["progress"] * (len(told) - 1) + ["done"]
    percents = [entry["percent"] for entry in told[:-1]]
    assert percents[0] == 0 and percents[-1] == 100 and percents == sorted(set(percents)) and len(percents) > 10
    assert all((entry["percent"] == 100) == (entry["done"] == entry["total"]) for entry in told[:-1])
    assert told[-1]["boots"] == "ota_1" and told[-1]["length"] == len(LONG) and told[-1]["version"] == "9.0.0"
    assert dump.changed() == {"otadata", "ota_1"} and boots(dump.path) == "ota_1"


def test_write_keeps_equal_sectors(make_dump, image):
    dump = make_dump(factory=FACTORY, ota_0=LONG)
    done = json.loads(run("write", dump.path, "ota_0", image(LONG), "--json").stdout.splitlines()[-1])
    assert done["bytes_erased"] == 65536 and done["sectors_kept"] == (len(LONG) - 65536) // 4096
    assert dump.unchanged()


def test_slot_that_boots_is_not_written(make_dump, image):
    dump = make_dump(factory=FACTORY, ota_0=OLDER, selected=0)
    lines = refused("write", dump.path, "ota_0", image(NEWER), "--select")
    assert lines[0] == "Error: Cannot flash to running image partition" and "lifeboat flash boot" in lines[1]
    assert refused("copy", dump.path, "factory", "ota_0")[0] == "Error: Cannot copy to boot partition"
    assert refused("erase", dump.path, "ota_0")[0] == "Error: Cannot erase boot partition"
    assert dump.unchanged()
    run("boot", dump.path, "factory")
    run("write", dump.path, "ota_0", image(NEWER), "--select")
    assert boots(dump.path) == "ota_0" and slot_bytes(dump.path, "ota_0", SIZE) == NEWER


def test_selected_slot_with_a_bad_image_is_written_and_left_unselected(make_dump, image):
    dump = make_dump(factory=FACTORY, ota_0=OLDER, selected=0)
    flip(dump.path, area("ota_0").start + 30000)
    assert boots(dump.path) == "factory"
    done = run("write", dump.path, "ota_0", image(NEWER))
    assert done.stdout.splitlines()[1] == "  Next boot will be from 'factory'"
    found = status(dump.path)
    assert found["boot"]["selected"] == "factory" and found["slots"][1]["good"]
    assert dump.changed() == {"otadata", "ota_0"}


def test_dump_on_which_nothing_boots_can_be_mended(make_dump, image):
    for layout, slots in ((OVMS, {"factory": FACTORY}), (SEVEN_MB, {"ota_0": FACTORY})):
        dump = make_dump(layout, **slots)
        flip(dump.path, area(next(iter(slots)), layout).start + 20000)
        for slot in ("ota_0", "ota_1"):
            run("write", dump.path, slot, image(NEWER))
            assert boots(dump.path) == "ota_0"


def test_bad_images_touch_nothing(dump, image, tmp_path):
    chip = build_image("5.0", chip="esp32c3")
    cases = [(b"", "file is empty"), (b"<html>", "web page"), (NEWER[:-1], "cut off"), (chip, "another chip"),
             (NEWER[:40000] + b"\0" + NEWER[40001:], "checksum"), (b"\xff" * 4096, "erased flash"),
             (build_image("5.0", project="kettle"), "another project"), (NEWER + b"x", "other data follows"),
             (build_image("5.0", size=4 * MB + 16),
              "image is 4194320 bytes, partition ota_0 holds 4194304 (ESP_ERR_INVALID_SIZE, 260)")]
    for content, words in cases:
        lines = refused("write", dump.path, "ota_0", image(content))
        assert len(lines) == 1 and words in lines[0], lines
    assert "No such file" in refused("write", dump.path, "ota_0", tmp_path / "missing")[0]
    assert "directory" in refused("write", dump.path, "ota_0", tmp_path)[0]
    assert refused("write", dump.path, "ota_2", image(NEWER))[0] == "Error: OTA partition not found"
    assert dump.unchanged()
    run("write", dump.path, "ota_0", image(build_image("5.0", project="kettle")), "--any-project")
    assert dump.changed() == {"ota_0"}


def test_image_may_fill_its_slot(dump, image):
    full = build_image("6.0", size=4 * MB)
    run("write", dump.path, "ota_1", image(full + b"\xff" * 4096), "--select")
    assert slot_bytes(dump.path, "ota_1", len(full)) == full and dump.changed() == {"otadata", "ota_1"}


# ---- factory ----


def test_factory_is_written_only_in_production(dump, image):
    lines = refused("write", dump.path, "factory", image(NEWER))
    assert len(lines) == 1 and "--production" in lines[0]
    assert refused("copy", dump.path, "ota_0", "factory")[0].startswith("Error: factory: that partition is no OTA slot")
    assert refused("erase", dump.path, "factory")[0].startswith("Error: factory: that partition is no OTA slot")
    assert dump.unchanged()
    for bad, words in ((NEWER[:-1], "cut off"), (seal(b"\xe9\0" + NEWER[2:]), "segments")):
        assert words in refused("write", dump.path, "factory", image(bad), "--production")[0]
    assert dump.unchanged()
    run("write", dump.path, "factory", image(LONG), "--production")
    assert dump.changed() == {"factory"} and slot_bytes(dump.path, "factory", len(LONG)) == LONG
    assert boots(dump.path) == "factory"


def test_production_completes_the_copy_of_the_table(dump, image):
    for content, expected in ((b"\xff" * 4096, True), (b"\xff" * 4095 + b"\0", False), (b"\x36" * 4096, False)):
        change(dump.path, (TABLE_COPY, content))
        run("write", dump.path, "factory", image(FACTORY), "--production")
        data = dump.path.read_bytes()
        assert data[TABLE_COPY:TABLE] == (data[TABLE:TABLE + 0x1000] if expected else content)


def test_production_may_select_factory(make_dump, image):
    dump = make_dump(factory=FACTORY, ota_0=OLDER, selected=0)
    run("write", dump.path, "factory", image(NEWER), "--production")
    assert boots(dump.path) == "ota_0"
    run("write", dump.path, "factory", image(NEWER), "--production", "--select")
    assert boots(dump.path) == "factory" and dump.changed() == {"factory", "otadata"}


# ---- read ----


@pytest.mark.parametrize("name", LAYOUTS)
def test_read_gives_what_esptool_knows(make_dump, tmp_path, name):
    layout = LAYOUTS[name]
    slots = {"factory": FACTORY} if layout is OVMS else {}
    dump = make_dump(layout, **slots, ota_0=OLDER, ota_1=NEWER)
    out = tmp_path / "out.bin"
    done = run("read", dump.path, "ota_1", out)
    assert done.stdout == f"{out}: version 3.1.003, {SIZE} bytes of ota_1\n"
    assert out.read_bytes() == NEWER
    shown = subprocess.run([sys.executable, "-m", "esptool", "image-info", out], capture_output=True, text=True,
                           timeout=60)
    assert shown.returncode == 0 and "App version: 3.1.003" in shown.stdout
    assert "(valid)" in shown.stdout and hashlib.sha256(NEWER[:-32]).hexdigest() in shown.stdout
    assert dump.unchanged()


def test_read_whole_partitions(dump, tmp_path):
    data = dump.path.read_bytes()
    for label in ("nvs", "otadata", "ota_0", "store"):
        place = area(label)
        out = tmp_path / f"{label}.bin"
        told = json.loads(run("read", dump.path, label, out, "--whole", "--json").stdout)
        assert told["whole"] and told["length"] == place.size and told["version"] is None
        assert out.read_bytes() == data[place.start:place.end]
    assert dump.unchanged()


def test_read_refuses(dump, tmp_path):
    out = tmp_path / "out.bin"
    flip(dump.path, area("ota_0").start + 20000)
    assert "--whole" in refused("read", dump.path, "ota_0", out)[0]
    assert "--whole" in refused("read", dump.path, "nvs", out)[0]
    assert refused("read", dump.path, "ota_7", out)[0] == "Error: OTA partition not found"
    assert not out.exists()
    out.write_bytes(b"precious")
    assert "--force" in refused("read", dump.path, "factory", out)[0]
    assert out.read_bytes() == b"precious"
    for same in (dump.path, tmp_path / "link"):
        if same != dump.path:
            os.link(dump.path, same)
        assert "is the flash that is read" in refused("read", dump.path, "factory", same, "--force")[0]
    assert "No such file" in refused("read", dump.path, "factory", tmp_path / "no" / "out.bin")[0]
    run("read", dump.path, "factory", out, "--force")
    assert out.read_bytes() == FACTORY
    assert sorted(path.name for path in tmp_path.iterdir()) == [dump.path.name, "link", "out.bin"]


def test_read_needs_no_right_to_write(dump, tmp_path):
    dump.path.chmod(0o444)
    run("read", dump.path, "factory", tmp_path / "out.bin")
    assert (tmp_path / "out.bin").read_bytes() == FACTORY


# ---- copy and erase ----


def test_copy(dump):
    done = run("copy", dump.path, "factory", "ota_1")
    assert done.stdout.splitlines() == [f"ota_1: version 3.1.001, {SIZE} bytes, from factory",
                                        "  Next boot will be from 'factory'"]
    assert dump.changed() == {"ota_1"} and slot_bytes(dump.path, "ota_1", SIZE) == FACTORY
    run("copy", dump.path, "ota_1", "ota_0", "--select")
    assert dump.changed() == {"ota_0", "ota_1", "otadata"} and boots(dump.path) == "ota_0"
    assert slot_bytes(dump.path, "ota_0", SIZE) == FACTORY


def test_copy_refuses(make_dump, tmp_path):
    dump = make_dump(factory=FACTORY, ota_0=OLDER)
    flip(dump.path, area("ota_0").start + 20000)
    dump = Dump(dump.path)
    assert "ota_0: the checksum of the image is wrong" in refused("copy", dump.path, "ota_0", "ota_1")[0]
    assert "itself" in refused("copy", dump.path, "ota_0", "ota_0")[0]
    assert refused("copy", dump.path, "nvs", "ota_0")[0] == "Error: OTA partition not found"
    assert refused("copy", dump.path, "factory", "store")[0] == "Error: OTA partition not found"
    assert "does not begin" in refused("copy", dump.path, "ota_1", "ota_0")[0]
    assert dump.unchanged()


def test_copy_to_a_smaller_slot(tmp_path):
    path = tmp_path / "dump.bin"
    table = tmp_path / "table.csv"
    table.write_text("nvs,data,nvs,,16K\notadata,data,ota,,8K\nfactory,app,factory,,256K\nota_0,app,ota_0,,64K\n")
    binary = tmp_path / "table.bin"
    run("table", "--from-csv", table, binary, "--flash-size", "4MB")
    data = bytearray(b"\xff" * (4 * MB))
    data[TABLE:TABLE + 0xC00] = binary.read_bytes()
    data[0x10000:0x10000 + SIZE] = FACTORY
    path.write_bytes(data)
    assert refused("copy", path, "factory", "ota_0") == [
        "Error: factory: image is 71680 bytes, partition ota_0 holds 65536 (ESP_ERR_INVALID_SIZE, 260)"]
    assert path.read_bytes() == data


def test_erase(dump):
    done = run("erase", dump.path, "ota_0")
    assert done.stdout.splitlines() == ["ota_0: erased, 0x400000 bytes at 0x00410000",
                                        "  Next boot will be from 'factory'"]
    assert dump.changed() == {"ota_0"} and not slot_bytes(dump.path, "ota_0", 4 * MB).strip(b"\xff")
    assert json.loads(run("erase", dump.path, "ota_1", "--json").stdout)["command"] == "erase"
    assert dump.changed() == {"ota_0", "ota_1"}


def test_selected_slot_is_not_erased_though_it_does_not_boot(make_dump):
    dump = make_dump(factory=FACTORY, ota_0=OLDER, selected=0)
    flip(dump.path, area("ota_0").start + 30000)
    dump = Dump(dump.path)
    lines = refused("erase", dump.path, "ota_0")
    assert lines[0] == "Error: Cannot erase boot partition" and "selected by otadata" in lines[1]
    assert dump.unchanged()


# ---- any dump ----


@dataclass(frozen=True)
class Row:
    kind: int
    subtype: int
    offset: int
    size: int
    label: bytes


@pytest.mark.parametrize("size", [4, 8, 16, 32])
def test_any_table_on_any_size(tmp_path, image, size):
    """Labels of one's own, slots in another order, no MD5, otadata behind them; all the rest is noise that stays."""
    slot = (size * MB - 0x20000) // 3 // 0x10000 * 0x10000
    rows = [Row(0, 0x11, 0x10000, slot, b"second_firmware!"), Row(0, 0x10, 0x10000 + slot, slot, b"app0"),
            Row(0, 0x00, 0x10000 + 2 * slot, slot - 0x10000, b"golden"),
            Row(1, 0x00, size * MB - 0x2000, 0x2000, b"selection")]
    data = bytearray(random.Random(size).randbytes(size * MB))
    table = b"".join(struct.pack("<HBBII16sI", 0x50AA, row.kind, row.subtype, row.offset, row.size, row.label, 0)
                     for row in rows)
    data[TABLE:TABLE + 0xC00] = table.ljust(0xC00, b"\xff")
    data[rows[3].offset:] = b"\xff" * 0x2000
    data[rows[2].offset:rows[2].offset + SIZE] = FACTORY
    path = tmp_path / "dump.bin"
    path.write_bytes(data)
    expected = f"Boot from golden at 0x{rows[2].offset:08x} (size 0x{rows[2].size:08x})\n"
    assert run("boot", path, "golden").stdout == expected
    assert path.read_bytes() == data
    run("write", path, "second_firmware!", image(NEWER), "--select")
    run("write", path, "ota_0", image(OLDER))  # by its kind
    assert boots(path) == "second_firmware!"
    out = tmp_path / "out.bin"
    run("read", path, "app0", out)
    assert out.read_bytes() == OLDER
    run("erase", path, "app0")
    run("copy", path, "second_firmware!", "app0", "--select")
    now = path.read_bytes()
    changed = [at for at in range(0, len(data), 0x1000) if data[at:at + 0x1000] != now[at:at + 0x1000]]
    assert all(0x10000 <= at < 0x10000 + 2 * slot or at >= rows[3].offset for at in changed)
    assert boots(path) == "app0"


def test_table_in_its_copy_alone(dump, image):
    change(dump.path, (TABLE + 5, b"\0"))
    run("write", dump.path, "ota_0", image(NEWER), "--select")
    assert boots(dump.path) == "ota_0"
    with open(dump.path, "rb") as file:
        file.seek(TABLE)
        assert file.read(0x1000) == dump.before[TABLE:TABLE + 5] + b"\0" + dump.before[TABLE + 6:TABLE + 0x1000]


def test_merged_image_of_esptool(tmp_path, image):
    """Its table made from CSV, its images by us, all put together by esptool; it boots in the virtual module."""
    for name, csv, slots in (("ovms", OVMS_CSV, {0x10000: FACTORY, 0x410000: OLDER}),
                             ("7m", SEVEN_CSV, {0x10000: FACTORY, 0x710000: OLDER})):
        table = tmp_path / f"{name}.table"
        source = tmp_path / f"{name}.csv"
        source.write_text(csv)
        run("table", "--from-csv", source, table)
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "flash.bin"
        words = [f"0x{TABLE:x}", table]
        for address, content in slots.items():
            words += [f"0x{address:x}", image(content, f"{address:x}.bin")]
        done = subprocess.run([sys.executable, "-m", "esptool", "--chip", "esp32", "merge-bin", "-o", path,
                               "--pad-to-size", "16MB", *map(str, words)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        layout = LAYOUTS[name]
        dump = Dump(path, layout)
        last = "ota_0" if layout is OVMS else "ota_1"
        first = "factory" if layout is OVMS else "ota_0"
        assert boots(path) == first
        run("boot", path, last)
        session = VirtualModule(folder, path, layout).run("ota status nocheck")
        assert session.booted == [last] and "3.1.002" in session.text
        run("boot", path, first)
        run("write", path, last, image(NEWER))
        run("read", path, last, folder / "out.bin")
        assert (folder / "out.bin").read_bytes() == NEWER
        run("erase", path, last)
        run("copy", path, first, last, "--select")
        assert boots(path) == last and dump.changed() == {"otadata", last}
        session = VirtualModule(folder, path, layout).run("ota status nocheck")
        assert session.booted == [last] and "3.1.001" in session.text
        path.unlink()


def test_what_is_no_dump(tmp_path, image, dump):
    blank = tmp_path / "blank.bin"
    blank.write_bytes(b"\xff" * (4 * MB))
    for words in (["boot", None, "ota_0"], ["write", None, "ota_0", image(NEWER)], ["erase", None, "ota_0"],
                  ["copy", None, "factory", "ota_0"], ["read", None, "ota_0", tmp_path / "out"]):
        for path, text in ((tmp_path / "missing", "does not exist"), (tmp_path, "no ordinary file"),
                           (image(NEWER), "wrong size"), (blank, "there is no partition table")):
            words[1] = path
            lines = refused(*words)
            assert len(lines) == 1 and text in lines[0] and str(path) in lines[0]
        with open(dump.path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            words[1] = dump.path
            assert "in use" in refused(*words)[0]
    assert dump.unchanged() and not (tmp_path / "out").exists()
    assert not blank.read_bytes().strip(b"\xff")


@pytest.mark.parametrize("words", [["boot"], ["boot", "f"], ["boot", "f", "a", "b"], ["write", "f", "ota_0"],
                                   ["read", "f", "ota_0"], ["copy", "f", "ota_0"], ["erase", "f"],
                                   ["write", "f", "s", "i", "--chip", "z80"], ["erase", "f", "s", "--force"],
                                   ["boot", "f", "s", "--chip"]])
def test_wrong_calls(words):
    done = run(*words, code=2)
    assert done.stdout == "" and done.stderr.splitlines()[1].startswith(f"Usage: lifeboat flash {words[0]} FILE")


def test_help_tells_what_is_safe():
    text = run("write", "--help").stdout
    assert "--production" in text and "Killed at any moment" in text


# ---- killed, interrupted, watched ----


def kill_at(words, seconds, number=signal.SIGKILL):
    """Starts it and kills it so many seconds later. Returns its exit status."""
    process = subprocess.Popen([LIFEBOAT, "flash", *map(str, words)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=ENVIRONMENT, text=True)
    time.sleep(seconds)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def duration(words):
    start = time.monotonic()
    run(*words)
    return time.monotonic() - start


def check_boots_whole(path, images, layout=OVMS):
    """What would boot is one of these images, byte for byte."""
    label = boots(path)
    booted = slot_bytes(path, label, max(map(len, images)), layout)
    assert any(booted.startswith(content) for content in images), f"{label} boots, and it is none of the images"
    return label


@pytest.mark.parametrize("options", [[], ["--select"]])
def test_killed_while_it_writes(make_dump, image, options):
    """An OTA slot with a good image is replaced, ota_1 boots: it goes on booting, or the new image does."""
    dump = make_dump(factory=FACTORY, ota_0=OLDER, ota_1=NEWER)
    change(dump.path, (OTADATA, record(2)))
    dump = Dump(dump.path)
    words = ["write", dump.path, "ota_0", image(LONG), *options]
    whole = duration(words)
    chance = random.Random(f"write {options}")
    fates = set()
    for _ in range(KILLS):
        dump.path.write_bytes(dump.before)
        code, _ = kill_at(words, chance.uniform(0, whole))
        fates.add(code)
        label = check_boots_whole(dump.path, [NEWER, LONG])
        assert label == "ota_1" or options
        assert dump.changed() <= ({"ota_0", "otadata"} if options else {"ota_0"})
        run(*words) if label == "ota_1" else None
        assert slot_bytes(dump.path, "ota_0", len(LONG)) == LONG
    assert -signal.SIGKILL in fates


def test_killed_while_it_writes_the_selected_bad_slot(make_dump, image):
    dump = make_dump(factory=FACTORY, ota_0=OLDER, selected=0)
    flip(dump.path, area("ota_0").start + 30000)
    dump = Dump(dump.path)
    words = ["write", dump.path, "ota_0", image(LONG)]
    whole = duration(words)
    chance = random.Random("bad slot")
    for _ in range(KILLS):
        dump.path.write_bytes(dump.before)
        kill_at(words, chance.uniform(0, whole))
        assert check_boots_whole(dump.path, [FACTORY]) == "factory"
        found = status(dump.path)
        # never selected while it is not whole, but for the damage it began with
        assert found["boot"]["selected"] == "factory" or dump.unchanged()


def test_killed_while_it_copies_and_erases(make_dump, image):
    dump = make_dump(SEVEN_MB, ota_0=LONG, ota_1=NEWER)
    chance = random.Random("copy")
    for words in (["copy", dump.path, "ota_0", "ota_1", "--select"], ["erase", dump.path, "ota_1"]):
        dump.path.write_bytes(dump.before)
        whole = duration(words)
        for _ in range(KILLS // 2):
            dump.path.write_bytes(dump.before)
            kill_at(words, chance.uniform(0, whole))
            check_boots_whole(dump.path, [LONG], SEVEN_MB)
            assert dump.changed() <= {"ota_1", "otadata"}


def test_killed_while_it_writes_factory(make_dump, image):
    dump = make_dump(factory=FACTORY, ota_0=OLDER)
    words = ["write", dump.path, "factory", image(LONG), "--production"]
    whole = duration(words)
    chance = random.Random("factory")
    for _ in range(KILLS):
        dump.path.write_bytes(dump.before)
        kill_at(words, chance.uniform(0, whole))
        check_boots_whole(dump.path, [FACTORY, OLDER, LONG])
        assert dump.changed() <= {"factory"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(make_dump, image, number):
    dump = make_dump(factory=FACTORY, ota_0=OLDER)
    words = ["write", dump.path, "ota_0", image(LONG)]
    whole = duration(words)
    seen = set()
    for part in range(1, 16):
        dump.path.write_bytes(dump.before)
        code, errors = kill_at(words, whole * part / 16, number)
        seen.add(code)
        assert boots(dump.path) == "factory"
        if code == 130:
            assert errors.startswith("Error: interrupted: ") and errors.count("\n") == 1
    assert 130 in seen and seen <= {0, 130, -number}  # -number: it had not begun yet


def on_terminal(words, columns=100, **environment):
    child = pexpect.spawn(LIFEBOAT, ["flash", *map(str, words)], env={**ENVIRONMENT, "TERM": "xterm", **environment},
                          dimensions=(24, columns), timeout=60, encoding="ascii")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


def test_progress_on_a_terminal(dump, image):
    code, text = on_terminal(["write", dump.path, "ota_0", image(LONG)])
    assert code == 0
    drawings = re.findall(r"\rwrite ota_0 \[\x1b\[32m([#.]+)\x1b\[0m\] +(\d+) %  +[\d.]+ MB/s  \d+:\d\d (left|    )",
                          text)
    assert [drawings[0][1:], drawings[-1][1:]] == [("0", "left"), ("100", "    ")]
    assert all(("." in bar) == (percent != "100") for bar, percent, _ in drawings)
    lines = text.split("\r\n")
    assert lines[-3].startswith("ota_0: version 9.0.0") and all(len(line) < 130 for line in lines[-3:])
    for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, text = on_terminal(["write", dump.path, "ota_0", image(LONG)], **variable)
        assert code == 0 and "\x1b" not in text and "100 %" in text


def test_bar_fits_the_terminal(dump, image):
    for columns in (30, 50, 60, 200):
        code, text = on_terminal(["write", dump.path, "ota_0", image(LONG)], columns, NO_COLOR="1")
        bars = [part for part in re.split(r"[\r\n]+", text) if "[" in part]
        assert code == 0 and len(bars) >= 2 and all(len(bar) <= columns for bar in bars), bars
        assert ("MB/s" in bars[0]) == (columns > 50)


def test_bar_goes_when_it_fails(dump, image):
    code, text = on_terminal(["write", dump.path, "ota_0", image(build_image("5.0", project="kettle"))])
    assert code == 1 and "100 %" not in text
    assert text.rstrip("\r\n").rsplit("\r", 1)[-1].startswith("Error: ")


def test_nothing_is_drawn_in_a_pipe(dump, image):
    assert "%" not in run("write", dump.path, "ota_0", image(LONG)).stderr
