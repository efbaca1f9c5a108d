"""What it costs to encode queries with weights in bytes: the same questions, asked with the model's own floats.

    python benchmarks/narrowed.py [--index DIR] [--limit N] [--out FILE] [GOLD...]

Every query of the gold files (`--limit`: so many of each, spread evenly) is answered by the same index twice: with the
query model (`query_model.ensure_query_model`), and with the exported model itself. Printed of each file: MRR@10
of both, the mean difference with its standard error, how often the first hit and all ten are the same, the cosine of
the vectors, and how long encoding took, on one core (milliseconds, medians). Exit 1 where no copy in bytes is there, or
a difference lies beyond two standard errors on the losing side.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from about import about

from talksearch.indexer.encoders import model_home, onnx_encoder
from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.evaluation.measure import GoldQuery
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader

ROOT = Path(__file__).parents[1]
SHARED = ROOT / ".." / "shared"


def main() -> int:
    """Ask, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: all of ../shared/gold)")
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, default=150, help="queries of each file")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "narrowed.json")
    options = parser.parse_args()
    with open_reader(options.index) as opened:
        card = opened.recipe.model
    home = model_home.find(card)
    if home is None or not list(model_home.machine_folder(home).glob("quick-*-bytes.onnx")):
        raise SystemExit(f"Queries to {options.index} are encoded with floats: there is nothing to compare.")
    with tempfile.TemporaryDirectory() as scratch:  # a home without the copy: then queries load the model itself
        for name in (model_home.MODEL, model_home.TOKENIZER):
            shutil.copyfile(home / name, Path(scratch) / name)
        floats = onnx_encoder.load(Path(scratch), card, queries=True)
    encoders = {"bytes": onnx_encoder.load(home, card, queries=True), "floats": floats}
    indexes = {name: open_reader(options.index, encoder=encoder) for name, encoder in encoders.items()}
    report: dict[str, Any] = {**about("onnxruntime", "numpy"), "files": {}}
    print(f"{report['machine']}, {report['versions']}\n")
    print(f"{'file':<16}{'queries':>8}{'bytes':>8}{'floats':>8}{'change':>9}{'error':>8}{'first':>7}{'ten':>6}"
          f"{'cosine':>9}{'least':>8}{'ms':>7}{'ms':>7}")  # fmt: skip
    for path in options.gold or sorted((SHARED / "gold").glob("*.jsonl")):
        every = measure.read_gold(path)
        step = max(1.0, len(every) / options.limit)
        row = _compare(indexes, [every[int(at * step)] for at in range(min(options.limit, len(every)))])
        report["files"][path.stem] = row
        print(f"{path.stem:<16}{row['queries']:>8}{row['bytes']:>8.4f}{row['floats']:>8.4f}{row['change']:>+9.4f}"
              f"{row['error']:>8.4f}{row['same_first']:>7.1%}{row['same_ten']:>6.0%}{row['cosine']:>9.5f}"
              f"{row['lowest']:>8.4f}{row['ms']['bytes']:>7.2f}{row['ms']['floats']:>7.2f}")  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return int(any(row["change"] < -2 * row["error"] for row in report["files"].values()))


def _compare(indexes: dict[str, IndexReader], golds: Sequence[GoldQuery]) -> dict[str, Any]:
    ranks: dict[str, list[float]] = {name: [] for name in indexes}
    times: dict[str, list[float]] = {name: [] for name in indexes}
    cosines, first, ten = [], [], []
    for gold in golds:
        vectors, found = [], []
        for name, index in indexes.items():
            at = perf_counter()
            vectors.append(index.encoder().encode_query(gold.query))
            times[name].append((perf_counter() - at) * 1000)
            hits = engine.search(index, Query(gold.query)).hits
            found.append([hit.passage_id for hit in hits])
            rank = measure.judge(gold, hits).rank
            ranks[name].append(1 / rank if rank else 0.0)
        cosines.append(float(vectors[0] @ vectors[1]))
        first.append(found[0][:1] == found[1][:1])
        ten.append(found[0] == found[1])
    change = np.subtract(*(ranks[name] for name in ("bytes", "floats")))
    return {
        "queries": len(golds),
        **{name: float(np.mean(own)) for name, own in ranks.items()},
        "change": float(change.mean()),
        "error": float(change.std() / len(change) ** 0.5),
        "same_first": float(np.mean(first)),
        "same_ten": float(np.mean(ten)),
        "cosine": float(np.mean(cosines)),
        "lowest": float(np.min(cosines)),
        "ms": {name: statistics.median(own) for name, own in times.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
