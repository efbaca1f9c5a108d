"""A hit: a passage that answers, with the second to jump to, as a value and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from talksearch.indexer.records import Field, Json, Timing

GradeWord = Literal["strong", "fair", "weak"]
"""How good a hit is, in a word that means the same in every index and with every model (`results.grade`)."""

EditOp = Literal["same", "changed", "asked", "said", "swapped"]
"""What became of some words of a quote: said as they were asked for; other words in their place; asked for and not
said; said and not asked for; two words the other way round."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of a quote: the words as they were asked for, and as they were said."""

    op: EditOp
    asked: str
    said: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Where a quote was said."""

    talk: int
    """The talk's number in the catalog."""
    first_cue: int
    last_cue: int
    """Both ends included."""
    start_ms: int
    """When the first word of the quote begins."""
    end_ms: int
    text: str
    """The words as they were said."""
    score: float
    """1 where it was said word for word; less with each difference."""
    difference: tuple[Difference, ...]
    """The whole quote in order."""
    passages: tuple[int, ...]
    """The numbers of the passages it lies in, first those that hold all of it."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A passage of another talk that says the same as a hit."""

    talk_id: str
    title: str
    jump_ms: int
    url: str
    timing: Timing
    margin_ms: int


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """One ranked answer. Times in milliseconds."""

    rank: int
    """From 1."""
    score: float
    passage_id: str
    talk_id: str
    title: str
    source: str
    youtube_id: str | None
    channel: str | None
    speaker: str | None
    """Who gives the talk, or else who is named as speaking in the passage."""
    date: str | None
    language: str | None
    start_ms: int
    end_ms: int
    jump_ms: int
    url: str
    timing: Timing
    margin_ms: int
    text: str
    matches: tuple[tuple[int, int], ...] = ()
    """The characters of `text`, as (start, end), that the query's words stand for."""
    query_id: str | None = None
    note: tuple[Field, str] | None = None
    """What is written about the talk that made it a hit: where it stands and its text. `text` is what is said there."""
    more_in_talk: int = 0
    """At a talk's last hit: how many more it would have in this list, did not the query limit them."""
    copies: tuple[Copy, ...] = ()
    """Where other talks say the same."""
    heat: tuple[float, ...] = ()
    """At a talk's first hit: where along its length the query lives, 0 to 1 for each fortieth."""
    quote: Quoted | None = None
    """What was said, where a quote was asked for."""
    grade: GradeWord | None = None
    """How good it is by what it was found by; None for a quote, in `similar`, and where the index is not calibrated."""
    explain: dict[str, Json] | None = None
    """Why it is a hit, when that was asked for."""

    def to_dict(self) -> dict[str, Json]:
        """Return it with the keys of the command contract, times in seconds. Keys are only ever added."""
        row: dict[str, Json] = {
            "rank": self.rank,
            "score": _figure(self.score),
            "talk_id": self.talk_id,
            "title": self.title,
            "speaker": self.speaker,
            "channel": self.channel,
            "date": self.date,
            "language": self.language,
            "source": self.source,
            "youtube_id": self.youtube_id,
            "start_s": self.start_ms / 1000,
            "end_s": self.end_ms / 1000,
            "jump_s": self.jump_ms / 1000,
            "url": self.url,
            "timing": self.timing,
            "margin_s": self.margin_ms / 1000,
            "text": self.text,
            "matches": [list(span) for span in self.matches],
            "passage_id": self.passage_id,
            "note": {"field": self.note[0], "text": self.note[1]} if self.note else None,
            "more_in_talk": self.more_in_talk,
            "copies": [
                {
                    "talk_id": copy.talk_id,
                    "title": copy.title,
                    "jump_s": copy.jump_ms / 1000,
                    "url": copy.url,
                    "timing": copy.timing,
                    "margin_s": copy.margin_ms / 1000,
                }
                for copy in self.copies
            ],
            "heat": list(self.heat),
            "grade": self.grade,
        }
        if self.quote is not None:
            row["quote"] = {
                "text": self.quote.text,
                "start_s": self.quote.start_ms / 1000,
                "end_s": self.quote.end_ms / 1000,
                "score": round(self.quote.score, 4),
                "difference": [{"op": one.op, "asked": one.asked, "said": one.said} for one in self.quote.difference],
            }
        if self.explain is not None:
            row["explain"] = {
                key: _figure(value) if isinstance(value, float) else value for key, value in self.explain.items()
            }
        if self.query_id is not None:
            row["query_id"] = self.query_id
        return row


def _figure(value: float) -> float:
    """Return a score, or what it is made of, in the digits that mean something: three decimals, below 1 four.

    A model that is started for one query computes by other kernels than one that is kept, and their rounding shows in
    the sixth digit. Fewer digits than these would make neighbours in a ranking equal.

    >>> _figure(18.598965), _figure(18.598966), _figure(0.45678), _figure(-0.00004)
    (18.599, 18.599, 0.4568, 0.0)
    """
    return round(value, 3 if abs(value) >= 1 else 4) + 0.0  # no minus before a zero
