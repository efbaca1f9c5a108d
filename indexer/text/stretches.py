"""A long text a stretch at a time: a list of all its words takes twelve times the memory of the text."""

from __future__ import annotations

from collections.abc import Iterator

_STRETCH = 50_000
"""Characters of a stretch at least: its words fit the processor's cache, and there are few enough to cost nothing."""


def stretches(text: str) -> Iterator[str]:
    """Yield a text in stretches that begin at a space, so that no word is cut; joined they are the text.

    >>> list(stretches("one two"))
    ['one two']
    """
    start = 0
    while start < len(text):
        end = text.find(" ", start + _STRETCH)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end
