"""Times on a clock that a program, a translation or a scan has spoilt: `00：00：01，500`, `00:00:03,0:`, `NaN:NaN`.

What is certain of such a time is read, and nothing is guessed: `clock` has the regular forms, which need none of this.
Only who knows from the place of a text that it must be a time asks here.
"""

from __future__ import annotations

import re
import unicodedata

from .clock import seconds_in

_DAY_HOURS = 24
_SIGNS = {
    **dict.fromkeys("：︰﹕∶ː꞉׃", ":"),
    **dict.fromkeys("，、﹐٫٬‚", ","),
    **dict.fromkeys("．。․﹒·", "."),
    **dict.fromkeys("；﹔", ";"),
    **dict.fromkeys("－−﹣‐‑", "-"),
    **dict.fromkeys("＞﹥", ">"),
    **dict.fromkeys("＋", "+"),
    **dict.fromkeys("\u00a0\u2007\u202f\u3000", " "),
}
"""Signs that stand for those of a time in another width or script."""
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u2060\u061c\u202a\u202c"))
_SCANNED = str.maketrans("OoQlI|", "000111")
"""What a scan makes of 0 and 1."""
_LONGEST = 100
"""Characters of a time, where blanks in a row count as one: the patterns try each of them in many ways."""
_BLANKS = re.compile(r"[ \t]+")
_SPACE_AROUND_SIGN = re.compile(r"[ \t]*([:.,;])[ \t]*(?=[-+\d:.,;]|$)")
_LETTERS_FOR_SIGNS = (
    (re.compile(r"(?<=\d)[ \t]*(?:hours?|hrs?|h|minutes?|mins?|m(?!s))[ \t]*(?=\d)", re.IGNORECASE), ":"),
    (re.compile(r"(?<=\d)[ \t]*(?:seconds?|secs?|s)[ \t]*(?=\d|$)", re.IGNORECASE), "."),
    (re.compile(r"(?<=\d)['’′](?=\d)"), ":"),
    (re.compile(r"(?<=\d)[\"”″](?=\d|$)"), "."),
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T|[ \t]+)")
_DAYS = re.compile(r"(\d{1,3})[ \t]+days?,?[ \t]+(?=\d)")
"""Before a time, as Python and pandas write what lasts: `0 days 00:00:01.250000`."""
_HALF_OF_DAY = re.compile(r"[ \t]*([ap])\.?m\b\.?$", re.IGNORECASE)
_TIME = re.compile(
    r"[-+]?[ \t]*\d{1,9}(?:[:.,;]+[ \t]?[-+]?\d{1,18})*(?:(?<=\d)[eE][-+]?\d{1,3})?[:.,;]*(?:[A-Za-z]{1,3}\d*[:.,;]*)?"
)
_POWER = re.compile(r"(?<=\d)[eE][-+]?\d{1,3}")
_LETTER_INSIDE = re.compile(r"[A-Za-z]\d")
_FRACTION = re.compile(r"\d[.,]\d")
_NOISE = re.compile(r"(?<=\d)[A-Za-z].*")
_PART = re.compile(r"([:.,;]*)[ \t]?([-+]?)[ \t]?(\d+)")
_NONE = re.compile(
    r"[-+]?(?:nan|inf(?:inity)?|undefined|null|nil|none|n/?a|unknown|invalid(?: date)?|-+|_+|\?+|x+|#+|\*+|∞)",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"[-+]?\d+")
_BETWEEN_PARTS = re.compile(r"[ \t]*[:.,;]+[ \t]*")
_ALL_MINUS_ONE = re.compile(r"-0?1(?:[:.,;]-0{0,2}1){2,3}")


def plain_signs(text: str) -> str:
    """Write digits of every script, and the signs of a time in every width, as ASCII has them.

    >>> plain_signs("００：०१：٠٢，500 －－＞")
    '00:01:02,500 -->'
    """
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else _SIGNS.get(char, char)
        for char in text.translate(_INVISIBLE)
    )


def says_no_time(text: str) -> bool:
    """Say whether a text is what programs write for a time that they do not know. `text` has plain signs.

    >>> [says_no_time(text) for text in ("NaN:NaN:NaN,NaN", "--:--", "00:NaN:01", "-1:-1:-1", "12:-3", "Nan")]
    [True, True, True, True, False, True]
    """
    text = _BLANKS.sub(" ", text)
    if len(text) > _LONGEST:
        return False
    parts = _BETWEEN_PARTS.split(text.strip(" :.,;"))
    unknown = [_NONE.fullmatch(part) is not None for part in parts]
    if any(unknown):
        return all(none or _DIGITS.fullmatch(part) for none, part in zip(unknown, parts, strict=True))
    return _ALL_MINUS_ONE.fullmatch(text) is not None


def read_damaged_clock(text: str, frames: float | None = None) -> int | None:
    """Turn a damaged time into milliseconds, below zero where it says so; None where it is none.

    Args:
        text: the time alone, in plain signs (`plain_signs`).
        frames: how many frames pass in a second, where a fourth part behind a colon counts these; by default two
            digits there are a fraction of a second.

    Three digits of a fraction count, and what stands behind them is noise; a second point says that the digits before
    it are milliseconds. Points and commas stand for colons where
    there are no colons. A part above 60 that cannot be is no time.

    >>> [read_damaged_clock(time) for time in ("00:00:01,5", "00:00:03,0:", "00:00:06,100.5", "00:00:01,249.0999")]
    [1500, 3000, 6100, 1249]
    >>> [read_damaged_clock(time) for time in ("00.00.01.500", "00: 00: 01, 500", "00:00:01:500", "0:00:00:01,500")]
    [1500, 1500, 1500, 1500]
    >>> [read_damaged_clock(time) for time in ("0 days 00:00:01.250000", "1 day, 0:00:02", "00:75:00,5", "01:75:00,5")]
    [1250, 86402000, 4500500, None]
    >>> [read_damaged_clock(time) for time in ("-112:-7:-40,-860", "OO:0l:02", "01:02", "0h01m02s", "3:02 pm", "7")]
    [-403660860, 62000, 62000, 62000, 54120000, None]
    """
    text = _BLANKS.sub(" ", text.strip())
    if len(text) > _LONGEST:
        return None
    text = _DATE.sub("", text, count=1)
    if days_before := _DAYS.match(text):
        rest = read_damaged_clock(text[days_before.end() :], frames)
        return None if rest is None else rest + int(days_before[1]) * _DAY_HOURS * 3_600_000
    afternoon = _HALF_OF_DAY.search(text)
    if afternoon:
        text = text[: afternoon.start()]
    text = _SPACE_AROUND_SIGN.sub(r"\1", text.strip(" :.,;"))
    for letters, sign in _LETTERS_FOR_SIGNS:
        text = letters.sub(sign, text)
    text = _mend_scanned(text)
    if not _TIME.fullmatch(text) or (_LETTER_INSIDE.search(text) and not _FRACTION.search(text)):
        return None
    tiny = _POWER.search(text) is not None  # 00:00:01,6.1e-05: next to nothing, as programs write such a fraction
    parts = _PART.findall(_NOISE.sub("", _POWER.sub("", text)))
    signs = [sign[:1].replace(";", ":") for sign, _, _ in parts]
    digits = [part for _, _, part in parts]
    whole, fraction = _whole_and_fraction(signs, digits, frames)
    if not whole:
        return None
    if len(whole) == 4:
        days, *whole = whole
        whole[0] = str(int(days) * _DAY_HOURS + int(whole[0]))
    hours, minutes, seconds = [0, 0, *map(int, whole)][-3:]
    if afternoon and len(whole) == 2:
        hours, minutes, seconds = minutes, seconds, 0
    # Where the fraction is there and the hours are 0, a program never carried minutes over.
    if seconds > 60 or (len(whole) == 3 and minutes > 60 and (hours or not fraction)):
        return None
    ms = 0 if tiny else int(f"{fraction}000"[:3])
    total = seconds_in(hours, minutes, seconds) * 1000 + ms
    if afternoon and hours <= 12:
        total += (hours % 12 + 12 * (afternoon[1].lower() == "p") - hours) * 3_600_000
    if parts[0][1] == "-":
        return -total
    if any(sign == "-" for _, sign, _ in parts):
        return _signed_sum(parts, len(whole), ms)
    return total


def _mend_scanned(text: str) -> str:
    """Read O for 0 and l for 1 where nothing but a scan of a time can look like that."""
    mended = text.translate(_SCANNED)
    return mended if mended != text and re.fullmatch(r"\d{1,3}[:.]\d\d(?:[:.]\d\d)?(?:[.,:]\d{1,3})?", mended) else text


def _whole_and_fraction(signs: list[str], digits: list[str], frames: float | None) -> tuple[list[str], str]:
    """Part the hours, minutes and seconds from the fraction of a second; nothing where that is not sure."""
    count = len(digits)
    colons = next((i for i in range(1, count) if signs[i] != ":"), count)  # how many parts colons join
    if count == 1:
        return [], ""
    if ":" not in signs:  # points or commas stand for the colons
        if count == 2:
            return [], ""
        if count > 4:
            return [], ""
        if count == 4 or len(digits[2]) == 3:
            return digits[:-1], digits[-1]
        return digits, ""
    if colons == 1:  # 00.00:01,500
        last = count - 1
        return (digits[:last], digits[last]) if signs[last] != ":" or count == 4 else (digits, "")
    if colons == 2:
        if count > 3 and len(digits[2]) == 2 and len(digits[3]) == 3:  # 00:00.01,500
            return digits[:3], digits[3]
        return digits[:2], _fraction(digits[2:], signs[2:])
    if colons == 3:
        return digits[:3], _fraction(digits[3:], signs[3:])
    if colons == 4 and count > 4:  # 0:00:00:01,500
        return digits[:4], digits[4]
    if colons == 4:
        if frames and len(digits[3]) <= 2:
            return digits[:3], f"{min(int(digits[3]) / frames, 0.999):.3f}"[2:]
        return digits[:3], digits[3]
    return (digits[:4], digits[4]) if colons == 5 and len(digits[4]) == 3 else ([], "")


def _fraction(digits: list[str], signs: list[str]) -> str:
    """Take the digits behind the point; where a second point follows, a program wrote milliseconds with a fraction."""
    if len(digits) > 1 and signs[1] in (".", ","):
        return digits[0].rjust(3, "0")
    return digits[0] if digits else ""


def _signed_sum(parts: list[tuple[str, str, str]], whole: int, ms: int) -> int:
    """Add up parts of which some are below zero, as a program writes them that borrows nothing: `00:-1:59,000`."""
    values = [-int(digits) if sign == "-" else int(digits) for _, sign, digits in parts[:whole]]
    hours, minutes, seconds = [0, 0, *values][-3:]
    negative = len(parts) > whole and parts[whole][1] == "-"
    return seconds_in(hours, minutes, seconds) * 1000 + (-ms if negative or values[-1] < 0 else ms)
