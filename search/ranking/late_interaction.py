"""Late interaction: the best passages compared with the query token by token.

One vector for a passage says what it is about as a whole. Whether something in it means what a single word of the query
means, only the vectors of its tokens tell: MaxSim (Khattab and Zaharia, ColBERT, 2020, arXiv:2004.12832), here with the
tokens of a model that was not trained for it, each word counting as much as it tells. docs/quality.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import QueryEncoding
from talksearch.indexer.text.terms import spans

from .fusion import Array, Candidate

FIRST = 40
"""Candidates that are looked at."""

WEIGHT = 1.0
"""What a standard deviation among these counts, beside one of meaning among all passages."""


_ALIKE = 1e-6
"""Likenesses that differ by no more differ by rounding."""


@dataclass(frozen=True, slots=True)
class QueryTokens:
    """What the tokens of a query mean, and how much each counts."""

    along: Floats
    """How far each lies along the directions of the index, so that the nearest code there can be gives 1
    (tokens, directions)."""
    weights: Array
    """(tokens,), in all 1."""


@dataclass(frozen=True, slots=True)
class TokenScorer:
    """What it takes to compare passages of an index with a query token by token."""

    query: QueryTokens
    codes: Callable[[Sequence[int]], Mapping[int, bytes]]
    """Gives the codes of passages by number, of those that have some."""
    count: Callable[[str], int]
    """Counts the tokens of a word."""


def query_tokens(text: str, asked: QueryEncoding, directions: Floats, worth: Mapping[str, float]) -> QueryTokens | None:
    """Return what to look for with the query `text`, of whose terms each tells as much as `worth` says.

    None where no token belongs to a term that tells anything.
    """
    weights = np.zeros(len(asked.spans))
    for term in spans(text):
        for at, (start, end) in enumerate(asked.spans):
            if start < term.end and term.start < end:
                weights[at] = max(weights[at], worth.get(term.text, 0.0))
    counting = np.flatnonzero(weights)
    if not len(counting):
        return None
    along = asked.tokens[counting] @ directions.T
    along /= np.abs(along).sum(axis=1, keepdims=True)
    return QueryTokens(along, weights[counting] / weights.sum())


def maxsim(query: QueryTokens, codes: Sequence[bytes]) -> Array:
    """Return how near passages (n,), given as the codes of their tokens, come to those of the query, at most 1.

    Each token of the query is held against the one that is nearest to it in the passage. Without tokens it is 0.
    """
    found = np.zeros(len(codes))
    some = [at for at, one in enumerate(codes) if one]
    if some:
        near = token_codes.decode(b"".join(codes), query.along.shape[1]) @ query.along.T
        starts = np.cumsum([0, *(len(codes[at]) for at in some[:-1])]) * len(near) // sum(map(len, codes))
        found[some] = np.maximum.reduceat(near, starts, axis=0) @ query.weights
    return found


def rerank(candidates: Sequence[Candidate], by_token: TokenScorer) -> list[Candidate]:
    """Return the candidates, best first, what the tokens of the first ones say added to their scores.

    Added is by how much each is nearer than the least near of them, so that all others stay where they are. What has no
    tokens counts as average.
    """
    first = candidates[:FIRST]
    codes = by_token.codes([one.number for one in first])
    known = [at for at, one in enumerate(first) if one.number in codes]
    if len(known) < 2:
        return list(candidates)
    found = maxsim(by_token.query, [codes[first[at].number] for at in known])
    deviations = np.zeros(len(first))
    deviations[known] = (found - found.mean()) / max(float(found.std()), _ALIKE)
    more = WEIGHT * (deviations - deviations.min())
    again = [
        one._replace(score=one.score + added, tokens=value)
        for one, added, value in zip(first, more.tolist(), deviations.tolist(), strict=True)
    ]
    return [*sorted(again, key=lambda one: -one.score), *candidates[FIRST:]]


def nearest(
    by_token: TokenScorer, number: int, words: Sequence[str], parts: Sequence[tuple[int, int]]
) -> tuple[int, int] | None:
    """Return which of some parts of a passage, as (first, one behind the last) of its words, comes nearest to a query.

    The first where several do; None where the passage has no tokens there. Which tokens are a word's is known by
    counting, word by word, as passages are split: to have the tokenizer say it of the text takes longer.
    """
    codes = by_token.codes([number]).get(number, b"")
    near = token_codes.decode(codes, by_token.query.along.shape[1]) @ by_token.query.along.T
    ends = list(accumulate(map(by_token.count, words), initial=0))
    prompt = max(0, len(near) - ends[-1])  # its tokens stand before those of the text
    best, most = None, -np.inf
    for first, last in parts:
        inside = near[prompt + ends[first] : prompt + ends[last]]
        if len(inside):
            value = float(inside.max(axis=0) @ by_token.query.weights)
            if value > most + 1e-9:
                best, most = (first, last), value
    return best
