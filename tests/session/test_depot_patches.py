# SPDX-License-Identifier: MIT
"""Patches that `lifeboat depot publish` makes: which, from what, their list, and that nobody ever sees half of it."""

import hashlib
import json
import os
import random
import resource
import subprocess
import time

import pexpect
import pytest
from depot_server import LIFEBOAT, PREFIX, DepotServer, lifeboat, request
from depot_server import publish_with_patches as publish
from depot_server import published_with_patches as published
from image_builder import HEADER_SIZE, build_image, description, seal
from nginx_server import NginxServer

SIZE = 32768
LIST = "ovms3.bin.patches"
FULL = "ovms3.bin.full.patch"


def firmware(version, chip="esp32"):
    """Images that differ in their versions and a few bytes; half of each is text, so that it can be compressed."""
    built = build_image("same", size=SIZE, chip=chip)
    words = random.Random(1)
    text = b" ".join(words.choice([b"partition", b"slot", b"image", b"segment"]) for _ in range(SIZE))[:SIZE // 2]
    body = bytearray(built[:2048] + text + built[2048 + len(text):])
    start = HEADER_SIZE + 8
    body[start:start + 256] = description(version)
    body[1024:1056] = hashlib.sha256(repr(version).encode()).digest()
    offset = HEADER_SIZE
    for _ in range(built[1]):  # the text lies over headers of segments
        body[offset:offset + 8] = built[offset:offset + 8]
        offset += 8 + int.from_bytes(built[offset + 4:offset + 8], "little")
    return seal(bytes(body))


def mostly_changed(version):
    """Two of these have a fifth in common, and text behind it, which is shorter without looking for instructions."""
    image = build_image("same", size=SIZE)
    start = SIZE // 5
    text = bytes(random.Random(version).choices(range(0x20, 0x7F), k=SIZE - start))
    body = bytearray(image[:start] + text)
    body[HEADER_SIZE + 8:HEADER_SIZE + 264] = description(version)
    offset = HEADER_SIZE
    for _ in range(image[1]):  # the text lies over headers of segments
        body[offset:offset + 8] = image[offset:offset + 8]
        offset += 8 + int.from_bytes(image[offset + 4:offset + 8], "little")
    return seal(bytes(body[:offset]))


def with_odd_padding(version):
    """A sound image, but between its last segment and the checksum there is something else than zeros."""
    image = firmware(version)
    body = image[:-36] + b"odd" + image[-33:-32]
    return body + hashlib.sha256(body).digest()


def digest(image):
    return image[-32:].hex()


@pytest.fixture
def depot(tmp_path):
    return tmp_path / "new" / "depot"


@pytest.fixture
def write(tmp_path):
    """Writes an image into a file of its own and returns its path."""
    paths = []

    def write_file(data):
        paths.append(tmp_path / f"file{len(paths)}.bin")
        paths[-1].write_bytes(data)
        return paths[-1]

    return write_file


def state(folder):
    """Everything in a folder: what would show that it was written again."""
    return {str(path.relative_to(folder)): (os.readlink(path) if path.is_symlink() else
                                            (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
                                            if path.is_file() else None) for path in sorted(folder.rglob("*"))}


def read_list(release, image):
    """Reads a list as docs/SPEC.md has it, and checks it and each patch. Returns {version of the base, or None: size}"""
    text = (release / LIST).read_bytes()
    assert len(text) <= 8192 and text.endswith(b"\n") and b"\r" not in text
    lines = [line.split(" ") for line in text.decode("ascii").splitlines()]
    assert all(len(" ".join(line)) <= 255 and "" not in line for line in lines)
    assert lines[0] == ["lifeboat-patches", "1"]
    version = (release / "ovms3.ver").read_text().splitlines()[0]
    assert lines[1] == ["image", str(len(image)), digest(image), version]
    assert (release / "ovms3.bin").read_bytes() == image
    found = {}
    for word, size, base, name, *base_version in lines[2:]:
        data = (release / name).read_bytes()
        assert word == "patch" and len(base_version) <= 1
        assert len(data) == int(size) <= 0.9 * len(image)
        assert name == (FULL if base == "-" else f"ovms3.bin.{base[:16]}.patch")
        assert data[:3] == b"LBP"
        assert data[18:34].hex() == ("0" * 32 if base == "-" else base[:32])
        assert data[34:66].hex() == digest(image)
        found[None if base == "-" else base_version[0] if base_version else base] = int(size)
    assert list(found.values()) == sorted(found.values()) and len(found) == len(lines) - 2
    files = {name for name in os.listdir(release) if name.endswith(".patch")}
    assert files == {line[3] for line in lines[2:]}
    return found


def apply(release, base, image, tmp_path):
    """Applies the patch from `base` (None: nothing) and compares."""
    old, new = tmp_path / "old", tmp_path / "made"
    old.write_bytes(base or b"")
    name = f"ovms3.bin.{digest(base)[:16]}.patch" if base else FULL
    done = lifeboat("patch", "apply", old if base else "-", release / name, new, "--force")
    assert done.returncode == 0, done.stderr
    assert new.read_bytes() == image


def release_of(depot, version):
    return depot / "v3.1/releases" / version


# ---- which patches ----


def test_from_the_last_releases(depot, write, tmp_path):
    images = {f"1.{number}": firmware(f"1.{number}") for number in range(5)}
    lines = [published(depot, write(image)).splitlines() for image in images.values()]
    release = release_of(depot, "1.4")
    sizes = read_list(release, images["1.4"])
    assert set(sizes) == {"1.1", "1.2", "1.3", None}
    assert all(size < 600 for version, size in sizes.items() if version)
    for version in ("1.1", "1.2", "1.3"):
        apply(release, images[version], images["1.4"], tmp_path)
    apply(release, None, images["1.4"], tmp_path)
    assert set(read_list(release_of(depot, "1.0"), images["1.0"])) == {None}
    assert lines[0][1:] == [f"  patch from nothing: {sizes_of(depot, '1.0')[None]} bytes, " +
                            f"{100 * sizes_of(depot, '1.0')[None] / SIZE:.0f} % of the image"]
    assert [line.split(" (")[0] for line in lines[4][1:4]] == [f"  patch from 1.{number}" for number in (3, 2, 1)]
    assert f"  patch from 1.3 ({digest(images['1.3'])[:16]}): {sizes['1.3']} bytes, " in lines[4][1]


def sizes_of(depot, version):
    release = release_of(depot, version)
    return read_list(release, (release / "ovms3.bin").read_bytes())


def test_how_many(depot, write):
    for number in range(4):
        published(depot, write(firmware(f"1.{number}")), "--patches", 0)
    assert not list(depot.rglob("*.patch*"))
    published(depot, write(firmware("1.4")), "--patches", 1)
    assert set(sizes_of(depot, "1.4")) == {"1.3", None}
    published(depot, write(firmware("1.5")), "--patches", 16)
    assert set(sizes_of(depot, "1.5")) == {"1.0", "1.1", "1.2", "1.3", "1.4", None}


def test_from_what_the_tag_led_to(depot, write):
    for number in range(4):
        published(depot, write(firmware(f"1.{number}")), "--patches", 0, tag="edge" if number else "main")
    published(depot, write(firmware("1.4")), "--patches", 1)
    assert set(sizes_of(depot, "1.4")) == {"1.3", "1.0", None}


def test_given_images(depot, write, tmp_path):
    factory = {"": firmware(""), "0 1": firmware("0 1"), "0.2": firmware("0.2")}
    image = firmware("1.0")
    words = [word for base in factory.values() for word in ("--base", write(base + b"\xff" * 5000))]
    published(depot, write(image), *words, "--base", write(factory["0.2"]), "--base", write(image))
    release = release_of(depot, "1.0")
    assert set(read_list(release, image)) == {digest(factory[""]), "0_1", "0.2", None}
    for base in factory.values():
        apply(release, base, image, tmp_path)


def test_given_image_is_a_release(depot, write):
    base = write(firmware("1.0"))
    published(depot, base)
    published(depot, write(firmware("1.1")), "--base", base)
    assert set(sizes_of(depot, "1.1")) == {"1.0", None}


def test_given_images_that_are_none(depot, write):
    path = write(firmware("1.0"))
    for base in (b"", b"text", firmware("0")[:-1], firmware("0", chip="esp32c3")):
        wrong = write(base)
        done = publish(depot, path, "--base", wrong)
        assert (done.returncode, done.stdout) == (1, "") and str(wrong) in done.stderr, done
    assert publish(depot, path, "--base", path, "--patches", 0).returncode == 2
    assert publish(depot, path, "--patches", 17).returncode == 2
    assert publish(depot, path, *["--base", path] * 9).returncode == 2
    assert not depot.parent.exists()


def test_not_worth_it(depot, write):
    """Bytes of chance have nothing in common, and cannot be compressed."""
    published(depot, write(build_image("1.0", size=SIZE)))
    lines = published(depot, write(build_image("1.1", size=SIZE))).splitlines()
    assert lines[1].startswith("  no patch from 1.0 (") and lines[2].startswith("  no patch from nothing: it would be ")
    assert not list(depot.rglob("*.patch*"))


def test_mostly_changed(depot, write, tmp_path):
    """A patch without a walker names the image as the list does, else every module would refuse it."""
    old, new = mostly_changed("1.0"), mostly_changed("1.1")
    published(depot, write(old))
    path = write(new)
    published(depot, path)
    release = release_of(depot, "1.1")
    assert set(read_list(release, new)) == {"1.0", None}
    assert (release / f"ovms3.bin.{digest(old)[:16]}.patch").read_bytes()[4] == 1  # default, no walker
    apply(release, old, new, tmp_path)
    before = state(depot)
    assert published(depot, path).startswith("Nothing to do, already published 1.1 as v3.1/main")
    assert state(depot) == before


def test_patches_that_no_module_takes(depot, write):
    """The end of such an image cannot be computed, so its patches have another digest than the list: none is listed."""
    published(depot, write(with_odd_padding("1.0")), "--patches", 0)
    path = write(with_odd_padding("1.1"))
    done = publish(depot, path)
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    assert done.stdout.startswith("Published 1.1 as v3.1/main")
    warnings = [line.partition(": no module would take it: ")[0] for line in done.stderr.splitlines()]
    assert warnings == ["Warning: no patch from 1.0 is published", "Warning: no patch from nothing is published"]
    assert not list(depot.rglob("*.patch*"))
    before = state(depot)
    assert publish(depot, path).stdout.startswith("Nothing to do, already published 1.1 as v3.1/main")
    assert state(depot) == before


def test_equal_release(depot, write):
    """The same image under another name of release, as somebody might copy it: skipped, and the next is taken."""
    published(depot, write(firmware("1.0")))
    image = firmware("1.1")
    copy = release_of(depot, "copy")
    copy.mkdir()
    (copy / "ovms3.bin").write_bytes(image)
    published(depot, write(image), "--patches", 1)
    assert set(sizes_of(depot, "1.1")) == {"1.0", None}


def test_damaged_release_is_left_out(depot, write):
    for number in range(3):
        published(depot, write(firmware(f"1.{number}")))
    path = release_of(depot, "1.2") / "ovms3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    (release_of(depot, "nothing")).mkdir()
    done = publish(depot, write(firmware("1.3")), "--patches", 1)
    assert done.returncode == 0
    warnings = sorted(done.stderr.splitlines())
    assert len(warnings) == 2
    assert warnings[0].startswith(f"Warning: no patch is made from {path}: ")
    assert warnings[1].startswith(f"Warning: no patch is made from {release_of(depot, 'nothing')}/ovms3.bin: No such")
    assert set(sizes_of(depot, "1.3")) == {"1.1", None}


def test_json(depot, write):
    old, new = firmware("1.0"), firmware("1.1")
    published(depot, write(old))
    told = json.loads(published(depot, write(new), "--json"))
    sizes = sizes_of(depot, "1.1")
    expected = [{"base": digest(old), "base_version": "1.0", "state": "made",
                 "patch": f"ovms3.bin.{digest(old)[:16]}.patch", "patch_size": sizes["1.0"]},
                {"base": None, "base_version": None, "state": "made", "patch": FULL, "patch_size": sizes[None]}]
    assert told["patches"] == expected
    again = json.loads(published(depot, write(new), "--json"))
    assert again["changed"] is False
    key = json.dumps
    assert sorted(again["patches"], key=key) == sorted(({**patch, "state": "present"} for patch in expected), key=key)


def test_progress_on_a_terminal(depot, write):
    words = ["depot", "publish", depot, write(firmware("1.0")), "--product", "v3.1", "--tag", "main"]
    shown, status = pexpect.run(LIFEBOAT + " " + " ".join(map(str, words)), withexitstatus=True, timeout=60)
    assert status == 0 and b"\rpatch from nothing [" in shown and b"100 %" not in shown.split(b"Published")[0]


# ---- releases that are there ----


def test_again_is_nothing_to_do(depot, write):
    published(depot, write(firmware("1.0")))
    path = write(firmware("1.1"))
    published(depot, path)
    before = state(depot)
    assert published(depot, path).startswith("Nothing to do, already published 1.1 as v3.1/main")
    assert published(depot, path, "--patches", 0).startswith("Nothing to do")
    assert state(depot) == before


def test_promotion_adds_what_the_channel_needs(depot, write, tmp_path):
    """From edge to main: what is there stays as it is, and main's modules get a patch from what they run."""
    images = {f"1.{number}": firmware(f"1.{number}") for number in range(4)}
    for version, image in images.items():
        published(depot, write(image), "--patches", 1, tag="main" if version == "1.0" else "edge")
    release = release_of(depot, "1.3")
    before, folder = state(release), release.stat()
    lines = published(depot, write(images["1.3"]), "--patches", 1).splitlines()
    assert lines[0].startswith("Published 1.3 as v3.1/main") and len(lines) == 2
    assert set(sizes_of(depot, "1.3")) == {"1.2", "1.0", None}
    apply(release, images["1.0"], images["1.3"], tmp_path)
    after = state(release)
    assert {name: after[name] for name in before if name != LIST} == \
        {name: before[name] for name in before if name != LIST}
    assert release.stat().st_mtime_ns == folder.st_mtime_ns


def test_given_image_later(depot, write):
    path, base = write(firmware("1.0")), write(firmware("0.1"))
    published(depot, path)
    with open(release_of(depot, "1.0") / LIST, "rb") as old:
        told = published(depot, path, "--base", base)
        assert told.startswith("New patches only, already published 1.0 as v3.1/main") and told.count("\n") == 2
        assert b"0.1" not in old.read()  # a reader of the old list reads it to its end
    assert set(sizes_of(depot, "1.0")) == {"0.1", None}
    assert json.loads(published(depot, path, "--base", base, "--json"))["changed"] is False


def test_damaged_patch_and_list_are_made_again(depot, write, tmp_path):
    old, new = firmware("1.0"), firmware("1.1")
    published(depot, write(old))
    path = write(new)
    published(depot, path)
    release = release_of(depot, "1.1")
    name = release / f"ovms3.bin.{digest(old)[:16]}.patch"
    good = {file: (release / file).read_bytes() for file in os.listdir(release)}
    damaged = bytearray(good[name.name])
    damaged[-1] ^= 1
    for file, data in ((name, bytes(damaged)), (name, b""), (name, None), (release / LIST, b"lifeboat-patches 2\n"),
                       (release / LIST, None), (release / LIST, b"\0" * 9000), (release / FULL, good[name.name])):
        file.unlink()
        if data is not None:
            file.write_bytes(data)
        assert published(depot, path).startswith("New patches only")
        assert {file: (release / file).read_bytes() for file in os.listdir(release)} == good
    apply(release, old, new, tmp_path)


def test_no_two_of_the_same_second(depot, write):
    """nginx tells contents apart by time and size, and a tag moves between releases."""
    for number in range(4):
        published(depot, write(firmware(f"1.{number}")), "--patches", 1)
    for number in range(4):
        published(depot, write(firmware(f"1.{number}")), "--base", write(firmware("0.1")))
    for name in (LIST, FULL, f"ovms3.bin.{digest(firmware('0.1'))[:16]}.patch", "ovms3.bin"):
        seconds = [int(path.stat().st_mtime) for path in depot.glob(f"v3.1/releases/*/{name}")]
        assert len(seconds) == len(set(seconds)) == 4 and max(seconds) <= time.time()


# ---- interrupted ----


def test_full_disk(depot, write):
    """A limit on the size of files stands for the full disk: at the image, at a patch, at a list with another one."""
    base, path = write(firmware("0.1")), write(firmware("1.0"))
    published(depot, base)
    before = state(depot)
    words = ["depot", "publish", depot, path, "--product", "v3.1", "--tag", "main"]

    def limited(size, *more):
        return lifeboat(*words, *more, restore_signals=False,
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))

    done = limited(30000)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert state(depot) == before
    published(depot, path, "--patches", 0)
    before = state(depot)
    done = limited(4096)  # the full patch is larger, the other one is written
    assert done.returncode == 1 and "cannot write patches into" in done.stderr
    assert state(depot) == before
    published(depot, path)
    assert set(sizes_of(depot, "1.0")) == {"0.1", None}


def test_leftovers_are_removed(depot, write):
    published(depot, write(firmware("1.0")))
    leftover = depot / "v3.1/releases/.publishing"
    leftover.mkdir()
    for name in (LIST, FULL, "ovms3.bin"):
        (leftover / name).write_bytes(b"half")
    published(depot, write(firmware("1.1")))
    assert sorted(os.listdir(depot / "v3.1/releases")) == ["1.0", "1.1"]


@pytest.mark.parametrize("present", [False, True], ids=["new release", "release that is there"])
def test_killed_at_any_time(depot, write, present):
    """What can be read is whole at any time: each listed patch is there and right; the next try succeeds."""
    published(depot, write(firmware("1.0")))
    begun = time.monotonic()
    published(depot, write(firmware("1.1")))
    duration = time.monotonic() - begun
    killed = 0
    for number in range(16):
        image = firmware(f"2.{number}")
        path = write(image)
        if present:
            published(depot, path, "--patches", 0)
        words = [LIFEBOAT, "depot", "publish", depot, path, "--product", "v3.1", "--tag", "main", "--patches", "2"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
            time.sleep(duration * (0.4 + 0.6 * number / 16) if number % 2 else duration * number / 16)
            process.kill()
            killed += process.wait() != 0
        release = release_of(depot, f"2.{number}")
        if (release / LIST).exists():
            assert None in read_list(release, image)
        elif release.exists():
            assert present and (release / "ovms3.bin").read_bytes() == image
        published(depot, path, "--patches", 2)
        assert len(read_list(release, image)) >= 3
        assert os.readlink(depot / "v3.1/main") == f"releases/2.{number}"
        assert not (depot / "v3.1/releases/.publishing").exists()
    assert killed >= 4


# ---- served ----


def test_served(depot, write, tmp_path):
    published(depot, write(firmware("1.0")))
    published(depot, write(firmware("1.1")))
    folder = release_of(depot, "1.1")
    with DepotServer(depot) as ours, NginxServer(tmp_path / "nginx", depot) as nginx:
        for name in sorted(os.listdir(folder)):
            data = (folder / name).read_bytes()
            for address in (ours.address, nginx.address):
                target = f"{PREFIX}/v3.1/main/{name}"
                whole = request(address, target)
                assert (whole.status, whole.body) == (200, data)
                rest = request(address, target, Range="bytes=3-", If_Range=whole["ETag"])
                assert (rest.status, rest.body) == (206, data[3:])
                assert rest["Content-Range"] == f"bytes 3-{len(data) - 1}/{len(data)}"
                assert request(address, target, Range="bytes=3-", If_Range='"other"').body == data
        assert request(ours.address, f"{PREFIX}/v3.1/main/{LIST}")["Content-Type"] == "text/plain; charset=utf-8"
        assert request(ours.address, f"{PREFIX}/v3.1/main/{FULL}")["Content-Type"] == "application/octet-stream"
        log = ours.stop()
    assert sum(f"GET {PREFIX}/v3.1/main/{FULL} 206 " in line for line in log) == 1


def test_tag_that_moves_gives_another_content(depot, write):
    """The same name from the same base: whoever has a part of the old patch does not get the rest of the new one."""
    base = write(firmware("0.1"))
    name = f"/v3.1/main/ovms3.bin.{digest(firmware('0.1'))[:16]}.patch"
    published(depot, write(firmware("1.0")), "--base", base)
    with DepotServer(depot) as server:
        old = server.get(name)
        published(depot, write(firmware("1.1")), "--base", base)
        new = server.get(name, Range="bytes=3-", If_Range=old["ETag"])
        assert new.status == 200 and new["ETag"] != old["ETag"] and new["Last-Modified"] != old["Last-Modified"]
