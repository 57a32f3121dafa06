# SPDX-License-Identifier: MIT
"""docs/patch-format.md says all that a decoder needs: one that was made from that page alone gives the same bytes.

What is compared are patches of `lifeboat patch make`, patches that no encoder makes, and damaged ones.
"""

import hashlib
import math
import os
import random
import re
import subprocess
import zlib
from pathlib import Path

import pytest
from image_builder import build_image
from patch_decoder import PatchError, apply_patch
from patch_decoder.entropy import EXP2, LOG2, RATES, STRETCHED, hash32, squash
from program_images import Program
from random_patches import random_image, random_patch

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
FIRMWARE = os.environ.get("LIFEBOAT_FIRMWARE")
DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "patch-format.md").read_text(encoding="utf-8")
HEADER = 66
MAGIC, VERSION, IMPOSSIBLE, BASE, TRUNCATED, CORRUPT, CRC, DIGEST = (
    f"LB_ERR_PATCH_{name}" for name in ("MAGIC", "VERSION", "HEADER", "BASE", "TRUNCATED", "CORRUPT", "CRC", "DIGEST"))
REFUSALS = {"does not begin as a patch": MAGIC, "of a version that is not known": VERSION,
            "header of the patch is impossible": IMPOSSIBLE, "made for another firmware": BASE, "is cut off": TRUNCATED,
            "what cannot be done": CORRUPT, "CRC of the patch is wrong": CRC, "is not what it states": DIGEST}
CHIPS = ["esp32", "esp32s3", "esp32c3", "board"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*words):
    return subprocess.run([BINARY, "patch", *map(str, words)], capture_output=True, text=True, timeout=300, check=False)


def made(old, new, profile="default"):
    Path("old").write_bytes(old or b"")
    Path("new").write_bytes(new)
    done = run("make", "-" if old is None else "old", "new", "patch", "--profile", profile, "--force")
    assert done.returncode == 0, done.stderr
    return Path("patch").read_bytes()


def by_program(patch, base):
    """What `lifeboat patch apply` makes, or the error's name."""
    Path("patch").write_bytes(patch)
    Path("base").write_bytes(base)
    Path("out").unlink(missing_ok=True)
    done = run("apply", "base", "patch", "out")
    if done.returncode == 0:
        return Path("out").read_bytes()
    names = [name for text, name in REFUSALS.items() if text in done.stderr]
    assert done.returncode == 1 and len(names) == 1, done.stderr
    return names[0]


def by_document(patch, base):
    try:
        return apply_patch(patch, base)
    except PatchError as error:
        return error.name


def with_crc(patch):
    return patch[:6] + zlib.crc32(patch[:6] + patch[10:]).to_bytes(4, "little") + patch[10:]


def changed_pair(chip, functions=150, seed=0):
    program = Program(chip, functions, seed)
    old = program.image()
    program.change()
    return old, program.image()


# ---- what the program makes ----


@pytest.mark.parametrize("profile", ["default", "small"])
@pytest.mark.parametrize("chip", CHIPS)
def test_moved_code(chip, profile):
    old, new = changed_pair(chip)
    patch = made(old, new, profile)
    assert len(patch) < len(new) / 5
    assert patch[4] >> 4 == (1 if chip in ("esp32", "esp32s3") else 2)  # the walker is really in use
    assert apply_patch(patch, old) == new


TEXT = "\n".join(f"line {number} of a file that is no image" for number in range(300)).encode()
OTHER_TEXT = TEXT[2000:9000].replace(b"no", b"maybe an") + TEXT[:3000]
IMAGE = build_image("3.1.002", size=8192)


@pytest.mark.parametrize("profile", ["default", "small"])
@pytest.mark.parametrize("old, new", [
    (TEXT, OTHER_TEXT), (None, TEXT), (None, b""), (TEXT, b""), (b"", TEXT), (None, changed_pair("esp32", 40)[1]),
    (None, changed_pair("esp32c3", 40)[1]), (None, random.Random(1).randbytes(3000)), (IMAGE, IMAGE),
    (IMAGE, build_image("3.1.003", size=8192, seed=3)), (b"\xe9\x10" + bytes(100), b"\xe9\xff" + b"\xff" * 300),
    (bytes(30000), bytes(20000) + b"1" + bytes(20000)), (changed_pair("esp32", 40)[0], TEXT),
], ids=["texts", "text alone", "nothing", "to nothing", "from empty", "Xtensa alone", "RISC-V alone", "random", "equal",
        "unlike images", "lying headers", "zeros", "image to text"])
def test_any_files(old, new, profile):
    assert apply_patch(made(old, new, profile), old or b"") == new


@pytest.mark.skipif(not FIRMWARE, reason="LIFEBOAT_FIRMWARE is not set")
def test_real_images():
    old, new = ((Path(FIRMWARE) / f"ovms-3.3.003-{number}.bin").read_bytes() for number in (600, 601))
    assert apply_patch(made(old, new), old) == new


# ---- what no program makes ----


@pytest.mark.parametrize("walker, chip", [(0, "esp32"), (1, "esp32"), (1, "esp32c3"), (2, "esp32c3"), (2, "board")])
@pytest.mark.parametrize("profile", [1, 2])
def test_random_patches(walker, chip, profile):
    image, shifted = Program(chip, 40).image(), Program(chip, 40, shift=3).image()
    for seed in range(8):
        base = [image, shifted, image, image[:2000 + 37 * seed], b""][seed % 5]
        length, tail = [len(image), 2500, len(image), 57][seed % 4], [0, 5, 16, 0][seed % 4]
        patch, result = random_patch(base, length, tail, profile, walker, f"{chip}/{seed}")
        assert by_program(patch, base) == result, f"seed {seed}"
        if seed < 2:
            assert apply_patch(patch, base) == result


@pytest.mark.parametrize("walker, chip", [(1, "esp32"), (2, "esp32c3")])
def test_random_images(walker, chip):
    contents = Program(chip, 40).image()
    for seed in range(12):
        base = random_image(contents, f"{chip}/{seed}")
        patch, result = random_patch(base, len(base), 0, 1 + seed % 2, walker, f"{chip}/{seed}")
        assert by_program(patch, base) == result, f"seed {seed}"


# ---- what is refused ----


def judged_alike(patch, base):
    """The same bytes or the same error, but where the document leaves the choice of its name."""
    here, there = by_document(patch, base), by_program(patch, base)
    if here == there:
        return here
    assert isinstance(here, str) and isinstance(there, str), (here, there)
    if {here, there} == {CORRUPT, TRUNCATED}:
        return here
    if len(patch) < HEADER and patch[:3] != b"LBP":
        assert {here, there} == {TRUNCATED, MAGIC}
        return here
    assert CRC in (here, there) and with_crc(patch) != patch, (here, there)
    return here


def damaged(patch, seed):
    pick = random.Random(seed)
    for at in [*range(19), 33, 34, 65, *(pick.randrange(HEADER, len(patch)) for _ in range(15))]:
        yield patch[:at] + bytes([patch[at] ^ 1 << pick.randrange(8)]) + patch[at + 1:]
    for length in (0, 2, 3, HEADER - 1, HEADER, HEADER + 3, len(patch) // 2, *range(len(patch) - 6, len(patch))):
        yield patch[:length]
    for more in range(1, 6):
        yield patch + bytes(more)
    yield patch[:HEADER] + pick.randbytes(len(patch) - HEADER)


@pytest.mark.parametrize("chip, profile", [("esp32", "default"), ("esp32c3", "small")])
def test_damaged(chip, profile):
    old, new = changed_pair(chip, 30)
    patch = made(old, new, profile)
    seen = set()
    for bad in damaged(patch, chip):
        seen.add(judged_alike(bad, old))
        if len(bad) >= 10:
            seen.add(judged_alike(with_crc(bad), old))
    assert seen >= {MAGIC, VERSION, IMPOSSIBLE, BASE, TRUNCATED, CORRUPT, CRC, DIGEST}
    for wrong in (old[:-1], b"", old[:100] + b"\0\1" + old[102:], new):
        assert judged_alike(patch, wrong) == BASE


@pytest.mark.parametrize("at, value", [
    (4, 0x01), (4, 0x13), (4, 0x10), (4, 0x31), (5, 0x11), (5, 0x25), (5, 0xC5), (10, 31), (10, 0x1000001), (10, 0),
    (14, 5 + 31), (14, 5 + 32), (14, 0x1000001), (14, 0)])
def test_headers(at, value):
    """The sealed image's patch with tail 5; lengths at 10 and 14."""
    patch, _ = random_patch(IMAGE, 3000, 5, 1, 1, seed=1)
    size = 1 if at < 6 else 4
    judged_alike(with_crc(patch[:at] + value.to_bytes(size, "little") + patch[at + size:]), IMAGE)


@pytest.mark.parametrize("stream, answer", [
    (b"", b""), (bytes(4), b""), (b"\1\2\3\4", b""), (bytes(5), CORRUPT)])
def test_empty_result(stream, answer):
    """Four bytes are read even then."""
    patch = made(None, b"")
    patch = with_crc(patch[:HEADER] + stream)
    assert by_document(patch, b"") == by_program(patch, b"") == answer


@pytest.mark.parametrize("stream, answer", [(b"\xff" * 4, b""), (b"\xff" * 5, CORRUPT), (bytes(4), TRUNCATED)])
def test_map_before_empty_result(stream, answer):
    """Four bytes of 255 are a map without ranges, of 0 one with more than fit."""
    patch, _ = random_patch(IMAGE, 0, 0, 1, 1, seed=1)
    assert judged_alike(with_crc(patch[:HEADER] + stream), IMAGE) == answer


def test_longer_base():
    """A slot of flash holds more than the base."""
    old, new = changed_pair("esp32", 10)
    assert apply_patch(made(old, new), old + b"\xff" * 100) == new


# ---- what the document shows ----


def numbers_below(text):
    """The numbers of the first indented block behind a text."""
    block = re.search(r"\n\n((?: {4}[0-9 ]+\n)+)", DOCUMENT[DOCUMENT.index(text):])
    return [int(word) for word in block[1].split()]


def test_tables():
    assert RATES == numbers_below("RATES[n] is") == [math.floor(65536 / (n + 2) + 0.5) for n in range(16)]
    assert LOG2 == numbers_below("LOG2[i] =") == [round(256 * math.log2(1 + (i + 0.5) / 256)) for i in range(256)]
    assert EXP2 == numbers_below("EXP2[i] =") == [round(65536 * (2 ** (i / 256) - 1)) for i in range(256)]


def test_example_values():
    text = " ".join(DOCUMENT[DOCUMENT.index("## Examples"):].split())
    hashes = re.findall(r"hash\((\w+)\) = (0x\w+)", text)
    assert len(hashes) == 2 and all(hash32(int(x, 0)) == int(value, 0) for x, value in hashes)
    places, values = re.search(r"for q = ([0-9, ]+): ([-0-9, ]+);", text).groups()
    assert [STRETCHED[int(q)] for q in places.split(",")] == [int(value) for value in values.split(",")]
    squashed = re.findall(r"squash\((-?\d+)\) = (\d+)", text)
    assert len(squashed) == 7 and all(squash(int(x)) == int(value) for x, value in squashed)


def test_example_patches():
    blocks = re.findall(r"(?:^ {4}[0-9a-f]{20,}\n)+", DOCUMENT[DOCUMENT.index("## Examples"):], re.MULTILINE)
    alone, *others = [bytes.fromhex(block) for block in blocks]
    base = bytes(hash32(i) >> 24 for i in range(400))
    result = bytearray(base[:150] + b"Lifeboat" + base[170:] + base[20:60])
    result[100] ^= 1
    result[300] = 7
    assert [len(patch) for patch in (alone, *others)] == [79, 91, 90]
    assert by_document(alone, b"") == by_program(alone, b"") == b"Hello, hello, hello, hello!\n"
    for patch in others:
        assert patch[18:34] == hashlib.sha256(base).digest()[:16]
        assert by_document(patch, base) == by_program(patch, base) == result
