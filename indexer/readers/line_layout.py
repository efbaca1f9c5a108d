"""Where the times stand in a transcript in text: which of the ways to write them a file keeps to, if any.

What a line with a time looks like is in `stamps`. Many other texts have such lines: schedules, results, verses, logs.
So the rarer ways count only where the times run forwards and the words between them can be said in that time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from talksearch.indexer.text.clock import parse_clock
from talksearch.indexer.text.counting import count_words
from talksearch.indexer.text.lone_names import is_anybody
from talksearch.indexer.text.speaker_labels import label_of, looks_like_a_name

from . import line_stamps as forms
from .flattened import unfold
from .line_stamps import Stamp, forwards
from .raw_cue import count_units
from .turn_heads import names_above_clocks, names_behind_clocks, spoken_turns

_BLANKS = re.compile("(?<![\u00c2-\u00f4\u0080-\u009f\u00a1-\u00bf])[\u00a0\u2007\u202f\u3000]")
"""Blanks that do not break, as pages have them between a name and a time; in misread text they are half a letter."""
_CLOCK_INSIDE = re.compile(r"\d:\d\d")
# These begin with a fixed character, for speed: most texts have no time.
_SECONDS_INSIDE = re.compile(r"\n(?:[ \t]*\d{1,5}[.)][ \t])?[^\w\n]*\d[\d.]*[ \t]?s?[ \t]*[\]\-–—→t]")
_STUCK_INSIDE = re.compile(r":\d{3,4} (?:second|minute|hour)")
_SPOKEN_INSIDE = re.compile(r"\d (?:second|minute|hour)")
_CLOCK = r"(?P<start>(?:\d{1,3}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?)"
_MARKS = (
    re.compile(rf"\[{_CLOCK}\](?:\((?P<link>[^()\s]*)\))?"),
    re.compile(rf"\({_CLOCK}\)"),
)
_BRACKETED = re.compile(rf":[*_ \t]*[\[(][ \t]*{_CLOCK}|^[ \t]*\[[^\]]+\]:?[ \t]+(?=\d)")
_ALONE = re.compile(rf"[ \t]*(?:#{{1,6}}[ \t]+)?[\[(*_]*{_CLOCK}[\])*_]*[ \t]*")
_AVID = re.compile(r"<(?:begin|end) subtitles>|@ .*")
_ANYBODY = re.compile(r"(?:Speaker|SPEAKER|Unknown|Unbekannt)[ _]?\d*")

_SLOW, _FAST = 40, 300
"""Words a minute between which people speak, pauses counted."""
_LOOSE_SLOW, _LOOSE_FAST = 20, 400
"""The same for a file as a whole that holds little else than lines with times."""
_NEAR_BEGIN_MS = 60_000
"""A first time within a minute needs no words above it."""
_APART_MS = 600_000
"""What lies between two clocks at most where names tell that they are those of turns; Meet has one in five minutes."""
_SHORTEST_MS = 4_000
"""What bare figures reach at least as seconds: shares and coefficients run from 0 to 1."""


@dataclass(frozen=True, slots=True)
class LineLayout:
    """A text and the times in it."""

    lines: Sequence[str]
    """As in the file, but cut where a time stands inside one, and without what only repeats a time."""
    stamps: dict[int, Stamp]
    """By the position in `lines`."""
    numbers: Sequence[int] = ()
    """Line numbers in the file, from 1, where `lines` were cut."""
    far_apart: bool = False
    """Each time is for many lines or for a part of one, and what stands above the first is speech."""
    left_out: int = 0
    """Words of lines that hold only who speaks, and when in words; these lines are empty."""


@lru_cache(maxsize=1)
def find(text: str) -> LineLayout | None:
    """Find the times in a text; None where it has none, or none that can be those of its words.

    Whoever reads a file asks several times over, so the last answer is kept.
    """
    if not text.isascii():
        text = _BLANKS.sub(" ", text)
    text, marked = forms.with_plain_marks(text)
    lines = text.split("\n")
    if marked:
        return _inside(text, lines, more_than=1, sure=True)
    turns = spoken_turns(text, lines)
    if turns:
        return LineLayout(turns.lines, turns.stamps, left_out=turns.left_out)
    filled = sum(1 for line in lines if line.strip())
    plain = _each(lines, _plain)
    stamps = _by_labels(lines, plain, filled) or _stuck(text, lines, plain, filled)
    if stamps is None and _fits(plain, filled):
        stamps = plain
    if stamps is not None:
        # In a text of few long lines one that begins with a time makes it fit, and has the other times inside.
        inside = (
            _inside(text, lines, more_than=2 * len(stamps)) if len(stamps) < 3 or len(text) > 500 * filled else None
        )
        return inside or _with_names_above(_cut_behind(_unspoken(text, LineLayout(lines, stamps))))
    layout = _in_seconds(text, lines, filled) or _label_track(text, lines) or _in_frames(text, lines, filled)
    if layout:
        return layout
    alone = _far_apart(lines, plain)
    return _with_names_above(_unspoken(text, alone)) if alone else _inside(text, lines)


def _with_names_above(layout: LineLayout) -> LineLayout:
    """Take names on the lines above clocks that stand alone for those of the speakers."""
    layout = replace(layout, stamps=names_behind_clocks(layout.stamps))
    turns = names_above_clocks(layout.lines, layout.stamps)
    return replace(layout, lines=turns.lines, stamps=turns.stamps, left_out=turns.left_out) if turns else layout


def _cut_behind(layout: LineLayout) -> LineLayout:
    """Cut where a time in square brackets ends a line, and lies between the times of the lines around it.

    It says when the words before it end; those of a line that begins with a time have their end there.
    """
    if not any(forms.trailing(line) for line in layout.lines):
        return layout
    positions = sorted(layout.stamps)
    lines: list[str] = []
    numbers: list[int] = []
    stamps: dict[int, Stamp] = {}
    last = 0
    for i, line in enumerate(layout.lines):
        stamp = layout.stamps.get(i)
        last = stamp.start_ms if stamp else last
        words, end = forms.trailing(stamp.text if stamp else line) or ("", None)
        following = next((layout.stamps[j].start_ms for j in positions if j > i), None)
        fits = end is not None and bool(stamps or stamp) and last <= end and (following is None or end <= following)
        numbers.append(layout.numbers[i] if layout.numbers else i + 1)
        if stamp:
            stamps[len(lines)] = replace(stamp, text=words, end_ms=stamp.end_ms or end) if fits else stamp
        lines.append(words if fits and not stamp else line)
        below = next((j for j in range(i + 1, len(layout.lines)) if layout.lines[j].strip()), None)
        if fits and end is not None and (not stamp or (below is not None and below not in layout.stamps)):
            stamps[len(lines)] = Stamp(end, None, "")
            numbers.append(numbers[-1])
            lines.append("")
            last = end
    return replace(layout, lines=lines, stamps=stamps, numbers=numbers)


def by_line(text: str) -> LineLayout:
    """Take every line that begins with a time for one, whether or not the text as a whole looks like it."""
    lines = text.split("\n")
    return LineLayout(lines, _each(lines, _plain))


def _each(lines: Sequence[str], form: Callable[[str], Stamp | None]) -> dict[int, Stamp]:
    return {i: stamp for i, line in enumerate(lines) if ":" in line and (stamp := form(line)) is not None}


def _plain(line: str) -> Stamp | None:
    stamp = forms.stamp_of(line)
    if stamp is None or stamp.text[:1] != "[" or stamp.end_ms is not None:
        return stamp
    starts, rest = forms.lyric_starts(line)
    if len(starts) < 2:
        return stamp
    starts.sort()
    return replace(stamp, start_ms=starts[0], text=rest.strip(), again=tuple(starts[1:]))


def _fits(stamps: dict[int, Stamp], filled: int) -> bool:
    """Whether there are three times at least or a third of all lines, one in 30 lines, and they run forwards."""
    if not stamps or (len(stamps) < 3 and len(stamps) * 3 < filled) or len(stamps) * 30 < filled:
        return False
    return forwards(stamp.start_ms for stamp in stamps.values()) >= 0.8


def _gaps(lines: Sequence[str], stamps: dict[int, Stamp]) -> list[tuple[int, int]]:
    """Return for each time but the last the milliseconds until the next, and the words between them."""
    positions = sorted(stamps)
    gaps = []
    for i, following in pairwise(positions):
        words = count_units(stamps[i].text) + sum(count_units(line) for line in lines[i + 1 : following] if line)
        gaps.append((stamps[following].start_ms - stamps[i].start_ms, words))
    return gaps


def _can_be_said(ms: int, words: int, slow: int = _SLOW, fast: int = _FAST) -> bool:
    return slow * ms <= words * 60_000 <= fast * ms


def _all_said(lines: Sequence[str], stamps: dict[int, Stamp]) -> bool:
    """Whether the words of the whole file can be said between its first and its last time."""
    gaps = _gaps(lines, stamps)
    ms, words = sum(ms for ms, _ in gaps), sum(words for _, words in gaps)
    return ms > 0 and _can_be_said(ms, words, _LOOSE_SLOW, _LOOSE_FAST)


def _by_labels(lines: Sequence[str], plain: dict[int, Stamp], filled: int) -> dict[int, Stamp] | None:
    """Names before the times (`Ana Ruiz: 00:00:05`), where they are most of the lines with a time or come up to it."""
    named = {
        i: stamp
        for i, line in enumerate(lines)
        if ":" in line and i not in plain and _CLOCK_INSIDE.search(line) and (stamp := forms.labelled(line))
    }
    if len(named) < 2 or len(named) * 2 < len(plain):
        return None
    stamps = dict(sorted({**plain, **named}.items()))
    # Who comes back with brackets around name or time speaks; a table of times behind keys has none.
    bracketed = Counter(stamp.speaker for i, stamp in named.items() if _BRACKETED.search(lines[i][:140]))
    sure = bracketed.total() == len(named) and bracketed.total() >= 2 * len(bracketed) and _worded(lines, named)
    sure = sure or all(is_anybody(stamp.speaker or "") for stamp in named.values())
    return stamps if _fits(stamps, filled) and (sure or _all_said(lines, stamps)) else None


def _worded(lines: Sequence[str], stamps: dict[int, Stamp]) -> bool:
    """Whether words stand behind each time or on the line below it."""
    return all(stamp.text or (i + 1 < len(lines) and lines[i + 1].strip()) for i, stamp in stamps.items())


def _unspoken(text: str, layout: LineLayout) -> LineLayout:
    """Drop the time in words behind each clock (`1:05`, `1 minute, 5 seconds`) where nearly all clocks have one."""
    if not _SPOKEN_INSIDE.search(text):
        return layout
    lines = list(layout.lines)
    stamps = dict(layout.stamps)
    dropped = 0
    positions = sorted(stamps)
    for i, until in zip(positions, [*positions[1:], len(lines)], strict=True):
        stamp = stamps[i]
        if stamp.text:
            rest = forms.without_spoken(stamp.text, stamp.start_ms)
            if rest is not None:
                stamps[i] = replace(stamp, text=rest)
                dropped += 1
            continue
        below = next((j for j in range(i + 1, until) if lines[j].strip()), None)
        rest = None if below is None else forms.without_spoken(lines[below], stamp.start_ms)
        if below is not None and rest is not None:
            lines[below] = rest
            dropped += 1
    return replace(layout, lines=lines, stamps=stamps) if dropped > 1 and dropped * 5 >= len(positions) * 4 else layout


def _stuck(text: str, lines: Sequence[str], plain: dict[int, Stamp], filled: int) -> dict[int, Stamp] | None:
    """Clocks to which the same time in words sticks, where they are most of the lines with a time."""
    if not _STUCK_INSIDE.search(text):
        return None
    stuck = _each(lines, forms.stuck)
    stamps = dict(sorted({**plain, **stuck}.items()))
    return stamps if len(stuck) > max(1, len(plain)) and _fits(stamps, filled) else None


def _in_seconds(text: str, lines: Sequence[str], filled: int) -> LineLayout | None:
    """Seconds in brackets or with their unit. Bare figures in brackets may also be versions, sections or measures."""
    if not _SECONDS_INSIDE.search(f"\n{text}"):
        return None
    stamps = {i: stamp for i, line in enumerate(lines) if (stamp := forms.in_seconds(line))}
    if len(stamps) < 2 or not _fits(stamps, filled):
        return None
    sure = sum(forms.named_unit(lines[i]) for i in stamps) * 2 > len(stamps)
    long = max(stamp.start_ms for stamp in stamps.values()) >= _SHORTEST_MS
    return LineLayout(lines, stamps) if sure or (long and _all_said(lines, stamps)) else None


def _label_track(text: str, lines: Sequence[str]) -> LineLayout | None:
    """Audacity's label track: nothing but rows of two times that run forwards and a text, mostly words."""
    if "\t" not in text:
        return None
    # A row that begins with a backslash holds the frequencies of the label above it.
    lines = ["" if line.startswith("\\\t") else line for line in lines]
    stamps = {i: stamp for i, line in enumerate(lines) if (stamp := forms.in_label(line))}
    if len(stamps) < 2 or len(stamps) * 10 < sum(1 for line in lines if line.strip()) * 9:
        return None
    starts = [stamp.start_ms for stamp in stamps.values()]
    worded = sum(any(char.isalpha() for char in stamp.text) for stamp in stamps.values())
    if forwards(starts) < 1 or starts[0] == starts[-1] or worded * 2 < len(stamps):
        return None
    if any(stamp.end_ms is None or stamp.end_ms < stamp.start_ms for stamp in stamps.values()):
        return None
    fast = sum(words for _, words in _gaps(lines, stamps)) * 60_000 > _LOOSE_FAST * (starts[-1] - starts[0])
    return None if fast else LineLayout(lines, stamps)


def _in_frames(text: str, lines: Sequence[str], filled: int) -> LineLayout | None:
    rate = forms.frame_rate(text) if text.count(":") + text.count(";") > 5 else None
    if rate is None:
        return None
    lines = ["" if _AVID.fullmatch(line.strip()) else line for line in lines]
    stamps = {i: stamp for i, line in enumerate(lines) if (stamp := forms.in_frames(line, rate))}
    if len(stamps) < 2 or not _fits(stamps, filled):
        return None
    # Premiere writes who speaks on the line below the time, above the words. Captions of two lines look alike, but
    # their first lines are no names, or do not come back.
    below = {
        i: lines[i + 1].strip()
        for i, stamp in stamps.items()
        if not stamp.text and i + 2 < len(lines) and lines[i + 1].strip() and lines[i + 2].strip()
    }
    names = set(below.values())
    known = all(_ANYBODY.fullmatch(name) for name in names)
    named = len(below) * 10 >= len(stamps) * 9 and all(_is_name(name) for name in names)
    if named and (known or len(names) * 2 <= len(below)):
        stamps = {i: replace(stamp, speaker=below.get(i)) for i, stamp in stamps.items()}
        lines = ["" if i - 1 in below else line for i, line in enumerate(lines)]
        return LineLayout(lines, stamps, left_out=count_words("\n".join(below.values())))
    return LineLayout(lines, stamps)


def _is_name(line: str) -> bool:
    return len(line.split()) <= 5 and line[-1].isalnum() and looks_like_a_name(line)


def _reached(first_ms: int, words: int) -> bool:
    """Whether a first time is near the beginning, or the words above it fill the time until then."""
    return first_ms <= _NEAR_BEGIN_MS or _can_be_said(first_ms, words)


def _far_apart(lines: Sequence[str], plain: dict[int, Stamp]) -> LineLayout | None:
    """Clocks with minutes of speech between: each must be reached by the words before it.

    They stand alone on their lines, or there are three at least. A time of day in prose is not reached: "we met at /
    12:30" is no talk of twelve minutes, with the words above it.
    """
    alone = {i: stamp for i, stamp in plain.items() if not stamp.text and stamp.speaker is None}
    stamps = alone if len(alone) * 2 > len(plain) else plain
    if len(stamps) < (2 if stamps is alone else 3):
        return None
    gaps = _gaps(lines, stamps)
    first = next(iter(stamps))
    above = sum(count_units(line) for line in lines[:first])
    good = sum(ms > 0 and _can_be_said(ms, words) for ms, words in gaps)
    if any(ms <= 0 for ms, _ in gaps):
        return None
    reached = good * 5 >= len(gaps) * 4 and _reached(stamps[first].start_ms, above)
    near = stamps is alone and stamps[first].start_ms <= _NEAR_BEGIN_MS and all(ms <= _APART_MS for ms, _ in gaps)
    if not reached and not (near and _among_turns(lines, first)):
        return None
    return LineLayout(lines, stamps, far_apart=True)


def _among_turns(lines: Sequence[str], first: int) -> bool:
    """Whether nearly every line below the first time that is no time begins with a name, and names come back.

    So Meet writes what was said: a clock on a line of its own every few minutes, however little was said between.
    """
    below = [line.strip() for line in lines[first:] if line.strip() and not _ALONE.fullmatch(line)]
    labels = [label_of(plain) for line in below if (plain := line.replace("**", ""))]
    names = Counter(label[0] for label in labels if label and looks_like_a_name(label[0]))
    return names.total() >= 3 and names.total() * 4 >= len(below) * 3 and any(n > 1 for n in names.values())


def _inside(text: str, lines: Sequence[str], more_than: int = 2, *, sure: bool = False) -> LineLayout | None:
    """Times in brackets inside paragraphs: three at least, nearly all rising, most of them reached by the words.

    They are `sure` where only a transcript writes times so: then nothing else is asked than that they rise.
    """
    for mark in _MARKS:
        matches = list(mark.finditer(text))
        starts = [parse_clock(match["start"]) or 0 for match in matches]
        if (
            len(matches) <= (more_than if sure else max(more_than, 2))
            or forwards(starts) < 0.9
            or starts[0] >= starts[-1]
        ):
            continue
        between = [text[a.end() : b.start()] for a, b in pairwise(matches)]
        gaps = [(b - a, count_units(speech)) for (a, b), speech in zip(pairwise(starts), between, strict=True)]
        good = sum(ms > 0 and _can_be_said(ms, words) for ms, words in gaps)
        above = count_units(text[: matches[0].start()])
        if not sure and (good * 3 < len(gaps) * 2 or not _reached(starts[0], above)):
            continue
        if not sure and unfold(mark.sub(" ", text)).folded:
            return None  # captions that say every line twice: `record` undoes that
        return _cut(lines, mark)
    return None


def _cut(lines: Sequence[str], mark: re.Pattern[str]) -> LineLayout:
    """Break lines where a mark stands in them."""
    cut: list[str] = []
    numbers: list[int] = []
    stamps: dict[int, Stamp] = {}
    for number, line in enumerate(lines, 1):
        matches = list(mark.finditer(line))
        if not matches or line[: matches[0].start()].strip():
            cut.append(line[: matches[0].start()] if matches else line)
            numbers.append(number)
        for i, match in enumerate(matches):
            speech = line[match.end() : matches[i + 1].start() if i + 1 < len(matches) else len(line)]
            link = match.groupdict().get("link")
            stamps[len(cut)] = Stamp(parse_clock(match["start"]) or 0, None, speech.strip(), link=link)
            cut.append(line)
            numbers.append(number)
    return LineLayout(cut, stamps, numbers, far_apart=True)
