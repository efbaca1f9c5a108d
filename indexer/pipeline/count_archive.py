"""How much an index holds: the statistics that ranking needs of a whole archive, for stores, which add them up."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from talksearch.indexer.stores.columns import build
from talksearch.indexer.stores.columns import reader as columns
from talksearch.indexer.stores.columns.reader import fts_tokens
from talksearch.indexer.stores.remote.engine import Corpus, LanguageCount, TermCount
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.text.language_codes import language_code


def corpus_of(folder: Path, db: sqlite3.Connection, copy: Vectors) -> Corpus:
    """Return the statistics of all passages of an index.

    Args:
        folder: The index.
        db: Its catalog, in a transaction that only reads.
        copy: The copy of its vectors.
    """
    counts: Counter[str] = Counter()
    talks: Counter[str] = Counter()
    rows = db.execute(
        "SELECT t.language, count(DISTINCT t.number), count(*) FROM passages p JOIN talks t ON t.number = p.talk"
        " GROUP BY t.language"
    )
    for tag, talk_count, passage_count in rows:
        talks[_code(tag)] += talk_count
        counts[_code(tag)] += passage_count
    languages = tuple(LanguageCount(code, talks[code], counts[code]) for code in sorted(counts))
    written = columns.read(folder, db)
    if written is not None:
        vectors = int(np.count_nonzero(written.rows >= 0))
        return Corpus(languages, vectors, written.mean * vectors, written.second * vectors)
    numbers = np.fromiter((number for (number,) in db.execute("SELECT number FROM passages")), np.int64)
    held = copy.find(numbers)
    sums = build.sums_of(copy, held[held >= 0])
    return Corpus(languages, int(np.count_nonzero(held >= 0)), sums.vectors, sums.products)


def count_terms(db: sqlite3.Connection) -> Iterator[TermCount]:
    """Yield how often each term of an index is said, by the language of the talks, in the order of terms."""
    passages: dict[str, Counter[str]] = {}
    talks: dict[str, Counter[str]] = {}
    said: set[str] = set()
    before: int | None = None
    language = ""
    rows = db.execute(
        "SELECT t.number, t.language, w.c0, w.c1 FROM talks t JOIN passages p ON p.talk = t.number"
        " JOIN words_content w ON w.id = p.number ORDER BY t.number"
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
