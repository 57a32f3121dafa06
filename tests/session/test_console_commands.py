# SPDX-License-Identifier: MIT
"""`ota status full`, `ota erase`, `ota copy`, `ota partitions list`, and how lines become commands."""

import hashlib
import struct

import pytest
from depot_server import DepotServer, publish
from firmware import (FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, OLDER, OLDER_VERSION, SIZE, firmware_line,
                      status_lines)
from flash_layout import OTADATA, SEVEN_MB, TABLE, TABLE_COPY, area, change, content, flip, record
from image_builder import build_image
from refusals import NO_SLOT, too_large, wrong_arguments
from web_server import page, silent_after

VERSION_FILE = "/firmware/ota/v3.1/main/ovms3.ver"
HARDWARE = "Hardware:          esp32 v3.0, 16 MB flash"
MD5 = "cfe36765a6bfe1b802a2abd4ec9f6851"
TABLE_LINES = ["Partition type:    factory and 2 OTA slots", f"Partition table:   at 0x8000, MD5 {MD5} (pass)"]
NO_NETWORK = "Server Available:  not known: there is no network"
ERASED = "none that boots: this does not begin as an application image does"
BUILD = "build idf v3.1-dev-453-g0f978bcb Apr  7 2018 13:11:19"
ERASE = ["OTA Erase: Erasing partition...", "Partition erase complete"]
RUNS = "  that slot holds the running firmware - choose another slot, or none (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"
BOOTS_NEXT = "  that slot boots next - select another one first (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"
FACTORY_STAYS = ["Error: that partition is no OTA slot, and factory is never written by an update - "
                 "choose an OTA slot, or none (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"]
PROTECTED = ["Error: the partition table marks that slot read-only or encrypted - "
             "choose another slot, or mend the partition table (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"]


def good(version, size=SIZE):
    return f"{version} ({size} bytes, {BUILD})"


def image_lines(*slots):
    """("factory", what), ("ota_0", what) ... as the full status has them."""
    titles = {"factory": "Factory image:     "}
    return [titles.get(slot, f"{slot.upper()} image:       ") + what for slot, what in slots]


def slot_of(size):
    return b"\xff" * size


def make_table(*rows):
    """The bytes of a partition table: rows of label, type, subtype, offset, size, flags."""
    data = b"".join(struct.pack("<HBBII16sI", 0x50AA, kind, subtype, offset, size, label.encode(), flags)
                    for label, kind, subtype, offset, size, flags in rows)
    data += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(data).digest()
    return data.ljust(0xC00, b"\xff")


@pytest.fixture
def full(make_module):
    """All three slots hold a firmware; factory runs."""
    return make_module(factory=FACTORY, ota_0=OLDER, ota_1=NEWER)


# ---- ota status full ----


def test_full_status(full):
    session = full.run("ota status full")
    assert session.lines == [
        firmware_line(FACTORY_VERSION, "factory"), NO_NETWORK, "Running partition: factory",
        "Boot partition:    factory", HARDWARE, *TABLE_LINES,
        *image_lines(("factory", good(FACTORY_VERSION)), ("ota_0", good(OLDER_VERSION)),
                     ("ota_1", good(NEWER_VERSION)))]
    assert session.changed == set()


def test_values_begin_in_column_20(full):
    for line in full.run("ota status full").lines:
        assert line[18] == " " and line[19] != " ", line


def test_plain_status_has_none_of_it(full):
    assert full.run("ota status").lines == status_lines(FACTORY_VERSION, "factory")


@pytest.mark.parametrize("answer, line", [
    (b"3.1.002\nMended.\n", "3.1.002 (is newer)"),
    (b"3.1.010", "3.1.010 (is newer)"),
    (b"3.1.001-1-g0123456\r\n", "3.1.001-1-g0123456 (is newer)"),
    (b"3.1.001\n", "3.1.001 (no update required)"),
    (b"3.1.1\n", "3.1.1 (no update required)"),
    (b"3.1.001-dirty\n", "3.1.001-dirty (no update required)"),
    (b"3.1.001-rc1\n", "3.1.001-rc1 (is older)"),
    (b"3.0.999\n", "3.0.999 (is older)"),
    (b"<!DOCTYPE html>\n<html>Log in</html>\n", "not known: the server's answer is no version"),
    (b"", "not known: the server's answer is no version"),
    (b"\n3.1.002\n", "not known: the server's answer is no version"),
    (b"3.1.002\x1b[2J\n", "not known: the server's answer is no version"),
    (b"3" * 63 + b"\n", "not known: the server's answer is no version"),
    (b"3" * 62 + b"\n", "3" * 62 + " (is newer)"),
])
def test_verdict(web, full, answer, line):
    full.server = web.address
    web.pages[VERSION_FILE] = page(answer)
    assert full.run("ota status full").lines[1] == f"Server Available:  {line}"
    plain = full.run("ota status").lines
    expected = [] if line.startswith("not known") else [f"Server Available:  {line.split()[0]}"]
    assert plain[1:-2] == expected  # no verdict there


def test_full_status_with_a_depot(full, tmp_path):
    image = tmp_path / "image.bin"
    image.write_bytes(NEWER)
    assert publish(tmp_path / "depot", image).returncode == 0
    with DepotServer(tmp_path / "depot") as server:
        full.server = server.address
        lines = full.run("ota status full").lines
    assert lines[1] == f"Server Available:  {NEWER_VERSION} (is newer)"
    assert len(lines) == 10


def test_server_that_is_not_there(full):
    full.server = ("127.0.0.1", 1)
    session = full.run("ota status full", "ota status")
    assert session.lines[1] == "Server Available:  not known: the server does not accept the connection"
    assert session.lines[10:] == status_lines(FACTORY_VERSION, "factory")


def test_server_without_a_version(web, full):
    full.server = web.address
    lines = full.run("ota status full").lines
    assert lines[1] == "Server Available:  not known: the server did not answer with the file"


def test_server_that_says_nothing(web, full):
    full.server = web.address
    web.pages[VERSION_FILE] = silent_after()
    lines = full.run("ota status full", options=["--clock", "virtual"]).lines
    assert lines[1] == "Server Available:  not known: the server did not answer in time"
    assert len(lines) == 10


@pytest.mark.parametrize("offset, cause", [
    (0, "this does not begin as an application image does"),
    (1, "the image has an impossible number of segments"),
    (12, "the image is made for another chip"),
    (23, "the image has no SHA-256 appended"),
    (400, "the checksum of the image is wrong"),
    (SIZE - 1, "the SHA-256 of the image is wrong"),
])
def test_damaged_slot(full, offset, cause):
    flip(full.flash, area("ota_0").start + offset, 5)
    session = full.run("ota status full")
    assert session.lines[-3:] == image_lines(("factory", good(FACTORY_VERSION)), ("ota_0", f"none that boots: {cause}"),
                                             ("ota_1", good(NEWER_VERSION)))


def test_damaged_factory_while_ota_1_runs(full):
    change(full.flash, (OTADATA, record(2)))
    flip(full.flash, area("factory").start + SIZE - 1)
    lines = full.run("ota status full").lines
    assert lines[0] == firmware_line(NEWER_VERSION, "ota_1")
    assert lines[-3] == image_lines(("factory", "none that boots: the SHA-256 of the image is wrong"))[0]


def test_image_without_description(make_module):
    image = build_image("", has_description=False, size=SIZE)
    marked = build_image("", has_description=False, size=SIZE, mark="3.2.016-68-g8e10c6b7")
    module = make_module(factory=FACTORY, ota_0=image, ota_1=marked)
    assert module.run("ota status full").lines[-2:] == image_lines(
        ("ota_0", f"unknown ({SIZE} bytes)"), ("ota_1", f"3.2.016-68-g8e10c6b7 ({SIZE} bytes)"))


@pytest.mark.parametrize("where, what", [
    ((TABLE, b"\x00"), "the partition table is damaged: a row begins with none of the known marks"),
    ((TABLE, slot_of(0xC00)), "there is no partition table"),
    ((TABLE + 0x20 + 12, b"x"), "the partition table does not have the MD5 that it states"),
])
def test_copy_of_the_table_in_use(full, where, what):
    change(full.flash, where)
    session = full.run("ota status full", "ota partitions list", "boot status")
    told = f"copy at 0x7000, not the one at 0x8000 (FAIL: {what}); MD5 {MD5} (pass)"
    assert f"Partition table:   {told}" in session.lines
    assert f"Partition table: {told}" in session.lines
    assert session.lines[-1] == f"  The partition table is damaged ({what}); its copy at 0x7000 is used"


def test_damaged_copy_of_the_table(full):
    """Not in use, so not told."""
    change(full.flash, (TABLE_COPY, b"\x00" * 0x40))
    assert TABLE_LINES[1] in full.run("ota status full").lines


def test_full_status_without_factory(make_module):
    module = make_module(SEVEN_MB, ota_0=FACTORY)
    digest = hashlib.md5(module.flash.read_bytes()[TABLE:TABLE + 6 * 32]).hexdigest()
    assert module.run("ota status full").lines == [
        firmware_line(FACTORY_VERSION, "ota_0"), NO_NETWORK, "Running partition: ota_0", "Boot partition:    ota_0",
        HARDWARE, "Partition type:    2 OTA slots", f"Partition table:   at 0x8000, MD5 {digest} (pass)",
        *image_lines(("ota_0", good(FACTORY_VERSION)), ("ota_1", ERASED))]


# ---- ota erase ----


def test_erase(full):
    session = full.run("ota erase ota_0", "ota status full")
    assert session.lines[:2] == ERASE
    assert session.lines[-2:] == image_lines(("ota_0", ERASED), ("ota_1", good(NEWER_VERSION)))
    assert content(full.flash, "ota_0") == slot_of(area("ota_0").size)
    assert session.changed == {"ota_0"}


def test_erase_what_is_erased(module):
    session = module.run("ota erase ota_1", "ota erase ota_1")
    assert session.lines == ERASE * 2
    assert session.changed == set()


@pytest.mark.parametrize("line, lines", [
    ("ota erase factory", ["Error: Cannot erase currently running partition", RUNS]),
    ("ota erase ota_2", NO_SLOT),
    ("ota erase nvs", NO_SLOT),
    ("ota erase otadata", NO_SLOT),
    ("ota erase store", NO_SLOT),
    ("ota erase OTA_0", NO_SLOT),
    ("ota erase ota", NO_SLOT),
    ("ota erase", wrong_arguments("ota erase SLOT")),
    ("ota erase ota_0 ota_1", wrong_arguments("ota erase SLOT")),
])
def test_erase_refused(full, line, lines):
    session = full.run(line, code=1)
    assert session.lines == lines
    assert session.changed == set()


def test_erase_of_what_boots_next(full):
    session = full.run("ota boot ota_1", "ota erase ota_1", code=1)
    assert session.lines[1:] == ["Error: Cannot erase boot partition", BOOTS_NEXT]
    assert session.changed == {"otadata"}


def test_erase_refused_while_an_ota_slot_runs(full):
    change(full.flash, (OTADATA, record(1)))
    session = full.run("ota erase factory", "ota erase ota_0", "ota boot ota_1", "ota erase ota_0", "ota erase ota_1",
                       options=["--keep-going"], code=1)
    assert session.lines == [*FACTORY_STAYS, "Error: Cannot erase currently running partition", RUNS,
                             "Boot from ota_1 at 0x00810000 (size 0x00400000)",
                             "Error: Cannot erase currently running partition", RUNS,
                             "Error: Cannot erase boot partition", BOOTS_NEXT]
    assert session.changed == {"otadata"}


def test_erase_without_factory(make_module):
    module = make_module(SEVEN_MB, ota_0=FACTORY, ota_1=NEWER)
    session = module.run("ota erase ota_1", "ota erase ota_0", options=["--keep-going"], code=1)
    assert session.lines == [*ERASE, "Error: Cannot erase currently running partition", RUNS]


def test_slot_that_fell_back_can_be_erased(full):
    """ota_0 is selected and damaged, factory runs: first select another one."""
    change(full.flash, (OTADATA, record(1)))
    flip(full.flash, area("ota_0").start + 100)
    session = full.run("ota erase ota_0", "ota boot factory", "ota erase ota_0", options=["--keep-going"], code=1)
    assert session.lines == ["Error: Cannot erase boot partition", BOOTS_NEXT,
                             "Boot from factory at 0x00010000 (size 0x00400000)", *ERASE]


# ---- ota copy ----


def copied(source, target, running="factory", size=SIZE):
    return [f"Current running partition is: {running}", f"Target partition is: {target}",
            f"Source image is {size} bytes in size", "Preparing flash partition...", "Copying image partition...",
            "OTA copy was successful", f"  Copied {size} bytes from {source} to {target}"]


def test_copy(full):
    session = full.run("ota copy factory ota_1", "ota status full")
    assert session.lines[:7] == copied("factory", "ota_1")
    assert session.lines[7:11] == [firmware_line(FACTORY_VERSION, "factory"), NO_NETWORK, "Running partition: factory",
                                   "Boot partition:    factory"]
    assert content(full.flash, "ota_1", SIZE) == FACTORY
    assert session.changed == {"ota_1"}


def test_copy_boots(full):
    session = full.run("ota copy ota_1 ota_0", "ota boot ota_0", "module reset", "ota status", "ota copy factory ota_1",
                       "ota boot ota_1", "module reset", "ota status")
    assert session.booted == ["factory", "ota_0", "ota_1"]
    assert session.lines[-3:] == status_lines(FACTORY_VERSION, "ota_1")


def test_copy_of_the_running_slot_without_factory(make_module):
    module = make_module(SEVEN_MB, ota_0=FACTORY)
    session = module.run("ota copy ota_0 ota_1", "ota boot ota_1", "module reset", "ota status")
    assert session.lines[:7] == copied("ota_0", "ota_1", "ota_0")
    assert session.lines[-3:] == status_lines(FACTORY_VERSION, "ota_1")


def test_copy_again(full):
    session = full.run("ota copy ota_0 ota_1", "ota copy ota_0 ota_1", "ota boot ota_1", "module reset", "ota status")
    assert session.lines[7:14] == copied("ota_0", "ota_1")
    assert session.lines[-3:] == status_lines(OLDER_VERSION, "ota_1")


def test_copy_over_a_damaged_slot(full):
    flip(full.flash, area("ota_1").start + 300)
    full.run("ota copy ota_0 ota_1")
    assert content(full.flash, "ota_1", SIZE) == OLDER


@pytest.mark.parametrize("line, lines", [
    ("ota copy ota_0 factory", ["Error: Cannot copy to currently running partition", RUNS]),
    ("ota copy factory factory", ["Error: Cannot copy to currently running partition", RUNS]),
    ("ota copy nvs ota_0", NO_SLOT),
    ("ota copy ota_0 nvs", NO_SLOT),
    ("ota copy ota_2 ota_0", NO_SLOT),
    ("ota copy factory store", NO_SLOT),
    ("ota copy", wrong_arguments("ota copy FROM TO")),
    ("ota copy factory", wrong_arguments("ota copy FROM TO")),
    ("ota copy factory ota_0 ota_1", wrong_arguments("ota copy FROM TO")),
    ("ota copy factory to ota_0", wrong_arguments("ota copy FROM TO")),
])
def test_copy_refused(full, line, lines):
    session = full.run(line, code=1)
    assert session.lines == lines
    assert session.changed == set()


@pytest.mark.parametrize("slot", ["ota_0", "ota_1"])
def test_copy_onto_itself(full, slot):
    """The slot would be erased while it is being read: the firmware in it was lost."""
    session = full.run(f"ota copy {slot} {slot}", code=1)
    assert session.changed == set(), session.text
    assert content(full.flash, slot, SIZE) == {"ota_0": OLDER, "ota_1": NEWER}[slot]


def test_copy_to_the_slot_that_boots_next(full):
    session = full.run("ota boot ota_1", "ota copy factory ota_1", code=1)
    assert session.lines[1:] == ["Error: Cannot copy to boot partition", BOOTS_NEXT]
    assert session.changed == {"otadata"}


def test_copy_to_factory(full):
    change(full.flash, (OTADATA, record(1)))
    session = full.run("ota copy ota_1 factory", "ota copy ota_1 ota_0", options=["--keep-going"], code=1)
    assert session.lines == [*FACTORY_STAYS, "Error: Cannot copy to currently running partition", RUNS]
    assert session.changed == set()


@pytest.mark.parametrize("offset, cause", [
    (None, "this does not begin as an application image does"),
    (12, "the image is made for another chip"),
    (400, "the checksum of the image is wrong"),
    (SIZE - 1, "the SHA-256 of the image is wrong"),
])
def test_copy_of_what_does_not_verify(full, offset, cause):
    if offset is None:
        change(full.flash, (area("ota_0").start, slot_of(area("ota_0").size)))
    else:
        flip(full.flash, area("ota_0").start + offset)
    session = full.run("ota copy ota_0 ota_1", code=1)
    assert session.lines == ["Current running partition is: factory", "Target partition is: ota_1",
                             f"Error: ota_0 cannot be copied: {cause} - copy another slot "
                             "(ESP_ERR_IMAGE_INVALID, 8194)"]
    assert session.changed == set()


def test_copy_of_another_project(make_module):
    module = make_module(factory=FACTORY, ota_0=build_image(size=SIZE, project="kettle"))
    session = module.run("ota copy ota_0 ota_1", code=1)
    assert session.lines[-1] == ("Error: image is of project kettle, this module runs ovms3 - use its own firmware "
                                 "(ESP_ERR_INVALID_VERSION, 266)")
    assert session.changed == set()


SMALL_SLOTS = make_table(("otadata", 1, 0, 0xD000, 0x2000, 0), ("factory", 0, 0, 0x10000, 0x400000, 0),
                         ("ota_0", 0, 0x10, 0x410000, 0x10000, 0), ("ota_1", 0, 0x11, 0x420000, 0x20000, 2),
                         ("ota_2", 0, 0x12, 0x440000, 0x12000, 0))


@pytest.fixture
def small_slots(module):
    """ota_0 holds 64 KB, less than the image in factory; ota_1 is read-only; ota_2 holds just 72 KB."""
    change(module.flash, (TABLE, SMALL_SLOTS), (TABLE_COPY, SMALL_SLOTS))
    return module


def test_copy_to_a_smaller_slot(small_slots):
    session = small_slots.run("ota copy factory ota_0", code=1)
    assert session.lines == ["Current running partition is: factory", "Target partition is: ota_0",
                             f"Source image is {SIZE} bytes in size", *too_large(SIZE, "ota_0", 65536)]
    assert session.changed == set()


def test_copy_that_just_fits(small_slots):
    session = small_slots.run("ota copy factory ota_2", "ota boot ota_2")
    assert session.lines[-1:] == ["Boot from ota_2 at 0x00440000 (size 0x00012000)"]
    assert session.lines[5] == "OTA copy was successful"


def test_read_only_slot(small_slots):
    session = small_slots.run("ota copy factory ota_1", "ota erase ota_1", options=["--keep-going"], code=1)
    assert session.lines == PROTECTED * 2
    assert session.changed == set()


# ---- ota partitions list ----


def test_partitions(full):
    assert full.run("ota partitions list").lines == [
        f"Partition table: at 0x8000, MD5 {MD5} (pass)",
        "Label            Type       Subtype    Address    Size",
        "nvs              data       nvs        0x00009000 0x00004000",
        "otadata          data       ota        0x0000d000 0x00002000",
        "phy_init         data       phy        0x0000f000 0x00001000",
        "factory          app        factory    0x00010000 0x00400000",
        "ota_0            app        ota_0      0x00410000 0x00400000",
        "ota_1            app        ota_1      0x00810000 0x00400000",
        "store            data       fat        0x00c10000 0x00100000"]


def test_partitions_of_any_kind(module):
    table = make_table(("otadata", 1, 0, 0xD000, 0x2000, 0), ("factory", 0, 0, 0x10000, 0x100000, 0),
                       ("a_label_of_16_ch", 1, 0x83, 0x110000, 0x1000, 1), ("try", 0, 0x20, 0x120000, 0x10000, 0),
                       ("ours", 0x40, 7, 0x130000, 0x1000, 0), ("last", 0, 0x1F, 0x140000, 0x10000, 0))
    change(module.flash, (TABLE, table))
    assert module.run("ota partitions list").lines[4:] == [
        "a_label_of_16_ch data       littlefs   0x00110000 0x00001000",
        "try              app        test       0x00120000 0x00010000",
        "ours             other      0x07       0x00130000 0x00001000",
        "last             app        ota_15     0x00140000 0x00010000"]


def test_table_without_md5(module):
    with open(module.flash, "r+b") as file:
        file.seek(TABLE + 7 * 32)
        file.write(b"\xff" * 32)
    assert module.run("ota partitions list").lines[0] == "Partition table: at 0x8000, no MD5"


# ---- lines ----


@pytest.mark.parametrize("line, same", [
    ("o st noch", None), ("o st", "ota status"), ("ota s nocheck", "ota status nocheck"), ("o p l", "ota part list"),
    ("ota par li", "ota partitions list"), ("o b factory", "ota boot factory"), ("b s", "boot status"),
    ("w s", "wifi status"), ("vf st /sd", "vfs stat /sd"), ("v l /", "vfs ls /"), ("h o s", "help ota status"),
    ("  ota\t status   nocheck ", "ota status nocheck"), ('"ota" st"at"us "nocheck"', "ota status nocheck"),
])
def test_abbreviations(full, line, same):
    """Words of a command may be shortened, arguments may not."""
    if same is None:
        assert full.run(line, code=1).lines == wrong_arguments("ota status [nocheck|full]")
        return
    short, whole = full.run(line).lines, full.run(same).lines
    assert short == whole and short


@pytest.mark.parametrize("line, cause", [
    ("v c /sd/x", "this may mean several commands"),
    ("vfs c /sd/x /sd/y", "this may mean several commands"),
    ("ota", "the command is not complete"),
    ("o", "the command is not complete"),
    ("ota flash", "the command is not complete"),
    ("o f", "the command is not complete"),
    ("wifi mode", "the command is not complete"),
    ("ota partitions", "the command is not complete"),
    ("otas status", "there is no such command"),
    ("OTA status", "there is no such command"),
    ("ota statusx", "there is no such command"),
    ("ota flash ftp x", "there is no such command"),
    ("ota x", "there is no such command"),
    ("nonsense", "there is no such command"),
    ('"ota status"', "there is no such command"),
    ("?", "there is no such command"),
])
def test_no_command(full, line, cause):
    session = full.run(line, code=1)
    assert session.lines == [f"Error: {line}: {cause} - see `help` (ESP_ERR_INVALID_ARG, 258)"]


def test_empty_word(full):
    """Two quotes are a word, but not short for another one."""
    session = full.run('""', '"" status', '"" reset', 'ota "" ota_1', '"" "" ""', options=["--keep-going"], code=1)
    assert len(session.lines) == 5 and all(line.startswith("Error: ") for line in session.lines)
    assert session.changed == set()


def test_nothing_to_do(full):
    assert full.run("", "   ", "# a remark", "#", "   # ota boot ota_1", "\t", "#ota boot ota_1").lines == []


def test_remark_behind_a_command(full):
    """That is an argument, and refused."""
    assert full.run("ota status nocheck # really", code=1).lines == wrong_arguments("ota status [nocheck|full]")


def test_help(full):
    lines = full.run("help").lines
    names = [line[:33].split("[")[0].strip() for line in lines]
    assert names == sorted(names)
    for name in ("ota copy FROM TO", "ota erase SLOT", "ota partitions list", "vfs cat FILE", "vfs cp FROM TO",
                 "vfs mv FROM TO", "vfs rm FILE", "help", "exit"):
        assert name in names, lines
    assert all(len(line) > 41 and line[40] == " " and line[41] != " " for line in lines), lines


@pytest.mark.parametrize("line, names", [
    ("help ota c", ["ota confirm", "ota copy FROM TO"]), ("help v c", ["vfs cat FILE", "vfs cp FROM TO"]),
    ("help ota flash http", ["ota flash http [URL] [to SLOT] [force]"]), ("help help", ["help [COMMAND]"]),
    ("h e", ["exit"]),
])
def test_help_for(full, line, names):
    assert [entry[:41].strip() for entry in full.run(line).lines] == names


def test_help_for_what_is_none(full):
    assert full.run("help nonsense", code=1).lines == [
        "Error: nonsense: there is no such command - see `help` (ESP_ERR_INVALID_ARG, 258)"]


@pytest.mark.parametrize("length, code", [(1023, 0), (1024, 1), (5000, 1)])
def test_long_line(full, length, code):
    session = full.run("#" + "x" * (length - 1), "ota status nocheck", code=code)
    if code:
        assert session.lines == ["Error: the line is too long - use shorter names (ESP_ERR_INVALID_SIZE, 260)"]
    else:
        assert session.lines == status_lines(FACTORY_VERSION, "factory")


def test_many_words(full):
    session = full.run("ota status" + " x" * 300, "vfs cp" + " x" * 14, options=["--keep-going"], code=1)
    assert session.lines == [*wrong_arguments("ota status [nocheck|full]"), *wrong_arguments("vfs cp FROM TO")]
