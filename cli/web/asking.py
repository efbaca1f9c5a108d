"""Asking the index behind a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from talksearch.cli.pool.index_pool import IndexPool
from talksearch.search.reader import IndexReader

T = TypeVar("T")


async def with_index(request: Request, work: Callable[[IndexReader], T]) -> T:
    """Do something with the index, and return what came of it."""
    pool: IndexPool = request.app.state.pool
    return await asyncio.wrap_future(pool.submit(work))
