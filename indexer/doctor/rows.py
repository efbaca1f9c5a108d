"""The rows of talks in the catalog: whether each holds as it was written, and none is gone or another talk's.

What does not hold came from transcripts, and from nothing else that is in the index. So it is not mended here: its talk
is marked to be read again, and the next indexing run puts its rows in the place of these.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from talksearch.indexer.passages.misheard import misheard
from talksearch.indexer.stores import catalog, catalog_names, catalog_talks, catalog_writer, seals
from talksearch.indexer.stores.columns import update as columns

from .findings import RUN, Finding, finding, some

_OF_TALKS = tuple(table for table, sealed in seals.SEALED.items() if "talk" in sealed)
"""Tables whose rows belong to talks, by their numbers."""

_NAMES = ("heard", "odd")
"""Those of them that are made of what the others hold (`passages.misheard`)."""

_IS_STRANGER = "talk NOT IN (SELECT number FROM talks)"
"""The condition that a row belongs to no talk."""


@dataclass(slots=True)
class _Damage:
    """What does not hold of the rows of talks."""

    rows: Counter[str] = field(default_factory=Counter)
    """How many rows of each table do not hold."""
    gone: Counter[str] = field(default_factory=Counter)
    """How many rows of each table are missing, or too many."""
    talks: set[int] = field(default_factory=set)
    """The talks that must be read again, by number."""
    names: set[int] = field(default_factory=set)
    """The talks of which only the names that were misheard do not hold, by number."""


def check_rows(folder: Path, db: sqlite3.Connection, *, mend: bool) -> tuple[list[Finding], bool]:
    """Check the rows of all talks.

    Returns:
        What was found, and whether talks are left of which something does not hold: then nothing must be made of them.
    """
    findings: list[Finding] = []
    strayed = _strayed_passages(db)
    if strayed:
        if mend:
            with catalog.transaction(db):
                db.executemany("UPDATE passages SET talk = ? WHERE number = ?", strayed)
                catalog_writer.mark_changed(db)
        findings.append(finding(f"{len(strayed)} passages stood under another talk than their own.", mend))
    damage = _look(db)
    marked = _ids(db, damage.talks)
    lost = _lost_talks(db)
    if damage.talks or lost:
        if mend:
            with catalog.transaction(db):
                for talk_id in marked | lost:
                    catalog_writer.read_again(db, talk_id, keep=True)
            columns.forget(folder)  # they may be made of what does not hold
        findings += _tell(db, damage, marked, lost, mend)
    if strangers := {table: count for table in _OF_TALKS if (count := _strangers(db, table))}:
        findings += _drop_strangers(db, strangers, lost, mend)
    if damage.names:
        if mend:
            _remake_names(db, damage.names)
        findings.append(finding(f"The names that are misheard in {len(damage.names)} talks were damaged.", mend))
    if wrong := db.execute("SELECT count(*) FROM passages WHERE embedded NOT IN (0, 1)").fetchone()[0]:
        if mend:
            db.execute("UPDATE passages SET embedded = 0 WHERE embedded NOT IN (0, 1)")
        findings.append(finding(f"Of {wrong} passages it was not known whether they have a vector.", mend))
    return findings, bool(damage.talks or lost)


def _look(db: sqlite3.Connection) -> _Damage:
    damage = _Damage()
    broken: dict[str, set[int]] = {}
    for talk, table in _not_holding(db):
        damage.rows[table] += 1
        broken.setdefault(table, set()).add(talk)
    for column, table in seals.COUNTS.items():
        there: Counter[int] = Counter(dict(db.execute(f"SELECT talk, count(*) FROM {table} GROUP BY talk")))  # noqa: S608
        for talk, count in db.execute(f"SELECT number, {column} FROM talks"):  # noqa: S608 - our own names
            if there[talk] != count:
                damage.gone[table] += abs(there[talk] - count)
                broken.setdefault(table, set()).add(talk)
    broken.setdefault("talks", set()).update(_not_understood(db))
    damage.talks = set().union(*(talks for table, talks in broken.items() if table not in _NAMES))
    damage.names = set().union(*(broken.get(table, set()) for table in _NAMES)) - damage.talks
    return damage


def _not_holding(db: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Yield the talk and the table of each row that does not hold, of the talks that are there."""
    for (number,) in db.execute(f"SELECT number FROM talks WHERE NOT {seals.holds_sql('talks')}"):  # noqa: S608
        yield number, "talks"
    for table in _OF_TALKS:
        rows = db.execute(f"SELECT talk FROM {table} WHERE NOT {seals.holds_sql(table)} AND NOT {_IS_STRANGER}")  # noqa: S608
        yield from ((talk, table) for (talk,) in rows)


def _not_understood(db: sqlite3.Connection) -> set[int]:
    """Return the talks whose row holds and means nothing: no code of ours writes such a one."""
    numbers = set()
    for number, talk_id in db.execute(
        f"SELECT number, id FROM talks WHERE {seals.holds_sql('talks')}"  # noqa: S608 - our own names
    ).fetchall():
        try:
            catalog_talks.read_talk(db, talk_id, cues=False)
        except (ValueError, TypeError, KeyError):
            numbers.add(number)
    return numbers


def _strayed_passages(db: sqlite3.Connection) -> list[tuple[int, int]]:
    """Return the passages that only stand under another talk than their own: (the talk's number, their number).

    The id of a passage begins with that of its talk, and its seal tells whether that is so.
    """
    columns_ = ", ".join(f"CAST(p.{column} AS BLOB)" for column in seals.SEALED["passages"][1:])
    rows = db.execute(
        f"SELECT p.seal, p.talk, p.number, {columns_} FROM passages p WHERE NOT {seals.holds_sql('passages', 'p')}"  # noqa: S608
    ).fetchall()
    numbers: dict[str, int] = dict(db.execute("SELECT id, number FROM talks"))
    strayed = []
    for sealed, talk, number, *values in rows:
        talk_id = bytes(values[1]).rpartition(b":")[0].decode(errors="replace")
        if talk_id in numbers and numbers[talk_id] != talk and seals.holds(sealed, talk_id, *values):
            strayed.append((numbers[talk_id], number))
    return strayed


def _ids(db: sqlite3.Connection, numbers: Collection[int]) -> set[str]:
    """Return the ids under which the files of some talks are remembered."""
    ids: set[str] = set()
    for number in numbers:
        rows = db.execute(
            "SELECT f.talk_id FROM talks t JOIN files f ON f.path = t.path OR f.talk_id = t.id WHERE t.number = ?"
            " AND f.talk_id IS NOT NULL",
            (number,),
        )
        ids.update(talk_id for (talk_id,) in rows)
    return ids


def _lost_talks(db: sqlite3.Connection) -> set[str]:
    """Return the ids of the talks that files gave and that are not there."""
    rows = db.execute(
        f"SELECT DISTINCT talk_id FROM files WHERE {seals.holds_sql('files')} AND talk_id IS NOT NULL"  # noqa: S608
        " AND talk_id NOT IN (SELECT id FROM talks)"
    )
    return {talk_id for (talk_id,) in rows}


def _tell(
    db: sqlite3.Connection, damage: _Damage, marked: Collection[str], lost: Collection[str], mend: bool
) -> list[Finding]:
    parts = [f"{count} rows of {table} are not as they were written" for table, count in sorted(damage.rows.items())]
    parts += [f"{count} rows of {table} are gone, or too many" for table, count in sorted(damage.gone.items())]
    parts += [f"{len(lost)} talks are gone"] if lost else []
    parts = parts or ["what is written of them means nothing"]
    count = len(damage.talks) + len(lost)
    findings = [
        Finding(
            f"What the catalog holds of {count} talks is damaged: {'; '.join(parts)}.",
            False,
            "They are read again by: talksearch index" if mend else RUN,
        )
    ]
    paths = {path for talk_id in {*marked, *lost} for path in _paths(db, talk_id)}
    missing = sorted(path for path in paths if not Path(path).exists())
    if missing:
        findings.append(
            Finding(
                f"To read them again, {len(missing)} transcripts are lacking: {some(missing)}.",
                False,
                "Bring them back, then: talksearch index",
            )
        )
    return findings


def _paths(db: sqlite3.Connection, talk_id: str) -> list[str]:
    return [path for (path,) in db.execute("SELECT path FROM files WHERE talk_id = ? AND note = ''", (talk_id,))]


def _strangers(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table} WHERE {_IS_STRANGER}").fetchone()[0])  # noqa: S608


def _drop_strangers(
    db: sqlite3.Connection, strangers: dict[str, int], lost: Collection[str], mend: bool
) -> list[Finding]:
    """Take out what belongs to no talk, but for the passages of talks that are read again: these keep their vectors."""
    rows = db.execute(f"SELECT number, CAST(id AS BLOB) FROM passages WHERE {_IS_STRANGER}").fetchall()  # noqa: S608
    left = [number for number, id_ in rows if bytes(id_).rpartition(b":")[0].decode(errors="replace") not in lost]
    others = {table: count for table, count in strangers.items() if table != "passages"}
    others |= {"passages": len(left)} if left else {}
    if not others:
        return []
    if mend:
        with catalog.transaction(db):
            for table in others:
                if table != "passages":
                    db.execute(f"DELETE FROM {table} WHERE {_IS_STRANGER}")  # noqa: S608 - our own names
            catalog_writer.drop_passages(db, left)
    told = ", ".join(f"{count} rows of {table}" for table, count in sorted(others.items()))
    return [finding(f"Some of the catalog belonged to no talk: {told}.", mend)]


def _remake_names(db: sqlite3.Connection, numbers: Collection[int]) -> None:
    for number in numbers:
        (talk_id,) = db.execute("SELECT id FROM talks WHERE number = ?", (number,)).fetchone()
        talk = catalog_talks.read_talk(db, talk_id, cues=False)
        assert talk is not None  # its row was just read
        with catalog.transaction(db):
            catalog_names.put_names(db, talk_id, *misheard(replace(talk, cues=catalog_talks.read_cues(db, talk_id))))
