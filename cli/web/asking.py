"""Asking the index behind a request, for as long as somebody waits for the answer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from talksearch.cli.pool.index_pool import BusyError, IndexPool

if TYPE_CHECKING:
    from talksearch.search.reader import IndexReader

T = TypeVar("T")

_ROOM_S, _TRIES = 2.0, 20
"""Seconds in which there must be room for a question before it is turned away, and how often that is looked for."""

_LONGEST_S = 120.0
"""Seconds after which an asker is told that the answer takes too long. A model that is loaded first takes some."""


async def with_index(request: Request, work: Callable[[IndexReader], T]) -> T:
    """Do something with the index, and return what came of it; before the index is warm, this waits.

    Raises what the work and the pool raise, BusyError where the answer takes too long, and ClientDisconnect where the
    asker goes: work that waits is dropped then.
    """
    return await _while_asked(request, await _submitted(partial(_pool(request).submit, work)))


async def with_catalog(request: Request, work: Callable[[sqlite3.Connection], T], talk: str = "") -> T:
    """Do something with the catalog alone, beside the queries: it waits for no vectors, no model, and no query.

    `talk` names the talk that it reads, if it reads one. Raises as `with_index` does.
    """
    return await _while_asked(request, await _submitted(partial(_pool(request).submit_to_catalog, work, talk)))


def _pool(request: Request) -> IndexPool:
    pool: IndexPool = request.app.state.pool
    return pool


async def _submitted(submit: Callable[[], Future[T]]) -> Future[T]:
    """Submit work, as soon as there is room: where many have asked and gone, that is noticed a little later.

    Raises BusyError where there is none for a while.
    """
    for _ in range(_TRIES):
        with suppress(BusyError):
            return submit()
        await asyncio.sleep(_ROOM_S / _TRIES)
    return submit()


async def _while_asked(request: Request, future: Future[T]) -> T:
    """Return the result of a future. It is cancelled where the asker closes the connection, as a browser does with a
    question that a newer one replaces.
    """
    answer = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        awaited: set[asyncio.Future[Any]] = {answer, gone}
        done, _ = await asyncio.wait(awaited, timeout=_LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise BusyError("The answer takes too long.", "Ask for less, or in a moment.")
        if not answer.done():
            raise ClientDisconnect
        return answer.result()
    finally:
        answer.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    """Return when the asker is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
