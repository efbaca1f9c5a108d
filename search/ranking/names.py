"""Names that nobody says, or that are spelt nearly right: who speaks by that name, and which name was meant.

Only words of a query that no passage holds are looked at, so that nothing else changes its rank. A name is near where
it looks and sounds like the word (`text.phonetics`). Captions hardly ever say who speaks, so a speaker's own passages
count as holding the name.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from talksearch.indexer.text.han import simplified
from talksearch.indexer.text.letters import folded, letters_written_out, unaccented
from talksearch.indexer.text.terms import has_unspaced, spans

from .passage_table import PassageTable
from .term_variants import TermVariants
from .vocabulary import is_said, texts_holding

_NEAR = 0.75
"""How much a name must look and sound like the word (0 to 1)."""

_SURE = 0.85
"""From this likeness on, a query that is nothing but such a word asks for the name."""

_NEAR_IN_LETTERS = 0.6
"""How alike their letters alone must be."""

_ROUNDING = 0.001

_SHORTEST = 3
"""Letters of the shortest name that is looked for as it stands."""

_SHORTEST_UNSPACED = 2
"""Characters of the shortest name in a script without spaces."""

_SHORTEST_NEAR = 5
"""Letters of the shortest word for which a name nearly like it is taken."""

_MOST = 5
"""How many names stand for one word at most, the most alike."""


class QueryNames(NamedTuple):
    """What names add to a query."""

    variants: dict[str, TermVariants]
    """How else the terms of the query may stand in the index, with the names."""
    note: str
    """What was taken for what, in a sentence for whoever asks; empty where nothing was."""
    is_name: bool
    """The query is nothing but names that were taken for others, or of people who speak: it asks for the person."""


class _Near(NamedTuple):
    """A name that is like a word."""

    likeness: float
    name: str
    """As people write it."""
    term: str
    """The term that it is in the index, or the word of a speaker's name by which that one is found."""


def with_names(
    table: PassageTable, text: str, terms: Sequence[str], variants: Mapping[str, TermVariants]
) -> QueryNames:
    """Return how else the terms of a query may stand in the index, once the names are looked at.

    Args:
        table: the passages.
        text: the query.
        terms: those of its terms that are looked for.
        variants: how else they may stand in the index, as far as that is known (`expand_terms`).
    """
    words = {span.text: text[span.start : span.end] for span in spans(text)}
    found = dict(variants)
    notes: dict[tuple[str, ...], list[str]] = {}
    """The words that are taken for others, by what they are taken for."""
    taken = 0
    whole: set[str] = set()
    """Terms of names in scripts without spaces, which are looked at as a whole."""
    for name, speakers_of_it in _unspaced_names(table, text):
        parts_of_it = [span.text for span in spans(name) if span.text in terms]
        if not parts_of_it or is_said(table.db, " ".join(span.text for span in spans(name))):
            continue
        for term in parts_of_it:
            known = found.get(term, TermVariants())
            found[term] = replace(known, speakers=tuple(map(folded, speakers_of_it)))
        whole.update(parts_of_it)
        notes.setdefault(tuple(f"what {speaker} says" for speaker in speakers_of_it), []).append(name)
    taken += len(whole)
    for term in terms:
        if term in whole:
            continue
        word = words.get(term, term)
        plain = "".join(character for character in unaccented(word) if character.isalnum())
        if len(plain) < _SHORTEST or not plain.isalpha() or is_said(table.db, term):
            continue
        known = found.get(term, TermVariants())
        speakers = _likest(_speakers_like(table, plain))
        written = [near for near in _likest(_rare_words_like(table.db, plain)) if near.name != plain]
        if not speakers and not written:
            continue
        terms_written = tuple(dict.fromkeys((*known.terms, *(near.term for near in written))))
        taken += bool(speakers) or written[0].likeness >= _SURE
        found[term] = replace(known, terms=terms_written, speakers=tuple(near.term for near in speakers))
        names = {folded(near.name): near.name for near in reversed(speakers)}
        spoken = [f"what {name} says" for name in reversed(names.values())]
        parts = {near.term for near in speakers}
        spoken += [f"“{_as_written(table.db, near)}”" for near in written if near.name not in parts]
        notes.setdefault(tuple(dict.fromkeys(spoken)), []).append(word)
    note = " ".join(_note(meant, others) for others, meant in notes.items())
    return QueryNames(found, note, 0 < taken == len(terms))


def _note(words: Sequence[str], others: Sequence[str]) -> str:
    return f"No passage says {' or '.join(f'“{word}”' for word in words)}; looked for too: {', '.join(others)}."


def _speakers_like(table: PassageTable, plain: str) -> Iterator[_Near]:
    """Yield who speaks or gives a talk and has a name like a word."""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    parts = _parts_of_names(tuple(_speakers(table)))
    least = _NEAR_IN_LETTERS - _ROUNDING  # what lies at the border, `_likeness` decides
    looking = process.extract(
        plain, parts.letters, scorer=Levenshtein.normalized_similarity, score_cutoff=least, limit=None
    )
    for position in sorted({position // 2 for *_, position in looking}):
        speaker, part, written_out = parts.parts[position]
        likeness = 1.0 if plain in (part, written_out) else max(_likeness(plain, part), _likeness(plain, written_out))
        if likeness:
            yield _Near(likeness, speaker, part)


class _NameParts(NamedTuple):
    """The words of some names."""

    parts: tuple[tuple[str, str, str], ...]
    """A name, a word of it, and this word as people write it who have no key for its letters."""
    letters: tuple[str, ...]
    """The letters of these two forms, one behind the other (2 x words,)."""


@lru_cache(maxsize=4)
def _parts_of_names(names: tuple[str, ...]) -> _NameParts:
    from talksearch.indexer.text import phonetics

    parts = tuple(
        (name, part, written_out)
        for name in names
        for part, written_out in zip(
            folded(name).replace("-", " ").split(), letters_written_out(name).replace("-", " ").split(), strict=True
        )
    )
    return _NameParts(parts, tuple(phonetics.plain(form) for _, *forms in parts for form in forms))


def _unspaced_names(table: PassageTable, text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield names in scripts without spaces that stand in a query, and who speaks by that name or has it as a part."""
    if not has_unspaced(text):
        return
    by_name: dict[str, list[str]] = {}
    for speaker in _speakers(table):
        if has_unspaced(speaker):
            by_name.setdefault(_without_blanks(speaker), []).append(speaker)
    for word in text.split():
        plain = _without_blanks(word)
        if len(plain) < _SHORTEST_UNSPACED or not has_unspaced(word):
            continue
        within = [name for name in by_name if len(name) >= _SHORTEST_UNSPACED and name in plain]
        for name in within:
            start = plain.find(name)
            # As it stands in the query, where that is as long as the form that is compared.
            written = word[start : start + len(name)] if len(plain) == len(word) else name
            yield written, by_name[name]
        if not within:
            having = [speaker for name, speakers in by_name.items() if plain in name for speaker in speakers]
            if having:
                yield word, having[:_MOST]


def _without_blanks(name: str) -> str:
    """Return a name in the simplified characters of Chinese, without what may stand between its parts."""
    return "".join(character for character in simplified(folded(name)) if character.isalnum())


def _speakers(table: PassageTable) -> list[str]:
    """Return the names of everybody who is known to speak."""
    rows = table.columns.speakers if table.columns else _speakers_in_catalog(table.db)
    given = table.db.execute("SELECT DISTINCT speaker FROM talks WHERE speaker IS NOT NULL ORDER BY speaker")
    return list(dict.fromkeys([*_names_in(rows), *(speaker for (speaker,) in given)]))


@lru_cache(maxsize=4)
def _names_in(rows: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in lists of them, each once; of an index there are thousands of lists and few names."""
    return tuple(dict.fromkeys(name for row in rows if row not in ("", "[]") for name in json.loads(row)))


def _speakers_in_catalog(db: sqlite3.Connection) -> tuple[str, ...]:
    return tuple(row for (row,) in db.execute("SELECT DISTINCT speakers FROM passages"))


def _rare_words_like(db: sqlite3.Connection, plain: str) -> Iterator[_Near]:
    """Yield words of talks and of their titles that few people use and that are like a word."""
    if len(plain) < _SHORTEST_NEAR:
        return
    from talksearch.indexer.text.phonetics import sound  # imported late: few queries hold a word that nobody says

    first = sound(plain)[:1]
    rows = db.execute(
        # Words that people use sound the same, or are not meant: "Prysmatic" is no "pragmatic".
        "SELECT DISTINCT word, term FROM odd"
        " WHERE sound >= ? AND sound < ? AND abs(length(word) - ?) <= 2 AND (strange OR sound = ?)",
        (first, chr(ord(first) + 1) if first else "\x01", len(plain), sound(plain)),
    ).fetchall()
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    scorer = Levenshtein.normalized_similarity
    looking = process.extract(
        plain, [word for word, _ in rows], scorer=scorer, score_cutoff=_NEAR_IN_LETTERS, limit=None
    )
    for _, _, position in looking:
        word, term = rows[position]
        likeness = _likeness(plain, word)
        if likeness:
            yield _Near(likeness, word, term)


def _likeness(plain: str, name: str) -> float:
    """Return how much a name is like a word, 0 where it is not enough."""
    if min(len(plain), len(name)) < _SHORTEST_NEAR - 1 or max(len(plain), len(name)) < _SHORTEST_NEAR:
        return 0.0
    from talksearch.indexer.text.phonetics import alike, looks_alike

    if looks_alike(plain, name) < _NEAR_IN_LETTERS:
        return 0.0
    likeness = alike(plain, name)
    return likeness if likeness >= _NEAR else 0.0


def _likest(names: Iterator[_Near]) -> list[_Near]:
    """Return the most alike names; where one is spelt like the word, no others."""
    best = sorted(set(names), key=lambda near: (-near.likeness, near.name, near.term))
    same = [near for near in best if near.likeness == 1.0]
    return (same or best)[:_MOST]


def _as_written(db: sqlite3.Connection, near: _Near) -> str:
    """Return a word as a passage writes it, where one does."""
    for text in texts_holding(db, near.term, 1):
        for span in spans(text):
            if span.text == near.term:
                return text[span.start : span.end]
    return near.name
