"""The command line, the web page, the HTTP API and MCP: the only part that prints, exits, or knows about terminals.

It stands on top: it may import everything, and nothing may import it.
"""

import sys
from types import TracebackType

import talksearch.indexer  # noqa: F401 - switches onnxruntime's telemetry off before anything can import it


def _say_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say nothing of Ctrl-C that comes while modules are imported, before anything could catch it."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_uncaught
