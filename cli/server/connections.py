"""Connections over HTTP: how many there may be at once, and how long one may take to ask and to listen.

Uvicorn bounds how long a connection is kept open between two requests, and not how long one request takes to come.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
from collections import Counter
from collections.abc import Iterable

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from talksearch.cli.web.networks import network_of

MOST = 256
"""Connections at once. Where another comes, one that keeps the server waiting makes room for it: the oldest one of the
address that has the most of them."""

_GRACE_S = 0.05
"""Seconds in which what has arrived on new connections is read, before one of them is taken for one that waits: a burst
of them is accepted at once, their requests are read one by one, and many have left by then."""

ASKING_S = 10.0
"""Seconds in which a request must be here whole, its body included, from the moment in which it is waited for."""

LISTENING_S = 120.0
"""Seconds after which somebody who takes nothing of an answer is hung up on. A player asks for the rest of a recording
anew, with a range."""

_OTHER_FILES = 64
"""Files that a server has open beside its connections: the index, in each of its workers."""


class BoundedConnection(H11Protocol):
    """A connection that is hung up on where it lets the server wait."""

    _deadline: asyncio.TimerHandle | None = None
    _listener_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; where there are too many, make room."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > most_connections():
            self.loop.call_later(_GRACE_S, _make_room, self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._stop_waiting()
        self._set_listener_deadline(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        self._wait_or_stop()

    def on_response_complete(self) -> None:
        """Go on with the next request, of which a part may be here."""
        super().on_response_complete()
        self._wait_or_stop()

    def pause_writing(self) -> None:
        """Wait until the asker has taken what was sent."""
        super().pause_writing()
        self._set_listener_deadline(self.loop.call_later(LISTENING_S, self.hang_up))

    def resume_writing(self) -> None:
        """Go on sending."""
        super().resume_writing()
        self._set_listener_deadline(None)

    def send_400_response(self, msg: str) -> None:
        """Say that what came is no request, where nothing else was said yet, and have nothing more said."""
        if self.cycle is not None:  # a request whose body is none may be under way
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.hang_up()

    def waiting_since(self) -> float | None:
        """Return when this connection began to let the server wait, as a time of its loop; None where it does not."""
        if self._deadline is not None:
            return self._deadline.when() - ASKING_S
        return None if self._listener_deadline is None else self._listener_deadline.when() - LISTENING_S

    def hang_up(self) -> None:
        """Close the connection, whatever is under way on it."""
        self._stop_waiting()
        self._set_listener_deadline(None)
        self.transport.abort()

    def _wait_or_stop(self) -> None:
        is_whole = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
        if is_whole or self.transport.is_closing():
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(ASKING_S, self.hang_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _set_listener_deadline(self, deadline: asyncio.TimerHandle | None) -> None:
        if self._listener_deadline is not None:
            self._listener_deadline.cancel()
        self._listener_deadline = deadline


def most_connections() -> int:
    """Return how many connections there may be: fewer than `MOST` where the system allows few open files."""
    if sys.platform == "win32":
        return MOST
    import resource  # not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # An answer may open a recording, so each connection counts twice.
    return MOST if soft == resource.RLIM_INFINITY else max(4, min(MOST, (soft - _OTHER_FILES) // 2))


def _make_room(connections: Iterable[object]) -> None:
    """Where there are too many, hang up on some that let the server wait: the latest of each address is the last to go.

    Somebody with hundreds of connections so pushes out their own before anybody else's. Behind a proxy all have its
    address, and the oldest goes first. Who has sent something that was not read yet is not waited for: in a burst, the
    server is late and not the asker. Of those there may be as many again, which the limit on open files allows for.
    """
    open_ones = [one for one in connections if isinstance(one, BoundedConnection) and not one.transport.is_closing()]
    too_many = len(open_ones) - most_connections()
    late = []
    for one in _eviction_order(open_ones):
        if too_many <= 0:
            return
        if _has_sent(one.transport):
            late.append(one)
        else:
            one.hang_up()
            too_many -= 1
    for one in late[: max(0, too_many - most_connections())]:
        one.hang_up()


def _eviction_order(connections: Iterable[BoundedConnection]) -> list[BoundedConnection]:
    """Return those that let the server wait: first the oldest of the address that has the most of them."""
    waiting = [(since, one) for one in connections if (since := one.waiting_since()) is not None]
    waiting.sort(key=lambda pair: pair[0], reverse=True)
    later_ones: Counter[str] = Counter()
    ordered = []
    for since, one in waiting:
        network = _network_of_peer(one.transport)
        ordered.append((-later_ones[network], since, one))
        later_ones[network] += 1
    return [one for _, _, one in sorted(ordered, key=lambda row: row[:2])]


def _network_of_peer(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return network_of(peer[0]) if isinstance(peer, tuple) else ""  # a socket of this machine has no such pair


def _has_sent(transport: asyncio.Transport) -> bool:
    """Return whether something has arrived on a connection that was not read yet, be it that the other side left."""
    with selectors.DefaultSelector() as selector:
        selector.register(transport.get_extra_info("socket"), selectors.EVENT_READ)
        return bool(selector.select(0))
