"""Asking an engine in threads of their own, so that several things are asked at once and none of them for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLong
from typing import TypeVar

from talksearch.indexer.errors import StoreError

T = TypeVar("T")

ANSWER_S = 30.0
"""Seconds in which a store must answer what a query asks of it."""

LARGE_ANSWER_S = 600.0
"""Seconds that the statistics and terms of a new version may take, or the facts of all talks."""


def start(address: str, work: Callable[[], T], seconds: float | None = None) -> Callable[[], T]:
    """Ask an engine something in a thread, and return what waits for the answer.

    That raises what `work` raises, and StoreError where the answer takes longer than some seconds. A thread that goes
    on waiting then keeps no process alive.

    Args:
        address: The store's URL, without anything secret.
        work: What asks.
        seconds: How long the answer may take; by default `ANSWER_S`.
    """
    limit = ANSWER_S if seconds is None else seconds
    future: Future[T] = Future()

    def ask() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            future.set_exception(error)

    threading.Thread(target=ask, name="store", daemon=True).start()

    def answer() -> T:
        try:
            return future.result(timeout=limit)
        except WaitedTooLong as error:
            raise StoreError(
                f"The store {address} has not answered for {limit:g} seconds.",
                "Ask again, or see whether it runs and can be reached.",
            ) from error

    return answer
