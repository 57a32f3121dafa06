# SPDX-License-Identifier: MIT
"""`ota copy`, `ota erase`, `ota partitions list`, `ota status full`: what is in the slots, and moving it about."""

import hashlib

import pytest
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, SIZE, status_lines
from flash_layout import MB, SEVEN_MB, TABLE, area, change, content, flip
from image_builder import build_image
from nvs_reader import read_settings
from refusals import CANCELLED, INCOMPLETE, NO_SLOT, not_bootable, remains
from terminal import CTRL_C, ENTER, Terminal
from web_server import page

VER = "/firmware/ota/v3.1/main/ovms3.ver"
MAGIC = "this does not begin as an application image does"
CHECKSUM = "the checksum of the image is wrong"
RUNNING = "  that slot holds the running firmware - choose another slot, or none (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"
SELECTED = "  that slot boots next - select another one first (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"
BUILD = f"({SIZE} bytes, build idf v3.1-dev-453-g0f978bcb Apr  7 2018 13:11:19)"


@pytest.fixture
def full(make_module):
    """Something in ota_1, nothing in ota_0."""
    return make_module(factory=FACTORY, ota_1=NEWER)


def refused(session):
    assert session.changed == set()
    return session.lines


# ---- ota copy ----


@pytest.mark.parametrize("source, image, version", [("factory", FACTORY, FACTORY_VERSION),
                                                    ("ota_1", NEWER, NEWER_VERSION)])
def test_copy(full, source, image, version):
    """The copy boots when it is told to, and not before."""
    session = full.run(f"ota copy {source} ota_0", "module reset", "ota boot ota_0", "module reset",
                       "ota status nocheck")
    assert session.lines[:7] == [
        "Current running partition is: factory", "Target partition is: ota_0",
        f"Source image is {SIZE} bytes in size", "Preparing flash partition...", "Copying image partition...",
        "OTA copy was successful", f"  Copied {SIZE} bytes from {source} to ota_0"]
    assert session.booted == ["factory", "factory", "ota_0"]
    assert session.lines[8:] == status_lines(version, "ota_0")
    assert content(full.flash, "ota_0", SIZE) == image
    assert content(full.flash, "ota_1", SIZE) == NEWER


def test_copy_over_what_is_there(full):
    session = full.run("ota copy factory ota_1")
    assert session.changed == {"ota_1"}
    assert content(full.flash, "ota_1", SIZE) == FACTORY


def test_copy_to_the_running_slot(full):
    assert refused(full.run("ota copy ota_1 factory", code=1)) == [
        "Error: Cannot copy to currently running partition", RUNNING]


def test_copy_to_the_slot_that_boots_next(full):
    full.run("ota boot ota_1")
    full.confirm()
    flip(full.flash, area("ota_1").start + 100)  # so that it is not the one that runs
    assert refused(full.run("ota copy factory ota_1", code=1)) == ["Error: Cannot copy to boot partition", SELECTED]


def test_copy_to_factory(full):
    full.run("ota boot ota_1")
    full.confirm()
    assert refused(full.run("ota copy ota_1 factory", code=1)) == [
        "Error: that partition is no OTA slot, and factory is never written by an update - "
        "choose an OTA slot, or none (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"]


def test_copy_to_itself(full):
    """Erasing the target would erase the source."""
    lines = refused(full.run("ota copy ota_1 ota_1", code=1))
    assert len([line for line in lines if line.startswith("Error: ")]) == 1, lines
    assert content(full.flash, "ota_1", SIZE) == NEWER


@pytest.mark.parametrize("words", ["nothing ota_0", "ota_1 nothing", "nvs ota_0", "ota_1 store"])
def test_copy_of_what_is_no_slot(full, words):
    assert refused(full.run(f"ota copy {words}", code=1)) == NO_SLOT


@pytest.mark.parametrize("offset, cause", [(0, MAGIC), (100, CHECKSUM)])
def test_copy_of_a_damaged_slot(full, offset, cause):
    flip(full.flash, area("ota_1").start + offset)
    lines = refused(full.run("ota copy ota_1 ota_0", code=1))
    assert lines[-1] == f"Error: ota_1 cannot be copied: {cause} - copy another slot (ESP_ERR_IMAGE_INVALID, 8194)"


def test_cancelled_copy(make_module):
    module = make_module(factory=build_image(FACTORY_VERSION, size=MB))
    with Terminal(module, "--timing", "w25q128jv") as terminal:  # this copy takes some seconds
        terminal.keys("ota copy factory ota_0", ENTER)
        terminal.wait_for("Copying image partition...")
        module.wait_until_written()
        terminal.keys(CTRL_C)
        terminal.wait_for("Next boot will be from")  # what is typed before that is echoed in between
        terminal.settle()
        at = next(at for at, row in enumerate(terminal.rows) if row.endswith(CANCELLED))
        assert terminal.rows[at + 1:at + 3] == remains(INCOMPLETE)
        assert terminal.command("ota boot ota_0") == not_bootable("ota_0", MAGIC)


# ---- ota erase ----


@pytest.mark.parametrize("slot", ["ota_0", "ota_1"])
def test_erase(full, slot):
    change(full.flash, (area("ota_0").end - 8, b"leftover"))
    session = full.run(f"ota erase {slot}", "ota status nocheck")
    assert session.lines[:2] == ["OTA Erase: Erasing partition...", "Partition erase complete"]
    assert session.lines[2:] == status_lines(FACTORY_VERSION, "factory")
    assert session.changed == {slot}
    assert content(full.flash, slot) == b"\xff" * area(slot).size


@pytest.mark.parametrize("slot", ["factory", "ota_1"])
def test_erase_of_the_running_slot(full, slot):
    full.run(f"ota boot {slot}")
    if slot != "factory":
        full.confirm()
    lines = refused(full.run(f"ota erase {slot}", code=1))
    assert lines == ["Error: Cannot erase currently running partition", RUNNING]


def test_erase_of_the_slot_that_boots_next(full):
    session = full.run("ota boot ota_1", "ota erase ota_1", code=1)
    assert session.lines[1:] == ["Error: Cannot erase boot partition", SELECTED]
    assert session.changed == {"otadata"}


def test_erase_of_factory(full):
    full.run("ota boot ota_1")
    full.confirm()
    lines = refused(full.run("ota erase factory", code=1))
    assert len(lines) == 1
    assert lines[0].endswith("(ESP_ERR_OTA_PARTITION_CONFLICT, 5377)")


@pytest.mark.parametrize("name", ["nothing", "nvs", "otadata", "store"])
def test_erase_of_what_is_no_slot(full, name):
    assert refused(full.run(f"ota erase {name}", code=1)) == NO_SLOT


# ---- ota partitions list ----

KINDS = {"nvs": "data       nvs", "otadata": "data       ota", "phy_init": "data       phy",
         "factory": "app        factory", "ota_0": "app        ota_0", "ota_1": "app        ota_1",
         "store": "data       fat"}


def table_lines(layout):
    rows = [found for found in layout if found.name in KINDS]
    return ["Label            Type       Subtype    Address    Size",
            *(f"{found.name:16} {KINDS[found.name]:21} 0x{found.start:08x} 0x{found.size:08x}" for found in rows)]


def table_digest(module):
    """The MD5 of the rows before the row that states it."""
    table = content(module.flash, "table")
    return hashlib.md5(table[:table.index(b"\xeb\xeb")]).hexdigest()


def test_partitions(module):
    lines = refused(module.run("ota partitions list"))
    assert lines[0] == f"Partition table: at 0x8000, MD5 {table_digest(module)} (pass)"
    assert lines[1:] == table_lines(module.layout)


def test_partitions_without_factory(make_module):
    module = make_module(SEVEN_MB, ota_0=FACTORY)
    lines = refused(module.run("ota partitions list"))
    assert lines[0] == f"Partition table: at 0x8000, MD5 {table_digest(module)} (pass)"
    assert lines[1:] == table_lines(SEVEN_MB)


def test_partitions_from_the_copy(module):
    digest = table_digest(module)
    flip(module.flash, TABLE + 12)
    lines = refused(module.run("ota partitions list"))
    assert lines[0] == (
        "Partition table: copy at 0x7000, not the one at 0x8000 (FAIL: the partition table does not have "
        f"the MD5 that it states); MD5 {digest} (pass)")
    assert lines[1:] == table_lines(module.layout)


# ---- ota status full ----


def full_lines(module, available):
    status = status_lines(FACTORY_VERSION, "factory", available=available)
    return [*status, "Hardware:          esp32 v3.0, 16 MB flash", "Partition type:    factory and 2 OTA slots",
            f"Partition table:   at 0x8000, MD5 {table_digest(module)} (pass)",
            f"Factory image:     {FACTORY_VERSION} {BUILD}"]


@pytest.mark.parametrize("version, verdict", [("3.1.003", " (is newer)"), ("3.1.001", " (no update required)"),
                                              ("3.0.999", " (is older)")])
def test_full_status(module, web, version, verdict):
    web.pages[VER] = page(version.encode() + b"\n")
    change(module.flash, (area("ota_1").start, NEWER[:-1]))
    lines = refused(module.run("ota status full"))
    assert lines == [*full_lines(module, version + verdict), f"OTA_0 image:       none that boots: {MAGIC}",
                     "OTA_1 image:       none that boots: the SHA-256 of the image is wrong"]


def test_full_status_without_a_network(full):
    lines = refused(full.run("ota status full"))
    assert lines == [*full_lines(full, "not known: there is no network"),
                     f"OTA_0 image:       none that boots: {MAGIC}", f"OTA_1 image:       {NEWER_VERSION} {BUILD}"]


def test_plain_status_says_nothing_of_it(module, web):
    web.pages[VER] = page(b"3.1.003\n")
    assert refused(module.run("ota status")) == status_lines(FACTORY_VERSION, "factory", available="3.1.003")


# ---- what an update keeps in nvs ----


def settings(module):
    return read_settings(content(module.flash, "nvs"))


def test_source_is_kept(module, web):
    """By an update that succeeded, and only if it was named: then it is what Tab offers the next time."""
    card = module.put("ovms3.bin", NEWER)
    web.pages["/x.bin"] = page(NEWER)
    web.pages["/firmware/ota/v3.1/main/ovms3.bin"] = page(NEWER)
    module.run("ota flash http")
    assert settings(module) == {}
    module.run(f"ota flash vfs {card}")
    assert settings(module) == {("ota", "vfs.mru"): card}
    module.run(f"ota flash http {web.url('/x.bin')}")
    assert settings(module) == {("ota", "vfs.mru"): card, ("ota", "http.mru"): web.url("/x.bin")}


def test_source_of_a_failure_is_not_kept(module):
    card = module.put("ovms3.bin", NEWER[:-1])
    module.run(f"ota flash vfs {card}", code=1)
    assert settings(module) == {}
