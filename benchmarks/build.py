"""How fast an archive becomes searchable, and in how much memory.

    python benchmarks/build.py [--archive DIR] [--passages N] [--whole] [--out FILE] [--chart FILE.svg]

In one run, on this machine:

- read: talks a minute read, restored and split by one process
- words: seconds until all words of the archive are searchable, with one process and with as many as there are cores
- encode: passages a second through `SentenceTransformer.encode` (float32, batches of 32) and through what an indexing
  run of this size chooses, on the same passages of the archive, in turn, how near their vectors are, and how often
  either finds the answers to the gold queries of those talks, by meaning alone
- build: a part of the archive (`--whole`: all of it) indexed from nothing: where the time goes, peak memory by stage
- again: the same unchanged; then with one new talk, beside what its columns would take from nothing

Prints figures and ratios and writes them as JSON. Exit 1 where a goal is missed: 200 talks a minute, 60 s, 3 times, a
tenth of the time outside the model, 2 s, half a point of success@5; 2.5 times on a processor with AVX2 alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from about import about
from chart import bars

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import make_home, onnx_encoder, selection
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.encoders.default_model import default_card, default_folder
from talksearch.indexer.pipeline import embed_pending
from talksearch.indexer.stores import catalog, recipe
from talksearch.indexer.stores.columns import update
from talksearch.search.evaluation import measure
from talksearch.search.evaluation.measure import GoldQuery

HERE = Path(__file__).parent
SHARED = HERE.parent / ".." / "shared"
GOALS = {
    "talks a minute": 200.0,
    "words, s": 60.0,
    "times encode": 3.0,
    "success@5 lost": 0.005,
    "outside the model": 0.1,
    "unchanged, s": 2.0,
}

_RUN = """
import json, resource, sys, threading, time
from pathlib import Path
from talksearch.indexer.pipeline import run
from talksearch.indexer.pipeline.encoder_provider import EncoderProvider
from talksearch.indexer.stores.columns import update as columns

class Enough(Exception):
    pass

def memory():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

def main():
    folder, processes, stop_after, *paths = sys.argv[1:]
    started = time.perf_counter()
    stages, seen = {}, {}
    model = [0.0, 0.0]
    chosen = EncoderProvider.bulk_encoder
    def timed(self, texts, waiting=0):
        at = time.perf_counter()
        encoder = chosen(self, texts, waiting)
        model[1] += time.perf_counter() - at
        class Timed:
            card = encoder.card
            def encode_passages(self, texts):
                at = time.perf_counter()
                vectors = encoder.encode_passages(texts)
                model[0] += time.perf_counter() - at
                return vectors
            def encode_by_token(self, texts, keep):
                at = time.perf_counter()
                vectors = encoder.encode_by_token(texts, keep)
                model[0] += time.perf_counter() - at
                return vectors
        return Timed()
    EncoderProvider.bulk_encoder = timed
    made, columns_s = columns.write, [0.0]
    def write(*given):
        at = time.perf_counter()
        done = made(*given)
        columns_s[0] += time.perf_counter() - at
        return done
    columns.write = write
    stage = ["start"]
    def watch():
        while True:
            seen[stage[0]] = max(seen.get(stage[0], 0), memory())
            time.sleep(0.05)
    threading.Thread(target=watch, daemon=True).start()
    def tell(progress):
        stage[0] = progress.phase
        stages.setdefault(progress.phase, time.perf_counter() - started)
        if progress.phase == stop_after:
            raise Enough
    report = None
    try:
        report = run.build_index(folder, paths, processes=int(processes) or None, tell=tell)
    except Enough:
        pass
    own, readers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({
        "seconds": time.perf_counter() - started, "stages": stages, "peak_mb": seen,
        "peak_of_a_reader_mb": readers.ru_maxrss / 1024, "model_s": model[0], "choosing_s": model[1],
        "columns_s": columns_s[0],
        "processor_s": own.ru_utime + own.ru_stime + readers.ru_utime + readers.ru_stime,
        "embedded": report.embedded if report else 0, "talks": len(report.added) if report else 0,
    }))

if __name__ == "__main__":
    main()
"""


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, default=SHARED / "archive")
    parser.add_argument("--passages", type=int, default=6_000, help="how many are encoded both ways")
    parser.add_argument("--part", default="nyu", help="the folder of the archive that is built from nothing")
    parser.add_argument("--only", choices=["encode"], help="measure nothing else")
    parser.add_argument("--whole", action="store_true", help="build the whole archive from nothing")
    parser.add_argument("--out", type=Path, default=HERE.parent / ".cache" / "build.json")
    parser.add_argument("--chart", type=Path)
    options = parser.parse_args()
    report: dict[str, Any] = {
        **about("torch", "sentence-transformers", "onnxruntime", "openvino", "chromadb", "numpy"),
        "archive_mb": round(sum(file.stat().st_size for file in options.archive.rglob("*") if file.is_file()) / 1e6),
    }
    for key, value in report.items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory(dir=options.out.parent if options.out.parent.exists() else None) as scratch:
        work = Path(scratch)
        if options.only:
            _index(work / "words", options.archive, stop_after="embedding")
            _encode(work / "words", options.passages)
            return 0
        report["words"] = _words(work, options.archive)
        report["encode"] = _encode(work / "words", options.passages)
        report["build"] = _build(work, options.archive if options.whole else options.archive / options.part)
    report["goals"] = _judge(report)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if options.chart:
        rates = report["encode"]["passages_a_second"]
        options.chart.write_text(bars("Embedding", "passages/s", list(rates.items())), encoding="utf-8")
    return 0 if all(row["met"] for row in report["goals"].values()) else 1


def _words(work: Path, archive: Path) -> dict[str, Any]:
    """Read the whole archive into a catalog, with one process and with all cores; the second stays for what follows."""
    one = _index(work / "one", archive, processes=1, stop_after="embedding")
    many = _index(work / "words", archive, stop_after="embedding")
    with catalog.open_catalog(work / "words") as db:
        counts = catalog.counts(db)
    shutil.rmtree(work / "one")
    found = {
        "talks": counts.talks,
        "passages": counts.passages,
        "one_process_s": one["seconds"],
        "talks_a_minute_of_processor_time": counts.talks / one["processor_s"] * 60,
        "all_cores_s": many["seconds"],
        "peak_mb": many["peak_mb"],
        "peak_of_a_reader_mb": many["peak_of_a_reader_mb"],
    }
    rate = found["talks_a_minute_of_processor_time"]
    print(f"\nread: {counts.talks} talks, {counts.passages:,} passages: {rate:.0f} talks a minute of one core")
    print(f"words searchable after {many['seconds']:.1f} s with all cores, {one['seconds']:.1f} s with one process")
    print(f"  peak memory {max(many['peak_mb'].values()):.0f} MB, and {many['peak_of_a_reader_mb']:.0f} MB a reader")
    return found


def _encode(folder: Path, count: int) -> dict[str, Any]:
    """Encode the same passages in turn by sentence-transformers and by what an indexing run would choose, and ask both.

    The passages are those of whole talks that the gold files ask about, or of any talks where there are no gold files.
    """
    from sentence_transformers import SentenceTransformer

    golds = [gold for path in sorted((SHARED / "gold").glob("*.jsonl")) for gold in measure.read_gold(path)]
    with catalog.open_catalog(folder) as db:
        every = [row[0] for row in db.execute("SELECT text FROM passages WHERE field = 'speech' ORDER BY number")]
        talks = _talks(db, golds, count)
    texts = [passage[1] for passages, _ in talks for passage in passages]
    plain = SentenceTransformer(str(default_folder()), device="cpu")
    home = make_home.find_or_make(default_card(), print)
    assert home
    exported = onnx_encoder.load(home, default_card())
    at = perf_counter()
    choice = selection.choose(home, exported, every[:: -(-len(every) // 4_096)])
    choosing = perf_counter() - at
    print(f"\nchosen in {choosing:.1f} s: {choice.description}")

    def theirs(some: list[str]) -> Floats:
        return np.asarray(plain.encode(some, batch_size=32, normalize_embeddings=True), np.float32)

    def ours(some: list[str]) -> Floats:
        return np.array([meant.vector for meant in embed_pending.encode(folder, choice.encoder, some)], np.float32)

    ways = {"SentenceTransformer.encode": theirs, "talksearch": ours}
    times: dict[str, list[float]] = {name: [] for name in ways}
    busy: dict[str, list[float]] = {name: [] for name in ways}
    vectors = {name: np.empty((len(texts), exported.card.dimension), np.float32) for name in ways}
    theirs(texts[:64])
    ours(texts[:512])
    drawn = np.random.default_rng(7).permutation(len(texts))
    for part in np.array_split(drawn, 3):
        for name, encode in ways.items():
            at, cpu = perf_counter(), process_time()
            vectors[name][part] = encode([texts[place] for place in part])
            times[name].append(perf_counter() - at)
            busy[name].append(process_time() - cpu)
    cosines = (vectors["SentenceTransformer.encode"] * vectors["talksearch"]).sum(axis=1)
    ratios = sorted(one / other for one, other in zip(*times.values(), strict=True))
    rates = {name: len(texts) / sum(took) for name, took in times.items()}
    success = {name: _success(talks, found, exported) for name, found in vectors.items()}
    found = {
        "passages": len(texts),
        "chosen": choice.description,
        "choosing_s": choosing,
        "passages_a_second": rates,
        "processor_s": busy,
        "seconds": times,
        "ratio": sum(times["SentenceTransformer.encode"]) / sum(times["talksearch"]),
        "ratios": ratios,
        "cosine_mean": float(cosines.mean()),
        "cosine_lowest": float(cosines.min()),
        "queries": sum(len(asked) for _, asked in talks),
        "success_at_5": success,
        "success_lost": success["SentenceTransformer.encode"] - success["talksearch"],
    }
    print(f"encode, {len(texts):,} passages of {len(talks)} talks in three parts, each in turn:")
    for name, rate in rates.items():
        print(f"  {name:<28}{rate:7.1f} passages/s, success@5 by meaning alone {success[name]:.4f}")
    print(
        f"  {found['ratio']:.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f}); cosine to it {cosines.mean():.4f} in the"
        f" mean, {cosines.min():.4f} at the lowest; {found['queries']} queries"
    )
    return found


Passage = tuple[int, str]
"""When it begins, in milliseconds, and its text."""


def _talks(
    db: sqlite3.Connection, golds: Sequence[GoldQuery], count: int
) -> list[tuple[list[Passage], list[GoldQuery]]]:
    """Draw talks, first those that are asked about, until they have `count` passages: (passages, queries) of each."""
    talks = db.execute("SELECT number, id, youtube_id, source FROM talks ORDER BY id").fetchall()
    random.Random(7).shuffle(talks)
    asked: dict[int, list[GoldQuery]] = {row[0]: [] for row in talks}
    for talk, some in itertools.groupby(sorted(golds, key=lambda gold: gold.talk), key=lambda gold: gold.talk):
        number = next((row[0] for row in talks if talk in row[1:3] or measure.same_path(row[3], talk)), None)
        if number is not None:
            asked[number] += some
    found: list[tuple[list[Passage], list[GoldQuery]]] = []
    for number in sorted(asked, key=lambda number: not asked[number]):
        if sum(len(passages) for passages, _ in found) >= count:
            break
        rows = db.execute(
            "SELECT start_ms, text FROM passages WHERE talk = ? AND field = 'speech' ORDER BY number", (number,)
        )
        found.append((rows.fetchall(), asked[number]))
    return found


def _success(
    talks: Sequence[tuple[Sequence[Passage], Sequence[GoldQuery]]], vectors: Floats, encoder: Encoder
) -> float:
    """Return the share of the queries of which one of the five nearest passages begins in the answer."""
    talk_of = np.repeat(np.arange(len(talks)), [len(passages) for passages, _ in talks])
    starts = [start_ms for passages, _ in talks for start_ms, _ in passages]
    right = []
    for talk, (_, golds) in enumerate(talks):
        for gold in golds:
            best = np.argsort(-(vectors @ encoder.encode_query(gold.query)), kind="stable")[:5].tolist()
            right.append(
                any(talk_of[one] == talk and measure.jump_error(gold, starts[one]) is not None for one in best)
            )
    return float(np.mean(right)) if right else float("nan")


def _build(work: Path, archive: Path) -> dict[str, Any]:
    """Index from nothing, again unchanged, and again with one new talk."""
    first = _index(work / "index", archive)
    again = _index(work / "index", archive)
    extra = work / "extra"
    extra.mkdir()
    talk = sorted(archive.rglob("*.vtt"))[0]
    # Another talk of the same words would cost nothing to embed: they are put in the opposite order.
    text = "\n".join(
        line if "-->" in line or not line.isascii() else " ".join(reversed(line.split()))
        for line in talk.read_text(encoding="utf-8").splitlines()[2:]
    )
    (extra / "a new talk.vtt").write_text(f"WEBVTT\n\n{text}", encoding="utf-8")
    new = _index(work / "index", extra)
    made = recipe.read(work / "index")
    assert made is not None
    layout.COLUMNS.within(work / "index").unlink()
    with catalog.open_catalog(work / "index") as db:
        at = perf_counter()
        update.write(work / "index", db, made.model.dimension)
        whole = perf_counter() - at
    outside = 1 - first["model_s"] / first["seconds"]
    found = {"archive": archive.name, "first": first, "unchanged": again, "new_talk": new, "outside_model": outside}
    found["columns_whole_s"] = whole
    print(
        f"\nbuild of {archive.name} ({first['talks']} talks, {first['embedded']:,} passages embedded):"
        f" {first['seconds']:.1f} s, of which {first['model_s']:.1f} s in the model and {first['choosing_s']:.1f} s to"
        f" export and choose it; {outside:.1%} outside the model"
    )
    for stage, peak in first["peak_mb"].items():
        print(f"  peak memory while {stage}: {peak:.0f} MB")
    print(f"unchanged: {again['seconds']:.2f} s")
    print(
        f"one new talk: {new['seconds']:.2f} s, {new['embedded']} passages embedded, of which {new['model_s']:.2f} s in"
        f" the model and {new['columns_s']:.2f} s for the columns, which take {whole:.2f} s from nothing"
    )
    return found


def _index(folder: Path, archive: Path, *, processes: int = 0, stop_after: str = "") -> dict[str, Any]:
    """Run one indexing run in a process of its own; what it printed."""
    script = folder.parent / "run.py"  # a file, because processes that read start by importing it
    script.write_text(_RUN, encoding="utf-8")
    command = [sys.executable, str(script), str(folder), str(processes), stop_after, str(archive)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _goals(machine: str) -> dict[str, float]:
    """Return the goals for a machine: what bytes are worth depends on whether its processor multiplies them."""
    own = any(feature in machine for feature in ("avx512_vnni", "avx_vnni", "amx_int8", "i8mm", "asimddp"))
    return GOALS if own else {**GOALS, "times encode": 2.5}


def _judge(report: dict[str, Any]) -> dict[str, Any]:
    figures = {
        "talks a minute": report["words"]["talks_a_minute_of_processor_time"],
        "words, s": report["words"]["all_cores_s"],
        "times encode": report["encode"]["ratio"],
        "success@5 lost": report["encode"]["success_lost"],
        "outside the model": report["build"]["outside_model"],
        "unchanged, s": report["build"]["unchanged"]["seconds"],
    }
    upwards = {"talks a minute", "times encode"}
    print()
    rows = {}
    for name, goal in _goals(report["machine"]).items():
        met = figures[name] >= goal if name in upwards else figures[name] <= goal
        rows[name] = {"figure": figures[name], "goal": goal, "met": met}
        print(f"{'met   ' if met else 'MISSED'} {name}: {figures[name]:.3g} (goal {goal:g})")
    return rows


if __name__ == "__main__":
    sys.exit(main())
