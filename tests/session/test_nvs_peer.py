# SPDX-License-Identifier: MIT
"""lifeboat flash settings, and a second opinion about it: ESP-IDF's nvs_partition_gen and a reader of the tests' own."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nvs_partition_reader import pages_in_use, read_partition

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
OFFSET = 0x9000
MB = 1 << 20
LIMITS = {"u8": (0, 2**8 - 1), "i8": (-2**7, 2**7 - 1), "u16": (0, 2**16 - 1), "i16": (-2**15, 2**15 - 1),
          "u32": (0, 2**32 - 1), "i32": (-2**31, 2**31 - 1), "u64": (0, 2**64 - 1), "i64": (-2**63, 2**63 - 1)}
ELSEWHERE = ("No settings of Lifeboat's here. OVMS keeps its own as files in the FAT file system of the store "
             "partition: /store/ovms_config")


def run(*words, code=0):
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def generate(folder, rows, size, version=2, name="made"):
    """A partition of nvs_partition_gen from rows of its CSV, or from a file."""
    source = folder / f"{name}.csv"
    if isinstance(rows, bytes):
        source.write_bytes(rows)
    else:
        with open(source, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("key", "type", "encoding", "value"), *rows])
    done = subprocess.run([sys.executable, "-m", "esp_idf_nvs_partition_gen", "generate", source, f"{name}.bin",
                           hex(size), "--version", str(version), "--outdir", folder],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    partition = (folder / f"{name}.bin").read_bytes()
    assert len(partition) == size
    return partition


@pytest.fixture(name="make_dump")
def make_dump_fixture(tmp_path):
    """make_dump(partition): a dump of 4 MB with that nvs partition and noise where nothing may be changed."""
    def make(partition, flags=""):
        table = tmp_path / "table.csv"
        table.write_text(f"nvs,data,nvs,0x9000,{len(partition):#x},{flags}\nstore,data,fat,0x300000,1M\n")
        run("flash", "table", "--from-csv", table, tmp_path / "table.bin", "--force", "--flash-size", "4MB")
        content = bytearray(random.Random(1).randbytes(4 * MB))
        content[0x8000:0x9000] = (tmp_path / "table.bin").read_bytes().ljust(0x1000, b"\xff")
        content[OFFSET:OFFSET + len(partition)] = partition
        dump = tmp_path / "dump.bin"
        dump.write_bytes(content)
        return dump
    return make


def partition_of(dump, size):
    return dump.read_bytes()[OFFSET:OFFSET + size]


def settings(dump):
    """What `flash settings --json` tells, as the reader tells it."""
    values = {}
    for entry in json.loads(run("flash", "settings", dump, "--json").stdout)["settings"]:
        value = bytes.fromhex(entry["value"]) if entry["type"] == "blob" else entry["value"]
        assert entry["error"] is None
        values[entry["namespace"], entry["key"]] = (entry["type"], value)
    return values


def rows_of(values):
    """The rows of nvs_partition_gen's CSV for values as the reader tells them."""
    rows = []
    for space in dict.fromkeys(space for space, _ in values):
        rows.append((space, "namespace", "", ""))
        for (other, key), (kind, value) in values.items():
            if other == space:
                rows.append((key, "data", "hex2bin" if kind == "blob" else kind,
                             value.hex() if kind == "blob" else value))
    return rows


# ---- partitions that nvs_partition_gen made ----


def integers():
    return {("numbers", f"{kind}.{name}"): (kind, value)
            for kind, limits in LIMITS.items() for name, value in zip(("least", "most"), limits)}


def mixed(seed, count, text_most, blob_most):
    """Settings of all types in several namespaces."""
    chance = random.Random(seed)
    values = {}
    for number in range(count):
        name = (chance.choice(("ota", "vfs", "auto", "a-namespace-of-x")[:3] + ("fifteen-bytes-x",)), f"key-{number}")
        kind = chance.choice(("string", "blob", *LIMITS))
        if kind == "string":
            value = "".join(chance.choices("abc ,\"'äß;#\t", k=chance.randrange(text_most // 2)))
        elif kind == "blob":
            value = chance.randbytes(chance.randrange(1, blob_most))
        else:
            value = chance.randint(*LIMITS[kind])
        values[name] = (kind, value)
    return values


STRINGS = {("text", "empty"): ("string", ""), ("text", "31"): ("string", "x" * 31), ("text", "32"): ("string", "y" * 32),
           ("text", "comma"): ("string", 'a,b "c"'), ("text", "lines"): ("string", "one\ntwo"),
           ("text", "utf8"): ("string", "Grüße"), ("text", "fifteen-bytes-x"): ("string", "z" * 1900)}
CASES = {
    "integers": (integers(), 0x3000, (1, 2)),
    "strings": (STRINGS, 0x4000, (1, 2)),
    "blobs": ({("blob", f"of-{size}"): ("blob", random.Random(size).randbytes(size))
               for size in (1, 31, 32, 33, 1000, 1984)}, 0x5000, (1, 2)),
    "longest string": ({("text", "long"): ("string", "l" * 3967), ("text", "next"): ("u8", 1)}, 0x4000, (2,)),
    "blob over pages": ({("blob", "first"): ("u8", 1), ("blob", "large"): ("blob", random.Random(5).randbytes(20000)),
                         ("blob", "last"): ("u8", 2)}, 0x9000, (2,)),
    "no value in a blob": ({("blob", "empty"): ("blob", b""), ("blob", "last"): ("u8", 2)}, 0x3000, (2,)),
    "many": (mixed(1, 150, 300, 500), 0x10000, (1, 2)),
    "large": (mixed(2, 60, 1500, 6000), 0x40000, (2,)),
}


@pytest.mark.parametrize("name,version", [(name, version) for name, case in CASES.items() for version in case[2]])
def test_theirs_is_read(tmp_path, make_dump, name, version):
    values, size, _ = CASES[name]
    partition = generate(tmp_path, rows_of(values), size, version)
    assert read_partition(partition) == values
    dump = make_dump(partition)
    before = dump.read_bytes()
    assert settings(dump) == values
    assert dump.read_bytes() == before


@pytest.mark.parametrize("version", (1, 2))
def test_theirs_is_changed_by_ours(tmp_path, make_dump, version):
    values = mixed(7, 60, 200, 300)
    size = 0x6000
    dump = make_dump(generate(tmp_path, rows_of(values), size, version))
    before = dump.read_bytes()
    for number, (space, key) in enumerate(list(values)):
        if number % 3 == 0:
            run("flash", "settings", dump, "--rm", space, key)
            del values[space, key]
        elif number % 3 == 1:
            run("flash", "settings", dump, "--set", space, key, "string", f"new {number}")
            values[space, key] = ("string", f"new {number}")
    assert settings(dump) == values
    assert read_partition(partition_of(dump, size)) == values
    after = dump.read_bytes()
    assert after[:OFFSET] + after[OFFSET + size:] == before[:OFFSET] + before[OFFSET + size:]


# ---- partitions that we made ----


def set_one(dump, name, kind, value):
    run("flash", "settings", dump, "--set", *name, kind, value.hex() if kind == "blob" else value)


def test_ours_is_read_exported_and_generated_again(tmp_path, make_dump):
    size = 0x5000
    dump = make_dump(b"\xff" * size)
    values = {**integers(), **STRINGS}
    for name, (kind, value) in values.items():
        set_one(dump, name, kind, value)
    chance = random.Random(3)
    for number in range(80):  # pages fill, and are copied
        name = ("vfs", f"mru{number % 4}")
        values[name] = ("blob", chance.randbytes(chance.randrange(900)))
        set_one(dump, name, *values[name])
    ours = partition_of(dump, size)
    assert max(sequence for sequence, _, _ in pages_in_use(ours)) > 8
    assert read_partition(ours) == values
    assert settings(dump) == values
    exported = run("flash", "settings", dump, "--csv").stdout
    again = generate(tmp_path, exported, 0x8000, name="again")
    assert read_partition(again) == values
    assert run("flash", "settings", make_dump(again), "--csv").stdout.splitlines()[0] == exported.splitlines()[0]


def test_only_what_changes_is_written(make_dump):
    dump = make_dump(b"\xff" * 0x4000)
    run("flash", "settings", dump, "--set", "ota", "tag", "string", "main")
    before = dump.read_bytes()
    run("flash", "settings", dump, "--set", "ota", "tag", "string", "main")
    assert dump.read_bytes() == before
    run("flash", "settings", dump, "--set", "ota", "tag", "string", "edge")
    changed = [at for at, (old, new) in enumerate(zip(before, dump.read_bytes())) if old != new]
    page = OFFSET
    assert changed and all(page + 32 <= at < page + 64 or page + 64 + 3 * 32 <= at < page + 64 + 5 * 32
                           for at in changed)


def test_killed_it_leaves_the_old_or_the_new_value(make_dump):
    size = 0x3000
    dump = make_dump(b"\xff" * size)
    set_one(dump, ("ota", "keep"), "string", "kept")
    values = [bytes([number]) * 1200 for number in range(40)]
    set_one(dump, ("ota", "blob"), "blob", values[0])
    possible = {values[0]}
    for number in range(1, 40):
        words = ["flash", "settings", dump, "--set", "ota", "blob", "blob", values[number].hex()]
        with subprocess.Popen([BINARY, *words], stdout=subprocess.DEVNULL) as process:
            time.sleep(number * 0.004)
            process.send_signal(signal.SIGKILL)
            process.wait()
        possible.add(values[number])
        found = settings(dump)
        assert found["ota", "keep"] == ("string", "kept")
        assert found["ota", "blob"][1] in possible
        possible = {found["ota", "blob"][1]}
    set_one(dump, ("ota", "blob"), "blob", values[0])
    assert read_partition(partition_of(dump, size))["ota", "blob"] == ("blob", values[0])


# ---- what people see ----


def test_table_for_people(make_dump):
    dump = make_dump(b"\xff" * 0x4000)
    told = run("flash", "settings", dump).stdout.decode().splitlines()
    assert told == ["nvs at 0x00009000: 4 pages of 4 KB, 4 of them free; 0 of 504 entries used, 0 erased", ELSEWHERE]
    set_one(dump, ("phy", "cal"), "blob", bytes(range(40)))
    set_one(dump, ("phy", "level"), "i8", -5)
    assert ELSEWHERE in run("flash", "settings", dump).stdout.decode()
    assert json.loads(run("flash", "settings", dump, "--json").stdout)["note"] == ELSEWHERE
    set_one(dump, ("ota", "tag"), "string", "a\x1b[31mb\ncé")
    told = run("flash", "settings", dump).stdout
    assert b"\x1b" not in told
    assert told.decode().splitlines()[1:] == [
        "  namespace.key                   type    bytes  value",
        "  phy.cal                         blob       40  " + bytes(range(32)).hex() + "...",
        "  phy.level                       i8          1  -5",
        "  ota.tag                         string     12  a?[31mb?c??",
    ]
    assert json.loads(run("flash", "settings", dump, "--json").stdout)["note"] is None


@pytest.mark.parametrize("text", (b"carriage\rreturn", b"line\n# that is dropped", b"not \xff utf-8"))
def test_what_csv_cannot_say(make_dump, text):
    dump = make_dump(b"\xff" * 0x3000)
    set_one(dump, ("ota", "strange"), "string", text.decode("utf-8", "surrogateescape"))
    set_one(dump, ("ota", "usual"), "u8", 5)
    done = run("flash", "settings", dump, "--csv", code=1)
    assert done.stdout == b"key,type,encoding,value\nota,namespace,,\nusual,data,u8,5\n"
    assert done.stderr == (b"Error: ota.strange cannot be written as CSV and is left out - it has bytes that "
                           b"nvs_partition_gen does not read\n")


@pytest.mark.parametrize("words,message", (
    (("--set", "ota", "tag", "string"), "--set needs NAMESPACE KEY TYPE VALUE"),
    (("--set=ota", "tag", "string", "x"), "--set needs NAMESPACE KEY TYPE VALUE"),
    (("--rm", "ota"), "--rm needs NAMESPACE KEY"),
    (("--rm", "ota", "tag", "--rm", "ota", "tag"), "--rm can be done once at a time"),
    (("--rm", "ota", "tag", "--set", "ota", "a", "u8", "1"), "only one of --set and --rm can be done at once"),
    (("--csv", "--json"), "--csv and --json are two forms of the same, choose one"),
    (("--csv", "--rm", "ota", "tag"), "--csv only prints, it does not go with --set and --rm"),
    (("--set", "ota", "a", "u9", "1"), "there is no type 'u9', only u8, i8, u16, i16, u32, i32, u64, i64, string or blob"),
    (("--set", "ota", "a", "u8", "256"), "'256' is no number from 0 to 255, as a u8 has to be"),
    (("--set", "ota", "a", "u8", "-1"), "'-1' is no number from 0 to 255, as a u8 has to be"),
    (("--set", "ota", "a", "i8", "-129"), "'-129' is no number from -128 to 127, as a i8 has to be"),
    (("--set", "ota", "a", "u64", "18446744073709551616"),
     "'18446744073709551616' is no number from 0 to 18446744073709551615, as a u64 has to be"),
    (("--set", "ota", "a", "u8", "0x"), "'0x' is no number from 0 to 255, as a u8 has to be"),
    (("--set", "ota", "a", "blob", "123"), "'123' are no hexadecimal digits in pairs, as a blob has to have"),
))
def test_wrong_calls(make_dump, words, message):
    dump = make_dump(b"\xff" * 0x3000)
    before = dump.read_bytes()
    done = run("flash", "settings", dump, *words, code=2)
    assert done.stderr.decode().splitlines()[0] == f"Error: {message}"
    assert dump.read_bytes() == before


def test_refusals(tmp_path, make_dump):
    dump = make_dump(b"\xff" * 0x3000)

    def refused(*words):
        before = dump.read_bytes()
        done = run("flash", "settings", dump, *words, code=1)
        assert dump.read_bytes() == before
        return done.stderr.decode().strip()

    assert refused("--rm", "ota", "tag") == ("Error: ota.tag: there is no such setting - look at the names of those that "
                                             "are there (ESP_ERR_NVS_NOT_FOUND, 4354)")
    assert "ESP_ERR_NVS_KEY_TOO_LONG" in refused("--set", "ota", "k" * 16, "u8", "1")
    assert "ESP_ERR_NVS_INVALID_NAME" in refused("--set", "", "key", "u8", "1")
    assert "ESP_ERR_NVS_VALUE_TOO_LONG" in refused("--set", "ota", "key", "string", "x" * 4000)
    assert "ESP_ERR_NVS_VALUE_TOO_LONG" in refused("--set", "ota", "key", "blob", "00" * 8001)
    dump = make_dump(b"\xff" * 0x3000, "readonly")
    assert "ESP_ERR_NVS_READ_ONLY" in refused("--set", "ota", "key", "u8", "1")
    run("flash", "settings", dump)
    (tmp_path / "secret.csv").write_text("key,type,encoding,value\nota,namespace,,\ntag,data,string,main\n")
    subprocess.run([sys.executable, "-m", "esp_idf_nvs_partition_gen", "encrypt", tmp_path / "secret.csv", "secret.bin",
                    "0x3000", "--keygen", "--outdir", tmp_path], check=True, capture_output=True, timeout=60)
    dump = make_dump((tmp_path / "secret.bin").read_bytes())
    assert "encrypted, or destroyed" in refused()
    assert "encrypted, or destroyed" in refused("--set", "ota", "tag", "string", "edge")
