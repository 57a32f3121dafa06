# SPDX-License-Identifier: MIT
"""The newer layout, two slots of 7 MB and no factory: nothing may assume the first one."""

import pytest
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, OLDER, OLDER_VERSION, status_lines
from flash_layout import MB, OTADATA, SEVEN_MB, area, change, content, flip, record
from image_builder import build_image
from refusals import NO_SLOT
from terminal import CTRL_C, TAB, Terminal
from web_server import page

BIN = "/firmware/ota/v3.1/main/ovms3.bin"


@pytest.fixture
def module(make_module):
    return make_module(SEVEN_MB, ota_0=FACTORY)


def test_blank_otadata_boots_ota_0(module):
    session = module.run("ota status nocheck")
    assert content(module.flash, "otadata", layout=SEVEN_MB) == b"\xff" * 0x2000
    assert session.lines == status_lines(FACTORY_VERSION, "ota_0")
    assert session.booted == ["ota_0"]


def test_there_is_no_factory(module):
    session = module.run("ota boot factory", code=1)
    assert session.lines == NO_SLOT
    assert session.changed == set()


def test_there_and_back(web, module):
    """An update goes to ota_1, the next one back to ota_0, and so on."""
    web.pages[BIN] = page(NEWER)
    card = module.put("ovms3.bin", OLDER)
    boots = ("module reset", "ota status nocheck")
    confirmed = (*boots, "ota confirm", "module wait 120")
    session = module.run("ota flash http", *confirmed, f"ota flash vfs {card}", *confirmed, "ota flash http", *boots,
                         options=["--clock", "virtual"])
    assert session.booted == ["ota_0", "ota_1", "ota_0", "ota_1"]
    targets = [line for line in session.lines if line.startswith("Target partition is")]
    assert targets == [f"Target partition is: {slot}" for slot in ("ota_1", "ota_0", "ota_1")]
    for version, slot in ((NEWER_VERSION, "ota_1"), (OLDER_VERSION, "ota_0")):
        expected = status_lines(version, slot)
        assert any(session.lines[at:at + 3] == expected for at in range(len(session.lines))), (version, slot)


def test_boot_line_has_the_addresses_of_this_table(make_module):
    module = make_module(SEVEN_MB, ota_0=FACTORY, ota_1=NEWER)
    session = module.run("ota boot ota_1", "module reset", "ota boot ota_0", "module reset", "ota status nocheck")
    assert session.lines[:2] == ["Boot from ota_1 at 0x00710000 (size 0x00700000)",
                                 "Boot from ota_0 at 0x00010000 (size 0x00700000)"]
    assert session.booted == ["ota_0", "ota_1", "ota_0"]


def test_image_larger_than_four_megabytes(module):
    image = build_image(NEWER_VERSION, size=6 * MB)
    card = module.put("large.bin", image)
    session = module.run(f"ota flash vfs {card}", "module reset", "ota status nocheck")
    assert session.lines[-3:] == status_lines(NEWER_VERSION, "ota_1")
    assert content(module.flash, "ota_1", len(image), SEVEN_MB) == image


def test_flash_to_the_running_slot(module):
    """Nothing is selected, and ota_0 runs all the same."""
    card = module.put("ovms3.bin", NEWER)
    session = module.run(f"ota flash vfs {card} to ota_0", code=1)
    assert session.lines[0] == "Error: Cannot flash to running image partition"
    assert session.changed == set()


@pytest.mark.parametrize("damaged, boots", [("ota_1", "ota_0"), ("ota_0", "ota_1")])
def test_failover(make_module, damaged, boots):
    module = make_module(SEVEN_MB, ota_0=FACTORY, ota_1=NEWER)
    sequence = {"ota_0": 1, "ota_1": 2}[damaged]
    change(module.flash, (OTADATA, record(sequence)))
    flip(module.flash, area(damaged, SEVEN_MB).start + 100)
    session = module.run("ota status nocheck")
    version = {"ota_0": FACTORY_VERSION, "ota_1": NEWER_VERSION}[boots]
    assert session.lines == status_lines(version, boots, damaged)
    assert f"boot: falling back to {boots}" in session.boot_log


def test_nothing_verifies(module):
    flip(module.flash, area("ota_0", SEVEN_MB).start + 100)
    session = module.run(code=3)
    assert session.boot_log.splitlines()[-1] == (
        "boot: halted: no slot holds an image that verifies - flash a firmware by cable")


def test_halt_without_factory_does_not_advise_it(module):
    """There is no factory slot here that could be flashed."""
    flip(module.flash, area("ota_0", SEVEN_MB).start + 100)
    assert "factory" not in module.run(code=3).boot_log


def test_completion_offers_no_factory(module):
    with Terminal(module) as terminal:
        terminal.keys("ota boot ", TAB, "0", line="ota boot ota_0")
        terminal.keys(CTRL_C)
