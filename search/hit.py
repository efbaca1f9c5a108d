"""A hit: a passage that answers, with the second to jump to, as a value and as JSON."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from talksearch.indexer.records import Field, Json, Timing, TrackOrigin
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.untrusted import is_linkable, safe

GradeWord = Literal["strong", "fair", "weak"]
"""How good a hit is, in a word that means the same in every index and with every model (`results.grade`)."""

MarkKind = Literal["said", "near"]
"""What is marked in a hit: words of the query that are said, or, where none is, the stretch nearest in meaning."""

EditOp = Literal["same", "changed", "asked", "said", "swapped"]
"""What became of some words of a quote: said as they were asked for; other words in their place; asked for and not
said; said and not asked for; two words the other way round."""


HIT_KEYS = (
    "rank", "score", "talk_id", "title", "speaker", "channel", "date", "language", "source", "youtube_id", "start_s",
    "end_s", "jump_s", "url", "timing", "margin_s", "text", "matches", "passage_id", "note", "more_in_talk", "copies",
    "heat", "grade", "said_by", "marks", "more_places", "also_at", "beside",
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
    speaker: str | None = None
    """Who said it, as far as cues have names; several names with commas between."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Another place of a hit's talk that says the same."""

    jump_ms: int
    url: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A passage of another talk that says the same as a hit."""

    talk_id: str
    title: str
    jump_ms: int
    url: str
    timing: Timing
    margin_ms: int
    more_places: int = 0
    """In how many more places that talk says it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a further track of a talk says at the time of a hit, in the language of who asks."""

    language: str
    """A BCP 47 tag."""
    text: str
    start_ms: int
    """When the first of its cues begins; it may lie a little beside the hit's own."""
    end_ms: int
    origin: TrackOrigin
    """Who wrote it: a person, or a machine."""

    def to_dict(self) -> dict[str, Json]:
        """Return it as JSON, times in seconds."""
        return {
            "language": self.language,
            "text": self.text,
            "start_s": self.start_ms / 1000,
            "end_s": self.end_ms / 1000,
            "origin": self.origin,
        }


@dataclass(frozen=True, slots=True)
class TimelinePart:
    """A stretch of a talk that has to do with a query, and where to jump to in it."""

    start_ms: int
    end_ms: int
    """Both ends lie on fortieths of the talk, as `Hit.heat` divides it."""
    level: float
    """How much it has to do with the query, the most of its fortieths in `Hit.heat`: above 0, up to 1."""
    jump_ms: int
    """Where its best passage says it; its start where it says none of the query's words."""
    text: str
    """The words there, up to ninety characters."""


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
    """The characters of `text` that are marked, as (start, end): rising, and apart from each other."""
    mark_kind: MarkKind = "said"
    """What they are."""
    query_id: str | None = None
    note: tuple[Field, str] | None = None
    """What is written about the talk that made it a hit: where it stands and its text. `text` is what is said there."""
    more_in_talk: int = 0
    """At a talk's last hit: how many more it would have in this list, did not the query limit them."""
    copies: tuple[Copy, ...] = ()
    """Where other talks say the same."""
    said_by: str | None = None
    """Who speaks at the second that it opens at, where the cue there has a name."""
    also_at: tuple[Place, ...] = ()
    """Other places of the talk that say the same, in the order of time."""
    heat: tuple[float, ...] = ()
    """At a talk's first hit: where along its length the query lives, 0 to 1 for each fortieth."""
    timeline: tuple[TimelinePart, ...] = ()
    """The same as places to jump to, in the order of time, where the query asks for it; what is not above chance is
    left out."""
    quote: QuoteMatch | None = None
    """What was said, where a quote was asked for."""
    grade: GradeWord | None = None
    """How good it is by what it was found by; None for a quote, in `similar`, and where the index is not calibrated."""
    explain: dict[str, Json] | None = None
    """Why it is a hit, when that was asked for."""
    beside: Beside | None = None
    """What is said in the language of who asks, where the talk is in another and has a track in that one."""

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
                    "more_places": copy.more_places,
                }
                for copy in self.copies
            ],
            "heat": list(self.heat),
            "grade": self.grade,
            "said_by": self.said_by,
            "marks": [{"start": start, "end": end, "kind": self.mark_kind} for start, end in self.matches],
            "more_places": len(self.also_at),
            "also_at": [{"jump_s": place.jump_ms / 1000, "url": place.url} for place in self.also_at],
            "beside": self.beside.to_dict() if self.beside else None,
        }
        if self.timeline:
            row["timeline"] = [
                {
                    "start_s": part.start_ms / 1000,
                    "end_s": part.end_ms / 1000,
                    "level": part.level,
                    "jump_s": part.jump_ms / 1000,
                    "text": part.text,
                }
                for part in self.timeline
            ]
        if self.quote is not None:
            row["quote"] = {
                "text": self.quote.text,
                "start_s": self.quote.start_ms / 1000,
                "end_s": self.quote.end_ms / 1000,
                "score": round(self.quote.score, 4),
                "speaker": self.quote.speaker,
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
        said_by = f" — {html.escape(safe(voice(self)))}" if voice(self) else ""
        more = f"<br>{more_places(len(self.also_at))}" if self.also_at else ""
        note = f"<br>{html.escape(safe(noted(self)))}" if noted(self) else ""
        beside = _beside_html(self.beside) if self.beside else ""
        marked = _marked_html(self.text, self.matches, self.mark_kind)
        return (
            f"<div><b>{self.rank}. {html.escape(safe(self.title))}</b> {link}{f' · {facts}' if facts else ''}{note}"
            f"<blockquote>{marked}{said_by}{more}</blockquote>{beside}</div>"
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


def voice(hit: Hit) -> str:
    """Return who says what was found, where several people speak and the byline does not tell; else an empty text."""
    speaker = hit.quote.speaker if hit.quote else hit.said_by
    return speaker if speaker and speaker != hit.speaker else ""


def more_places(count: int) -> str:
    """Return that something is said in so many more places.

    >>> more_places(1), more_places(2)
    ('and 1 more place', 'and 2 more places')
    """
    return f"and {count} more place{'s' if count != 1 else ''}"


def pieces(text: str, matches: Iterable[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """Yield a text in pieces, each with whether it is marked; none is empty, and together they are the text.

    >>> list(pieces("a <b> c", [(0, 3), (5, 9)]))
    [('a <', True), ('b>', False), (' c', True)]
    """
    position = 0
    for start, end in matches:
        start, end = max(start, position), min(end, len(text))
        if start < end:
            if position < start:
                yield text[position:start], False
            yield text[start:end], True
            position = end
    if position < len(text):
        yield text[position:], False


def _marked_html(text: str, matches: Iterable[tuple[int, int]], kind: MarkKind) -> str:
    """Return a text as HTML with its matches marked: what was said as such, what is only near as an emphasis.

    >>> _marked_html("a <b> c", [(0, 3), (3, 5)], "said"), _marked_html("a b", [(2, 3)], "near")
    ('<mark>a &lt;</mark><mark>b&gt;</mark> c', 'a <em class="near">b</em>')
    """
    opening, closing = ("<mark>", "</mark>") if kind == "said" else ('<em class="near">', "</em>")
    escaped = ((html.escape(safe(piece)), is_marked) for piece, is_marked in pieces(text, matches))
    return "".join(f"{opening}{piece}{closing}" if is_marked else piece for piece, is_marked in escaped)


def _beside_html(beside: Beside) -> str:
    text, language = html.escape(safe(beside.text)), html.escape(beside.language)
    return f'<blockquote lang="{language}" dir="auto">{html.escape(beside_label(beside))}: {text}</blockquote>'


def beside_label(beside: Beside) -> str:
    """Return what stands beside a hit, and that a machine wrote it where that is known.

    >>> beside_label(Beside("de", "", 0, 0, "translated")), beside_label(Beside("fr-CA", "", 0, 0, "human"))
    ('German, translated by a machine', 'French (Canada)')
    """
    by = {"translated": ", translated by a machine", "automatic": ", written by a machine"}
    return f"{language_name(beside.language)}{by.get(beside.origin, '')}"


def noted(hit: Hit) -> str:
    """Return what is written about the talk that made it a hit; empty for its title, which stands there anyway."""
    return f"[{hit.note[0]}: {hit.note[1]}]" if hit.note and hit.note[0] != "title" else ""
