# SPDX-License-Identifier: MIT
"""Updates that were cut, by the power or by the link, and go on; and those that must not."""

import re
import signal

import pytest
from firmware import NEWER
from flash_layout import OVMS, area
from image_builder import build_image
from refusals import INCOMPLETE, remains
from virtual_module import wait_until
from web_server import Parts, answer, page, redirect

SIZE = 400 * 1024 - 0x400
BLOCK = 65536
IMAGE = build_image("3.1.004", size=SIZE)
OTHER = build_image("3.1.005", size=SIZE)
LONGER = build_image("3.1.006", size=SIZE + 5008)
BIN = "/firmware/ota/v3.1/main/ovms3.bin"
NAME = f"api.openvehicles.com{BIN}"
SLOW = ("--timing", "w25q128jv")
VIRTUAL = ("--clock", "virtual")
HELD = 300000  # bytes that come before the power goes
DONE = HELD // BLOCK * BLOCK  # of them, in blocks that were marked as done
PERCENT = DONE * 100 // SIZE
TAG = '"v1"'
LOST = re.compile(r"^  Connection lost \((.*)\): trying again in (\d+) s$")
HUNG_UP = "the server hung up before the end"


@pytest.fixture
def parts(web):
    web.pages[BIN] = Parts(IMAGE)
    return web.pages[BIN]


def in_slot(module, image, slot="ota_0"):
    start = area(slot, OVMS).start
    return module.flash.read_bytes()[start:start + len(image)] == image


def cut_power(module, parts, line="ota flash http"):
    """An update that loses its power when HELD bytes have come."""
    parts.holds = [HELD]
    session = module.start()
    session.send(line)
    session.wait_for("Downloading... ")
    offset = area("ota_0", OVMS).start + (HELD // 4096 - 2) * 4096

    def is_written():
        with open(module.flash, "rb") as file:
            file.seek(offset)
            return file.read(256) != b"\xff" * 256

    wait_until(is_written, "last sector")
    session.kill()
    assert not in_slot(module, IMAGE)


def goes_on(module, parts, line="ota flash http", image=IMAGE):
    """The update that succeeds after the power was cut; returns what it says between its first lines and its last."""
    session = module.run(line)
    assert "OTA flash was successful" in session.lines
    assert in_slot(module, image)
    return session.lines


def run_with_tries(module, tries, code=0, options=()):
    session = module.start(*options)
    session.guard.settings[("ota", "http.retries")] = str(tries)
    session.send(f"config set ota http.retries {tries}")
    session.send("ota flash http")
    return session.end(code).lines


def starting_over(lines):
    return [line for line in lines if line.startswith("Starting over: ")]


# ---- the power ----


def test_power_cut(module, parts):
    cut_power(module, parts)
    lines = goes_on(module, parts)
    assert f"Resuming at {DONE} of {SIZE} bytes" in lines
    assert f"Expected file size is {SIZE}" in lines
    assert f"Download complete (at {SIZE} bytes)" in lines
    assert parts.asked == [(None, None), (DONE, TAG)]
    assert parts.sent == [HELD, SIZE - DONE]
    assert sum(parts.sent) - SIZE <= BLOCK


def test_status_of_an_interrupted_update(module, parts):
    cut_power(module, parts)
    short = module.run("ota status nocheck").lines
    assert short[-1] == f"Status:            Interrupted ({PERCENT}%)"
    full = module.run("ota status full", options=("--link", "down")).lines
    at = full.index(short[-1])
    assert full[at + 1:at + 3] == ["Interrupted slot:  ota_0", f"Interrupted from:  {NAME}"]
    goes_on(module, parts)
    assert "Interrupted" not in module.run("ota status nocheck").text


def test_behind_a_redirect(web, module):
    parts = web.pages["/there.bin"] = Parts(IMAGE)
    web.pages[BIN] = redirect("/there.bin")
    cut_power(module, parts)
    goes_on(module, parts)
    assert parts.asked == [(None, None), (DONE, TAG)]


def test_two_cuts(module, parts):
    cut_power(module, parts)
    parts.cuts = [None, BLOCK + 100]
    run_with_tries(module, 0, code=1)
    goes_on(module, parts)
    assert parts.asked == [(None, None), (DONE, TAG), (DONE + BLOCK, TAG)]


def test_cut_again_before_a_byte_came(module, parts):
    cut_power(module, parts)
    parts.answers = [None, lambda visit: None]
    lines = module.run("ota flash http", code=1).lines
    assert lines[-1] == f"  `ota flash` again goes on at {PERCENT} %"
    goes_on(module, parts)
    assert parts.asked[1:] == [(DONE, TAG)] * 2


def start_over(module, parts, image=IMAGE):
    lines = goes_on(module, parts, image=image)
    assert not [line for line in lines if line.startswith("Resuming at ")]
    found = starting_over(lines)
    assert len(found) == 1, lines
    return found[0].removeprefix("Starting over: ")


def test_another_file(module, parts):
    cut_power(module, parts)
    parts.body, parts.tag = OTHER, '"v2"'
    assert start_over(module, parts, OTHER) == "the server has another file now"
    assert parts.asked == [(None, None), (DONE, TAG)]  # what it sent instead was taken, not asked for again


def test_another_length(module, parts):
    cut_power(module, parts)
    parts.body, parts.tag = LONGER, '"v2"'
    assert start_over(module, parts, LONGER) == "the server's file has another length now"
    assert len(parts.asked) == 2


def test_same_tag_and_another_length(module, parts):
    """A server that lies."""
    cut_power(module, parts)
    parts.body = LONGER
    assert start_over(module, parts, LONGER) == "the server's file has another length now"
    assert parts.asked[1:] == [(DONE, TAG), (None, None)]


def test_server_without_ranges(module, parts):
    cut_power(module, parts)
    parts.ranges = False
    assert start_over(module, parts) == "the server does not send parts of its file"
    assert len(parts.asked) == 2


def test_server_that_does_not_look_at_the_validator(module, parts):
    cut_power(module, parts)
    parts.body, parts.tag, parts.blind = OTHER, '"v2"', True
    assert start_over(module, parts, OTHER) == "the server has another file now"
    assert parts.asked[1:] == [(DONE, TAG), (None, None)]


@pytest.mark.parametrize("tag, why", [
    (None, "the server does not say any more which file it has"),
    ('W/"v1"', "the server has only a weak validator for its file now"),
    ("v1", "the server does not say any more which file it has"),
])
def test_validator_that_is_none_any_more(module, parts, tag, why):
    cut_power(module, parts)
    parts.tag, parts.blind = tag, True
    assert start_over(module, parts) == why


def test_another_part(module, parts):
    cut_power(module, parts)
    parts.answers = [None]
    parts.shift = 1
    assert start_over(module, parts) == "the server does not send the part that is missing"
    assert parts.asked[1:] == [(DONE, TAG), (None, None)]


@pytest.mark.parametrize("wrong", [
    answer("416 Range Not Satisfiable", b"", f"Content-Range: bytes */{SIZE}", f"ETag: {TAG}"),
    answer("206 Partial Content", IMAGE[DONE:], f"ETag: {TAG}"),
    answer("206 Partial Content", IMAGE[DONE:], f"ETag: {TAG}", f"Content-Range: items {DONE}-{SIZE - 1}/{SIZE}"),
    answer("206 Partial Content", IMAGE[DONE:], f"ETag: {TAG}", f"Content-Range: bytes {DONE}-{SIZE - 2}/{SIZE}"),
    answer("206 Partial Content", b"--x\r\n", f"ETag: {TAG}", "Content-Type: multipart/byteranges; boundary=x"),
], ids=["416", "no range", "items", "too short", "multipart"])
def test_wrong_part(module, parts, wrong):
    cut_power(module, parts)
    parts.answers = [None, wrong]
    start_over(module, parts)
    assert parts.asked[1:] == [(DONE, TAG), (None, None)]


@pytest.mark.parametrize("tag", [None, 'W/"v1"', '""', "v1"])
def test_without_a_strong_validator(module, parts, tag):
    """Nothing is kept, and nothing is promised."""
    parts.tag = tag
    cut_power(module, parts)
    assert "Interrupted" not in module.run("ota status nocheck").text
    lines = goes_on(module, parts)
    assert not [line for line in lines if line.startswith(("Resuming", "Starting"))]
    assert parts.asked == [(None, None)] * 2


def test_what_was_written_is_not_there_any_more(module, parts):
    cut_power(module, parts)
    with open(module.flash, "r+b") as file:
        file.seek(area("ota_0", OVMS).start + 1000)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 0x10]))
    assert start_over(module, parts) == "what was written before the interruption is not there any more"
    assert parts.asked == [(None, None)] * 2


def test_a_later_block_that_is_not_there_any_more(module, parts):
    cut_power(module, parts)
    with open(module.flash, "r+b") as file:
        file.seek(area("ota_0", OVMS).start + 2 * BLOCK + 1000)
        file.write(b"\0" * 16)
    lines = goes_on(module, parts)
    assert f"Resuming at {2 * BLOCK} of {SIZE} bytes" in lines


def test_something_else_is_flashed(web, module, parts):
    cut_power(module, parts)
    web.pages["/other.bin"] = page(NEWER)
    goes_on(module, parts, f"ota flash http {web.url('/other.bin')} to ota_0", NEWER)
    assert "Interrupted" not in module.run("ota status nocheck").text
    module.run("ota boot factory")
    lines = module.run("ota flash http to ota_0").lines
    assert not [line for line in lines if line.startswith(("Resuming", "Starting"))]
    assert parts.asked == [(None, None)] * 2
    assert in_slot(module, IMAGE)


def test_a_page_instead_of_the_rest_loses_nothing(module, parts):
    """A captive portal: refused by its first bytes, and what was written stays."""
    cut_power(module, parts)
    parts.answers = [None, page(b"<html>Log in, please.</html>\n" * 100)]
    lines = module.run("ota flash http", code=1).lines
    assert "it looks like a web page, perhaps of a captive portal or an error" in "\n".join(lines)
    assert lines[-1] == f"  `ota flash` again goes on at {PERCENT} %"
    lines = goes_on(module, parts)
    assert f"Resuming at {DONE} of {SIZE} bytes" in lines


# ---- the link ----


def lost(lines):
    return [found for found in map(LOST.match, lines) if found]


def test_link_lost(module, parts):
    parts.cuts = [100000, 50001, 1, 0]
    session = module.run("ota flash http", options=VIRTUAL)
    assert "OTA flash was successful" in session.lines
    assert in_slot(module, IMAGE)
    assert parts.asked == [(None, None), (100000, TAG), (150001, TAG), (150002, TAG), (150002, TAG)]
    assert sum(parts.sent) == SIZE  # nothing twice
    assert [found[1] for found in lost(session.lines)] == [HUNG_UP] * 4
    assert [line for line in session.lines if line.startswith("Resuming")] == [
        f"Resuming at {at} of {SIZE} bytes" for at in (100000, 150001, 150002, 150002)]
    assert session.lines[-3:-1] == ["OTA flash was successful", f"  Flashed {SIZE} bytes from {NAME}"]


@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"])
def test_server_is_busy_on_the_way(module, parts, status):
    parts.cuts = [100000]
    parts.answers = [None, answer(status, b"later")]
    session = module.run("ota flash http", options=VIRTUAL)
    assert [found[1] for found in lost(session.lines)] == [HUNG_UP, f"the server answered {status[:3]}"]
    assert in_slot(module, IMAGE)


def test_file_is_gone_on_the_way(module, parts):
    parts.cuts = [100000]
    parts.answers = [None, answer("404 Not Found", b"gone")]
    lines = module.run("ota flash http", options=VIRTUAL, code=1).lines
    assert lines[-5:] == [
        "Error: Request failed", f"  the server answered 404 instead of 200 for {NAME} - check the address "
        "(ESP_ERR_INVALID_RESPONSE, 264)", *remains(INCOMPLETE), f"  `ota flash` again goes on at {BLOCK * 100 // SIZE} %"]


def test_file_changes_on_the_way(module, parts):
    parts.cuts = [100000]

    def change(visit):
        parts.body, parts.tag = LONGER, '"v2"'
        parts.answers = []
        visit.send(parts.head(0, True).encode() + LONGER)

    parts.answers = [None, change]
    lines = module.run("ota flash http", options=VIRTUAL).lines
    assert starting_over(lines) == ["Starting over: the server's file has another length now"]
    assert in_slot(module, LONGER)


@pytest.mark.parametrize("tag, why", [(None, "the server has no strong validator for its file"),
                                      ('W/"v1"', "the server has only a weak validator for its file")])
def test_link_lost_without_a_validator(module, parts, tag, why):
    parts.tag = tag
    parts.cuts = [100000]
    lines = module.run("ota flash http", options=VIRTUAL).lines
    assert starting_over(lines) == [f"Starting over: {why}"]
    assert parts.asked == [(None, None)] * 2
    assert in_slot(module, IMAGE)


@pytest.mark.parametrize("tag, last", [
    (TAG, f"  `ota flash` again goes on at {BLOCK * 100 // SIZE} %"),
    (None, "  `ota flash` again starts over: the server has no strong validator for its file"),
])
def test_link_lost_for_good(module, parts, tag, last):
    parts.tag = tag
    parts.cuts = [100000] + [0 if tag else 100000] * 20
    lines = module.run("ota flash http", options=VIRTUAL, code=1).lines
    pauses = [int(found[2]) for found in lost(lines)]
    assert len(pauses) == 8 and len(parts.asked) == 9
    for pause, middle in zip(pauses, (1, 2, 4, 8, 16, 32, 60, 60), strict=True):
        assert middle // 2 <= pause <= middle * 3 // 2 + 1
    assert lines[-5:] == [f"Error: Download file size (100000) does not match expected ({SIZE})",
                          f"  {HUNG_UP} - try again (ESP_ERR_INVALID_SIZE, 260)", *remains(INCOMPLETE), last]


def test_progress_makes_up_for_tries(module, parts):
    parts.cuts = [BLOCK + 1] * 5 + [0] * 6
    lines = run_with_tries(module, 7, options=VIRTUAL)
    assert len(lost(lines)) == 11
    assert in_slot(module, IMAGE)


def test_no_tries(module, parts):
    parts.cuts = [100000]
    lines = run_with_tries(module, 0, code=1)
    assert not lost(lines)
    assert lines[-1] == f"  `ota flash` again goes on at {BLOCK * 100 // SIZE} %"


@pytest.mark.parametrize("value", ["-1", "100", "x", "1.5", ""])
def test_number_of_tries(module, value):
    lines = module.run(f'config set ota http.retries "{value}"', code=1).lines
    assert lines[0].startswith("Error: ota http.retries: this setting does not take such a value")


def test_first_connection_is_not_tried_again(module, parts):
    parts.answers = [lambda visit: None]
    lines = module.run("ota flash http", code=1).lines
    assert not lost(lines)
    assert lines[-2:] == ["Error: Request failed", f"  {HUNG_UP} - try again (ESP_ERR_INVALID_SIZE, 260)"]


def test_cancelled_while_waiting(module, parts):
    """It ends at once, and says what can be done later."""
    parts.cuts = [100000, 0, 0, 0, 0]
    session = module.start()
    session.send("ota flash http")
    session.wait_for("Connection lost")
    session.end(code=130, number=signal.SIGINT)
    assert session.lines[-4:] == [
        "Error: the command was cancelled - give it again (ESP_ERR_INVALID_STATE, 259)", *remains(INCOMPLETE),
        f"  `ota flash` again goes on at {BLOCK * 100 // SIZE} %"]
    parts.cuts = []
    assert f"Resuming at {BLOCK} of {SIZE} bytes" in goes_on(module, parts)


# ---- files ----


def test_file(module):
    path = module.put("ovms3.bin", IMAGE)
    session = module.start(*SLOW)
    session.send(f"ota flash vfs {path}")
    offset = area("ota_0", OVMS).start + HELD

    def is_written():
        with open(module.flash, "rb") as file:
            file.seek(offset)
            return file.read(16) != b"\xff" * 16

    wait_until(is_written, "byte")
    session.kill()
    status = module.run("ota status nocheck").lines[-1]
    assert re.fullmatch(r"Status:            Interrupted \(([1-9]\d)%\)", status), status
    session = module.run(f"ota flash vfs {path}")
    assert "OTA flash was successful" in session.lines
    resumed = [line for line in session.lines if line.startswith("Resuming: ")]
    percent = int(status.partition("(")[2].partition("%")[0])
    assert resumed == [f"Resuming: {percent} % was written before; where the file is still the same, that stays"]
    assert in_slot(module, IMAGE)
    assert "Interrupted" not in module.run("ota status nocheck").text


def test_file_of_another_length(module):
    test_file_cancelled(module)
    path = module.put("ovms3.bin", LONGER)
    lines = module.run(f"ota flash vfs {path}").lines
    assert starting_over(lines) == ["Starting over: the file has another length now"]
    assert in_slot(module, LONGER)


def test_another_slot_is_flashed(module, parts):
    """Nobody goes on with what was interrupted in the other slot before."""
    cut_power(module, parts, "ota flash http to ota_0")
    assert "Interrupted" in module.run("ota status nocheck").text
    module.run("ota flash http to ota_1")
    assert in_slot(module, IMAGE, "ota_1")
    assert "Interrupted" not in module.run("ota status nocheck").text


def test_hint_names_the_slot(module, parts):
    parts.cuts = [HELD] + [0] * 20
    lines = module.run("ota flash http to ota_1", options=VIRTUAL, code=1).lines
    assert re.fullmatch(r"  `ota flash` again, with to ota_1, goes on at [1-9]\d %", lines[-1]), lines[-1]


def test_file_cancelled(module):
    path = module.put("ovms3.bin", IMAGE)
    session = module.start(*SLOW)
    session.send(f"ota flash vfs {path}")
    offset = area("ota_0", OVMS).start + HELD

    def is_written():
        with open(module.flash, "rb") as file:
            file.seek(offset)
            return file.read(16) != b"\xff" * 16

    wait_until(is_written, "byte")
    session.end(code=130, number=signal.SIGINT)
    assert re.fullmatch(r"  `ota flash` again goes on at [1-9]\d %", session.lines[-1])
