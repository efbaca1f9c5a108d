"""What comparing the first candidates token by token gains, and what its weight should be.

    python benchmarks/late.py [--index DIR] [--limit N] [--weights 0,0.5,1,1.5] [GOLD...]

Asks the gold queries with each weight (0: without) and prints success@1, success@5 and MRR@10 of each file, and by how
much MRR@10 differs from that of the first weight, with its interval. Chapters and descriptions are withheld, as in
`quality.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean

from quality import ROOT, SHARED, WITHHELD

from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.query import Query
from talksearch.search.ranking import late_interaction
from talksearch.search.reader import open_reader


def main() -> None:
    """Ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: all of ../shared/gold)")
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, default=150, help="at most so many queries of a file, spread evenly")
    parser.add_argument("--weights", default="0,0.5,1,1.5")
    options = parser.parse_args()
    index = open_reader(options.index)
    weights = [float(weight) for weight in options.weights.split(",")]
    every: dict[float, list[float]] = {weight: [] for weight in weights}
    print(f"{'':<16}{'weight':>8}{'success@1':>11}{'success@5':>11}{'mrr@10':>9}   difference")
    for path in options.gold or sorted((SHARED / "gold").glob("*.jsonl")):
        golds = measure.read_gold(path)
        if len(golds) > options.limit:
            golds = tuple(golds[at * len(golds) // options.limit] for at in range(options.limit))
        without: list[measure.Outcome] = []
        for weight in weights:
            late_interaction.WEIGHT = weight
            found = [
                measure.judge(gold, engine.search(index, Query(gold.query, 10, leave_out=WITHHELD)).hits)
                for gold in golds
            ]
            figures = measure.metrics(found)
            every[weight].append(figures["mrr@10"].value)
            said = ""
            if without:
                gain = measure.paired_difference(found, without)
                said = f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
            without = without or found
            cells = "".join(f"{figures[name].value:>{width}.3f}" for name, width in _SHOWN)
            print(f"{path.stem:<16}{weight:>8g}{cells}   {said}", flush=True)
    for weight, values in every.items():
        print(f"{'mean':<16}{weight:>8g}{fmean(values):>31.4f}")


_SHOWN = (("success@1", 11), ("success@5", 11), ("mrr@10", 9))


if __name__ == "__main__":
    main()
