"""The last answers that pages showed: who opens a hit, goes back or reloads asks the same once more.

An answer counts as long as the index stays as it is (`pool.index_pool.state_of`), so nobody gets one that a new process
would not give.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from talksearch.search.answer import Answer

_MOST = 32
"""How many answers are remembered."""

_MOST_HITS = 100
"""Hits of the longest answer that is; one with a thousand takes megabytes."""

Recall = Callable[[Hashable, Callable[[], Answer]], Answer]
"""Returns the answer to what was asked, in a state of the index, and has it made where it is not remembered."""


def remember() -> Recall:
    """Return a memory of answers that any thread may ask."""
    kept: OrderedDict[Hashable, Answer] = OrderedDict()
    lock = threading.Lock()

    def recall(asked: Hashable, make: Callable[[], Answer]) -> Answer:
        with lock:
            if asked in kept:
                kept.move_to_end(asked)
                return kept[asked]
        answer = make()
        if len(answer.hits) <= _MOST_HITS:
            with lock:
                kept[asked] = answer
                if len(kept) > _MOST:
                    kept.popitem(last=False)
        return answer

    return recall
