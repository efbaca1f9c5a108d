"""Where damage may be: lines by a regular expression, stretches by what a code page explains of their words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .codepages import TAILS, any_gate, bytes_of, characters, undefined


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a line that damage may cover."""

    start: int
    end: int


@cache
def _grammar(page: str) -> re.Pattern[str]:
    """The words of a page's bytes: groups 1 to 6 are sequences worth 3, 2, 1, 1, 0 and -1."""
    table = characters(page)

    def chars(values: Iterable[int]) -> str:
        kept = [table[b] or chr(b) for b in values]
        return "".join(re.escape(c) for c in kept) + ("\ufffd" if values == range(0x80, 0xC0) else "")

    two, three, four = chars(range(0xC2, 0xE0)), chars(range(0xE0, 0xF0)), chars(range(0xF0, 0xF5))
    tail = chars(range(0x80, 0xC0))
    other = chars(range(0x80, 0x100))
    return re.compile(
        f"([{four}][{tail}]{{3}})|([{three}][{tail}]{{2}})|([{two}][{tail}])"
        f"|([{three}][{tail}]|[{four}][{tail}]{{2}})|([{four}][{tail}]?|[{two}{three}])|([{other}])"
    )


FEW = 8
"""Of 64 tail bytes, as many as a page may lose for a lone lead byte to be an exception."""
_WORTH = (0, 3, 2, 1, 1, 0, -1)
_WORD = re.compile(r"[^ \t\r\n]+")
LONE = re.compile("(?<=[a-z])[ÃÄÅÂ](?![A-ZÀ-Þ])")
_LONELY_PAGES = ("windows-1252", "windows-1254", "windows-1258", "latin-1", "latin-9")


def _balance(word: str, page: str) -> int:
    """What a page explains of a word, less what it leaves over."""
    if word.isascii():
        return 0
    loses = len(undefined(page)) > 0 or "\xad" in characters(page)
    total = 0
    for match in _grammar(page).finditer(word):
        group = match.lastindex or 0
        total += _WORTH[group] if loses or group < 4 else -1
    if total <= 0 and page in _LONELY_PAGES and LONE.search(word):
        total += 1  # only where nothing else tells: a page must not gain by it on what another page reads whole
    return total


def cut_short(line: str, page: str) -> int:
    """How many characters of a line lost bytes, as a page sees it."""
    return sum(match.lastindex in (4, 5) for match in _grammar(page).finditer(line))


def asked_instead(text: str, page: str) -> bool:
    """Whether question marks stand for lost bytes: after most of what was cut short, not after the last of a question.

    >>> asked_instead("Ð?Ñ‚Ð°", "windows-1252"), asked_instead("Ð¡ÐºÐ¾Ð»ÑŒÐÐÐ?Ñ‚Ð°", "windows-1252")
    (True, False)
    """
    short = [match.end() for match in _grammar(page).finditer(text) if match.lastindex in (4, 5)]
    return 2 * sum(text[end : end + 1] == "?" for end in short) > len(short)


def _lone(word: str, page: str) -> bool:
    """Whether a word holds a lead byte's character by itself and nothing that a page cannot explain."""
    groups = {match.lastindex for match in _grammar(page).finditer(word)}
    return 5 in groups and 6 not in groups


def spans(line: str, page: str, bold: bool = False) -> list[Span]:
    """Stretches of a line from one word that a page explains to the next, with nothing between that it does not.

    A word whose only damage is a lone lead character belongs to a stretch, but makes one only where `bold` says so.
    """
    spans: list[Span] = []
    start = end = -1
    quiet = 0
    sure = bold
    for match in _WORD.finditer(line):
        balance = _balance(match[0], page)
        if balance > 0 or (balance == 0 and not match[0].isascii() and _lone(match[0], page)):
            if start < 0:
                start = match.start()
                sure = bold
            sure = sure or balance > 0
            end = match.end()
            quiet = 0
            continue
        quiet += 1
        if start >= 0 and (balance < 0 or quiet > 8):
            if sure:
                spans.append(Span(start, end))
            start = -1
    if start >= 0 and sure:
        spans.append(Span(start, end))
    return [_wide(line, span) for span in spans]


def _wide(line: str, span: Span) -> Span:
    """Take in neighbours that are damage without a sign of their own: a lone lead character beside the span."""
    start, end = span.start, span.end
    while start > 0 and line[start - 1] > "\x7f":
        start -= 1
    while end < len(line) and line[end] > "\x7f":
        end += 1
    return Span(start, end)


def suspicious(text: str) -> list[Span]:
    """The lines in which the gate finds something."""
    if text.isascii():
        return []
    pattern = any_gate()
    lines = []
    done = 0
    while match := pattern.search(text, done):
        start = text.rfind("\n", 0, match.start()) + 1
        done = text.find("\n", match.start()) + 1 or len(text)
        lines.append(Span(start, done))
    return lines


def lines_of(text: str) -> list[Span]:
    """Every line that is not plain ASCII."""
    spans = []
    start = 0
    for line in text.split("\n"):
        if not line.isascii():
            spans.append(Span(start, start + len(line)))
        start += len(line) + 1
    return spans


def _left_over(words: list[str], page: str) -> int:
    """How many characters of words are lone lead bytes or none of the page's: most, in words that are healthy."""
    back = bytes_of(page)
    lone = sum(match.lastindex == 5 for word in words for match in _grammar(page).finditer(word))
    return lone + sum(c > "\x7f" and c not in back and c != "\ufffd" for word in words for c in word)


@cache
def _at_most(page: str) -> int:
    """How many characters damaged words leave over for each that they explain, by how many tail bytes a page loses.

    In healthy Arabic, where most letters are lead bytes' in windows-1256, it is far more, and no statistics need be
    loaded to see it.
    """
    table = characters(page)
    lost = undefined(page) | {b for b in TAILS if unicodedata.category(table[b] or "x") == "Cf"}
    return 1 if len(lost & set(TAILS)) <= FEW else 2


def explained(text: str, lines: list[Span], page: str) -> tuple[int, int]:
    """(how much a page explains in all lines, how many characters of these lines it cannot hold)."""
    back = bytes_of(page)
    gross = over = 0
    for line in lines:
        part = text[line.start : line.end]
        for span in spans(part, page):
            words = [word[0] for word in _WORD.finditer(part[span.start : span.end])]
            balances = [_balance(word, page) for word in words]
            telling = [word for word, balance in zip(words, balances, strict=True) if balance > 0]
            if _left_over(telling, page) <= _at_most(page) * sum(b for b in balances if b > 0):
                gross += sum(balances)
        over += sum(c > "\x7f" and c not in back and c != "\ufffd" for c in part)
    return gross, over
