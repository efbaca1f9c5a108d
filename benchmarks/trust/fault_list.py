"""The faults that are planted: one of each kind, in every table and every file of an index and of a model's home."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from fault import Case, Fault, flip
from fault_rows import INDEX_FAULT, ROW_FAULTS

from talksearch.indexer import layout
from talksearch.indexer.encoders import default_model, onnx_encoder, selection
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores import vectors
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.columns import reader as columns

_DIMENSION = 384

_PAGE_HEAD = 24
"""Bytes at the start of a page that mean something however few cells it has."""


# --- files ----------------------------------------------------------------------------------------------------------


def _replace(file: Path, content: bytes) -> None:
    """Write a file anew; one that shares its content with another by a hard link leaves that one alone."""
    file.unlink(missing_ok=True)
    file.write_bytes(content)


def _settle(index: Path) -> None:
    """Bring what the log of the catalog holds into the catalog, so that the one file is all of it."""
    with closing(sqlite3.connect(layout.CATALOG.within(index))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _plant(file: Path, content: bytes) -> None:
    """Put another content into a file. Raises ValueError where it is the same, and so no fault."""
    if file.read_bytes() == content:
        raise ValueError(f"{file.name} is the same")
    _replace(file, content)


def _file_faults(name: str, *, others: Sequence[str] = ("earlier", "other")) -> Iterator[Fault]:
    """Yield what may happen to any file of an index.

    Args:
        name: The file.
        others: The indexes that have another such file.
    """

    def change(how: Callable[[bytes], bytes]) -> Callable[[Case], None]:
        def plant(case: Case) -> None:
            _settle(case.index)
            _plant(case.index / name, how((case.index / name).read_bytes()))

        return plant

    def take(which: str) -> Callable[[Case], None]:
        def plant(case: Case) -> None:
            _settle(case.index)
            source = getattr(case.indexes, which)
            if name == layout.CATALOG.name:
                with closing(sqlite3.connect(source / name)) as db, closing(sqlite3.connect(":memory:")) as whole:
                    db.backup(whole)
                    _plant(case.index / name, whole.serialize())
            else:
                _plant(case.index / name, (source / name).read_bytes())

        return plant

    def gone(case: Case) -> None:
        _settle(case.index)
        (case.index / name).unlink()

    # An index that a program built has no overview, until a command keeps one.
    yield Fault(f"{name} gone", gone, harmless=name == layout.OVERVIEW.name)
    yield Fault(f"{name} cut", change(lambda content: content[: len(content) // 2]))
    yield Fault(f"{name} emptied", change(lambda _: b""))
    yield Fault(f"{name} flipped", change(flip))
    if "earlier" in others:
        yield Fault(f"{name} stale", take("earlier"))
    if "other" in others:
        yield Fault(f"{name} another's", take("other"), becomes_other=name == layout.CATALOG.name)


def _lay_graph(index: Path) -> list[Path]:
    """Have Chroma write its graph, which it does from 1,000 passages on, and return the files of it."""
    for attempt in range(5):
        try:
            with store.open_partition(index) as collection:
                collection.modify(configuration={"hnsw": {"batch_size": 10, "sync_threshold": 20}})
            break
        except BadIndexError:  # of Chroma's threads, one may lock out the other where settings change (1.5.9)
            if attempt == 4:
                raise
    with store.open_partition(index) as collection:
        one = collection.get(limit=1, include=["embeddings", "documents", "metadatas"])
        columns = ("ids", "embeddings", "documents", "metadatas")
        collection.upsert(**{column: one[column] for column in columns})
    files = [file for file in (index / "chroma").rglob("*") if file.is_file() and file.parent.name != "chroma"]
    if not any(file.name == "index_metadata.pickle" for file in files):
        raise ValueError("Chroma wrote no graph")
    return sorted(files)


def _chroma_files() -> Iterator[Fault]:
    def change_graph(how: Callable[[bytes], bytes] | None) -> Callable[[Case], None]:
        def plant(case: Case) -> None:
            for file in _lay_graph(case.index):
                if how is None:
                    file.unlink()
                elif file.stat().st_size:
                    _plant(file, how(file.read_bytes()))

        return plant

    yield from _file_faults("chroma/chroma.sqlite3")
    yield Fault("chroma gone", lambda case: shutil.rmtree(case.index / "chroma"))
    yield Fault("chroma's graph gone", change_graph(None))
    yield Fault("chroma's graph flipped", change_graph(flip))
    yield Fault("chroma's graph emptied", change_graph(lambda _: b""))


def _other_file(name: str, content: str) -> Fault:
    return Fault(f"{name} garbage", lambda case: _replace(case.index / name, content.encode()), harmless=True)


# --- within files ---------------------------------------------------------------------------------------------------


def _page(what: str, name: str, damage: Callable[[bytes], bytes]) -> Fault:
    """Return a fault in the first page of a table or an index of the catalog."""

    def plant(case: Case) -> None:
        _settle(case.index)
        catalog = layout.CATALOG.within(case.index)
        with closing(sqlite3.connect(catalog)) as db:
            (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
            (size,) = db.execute("PRAGMA page_size").fetchone()
        content = catalog.read_bytes()
        start = (page - 1) * size
        _replace(catalog, content[:start] + damage(content[start : start + size]) + content[start + size :])

    return Fault(what, plant)


def _log(case: Case, damage: Callable[[bytes], bytes]) -> None:
    """Leave a log behind that was not brought into the catalog, damaged."""
    catalog, log = layout.CATALOG.within(case.index), layout.CATALOG_LOG.within(case.index)
    with closing(sqlite3.connect(catalog)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE passages SET speakers = speakers")
        db.execute("UPDATE talks SET title = title")
        db.commit()
        whole, written = catalog.read_bytes(), log.read_bytes()
    _replace(catalog, whole)
    _replace(log, damage(written))


def _recipe(what: str, change: Callable[[dict[str, Any]], None]) -> Fault:
    def plant(case: Case) -> None:
        import json

        file = layout.RECIPE.within(case.index)
        values = json.loads(file.read_text(encoding="utf-8"))
        change(values)
        _replace(file, json.dumps(values).encode())

    return Fault(f"recipe.json: {what}", plant)


def _vectors(what: str, change: Callable[[Any], Any]) -> Fault:
    """Return a fault in the records of the copy of the vectors."""

    def plant(case: Case) -> None:
        file = layout.VECTORS.within(case.index)
        records = np.frombuffer(file.read_bytes(), vectors._record(_DIMENSION)).copy()
        changed = change(records)
        _replace(file, (records if changed is None else changed).tobytes())

    return Fault(f"vectors.bin: {what}", plant)


def _zero_vector(records: Any) -> None:
    records["vector"][5] = 0


def _swap_numbers(records: Any) -> None:
    records["number"][[5, 6]] = records["number"][[6, 5]]


def _strange_number(records: Any) -> None:
    records["number"][5] = 90_001


def _huge_numbers(records: Any) -> None:
    records["number"][5] = -(2**62)
    records["number"][6] = 2**62


def _not_a_number(records: Any) -> None:
    records["vector"][5, 3] = np.nan


def _again_at_the_end(records: Any) -> Any:
    again = records[5:6].copy()
    again["vector"] = records["vector"][9]
    return np.concatenate([records, again])


def _columns(name: str, value: int) -> Fault:
    """Return a fault in one array of the columns: a value in its middle is another one."""

    def plant(case: Case) -> None:
        file = layout.COLUMNS.within(case.index)
        content = bytearray(file.read_bytes())
        mapped = columns.map_file(file)
        assert mapped is not None
        array = np.ascontiguousarray(getattr(mapped.columns, name))
        start = bytes(content).find(array.tobytes())
        at = start + array.nbytes // 2 // array.itemsize * array.itemsize
        content[at : at + array.itemsize] = value.to_bytes(array.itemsize, "little", signed=value < 0)
        _replace(file, bytes(content))

    return Fault(f"columns.bin: a value of {name} is {value}", plant)


_OF_OTHER_WORDS = "SELECT min(id) FROM passages WHERE field = 'speech' GROUP BY digest ORDER BY min(number) LIMIT 2"
"""Two passages that do not say the same."""


def _chroma(what: str, change: Callable[[Any, str, str], None]) -> Fault:
    """Return a fault in the Chroma store, planted through Chroma: by the ids of two passages."""

    def plant(case: Case) -> None:
        with closing(sqlite3.connect(layout.CATALOG.within(case.index))) as db:
            first, second = (row[0] for row in db.execute(_OF_OTHER_WORDS))
        with store.open_partition(case.index) as collection:
            change(collection, first, second)

    return Fault(f"chroma: {what}", plant)


def _vector_of(collection: Any, passage: str) -> Any:
    return collection.get(passage, include=["embeddings"])["embeddings"][0]


def _of_another_model(name: str) -> Fault:
    """Return a fault by which vectors of length 1 are others of length 1, and the angles between them stay."""

    def plant(case: Case) -> None:
        file = case.index / name
        np.save(file, np.roll(np.load(file), 7, axis=1))

    return Fault(f"{name}: of another model", plant)


_WITHIN = (
    _of_another_model(layout.DIRECTIONS.name),
    _of_another_model(layout.NULL_VECTORS.name),
    _page("the cues' first page zeroed", "cues", lambda page: bytes(len(page))),
    _page("the passages' first page flipped", "passages", lambda page: flip(page, end=_PAGE_HEAD)),
    _page("an index's first page zeroed", "passages_of_talk", lambda page: bytes(len(page))),
    _page("the talks' first page flipped", "talks", lambda page: flip(page, seed=11, end=_PAGE_HEAD)),
    INDEX_FAULT,
    Fault("the log cut", lambda case: _log(case, lambda log: log[: len(log) // 2]), harmless=True),
    Fault("the log flipped", lambda case: _log(case, flip), harmless=True),
    _recipe("format 99", lambda values: values.update(format=99)),
    _recipe("format 7", lambda values: values.update(format=7)),
    _recipe("format a text", lambda values: values.update(format="eight")),
    _recipe("another model's name", lambda values: values["model"].update(name="bananas")),
    _recipe("another fingerprint", lambda values: values["model"].update(fingerprint="0123456789abcdef")),
    _recipe("another dimension", lambda values: values["model"].update(dimension=128)),
    _recipe("another prompt", lambda values: values["model"].update(query_prompt="bananas: ")),
    _recipe("other splitting", lambda values: values["splitting"].update(length=10)),
    _recipe("a model of another shape", lambda values: values.update(model=[1, 2])),
    _vectors("one zeroed", _zero_vector),
    _vectors("one holds no number", _not_a_number),
    _vectors("two exchanged", _swap_numbers),
    _vectors("one of no passage", _strange_number),
    _vectors("numbers beyond all bounds", _huge_numbers),
    _vectors("one again with another vector", _again_at_the_end),
    _vectors("the last one torn", lambda records: np.frombuffer(records.tobytes()[:-100], np.uint8)),
    _columns("numbers", 2**31 - 1),
    _columns("talks", 2**31 - 1),
    _columns("starts", 1),
    _columns("rows", 2**31 - 1),
    _columns("voices", 2**31 - 1),
    _columns("fields", 200),
    _columns("codes", 1),
    _columns("offsets", 2**62),
    _columns("positions", 2**31),
    _columns("hashes", 1),
    _columns("second", 2**61),
    _chroma("a passage gone", lambda collection, first, _: collection.delete(ids=[first])),
    _chroma("a stranger", lambda collection, first, _: collection.upsert(
        ids=["nobody"], embeddings=[_vector_of(collection, first)], documents=["?"])),
    _chroma("another's vector", lambda collection, first, second: collection.update(
        ids=[first], embeddings=[_vector_of(collection, second)])),
    _chroma("a text changed", lambda collection, first, _: collection.update(
        ids=[first], embeddings=[_vector_of(collection, first)], documents=["bananas"])),
    _chroma("metadata changed", lambda collection, first, _: collection.update(
        ids=[first], metadatas=[{"title": "Bananas"}])),
)  # fmt: skip


# --- the home of the model ------------------------------------------------------------------------------------------


def _home_faults() -> Iterator[Fault]:
    def plant(pattern: str, how: Callable[[bytes], bytes] | None) -> Callable[[Case], None]:
        def act(case: Case) -> None:
            files = sorted(case.home.rglob(pattern))
            assert files, pattern
            for file in files:
                if how is None:
                    file.unlink()
                else:
                    _replace(file, how(file.read_bytes()))

        return act

    for pattern in ("model.onnx", "tokenizer.json", "quick-*", "checksums.json"):
        yield Fault(f"home: {pattern} gone", plant(pattern, None), in_home=True)
        yield Fault(f"home: {pattern} flipped", plant(pattern, flip), in_home=True)
    yield Fault("home: model.onnx cut", plant("model.onnx", lambda content: content[: len(content) // 2]), in_home=True)
    yield Fault("home: choice.json garbage", _garbage_choice, in_home=True)


def _garbage_choice(case: Case) -> None:
    # An archive of so few passages chooses nothing, so that a choice is made as one of more would make it.
    home = next(case.home.rglob("model.onnx")).parent
    encoder = onnx_encoder.load(home, default_model.default_card())
    selection.choose(home, encoder, [f"The keeper counts {number} boats." for number in range(128)])
    (choice,) = home.rglob("choice.json")
    _replace(choice, b"{")


FAULTS: tuple[Fault, ...] = (
    *_file_faults(layout.CATALOG.name),
    *_file_faults(layout.RECIPE.name, others=()),  # theirs is the same; `_recipe` changes it
    *_file_faults(layout.DIRECTIONS.name, others=()),  # they are the model's
    *_file_faults(layout.VECTORS.name),
    *_file_faults(layout.COLUMNS.name),
    *_file_faults(layout.CALIBRATION.name),
    *_file_faults(layout.NULL_VECTORS.name, others=()),  # they are the model's
    *_file_faults(layout.TOPICS.name),
    *_file_faults(layout.OVERVIEW.name),
    *_chroma_files(),
    _other_file("lock", "bananas"),
    _other_file("lock.holder", "{"),
    _other_file("pace.json", "["),
    _other_file("asked.log", "bananas\n9999999999999999999999\n"),
    *ROW_FAULTS,
    *_WITHIN,
    *_home_faults(),
)  # fmt: skip
"""All of them."""
