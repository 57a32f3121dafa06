# SPDX-License-Identifier: MIT
"""The history of updates: `ota history` on the console, `lifeboat flash history` of a dump, and the flash itself."""

import json
import re
import signal
import time

import pytest
from depot_server import lifeboat
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, OLDER, OLDER_VERSION, SIZE, status_lines
from flash_layout import area
from history_reader import make_entry, read_history
from image_builder import build_image
from second_console import BEGUN, Wire
from virtual_module import wait_until
from web_server import Parts, announce, slowly

VIRTUAL = ("--clock", "virtual")
BIN = "/firmware/ota/v3.1/main/ovms3.bin"
DATE = re.compile(r"2\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC")
ON_TRIAL = "flashed, its trial has not ended yet"
RESTARTED = "interrupted: the module was restarted"
SUPERSEDED = "superseded: something else was selected before its trial ended"
NO_UPDATES = ["No updates yet"]


def entries(module):
    """What is in the flash, read by none of the project's code."""
    nvs = area("nvs", module.layout)
    return read_history(module.flash.read_bytes()[nvs.start:nvs.end])


def told(lines):
    """[(number, firmware, source, result)] of the lines of `ota history`, whose dates have to be dates."""
    found = []
    for head, firmware, source, result in zip(*[iter(lines)] * 4):
        number, _, begun = head.removeprefix("Update ").partition(": ")
        assert DATE.fullmatch(begun), head
        result, _, ended = result.removeprefix("  Result:   ").partition("; ")
        assert result == "under way" or DATE.fullmatch(ended), result
        found.append((int(number), firmware.removeprefix("  Firmware: "), source.removeprefix("  Source:   "), result))
    assert len(found) * 4 == len(lines), lines
    return found


def history(module, *options):
    """What `ota history` tells, compared with what the tool tells of the same flash."""
    lines = module.run("ota history", options=options).lines
    done = lifeboat("flash", "history", module.flash)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.splitlines() == lines
    return told(lines) if lines != NO_UPDATES else []


def flashed(number, card, version=NEWER_VERSION, slot="ota_0", result=ON_TRIAL):
    return number, f"{FACTORY_VERSION} in factory -> {version} in {slot}", f"{card} ({SIZE} bytes)", result


def test_none(module):
    before = module.flash.read_bytes()
    assert history(module) == []
    assert module.flash.read_bytes() == before
    assert json.loads(lifeboat("flash", "history", module.flash, "--json").stdout) == \
        {"file": str(module.flash), "updates": []}


def test_flashed_and_confirmed(module):
    card = module.put("ovms3.bin", NEWER)
    start = int(time.time())
    session = module.run(f"ota flash vfs {card}", "ota history")
    assert told(session.lines[-4:]) == [flashed(1, card)]
    assert history(module) == [flashed(1, card)]  # that boots what was flashed
    session = module.run("ota confirm", "module wait 130", "ota history", options=VIRTUAL)
    assert told(session.lines[-4:]) == [flashed(1, card, result="confirmed")]
    assert history(module) == [flashed(1, card, result="confirmed")]
    entry, = entries(module)
    assert (entry.result, entry.cause, entry.size, entry.source) == ("confirmed", 0, SIZE, card)
    assert (entry.slot, entry.from_slot, entry.version) == ("ota_0", "factory", NEWER_VERSION)
    assert entry.digest == NEWER[-32:] and entry.elf_sha256 == NEWER[32 + 144:32 + 176]
    assert start <= entry.begun <= time.time() and entry.begun < entry.ended


def test_superseded(module):
    card = module.put("ovms3.bin", NEWER)
    module.run(f"ota flash vfs {card}", "ota boot factory")
    assert history(module) == [flashed(1, card, result=SUPERSEDED)]


def test_rejected_by_the_operator(module):
    card = module.put("ovms3.bin", NEWER)
    session = module.start(*VIRTUAL)
    session.send(f"ota flash vfs {card}")
    session.send("module reset")
    session.send("ota reject")
    session.check_life()
    session.end()
    assert history(module) == [flashed(1, card, result="failed its trial: rejected by the operator")]


def test_crashed(module):
    """What failed is refused with its date, until somebody insists; the second try is an update of its own."""
    card = module.put("ovms3.bin", NEWER)
    session = module.start(*VIRTUAL, "--fault", "ota_0=crash-at-start")
    session.send(f"ota flash vfs {card}")
    session.send("module reset")
    for _ in range(3):
        session.check_life()
    session.send("ota history")
    session.send(f"ota flash vfs {card}")
    session.end(code=1)
    failed = flashed(1, card, result="failed its trial: it crashed")
    assert history(module) == [failed]
    refused = next(line for line in session.lines if line.startswith("Error: this firmware failed its trial on "))
    assert DATE.search(refused) and "it crashed" in refused
    assert module.run(f"ota flash vfs {card} force").lines[-2] == f"  Flashed {SIZE} bytes from {card}"
    assert history(module) == [flashed(2, card, slot="ota_1"), failed]


# ---- updates that fail ----


def test_refused_ones_leave_nothing(module):
    other = module.put("other.bin", build_image("3.1.009", size=SIZE, chip="esp32s3"))
    module.run(f"ota flash vfs {other}", code=1)
    module.run("ota flash vfs /sd/missing.bin", code=1)
    module.run("ota flash http", code=1)
    module.run("ota copy factory ota_1")  # and that is no update
    assert history(module) == []


def test_bad_image(module):
    bad = bytearray(NEWER)
    bad[40000] ^= 1
    card = module.put("bad.bin", bytes(bad))
    module.run(f"ota flash vfs {card}", code=1)
    (number, firmware, source, result), = history(module)
    assert (number, firmware, source) == flashed(1, card)[:3]
    assert re.fullmatch(r"failed: .+ \(ESP_ERR_[A-Z_]+, \d+\)", result)
    assert [entry.result for entry in entries(module)] == ["failed"]
    update, = json.loads(lifeboat("flash", "history", module.flash, "--json").stdout)["updates"]
    assert update["result"] == "failed" and update["error"]["name"].startswith("LB_ERR_IMAGE_")


def test_power_cut_and_gone_on_with(module, web):
    """One entry, with the time at which it was begun first."""
    card = module.put("ovms3.bin", NEWER)
    web.pages["/x.bin"] = slowly(NEWER, pieces=100, pause=0.1)
    url = web.url("/x.bin")
    session = module.start()
    session.send(f"ota flash http {url}")
    session.wait_for(BEGUN)
    wait_until(lambda: entries(module), "entry")
    session.kill()
    assert entries(module)[0].result == "begun"
    begun, came = entries(module)[0].begun, entries(module)[0].transferred
    assert 0 < came < SIZE
    assert [update[3] for update in history(module)] == [RESTARTED]
    web.pages["/x.bin"] = lambda visit: visit.send(announce(NEWER) + NEWER)
    module.run(f"ota flash http {url}")
    (number, firmware, source, result), = history(module)
    assert (number, firmware) == flashed(1, url)[:2] and result == ON_TRIAL
    assert source == f"{url} ({SIZE} bytes, {SIZE + came} transferred)"  # the server sends no parts: it started over
    assert entries(module)[0].begun == begun
    module.run("ota boot factory")
    module.run(f"ota flash vfs {card} to ota_1")
    assert [update[0] for update in history(module)] == [2, 1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ended_by_a_signal(module, web, number):
    web.pages["/x.bin"] = slowly(NEWER, pieces=100, pause=0.1)
    session = module.start()
    session.send(f"ota flash http {web.url('/x.bin')}")
    session.wait_for(BEGUN)
    wait_until(lambda: entries(module), "entry")
    session.end(code=130, number=number)
    assert [update[3] for update in history(module)] == ["interrupted: the command was cancelled"]


# ---- more than there is room for ----


def test_the_last_sixteen(module):
    """Twenty updates in one run of the module, and what all of them leave in nvs: entries, and the source."""
    cards = [module.put(f"{number}.bin", build_image(f"3.2.{number:03}", size=8192)) for number in range(1, 21)]
    session = module.run(*[f"ota flash vfs {card} to ota_0" for card in cards], "ota history")
    updates = told(session.lines[-4 * 16:])
    assert [update[0] for update in updates] == list(range(20, 4, -1))
    for number, firmware, source, result in updates:
        assert firmware == f"{FACTORY_VERSION} in factory -> 3.2.{number:03} in ota_0"
        assert source == f"/sd/{number}.bin (8192 bytes)"
        assert result == (ON_TRIAL if number == 20 else SUPERSEDED)
    assert [entry.number for entry in entries(module)] == list(range(20, 4, -1))
    assert len(history(module)) == 16


def test_long_source(module, web):
    path = f"/{'x' * 200}/ovms3.bin"
    web.pages[path] = lambda visit: visit.send(announce(NEWER) + NEWER)
    module.run(f"ota flash http {web.url(path)}")
    (_, _, source, _), = history(module)
    assert re.fullmatch(r"\.\.\.x+/ovms3\.bin \(71680 bytes\)", source) and len(entries(module)[0].source) == 96


# ---- what it took and cost ----

STRINGS = ("host/ovms3.bin", "ota_0", "factory", NEWER_VERSION, FACTORY_VERSION)


def put_entries(module, *blobs):
    for place, blob in enumerate(blobs):
        done = lifeboat("flash", "settings", module.flash, "--set", "lifeboat", f"update.{place}", "blob", blob.hex())
        assert done.returncode == 0, done.stderr


def last_update(module, *words):
    return [line for line in module.run(" ".join(("ota status", *words))).lines if line.startswith("Last update:")]


def test_what_it_took(module):
    """Entries as they may be found, also of older firmware; console, tool and JSON say the same of each."""
    put_entries(module, make_entry(1, 1, "confirmed", 3670032, STRINGS),
                make_entry(2, 2, "confirmed", 3670032, (*STRINGS, ""), 3670032),
                make_entry(2, 3, "confirmed", 3670032, (*STRINGS, ""), 4100000),
                make_entry(2, 4, "failed", 3670032, (*STRINGS, ""), 80000),
                make_entry(2, 5, "confirmed", 3670032, (*STRINGS, "-"), 2021303),
                make_entry(2, 6, "confirmed", 3670032, (*STRINGS, "ota_1"), 562),
                make_entry(2, 7, "confirmed", 3670032, (*STRINGS, "factory")))
    assert [source for _, _, source, _ in history(module)] == [
        "host/ovms3.bin (patch from factory instead of 3670032 bytes)",
        "host/ovms3.bin (patch from ota_1, 562 bytes instead of 3670032)",
        "host/ovms3.bin (compressed image, 2021303 bytes instead of 3670032)",
        "host/ovms3.bin (3670032 bytes, 80000 transferred)",
        "host/ovms3.bin (3670032 bytes, 4100000 transferred)", "host/ovms3.bin (3670032 bytes)",
        "host/ovms3.bin (3670032 bytes)"]
    updates = json.loads(lifeboat("flash", "history", module.flash, "--json").stdout)["updates"]
    assert [(update["transferred"], update["patch_base"]) for update in updates] == [
        (None, "factory"), (562, "ota_1"), (2021303, "-"), (80000, None), (4100000, None), (3670032, None), (None, None)]


@pytest.mark.parametrize("entry, plain, full", [
    (make_entry(2, 9, "confirmed", 3670032, (*STRINGS, "ota_1"), 562), True,
     "patch from ota_1, 562 bytes instead of 3670032"),
    (make_entry(2, 9, "rejected", 3670032, (*STRINGS, "-"), 2021303), True,
     "compressed image, 2021303 bytes instead of 3670032"),
    (make_entry(2, 9, "superseded", 3670032, (*STRINGS, ""), 3670032), False, "3670032 bytes"),
    (make_entry(1, 9, "confirmed", 3670032, STRINGS), False, "3670032 bytes"),
    (make_entry(2, 9, "failed", 3670032, (*STRINGS, "ota_1"), 562), True, None),
    (make_entry(2, 9, "interrupted", 3670032, (*STRINGS, "ota_1"), 562), True, None),
])
def test_last_update(module, entry, plain, full):
    """In the plain status only after a patch; what did not come to its end is passed over."""
    put_entries(module, make_entry(2, 8, "confirmed", 4000, (*STRINGS, "ota_0"), 40), entry)
    full = f"Last update:       {full or 'patch from ota_0, 40 bytes instead of 4000'}"
    assert last_update(module, "full") == [full]
    assert module.run("ota status nocheck").lines == \
        status_lines(FACTORY_VERSION, "factory") + ([full] if plain else [])


def test_what_was_kept_counts_once(module, web):
    """After a loss of power only the rest comes, and the bytes of both attempts are those of the image."""
    image = build_image("3.1.004", size=409600 - 1024)
    web.pages[BIN] = Parts(image)
    web.pages[BIN].holds = [300000]
    session = module.start()
    session.send("ota flash http")
    wait_until(lambda: session.text.count("Downloading...") == 2, "second line of progress")
    session.kill()
    session = module.run("ota flash http")
    resumed, = [int(line.split()[2]) for line in session.lines if line.startswith("Resuming at ")]
    assert resumed > 65535 and [first for first, _ in web.pages[BIN].asked] == [None, resumed]
    entry, = entries(module)
    assert entry.transferred == len(image)


def test_plain_update_counts(module):
    card = module.put("ovms3.bin", NEWER)
    module.run(f"ota flash vfs {card}")
    assert last_update(module, "nocheck") == []
    assert last_update(module, "full") == [f"Last update:       {SIZE} bytes"]
    entry, = entries(module)
    assert (entry.transferred, entry.patch_base) == (SIZE, "")
    assert history(module) == [flashed(1, card)]


# ---- beside it ----


def test_no_setting(module):
    """Entries are neither listed nor changed as settings."""
    card = module.put("ovms3.bin", NEWER)
    module.run(f"ota flash vfs {card}")
    before = entries(module)[0].bytes
    assert not any("lifeboat" in line for line in module.run("config list").lines)
    module.run("config list lifeboat", code=1)
    assert module.run("config set lifeboat update.0 x", code=1).lines == [
        "Error: lifeboat update.0: this setting does not take such a value - the history of updates is kept there, name "
        "another parameter (ESP_ERR_INVALID_ARG, 258)"]
    module.run("config rm lifeboat update.0", code=1)
    assert entries(module)[0].bytes == before
    done = lifeboat("flash", "settings", module.flash)
    assert done.returncode == 0 and "lifeboat.update.0" in done.stdout


def test_under_way(module, web, tmp_path):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    path = tmp_path / "socket"
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    with Wire(path) as wire:
        session.send("ota flash http")
        session.wait_for(BEGUN)
        wait_until(lambda: entries(module), "entry")
        lines, result = wire.execute("ota history")
        assert result == 0
        (number, _, _, said), = told(lines)
        assert (number, said) == (1, "under way")
        session.end(code=130, number=signal.SIGINT)


def test_without_nvs(module, tmp_path):
    """The update works; `ota history` says once why it has nothing to tell."""
    csv = tmp_path / "table.csv"
    csv.write_text("otadata, data, ota, 0xd000, 0x2000\nphy_init, data, phy, 0xf000, 0x1000\n"
                   "factory, app, factory, 0x10000, 4M\nota_0, app, ota_0, 0x410000, 4M\n"
                   "ota_1, app, ota_1, 0x810000, 4M\nstore, data, fat, 0xc10000, 1M\n")
    done = lifeboat("flash", "table", module.flash, "--set", csv, "--production")
    assert done.returncode == 0, done.stderr
    card = module.put("ovms3.bin", NEWER)
    assert f"  Flashed {SIZE} bytes from {card}" in module.run(f"ota flash vfs {card}").lines
    lines = module.run("ota history").lines
    assert lines[0] == "No updates known"
    assert len(lines) == 2
    assert lines[1].startswith("  The history of updates cannot be kept: there is no such partition")
    done = lifeboat("flash", "history", module.flash)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {module.flash}: the partition table has no nvs partition\n"


def test_full_nvs(module):
    """Also after a reset, when nothing has been tried yet."""
    assert history(module) == []
    for name, size in ("l", 1800), ("m", 400), ("s", 1):
        number = 0
        while lifeboat("flash", "settings", module.flash, "--set", "full", f"{name}{number}", "string",
                       "x" * size).returncode == 0:
            number += 1
    module.run(f"ota flash vfs {module.put('ovms3.bin', NEWER)}")
    lines = module.run("ota history").lines
    assert lines == ["No updates known", "  The nvs partition has no room for the history of updates: some may be missing - "
                                         "remove settings first"]
    assert lifeboat("flash", "history", module.flash).stdout.splitlines() == lines


def test_damaged_entry_is_left_out(module):
    for number, image in enumerate((NEWER, OLDER), 1):
        module.run(f"ota flash vfs {module.put(f'{number}.bin', image)}", "ota boot factory")
    assert [update[0] for update in history(module)] == [2, 1]
    nvs = area("nvs")
    content = module.flash.read_bytes()[nvs.start:nvs.end]
    at = content.rindex(OLDER_VERSION.encode())
    with open(module.flash, "r+b") as file:
        file.seek(nvs.start + at)
        file.write(b"\0")
    lines = module.run("ota history").lines
    assert [update[0] for update in told(lines)] == [1]


def test_tool_refuses(tmp_path):
    assert lifeboat("flash", "history").returncode == 2
    assert lifeboat("flash", "history", tmp_path / "missing.bin").returncode == 1
    (tmp_path / "blank.bin").write_bytes(b"\xff" * (4 << 20))
    assert lifeboat("flash", "history", tmp_path / "blank.bin").returncode == 1


def test_factory_is_as_it_was(module):
    """All of that goes into nvs, otadata and OTA slots."""
    card = module.put("ovms3.bin", NEWER)
    session = module.run(f"ota flash vfs {card}", "ota history")
    assert session.changed <= {"ota_0", "otadata"}
    start = area("factory").start
    assert module.flash.read_bytes()[start:start + SIZE] == FACTORY
