"""Asking the index behind a request, for as long as somebody waits for the answer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import ClientDisconnect, Request

from talksearch.cli.pool.index_pool import IndexPool

if TYPE_CHECKING:
    from talksearch.search.reader import IndexReader

T = TypeVar("T")


async def with_index(request: Request, work: Callable[[IndexReader], T]) -> T:
    """Do something with the index, and return what came of it; before the index is warm, this waits.

    Raises what the work and the pool raise, and ClientDisconnect where the asker goes: work that waits is dropped then.
    """
    return await _while_asked(request, _pool(request).submit(work))


async def with_catalog(request: Request, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do something with the catalog alone, beside the queries: it waits for no vectors, no model, and no query.

    Raises as `with_index` does.
    """
    return await _while_asked(request, _pool(request).submit_to_catalog(work))


def _pool(request: Request) -> IndexPool:
    pool: IndexPool = request.app.state.pool
    return pool


async def _while_asked(request: Request, future: Future[T]) -> T:
    """Return the result of a future. It is cancelled where the asker closes the connection, as a browser does with a
    question that a newer one replaces.
    """
    answer = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
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
