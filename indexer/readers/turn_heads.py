"""Turns whose head takes several lines: a name, and when it speaks, as Word exports and copied web pages have them.

Teams copies a turn as its name, the time in words to which the clock sticks, name and time once more, and the words::

    Ana Ruiz
    1 minute 10 seconds1:10
    Ana Ruiz 1 minute 10 seconds
    So the second pump failed again.

Others write the name above a clock that stands alone, with the initials from a picture above that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from talksearch.indexer.text.clock import CLOCK, parse_clock
from talksearch.indexer.text.counting import count_words
from talksearch.indexer.text.lone_names import is_anybody, may_be_a_lone_name, returning

from .line_stamps import Stamp, forwards

_HOURS = (
    r"hours?|hrs?\.?|stunden?|std\.?|heures?|horas?|or[ae]|uur|uren|timm(?:e|ar)|timer?|tunti?a?|godzin[ayę]?"
    r"|час(?:а|ов)?|годин[аи]?|小[时時]|時間|시간|saat|hodin[ay]?|óra|ώρ(?:α|ες)|שעות|שעה|ساعات?|ساعة|jam|giờ"
)
_MINUTES = (
    r"minutes?|mins?\.?|minuten?|minut[oie]s?|minut(?:er|ter|y|a|ę)?|minuutti?a?|minuut|минут[аы]?|хвилин[аи]?"
    r"|分钟|分鐘|分|분|dakika|perc|λεπτ(?:ό|ά)|דקות|דקה|دقائق|دقيقة|menit|phút"
)
_SECONDS = (
    r"seconds?|secs?\.?|sekunden?|sek\.?|secondes?|segundos?|second[io]|seconden?|sekund(?:er|y|a|ę)?|sekunti?a?"
    r"|секунд[аы]?|秒钟?|초|saniye|másodperc|δευτερόλεπτ(?:ο|α)|שניות|שנייה|ثوان[ٍي]?|ثانية|detik|giây"
)
_AND = r"(?:[ \t]*(?:,|and|und|et|y|e|en|och|og|ja|i|и|та|ve|και|dan|و|ו)?[ \t]*)"
_SPOKEN = (
    rf"(?:(?P<h>\d{{1,2}})[ \t]*(?:{_HOURS}))?{_AND}(?:(?P<m>\d{{1,3}})[ \t]*(?:{_MINUTES}))?"
    rf"{_AND}(?:(?P<s>\d{{1,2}})[ \t]*(?:{_SECONDS}))?"
)
_HEAD = re.compile(
    rf"[ \t]*(?:(?P<name>[^\W\d_][^\n]{{0,79}}?)[ \t]*[,:|·•–—-]?[ \t]+)?(?={_AND}\d)(?P<said>{_SPOKEN})"
    rf"[ \t]*(?P<clock>(?:\d{{1,2}}:)?\d{{1,2}}:\d\d)?[ \t]*",
    re.IGNORECASE,
)
_SPOKEN_ANYWHERE = re.compile(rf"\d[ \t]*(?:{_MINUTES}|{_SECONDS})", re.IGNORECASE)
_CLOCK_ALONE = re.compile(rf"[ \t]*[\[(]?({CLOCK})[\])]?[ \t]*")
_MARKS = re.compile(r"\*\*|__|^[ \t]*(?:#{1,6}|[>*+-])[ \t]+")
"""Marks of Markdown around a name."""
_BLANKS = re.compile(r"[ \t]+")
_INITIALS = re.compile(r"[ \t]*[^\W\d_]{1,3}[ \t]*")


@dataclass(frozen=True, slots=True)
class Turns:
    """The heads of turns in a text."""

    lines: Sequence[str]
    """Those of the text; a line of a head is empty."""
    stamps: dict[int, Stamp]
    left_out: int
    """Words of the lines that were emptied: names, times in words, initials."""


@dataclass(frozen=True, slots=True)
class _Head:
    first: int
    """Position of its first line that holds a time."""
    last: int
    start_ms: int
    name: str | None


def spoken_turns(text: str, lines: Sequence[str]) -> Turns | None:
    """Find turns whose heads say the time in words; None where a text has fewer than two, or they do not run forwards.

    A time in words may be what somebody says. So nearly every head must hold a name or stand below one, and the names
    come back.
    """
    if not _SPOKEN_ANYWHERE.search(text):
        return None
    heads = list(_spoken_heads(lines))
    if len(heads) < 2:
        return None
    taken: set[int] = set()
    named: list[tuple[_Head, str | None]] = []
    for number, head in enumerate(heads):
        top = heads[number - 1].last if number else -1
        name, beside = _name_above(lines, head, top)
        if not name:
            name, beside = _name_below(lines, head)
        if name:
            taken.update(beside, range(head.first, head.last + 1))
        named.append((head, name))
    counts = Counter(name for _, name in named if name)
    if counts.total() * 5 < len(named) * 4 or not returning(counts):
        return None
    if forwards(head.start_ms for head in heads) < 0.8 or heads[0].start_ms == heads[-1].start_ms:
        return None
    stamps = {head.first: Stamp(head.start_ms, None, "", name) for head, name in named if name}
    return _turns(lines, stamps, taken)


def _turns(lines: Sequence[str], stamps: dict[int, Stamp], taken: set[int]) -> Turns:
    left_out = count_words("\n".join(lines[i] for i in taken))
    return Turns(["" if i in taken else line for i, line in enumerate(lines)], stamps, left_out)


def _spoken_heads(lines: Sequence[str]) -> Iterator[_Head]:
    """Yield stretches of lines that hold one time, in words and on a clock."""
    i = 0
    while i < len(lines):
        found = _time_of(lines[i])
        if found is None:
            i += 1
            continue
        start, name, spoken = found
        last = i
        for j in range(i + 1, len(lines)):
            if not lines[j].strip():
                continue
            following = _time_of(lines[j])
            if following is None or following[0] != start:
                break
            if name and following[1] and following[1] != name:
                break
            name, spoken, last = name or following[1], spoken or following[2], j
        if spoken:
            yield _Head(i, last, start, name)
        i = last + 1


def _time_of(line: str) -> tuple[int, str | None, bool] | None:
    """Return the time that a line is, the name before it, and whether it is said in words."""
    clock = _CLOCK_ALONE.fullmatch(line)
    if clock:
        start = parse_clock(clock[1])
        return None if start is None else (start, None, False)
    if len(line) > 140 or not any(char.isdigit() for char in line):
        return None
    # Blanks become one, because the pattern tries each of several in many ways.
    match = _HEAD.fullmatch(_BLANKS.sub(" ", _MARKS.sub("", line)))
    if not match or not (match["h"] or match["m"] or match["s"]):
        return None
    start = ((int(match["h"] or 0) * 60 + int(match["m"] or 0)) * 60 + int(match["s"] or 0)) * 1000
    name = match["name"]
    if match["clock"] and parse_clock(match["clock"]) != start:
        return None
    if name and not may_be_a_lone_name(name):
        return None
    return start, name, True


def _name_above(lines: Sequence[str], head: _Head, top: int) -> tuple[str | None, list[int]]:
    """Return who speaks, and the lines above a head that say so too."""
    above = _filled_above(lines, head.first, top)
    name = head.name
    taken: list[int] = []
    if above is not None:
        text = lines[above].strip()
        if text == name or (name is None and may_be_a_lone_name(text)):
            name = name or text
            taken.append(above)
            above = _filled_above(lines, above, top)
    if name and above is not None and _are_initials(lines[above], name):
        return name, [*taken, above]
    return name, taken


def _name_below(lines: Sequence[str], head: _Head) -> tuple[str | None, list[int]]:
    below = next((i for i in range(head.last + 1, len(lines)) if lines[i].strip()), None)
    name = lines[below].strip().rstrip(":：") if below is not None else ""
    return (name, [below]) if below is not None and may_be_a_lone_name(name) else (None, [])


def _filled_above(lines: Sequence[str], position: int, top: int) -> int | None:
    return next((i for i in range(position - 1, top, -1) if lines[i].strip()), None)


def _are_initials(line: str, name: str) -> bool:
    """Say whether a line is what stands on the picture of a person: `AR` for Ana Ruiz."""
    if not _INITIALS.fullmatch(line) or not line.strip().isupper():
        return False
    first = {word.strip("(")[:1].upper() for word in name.split()}
    return set(line.strip()) <= first


def names_above_clocks(lines: Sequence[str], stamps: dict[int, Stamp]) -> Turns | None:
    """Take names that stand on the line above a clock that is alone; None where these lines are no names.

    Names come back, and stand above half of the clocks at least; a line of speech that looks like a name does not.
    """
    alone = [i for i, stamp in stamps.items() if not stamp.text and stamp.speaker is None]
    if len(alone) < 2 or len(alone) * 2 < len(stamps):
        return None
    above: dict[int, str] = {}
    for i in alone:
        text = lines[i - 1].strip() if i and i - 1 not in stamps else ""
        if text and may_be_a_lone_name(text.rstrip(":：")):
            above[i] = text.rstrip(":： ")
    counts = Counter(above.values())
    names = returning(counts)
    few = len(names) == 1 and (len(above) < 3 or len(above) * 5 < len(alone) * 4)
    if not names or few or len(above) * 2 < len(alone):
        return None
    if len(above) > 3 and len(counts) * 3 > len(above) * 2 and not all(is_anybody(name) for name in names):
        return None
    found = dict(stamps)
    taken: set[int] = set()
    for i, name in above.items():
        found[i] = replace(stamps[i], speaker=name)
        taken.add(i - 1)
        before = _filled_above(lines, i - 1, max((j for j in stamps if j < i), default=-1))
        if before is not None and _are_initials(lines[before], name):
            taken.add(before)
    return _turns(lines, found, taken)


def names_behind_clocks(stamps: dict[int, Stamp]) -> dict[int, Stamp]:
    """Take names that stand behind the times for those of the speakers: in headings, and in a column beside the words.

    Elsewhere a name behind a time is a row like any other, and whoever cleans the text decides about it.
    """
    return _named_by(stamps, _first_column) or _named_by(stamps, _last_column) or stamps


def _named_by(stamps: dict[int, Stamp], cut: Callable[[Stamp], tuple[str, str]]) -> dict[int, Stamp] | None:
    """Return the times with the names that `cut` takes from the words behind them; None where these are no names."""
    columns = {i: cut(stamp) for i, stamp in stamps.items() if stamp.speaker is None and stamp.text}
    columns = {i: column for i, column in columns.items() if column[0]}
    counts = Counter(name for name, _ in columns.values() if may_be_a_lone_name(name))
    if len(columns) * 2 < len(stamps) or counts.total() * 5 < len(columns) * 4 or counts.total() < 3:
        return None
    names = returning(counts)
    if len(names) < 2 and not any(is_anybody(name) for name in names):
        return None
    named = dict(stamps)
    for i, (name, text) in columns.items():
        if name in names:
            named[i] = replace(stamps[i], speaker=name, heading=False, text=text)
    return named


def _first_column(stamp: Stamp) -> tuple[str, str]:
    if stamp.heading:
        return stamp.text.strip(" \t:*"), ""
    name, tab, text = stamp.text.partition("\t")
    return (name.strip(" \t:*"), text.strip()) if tab else ("", "")


def _last_column(stamp: Stamp) -> tuple[str, str]:
    text, tab, name = stamp.text.rpartition("\t")
    return (name.strip(" \t:*"), text.strip()) if tab else ("", "")
