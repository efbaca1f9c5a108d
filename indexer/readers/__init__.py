"""Readers: bytes to text (`decode`), and text to a `Transcript`, one module a format.

`registry.FORMATS` is the list of all formats. What a file holds decides which one it has; its name only breaks ties.
`restore` and everything above may import this folder, which itself imports `text`, `mojibake`,
records and errors.
"""

from __future__ import annotations

from talksearch.indexer.records import Transcript

from . import registry
from .decode import decode
from .source_text import SourceText

__all__ = ["decode", "read", "sniff"]


def sniff(text: str, name: str) -> str:
    """Tell which format a decoded file has.

    Args:
        text: the file as `decode` returns it.
        name: its name; it decides between formats only where the content fits both.

    Raises:
        UnreadableError: it is no transcript, with what it is instead.
    """
    return registry.sniff(SourceText(text, name)).name


def read(text: str, name: str) -> Transcript:
    """Read a decoded file into what it says, nothing cleaned yet.

    Raises:
        UnreadableError: it is no transcript, or one without a cue that can be used.
    """
    source = SourceText(text, name)
    return registry.sniff(source).read(source)
