"""Queries with known answers drawn from an index itself, for archives that nobody has judged queries for.

A known item is something said once: a sentence is drawn, and the query is what somebody might remember of it. Such
queries share words with their answers, more than real ones do. They show whether an index works and which of two
settings finds better, not how well questions in other words are answered.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Collection, Iterator, Sequence

from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import has_unspaced, terms
from talksearch.indexer.text.word_times import words_with_times
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.ranking.postings import term_weights

_REMEMBERED = 4
"""How many words somebody remembers of a sentence."""

_QUOTED = 8
"""How many words in a row somebody quotes from memory, one of which is forgotten."""

_SHORTEST, _LONGEST = 8, 30
"""How many words a sentence has at least and at most that can be remembered."""

_CUES_READ = 12
"""How many further cues are read to find a sentence."""

_LATE_MS = 15_000
"""How long after its end a sentence is still at hand, in milliseconds."""

_TRIES = 20
"""How many sentences are drawn at most for each query that is wanted."""

KnownItem = dict[str, Json]
"""A query with its answer, as a line of a gold file has it."""

_TimedWord = tuple[str, int, int]
"""A word with its start and end in milliseconds."""


def known_items(
    db: sqlite3.Connection, count: int, seed: int = 0, without: Collection[str] = ()
) -> Iterator[KnownItem]:
    """Yield up to `count` queries with their answers, as `measure.read_gold` reads them.

    There are two kinds, in turn: `words`, the most telling words of a sentence in the order they were said, and
    `quote`, a stretch of it from which a word is missing. Talks are drawn evenly, so that long ones do not weigh more.

    Args:
        db: The catalog.
        count: How many queries are wanted.
        seed: Another one gives other queries.
        without: The ids of talks that none are drawn from.
    """
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    talks = [row for row in db.execute("SELECT id, source FROM talks ORDER BY id") if row[0] not in without]
    queries: set[str] = set()
    for _ in range(_TRIES * count if talks else 0):
        if len(queries) == count:
            return
        talk_id, source = draw.choice(talks)
        sentence = _draw_sentence(db, talk_id, draw)
        if sentence is None:
            continue
        kind = ("words", "quote")[len(queries) % 2]
        words = [word for word, _, _ in sentence]
        query = _telling_words(db, words) if kind == "words" else _quote_from_memory(words, draw)
        if query is None or query in queries:
            continue
        queries.add(query)
        yield {
            "id": f"{kind}-{len(queries)}",
            "query": query,
            "talk": source,
            "start_s": sentence[0][1] / 1000,
            "end_s": (sentence[-1][2] + _LATE_MS) / 1000,
            "kind": kind,
        }


def _draw_sentence(db: sqlite3.Connection, talk_id: str, draw: random.Random) -> list[_TimedWord] | None:
    """Draw a sentence, or as many words where nothing shows where sentences end; None for one that is too short."""
    (cues,) = db.execute(
        "SELECT count(*) FROM cues WHERE talk = (SELECT number FROM talks WHERE id = ?)", (talk_id,)
    ).fetchone()
    first_cue = draw.randrange(max(1, cues))
    read = catalog_talks.read_cues(db, talk_id, first_cue, first_cue + _CUES_READ)
    words = [word for cue in read for word in words_with_times(cue)]
    ends = [position + 1 for position, (word, _, _) in enumerate(words) if ends_sentence(word)]
    start = next((end for end in ends if end <= _LONGEST), 0)
    end = next((end for end in ends if end > start), start + _LONGEST // 2)
    sentence = words[start : min(end, start + _LONGEST)]
    return sentence if len(sentence) >= _SHORTEST else None


def _telling_words(db: sqlite3.Connection, words: Sequence[str]) -> str | None:
    """Return the words that tell most, in order; None where they stand in many places."""
    weights = term_weights(db, query_terms(db, " ".join(words)))
    best = set(sorted(weights, key=lambda term: (-weights[term], term))[:_REMEMBERED])
    telling = dict.fromkeys(word.strip(",.;:!?\"'()[]") for word in words if best & set(terms(word)))
    return " ".join(telling) if len(telling) >= _REMEMBERED - 1 else None


def _quote_from_memory(words: Sequence[str], draw: random.Random) -> str | None:
    """Return some words in a row, one of them forgotten; None where words have no spaces between."""
    if any(has_unspaced(word) for word in words):
        return None
    start = draw.randrange(max(1, len(words) - _QUOTED + 1))
    stretch = list(words[start : start + _QUOTED])
    del stretch[draw.randrange(1, len(stretch) - 1)]
    return " ".join(stretch)
