"""How likely a character is where it stands: letters by their script's statistics, signs, case and quotation marks.

Everything here is a natural logarithm of a probability.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from .ngrams import UNSEEN, chinese, letter_bias, load, lower, normal, script
from .quotation import closing, quotes

SWITCH = 5.0
"""To go on in another script."""
SWITCH_INSIDE = 9.0
"""To do so inside a word."""
DOUBLED = 7.0
"""A second space."""
SANDWICH = 14.0
"""For a letter of another script to stand alone before a small Latin letter."""
RARE = 5.0
"""What it costs at most that a letter does not go with the letters before it."""
DANDA = "\u0964"
"""The Hindi full stop. The texts behind the statistics write a Latin one, and what they say of it holds for both."""
STOP = -4.5
"""The log probability of a danda, at least: the statistics are of words more than of sentences."""
TAIL = 10
"""Letters before a letter that its likelihood may depend on."""


@dataclass(frozen=True, slots=True)
class Style:
    """How letters are read that several languages share: Han characters by `hani` or `jpan` statistics, in one of the
    two Chinese spellings, and Latin ones."""

    han: str = "hani"
    traditional: bool | None = False
    latin: str = ""
    """The language of text in Latin script, where its words tell."""


@cache
def _signs() -> dict[str, float]:
    model = load("signs")
    return {c: model.unpack(c)[0][c] for c in model.lines}


@cache
def respelled() -> frozenset[str]:
    """Simplified characters that are written otherwise in traditional text, at least sometimes."""
    return frozenset(pair[0] for pair in chinese()[1])


def spelling(char: str, traditional: bool | None) -> tuple[str, float]:
    """(the simplified character that the statistics know, log share of this spelling of it)."""
    simplify, shares = chinese()
    simple = simplify.get(char, char)
    if traditional:
        return simple, max(-9.0, shares.get(simple + char, -9.0)) if simple in respelled() else 0.0
    return simple, 0.0 if simple == char else -2.0 if traditional is None else -8.0


def _sign(char: str, before: str) -> float:
    """Log probability of a sign, an emoji or a letter of an unknown script, by itself."""
    if char == "\ufe0f":
        return -2.0 if before and unicodedata.category(before[-1]) in ("So", "Sm") else -14.0
    if char == "\u200d":
        return -4.0 if before and (before[-1] == "\ufe0f" or ord(before[-1]) > 0x1F000) else -14.0
    category = unicodedata.category(char)
    known = _signs().get(char)
    if known is not None and (category != "Cf" or _last_script(before) in ("arab", "deva", "hebr")):
        return -4.0 + known
    if category in ("So", "Sk", "Mn"):
        return -21.0 if ord(char) < 0x1F000 else -20.0
    return {"Zs": -18.0, "Cf": -22.0, "Cc": -25.0, "Cn": -30.0, "Co": -30.0, "Cs": -40.0}.get(category, -21.0)


def _case(char: str, before: str) -> float:
    """Log probability of a letter's case, by the letters before it."""
    if lower(char) == char and char.upper() == char:
        return 0.0
    big = lower(char) != char
    last = before[-1:]
    if last.isalpha() and script(last) == script(char):
        if last != lower(last):
            second = before[-2:-1]
            share = 0.85 if second and second.isalpha() and second != lower(second) else 0.12
        else:
            share = 0.0001
    else:
        opening = before.rstrip(" \"'“„«(")
        share = 0.8 if not opening or opening[-1] in ".!?:\n" else 0.2
    return math.log(share if big else 1 - share)


@lru_cache(maxsize=20_000)
def _last_script(before: str) -> str:
    return next((s for c in reversed(before) if (s := script(c))), "")


@lru_cache(maxsize=20_000)
def _context(before: str, here: str) -> str:
    """The letters before a letter as the statistics of a script see them."""
    context = normal(before, here == "latn")[-5:]
    if here == "deva":
        return context.replace(DANDA, ".")
    if here == "hani":
        simplify = chinese()[0]
        return "".join([simplify.get(c, c) for c in context])
    return context


def likelihood(before: str, char: str, style: Style) -> float:
    """Log probability of a character after the (up to TAIL) characters before it, as they are written."""
    letters = script(char)
    last = _last_script(before)
    if letters == "latn" and char < "\x80" and last not in ("", "latn"):
        letters = ""
        if char.islower() and before[-1:] and script(before[-1]) and script(before[-2:-1] or " ") in ("", "latn"):
            return -SANDWICH + likelihood("", char, style)
    here = letters or last or "latn"
    cost = 0.0
    if here == "hani" or (here == "jpan" and not letters):
        here = style.han
    if letters and last not in ("", letters) and not (letters in _HAN and last in _HAN):
        inside = before[-1:].isalpha() and before[-1:] > "\x7f"
        cost -= SWITCH_INSIDE if inside else SWITCH
    model = load(here)
    small = "." if char == DANDA and here == "deva" else lower(char)
    context = _context(before, here)
    if letters == "latn" and char > "\x7f":
        cost += letter_bias(style.latin, small)
    if here == "hani" and (letters or char in "“”‘’「」『』"):
        small, share = spelling(char, style.traditional)
        cost += share if letters else max(share, -3.0)
    elif char < "\x80":
        small = normal(char, latin=here == "latn")
        if context.endswith(small) and (small in "0 " or (small == "a" and here != "latn")):
            return cost - (DOUBLED if small == " " and before[-2:-1] != " " else 0.0)
    if small not in model:
        return cost + (UNSEEN if letters else _sign(char, before))
    # A word may be in no word list, and a sign may stand anywhere: the letters before never rule a character out.
    anywhere = model.score("", small) - RARE
    if not letters and char > "\x7f":
        anywhere = max(anywhere, _sign(char, before) if char != DANDA else STOP)
    cost += max(model.score(context, small), anywhere)
    return cost + _case(char, before) if letters in _CASED else cost


_HAN = ("hani", "jpan")
_CASED = ("latn", "grek", "cyrl")


def gain(before: str, char: str, style: Style) -> float:
    """Log probability of a character after those before it, quotation marks looked at more closely."""
    return max(likelihood(before[-TAIL:], char, style), closing(before, char)) + quotes(before, char)


def literal(text: str, context: str, style: Style) -> float:
    """Log probability of text as it stands, brackets and quotation marks in pairs not counted."""
    score = 0.0
    for c in text:
        score += gain(context, c, style)
        context += c
    return score
