"""A hit: a passage that answers, with the second to jump to, as a value and as JSON."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from talksearch.indexer.records import Field, Json, Timing
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import is_linkable, safe

GradeWord = Literal["strong", "fair", "weak"]
"""How good a hit is, in a word that means the same in every index and with every model (`results.grade`)."""

EditOp = Literal["same", "changed", "asked", "said", "swapped"]
"""What became of some words of a quote: said as they were asked for; other words in their place; asked for and not
said; said and not asked for; two words the other way round."""


HIT_KEYS = (
    "rank", "score", "talk_id", "title", "speaker", "channel", "date", "language", "source", "youtube_id", "start_s",
    "end_s", "jump_s", "url", "timing", "margin_s", "text", "matches", "passage_id", "note", "more_in_talk", "copies",
    "heat", "grade",
)  # fmt: skip
"""The keys of every hit (`Hit.to_dict`), for tables without any; quotes, explanations and query ids add theirs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of a quote: the words as they were asked for, and as they were said."""

    op: EditOp
    asked: str
    said: str


@dataclass(frozen=True, slots=True)
class QuoteMatch:
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
    quote: QuoteMatch | None = None
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

    def __repr__(self) -> str:
        grade = f", {self.grade}" if self.grade else ""
        return f"<Hit {self.rank}: {self.title!r} {when(self)}{grade}, {safe(self.url)}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: title, time as a link, who speaks, how good it is, the passage with its marks.

        IPython asks for it by this name. Titles, texts and addresses are untrusted: everything is escaped, and only an
        address of the web or of a file becomes a link.
        """
        time = html.escape(when(self))
        link = f'<a href="{html.escape(self.url)}" rel="noreferrer">{time}</a>' if is_linkable(self.url) else time
        facts = " · ".join(html.escape(safe(fact)) for fact in (byline(self), how_good(self)) if fact)
        note = f"<br>{html.escape(safe(noted(self)))}" if noted(self) else ""
        return (
            f"<div><b>{self.rank}. {html.escape(safe(self.title))}</b> {link}{f' · {facts}' if facts else ''}{note}"
            f"<blockquote>{_marked_html(self.text, self.matches)}</blockquote></div>"
        )


def _figure(value: float) -> float:
    """Return a score, or what it is made of, in the digits that mean something: three decimals, below 1 four.

    A model that is started for one query computes by other kernels than one that is kept, and their rounding shows in
    the sixth digit. Fewer digits than these would make neighbours in a ranking equal.

    >>> _figure(18.598965), _figure(18.598966), _figure(0.45678), _figure(-0.00004)
    (18.599, 18.599, 0.4568, 0.0)
    """
    return round(value, 3 if abs(value) >= 1 else 4) + 0.0  # no minus before a zero


def byline(hit: Hit) -> str:
    """Return who speaks and where it was given, as far as is known."""
    return " · ".join(part for part in (hit.speaker, hit.channel if hit.channel != hit.speaker else None) if part)


def how_good(hit: Hit) -> str:
    """Return how good a hit is, in two words; nothing where that is not known."""
    return f"{hit.grade} match" if hit.grade else ""


def when(hit: Hit) -> str:
    """Return the time at which a hit opens, with its margin where it was estimated."""
    if hit.timing == "exact":
        return show_clock(hit.jump_ms)
    return f"~{show_clock(hit.jump_ms)} (±{hit.margin_ms / 1000:.0f} s)"


def _marked_html(text: str, matches: Iterable[tuple[int, int]]) -> str:
    """Return a text as HTML with its matches marked; matches may overlap.

    >>> _marked_html("a <b> c", [(0, 3), (2, 5)])
    '<mark>a &lt;</mark><mark>b&gt;</mark> c'
    """
    parts: list[str] = []
    done = 0
    for start, end in sorted(matches):
        start = max(start, done)
        if start < end:
            parts += [html.escape(safe(text[done:start])), f"<mark>{html.escape(safe(text[start:end]))}</mark>"]
            done = end
    return "".join([*parts, html.escape(safe(text[done:]))])


def noted(hit: Hit) -> str:
    """Return what is written about the talk that made it a hit; empty for its title, which stands there anyway."""
    return f"[{hit.note[0]}: {hit.note[1]}]" if hit.note and hit.note[0] != "title" else ""
