"""Measuring an index beside the plain hybrid: what the ranking finds more, and how much of that is the second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from talksearch.indexer.records import Field, Json
from talksearch.search import engine
from talksearch.search.query import Mode, Query
from talksearch.search.reader import IndexReader

from . import measure, plain_hybrid
from .measure import GoldQuery, Interval, Outcome, Summary

COMPARED = ("success@1", "success@10", "mrr@10", "talk@1")
"""The measures that are compared, by the names they are printed under."""


@dataclass(frozen=True, slots=True)
class QueryOutcomes:
    """How one query fared, beside the plain hybrid."""

    ours: Outcome
    at_start: Outcome
    """The same hits, were they opened where their passages begin, as those of the plain hybrid are."""
    plain: Outcome


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a set of queries fared, beside the plain hybrid."""

    ours: Summary
    plain: dict[str, Interval]
    """The metrics of the plain hybrid."""
    gain: dict[str, Interval]
    """By how much ours is better in each of `COMPARED`, query by query."""
    gain_of_jump: dict[str, Interval]
    """How much of that is the second that hits open at; the rest is their order."""


def run_queries(
    reader: IndexReader,
    golds: Iterable[GoldQuery],
    mode: Mode = "hybrid",
    k: int = measure.DEPTH,
    progress: Callable[[int], None] = lambda _: None,
    leave_out: tuple[Field, ...] = (),
) -> list[QueryOutcomes]:
    """Put every query to an index and to the plain hybrid. The arguments are those of `measure.run_queries`."""
    pairs = []
    for done, gold in enumerate(golds, 1):
        hits = engine.search(reader, Query(gold.query, k, mode, leave_out=leave_out), is_asked=False).hits
        pairs.append(
            QueryOutcomes(
                measure.judge(gold, hits),
                measure.judge(gold, measure.opened_at_start(hits)),
                measure.judge(gold, plain_hybrid.search(reader, gold.query, k)),
            )
        )
        progress(done)
    return pairs


def compare(pairs: Sequence[QueryOutcomes]) -> list[Comparison]:
    """Return the comparison of each file, and of each kind where a file has several."""
    comparisons = []
    for file, kind, positions in measure.groups([pair.ours for pair in pairs]):
        ours = [pairs[position].ours for position in positions]
        at_start = [pairs[position].at_start for position in positions]
        plain = [pairs[position].plain for position in positions]
        comparisons.append(
            Comparison(
                Summary(file, kind, len(ours), measure.metrics(ours)),
                measure.metrics(plain),
                {name: measure.paired_difference(ours, plain, name) for name in COMPARED},
                {name: measure.paired_difference(ours, at_start, name) for name in COMPARED},
            )
        )
    return comparisons


def comparison_json(comparison: Comparison) -> dict[str, Json]:
    """Return a comparison as JSON: the summary, and beside it the figures of the plain hybrid and the gain over it."""
    return {
        **measure.summary_json(comparison.ours),
        "beside": {
            "system": "plain",
            **measure.intervals_json(comparison.plain),
            "gain": measure.intervals_json(comparison.gain),
            "gain_of_jump": measure.intervals_json(comparison.gain_of_jump),
        },
    }


def pair_json(pair: QueryOutcomes) -> dict[str, Json]:
    """Return how one query fared with both, as JSON."""
    plain = measure.outcome_json(pair.plain)
    keys = ("rank", "talk_rank", "jump_error_s", "first")
    return {**measure.outcome_json(pair.ours), "beside": {"system": "plain", **{key: plain[key] for key in keys}}}
