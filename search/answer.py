"""The answer to a query: its hits, as a value, for programs, terminals and notebooks."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from talksearch.indexer.records import Json
from talksearch.indexer.text.untrusted import safe

from .facets import Facets
from .hit import HIT_KEYS, Hit

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Like:
    """The moment that others like it were looked for."""

    talk_id: str
    title: str
    start_ms: int
    """When the passage begins that is said there."""
    end_ms: int
    text: str
    """The passage."""

    def to_dict(self) -> dict[str, Json]:
        """Return it as JSON, times in seconds."""
        return {
            "talk_id": self.talk_id,
            "title": self.title,
            "start_s": self.start_ms / 1000,
            "end_s": self.end_ms / 1000,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """The hits of one query."""

    hits: tuple[Hit, ...]
    terms: tuple[str, ...]
    """The terms that were looked for by words."""
    note: str = ""
    """What the user must know about how the answer came about; empty when there is nothing."""
    emptied: tuple[str, ...] = ()
    """The public names of the filters that left nothing of it (`emptied.Emptied`); the note says so too."""
    facets: Facets | None = None
    """How many of its talks each value of a filter has, where the query asks for them. Its talks are those of the
    hits, and those further behind of which a passage is at least a fair match. A filter that is set does not narrow its
    own facet, which so tells what else there is to choose from."""
    counted_talks: int | None = None
    """Among how many talks the facets were counted, where that is not all: of a store, those with the best candidates
    are fetched, and others that answer are in none of the numbers."""
    like: Like | None = None
    """What its hits are like, where they were looked for by a moment."""

    def to_dict(self) -> dict[str, Json]:
        """Return the hits and the note with the keys of the HTTP API, times in seconds; what else is known as well.

        Keys are only ever added.
        """
        known: dict[str, Json] = {"hits": [hit.to_dict() for hit in self.hits], "note": self.note}
        if self.emptied:
            known["emptied"] = list(self.emptied)
        if self.facets is not None:
            known["facets"] = self.facets.to_dict()
        if self.counted_talks is not None:
            known["counted_talks"] = self.counted_talks
        if self.like is not None:
            known["like"] = self.like.to_dict()
        return known

    def to_pandas(self) -> pandas.DataFrame:
        """Return the hits as a table, one row a hit, with the keys of `Hit.to_dict` for columns.

        Raises ModuleNotFoundError where pandas is not installed; talksearch does not need it otherwise.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("Answer.to_pandas needs pandas: pip install pandas", name="pandas") from error
        return pandas.DataFrame([hit.to_dict() for hit in self.hits], columns=None if self.hits else list(HIT_KEYS))

    def __repr__(self) -> str:
        count = f"{len(self.hits)} hit{'s' if len(self.hits) != 1 else ''}"
        return "\n".join([f"<{count}{f': {safe(self.note)}' if self.note else ''}>", *map(repr, self.hits)])

    def _repr_html_(self) -> str:
        """Return what a notebook shows; IPython asks for it by this name."""
        note = f"<p>{html.escape(safe(self.note))}</p>" if self.note else ""
        hits = "".join(hit._repr_html_() for hit in self.hits) or "<p>Nothing found.</p>"
        return f"<div>{note}{hits}</div>"
