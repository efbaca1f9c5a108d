"""The lines of SubRip and WebVTT that hold the times of a cue: `00:01.000 --> 00:02.000`, and the same damaged.

Regular lines are told by one pattern. Where a file has others that may be time lines, each is looked at by itself:
what is certain in it is read (`text.damaged_clock`), and its place counts. A line below a cue number, or below an empty
line, stands where a time line must; an arrow among what is said is speech.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from talksearch.indexer.text.clock import CLOCK, parse_clock
from talksearch.indexer.text.damaged_clock import plain_signs, read_damaged_clock, says_no_time

from .flat_captions import INSIDE

# Also `->`, `—>`, `-- >` and a colon before the milliseconds, as hand-made and OCR-made files have them.
TIME_LINE = re.compile(
    rf"^[ \t]*(-?)(\d{{1,6}}:\d{{1,3}}:\d{{1,2}}(?:[.,:]\d{{1,9}})?|{CLOCK})"
    rf"[ \t]*(?:--?[ \t]*>|[–—]>|→)[ \t]*"
    rf"(-?)(\d{{1,6}}:\d{{1,3}}:\d{{1,2}}(?:[.,:]\d{{1,9}})?|{CLOCK})(?=\s|$)",
    re.MULTILINE,
)
COMMA_TIME_LINE = re.compile(rf"[ \t]*({CLOCK})[ \t]*,[ \t]*({CLOCK})[ \t]*")
_MOST_LETTERS = 4
_DIGITS_OF_TIMES = 8
"""Digits that two times have, about half of them."""
_LONGEST_MS = 100 * 3_600_000
_LONGEST = 80
"""Characters of a line that may hold two times and nothing else."""

_ARROW = re.compile(r"(?<![-–—―─━ー=])(?:-+[ \t]){0,9}(?:[-–—―─━ー=]+[ \t]?[>›»》〉]+|-*[→⟶⇒➔➜⟹])(?:[ \t]*-*>)*")
_HEADS = ">›»》〉→⟶⇒➔➜⟹"
_HEADS_OF_ARROWS = ("&gt;", "›", "»", "》", ">")
_OTHER_ARROWS = tuple(dash + head for dash in "-–—─━ー=" for head in _HEADS_OF_ARROWS if dash + head != "->")
_OTHER_ARROWS = (*_OTHER_ARROWS, "- >", "— >", "－", "＞", *"→⟶⇒➔➜⟹")
_MAY_BE = re.compile(r"\n[ \t\ufeff]*(?:[-−－]?\d{1,9}[ \t]?[:.,;：．，；∶﹕٫،][ \t]?[-−]?\d|[\d:.,;?#>OolI|-]{7})")
"""A line that begins like a time."""
_D = r"[\dOoQlI|]"
_SIDE = re.compile(
    rf"(?:\d{{4}}-\d\d-\d\d[T \t][ \t]*|\d{{1,3}}[ \t]+days?,?[ \t]+)?[-+]?[ \t]?{_D}{{1,9}}"
    rf"(?:(?:[ \t]?[:.,;'’′\"”″]+[ \t]?|[ \t]?[hms][ \t]?)[-+]?{_D}{{1,18}}+)+"
    r"(?:[eE][-+]?\d{1,3})?[:.,;]*(?:ms|s|Z)?(?![A-Za-z])(?:[ \t]?[AaPp]\.?[Mm]\b\.?)?"
)
_SIDE_WITH_NOISE = re.compile(rf"[-+]?{_D}{{1,9}}(?:[:.,;]+[-+]?{_D}{{1,18}}+)+")
_CERTAIN = re.compile(r"\d{1,3}:\d\d:\d\d(?!\d)")
_BRACKET = re.compile(r"(?:[\[(<{]|\*\*|__|`)[ \t]*(?=[-+]?\d)")
_NUMBER_BEFORE = re.compile(r"[#№]?\d{1,6}[.):]?[ \t]+(?=[-+]?\d)")
_SPACE_FOR_POINT = re.compile(r"(\d:\d\d)[ \t](\d{3})(?=[ \t]*(?:$|[-–—=→]))")
_BARE = re.compile(r"[-+]?\d{1,7}(?:[.,]\d{1,9})?")
_FULL = r"-?\d{1,3}:\d{1,2}:\d{1,2}(?:[.,:;]\d{1,9})?|-?\d{1,3}:\d{1,2}[.,]\d{1,9}"
_TWO_TIMES = re.compile(rf"({_FULL})[ \t]*(?:[^\w\s]{{1,4}}|[^\W\d]{{1,4}})?[ \t]*({_FULL})")
_ONE_TIME = re.compile(rf"({_FULL})[ \t]*[^\w\s]{{0,4}}")
_WITH_FRACTION = re.compile(r":\d{1,2}[.,:;]\d{3}$")
_FRAMES = re.compile(r"(?<![\d:])\d{1,3}:\d{1,2}:\d{1,2}[:;](\d{1,3})(?![\d:.,])")
_NUMBER = re.compile(r"(?:[#№]|\*\*|__)?(\d{1,8})[.):]?(?:\*\*|__)?")
_LONGEST_NUMBER = 16
"""Characters, signs that nobody sees among them."""

_SETTINGS = re.compile(
    # Possessive, as a word with digits is one in as many ways: without it a line of such words takes for ever.
    r"(?:[ \t]+(?:(?:align|line|position|size|vertical|region|[ALDSTR]|[XY][12])[ \t]*[:=][ \t]*\S*"
    r"|[^\s:=\d%]*+[\d%][^\s:=]*+|start|middle|end|center|left|right|[rl][rl]|align|line|position|size|vertical))*+"
    r"[ \t]*$",
    re.IGNORECASE,
)
_GLUED_SETTING = re.compile(r"(?<=\d)(?=(?:align|line|position|size|vertical|region):)")
_WORD = re.compile(r"[^\W\d_]{2,}|\b[^\W\d_a-zA-Z]\b|\b[aAI]\b")


@dataclass(slots=True)
class TimeLine:
    """A line that holds the times of a cue; a time is None where the line does not tell it.

    Never changed; frozen ones take three times as long to make.
    """

    index: int
    """Of the line in its file, from 0."""
    start_ms: int | None
    end_ms: int | None
    said: str = ""
    """What stands behind the times and is no setting: speech."""
    damaged: bool = False


class Place(Enum):
    """Where a line stands."""

    NUMBERED = "below a cue number"
    ALONE = "below an empty line, or first"
    INSIDE = "below other text"


class _Kind(Enum):
    TIME = 1
    BARE = 2
    UNKNOWN = 3
    EMPTY = 4
    WORDS = 5


def signed_clock(sign: str, text: str, frames: float | None = None) -> int | None:
    """Milliseconds of one side of a regular time line, below zero where it says so; None where it is no time."""
    ms = parse_clock(text) if text.count(":") < 3 else None
    ms = read_damaged_clock(text, frames) if ms is None else ms
    return -ms if ms is not None and sign else ms


def first_time_line(text: str, *, captions: bool) -> str | None:
    """Return the first time line of a file, None where it has none.

    Args:
        text: the file.
        captions: whether its name or header says that it holds captions. Of other files only regular lines count.
    """
    if match := TIME_LINE.search(text):
        return match[0]
    if not captions:
        return None
    lines = text.split("\n")
    found = next(iter(_damaged(lines, set(), None)), None)
    if found:
        return lines[found.index]
    flat = INSIDE.search(text)
    return flat[2] if flat else None


def time_lines(text: str, lines: Sequence[str]) -> list[TimeLine]:
    """Find the time lines of a file, in order. `lines` are those of `text`."""
    headed = is_headed(text)
    regular = []
    for i, line in enumerate(lines):
        if (">" in line or "→" in line) and (match := TIME_LINE.match(line)):
            regular.append(
                (i, match, said_behind(line[match.end() :], headed=headed) if match.end() < len(line) else "")
            )
    arrows = {i for i, _, _ in regular}
    regular = _without_speech(lines, regular)
    frames = frame_rate(match[side] for _, match, _ in regular for side in (2, 4) if match[side].count(":") == 3)
    found = [
        TimeLine(
            i,
            signed_clock(match[1], match[2], frames),
            signed_clock(match[3], match[4], frames),
            said,
            damaged=bool(said),
        )
        for i, match, said in regular
    ]
    if is_regular(text, len(found)):
        return found
    frames = frames or frame_rate(match[0] for match in _FRAMES.finditer(plain_signs(text)))
    return sorted([*found, *_damaged(lines, arrows, frames)], key=lambda line: line.index)


def _without_speech(
    lines: Sequence[str], regular: list[tuple[int, re.Match[str], str]]
) -> list[tuple[int, re.Match[str], str]]:
    """Leave out lines that are speech, "1:00 -> 2:00 is a long time", where most times have fractions of a second."""
    plain = [_is_plain(match[2]) and _is_plain(match[4]) for _, match, _ in regular]
    if not any(plain) or sum(plain) * 2 > len(plain):
        return regular
    numbered = sum(place_of(lines, i) is Place.NUMBERED for i, _, _ in regular) * 2 > len(regular)
    must = (Place.NUMBERED,) if numbered else (Place.NUMBERED, Place.ALONE)
    return [
        (i, match, said)
        for (i, match, said), is_plain in zip(regular, plain, strict=True)
        if not is_plain
        or match[2].count(":") > 1
        or not (said or "-->" not in match[0] or place_of(lines, i) not in must)
    ]


def comma_time_lines(lines: Sequence[str]) -> list[TimeLine]:
    """Find the lines that hold two times with a comma between them, as SBV has them, in order.

    A line with minutes and seconds alone is speech where most times have a fraction of a second.
    """
    found: list[TimeLine] = []
    plain = 0
    minutes_alone: set[int] = set()
    for i, line in enumerate(lines):
        if "," in line and (match := COMMA_TIME_LINE.fullmatch(line)):
            found.append(TimeLine(i, parse_clock(match[1]), parse_clock(match[2])))
            if not _is_sure(match[1]):
                minutes_alone.add(i)
                plain += 1
        elif line.strip() and len(line) <= _LONGEST and place_of(lines, i) is not Place.INSIDE:
            damaged = _read_at_comma(line, place_of(lines, i))
            found += [replace(damaged, index=i)] if damaged else []
    return found if plain * 2 > len(found) else [head for head in found if head.index not in minutes_alone]


def _read_at_comma(line: str, place: Place) -> TimeLine | None:
    """Read a damaged line of SBV: it is parted where both sides are times, those that are alike first."""
    shown = plain_signs(line).strip()
    commas = [i for i, char in enumerate(shown) if char in ",;"]
    commas.sort(key=lambda i: abs(len(shown) - 1 - 2 * i))
    read = (_read(f"{shown[:i]} --> {shown[i + 1 :]}", place, None, lonely=False) for i in commas)
    parted = [head for head in read if head and not head.said]
    told = [head for head in parted if None not in (head.start_ms, head.end_ms)]
    told += [head for head in parted if head.start_ms is not None or head.end_ms is not None]
    return next(iter([*told, *parted]), None) or _without_arrow(shown, place, None)


def _is_plain(time: str) -> bool:
    """Say whether a time has no fraction of a second."""
    return "," not in time and "." not in time


def is_headed(text: str) -> bool:
    """Say whether a text begins with the header of WebVTT."""
    return text.lstrip("\ufeff \t\n").startswith("WEBVTT")


def is_regular(text: str, count: int) -> bool:
    """Say whether the regular time lines of a file, so many, are all it has: no other line looks like one."""
    if text.count("->") != count or any(sign in text for sign in _OTHER_ARROWS):
        return False
    begins = sum(1 for _ in _MAY_BE.finditer(text)) + (_MAY_BE.match(f"\n{text[:80]}") is not None)
    return begins <= count


def has_damaged(text: str, count: int) -> bool:
    """Say whether a file has time lines beside the regular ones, so many."""
    return not is_regular(text, count) and any(line.damaged for line in time_lines(text, text.split("\n")))


def said_behind(rest: str, *, headed: bool) -> str:
    """Return what is said on a time line, behind its times; empty where there are only settings.

    In WebVTT a single word is taken for a setting that nobody knows.

    >>> [said_behind(rest, headed=True) for rest in (" align:start position:0%", " line: -1", " Good evening.", " foo")]
    ['', '', 'Good evening.', '']
    >>> [said_behind(rest, headed=False) for rest in ("", " X1:0 X2:9 Y1:1 Y2:5", " Hello", " 我来了")]
    ['', '', 'Hello', '我来了']
    """
    rest = rest.rstrip()
    if not rest or _SETTINGS.match(rest):
        return ""
    words = [token for token in rest.split() if _WORD.search(token) and not re.match(r"[A-Za-z]+[:=]\S", token)]
    return rest.strip() if len(words) > headed else ""


def frame_rate(times: Iterable[str]) -> float | None:
    """Tell how many frames pass in a second, by the largest number of a frame; None where no frames are counted.

    >>> frame_rate(["00:00:01:12", "00:00:03:24"]), frame_rate(["00:00:01:29"]), frame_rate(["00:00:01:500"])
    (25.0, 30.0, None)
    """
    counted = [match[1] for time in times if (match := _FRAMES.fullmatch(time))]
    if not counted or any(len(number) != 2 for number in counted):
        return None
    largest = max(map(int, counted))
    return next((rate for rate in (25.0, 30.0, 50.0, 60.0) if largest < rate), None)


def number_of(line: str) -> int | None:
    """Return the number that a line consists of, in digits of any script; None where it holds anything else.

    >>> number_of("17"), number_of(" ٣ "), number_of("#4"), number_of("5."), number_of("5 o'clock")
    (17, 3, 4, 5, None)
    """
    line = line.strip()
    if len(line) < 9 and line.isdecimal():
        return int(line)
    if len(line) > _LONGEST_NUMBER:
        return None
    match = _NUMBER.fullmatch(plain_signs(line).strip())
    return int(match[1]) if match else None


def place_of(lines: Sequence[str], i: int) -> Place:
    """Tell where a line stands."""
    if i == 0 or not lines[i - 1].strip():
        return Place.ALONE
    if number_of(lines[i - 1]) is not None and (i == 1 or not lines[i - 2].strip()):
        return Place.NUMBERED
    return Place.INSIDE


def _damaged(lines: Sequence[str], known: set[int], frames: float | None) -> Iterable[TimeLine]:
    """Yield the time lines that are not regular. Where a file has others, two times need no arrow between them."""
    for i, line in enumerate(lines):
        if i in known or not line.strip():
            continue
        found = _read(line, place_of(lines, i), frames, lonely=not known)
        if found:
            yield replace(found, index=i)


def _read(line: str, place: Place, frames: float | None, *, lonely: bool) -> TimeLine | None:
    """Read a line that may be a damaged time line; None where it is none. `lonely`: no line of the file is regular."""
    plain = _GLUED_SETTING.sub(" ", plain_signs(line).replace("&gt;", ">").strip())
    arrow = _ARROW.search(plain) if any(head in plain for head in _HEADS) else None
    if arrow is None:
        return _without_arrow(plain, place, frames) or _rubble(plain, place, frames)
    left, right = _SPACE_FOR_POINT.sub(r"\1,\2", plain[: arrow.start()]).strip(), plain[arrow.end() :].strip()
    right = _SPACE_FOR_POINT.sub(r"\1,\2", right)
    left = _BRACKET.sub("", left, count=1)
    start_kind, start, before = _side(left, frames)
    if start_kind is not _Kind.TIME or before:
        start_kind, start, before = _side(_NUMBER_BEFORE.sub("", left, count=1), frames)
    if before:
        start_kind = _Kind.WORDS
    end_kind, end, rest = _side(right, frames)
    sure = _is_sure(left)
    if not _is_time_line((start_kind, end_kind), place, sure=sure or not rest, bare=lonely and not rest):
        if rubble := _rubble(plain, place, frames):
            return rubble
        unreadable = place is Place.NUMBERED and _looks_like_times(f"{left} {right}")
        unreadable = unreadable or (place is Place.ALONE and _colons(left) >= 2 and len(right.split()) < 2)
        if not unreadable or _has_words(plain):
            return None
        return TimeLine(0, None, end if end_kind is _Kind.TIME else None, "", True)
    if start_kind is _Kind.BARE:
        return TimeLine(0, _seconds(left), _seconds(right), "", True)
    said = said_behind(f" {rest}", headed=False) if rest and (_colons(rest) < 2 or _has_words(rest)) else ""
    if said and plain_signs(line.strip()[-len(said) :]) == said:
        said = line.strip()[-len(said) :]
    return TimeLine(0, _possible(start), _possible(end) if end_kind is _Kind.TIME else None, said, True)


def _is_time_line(sides: tuple[_Kind, _Kind], place: Place, *, sure: bool, bare: bool) -> bool:
    """Say whether a line with an arrow is a time line.

    Args:
        sides: what stands before and behind the arrow.
        place: where the line stands.
        sure: nothing follows, or the first time has so many parts that nobody says it.
        bare: a number alone may be a time in seconds.
    """
    untold = (_Kind.UNKNOWN, _Kind.EMPTY)
    must = place is not Place.INSIDE
    if _Kind.TIME in sides:
        other = sides[1] if sides[0] is _Kind.TIME else sides[0]
        return sure and (
            other is _Kind.TIME or other in untold or (other is _Kind.WORDS and sides[1] is other and must)
        )
    if sides == (_Kind.BARE, _Kind.BARE):
        return place is Place.NUMBERED or (must and bare)
    if sides == (_Kind.EMPTY, _Kind.EMPTY):
        return must
    return all(side in untold for side in sides) and (place is Place.NUMBERED or (must and bare))


def _side(text: str, frames: float | None) -> tuple[_Kind, int | None, str]:
    """Tell what one side of an arrow is, its time, and the text behind that."""
    if not text:
        return _Kind.EMPTY, None, ""
    token = text.split()[0]
    match = None if says_no_time(token) and not _CERTAIN.match(token) else _SIDE.match(text)
    if match and (ms := read_damaged_clock(match[0], frames)) is not None:
        rest = text[match.end() :]
        glued = re.match(r"\S*", rest)
        if glued and (glued[0][:1] in (":", ",", ".", ";") or not _WORD.search(glued[0])):  # noise right behind a time
            rest = rest[glued.end() :]
        return _Kind.TIME, ms, rest.strip()
    if (
        not says_no_time(token)
        and (match := _SIDE_WITH_NOISE.match(text))
        and (ms := read_damaged_clock(match[0], frames)) is not None
    ):
        rest = text[match.end() :]
        return _Kind.TIME, ms, rest.strip() if _WORD.search(rest) else ""
    for shown in (text, token, " ".join(text.split()[:2])):
        if says_no_time(shown):
            return _Kind.UNKNOWN, None, text[len(shown) :].strip()
    if _BARE.fullmatch(text):
        return _Kind.BARE, None, ""
    return _Kind.WORDS, None, text


def _without_arrow(plain: str, place: Place, frames: float | None) -> TimeLine | None:
    """Read a line that has two times and no arrow, or one: below a number, or with all parts, as nobody says it."""
    if place is Place.INSIDE or not (plain[:1].isdigit() or plain[:1] == "-"):
        return None
    if match := _TWO_TIMES.fullmatch(plain):
        sure = place is Place.NUMBERED or all(_WITH_FRACTION.search(match[side]) for side in (1, 2))
        start, end = (read_damaged_clock(match[side], frames) for side in (1, 2))
        return TimeLine(0, start, end, "", True) if sure else None
    match = _ONE_TIME.fullmatch(plain)
    if match and (place is Place.NUMBERED or (_colons(match[1]) >= 2 and _WITH_FRACTION.search(match[1]))):
        return TimeLine(0, read_damaged_clock(match[1], frames), None, "", True)
    return None


def _is_sure(time: str) -> bool:
    """Say whether a time has hours or a fraction of a second, as cues have and what is said has not."""
    return _colons(time) >= 2 or re.search(r"\d[.,]\d", time) is not None or not time


def _has_words(text: str) -> bool:
    return any(re.fullmatch(r"\W*[^\W\d_]{2,}\W*", token) for token in text.split())


def _rubble(plain: str, place: Place, frames: float | None) -> TimeLine | None:
    """Read a line that has the digits and signs of two times and no word, where a time line must stand."""
    letters = [char for char in plain if char.isalpha()]
    digits = sum(map(str.isdigit, plain))
    if place is Place.INSIDE or len(letters) > _MOST_LETTERS or not set(letters) <= set("OoQlIsmhZ"):
        return None
    if digits < _DIGITS_OF_TIMES or plain.count(":") < (2 if place is Place.NUMBERED else 3):
        return None
    sides = [_side(token, frames) for token in (plain.split()[0], plain.split()[-1])]
    start, end = (ms if kind is _Kind.TIME and not rest else None for kind, ms, rest in sides)
    return TimeLine(0, start, end if len(plain.split()) > 1 else None, "", True)


def _looks_like_times(text: str) -> bool:
    return _colons(text) >= 2 or sum(char.isdigit() for char in text) >= 4


def _colons(text: str) -> int:
    """Count the colons of what stands together without a space, as in a time."""
    return max((token.count(":") for token in text.split()), default=0)


def _possible(ms: int | None) -> int | None:
    """Return a time of a damaged line; None where it is one that no talk has, as damage makes of a digit too many."""
    return ms if ms is None or ms < _LONGEST_MS else None


def _seconds(text: str) -> int:
    return round(float(text.replace(",", ".")) * 1000)
