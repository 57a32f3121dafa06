# SPDX-License-Identifier: MIT
"""lifeboat patch make, apply and info: what they make, what they refuse, and that nothing is left behind."""

import hashlib
import json
import os
import random
import signal
import subprocess
import zlib
from pathlib import Path

import pexpect
import pytest
from image_builder import build_image, seal

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
FIRMWARE = os.environ.get("LIFEBOAT_FIRMWARE")
HEADER = 66
DIGEST = 32
VERSION_AT = 24 + 8 + 16  # header, segment header, in the description
ELF_DIGEST_AT = 24 + 8 + 144
TINY = 150


def run(*words, code=0):
    done = subprocess.run([BINARY, "patch", *map(str, words)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def info(path, code=0):
    return json.loads(run("info", path, "--json", code=code).stdout)


@pytest.fixture(name="folder")
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(name="make")
def made_and_applied(folder):
    """make(OLD, NEW, *OPTIONS): the patch as bytes; applied it gives NEW, and nothing else is left. OLD None is -."""

    def make(old, new, *options):
        for path in folder.iterdir():
            path.unlink()
        if old is not None:
            Path("old").write_bytes(old)
        Path("new").write_bytes(new)
        run("make", "old" if old is not None else "-", "new", "patch", *options)
        run("apply", "old" if old is not None else "-", "patch", "made")
        assert Path("made").read_bytes() == new
        names = {"new", "patch", "made"} | ({"old"} if old is not None else set())
        assert {path.name for path in folder.iterdir()} == names
        return Path("patch").read_bytes()

    return make


def digest_of(data):
    """As docs/patches.md has it."""
    sealed = len(data) >= DIGEST and hashlib.sha256(data[:-DIGEST]).digest() == data[-DIGEST:]
    return data[-DIGEST:] if sealed else hashlib.sha256(data).digest()


def changed(image, version, elf_digest=None):
    """The same image under another version, with checksum and digest mended."""
    body = bytearray(image)
    body[VERSION_AT:VERSION_AT + 32] = version.encode().ljust(32, b"\0")
    if elf_digest is not None:
        body[ELF_DIGEST_AT:ELF_DIGEST_AT + DIGEST] = elf_digest
    return seal(bytes(body))


OLD = build_image("3.1.002", size=65536, seed=1)
NEW = changed(OLD[:20000] + random.Random(2).randbytes(40) + OLD[20040:], "3.1.003")
TEXT = "\n".join(f"line {number} of a file that is no image" for number in range(900)).encode()


# ---- what is made ----


@pytest.mark.parametrize("profile, memory", [("default", 10240), ("small", 2560)])
def test_images(make, profile, memory):
    patch = make(OLD, NEW, "--profile", profile)
    assert len(patch) < 300
    found = info("patch")
    assert found["profile"] == profile and found["memory"] <= memory
    assert found["format"] == patch[3] == 1 and found["walker"] == "Xtensa"
    assert found["size"] == len(patch) and found["crc_good"] and found["error"] is None
    assert int.from_bytes(patch[6:10], "little") == zlib.crc32(patch[:6] + patch[10:])
    assert found["base"] == {"length": len(OLD), "digest": OLD[-DIGEST:].hex()[:32]}
    assert found["image"] == {"length": len(NEW), "digest": NEW[-DIGEST:].hex()}
    text = run("info", "patch").stdout
    for word in ("Xtensa", profile, f"{len(patch)} bytes", OLD[-DIGEST:].hex()[:32], NEW[-DIGEST:].hex(), "good"):
        assert word in text


@pytest.mark.parametrize("old, new", [
    (OLD, OLD), (TEXT, TEXT), (OLD, b""), (b"", OLD), (b"", b""), (TEXT, b"x"), (b"x", TEXT), (TEXT + OLD, TEXT),
    (OLD, TEXT), (TEXT[:7000], TEXT[300:9000] + TEXT[:500]),
    (b"\xe9\x10" + bytes(100), b"\xe9\xff" + b"\xff" * 300), (bytes(100000), bytes(50000) + b"1" + bytes(60000)),
], ids=["equal images", "equal texts", "empty new", "empty old", "both empty", "one byte", "from one byte", "shorter",
        "unlike", "texts", "lying headers", "zeros"])
def test_any_files(make, old, new):
    for profile in ("default", "small"):
        patch = make(old, new, "--profile", profile)
        assert len(patch) <= len(new) + 100
        assert info("patch")["image"]["digest"] == digest_of(new).hex()
        if old == new:
            assert len(patch) < HEADER + 30


def test_incompressible(make):
    new = random.Random(3).randbytes(20000)
    assert len(make(None, new)) < len(new) * 1.01 + 100
    assert "larger than the image" in run("make", "-", "new", "again").stdout


def test_from_nothing(make):
    patch = make(None, TEXT)
    assert len(patch) < len(TEXT) / 10
    assert info("patch")["base"] is None
    assert "needs no old one" in run("info", "patch").stdout
    Path("any").write_bytes(b"what is there does not matter")
    run("apply", "any", "patch", "again")
    assert Path("again").read_bytes() == TEXT


def test_old_one_of_no_help(make):
    unlike = random.Random(5)
    make(random.Random(4).randbytes(5000), bytes(unlike.randrange(100) for _ in range(20000)))
    assert info("patch")["base"] is None
    assert "too little in common" in run("make", "old", "new", "again").stdout


def test_same_patch_each_time(make):
    assert make(OLD, NEW) == make(OLD, NEW)


@pytest.mark.parametrize("chip", ["esp32", "esp32s3", "esp32c3", "esp32h2"])
def test_tiny_change(make, chip):
    """Another version, and then the digest of another ELF file, too: what every build changes."""
    old = build_image("3.1.002", size=262144, chip=chip, seed=5)
    assert len(make(old, changed(old, "3.1.003-12-g7ea18b4"))) <= TINY
    assert len(make(old, changed(old, "3.1.003", random.Random(6).randbytes(DIGEST)))) <= TINY


@pytest.mark.skipif(not FIRMWARE, reason="LIFEBOAT_FIRMWARE is not set")
def test_tiny_change_of_a_real_image(make):
    old = (Path(FIRMWARE) / "ovms-3.3.003-601.bin").read_bytes()
    assert len(make(old, changed(old, "3.3.004-1-g01234567", random.Random(6).randbytes(DIGEST)))) <= TINY


# ---- what is told ----


def test_report(make):
    patch = make(OLD, NEW)
    done = run("make", "old", "new", "again")
    assert done.stderr == ""  # no progress in a pipe
    for word in (f"{len(patch)} bytes", "% of the full image", f"{len(NEW)} bytes", "Xtensa", "default", " s;"):
        assert word in done.stdout
    assert "copies" in run("make", "old", "new", "verbose", "--verbose").stderr


def test_report_for_programs(make):
    patch = make(OLD, NEW)
    lines = [json.loads(line) for line in run("make", "old", "new", "again", "--json").stdout.splitlines()]
    percent = [line["percent"] for line in lines if line["event"] == "progress"]
    assert percent == sorted(percent) and percent[0] == 0 and percent[-1] == 100
    assert lines[-1]["event"] == "done" and lines[-1]["command"] == "make" and lines[-1]["size"] == len(patch)
    applied = json.loads(run("apply", "old", "patch", "once more", "--json").stdout)
    assert applied["command"] == "apply" and applied["out"] == "once more"


def test_progress_on_a_terminal(make):
    make(OLD, NEW)
    terminal = pexpect.spawn(str(BINARY), ["patch", "make", "old", "new", "again"], encoding="utf-8", timeout=60,
                             dimensions=(24, 90), env={**os.environ, "TERM": "dumb"})
    terminal.expect(r"make the patch \[#+\] 100 %")
    terminal.expect("Patch: ")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


# ---- what is refused ----


def test_wrong_old_one(make, folder):
    make(OLD, NEW)
    other = build_image("3.1.009", size=65536)
    Path("other").write_bytes(other)
    done = run("apply", "other", "patch", "out", code=1)
    for word in ("other", "made for another firmware", OLD[-DIGEST:].hex()[:32], other[-DIGEST:].hex()[:32], " - use "):
        assert word in done.stderr
    for wrong in (OLD + b"x", OLD[:-1], b""):
        Path("other").write_bytes(wrong)
        assert hashlib.sha256(wrong).hexdigest()[:32] in run("apply", "other", "patch", "out", code=1).stderr
    assert OLD[-DIGEST:].hex()[:32] in run("apply", "-", "patch", "out", code=1).stderr
    assert not (folder / "out").exists()


def test_damaged_patch(make, folder):
    patch = make(OLD, NEW)
    places = random.Random(7).sample(range(len(patch)), 40) + [0, 3, 4, 5, 6, len(patch) - 1]
    damaged = [patch[:at] + bytes([patch[at] ^ 1 << at % 8]) + patch[at + 1:] for at in places]
    damaged += [patch[:at] for at in (0, 2, 3, HEADER - 1, HEADER, len(patch) - 1)] + [patch + b"\0", NEW]
    for bad in damaged:
        Path("bad").write_bytes(bad)
        done = run("apply", "old", "bad", "out", code=1)
        assert done.stderr.startswith("Error: bad: ") and " - " in done.stderr and done.stderr.count("\n") == 1
        assert not (folder / "out").exists()
        assert run("info", "bad", code=1).stderr.startswith("Error: bad: ")
    flipped = damaged[places.index(len(patch) - 1)]
    Path("bad").write_bytes(flipped)
    found = info("bad", code=1)
    assert not found["crc_good"] and found["error"]["name"] == "LB_ERR_PATCH_CRC"


def test_patch_that_lies(make, folder):
    """Its CRC is right, what it says is not."""
    patch = bytearray(make(OLD, NEW))
    for at in range(HEADER, len(patch), 7):
        bad = patch[:at] + bytes([patch[at] ^ 0x10]) + patch[at + 1:]
        bad[6:10] = zlib.crc32(bad[:6] + bad[10:]).to_bytes(4, "little")
        Path("bad").write_bytes(bad)
        assert run("apply", "old", "bad", "out", code=1).stderr.startswith("Error: bad: ")
    assert not (folder / "out").exists()


def test_existing_files(make, folder):
    make(OLD, NEW)
    Path("kept").write_bytes(b"kept")
    for words in (["make", "old", "new", "kept"], ["apply", "old", "patch", "kept"]):
        assert "--force replaces it" in run(*words, code=1).stderr
        assert Path("kept").read_bytes() == b"kept"
        run(*words, "--force")
        assert Path("kept").read_bytes() != b"kept"
        Path("kept").write_bytes(b"kept")
    for words, names in ((["make", "old", "new"], ["old", "new"]), (["apply", "old", "patch"], ["old", "patch"])):
        for name in names:
            before = Path(name).read_bytes()
            assert "name another file" in run(*words, name, "--force", code=1).stderr
            assert Path(name).read_bytes() == before
    (folder / "link").symlink_to("kept")
    assert "is not an ordinary file" in run("make", "old", "new", "link", "--force", code=1).stderr


def test_bad_files(folder):
    Path("small").write_bytes(b"small")
    with open("large", "wb") as file:
        file.truncate(0x1000001)
    for words in (["large", "small"], ["small", "large"], ["nowhere", "small"], ["small", "."], ["small", "-"]):
        assert run("make", *words, "out", code=1).stderr.startswith("Error: ")
    assert run("info", "small", code=1).stderr.startswith("Error: small: this does not begin as a patch")
    assert {path.name for path in folder.iterdir()} == {"small", "large"}


@pytest.mark.parametrize("words", [
    ["make"], ["make", "a", "b"], ["make", "a", "b", "c", "d"], ["make", "a", "b", "c", "--profile", "huge"],
    ["make", "a", "b", "c", "--profile"], ["apply", "a", "b"], ["apply", "a", "b", "c", "--profile", "small"], ["info"],
    ["info", "a", "b"], ["info", "a", "--what"]])
def test_called_wrongly(words):
    assert "Usage: lifeboat patch" in run(*words, code=2).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(folder, number):
    Path("new").write_bytes(build_image("3.1.003", size=4 << 20))
    with subprocess.Popen([BINARY, "patch", "make", "-", "new", "out", "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if json.loads(line)["percent"] > 0:
                break
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == "Error: out: interrupted\n"
    assert {path.name for path in folder.iterdir()} == {"new"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_it_is_applied(folder, number):
    """The patch is made, and its proof does not tell how far it is."""
    Path("new").write_bytes(build_image("3.1.003", size=1 << 19))
    with subprocess.Popen([BINARY, "patch", "make", "-", "new", "out", "--verbose"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        told = process.stderr.readline()
        process.send_signal(number)
        out, error = process.communicate(timeout=60)
    assert told.startswith("walker Xtensa, from nothing: ")
    assert (process.returncode, out, error) == (130, "", "Error: out: interrupted\n")
    assert {path.name for path in folder.iterdir()} == {"new"}
