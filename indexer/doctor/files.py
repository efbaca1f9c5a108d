"""What the catalog remembers of files and PATHs: that every talk's file is remembered, under a PATH of the index.

What does not hold is forgotten, which costs no more than that the next indexing run looks at the file again. The file
of a talk is remembered anew by its talk, and a PATH by the files under it, so that a talk whose disk is away is not
taken for one whose file is gone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from talksearch.indexer.pipeline.scan import identity_of
from talksearch.indexer.stores import catalog, catalog_talks, catalog_writer, seals
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.identify import Identity
from talksearch.indexer.talks.reach import lacks_first_byte
from talksearch.indexer.talks.track_names import track_name
from talksearch.indexer.talks.walk import Root, may_be_transcript

from .findings import Finding, finding, finding_for_index, some


def check_files(db: sqlite3.Connection, *, mend: bool) -> list[Finding]:
    """Check what is remembered of files and PATHs."""
    findings: list[Finding] = []
    damaged = _damaged_files(db)
    if damaged and mend:
        with catalog.transaction(db):
            catalog_writer.forget_files(db, damaged)
    lacking = [row for row in _of_talks(db) if row.path in damaged or not _is_remembered(db, row)]
    if lacking and mend:
        with catalog.transaction(db):
            catalog_writer.put_files(db, lacking)
    if damaged or lacking:
        count = len({*damaged, *(row.path for row in lacking)})
        what = f"What the catalog remembers of {count} files was damaged, or gone: they are looked at again."
        findings.append(finding_for_index(what, mend))
    (bad_roots,) = db.execute(f"SELECT count(*) FROM roots WHERE NOT {seals.holds_sql('roots')}").fetchone()  # noqa: S608
    if bad_roots and mend:
        db.execute(f"DELETE FROM roots WHERE NOT {seals.holds_sql('roots')}")  # noqa: S608 - our own names
    roots = _lost_roots(db)
    if roots and mend:
        with catalog.transaction(db):
            catalog_writer.put_roots(db, roots)
    if bad_roots or roots:
        names = f", as the files under them say: {some(roots)}" if roots else ""
        findings.append(finding(f"PATHs of the index were damaged, or gone, and are told again{names}.", mend))
    return findings


def missing_files(db: sqlite3.Connection) -> list[Finding]:
    """Check that the files behind the talks are where they were."""
    paths = sorted(catalog_talks.talk_paths(db).values())
    missing = [path for path in paths if not Path(path).exists()]
    unreadable = [path for path in paths if path not in missing and lacks_first_byte(Path(path))]
    findings = []
    if missing:
        findings.append(
            Finding(
                f"The files of {len(missing)} of {len(paths)} talks are not there: {some(missing)}.",
                False,
                "Plug in their disk, or take those out that were deleted: talksearch index. To take out any other:"
                " talksearch remove TALK",
            )
        )
    if unreadable:
        findings.append(
            Finding(
                f"The files of {len(unreadable)} of {len(paths)} talks cannot be read now: {some(unreadable)}.",
                False,
                "The talks stay as they are. Bring the files back, or take the talks out: talksearch remove TALK",
            )
        )
    return findings


def _damaged_files(db: sqlite3.Connection) -> list[str]:
    """Return the paths of the rows of files that do not hold, or mean nothing."""
    rows = db.execute(f"SELECT path FROM files WHERE NOT {seals.holds_sql('files')}")  # noqa: S608 - our own names
    damaged = [path for (path,) in rows]
    for row in catalog.files(db).values():
        try:
            identity_of(row)
            json.loads(row.stamp or "[]")
        except (ValueError, TypeError):
            damaged.append(row.path)
    return list(dict.fromkeys(damaged))


def _of_talks(db: sqlite3.Connection) -> list[FileRow]:
    """Return a row for the file of each talk whose own row holds, which has it looked at again."""
    rows = db.execute(
        "SELECT path, source, id, youtube_id, format, timing, origin FROM talks"  # noqa: S608 - our own names
        f" WHERE {seals.holds_sql('talks')}"
    )
    found = []
    for path, source, talk_id, youtube_id, format_, timing, origin in rows:
        track = track_name(Path(path))
        base = (Path(path).parent / track.stem).as_posix()
        identity = Identity(format_, youtube_id, base, track.tag, timing == "exact", origin, original=True)
        found.append(FileRow(path, source, "", "", json.dumps(asdict(identity), ensure_ascii=False), talk_id))
    return found


def _is_remembered(db: sqlite3.Connection, row: FileRow) -> bool:
    known = db.execute("SELECT talk_id FROM files WHERE path = ?", (row.path,)).fetchone()
    return known is not None and known[0] is not None


def _lost_roots(db: sqlite3.Connection) -> list[str]:
    """Return the PATHs under which the files that are remembered were found, and that are not remembered themselves.

    The source of a file is its place inside its PATH, so what is left of its path is the PATH.
    """
    known = [Root(Path(path)) for (path,) in db.execute(f"SELECT path FROM roots WHERE {seals.holds_sql('roots')}")]  # noqa: S608
    files = [row for row in catalog.files(db).values() if not any(root.holds(Path(row.path)) for root in known)]
    folders: dict[str, list[str]] = {}
    for row in files:
        path, inside = Path(row.path), row.source.split("/")
        if len(inside) < len(path.parts) and path.parts[-len(inside) :] == tuple(inside):
            folders.setdefault(str(path.parents[len(inside) - 1]), []).append(row.source)
    lost: list[str] = []
    for folder, sources in sorted(folders.items()):
        if _is_one_file(Path(folder), sources):
            lost.append(str(Path(folder, sources[0])))
        elif not any(Root(Path(other)).holds(Path(folder)) for other in lost):
            lost.append(folder)
    return lost


def _is_one_file(folder: Path, sources: Sequence[str]) -> bool:
    """Say whether the PATH was a single file: other transcripts lie beside it, and nothing is remembered of them."""
    if len(sources) > 1 or "/" in sources[0] or not folder.is_dir():
        return False
    return any(path.name != sources[0] and may_be_transcript(path) for path in folder.iterdir() if path.is_file())
