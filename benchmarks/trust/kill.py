"""Kills every operation that writes, at random moments, and looks at what is left.

    python benchmarks/trust/kill.py [--count 200] [--seed 1] [--only OPERATION [--number N]] [--fresh SHARE] [--jobs 2]

A trial runs one command over a small archive and kills it (SIGKILL), alone or with all processes that it started, at a
moment that is drawn evenly over the time that the command takes, or right after one of the changes that it makes to
files, drawn evenly over these. What is claimed of each trial:

- the next command answers: searches, `stats`, `show` and `talks` end without a traceback and say nothing that is not in
  the archive as it was before or is now; where there was an index before, they answer
- the next `index` ends well, and the one after it finds nothing to do
- the index is then the same as after a run that nobody killed: row by row, and vector by vector (`dump.py`)
- nothing is left: in the index, beside it, among temporary files, in the cache, or of processes
- `talksearch doctor --check` finds nothing

A share of the trials (`--fresh`) runs in processes of its own; the others are forks of a process that has imported all
modules, which spares the two seconds in which nothing is written. `--only OPERATION --number N` repeats one trial.

Prints for each operation how many trials were made and how many held, and for those that did not hold, why. Exit 1 for
them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import commands
from commands import Kill, Outcome
from operations import OPERATIONS, UNCHANGED, Operation, Place, make_archive

_QUERY = "why does the clock on the moving ship run slow"
_ASKED = (
    ("search", _QUERY, "--format", "jsonl"),
    ("search", "varnish", "--mode", "lexical", "--format", "jsonl"),
    ("stats",),
    ("show", UNCHANGED),
    ("talks", "--format", "jsonl"),
)
"""What is asked of the index right after the kill."""

_NO_INDEX = re.compile(r"^talksearch: There is no (finished )?index in ")
_NOT_THERE = re.compile(r"^talksearch: (No talk|There is no talk) ")
_NOTHING_TO_DO = re.compile(r" 0 added, 0 replaced, \d+ kept, 0 dropped.*\b0 embedded", re.DOTALL)
_DAMAGED = re.compile(r"damaged|malformed|corrupt|--rebuild", re.IGNORECASE)

_DRAWN = 8
"""How often a moment is drawn where the command had ended by then."""

_END_S = 10.0
"""How long what a killed command started may live on."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What an operation does when nobody kills it."""

    seconds: dict[bool, float]
    """How long it takes, in a fork and in a fresh process (True)."""
    events: dict[bool, int]
    before: dict[str, str]
    """The words of every talk by its id, before it."""
    after: dict[str, str]
    finished: dict[str, Any]
    """The dump of the index after the commands that finish."""
    exported: dict[str, bytes]


class Worker:
    """Makes trials in one place."""

    def __init__(self, place: Place, cache_folder: Path, base: Path, seed: int, fresh: float) -> None:
        self.place, self.cache, self.base, self.seed, self.fresh = place, cache_folder, base, seed, fresh
        self.environment = place.environment(os.environ, cache_folder)

    @cache  # noqa: B019 - a worker lives as long as the program
    def undisturbed(self, name: str) -> Undisturbed:
        """Return what an operation does when nobody kills it."""
        operation = OPERATIONS[name]
        seconds, events = {}, {}
        for fresh in (True, False):
            self.prepare(name, random.Random(self.seed))
            before = self.words() if operation.has_index else {}
            outcome = self.run(operation.command, fresh=fresh, watch=True)
            if outcome.status:
                raise RuntimeError(f"{name} failed though nobody killed it: {outcome.said}")
            seconds[fresh], events[fresh] = outcome.seconds, outcome.events
        after = self.words()
        exported = self.exported()
        for command in operation.finish:
            self.run(command)
        return Undisturbed(seconds, events, before, after, self.dumped(), exported)

    def trial(self, name: str, number: int) -> dict[str, Any]:
        """Make one trial; returns what is told of it, with what did not hold under "wrong"."""
        operation, expected = OPERATIONS[name], self.undisturbed(name)
        rng = random.Random(f"{self.seed} {name} {number}")
        fresh = rng.random() < self.fresh
        kill = self.draw(rng, expected, fresh)
        for _ in range(_DRAWN):
            self.prepare(name, rng)
            outcome = self.run(operation.command, fresh=fresh, kill=kill, watch=True)
            if outcome.killed:
                break
            kill = self.draw(rng, expected, fresh)
        told = {"operation": name, "number": number, "fresh": fresh, "kill": _described(kill), "wrong": []}
        if not outcome.killed:
            return told | {"missed": True}
        started = time.monotonic()
        told["wrong"] = list(self.wrong(operation, expected, outcome.session))
        return told | {"seconds": round(time.monotonic() - started, 1)}

    def draw(self, rng: random.Random, expected: Undisturbed, fresh: bool) -> Kill:
        """Draw a moment: of the time that the operation takes, or of the changes that it makes to files."""
        group = not fresh or rng.random() < 0.5
        if rng.random() < 0.5 and expected.events[fresh]:
            return Kill(event=rng.randint(1, expected.events[fresh]), group=group)
        return Kill(after_s=rng.uniform(0, expected.seconds[fresh]), group=group)

    def wrong(self, operation: Operation, expected: Undisturbed, session: int) -> Iterator[str]:
        """Yield all that does not hold after a kill."""
        yield from self.wrong_answers(operation, expected)
        yield from self.wrong_exports(expected, whole=False)
        finish = operation.finish if not expected.exported else (operation.command, *operation.finish)
        for command in finish:
            outcome = self.run(command)
            if outcome.status or "Traceback" in outcome.said:
                yield f"{' '.join(command)} ended with {outcome.status}: {outcome.said[-600:]}"
        yield from self.wrong_exports(expected, whole=True)
        again = self.run(("index", "TALKS"))
        if not _NOTHING_TO_DO.search(again.said):
            yield f"the index after it found something to do: {again.said[:300]}"
        try:
            yield from self.call(_differences, expected.finished, self.place.index, self.place.talks)
        except RuntimeError as error:
            yield f"the index cannot be read: {str(error)[-600:]}"
        doctor = self.run(("doctor", "--check"))
        if doctor.status:
            yield f"doctor --check: {doctor.said[:400]}"
        yield from self.left()
        until = time.monotonic() + _END_S
        while commands.lives(session) and time.monotonic() < until:
            time.sleep(0.1)
        if commands.lives(session):
            yield "a process that the command had started lives on"

    def wrong_answers(self, operation: Operation, expected: Undisturbed) -> Iterator[str]:
        """Yield what is wrong about the answers right after a kill."""
        for arguments, status, output, said in self.call(_answers, _ASKED):
            asked = " ".join(arguments)
            no_index = not operation.has_index and _NO_INDEX.search(said)
            no_talk = arguments[0] == "show" and UNCHANGED not in {*expected.before} & {*expected.after}
            if "Traceback" in said or status not in (0, 1):
                yield f"{asked} ended with {status}: {said[-600:]}"
            elif status == 1 and not (no_index or no_talk):
                yield f"{asked} did not answer: {said[:300]}"
            elif _DAMAGED.search(said) and operation.command != ("doctor",):
                yield f"{asked} told of damage: {said[:300]}"
            elif arguments[0] == "search":
                for line in output.splitlines():
                    yield from _strange(json.loads(line), expected)

    def wrong_exports(self, expected: Undisturbed, *, whole: bool) -> Iterator[str]:
        """Yield which exported files are cut, or lack, or are too many; `whole` where all of them must be there."""
        held = self.exported()
        for path in sorted({*held, *expected.exported}):
            if path not in held:
                if whole:
                    yield f"{path} was not exported"
            elif path not in expected.exported:
                if whole:
                    yield f"{path} was left by an export"
            elif held[path] != expected.exported[path]:
                yield f"{path} is not what is exported"

    def left(self) -> Iterator[str]:
        """Yield what was left lying."""
        leftovers = self.call(_leftovers, self.place.index)
        if leftovers:
            yield f"left in or beside the index: {', '.join(leftovers)}"
        for folder in ("tmp", "home"):
            left = [str(path.relative_to(self.place.root)) for path in (self.place.root / folder).rglob("*")]
            if left:
                yield f"left: {', '.join(left[:6])}"
        grown = sorted(_names(self.cache) ^ self.cached)
        if grown:
            yield f"the cache has changed: {', '.join(grown[:6])}"

    @property
    def cached(self) -> set[str]:
        """Names in the cache as it was at the beginning."""
        return set((self.base / "cached.txt").read_text().splitlines())

    def prepare(self, name: str, rng: random.Random) -> None:
        """Put the archive and the index there as they are before an operation."""
        shutil.rmtree(self.place.root, ignore_errors=True)
        self.place.make()
        shutil.copytree(self.base / "talks", self.place.talks, dirs_exist_ok=True)
        operation = OPERATIONS[name]
        if operation.has_index:
            shutil.copytree(self.base / f"index-{self.place.root.name}", self.place.index)
        operation.change(self.place, rng)

    def run(
        self, command: Sequence[str], *, fresh: bool = False, kill: Kill | None = None, watch: bool = False
    ) -> Outcome:
        """Run a command of an operation."""
        arguments = [
            part.replace("TALKS", str(self.place.talks)).replace("OUT", str(self.place.out)) for part in command
        ]
        watched = self.place.written if watch else ()
        return commands.run(arguments, self.environment, self.place.scratch, fresh=fresh, kill=kill, watched=watched)

    def call(self, function: Any, *arguments: Any) -> Any:
        """Return what a function returns in a fork."""
        return commands.call(function, *arguments, environment=self.environment, scratch=self.place.scratch)

    def words(self) -> dict[str, str]:
        """Return the words of every talk in the index."""
        return dict(self.call(_words, self.place.index))

    def dumped(self) -> dict[str, Any]:
        """Return the dump of the index."""
        return dict(self.call(_dump, self.place.index, self.place.talks))

    def exported(self) -> dict[str, bytes]:
        """Return what lies where exports go."""
        out = self.place.out
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def _strange(hit: Mapping[str, Any], expected: Undisturbed) -> Iterator[str]:
    """Yield that a hit holds words that its talk holds in neither state."""
    if hit.get("kind", "hit") != "hit" or "text" not in hit:
        return
    known = [words[hit["talk_id"]] for words in (expected.before, expected.after) if hit["talk_id"] in words]
    if not any(_plain(hit["text"]) in words for words in known):
        yield f"a hit of {hit['talk_id']} has words that are not its talk's: {hit['text'][:100]}"


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _words(index: Path) -> dict[str, str]:
    from talksearch.indexer.stores import catalog

    with closing(catalog.open_catalog(index)) as db:
        told = {
            talk.id: " ".join((talk.title, talk.description, *(chapter.title for chapter in talk.chapters)))
            for talk in catalog.read_talks(db)
        }
        return {
            talk: _plain(" ".join(cue.text for cue in catalog.read_cues(db, talk, words=False)) + title)
            for talk, title in told.items()
        }


def _dump(index: Path, talks: Path) -> dict[str, Any]:
    from dump import dump

    return dump(index, talks)


def _differences(expected: dict[str, Any], index: Path, talks: Path) -> list[str]:
    from dump import differences, dump

    return [f"not as undisturbed: {line}" for line in differences(expected, dump(index, talks))[:8]]


def _leftovers(index: Path) -> list[str]:
    from dump import leftovers

    return leftovers(index)


def _answers(asked: Sequence[Sequence[str]]) -> list[tuple[Sequence[str], int, str, str]]:
    from click.testing import CliRunner

    from talksearch.cli.main import cli

    answers = []
    for arguments in asked:
        result = CliRunner().invoke(cli, list(arguments))
        said = result.stderr
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            said += "".join(traceback.format_exception(result.exception))
        answers.append((arguments, result.exit_code, result.stdout, said))
    return answers


def _described(kill: Kill) -> str:
    when = f"after {kill.after_s:.3f} s" if kill.after_s is not None else f"after change {kill.event}"
    return f"{when}, {'the group' if kill.group else 'alone'}"


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _prepare(work: Path, jobs: int) -> list[Place]:
    """Make the archive, a warm cache and for each worker the index before every operation."""
    base, cache_folder = work / "base", work / "cache"
    make_archive(base / "talks")
    places = [Place(work / str(number)) for number in range(jobs)]
    for place in places:
        place.make()
        shutil.copytree(base / "talks", place.talks, dirs_exist_ok=True)
        environment = place.environment(os.environ, cache_folder)
        for command in (("index", str(place.talks)), ("search", _QUERY)):
            outcome = commands.run(command, environment, place.scratch)
            if outcome.status:
                raise RuntimeError(outcome.said)
        shutil.copytree(place.index, base / f"index-{place.root.name}")
    (base / "cached.txt").write_text("\n".join(sorted(_names(cache_folder))))
    return places


def _order(count: int, only: str | None, number: int | None) -> list[tuple[str, int]]:
    """Return the trials: as many of each operation as its share of them all."""
    names = [name for name in OPERATIONS if only in (None, name)]
    if number is not None:
        return [(name, number) for name in names]
    whole = sum(OPERATIONS[name].share for name in names)
    wanted = {name: -(-count * OPERATIONS[name].share // whole) for name in names}
    return [(name, number) for name in names for number in range(wanted[name])]


def _work(worker: Worker, trials: Sequence[tuple[str, int]], results: Path) -> int:
    """Make trials in a process of their own; returns its exit code."""
    try:
        _make_trials(worker, trials, results)
    except Exception:  # noqa: BLE001 - a fork must not go on with what its parent does
        traceback.print_exc()
        return 1
    return 0


def _make_trials(worker: Worker, trials: Sequence[tuple[str, int]], results: Path) -> None:
    with results.open("w") as file:
        for name, number in trials:
            told = worker.trial(name, number)
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
            file.flush()
            if told["wrong"]:
                print(f"{name} --number {number} ({'fresh' if told['fresh'] else 'fork'}, killed {told['kill']}):")
                print("".join(f"    {line}\n" for line in told["wrong"]), end="", flush=True)


def main() -> int:
    """Make the trials and print how many held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="how many trials [200]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=OPERATIONS, help="only this operation")
    parser.add_argument("--number", type=int, help="only the trial of this number")
    parser.add_argument("--fresh", type=float, default=0.3, help="the share of fresh processes [0.3]")
    parser.add_argument("--jobs", type=int, default=2, help="how many trials at once [2]")
    parser.add_argument("--keep", action="store_true", help="keep the folder in which it worked")
    given = parser.parse_args()
    commands.warm()
    work = Path(tempfile.mkdtemp(prefix="kill-"))
    try:
        trials = _order(given.count, given.only, given.number)
        jobs = min(given.jobs, len(trials))
        places = _prepare(work, jobs)
        workers = [Worker(place, work / "cache", work / "base", given.seed, given.fresh) for place in places]
        results = [work / f"results-{number}" for number in range(jobs)]
        children = []
        for number, worker in enumerate(workers):
            child = os.fork()
            if not child:
                os._exit(_work(worker, trials[number::jobs], results[number]))
            children.append(child)
        failed = [child for child in children if os.waitpid(child, 0)[1]]
        told = [json.loads(line) for path in results for line in path.read_text().splitlines()]
        return _report(told) or bool(failed)
    finally:
        if given.keep:
            print(work)
        else:
            shutil.rmtree(work, ignore_errors=True)


def _report(told: Sequence[Mapping[str, Any]]) -> int:
    tried = Counter(trial["operation"] for trial in told if not trial.get("missed"))
    held = Counter(trial["operation"] for trial in told if not trial.get("missed") and not trial["wrong"])
    for name in tried:
        print(f"{name:10} tried {tried[name]:3}, held {held[name]:3}")
    print(f"tried {tried.total()}, held {held.total()}")
    return int(held != tried)


if __name__ == "__main__":
    sys.exit(main())
