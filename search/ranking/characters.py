"""Single characters of scripts without spaces: the pairs that they stand for in an index, which holds pairs alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from talksearch.indexer.text.han import simplified
from talksearch.indexer.text.terms import is_unspaced, terms

from .passage_table import PassageTable
from .term_variants import TermVariants
from .vocabulary import between

_MOST = 1_000
"""How many pairs stand for one character at most, those in the most passages."""

_EAST_ASIAN = (("\u3005", "\u3007"), ("\u3041", "\u3096"), ("\u30fc", "\u30fc"), ("\u4e00", "\u9fff"))
_SOUTH_EAST_ASIAN = (("\u0e01", "\u0ede"), ("\u1000", "\u109f"), ("\u1780", "\u17dd"))
"""Characters that pairs are made of, as (first, last)."""

_CHARACTER_SETS = ("gb2312", "shift_jis")
"""Encodings that hold the characters in use in China and Japan: 8,000 of 28,000."""


def with_characters(
    table: PassageTable, wanted: Sequence[str], variants: Mapping[str, TermVariants]
) -> dict[str, TermVariants]:
    """Return how else the terms of a query may stand in the index, once those of one character have their pairs.

    Args:
        table: the passages.
        wanted: the terms that are looked for.
        variants: how else they may stand in the index, as far as that is known (`expand_terms`).
    """
    found = dict(variants)
    for term in wanted:
        if len(term) == 1 and is_unspaced(term):
            known = found.get(term, TermVariants())
            found[term] = replace(known, terms=(*known.terms, *_pairs_with(table, term)))
    return found


def _pairs_with(table: PassageTable, character: str) -> list[str]:
    """Return the pairs of the index in which a character stands, the most frequent first."""
    east = character >= "\u2e80"
    first, last = ("\u3005", "\U0003ffff") if east else ("\u0e00", "\u17ff")
    if not table.columns:
        return [pair for pair in between(table.db, first, last) if character in pair and pair != character][:_MOST]
    # The index is in order, so what begins with the character stands together; what ends with it is asked for.
    begun = [pair for pair in between(table.db, character, character + last) if pair != character]
    ended = [other + character for other in _characters(east) if other != character]
    return table.columns.held([*begun, *ended])[:_MOST]


@cache
def _characters(east: bool) -> tuple[str, ...]:
    """Return the characters that pairs of an index may begin with, but for rare ones."""
    ranges = _EAST_ASIAN if east else _SOUTH_EAST_ASIAN
    every = (chr(code) for first, last in ranges for code in range(ord(first), ord(last) + 1))
    written = dict.fromkeys(simplified(character) for character in every if not east or _is_in_use(character))
    return tuple(character for character in written if terms(character) == [character])


def _is_in_use(character: str) -> bool:
    for character_set in _CHARACTER_SETS:
        try:
            character.encode(character_set)
        except UnicodeEncodeError:
            continue
        return True
    return False
