"""Reads an index in every way while it is built, changed and rebuilt, and compares each answer with the right ones.

    python benchmarks/trust/reads.py [--count 100000] [--seed 1] [--only WAY]

One process writes: a talk gets other words, another talk goes and comes back, and every few runs the index is rebuilt
and takes the place of the old one. Meanwhile one process for each way of reading asks, as fast as it can:

- kept: searches of an index that stays open, and is opened again every few hundred questions, as its documentation says
- fresh: searches of an index that is opened for each
- http: `talksearch serve`, over HTTP: searches, talks, the list of talks, figures
- catalog: talks with their cues, the list of talks, figures, without anything else
- cli: the commands `search`, `show`, `talks`, `stats` and `export`

The archive has four states, and the writer goes through them in an order in which whatever a reader can meet between
two of them is one of them as well. An answer is right if it is the one that an index of one of these states gives,
which was asked before: the same passages with the same words at the same seconds, in the same order (equal scores
apart). While new words wait for their vectors the answer says so, and its hits must all have the words of one state.
Errors are never right, but for "There is no index" before the first one is finished; those reads are counted apart.

Vectors are made of the hashes of words here, so that a run takes a fraction of a second: what is tried are the stores.

Prints for each way how many reads were made and held, and the first answers that were wrong. Exit 1 for these.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from hash_encoder import HashEncoder
from reads_archive import STATES, write_state
from reads_ways import WAYS, Read, Reads

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Cue

_OPEN_AGAIN = 300
"""Reads after which an index that is kept open is opened again."""
_REBUILD_EVERY = 5
_SHOWN = 5
"""How many wrong answers of each way are kept."""

SHARES = {"kept": 0.4, "fresh": 0.2, "http": 0.15, "catalog": 0.22, "cli": 0.03}
"""Which part of all reads goes each way."""

_ALL_WORDS = "words"
"""Under this name the right answers hold the letters of each talk, by its id."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the reads of one way."""

    way: str
    counts: Counter[str]
    """right, waits (and right), early ("There is no index" before the first), wrong."""
    wrong: list[str]


def right_answers(folder: Path, talks: Path, way: str, tell: Any) -> None:
    """Tell the answers of an index of each state to every read of a way."""
    from talksearch.indexer.pipeline.run import build_index
    from talksearch.indexer.stores import catalog, catalog_talks

    answers: dict[str, list[Any]] = {}
    reads: Reads | None = None
    for state in STATES:
        write_state(talks, state)
        build_index(folder, [talks], encoder=HashEncoder())
        reads = reads or WAYS[way](folder)
        with closing(catalog.open_catalog(folder)) as db:
            words = {talk.id: _letters(catalog_talks.read_cues(db, talk.id)) for talk in catalog_talks.read_talks(db)}
        answers.setdefault(_ALL_WORDS, []).append(words)
        for name, read in reads.named.items():
            answers.setdefault(name, []).append(_plain(read()))
        reads.open_again()
    tell.put(answers)


def _answer(read: Read) -> Any:
    try:
        return read()
    except TalksearchError as error:
        return f"error: {error.message}"


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _letters(cues: Iterable[Cue]) -> str:
    return _only_letters(" ".join(cue.text for cue in cues))


def _only_letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def is_right(answer: Any, name: str, known: dict[str, list[Any]]) -> bool:
    """Say whether an answer to the read of a name is that of a state, or has the words of one while vectors wait."""
    if answer in known[name]:
        return True
    return _waits(answer) and any(
        all(_only_letters(text) in words.get(talk, "") for talk, _, text in answer[1]) for words in known[_ALL_WORDS]
    )


def _waits(answer: Any) -> bool:
    return isinstance(answer, list) and answer[:1] == ["waits"]


def try_reads(
    way: str, folder: Path, known: dict[str, list[Any]], count: int, seed: int, first: Any, tell: Any
) -> None:
    """Read `count` times and tell what became of it."""
    rng = random.Random(f"{seed} {way}")
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    if way == "http":
        first.wait()
    reads = WAYS[way](folder)
    while counts.total() - counts["early"] < count:
        if counts.total() % _OPEN_AGAIN == 0:
            reads.open_again()
        name = rng.choice(list(reads.named))
        is_early = not first.is_set()
        try:
            answer = _plain(_answer(reads.named[name]))
        except Exception:  # noqa: BLE001 - whatever it is, it is wrong
            answer = traceback.format_exc()
        if is_early and str(answer).startswith(("error: There is no", "error: talksearch: There is no")):
            counts["early"] += 1
            sleep(0.01)
        elif is_early or is_right(answer, name, known):
            counts["waits" if _waits(answer) else "right"] += 1
        else:
            counts["wrong"] += 1
            if len(wrong) < _SHOWN:
                wrong.append(f"{name}: {_shown(answer, known[name])}")
            reads.open_again()
    tell.put(Told(way, counts, wrong))


def _shown(answer: Any, known: Sequence[Any]) -> str:
    if not isinstance(answer, list):
        return str(answer)[-900:]
    note, hits = answer if answer and isinstance(answer[0], str) else ("", answer)
    told = []
    for state, right in zip(STATES, known, strict=True):
        there = right[1] if right and isinstance(right[0], str) else right
        if not isinstance(there, list):
            continue
        more = sum(hit not in there for hit in hits)
        less = sum(hit not in hits for hit in there)
        told.append(f"{more} more and {less} fewer than in {state}" if more or less else f"the order is not {state}'s")
    return f"{note} {len(hits)} hits: {'; '.join(told)}"


def write_on(folder: Path, talks: Path, first: Any, stop: Any, runs: Any) -> None:
    """Build the index, then change and rebuild it over and over until told to stop."""
    from talksearch.indexer.pipeline.run import build_index

    sleep(0.5)
    number = 0
    while not stop.is_set():
        write_state(talks, STATES[number % len(STATES)])
        build_index(folder, [talks], encoder=HashEncoder(), rebuild=number % _REBUILD_EVERY == _REBUILD_EVERY - 1)
        first.set()
        number += 1
        runs.value = number


def main() -> int:
    """Read and write at once, and print how many answers held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="how many reads [100000]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=WAYS, help="only this way of reading")
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="reads-"))
    os.environ["TALKSEARCH_CACHE"] = str(work / "cache")
    context = multiprocessing.get_context("fork")
    try:
        ways = [way for way in WAYS if given.only in (None, way)]
        whole = sum(SHARES[way] for way in ways)
        first, stop, runs, told = context.Event(), context.Event(), context.Value("i", 0), context.SimpleQueue()
        known = {}
        for way in ways:  # in a fork, so that this process stays one that may be forked
            asked = context.Process(target=right_answers, args=(work / way / "index", work / "talks", way, told))
            asked.start()
            known[way] = told.get()
            asked.join()
        folder, talks = work / "indexes" / "index", work / "talks"
        folder.parent.mkdir()
        started = monotonic()
        writer = context.Process(target=write_on, args=(folder, talks, first, stop, runs))
        writer.start()
        readers = [
            context.Process(
                target=try_reads,
                args=(way, folder, known[way], -int(-given.count * SHARES[way] // whole), given.seed, first, told),
            )
            for way in ways
        ]
        for reader in readers:
            reader.start()
        for process in readers:
            process.join()
        stop.set()
        writer.join()
        failed = [process.exitcode for process in (writer, *readers) if process.exitcode]
        results = [told.get() for process in readers if not process.exitcode]
        return _report(results, runs.value, monotonic() - started) or len(failed)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _report(results: Sequence[Told], runs: int, seconds: float) -> int:
    for told in sorted(results, key=lambda told: told.way):
        for wrong in told.wrong:
            print(f"{told.way}: {wrong}\n")
    for told in sorted(results, key=lambda told: told.way):
        counts = told.counts
        tried = counts.total() - counts["early"]
        print(
            f"{told.way:8} tried {tried:6,}, held {tried - counts['wrong']:6,}"
            f" ({counts['waits']:,} while vectors waited; {counts['early']:,} more before there was an index)"
        )
    tried = sum(told.counts.total() - told.counts["early"] for told in results)
    wrong = sum(told.counts["wrong"] for told in results)
    print(f"tried {tried:,}, held {tried - wrong:,}, in {seconds:,.0f} s and {runs:,} runs of the writer")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
