"""Asking an engine in threads of their own, so that several things are asked at once and none of them for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote import silence
from talksearch.indexer.stores.remote.address import server_of

T = TypeVar("T")

ANSWER_S = 30.0
"""Seconds in which a store must answer what a query asks of it."""

LARGE_ANSWER_S = 600.0
"""Seconds that the statistics and terms of a new version may take, or the facts of all talks."""


BEFORE_ASKED_S = 2.0
"""After so many seconds without an answer it is looked whether the server of the store says anything at all, and after
as many again once more."""


def start(address: str, work: Callable[[], T], seconds: float | None = None) -> Callable[[], T]:
    """Ask an engine something in a thread, and return what waits for the answer.

    That raises what `work` raises, and StoreError where the answer takes longer than some seconds, or where the store's
    server says nothing at all, which is told within ten. A thread that goes on waiting then keeps no process alive.

    Args:
        address: The store's URL, without anything secret.
        work: What asks.
        seconds: How long the answer may take; by default `ANSWER_S`.
    """
    limit = ANSWER_S if seconds is None else seconds
    begun = monotonic()
    future = _in_thread(work)

    def answer() -> T:
        server = server_of(address)
        while (remaining := begun + limit - monotonic()) > 0:
            wait([future], min(BEFORE_ASKED_S, remaining) if server else remaining)
            if future.done():
                break
            if server is not None:
                looked = _in_thread(partial(silence.says_nothing, server))
                either: list[Future[Any]] = [future, looked]
                wait(either, max(begun + limit - monotonic(), 0), return_when=FIRST_COMPLETED)
                if not future.done() and looked.done() and looked.result():
                    raise silence.silent(address)
        if not future.done():
            raise StoreError(
                f"The store {address} has not answered for {limit:g} seconds.",
                "Ask again, or see whether it runs and can be reached.",
            )
        return future.result()

    return answer


def _in_thread(work: Callable[[], T]) -> Future[T]:
    """Do something in a thread that keeps no process alive."""
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            future.set_exception(error)

    threading.Thread(target=do, name="store", daemon=True).start()
    return future
