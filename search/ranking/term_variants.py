"""Term variants: the other ways in which a query's words may stand in the index, as misheard names and as compounds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores.seals import holds_sql
from talksearch.indexer.stores.soundness import sound as sound_rows
from talksearch.indexer.text.terms import spans, terms_joined

from .compounds import CompoundFinder
from .filters import passages_by
from .passage_table import PassageTable
from .spellings import joined_spellings, spellings_of

_SURELY_ALIKE = 0.65
"""How alike the letters of two rare words that sound the same must be (0 to 1), where nothing is written about the
talk."""

_SHORTEST = 4
"""Letters of the shortest word whose mishearings are looked for."""


class TalkPhrase(NamedTuple):
    """Terms in a row that mean a term of the query in one talk only."""

    text: str
    """The terms, with spaces between."""
    talk: int
    """The talk's number in the catalog."""


@dataclass(frozen=True, slots=True)
class TermVariants:
    """How else a term may stand in the index."""

    terms: tuple[str, ...] = ()
    """Terms, or terms in a row with spaces between, that mean the same wherever they stand."""
    phrases: tuple[TalkPhrase, ...] = ()
    """What means the same in one talk only."""
    speakers: tuple[str, ...] = ()
    """Words of the names of those whose passages count as holding the term, because it is their name."""

    def texts(self) -> list[str]:
        """Return all variants as they stand in the index."""
        return [*self.terms, *(phrase.text for phrase in self.phrases)]


class _RareWord(NamedTuple):
    """A row of the catalog's table `odd`."""

    word: str
    term: str
    strange: int
    """Whether it is hardly a word."""


def expand_terms(
    db: sqlite3.Connection, text: str, terms: Sequence[str], compounds: CompoundFinder | None
) -> dict[str, TermVariants]:
    """Return how else the terms of a query may stand in the index; most terms have no variants and are left out.

    Four sources: what sounds like a name that is written about its talk (`passages.misheard`); for words that few
    people use, other such words of the archive that sound the same; the compounds that a word is part of; and the other
    ways to write it (`spellings`).

    Args:
        db: the catalog.
        text: the query.
        terms: those of its terms that are looked for.
        compounds: finds compounds; None where they are not wanted.
    """
    said = list(spans(text))
    words = {span.text: text[span.start : span.end] for span in said}
    variants = {term: _variants_of(db, term, words.get(term, term), compounds) for term in terms}
    for parts, joined in joined_spellings(db, text, said):
        for term in variants.keys() & {*parts}:
            variants[term] = replace(variants[term], terms=(*variants[term].terms, joined))
    return {term: other for term, other in variants.items() if other.terms or other.phrases}


def postings_with_variants(table: PassageTable, term: str, variants: TermVariants | None) -> Ints:
    """Return the places of the passages that hold a term, in whatever way it was written down, rising."""
    lists = [table.postings(term)]
    if variants:
        lists += [table.postings(other) for other in variants.terms]
        lists += [table.in_talk(table.postings(text), talk) for text, talk in variants.phrases]
        lists += [np.flatnonzero(passages_by(table, name)) for name in variants.speakers]
    return np.unique(np.concatenate(lists)) if len(lists) > 1 else lists[0]


def meanings_in(variants: Mapping[str, TermVariants], talk: int, text: str | None = None) -> dict[str, str]:
    """Return which terms mean a term of the query in one talk: {the term as it stands there: the query's term}.

    Args:
        variants: how else the terms of the query may stand there.
        talk: the talk's number in the catalog.
        text: where they are looked for; terms in a row mean nothing where they do not stand in a row in it. None for
            anywhere in the talk.
    """
    said: str | None = None
    meanings: dict[str, str] = {}
    for meant, others in variants.items():
        for variant in [*others.terms, *(phrase.text for phrase in others.phrases if phrase.talk == talk)]:
            if " " in variant and text is not None:
                said = f" {terms_joined(text)} " if said is None else said
                if f" {variant} " not in said:
                    continue
            for term in variant.split():
                meanings.setdefault(term, meant)
    return meanings


def variant_terms(variants: Mapping[str, TermVariants]) -> list[str]:
    """Return what may be looked for in every talk: all but single words that mean a name in one talk only."""
    return list(
        dict.fromkeys(
            text
            for others in variants.values()
            for text in [*others.terms, *(phrase.text for phrase in others.phrases if " " in phrase.text)]
        )
    )


def _variants_of(db: sqlite3.Connection, term: str, word: str, compounds: CompoundFinder | None) -> TermVariants:
    heard = f"SELECT heard, talk, {holds_sql('heard')} FROM heard WHERE meant = ? ORDER BY talk, heard"  # noqa: S608
    phrases = tuple(map(TalkPhrase._make, sound_rows(db.execute(heard, (term,)))))
    meant = f"SELECT DISTINCT meant, {holds_sql('heard')} FROM heard WHERE strange AND heard = ?"  # noqa: S608
    everywhere = [other for (other,) in sound_rows(db.execute(meant, (term,)))]
    everywhere += _sounding_like(db, term, word)
    everywhere += spellings_of(db, term, word)
    if compounds:
        everywhere += compounds.compounds_of(db, term)
    others = tuple(dict.fromkeys(other for other in everywhere if other != term))
    return TermVariants(others, phrases)


def _sounding_like(db: sqlite3.Connection, term: str, word: str) -> list[str]:
    """Return the rare terms that sound like a word which is rare itself, or which nobody says."""
    if len(word) < _SHORTEST or not word.isalpha():
        return []
    # Imported late, because short and numeric terms do without it, and it takes time to load.
    from talksearch.indexer.text.phonetics import looks_alike, plain, sound

    itself = db.execute("SELECT strange FROM odd WHERE sound = ? AND word = ?", (sound(word), plain(word))).fetchone()
    if not itself and db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (f'"{term}"',)).fetchone():
        return []
    alike = f"SELECT DISTINCT word, term, strange, {holds_sql('odd')} FROM odd WHERE sound = ?"  # noqa: S608
    rows = sound_rows(db.execute(alike, (sound(word),)))
    # "Deletion" sounds like "dilation", and both are words: one of the two must be hardly a word.
    hardly_a_word = not itself or bool(itself[0])
    return [
        rare.term
        for rare in map(_RareWord._make, rows)
        if (rare.strange or hardly_a_word) and looks_alike(rare.word, word) >= _SURELY_ALIKE
    ]
