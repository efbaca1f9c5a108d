"""What happens to an index as it grows to a million passages.

    python benchmarks/scale.py --base INDEX [--sizes 10000,100000] [--work DIR] [--keep] [--out FILE] [--chart FILE.svg]
    python benchmarks/scale.py --store URL [--sizes 1000000]    # a store on other machines: see store.py

The archive is synthetic: the talks of a real index again and again, under new ids, word for word with all their cues,
and each passage with a vector of its own, the real one and noise at a cosine of about 0.9 to it, and with the tokens of
the real one. They are written by the same functions as in an indexing run, only the model is left out. One index grows
from size to size; the figures of a size are those of the step to it, measured in processes of their own. `--work` with
`--keep` goes on where an earlier call stopped.

Prints for each size: passages a second put into catalog and stores, disk by part, peak memory while building and
asking, cold latency (`talksearch QUERY` in a fresh process) and warm latency, and how much of the exact top ten
Chroma's approximate search finds. Exit 1 where recall@10 is below 0.98.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from heapq import nlargest
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from about import about
from chart import bars
from measured import QUERIES, measured, recipe_of
from store import measure as measure_store

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import KeepTokens
from talksearch.indexer.pipeline import embed_pending
from talksearch.indexer.stores import catalog, catalog_talks, catalog_writer, recipe, stop_terms, vectors
from talksearch.indexer.stores.catalog_writer import PassageInsert, TalkRows
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.columns import update

HERE = Path(__file__).parent
NOISE = 0.48
"""Length of the noise beside a vector of length 1: the cosine between them is 1 / sqrt(1 + 0.48^2), about 0.9."""
RECALL = 0.98


def main() -> int:
    """Grow, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="a real index; it is only read")
    parser.add_argument("--store", help="measure a store at this URL instead, with so many made-up passages")
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--work", type=Path, help="where the index grows (default: a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="leave it there")
    parser.add_argument("--out", type=Path, default=HERE.parent / ".cache" / "scale.json")
    parser.add_argument("--chart", type=Path, help="where to draw the warm latency of each size")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        name, _, size = options.step.partition(":")
        print(json.dumps(_STEPS[name](options.base, options.work, int(size))))
        return 0
    if options.store:
        measure_store(options.store, max(map(int, options.sizes.split(","))))
        return 0
    if options.base is None:
        parser.error("Give --base INDEX, or --store URL.")
    measured(options.base)
    work = options.work or Path(tempfile.mkdtemp(prefix="scale-"))
    report: dict[str, Any] = {**about("chromadb", "numpy", "simsimd", "onnxruntime"), "sizes": []}
    print(*(f"{key}: {value}" for key, value in report.items() if key not in ("sizes", "kernels")), sep="\n")
    print(*report["kernels"], sep="\n")
    try:
        for size in sorted(map(int, options.sizes.split(","))):
            row: dict[str, Any] = {"passages": size, "load": os.getloadavg()[0]}
            for step in _STEPS:
                row[step] = _child(options.base, work, step, size)
            row["disk_mb"] = _disk(work)
            report["sizes"].append(row)
            _show(row)
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    if options.chart:
        rows = [(f"{row['passages']:,} passages", row["ask"]["warm_ms"]) for row in report["sizes"]]
        options.chart.write_text(bars("A query in a warm process", "ms", rows), encoding="utf-8")
    return 0 if all(row["chroma"]["recall_at_10"] >= RECALL for row in report["sizes"]) else 1


def _child(base: Path, work: Path, step: str, size: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--base", str(base), "--work", str(work), "--step", f"{step}:{size}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _show(row: dict[str, Any]) -> None:
    grow, ask, chroma = row["grow"], row["ask"], row["chroma"]
    print(f"\n{row['passages']:,} passages (load {row['load']:.1f})")
    if grow["added"]:
        print(
            f"  catalog {grow['catalog_rate']:,.0f} passages/s, vectors and Chroma {grow['stores_rate']:,.0f}"
            f" passages/s, columns {grow['columns_s']:.1f} s, peak {grow['peak_mb']:.0f} MB, of which"
            f" {grow['chroma_peak_mb']:.0f} MB in Chroma's process"
        )
    print(
        f"  disk: {', '.join(f'{part} {size:,.0f} MB' for part, size in row['disk_mb'].items())}\n"
        f"  cold {ask['cold_ms']:.0f} ms and {ask['cold_peak_mb']:.0f} MB; warm {ask['warm_ms']:.1f} ms in the median,"
        f" {ask['warm_slowest_ms']:.1f} at the slowest, {ask['warm_peak_mb']:.0f} MB\n"
        f"  Chroma: recall@10 {chroma['recall_at_10']:.4f}, {chroma['query_ms']:.1f} ms a query,"
        f" {chroma['peak_mb']:.0f} MB, opened and first answer in {chroma['first_ms']:.0f} ms",
        flush=True,
    )


def _disk(work: Path) -> dict[str, float]:
    parts: dict[str, float] = {}
    for file in work.rglob("*"):
        if file.is_file():
            name = file.relative_to(work).parts[0]
            parts[name] = parts.get(name, 0) + file.stat().st_size / 1e6
    return dict(sorted(((name, size) for name, size in parts.items() if size >= 1), key=lambda part: -part[1]))


# --- growing --------------------------------------------------------------------------------------------------------


def _grow(base: Path, work: Path, size: int) -> dict[str, Any]:
    """Bring the index to `size` passages."""
    made = recipe_of(base)
    work.mkdir(parents=True, exist_ok=True)
    if not layout.RECIPE.within(work).exists():
        recipe.write(work, made)
        directions = token_codes.read(base)
        if directions is not None:
            token_codes.write(work, directions)
    with closing(catalog.open_catalog(work, write=True)) as db, closing(catalog.open_catalog(base)) as source:
        before = _count(db)
        at = perf_counter()
        _write_talks(db, source, size)
        stop_terms.update_stop_terms(db)
        written = perf_counter() - at
        encoder = _Noisy(base, source, made.model.dimension, before)
        at = perf_counter()
        encode = partial(embed_pending.encode, work, encoder)
        embed_pending.embed_pending(db, work, lambda *_: encode, lambda: made.model.dimension, lambda *_: None)
        stored = perf_counter() - at
        at = perf_counter()
        update.write(work, db, made.model.dimension)
        added = _count(db) - before
    return {
        "added": added,
        "catalog_rate": added / written if added else 0.0,
        "stores_rate": added / stored if added else 0.0,
        "columns_s": perf_counter() - at,
        # The process that writes into Chroma is another; added up, which is the most that both held.
        "peak_mb": _peak() + _peak(resource.RUSAGE_CHILDREN),
        "chroma_peak_mb": _peak(resource.RUSAGE_CHILDREN),
    }


def _count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM passages").fetchone()[0])


def _write_talks(db: sqlite3.Connection, source: sqlite3.Connection, size: int) -> None:
    """Write talks until there are `size` passages; the last one is cut."""
    left = size - _count(db)
    written = int(db.execute("SELECT count(*) FROM talks").fetchone()[0])
    talks = [row[0] for row in source.execute("SELECT id FROM talks ORDER BY id")]
    while left > 0:
        copy, at = divmod(written, len(talks))
        rows = _talk(source, talks[at], copy, left)
        with catalog.transaction(db):
            catalog_writer.put_rows(db, f"/scale/{rows.talk_id}", rows)
        left -= len(rows.passages)
        written += 1


def _talk(source: sqlite3.Connection, talk_id: str, copy: int, most: int) -> TalkRows:
    """Return a talk of the real index as the rows of another one."""
    found = catalog_talks.read_talk(source, talk_id)
    if found is None:
        raise SystemExit(f"the talk {talk_id} left the base index meanwhile")
    number = source.execute("SELECT number FROM talks WHERE id = ?", (talk_id,)).fetchone()[0]
    talk = replace(found, id=f"{talk_id}~{copy}", youtube_id=None, source=f"{copy}/{found.source}")
    rows = source.execute(
        "SELECT p.id, start_ms, end_ms, first_cue, last_cue, text, speakers, digest, field, terms, track_terms"
        " FROM passages p JOIN words w ON w.rowid = p.number WHERE talk = ? ORDER BY p.number LIMIT ?",
        (number, most),
    )
    return replace(
        catalog_writer.rows_of(talk, ()),
        passages=[
            # Its own digest: it gets a vector of its own.
            row._replace(
                id=f"{talk.id}:{row.id.rpartition(':')[2]}", digest=catalog_writer.text_digest(f"{copy} {row.text}")
            )
            for row in (PassageInsert(*values) for values in rows)
        ],
    )


class _Noisy:
    """Gives each text its vector in the real index, and noise."""

    def __init__(self, base: Path, source: sqlite3.Connection, dimension: int, seed: int) -> None:
        self._copy = vectors.read(base, dimension)
        self._rows = {
            digest: int(number)
            for digest, number in source.execute("SELECT digest, number FROM passages WHERE embedded")
        }
        self._random = np.random.default_rng(seed)
        self._base = base
        self._directions = token_codes.read(base)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        numbers = np.array([self._rows[catalog_writer.text_digest(text)] for text in texts], np.int64)
        return _noisy(np.array(self._copy.rows[self._copy.find(numbers)]), self._random)

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        assert self._directions is not None  # or nobody would ask
        numbers = [self._rows[catalog_writer.text_digest(text)] for text in texts]
        with closing(catalog.open_catalog(self._base)) as db:  # this runs in the model's thread
            codes = catalog.read_tokens(db, numbers)
        for at, number in enumerate(numbers):
            keep(at, token_codes.decode(codes[number], len(self._directions)) @ self._directions)
        return self.encode_passages(texts)


def _noisy(rows: Floats, random: np.random.Generator) -> Floats:
    noise = random.standard_normal(rows.shape, np.float32)
    rows = rows + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


# --- asking ---------------------------------------------------------------------------------------------------------


def _ask(_: Path, work: Path, __: int) -> dict[str, Any]:
    """Ask from the command line in fresh processes, then many times in this one."""
    cold, peaks = [], []
    command = [sys.executable, "-m", "talksearch.cli", "--index", str(work), "--format", "jsonl"]
    for query in QUERIES[:6]:
        at = perf_counter()
        asked = subprocess.Popen([*command, query], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(asked.pid, 0)
        cold.append(perf_counter() - at)
        if status:
            raise SystemExit(f"{' '.join(command)} failed")
        peaks.append(used.ru_maxrss / 1024)
    from talksearch.cli.pool import process_tuning
    from talksearch.search import engine
    from talksearch.search.query import Query
    from talksearch.search.reader import open_reader

    index = open_reader(work)
    process_tuning.tune(work)
    engine.search(index, Query(QUERIES[0]))
    warm = []
    for query in QUERIES * 3:
        at = perf_counter()
        engine.search(index, Query(query))
        warm.append(perf_counter() - at)
    return {
        "cold_ms": statistics.median(cold[1:]) * 1000,
        "cold_first_ms": cold[0] * 1000,
        "cold_peak_mb": max(peaks),
        "warm_ms": statistics.median(warm) * 1000,
        "warm_slowest_ms": max(warm) * 1000,
        "warm_peak_mb": _peak(),
    }


def _chroma(_: Path, work: Path, __: int) -> dict[str, Any]:
    """Compare Chroma's approximate ten nearest with the exact ones, for noisy copies of passages."""
    made = recipe_of(work)
    with closing(catalog.open_catalog(work)) as db:
        copy = vectors.read(work, made.model.dimension)
        random = np.random.default_rng(1)
        queries = _noisy(np.array(copy.rows[random.choice(len(copy.rows), 200)]), random)
        exact = [_ids(db, copy.numbers[best]) for best in _nearest(copy.rows, queries)]
    first, took = 0.0, np.zeros(len(queries))
    found: list[list[tuple[float, str]]] = [[] for _ in queries]
    for part in store.partitions(work):
        at = perf_counter()
        with store.open_partition(work, part) as collection:
            passages.nearest(collection, queries[0], 10)
            first += perf_counter() - at
            for one, query in enumerate(queries):
                at = perf_counter()
                found[one] += [(score, id_) for id_, score in passages.nearest(collection, query, 10)]
                took[one] += perf_counter() - at
    right = sum(len({id_ for _, id_ in nlargest(10, own)} & wanted) for own, wanted in zip(found, exact, strict=True))
    return {
        "recall_at_10": right / (10 * len(queries)),
        "query_ms": float(np.median(took)) * 1000,
        "first_ms": first * 1000,
        "peak_mb": _peak(),
    }


def _nearest(rows: Floats, queries: Floats, count: int = 10) -> Iterator[Any]:
    """Yield the rows nearest to each query, block by block so that memory stays bounded."""
    best = np.full((len(queries), 0), 0, np.int64)
    scores = np.empty((len(queries), 0), np.float32)
    for at in range(0, len(rows), 50_000):
        block = queries @ np.array(rows[at : at + 50_000]).T
        both = np.concatenate([scores, block], axis=1)
        where = np.concatenate([best, np.broadcast_to(np.arange(at, at + block.shape[1]), block.shape)], axis=1)
        top = np.argpartition(-both, min(count, both.shape[1]) - 1, axis=1)[:, :count]
        scores, best = np.take_along_axis(both, top, 1), np.take_along_axis(where, top, 1)
    yield from best


def _ids(db: sqlite3.Connection, numbers: Any) -> set[str]:
    return {db.execute("SELECT id FROM passages WHERE number = ?", (int(one),)).fetchone()[0] for one in numbers}


def _peak(who: int = resource.RUSAGE_SELF) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


_STEPS = {"grow": _grow, "ask": _ask, "chroma": _chroma}


if __name__ == "__main__":
    sys.exit(main())
