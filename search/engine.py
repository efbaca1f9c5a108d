"""Answering queries from one index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cache, partial

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders.base import QueryEncoding, encode_query_by_token
from talksearch.indexer.errors import QueryError
from talksearch.indexer.stores import calibration, catalog, vectors
from talksearch.indexer.text.terms import terms
from talksearch.search.answer import Answer
from talksearch.search.ranking import late_interaction
from talksearch.search.ranking.filters import allowed
from talksearch.search.ranking.late_interaction import TokenScorer
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.ranking.rank import EncodedQuery, Source, rank, waiting
from talksearch.search.ranking.term_variants import expand_terms
from talksearch.search.results.assemble import quote_hits, to_hits
from talksearch.search.results.grade import grader, lacking, verdict
from talksearch.search.results.passage_view import view_passage

from .query import Filters, Query, split_quotes
from .reader import IndexReader


def search(index: IndexReader, query: Query) -> Answer:
    """Answer a query. Raises QueryError when it is empty or a filter names what is not there.

    A query that stands in quotation marks as a whole asks for the quote; where marks stand around a part of it, the
    passages that say that part come into question.
    """
    if not query.text.strip():
        raise QueryError("The query is empty.", 'Say what you look for: talksearch "time dilation metaphor"')
    text, quotes = split_quotes(query.text)
    quoted = query.mode == "quote" or quotes == (text,)
    with catalog.snapshot(index.db):
        meaning = query.mode != "lexical" and _has_vectors(index)
        # First, because encoding takes longest and goes on beside the rest.
        asked = None if quoted else _asked(index, text, meaning, by_token=True)
        within = allowed(index.table(), query.filters) if query.filters != Filters() else None
        if asked is None:
            return _quotes(index, query, text, within)
        note = ""
        for quote in quotes:
            saying = _saying(index, quote, within)
            note = note if len(saying) else f"Nobody says {quote!r}, not even nearly; the rest was looked for."
            within = saying if len(saying) else within
        answer = _answer(index, query, asked, within)
        return replace(answer, note=" ".join(filter(None, (note, answer.note))))


def _has_vectors(index: IndexReader) -> bool:
    """Say whether there is a vector to compare with. Before the first one there is no light encoder either."""
    try:
        return (index.folder / vectors.FILE_NAME).stat().st_size > 0
    except OSError:
        return False


def _quotes(index: IndexReader, query: Query, text: str, within: Ints | None) -> Answer:
    from talksearch.search.quotes.find import find_quotes  # most searches are for no quote

    found = find_quotes(index.db, text, within, query.k if query.per_talk is None else _SAYING)
    return Answer(tuple(quote_hits(index.db, query, found)), tuple(terms(text)))


def _saying(index: IndexReader, quote: str, within: Ints | None) -> Ints:
    """Return the passages in which a quote lies, sorted."""
    from talksearch.search.quotes.find import find_quotes, is_long, saying_surely

    sure = saying_surely(index.db, quote, within)
    if len(sure) >= _SAYING:
        return sure
    rest = within
    if len(sure):  # to find where a quote begins and ends takes long, and is not needed
        rest = np.setdiff1d(index.table().layout.numbers if within is None else within, sure, assume_unique=True)
    found = find_quotes(index.db, quote, rest, _NEARLY if is_long(quote) else _SAYING)
    return np.unique(np.concatenate([sure, np.array([n for quoted in found for n in quoted.passages], np.int64)]))


_SAYING = 1_000
"""Passages that say a quote from which on no others are looked for, and places of it where not all are shown."""

_NEARLY = 30
"""Places of a longer quote that are looked for beside those that surely say it: most of them say it only nearly."""


def similar(index: IndexReader, query: Query, talk_id: str, at_ms: int) -> Answer:
    """Find passages like the one that is said in a talk at a moment, that moment itself left out.

    `query` says how many, from where and how; its text is not looked at. Raises QueryError when nothing is said there.
    """
    with catalog.snapshot(index.db):
        row = index.db.execute(_AT, (talk_id, at_ms, at_ms)).fetchone()
        if row is None:
            raise QueryError(
                f"The talk {talk_id} says nothing at {at_ms // 1000} s.", f"See: talksearch show {talk_id}"
            )
        number, text, start_ms, end_ms = row
        # Its rarest words say what it is about; all of them would find whoever talks alike.
        table = index.table()
        weights = table.term_weights(query_terms(index.db, text))
        telling = tuple(sorted(weights, key=lambda term: -weights[term])[:_TELLING])
        known = table.vector(table.place(number))
        vector: Callable[[], Floats] | None = None
        if known is not None:
            vector = partial(np.asarray, known)
        elif query.mode != "lexical" and _has_vectors(index):
            vector = _vector(_encoding(index, text))
        return _answer(
            index,
            query,
            EncodedQuery(telling, {}, vector, query=False),
            allowed(table, query.filters),
            (number, start_ms, end_ms),
        )


_TELLING = 6
"""Words of a passage that stand for it when passages like it are looked for."""

_AT = (
    "SELECT p.number, p.text, p.start_ms, p.end_ms FROM passages p JOIN talks t ON t.number = p.talk"
    " WHERE t.id = ? AND p.field = 'speech' AND p.end_ms > ?"
    " ORDER BY abs((p.start_ms + p.end_ms) / 2 - ?), p.number LIMIT 1"
)


def _answer(
    index: IndexReader,
    query: Query,
    asked: EncodedQuery,
    within: Ints | None,
    itself: tuple[int, int, int] | None = None,
) -> Answer:
    if query.mode == "semantic" and asked.vector is None:
        return Answer((), asked.terms, waiting(index.db, index.table()))
    avoided = _asked(index, query.avoid, asked.vector is not None) if query.avoid.strip() else None
    known = calibration.read(index.folder, index.recipe.model) if asked.query else None
    worth = index.table().term_weights(asked.terms)  # before the vector is waited for
    opened = cache(partial(view_passage, index.db, asked.variants, worth))
    ranking = rank(Source(index.db, index.table, index.encoder_pool), query, asked, avoided, within, opened)
    by_token = _by_token(index, asked, worth)
    if by_token and query.mode == "hybrid":
        ranking = replace(ranking, candidates=late_interaction.rerank(ranking.candidates, by_token))
    graded = grader(ranking, query.mode, asked, known) if asked.query else None
    hits = to_hits(index.db, query, ranking, asked, opened, itself, graded, by_token)
    # Where vectors are waited for, or lost, that is why nothing was measured, and it is said already.
    ungraded = lacking(query.mode, known, ranking.table()) if asked.query and hits and not ranking.note else ""
    return Answer(tuple(hits), asked.terms, " ".join(filter(None, (ranking.note, ungraded, verdict(hits)))))


def _asked(index: IndexReader, text: str, meaning: bool, *, by_token: bool = False) -> EncodedQuery:
    directions = index.directions() if by_token else None
    meant = _encoding(index, text) if meaning else None
    found = query_terms(index.db, text)
    return EncodedQuery(
        found,
        expand_terms(index.db, text, found),
        _vector(meant) if meant else None,
        (lambda worth: late_interaction.query_tokens(text, meant.result(), directions, worth))
        if meant and directions is not None
        else None,
    )


def _by_token(index: IndexReader, asked: EncodedQuery, worth: Mapping[str, float]) -> TokenScorer | None:
    """Return what compares passages with the query token by token; None where that is not known."""
    wanted = asked.tokens(worth) if asked.tokens else None
    if wanted is None:
        return None
    held: dict[int, bytes] = {}  # hits are looked at again

    def codes(numbers: Sequence[int]) -> dict[int, bytes]:
        if lacking := [number for number in numbers if number not in held]:
            held.update(catalog.read_tokens(index.db, lacking))
        return {number: held[number] for number in numbers if number in held}

    return TokenScorer(wanted, codes, index.count_tokens)


def _encoding(index: IndexReader, text: str) -> Future[QueryEncoding]:
    """Begin to encode a query in another thread."""
    return index.encoder_pool.submit(lambda: encode_query_by_token(index.encoder(), text))


def _vector(meant: Future[QueryEncoding]) -> Callable[[], Floats]:
    return lambda: meant.result().vector
