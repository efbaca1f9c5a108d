"""The single-byte code pages, and what decoding UTF-8 with the wrong one makes of a character.

Each byte of UTF-8 becomes the code page's character, or nothing where the byte was lost on the way. A `DecodePath` says
through which code pages a text went, one after the other. For each byte it gives every string that may stand there
afterwards, with the cost of believing it: a noisy channel, whose input the repair looks for.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

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
"""Python's codec for each code page, by the name that rules use for it, the commonest code page first."""

LEAD_BYTES = range(0xC2, 0xF5)
"""The bytes that begin a character of several bytes in UTF-8."""

CONTINUATION_BYTES = range(0x80, 0xC0)
"""The bytes that go on with a character in UTF-8."""

RARITY_COST = 0.5
"""The cost of believing in a code page, in nats for each commoner code page before it in `CODECS`."""

CONTRADICTION_COST = 9.0
"""The cost, in nats, of taking a byte for lost where the same text still shows the characters of such bytes."""

Outcomes = tuple[tuple[str, float], ...]
"""The strings that may stand in a damaged text for one byte, each with its cost in nats."""


@cache
def decoding_table(codepage: str) -> tuple[str, ...]:
    """The 256 characters of a code page, with the empty string where it has none.

    >>> decoding_table("windows-1254")[0xF0], decoding_table("windows-1254")[0x81]
    ('ğ', '')
    """
    return tuple(bytes([byte]).decode(CODECS[codepage], "ignore") for byte in range(256))


@cache
def undefined_bytes(codepage: str) -> frozenset[int]:
    """The bytes for which a code page has no character, and those that mean an invisible C1 control.

    >>> sorted(hex(byte)[2:] for byte in undefined_bytes("windows-1254"))
    ['81', '8d', '8e', '8f', '90', '9d', '9e']
    """
    return frozenset(byte for byte, char in enumerate(decoding_table(codepage)) if not char or "\x80" <= char <= "\x9f")


@cache
def encoding_table(codepage: str) -> dict[str, int]:
    """The byte of each character of a code page. An undefined byte stands for the C1 control of the same number."""
    table = {chr(byte): byte for byte in undefined_bytes(codepage) if byte > 0x7F}
    table.update({char: byte for byte, char in enumerate(decoding_table(codepage)) if char and byte > 0x7F})
    return table


def damage(text: str, codepage: str, dropped: Iterable[int] | None = None) -> str:
    r"""Make mojibake: encode text as UTF-8, drop bytes, decode the rest with a wrong code page. ASCII stays as it is.

    `dropped` is a bytes object or a set of byte values. By default it holds the bytes that the code page lacks and,
    where it has one, the soft hyphen. A byte that the code page lacks and that is not dropped becomes the C1 control of
    the same number, as in browsers.

    >>> damage("對", "windows-1254"), damage("í", "windows-1252"), damage("é", "mac-roman")
    ('å°', 'Ã', '√©')
    """
    table = decoding_table(codepage)
    if dropped is None:
        dropped = {byte for byte, char in enumerate(table) if not char or char == "\xad"}
    lost = set(dropped)
    outputs = ["" if byte in lost else char or chr(byte) for byte, char in enumerate(table)]
    return "".join(
        char if char < "\x80" else "".join(outputs[byte] for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )


_PATHS_KEPT = 64
"""Paths whose outcomes are remembered; a text tries about ten."""


@lru_cache(maxsize=_PATHS_KEPT)
def byte_outcomes(codepage: str, surviving: str) -> tuple[Outcomes, ...]:
    """For each byte, what it may have become by being decoded with one code page.

    `surviving` holds those fragile characters that the text still shows: NBSP, SOFT HYPHEN, U+FFFD, `?` in the place of
    a byte, and U+0080 for any C1 control. Where the text shows one, such bytes were probably not lost elsewhere. Where
    it does not, no byte became one.
    """
    table = []
    control_cost = CONTRADICTION_COST if "\x80" in surviving else 0.0
    loss_cost = max(control_cost, CONTRADICTION_COST if "\ufffd" in surviving or "?" in surviving else 0.0)
    for byte, char in enumerate(decoding_table(codepage)):
        if byte < 0x80:
            options = {char: 0.0}
        elif not char:
            options = {chr(byte): 0.0, "": loss_cost, "\ufffd": 0.0, "?": 1.0}
        elif "\x80" <= char <= "\x9f":
            options = {char: 0.0, "": 0.5 + control_cost}
        elif char == "\xa0":
            cost = CONTRADICTION_COST if char in surviving else 0.0
            options = {char: 0.0, " ": 8.0 + cost, "": 2.5 + cost}  # a space is nearly always a space
        elif unicodedata.category(char) == "Cf":
            options = {char: 0.0, "": CONTRADICTION_COST if char in surviving else 0.0}
        else:
            options = {char: 0.0}
        if not control_cost and (not char or "\x80" <= char <= "\x9f"):
            options.pop(char or chr(byte))
        fragile = ("\xa0", "\xad", "\ufffd", "?")
        possible = {
            output: cost
            for output, cost in options.items()
            if byte < 0x80 or output not in fragile or output in surviving
        }
        table.append(tuple(possible.items()))
    return tuple(table)


@dataclass(frozen=True, slots=True)
class DecodePath:
    """The wrong code pages with which a text was decoded, first to last, and what the text shows of fragile bytes."""

    codepages: tuple[str, ...]
    surviving: str = ""
    """The fragile characters that the text still shows, as `byte_outcomes` takes them."""
    inner_controls: bool = False
    """Whether C1 controls survived every code page but the last: undoing the last one shows them."""

    @property
    def name(self) -> str:
        """The rule's name, as receipts keep it."""
        if len(self.codepages) == 2 and self.codepages[0] == self.codepages[1]:
            return f"{self.codepages[0]} twice"
        return ", then ".join(self.codepages)


@lru_cache(maxsize=_PATHS_KEPT)
def path_outcomes(path: DecodePath) -> tuple[Outcomes, ...]:
    """For each byte, what it may have become at the end of a decode path."""
    first, last = path.codepages[0], path.codepages[-1]
    # The text was seen through the last code page, so what it shows says nothing of an earlier one.
    inner = path.surviving if first == last else "\xa0"
    table = byte_outcomes(first, inner + "\x80" if path.inner_controls and "\x80" not in inner else inner)
    for codepage in path.codepages[1:]:
        # Only the cheapest outcome of each byte is decoded again, since it is what the text shows. All of them would
        # give a character too many outcomes.
        table = tuple(
            tuple(_decode_again((min(outcomes, key=lambda outcome: outcome[1]),), codepage, path.surviving))
            for outcomes in table
        )
    return table


def _decode_again(outcomes: Outcomes, codepage: str, surviving: str) -> list[tuple[str, float]]:
    """What the outcomes of one byte become when they are encoded as UTF-8 and decoded once more."""
    cheapest: dict[str, float] = {}
    for text, cost in outcomes:
        table = tuple((min(options, key=lambda outcome: outcome[1]),) for options in byte_outcomes(codepage, surviving))
        for output, further_cost in text_outcomes(text, table):
            if cost + further_cost < cheapest.get(output, 99.0):
                cheapest[output] = cost + further_cost
    return sorted(cheapest.items(), key=lambda item: item[1])


def text_outcomes(text: str, table: tuple[Outcomes, ...]) -> list[tuple[str, float]]:
    """Everything that a text may have become, with its cost, by the outcomes of each byte."""
    options = [table[byte] for char in text for byte in (char.encode("utf-8") if char > "\x7f" else char.encode())]
    return [
        ("".join(output for output, _ in choice), sum(cost for _, cost in choice))
        for choice in itertools.product(*options)
    ]


@lru_cache(maxsize=_PATHS_KEPT)
def lead_bytes_by_first_character(path: DecodePath) -> dict[str, tuple[int, ...]]:
    """The lead bytes that a damaged character may have had, by the first character that stands there now."""
    table = path_outcomes(path)
    leads_by_first: dict[str, set[int]] = {}
    for lead in LEAD_BYTES:
        for output, _ in table[lead]:
            if output:
                firsts = {output[0]}
            else:
                firsts = {following[0] for byte in CONTINUATION_BYTES for following, _ in table[byte] if following}
            for first in firsts:
                if first != " ":
                    leads_by_first.setdefault(first, set()).add(lead)
    return {first: tuple(sorted(leads)) for first, leads in leads_by_first.items()}


def undo_decoding(text: str, codepage: str) -> str:
    """Text as it was before a code page decoded it, without the characters that are healthy or lost bytes.

    >>> undo_decoding("Ã¢Â€Â™", "windows-1252")
    'â\\x80\\x99'
    """
    table = encoding_table(codepage)
    data = bytes(byte for char in text if (byte := table.get(char, ord(char) if char < "\x80" else 0)))
    return data.decode("utf-8", "ignore")


def _character_class(chars: Iterable[str]) -> str:
    """The inside of a regular expression's character class, without ASCII: nothing that must be escaped."""
    return "".join(sorted({char for char in chars if char and char > "\x7f"}))


@cache
def damage_pattern(codepage: str) -> re.Pattern[str]:
    """A lead byte's character before a continuation byte's. A text without one was not decoded with this code page."""
    table = decoding_table(codepage)
    leads = _character_class(table[byte] for byte in LEAD_BYTES)
    controls = (chr(byte) for byte in undefined_bytes(codepage) if byte in CONTINUATION_BYTES)
    continuations = _character_class([*(table[byte] for byte in CONTINUATION_BYTES), *controls, "\ufffd"])
    return re.compile(f"[{leads}][{continuations}]")


@cache
def question_mark_pattern(codepage: str) -> re.Pattern[str]:
    """A question mark in the place of a lost byte: after a lead byte's character and before another damaged one."""
    table = decoding_table(codepage)
    leads = _character_class(table[byte] for byte in LEAD_BYTES)
    damaged = _character_class(table[byte] for byte in (*LEAD_BYTES, *CONTINUATION_BYTES))
    return re.compile(f"[{leads}]\\?[{damaged}]")


@cache
def any_damage_pattern() -> re.Pattern[str]:
    """The damage patterns of all code pages in one, and a lone Ã, Ä, Å or Â inside a word of small letters.

    It is fast because most characters already fail at its first character class.
    """
    firsts = _character_class(decoding_table(codepage)[byte] for codepage in CODECS for byte in LEAD_BYTES)
    pairs = "|".join(sorted({damage_pattern(codepage).pattern for codepage in CODECS}))
    return re.compile(f"(?=[{firsts}])(?:{pairs}|(?<=[a-z])[ÃÄÅÂ](?![A-ZÀ-Þ]))")
