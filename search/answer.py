"""The answer to a query: its hits, as a value, for programs, terminals and notebooks."""

from __future__ import annotations

from dataclasses import dataclass

from talksearch.search.hit import Hit


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of one query."""

    hits: tuple[Hit, ...]
    terms: tuple[str, ...]
    """The terms that were looked for by words."""
    note: str = ""
    """What the user must know about how the answer came about; empty when there is nothing."""
