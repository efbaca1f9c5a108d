"""Trials of operations, in several processes at once, and what is told of them."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import commands
import hash_encoder
from operations import OPERATIONS
from stage import Stage, make_stages


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a trial."""

    operation: str
    number: int
    how: str
    """How the operation was disturbed."""
    wrong: list[str]
    """What did not hold, in sentences."""
    disturbed: bool = True
    """False where the operation had ended before."""


Trial = Callable[[Stage, str, int], Told]
"""Makes the trial of a number with an operation of a name."""


def parser_of(description: str, count: int) -> argparse.ArgumentParser:
    """Return a parser with what all kinds of trials are told."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=count, help=f"how many trials [{count}]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=OPERATIONS, nargs="+", help="only these operations")
    parser.add_argument("--number", type=int, help="only the trial of this number")
    parser.add_argument("--jobs", type=int, default=2, help="how many operations at once [2]")
    parser.add_argument("--fresh", type=float, default=0.0, help="the share of fresh processes [0]")
    parser.add_argument("--quick", action="store_true", help="vectors of hashes, no model, no fresh processes")
    parser.add_argument("--cache", type=Path, help="a cache to take the model from, which else is made ready first")
    return parser


def make_trials(given: argparse.Namespace, trial: Trial) -> int:
    """Make the trials that were asked for and print what did not hold; returns the exit code."""
    commands.warm()
    if given.quick:
        hash_encoder.put_in_place()
    work = Path(tempfile.mkdtemp(prefix="trials-"))
    try:
        todo = _order(given.count, given.only, given.number)
        names = list(dict.fromkeys(name for name, _ in todo))
        jobs = min(given.jobs, len(names))
        stages = make_stages(work, jobs, given.cache, fresh=given.fresh > 0 and not given.quick)
        results = [work / f"results-{number}" for number in range(jobs)]
        children = []
        for number, stage in enumerate(stages):
            child = os.fork()
            if not child:  # one process makes all trials of an operation, which is done undisturbed once for them
                mine = [(name, which) for name, which in todo if names.index(name) % jobs == number]
                os._exit(_make_some(stage, trial, mine, results[number]))
            children.append(child)
        failed = [child for child in children if os.waitpid(child, 0)[1]]
        told = [Told(**json.loads(line)) for path in results for line in path.read_text().splitlines()]
        return _report(told) or len(failed)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _order(count: int, only: Sequence[str] | None, number: int | None) -> list[tuple[str, int]]:
    """Return the trials: as many of each operation, by turns."""
    names = [name for name in OPERATIONS if not only or name in only]
    if number is not None:
        return [(name, number) for name in names]
    return [(name, number) for number in range(-(-count // len(names))) for name in names]


def _make_some(stage: Stage, trial: Trial, todo: Sequence[tuple[str, int]], results: Path) -> int:
    """Make trials in a process of their own; returns its exit code."""
    try:
        with results.open("w") as file:
            for name, number in todo:
                told = trial(stage, name, number)
                file.write(json.dumps(asdict(told), ensure_ascii=False) + "\n")
                file.flush()
                if told.wrong:
                    lines = "".join(f"    {line}\n" for line in told.wrong)
                    print(f"{name} --number {number} ({told.how}):\n{lines}", end="", flush=True)
    except Exception:  # noqa: BLE001 - a fork must not go on with what its parent does
        traceback.print_exc()
        return 1
    return 0


def _report(told: Sequence[Told]) -> int:
    tried = Counter(trial.operation for trial in told if trial.disturbed)
    held = Counter(trial.operation for trial in told if trial.disturbed and not trial.wrong)
    undisturbed = sum(not trial.disturbed for trial in told)
    for name in tried:
        print(f"{name:10} tried {tried[name]:3}, held {held[name]:3}")
    if undisturbed:
        print(f"{undisturbed} more ended before they were disturbed")
    print(f"tried {tried.total()}, held {held.total()}")
    return int(held != tried)
