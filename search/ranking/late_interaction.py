"""Late interaction: the best passages are compared with the query token by token.

One vector for a passage says what it is about as a whole. Whether something in it means what a single word of the query
means, only the vectors of its tokens tell: MaxSim (Khattab and Zaharia, ColBERT, 2020, arXiv:2004.12832), here with the
tokens of a model that was not trained for it, each word counting as much as it tells. docs/quality.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import QueryEncoding
from talksearch.indexer.text.terms import spans

from .fusion import Array, Candidate

FIRST = 40
"""How many candidates are compared token by token."""

WEIGHT = 1.0
"""What a standard deviation of MaxSim among these candidates counts, beside one of meaning among all passages."""

_LEAST_DEVIATION = 1e-6
"""MaxSim values that deviate by no more differ by rounding only."""

_LEAST_GAIN = 1e-9
"""By how much a later part of a passage must be nearer to the query to be preferred to an earlier one."""


@dataclass(frozen=True, slots=True)
class QueryTokens:
    """The tokens of a query that count, and how much each counts."""

    coordinates: Floats
    """Each token's coordinates along the directions of the index, scaled so that the nearest code possible has a dot
    product of 1 with it (tokens, directions)."""
    weights: Array
    """(tokens,), 1 in sum."""


@dataclass(frozen=True, slots=True)
class TokenScorer:
    """What it takes to compare passages of an index with a query token by token."""

    query: QueryTokens
    read_codes: Callable[[Sequence[int]], Mapping[int, bytes]]
    """Reads the token codes of passages by number, of those that have some."""
    count_tokens: Callable[[str], int]
    """Counts the tokens of a word."""


def query_tokens(
    text: str, encoding: QueryEncoding, directions: Floats, term_weights: Mapping[str, float]
) -> QueryTokens | None:
    """Return the tokens of a query that count; None where no token belongs to a term that tells anything.

    Args:
        text: the query.
        encoding: its vectors by token, and the characters that each token stands for.
        directions: the directions of the index's token codes (directions, dimension).
        term_weights: how much each of the query's terms tells (idf).
    """
    weights = np.zeros(len(encoding.spans))
    for term in spans(text):
        for position, (start, end) in enumerate(encoding.spans):
            if start < term.end and term.start < end:
                weights[position] = max(weights[position], term_weights.get(term.text, 0.0))
    counting = np.flatnonzero(weights)
    if not len(counting):
        return None
    coordinates = encoding.tokens[counting] @ directions.T
    coordinates /= np.abs(coordinates).sum(axis=1, keepdims=True)
    return QueryTokens(coordinates, weights[counting] / weights.sum())


def maxsim(query: QueryTokens, codes: Sequence[bytes]) -> Array:
    """Return how near passages (n,), given as the codes of their tokens, come to a query: at most 1.

    Each token of the query is compared with the token of the passage that is nearest to it. A passage without tokens
    has 0.
    """
    scores = np.zeros(len(codes))
    coded = [position for position, code in enumerate(codes) if code]
    if coded:
        similarities = _similarities(query, b"".join(codes))
        lengths = [len(codes[position]) for position in coded]
        starts = np.cumsum([0, *lengths[:-1]]) * len(similarities) // sum(lengths)
        scores[coded] = np.maximum.reduceat(similarities, starts, axis=0) @ query.weights
    return scores


def rerank(candidates: Sequence[Candidate], scorer: TokenScorer) -> list[Candidate]:
    """Return the candidates, best first, with what the tokens of the first ones say added to their scores.

    What is added is how much nearer each is than the least near of them, so that all others stay behind them. A
    candidate without tokens counts as average.
    """
    first = candidates[:FIRST]
    codes = scorer.read_codes([candidate.number for candidate in first])
    coded = [position for position, candidate in enumerate(first) if candidate.number in codes]
    if len(coded) < 2:
        return list(candidates)
    scores = maxsim(scorer.query, [codes[first[position].number] for position in coded])
    deviations = np.zeros(len(first))
    deviations[coded] = (scores - scores.mean()) / max(float(scores.std()), _LEAST_DEVIATION)
    gains = WEIGHT * (deviations - deviations.min())
    rescored = [
        candidate._replace(score=candidate.score + gain, tokens=deviation)
        for candidate, gain, deviation in zip(first, gains.tolist(), deviations.tolist(), strict=True)
    ]
    return [*sorted(rescored, key=lambda candidate: -candidate.score), *candidates[FIRST:]]


def nearest(
    scorer: TokenScorer,
    number: int,
    words: Sequence[str],
    parts: Sequence[tuple[int, int]],
    glued: Collection[int] = frozenset(),
) -> tuple[int, int] | None:
    """Return which part of a passage comes nearest to a query; of several that do, the first.

    None where the passage has no tokens in any part. Which tokens belong to a word is known by counting the tokens of
    each word (`token_ends`), because to have the tokenizer say it of the whole text takes longer.

    Args:
        scorer: the query, and access to the token codes.
        number: the number of the passage.
        words: the words of the passage.
        parts: parts as positions in `words`: (first, one behind the last).
        glued: positions of words that no blank parts from the one before.
    """
    similarities = _similarities(scorer.query, scorer.read_codes([number]).get(number, b""))
    ends = token_ends(words, glued, scorer.count_tokens)
    prompt = max(0, len(similarities) - ends[-1])  # the tokens of the prompt stand before those of the text
    best, highest = None, -np.inf
    for first, end in parts:
        inside = similarities[prompt + ends[first] : prompt + ends[end]]
        if len(inside):
            score = float(inside.max(axis=0) @ scorer.query.weights)
            if score > highest + _LEAST_GAIN:
                best, highest = (first, end), score
    return best


def token_ends(words: Sequence[str], glued: Collection[int], count_tokens: Callable[[str], int]) -> list[int]:
    """Return how many tokens of a text stand before each of its words, and at last how many there are.

    What stands between two blanks is counted as a whole: where no blank parts words, a tokenizer may take letters of
    both into one token, or have one for the blank before the first of them only. The words share the tokens by how many
    each has by itself.

    >>> token_ends(["two", "lines", "more"], {1}, lambda text: 1 + len(text) // 4)
    [0, 1, 3, 5]
    """
    ends = [0]
    first = 0
    while first < len(words):
        behind = first + 1
        while behind in glued:
            behind += 1
        places = list(accumulate(map(count_tokens, words[first:behind])))
        total = places[-1] if behind - first == 1 else count_tokens("".join(words[first:behind]))
        before = ends[-1]
        ends += [before + round(place * total / places[-1]) if places[-1] else before for place in places]
        first = behind
    return ends


def _similarities(query: QueryTokens, codes: bytes) -> Floats:
    """Return how near each coded token is to each token of the query (coded tokens, query tokens)."""
    similarities: Floats = token_codes.decode(codes, query.coordinates.shape[1]) @ query.coordinates.T
    return similarities
