"""A talk's transcript as a page shows it: chapters, paragraphs, lines, and in each line what is marked and repaired.

Every line is one link that plays it. The lines of a talk are one text, with what the language writes between them, so
that a phrase is found across the end of a line; all places count characters of that text. Texts in here are without
control characters; the template escapes them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

from talksearch.cli.render.talks import by_chapter, paragraphs
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.talks.repaired import Repaired, repaired_names, repairs_in
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.lines import between_lines
from talksearch.indexer.text.untrusted import safe
from talksearch.search.hit import Hit
from talksearch.search.links import jump_to

from .addresses import seconds

Kind = Literal["said", "near", "words", "found"]
"""Why words are marked: a hit's query is said there, or nearly; a link names them; they were looked for in the talk."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked stretch of the whole text."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line that is marked, repaired, both, or neither."""

    text: str
    kind: Kind | None
    repaired: str
    """What the repair was, in a sentence; empty where there was none."""


@dataclass(frozen=True, slots=True)
class Line:
    """A cue as a link."""

    second: str
    """When it begins."""
    opens: str
    """The second that its link opens: a little earlier where times are estimated."""
    text: str
    pieces: tuple[Piece, ...]
    """The text in pieces; empty where nothing of it is marked or repaired."""
    behind: str
    """What the language writes between this line and the next: a blank, or nothing."""
    is_current: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that are read in one go, all by one speaker."""

    clock: str
    by: str
    """Who speaks; empty where nobody is named."""
    speaker: str
    """The name, where another one speaks than in the paragraph before."""
    speaker_before: str
    """The name as it was written before it was repaired; empty where it was not."""
    is_hit: bool
    """A hit stands in it."""
    is_turn: bool
    """Another person begins here, also where nobody is named."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter, or what stands before the first."""

    title: str
    opens: str
    clock: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a talk as one text."""

    text: str
    starts: tuple[int, ...]
    """Where in it each line begins."""
    behind: tuple[str, ...]
    """What stands behind each line."""

    def line_at(self, place: int) -> int:
        """Return the position of the line in which a character stands."""
        return bisect_right(self.starts, place) - 1


def words_of(cues: Sequence[Cue]) -> Words:
    """Return the words of some cues as one text."""
    texts = [cue.text for cue in cues]
    behind = [*(between_lines(*pair) for pair in pairwise(texts)), ""][: len(texts)]
    pieces = [text + between for text, between in zip(texts, behind, strict=True)]
    return Words("".join(pieces), tuple(accumulate(map(len, pieces), initial=0))[: len(texts)], tuple(behind))


def line_of(cues: Sequence[Cue], moment_ms: int) -> int:
    """Return the position of the line that is said at a moment: the last that has begun, or the first."""
    return max(0, bisect_right(cues, moment_ms, key=lambda cue: cue.start_ms) - 1)


def hit_marks(words: Words, cues: Sequence[Cue], hits: Iterable[Hit]) -> tuple[list[Mark], set[int]]:
    """Return what the hits of a talk mark in its text, and the positions of the lines that they stand in."""
    marks: list[Mark] = []
    lines: set[int] = set()
    for hit in hits:
        first = line_of(cues, hit.start_ms)
        # A passage may begin inside its first line, and two lines may begin at one time.
        place = words.text.find(hit.text, words.starts[max(0, first - 1)])
        if place < 0:
            lines.update(range(first, line_of(cues, max(hit.start_ms, hit.end_ms - 1)) + 1))
            continue
        lines.update(range(words.line_at(place), words.line_at(place + max(0, len(hit.text) - 1)) + 1))
        marks += [Mark(place + start, place + end, hit.mark_kind) for start, end in hit.matches]
    return marks, lines


def exact_words(words: Words, first: int, texts: Sequence[str]) -> Mark | None:
    """Return the words that a link names, as they stand from a line on; None where they are not said there.

    Of a long stretch the link names how it begins and how it ends, in two texts.
    """
    # The link was made of the page, where more may stand between two paragraphs than their language has there.
    patterns = [_pattern(text, r"\s*") for text in texts[:2] if text.strip()]
    if not patterns:
        return None
    begin = patterns[0].search(words.text, words.starts[first])
    if begin is None:
        return None
    end = begin if len(patterns) == 1 else patterns[1].search(words.text, begin.end())
    return Mark(begin.start(), end.end(), "words") if end else None


def found_marks(words: Words, text: str) -> list[Mark]:
    """Return where a text stands in a talk, however it is cut into lines, in capitals or not."""
    if not text.strip():
        return []
    return [Mark(*match.span(), "found") for match in _pattern(text, r"\s+", re.IGNORECASE).finditer(words.text)]


def _pattern(text: str, between: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(between.join(re.escape(word) for word in text.split()), flags)


def sections_of(
    talk: Talk, words: Words, *, current: int | None, marks: Iterable[Mark] = (), hit_lines: Iterable[int] = ()
) -> list[Section]:
    """Return a talk's transcript by chapters.

    Args:
        talk: with its cues.
        words: of its cues.
        current: the position of the line that is played; None for none.
        marks: what is marked; where marks meet, the later ones win.
        hit_lines: the positions of the lines in which hits stand.
    """
    pieces = _pieces(talk, words, marks)
    hits, is_exact = frozenset(hit_lines), talk.timing == "exact"
    lines = [
        Line(
            second=(second := seconds(cue.start_ms)),
            opens=second if is_exact else seconds(jump_to(cue.start_ms, talk.timing, talk.margin_ms)),
            text=safe(cue.text),
            pieces=pieces.get(position, ()),
            behind=words.behind[position],
            is_current=position == current,
        )
        for position, cue in enumerate(talk.cues)
    ]
    sections = []
    for chapter, positions in by_chapter(talk):
        shown = tuple(_paragraphs(talk, lines, positions, hits))
        if chapter is None:
            sections.append(Section("", "", "", shown))
            continue
        opens = seconds(jump_to(chapter.start_ms, talk.timing, talk.margin_ms))
        sections.append(Section(safe(chapter.title), opens, show_clock(chapter.start_ms), shown))
    return sections


def _paragraphs(talk: Talk, lines: Sequence[Line], positions: range, hits: frozenset[int]) -> Iterator[Paragraph]:
    """Yield the paragraphs of some lines."""
    written_before = repaired_names(talk)
    first = positions.start
    for cues in paragraphs(talk.cues[positions.start : positions.stop]):
        name = cues[0].speaker or ""
        is_other = not first or name != (talk.cues[first - 1].speaker or "")
        yield Paragraph(
            clock=show_clock(cues[0].start_ms),
            by=safe(name),
            speaker=safe(name) if is_other else "",
            speaker_before=safe(written_before.get(name, "")) if is_other else "",
            is_hit=not hits.isdisjoint(range(first, first + len(cues))),
            is_turn=cues[0].turn and not name,
            lines=tuple(lines[first : first + len(cues)]),
        )
        first += len(cues)


def _pieces(talk: Talk, words: Words, marks: Iterable[Mark]) -> dict[int, tuple[Piece, ...]]:
    """Return the lines in which something is marked or repaired, cut into pieces, by their positions."""
    repairs = repairs_in(talk)
    marked: dict[int, list[Mark]] = {position: [] for position in repairs}
    for mark in marks:
        for position in range(words.line_at(mark.start), words.line_at(mark.end - 1) + 1):
            begin = words.starts[position]
            marked.setdefault(position, []).append(Mark(mark.start - begin, mark.end - begin, mark.kind))
    return {
        position: tuple(_cut(talk.cues[position].text, spans, repairs.get(position, ())))
        for position, spans in marked.items()
    }


def _cut(text: str, marks: Sequence[Mark], repairs: Sequence[Repaired]) -> Iterator[Piece]:
    """Cut a line wherever a mark or a repair begins or ends.

    >>> [piece.text for piece in _cut("the old ship", [Mark(4, 12, "said"), Mark(8, 12, "found")], ())]
    ['the ', 'old ', 'ship']
    """
    spans: list[Mark | Repaired] = [*marks, *repairs]
    borders = sorted({0, len(text), *(min(max(0, edge), len(text)) for one in spans for edge in (one.start, one.end))})
    for start, end in pairwise(borders):
        kinds = [mark.kind for mark in marks if mark.start <= start < mark.end]
        repaired = [told(one) for one in repairs if one.start <= start < one.end]
        yield Piece(safe(text[start:end]), kinds[-1] if kinds else None, repaired[0] if repaired else "")


def told(repaired: Repaired) -> str:
    """Say in a sentence what a repair was and how certain it is.

    >>> told(Repaired(0, 1, "Ã©", "é", True)), told(Repaired(0, 1, "é˜", "鐘", False, ("領", "鞘")))
    ('It was “Ã©”; certain.', 'It was “é˜”; not certain, it may be “領” or “鞘”.')
    """
    before = safe(repaired.before)
    others = " or ".join(f"“{safe(one)}”" for one in repaired.alternatives)
    if repaired.before == repaired.after:
        return f"“{before}” is damaged and was left as it was{f'; it may be {others}' if others else ''}."
    if repaired.certain:
        return f"It was “{before}”; certain."
    return f"It was “{before}”; not certain{f', it may be {others}' if others else ''}."
