# SPDX-License-Identifier: MIT
"""Firmware on trial, in whole sessions: what goes back, what does not, and what the owner is told of it."""

import re
import signal

import pytest
from depot_server import lifeboat
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, OLDER, OLDER_VERSION, SIZE, firmware_line, \
    status_lines
from flash_layout import SEVEN_MB, area, change, content
from image_builder import build_image
from second_console import Wire
from terminal import PROMPT, Terminal
from virtual_module import wait_until
from web_server import WebServer, page

VERSION_FILE = "/firmware/ota/v3.1/main/ovms3.ver"
IMAGE_FILE = "/firmware/ota/v3.1/main/ovms3.bin"
VIRTUAL = ("--clock", "virtual")
BOOT_OTA_1 = ["Boot from ota_1 at 0x00810000 (size 0x00400000)"]
RESET = "Error: the module was reset during the command - give it again (ESP_ERR_INVALID_STATE, 259)"
MISSING_BOTH = ("  It is confirmed when it has run 120 second(s) and has reached its depot, in place of which `ota confirm` "
                "counts")
MISSING_DEPOT = "  It is confirmed when it has reached its depot, or by `ota confirm`"
MISSING_TIME = "  It is confirmed when it has run 120 second(s)"
WORD = "  `ota confirm` was said, which counts as reaching the depot; a reset forgets it"
FORGOTTEN = "  A reset before that forgets it: say `ota confirm` again then"
DATE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


def fault(*faults):
    return (*VIRTUAL, *(word for one in faults for word in ("--fault", one)))


def boot_status(seconds, resets, reason, *more, crashes=0, early=None):
    return [f"Last boot was {seconds} second(s) ago", f"  This is reset #{resets} since last power cycle",
            f"  Detected boot reason: {reason}",
            f"  Crash counters: {crashes} total, {crashes if early is None else early} early", *more]


def on_trial(attempt, run=0, time=120, attempts=3):
    return f"  On trial: attempt {attempt} of {attempts}, {run} second(s) of {time} run"


def boot_log(slot, version, *, trial=None, way=""):
    attempt = f" on trial, attempt {trial} of 3" if trial else ""
    return [f"boot: selected: {slot}", f"boot: {slot}: verified, version {version}",
            *([f"boot: {way} {slot}"] if way else []), f"boot: starting {slot}{attempt}"]


def failed_boots(slot, version, end):
    """Three attempts, each of which ends with that line."""
    return [line for trial in (1, 2, 3) for line in (*boot_log(slot, version, trial=trial), end)]


@pytest.fixture
def full(make_module):
    """Factory runs; there is a firmware in each slot that was never confirmed."""
    return make_module(factory=FACTORY, ota_0=OLDER, ota_1=NEWER)


@pytest.fixture
def trial(full):
    """ota_1 is selected on trial, and boots next for the first time."""
    assert full.run("ota boot ota_1").lines == BOOT_OTA_1
    return full


@pytest.fixture
def web_server():
    with WebServer() as server:
        yield server


# ---- crashes ----


@pytest.mark.parametrize("kind, line, cause, reason", [
    ("crash-at-start", "module: ota_1 crashed", "it crashed", "Crash"),
    ("hang", "module: watchdog reset", "it hung", "Watchdog"),
])
def test_crash_loop_goes_back_to_factory(full, kind, line, cause, reason):
    session = full.run("ota boot ota_1", "module reset", "boot status", "ota status nocheck",
                       options=fault(f"ota_1={kind}"), crashes=3)
    assert session.lines == [
        *BOOT_OTA_1,
        *boot_status(0, 4, reason, f"  ota_1 failed its trial ({cause}); factory was booted instead", crashes=3),
        *status_lines(FACTORY_VERSION, "factory")]
    assert session.boot_log.splitlines() == [
        *boot_log("factory", FACTORY_VERSION), *failed_boots("ota_1", NEWER_VERSION, line),
        f"boot: ota_1: failed its trial: {cause}", *boot_log("factory", FACTORY_VERSION, way="going back to")]
    assert session.changed == {"otadata"}
    again = full.run("boot status", options=fault(f"ota_1={kind}"))  # and it stays there
    assert again.lines == boot_status(0, 0, "PowerOn",
                                      f"  ota_1 failed its trial ({cause}); factory was booted instead")
    assert again.boot_log.splitlines() == boot_log("factory", FACTORY_VERSION)
    assert again.changed == set()


def test_crash_loop_goes_back_to_what_was_confirmed(full):
    full.run("ota boot ota_0")
    full.confirm()
    session = full.run("ota boot ota_1", "module reset", "boot status", options=fault("ota_1=crash-at-start"), crashes=3)
    assert session.booted == ["ota_0", "ota_1", "ota_1", "ota_1", "ota_0"]
    assert session.lines[1:] == boot_status(
        0, 4, "Crash", "  ota_1 failed its trial (it crashed); ota_0 was booted instead", crashes=3)
    assert full.run("ota status nocheck").lines == status_lines(OLDER_VERSION, "ota_0")


def test_crash_loop_without_factory(make_module):
    module = make_module(layout=SEVEN_MB, ota_0=OLDER, ota_1=NEWER)
    session = module.run("ota boot ota_1", "module reset", "boot status", options=fault("ota_1=hang"), crashes=3)
    assert session.booted == ["ota_0", "ota_1", "ota_1", "ota_1", "ota_0"]
    assert session.lines[-1] == "  ota_1 failed its trial (it hung); ota_0 was booted instead"


def test_crashes_in_different_power_cycles_add_up(trial):
    """A crash counts whenever it comes, also behind the trial time."""
    for attempt in (1, 2):
        session = trial.run("module wait 500", "boot status", options=(*fault("ota_1=crash-after:400"), "--keep-going"),
                            code=1, crashes=1)
        assert session.lines == [RESET, *boot_status(0, 1, "Crash", on_trial(attempt + 1), MISSING_BOTH, crashes=1,
                                                         early=0)]
    session = trial.run("module wait 500", "boot status", options=(*fault("ota_1=crash-after:400"), "--keep-going"),
                        code=1, crashes=1)
    assert session.lines[-1] == "  ota_1 failed its trial (it crashed); factory was booted instead"


def test_crash_in_the_middle_of_an_update(full):
    big = build_image("3.1.009", size=1 << 20)
    card = full.put("big.bin", big)
    full.run("ota boot ota_1")
    session = full.run(f"ota flash vfs {card} to ota_0", "boot status", "ota status nocheck",
                       options=(*fault("ota_1=crash-after:2"), "--timing", "w25q128jv", "--keep-going"), code=1, crashes=1)
    assert session.booted == ["ota_1", "ota_1"]
    assert RESET in session.lines
    assert on_trial(2) in session.lines
    assert session.lines[-4:-1] == status_lines(NEWER_VERSION, "ota_1")
    assert content(full.flash, "ota_0", 24) == b"\xff" * 24
    again = full.run(f"ota flash vfs {card} to ota_0", "module reset", "ota status nocheck")
    assert again.lines[-3:] == status_lines("3.1.009", "ota_0")


def test_confirmed_firmware_may_crash(trial):
    trial.confirm()
    session = trial.run(*["module wait 20"] * 6, "boot status", options=(*fault("ota_1=crash-after:15"), "--keep-going"),
                        code=1, crashes=6)
    assert session.booted == ["ota_1"] * 7
    assert session.lines == [RESET] * 6 + boot_status(0, 6, "Crash", crashes=6)


def test_two_firmwares_that_crash(full):
    """Both slots are tried and given up; factory stays."""
    options = fault("ota_0=crash-at-start", "ota_1=hang")
    assert full.run("ota boot ota_1", "module reset", "exit", options=options, crashes=3).booted[-1] == "factory"
    assert full.run("ota boot ota_0", "module reset", "exit", options=options, crashes=3).booted[-1] == "factory"
    session = full.run("ota status full")
    assert session.booted == ["factory"]
    assert "Failed trial:      ota_1: it hung" in session.lines or "Failed trial:      ota_0: it crashed" in session.lines


# ---- a factory that crashes ----


@pytest.mark.parametrize("kind", ["crash-at-start", "hang"])
def test_factory_that_crashes_for_ever(module, kind):
    session = module.run("boot status", options=fault(f"factory={kind}"), code=3, crashes=99)
    assert session.lines == []
    assert session.booted == ["factory"] * 100
    assert session.boot_log.splitlines()[-1] == \
        "Error: 100 crashes without a line being read - start it without --fault factory=..."
    assert session.changed == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_module_that_hangs(module, number):
    session = module.start("--fault", "factory=hang")  # on the real clock: five seconds each time
    wait_until(lambda: session.booted, "boot")
    session.end(code=130, number=number)
    assert session.booted == ["factory"]


def test_crash_after_each_line_is_no_loop(module):
    """Crashes are only counted while no line is read."""
    session = module.run(*["module wait 5"] * 120, "boot status", options=(*fault("factory=crash-after:1"), "--keep-going"),
                         code=1, crashes=120)
    assert session.lines[-1] == "  Crash counters: 120 total, 120 early"


# ---- power ----


def test_power_cuts_before_the_trial_time_count(trial):
    for attempt in (1, 2, 3):
        session = trial.start(*VIRTUAL)
        session.send("boot status")
        session.wait_for("  It is confirmed")
        assert session.lines == boot_status(0, 0, "PowerOn", on_trial(attempt), MISSING_BOTH)
        session.kill()
    session = trial.run("boot status")
    assert session.lines == boot_status(
        0, 0, "PowerOn",
        "  ota_1 failed its trial (the power was lost before its trial time had run); factory was booted instead")


def test_power_cuts_behind_the_trial_time_do_not_count(trial):
    for _ in range(5):
        session = trial.start(*VIRTUAL)
        session.send("module wait 120")
        session.send("boot status")
        session.wait_for("  It is confirmed")
        assert session.lines == boot_status(120, 0, "PowerOn", on_trial(1, 120), MISSING_DEPOT)
        session.kill()
    assert on_trial(1) in trial.run("boot status").lines


def test_ends_in_order_do_not_count(trial):
    for _ in range(4):
        assert on_trial(1) in trial.run("module reset", "module reset", "boot status").lines  # the end of the input
        assert on_trial(1) in trial.run("boot status", "exit").lines
        trial.run("ota boot nothing", code=1)
        session = trial.start()
        session.send("boot status")
        session.wait_for(on_trial(1))
        session.end(number=signal.SIGTERM)
        session = trial.start()
        session.send("module wait 100")
        wait_until(lambda: session.booted, "boot")
        session.end(code=None, number=signal.SIGINT)


# ---- the depot ----


def test_confirmed_by_the_depot(trial, web_server):
    trial.server = web_server.address
    web_server.pages[VERSION_FILE] = page(b"3.1.003\nMended.\n")
    session = trial.run("module wait 119", "boot status", "module wait 15", "boot status", "ota status full",
                        options=VIRTUAL)
    assert session.lines[:6] == boot_status(119, 0, "PowerOn", on_trial(1, 119), MISSING_BOTH)
    seconds = int(session.lines[6].split()[3])
    assert 120 <= seconds <= 140
    assert session.lines[6:11] == boot_status(seconds, 0, "PowerOn", "  Its trial has ended well: ota_1 is confirmed")
    assert "Trial:             ota_1 is confirmed" in session.lines
    assert web_server.requests == [VERSION_FILE, VERSION_FILE]  # the second one is the status'
    assert trial.run("boot status").lines == boot_status(0, 0, "PowerOn")


def test_no_network_for_a_day_goes_back(full, web_server):
    full.server = web_server.address
    web_server.pages[VERSION_FILE] = page(b"3.1.003\n")
    session = full.run("ota status", "ota boot ota_1", "module reset", "ota status", "wifi mode client", "wifi status",
                       "module wait 86390", "boot status", "module wait 100", "boot status",
                       options=(*fault("ota_1=no-network"), "--keep-going"), code=1, crashes=1)
    assert session.lines[4:] == [
        *BOOT_OTA_1, *status_lines(NEWER_VERSION, "ota_1"),
        "Starting WIFI as a client to virtual...", "Power:             off", "Mode:              off",
        *boot_status(86390, 1, "SoftReset", on_trial(1, 120), MISSING_DEPOT), RESET,
        *boot_status(0, 2, "SoftReset", "  ota_1 failed its trial (it did not reach its depot); factory was booted instead")]
    assert session.booted == ["factory", "ota_1", "factory"]
    assert "Server Available:  3.1.003" in full.run("ota status").lines


def test_no_network_where_there_never_was_one(trial):
    session = trial.run("module wait 604800", "boot status", options=fault("ota_1=no-network"))
    assert session.lines == boot_status(604800, 0, "PowerOn", on_trial(1, 120), MISSING_DEPOT)


def test_update_from_the_depot_counts_as_reaching_it(module, web_server):
    """So its successor has to reach it, too, even if nobody has ever asked for a version."""
    module.server = web_server.address
    web_server.pages[IMAGE_FILE] = page(NEWER)
    session = module.run("ota flash http", "module reset", "module wait 90000", "boot status",
                         options=(*fault("ota_0=no-network"), "--keep-going"), code=1, crashes=1)
    assert session.lines[-1] == "  ota_0 failed its trial (it did not reach its depot); factory was booted instead"


# ---- verdicts ----


def test_confirm(trial):
    session = trial.run("ota confirm", "boot status", "module wait 119", "boot status", "module wait 1", "boot status",
                        "ota status full", options=VIRTUAL)
    assert session.lines == [
        "Firmware in ota_1 will be confirmed in 120 second(s), if it runs until then", FORGOTTEN,
        *boot_status(0, 0, "PowerOn", on_trial(1), MISSING_TIME, WORD),
        *boot_status(119, 0, "PowerOn", on_trial(1, 119), MISSING_TIME, WORD),
        *boot_status(120, 0, "PowerOn", "  Its trial has ended well: ota_1 is confirmed"),
        firmware_line(NEWER_VERSION, "ota_1"), "Server Available:  not known: there is no network",
        "Running partition: ota_1", "Boot partition:    ota_1", *session.lines[25:28],
        "Trial:             ota_1 is confirmed", *session.lines[29:]]
    assert session.lines[28:] == ["Trial:             ota_1 is confirmed",
                                  *[line for line in session.lines if " image: " in line]]
    session = trial.run("ota confirm", code=1)
    assert session.lines == ["Error: ota_1 is not on trial - there is nothing to confirm (ESP_ERR_INVALID_STATE, 259)"]


def test_confirm_behind_the_time(trial):
    session = trial.run("module wait 300", "ota confirm", "boot status", options=VIRTUAL)
    assert session.lines == ["Firmware in ota_1 is confirmed",
                             *boot_status(300, 0, "PowerOn", "  Its trial has ended well: ota_1 is confirmed")]


def test_word_does_not_outlast_a_reset(trial):
    session = trial.run("ota confirm", "module reset", "module wait 200", "boot status", options=VIRTUAL)
    assert session.lines[-2:] == [on_trial(1, 120), MISSING_DEPOT]


def test_reject(trial):
    session = trial.run("ota reject", "boot status", "ota reject", options=("--keep-going",), code=1, crashes=1)
    assert session.lines == [
        "Firmware in ota_1 is rejected", "  The module goes back to factory",
        *boot_status(0, 1, "SoftReset", "  ota_1 failed its trial (rejected by the operator); factory was booted instead"),
        "Error: factory is not on trial - select another firmware with `ota boot SLOT` (ESP_ERR_INVALID_STATE, 259)"]
    assert session.boot_log.splitlines()[-3:] == boot_log("factory", FACTORY_VERSION)


def test_reject_where_the_fallback_does_not_boot(trial):
    change(trial.flash, (area("factory").start + 5000, bytes(9)))
    session = trial.run("ota reject", "boot status", crashes=1)
    assert session.lines[:3] == [
        "Firmware in ota_1 is rejected", "  factory cannot be booted: the checksum of the image is wrong",
        "  The module goes back to ota_0"]
    assert session.booted == ["ota_1", "ota_0"]


def test_reject_where_nothing_else_boots(trial):
    change(trial.flash, (area("factory").start + 5000, bytes(9)), (area("ota_0").start + 5000, bytes(9)))
    session = trial.run("ota reject", "boot status", options=("--keep-going",), code=1)
    assert session.lines == [
        "Error: ota_1 stays on trial: no other slot holds an image that boots - flash one first "
        "(ESP_ERR_OTA_VALIDATE_FAILED, 5379)", *boot_status(0, 0, "PowerOn", on_trial(1), MISSING_BOTH)]
    assert session.changed == {"otadata"}  # the boot on trial was marked
    assert trial.run("ota status nocheck").lines == status_lines(NEWER_VERSION, "ota_1")


def test_reject_never_goes_back_to_what_failed(trial):
    """ota_0 holds the same image as the slot that is rejected."""
    change(trial.flash, (area("factory").start + 5000, bytes(9)), (area("ota_0").start, NEWER))
    assert "stays on trial" in trial.run("ota reject", code=1).lines[0]


def test_dump_tells_of_the_trial(trial):
    def status():
        return lifeboat("flash", "status", trial.flash).stdout.splitlines()

    def conclusion():
        return next(line for line in lifeboat("flash", "map", trial.flash).stdout.splitlines() if "Boots: " in line)

    assert status().count("            on trial, 0 of 3 attempts used") == 1
    assert status()[-2:] == [
        "Boots:             ota_1: otadata selects it",
        "                   if its trial goes on: a start that counts its last failed attempt goes back to factory"]
    assert conclusion() == "Boots: ota_1, selected by otadata, if its trial goes on"
    trial.run("ota reject", crashes=1)
    assert status().count("            failed its trial: rejected by the operator") == 1
    assert status()[-1] == "Boots:             factory: otadata selects nothing, this is the default"
    trial.run("ota boot ota_0", "module reset", "ota confirm", "module wait 120", options=VIRTUAL, crashes=1)
    assert status().count("            confirmed") == 1
    assert status()[-1] == "Boots:             ota_0: otadata selects it"
    assert conclusion() == "Boots: ota_0, selected by otadata"


def test_full_status_on_trial(trial):
    session = trial.run("ota status full")
    assert session.lines[7:9] == ["Trial:             ota_1 is on trial, attempt 1 of 3", MISSING_BOTH]
    session = trial.run("ota boot ota_0", "ota boot ota_1", "ota status full")
    assert "Trial:             ota_1 is on trial, attempt 1 of 3" in session.lines


def test_full_status_tells_what_failed(module):
    card = module.put("ovms3.bin", NEWER)
    module.run(f"ota flash vfs {card}", "module reset", "boot status", options=fault("ota_0=crash-at-start"), crashes=3)
    lines = [line for line in module.run("ota status full").lines if line.startswith(("Trial", "Failed"))]
    assert len(lines) == 1 and re.fullmatch(f"Failed trial:      3\\.1\\.003 in ota_0, {DATE}: it crashed", lines[0]), lines


# ---- what is on trial ----


def test_boot_of_what_was_confirmed_is_no_trial(trial):
    trial.confirm()
    trial.run("ota boot ota_0")
    trial.confirm()
    session = trial.run("ota boot ota_1", "module reset", "boot status")
    assert session.lines == [BOOT_OTA_1[0], *boot_status(0, 1, "SoftReset")]
    assert "ota_1 on trial" not in session.boot_log


def test_what_was_confirmed_long_ago_is_no_trial(module):
    """Otadata has forgotten it; the history knows."""
    card = module.put("ovms3.bin", NEWER)
    module.run(f"ota flash vfs {card}")  # to ota_0
    module.confirm()
    module.run("ota boot factory")
    session = module.run("ota boot ota_0", "module reset", "boot status")
    assert session.lines == ["Boot from ota_0 at 0x00410000 (size 0x00400000)", *boot_status(0, 1, "SoftReset")]


def test_back_to_what_was_confirmed_last_is_no_trial(trial):
    trial.confirm()
    session = trial.run("ota boot ota_0", "module reset", "ota boot ota_1", "module reset", "boot status")
    assert session.lines == ["Boot from ota_0 at 0x00410000 (size 0x00400000)", BOOT_OTA_1[0],
                             *boot_status(0, 2, "SoftReset")]


def test_factory_is_no_trial(trial):
    session = trial.run("ota boot factory", "module reset", "boot status")
    assert session.lines == ["Boot from factory at 0x00010000 (size 0x00400000)", *boot_status(0, 1, "SoftReset")]


def test_flash_onto_what_was_confirmed_is_refused(trial):
    trial.confirm()
    card = trial.put("ovms3.bin", build_image("3.1.009", size=SIZE))
    trial.run("ota boot ota_0")
    session = trial.run(f"ota flash vfs {card}", f"ota flash vfs {card} to ota_1", "ota erase ota_1",
                        "ota copy factory ota_1", "ota status nocheck", options=("--keep-going",), code=1)
    assert session.text.count("(ESP_ERR_OTA_ROLLBACK_INVALID_STATE, 5382)") == 4
    assert session.changed <= {"otadata"}
    trial.confirm()
    again = trial.run(f"ota flash vfs {card}", "module reset", "ota status nocheck")
    assert again.lines[-3:] == status_lines("3.1.009", "ota_1")


def test_image_that_failed_is_refused_but_for_force(module):
    card = module.put("ovms3.bin", NEWER)
    module.run(f"ota flash vfs {card}", "module reset", "boot status", options=fault("ota_0=hang"), crashes=3)
    session = module.run(f"ota flash vfs {card}", code=1)
    assert re.search(f"^Error: this firmware failed its trial on {DATE}: it hung - add force to flash it all the same "
                     r"\(ESP_ERR_OTA_ROLLBACK_INVALID_STATE, 5382\)$", session.text, re.MULTILINE), session.text
    assert session.changed == set()
    session = module.run(f"ota flash vfs {card} force", "module reset", "boot status")
    assert on_trial(1) in session.lines


def test_image_that_failed_and_was_confirmed_since(module):
    """By an operator, in another slot than the one that it failed in: nothing was flashed there since."""
    card = module.put("ovms3.bin", NEWER)
    module.run(f"ota flash vfs {card} to ota_0", "module reset", "boot status", options=fault("ota_0=hang"), crashes=3)
    refused = module.run(f"ota flash vfs {card} to ota_1", code=1)
    assert "Error: this firmware failed its trial" in refused.text
    module.run("ota copy ota_0 ota_1", "ota boot ota_1", "module reset", "ota confirm", "module wait 120", options=VIRTUAL)
    session = module.run(f"ota flash vfs {card} to ota_0")
    assert "OTA flash was successful" in session.lines


def test_arguments_that_do_not_fit(module):
    card = module.put("ovms3.bin", NEWER)
    for line in (f"ota flash vfs {card} force force", "ota flash http force force"):
        assert module.run(line, code=1).lines[0].startswith("Error: the arguments do not fit - usage: ota flash ")
    assert module.run("ota flash http to", code=1).lines == [
        "Error: the arguments do not fit - usage: ota flash http [URL] [to SLOT] [force] (ESP_ERR_INVALID_ARG, 258)"]
    assert "OTA flash was successful" in module.run(f"ota flash vfs {card} force to ota_1").lines


def test_setting_that_nothing_uses(module):
    session = module.start()
    session.guard.settings = {("ota", "trial.tim"): "5"}
    session.send("config set ota trial.tim 5")
    assert session.end().lines == [
        "Parameter has been set.", "  This firmware does not use ota trial.tim: see `config list ota` for what it uses"]


def test_settings(full):
    session = full.start(*VIRTUAL)
    session.guard.settings = {("ota", "trial.time"): "30", ("ota", "trial.attempts"): "2"}
    for line in ("config list ota", "config set ota trial.time 30", "config set ota trial.attempts 2", "ota boot ota_1",
                 "module reset", "boot status", "ota confirm", "module wait 30", "boot status"):
        session.send(line)
    session.end()
    assert "ota trial.attempts: 3 (default)" in session.lines and "ota trial.time: 120 (default)" in session.lines
    assert on_trial(1, 0, time=30, attempts=2) in session.lines
    assert "Firmware in ota_1 will be confirmed in 30 second(s), if it runs until then" in session.lines
    assert session.lines[-1] == "  Its trial has ended well: ota_1 is confirmed"


def test_settings_that_are_refused(module):
    takes = {"time": "give seconds, from 1 to 86400", "attempts": "give a number from 1 to 16"}
    for setting in ("time 0", "time 86401", "time soon", "attempts 0", "attempts 17", "attempts -1"):
        name = setting.split()[0]
        assert module.run(f"config set ota trial.{setting}", code=1).lines == [
            f"Error: ota trial.{name}: this setting does not take such a value - {takes[name]} (ESP_ERR_INVALID_ARG, 258)"]


# ---- the virtual module's side ----


@pytest.mark.parametrize("value", ["ota_1", "=hang", "ota_1=", "ota_1=hung", "ota_1=crash-after", "ota_1=crash-after:",
                                   "ota_1=crash-after:0", "ota_1=crash-after:1.5", "ota_1=crash-after:604801",
                                   "a_name_that_is_too_long=hang"])
def test_faults_that_are_none(module, value):
    session = module.run(options=("--fault", value), code=2)
    assert session.boot_log.startswith(f"Error: --fault: '{value}': ")


def test_fault_of_a_slot_that_is_not_there(module):
    session = module.run("boot status", options=("--fault", "ota_7=hang"), code=1)
    assert session.lines == []
    assert session.boot_log.splitlines()[-1] == \
        "Error: --fault ota_7: the partition table has no such slot for firmware - name one that it has"


def test_crash_while_a_line_is_typed(full):
    """The boot log stands below it, and the line is there again."""
    session = full.start()
    session.guard.settings = {("ota", "trial.attempts"): "1"}
    session.send("config set ota trial.attempts 1")
    session.send("ota boot ota_1")
    session.end()
    with Terminal(full, "--fault", "ota_1=crash-after:2") as terminal:
        terminal.keys("ota stat")
        terminal.read(lambda: terminal.rows[-2:] == [PROMPT + "ota stat"] * 2, "the line again")
        assert terminal.booted == ["ota_1", "factory"]
        terminal.keys("us nocheck", line="ota status nocheck")
        assert terminal.enter() == status_lines(FACTORY_VERSION, "factory")
        terminal.guard.unannounced = 1


def test_attached_console_goes_on_behind_a_crash(full, tmp_path):
    session = full.start(*fault("ota_1=crash-at-start"), "--listen", tmp_path / "console")
    wait_until((tmp_path / "console").exists, "socket")
    with Wire(tmp_path / "console") as wire:
        wire.execute("ota boot ota_1")
        wire.execute("module reset")
        answer = wire.execute("boot status")
        assert "  ota_1 failed its trial (it crashed); factory was booted instead" in str(answer)
    session.guard.unannounced = 4
    session.end()
