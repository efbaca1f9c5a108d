"""The other ways in which the words of a query may stand in the index: names that captions misheard, and compounds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.terms import spans

from .compounds import compounds_of
from .passage_table import PassageTable

_SURELY = 0.65
"""How alike two odd words must be in letters that sound the same, where nothing is written about the talk."""

_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class TermVariants:
    """How else a term may stand in the index."""

    terms: tuple[str, ...] = ()
    """Terms, or terms in a row with spaces between, that mean the same wherever they stand."""
    phrases: tuple[tuple[str, int], ...] = ()
    """Terms in a row that mean the same in one talk: (terms with spaces between, number of the talk)."""


def expand_terms(
    db: sqlite3.Connection, text: str, asked: Sequence[str], *, compounds: bool = True
) -> dict[str, TermVariants]:
    """Return, for the terms of a query that were looked for (`asked`), how else they may stand; most stand for nothing.

    Three sources: what sounds like a name that is written about its talk (`misheard`); for words that few people use,
    other such words of the archive that sound the same; and, if wanted, `compounds` that a word is part of.
    """
    words = {term.text: text[term.start : term.end] for term in spans(text)}
    found = {term: _other_ways(db, term, words.get(term, term), compounds) for term in asked}
    return {term: ways for term, ways in found.items() if ways.terms or ways.phrases}


def holding_also(table: PassageTable, term: str, ways: TermVariants | None) -> Ints:
    """Return the places of the passages that hold a term, in whatever way it was written down, rising."""
    lists = [table.postings(term)]
    if ways:
        lists += [table.postings(other) for other in ways.terms]
        lists += [table.in_talk(table.postings(phrase), talk) for phrase, talk in ways.phrases]
    return np.unique(np.concatenate(lists)) if len(lists) > 1 else lists[0]


def heard_in(ways: Mapping[str, TermVariants], talk: int) -> dict[str, str]:
    """Return the terms that stand for a term of the query in one talk: {as it stands there: as it was asked}."""
    found: dict[str, str] = {}
    for asked, way in ways.items():
        for other in way.terms:
            for part in other.split():
                found.setdefault(part, asked)
        for phrase, number in way.phrases:
            if number == talk:
                for other in phrase.split():
                    found.setdefault(other, asked)
    return found


def other_terms(ways: Mapping[str, TermVariants]) -> list[str]:
    """Return what may be looked for in every talk: all but single words that stand for a name in one talk only."""
    return list(
        dict.fromkeys(
            other
            for way in ways.values()
            for other in [*way.terms, *(phrase for phrase, _ in way.phrases if " " in phrase)]
        )
    )


def _other_ways(db: sqlite3.Connection, term: str, word: str, compounds: bool) -> TermVariants:
    phrases = tuple(db.execute("SELECT heard, talk FROM heard WHERE meant = ? ORDER BY talk, heard", (term,)))
    others = [row[0] for row in db.execute("SELECT DISTINCT meant FROM heard WHERE strange AND heard = ?", (term,))]
    everywhere = [*others, *_alike(db, term, word), *(compounds_of(db, term) if compounds else ())]
    return TermVariants(tuple(dict.fromkeys(other for other in everywhere if other != term)), phrases)


def _alike(db: sqlite3.Connection, term: str, word: str) -> list[str]:
    """Return the odd terms that sound like a word which is odd itself, or which nobody says."""
    if len(word) < _SHORTEST or not word.isalpha():
        return []
    from talksearch.indexer.text.phonetics import looks_alike, plain, sound

    own = db.execute("SELECT strange FROM odd WHERE sound = ? AND word = ?", (sound(word), plain(word))).fetchone()
    if not own and db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (f'"{term}"',)).fetchone():
        return []
    rows = db.execute("SELECT DISTINCT word, term, strange FROM odd WHERE sound = ?", (sound(word),)).fetchall()
    # "Deletion" sounds like "dilation", and both are words: one of the two must be hardly any.
    nothing_known = not own or own[0]
    return [
        other
        for written, other, strange in rows
        if (strange or nothing_known) and looks_alike(written, word) >= _SURELY
    ]
