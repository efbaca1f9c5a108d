"""A small real index that trials damage: the talks of `data/`, one with tracks in other languages, and a namesake.

Also the same index some talks earlier, one of other talks, and what an index holds as values that can be compared.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer import build_index, layout
from talksearch.indexer.stores import vectors
from talksearch.indexer.stores.chroma import store
from talksearch.search import make_overview

DATA = Path(__file__).parents[2] / "data"
LATE = "captions"
"""A folder of `data/` that is not there yet in the earlier state."""

_LINES = (
    ("Welcome to the harbour, where the keeper mends nets.", "Willkommen im Hafen, der Leuchtturmwärter flickt Netze."),
    ("The tide comes in twice a day, and nobody asks it.", "Die Flut kommt zweimal am Tag, und niemand bittet sie."),
    ("A knot that holds in the rain is worth a letter.", "Ein Knoten, der im Regen hält, ist einen Brief wert."),
    ("We count the boats by their sails and by their songs.", "Wir zählen die Boote nach Segeln und nach Liedern."),
)

_UNLIKE = frozenset(("number", "talk", "seal", "stamp"))
"""Columns that may differ between two indexes of the same talks."""

_NEARLY = 0.98
"""The cosine that a vector which was made again has with the first one at least: its batch was another."""

Dump = dict[str, dict[str, Any]]
"""By the name of a table or a file: values by a key that is the same in every index of the same talks."""


@dataclass(frozen=True, slots=True)
class Indexes:
    """The indexes that trials are made of."""

    archive: Path
    """The folder of transcripts."""
    sound: Path
    earlier: Path
    """The sound one before some of its talks were added."""
    other: Path
    """One of other talks, with the same model."""


def make_indexes(folder: Path, talks: tuple[str, ...] = ("",)) -> Indexes:
    """Make the indexes in a folder; `talks` names the folders of `data/` that are taken, by default all."""
    archive, sound, earlier, other = (folder / name for name in ("talks", "sound", "earlier", "other"))
    archive.mkdir(parents=True)
    for name in talks:
        shutil.copytree(DATA / name, archive / (name or "data"), ignore=shutil.ignore_patterns(LATE, "seed", "*.py"))
    _write_tracks(archive)
    _build(sound, archive)
    shutil.copytree(sound, earlier)
    shutil.copytree(DATA / LATE, archive / LATE)
    _build(sound, archive)
    (folder / "others").mkdir()
    for number in range(4):
        lines = (f"[{second // 60}:{second % 60:02}] kettle {number} sings {second}\n" for second in range(0, 600, 5))
        (folder / "others" / f"kettle-{number}.txt").write_text("".join(lines), encoding="utf-8")
    _build(other, folder / "others")
    return Indexes(archive, sound, earlier, other)


def _build(index: Path, archive: Path) -> None:
    """Build an index as `talksearch index` does, with what a server's first page tells of it."""
    build_index(index, archive)
    make_overview.keep(index)


def _write_tracks(archive: Path) -> None:
    """Write a talk with captions in two languages."""
    for code, column in (("en", 0), ("de", 1)):
        cues = (
            f"{number}\n00:{number * 8 // 60:02}:{number * 8 % 60:02},000 --> "
            f"00:{(number * 8 + 7) // 60:02}:{(number * 8 + 7) % 60:02},500\n{_LINES[number % 4][column]}\n\n"
            for number in range(40)
        )
        (archive / f"The Harbour.{code}.srt").write_text("".join(cues), encoding="utf-8")


def dump(index: Path) -> Dump:
    """Return what an index holds, without numbers, stamps and seals. Raises what reading a damaged index raises."""
    with closing(sqlite3.connect(f"{layout.CATALOG.within(index).as_uri()}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        talk_of = dict(db.execute("SELECT number, id FROM talks").fetchall())
        passage_of = dict(db.execute("SELECT number, id FROM passages").fetchall())
        found: Dump = {
            "talks": _rows(db, "talks", "id"),
            "cues": _rows_of_talks(db, "cues", talk_of, ("number",)),
            "tracks": _rows_of_talks(db, "tracks", talk_of, ("number",)),
            "track_cues": _rows_of_talks(db, "track_cues", talk_of, ("track", "number")),
            "heard": _rows_of_talks(db, "heard", talk_of, ("meant", "heard")),
            "odd": _rows_of_talks(db, "odd", talk_of, ("sound", "word")),
            "passages": {
                key: (talk_of.get(row["talk"], "nobody's"), _kept(row))
                for row in db.execute("SELECT * FROM passages")
                for key in [row["id"]]
            },
            "tokens": {
                passage_of.get(number, f"stranger {number}"): codes
                for number, codes in db.execute("SELECT number, codes FROM tokens")
            },
            "words": {
                passage_of.get(number, f"stranger {number}"): (terms, track_terms)
                for number, terms, track_terms in db.execute("SELECT rowid, terms, track_terms FROM words")
            },
            "common": {term: True for (term,) in db.execute("SELECT term FROM common")},
            "files": _rows(db, "files", "path"),
            "roots": {path: True for (path, *_) in db.execute("SELECT path FROM roots")},
            "leaving": {key: True for (key,) in db.execute("SELECT id FROM leaving")},
            "indexes": {name: True for (name,) in db.execute("SELECT name FROM sqlite_master")},
            # A term's passages by the inverted lists themselves, which `words` above does not read.
            "postings": _postings(db, passage_of),
        }
    recipe = json.loads(layout.RECIPE.within(index).read_text(encoding="utf-8"))
    recipe.pop("embedded_by", None)
    found["recipe"] = recipe
    found["vectors"] = _vectors(index, passage_of, recipe["model"]["dimension"])
    found["chroma"] = _chroma(index)
    for name in ("calibration.json", "topics.json", "overview.json"):
        file = index / name
        values = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        found[name] = {
            key: value for key, value in values.items() if key not in ("state", "version", "sum", "checksum")
        }
    if "talks" in found["topics.json"]:  # where a talk stands depends on when it came
        found["topics.json"] = {"talks": sorted(found["topics.json"]["talks"])}
    for name in ("directions.npy", "nulls.npy"):
        file = index / name
        found[name] = {"": file.read_bytes() if file.exists() else b""}
    return found


def differences(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]], *, is_built_anew: bool = False
) -> list[str]:
    """Return in words where two dumps differ; where a vector was made again, its tokens may differ as well.

    An index that is built anew, all at once, learns other directions than one that grew.
    """
    found = []
    for part in before:
        if part == "directions.npy" and is_built_anew and all(after[part].values()):
            continue
        keys = before[part].keys() | after[part].keys()
        unlike = [
            key
            for key in keys
            if key not in before[part]
            or key not in after[part]
            or not _alike(before[part][key], after[part][key], part, before, after, key)
        ]
        if unlike:
            found.append(f"{part}: {len(unlike)} of {len(keys)}")
    return found


def _alike(first: Any, second: Any, part: str, before: Any, after: Any, key: str) -> bool:
    if part in ("vectors", "chroma"):
        if part == "chroma" and first[1:] != second[1:]:
            return False
        pair = (first, second) if part == "vectors" else (first[0], second[0])
        return bool(pair[0] @ pair[1] > _NEARLY)
    if part == "tokens":
        if before["directions.npy"] != after["directions.npy"]:  # an index that is built at once learns others
            return len(first) == len(second)
        same_vector = np.array_equal(before["vectors"].get(key, 0), after["vectors"].get(key, 0))
        if same_vector or len(first) != len(second):
            return bool(first == second)
        bits = np.unpackbits(np.frombuffer(first, np.uint8) ^ np.frombuffer(second, np.uint8))
        return float(bits.mean()) < 0.1  # half of the bits of two unlike texts differ
    if part == "calibration.json" and isinstance(first, float | list):
        return np.shape(first) == np.shape(second) and bool(np.allclose(first, second, rtol=1e-2))
    return bool(first == second)


def _kept(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in row.keys() if name not in _UNLIKE}  # noqa: SIM118 - a Row is no mapping


def _rows(db: sqlite3.Connection, table: str, key: str) -> dict[str, Any]:
    return {row[key]: _kept(row) for row in db.execute(f"SELECT * FROM {table}")}


def _rows_of_talks(
    db: sqlite3.Connection, table: str, talk_of: Mapping[int, str], keys: tuple[str, ...]
) -> dict[str, Any]:
    return {
        " ".join([talk_of.get(row["talk"], "nobody's"), *(str(row[key]) for key in keys)]): _kept(row)
        for row in db.execute(f"SELECT * FROM {table}")
    }


def _postings(db: sqlite3.Connection, passage_of: Mapping[int, str]) -> dict[str, Any]:
    db.execute("CREATE VIRTUAL TABLE temp.every USING fts5vocab('main', 'words', 'instance')")
    found = defaultdict(list)
    for term, document, column, offset in db.execute("SELECT * FROM temp.every"):
        found[term].append((passage_of.get(document, "stranger"), column, offset))
    return {term: sorted(places) for term, places in found.items()}


def _vectors(index: Path, passage_of: Mapping[int, str], dimension: int) -> dict[str, Any]:
    copy = vectors.read(index, dimension)
    numbers = np.array(sorted(passage_of), np.int64)
    rows = copy.find(numbers)
    return {
        passage_of[number]: np.array(copy.rows[row])
        for number, row in zip(numbers.tolist(), rows.tolist(), strict=True)
        if row >= 0
    }


def _chroma(index: Path) -> dict[str, Any]:
    with store.open_partition(index) as collection:
        stored = collection.get(include=["embeddings", "documents", "metadatas"])
    metadata = [{key: value for key, value in (one or {}).items() if key != "number"} for one in stored["metadatas"]]
    columns = (stored["ids"], stored["embeddings"], stored["documents"], metadata)
    return {key: (np.array(vector), text, facts) for key, vector, text, facts in zip(*columns, strict=True)}
