"""What is asked: the text, how to look for it, and which talks may answer."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Field, Timing

Mode = Literal["hybrid", "semantic", "lexical", "quote"]
"""`quote`: what was said word for word, or nearly."""

_QUOTED = re.compile(
    r"(?<!\w)\"((?:[^\"]|(?<=\w)\"(?=\w))+)\"(?!\w)|“([^“”]+)”|„([^„“”]+)[“”]|”([^“”]+)”|«([^«»]+)»|»([^«»]+)«"
    "|「([^「」]+)」|『([^『』]+)』|＂([^＂]+)＂"
)
"""What stands between quotation marks of several languages; an apostrophe inside a word is none, nor is what Hebrew
writes in abbreviations."""

MOST_WORDS, MOST_QUOTES, MOST_QUOTED_WORDS, MOST_TALKS = 1_000, 10, 300, 1_000
"""Words of a query, quotations in it, words of one, and talks in a filter, at most.

Each word has postings that are read, each quotation is a search of its own, and to align one takes the square of its
length: more would keep a server busy for long.
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which talks and speakers may answer. Empty: all of them."""

    talks: tuple[str, ...] = ()
    """Talk ids, or anything that names a talk: a YouTube URL, the path of its transcript, the beginning of its id."""
    speaker: str | None = None
    """Part of the name of who gives the talk or speaks in the passage; case and accents do not matter."""
    channel: str | None = None
    """Part of the channel's name; case and accents do not matter."""
    language: str | None = None
    """A language tag, or a language's name in English or in itself; `en` takes in `en-GB`."""
    after: str | None = None
    """First day, `YYYY-MM-DD`. A talk of unknown date passes no date filter."""
    before: str | None = None
    """Last day."""
    timing: Timing | None = None
    """Whether the talk's times were read from its source, or estimated."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question to an index."""

    text: str
    k: int = 10
    mode: Mode = "hybrid"
    filters: Filters = field(default_factory=Filters)
    per_talk: int | None = None
    """At most so many hits of one talk."""
    context_ms: int = 0
    """How much of the talk to show around each passage."""
    id: str | None = None
    avoid: str = ""
    """A text to turn away from."""
    heat: bool = False
    """Say where along each talk the query lives."""
    timeline: bool = False
    """Say where along each talk to jump to, with the words there (`Hit.timeline`)."""
    facets: bool = False
    """Count the talks of the answer by channel, speaker, language, year and timing (`Answer.facets`)."""
    explain: bool = False
    """Say why each hit is one."""
    beside: str | None = None
    """The language, as in `Filters.language`, of what stands beside hits (`Hit.beside`). None: that of the query, where
    its words tell it."""
    reads: tuple[str, ...] = ()
    """Languages that who asks reads, the best first (BCP 47): for `beside`, where neither it nor the query tells."""
    leave_out: tuple[Field, ...] = ()
    """Notes that must not count: who measures with chapter titles for queries must not find them in the chapters."""


def split_quotes(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a query without its quotation marks, and what stood between them.

    >>> split_quotes('“time dilation” in "a ship"')
    ('time dilation in a ship', ('time dilation', 'a ship'))
    >>> split_quotes("what's a disk")
    ("what's a disk", ())
    """
    parts = tuple(group for groups in _QUOTED.findall(text) for group in groups if group.strip())
    if not parts:
        return text, ()
    return " ".join(_QUOTED.sub(lambda match: "".join(match.groups("")), text).split()), parts


def refuse_endless(text: str) -> None:
    """Raise QueryError where a query would keep an index busy for long: too many words, or too much in quotation marks.

    >>> refuse_endless("bees " * 2_000)
    Traceback (most recent call last):
    talksearch.indexer.errors.QueryError: The query has 2,000 words.
    """
    if (words := _count_words(text)) > MOST_WORDS:
        raise QueryError(f"The query has {words:,} words.", f"Give at most {MOST_WORDS:,}.")
    _, quotes = split_quotes(text)
    if len(quotes) > MOST_QUOTES:
        raise QueryError(f"The query has {len(quotes):,} quotations.", f"Give at most {MOST_QUOTES}.")
    refuse_long_quotes(quotes)


def refuse_long_quotes(quotes: Iterable[str]) -> None:
    """Raise QueryError where a quotation has more words than can be looked for in a row."""
    longest = max(map(_count_words, quotes), default=0)
    if longest > MOST_QUOTED_WORDS:
        raise QueryError(
            f"A quotation has {longest:,} words.", f"Give at most {MOST_QUOTED_WORDS}: its beginning finds it as well."
        )


def _count_words(text: str) -> int:
    """Count words; in scripts that write no spaces between them a character counts as one, as in an alignment."""
    return max(len(text.split()), sum(char > "\u0dff" for char in text)) if not text.isascii() else len(text.split())


def first_day(text: str) -> str:
    """Return the first day that a date, month or year names.

    >>> first_day("2024-02")
    '2024-02-01'
    """
    year, month, day = _date(text)
    return f"{year:04}-{month or 1:02}-{day or 1:02}"


def last_day(text: str) -> str:
    """Return the last day that a date, month or year names.

    >>> last_day("2024-02"), last_day("2023")
    ('2024-02-29', '2023-12-31')
    """
    year, month, day = _date(text)
    return f"{year:04}-{month or 12:02}-{day or calendar.monthrange(year, month or 12)[1]:02}"


def _date(text: str) -> tuple[int, int | None, int | None]:
    match = re.fullmatch(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?", text.strip())
    if match:
        year, month, day = (int(part) if part else None for part in match.groups())
        if (
            year
            and (month is None or 1 <= month <= 12)
            and (day is None or (month is not None and 1 <= day <= calendar.monthrange(year, month)[1]))
        ):
            return year, month, day
    raise QueryError(f"{text!r} is not a date.", "Write a day, a month or a year: 2024-05-24, 2024-05 or 2024.")
