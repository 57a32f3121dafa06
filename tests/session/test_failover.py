# SPDX-License-Identifier: MIT
"""Whatever is damaged while the module is off: it boots something that verifies, says why, and factory comes first."""

import random
import shutil

import pytest
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, OLDER, OLDER_VERSION, SIZE, status_lines
from flash_layout import OTADATA, SECTOR, TABLE, TABLE_COPY, area, change, flip, record
from image_builder import build_image, seal
from virtual_module import VirtualModule

FACTORY_AT, OTA_0, OTA_1 = (area(name).start for name in ("factory", "ota_0", "ota_1"))
SLOT = area("ota_1").size
DIGEST = "the SHA-256 of the image is wrong"
CHECKSUM = "the checksum of the image is wrong"
MAGIC = "this does not begin as an application image does"
CHIP = "the image is made for another chip"
REVISION = "the image is made for other revisions of the chip"

# For each byte of the header: a bit of it, and what the inspector says when that bit is the other way round. Most of
# them are still legal then, and only the SHA-256 tells.
HEADER_BITS = {
    0: (3, MAGIC),
    1: (7, "the image has an impossible number of segments"),
    **{byte: (byte % 8, DIGEST) for byte in range(2, 12)},  # mode, frequency, size, entry, pins
    12: (0, CHIP),
    13: (4, CHIP),
    14: (6, REVISION),  # at least v64
    15: (7, DIGEST),  # at least v1.28, which the module has
    16: (1, REVISION),  # at least v5.12
    17: (3, DIGEST),  # at most v655
    18: (5, DIGEST),
    **{byte: (byte % 8, DIGEST) for byte in range(19, 23)},  # reserved
    23: (0, "the image has no SHA-256 appended"),
}


def segments(image):
    """(offset, length) of each segment's data."""
    found, at = [], 24
    for _ in range(image[1]):
        length = int.from_bytes(image[at + 4:at + 8], "little")
        found.append((at + 8, length))
        at += 8 + length
    return found


@pytest.fixture(scope="module")
def selected_flash(tmp_path_factory, flash_files):
    """A module that was told `ota boot ota_1`, whose trial ended well, and that was switched off."""
    folder = tmp_path_factory.mktemp("selected")
    shutil.copyfile(flash_files(factory=FACTORY, ota_0=OLDER, ota_1=NEWER), folder / "flash.bin")
    selected = VirtualModule(folder, folder / "flash.bin")
    session = selected.run("ota boot ota_1")
    assert session.lines == ["Boot from ota_1 at 0x00810000 (size 0x00400000)"]
    selected.confirm()
    yield folder / "flash.bin"
    (folder / "flash.bin").unlink()


@pytest.fixture
def selected(make_module, selected_flash):
    module = make_module(factory=FACTORY)
    shutil.copyfile(selected_flash, module.flash)
    return module


def check_failover(module, reason):
    """It boots factory, says so and why, and changes nothing."""
    session = module.run("ota status nocheck", "boot status")
    assert session.lines[:3] == status_lines(FACTORY_VERSION, "factory", "ota_1")
    assert session.lines[-1] == f"  ota_1 did not boot: {reason}; factory was booted instead"
    assert session.boot_log.splitlines() == [
        "boot: selected: ota_1", f"boot: ota_1: does not verify: {reason}",
        f"boot: factory: verified, version {FACTORY_VERSION}", "boot: falling back to factory",
        "boot: starting factory"]
    assert session.changed == set()


def test_without_damage_it_boots(selected):
    session = selected.run("ota status nocheck")
    assert session.lines == status_lines(NEWER_VERSION, "ota_1")
    assert session.booted == ["ota_1"]


# ---- damage to ota_1 ----


@pytest.mark.parametrize("byte", range(24))
def test_bit_in_the_header(selected, byte):
    bit, reason = HEADER_BITS[byte]
    flip(selected.flash, OTA_1 + byte, bit)
    check_failover(selected, reason)


@pytest.mark.parametrize("number", range(len(segments(NEWER))))
@pytest.mark.parametrize("where", ["first", "somewhere", "last"])
def test_bit_in_a_segment(selected, number, where):
    offset, length = segments(NEWER)[number]
    byte = {"first": 0, "somewhere": random.Random(number).randrange(length), "last": length - 1}[where]
    flip(selected.flash, OTA_1 + offset + byte, random.Random(number).randrange(8))
    check_failover(selected, CHECKSUM)


def test_two_bits_that_the_checksum_does_not_see(selected):
    offset, length = segments(NEWER)[1]
    flip(selected.flash, OTA_1 + offset, 2)
    flip(selected.flash, OTA_1 + offset + length - 1, 2)
    check_failover(selected, DIGEST)


@pytest.mark.parametrize("byte", range(0, 32, 5))
def test_bit_in_the_digest(selected, byte):
    flip(selected.flash, OTA_1 + SIZE - 32 + byte, byte % 8)
    check_failover(selected, DIGEST)


def test_bit_in_the_checksum(selected):
    flip(selected.flash, OTA_1 + SIZE - 33, 5)
    check_failover(selected, CHECKSUM)


def test_bit_in_the_padding(selected):
    offset, length = segments(NEWER)[-1]
    padding = OTA_1 + offset + length
    assert padding < OTA_1 + SIZE - 33, "this image has no padding besides the checksum"
    flip(selected.flash, padding, 0)
    check_failover(selected, DIGEST)


def test_length_of_a_segment(selected):
    """One that claims more than the slot holds must not make it read beyond."""
    offset, _ = segments(NEWER)[0]
    change(selected.flash, (OTA_1 + offset - 4, (0xFFFFF0).to_bytes(4, "little")))
    check_failover(selected, "the image is longer than its partition")


def test_erased(selected):
    change(selected.flash, (OTA_1, b"\xff" * SLOT))
    check_failover(selected, MAGIC)


@pytest.mark.parametrize("kept", [SECTOR, SIZE // 2 // SECTOR * SECTOR, (SIZE - 1) // SECTOR * SECTOR])
def test_tail_erased(selected, kept):
    change(selected.flash, (OTA_1 + kept, b"\xff" * (SLOT - kept)))
    session = selected.run("ota status nocheck")
    assert session.lines == status_lines(FACTORY_VERSION, "factory", "ota_1")
    assert "boot: ota_1: does not verify: " in session.boot_log
    assert "boot: ota_1: does not verify: \n" not in session.boot_log


def test_other_chip(selected):
    change(selected.flash, (OTA_1, build_image("3.1.003", size=SIZE, chip="esp32s3")))
    check_failover(selected, CHIP)


def test_newer_revision(selected):
    change(selected.flash, (OTA_1, build_image("3.1.003", size=SIZE, min_revision=301)))
    check_failover(selected, REVISION)


def test_not_congruent(selected):
    """A good image for another place: a mapped segment that the flash cache could not map here."""
    image = bytearray(build_image("3.1.003", size=SIZE))
    image[25] ^= 0x10  # bit 12 of the first segment's load address
    image = seal(bytes(image))
    change(selected.flash, (OTA_1, image))
    check_failover(selected, "a mapped segment of the image does not fit its place in the flash")


# ---- more than one slot ----


def test_factory_damaged_too(selected):
    flip(selected.flash, OTA_1 + 100)
    flip(selected.flash, FACTORY_AT + 100)
    session = selected.run("ota status nocheck", "boot status")
    assert session.lines[:3] == status_lines(OLDER_VERSION, "ota_0", "ota_1")
    assert session.lines[-1] == f"  ota_1 did not boot: {CHECKSUM}; ota_0 was booted instead"
    assert session.boot_log.splitlines()[-2:] == ["boot: falling back to ota_0", "boot: starting ota_0"]


def test_nothing_verifies(selected):
    for address in (FACTORY_AT, OTA_0, OTA_1):
        flip(selected.flash, address + 100)
    session = selected.run("ota status nocheck", code=3)
    assert session.lines == []
    assert [line.split(":")[1] for line in session.boot_log.splitlines()[1:4]] == [" ota_1", " factory", " ota_0"]
    assert session.boot_log.splitlines()[-1] == (
        "boot: halted: no slot holds an image that verifies - flash a firmware by cable")
    assert session.changed == set()


def test_blank_flash(module):
    change(module.flash, (0, b"\xff" * module.flash.stat().st_size))
    session = module.run(code=3)
    assert session.boot_log.splitlines()[-1].startswith("boot: halted: there is no partition table - ")


def test_reset_into_nothing(module):
    """What boots now may be gone at the next reset: a halt is told there, too."""
    session = module.start()
    session.send("ota status nocheck")
    session.wait_for("Boot partition:")
    before = session.guard.bytes
    flip(module.flash, FACTORY_AT + 200)
    damaged = bytearray(before)
    damaged[FACTORY_AT + 200] ^= 1
    session.guard.bytes = bytes(damaged)  # our own change, which the guard has to know of
    session.send("module reset")
    session.end(code=3)
    assert session.boot_log.splitlines()[-1].startswith("boot: halted: ")


# ---- the partition table ----

ROW = "the partition table is damaged: a row begins with none of the known marks"
OTHER = (0x410000).to_bytes(4, "little")
TABLE_DAMAGE = {
    "erased": (0, b"\xff" * SECTOR, "there is no partition table"),
    "garbage": (0, random.Random(1).randbytes(SECTOR), ROW),
    "zeros": (0, bytes(SECTOR), ROW),
    "one bit in a label": (12, b"m", "the partition table does not have the MD5 that it states"),
}


def overlapping_table(table):
    """ota_1 begins where ota_0 does, and no MD5 row gives that away."""
    rows = bytearray(table)
    rows[5 * 32 + 4:5 * 32 + 8] = OTHER
    rows[7 * 32:] = b"\xff" * (len(rows) - 7 * 32)
    return bytes(rows)


def damage_table(path, kind, *addresses):
    """Returns the reason that the bootloader has to give."""
    with open(path, "rb") as file:
        file.seek(TABLE)
        table = file.read(SECTOR)
    if kind == "overlapping":
        damaged, reason = overlapping_table(table), "two partitions overlap"
    elif kind == "outside":
        damaged = bytearray(table)
        damaged[5 * 32 + 8:5 * 32 + 12] = (0xF00000).to_bytes(4, "little")
        damaged[7 * 32:] = b"\xff" * (SECTOR - 7 * 32)
        reason = "a partition does not lie inside the flash"
    else:
        offset, content, reason = TABLE_DAMAGE[kind]
        damaged = table[:offset] + content + table[offset + len(content):]
    change(path, *((address, bytes(damaged)) for address in addresses))
    return reason


KINDS = [*TABLE_DAMAGE, "overlapping", "outside"]


@pytest.mark.parametrize("kind", KINDS)
def test_table_damaged(selected, kind):
    reason = damage_table(selected.flash, kind, TABLE)
    session = selected.run("ota status nocheck", "boot status")
    assert session.lines[:3] == status_lines(NEWER_VERSION, "ota_1")
    assert session.lines[-1] == f"  The partition table is damaged ({reason}); its copy at 0x7000 is used"
    assert session.boot_log.splitlines()[:2] == [
        f"boot: the partition table at 0x8000 cannot be used: {reason}",
        "boot: using the copy of the partition table at 0x7000"]


@pytest.mark.parametrize("kind", KINDS)
def test_both_tables_damaged(selected, kind):
    reason = damage_table(selected.flash, kind, TABLE, TABLE_COPY)
    session = selected.run("ota status nocheck", code=3)
    assert session.lines == []
    assert session.boot_log.splitlines()[0] == f"boot: the partition table at 0x8000 cannot be used: {reason}"
    assert session.boot_log.splitlines()[-1].startswith(f"boot: halted: {reason} - ")
    assert session.changed == set()


def test_copy_damaged_is_not_missed(selected):
    damage_table(selected.flash, "garbage", TABLE_COPY)
    session = selected.run("ota status nocheck")
    assert session.lines == status_lines(NEWER_VERSION, "ota_1")
    assert "table" not in session.boot_log


def test_update_with_the_copy_of_the_table(selected):
    damage_table(selected.flash, "garbage", TABLE)
    card = selected.put("ovms3.bin", FACTORY)
    session = selected.run(f"ota flash vfs {card}", "module reset", "ota status nocheck")
    assert session.booted == ["ota_1", "ota_0"]
    assert session.lines[-3:] == status_lines(FACTORY_VERSION, "ota_0")


# ---- otadata ----

GARBAGE = random.Random(2).randbytes(SECTOR)
BLANK = b"\xff" * SECTOR


def sector(*words, **names):
    return record(*words, **names).ljust(SECTOR, b"\xff")


OTADATA_CASES = {
    "garbage in the first": (GARBAGE, sector(2), "ota_1"),
    "garbage in the second": (sector(1), GARBAGE, "ota_0"),
    "garbage in both": (GARBAGE, GARBAGE, "factory"),
    "zeros in both": (bytes(SECTOR), bytes(SECTOR), "factory"),
    "wrong crc in the newer": (sector(2), sector(3, crc=0x12345678), "ota_1"),
    "equal": (sector(2), sector(2), "ota_1"),
    "aborted newer": (sector(2), sector(3, state=4), "ota_1"),
    "invalid newer": (sector(3, state=3), sector(2), "ota_1"),
    "undefined state": (sector(1), sector(2), "ota_1"),
    "greatest number": (sector(0xFFFFFFFE), sector(1), "ota_1"),
    "number of an erased record": (sector(0xFFFFFFFF), BLANK, "factory"),
    "number zero": (sector(0), BLANK, "factory"),  # what was made void begins with zeros
    "blank": (BLANK, BLANK, "factory"),
}
VERSIONS = {"factory": FACTORY_VERSION, "ota_0": OLDER_VERSION, "ota_1": NEWER_VERSION}


@pytest.mark.parametrize("case", OTADATA_CASES)
def test_otadata(selected, case):
    first, second, boots = OTADATA_CASES[case]
    change(selected.flash, (OTADATA, first), (OTADATA + SECTOR, second))
    session = selected.run("ota status nocheck")
    assert session.lines == status_lines(VERSIONS[boots], boots)
    assert session.booted == [boots]


@pytest.mark.parametrize("case", ["garbage in the first", "garbage in both", "equal", "greatest number",
                                  "wrong crc in the newer", "number zero"])
def test_selecting_works_on_damaged_otadata(selected, case):
    first, second, boots = OTADATA_CASES[case]
    change(selected.flash, (OTADATA, first), (OTADATA + SECTOR, second))
    session = selected.run("ota boot ota_0", "module reset", "ota boot ota_1", "module reset", "ota boot factory",
                           "module reset", "ota status nocheck")
    assert session.booted == [boots, "ota_0", "ota_1", "factory"]
    assert session.lines[-3:] == status_lines(FACTORY_VERSION, "factory")


def test_selecting_after_a_fallback_keeps_the_running_one(selected):
    """The record of what should have booted may be overwritten, and what runs stays what it is."""
    flip(selected.flash, OTA_1 + 100)
    session = selected.run("ota boot ota_0", "module reset", "ota status nocheck")
    assert session.booted == ["factory", "ota_0"]
    assert session.lines[-3:] == status_lines(OLDER_VERSION, "ota_0")


def test_update_after_a_fallback(selected):
    """The damaged slot is the one that is flashed, and boots again."""
    flip(selected.flash, OTA_1 + 100)
    card = selected.put("ovms3.bin", NEWER)
    session = selected.run(f"ota flash vfs {card}", "module reset", "ota status nocheck")
    assert "Target partition is: ota_1" in session.lines
    assert session.booted == ["factory", "ota_1"]
    assert session.lines[-3:] == status_lines(NEWER_VERSION, "ota_1")


# ---- the guard itself ----


@pytest.mark.parametrize("name", ["bootloader", "table copy", "table", "nvs", "phy_init", "factory", "store"])
def test_guard_sees_a_change(module, name):
    session = module.start()
    session.send("ota status nocheck")
    session.wait_for("Boot partition:")
    flip(module.flash, area(name).start + 7)
    with pytest.raises(AssertionError, match=f"{name}.*changed"):
        session.end()
