"""How much an index holds: the statistics that ranking needs of a whole archive, for stores, which add them up."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores.columns import build
from talksearch.indexer.stores.columns import reader as columns
from talksearch.indexer.stores.columns.reader import fts_tokens
from talksearch.indexer.stores.remote.engine import Corpus, LanguageCount, TermCount
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.text.language_codes import language_code

_COUNTS = "t.id NOT IN (SELECT value FROM json_each(?))"
"""The SQL condition that a talk `t` counts, given the ids of those that do not as JSON."""


def corpus_of(folder: Path, db: sqlite3.Connection, copy: Vectors, without: Collection[str] = ()) -> Corpus:
    """Return the statistics of all passages of an index.

    Args:
        folder: The index.
        db: Its catalog, in a transaction that only reads.
        copy: The copy of its vectors.
        without: The ids of talks that do not count.
    """
    left_out = json.dumps(sorted(without))
    counts: Counter[str] = Counter()
    talks: Counter[str] = Counter()
    rows = db.execute(
        "SELECT t.language, count(DISTINCT t.number), count(*) FROM passages p JOIN talks t ON t.number = p.talk"  # noqa: S608
        f" WHERE {_COUNTS} GROUP BY t.language",
        (left_out,),
    )
    for tag, talk_count, passage_count in rows:
        talks[_code(tag)] += talk_count
        counts[_code(tag)] += passage_count
    languages = tuple(LanguageCount(code, talks[code], counts[code]) for code in sorted(counts))
    written = columns.read(folder, db)
    if written is not None:
        vectors = int(np.count_nonzero(written.rows >= 0))
        less = _rows_of(db, copy, f"NOT {_COUNTS}", left_out)
        sums = build.sums_of(copy, less)
        return Corpus(
            languages,
            vectors - len(less),
            written.mean * vectors - sums.vectors,
            written.second * vectors - sums.products,
        )
    held = _rows_of(db, copy, _COUNTS, left_out)
    sums = build.sums_of(copy, held)
    return Corpus(languages, len(held), sums.vectors, sums.products)


def _rows_of(db: sqlite3.Connection, copy: Vectors, condition: str, left_out: str) -> Ints:
    """Return the rows of the copy that hold the passages of the talks `t` for which an SQL condition holds."""
    numbers = db.execute(
        f"SELECT p.number FROM passages p JOIN talks t ON t.number = p.talk WHERE {condition}",  # noqa: S608 - our own
        (left_out,),
    )
    rows = copy.find(np.fromiter((number for (number,) in numbers), np.int64))
    return rows[rows >= 0]


def count_terms(db: sqlite3.Connection, without: Collection[str] = ()) -> Iterator[TermCount]:
    """Yield how often each term of an index is said, by the language of the talks, in the order of terms.

    Args:
        db: Its catalog, in a transaction that only reads.
        without: The ids of talks that do not count.
    """
    passages: dict[str, Counter[str]] = {}
    talks: dict[str, Counter[str]] = {}
    said: set[str] = set()
    before: int | None = None
    language = ""
    rows = db.execute(
        "SELECT t.number, t.language, w.c0, w.c1 FROM talks t JOIN passages p ON p.talk = t.number"  # noqa: S608
        f" JOIN words_content w ON w.id = p.number WHERE {_COUNTS} ORDER BY t.number",
        (json.dumps(sorted(without)),),
    )
    for number, tag, text, track_text in rows:
        if number != before:
            talks.setdefault(language, Counter()).update(said)
            said, before, language = set(), number, _code(tag)
        terms = set(terms_of(text, track_text))
        passages.setdefault(language, Counter()).update(terms)
        said |= terms
    talks.setdefault(language, Counter()).update(said)
    for code in sorted(passages):
        for term in sorted(passages[code]):
            yield TermCount(term, code, passages[code][term], talks[code][term])


def terms_of(terms: str, track_terms: str) -> list[str]:
    """Return the terms of a passage, and of what tracks say meanwhile, as the word index has them.

    >>> terms_of("half 1⁄2", "halb")
    ['half', '1', '2', 'halb']
    """
    return [token for text in (terms, track_terms) for term in (text or "").split() for token in fts_tokens(term)]


def _code(tag: str | None) -> str:
    return language_code(tag) if tag else ""
