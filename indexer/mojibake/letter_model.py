"""How likely a character is where it stands: letters by their script's statistics, signs, case and quotation marks.

Every score is a natural logarithm of a probability.
"""

from __future__ import annotations

import math
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

from .ngrams import UNSEEN, chinese_variants, letter_bias, load_ngrams, lowercase, normalize, script
from .quotation import MARKS_WITH_SIDES, closing_floor, pair_mark, pair_marks, quote_direction

SCRIPT_CHANGE = 5.0
"""The cost of a letter in another script than the last letter's."""

SCRIPT_CHANGE_IN_WORD = 9.0
"""The cost of a letter in another script than the last letter's within the same word."""

DOUBLE_SPACE = 7.0
"""The cost of a second space in a row."""

LONE_FOREIGN_LETTER = 14.0
"""The cost of a letter of another script that stands alone before a small Latin letter."""

UNUSUAL_CONTEXT = 5.0
"""The most that a letter costs for not going with the letters before it: a word may be in no word list."""

DANDA = "\u0964"
"""The Hindi full stop. The texts behind the statistics write a Latin one, and their statistics of it hold for both."""

DANDA_FLOOR = -4.5
"""The least log probability of a danda, because the statistics come from words more than from sentences."""

CONTEXT_LENGTH = 10
"""How many characters before a letter its likelihood may depend on."""

_HAN_SCRIPTS = ("hani", "jpan")
_CASED_SCRIPTS = ("latn", "grek", "cyrl")


class Orthography(NamedTuple):
    """How to score letters that several languages share. A tuple is the quickest to look up scores by."""

    han: str = "hani"
    """The statistics by which Han characters are scored: `hani` for Chinese, `jpan` for Japanese."""
    traditional: bool | None = False
    """Whether Chinese is written in traditional characters; None where that is not known."""
    latin: str = ""
    """The language of text in Latin script; empty where its words do not decide."""


@cache
def _sign_log_probabilities() -> dict[str, float]:
    model = load_ngrams("signs")
    return {char: model.unpack(char)[0][char] for char in model.lines}


@cache
def characters_with_traditional_forms() -> frozenset[str]:
    """Simplified characters that traditional text writes otherwise, at least sometimes."""
    return frozenset(pair[0] for pair in chinese_variants()[1])


def simplify(char: str, traditional: bool | None) -> tuple[str, float]:
    """(the simplified character that the statistics know, log share of this spelling of it)."""
    simplified, shares = chinese_variants()
    simple = simplified.get(char, char)
    if traditional:
        if simple not in characters_with_traditional_forms():
            return simple, 0.0
        return simple, max(-9.0, shares.get(simple + char, -9.0))
    return simple, 0.0 if simple == char else -2.0 if traditional is None else -8.0


def _sign_log_probability(char: str, before: str) -> float:
    """Log probability of a sign, an emoji or a letter of a script without statistics, by itself."""
    if char == "\ufe0f":
        return -2.0 if before and unicodedata.category(before[-1]) in ("So", "Sm") else -14.0
    if char == "\u200d":
        return -4.0 if before and (before[-1] == "\ufe0f" or ord(before[-1]) > 0x1F000) else -14.0
    category = unicodedata.category(char)
    known = _sign_log_probabilities().get(char)
    if known is not None and (category != "Cf" or _last_script(before) in ("arab", "deva", "hebr")):
        return -4.0 + known
    if category in ("So", "Sk", "Mn"):
        return -21.0 if ord(char) < 0x1F000 else -20.0
    return {"Zs": -18.0, "Cf": -22.0, "Cc": -25.0, "Cn": -30.0, "Co": -30.0, "Cs": -40.0}.get(category, -21.0)


def _case_log_probability(char: str, before: str) -> float:
    """Log probability of a letter's case, by the letters before it."""
    if lowercase(char) == char and char.upper() == char:
        return 0.0
    is_capital = lowercase(char) != char
    previous = before[-1:]
    if previous.isalpha() and script(previous) == script(char):
        if previous != lowercase(previous):
            second = before[-2:-1]
            capitals = 0.85 if second and second.isalpha() and second != lowercase(second) else 0.12
        else:
            capitals = 0.0001
    else:
        sentence = before.rstrip(" \"'“„«(")
        capitals = 0.8 if not sentence or sentence[-1] in ".!?:\n" else 0.2
    return math.log(capitals if is_capital else 1 - capitals)


@lru_cache(maxsize=20_000)
def _last_script(before: str) -> str:
    return next((name for char in reversed(before) if (name := script(char))), "")


@lru_cache(maxsize=20_000)
def _context(before: str, model_name: str) -> str:
    """The letters before a letter as the statistics of a script see them."""
    context = normalize(before, model_name == "latn")[-5:]
    if model_name == "deva":
        return context.replace(DANDA, ".")
    if model_name == "hani":
        simplified = chinese_variants()[0]
        return "".join([simplified.get(char, char) for char in context])
    return context


@lru_cache(maxsize=50_000)  # two of three times it is asked again: hypotheses end alike, and spans are decoded twice
def letter_log_probability(before: str, char: str, orthography: Orthography) -> float:
    """Log probability of a character after the (up to CONTEXT_LENGTH) characters before it, as they are written."""
    letter_script = script(char)
    previous_script = _last_script(before)
    if letter_script == "latn" and char < "\x80" and previous_script not in ("", "latn"):
        letter_script = ""
        if char.islower() and before[-1:] and script(before[-1]) and script(before[-2:-1] or " ") in ("", "latn"):
            return -LONE_FOREIGN_LETTER + letter_log_probability("", char, orthography)
    model_name = letter_script or previous_script or "latn"
    score = 0.0
    if model_name == "hani" or (model_name == "jpan" and not letter_script):
        model_name = orthography.han
    is_change = letter_script and previous_script not in ("", letter_script)
    if is_change and not (letter_script in _HAN_SCRIPTS and previous_script in _HAN_SCRIPTS):
        in_word = before[-1:].isalpha() and before[-1:] > "\x7f"
        score -= SCRIPT_CHANGE_IN_WORD if in_word else SCRIPT_CHANGE
    model = load_ngrams(model_name)
    letter = "." if char == DANDA and model_name == "deva" else lowercase(char)
    context = _context(before, model_name)
    if letter_script == "latn" and char > "\x7f":
        score += letter_bias(orthography.latin, letter)
    if model_name == "hani" and (letter_script or char in "“”‘’「」『』"):
        letter, share = simplify(char, orthography.traditional)
        score += share if letter_script else max(share, -3.0)
    elif char < "\x80":
        letter = normalize(char, latin=model_name == "latn")
        if context.endswith(letter) and (letter in "0 " or (letter == "a" and model_name != "latn")):
            return score - (DOUBLE_SPACE if letter == " " and before[-2:-1] != " " else 0.0)
    if letter not in model:
        return score + (UNSEEN if letter_script else _sign_log_probability(char, before))
    # A word may be in no word list, and a sign may stand anywhere: the letters before never rule a character out.
    floor = model.score("", letter) - UNUSUAL_CONTEXT
    if not letter_script and char > "\x7f":
        floor = max(floor, _sign_log_probability(char, before) if char != DANDA else DANDA_FLOOR)
    score += max(model.score(context, letter), floor)
    return score + _case_log_probability(char, before) if letter_script in _CASED_SCRIPTS else score


def log_probability(before: str, char: str, orthography: Orthography, opened: str) -> float:
    """Log probability of a character after those before it, where quotation marks and brackets count as well.

    Args:
        before: At least the `CONTEXT_LENGTH` characters before it, as they are written.
        char: The character.
        orthography: How to score its letters.
        opened: The marks that are open before it (`quotation.pair_marks`).
    """
    letter = letter_log_probability(before[-CONTEXT_LENGTH:], char, orthography)
    if char not in MARKS_WITH_SIDES:
        return letter
    return max(letter, closing_floor(opened, char)) + quote_direction(before, char)


def text_log_probability(text: str, context: str, orthography: Orthography) -> float:
    """Log probability of text as it stands after a context, without the costs of marks that stand in pairs."""
    score = 0.0
    has_marks = not MARKS_WITH_SIDES.isdisjoint(text)
    opened = pair_marks(context)[0] if has_marks else ""
    context = context[-CONTEXT_LENGTH:]
    for char in text:
        score += log_probability(context, char, orthography, opened)
        if has_marks:
            opened, _ = pair_mark(opened, char)
        context = (context + char)[-CONTEXT_LENGTH:]
    return score
