"""A place where one operation after the other is tried and disturbed, and what must hold after a disturbance.

`kill.py` and `full.py` disturb; both ask the same of what is left. What a command does when nobody disturbs it is found
out once for each operation.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
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

_LIST_OF_SITE = "site/talksearch-site.json"
"""Names the files of the site that was there before, until those of the new one are all written."""
_NO_INDEX = re.compile(r"^talksearch: There is no (finished )?index in ")
_NOT_THERE = re.compile(r"^talksearch: (No talk|There is no talk) ")
_NOTHING_TO_DO = re.compile(r" 0 added, 0 replaced, \d+ kept, 0 dropped.*\b0 embedded", re.DOTALL)
_END_S = 10.0
"""How long what a killed command started may live on."""
_DAMAGED = re.compile(r"damaged|malformed|corrupt|--rebuild", re.IGNORECASE)


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


@dataclass(frozen=True, slots=True)
class Stage:
    """A place with an archive, the cache that goes with it, and what operations do there undisturbed."""

    place: Place
    cache: Path
    base: Path
    """Where the archive and the index lie as they are before every operation."""
    kinds: tuple[bool, ...]
    """In which kinds of processes operations are disturbed: in fresh ones (True), in forks."""
    known: dict[str, Undisturbed] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands."""
        return self.place.environment(os.environ, self.cache)

    def undisturbed(self, name: str) -> Undisturbed:
        """Return what an operation does when nobody disturbs it."""
        if name not in self.known:
            self.known[name] = self._undisturbed(name)
        return self.known[name]

    def _undisturbed(self, name: str) -> Undisturbed:
        operation = OPERATIONS[name]
        seconds, events = {}, {}
        for fresh in self.kinds:
            self.prepare(name, random.Random(name))
            before = {} if operation.makes_index else self.words()
            outcome = self.run(operation.command, fresh=fresh, watch=True)
            if outcome.status:
                raise RuntimeError(f"{name} failed though nobody killed it: {outcome.said}")
            seconds[fresh], events[fresh] = outcome.seconds, outcome.events
        after = self.words()
        exported = self.exported()
        for command in operation.finish:
            self.run(command)
        return Undisturbed(seconds, events, before, after, self.dumped(), exported)

    def alive(self, session: int) -> Iterator[str]:
        """Yield that a process of a session lives on, though its first one was killed."""
        until = time.monotonic() + _END_S
        while commands.lives(session) and time.monotonic() < until:
            time.sleep(0.1)
        if commands.lives(session):
            yield "a process that the command had started lives on"

    def wrong(self, operation: Operation, expected: Undisturbed) -> Iterator[str]:
        """Yield all that does not hold after an operation was disturbed: now, and after the next run."""
        yield from self.wrong_now(operation, expected)
        yield from self.wrong_later(operation, expected)

    def wrong_now(self, operation: Operation, expected: Undisturbed) -> Iterator[str]:
        """Yield what is wrong about answers and exports before anything is mended."""
        yield from self.wrong_answers(operation, expected)
        yield from self.wrong_exports(expected, whole=False)

    def wrong_later(self, operation: Operation, expected: Undisturbed) -> Iterator[str]:
        """Yield what is not as after an undisturbed operation, when the next run has ended."""
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

    def wrong_answers(self, operation: Operation, expected: Undisturbed) -> Iterator[str]:
        """Yield what is wrong about the answers right after a kill."""
        for arguments, status, output, said in self.call(_answers, _ASKED):
            asked = " ".join(arguments)
            no_index = operation.makes_index and _NO_INDEX.search(said)
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
            elif held[path] != expected.exported[path] and (whole or path != _LIST_OF_SITE):
                yield f"{path} is not what is exported"

    def left(self) -> Iterator[str]:
        """Yield what was left lying."""
        leftovers = self.call(_leftovers, self.place.index)
        if leftovers:
            yield f"left in or beside the index: {', '.join(leftovers)}"
        for folder in ("tmp", "home"):
            left = [str(path.relative_to(self.place.disk)) for path in (self.place.disk / folder).rglob("*")]
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
        for path in (*self.place.disk.iterdir(), *self.place.root.iterdir()):
            if path != self.place.disk:  # which may be a disk of its own
                shutil.rmtree(path)
        self.place.make()
        shutil.copytree(self.base / "talks", self.place.talks, dirs_exist_ok=True)
        operation = OPERATIONS[name]
        if operation.has_index:
            shutil.copytree(self.base / f"index-{self.place.root.name}", self.place.index)
        operation.change(self.place, rng)

    def run(
        self,
        command: Sequence[str],
        *,
        fresh: bool = False,
        kill: Kill | None = None,
        watch: bool = False,
        largest_file: int | None = None,
    ) -> Outcome:
        """Run a command of an operation."""
        place = self.place
        meant = {"TALKS": place.talks, "OUT": place.out, "PART": place.part, "INDEX": place.index}
        arguments = [_filled_in(part, meant) for part in command]
        watched = self.place.written if watch else ()
        return commands.run(
            arguments,
            self.environment,
            self.place.scratch,
            fresh=fresh,
            kill=kill,
            watched=watched,
            largest_file=largest_file,
        )

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


def _filled_in(part: str, meant: Mapping[str, Path]) -> str:
    """Return a part of a command with the path that its first word stands for, if it stands for one."""
    word, slash, rest = part.partition("/")
    return f"{meant[word]}{slash}{rest}" if word in meant else part


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _words(index: Path) -> dict[str, str]:
    from talksearch.indexer.stores import catalog, catalog_talks

    with closing(catalog.open_catalog(index)) as db:
        told = {
            talk.id: " ".join((talk.title, talk.description, *(chapter.title for chapter in talk.chapters)))
            for talk in catalog_talks.read_talks(db)
        }
        return {
            talk: _plain(" ".join(cue.text for cue in catalog_talks.read_cues(db, talk, words=False)) + title)
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


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def make_stages(work: Path, jobs: int, warm_cache: Path | None, *, fresh: bool) -> list[Stage]:
    """Make the archive, a warm cache, and some places with the index as it is before every operation.

    Args:
        work: Where all of it lies.
        jobs: How many places.
        warm_cache: A cache with a model that is taken; None makes one.
        fresh: Whether commands are disturbed in fresh processes too.
    """
    base, cache_folder = work / "base", work / "cache"
    make_archive(base / "talks")
    if warm_cache is not None and warm_cache.is_dir():
        shutil.copytree(warm_cache, cache_folder)
    places = [Place(work / str(number)) for number in range(jobs)]
    for place in places:
        place.make()
        shutil.copytree(base / "talks", place.talks, dirs_exist_ok=True)
        environment = place.environment(os.environ, cache_folder)
        for command in (("index", str(place.talks)), ("search", _QUERY)):
            outcome = commands.run(command, environment, place.scratch)
            if outcome.status:
                raise RuntimeError(f"{command} ended with {outcome.status}: {outcome.said}")
        shutil.copytree(place.index, base / f"index-{place.root.name}")
    (base / "cached.txt").write_text("\n".join(sorted(_names(cache_folder))))
    return [Stage(place, cache_folder, base, (True, False) if fresh else (False,)) for place in places]
