"""Answers from the candidates of a store, beside those of an index that holds all of it.

    python benchmarks/candidates.py --index INDEX [--store URL] [--talks 16,32,64] [--limit N] [--out FILE] [GOLD...]

`--store qdrant:///FOLDER` puts what finds passages there, and leaves the rest to the index. Without `--store` the index
itself is asked through the seam, by an engine that finds exactly: what is lost is then lost for having candidates
alone. Prints for each gold file and each number of talks fetched at most: MRR@10 of both with the difference and its
95-in-100 interval, the share of queries with the same first hit, the same first ten and the same grade of the first
hit, how many talks were fetched for a query, and milliseconds a query: the first time, and once
its talks are held. Exit 1 where MRR@10 is lower by more than .01 with the number of talks that the product fetches.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from about import about
from qdrant_engine import QdrantEngine

from talksearch.indexer.records import Field
from talksearch.indexer.stores.remote.engine import Engine
from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.remote import candidates
from talksearch.search.remote.current_store import CurrentStore
from talksearch.search.remote.listing import store_of

ROOT = Path(__file__).parents[1]
GOLD = ROOT / ".." / "shared" / "gold"
WITHHELD: tuple[Field, ...] = ("chapter", "description")
"""As in quality.py."""
LOWER = 0.01
HITS = 10


def main() -> int:
    """Ask both, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: bitcoin and nyu)")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--store", help="the URL of a store that holds the same")
    parser.add_argument("--talks", default=str(candidates.MOST_TALKS), help="how many are fetched at most: 16,32,64")
    parser.add_argument("--limit", type=int, help="at most so many queries of a file, spread evenly over it")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "candidates.json")
    options = parser.parse_args()
    report: dict[str, Any] = {**about("talksearch", "onnxruntime"), "rows": []}
    failed = []
    with open_reader(options.index) as reader:
        store = _store(options.index, options.store, reader)
        for path in options.gold or [GOLD / "bitcoin.jsonl", GOLD / "nyu.jsonl"]:
            golds = measure.read_gold(path)
            absent = set(measure.absent_talks(reader, golds))
            golds = tuple(gold for gold in golds if gold.talk not in absent)
            if options.limit and len(golds) > options.limit:
                golds = tuple(golds[at * len(golds) // options.limit] for at in range(options.limit))
            if not golds:
                continue
            queries = [Query(gold.query, HITS, leave_out=WITHHELD) for gold in golds]
            alone, alone_ms = _ask(queries, lambda query: engine.search(reader, query).hits)
            took = statistics.median(alone_ms)
            print(f"\n{path.stem}: {len(golds):,} queries; the index alone {took:.0f} ms a query")
            for talks in map(int, options.talks.split(",")):
                row = {"file": path.stem, "talks": talks, **_row(store, talks, golds, queries, alone)}
                _show(row)
                report["rows"].append(row)
                if talks == candidates.MOST_TALKS and row["difference"][0] < -LOWER:
                    failed.append(path.stem)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if failed:
        print(f"\nLower by more than {LOWER}: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _store(index: Path, url: str | None, reader: IndexReader) -> Callable[[int], CurrentStore]:
    """Return what opens the store, with nothing held. The encoder is the same for all."""
    if url is not None and not url.startswith("qdrant:"):
        from talksearch.indexer.stores.remote.address import open_engine

        opened: Engine = open_engine(url)
    else:
        sys.path.insert(0, str(ROOT / "tests"))
        from embedded_engine import EmbeddedEngine

        opened = EmbeddedEngine(index)
        version = opened.open()
        if url is not None:
            found_by = QdrantEngine(url, reader.encoder().card.dimension)
            talks = (version.talks([facts.id])[0] for facts in version.facts())
            found_by.write(0, talks, (), version.corpus())
            finds = found_by.open()
            version.nearest, version.saying = finds.nearest, finds.saying
        opened.open = lambda: version  # what it has packed once is not packed again
    return lambda talks: CurrentStore(opened, encoder=lambda _: reader.encoder(), poll_s=3600, most_talks=talks)


def _ask(queries: Sequence[Query], ask: Callable[[Query], Sequence[Hit]]) -> tuple[list[Sequence[Hit]], list[float]]:
    answers, took = [], []
    for query in queries:
        started = perf_counter()
        answers.append(ask(query))
        took.append((perf_counter() - started) * 1000)
    return answers, took


def _row(
    open_store: Callable[[int], CurrentStore],
    talks: int,
    golds: Sequence[measure.GoldQuery],
    queries: Sequence[Query],
    alone: Sequence[Sequence[Hit]],
) -> dict[str, Any]:
    gathered = []

    def search(reader: IndexReader, query: Query) -> Sequence[Hit]:
        hits = engine.search(reader, query).hits
        gathered.append(len(store_of(reader).gathered))
        return hits

    with open_store(talks) as store:
        store.ask(lambda reader: reader.encoder())
        answers, first_ms = _ask(queries, lambda query: store.ask(partial(search, query=query)))
        _, held_ms = _ask(queries[-_REPEATED:], lambda query: store.ask(partial(search, query=query)))
    outcomes = [measure.judge(gold, hits) for gold, hits in zip(golds, answers, strict=True)]
    baseline = [measure.judge(gold, hits) for gold, hits in zip(golds, alone, strict=True)]
    difference = measure.paired_difference(outcomes, baseline)
    pairs = list(zip(answers, alone, strict=True))
    return {
        "mrr@10": measure.metrics(outcomes)["mrr@10"].value,
        "mrr@10 alone": measure.metrics(baseline)["mrr@10"].value,
        "difference": [difference.value, difference.low, difference.high],
        "same_first": sum(_ids(one[:1]) == _ids(other[:1]) for one, other in pairs) / len(pairs),
        "same_ten": sum(_ids(one) == _ids(other) for one, other in pairs) / len(pairs),
        "same_grade": sum(_grades(one[:1]) == _grades(other[:1]) for one, other in pairs) / len(pairs),
        "talks_a_query": statistics.mean(gathered),
        "first_ms": statistics.median(first_ms),
        "held_ms": statistics.median(held_ms),
    }


_REPEATED = 20
"""Queries that are asked once more: the talks of the last ones are held still."""


def _ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage_id for hit in hits]


def _grades(hits: Sequence[Hit]) -> list[str | None]:
    return [hit.grade for hit in hits]


def _show(row: dict[str, Any]) -> None:
    value, low, high = row["difference"]
    print(
        f"  {row['talks']:>3} talks: mrr@10 {row['mrr@10']:.3f}, alone {row['mrr@10 alone']:.3f}: {value:+.4f}"
        f" ({low:+.3f} to {high:+.3f}); the same first hit {row['same_first']:.3f}, ten {row['same_ten']:.3f}, grade"
        f" {row['same_grade']:.3f}; {row['talks_a_query']:.1f} talks a query; {row['first_ms']:.0f} ms, held"
        f" {row['held_ms']:.0f} ms",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
