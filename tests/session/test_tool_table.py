# SPDX-License-Identifier: MIT
"""lifeboat flash table: partition tables as text, as bytes and on dumps, and what ESP-IDF's program says to them."""

import hashlib
import io
import json
import random
import shutil
import signal
import struct
import subprocess
import time

import pytest
from depot_server import LIFEBOAT, lifeboat
from esp_idf_defs.partitions import InputError, PartitionTable
from firmware import FACTORY, NEWER, OLDER
from flash_layout import MB, OTADATA, OVMS, SEVEN_MB, TABLE, TABLE_COPY, area, change, flip, record
from virtual_module import ENVIRONMENT

TABLE_MD5 = "cfe36765a6bfe1b802a2abd4ec9f6851"
TABLE_SHA256 = "5d00bd9531cff25f16312358cc7927b9d955b47cd161f2b32b4b296484a14808"
HEAD = "# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n"
COMMON = HEAD + "nvs,data,nvs,0x9000,16K,\notadata,data,ota,0xd000,8K,\nphy_init,data,phy,0xf000,4K,\n"
OVMS_CSV = COMMON + ("factory,app,factory,0x10000,4M,\nota_0,app,ota_0,0x410000,4M,\nota_1,app,ota_1,0x810000,4M,\n"
                     "store,data,fat,0xc10000,1M,\n")
SEVEN_CSV = COMMON + "ota_0,app,ota_0,0x10000,7M,\nota_1,app,ota_1,0x710000,7M,\nstore,data,fat,0xe10000,1984K,\n"
BOTH = [("ovms", OVMS, OVMS_CSV), ("7m", SEVEN_MB, SEVEN_CSV)]


def run(*words, code=0):
    done = lifeboat("flash", "table", *words, env=ENVIRONMENT)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def refused(*words):
    done = run(*words, code=1)
    assert done.stdout == "" and done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    return done.stderr.rstrip("\n")


def boots(path):
    done = lifeboat("flash", "status", path, "--json", env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["boot"]["partition"]


@pytest.fixture
def convert(tmp_path):
    """convert(CSV): the binary table, as bytes."""

    def make(text, *options):
        source, out = tmp_path / "source.csv", tmp_path / "out.bin"
        source.write_text(text)
        run("--from-csv", source, out, "--force", *options)
        return out.read_bytes()

    return make


def csv_of(tmp_path, binary):
    path = tmp_path / "again.bin"
    path.write_bytes(binary)
    return run(path, "--csv").stdout


def official(text):
    """What ESP-IDF makes of a CSV."""
    table = PartitionTable.from_csv(text)
    table.verify(partition_table_offset=TABLE)
    table.verify_size_fits(16 * MB)
    return table


@pytest.fixture
def dumps(tmp_path, flash_files):
    def make(layout=OVMS, **slots):
        path = tmp_path / "dump.bin"
        shutil.copyfile(flash_files(layout, **(slots or {"factory": FACTORY, "ota_0": OLDER})), path)
        return path

    yield make
    (tmp_path / "dump.bin").unlink(missing_ok=True)


# ---- telling and converting ----


@pytest.mark.parametrize("name,layout,text", BOTH)
def test_both_layouts_both_ways(tmp_path, dumps, convert, name, layout, text):
    binary = convert(text)
    assert len(binary) == 0xC00
    assert csv_of(tmp_path, binary) == text
    assert convert(csv_of(tmp_path, binary)) == binary
    path = dumps(layout, **({"factory": FACTORY} if layout is OVMS else {"ota_0": FACTORY}))
    before = path.read_bytes()
    assert run(path, "--csv").stdout == text
    out = tmp_path / "of-dump.bin"
    done = run(path, "--binary", out)
    assert done.stdout == f"{out}: {text.count(chr(10)) - 2} partitions, 3072 bytes\n"
    assert out.read_bytes() == binary == before[TABLE:TABLE + 0xC00]
    assert path.read_bytes() == before
    assert official(text).to_binary() == binary
    assert PartitionTable.from_binary(binary).to_csv() == text
    if layout is OVMS:
        assert binary[7 * 32 + 16:8 * 32].hex() == TABLE_MD5
        assert hashlib.sha256(binary).hexdigest() == TABLE_SHA256


def test_table_for_people_and_for_programs(tmp_path, dumps, convert):
    path = dumps()
    text = run(path).stdout.splitlines()
    assert text[0] == f"Partition table:   at 0x8000, MD5 {TABLE_MD5}"
    assert text[1].split() == ["label", "type", "subtype", "offset", "size"]
    assert text[6].split() == ["ota_0", "app", "ota_0", "0x00410000", "0x00400000"] and len(text) == 9
    found = json.loads(run(path, "--json").stdout)
    assert found["file"] == str(path) and found["table"]["md5"] == TABLE_MD5
    binary = tmp_path / "sector.bin"
    binary.write_bytes(convert(OVMS_CSV).ljust(0x1000, b"\xff"))
    assert run(binary).stdout.splitlines() == [f"Partition table:   {binary}, MD5 {TABLE_MD5}", *text[1:]]
    alone = json.loads(run(binary, "--json").stdout)
    assert alone["table"] == found["table"]
    assert [row["label"] for row in alone["table"]["partitions"]][-1] == "store"


def test_copy_of_the_table_is_told(dumps):
    path = dumps()
    flip(path, TABLE + 20)
    assert run(path).stdout.startswith(f"Partition table:   at 0x7000, MD5 {TABLE_MD5}\n")
    assert run(path, "--csv").stdout == OVMS_CSV
    assert json.loads(run(path, "--json").stdout)["table"]["is_copy"]
    flip(path, TABLE_COPY + 20)
    assert "MD5" in refused(path, "--csv")
    done = run(path, "--json", code=1)
    assert json.loads(done.stdout)["table"]["error"]["name"] == "LB_ERR_TABLE_MD5"


@pytest.mark.parametrize("size", [4, 8, 32])
def test_dumps_of_other_sizes(tmp_path, convert, size):
    path = tmp_path / "dump.bin"
    text = HEAD + f"nvs,data,nvs,0x9000,16K,\napp,app,factory,0x10000,{size - 1}M,encrypted\n"
    data = bytearray(b"\xff" * (size * MB))
    data[TABLE:TABLE + 0xC00] = convert(text, "--flash-size", f"{size}MB")
    path.write_bytes(data)
    assert run(path, "--csv").stdout == text
    assert path.read_bytes() == data
    if size > 4:
        smaller = refused("--from-csv", tmp_path / "source.csv", tmp_path / "no.bin", "--flash-size", "4M")
        assert "line 4: it would end at" in smaller and "the flash ends at 0x400000" in smaller


def test_table_without_md5(tmp_path, convert):
    binary = bytearray(convert(OVMS_CSV))
    binary[7 * 32:8 * 32] = b"\xff" * 32
    path = tmp_path / "old.bin"
    path.write_bytes(binary)
    assert run(path).stdout.splitlines()[0] == f"Partition table:   {path}, without MD5"
    assert run(path, "--csv").stdout == OVMS_CSV


def test_flags_and_labels_that_csv_does_not_know(tmp_path, convert):
    path = tmp_path / "table.bin"

    def put(row):
        rows = row + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(row).digest()
        path.write_bytes(rows.ljust(0xC00, b"\xff"))

    row = bytearray(convert("a,0x40,0,,4K,encrypted\n")[:32])
    row[28] = 5
    put(bytes(row))
    done = run(path, "--csv")
    assert done.stdout == HEAD + "a,64,0,0x9000,4K,encrypted\n" and done.stderr.startswith("Warning: ")
    assert done.stdout == PartitionTable.from_binary(path.read_bytes()).to_csv()
    for label in (b"a,b", b"a\nb", b"#a", b"\x1b[2J", b"\xff"):
        row[12:28] = label.ljust(16, b"\0")
        put(bytes(row))
        assert "label of partition 1 cannot be written as CSV" in refused(path, "--csv")
        assert "\x1b" not in run(path).stdout


# ---- the rules ----


LINES = "nvs,data,nvs,0x9000,0x4000\n"
WRONG = [
    (LINES + "b,apple,1,,4K", 2, "type 'apple'"), (LINES + "b,app,,,64K", 2, "subtype is missing"),
    (LINES + "b,data,factory,,4K", 2, "no subtype of data"), (LINES + "b,data,fat,,", 2, "size is missing"),
    (LINES + "b,data,fat,zero,4K", 2, "offset 'zero' is no number"), (LINES + "b,data,fat,,4KB", 2, "size '4KB'"),
    (LINES + "# between\n\nb,data,fat,0xC000,4K", 4, "lies below 0xd000, the end of nvs in line 1"),
    ("b,data,fat,0x8000,4K", 1, "the end of the partition table"), (LINES + "b,app,test,0x11000,64K", 2, "0x10000"),
    (LINES + "b,data,fat,0x10100,4K", 2, "no multiple of 0x1000"), (LINES + "b,app,test,,5000", 2, "size 0x1388"),
    (LINES + "nvs,data,fat,,4K", 2, "taken already"), (LINES + "b,data,fat,,4K,hidden", 2, "flag 'hidden'"),
    (LINES + "b,data,ota,,4K", 2, "0x2000"), (LINES + "b,data,ota,,8K\nc,data,ota,,8K", 3, "otadata"),
    (LINES + "b,data,ota,,8K,readonly", 2, "readonly"), (LINES + "b,data,nvs,,4K", 2, "readonly"),
    (LINES + "b,data,fat,,16M", 2, "flash ends at 0x1000000"), (LINES + "b,data,fat,0x20000,-0x1F000", 2, "would end"),
]


@pytest.mark.parametrize("text,line,words", WRONG)
def test_broken_rules_name_their_line(tmp_path, text, line, words):
    source, out = tmp_path / "bad.csv", tmp_path / "out.bin"
    source.write_text(text)
    error = refused("--from-csv", source, out)
    assert error.startswith(f"Error: {source}, line {line}: ") and words in error
    assert not out.exists()
    with pytest.raises((InputError, struct.error)):  # the rule is ESP-IDF's
        official(text).to_binary()


def test_files_that_are_no_csv(tmp_path):
    source, out = tmp_path / "bad.csv", tmp_path / "out.bin"
    for content, words in ((b"", "no partition in it"), (b"\xff\xfen\0", "UTF-16"), (b"nvs,data\0,nvs", "NUL"),
                           (b"\xaa\x50" + bytes(3070), "binary partition table"), (b"n" * 70000, "at most 65536"),
                           (b"n,data,nvs,,16K,\x1b[2J", "flag '?[2J'"), (b"n" * 300, "longer than 255 bytes")):
        source.write_bytes(content)
        error = refused("--from-csv", source, out)
        assert words in error and "\x1b" not in error
    assert "No such file" in refused("--from-csv", tmp_path / "missing", out)
    assert "directory" in refused("--from-csv", tmp_path, out)
    assert not out.exists()


def random_table(chance):
    """A CSV as people write them, with every form there is; one in two breaks a rule somewhere."""
    lines = []
    wrong = chance.choice([0, 0.1])  # how often a field is one that may be wrong

    def field(good, doubtful):
        return chance.choice(doubtful if chance.random() < wrong else good)

    for number in range(chance.randint(1, 12)):
        kind = chance.choice(["app", "data", "DATA", "0x40", "1", "data"])
        subtype = {"app": ["ota_0", "factory", "test", "0x1F", "ota_15"], "0x40": ["1", "0xFE", "200"]}.get(
            kind, ["fat", "spiffs", "", "0x99", "Littlefs", "nvs_keys", "esphttpd", "coredump"])
        offset = field([""], [f"0x{chance.randrange(9, 2500):x}000", f"{chance.randrange(64, 9000)}K"])
        size = field(["4K", "8K", "16k", "0x2000", "1M", "65536", "64K"], ["-0x200000", "-3M", "0x1234", "17M"])
        flags = field(["", "", ",", ",encrypted"], [",readonly", ",encrypted:readonly", ",locked"])
        space = chance.choice(["", " ", "\t"])
        lines.append(f"{space}part{field([number], [1])}{space},{kind},{space}{field(subtype, ['nvs', 'ota'])},"
                     f"{offset}{space},{size}{flags}")
        if chance.random() < 0.2:
            lines.append(chance.choice(["", "# a comment", "   "]))
    return chance.choice(["\n", "\r\n"]).join(lines)


def test_same_judgement_as_esp_idf(tmp_path):
    """Tables of chance: whatever ESP-IDF takes gives the same bytes here, and what it refuses is refused."""
    chance = random.Random(20261122)
    source, out = tmp_path / "table.csv", tmp_path / "table.bin"
    taken = 0
    for _ in range(400):
        text = random_table(chance)
        source.write_text(text, newline="")
        try:
            table = official(text)
            expected = table.to_binary() if all(row.size > 0 for row in table) else None
        except InputError:
            expected = None
        done = lifeboat("flash", "table", "--from-csv", source, out, "--force", env=ENVIRONMENT)
        assert done.returncode == (0 if expected else 1), (text, done.stderr)
        if expected:
            assert out.read_bytes() == expected
            assert run(out, "--csv").stdout == table.to_csv()
            taken += 1
    assert 100 < taken < 360


def test_own_forms_are_read_by_esp_idf(tmp_path, dumps):
    """A table of ours, read by their reader of files."""
    table, is_binary = PartitionTable.from_file(io.BytesIO(run(dumps(), "--csv").stdout.encode()))
    assert not is_binary and table.to_binary()[7 * 32 + 16:8 * 32].hex() == TABLE_MD5


def test_files_are_not_overwritten(tmp_path, dumps):
    source, out = tmp_path / "ovms.csv", tmp_path / "out.bin"
    source.write_text(OVMS_CSV)
    out.write_bytes(b"precious")
    for words in (["--from-csv", source, out], [dumps(), "--binary", out]):
        assert "--force" in refused(*words)
        assert out.read_bytes() == b"precious"


def test_what_is_neither_dump_nor_table(tmp_path):
    path = tmp_path / "other"
    for size in (0, 100, 0xBFF, 0xC01, 0x7000):
        path.write_bytes(bytes(size))
        assert "neither a dump" in refused(path)
    path.write_text(OVMS_CSV)
    assert "--from-csv" in refused(path)
    path.write_bytes(bytes(0xC00))
    assert "partition table" in refused(path)
    path.write_bytes(bytes(100000))
    assert "wrong size" in refused(path)
    assert "does not exist" in refused(tmp_path / "missing")
    assert "no ordinary file" in refused(tmp_path)


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--csv", "--binary", "o"], ["--from-csv", "c"],
                                   ["a", "--set", "c", "--csv"], ["a", "--production"], ["a", "--csv", "--json"],
                                   ["a", "--flash-size", "16GB"], ["a", "--flash-size", "MB"],
                                   ["a", "--set", "c", "--production", "--flash-size", "4MB"]])
def test_wrong_calls(words):
    done = run(*words, code=2)
    assert done.stdout == "" and done.stderr.splitlines()[1].startswith("Usage: lifeboat flash table FILE")


# ---- a new table for a dump ----


GREATER_CSV = OVMS_CSV.replace("store,data,fat,0xc10000,1M", "store,data,fat,0xc10000,2M,\nlog,data,spiffs,0xf00000,1M")


def put_csv(tmp_path, text):
    source = tmp_path / "new.csv"
    source.write_text(text)
    return source


def test_set(tmp_path, dumps, convert):
    path = dumps()
    before = path.read_bytes()
    source = put_csv(tmp_path, GREATER_CSV)
    assert "--production" in refused(path, "--set", source)
    assert path.read_bytes() == before
    text = run(path, "--set", source, "--production").stdout
    assert text.startswith(f"{path}: new partition table at 0x8000 and 0x7000\n")
    assert text.endswith("  Next boot will be from 'factory'\n")
    now = path.read_bytes()
    table = convert(GREATER_CSV).ljust(0x1000, b"\xff")
    assert now[TABLE_COPY:0x9000] == table + table
    assert now[:TABLE_COPY] == before[:TABLE_COPY] and now[0x9000:] == before[0x9000:]
    assert run(path, "--csv").stdout == GREATER_CSV and boots(path) == "factory"
    json.loads(run(path, "--set", source, "--production", "--json").stdout)
    assert path.read_bytes() == now
    run(path, "--set", put_csv(tmp_path, OVMS_CSV), "--production")
    assert path.read_bytes() == before


def test_set_refuses_what_would_not_boot(tmp_path, dumps):
    path = dumps()
    change(path, (OTADATA, record(1)))
    before = path.read_bytes()
    for text, words in (
            (SEVEN_CSV, "with this partition table ota_0 at 0x00010000 would boot instead of ota_0 at 0x00410000"),
            (OVMS_CSV.replace("ota_0,app,ota_0,0x410000,4M", "ota_0,app,ota_0,0x410000,64K"), "factory at 0x00010000"),
            (OVMS_CSV.replace("otadata,data,ota,0xd000,8K,\n", ""), "factory at 0x00010000 would boot instead"),
            ("nvs,data,nvs,,16K\n", "would not boot, and nothing else either"),
            ("nvs,data,nvs,,17M\n", "line 1: it would end at"), ("", "no partition in it")):
        assert words in refused(path, "--set", put_csv(tmp_path, text), "--production")
        assert path.read_bytes() == before


def test_set_where_nothing_boots(tmp_path, dumps, convert):
    """A blank flash gets its first table; one whose images are bad may get any."""
    path = dumps()
    path.write_bytes(b"\xff" * (16 * MB))
    assert "Nothing boots" in run(path, "--set", put_csv(tmp_path, OVMS_CSV), "--production").stdout
    assert path.read_bytes()[TABLE:TABLE + 0xC00] == convert(OVMS_CSV)
    run(path, "--set", put_csv(tmp_path, SEVEN_CSV), "--production")
    assert run(path, "--csv").stdout == SEVEN_CSV


def test_set_with_only_the_copy_left(tmp_path, dumps):
    path = dumps()
    flip(path, TABLE + 40)
    run(path, "--set", put_csv(tmp_path, GREATER_CSV), "--production")
    data = path.read_bytes()
    assert data[TABLE:0x9000] == data[TABLE_COPY:TABLE] and boots(path) == "factory"


def test_set_killed(tmp_path, dumps):
    path = dumps()
    before = path.read_bytes()
    words = [LIFEBOAT, "flash", "table", path, "--set", put_csv(tmp_path, GREATER_CSV), "--production"]
    start = time.monotonic()
    run(*words[3:])
    whole = time.monotonic() - start
    chance = random.Random("set")
    fates = set()
    for _ in range(20):
        path.write_bytes(before)
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        time.sleep(chance.uniform(0, whole))
        process.send_signal(signal.SIGKILL)
        fates.add(process.wait(timeout=60))
        assert boots(path) == "factory"
        assert run(path, "--csv").stdout in (OVMS_CSV, GREATER_CSV)
        now = path.read_bytes()
        assert now[:TABLE_COPY] == before[:TABLE_COPY] and now[0x9000:] == before[0x9000:]
    assert -signal.SIGKILL in fates
