"""Runs of an index in forks of one process that has imported all that a run needs, and what they leave. A script.

    python tests/forked.py killed FOLDER
    python tests/forked.py limited FOLDER

The first kills runs at chosen points, the second lets no file grow beyond a size. Each prints what came of every trial
as a JSON object, by the trial's name: a list of sentences, empty where all is well. It is a program of its own because
a process with threads, as that of the tests, does not fork well.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import chromadb  # noqa: F401 - before any fork
import numpy as np
from fakes import CountingEncoder
from tiny import make_index, write_talk

from talksearch.indexer import doctor, layout
from talksearch.indexer.errors import DiskFullError, TalksearchError
from talksearch.indexer.pipeline.run import build_index, remove_talks
from talksearch.indexer.stores import catalog, catalog_talks, vectors
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma import store, writer
from talksearch.indexer.text import languages, word_frequencies

_RUN = "talksearch.indexer.pipeline."
_STORES = "talksearch.indexer.stores."
_KILLED = 86
"""The exit code of a process that ended itself at the chosen point."""


class Kill(NamedTuple):
    """Where a process ends itself, without a word to anybody."""

    point: str
    """The function that it calls, by the name under which it is called."""
    before: int = 0
    """How often it has called it before."""


KILLS = {
    "first": (
        Kill(_STORES + "catalog.schema.TABLES"),
        Kill(_RUN + "update_index.read_groups"),
        Kill(_STORES + "catalog_writer.put_files", 1),
    ),
    "update": (
        Kill(_STORES + "catalog_writer.put_files", 0),
        Kill(_STORES + "catalog_writer.put_rows", 1),
        Kill(_STORES + "stop_terms.update_stop_terms"),
        Kill(_STORES + "chroma.writer.drop"),
        Kill(_STORES + "chroma.collection.put"),
        Kill(_STORES + "vectors.append"),
        Kill(_STORES + "catalog_writer.put_embedded"),
        Kill(_STORES + "catalog_writer.drop_talk"),
        Kill(_STORES + "chroma.store.drop"),
        Kill(_STORES + "catalog_writer.forget_leaving", 2),
        Kill(_STORES + "stop_terms.update_stop_terms", 1),
        Kill(_STORES + "columns.build._allocate"),
        Kill(_STORES + "columns.update.state_of"),
    ),
    "remove": (
        Kill(_STORES + "chroma.store.drop"),
        Kill(_STORES + "catalog_writer.forget_leaving"),
        Kill(_STORES + "stop_terms.update_stop_terms"),
        Kill(_STORES + "columns.update.write"),
    ),
    "rebuild": (
        Kill(_RUN + "run.update_index"),
        Kill(_RUN + "run.carry_over"),
        Kill(_RUN + "run.layout.swap_folders"),
        Kill(_RUN + "run.layout.clear_leftovers", 1),
    ),
    "doctor": (
        Kill(_STORES + "chroma.writer.refill"),
        Kill(_STORES + "catalog_writer.put_embedded"),
        Kill(_STORES + "catalog_writer.renumber"),
        Kill(_STORES + "chroma.store.drop"),
    ),
}
"""Where each operation is killed."""

LIMITS_KB = (16, 100, 300)
"""How large a file may be, in the trials of the second kind."""


def _make(folder: Path) -> None:
    make_index(folder)


def _first(index: Path) -> None:
    build_index(index, [index.parent / "talks"], encoder=CountingEncoder())


def _rebuild(index: Path) -> None:
    build_index(index, [], encoder=CountingEncoder(), rebuild=True)


def _remove(index: Path) -> None:
    with closing(catalog.open_catalog(index)) as db:
        remove_talks(index, [talk.id for talk in catalog_talks.read_talks(db) if talk.title == "Ships"])


def _examine(index: Path) -> None:
    doctor.examine(index, encoder=CountingEncoder())


OPERATIONS: dict[str, Callable[[Path], None]] = {
    "first": _first,
    "update": _first,
    "remove": _remove,
    "rebuild": _rebuild,
    "doctor": _examine,
}


def main(kind: str, folder: Path) -> None:
    """Make all trials of a kind below a folder, and print what came of them."""
    # Loaded once here, and not by each of hundreds of forks.
    assert languages.detect_language(["The ship keeps its own time, and comes home late."] * 3)
    word_frequencies.word_frequency("ship", "en")
    next(writer._begun)  # no process of its own for Chroma, which would not be killed at the chosen point
    results: dict[str, list[str]] = {}
    for operation, work in OPERATIONS.items():
        alone = _place(folder / operation, operation)
        _told(f"{operation} alone", work, alone)
        _told(f"index after {operation}", _first, alone)
        expected = _told("content", content, alone)
        trials: dict[str, tuple[Callable[[Path], Any], int]] = {}
        if kind == "killed":
            for kill in KILLS[operation]:
                trials[f"{operation} {kill.point} {kill.before}"] = (_killed_at(kill, work), _KILLED)
        else:
            for limit in LIMITS_KB:
                trials[f"{operation} {limit} KB"] = (_limited_to(limit << 10, work), 0)
        for number, (name, (trial, code)) in enumerate(trials.items()):
            index = _place(folder / f"{operation}-{number}", operation)
            results[name] = _wrong(index, trial, code, expected, answers_before=operation != "first")
            shutil.rmtree(index.parent)
    print(json.dumps(results))


def _place(folder: Path, operation: str) -> Path:
    """Return the folder of an index before an operation, with an archive beside it that changed since."""
    folder.mkdir()
    for name, lines in (("ships", ["the ship", "comes home"]), ("bees", ["every bee", "knows the rain"])):
        write_talk(folder / "talks", name, lines)
    index = folder / "index"
    if operation == "first":
        return index
    _told("make", _make, folder)
    if operation == "update":
        write_talk(folder / "talks", "songs", ["a song of bread", "the song of the code"])
        write_talk(folder / "talks", "ships", ["the ship keeps its own time", "and another ship"])
        for file in (folder / "talks").glob("bees*"):
            file.unlink()
    if operation == "doctor":
        os.truncate(layout.CHROMA.within(index) / "chroma.sqlite3", 5_000)
        layout.COLUMNS.within(index).unlink()
        copy = layout.VECTORS.within(index)
        os.truncate(copy, copy.stat().st_size - 1)  # so that one vector is nowhere
    return index


def _wrong(index: Path, trial: Callable[[Path], Any], code: int, expected: Any, *, answers_before: bool) -> list[str]:
    """Make a trial; return what is not as it should be after it, and after the run that follows."""
    wrong: list[str] = []
    ended, said = _fork(trial, index)
    if ended != code:
        wrong.append(f"it ended with {ended}: {said}")
    elif said not in (None, "full"):
        wrong.append(str(said))
    if answers_before:
        ended, said = _fork(_talks, index)
        if ended or not said:
            wrong.append(f"before the next run, the index does not answer: {said}")
    if ended == 0 and layout.is_index(index) and _fork(_is_damaged, index)[1]:
        _fork(_examine, index)  # the doctor had not come to mend it
    ended, after = _fork(_after, index)
    if ended:
        return [*wrong, f"the next run ended with {ended}: {after}"]
    found, findings = after
    wrong += [f"{part}: {found[part]} is not {expected[part]}" for part in expected if found[part] != expected[part]]
    wrong += [f"{name} is left lying" for name in left_lying(index)]
    return wrong + [f"doctor finds: {finding}" for finding in findings]


def _is_damaged(index: Path) -> bool:
    return bool(store.damage(index)) and layout.CHROMA.within(index).exists()


def _talks(index: Path) -> int:
    with closing(catalog.open_catalog(index)) as db:
        return catalog.counts(db).talks


def _after(index: Path) -> tuple[Any, list[str]]:
    """Make the next run, and return what the index then holds and what the doctor finds."""
    _first(index)
    findings = doctor.examine(index, mend=False, encoder=CountingEncoder())
    return content(index), [finding.what for finding in findings]


def _killed_at(kill: Kill, work: Callable[[Path], None]) -> Callable[[Path], Any]:
    def trial(index: Path) -> None:
        owner_name, name = kill.point.rsplit(".", 1)
        owner = _resolve(owner_name)
        real = getattr(owner, name)
        calls = 0

        def ending(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > kill.before:
                os._exit(_KILLED)
            return real(*arguments, **named)

        if callable(real):
            setattr(owner, name, ending)
        else:  # SQL: the process ends behind its first statements

            class Ending:
                def __format__(self, _: str) -> str:
                    return f"{real[: len(real) // 2].rpartition(';')[0]};SELECT killed();"

            owner.TABLES = Ending()
            connect = catalog._connect

            def connected(*arguments: Any) -> Any:
                db = connect(*arguments)
                db.create_function("killed", 0, lambda: os._exit(_KILLED))
                return db

            catalog._connect = connected
        work(index)

    return trial


def _limited_to(size: int, work: Callable[[Path], None]) -> Callable[[Path], Any]:
    def trial(index: Path) -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            work(index)
        except DiskFullError as error:
            return "full" if error.hint else "no hint"
        except TalksearchError as error:
            return f"{type(error).__name__}: {error.message}"
        return "full"  # there was room

    return trial


def _resolve(name: str) -> Any:
    """Return the module, or what lies in one, that a dotted name means."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        module, _, rest = name.rpartition(".")
        return getattr(_resolve(module), rest)


def content(index: Path) -> dict[str, Any]:
    """Return what an index holds, row by row and vector by vector, whatever numbers its passages have."""
    rows = {
        "talks": "SELECT id, title, source FROM talks ORDER BY id",
        "passages": "SELECT id, text, start_ms, end_ms, embedded FROM passages ORDER BY id",
        "words": "SELECT p.id, w.terms FROM passages p JOIN words w ON w.rowid = p.number ORDER BY p.id",
        "files": "SELECT source, talk_id, note FROM files ORDER BY path",
        "common": "SELECT term FROM common ORDER BY term",
        "leaving": "SELECT id FROM leaving",
        "odd": "SELECT t.id, o.word FROM odd o JOIN talks t ON t.number = o.talk ORDER BY 1, 2",
    }
    with closing(catalog.open_catalog(index)) as db:
        held: dict[str, Any] = {part: [list(row) for row in db.execute(sql)] for part, sql in rows.items()}
        number_of = dict(db.execute("SELECT id, number FROM passages"))
        copy = vectors.read(index, CountingEncoder().card.dimension)
        found = copy.find(np.array(list(number_of.values()), np.int64))
        # What comes back from Chroma was normalised once more, which changes the last digit.
        held["copy"] = sorted(
            (id_, copy.rows[row].astype(float).round(5).tolist() if row >= 0 else None)
            for id_, row in zip(number_of, found.tolist(), strict=True)
        )
    if not store.damage(index):
        with store.open_partition(index) as collection:
            vector_of = passages.read(collection, list(passages.all_ids(collection)))
            held["chroma"] = sorted((id_, vector.astype(float).round(5).tolist()) for id_, vector in vector_of.items())
    return json.loads(json.dumps(held))  # type: ignore[no-any-return]


def left_lying(index: Path) -> list[str]:
    """Return what lies in an index, or hidden beside it, that a finished run does not leave."""
    expected = {entry.name for entry in layout.ENTRIES} - {layout.PACE.name, layout.LOCK_HOLDER.name}
    hidden = [path.name for path in index.parent.iterdir() if path.name.startswith(".")]
    return sorted({path.name for path in index.iterdir()} - expected) + hidden


def _told(what: str, work: Callable[[Path], Any], folder: Path) -> Any:
    ended, said = _fork(work, folder)
    if ended:
        raise RuntimeError(f"{what} ended with {ended}: {said}")
    return said


def _fork(work: Callable[[Path], Any], folder: Path) -> tuple[int, Any]:
    """Do something in a fork: (its exit code, negative for a signal; what it returned, or what was raised)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code, said = 0, None
        try:
            said = work(folder)
        except BaseException as error:  # noqa: BLE001 - it is told
            code, said = 1, repr(error)
        with os.fdopen(writing, "w") as pipe:
            json.dump(said, pipe)
            pipe.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(data) if data else None


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
