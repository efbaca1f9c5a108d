"""The way of a transcript: readers → restore → talks → passages → encoders → stores, driven by pipeline.

This is the ground floor: `search` and `cli` may import its rooms, and nothing here imports them. For programs that use
talksearch as a library, the names below are its face; they are loaded when they are first asked for.

    from talksearch.indexer import build_index, read_talk

    report = build_index("my-index", ["talks/"])
    talk = read_talk("talks/launch.en.vtt")
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import records
    from .pipeline.merge import merge_indexes
    from .pipeline.run import build_index, remove_talks
    from .talks.read import read_talk

__all__ = ["build_index", "merge_indexes", "read_talk", "records", "remove_talks"]

# From 1.29 on, onnxruntime sends who runs what to its makers on Linux and macOS. It looks at this once, when it is
# imported, and its own `disable_telemetry_events()` comes too late. Every other part of talksearch imports this package
# first, and worker processes inherit the environment.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# What other libraries would tell their makers: huggingface_hub, Chroma, Ray, and whatever heeds the common word for it
# (https://donottrack.sh). OpenTelemetry, which Chroma brings along, exports where another program's variable says so.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["ANONYMIZED_TELEMETRY"] = "False"
os.environ["OTEL_SDK_DISABLED"] = "true"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

# `import openvino` tells its makers that it was imported, by way of Google Analytics, and asks nobody. Without this
# package it takes a stub of its own (openvino/tools/ovc/telemetry_utils.py).
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

_MODULE_OF = {
    "build_index": "talksearch.indexer.pipeline.run",
    "merge_indexes": "talksearch.indexer.pipeline.merge",
    "remove_talks": "talksearch.indexer.pipeline.run",
    "read_talk": "talksearch.indexer.talks.read",
}


def __getattr__(name: str) -> object:
    """Load a name of the face when it is first asked for (PEP 562): importing the package stays light."""
    if name == "records":
        return import_module("talksearch.indexer.records")
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names of the face."""
    return __all__
