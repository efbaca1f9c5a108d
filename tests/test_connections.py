"""Who connects to a server and lets it wait is hung up on, and whoever else asks is answered meanwhile."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from tiny import make_index, serving, short_runtime_folder

from talksearch.cli.server import connections
from talksearch.cli.server.serve import Serving

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")

HEAD = b"GET /api/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    index: Path = make_index(tmp_path_factory.mktemp("connections"))
    with pytest.MonkeyPatch.context() as patch, short_runtime_folder():
        patch.setattr(connections, "ASKING_S", 1.5)
        patch.setattr(connections, "LISTENING_S", 0.5)
        patch.setattr(connections, "MOST", 8)
        with serving(index) as one:
            yield one


def connected(served: Serving) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", urlsplit(served.url).port or 0), timeout=20)
    made.settimeout(20)
    return made


def ended(made: socket.socket) -> float:
    """Return after how many seconds the server hangs up; whatever it says before is passed over."""
    began = time.monotonic()
    try:
        while made.recv(65_536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - began


def answer(served: Serving) -> bytes:
    with connected(served) as made:
        made.sendall(HEAD + b"Connection: close\r\n\r\n")
        return made.recv(65_536)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET",
        HEAD,
        b"POST /api/stats HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nab",
        HEAD + b"\r\n" + HEAD,
    ],
    ids=["nothing", "a word", "half of the headers", "half of the body", "one and a half"],
)
def test_a_request_that_does_not_come_whole_is_hung_up_on(sent: bytes, served: Serving) -> None:
    with connected(served) as made:
        made.sendall(sent)
        assert ended(made) < 10


def test_a_byte_now_and_then_gains_no_time(served: Serving) -> None:
    with connected(served) as made:
        made.sendall(HEAD + b"X-Slow: ")
        began = time.monotonic()
        try:
            while time.monotonic() - began < 10:
                made.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            pass
        assert time.monotonic() - began < 5


def test_who_keeps_the_connection_asks_as_often_as_they_like(served: Serving) -> None:
    with connected(served) as made:
        for _ in range(8):
            made.sendall(HEAD + b"\r\n")
            response = http.client.HTTPResponse(made)
            response.begin()
            assert response.status == 200
            response.read()
            time.sleep(0.1)


def test_among_too_many_connections_another_is_still_answered(served: Serving) -> None:
    with ExitStack() as held:
        for _ in range(30):
            held.enter_context(connected(served)).sendall(HEAD)
        assert answer(served).startswith(b"HTTP/1.1 200")


class Waiting(connections.BoundedConnection):
    """A connection that has let the server wait since a moment, of which something may not have been read yet."""

    def __init__(self, since: float, sent: bytes, peer: tuple[object, ...] | str = ("192.0.2.1", 1)) -> None:
        self.since, self.is_open = since, True
        self.there, self.here = socket.socketpair()
        self.there.sendall(sent)
        known = {"socket": self.here, "peername": peer}
        self.transport = SimpleNamespace(is_closing=lambda: not self.is_open, get_extra_info=known.get)

    def waiting_since(self) -> float:
        return self.since

    def hang_up(self) -> None:
        self.is_open = False


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ([b"", b"", b"", b""], [2, 3]),
        ([b"GET", b"", b"", b""], [0, 3]),
        ([b"", b"GET", b"GET", b"GET"], [1, 2, 3]),
        ([b"GET"] * 6, [2, 3, 4, 5]),
    ],
    ids=["the latest stay", "who has asked stays", "more of them", "as many again and no more"],
)
def test_who_has_asked_and_was_not_read_yet_is_not_hung_up_on(
    sent: list[bytes], left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "most_connections", lambda: 2)
    waiting = [Waiting(since, one) for since, one in enumerate(sent)]
    connections._make_room(reversed(waiting))
    assert [since for since, one in enumerate(waiting) if one.is_open] == left
    for one in waiting:
        one.there.close()
        one.here.close()


@pytest.mark.parametrize(
    ("peers", "left"),
    [
        (["192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.2"], [0, 3]),
        (["192.0.2.2", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"], [2, 4]),
        (["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"], [2, 3]),
        (["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:1::3"], [0, 3]),
        (["2001:db8::1", "fe80::1%eth0", "fe80::2%eth0", "fe80::3%eth0"], [0, 3]),
        (["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.2", "::ffff:192.0.2.2"], [0, 3]),
        (["", "192.0.2.2", "192.0.2.2", ""], [2, 3]),
    ],
    ids=["one and three", "two and three", "four", "IPv6", "a link", "IPv4 within IPv6", "no address"],
)
def test_who_has_many_connections_pushes_out_their_own(
    peers: list[str], left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "most_connections", lambda: 2)
    waiting = [Waiting(since, b"", (peer, 4_000) if peer else "") for since, peer in enumerate(peers)]
    connections._make_room(waiting)
    assert [since for since, one in enumerate(waiting) if one.is_open] == left
    for one in waiting:
        one.there.close()
        one.here.close()


def test_a_request_that_is_none_is_told_so_once_and_fills_no_terminal(
    served: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    for sent in (
        b"\x16\x03\x01\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        with connected(served) as made:
            made.sendall(sent)
            assert b" 400 " in made.recv(65_536) + b" 400 " * (b"chunked" in sent)
    assert answer(served).startswith(b"HTTP/1.1 200")
    assert capfd.readouterr().err == ""


def test_few_descriptors_mean_few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(connections, "MOST", 256)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (96, 96))
    assert connections.most_connections() == 16
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, 0))
    assert connections.most_connections() == connections.MOST
