"""How well talksearch finds while vectors are still being made, beside words alone and a complete index.

    python benchmarks/partly.py [--index DIR] [--limit N] [--shares all,1/2,…] [--as-mean] [GOLD...]

Takes a complete index and hides vectors from the search, with what is derived from them, as if the indexing run had
come so far: `1/8` are the first eighth of the order in which a run embeds passages, `13%` are the first 13 in 100 in
the order of the catalog, as where new talks are added to an index. `0` has no vector. `lexical` are the words alone
(`--mode lexical`). Prints MRR@10 of each gold file, by how much it differs from words alone (and half of the
95-in-100 interval of that), its mean over the files, and the difference of all queries. `--as-mean` counts a passage
without a vector as of average meaning, as it was done before there were estimates, for comparison. Chapters and
descriptions are withheld, as in `quality.py`.

    python benchmarks/partly.py --alike [--index DIR] [GOLD...]

prints how alike the cosines of a query are along a talk, and how they go along with its words: the mean slope of each
measure of words over the queries of a file, its standard deviation from query to query, and which share of the variance
they account for. The constants of `missing_vectors` are taken from these.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

import numpy as np
from quality import ROOT, SHARED, WITHHELD, Remembering

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.pipeline.embed_order import embedding_order
from talksearch.indexer.stores import calibration, catalog
from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.evaluation.measure import GoldQuery, Outcome
from talksearch.search.ranking import rank
from talksearch.search.ranking.encoded_query import query_postings
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.reader import IndexReader, open_reader

SHARES = "lexical,0,13%,1/64,1/16,1/8,1/4,1/3,1/2,all"
DISTANCES = (1, 2, 3, 4, 8, 16, 32, 64)


def main() -> None:
    """Hide, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: all of ../shared/gold)")
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, default=100, help="at most so many queries of a file, spread evenly")
    parser.add_argument("--shares", default=SHARES)
    parser.add_argument("--as-mean", action="store_true", help="count what has no vector as of average meaning")
    parser.add_argument("--alike", action="store_true", help="print how alike cosines are along a talk, and stop")
    options = parser.parse_args()
    with open_reader(options.index) as opened:
        index = open_reader(options.index, encoder=Remembering(opened.encoder()))
    files = options.gold or sorted((SHARED / "gold").glob("*.jsonl"))
    golds = {path.stem: sample(path, options.limit) for path in files}
    if options.alike:
        print_alike(index, golds)
        print_slopes(index, golds)
        return
    print(f"{'':<8}" + "".join(f"{name:>21}" for name in golds) + f"{'mean':>8}   all queries over words alone")
    words: dict[str, list[Outcome]] = {}
    for share in options.shares.split(","):
        found = {name: ask(index, own, share, as_mean=options.as_mean) for name, own in golds.items()}
        words = words or found
        gains = [over(found[name], words[name]) for name in golds]
        means = [measure.metrics(outcomes)["mrr@10"].value for outcomes in found.values()]
        cells = "".join(f"{mean:>7.3f}{gain:>14}" for mean, gain in zip(means, gains, strict=True))
        every = over(*([one for outcomes in each.values() for one in outcomes] for each in (found, words)))
        print(f"{share:<8}{cells}{fmean(means):>8.3f}   {every}", flush=True)


def over(outcomes: Sequence[Outcome], words: Sequence[Outcome]) -> str:
    """Return by how much outcomes are better than those of words alone, and half the 95-in-100 interval of that."""
    gain = measure.paired_difference(outcomes, words)
    return f"{gain.value:+.3f} ±{(gain.high - gain.low) / 2:.3f}"


def sample(path: Path, limit: int) -> list[GoldQuery]:
    """Return so many queries of a gold file, spread evenly."""
    golds = measure.read_gold(path)
    count = min(limit, len(golds))
    return [golds[at * len(golds) // count] for at in range(count)]


def ask(index: IndexReader, golds: Sequence[GoldQuery], share: str, *, as_mean: bool) -> list[Outcome]:
    """Ask queries of an index of which a share is embedded, and judge what is found."""
    mode = "lexical" if share == "lexical" else "hybrid"
    with hidden(index, share), patch.object(rank, "find_gaps", (lambda *_: None) if as_mean else rank.find_gaps):
        return measure.run_queries(index, golds, mode, 10, leave_out=WITHHELD)


@contextmanager
def hidden(index: IndexReader, share: str) -> Iterator[None]:
    """Hide the vectors that would not be there yet, with their tokens. Hits then have no grade, as in a first run."""
    if share in ("lexical", "all"):
        yield
        return
    table = index.table()
    order = np.sort(table.layout.numbers) if "%" in share else embedding_order(index.db)
    kept = order[: round(len(order) * float(Fraction(share.rstrip("%")) / (100 if "%" in share else 1)))]
    partly = masked(table, np.isin(table.layout.numbers, kept))
    has_vector = set(kept.tolist())
    read_tokens = catalog.read_tokens

    def read_some(db: object, numbers: Sequence[int]) -> dict[int, bytes]:
        return read_tokens(db, [number for number in numbers if number in has_vector])  # type: ignore[arg-type]

    with (
        patch.object(IndexReader, "table", lambda _: partly),
        patch.object(catalog, "read_tokens", read_some),
        patch.object(calibration, "read", lambda *_: None),
        patch.object(engine, "_compares_vectors", lambda _, query: bool(len(kept)) and query.mode != "lexical"),
    ):
        yield


def masked(table: PassageTable, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> PassageTable:
    """Return a table in which only some passages have a vector (n,)."""
    rows = np.where(kept, table.vector_rows, -1)
    columns = table.columns
    if columns is not None and kept.any():
        vectors: Floats = table.vectors.rows[rows[rows >= 0]].astype(np.float64)
        columns = replace(
            columns,
            rows=rows.astype(np.int32),
            mean=vectors.mean(axis=0),
            second=vectors.T @ vectors / len(vectors),
        )
    return PassageTable(table.layout, rows, table.vectors, columns, table.db)


def print_alike(index: IndexReader, golds: dict[str, list[GoldQuery]]) -> None:
    """Print, for each file, the correlation of the cosines of passages that lie so many apart in a talk."""
    table = index.table()
    rows = np.ascontiguousarray(table.vectors.rows[table.vector_rows])
    print(f"{'apart':<16}" + "".join(f"{distance:>7}" for distance in DISTANCES))
    for name, own in golds.items():
        cosines = rows @ np.array([index.encoder().encode_query(gold.query) for gold in own]).T
        cosines = (cosines - cosines.mean(axis=0)) / cosines.std(axis=0)
        print(f"{name:<16}" + "".join(f"{_alike(table, cosines, apart):>7.3f}" for apart in DISTANCES), flush=True)


def print_slopes(index: IndexReader, golds: dict[str, list[GoldQuery]]) -> None:
    """Print, for each file, by how many deviations passages are nearer for each point of what words say of them."""
    table = index.table()
    rows = np.ascontiguousarray(table.vectors.rows[table.vector_rows])
    spoken = ~table.layout.notes
    print(f"\n{'':<16}{'queries':>8}{'scores':>16}{'BM25':>16}{'both explain':>14}{'scores alone':>14}")
    for name, own in golds.items():
        found = []
        for gold in own:
            query = engine._encode(index, gold.query, with_vector=False)
            with hidden(index, "0"):  # where no vector is missing, BM25 is not looked up
                words = rank._words(
                    index.table(), query, query_postings(index.table(), query), table.notes_in(WITHHELD)
                ).columns()[spoken]
            if words.any(axis=0).all():
                cosines = (rows @ index.encoder().encode_query(gold.query))[spoken]
                deviations = (cosines - cosines.mean()) / cosines.std()
                slopes, share = _fit(words, deviations)
                found.append([*slopes, share, _fit(words[:, :1], deviations)[1]])
        means, deviate = np.mean(found, axis=0), np.std(found, axis=0)
        slopes_shown = "".join(f"{mean:>10.3f} ±{one:.3f}" for mean, one in zip(means[:2], deviate[:2], strict=True))
        print(f"{name:<16}{len(found):>8}{slopes_shown}{means[2]:>14.3f}{means[3]:>14.3f}", flush=True)


def _fit(words: Floats, deviations: Floats) -> tuple[list[float], float]:
    """Return the slopes by which deviations go along with columns of words, and the share of variance they explain."""
    spread = (words - words.mean(axis=0)).astype(np.float64)
    slopes, *_ = np.linalg.lstsq(spread, deviations - deviations.mean(), rcond=None)
    return slopes.tolist(), 1 - float(np.var(deviations - spread @ slopes) / np.var(deviations))


def _alike(table: PassageTable, cosines: Floats, apart: int) -> float:
    layout = table.layout
    same: Ints = np.flatnonzero(
        (layout.talks[apart:] == layout.talks[:-apart]) & ~layout.notes[apart:] & ~layout.notes[:-apart]
    )
    return float((cosines[same] * cosines[same + apart]).mean())


if __name__ == "__main__":
    main()
