"""What becomes of an index in which something is damaged: found by the doctor, mended, and told before that?

    python benchmarks/trust/faults.py [--only PART_OF_A_NAME] [--jobs N] [--out FILE] [--list]

Builds a small index with the default model, and for each fault of `fault_list.py`: copies the index and plants the
fault, asks it all that can be asked, looks with `doctor --check`, mends with `doctor`, looks again, brings it up to
date with `index` (or with the command that was named), and compares it with an undisturbed one, row by row and vector
by vector. Every trial runs in a process of its own kind that may die of it.

Columns of the table: what asking gave before the doctor (same: the same answers; note: others, or fewer, and a sentence
that says so; sentence: an error that says what to do; SILENT: other answers and no word; TRACEBACK; DIED), whether
`doctor --check` found it, by which command it was mended, and what is still unlike. Exit 1 where anything was silent,
ended in a traceback, was called sound, or is worse than before.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from fault import Case
from fault_list import FAULTS
from small_index import Indexes, dump, make_indexes
from trial import Trial, prepare, try_fault

# --- the encoder, whose check takes most of the time of a doctor ------------------------------------------------------


def _check_encoder_once() -> None:
    """Let this process check the same home with the same texts and vectors only once where it was sound."""
    from talksearch.indexer.doctor import derived
    from talksearch.indexer.encoders import check_home, model_home

    check = check_home.check
    sound: set[tuple[object, ...]] = set()

    def remembered(card: Any, texts: Sequence[str], indexed: Any, *, mend: bool) -> Any:
        files = sorted(model_home.home_of(card).rglob("*"))
        stamps = tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
        key = (card, tuple(texts), indexed.tobytes(), stamps)
        problem = None if key in sound else check(card, texts, indexed, mend=mend)
        if problem is None:
            sound.add(key)
        return problem

    derived.check_home.check = remembered


# --- processes that may die -----------------------------------------------------------------------------------------


def _work(pipe: Connection, indexes: Indexes, scratch: Path, cache: Path) -> None:
    """Try faults by their places in FAULTS as they come, in a process that may die of one."""
    os.environ["TALKSEARCH_NO_SERVER"] = "1"
    shared, cache = cache, scratch / "cache"  # its own: the doctor of another trial may make it anew
    shutil.copytree(shared, cache, copy_function=os.link)
    os.environ["TALKSEARCH_CACHE"] = str(cache)
    os.environ["TALKSEARCH_CONFIG"] = str(scratch / "config.toml")
    index = scratch / "index"  # all at one path, which their messages and the recipe of a rebuild name
    _check_encoder_once()
    sound, held = prepare(indexes, scratch)
    other = dump(indexes.other)
    pipe.send("ready")
    while (number := pipe.recv()) is not None:
        fault = FAULTS[number]
        shutil.rmtree(index, ignore_errors=True)
        shutil.copytree(indexes.sound, index)
        homes = scratch / "homes"
        shutil.rmtree(homes, ignore_errors=True)
        if fault.in_home:
            shutil.copytree(cache, homes, copy_function=os.link)
            os.environ["TALKSEARCH_CACHE"] = str(homes)
        try:
            becomes = other if fault.becomes_other else held
            trial = try_fault(
                fault, Case(index, indexes, homes), sound, becomes, lambda trial: pipe.send(asdict(trial))
            )
        except Exception as error:  # noqa: BLE001 - a fault that cannot be planted is told as such
            trial = Trial(fault.name, step="broken", crashed=[f"the trial itself: {type(error).__name__}: {error}"])
        os.environ["TALKSEARCH_CACHE"] = str(cache)
        pipe.send({**asdict(trial), "step": "done"})
    pipe.close()


@dataclass(slots=True)
class _Worker:
    """A process that tries faults; a new one where it died."""

    indexes: Indexes
    scratch: Path
    cache: Path
    pipe: Connection | None = None
    process: Any = None

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=_work, args=(there, self.indexes, self.scratch, self.cache))
        self.process.start()
        there.close()
        self.pipe.recv()

    def try_fault(self, number: int) -> Trial:
        if self.pipe is None:
            self.start()
        assert self.pipe is not None
        trial = Trial(FAULTS[number].name)
        self.pipe.send(number)
        try:
            while trial.step != "done":
                trial = Trial(**self.pipe.recv())
        except EOFError:
            self.process.join()
            trial.told = "DIED" if trial.step == "ask" else trial.told
            trial.crashed.append(f"{trial.step}: died with {self.process.exitcode}")
            self.pipe = None
        return trial

    def stop(self) -> None:
        if self.pipe is not None:
            self.pipe.send(None)
            self.process.join()


def try_all(numbers: Sequence[int], indexes: Indexes, scratch: Path, jobs: int) -> Iterator[Trial]:
    """Try faults by their places in FAULTS, as many at once as `jobs` says."""
    cache = Path(os.environ["TALKSEARCH_CACHE"])
    workers = [_Worker(indexes, scratch / f"worker-{number}", cache) for number in range(jobs)]
    free = list(workers)

    def one(number: int) -> Trial:
        worker = free.pop()
        try:
            return worker.try_fault(number)
        finally:
            free.append(worker)

    with ThreadPoolExecutor(jobs) as threads:
        yield from threads.map(one, numbers)
    for worker in workers:
        worker.stop()


# --- what is printed ------------------------------------------------------------------------------------------------


def line(trial: Trial) -> str:
    """Return a trial as a line of the table."""
    mark = " " if trial.is_right else "!"
    found = "—" if trial.harmless and not trial.found else "found" if trial.found else "sound"
    mended = trial.mended_by or "NOT MENDED"
    limit = [f"known limit: {trial.limit}"] if trial.told == "SILENT" and trial.limit else []
    rest = [*limit, *(f"--check wrote {name}" for name in trial.wrote), *trial.crashed, *trial.left]
    return f"{mark} {trial.fault:46} {trial.told:10} {found:6} {mended:10} {'; '.join(rest)}"


def summary(trials: Sequence[Trial]) -> str:
    """Return what was tried and what held, as the last line."""
    found = sum(bool(trial.found) or trial.harmless for trial in trials)
    mended = sum(bool(trial.mended_by) and not trial.left for trial in trials)
    silent = sum(trial.told in ("SILENT", "TRACEBACK", "DIED") for trial in trials)
    limits = sum(trial.told == "SILENT" and bool(trial.limit) for trial in trials)
    worse = sum(bool(trial.left) and not trial.found for trial in trials)
    crashed = sum(bool(trial.crashed) for trial in trials)
    right = sum(trial.is_right for trial in trials)
    return (
        f"tried {len(trials)}: found {found}, mended {mended}, silent or tracebacks in search {silent} "
        f"({limits} of them known limits), "
        f"tracebacks in doctor or index {crashed}, worse {worse}; held {right}"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults whose names hold this; several, with | between")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="write the trials there as JSON lines")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("-v", "--verbose", action="store_true", help="also which answers were others")
    options = parser.parse_args()
    wanted = options.only.split("|")
    numbers = [number for number, fault in enumerate(FAULTS) if any(word in fault.name for word in wanted)]
    if options.list:
        print("\n".join(FAULTS[number].name for number in numbers))
        return
    started = perf_counter()
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        os.environ.setdefault("TALKSEARCH_CACHE", str(scratch / "cache"))
        indexes = make_indexes(scratch / "indexes")
        for trial in try_all(numbers, indexes, scratch, min(options.jobs, len(numbers))):
            trials.append(trial)
            print(line(trial), flush=True)
            if options.verbose:
                print("".join(f"      {where}\n" for where in [trial.found, *trial.where]), end="", flush=True)
    if options.out:
        options.out.write_text("".join(json.dumps(asdict(trial)) + "\n" for trial in trials), encoding="utf-8")
    print(f"\n{summary(trials)} ({perf_counter() - started:.0f} s)")
    sys.exit(any(not trial.is_right for trial in trials))


if __name__ == "__main__":
    main()
