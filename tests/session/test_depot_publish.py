# SPDX-License-Identifier: MIT
"""`lifeboat depot publish`: what it puts where, what it refuses, and that nobody ever sees half of it."""

import hashlib
import itertools
import json
import os
import resource
import subprocess
import threading
import time

import pytest
from depot_server import LIFEBOAT, DepotServer, lifeboat, publish, published
from image_builder import CHIPS, HEADER_SIZE, build_image, description, seal


@pytest.fixture
def depot(tmp_path):
    return tmp_path / "new" / "depot"


@pytest.fixture
def write(tmp_path):
    """Writes bytes into a file of its own and returns its path."""
    count = itertools.count()

    def write_file(data):
        path = tmp_path / f"file{next(count)}.bin"
        path.write_bytes(data)
        return path

    return write_file


def tree(folder):
    """Everything in a folder: names with contents, link targets or None."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


def refused(result, *words):
    assert result.returncode == 1, result
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


# ---- what it puts where ----


def test_layout_of_a_new_depot(depot, write):
    image = build_image("3.1.003")
    line = published(depot, write(image), patches=True)
    assert line == (f"Published 3.1.003 as v3.1/main: {len(image)} bytes, "
                    f"sha256 {hashlib.sha256(image).hexdigest()}\n"
                    "  no patch from nothing: it would be 100 % of the image\n")
    assert tree(depot) == {
        "v3.1": None,
        "v3.1/.lock": b"",
        "v3.1/main": "releases/3.1.003",
        "v3.1/releases": None,
        "v3.1/releases/3.1.003": None,
        "v3.1/releases/3.1.003/ovms3.bin": image,
        "v3.1/releases/3.1.003/ovms3.ver": b"3.1.003\n",
    }


@pytest.mark.parametrize("chip", CHIPS)
def test_every_chip(depot, write, chip):
    assert published(depot, write(build_image("1.0", chip=chip)), product=chip).startswith(f"Published 1.0 as {chip}/")


def test_version_from_ovms_marks(depot, write):
    published(depot, write(build_image(has_description=False, mark="3.1.000-7-gabcdef0")))
    assert (depot / "v3.1/main/ovms3.ver").read_bytes() == b"3.1.000-7-gabcdef0\n"


@pytest.mark.parametrize("changes", [b"", b"no newline", "Größe, \U0001F600, \r\n\ttabs\n\n".encode(), b"x" * 100000])
def test_changelog_as_it_is(depot, write, changes):
    published(depot, write(build_image("3.1.003")), "--changes", write(changes))
    assert (depot / "v3.1/main/ovms3.ver").read_bytes() == b"3.1.003\n" + changes


def test_erased_flash_behind_the_image_is_left_out(depot, write):
    image = build_image("3.1.003")
    line = published(depot, write(image + b"\xff" * 5000))
    assert f": {len(image)} bytes, sha256 {hashlib.sha256(image).hexdigest()}" in line
    assert (depot / "v3.1/main/ovms3.bin").read_bytes() == image


def test_json(depot, write):
    image = build_image("3.1.003")
    expected = {"version": "3.1.003", "product": "v3.1", "tag": "eap", "size": len(image),
                "sha256": hashlib.sha256(image).hexdigest(), "changed": True, "patches": []}
    path = write(image)
    assert json.loads(published(depot, path, "--json", "--patches", 0, tag="eap")) == expected
    again = json.loads(published(depot, path, "--json", "--patches", 0, tag="eap"))
    assert again == {**expected, "changed": False}


def test_again_is_nothing_to_do(depot, write):
    path = write(build_image("3.1.003"))
    published(depot, path, "--changes", write(b"news\n"))
    before = tree(depot)
    inode = os.stat(depot / "v3.1/main/ovms3.bin").st_ino
    assert "already published 3.1.003 as v3.1/main" in published(depot, path, "--changes", write(b"news\n"))
    assert "already published" in published(depot, path)  # no word about changes: they stay
    assert tree(depot) == before
    assert os.stat(depot / "v3.1/main/ovms3.bin").st_ino == inode


def test_second_tag_and_back(depot, write):
    old, new = write(build_image("3.1.003")), write(build_image("3.1.004"))
    published(depot, old, "--changes", write(b"old\n"))
    published(depot, new)
    assert published(depot, old, tag="eap").startswith("Published 3.1.003 as v3.1/eap")
    assert os.readlink(depot / "v3.1/main") == "releases/3.1.004"
    assert published(depot, old).startswith("Published 3.1.003 as v3.1/main")
    assert os.readlink(depot / "v3.1/main") == os.readlink(depot / "v3.1/eap") == "releases/3.1.003"
    assert (depot / "v3.1/eap/ovms3.ver").read_bytes() == b"3.1.003\nold\n"


def test_no_two_releases_of_the_same_second(depot, write):
    for number in range(12):
        published(depot, write(build_image(f"1.{number}", size=4096)))
    files = list(depot.glob("v3.1/releases/*/ovms3.bin"))
    seconds = {int(file.stat().st_mtime) for file in files}
    assert len(seconds) == len(files) == 12
    assert max(seconds) <= time.time()


# ---- what it refuses ----


def damaged(image, offset, mask=0x01):
    return image[:offset] + bytes([image[offset] ^ mask]) + image[offset + 1:]


def bad_images():
    image = build_image("3.1.003")
    return {
        "empty": b"",
        "web page": b"<!DOCTYPE html><html>login</html>".ljust(4096),
        "truncated": image[:-1],
        "head only": image[:100],
        "bit in the data": damaged(image, 5000),
        "bit in the digest": damaged(image, len(image) - 1),
        "no digest": damaged(image, 23),
        "no segments": damaged(image, 1, 3),
        "unknown chip": seal(damaged(image[:-48], 12, 0x77)),
        "trailing bytes": image + b"\xff" * 100 + b"\x00",
        "merged flash image": b"\xff" * 0x1000 + b"\xe9" + b"\xff" * 0xEFFF + image,
        "bootloader": build_image("3.1.003", first_load=0x3FFF0018),
        "too large for any module": b"\xe9" + bytes(0x1000000),
    }


@pytest.mark.parametrize("name", bad_images())
def test_bad_image_is_refused(depot, write, name):
    path = write(bad_images()[name])
    refused(publish(depot, path), str(path))
    assert not depot.parent.exists()


def test_bad_image_changes_nothing(depot, write):
    published(depot, write(build_image("3.1.002")))
    before = tree(depot)
    for image in bad_images().values():
        refused(publish(depot, write(image)))
    assert tree(depot) == before


def test_directory_and_missing_file(depot, tmp_path):
    refused(publish(depot, tmp_path), "directory")
    refused(publish(depot, tmp_path / "none.bin"), "No such file")
    assert not depot.parent.exists()


@pytest.mark.parametrize("version", ["", ".", "..", ".hidden", "../../x", "a/b", "/", b"a\nb", b"a\x1b[2J", b"\xc3\xa9",
                                     "a b", "a?b"])
def test_version_that_is_no_folder_name(depot, write, version):
    image = build_image("x")
    start = HEADER_SIZE + 8
    image = seal(image[:start] + description(version) + image[start + 256:])
    refused(publish(depot, write(image)), "version")
    assert not depot.parent.exists()


@pytest.mark.parametrize("changes", [b"\xff", b"a\0b", b"\xc3", "Größe".encode("latin-1"), b"x" * 0x100001])
def test_changelog_that_is_no_text(depot, write, changes):
    refused(publish(depot, write(build_image("1")), "--changes", write(changes)))
    assert not depot.parent.exists()


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "../a", "releases", "a b", "ä", "x" * 65])
def test_names_of_product_and_tag(depot, write, name):
    path = write(build_image("1"))
    for names in ({"product": name}, {"tag": name}):
        result = publish(depot, path, **names)
        assert result.returncode == 2 and f"Error: --{next(iter(names))}: " in result.stderr
    assert not depot.parent.exists()


def test_usage(depot, write):
    path = write(build_image("1"))
    for arguments in ([depot, path], [depot, path, "--product", "a"], [depot, path, "--tag", "a"],
                      [depot, "--product", "a", "--tag", "b"], ["", path, "--product", "a", "--tag", "b"],
                      [depot, path, "more", "--product", "a", "--tag", "b"],
                      [depot, path, "--product", "a", "--tag", "b", "--other"]):
        assert lifeboat("depot", "publish", *arguments).returncode == 2
    assert not depot.parent.exists()


def test_published_releases_never_change(depot, write):
    path = write(build_image("3.1.003"))
    published(depot, path, "--changes", write(b"news\n"))
    before = tree(depot)
    refused(publish(depot, write(build_image("3.1.003", seed="other"))), "3.1.003", "another image", "another version")
    refused(publish(depot, write(build_image("3.1.003", seed="other")), tag="eap"), "another image")
    refused(publish(depot, path, "--changes", write(b"other\n")), "another changelog")
    refused(publish(depot, path, "--changes", write(b"")), "another changelog")
    refused(publish(depot, path, "--changes", write(b"news\nmore\n")), "another changelog")
    assert tree(depot) == before


def test_tag_that_is_a_folder_or_file(depot, write):
    path = write(build_image("3.1.003"))
    published(depot, path)
    (depot / "v3.1/eap").mkdir()
    (depot / "v3.1/edge").write_text("mine")
    before = tree(depot)
    refused(publish(depot, write(build_image("3.1.004")), tag="eap"), "v3.1/eap is a folder", "--tag")
    refused(publish(depot, write(build_image("3.1.004")), tag="edge"), "v3.1/edge is a file", "--tag")
    assert tree(depot) == before


def test_folders_that_are_none(depot, write, tmp_path):
    path = write(build_image("3.1.003"))
    refused(publish(path, path), str(path), "Not a directory")
    depot.mkdir(parents=True)
    (depot / "v3.1").symlink_to(tmp_path)
    refused(publish(depot, path), "v3.1")
    assert not (tmp_path / "releases").exists()
    (depot / "v3.2").mkdir()
    (depot / "v3.2/releases").symlink_to(tmp_path)
    refused(publish(depot, path, product="v3.2"), "releases")
    assert not (tmp_path / "3.1.003").exists()


def test_full_disk(depot, write):
    """A write that fails leaves the depot as it was; a limit on the size of files stands for the full disk."""
    published(depot, write(build_image("3.1.003")))
    before = tree(depot)
    path = write(build_image("3.1.004", size=500000))  # test_depot_patches.py has the same with patches
    result = lifeboat("depot", "publish", depot, path, "--product", "v3.1", "--tag", "main", "--patches", 0,
                      restore_signals=False,
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000)))
    refused(result, "releases/3.1.004", "File too large")
    assert tree(depot) == before


# ---- interrupted, and several at once ----


def test_leftovers_are_removed(depot, write):
    published(depot, write(build_image("3.1.003")))
    leftover = depot / "v3.1/releases/.publishing"
    leftover.mkdir()
    (leftover / "ovms3.bin").write_bytes(b"half")
    (depot / "v3.1/.link").symlink_to("releases/none")
    published(depot, write(build_image("3.1.004")))
    assert sorted(os.listdir(depot / "v3.1")) == [".lock", "main", "releases"]
    assert sorted(os.listdir(depot / "v3.1/releases")) == ["3.1.003", "3.1.004"]


def test_release_without_its_tag_is_taken_up(depot, write):
    """Interrupted between the two renames: the release is there, the tag is not."""
    path = write(build_image("3.1.004"))
    published(depot, write(build_image("3.1.003")))
    published(depot, path, tag="eap")
    (depot / "v3.1/eap").unlink()
    assert published(depot, path).startswith("Published 3.1.004 as v3.1/main")
    assert os.readlink(depot / "v3.1/main") == "releases/3.1.004"


def test_killed_at_any_time(depot, write):
    """Killed at 40 moments spread over a publication without patches (test_depot_patches.py has those): the tag leads to a whole release, and the next try succeeds."""
    texts = {}
    killed = 0
    published(depot, write(build_image("1.0", size=1 << 20)), "--patches", 0)
    begun = time.monotonic()
    published(depot, write(build_image("1.1", size=1 << 20)), "--patches", 0)
    duration = time.monotonic() - begun
    for number in range(40):
        image = build_image(f"2.{number}", size=1 << 20)
        texts[f"2.{number}\nnews\n".encode()] = image
        arguments = [LIFEBOAT, "depot", "publish", depot, write(image), "--product", "v3.1", "--tag", "main",
                     "--patches", "0", "--changes", write(b"news\n")]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
            time.sleep(duration * number / 40)
            process.kill()
            killed += process.wait() != 0
        for release in (depot / "v3.1/releases").glob("2.*"):
            assert (release / "ovms3.bin").read_bytes() == texts[(release / "ovms3.ver").read_bytes()]
        assert (depot / "v3.1/main/ovms3.bin").is_file()
        if number % 8 == 7:
            assert lifeboat(*arguments[1:]).returncode == 0
            assert os.readlink(depot / "v3.1/main") == f"releases/2.{number}"
    assert killed >= 10
    assert not (depot / "v3.1/releases/.publishing").exists()


def test_publishers_at_the_same_time(depot, write):
    """Twelve at once, for three tags, two of them each with the same image: all succeed, whoever comes first."""
    images = [write(build_image(f"1.{number}", size=20480)) for number in range(6)]
    processes = [
        subprocess.Popen([LIFEBOAT, "depot", "publish", depot, images[number % 6], "--product", "v3.1", "--tag",
                          f"tag{number % 3}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(12)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    assert sorted(os.listdir(depot / "v3.1/releases")) == [f"1.{number}" for number in range(6)]
    for tag in range(3):
        assert os.readlink(depot / f"v3.1/tag{tag}") in (f"releases/1.{tag}", f"releases/1.{tag + 3}")


class Readers:
    """Threads that read a depot all the time, each keeping what it saw or what went wrong."""

    def __init__(self, releases, *read):
        self.releases = releases  # version text -> image
        self.seen = [set() for _ in read]
        self.faults = []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(one, seen)) for one, seen in zip(read, self.seen)]

    def run(self, read, seen):
        try:
            while not self.done.is_set():
                read(seen)
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(repr(fault)[:500])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()


def test_readers_never_see_half_of_it(depot, write):
    """Two read through an opened folder, two over HTTP, while a publisher moves the tag as fast as it can."""
    releases = {f"1.{number}\nchanges of {number}\n".encode(): build_image(f"1.{number}", size=400000)
                for number in range(10)}
    paths = [(write(image), write(text.split(b"\n", 1)[1])) for text, image in releases.items()]
    images = {image: text for text, image in releases.items()}
    published(depot, paths[0][0], "--changes", paths[0][1], "--patches", 0)

    def read_folder(seen):
        folder = os.open(depot / "v3.1/main", os.O_DIRECTORY)
        try:
            text, image = (os.open(name, os.O_RDONLY, dir_fd=folder) for name in ("ovms3.ver", "ovms3.bin"))
            with open(text, "rb") as text_file, open(image, "rb") as image_file:
                text_read = text_file.read()
                assert image_file.read() == releases[text_read]
                seen.add(text_read)
        finally:
            os.close(folder)

    with DepotServer(depot) as server:

        def read_http(seen):
            text, image = server.get("/v3.1/main/ovms3.ver"), server.get("/v3.1/main/ovms3.bin")
            assert text.status == image.status == 200
            assert text.body in releases
            seen.add(images[image.body])

        with Readers(releases, read_folder, read_folder, read_http, read_http) as readers:
            for image, changes in paths * 3:
                published(depot, image, "--changes", changes, "--patches", 0)
                time.sleep(0.02)
    assert readers.faults == []
    assert all(len(seen) >= 3 for seen in readers.seen), [len(seen) for seen in readers.seen]
