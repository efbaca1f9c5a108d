"""Transcripts as web pages: the `text/html` of podcasts, and pages whose paragraphs or words carry times.

- Podcasts (github.com/Podcastindex-org/podcast-namespace, docs/examples/transcripts): `<cite>Kevin:</cite>`
  `<time>0:09</time> <p>what he says</p>`, with times for some of the turns or for none.
- Attributes that players seek by: `data-m` in milliseconds as Hyperaudio has it, `data-start` and the like in seconds.
- Links to a moment, `<a href="#t=90">` or `?t=1m30s`, and `<time datetime="PT1M30S">`.
- A time on the clock in an element of its own: `<span class="timestamp">1:30</span>`.

Only the element that holds nearly all of them is read. So menus, players and what else stands on a page stay out, and
so does every script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from itertools import pairwise

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Cue, Transcript, Word
from talksearch.indexer.text.counting import bag_of, count_words

from .cue_times import RawCue, mend
from .file_words import FileWords
from .finish import finish
from .html_marks import CLOCK_ALONE, is_mark, name_of, time_of
from .html_tree import BLOCKS, HEADINGS, Element, elements, is_unsaid, text_in, texts, tree_of
from .source_text import SourceText

ENDINGS = ("html", "htm", "xhtml")
_FIRST = re.compile(
    r"\s*(?:<\?xml[^<>]*>\s*|<!--(?:(?!-->).)*-->\s*)*<(?:!doctype html|html|head|body|cite)[\s>]", re.I | re.S
)
_FEWEST_TIMES = 2
_LEAST_FORWARDS = 0.8
"""Of the times of a page; those of comments and of programmes run any way."""
_SLOWEST_SPEECH = 0.5
"""Words a second. People speak two or three; a list of chapters has one in ten seconds."""
_MOST_SAID = 9
"""Words a second: more are not said, so the times are of something else."""
_SHARE_OF_MARKS = 0.9
"""Of the times and names of a page that stand in its transcript, at least: a player shows a time or two as well."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What was found on a page."""

    title: str | None
    language: str | None
    region: Element
    """The smallest element that holds the whole transcript."""
    turns: tuple[_Turn, ...]
    unsaid: str
    """All text outside the region, and that of scripts."""


@dataclass(slots=True)
class _Turn:
    """What stands between two times, or from one name to the next."""

    start_ms: int | None
    speaker: str | None
    line: int
    text: list[str] = field(default_factory=list)
    mark: Element | None = None
    """What names its time, or who speaks."""
    words: list[Word] | None = None
    """Where every word has a time."""

    @property
    def said(self) -> str:
        rows = (" ".join(row.split()) for row in "".join(self.text).split("\n"))
        return "\n".join(row for row in rows if row)


def matches(source: SourceText) -> bool:
    """Say whether a file is a page that holds a transcript."""
    if source.ending not in ENDINGS and not _FIRST.match(source.text[:2000]):
        return False
    return source.stripped[:1] == "<" and source.once(_page) is not None


def is_page(source: SourceText) -> bool:
    """Say whether a file is a web page, whatever it holds."""
    return source.ending in ENDINGS or _FIRST.match(source.text[:2000]) is not None


def read(source: SourceText) -> Transcript:
    """Read a page that `matches`.

    Turns without a time, between such that have one, get theirs in proportion to their words. Where no turn has one,
    the transcript has no times.

    Raises UnreadableError where the page holds no transcript.
    """
    page = source.once(_page)
    if page is None:
        raise UnreadableError("This web page holds no transcript.", "Export the captions as VTT or SRT.")
    known = Transcript(format="html", cues=(), title=page.title, language=page.language)
    if all(turn.start_ms is None for turn in page.turns):
        cues = tuple(Cue(0, 0, turn.said, turn.speaker) for turn in page.turns)
        return replace(known, cues=cues, timed=False)
    starts = _starts(page.turns)
    raw = [
        RawCue(start, None, turn.said, turn.line, turn.speaker, _words(turn))
        for start, turn in zip(starts, page.turns, strict=True)
    ]
    between = sum(turn.start_ms is None for turn in page.turns)
    note = f"{between} of {len(raw)} turns have no time; theirs were put between those of their neighbours."
    return finish(mend(raw, "web page"), known, [note] if between else [])


def _words(turn: _Turn) -> tuple[Word, ...]:
    words = tuple(turn.words or ())
    return words if len(words) > 1 and " ".join(word.text for word in words) == turn.said else ()


def has_times(source: SourceText) -> bool:
    """Say whether any turn of a page has a time."""
    page = source.once(_page)
    return page is not None and any(turn.start_ms is not None for turn in page.turns)


def words_in_page(source: SourceText) -> FileWords:
    """Count the words of a page: those of the transcript, and as metadata those around it."""
    page = source.once(_page)
    if page is None:
        return FileWords(0, Counter())
    text = "".join(texts(page.region, _is_left_out))
    metadata = bag_of(page.unsaid)
    words = bag_of(text)
    words.update(metadata)
    return FileWords(words.total(), words, metadata, text)


def _page(source: SourceText) -> _Page | None:
    root = tree_of(source.text)
    region = _region(root)
    if region is None:
        return None
    turns = [turn for turn in _turns(region) if turn.said]
    times = [turn.start_ms for turn in turns if turn.start_ms is not None]
    if not (
        _are_times_of_speech(turns, times) if times else sum(bool(turn.speaker) for turn in turns) >= _FEWEST_TIMES
    ):
        return None
    heads = [element for element in elements(root) if element.name in ("title", "h1", "html")]
    title = next(
        (text for name in ("h1", "title") for one in heads if one.name == name and (text := text_in(one))), None
    )
    language = next((one.attributes.get("lang") for one in heads if one.name == "html"), None)
    unsaid = "\n".join(_outside(root, region))
    return _Page(title, language or None, region, tuple(turns), unsaid)


def _are_times_of_speech(turns: list[_Turn], times: list[int]) -> bool:
    """Say whether times run forwards, and as fast as people speak between the first of them and the last."""
    if len(times) < _FEWEST_TIMES:
        return len(turns) >= _FEWEST_TIMES and sum(bool(turn.speaker) for turn in turns) * 2 >= len(turns)
    forwards = sum(before <= after for before, after in pairwise(times))
    words = sum(count_words(turn.said) for turn in turns[:-1])
    seconds = (max(times) - min(times)) / 1000
    return forwards >= _LEAST_FORWARDS * (len(times) - 1) and seconds * _SLOWEST_SPEECH <= words <= seconds * _MOST_SAID


def _is_left_out(element: Element) -> bool:
    """Say whether nobody says what an element holds: it is no text, a moment in words, or the heading of a part."""
    if element.name == "time":
        return time_of(element) is not None
    return is_unsaid(element) or (element.name in HEADINGS and not any(is_mark(one) for one in elements(element)))


def _region(root: Element) -> Element | None:
    """Return the smallest element that holds nearly all times and names; None where there is neither."""
    # A player's clock is followed by no words, and neither are times in a menu.
    followed = {turn.mark for turn in _turns(root) if turn.mark and any(map(str.isalpha, turn.said))}
    marks: dict[Element, int] = {}
    whole = _count_marks(root, followed, marks)
    if not whole:
        return None
    region = root
    while True:
        inside = [part for part in region.parts if isinstance(part, Element)]
        best = max(inside, key=lambda part: marks.get(part, 0), default=None)
        if best is None or marks.get(best, 0) < _SHARE_OF_MARKS * whole or (whole == 1 and best in followed):
            return region
        region = best


def _count_marks(element: Element, followed: Set[Element], marks: dict[Element, int]) -> int:
    count = int(element in followed)
    for part in element.parts:
        if isinstance(part, Element) and not is_unsaid(part):
            count += _count_marks(part, followed, marks)
    marks[element] = count
    return count


def _turns(region: Element) -> list[_Turn]:
    """Cut the text of the region at its times and at its names."""
    turns = [_Turn(None, None, region.line)]

    def begin(start_ms: int | None, speaker: str | None, mark: Element) -> None:
        last = turns[-1]
        if any(map(str.strip, last.text)):
            turns.append(_Turn(start_ms, speaker if speaker is not None else last.speaker, mark.line, mark=mark))
            return
        last.mark = mark
        last.start_ms = start_ms if start_ms is not None else last.start_ms
        last.speaker = speaker if speaker is not None else last.speaker

    def walk(element: Element) -> None:
        for part in element.parts:
            if isinstance(part, str):
                turns[-1].text.append(part.replace("\n", " "))
                continue
            if is_unsaid(part):
                continue
            turns[-1].text.append("\n" if part.name in BLOCKS else "")
            name, start = name_of(part), time_of(part)
            if name is not None or start is not None:
                begin(start, name, part)
            is_clock = start is not None and CLOCK_ALONE.fullmatch(text_in(part))
            if name is None and not is_clock and not _is_left_out(part):
                walk(part)
            turns[-1].text.append("\n" if part.name in BLOCKS else "")

    walk(region)
    return _by_sentence(turns)


def _by_sentence(turns: list[_Turn]) -> list[_Turn]:
    """Join words that have a time each to the line that they stand in; they keep their times."""
    joined: list[_Turn] = []
    for turn in turns:
        is_word = turn.start_ms is not None and len(turn.said.split()) == 1
        word = [Word(turn.said, turn.start_ms)] if is_word and turn.start_ms is not None else None
        last = joined[-1] if joined else None
        goes_on = last is not None and last.said and not "".join(last.text).rstrip(" \t").endswith("\n")
        if last is not None and goes_on and is_word and turn.speaker == last.speaker:
            last.text += turn.text
            last.words = [*last.words, *word] if last.words and word else None
        else:
            turn.words = word
            joined.append(turn)
    return joined


def _starts(turns: tuple[_Turn, ...]) -> list[int]:
    """Return the start of every turn; one that has none lies between its neighbours as its words do."""
    known = [(i, turn.start_ms) for i, turn in enumerate(turns) if turn.start_ms is not None]
    lengths = [max(1, count_words(turn.said)) for turn in turns]
    starts = [turn.start_ms if turn.start_ms is not None else -1 for turn in turns]
    edges = [(-1, 0), *known] if known[0][0] else known
    for (i, start), (j, end) in pairwise(edges):
        first = max(i, 0)
        whole = sum(lengths[first:j])
        for at in range(first if i < 0 else i + 1, j):
            starts[at] = start + (end - start) * sum(lengths[first:at]) // whole
    last, start = known[-1]
    for at in range(last + 1, len(turns)):  # nothing comes behind them: as fast as people speak
        starts[at] = start + sum(lengths[last:at]) * 400
    return starts


def _outside(element: Element, region: Element) -> Iterator[str]:
    """Yield the text that is not read: outside the region, and inside it that of scripts and the like."""
    if element is region:
        yield from ("".join(texts(one)) for one in elements(region) if one is not region and _is_left_out(one))
        return
    for part in element.parts:
        if isinstance(part, Element):
            yield from _outside(part, region)
        else:
            yield part
