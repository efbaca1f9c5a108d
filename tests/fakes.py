"""Stand-ins that a person can compute."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders.base import KeepTokens, ModelCard, QueryEncoding
from talksearch.indexer.records import Passage, Talk
from talksearch.indexer.stores import catalog_writer
from talksearch.indexer.text.terms import terms
from talksearch.search.results.align_description import TermLookup

WORDS = ("time", "ship", "bee", "bridge", "bread", "rain", "code", "song")


class CountingEncoder:
    """A vector counts, for each of eight words, how often a text holds it (plus a little of everything), normalised.

    So the cosine of "time ship" and "time" is about 0.7, and texts that share none of the words are all alike. It also
    keeps the texts it was given, so that a test can see what was embedded.
    """

    def __init__(self, name: str = "counting") -> None:
        self.card = ModelCard(name, "", len(WORDS), 200)
        self.seen: list[str] = []

    def count_tokens(self, word: str) -> int:
        return 1 + len(word) // 6

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        self.seen += texts
        return np.array([self.encode_query(text) for text in texts], np.float32)

    def encode_query(self, text: str) -> Floats:
        words = text.lower().split()
        counts = np.array([words.count(word) for word in WORDS], np.float32) + 0.01
        vector: Floats = counts / np.linalg.norm(counts)
        return vector


class WordEncoder(CountingEncoder):
    """One that knows tokens: a word is a token, and its vector says which of the eight words it is."""

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        for at, text in enumerate(texts):
            keep(at, np.array([[word == known for known in WORDS] for word in text.lower().split()], np.float32))
        return self.encode_passages(texts)

    def encode_query_by_token(self, text: str) -> QueryEncoding:
        found: list[Floats] = []
        self.encode_by_token([text], lambda _, one: found.append(one))
        return QueryEncoding(self.encode_query(text), found[0], tuple(m.span() for m in re.finditer(r"\S+", text)))

    def count_tokens(self, word: str) -> int:
        return 1


def term_lookup(passages: Sequence[str]) -> TermLookup:
    """Return what says which of some texts hold a term."""
    passage_terms = [set(terms(passage)) for passage in passages]
    return lambda term: np.array([term in held for held in passage_terms], bool)


def put_talk(db: sqlite3.Connection, path: str, talk: Talk, passages: Sequence[Passage]) -> None:
    """Put a talk into a catalog as an indexing run does."""
    catalog_writer.put_rows(db, path, catalog_writer.rows_of(talk, passages))
