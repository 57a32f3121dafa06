# SPDX-License-Identifier: MIT
"""nginx, serving the same folder, as the second opinion on what `lifeboat depot serve` answers.

Where the two differ on purpose, the requests are not here: nginx sends several ranges as multipart, applies ranges to
HEAD, and refuses malformed ones with 416 where RFC 9110 lets a server ignore them.
"""

import pytest
from depot_server import PREFIX, DepotServer, published, request
from image_builder import build_image
from nginx_server import NginxServer

IMAGE = build_image("3.1.003", size=100000)
SIZE = len(IMAGE)


@pytest.fixture(scope="module")
def depot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx") / "depot"
    changes = folder.parent / "changes.txt"
    changes.write_bytes("größer\n".encode())
    image = folder.parent / "image.bin"
    image.write_bytes(IMAGE)
    published(folder, image, "--changes", changes)
    return folder


@pytest.fixture(scope="module")
def nginx(depot):
    with NginxServer(depot.parent / "nginx", depot) as server:
        yield server.address


@pytest.fixture(scope="module")
def ours(depot):
    with DepotServer(depot) as server:
        yield server.address


def compared(answer):
    """What has to agree: the body only of a success, as each words its refusals differently."""
    body = answer.body if answer.status < 300 else None
    length = answer["Content-Length"] if answer.status < 300 else None
    return (answer.status, length, answer["Content-Range"], answer["Accept-Ranges"] if answer.status == 200 else None,
            answer["Last-Modified"] if answer.status < 300 else None, body)


TARGETS = ["/v3.1/main/ovms3.bin", "/v3.1/main/ovms3.ver", "/v3.1/releases/3.1.003/ovms3.bin", "//v3.1//main/ovms3.bin",
           "/v3.1/m%61in/ovms3%2Ebin", "/v3.1/main/ovms3.bin?query=1", "/v3.1/main/none", "/v3.2/main/ovms3.bin"]
RANGES = ["bytes=0-0", "bytes=0-99", "bytes=100-199", "bytes=5000-", "bytes=0-", "bytes=-1", "bytes=-500",
          f"bytes=-{SIZE}", f"bytes=-{SIZE * 2}", f"bytes={SIZE - 1}-", f"bytes={SIZE - 1}-{SIZE - 1}",
          f"bytes=10-{SIZE * 2}", f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 1}", "bytes=-0", "lines=0-5"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", TARGETS)
def test_target(nginx, ours, target, method):
    theirs = request(nginx, PREFIX + target, method)
    assert theirs.status in (200, 404)
    assert compared(request(ours, PREFIX + target, method)) == compared(theirs)


@pytest.mark.parametrize("value", RANGES)
def test_range(nginx, ours, value):
    for target in TARGETS[:2]:
        theirs = request(nginx, PREFIX + target, Range=value)
        assert theirs.status in (200, 206, 416)
        assert compared(request(ours, PREFIX + target, Range=value)) == compared(theirs)


def test_conditions(nginx, ours):
    """Each server with its own ETag, and both with the same Last-Modified."""

    def answers(address):
        target = PREFIX + TARGETS[0]
        whole = request(address, target)
        etag, modified, other = whole["ETag"], whole["Last-Modified"], "Sun, 06 Nov 1994 08:49:37 GMT"
        table = [{"If_None_Match": etag}, {"If_None_Match": "W/" + etag}, {"If_None_Match": '"x"'},
                 {"If_None_Match": f'"x", {etag}'}, {"If_None_Match": "*"}, {"If_Modified_Since": modified},
                 {"If_Modified_Since": other}, {"If_None_Match": '"x"', "If_Modified_Since": modified},
                 {"If_Range": etag, "Range": "bytes=5-9"}, {"If_Range": '"x"', "Range": "bytes=5-9"},
                 {"If_Range": modified, "Range": "bytes=5-9"}, {"If_Range": other, "Range": "bytes=5-9"}]
        return [compared(request(address, target, **headers)) for headers in table]

    assert answers(ours) == answers(nginx)


def test_methods(nginx, ours):
    for address in (nginx, ours):
        assert request(address, PREFIX + TARGETS[0], "POST", b"x").status == 405
