"""The single-byte code pages, and what reading UTF-8 through them does to a character.

A channel says what each byte of UTF-8 may look like afterwards: the code page's character, or nothing where the byte
was lost on the way. Reading twice is a channel too: the looks of the looks.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

CODECS = {
    "windows-1252": "cp1252",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1255": "cp1255",
    "windows-1256": "cp1256",
    "windows-1257": "cp1257",
    "windows-1258": "cp1258",
    "latin-1": "latin-1",
    "latin-9": "iso8859-15",
    "mac-roman": "mac-roman",
}
"""The code pages by the names used in rules, commonest first, and Python's names for them."""

LEADS = range(0xC2, 0xF5)
TAILS = range(0x80, 0xC0)

RARER = 0.5
"""What it costs to believe in a code page, for each one before it in the list."""

FROM_TEXT = 9.0
"""What it costs to take a byte for lost where the same text shows such bytes alive."""


@cache
def characters(page: str) -> tuple[str, ...]:
    """The 256 characters of a code page; the empty string where it has none.

    >>> characters("windows-1254")[0xF0], characters("windows-1254")[0x81]
    ('ğ', '')
    """
    return tuple(bytes([b]).decode(CODECS[page], "ignore") for b in range(256))


@cache
def undefined(page: str) -> frozenset[int]:
    """The bytes a code page has no character for, and those that mean a C1 control, which nobody sees.

    >>> sorted(hex(b)[2:] for b in undefined("windows-1254"))
    ['81', '8d', '8e', '8f', '90', '9d', '9e']
    """
    return frozenset(b for b, c in enumerate(characters(page)) if not c or "\x80" <= c <= "\x9f")


@cache
def bytes_of(page: str) -> dict[str, int]:
    """The byte behind each character of a page, undefined bytes as their controls."""
    found = {chr(b): b for b in undefined(page) if b > 0x7F}
    found.update({c: b for b, c in enumerate(characters(page)) if c and b > 0x7F})
    return found


def lose(text: str, codepage: str, dropped: Iterable[int] | None = None) -> str:
    r"""Damage text: write it as UTF-8, read it in a wrong code page and drop bytes, leaving ASCII as it is.

    `dropped` is a bytes object or a set of byte values; without it, the bytes that the code page lacks and, where it
    has one, the soft hyphen. A byte that the page lacks and that is not dropped becomes the control of the same number,
    which is what browsers do.

    >>> lose("對", "windows-1254"), lose("í", "windows-1252"), lose("é", "mac-roman")
    ('å°', 'Ã', '√©')
    """
    table = characters(codepage)
    if dropped is None:
        dropped = {b for b, c in enumerate(table) if not c or c == "\xad"}
    gone = set(dropped)
    looks = ["" if b in gone else c or chr(b) for b, c in enumerate(table)]
    return "".join(c if c < "\x80" else "".join(looks[b] for b in c.encode("utf-8", "surrogatepass")) for c in text)


Looks = tuple[tuple[str, float], ...]
"""What a byte may look like, each with what it costs to believe it."""


@cache
def looks(page: str, alive: str) -> tuple[Looks, ...]:
    """For each byte, what it may look like after being read in a page.

    `alive` holds those of NBSP, SOFT HYPHEN, U+0080 (any C1 control), U+FFFD and `?` in its place that the text still
    shows: where
    they are seen, such bytes were probably not lost elsewhere, and where they are not, no byte looks so.
    """
    table = []
    controls = FROM_TEXT if "\x80" in alive else 0.0
    gone = max(controls, FROM_TEXT if "\ufffd" in alive or "?" in alive else 0.0)
    for b, c in enumerate(characters(page)):
        if b < 0x80:
            options = {c: 0.0}
        elif not c:
            options = {chr(b): 0.0, "": gone, "\ufffd": 0.0, "?": 1.0}
        elif "\x80" <= c <= "\x9f":
            options = {c: 0.0, "": 0.5 + controls}
        elif c == "\xa0":
            kept = FROM_TEXT if c in alive else 0.0
            options = {c: 0.0, " ": 8.0 + kept, "": 2.5 + kept}  # a space is nearly always a space
        elif unicodedata.category(c) == "Cf":
            options = {c: 0.0, "": FROM_TEXT if c in alive else 0.0}
        else:
            options = {c: 0.0}
        if not controls and (not c or "\x80" <= c <= "\x9f"):
            options.pop(c or chr(b))
        seen = {k: v for k, v in options.items() if b < 0x80 or k not in ("\xa0", "\xad", "\ufffd", "?") or k in alive}
        table.append(tuple(seen.items()))
    return tuple(table)


@dataclass(frozen=True, slots=True)
class Channel:
    """What became of bytes: the code pages they went through, first to last, and what the text still shows."""

    pages: tuple[str, ...]
    alive: str = ""
    controls: bool = False
    """Whether C1 controls came through every page but the last: what the last one is read back to shows them."""

    @property
    def name(self) -> str:
        """The rule's name, as receipts give it."""
        if len(self.pages) == 2 and self.pages[0] == self.pages[1]:
            return f"{self.pages[0]} twice"
        return ", then ".join(self.pages)


@cache
def byte_looks(channel: Channel) -> tuple[Looks, ...]:
    """For each byte, its possible looks at the far end of a channel."""
    first, last = channel.pages[0], channel.pages[-1]
    # What the text shows was seen through the last page; of an earlier one it says nothing.
    inner = channel.alive if first == last else "\xa0"
    table = looks(first, inner + "\x80" if channel.controls and "\x80" not in inner else inner)
    for page in channel.pages[1:]:
        # One look for each byte keeps the ways that a character may look few: the cheapest, so what the text shows.
        table = tuple(tuple(_through((min(once, key=lambda look: look[1]),), page, channel.alive)) for once in table)
    return table


def _through(once: Looks, page: str, alive: str) -> list[tuple[str, float]]:
    """What the looks of one byte look like when they are written as UTF-8 and read once more."""
    found: dict[str, float] = {}
    for text, cost in once:
        sure = tuple((min(options, key=lambda look: look[1]),) for options in looks(page, alive))
        for seen, more in spell(text, sure):
            if cost + more < found.get(seen, 99.0):
                found[seen] = cost + more
    return sorted(found.items(), key=lambda item: item[1])


def spell(text: str, table: tuple[Looks, ...]) -> list[tuple[str, float]]:
    """Every way that text may look, with its cost."""
    options = [table[b] for c in text for b in (c.encode("utf-8") if c > "\x7f" else c.encode())]
    return [("".join(s for s, _ in way), sum(k for _, k in way)) for way in itertools.product(*options)]


@cache
def openers(channel: Channel) -> dict[str, tuple[int, ...]]:
    """What a damaged character may begin with: the first seen character, and the lead bytes it may stand for."""
    table = byte_looks(channel)
    found: dict[str, set[int]] = {}
    for lead in LEADS:
        for seen, _ in table[lead]:
            firsts = {seen[0]} if seen else {s[0] for b in TAILS for s, _ in table[b] if s}
            for first in firsts:
                if first != " ":
                    found.setdefault(first, set()).add(lead)
    return {first: tuple(sorted(leads)) for first, leads in found.items()}


def read_back(text: str, page: str) -> str:
    """Text as it was before a page read it: its bytes as UTF-8, those of lost or healthy characters left out.

    >>> read_back("Ã¢Â€Â™", "windows-1252")
    'â\\x80\\x99'
    """
    back = bytes_of(page)
    return bytes(b for c in text if (b := back.get(c, ord(c) if c < "\x80" else 0))).decode("utf-8", "ignore")


def _chars(chars: Iterable[str]) -> str:
    return "".join(sorted({re.escape(c) for c in chars if c and c > "\x7f"}))


@cache
def gate(page: str) -> re.Pattern[str]:
    """A lead byte's character before a continuation byte's: without one, nothing in a text was read in this page."""
    table = characters(page)
    leads = _chars(table[b] for b in LEADS)
    tails = _chars([*(table[b] for b in TAILS), *(chr(b) for b in undefined(page) if b in TAILS), "\ufffd"])
    return re.compile(f"[{leads}][{tails}]")


@cache
def instead(page: str) -> re.Pattern[str]:
    """A question mark in place of a lost byte: after a lead byte's character, and before another damaged one."""
    table = characters(page)
    leads = _chars(table[b] for b in LEADS)
    more = _chars(table[b] for b in (*LEADS, *TAILS))
    return re.compile(f"[{leads}]\\?[{more}]")


@cache
def any_gate() -> re.Pattern[str]:
    """All gates at once, made fast: most characters fail at the first class. Also a lone Ã inside a small word."""
    firsts = _chars(characters(page)[b] for page in CODECS for b in LEADS)
    pairs = "|".join(sorted({gate(page).pattern for page in CODECS}))
    return re.compile(f"(?=[{firsts}])(?:{pairs}|(?<=[a-z])[ÃÄÅÂ](?![A-ZÀ-Þ]))")
