"""Where damage may be: lines by a regular expression, spans by what a code page explains of their words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .codepages import CONTINUATION_BYTES, any_damage_pattern, decoding_table, encoding_table, undefined_bytes

FEW_LOST_BYTES = 8
"""A code page that loses at most so many of the 64 continuation bytes seldom leaves a lead byte alone."""

LONE_LEAD = re.compile("(?<=[a-z])[ÃÄÅÂ](?![A-ZÀ-Þ])")
"""The character of a lead byte whose continuation byte was lost, inside a word of small letters."""

_QUIET_WORDS = 8
"""How many words in a row may show no damage inside one span."""

_LONE_LEAD_CODEPAGES = ("windows-1252", "windows-1254", "windows-1258", "latin-1", "latin-9")
"""The code pages in which `LONE_LEAD` is the character of a lead byte."""

_WORD = re.compile(r"[^ \t\r\n]+")

_SEQUENCE_SCORES = (0, 3, 2, 1, 1, 0, -1)
"""How much each group of `_sequence_pattern` speaks for a code page, by the group's number."""

_TRUNCATED_GROUPS = (4, 5)
"""The groups of `_sequence_pattern` that lost continuation bytes."""

_LONE_LEAD_GROUP = 5
"""The group of `_sequence_pattern` that holds mostly a lead byte alone."""

_OTHER_GROUP = 6
"""The group of `_sequence_pattern` whose character no UTF-8 sequence explains."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that may be damaged. `start` and `end` count its characters."""

    start: int
    end: int


@cache
def _sequence_pattern(codepage: str) -> re.Pattern[str]:
    """One UTF-8 sequence as a code page shows it. The groups are:

    1. four bytes, 2. three bytes, 3. two bytes, all whole; 4. a sequence that kept at least two bytes; 5. a sequence
    that kept a lead byte and little more; 6. any other character that is not ASCII.
    """
    table = decoding_table(codepage)

    def chars(values: Iterable[int]) -> str:
        class_chars = [table[byte] or chr(byte) for byte in values]
        return "".join(re.escape(char) for char in class_chars) + ("\ufffd" if values == CONTINUATION_BYTES else "")

    two, three, four = chars(range(0xC2, 0xE0)), chars(range(0xE0, 0xF0)), chars(range(0xF0, 0xF5))
    continuation = chars(CONTINUATION_BYTES)
    other = chars(range(0x80, 0x100))
    return re.compile(
        f"([{four}][{continuation}]{{3}})|([{three}][{continuation}]{{2}})|([{two}][{continuation}])"
        f"|([{three}][{continuation}]|[{four}][{continuation}]{{2}})|([{four}][{continuation}]?|[{two}{three}])|([{other}])"
    )


def _word_score(word: str, codepage: str) -> int:
    """How much of a word a code page explains, less what it leaves over."""
    if word.isascii():
        return 0
    loses_bytes = len(undefined_bytes(codepage)) > 0 or "\xad" in decoding_table(codepage)
    total = 0
    for match in _sequence_pattern(codepage).finditer(word):
        group = match.lastindex or 0
        total += _SEQUENCE_SCORES[group] if loses_bytes or group not in (*_TRUNCATED_GROUPS, _OTHER_GROUP) else -1
    if total <= 0 and codepage in _LONE_LEAD_CODEPAGES and LONE_LEAD.search(word):
        total += 1  # only where nothing else decides: a code page must not gain by what another explains completely
    return total


def count_truncated(line: str, codepage: str) -> int:
    """How many characters of a line lost bytes, as a code page explains it."""
    return sum(match.lastindex in _TRUNCATED_GROUPS for match in _sequence_pattern(codepage).finditer(line))


def has_question_marks_for_bytes(text: str, codepage: str) -> bool:
    """Whether question marks stand for lost bytes: they follow most truncated sequences, not just a question.

    >>> has_question_marks_for_bytes("Ð?Ñ‚Ð°", "windows-1252")
    True
    >>> has_question_marks_for_bytes("Ð¡ÐºÐ¾Ð»ÑŒÐÐÐ?Ñ‚Ð°", "windows-1252")
    False
    """
    matches = _sequence_pattern(codepage).finditer(text)
    ends = [match.end() for match in matches if match.lastindex in _TRUNCATED_GROUPS]
    return 2 * sum(text[end : end + 1] == "?" for end in ends) > len(ends)


def _has_lone_lead(word: str, codepage: str) -> bool:
    """Whether a word holds a lead byte's character by itself and nothing that a code page cannot explain."""
    groups = {match.lastindex for match in _sequence_pattern(codepage).finditer(word)}
    return _LONE_LEAD_GROUP in groups and _OTHER_GROUP not in groups


def damaged_spans(line: str, codepage: str, include_lone_leads: bool = False) -> list[Span]:
    """Spans of a line from one word that a code page explains to the next, with nothing between that it cannot explain.

    A word whose only damage is a lone lead byte's character can be in a span, but is one by itself only with
    `include_lone_leads`.
    """
    spans: list[Span] = []
    start = end = -1
    quiet_words = 0
    is_explained = include_lone_leads
    for match in _WORD.finditer(line):
        score = _word_score(match[0], codepage)
        if score > 0 or (score == 0 and not match[0].isascii() and _has_lone_lead(match[0], codepage)):
            if start < 0:
                start = match.start()
                is_explained = include_lone_leads
            is_explained = is_explained or score > 0
            end = match.end()
            quiet_words = 0
            continue
        quiet_words += 1
        if start >= 0 and (score < 0 or quiet_words > _QUIET_WORDS):
            if is_explained:
                spans.append(Span(start, end))
            start = -1
    if start >= 0 and is_explained:
        spans.append(Span(start, end))
    return [_widen(line, span) for span in spans]


def _widen(line: str, span: Span) -> Span:
    """A span with the characters beside it that are not ASCII: lone lead bytes are damage that shows no sign of it."""
    start, end = span.start, span.end
    while start > 0 and line[start - 1] > "\x7f":
        start -= 1
    while end < len(line) and line[end] > "\x7f":
        end += 1
    return Span(start, end)


def suspicious_lines(text: str) -> list[Span]:
    """The lines that may be damaged by any code page."""
    if text.isascii():
        return []
    pattern = any_damage_pattern()
    lines = []
    position = 0
    while match := pattern.search(text, position):
        start = text.rfind("\n", 0, match.start()) + 1
        position = text.find("\n", match.start()) + 1 or len(text)
        lines.append(Span(start, position))
    return lines


def non_ascii_lines(text: str) -> list[Span]:
    """Every line that is not plain ASCII."""
    lines = []
    start = 0
    for line in text.split("\n"):
        if not line.isascii():
            lines.append(Span(start, start + len(line)))
        start += len(line) + 1
    return lines


def _count_unexplained(words: list[str], codepage: str) -> int:
    """How many characters are lone lead bytes or not of the code page: in healthy words, most of them."""
    table = encoding_table(codepage)
    pattern = _sequence_pattern(codepage)
    lone_leads = sum(match.lastindex == _LONE_LEAD_GROUP for word in words for match in pattern.finditer(word))
    foreign = sum(char > "\x7f" and char not in table and char != "\ufffd" for word in words for char in word)
    return lone_leads + foreign


@cache
def _unexplained_allowed(codepage: str) -> int:
    """How many characters damaged words may leave unexplained for each that is explained.

    It depends on how many continuation bytes the code page loses. In healthy Arabic, most of whose letters are lead
    bytes' characters in windows-1256, far more stay unexplained, so that no statistics need to be loaded.
    """
    table = decoding_table(codepage)
    invisible = {byte for byte in CONTINUATION_BYTES if unicodedata.category(table[byte] or "x") == "Cf"}
    lost = undefined_bytes(codepage) | invisible
    return 1 if len(lost & set(CONTINUATION_BYTES)) <= FEW_LOST_BYTES else 2


def count_explained(text: str, lines: list[Span], codepage: str) -> tuple[int, int]:
    """(how much a code page explains of all lines, how many of their characters it does not contain)."""
    table = encoding_table(codepage)
    explained = foreign = 0
    for line in lines:
        line_text = text[line.start : line.end]
        for span in damaged_spans(line_text, codepage):
            words = [word[0] for word in _WORD.finditer(line_text[span.start : span.end])]
            scores = [_word_score(word, codepage) for word in words]
            explained_words = [word for word, score in zip(words, scores, strict=True) if score > 0]
            allowed = _unexplained_allowed(codepage) * sum(score for score in scores if score > 0)
            if _count_unexplained(explained_words, codepage) <= allowed:
                explained += sum(scores)
        foreign += sum(char > "\x7f" and char not in table and char != "\ufffd" for char in line_text)
    return explained, foreign
