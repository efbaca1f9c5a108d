"""Answering queries from one index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer import catalog, embed, recipe, vectors
from talksearch.indexer.embed import Encoder
from talksearch.indexer.errors import BadIndexError, ModelError, QueryError
from talksearch.indexer.split import ends_sentence, words_with_times
from talksearch.indexer.vectors import Ints
from talksearch.indexer.words import spans

from .candidates import allowed, by_meaning, by_words, query_terms
from .fuse import Candidate, fuse, score_words
from .heard import Also, also, heard_in, holding_also, other_terms
from .hit import Hit
from .links import jump_to, link
from .notes import notes_of, resolve
from .pinpoint import pinpoint, spoken
from .postings import Layout, layout, surprises, together
from .query import Query

_REACH = 40
"""Words that context may grow by to begin and end with a sentence."""

_DEPTH = 400
"""Passages looked at for hits. More than are shown, because those that overlap a better one are passed over."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index, open for reading."""

    folder: Path
    db: sqlite3.Connection
    recipe: recipe.Recipe
    vectors: vectors.Vectors
    encoder: Callable[[], Encoder]
    """Loads the encoder when it is first called."""
    layout: Callable[[], tuple[Layout, Ints]]
    """Reads, when it is first called, where the passages lie, and the row of `vectors` of each (-1 without one)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of one query."""

    hits: tuple[Hit, ...]
    terms: tuple[str, ...]
    """The terms that were looked for by words."""
    note: str = ""
    """What the user must know about how the answer came about; empty when there is nothing."""


def open_index(folder: Path, *, encoder: Encoder | None = None, warn: Callable[[str], None] = lambda _: None) -> Index:
    """Open an index; `warn` hears a sentence when something works but slowly.

    Raises BadIndexError when there is none or it cannot be read.
    """
    db = catalog.open_catalog(folder)
    made = recipe.read(folder)
    if made is None:
        raise BadIndexError(f"There is no finished index in {folder}.", "Make one: talksearch index PATH")
    loaded: list[Encoder] = [encoder] if encoder else []

    def get() -> Encoder:
        if not loaded:
            loaded.append(_load_encoder(folder, made, warn))
        return loaded[0]

    copy = vectors.read(folder, made.model.dimension)

    @cache
    def lie() -> tuple[Layout, Ints]:
        found = layout(db)
        return found, copy.find(found.numbers)

    return Index(folder, db, made, copy, get, lie)


def search(index: Index, query: Query) -> Answer:
    """Answer a query. Raises QueryError when it is empty or a filter names what is not there."""
    if not query.text.strip():
        raise QueryError("The query is empty.", 'Say what you look for: talksearch "time dilation metaphor"')
    index.db.execute("BEGIN")  # one state of the catalog from here on, whatever is written meanwhile
    try:
        within = allowed(index.db, query.filters)
        terms = query_terms(index.db, query.text)
        ways = also(index.db, query.text, terms)
        candidates, note = _candidates(index, query, within, terms, ways)
        return Answer(tuple(to_hits(index, query, candidates, terms, ways)), terms, note)
    finally:
        index.db.execute("COMMIT")


def _candidates(
    index: Index, query: Query, within: vectors.Ints | None, terms: tuple[str, ...], ways: Mapping[str, Also]
) -> tuple[list[Candidate], str]:
    depth = max(_DEPTH, 4 * query.k)
    if query.mode == "lexical":
        found = by_words(index.db, [*terms, *other_terms(ways)], within, depth)
        return [Candidate(number, score, words=score) for number, score in found], ""
    waiting, all_passages = index.db.execute(  # two counts, each from an index: one would read every passage
        "SELECT (SELECT count(*) FROM passages WHERE NOT embedded), (SELECT count(*) FROM passages)"
    ).fetchone()
    note = ""
    if waiting:
        note = f"{waiting} of {all_passages} passages have no vector yet and are found by their words only."
    vector = index.encoder().encode_query(query.text)
    if query.mode == "semantic":
        numbers, cosines, _, _ = by_meaning(index.vectors, vector, within, depth)
        near = zip(numbers.tolist(), cosines.tolist(), strict=True)
        return [Candidate(number, cosine, meaning=cosine) for number, cosine in near], note
    lie, rows = index.layout()
    silent = notes_of(index.db, query.leave_out)
    said = [lie.places(holding_also(index.db, term, ways.get(term), silent)) for term in terms]
    pairs = [(at, at + 1, lie.places(together(index.db, *both, silent))) for at, both in enumerate(pairwise(terms))]
    words = score_words(lie, said, pairs)
    cosines = np.full(len(rows), np.nan, np.float32)
    cosines[rows >= 0] = (index.vectors.rows @ vector)[rows[rows >= 0]] if (rows >= 0).any() else []
    inside = None
    if within is not None:
        inside = np.zeros(len(rows), bool)
        inside[lie.places(within)] = True
    best, scores = fuse(cosines, words, inside, depth)
    ranked = [
        Candidate(
            int(lie.numbers[at]),
            float(scores[at]),
            None if np.isnan(cosines[at]) else float(cosines[at]),
            float(words[at]) or None,
        )
        for at in best.tolist()
    ]
    return ranked, note


def to_hits(
    index: Index, query: Query, candidates: Sequence[Candidate], terms: tuple[str, ...], ways: Mapping[str, Also]
) -> list[Hit]:
    """Return candidates, best first, as hits: overlapping passages of a talk folded into one, `per_talk` kept.

    `terms` are those that were looked for, and `ways` says how else they may have been written down.
    """
    hits: list[Hit] = []
    surprise = surprises(index.db, terms)
    notes = resolve(index.db, index.vectors, candidates, terms, query.leave_out)
    taken: dict[str, list[tuple[int, int]]] = {}
    for candidate in candidates:
        if len(hits) == query.k:
            break
        found = notes(candidate)
        row = index.db.execute(_PASSAGE, (found.number,)).fetchone() if found else None
        if found is None or row is None:  # no note that counts; a talk that left the index, its vectors still about
            continue
        start_ms, end_ms, talk_id = row[1], row[2], row[5]
        spans_taken = taken.setdefault(talk_id, [])
        if any(start_ms < end and start < end_ms for start, end in spans_taken):
            continue
        if query.per_talk is not None and len(spans_taken) >= query.per_talk:
            continue
        spans_taken.append((start_ms, end_ms))
        weights = surprise | {other: surprise[term] for other, term in heard_in(ways, row[-3]).items()}
        answer_ms = found.start_ms
        if answer_ms is None:
            answer_ms = _answer_ms(index, row, surprises(index.db, found.terms) if found.terms else weights)
        hit = replace(_hit(row, candidate, query, answer_ms), note=found.note)
        if query.context_ms:
            hit = _widened(index, hit, query.context_ms)
        matches = tuple((term.start, term.end) for term in spans(hit.text) if term.text in weights)
        hits.append(replace(hit, rank=len(hits) + 1, matches=matches))
    return hits


_PASSAGE = (
    "SELECT p.id, p.start_ms, p.end_ms, p.text, p.speakers, t.id, t.title, t.source, t.path, t.youtube_id, t.url,"
    " t.channel, t.speaker, t.language, t.date, t.timing, t.margin_ms, t.number, p.first_cue, p.last_cue"
    " FROM passages p JOIN talks t ON t.number = p.talk WHERE p.number = ?"
)


def _answer_ms(index: Index, row: Any, weights: Mapping[str, float]) -> int:
    """Return where in a passage the answer begins: its start, where none of the words is said in it."""
    if not weights:
        return int(row[1])
    cues = catalog.read_cues(index.db, row[5], row[-2], row[-1])
    at_ms = pinpoint(spoken(cues, row[1], row[2]), weights)
    return int(row[1]) if at_ms is None else at_ms


def _hit(row: Any, candidate: Candidate, query: Query, answer_ms: int) -> Hit:
    (
        passage_id, start_ms, end_ms, text, speakers, talk_id, title, source, path, youtube_id, url, channel, speaker,
        language, date, timing, margin_ms, _, _, _,
    ) = row  # fmt: skip
    jump_ms = jump_to(answer_ms, timing, margin_ms)
    return Hit(
        rank=0,
        score=candidate.score,
        passage_id=passage_id,
        talk_id=talk_id,
        title=title,
        source=source,
        youtube_id=youtube_id,
        channel=channel,
        speaker=speaker or ", ".join(json.loads(speakers)) or None,
        date=date,
        language=language,
        start_ms=start_ms,
        end_ms=end_ms,
        jump_ms=jump_ms,
        url=link(url, Path(path), jump_ms),
        timing=timing,
        margin_ms=margin_ms,
        text=text,
        query_id=query.id,
    )


def _widened(index: Index, hit: Hit, context_ms: int) -> Hit:
    """Return the hit with the words of its talk from `context_ms` before it to as much behind it.

    The edges move on to the next sentence border, if there is one within a few words. The jump stays where it was.
    """
    first_ms, last_ms = hit.start_ms - context_ms, hit.end_ms + context_ms
    cues = catalog.read_cues(index.db, hit.talk_id)
    words = [word for cue in cues for word in words_with_times(cue)]
    inside = [at for at, (_, start_ms, end_ms) in enumerate(words) if start_ms < last_ms and end_ms > first_ms]
    if not inside:
        return hit
    first, last = inside[0], inside[-1]
    first = next(
        (at for at in range(first, max(first - _REACH, -1), -1) if at == 0 or ends_sentence(words[at - 1][0])), first
    )
    last = next((at for at in range(last, min(last + _REACH, len(words))) if ends_sentence(words[at][0])), last)
    return replace(
        hit,
        start_ms=words[first][1],
        end_ms=words[last][2],
        text=" ".join(word for word, _, _ in words[first : last + 1]),
    )


def _load_encoder(folder: Path, made: recipe.Recipe, warn: Callable[[str], None]) -> Encoder:
    from talksearch.indexer import light  # a search by words must not wait for onnxruntime

    try:
        return light.load(folder)
    except ModelError as error:
        warn(f"{error.message} Loading the model itself, which takes seconds.")
        return embed.load(
            made.model.name, query_prompt=made.model.query_prompt, passage_prompt=made.model.passage_prompt
        )
