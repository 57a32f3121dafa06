# SPDX-License-Identifier: MIT
"""Updates by patch: what comes over the link, what ends up in the slot, and what the module tells of it."""

import json
import random

import pytest
from depot_server import PREFIX, DepotServer, lifeboat
from depot_server import published_with_patches as published
from firmware import status_lines
from flash_layout import area
from history_reader import read_history
from image_builder import build_image, seal
from virtual_module import SERVER_NAME

SIZE = 256 * 1024
FOLDER = "/v3.1/main/"
BIN = f"{PREFIX}{FOLDER}ovms3.bin"
NAME = f"{SERVER_NAME}{BIN}"
VERSION_AT = 32 + 16  # in an image, with the description in front of its first segment
ELF_AT = 32 + 144
SUCCESS = "OTA flash was successful"


def changed(image, version, *changes):
    """The image as another version: (offset, bytes) are put into its segments, and it is sealed again."""
    data = bytearray(image)
    name = version.encode()
    for at, new in ((VERSION_AT, name.ljust(32, b"\0")), (ELF_AT, name.ljust(32, b"#")), *changes):
        data[at:at + len(new)] = new
    return seal(bytes(data))


OLDEST = build_image("3.3.001", size=SIZE)
OLD = changed(OLDEST, "3.3.002", *((at, bytes(600)) for at in range(20000, 120000, 5000)))
NEW = changed(OLD, "3.3.003", (60000, b"changed here"), (200000, b"and there"))
UNRELATED = build_image("3.2.900", size=SIZE)
HALF_EMPTY = changed(build_image("3.3.004", size=SIZE), "3.3.004", (1024, bytes(SIZE // 4)))

# Most of it is text of chance, for which the smallest patch is one that looks for no instructions.
MOSTLY_ELSE = changed(OLD, "3.3.005", *((at, bytes(random.Random(at).choices(range(0x20, 0x7F), k=length)))
                                        for at, length in ((1024, 130000), (170000, 60000))))


@pytest.fixture
def publish(tmp_path):
    """publish(IMAGE, ...): publishes them one after the other; returns the folder."""
    depot = tmp_path / "depot"

    def publish_images(*images, more=()):
        for number, image in enumerate(images):
            path = tmp_path / f"published-{number}.bin"
            path.write_bytes(image)
            published(depot, path, *more)
        return depot

    return publish_images


def patches(depot):
    """{base: (name, size)} of the list beside the newest image, after docs/SPEC.md: "-" or the digest of the base."""
    folder = depot / FOLDER.strip("/")
    head, image, *lines = (folder / "ovms3.bin.patches").read_text().splitlines()
    published_image = (folder / "ovms3.bin").read_bytes()
    assert head == "lifeboat-patches 1"
    assert image.split()[:3] == ["image", str(len(published_image)), published_image[-32:].hex()]
    found = {}
    for line in lines:
        word, size, base, name, *_ = line.split()
        assert word == "patch" and (folder / name).stat().st_size == int(size), line
        found[base] = (name, int(size))
    return found


def patch_file(depot, name):
    return (depot / FOLDER.strip("/") / name).resolve()


def served(log, name):
    """[(status, bytes)] of the answers to GETs of that file beside the image."""
    found = [line.split() for line in log]
    return [(int(words[3]), int(words[4])) for words in found if words[1:3] == ["GET", f"{PREFIX}{FOLDER}{name}"]]


def in_slot(module, image, slot):
    start = area(slot, module.layout).start
    return module.flash.read_bytes()[start:start + len(image)] == image


def newest_entry(module):
    nvs = area("nvs", module.layout)
    return read_history(module.flash.read_bytes()[nvs.start:nvs.end])[0]


def update(module, depot, line="ota flash http", options=()):
    """One update; returns the lines of the session and those of the server's log."""
    with DepotServer(depot) as server:
        module.server = server.address
        session = module.run(line, options=options)
        module.server = None
        assert SUCCESS in session.lines, session.text
        return session.lines, server.stop()


def check_told(module, source, text, transferred, patch_base):
    """The entry in the flash, `ota history`, `lifeboat flash history` and its JSON say the same."""
    entry = newest_entry(module)
    assert (entry.source, entry.transferred, entry.patch_base) == (source, transferred, patch_base)
    lines = module.run("ota history").lines
    assert lines[2] == f"  Source:   {source} ({text})"
    done = lifeboat("flash", "history", module.flash)
    assert done.returncode == 0 and done.stdout.splitlines()[2] == lines[2]
    newest = json.loads(lifeboat("flash", "history", module.flash, "--json").stdout)["updates"][0]
    assert (newest["size"], newest["transferred"]) == (entry.size, transferred)
    assert newest["patch_base"] == (patch_base or None)


def last_update(module, *words):
    lines = module.run(" ".join(("ota status", *words))).lines
    return [line for line in lines if line.startswith("Last update:")]


def check_patched(module, publication, new, slot, base):
    """After an update by that patch: what is in the slot, and what is told."""
    size = publication[1]
    kind = "compressed image" if base == "-" else f"patch from {base}"
    text = f"{kind}, {size} bytes instead of {len(new)}"
    assert in_slot(module, new, slot)
    assert last_update(module, "nocheck") == [f"Last update:       {text}"]
    assert last_update(module, "full") == [f"Last update:       {text}"]
    check_told(module, NAME, text, size, base)


# ---- what is taken ----


def test_factory_as_base(make_module, publish):
    depot = publish(OLD, NEW)
    module = make_module(factory=OLD)
    name, size = patches(depot)[OLD[-32:].hex()]
    assert size < 1000
    lines, log = update(module, depot)
    assert served(log, name) == [(200, size)]
    assert len(served(log, "ovms3.bin.patches")) == 1
    assert sum(size for _, size in served(log, "ovms3.bin")) == 0
    assert any("patch" in line and "factory" in line and str(size) in line for line in lines), lines
    check_patched(module, (name, size), NEW, "ota_0", "factory")
    assert in_slot(module, OLD, "factory")


def test_mostly_changed(make_module, publish):
    depot = publish(OLD, MOSTLY_ELSE)
    module = make_module(factory=OLD)
    name, size = patches(depot)[OLD[-32:].hex()]
    assert size > len(MOSTLY_ELSE) / 2 and patch_file(depot, name).read_bytes()[4] == 1  # default, no walker
    _, log = update(module, depot)
    assert served(log, name) == [(200, size)]
    assert sum(size for _, size in served(log, "ovms3.bin")) == 0
    check_patched(module, (name, size), MOSTLY_ELSE, "ota_0", "factory")


def test_other_slot_as_base(make_module, publish):
    """Of two bases that the module has, the one with the smaller patch."""
    depot = publish(OLDEST, OLD, NEW)
    module = make_module(factory=OLDEST, ota_0=OLD)
    known = patches(depot)
    name, size = known[OLD[-32:].hex()]
    assert size < known[OLDEST[-32:].hex()][1]
    _, log = update(module, depot, "ota flash http to ota_1")
    assert served(log, name) == [(200, size)] and served(log, known[OLDEST[-32:].hex()][0]) == []
    check_patched(module, (name, size), NEW, "ota_1", "ota_0")


def test_target_is_no_base(make_module, publish):
    """What is about to be overwritten is not patched, even where that would be the smallest."""
    depot = publish(OLDEST, OLD, NEW)
    module = make_module(factory=OLDEST, ota_0=OLD)
    name, size = patches(depot)[OLDEST[-32:].hex()]
    update(module, depot, "ota flash http to ota_0")
    check_patched(module, (name, size), NEW, "ota_0", "factory")


def test_compressed_image(make_module, publish):
    depot = publish(OLD, HALF_EMPTY)
    module = make_module(factory=UNRELATED)
    name, size = patches(depot)["-"]
    assert size < len(HALF_EMPTY) * 9 // 10
    _, log = update(module, depot)
    assert served(log, name) == [(200, size)]
    assert sum(size for _, size in served(log, "ovms3.bin")) == 0
    check_patched(module, (name, size), HALF_EMPTY, "ota_0", "-")


def test_chain(make_module, publish):
    """Two updates, each by patch from the one before, the module restarted in between."""
    module = make_module(factory=OLDEST)
    update(module, publish(OLDEST, OLD))
    module.confirm()
    depot = publish(OLDEST, OLD, NEW)
    _, log = update(module, depot)
    name, size = patches(depot)[OLD[-32:].hex()]
    assert served(log, name) == [(200, size)]
    check_patched(module, (name, size), NEW, "ota_1", "ota_0")


# ---- what is not ----


def plain(name, size=SIZE, target="ota_0"):
    """What an update without patches says, as ever, but for its progress."""
    return ["Current running partition is: factory", f"Target partition is: {target}",
            f"Download firmware from {name} to {target}", f"Expected file size is {size}",
            "Preparing flash partition...", f"Download complete (at {size} bytes)", "Setting boot partition...",
            SUCCESS, f"  Flashed {size} bytes from {name}", f"  Next boot will be from '{target}'"]


def check_plain(module, lines, new=NEW):
    assert [line for line in lines if not line.startswith("Downloading...")] == plain(NAME)
    assert in_slot(module, new, "ota_0")
    assert module.run("ota status nocheck").lines == status_lines("3.3.003", "ota_0")  # and no more
    check_told(module, NAME, f"{SIZE} bytes", SIZE, "")
    assert last_update(module, "full") == [f"Last update:       {SIZE} bytes"]


def test_depot_without_patches(make_module, publish):
    module = make_module(factory=OLD)
    lines, log = update(module, publish(OLD, NEW, more=("--patches", "0")))
    assert [status for status, _ in served(log, "ovms3.bin.patches")] == [404]
    assert served(log, "ovms3.bin") == [(200, SIZE)]
    check_plain(module, lines)


def test_no_patches_wanted(make_module, publish):
    module = make_module(factory=OLD)
    lifeboat("flash", "settings", module.flash, "--set", "ota", "http.patches", "string", "no")
    lines, log = update(module, publish(OLD, NEW))
    assert served(log, "ovms3.bin.patches") == [] and served(log, "ovms3.bin") == [(200, SIZE)]
    check_plain(module, lines)


def test_no_base_here(make_module, publish):
    """The image cannot be compressed, and no slot holds what the patches change."""
    module = make_module(factory=UNRELATED)
    lines, log = update(module, publish(OLD, NEW))
    assert [line for line in lines if not line.startswith("Downloading...")] == plain(NAME)
    assert len(served(log, "ovms3.bin.patches")) == 1 and served(log, "ovms3.bin") == [(200, SIZE)]
    check_told(module, NAME, f"{SIZE} bytes", SIZE, "")


# ---- falling back ----


def break_patch(path):
    """A byte of it is another one."""
    data = bytearray(path.read_bytes())
    data[-9] ^= 0x10
    path.chmod(0o644)
    path.write_bytes(data)


def test_damaged_patch(make_module, publish):
    """The next one is taken; what came for nothing is counted as well."""
    depot = publish(OLDEST, OLD, NEW)
    known = patches(depot)
    bad, good = known[OLD[-32:].hex()], known[OLDEST[-32:].hex()]
    break_patch(patch_file(depot, bad[0]))
    module = make_module(factory=OLDEST, ota_0=OLD)
    lines, log = update(module, depot, "ota flash http to ota_1")
    assert served(log, bad[0]) == [(200, bad[1])] and served(log, good[0]) == [(200, good[1])]
    assert sum(size for _, size in served(log, "ovms3.bin")) == 0
    assert any(bad[0] in line or "patch from ota_0" in line for line in lines), lines
    assert in_slot(module, NEW, "ota_1")
    cost = bad[1] + good[1]
    check_told(module, NAME, f"patch from factory, {cost} bytes instead of {SIZE}", cost, "factory")


def test_all_patches_damaged(make_module, publish):
    depot = publish(OLD, NEW)
    name, size = patches(depot)[OLD[-32:].hex()]
    break_patch(patch_file(depot, name))
    module = make_module(factory=OLD)
    _, log = update(module, depot)
    assert served(log, name) == [(200, size)] and served(log, "ovms3.bin") == [(200, SIZE)]
    assert in_slot(module, NEW, "ota_0")
    assert last_update(module, "nocheck") == []
    check_told(module, NAME, f"{SIZE} bytes, {SIZE + size} transferred", SIZE + size, "")


def test_patch_that_is_gone(make_module, publish):
    depot = publish(OLD, NEW)
    name, _ = patches(depot)[OLD[-32:].hex()]
    patch_file(depot, name).unlink()
    module = make_module(factory=OLD)
    _, log = update(module, depot)
    assert [status for status, _ in served(log, name)] == [404] and served(log, "ovms3.bin") == [(200, SIZE)]
    assert in_slot(module, NEW, "ota_0")
    check_told(module, NAME, f"{SIZE} bytes", SIZE, "")


# ---- interrupted ----


def test_power_cut_while_it_is_applied(make_module, publish):
    """The patch waits in the slot: nothing of it comes again, and the history counts it once."""
    depot = publish(OLD, NEW)
    name, size = patches(depot)[OLD[-32:].hex()]
    module = make_module(factory=OLD)
    with DepotServer(depot) as server:
        module.server = server.address
        session = module.start("--timing", "w25q128jv")
        session.send("ota flash http")
        module.wait_until_written("ota_0")
        session.kill()
        assert not in_slot(module, NEW, "ota_0")
        assert SUCCESS in module.run("ota flash http").lines
        module.server = None
        log = server.stop()
    assert sum(size for _, size in served(log, name)) == size
    assert sum(size for _, size in served(log, "ovms3.bin")) == 0
    check_patched(module, (name, size), NEW, "ota_0", "factory")


# ---- from a file ----


def test_patch_from_a_card(make_module, publish):
    depot = publish(OLD, NEW)
    name, size = patches(depot)[OLD[-32:].hex()]
    module = make_module(factory=OLD)
    card = module.put("new.patch", patch_file(depot, name).read_bytes())
    assert SUCCESS in module.run(f"ota flash vfs {card}").lines
    assert in_slot(module, NEW, "ota_0")
    text = f"patch from factory, {size} bytes instead of {SIZE}"
    assert last_update(module, "nocheck") == [f"Last update:       {text}"]
    check_told(module, card, text, size, "factory")


def test_patch_from_a_card_without_its_base(make_module, publish):
    depot = publish(OLD, NEW)
    name, _ = patches(depot)[OLD[-32:].hex()]
    module = make_module(factory=UNRELATED, ota_0=OLDEST)
    card = module.put("new.patch", patch_file(depot, name).read_bytes())
    session = module.run(f"ota flash vfs {card}", code=1)
    assert any(line.startswith("Error: ") and "patch" in line for line in session.lines), session.text
    assert session.changed == set()
    assert module.run("ota history").lines == ["No updates yet"]


@pytest.mark.parametrize("keep", ["half", "byte"])
def test_damaged_patch_from_a_card(make_module, publish, keep):
    """It is checked whole before anything is written."""
    depot = publish(OLD, NEW)
    name, _ = patches(depot)[OLD[-32:].hex()]
    data = bytearray(patch_file(depot, name).read_bytes())
    if keep == "half":
        data = data[:len(data) // 2]
    else:
        data[-9] ^= 0x10
    module = make_module(factory=OLD)
    card = module.put("new.patch", bytes(data))
    session = module.run(f"ota flash vfs {card}", code=1)
    assert any(line.startswith("Error: ") for line in session.lines), session.text
    assert session.changed == set()
    assert module.run("ota history").lines == ["No updates yet"]
