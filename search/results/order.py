"""The order that hits are shown in: a better grade goes before a worse one, and within a grade the score decides.

Every candidate is graded, so that the first ten hits are the same whether ten or fifty are asked for. docs/quality.md
has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from talksearch.search.hit import GradeWord
from talksearch.search.ranking.fusion import Candidate

from .grade import Grade, Grader
from .metadata_hits import Target, TargetResolver

_LED_ON = 40
"""Of how many candidates it is found out where they lead before they are graded. A note behind them is graded by what
it says itself, as following hundreds of notes takes longer than the rest of the query."""

_RANKS: dict[GradeWord, int] = {"strong": 0, "fair": 1, "weak": 2}


class Lead(NamedTuple):
    """A candidate with where it leads to, and how good it is."""

    candidate: Candidate
    target: Target
    grade: Grade | None
    """None where candidates are not graded."""


def in_order(candidates: Sequence[Candidate], resolver: TargetResolver, grader: Grader | None) -> Iterator[Lead]:
    """Yield the candidates that lead somewhere in the order that they are shown in.

    Args:
        candidates: all candidates, best first by score.
        resolver: finds where they lead; those that are never asked for are not looked at.
        grader: grades them; None leaves them as they stand.
    """
    if grader is None:
        for candidate in candidates:
            if target := resolver.resolve(candidate):
                yield Lead(candidate, target, None)
        return
    known = [
        candidate for candidate, is_known in zip(candidates, resolver.are_known(candidates), strict=True) if is_known
    ]
    targets = {candidate.number: resolver.resolve(candidate) for candidate in known[:_LED_ON]}
    numbers = [candidate.number for candidate in known]
    numbers[:_LED_ON] = [target.number if target else number for number, target in targets.items()]
    graded = zip(known, grader(known, numbers), strict=True)
    for candidate, grade in sorted(graded, key=lambda pair: _RANKS[pair[1].word]):  # a stable sort
        target = targets[candidate.number] if candidate.number in targets else resolver.resolve(candidate)
        if target:
            yield Lead(candidate, target, grade)
