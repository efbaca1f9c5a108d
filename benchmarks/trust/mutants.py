"""Which small faults the tests would notice: mutation testing of what repairs, cuts, plans and ranks.

    python benchmarks/trust/mutants.py [--sample 400] [--seed 1] [--jobs 2] [--only PATH...] [--minutes 60] [--go-on]

Plants one fault at a time (`mutations.py`) in the modules of `TARGETS` and runs the tests that reach its line. A fault
is killed where a test fails, or runs out of time or memory. Of `indexer/restore` and `indexer/passages` a random sample
is tried, of the others all. Faults that nothing can notice stand in `equivalent_mutants.toml`, each with the reason;
they are tried like the others, printed, and counted apart. So are those with which the module cannot even be imported.
Survivors are told as they are found, and `--minutes` ends the trial early: faults come in a random order, so that those
tried by then are a sample as well. Prints every survivor and, for each target, tried, killed, and the share killed with
its 95 % interval (Wilson).

Which tests reach a line is measured once for each file of tests and kept in `.cache/mutants`, until that file or a
module that is mutated changes. What became of each fault is kept there too, and `--go-on` does not try again what was
killed in the module as it stands, and tries what survived last: so a trial may be made in parts, and what new tests
notice is told without trying all the rest. A share to be quoted comes from a trial without it, or from one that began
with an empty `.cache/mutants`.

Why not mutmut or cosmic-ray: mutmut 3 plants nothing in constants and in decorated functions, of which these modules
have many, and takes the folder for the name of the package, which here it is not (`talksearch.indexer` lies in
`indexer`); cosmic-ray starts a new interpreter for every fault, which takes longer than the tests do. Here a process
that has imported and collected everything is forked for each fault (`planting.py`).
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import json
import math
import os
import random
import resource
import signal
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mutations import Mutation, mutations
from planting import function_around, name_of, plant

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
OUT = ROOT / ".cache" / "mutants"
EQUIVALENTS = Path(__file__).with_name("equivalent_mutants.toml")

TARGETS = {
    "indexer/restore": "sample",
    "indexer/passages": "sample",
    "indexer/pipeline/plan.py": "all",
    "search/ranking/fusion.py": "all",
}
"""What is mutated: files and folders; all of their faults, or a sample that is drawn from all such targets together."""

TESTS = """align_times balance beside cases_json cases_list cases_speakers cases_timelines cases_times cases_tracks
cases_words clean estimate_times flattened fusion further_tracks grade impossible_times jump loops meeting_exports
metadata_passages misheard odd_captions pace plan quote receipt repeated_lines restoration_steps rolling segments
sentences split step_sentences subtitles term_weight timed_text timeline timelines track_words tracks
turns_and_names whisper_inventions who_speaks words_of_more_scripts xml_captions"""
"""The files of tests that are tried: those that reach the targets and are quick."""

MEMORY = 4 << 30
"""Bytes that a process may take; a fault may make a list that never ends."""

KILLED, SURVIVED, TIMED_OUT, STILLBORN = "killed", "survived", "timed out", "stillborn"


@dataclass(frozen=True, slots=True)
class Reach:
    """What the tests run when nothing is wrong."""

    lines: dict[str, dict[int, list[str]]]
    """For each file and line the tests that run it, the quickest first."""
    seconds: dict[str, float]
    """CPU seconds of each test."""


def main() -> None:
    """Plant, test, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=400, help="how many faults of the sampled targets (0: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="only targets or files whose path begins so")
    parser.add_argument("--tests", nargs="*", default=TESTS.split(), help="only these files of tests, by their names")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin with no fault after that many")
    parser.add_argument("--go-on", action="store_true", help="count what an earlier trial killed, without another try")
    parser.add_argument("--list", action="store_true", help="print how many faults there are, and stop")
    options = parser.parse_args()
    chosen = choose(options.sample, options.seed, options.only)
    if options.list:
        return
    set_up()
    import pytest
    from hypothesis import Phase, settings

    # The same inputs each time, and none made smaller: that a test fails is all that is asked.
    settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate]
    )
    settings.load_profile("mutants")
    files = [ROOT / "tests" / f"test_{name}.py" for name in options.tests]
    if missing := [path.name for path in files if not path.exists()]:
        raise SystemExit(f"There is no {', '.join(missing)} in tests/: give the names that its files have now.")
    arguments = ["-q", "-s", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist"]
    trial = Trial(chosen, options.jobs, 60 * options.minutes, earlier() if options.go_on else {})
    if code := int(pytest.main([*arguments, *map(str, files)], plugins=[trial])):
        raise SystemExit(f"The tests could not be run: pytest ended with {code}.")
    report(trial.results)
    if trial.untried:
        print(f"{trial.untried} were not tried: the time was up.")


def sources(target: str) -> list[str]:
    """Return the files of a target."""
    path = ROOT / target
    return [target] if path.is_file() else sorted(str(file.relative_to(ROOT)) for file in path.glob("*.py"))


@cache
def faults_of(file: str) -> tuple[ast.Module, list[Mutation]]:
    """Return the syntax tree of a file and every fault that can be planted in it."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return tree, mutations(tree)


@cache
def names_of(file: str) -> list[str]:
    """Return a name for each fault of a file; where several have the same, the second is `name (2)`."""
    seen: Counter[str] = Counter()
    names = []
    for fault in faults_of(file)[1]:
        seen[fault.name] += 1
        names.append(fault.name if seen[fault.name] == 1 else f"{fault.name} ({seen[fault.name]})")
    return names


def place_of(file: str, number: int) -> str:
    """Return where a fault lies and its name."""
    return f"{file}:{faults_of(file)[1][number].line} {names_of(file)[number]}"


def choose(sample: int, seed: int, only: Sequence[str]) -> list[tuple[str, int]]:
    """Return the faults to try, in a random order, as their file and their place among its faults."""
    every = {kind: [] for kind in ("sample", "all")}
    for target, kind in TARGETS.items():
        found = [(file, number) for file in sources(target) for number in range(len(faults_of(file)[1]))]
        every[kind] += found
        print(f"{target}: {len(found):,} faults can be planted")
    drawn = every["sample"]
    if 0 < sample < len(drawn):
        drawn = sorted(random.Random(seed).sample(drawn, sample))
    chosen = [fault for fault in [*every["all"], *drawn] if not only or fault[0].startswith(tuple(only))]
    random.Random(seed).shuffle(chosen)
    return chosen


def set_up() -> None:
    """Let this process and its children find the project under its name, and keep what they compile."""
    package = OUT / "package" / "talksearch"
    package.mkdir(parents=True, exist_ok=True)
    for folder in ("indexer", "search", "cli"):
        if not (package / folder).exists():
            (package / folder).symlink_to(ROOT / folder)
    sys.path[:0] = [str(package.parent), str(ROOT / "tests")]
    os.environ.update(PYTHONPATH=str(package.parent), OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(OUT / "compiled")
    os.chdir(ROOT)


@cache
def digest_of(*files: str) -> str:
    """Return a sum of the text of some files."""
    return hashlib.sha256(b"\0".join((ROOT / file).read_bytes() for file in files)).hexdigest()[:16]


def earlier() -> dict[tuple[str, int], str]:
    """Return what became of each fault in earlier trials of the modules as they stand."""
    known: dict[tuple[str, int], str] = {}
    if (OUT / "tried.jsonl").exists():
        for line in (OUT / "tried.jsonl").read_text(encoding="utf-8").splitlines():
            file, digest, number, result = json.loads(line)
            if (ROOT / file).exists() and digest_of(file) == digest:
                known[file, number] = result
    return known


class Trial:
    """A plugin of pytest: once the tests are collected, they are run in forks, each with another fault planted."""

    def __init__(
        self, chosen: Sequence[tuple[str, int]], jobs: int, seconds: float, known: dict[tuple[str, int], str]
    ) -> None:
        again = [fault for fault in chosen if known.get(fault, SURVIVED) == SURVIVED]
        self.chosen = sorted(again, key=known.__contains__)
        self.jobs = jobs
        self.seconds = seconds
        self.results = [(*fault, known[fault]) for fault in chosen if known.get(fault, SURVIVED) != SURVIVED]
        self.untried = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run what reaches each fault, instead of every test once."""
        reach = measure_reach(session)
        for file in sorted({file for file, _ in self.chosen}):
            importlib.import_module(name_of(file))
        deadline = time.monotonic() + self.seconds
        running: dict[int, tuple[str, int]] = {}
        waiting = list(self.chosen)
        while waiting or running:
            while waiting and len(running) < self.jobs:
                if time.monotonic() > deadline:
                    self.untried = len(waiting)
                    waiting.clear()
                    break
                file, number = waiting.pop(0)
                tests, limit = tests_for(file, number, reach)
                if tests:
                    running[fork(partial(try_fault, file, number, session, tests), limit)] = file, number
                else:
                    self.note(file, number, SURVIVED)
            if running:
                child, status = os.wait()
                self.note(*running.pop(child), outcome(status))
        self.results.sort()
        return True

    def note(self, file: str, number: int, result: str) -> None:
        """Keep what became of a fault, and tell of survivors and how far the trial is."""
        self.results.append((file, number, result))
        with (OUT / "tried.jsonl").open("a", encoding="utf-8") as kept:
            kept.write(json.dumps([file, digest_of(file), number, result]) + "\n")
        if result == SURVIVED:
            print(f"{result}: {place_of(file, number)}", file=sys.stderr, flush=True)
        if not len(self.results) % 20:
            print(f"{len(self.results)} tried", file=sys.stderr, flush=True)


def fork(work: Callable[[], int], cpu_seconds: int) -> int:
    """Do some work in a fork with bounds on what it takes; return the number of the process."""
    if child := os.fork():
        return child
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        signal.alarm(60 * cpu_seconds)  # one that sleeps takes no time of the processor
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        code = work()
    finally:
        os._exit(code)


def outcome(status: int) -> str:
    """Return what a process that has ended says of its fault."""
    if os.WIFSIGNALED(status):
        return TIMED_OUT
    return {0: SURVIVED, 77: STILLBORN}.get(os.WEXITSTATUS(status), KILLED)


def passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run a test, and say whether it passed."""
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def try_fault(file: str, number: int, session: pytest.Session, tests: Sequence[str]) -> int:
    """Plant a fault in this process and run the tests: 0 where all pass, 1 where one fails, 77 for no module at all."""
    tree, faults = faults_of(file)
    try:
        plant(file, tree, faults[number])
    except BaseException:  # noqa: BLE001 - whatever it is, the module is of no use to anybody
        return 77
    items = {item.nodeid: item for item in session.items}
    chosen = [items[name] for name in tests]
    following = [*chosen[1:], None]
    for item, after in zip(chosen, following, strict=True):
        if not passes(item, after):
            with (OUT / "killers.jsonl").open("a", encoding="utf-8") as kept:
                kept.write(json.dumps([file, item.nodeid]) + "\n")
            return 1
    return 0


def kills(file: str) -> Counter[str]:
    """Return how many faults of a file each test noticed, in this trial and in earlier ones."""
    if not (OUT / "killers.jsonl").exists():
        return Counter()
    lines = map(json.loads, (OUT / "killers.jsonl").read_text(encoding="utf-8").splitlines())
    return Counter(test for of_file, test in lines if of_file == file)


def measure_reach(session: pytest.Session) -> Reach:
    """Run the tests of each file in a fork without any fault, and return what each runs; SystemExit where one fails."""
    every = sorted(str(ROOT / file) for target in TARGETS for file in sources(target))
    of_file: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in session.items:
        of_file[str(item.path.relative_to(ROOT))].append(item)
    reach = Reach(defaultdict(lambda: defaultdict(list)), {})
    (OUT / "reach").mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for file, items in of_file.items():
        kept = OUT / "reach" / f"{Path(file).stem}-{digest_of(file, *every)}.json"
        if not kept.exists():
            child = fork(partial(measure_file, items, every, kept), 3_600)
            os.waitpid(child, 0)
            print(f"measured {file}", file=sys.stderr, flush=True)
        if not kept.exists():
            raise SystemExit(f"The tests of {file} could not be run without any fault planted.")
        lines, seconds, failed_here = json.loads(kept.read_text(encoding="utf-8"))
        failed += failed_here
        reach.seconds.update(seconds)
        for path, of_path in lines.items():
            for line, tests in of_path.items():
                reach.lines[path][int(line)] += tests
        if failed_here:
            kept.unlink()
    if failed:
        raise SystemExit(f"With no fault planted these fail: {', '.join(failed)}")
    for of_path in reach.lines.values():
        for tests in of_path.values():
            tests.sort(key=reach.seconds.__getitem__)
    return reach


def forget(files: Sequence[str]) -> None:
    """Empty the caches of some modules: a test that finds there what an earlier one worked out reaches it as well."""
    for name in map(name_of, (str(Path(file).relative_to(ROOT)) for file in files)):
        for value in list(vars(sys.modules[name]).values()) if name in sys.modules else []:
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def measure_file(items: Sequence[pytest.Item], files: Sequence[str], kept: Path) -> int:
    """Run the tests of a file and write what each runs of some files, its CPU seconds, and which failed."""
    import coverage

    tracer = coverage.Coverage(data_file=None, include=list(files), config_file=False)
    seconds: dict[str, float] = {}
    failed: list[str] = []
    tracer.start()
    for item, following in zip(items, [*items[1:], None], strict=True):
        tracer.switch_context(item.nodeid)
        forget(files)
        began = time.process_time()
        failed += [] if passes(item, following) else [item.nodeid]
        seconds[item.nodeid] = time.process_time() - began
    tracer.stop()
    data = tracer.get_data()
    lines = {
        str(Path(path).relative_to(ROOT)): {
            line: sorted(set(tests) - {""}) for line, tests in data.contexts_by_lineno(path).items()
        }
        for path in data.measured_files()
    }
    part = kept.with_suffix(".part")
    part.write_text(json.dumps([lines, seconds, failed]), encoding="utf-8")
    part.rename(kept)
    return 0


def tests_for(file: str, number: int, reach: Reach) -> tuple[list[str], int]:
    """Return the tests that may notice a fault, and the CPU seconds that they may take.

    First come those that noticed other faults of the file, the quickest for what they notice foremost, then the rest by
    what they take.
    """
    tree, faults = faults_of(file)
    fault = faults[number]
    by_line = reach.lines.get(file, {})
    tests = by_line.get(fault.line, [])
    if not tests and not function_around(tree, fault):
        # What runs when the module is imported belongs to no test: all files of tests that use the module are tried.
        using = {test.partition("::")[0] for of_line in by_line.values() for test in of_line}
        tests = [test for test in reach.seconds if test.partition("::")[0] in using]
        tests.sort(key=reach.seconds.__getitem__)
    noticed = kills(file)
    tests = sorted(tests, key=lambda test: -noticed[test] / (0.01 + reach.seconds[test]))
    return tests, int(10 + 4 * sum(reach.seconds[test] for test in tests))


def report(results: Sequence[tuple[str, int, str]]) -> None:
    """Print the survivors, and a line a target."""
    equivalents = tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8")) if EQUIVALENTS.exists() else {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for file, number, result in results:
        place = place_of(file, number)
        reason = equivalents.get(file, {}).get(names_of(file)[number])
        kind = "equivalent" if reason and result == SURVIVED else result
        if result == SURVIVED:
            print(f"{kind}: {place}" + (f"  ({reason})" if reason else ""))
        elif reason:
            print(f"said to be equivalent, but {result}: {place}")
        counts[next(target for target in TARGETS if file.startswith(target))][kind] += 1
    counts["sampled together"] = sum((counts[name] for name, kind in TARGETS.items() if kind == "sample"), Counter())
    columns = ("tried", "killed", "in time", "survived", "equivalent", "stillborn", "share", "interval")
    print(f"\n{'target':28}" + "".join(f"{name:>12}" for name in columns))
    for target, of_target in counts.items():
        killed, survived = of_target[KILLED] + of_target[TIMED_OUT], of_target[SURVIVED]
        if tried := killed + survived:
            low, high = interval(killed, tried)
            numbers = (tried, killed, of_target[KILLED], survived, of_target["equivalent"], of_target[STILLBORN])
            shares = (f"{100 * killed / tried:.1f}%", f"{100 * low:.1f}-{100 * high:.1f}")
            print(f"{target:28}" + "".join(f"{value:>12}" for value in (*numbers, *shares)))


def interval(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z = 1.96
    middle = (part + z * z / 2) / (whole + z * z)
    half = z / (whole + z * z) * math.sqrt(part * (whole - part) / whole + z * z / 4)
    return middle - half, middle + half


if __name__ == "__main__":
    main()
