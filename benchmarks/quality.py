"""How well talksearch finds, beside what a user could build from the same passages in an afternoon.

    python benchmarks/quality.py [--index DIR] [--limit N] [--out FILE] [GOLD...]

Every gold file is asked of the whole index. The rivals rank the same passages: by meaning only, by words (BM25), by
reciprocal rank fusion of the two (k = 60, the usual way), and by their standardised scores with words at a third of the
weight. Prints a table with 95-in-100 intervals and writes everything as JSON. Exit 1 where talksearch does not beat the
best rival by what `expected_quality.json` asks; figures of a gold file stand for themselves, never for a mean.

Talks that are not in the index are left out, with their queries, so that a part of an archive can be measured.
Chapters and descriptions are withheld: the queries of some gold files are chapter titles.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np

from talksearch.indexer import build
from talksearch.indexer.records import Field
from talksearch.search import engine, measure
from talksearch.search.candidates import by_meaning, by_words, query_terms
from talksearch.search.fuse import Candidate
from talksearch.search.hits import to_hits
from talksearch.search.query import Query
from talksearch.search.rank import Asked, Ranking

ROOT = Path(__file__).parents[1]
SHARED = ROOT / ".." / "shared"
EXPECTED = Path(__file__).with_name("expected_quality.json")
DEPTH = 400
OURS, SHOWN = "talksearch", ("success@1", "success@5", "mrr@10", "recall@100", "talk@1", "jump_error_s_median")

WITHHELD: tuple[Field, ...] = ("chapter", "description")
"""Some gold queries are chapter titles, and some may stand in descriptions."""
NOTES: tuple[Field, ...] = ("title", *WITHHELD)
ASKED = Asked(())

Rank = Callable[[engine.Index, str], list[Candidate]]


def meaning(index: engine.Index, text: str) -> list[Candidate]:
    """Rank by cosine."""
    numbers, cosines, _, _ = by_meaning(index.vectors, index.encoder().encode_query(text), None, DEPTH)
    return [Candidate(*both) for both in zip(numbers.tolist(), cosines.tolist(), strict=True)]


def words(index: engine.Index, text: str) -> list[Candidate]:
    """Rank by BM25."""
    return [Candidate(number, score) for number, score in by_words(index.db, query_terms(index.db, text), None, DEPTH)]


def rank_fusion(index: engine.Index, text: str) -> list[Candidate]:
    """Rank by the sum of 1 / (60 + rank) in both lists (Cormack, Clarke and Büttcher, SIGIR 2009)."""
    scores: dict[int, float] = {}
    for ranked in (meaning(index, text), words(index, text)):
        for rank, candidate in enumerate(ranked, 1):
            scores[candidate.number] = scores.get(candidate.number, 0.0) + 1 / (60 + rank)
    return _best(scores)


def standardised(index: engine.Index, text: str) -> list[Candidate]:
    """Rank by cosine and BM25, each as deviations from its mean, words at a third of the weight."""
    vector = index.encoder().encode_query(text)
    numbers, _, mean, deviation = by_meaning(index.vectors, vector, None, DEPTH)
    said = dict(by_words(index.db, query_terms(index.db, text), None, DEPTH))
    every = np.array(sorted({*numbers.tolist(), *said}), np.int64)
    rows = index.vectors.find(every)
    cosines = np.where(rows >= 0, index.vectors.rows[rows] @ vector, mean)
    scores = np.array([said.get(number, 0.0) for number in every.tolist()])
    fused = (cosines - mean) / deviation + (scores - scores.mean()) / (scores.std() or 1.0) / 3
    return _best(dict(zip(every.tolist(), fused.tolist(), strict=True)))


RIVALS: dict[str, Rank] = {
    "meaning only": meaning,
    "words only": words,
    "rank fusion": rank_fusion,
    "standardised": standardised,
}


def main() -> int:
    """Measure, print, compare with what is expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: all of ../shared/gold)")
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, help="at most so many queries of a file, spread evenly over it")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "quality.json")
    options = parser.parse_args()
    if not options.index.exists():
        print(f"Building {options.index} from {SHARED / 'archive'}: an hour on two cores.", file=sys.stderr)
        build.index(options.index, [SHARED / "archive"])
    index = _remembering(engine.open_index(options.index, warn=lambda text: print(text, file=sys.stderr)))
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    report, failed = [], []
    for path in options.gold or sorted((SHARED / "gold").glob("*.jsonl")):
        golds = measure.read_gold(path)
        absent = set(measure.absent(index, golds))
        golds = tuple(gold for gold in golds if gold.talk not in absent)
        if options.limit and len(golds) > options.limit:
            golds = tuple(golds[at * len(golds) // options.limit] for at in range(options.limit))
        if not golds:
            continue
        outcomes = {name: _rival(index, golds, rank) for name, rank in RIVALS.items()}
        started = perf_counter()
        outcomes[OURS] = measure.ask(index, golds, leave_out=WITHHELD)
        took = (perf_counter() - started) / len(golds)
        figures = {name: measure.figures(rows) for name, rows in outcomes.items()}
        best = max(RIVALS, key=lambda name: figures[name]["mrr@10"].value)
        gain = measure.difference(outcomes[OURS], outcomes[best])
        wanted = expected["mrr_gain_over_best_rival"].get(path.stem)
        print(f"\n{path.stem}: {len(golds):,} queries, {len(absent)} talks absent, {took * 1000:.0f} ms a query")
        print(f"{'':<14}" + "".join(f"{name.replace('_s_median', ' s'):>24}" for name in SHOWN))
        for name, row in figures.items():
            cells = (f"{row[key].value:.3f} ({row[key].low:.3f}-{row[key].high:.3f})" for key in SHOWN)
            print(f"{name:<14}" + "".join(f"{cell:>24}" for cell in cells))
        print(f"mrr@10 over {best}: {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), expected {wanted}")
        if wanted is not None and gain.value < wanted and not options.limit:
            failed.append(path.stem)
        report.append(
            {
                "file": path.stem,
                "queries": len(golds),
                "absent_talks": len(absent),
                "best_rival": best,
                "mrr_gain": [gain.value, gain.low, gain.high],
                "systems": {
                    name: {key: [row[key].value, row[key].low, row[key].high] for key in row}
                    for name, row in figures.items()
                },
            }
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if failed:
        print(f"\nBelow what is expected: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _rival(index: engine.Index, golds: Iterable[measure.Gold], rank: Rank) -> list[measure.Outcome]:
    return [
        measure.judge(
            gold, to_hits(index.db, index.vectors, Query(gold.query, measure.DEPTH, leave_out=NOTES), ranking, ASKED)
        )
        for gold in golds
        for ranking in [Ranking(rank(index, gold.query), lambda numbers: np.zeros(len(numbers)), 0.0)]
    ]


def _best(scores: dict[int, float]) -> list[Candidate]:
    ranked = sorted(scores.items(), key=lambda both: (-both[1], both[0]))
    return [Candidate(*both) for both in ranked]


def _remembering(index: engine.Index) -> engine.Index:
    """Return the index with an encoder that encodes each query once: four systems ask the same."""
    loaded = index.encoder()

    class Remembering:
        card = loaded.card
        encode_passages = staticmethod(loaded.encode_passages)
        encode_query = staticmethod(cache(loaded.encode_query))

    return replace(index, encoder=lambda: Remembering())  # type: ignore[arg-type, return-value]


if __name__ == "__main__":
    sys.exit(main())
