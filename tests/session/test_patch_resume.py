# SPDX-License-Identifier: MIT
"""Updates by patch that lose the power or the link while the patch comes, and servers that do not help to go on."""

import random
import struct

import pytest
from depot_server import PREFIX, lifeboat
from flash_layout import OVMS, area
from image_builder import build_image, seal
from test_patch_update import changed
from test_resume import LOST, starting_over
from virtual_module import wait_until
from web_server import Parts, answer

SIZE = 256 * 1024
BIN = f"{PREFIX}/v3.1/main/ovms3.bin"
PATCH = f"{PREFIX}/v3.1/main/a.patch"
SUCCESS = "OTA flash was successful"
TAG = '"v1"'
HELD = 50000  # bytes of the patch that come before the power goes
SECTOR = 4096
OLD = build_image("3.1.001", size=SIZE)


def with_noise(image, length):
    """Bytes that nobody can foretell, at the end of the longest segment."""
    data = bytearray(image)
    offset, ends = 24, []
    for _ in range(image[1]):
        size = struct.unpack_from("<I", image, offset + 4)[0]
        offset += 8 + size
        ends.append((size, offset))
    size, end = max(ends)
    assert size > length + 1024
    data[end - length:end] = random.Random(6).randbytes(length)
    return seal(bytes(data))


NEW = with_noise(changed(OLD, "3.1.002"), 80000)


@pytest.fixture(scope="module")
def patch(tmp_path_factory):
    """About 80 KB, whose bytes nobody can foretell."""
    folder = tmp_path_factory.mktemp("patch")
    (folder / "old.bin").write_bytes(OLD)
    (folder / "new.bin").write_bytes(NEW)
    made = lifeboat("patch", "make", folder / "old.bin", folder / "new.bin", folder / "a.patch")
    assert made.returncode == 0, made
    data = (folder / "a.patch").read_bytes()
    assert 80000 < len(data) < 90000
    return data


@pytest.fixture
def parts(web, patch):
    lines = ["lifeboat-patches 1", f"image {len(NEW)} {NEW[-32:].hex()} 3.1.002",
             f"patch {len(patch)} {OLD[-32:].hex()} a.patch 3.1.001", ""]
    web.pages[BIN + ".patches"] = answer("200 OK", "\n".join(lines).encode())
    web.pages[BIN] = Parts(NEW)
    web.pages[PATCH] = Parts(patch)
    return web.pages[PATCH]


@pytest.fixture
def module(make_module):
    return make_module(factory=OLD)


@pytest.fixture
def full(make_module, web):
    """A module whose ota_0 is full to its last byte."""
    slot = area("ota_0", OVMS)
    module = make_module(factory=OLD, ota_0=build_image("3.1.000", size=slot.size))
    module.server = web.address
    return module


def in_slot(module, image, slot="ota_0"):
    start = area(slot, module.layout).start
    return module.flash.read_bytes()[start:start + len(image)] == image


def tail(module, patch):
    """Where the patch lies: up to the sector before the last one of the slot, in whole sectors."""
    slot = area("ota_0", module.layout)
    return slot.end - 2 * SECTOR - -(-len(patch) // SECTOR) * SECTOR


def cut_power(module, parts):
    """An update that loses its power when HELD bytes of the patch have come."""
    parts.holds = [HELD]
    session = module.start()
    session.send("ota flash http")
    at = tail(module, parts.body) + HELD // SECTOR * SECTOR - 256

    def is_there():
        with open(module.flash, "rb") as file:
            file.seek(at)
            return file.read(256) != b"\xff" * 256

    wait_until(is_there, "last page of the patch")
    session.kill()


def goes_on(module, code=0):
    lines = module.run("ota flash http", code=code).lines
    assert SUCCESS in lines
    assert in_slot(module, NEW) and in_slot(module, OLD, "factory")
    return lines


def test_power_cut(module, parts, web):
    """Whole sectors of the patch that were there need not come again."""
    cut_power(module, parts)
    lines = goes_on(module)
    first, tag = parts.asked[1]
    assert HELD - 2 * SECTOR <= first <= HELD and first % SECTOR == 0 and tag == TAG
    assert f"Resuming at {first} of {len(parts.body)} bytes" in lines
    assert parts.sent == [HELD, len(parts.body) - first]
    assert web.requests == [PATCH, PATCH]


def test_status_of_an_interrupted_patch(module, parts):
    cut_power(module, parts)
    waits = "Status:            Interrupted (nothing flashed yet, a patch waits)"
    short = module.run("ota status nocheck").lines
    assert short[-1] == waits
    full = module.run("ota status full", options=("--link", "down")).lines
    at = full.index(waits)
    assert full[at + 1] == "Interrupted slot:  ota_0" and full[at + 2].endswith("/a.patch")
    goes_on(module)
    assert "Interrupted" not in module.run("ota status nocheck").text


def test_three_cuts(module, parts):
    for _ in range(3):
        parts.asked.clear()
        parts.sent.clear()
        cut_power(module, parts)
        parts.holds = []
    goes_on(module)


def test_the_server_has_another_patch_now(module, parts, web, patch):
    """What was there of another one is not mixed with it."""
    cut_power(module, parts)
    web.pages[PATCH] = again = Parts(patch, tag='"v2"')
    goes_on(module)
    assert again.asked[0][1] == TAG
    assert again.sent == [len(patch)]


def test_server_without_parts(module, parts):
    cut_power(module, parts)
    parts.ranges = False
    lines = goes_on(module)
    assert starting_over(lines) == ["Starting over: the server does not send parts of its file"]
    assert parts.sent[1:] == [len(parts.body)]


def test_server_without_a_validator(module, parts):
    parts.tag = None
    cut_power(module, parts)
    goes_on(module)
    assert parts.asked == [(None, None), (None, None)]


def test_lost_link(module, parts):
    """Within the same session nothing is sent twice."""
    parts.cuts = [HELD, 10000]
    lines = module.run("ota flash http", options=("--clock", "virtual")).lines
    assert SUCCESS in lines and in_slot(module, NEW)
    assert sum(1 for line in lines if LOST.match(line)) == 2
    assert sum(parts.sent) == len(parts.body)
    assert [first for first, _ in parts.asked] == [None, HELD, HELD + 10000]


def run_with_one_try(module, code):
    session = module.start("--clock", "virtual")
    session.guard.settings[("ota", "http.retries")] = "1"
    session.send("config set ota http.retries 1")
    session.send("ota flash http")
    return session.end(code).lines


def test_link_that_stays_lost(module, parts, web):
    parts.cuts = [HELD] + [0] * 20
    web.pages[BIN].cuts = [0] * 20
    lines = run_with_one_try(module, 1)
    assert lines[-1] == "  `ota flash` again goes on with the patch"
    assert not in_slot(module, NEW)
    parts.cuts = []
    goes_on(module)
    assert parts.asked[-1][0] > HELD - 2 * SECTOR


def test_server_that_breaks_off_patches_only(module, parts, web):
    """The image comes: it costs more, but the module is updated."""
    parts.cuts = [0] * 20
    lines = run_with_one_try(module, 0)
    assert "  Patch cannot be used: the server hung up before the end" in lines
    assert web.requests == [PATCH, PATCH, BIN] and in_slot(module, NEW)


def test_list_that_is_none(module, parts, web):
    web.pages[BIN + ".patches"] = answer("200 OK", b"<html>please log in</html>")
    lines = goes_on(module)
    assert "  The list of patches beside the image cannot be used: it is none, or not whole" in lines
    assert web.requests == [BIN]


def test_list_with_other_line_ends(module, parts, web):
    page = web.pages[BIN + ".patches"]
    lines = ["lifeboat-patches 1", f"image {len(NEW)} {NEW[-32:].hex()} 3.1.002",
             f"patch {len(parts.body)} {OLD[-32:].hex()} a.patch 3.1.001", ""]
    web.pages[BIN + ".patches"] = answer("200 OK", "\r\n".join(lines).encode())
    assert page
    goes_on(module)
    assert web.requests == [PATCH]


def test_damaged_base(make_module, web, parts):
    """The running image is not what its digest says any more: the owner hears of it, and the whole image comes."""
    module = make_module(factory=OLD, ota_1=OLD)
    module.server = web.address
    module.run("ota boot ota_1", "module reset", "ota confirm")
    slot = area("factory", OVMS)
    with open(module.flash, "r+b") as file:
        file.seek(slot.start + 60000)
        file.write(bytes(4))
    lines = module.run("ota flash http to ota_0").lines
    assert any("damaged" in line for line in lines), lines
    assert SUCCESS in lines


def test_list_that_leads_elsewhere(module, parts, web):
    lines = ["lifeboat-patches 1", f"image {len(NEW)} {'0' * 64} 3.1.002",
             f"patch {len(parts.body)} {OLD[-32:].hex()} a.patch 3.1.001", ""]
    web.pages[BIN + ".patches"] = answer("200 OK", "\n".join(lines).encode())
    assert "  Patch cannot be used: the patch makes another image than its list says" in goes_on(module)
    assert "Interrupted" not in module.run("ota status nocheck").text


def test_interrupted_image_costs_more_than_a_patch(module, parts, web):
    """The rest of the image is more than the patch: that it starts over is said, and what came before counts."""
    image = web.pages[BIN]
    image.holds = [130000]
    session = module.start()
    session.guard.settings[("ota", "http.patches")] = "no"
    session.send("config set ota http.patches no")
    session.send("ota flash http")
    at = area("ota_0", OVMS).start + 120000

    def is_there():
        with open(module.flash, "rb") as file:
            file.seek(at)
            return file.read(256) != b"\xff" * 256

    wait_until(is_there, "part of the image")
    session.kill()
    session = module.start()
    session.guard.settings[("ota", "http.patches")] = "yes"
    session.send("config set ota http.patches yes")
    session.send("ota flash http")
    lines = session.end().lines
    assert SUCCESS in lines and in_slot(module, NEW)
    assert any(line.startswith("Starting over: that is less than what is missing of the image") for line in lines)


def test_patch_of_another_length(module, parts, web, patch):
    """The list does not fit what the server has: the whole image comes."""
    web.pages[PATCH] = Parts(patch + b"x")
    lines = goes_on(module)
    assert "  Patch cannot be used: not as many bytes came as were announced" in lines
    assert web.requests[-1] == BIN


def test_no_room_for_a_patch(full, web, parts):
    """Where the old image reaches to the slot's end the patch is applied as it comes."""
    lines = full.run("ota flash http to ota_0").lines
    assert "Applying it as it comes, since ota_0 has no room to keep it: after a power cut it comes anew" in lines
    assert SUCCESS in lines and in_slot(full, NEW)
    assert web.requests == [PATCH]


def test_lost_link_while_it_is_applied(full, parts):
    parts.cuts = [HELD, 10000]
    lines = full.run("ota flash http to ota_0", options=("--clock", "virtual")).lines
    assert SUCCESS in lines and in_slot(full, NEW)
    assert sum(parts.sent) == len(parts.body)


def test_failed_before(module, parts, web):
    """No patch leads to a firmware that failed its trial; the image itself is refused by its head."""
    goes_on(module)
    module.run("ota reject", crashes=1)
    asked = len(web.requests)
    refused = module.run("ota flash http", code=1).lines
    assert any("failed its trial" in line for line in refused), refused
    assert web.requests[asked:] == [BIN]


@pytest.mark.parametrize("path", ["", "/", "/v3.1/main/", "/v3.1/main/ovms3.bin?x=1", "/a/b?c/d"])
def test_url_that_names_no_file(module, parts, web, path):
    """There is nothing beside it, least of all on another host."""
    module.run(f"ota flash http {web.url(path)}", code=1)
    assert web.lists == []
