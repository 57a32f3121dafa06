# SPDX-License-Identifier: MIT
"""Updates by patch: the board decodes them, with its own flash, Ethernet and card. The slot tells the outcome."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from board_flash import FIRST, FRAGILE, PRODUCT, SECOND, SERVER_AT_HOST, TAG, Firmware, done, publish, server_setting
from depot_server import DepotServer
from flash_layout import MB, SECTOR, area, change, content
from flash_trace import PROGRAM, Tracer
from image_builder import seal
from qemu_board import Stopped
from web_server import Parts, page

PAGE, BLOCK = 256, 0x10000  # of the board's flash
PATH = f"/firmware/ota/{PRODUCT}/{TAG}/ovms3.bin"
OK = "OTA flash was successful"
NOTHING = "-"
STAGED, WHOLE = "Applying patch...", "The patch is there from before: nothing has to come again"
STREAMED = "Applying it as it comes, since ota_0 has no room to keep it: after a power cut it comes anew"
FREE = 0x86000000  # memory of the board that no firmware uses


@pytest.fixture(scope="session")
def patch(tmp_path_factory):
    """patch(OLD, NEW): as the tool makes it. Both are firmwares, OLD perhaps NOTHING."""
    path = tmp_path_factory.mktemp("patches") / "made.patch"

    @cache
    def make(old, new, profile="default"):
        base = NOTHING if old == NOTHING else old.path
        done("patch", "make", base, new.path, path, "--profile", profile, "--force")
        return path.read_bytes()

    return make


def offer(web, new, *patches):
    """Puts an image with its list of (base, patch) on the server, written by hand. Returns the patches' pages."""
    web.pages[PATH] = Parts(new.bytes)
    lines = ["lifeboat-patches 1", f"image {len(new.bytes)} {new.bytes[-32:].hex()} {new.version}"]
    pages = []
    for number, (old, data) in enumerate(patches):
        base = NOTHING if old == NOTHING else old.bytes[-32:].hex()
        lines.append(f"patch {len(data)} {base} {number}.patch")
        pages.append(Parts(data, tag=f'"{number}"'))
        web.pages[f"{PATH.rpartition('/')[0]}/{number}.patch"] = pages[-1]
    web.pages[f"{PATH}.patches"] = page("".join(f"{line}\n" for line in lines).encode())
    return pages


def line(web):
    return f"ota flash http http://{SERVER_AT_HOST}:{web.address[1]}{PATH}"


def holds(bench, firmware, slot):
    return content(bench.flash, slot, len(firmware.bytes)) == firmware.bytes


def check_done(rows, firmware, base, size):
    """What is said at the end of an update by patch."""
    what = "compressed image" if base == NOTHING else f"patch from {base}"
    assert OK in rows and f"  By {what}: {size} bytes instead of {len(firmware.bytes)}" in rows, rows


def check_told(board, firmware, slot, base, size):
    """It runs, and tells how it came."""
    what = "compressed image" if base == NOTHING else f"patch from {base}"
    cost = f"{what}, {size} bytes instead of {len(firmware.bytes)}"
    status = board.command("ota status nocheck")
    assert status[0].startswith(firmware.line(slot)), status
    assert f"Last update:       {cost}" in status, status
    history = board.command("ota history")
    assert f" -> {firmware.version} in {slot}" in history[1] and f"({cost})" in history[2], history


def served(log):
    """[(file, status, bytes)] of the files that lie beside the image, or are it."""
    found = [row.split() for row in log]
    return [(words[2].rpartition("/")[2], int(words[3]), int(words[4])) for words in found
            if words[2].startswith(PATH)]


# ---- from a depot ----


@pytest.mark.sample
def test_two_updates_by_patch(bench, tmp_path):
    """From factory, and from there to the other slot: no byte of an image comes over the wire."""
    depot = tmp_path / "depot"
    publish(depot, FIRST, SECOND, patches=1)
    folder = depot / PRODUCT / TAG
    with DepotServer(depot) as server:
        bench.create(factory=FIRST).settings(server=server_setting(server.address))
        with bench.power_on() as board:
            first = f"ovms3.bin.{FIRST.bytes[-32:].hex()[:16]}.patch"
            size = (folder / first).stat().st_size
            rows = board.command("ota flash http")
            assert STAGED in rows and f"Using patch from factory: {size} bytes instead of {len(SECOND.bytes)}" in rows
            check_done(rows, SECOND, "factory", size)
            assert holds(bench, SECOND, "ota_0")
            board.command("module reset")
            check_told(board, SECOND, "ota_0", "factory", size)
            assert any(row.startswith("Processor: ") for row in board.command("board info"))

            publish(depot, FRAGILE, patches=1)
            second = f"ovms3.bin.{SECOND.bytes[-32:].hex()[:16]}.patch"
            next_size = (folder / second).stat().st_size
            check_done(board.command("ota flash http"), FRAGILE, "ota_0", next_size)
            assert holds(bench, FRAGILE, "ota_1")
            board.command("module reset")
            check_told(board, FRAGILE, "ota_1", "ota_0", next_size)
            assert board.booted == ["factory", "ota_0", "ota_1"]
        log = served(server.stop())
    lists = [row for row in log if row[0] == "ovms3.bin.patches"]
    assert [row for row in log if row not in lists] == [(first, 200, size), (second, 200, next_size)], log
    assert len(lists) == 2 and sum(row[2] for row in log) < len(SECOND.bytes) // 50, log


# ---- interrupted ----


def cut_at(bench, line_typed, last):
    """Plays an update until its operation of that number, and ends QEMU there. Returns the trace."""
    with bench.power_on(gdb=True) as board:
        tracer = Tracer(board, (FIRST, SECOND), last)
        tracer.start()
        with pytest.raises(Stopped):
            board.command(line_typed)
        return tracer.finish(), board.rows


def pages_written(trace, block):
    """Addresses in that block of ota_0 that were programmed, in the order of the first time."""
    start = area("ota_0").start + block * BLOCK
    return list(dict.fromkeys(operation.address for operation in trace.operations
                              if operation.kind == PROGRAM and start <= operation.address < start + BLOCK))


def test_power_lost_while_it_is_applied(factory, web, patch):
    """The next start goes on from the stage: not one byte comes again, and a block that was done stays."""
    data = patch(FIRST, SECOND)
    (served_patch,) = offer(web, SECOND, (FIRST, data))
    first, rows = cut_at(factory, line(web), len(SECOND.bytes) // PAGE * 11 // 12)
    assert STAGED in rows and not holds(factory, SECOND, "ota_0")
    assert len(pages_written(first, 1)) == BLOCK // PAGE and pages_written(first, 2)
    with factory.power_on(gdb=True) as board:
        tracer = Tracer(board, (FIRST, SECOND))
        tracer.start()
        board.wait_for_prompt()
        assert board.command("ota status nocheck")[0].startswith(FIRST.line("factory"))
        rows = board.command(line(web))
        second = tracer.finish()
    assert WHOLE in rows, rows
    check_done(rows, SECOND, "factory", len(data))
    assert pages_written(second, 1) == [] and pages_written(second, 2) != []  # the slot's first one is always erased
    assert served_patch.asked == [(None, None)] and served_patch.sent == [len(data)]
    assert web.pages[PATH].asked == []
    with factory.power_on() as board:
        check_told(board, SECOND, "ota_0", "factory", len(data))


def test_power_lost_while_it_comes(factory, web, patch):
    """What is in the stage stays there; only the rest comes, by Range and If-Range."""
    data = patch(NOTHING, SECOND)
    (served_patch,) = offer(web, SECOND, (NOTHING, data))
    served_patch.holds = [len(data) * 3 // 4]
    stage = area("ota_0").end - 2 * SECTOR - -(-len(data) // SECTOR) * SECTOR
    with factory.power_on() as board:
        board.wait_for_prompt()
        board.send(f"{line(web)}\r")
        board.read(lambda: factory.flash.read_bytes()[stage:stage + len(data) // 2] == data[:len(data) // 2],
                   "half of the patch")
    with factory.power_on() as board:
        rows = board.command(line(web))
        resumed = [row for row in rows if row.startswith("Resuming at ")]
        assert len(resumed) == 1, rows
        check_done(rows, SECOND, NOTHING, len(data))
        assert int(re.search(r"\d+", resumed[0])[0]) == served_patch.asked[1][0] >= len(data) // 2 // SECTOR * SECTOR
        assert served_patch.asked[1][1] == '"0"' and len(served_patch.asked) == 2
        assert holds(factory, SECOND, "ota_0")
        board.command("module reset")
        assert board.command("ota status nocheck")[0].startswith(SECOND.line("ota_0"))


def test_a_server_that_hangs_up(factory, web, patch):
    """Within one command, too."""
    data = patch(NOTHING, SECOND)
    (served_patch,) = offer(web, SECOND, (NOTHING, data))
    served_patch.cuts = [len(data) // 3, len(data) // 3, None]
    with factory.power_on() as board:
        check_done(board.command(line(web)), SECOND, NOTHING, len(data))
        firsts = [first for first, _ in served_patch.asked]
        assert firsts[0] is None and 0 < firsts[1] < firsts[2] and len(firsts) == 3, served_patch.asked
        assert holds(factory, SECOND, "ota_0")


# ---- without a stage ----


@dataclass(frozen=True)
class Large(Firmware):
    """A firmware that some test has made."""

    file: Path

    @property
    def path(self):
        return self.file


def read(path, address, length):
    with open(path, "rb") as file:
        file.seek(address)
        return file.read(length)


def enlarged(firmware, size):
    """The image with a segment behind the others that makes it so large."""
    body = firmware.bytes
    end = 24
    for _ in range(body[1]):
        end += 8 + int.from_bytes(body[end + 4:end + 8], "little")
    fill = size - end - 8 - 48  # its header; padding with the checksum, and the digest
    image = bytearray(body[:end] + FREE.to_bytes(4, "little") + fill.to_bytes(4, "little") + b"\x5a" * fill)
    image[1] += 1
    sealed = seal(bytes(image))
    assert len(sealed) == size
    return sealed


@pytest.mark.parametrize("old", [FIRST, NOTHING])
def test_no_room_for_a_stage(factory, web, patch, old):
    """What the target holds reaches to its end: applied as it comes."""
    change(factory.flash, (area("ota_0").start, enlarged(FIRST, area("ota_0").size)))
    data = patch(old, SECOND)
    (served_patch,) = offer(web, SECOND, (old, data))
    with factory.power_on() as board:
        rows = board.command(f"{line(web)} to ota_0")
        assert STREAMED in rows and STAGED not in rows, rows
        base = NOTHING if old == NOTHING else "factory"
        check_done(rows, SECOND, base, len(data))
        assert served_patch.sent == [len(data)] and web.pages[PATH].asked == []
        assert holds(factory, SECOND, "ota_0")
        board.command("module reset")
        check_told(board, SECOND, "ota_0", base, len(data))


def test_a_server_that_hangs_up_without_a_stage(factory, web, patch):
    """The decoder waits for the rest, which comes by Range."""
    change(factory.flash, (area("ota_0").start, enlarged(FIRST, area("ota_0").size)))
    data = patch(NOTHING, SECOND)
    (served_patch,) = offer(web, SECOND, (NOTHING, data))
    served_patch.cuts = [len(data) // 2, None]
    with factory.power_on() as board:
        rows = board.command(f"{line(web)} to ota_0")
        assert STREAMED in rows, rows
        check_done(rows, SECOND, NOTHING, len(data))
        assert served_patch.asked == [(None, None), (len(data) // 2, '"0"')]
        assert holds(factory, SECOND, "ota_0")


def test_power_lost_without_a_stage(factory, web, tmp_path):
    """It comes anew; the large image leaves no room for a stage, now as before."""
    path = tmp_path / "large.bin"
    path.write_bytes(enlarged(SECOND, area("ota_0").size - 2 * SECTOR))
    large = Large("large", SECOND.version, path)
    done("patch", "make", FIRST.path, path, tmp_path / "large.patch")
    data = (tmp_path / "large.patch").read_bytes()
    (served_patch,) = offer(web, large, (FIRST, data))
    middle = area("ota_0").start + 2 * MB
    with factory.power_on() as board:
        board.wait_for_prompt()
        board.send(f"{line(web)}\r")
        board.read(lambda: read(factory.flash, middle, 16) != b"\xff" * 16, "half of the image")
    with factory.power_on() as board:
        rows = board.command(line(web))
        assert STREAMED in rows, rows
        assert any(re.match("Resuming: [4-9][0-9] % was written before", row) for row in rows), rows
        check_done(rows, large, "factory", len(data))
        assert served_patch.asked == [(None, None), (None, None)]
        assert holds(factory, large, "ota_0")
        board.command("module reset")
        check_told(board, large, "ota_0", "factory", 2 * len(data))  # all that has come


# ---- what cannot be used ----


def test_a_wrong_base_and_a_bad_patch(bench, web, patch):
    """A list that lies, and a patch with a bit that is another one: one line each, then the whole image."""
    bench.create(factory=FIRST, ota_1=SECOND)
    wrong = patch(SECOND, FRAGILE)
    bad = bytearray(patch(NOTHING, FRAGILE))
    bad[len(bad) // 2] ^= 0x20
    pages = offer(web, FRAGILE, (FIRST, wrong), (NOTHING, bytes(bad)))
    with bench.power_on() as board:
        rows = board.command(line(web))
        told = [row for row in rows if "cannot be used" in row]
        assert len(told) == 2 and told[1].startswith("  Compressed image cannot be used: "), rows
        assert OK in rows and not any(row.startswith("  By ") for row in rows), rows
        assert [each.sent for each in pages] == [[len(wrong)], [len(bad)]]
        assert web.pages[PATH].sent == [len(FRAGILE.bytes)]
        assert holds(bench, FRAGILE, "ota_0")
        board.command("module reset")
        assert board.command("ota status nocheck")[0].startswith(FRAGILE.line("ota_0"))


def test_no_patches_wanted(factory, web, patch):
    offer(web, SECOND, (FIRST, patch(FIRST, SECOND)))
    with factory.power_on() as board:
        board.command("config set ota http.patches no")
        assert OK in board.command(line(web))
        assert web.requests == [PATH]


# ---- from the card ----


@pytest.mark.parametrize("profile", ["default", "small"])
@pytest.mark.parametrize("old, base", [(FIRST, "factory"), (FRAGILE, "ota_1"), (NOTHING, NOTHING)])
def test_from_the_card(bench, patch, old, base, profile):
    data = patch(old, SECOND, profile)
    bench.create(factory=FIRST, ota_1=FRAGILE).insert({"new.patch": data})
    with bench.power_on() as board:
        check_done(board.command("ota flash vfs /sd/new.patch"), SECOND, base, len(data))
        assert holds(bench, SECOND, "ota_0")
        board.command("module reset")
        check_told(board, SECOND, "ota_0", base, len(data))


def test_a_patch_on_the_card_that_does_not_fit(factory, patch):
    """Neither its base nor all of its bytes are there; nothing is written."""
    good = patch(FIRST, SECOND)
    factory.insert({"other.patch": patch(FRAGILE, SECOND), "half.patch": good[:len(good) // 2],
                    "bit.patch": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:]})
    before = content(factory.flash, "ota_0"), content(factory.flash, "ota_1")
    with factory.power_on() as board:
        for name in ("other", "half", "bit"):
            rows = board.command(f"ota flash vfs /sd/{name}.patch")
            assert any(row.startswith("Error: ") for row in rows) and OK not in rows, rows
        assert board.command("ota history") == ["No updates yet"]
        assert (content(factory.flash, "ota_0"), content(factory.flash, "ota_1")) == before
