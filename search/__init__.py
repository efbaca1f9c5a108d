"""The way of a query: ranking and quotes find passages, results make hits of them, evaluation measures it all.

It reads what `indexer` wrote; only `cli` may import its rooms. For programs that use talksearch as a library, the names
below are its face; they are loaded when they are first asked for.

    from talksearch.search import open_index, Query

    with open_index("my-index") as index:
        for hit in index.search(Query("time dilation", k=3)).hits:
            print(hit.rank, hit.title, hit.url)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import talksearch.indexer  # noqa: F401 - switches onnxruntime's telemetry off before anything can import it

if TYPE_CHECKING:
    from .answer import Answer
    from .hit import Hit
    from .index import Index, open_index
    from .query import Filters, Query
    from .remote.store import Store, open_store

__all__ = ["Answer", "Filters", "Hit", "Index", "Query", "Store", "open_index", "open_store"]

_MODULE_OF = {
    "Answer": "talksearch.search.answer",
    "Filters": "talksearch.search.query",
    "Hit": "talksearch.search.hit",
    "Index": "talksearch.search.index",
    "Query": "talksearch.search.query",
    "Store": "talksearch.search.remote.store",
    "open_index": "talksearch.search.index",
    "open_store": "talksearch.search.remote.store",
}


def __getattr__(name: str) -> object:
    """Load a name of the face when it is first asked for (PEP 562): importing the package stays light."""
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names of the face."""
    return __all__
