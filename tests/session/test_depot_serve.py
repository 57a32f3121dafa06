# SPDX-License-Identifier: MIT
"""`lifeboat depot serve`: every answer it gives, and what it never hands out."""

import email.utils
import http.client
import os
import signal
import socket
import threading
import time

import pytest
from depot_server import PREFIX, DepotServer, lifeboat, published, raw_request, request
from image_builder import build_image

IMAGE = build_image("3.1.003", size=100000)
CHANGES = "What is new: größer\n".encode()
TEXT = b"3.1.003\n" + CHANGES
BIN = "/v3.1/main/ovms3.bin"
VER = "/v3.1/main/ovms3.ver"
SECRET = b"nobody may read this"


def publish_image(folder, image, changes=None, **names):
    path = folder.parent / "image.bin"
    path.write_bytes(image)
    more = []
    if changes is not None:
        (folder.parent / "changes.txt").write_bytes(changes)
        more = ["--changes", folder.parent / "changes.txt"]
    return published(folder, path, *more, **names)


@pytest.fixture(scope="module")
def depot(tmp_path_factory):
    """A depot with one release, and around and in it what must not be served."""
    folder = tmp_path_factory.mktemp("serve") / "depot"
    publish_image(folder, IMAGE, CHANGES)
    (folder.parent / "secret").write_bytes(SECRET)
    (folder.parent / "depotsecret").write_bytes(SECRET)
    product = folder / "v3.1"
    (product / ".hidden").write_bytes(SECRET)
    (product / ".folder").mkdir()
    (product / ".folder" / "x").write_bytes(SECRET)
    (product / "up").symlink_to("../../secret")
    (product / "absolute").symlink_to(folder.parent / "secret")
    (product / "inside-absolute").symlink_to(product / "main" / "ovms3.bin")
    (product / "outside").symlink_to(folder.parent)
    (product / "process").symlink_to("/proc/self/root")
    (product / "loop").symlink_to("loop")
    (product / "nowhere").symlink_to("releases/none")
    os.mkfifo(product / "fifo")
    (product / "other.bin").symlink_to("main/ovms3.bin")
    (product / "empty.bin").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def server(depot):
    with DepotServer(depot) as running:
        yield running


# ---- the files ----


def test_ready_line(depot, server):
    assert server.ready == f"Serving {depot} at http://127.0.0.1:{server.address[1]}/firmware/ota/\n"


@pytest.mark.parametrize("path, body, content_type", [(BIN, IMAGE, "application/octet-stream"),
                                                      (VER, TEXT, "text/plain; charset=utf-8")])
def test_get_and_head(server, depot, path, body, content_type):
    modified = int((depot / path[1:]).stat().st_mtime)
    for target in (path, "!" + path, "!/firmware//ota/" + path + "?v=1#x", "!http://any.host:80" + PREFIX + path):
        for method in ("GET", "HEAD"):
            answer = server.get(target, method)
            assert (answer.status, answer.body) == (200, body if method == "GET" else b"")
            assert answer["Content-Length"] == str(len(body))
            assert answer["Content-Type"] == content_type
            assert answer["Accept-Ranges"] == "bytes"
            assert answer["Cache-Control"] == "no-cache"
            assert answer["Last-Modified"] == email.utils.formatdate(modified, usegmt=True)
            assert answer["ETag"][0] == answer["ETag"][-1] == '"' and len(answer["ETag"]) > 2


def test_empty_file(server):
    answer = server.get("/v3.1/empty.bin")
    assert (answer.status, answer["Content-Length"], answer.body) == (200, "0", b"")
    answer = server.get("/v3.1/empty.bin", Range="bytes=0-")
    assert (answer.status, answer["Content-Range"]) == (416, "bytes */0")


def test_link_inside_the_depot(server):
    assert server.get("/v3.1/other.bin").body == IMAGE


def test_one_connection_many_requests(server):
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    for number in range(50):
        connection.request("GET", BIN, headers={"Range": f"bytes={number * 1000}-{number * 1000 + 999}"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (206, IMAGE[number * 1000:number * 1000 + 1000])
        connection.request("HEAD", "/none")
        response = connection.getresponse()
        assert (response.status, response.read()) == (404, b"")
    connection.close()


def test_http_1_0(server):
    answer = raw_request(server.address, f"GET {VER} HTTP/1.0\r\n\r\n".encode())
    assert answer.split(b" ")[1] == b"200" and answer.endswith(b"\r\n\r\n" + TEXT)


# ---- what it does not hand out ----

NOT_FOUND = [
    "/", "//", PREFIX, PREFIX + "/", "/v3.1", "/v3.1/", "/v3.1/main", "/v3.1/main/", "/v3.1/main/ovms3.bin/",
    "/v3.1/releases", "/v3.1/main/none.bin", "/none/main/ovms3.bin", "/V3.1/main/ovms3.bin",
    "/../secret", "/v3.1/../../secret", "/v3.1/main/../../../../secret", PREFIX + "/../secret",
    PREFIX + "/v3.1/../v3.1/main/ovms3.bin", "/./v3.1/main/ovms3.bin", "/v3.1/./main/ovms3.bin", "/../depotsecret",
    "/%2e%2e/secret", "/v3.1/%2e%2e/%2e%2e/secret", "/v3.1/.%2e/../secret", "/%2E%2E/secret",
    "/%252e%252e/secret", "/..%2fsecret", "/%2e%2e%2fsecret", "/..%5csecret", "/v3.1\\main\\ovms3.bin",
    "/v3.1/.lock", "/v3.1/%2elock", "/v3.1/.hidden", "/v3.1/.folder/x", PREFIX + "/v3.1/.lock", "/v3.1/releases/.",
    "/v3.1/up", "/v3.1/absolute", "/v3.1/inside-absolute", "/v3.1/outside/secret", "/v3.1/process/etc/passwd",
    "/v3.1/loop", "/v3.1/nowhere", "/v3.1/nowhere/ovms3.bin", "/v3.1/fifo", "/" + "x" * 3000, "/x" * 1000,
]
MALFORMED = [
    "/v3.1%2fmain/ovms3.bin", "/v3.1%2F..%2F..%2Fsecret", "/v3.1/main/ovms3.bin%00", "/%00",
    "/v3.1/main/ovms3.bin%00.ver", "/v3.1/main/%0aovms3.bin", "/v3.1/%", "/v3.1/%2", "/v3.1/%zz", "/v3.1/%c0%ae%2f",
    "v3.1/main/ovms3.bin", "*", "..", "https://host/v3.1/main/ovms3.bin", "file:///etc/passwd", "http://host",
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", NOT_FOUND)
def test_not_found(server, target, method):
    answer = server.get("!" + target, method)
    assert answer.status == 404
    assert answer.body == (b"404 Not Found\n" if method == "GET" else b"")
    assert answer["ETag"] is None


@pytest.mark.parametrize("target", MALFORMED)
def test_malformed_target(server, target):
    answer = server.get("!" + target)
    assert (answer.status, answer.body) == (400, b"400 Bad Request\n")


@pytest.mark.parametrize("data", [
    b"GET /v3.1/main/ovms3.bin\0/../../secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /../secret\r\n\r\n",
    b"GET  ../secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET\t/../secret\tHTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"\0\0\0\0\r\n\r\n",
    b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
])
def test_garbage(server, data):
    try:
        assert SECRET not in raw_request(server.address, data, half_close=True)
    except TimeoutError:
        raise
    except OSError:
        pass  # it need not read all of it
    assert server.get(VER).body == TEXT


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "get"])
@pytest.mark.parametrize("body", [None, b"x" * 300000])
def test_other_methods(server, depot, method, body):
    before = (depot / VER[1:]).read_bytes()
    answer = request(server.address, PREFIX + VER, method, body)
    assert (answer.status, answer["Allow"]) == (405, "GET, HEAD")
    assert TEXT not in answer.body
    assert (depot / VER[1:]).read_bytes() == before


# ---- conditions ----


def test_not_modified(server):
    whole = server.get(BIN)
    etag, modified = whole["ETag"], whole["Last-Modified"]
    later = email.utils.formatdate(time.time() + 86400, usegmt=True)
    for headers, status in [
        ({"If_None_Match": etag}, 304),
        ({"If_None_Match": "W/" + etag}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": f'"other", W/"more,", {etag}'}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_None_Match": etag.strip('"')}, 200),
        ({"If_Modified_Since": modified}, 304),
        ({"If_Modified_Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 200),
        ({"If_Modified_Since": later}, 200),  # a tag can be moved back, so only the same date is the same file
        ({"If_Modified_Since": "yesterday"}, 200),
        ({"If_None_Match": '"other"', "If_Modified_Since": modified}, 200),
        ({"If_None_Match": etag, "If_Modified_Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 304),
        ({"If_None_Match": etag, "Range": "bytes=0-9"}, 304),
        ({"If_None_Match": etag, "Range": "bytes=999999-"}, 304),
    ]:
        for method in ("GET", "HEAD"):
            answer = server.get(BIN, method, **headers)
            assert answer.status == status, headers
            assert answer.body == (IMAGE if method == "GET" and status == 200 else b"")
            assert (answer["ETag"], answer["Last-Modified"]) == (etag, modified)


def test_not_modified_keeps_the_connection(server):
    """Nothing follows the headers of a 304: the next answer on the connection is whole."""
    etag = server.get(VER)["ETag"]
    asked = f"GET {VER} HTTP/1.1\r\nHost: x\r\n"
    answer = raw_request(server.address, (asked + f"If-None-Match: {etag}\r\n\r\n" + asked +
                                          "Connection: close\r\n\r\n").encode())
    first, second = answer.split(b"\r\n\r\n", 1)
    assert first.startswith(b"HTTP/1.1 304 ") and second.startswith(b"HTTP/1.1 200 ")
    assert second.endswith(b"\r\n\r\n" + TEXT)


SIZE = len(IMAGE)
RANGES = [
    ("bytes=0-0", 0, 1), ("bytes=0-9", 0, 10), ("bytes=10-19", 10, 10), ("bytes=5000-", 5000, SIZE - 5000),
    ("bytes=0-", 0, SIZE), ("bytes=-1", SIZE - 1, 1), ("bytes=-500", SIZE - 500, 500), (f"bytes=-{SIZE}", 0, SIZE),
    (f"bytes=-{SIZE + 5}", 0, SIZE), (f"bytes={SIZE - 1}-{SIZE - 1}", SIZE - 1, 1), (f"bytes={SIZE - 1}-", SIZE - 1, 1),
    (f"bytes=7-{SIZE + 1000}", 7, SIZE - 7), ("bytes=7-99999999999999999999999999", 7, SIZE - 7), ("BYTES=1-2", 1, 2),
    ("bytes=-99999999999999999999999999", 0, SIZE),
]
UNSATISFIABLE = [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", "bytes=99999999999999999999999999-"]
WHOLE = ["bytes=0-1,5-6", "bytes=0-1, 5-6", "bytes=9-5", "bytes=-", "bytes=", "bytes", "bytes=x-y", "bytes=1-2-3",
         "bytes=1", "bytes=0x1-2", "bytes=+1-2", "bytes=--5", "bytes 0-5", "lines=0-5", "0-5"]


@pytest.mark.parametrize("value, first, length", RANGES)
def test_range(server, value, first, length):
    answer = server.get(BIN, Range=value)
    assert (answer.status, answer.body) == (206, IMAGE[first:first + length])
    assert answer["Content-Range"] == f"bytes {first}-{first + length - 1}/{SIZE}"
    assert answer["Content-Length"] == str(length)
    answer = server.get(BIN, "HEAD", Range=value)
    assert (answer.status, answer["Content-Length"], answer["Content-Range"]) == (200, str(SIZE), None)


@pytest.mark.parametrize("value", UNSATISFIABLE)
def test_unsatisfiable_range(server, value):
    answer = server.get(BIN, Range=value)
    assert (answer.status, answer["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert answer.body == b"416 Range Not Satisfiable\n"


@pytest.mark.parametrize("value", WHOLE)
def test_range_that_is_none(server, value):
    answer = server.get(BIN, Range=value)
    assert (answer.status, answer.body, answer["Content-Range"]) == (200, IMAGE, None)


def test_if_range(server):
    whole = server.get(BIN)
    for value, status in [(whole["ETag"], 206), (whole["Last-Modified"], 206), ("W/" + whole["ETag"], 200),
                          ('"other"', 200), ("*", 200), ("Sun, 06 Nov 1994 08:49:37 GMT", 200), ("x", 200)]:
        answer = server.get(BIN, Range="bytes=10-19", If_Range=value)
        assert answer.status == status, value
        assert answer.body == (IMAGE[10:20] if status == 206 else IMAGE)
    assert server.get(BIN, Range="bytes=999999-", If_Range='"other"').status == 200


# ---- a release that is exchanged ----


def test_exchanged_release(tmp_path):
    """What a client holds of one release is never continued with another one, not even within the same second."""
    depot = tmp_path / "depot"
    old, new = (build_image(version, size=100000) for version in ("1.0", "1.1"))
    publish_image(depot, old)
    with DepotServer(depot) as server:
        before = server.get(BIN)
        publish_image(depot, new)
        now = server.get(BIN)
        assert (before.body, now.body) == (old, new)
        assert before["ETag"] != now["ETag"] and before["Last-Modified"] != now["Last-Modified"]
        for name in ("ETag", "Last-Modified"):
            answer = server.get(BIN, Range="bytes=50000-", If_Range=before[name])
            assert (answer.status, answer.body) == (200, new)
        assert server.get(BIN, If_None_Match=before["ETag"]).status == 200
        assert server.get(BIN, If_Modified_Since=before["Last-Modified"]).status == 200
        publish_image(depot, old)  # back: the newer date must not hide the older file
        assert server.get(BIN, If_Modified_Since=now["Last-Modified"]).body == old
        assert server.get(BIN, If_None_Match=before["ETag"]).status == 304


def test_exchange_during_a_download(tmp_path):
    depot = tmp_path / "depot"
    old, new = (build_image(version, size=8 << 20) for version in ("1.0", "1.1"))
    publish_image(depot, old)
    with DepotServer(depot) as server:
        with socket.socket() as connection:
            connection.settimeout(20)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.connect(server.address)
            connection.sendall(f"GET {BIN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = connection.recv(10000)
            publish_image(depot, new)
            assert server.get(BIN).body == new
            while piece := connection.recv(1 << 16):
                answer += piece
        assert answer.partition(b"\r\n\r\n")[2] == old


# ---- clients that misbehave ----


def test_client_that_hangs_up_and_one_that_says_nothing(tmp_path):
    depot = tmp_path / "depot"
    image = build_image("1.0", size=8 << 20)
    publish_image(depot, image)
    with DepotServer(depot) as server:
        with socket.create_connection(server.address) as silent:
            silent.sendall(b"GET /v3.1/ma")
            with socket.create_connection(server.address) as hasty:
                hasty.sendall(f"GET {BIN} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                hasty.recv(1000)
            assert server.get(BIN).body == image
        log = server.stop()
    assert f"127.0.0.1 GET {BIN} 200 {len(image)} aborted" in log
    assert f"127.0.0.1 GET {PREFIX}{BIN} 200 {len(image)}" in log


def test_many_clients_at_once(server):
    faults = []

    def fetch():
        for _ in range(20):
            answer = server.get(BIN)
            if (answer.status, answer.body) != (200, IMAGE):
                faults.append(answer.status)

    threads = [threading.Thread(target=fetch) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_log(depot):
    with DepotServer(depot) as server:
        server.get(BIN)
        server.get(BIN, "HEAD")
        server.get(BIN, Range="bytes=0-9")
        server.get(BIN, If_None_Match="*")
        server.get("!/none?x=%0a")
        request(server.address, VER, "POST", b"body")
        raw_request(server.address, b"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        log = server.stop()
    target = PREFIX + BIN
    assert log == [
        f"127.0.0.1 GET {target} 200 {SIZE}", f"127.0.0.1 HEAD {target} 200 0", f"127.0.0.1 GET {target} 206 10",
        f"127.0.0.1 GET {target} 304 0", "127.0.0.1 GET /none?x=%0a 404 14", f"127.0.0.1 POST {VER} 405 23",
        "127.0.0.1 GET /?[2J 400 16"
    ]


# ---- starting and ending ----


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_on_a_signal(depot, number):
    with DepotServer(depot) as server:
        with socket.create_connection(server.address) as idle:
            idle.sendall(b"GET ")
            server.get(VER)
            server.stop(number)  # checks the exit status
    with pytest.raises(ConnectionRefusedError):
        request(server.address, VER)


def test_ipv6(depot):
    with DepotServer(depot, "[::1]:0") as server:
        assert server.ready == f"Serving {depot} at http://[::1]:{server.address[1]}/firmware/ota/\n"
        assert server.get(VER).body == TEXT
        assert server.stop() == [f"::1 GET {PREFIX}{VER} 200 {len(TEXT)}"]


@pytest.mark.parametrize("prefix, shown, served", [("/", "/", [""]), ("/a/b-c/", "/a/b-c/", ["/a/b-c", ""]),
                                                   ("/x", "/x/", ["/x", ""])])
def test_prefix(depot, prefix, shown, served):
    with DepotServer(depot, "127.0.0.1:0", "--prefix", prefix) as server:
        assert server.ready.endswith(f":{server.address[1]}{shown}\n")
        for beginning in served:
            assert server.get("!" + beginning + VER).body == TEXT
        assert server.get("!/firmware/ota" + VER).status == 404


def test_address_in_use(depot, server):
    address = f"127.0.0.1:{server.address[1]}"
    result = lifeboat("depot", "serve", depot, "--listen", address)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: cannot listen at 127.0.0.1 port") and "in use" in result.stderr


def test_depot_that_is_none(tmp_path):
    result = lifeboat("depot", "serve", tmp_path / "none", "--listen", "127.0.0.1:0")
    assert result.returncode == 1 and str(tmp_path / "none") in result.stderr and "No such file" in result.stderr
    (tmp_path / "file").write_text("x")
    result = lifeboat("depot", "serve", tmp_path / "file", "--listen", "127.0.0.1:0")
    assert result.returncode == 1 and "Not a directory" in result.stderr


def test_address_that_is_none(depot):
    result = lifeboat("depot", "serve", depot, "--listen", "192.0.2.1:0")
    assert result.returncode == 1 and "cannot listen at 192.0.2.1" in result.stderr


@pytest.mark.parametrize("arguments", [["--listen", "8070"], ["--listen", "127.0.0.1:65536"], ["--listen", "::1:80"],
                                       ["--listen"], ["--prefix", "x"], ["--prefix", "/.."], ["--other"], ["more"]])
def test_usage(depot, arguments):
    result = lifeboat("depot", "serve", depot, *arguments)
    assert result.returncode == 2 and result.stderr.startswith("Error: ")
    assert lifeboat("depot", "serve").returncode == 2
