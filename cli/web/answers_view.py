"""What a page shows of an answer: its hits by talk, in the order of their ranks.

All texts in here are without control characters; the template escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from talksearch.cli.render import common, hits
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe
from talksearch.search.answer import Answer, Like
from talksearch.search.hit import Beside, Hit, beside_label, byline, more_places, noted, pieces, voice
from talksearch.search.query import split_quotes

from .addresses import PageAddress, address, at_moment, changed, is_open, like_moment, seconds, talk_path, web_link
from .parameters import last
from .strip import Strip, strip_of

_PLACES = 40
"""How many places that say the same a hit has links to."""

_ENDED = re.compile(r"[.!?…。！？。؟۔।॥]\W*$")
"""The end of a sentence, in the scripts that mark it."""

_LIKE_WORDS = 40
"""Words of a moment that are quoted where passages like it are shown."""


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A moment that a page links to."""

    when: str
    link: str
    title: str = ""
    """The talk's title where it is another one."""
    more: str = ""
    """In how many more places that talk says it."""


@dataclass(frozen=True, slots=True)
class BesideView:
    """What a track says in the language of who asks."""

    label: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class HitView:
    """One hit."""

    rank: int
    when: str
    """On a clock, `~` before an estimated time."""
    margin: str
    """`±18 s` where the time was estimated."""
    link: str
    """Opens the talk here, at the second."""
    is_open: bool
    """The page has the talk open there."""
    original: str
    """Opens the recording where it was published; empty where there is none that may be a link."""
    grade: str
    language: str
    parts: tuple[tuple[str, bool], ...]
    """The passage in pieces, each with whether it is marked."""
    is_said: bool
    """What is marked are words of the query, not the stretch that is nearest in meaning."""
    voice: str
    beside: BesideView | None
    note: str
    differs: str
    places: tuple[PlaceView, ...]
    more_places: str
    copies: tuple[PlaceView, ...]
    like: str
    why: str


@dataclass(frozen=True, slots=True)
class TalkView:
    """The hits of one talk."""

    title: str
    language: str
    link: str
    """Opens the talk at its best hit."""
    facts: tuple[str, ...]
    """Who speaks, where and when it was given."""
    length: str
    """On a clock; empty where it is not known."""
    is_estimated: bool
    strip: Strip | None
    hits: tuple[HitView, ...]
    more: int
    more_link: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a question that nothing answers."""

    text: str
    link: str
    """Looks for the same by meaning."""


@dataclass(frozen=True, slots=True)
class LikeView:
    """The moment that others like it were looked for."""

    title: str
    when: str
    text: str
    link: str


def by_talk(here: PageAddress, answer: Answer, lengths_ms: Mapping[str, int]) -> list[TalkView]:
    """Return the talks of an answer, each where its best hit stands, with its hits in the order of their ranks."""
    groups: dict[str, list[Hit]] = {}
    for hit in answer.hits:
        groups.setdefault(hit.talk_id, []).append(hit)
    return [_talk_view(here, group, lengths_ms.get(talk_id, 0)) for talk_id, group in groups.items()]


def count_of(answer: Answer) -> str:
    """Return how many hits in how many talks there are, for a heading.

    >>> count_of(Answer((), ()))
    'Nothing found'
    """
    if not answer.hits:
        return "Nothing found"
    talks = len({hit.talk_id for hit in answer.hits})
    return f"{common.counted('hit', len(answer.hits))} in {common.counted('talk', talks)}"


def like_view(like: Like) -> LikeView:
    """Return the moment that hits are like."""
    words = safe(like.text).split()
    text = " ".join(words[:_LIKE_WORDS]) + (" …" if len(words) > _LIKE_WORDS else "")
    link = address(talk_path(like.talk_id), {"t": [seconds(like.start_ms)]})
    return LikeView(safe(like.title), show_clock(like.start_ms), text, link)


def _talk_view(here: PageAddress, group: Sequence[Hit], length_ms: int) -> TalkView:
    first, last = group[0], group[-1]
    return TalkView(
        title=safe(first.title),
        language=first.language or "",
        link=at_moment(here, first.talk_id, first.jump_ms),
        facts=tuple(safe(fact) for fact in (byline(first), first.date) if fact),
        length=show_clock(length_ms) if length_ms else "",
        is_estimated=first.timing == "estimated",
        strip=strip_of(here, group, length_ms),
        hits=tuple(_hit_view(here, hit) for hit in group),
        more=last.more_in_talk,
        more_link=changed(here, talk=first.talk_id, per_talk=None),
    )


def advice(here: PageAddress) -> Advice | None:
    """Return what to do about a question that nothing answers; None where nothing is known that would help.

    >>> advice(PageAddress("/", {"q": ["“to be”"]})).link
    '/?q=to+be'
    """
    text, mode = last(here.given, "q"), last(here.given, "mode")
    bare, quotes = split_quotes(text)
    if quotes or mode == "quote":
        return Advice("Nobody says this, word for word or nearly.", changed(here, q=bare, mode=None))
    if mode == "lexical":
        return Advice("No passage has these words.", changed(here, mode=None))
    return None


def _going_on(parts: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a passage, with an ellipsis where it begins or ends in the middle of a sentence.

    >>> list(_going_on([("and then it ", False), ("stops", True)]))
    [('… ', False), ('and then it ', False), ('stops', True), (' …', False)]
    >>> list(_going_on([("It stops.", False)]))
    [('It stops.', False)]
    """
    text = ""
    for piece, is_marked in parts:
        if not text and piece[:1].islower():
            yield "… ", False
        text = piece.strip() or text
        yield piece, is_marked
    if text and not _ENDED.search(text):
        yield " …", False


def _beside_view(beside: Beside) -> BesideView:
    text = "".join(text for text, _ in _going_on([(safe(beside.text), False)]))
    return BesideView(beside_label(beside), beside.language, text)


def _hit_view(here: PageAddress, hit: Hit) -> HitView:
    mark = common.mark(hit.timing)
    return HitView(
        rank=hit.rank,
        when=f"{mark}{show_clock(hit.jump_ms)}",
        margin=f"±{hit.margin_ms / 1000:.0f} s" if hit.timing == "estimated" else "",
        link=at_moment(here, hit.talk_id, hit.jump_ms),
        is_open=is_open(here, hit.talk_id, hit.jump_ms),
        original=web_link(hit.url),
        grade=hit.grade or "",
        language=hit.language or "",
        parts=tuple(_going_on((safe(text), is_marked) for text, is_marked in pieces(hit.text, hit.matches))),
        is_said=hit.mark_kind == "said",
        voice=safe(voice(hit)),
        beside=_beside_view(hit.beside) if hit.beside else None,
        note=safe(noted(hit)).strip("[]"),
        differs=safe(hits.difference(hit.quote)).strip("[]") if hit.quote is not None and hit.quote.score < 1 else "",
        places=tuple(
            PlaceView(f"{mark}{show_clock(place.jump_ms)}", at_moment(here, hit.talk_id, place.jump_ms))
            for place in hit.also_at[:_PLACES]
        ),
        more_places=more_places(len(hit.also_at)) if hit.also_at else "",
        copies=tuple(
            PlaceView(
                when=f"{common.mark(copy.timing)}{show_clock(copy.jump_ms)}",
                link=at_moment(here, copy.talk_id, copy.jump_ms),
                title=safe(copy.title),
                more=more_places(copy.more_places) if copy.more_places else "",
            )
            for copy in hit.copies
        ),
        like=like_moment(here, hit.talk_id, (hit.start_ms + hit.end_ms) // 2),
        why=safe(hits.why(hit.explain)).strip("[]") if hit.explain is not None else "",
    )
