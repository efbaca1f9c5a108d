"""Queries with known answers drawn from an index itself, for whoever has no judgements of their own archive.

A known item is something said once: a sentence is drawn, and the query is what somebody might remember of it. Such
queries share words with their answers, more than real ones do; they show whether an index works and which of two
settings finds better, not how well questions in other words are answered.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import has_unspaced, terms
from talksearch.indexer.text.word_times import words_with_times
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.ranking.postings import term_weights

_REMEMBERED = 4
"""Words that somebody remembers of a sentence."""

_LEAST, _MOST = 8, 30
"""Words of a sentence that can be remembered."""

_LATE_MS = 15_000
"""How long after its end a sentence is still at hand."""

Known = dict[str, Json]


def known_items(db: sqlite3.Connection, count: int, seed: int = 0) -> Iterator[Known]:
    """Yield up to `count` queries with their answers, as `measure.read_gold` reads them.

    Two kinds, in turn: `words`, the most telling words of a sentence in the order they were said, and `quote`, a
    stretch of it from which a word is missing. Talks are drawn evenly, so that long ones do not weigh more.
    """
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    talks = db.execute("SELECT id, source FROM talks ORDER BY id").fetchall()
    made = tries = 0
    used: set[str] = set()
    while talks and made < count and tries < 20 * count:
        tries += 1
        talk_id, source = draw.choice(talks)
        sentence = _sentence(db, talk_id, draw)
        if sentence is None:
            continue
        kind = ("words", "quote")[made % 2]
        query = _words(db, sentence) if kind == "words" else _quote([word for word, _, _ in sentence], draw)
        if query is None or query in used:
            continue
        used.add(query)
        made += 1
        start_ms, end_ms = sentence[0][1], sentence[-1][2]
        yield {
            "id": f"{kind}-{made}",
            "query": query,
            "talk": source,
            "start_s": start_ms / 1000,
            "end_s": (end_ms + _LATE_MS) / 1000,
            "kind": kind,
        }


def _sentence(db: sqlite3.Connection, talk_id: str, draw: random.Random) -> list[tuple[str, int, int]] | None:
    """Draw a sentence, or a stretch as long as one where nothing shows where sentences end: words with their times."""
    cues = db.execute("SELECT count(*) FROM cues WHERE talk = (SELECT number FROM talks WHERE id = ?)", (talk_id,))
    first = draw.randrange(max(1, int(cues.fetchone()[0])))
    words = [word for cue in catalog.read_cues(db, talk_id, first, first + 12) for word in words_with_times(cue)]
    start = next((at + 1 for at, word in enumerate(words[:_MOST]) if ends_sentence(word[0])), 0)
    end = next((at + 1 for at, word in enumerate(words) if at >= start and ends_sentence(word[0])), start + _MOST // 2)
    sentence = words[start : min(end, start + _MOST)]
    return sentence if len(sentence) >= _LEAST else None


def _words(db: sqlite3.Connection, sentence: list[tuple[str, int, int]]) -> str | None:
    """Return the words that tell most, in order; None where they stand in many places."""
    weights = term_weights(db, query_terms(db, " ".join(word for word, _, _ in sentence)))
    best = sorted(weights, key=lambda term: (-weights[term], term))[:_REMEMBERED]
    kept = [word.strip(",.;:!?\"'()[]") for word, _, _ in sentence if set(terms(word)) & set(best)]
    unique = list(dict.fromkeys(kept))
    return " ".join(unique) if len(unique) >= _REMEMBERED - 1 else None


def _quote(words: list[str], draw: random.Random) -> str | None:
    """Return seven words in a row, one of them forgotten."""
    if any(has_unspaced(word) for word in words):
        return None
    start = draw.randrange(max(1, len(words) - 7))
    stretch = words[start : start + 8]
    del stretch[draw.randrange(1, len(stretch) - 1)]
    return " ".join(stretch)
