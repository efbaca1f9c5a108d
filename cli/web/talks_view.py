"""What the list of all talks shows: its pages, its order, and the talks along the time in which they were given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.cli.render import common
from talksearch.indexer.errors import QueryError
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.untrusted import safe
from talksearch.search.overview import TalkFacts

from .addresses import PageAddress, changed, talk_path
from .parameters import last, whole_number
from .strip import HEIGHT, WIDTH

PAGE = 60
"""Talks on a page."""

ORDERS = {"date": "newest first", "title": "by title", "longest": "longest first"}
"""The orders of the list, the default first."""

_MOST_PAGES = 100_000
_MOST_MONTHS = 48
"""Months of the longest time that is drawn month by month; a longer one is drawn year by year."""

_FEWEST_COLUMNS = 24
"""A bar is as wide as where there are so many months or years at least, so that it stays a bar."""


@dataclass(frozen=True, slots=True)
class Line:
    """A talk in the list."""

    title: str
    link: str
    language: str
    """Its tag."""
    facts: tuple[str, ...]
    date: str
    length: str


@dataclass(frozen=True, slots=True)
class Span:
    """A month or a year in which talks were given."""

    x: float
    width: float
    y: float
    height: float
    link: str
    """The list of its talks alone."""
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Years:
    """The time in which the talks of a list were given."""

    spans: tuple[Span, ...]
    label: str
    first: str
    last: str
    undated: int
    """Talks of which no date is known."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list."""

    count: str
    lines: tuple[Line, ...]
    orders: tuple[tuple[str, str, bool], ...]
    """What each order is called, its address, and whether it is this one."""
    years: Years | None
    previous: str
    """The address of the page before; empty on the first."""
    next: str
    position: str
    """`61 to 120 of 556`, where there is more than one page."""


def listing(here: PageAddress, talks: Sequence[TalkFacts], all_dates: Sequence[str | None]) -> Listing:
    """Return the page of the list that is asked for. Raises QueryError where its number or its order is none.

    Args:
        here: the page.
        talks: the talks that pass its filters, by title.
        all_dates: the dates of the talks that pass the other filters, which the drawing shows.
    """
    order = last(here.given, "sort") or "date"
    if order not in ORDERS:
        raise QueryError(f"sort is {order!r}.", f"Give {', '.join(ORDERS)}.")
    number = whole_number(here.given, "page", 1, least=1, most=_MOST_PAGES)
    pages = max(1, -(-len(talks) // PAGE))
    number = min(number, pages)
    first = (number - 1) * PAGE
    shown = in_order(talks, order)[first : first + PAGE]
    return Listing(
        count=common.counted("talk", len(talks)),
        lines=tuple(map(line, shown)),
        orders=tuple(
            (label, changed(here, sort=None if name == "date" else name, page=None), name == order)
            for name, label in ORDERS.items()
        ),
        years=_years(here, all_dates),
        previous=changed(here, page=str(number - 1) if number > 2 else None) if number > 1 else "",
        next=changed(here, page=str(number + 1)) if number < pages else "",
        position=f"{first + 1:,} to {first + len(shown):,} of {len(talks):,}" if pages > 1 else "",
    )


def in_order(talks: Sequence[TalkFacts], order: str) -> list[TalkFacts]:
    """Return talks that are given by title in one of the orders; those without a date come last among the newest."""
    if order == "date":
        return sorted(talks, key=lambda talk: talk.date or "", reverse=True)
    return sorted(talks, key=lambda talk: -talk.length_ms) if order == "longest" else list(talks)


def line(talk: TalkFacts) -> Line:
    """Return what the list shows of a talk."""
    by = [talk.speaker, talk.channel if talk.channel != talk.speaker else None]
    language = language_name(talk.language) if talk.language and not talk.language.startswith("en") else ""
    estimated = "times estimated" if talk.timing == "estimated" else ""
    return Line(
        title=safe(talk.title),
        link=talk_path(talk.id),
        language=talk.language or "",
        facts=tuple(safe(fact) for fact in (*by, language, estimated) if fact),
        date=safe(talk.date or ""),
        length=show_clock(talk.length_ms) if talk.length_ms else "",
    )


def _years(here: PageAddress, dates: Sequence[str | None]) -> Years | None:
    """Return the time in which talks were given, None where hardly any date is known."""
    known = sorted(date for date in dates if date)
    if not known:
        return None
    first, final = ((int(date[:4]), int(date[5:7])) for date in (known[0], known[-1]))
    by_month = (final[0] - first[0]) * 12 + final[1] - first[1] < _MOST_MONTHS
    digits = 7 if by_month else 4
    counts = Counter(date[:digits] for date in known)

    def column(name: str) -> int:
        return (int(name[:4]) - first[0]) * 12 + int(name[5:7]) - first[1] if by_month else int(name) - first[0]

    room = WIDTH / (column(known[-1][:digits]) + 1)
    width = 0.84 * min(room, WIDTH / _FEWEST_COLUMNS)
    most = max(counts.values())
    chosen = last(here.given, "after") if here.given.get("after") == here.given.get("before") else ""
    spans = []
    for name, count in sorted(counts.items()):
        height = max(3.0, HEIGHT * (count / most) ** 0.5)  # by the square root: one talk beside a hundred can be seen
        label = f"{name}: {common.counted('talk', count)}"
        link = changed(here, after=None, before=None, page=None)
        if name != chosen:
            link = changed(here, after=name, before=name, page=None)
        spans.append(
            Span(
                x=round((column(name) + 0.5) * room - width / 2, 2),
                width=round(width, 2),
                y=round(HEIGHT - height, 2),
                height=round(height, 2),
                link=link,
                label=label,
                is_chosen=name == chosen,
            )
        )
    stretches = common.counted("month" if by_month else "year", len(spans))
    label = f"{common.counted('talk', len(known))} by date, in {stretches}"
    return Years(tuple(spans), label, known[0][:digits], known[-1][:digits], len(dates) - len(known))
