"""Pieces of talks cut as other tools cut them, and the usual ways to rank them: what talksearch is measured against.

Rivals get the restored cues, with their speakers and times: what is compared is how talks are cut, ranked and opened,
not who can read a damaged file.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import model_home, onnx_encoder, selection
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.terms import terms
from talksearch.indexer.text.word_times import words_with_times
from talksearch.search.hit import Hit
from talksearch.search.links import link
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.reader import IndexReader

PEER, TUTORIAL = 480, 1_000
"""Characters a piece: the strongest peer's, at cue borders, and the tutorial scripts', wherever they fall."""

_FUSED = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""

_DEPTH = 400

_WORDS = (
    "CREATE VIRTUAL TABLE words USING fts5(terms, tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M* Co'\")"
)

Ranked = list[tuple[int, float]]
"""Positions of pieces with their scores, best first."""

Cut = Callable[[Sequence[Cue]], Iterable[tuple[int, int, str]]]
"""From the cues of a talk to its pieces, as (start_ms, end_ms, text)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of one talk."""

    talk: str
    """The talk's id."""
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Rival:
    """All pieces of an archive, ready to be ranked."""

    pieces: Sequence[Piece]
    talks: dict[str, tuple[Talk, str]]
    """The talk of each id, with its transcript's path."""
    vectors: Floats
    words: sqlite3.Connection


def at_cue_borders(cues: Sequence[Cue], size: int) -> Iterator[tuple[int, int, str]]:
    """Yield (start_ms, end_ms, text) of cues put together until they hold `size` characters.

    A cue that is longer by itself is cut between words: to leave turns of minutes whole would make a weaker rival.

    >>> list(at_cue_borders([Cue(0, 5, "one two"), Cue(5, 9, "three"), Cue(9, 12, "four")], 12))
    [(0, 9, 'one two three'), (9, 12, 'four')]
    """
    held: list[tuple[str, int, int]] = []
    length = 0
    for cue in cues:
        for word in words_with_times(cue):
            held.append(word)
            length += len(word[0]) + 1
            if length > size and len(cue.text) > size:
                yield _put_together(held)
                held, length = [], 0
        if length > size:
            yield _put_together(held)
            held, length = [], 0
    if held:
        yield _put_together(held)


def at_characters(cues: Sequence[Cue], size: int) -> Iterator[tuple[int, int, str]]:
    """Yield (start_ms, end_ms, text) of pieces of `size` characters, cut within words too, as tutorials do.

    >>> list(at_characters([Cue(0, 10, "one two"), Cue(10, 20, "three")], 5))
    [(0, 10, 'one t'), (5, 20, 'wo th'), (10, 20, 'ree')]
    """
    words = [word for cue in cues for word in words_with_times(cue)]
    text = " ".join(word for word, _, _ in words)
    of = [at for at, (word, _, _) in enumerate(words) for _ in range(len(word) + 1)]
    for first in range(0, len(text), size):
        last = min(first + size, len(text)) - 1
        yield words[of[first]][1], words[of[last]][2], text[first : last + 1]


def as_peer(cues: Sequence[Cue]) -> Iterator[tuple[int, int, str]]:
    """Cut a talk as the strongest peer does."""
    return at_cue_borders(cues, PEER)


def as_tutorial(cues: Sequence[Cue]) -> Iterator[tuple[int, int, str]]:
    """Cut a talk as tutorial scripts do."""
    return at_characters(cues, TUTORIAL)


def prepare(
    index: IndexReader,
    cut: Cut,
    cache: Path,
    encoder: Encoder,
) -> Rival:
    """Cut every talk of an index and embed the pieces, with the index's own model; vectors are kept in `cache`."""
    paths = catalog_talks.talk_paths(index.db)
    talks = {talk.id: (talk, paths[talk.id]) for talk in catalog_talks.read_talks(index.db)}
    pieces = [Piece(id_, *one) for id_ in talks for one in cut(catalog_talks.read_cues(index.db, id_))]
    texts = [piece.text for piece in pieces]
    kept = cache / f"{hashlib.sha256(repr((index.recipe.model, texts)).encode()).hexdigest()[:16]}.npy"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        home = model_home.find(index.recipe.model)
        faster = (
            selection.choose(home, encoder, texts).encoder
            if home and isinstance(encoder, onnx_encoder.OnnxEncoder)
            else encoder
        )
        np.save(kept, faster.encode_passages(texts))
    words = sqlite3.connect(":memory:")
    words.execute(_WORDS)
    words.executemany(
        "INSERT INTO words (rowid, terms) VALUES (?, ?)", ((at, " ".join(terms(text))) for at, text in enumerate(texts))
    )
    return Rival(pieces, talks, np.load(kept), words)


def by_meaning(index: IndexReader, rival: Rival, text: str) -> Ranked:
    """Rank by cosine, exactly."""
    cosines = rival.vectors @ index.encoder().encode_query(text)
    best = np.argsort(-cosines, kind="stable")[:_DEPTH]
    return [(int(at), float(cosines[at])) for at in best]


def by_words(index: IndexReader, rival: Rival, text: str) -> Ranked:
    """Rank by BM25 over the index's own terms: stems, without the words that stand everywhere."""
    asked = query_terms(index.db, text)
    if not asked:
        return []
    match = " OR ".join(f'"{term}"' for term in asked)
    rows = rival.words.execute(
        "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? ORDER BY bm25(words), rowid LIMIT ?", (match, _DEPTH)
    )
    return [(int(at), float(score)) for at, score in rows]


def by_rank_fusion(index: IndexReader, rival: Rival, text: str) -> Ranked:
    """Rank by the sum of 1 / (60 + rank) in both lists."""
    return fused([by_meaning(index, rival, text), by_words(index, rival, text)])


def fused(lists: Iterable[Ranked]) -> Ranked:
    """Put ranked lists into one by reciprocal rank fusion."""
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, (at, _) in enumerate(ranked, 1):
            scores[at] = scores.get(at, 0.0) + 1 / (_FUSED + rank)
    return sorted(scores.items(), key=lambda both: (-both[1], both[0]))


def hits(rival: Rival, ranked: Ranked, count: int) -> list[Hit]:
    """Return the best pieces as hits that open at their start."""
    found = []
    for rank, (at, score) in enumerate(ranked[:count], 1):
        piece = rival.pieces[at]
        talk, path = rival.talks[piece.talk]
        found.append(
            Hit(
                rank, score, str(at), talk.id, talk.title, talk.source, talk.youtube_id, talk.channel, talk.speaker,
                talk.date, talk.language, piece.start_ms, piece.end_ms, piece.start_ms,
                link(talk.url, Path(path), piece.start_ms), talk.timing, talk.margin_ms, piece.text,
            )
        )  # fmt: skip
    return found


def _put_together(words: Sequence[tuple[str, int, int]]) -> tuple[int, int, str]:
    return words[0][1], words[-1][2], " ".join(word for word, _, _ in words)
