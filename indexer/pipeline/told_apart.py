"""Ids that tell talks apart which have the same one: by where their transcripts lie."""

from __future__ import annotations

from collections.abc import Iterator

from talksearch.indexer.stores.catalog_writer import text_digest

_MARK_LENGTHS = (4, 8, 32)
"""Digits that tell a talk from another with its id; more where fewer do not."""


def ids_told_apart(talk_id: str, path: str) -> Iterator[str]:
    """Yield the ids that a talk may have instead of its own, the shortest first, given the path of its transcript."""
    for length in _MARK_LENGTHS:
        yield f"{talk_id}-{text_digest(path).hex()[:length]}"
