"""Captions that mark word by word what is said, a cue for every word: one cue for each line, with the times of words.

Whisper writes them with underlined words, stable-ts with coloured ones, and makers of karaoke with whatever moves: each
cue shows the whole line, and the mark stands around another word. Cues without a mark fill the gaps between words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from talksearch.indexer.readers.cue_times import count_units
from talksearch.indexer.records import Cue, Json
from talksearch.indexer.text.clock import caption_clock
from talksearch.indexer.text.counting import bag_of, count_words, without_entities

from .plain_marks import with_tags

_MARK = re.compile(r"<(?:[ubi]|em|strong|mark|font\b[^<>]*|span\b[^<>]*|c\.[^<>]*)>|\{\\[^{}]*\}", re.IGNORECASE)
_TAG = re.compile(r"<(?P<end>/)?(?P<name>[a-z]+)(?P<rest>[^<>]*)>|\{(?P<override>\\[^{}]*)\}", re.IGNORECASE)
_TIMED = re.compile(r"<\d[\d:.,]*>")
_VOICE = re.compile(r"\s*(<v[ .][^<>]*>)", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_RESET = re.compile(r"\\r|(?:\\\d?c|\\[ubi]0?|\\[1-4]?a)(?=\\|$)")
"""An override that ends what an earlier one began."""
_SURE = 3
"""A mark that moves on so often across a line marks what is said; twice it may by chance."""
_SURE_LINES = 2
"""A file with so many lines of that kind has short ones too."""
_COVERED = 0.6
"""Share of a line over which the mark of a sure line moves."""
_MOST = 0.8
"""Share of the cues of a file that is made of such lines."""
_SPOKEN = 4.0
"""Words a second. Lines that are shown again and again show more than is said."""
_GAP_MS = 1_000
"""A line that is shown again after a longer gap is said again."""

_Stretch = tuple[int, int]
"""Where a mark stands: positions of its first character and of the one behind its last, white space not counted."""


@dataclass(frozen=True, slots=True)
class _Marked:
    """What a cue shows, and what in it is marked."""

    bare: str
    """Its characters without tags and white space."""
    marks: dict[str, _Stretch]
    """By the tag that opens it."""


@dataclass(frozen=True, slots=True)
class _Line:
    """Cues that show the same line, one behind the other."""

    first: int
    end: int
    times: tuple[tuple[_Stretch, int, int], ...]
    """Each new stretch that was marked, in order, with the beginning and end of its cue in milliseconds."""
    sure: bool


def follow_highlights(cues: Sequence[Cue]) -> tuple[Sequence[Cue], dict[str, Json]]:
    """Make one cue of those that mark one line word by word.

    Emphasis stays: a line counts where the mark moves forwards, over most of it, or over the whole of short lines in a
    file that has such long ones.

    Returns the cues, with the times of words as WebVTT writes them, and counts for the receipt: none where no mark
    moved.
    """
    given = cues
    cues = with_tags(given)
    tagged = [("<" in cue.text or "{" in cue.text) and _has_mark(cue.text) for cue in cues]
    if sum(tagged) < _SURE:  # as in most files
        return given, {}
    lines = _followed(list(_lines_of(cues, tagged)), cues)
    if not lines:
        return given, {}
    out: list[Cue] = []
    done = folded = 0
    said = [{row for row, stretch in _rows_of(cues[line.first].text) if _touches(line, stretch)} for line in lines]
    for before, line, now, behind in zip([set(), *said], lines, said, [*said[1:], set()], strict=False):
        out += given[done : line.first]
        cue = cues[line.first]
        elsewhere = (before | behind) - now  # the line before or behind that stands there too
        out.append(_with_times(cue, line, max(each.end_ms for each in cues[line.first : line.end]), elsewhere))
        folded += (line.end - line.first) * count_words(without_entities(_ANY_TAG.sub("", cue.text)))
        folded -= count_words(without_entities(_ANY_TAG.sub("", out[-1].text)))
        done = line.end
    out += given[done:]
    detail: dict[str, Json] = {"cues": sum(line.end - line.first for line in lines), "lines": len(lines)}
    if cues is not given and (respelt := _respelt(given, cues, lines)):
        detail["words_corrected"] = respelt
    return out, {**detail, "words_folded": folded}


def _respelt(given: Sequence[Cue], cues: Sequence[Cue], lines: Sequence[_Line]) -> int:
    """Count words whose capitals were a mark, so that they are not among those of the line."""
    count = 0
    for line in lines:
        for i in range(line.first, line.end):
            count += (bag_of(given[i].text) - bag_of(_ANY_TAG.sub("", cues[i].text))).total()
    return count


def _has_mark(text: str) -> bool:
    # `<c>` alone stands in YouTube's captions around every word that has a time.
    return _MARK.search(text) is not None or ("<c>" in text and _TIMED.search(text) is None)


def _followed(lines: list[_Line], cues: Sequence[Cue]) -> list[_Line]:
    """Return the lines that are marked word by word, of those that look like it: all, the sure ones, or none.

    What is only emphasised, in one word after another, has time to be said each time, among cues that are not marked.
    """
    sure = [line for line in lines if line.sure]
    if len(sure) < _SURE_LINES <= len(lines) and not (len(lines) > _SURE_LINES and _is_everywhere(lines, cues)):
        lines = sure
    if not lines:
        return []
    shown = sum((line.end - line.first) * count_units(cues[line.first].text) for line in lines)
    length_ms = sum(cues[line.end - 1].end_ms - cues[line.first].start_ms for line in lines)
    fast = shown * 1000 > _SPOKEN * length_ms
    return lines if fast or (len(sure) >= _SURE_LINES and _is_everywhere(lines, cues)) else []


def _is_everywhere(lines: Sequence[_Line], cues: Sequence[Cue]) -> bool:
    return sum(line.end - line.first for line in lines) >= _MOST * sum(bool(cue.text.strip()) for cue in cues)


def _lines_of(cues: Sequence[Cue], tagged: Sequence[bool]) -> Iterator[_Line]:
    """Yield the lines in which a mark moves forwards."""
    place = 0
    while place < len(cues):
        if not tagged[place] and (place + 1 == len(cues) or not tagged[place + 1]):
            place += 1
            continue
        shown = [_marked(cues[place])]
        end = place + 1
        while end < len(cues) and cues[end].start_ms - cues[end - 1].end_ms <= _GAP_MS:
            following = _marked(cues[end])
            if following.bare != shown[0].bare:
                break
            shown.append(following)
            end += 1
        yield from _runs(cues, place, shown)
        place = end


def _runs(cues: Sequence[Cue], first: int, shown: Sequence[_Marked]) -> Iterator[_Line]:
    """Cut cues that show the same where the mark begins anew, as a line does that is sung twice."""
    bare = shown[0].bare
    if len(shown) < 2 or not bare or _TIMED.search(cues[first].text) or cues[first].text.count("<v") > 1:
        return
    tags = {tag for cue in shown for tag, (a, b) in cue.marks.items() if b - a < len(bare) or len(shown) == 1}
    tag = max(sorted(tags), key=lambda tag: _moves(shown, tag), default=None)
    if tag is None:
        return
    marks = _said(shown, tag)
    text = cues[first].text
    begins = 0
    times: list[tuple[_Stretch, int, int]] = []
    last: _Stretch | None = None
    for place, mark in enumerate(marks):
        if mark is None or mark == last:
            continue
        if last and mark[0] < last[0] and mark[1] <= last[1]:
            yield from _line(first + begins, first + place, times, text)
            begins, times, last = place, [], None
        new = (last[1], mark[1]) if last and mark[0] == last[0] and mark[1] > last[1] else mark  # it may grow
        times.append((new, cues[first + place].start_ms, cues[first + place].end_ms))
        last = mark
    yield from _line(first + begins, first + len(shown), times, text)


def _moves(shown: Sequence[_Marked], tag: str) -> int:
    """Count how often a mark stands somewhere else than before."""
    places = [cue.marks[tag] for cue in shown if tag in cue.marks]
    return sum(a != b for a, b in pairwise(places))


def _said(shown: Sequence[_Marked], tag: str) -> list[_Stretch | None]:
    """Return what is marked as said in each cue; where the mark is on what is still to come, what stands before it."""
    marks = [cue.marks.get(tag) for cue in shown]
    places = [mark for mark in marks if mark]
    size = len(shown[0].bare)
    if any(b != size for _, b in places) or any(a[0] > b[0] for a, b in pairwise(places)) or not places[0][0]:
        return marks
    if len(places) == len(marks) and len({a for a, _ in places}) < 2:
        return marks
    out: list[_Stretch | None] = []
    before = 0
    for mark in marks:
        until = mark[0] if mark else size if before else 0
        out.append((before, until) if until > before else None)
        before = max(before, until)
    return out


def _rows_of(text: str) -> Iterator[tuple[str, _Stretch]]:
    """Yield the rows of a cue without tags, and where each stands."""
    position = 0
    for row in _ANY_TAG.sub("", text).split("\n"):
        size = len("".join(row.split()))
        yield " ".join(row.split()), (position, position + size)
        position += size


def _touches(line: _Line, stretch: _Stretch) -> bool:
    return any(a < stretch[1] and b > stretch[0] for (a, b), *_ in line.times)


def _line(first: int, end: int, times: Sequence[tuple[_Stretch, int, int]], text: str) -> Iterator[_Line]:
    """Yield a line where the mark moves over most of the rows that it touches."""
    if len(times) < 2:
        return
    # A mark that nobody closed reaches to the end of the line: what it marks next begins where the next one does.
    cut = [
        ((a, following[0][0]) if following and a < following[0][0] < b else (a, b), start_ms, end_ms)
        for ((a, b), start_ms, end_ms), following in zip(times, [*times[1:], None], strict=True)
    ]
    line = _Line(first, end, tuple(cut), False)
    words = covered = position = 0
    for row, stretch in _rows_of(text):
        if _touches(line, stretch):
            for word in row.split():
                words += 1
                covered += _touches(line, (position, position + len(word)))
                position += len(word)
        position = stretch[1]
    sure = len(times) >= _SURE and covered >= _COVERED * words
    if sure or covered == words:
        yield replace(line, sure=sure)


def _marked(cue: Cue) -> _Marked:
    """Find out which characters of a cue each of its tags marks."""
    pieces: list[str] = []
    size = done = 0
    opened: list[tuple[str, str, int]] = []
    marks: dict[str, _Stretch] = {}

    def close(tag: str, begin: int) -> None:
        if size > begin:
            known = marks.get(tag, (begin, size))
            marks[tag] = (min(known[0], begin), max(known[1], size))

    for match in _TAG.finditer(cue.text):
        piece = "".join(cue.text[done : match.start()].split())
        pieces.append(piece)
        size += len(piece)
        done = match.end()
        override, name = match["override"], (match["name"] or "").lower()
        if override:  # lasts until the next
            for _, tag, begin in (each for each in opened if each[0] == "{"):
                close(tag, begin)
            opened = [each for each in opened if each[0] != "{"]
            if not _RESET.search(override):
                opened.append(("{", match[0], size))
        elif match["end"]:
            place = next((i for i in range(len(opened) - 1, -1, -1) if opened[i][0] == name), None)
            if place is not None:
                _, tag, begin = opened.pop(place)
                close(tag, begin)
        elif name not in ("v", "br", "lang"):
            opened.append((name, match[0], size))
    piece = "".join(cue.text[done:].split())
    pieces.append(piece)
    size += len(piece)
    for _, tag, begin in opened:
        close(tag, begin)
    return _Marked("".join(pieces), marks)


def _with_times(cue: Cue, line: _Line, end_ms: int, elsewhere: set[str]) -> Cue:
    """Write the line of a cue without its marks, and before each word when it was marked first.

    Rows that are the line of `elsewhere` are left out.
    """
    voice = _VOICE.match(cue.text)
    starts = dict(_word_starts(_ANY_TAG.sub("", cue.text).split(), line))
    written: list[str] = []
    for row, (position, _) in _rows_of(cue.text):
        if row in elsewhere:
            continue
        words = []
        for word in row.split():
            time = starts.get(position)
            words.append(word if time is None else f"<{caption_clock(time)}>{word}")
            position += len(word)
        written.append(" ".join(words))
    return replace(cue, end_ms=end_ms, text=(voice[1] if voice else "") + "\n".join(written))


def _word_starts(words: Sequence[str], line: _Line) -> Iterator[tuple[int, int]]:
    """Yield where each word begins whose mark tells its time, and that time; words marked together share it."""
    position = 0
    for word in words:
        until = position + len(word)
        for (a, b), start_ms, end_ms in line.times:
            if a < until and b > position:
                yield position, start_ms + (end_ms - start_ms) * max(0, position - a) // (b - a)
                break
        position = until
