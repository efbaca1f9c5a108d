"""Ranking: the passages of an index are ordered for a query, in each of the modes hybrid, semantic and lexical."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.records import Field
from talksearch.search.query import Query

from .encoded_query import EncodedQuery, query_postings
from .filters import passages_by
from .fusion import (
    TALK,
    THROUGHOUT,
    WORDS_WEIGHT,
    Array,
    AvoidedText,
    Candidate,
    Signals,
    contenders,
    exact_scores,
    fuse,
    highest_positions,
    hybrid_scores,
    lexical_scores,
    talk_evidence,
    top_k,
    usual_words,
)
from .lexical import bm25_search
from .lexical_in_store import bm25_in_store
from .missing_note import missing_vectors_note
from .missing_vectors import WordScores, estimate, find_gaps, own_words
from .passage_table import FEW, Mask, PassageTable
from .postings import idf
from .scope import RankingScope, ranking_scope
from .similarity import Similarities, compare, start_compare
from .term_variants import variant_terms
from .term_weight import QueryPostings

_DEPTH = 400
"""How many passages are ranked for hits. More than are shown, because those that overlap a better one are passed
over."""

_DEPTH_PER_TALK = 4_000
"""How many are ranked where a talk may have few hits: a single long talk can hold hundreds of the best passages."""

_AVOID = 0.8
"""The share of its score for a text to avoid that is taken off a passage's score."""

_EXACT_FOR_TALKS = 200
"""How many of the best scores are made exact before scores are summed up by talk. What rounding changes of those
behind adds next to nothing to their talk."""

_SAMPLE = 4_096
"""About how many passages of the whole index are scored to tell which score is usual."""

_PREFETCHED = 30
"""How many passages are prefetched at most; there is hardly time for so many."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is ranked, and with what."""

    table: PassageTable
    encoder_pool: Executor
    """Where queries are encoded and passages compared with them, while words are looked up."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best passages, and the scores of any others."""

    candidates: Sequence[Candidate]
    """Best first."""
    scores: Callable[[Ints], Array]
    """Returns the scores of passages by number, each by itself, without what the whole of its talk says: exact for
    candidates, for others to about a hundredth of a deviation."""
    threshold: float
    """The score from which a passage may have to do with the query: the mean and two deviations, 0 for words."""
    table: PassageTable
    """The passages that were ranked."""
    note: str = ""
    """What the user must know about how the ranking came about; empty when there is nothing."""
    postings: QueryPostings | None = None
    """Where the terms are said; None where ranking did not look."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What a ranking is asked for."""

    query: EncodedQuery
    avoided: EncodedQuery | None
    allowed: Ints | None
    """The numbers of the passages that may be hits; None for all."""
    depth: int
    """How many candidates are wanted."""
    leave_out: tuple[Field, ...]
    """Fields whose notes hold no words for this ranking."""
    prefetch: Callable[[int], object] | None


def rank(
    source: Source,
    query: Query,
    encoded: EncodedQuery,
    avoided: EncodedQuery | None,
    allowed: Ints | None,
    prefetch: Callable[[int], object] | None = None,
) -> Ranking:
    """Rank passages for a query; those that say what is to be avoided come further down.

    Args:
        source: the passages.
        query: how to rank, and how many hits are wanted.
        encoded: what to look for.
        avoided: what to turn away from.
        allowed: the numbers of the passages that may be hits, sorted; None allows all.
        prefetch: called with the numbers of passages that may come out best, while the vector is waited for.
    """
    depth = max(_DEPTH if query.per_talk is None else _DEPTH_PER_TALK, 4 * query.k)
    request = _Request(encoded, avoided, allowed, depth, query.leave_out, prefetch)
    if query.mode == "lexical":
        return _lexical(source, request)
    if query.mode == "semantic":
        return _semantic(source, request)
    return _hybrid(source, request)


# ----------------------------------------------------------------------------------------------------- lexical


def _lexical(source: Source, request: _Request) -> Ranking:
    db, query, avoided = source.table.db, request.query, request.avoided
    wanted = [*query.terms, *variant_terms(query.variants)]
    if source.table.corpus is None:
        passages = bm25_search(db, wanted, request.allowed, request.depth)
    else:
        passages = bm25_in_store(source.table, source.table.corpus, wanted, request.allowed, request.depth)
    passages = _with_spoken(source.table, query, request.allowed, passages)[: request.depth]
    if avoided and avoided.terms:
        excluded = {number for number, _ in bm25_search(db, avoided.terms, None, -1)}
        passages = [(number, score) for number, score in passages if number not in excluded]
    scores = dict(passages)
    return Ranking(
        [Candidate(number, score, words=score) for number, score in passages],
        lambda numbers: np.array([scores.get(number, 0.0) for number in numbers.tolist()]),
        0.0,
        source.table,
    )


def _with_spoken(
    table: PassageTable, query: EncodedQuery, allowed: Ints | None, passages: list[tuple[int, float]]
) -> list[tuple[int, float]]:
    """Return passages with their scores once those count that are spoken by somebody whom the query names."""
    speakers = [name for variants in query.variants.values() for name in variants.speakers]
    if not speakers:
        return passages
    scores = dict(passages)
    for name in speakers:
        numbers = table.layout.numbers[passages_by(table, name) & ~table.layout.notes]
        weight = idf(table.passage_count, len(numbers))
        for number in (numbers if allowed is None else np.intersect1d(numbers, allowed)).tolist():
            scores[number] = scores.get(number, 0.0) + weight
    return sorted(scores.items(), key=lambda passage: (-passage[1], passage[0]))


# ---------------------------------------------------------------------------------------------------- semantic


def _semantic(source: Source, request: _Request) -> Ranking:
    table = source.table
    scope = ranking_scope(table, request.allowed)
    meaning = compare(table, _turned_vector(request.query, request.avoided), scope.places)
    available = scope.select(table.vector_rows) >= 0
    if scope.allowed is not None:
        available &= scope.allowed
    best = fuse(Signals(meaning, np.zeros(len(available), np.float32)), available, request.depth)
    cosines, numbers = meaning.cosines[best], scope.select(table.layout.numbers)[best]
    order = np.lexsort((numbers, -cosines))
    candidates = [
        Candidate(number, cosine, meaning=cosine)
        for number, cosine in zip(numbers[order].tolist(), cosines[order].tolist(), strict=True)
    ]
    return Ranking(
        candidates,
        lambda numbers: meaning.cosines[scope.positions(table.layout.places(numbers))],
        _semantic_threshold(meaning, available, filtered=request.allowed is not None and table.corpus is None),
        table,
        missing_vectors_note(table),
    )


def _turned_vector(query: EncodedQuery, avoided: EncodedQuery | None) -> Floats:
    """Return the query's vector, turned away from that of the text to avoid."""
    assert query.vector is not None
    vector = query.vector()
    if avoided is None or avoided.vector is None:
        return vector
    # What both have in common is what was asked for: the vector turns away only from what is orthogonal to it.
    away = avoided.vector()
    orthogonal = away - (away @ vector) * vector
    turned = vector - np.float32(_AVOID) * orthogonal
    unit: Floats = (turned / (np.linalg.norm(turned) or 1.0)).astype(np.float32)
    return unit


def _semantic_threshold(meaning: Similarities, available: Mask, *, filtered: bool) -> float:
    """Return the cosine that is two deviations above the mean: of the whole index or store, or of what filters allow.

    A store hands over the nearest of those alone, which tell nothing of what is usual among them.
    """
    if not filtered:
        return meaning.mean + 2 * meaning.deviation
    positions = np.flatnonzero(available)
    if not len(positions):
        return 2.0
    cosines = meaning.cosines[positions] if len(positions) > FEW else meaning.exact(positions)
    return float(cosines.mean()) + 2 * (float(cosines.std()) or 1.0)


# ------------------------------------------------------------------------------------------------------ hybrid


def _hybrid(source: Source, request: _Request) -> Ranking:
    table, query = source.table, request.query
    note = missing_vectors_note(table)
    excluded = table.notes_in(request.leave_out)
    scope = ranking_scope(table, request.allowed)
    # The comparison first, because encoding takes longest and goes on in another thread while words are looked up.
    comparison = _start_comparison(source, query.vector, scope.places) if query.vector is not None else None
    postings = query_postings(table, query, excluded)
    evidence = _Evidence(
        table,
        query,
        _words(table, query, postings, excluded),
        request.avoided,
        _words(table, request.avoided, query_postings(table, request.avoided, excluded), excluded)
        if request.avoided
        else None,
    )
    if comparison is not None and request.prefetch is not None:
        _prefetch(table, comparison.started.done, scope, scope.select(evidence.words.scores), request.prefetch)
    signals = evidence.signals(scope.places, comparison.result() if comparison is not None else None)
    scores, lift, best = _hybrid_top(signals, scope, request)
    return Ranking(
        _hybrid_candidates(evidence, scope, signals, scores, lift, best),
        lambda numbers: scores[scope.positions(table.layout.places(numbers))],
        _hybrid_threshold(evidence, postings, scope, scores),
        table,
        note,
        postings,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What a query and a text to avoid say of all passages of an index, and how to compare any of them in meaning."""

    table: PassageTable
    query: EncodedQuery
    words: WordScores
    """What the query's words say for every passage."""
    avoided: EncodedQuery | None
    avoided_words: WordScores | None
    """What the words of the text to avoid say for every passage; None where there is no such text."""

    def signals(self, places: Ints | None, meaning: Similarities | None) -> Signals:
        """Return what the passages at some places are scored by, given how near they are to the query."""
        avoided: AvoidedText | None = None
        if self.avoided is not None and self.avoided_words is not None:
            avoided_meaning = _compare(self.table, self.avoided, places)
            words = self._completed(avoided_meaning, self.avoided_words.at(places), places)
            avoided = AvoidedText(avoided_meaning, words, _AVOID)
        return Signals(meaning, self._completed(meaning, self.words.at(places), places), avoided)

    def _completed(self, meaning: Similarities | None, words: WordScores, places: Ints | None) -> Array:
        """Estimate missing cosines, in place, and return what words count.

        Where there is no vector at all, words count for what they usually say of meaning, as well.
        """
        if words.own is not None and (gaps := find_gaps(self.table.layout, self.table.vector_rows, places)):
            if meaning is None:
                return words.scores + words.nearness() / np.float32(WORDS_WEIGHT)
            estimate(meaning, words, WORDS_WEIGHT, gaps)
        return words.scores


def _words(table: PassageTable, query: EncodedQuery, postings: QueryPostings, excluded: Mask | None) -> WordScores:
    """Return what words say for every passage."""
    talk_weight = TALK if query.is_query else 0.0
    mean_talk_size = None if table.corpus is None else table.corpus.mean_talk_size
    scores = lexical_scores(table.layout, postings, talk_weight, mean_talk_size)
    return WordScores(scores, own_words(table, query, excluded))


def _compare(table: PassageTable, query: EncodedQuery, places: Ints | None) -> Similarities | None:
    """Return how near the passages at some places are in meaning, once the vector is there; None where words count."""
    return None if query.vector is None else compare(table, query.vector(), places)


def _hybrid_top(signals: Signals, scope: RankingScope, request: _Request) -> tuple[Array, Array, Ints]:
    """Return the scores of all passages, what the whole of its talk adds to each (both (n,)), and the best positions.

    Scores are exact where they decide.
    """
    scores = hybrid_scores(signals)
    highest = highest_positions(scores, _EXACT_FOR_TALKS)
    scores[highest] = exact_scores(signals, highest)
    if request.query.is_query:
        lift = np.float32(THROUGHOUT) * talk_evidence(scope.sizes, scores)
    else:
        lift = np.zeros_like(scores)
    positions = contenders(scores + lift, signals, scope.allowed, request.depth)
    scores[positions] = exact_scores(signals, positions)
    best = positions[top_k(scores[positions] + lift[positions], request.depth)]
    if signals.meaning is None:
        best = best[signals.words[best] > 0]  # nothing but words speaks for a passage
    return scores, lift, best


def _hybrid_candidates(
    evidence: _Evidence, scope: RankingScope, signals: Signals, scores: Array, lift: Array, best: Ints
) -> list[Candidate]:
    """Return the candidates at the `best` positions.

    Args:
        evidence: what is known of the passages of the index.
        scope: those that are ranked.
        signals: what these are scored by.
        scores: their scores (n,).
        lift: what the whole of its talk adds to each (n,).
        best: the positions of candidates, best first.
    """
    table, places = evidence.table, scope.places_at(best)
    cosines = np.full(len(best), np.nan)
    if signals.meaning is not None:
        cosines = np.where(table.vector_rows[places] >= 0, signals.meaning.cosines[best], np.nan)
    return [
        Candidate(number, score, None if cosine != cosine else cosine, words or None, talk)
        for number, score, cosine, words, talk in zip(
            table.layout.numbers[places].tolist(),
            (scores[best] + lift[best]).tolist(),
            cosines.tolist(),
            evidence.words.scores[places].tolist(),
            lift[best].tolist(),
            strict=True,
        )
    ]


def _hybrid_threshold(evidence: _Evidence, postings: QueryPostings, scope: RankingScope, scores: Array) -> float:
    """Return the score that is two deviations above the mean of a sample of the whole index.

    Passages without a vector are left out, because what is not known varies less. Of a store, of which a table holds
    only what is near, it is computed, as if its cosines were of a normal distribution and nothing were to be avoided.
    """
    if (corpus := evidence.table.corpus) is not None:
        talk_weight = TALK if evidence.query.is_query else 0.0
        mean, variance = usual_words(postings, talk_weight, corpus.mean_talk_size)
        of_meaning = 1.0 if corpus.vectors and evidence.query.vector is not None else 0.0
        return WORDS_WEIGHT * mean + 2 * math.sqrt(of_meaning + WORDS_WEIGHT**2 * variance)
    total = len(evidence.words.scores)
    sample = np.arange(0, total, max(1, total // _SAMPLE))
    embedded = evidence.table.vector_rows[sample] >= 0
    if embedded.any():
        sample = sample[embedded]
    if scope.places is not None:
        meaning = _compare(evidence.table, evidence.query, sample)
        return _two_deviations_above(hybrid_scores(evidence.signals(sample, meaning)))
    return _two_deviations_above(scores[sample])


def _two_deviations_above(scores: Array) -> float:
    """Return the score that is two deviations above the mean: few passages reach it by chance."""
    if not len(scores):
        return 0.0
    return float(scores.mean()) + 2 * float(scores.std())


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Passages that are compared with a vector in another thread, once the vector is encoded."""

    started: Future[tuple[Similarities, Callable[[], None]]]
    finished: Future[None]

    def result(self) -> Similarities:
        """Help with what is left to compare, and return how near the passages are."""
        similarities, fill = self.started.result()
        fill()
        self.finished.result()
        return similarities


def _start_comparison(source: Source, vector: Callable[[], Floats], places: Ints | None) -> _Comparison:
    """Begin to compare all passages, or those at some places, with a vector."""
    source.table.written_languages()  # the catalog is read in its own thread alone
    started = source.encoder_pool.submit(lambda: start_compare(source.table, vector(), places))
    return _Comparison(started, source.encoder_pool.submit(lambda: started.result()[1]()))


def _prefetch(
    table: PassageTable, done: Callable[[], bool], scope: RankingScope, words: Array, prefetch: Callable[[int], object]
) -> None:
    """Call `prefetch` with the passages for which words say most, until the vector is there.

    Args:
        table: the passages of the index.
        done: says that the vector is there.
        scope: the passages that are ranked.
        words: what words say for each of them (n,).
        prefetch: what is called with the number of a passage.
    """
    if scope.allowed is not None:
        words = np.where(scope.allowed, words, 0.0)
    best = np.flatnonzero(words)  # of these alone, because partitioning takes long where most values are 0
    best = best[highest_positions(words[best], _PREFETCHED)]
    for place in scope.places_at(best[np.argsort(-words[best], kind="stable")[:_PREFETCHED]]).tolist():
        if done():
            return
        if not table.layout.notes[place]:
            prefetch(int(table.layout.numbers[place]))
