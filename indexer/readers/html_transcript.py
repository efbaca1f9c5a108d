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
from .html_tree import BLOCKS, HEADINGS, Element, elements, is_unsaid, text_in, tree_of, whole_text
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
    turns: tuple[_Turn, ...]
    text: str
    """That of the region: of the smallest element that holds the whole transcript."""
    unsaid: str
    """All text outside the region, and that of scripts."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What stands between two times, or from one name to the next. It holds no elements: a page takes ten times its
    length as a tree, which is let go of when its turns are made.
    """

    start_ms: int | None
    speaker: str | None
    line: int
    said: str
    words: tuple[Word, ...]
    """Where every word has a time."""


@dataclass(slots=True)
class _Draft:
    """A turn as it is put together."""

    start_ms: int | None
    speaker: str | None
    line: int
    text: list[str] = field(default_factory=list)
    mark: Element | None = None
    """What names its time, or who speaks."""
    words: list[Word] | None = None
    """Where every word has a time."""

    @property
    def has_text(self) -> bool:
        """Whether anything is said."""
        return any(map(str.strip, self.text))

    @property
    def said(self) -> str:
        """What is said, a row for each block."""
        rows = (" ".join(row.split()) for row in "".join(self.text).split("\n"))
        return "\n".join(row for row in rows if row)

    def done(self) -> _Turn:
        """Return the turn."""
        said = self.said
        words = tuple(self.words or ())
        are_all = len(words) > 1 and " ".join(word.text for word in words) == said
        return _Turn(self.start_ms, self.speaker, self.line, said, words if are_all else ())


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
        RawCue(start, None, turn.said, turn.line, turn.speaker, turn.words)
        for start, turn in zip(starts, page.turns, strict=True)
    ]
    between = sum(turn.start_ms is None for turn in page.turns)
    note = f"{between} of {len(raw)} turns have no time; theirs were put between those of their neighbours."
    return finish(mend(raw, "web page"), known, [note] if between else [])


def has_times(source: SourceText) -> bool:
    """Say whether any turn of a page has a time."""
    page = source.once(_page)
    return page is not None and any(turn.start_ms is not None for turn in page.turns)


def words_in_page(source: SourceText) -> FileWords:
    """Count the words of a page: those of the transcript, and as metadata those around it."""
    page = source.once(_page)
    if page is None:
        return FileWords(0, Counter())
    metadata = bag_of(page.unsaid)
    words = bag_of(page.text)
    words.update(metadata)
    return FileWords(words.total(), words, metadata, page.text)


def _page(source: SourceText) -> _Page | None:
    root = tree_of(source.text)
    region = _region(root)
    if region is None:
        return None
    turns = [draft.done() for draft in _drafts(region) if draft.has_text]
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
    text = whole_text(region, _is_left_out)
    unsaid = "\n".join(_outside(root, region))
    return _Page(title, language or None, tuple(turns), text, unsaid)


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
    drafts = _drafts(root)
    followed = {one.mark for one in drafts if one.mark and any(any(map(str.isalpha, text)) for text in one.text)}
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
    if count:
        marks[element] = count
    return count


def _drafts(region: Element) -> list[_Draft]:
    """Cut the text of the region at its times and at its names."""
    drafts = [_Draft(None, None, region.line)]
    _cut(region, drafts)
    return _by_sentence(drafts)


def _cut(element: Element, drafts: list[_Draft]) -> None:
    """Add the text of an element to the last turn, and a turn for each of its marks."""
    for part in element.parts:
        if isinstance(part, str):
            drafts[-1].text.append(part.replace("\n", " "))
            continue
        if is_unsaid(part):
            continue
        is_block = part.name in BLOCKS
        if is_block:
            drafts[-1].text.append("\n")
        name, start = name_of(part), time_of(part)
        if name is not None or start is not None:
            _begin(drafts, start, name, part)
        is_clock = start is not None and CLOCK_ALONE.fullmatch(text_in(part))
        if name is None and not is_clock and not _is_left_out(part):
            _cut(part, drafts)
        if is_block:
            drafts[-1].text.append("\n")


def _begin(drafts: list[_Draft], start_ms: int | None, speaker: str | None, mark: Element) -> None:
    last = drafts[-1]
    if last.has_text:
        drafts.append(_Draft(start_ms, speaker if speaker is not None else last.speaker, mark.line, mark=mark))
        return
    last.mark = mark
    last.start_ms = start_ms if start_ms is not None else last.start_ms
    last.speaker = speaker if speaker is not None else last.speaker


def _by_sentence(drafts: list[_Draft]) -> list[_Draft]:
    """Join words that have a time each to the line that they stand in; they keep their times."""
    joined: list[_Draft] = []
    for draft in drafts:
        said = "".join(draft.text).split(None, 2) if draft.start_ms is not None else []
        word = Word(said[0], draft.start_ms) if len(said) == 1 and draft.start_ms is not None else None
        last = joined[-1] if joined else None
        if word and last and draft.speaker == last.speaker and last.has_text and not _ends_row(last.text):
            last.text += draft.text
            if last.words:
                last.words.append(word)
        else:
            draft.words = [word] if word else None
            joined.append(draft)
    return joined


def _ends_row(text: list[str]) -> bool:
    """Say whether nothing but blanks stands behind the last break."""
    last = next((rest for piece in reversed(text) if (rest := piece.rstrip(" \t"))), "")
    return last.endswith("\n")


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
        yield from (whole_text(one) for one in elements(region) if one is not region and _is_left_out(one))
        return
    for part in element.parts:
        if isinstance(part, Element):
            yield from _outside(part, region)
        else:
            yield part
