"""What a page shows of a talk: who gave it, what plays it, its transcript at a moment, what was repaired.

All texts in here are without control characters; the template escapes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from talksearch.cli.render.common import mark, timing_sentence
from talksearch.cli.render.step_sentences import step_sentences, words_sentence
from talksearch.indexer.records import Talk
from talksearch.indexer.talks.repaired import repaired_names, repairs_in, repairs_of
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.untrusted import safe
from talksearch.search.hit import Hit
from talksearch.search.links import jump_to, link_at

from .addresses import PageAddress, address, at_moment, changed, like_moment, moment_of, seconds, web_link
from .embeds import Embed, embed_of
from .parameters import last
from .transcript import (
    Mark,
    Section,
    Words,
    exact_words,
    found_marks,
    hit_marks,
    line_of,
    sections_of,
    told,
    words_of,
)

OWN = ("t", "play", "find", "words")
"""The parameters that only a talk's page has: the second, whether to play at once where there are no scripts, what is
looked for in the talk, and the words that a link names."""

_NEAR_MS = 500
"""How near to the jump of a hit a moment is that means the hit."""
_MOST_REPAIRS = 200
"""How many repairs are listed; all of them are marked where they stand."""
_MOST_FOUND = 400
"""How many places of what was looked for are marked, around the one that is shown; all of them are counted."""
_HOLE = 987_654_321
"""A second that stands in an address for one that a script fills in."""


@dataclass(frozen=True, slots=True)
class RepairView:
    """A repair in a list of them."""

    where: str
    """A clock time, or what else was repaired."""
    opens: str
    """The second of its line; empty where it is in none."""
    text: str
    """As it stands there now."""
    told: str


@dataclass(frozen=True, slots=True)
class FindView:
    """What was looked for in a talk."""

    text: str
    count: str
    number: int
    """The position, among all places, of the one that is shown."""
    previous: str
    following: str


@dataclass(frozen=True, slots=True)
class TalkView:
    """A talk that is open at a moment."""

    id: str
    title: str
    language: str
    by: str
    """Who gives it, or where it was given."""
    date: str
    facts: tuple[str, ...]
    length: str
    timing: str
    """A sentence about how far the times can be relied on; empty where they are exact."""
    margin_s: str
    early_s: str
    """How many seconds early links open, since times are estimated; `0` where they are exact."""
    embed: Embed | None
    play_src: str
    """What the player loads to begin at the moment."""
    plays: bool
    """The frame stands in the page at once, because the address says so."""
    second: str
    clock: str
    words_there: str
    """What is said at the moment; empty where the address names none."""
    original: str
    """The recording where it was published, at the moment; empty where that is no link."""
    original_host: str
    original_pattern: str
    """The same address with `{}` for the second; empty where its site writes seconds otherwise."""
    play: str
    """The address of this page that plays without a script."""
    close: str
    like: str
    like_pattern: str
    """The address that finds moments like one, with `{}` for the second."""
    previous: str
    following: str
    note: str
    sections: tuple[Section, ...]
    find: FindView
    kept: tuple[tuple[str, str], ...]
    """Parameters that a form of the page sends along."""
    line: str
    """The address of a line of this page, which ends with the name of the parameter for its second."""
    chapters: tuple[Section, ...]
    repairs: tuple[RepairView, ...]
    """What was repaired, the first of many."""
    more_repairs: int
    has_marked_repairs: bool
    """Some of them are in the transcript."""
    words: str
    """What became of the words of the file."""
    steps: tuple[str, ...]
    uncertain: tuple[str, ...]
    description: str


def view_of(talk: Talk, here: PageAddress, hits: Sequence[Hit] = ()) -> TalkView:
    """Return what a page shows of a talk.

    Args:
        talk: with its cues.
        here: the page: its address has the moment, and what was asked.
        hits: the answer's hits, of this talk and others, in the order in which they are shown.
    """
    words = words_of(talk.cues)
    notes: list[str] = []
    early_ms = jump_early(talk)
    asked_ms = _asked(talk, here, notes)
    current = None if asked_ms is None else line_of(talk.cues, _within(asked_ms) + early_ms)
    marks, hit_lines = hit_marks(words, talk.cues, [hit for hit in hits if hit.talk_id == talk.id])
    found = found_marks(words, last(here.given, "find"))
    named = exact_words(words, current or 0, here.given.get("words", ()))
    if named is None and "words" in here.given:
        notes.append("The words that the link names are not said from there on; the transcript may have changed.")
    find, at = _find(talk, here, words, found, current if "t" in here.given else None)
    if at is not None:
        current = at
    marks += [*found[max(0, find.number - _MOST_FOUND // 2) :][:_MOST_FOUND], *filter(None, [named])]
    at_ms = asked_ms or 0
    if at is not None and "t" not in here.given:
        at_ms = max(0, talk.cues[at].start_ms - early_ms)
    before, behind = _neighbours(talk, here, hits, at_ms if asked_ms is not None else None)
    repairs = tuple(_repairs(talk))
    page = web_link(talk.url or "")
    pattern = link_at(page, _HOLE)
    embed = embed_of(talk)
    here_at = PageAddress(here.path, {name: texts for name, texts in here.given.items() if name not in OWN})
    sections = tuple(sections_of(talk, words, current=current, marks=marks, hit_lines=hit_lines))
    return TalkView(
        id=talk.id,
        title=safe(talk.title),
        language=talk.language or "",
        by=safe(talk.speaker or talk.channel or ""),
        date=talk.date or "",
        facts=tuple(safe(fact) for fact in _facts(talk)),
        length=show_clock(talk.length_ms),
        timing=timing_sentence(talk),
        margin_s=f"{talk.margin_ms / 1000:.0f}",
        early_s=seconds(early_ms),
        embed=embed,
        play_src=embed.at(at_ms / 1000) if embed else "",
        plays="play" in here.given,
        second=seconds(at_ms),
        clock=f"{mark(talk.timing)}{show_clock(at_ms)}",
        words_there=safe(talk.cues[current].text) if current is not None else "",
        original=link_at(page, at_ms / 1000),
        original_host=(urlsplit(page).hostname or "").removeprefix("www."),
        original_pattern=pattern.replace(str(_HOLE), "{}") if str(_HOLE) in pattern else "",
        play=changed(here, t=seconds(at_ms), play="1"),
        close=address("/", here_at.given),
        like=like_moment(here_at, talk.id, at_ms + early_ms),
        like_pattern=like_moment(here_at, talk.id, _HOLE * 1000).replace(str(_HOLE), "{}"),
        previous=before,
        following=behind,
        note=" ".join(notes),
        sections=sections,
        find=find,
        kept=tuple((name, safe(text)) for name, texts in here_at.given.items() for text in texts),
        line=f"{address('', here_at.given)}{'&' if here_at.given else '?'}t=",
        chapters=tuple(section for section in sections if section.title),
        repairs=repairs[:_MOST_REPAIRS],
        more_repairs=max(0, len(repairs) - _MOST_REPAIRS),
        has_marked_repairs=any(one.opens for one in repairs),
        words=words_sentence(talk.receipt),
        steps=tuple(step_sentences(talk)),
        uncertain=tuple(safe(sentence) for sentence in talk.receipt.uncertain),
        description="\n".join(safe(line) for line in talk.description.split("\n")),
    )


def jump_early(talk: Talk) -> int:
    """Return how many milliseconds before what is said a link to it opens."""
    late_ms = 3_600_000
    return late_ms - jump_to(late_ms, talk.timing, talk.margin_ms)


def _asked(talk: Talk, here: PageAddress, notes: list[str]) -> int | None:
    """Return the moment that the address names; a sentence is noted where there is no such moment."""
    text = last(here.given, "t")
    moment_ms = moment_of(text)
    if moment_ms is None:
        if text:
            notes.append(f"“{safe(text)[:40]}” is not a time; give seconds, or minutes as in 2:14.")
        return None
    end_ms = max([talk.duration_ms or 0, *(cue.end_ms for cue in talk.cues)])
    if moment_ms > end_ms:
        notes.append(f"The talk ends at {show_clock(end_ms)}; {show_clock(moment_ms)} lies behind that.")
        return None
    return moment_ms


def _within(moment_ms: int) -> int:
    """Return until when what an address means may begin: many name whole seconds, and cut off what is behind the point.

    >>> _within(121_000), _within(121_480)
    (121999, 121480)
    """
    return moment_ms if moment_ms % 1000 else moment_ms + 999


def _find(
    talk: Talk, here: PageAddress, words: Words, found: Sequence[Mark], current: int | None
) -> tuple[FindView, int | None]:
    """Return what was looked for in the talk, and the line of the place that is shown: the first from the moment on."""
    text = safe(last(here.given, "find"))
    if not text:
        return FindView("", "", 0, "", ""), None
    if not found:
        return FindView(text, "not found", 0, "", ""), None
    lines = [words.line_at(one.start) for one in found]
    number = next((n for n, line in enumerate(lines) if current is None or line >= current), len(lines) - 1)

    def link(line: int | None) -> str:
        if line is None:
            return ""
        return seconds(jump_to(talk.cues[line].start_ms, talk.timing, talk.margin_ms))

    before = [line for line in lines if line < lines[number]]
    behind = [line for line in lines if line > lines[number]]
    shown = FindView(
        text,
        f"{number + 1:,} of {len(found):,}",
        number,
        link(before[-1] if before else None),
        link(behind[0] if behind else None),
    )
    return shown, lines[number]


def _neighbours(talk: Talk, here: PageAddress, hits: Sequence[Hit], at_ms: int | None) -> tuple[str, str]:
    """Return the links to the hits before and behind the one that is open; between two hits, to those of the talk."""
    own = [n for n, hit in enumerate(hits) if hit.talk_id == talk.id]
    if not own:
        return "", ""
    asked = PageAddress(here.path, {name: texts for name, texts in here.given.items() if name not in OWN})

    def link(hit: Hit | None) -> str:
        return at_moment(asked, hit.talk_id, hit.jump_ms) if hit else ""

    at_ms = 0 if at_ms is None else at_ms
    open_now = next((n for n in own if abs(hits[n].jump_ms - at_ms) <= _NEAR_MS), None)
    if open_now is not None:
        following = hits[open_now + 1] if open_now + 1 < len(hits) else None
        return link(hits[open_now - 1] if open_now else None), link(following)
    by_time = sorted((hits[n] for n in own), key=lambda hit: hit.jump_ms)
    return (
        link(next((hit for hit in reversed(by_time) if hit.jump_ms < at_ms), None)),
        link(next((hit for hit in by_time if hit.jump_ms > at_ms), None)),
    )


def _facts(talk: Talk) -> list[str]:
    language = language_name(talk.language) if talk.language else ""
    channel = talk.channel if talk.channel != talk.speaker else None
    return [fact for fact in (talk.speaker, channel, talk.date, language) if fact]


def _repairs(talk: Talk) -> Iterator[RepairView]:
    """Yield what was repaired: in what is written about the talk, in the names of who speaks, in the lines."""
    for field in ("title", "speaker", "channel"):
        yield from (RepairView(field, "", safe(one.after), told(one)) for one in repairs_of(talk, field))
    for after, before in repaired_names(talk).items():
        yield RepairView("speaker", "", safe(after), f"It was “{safe(before)}”.")
    for position, repairs in repairs_in(talk).items():
        start_ms = talk.cues[position].start_ms
        opens, clock = seconds(jump_to(start_ms, talk.timing, talk.margin_ms)), show_clock(start_ms)
        for one in repairs:
            yield RepairView(f"{mark(talk.timing)}{clock}", opens, safe(one.after), told(one))
