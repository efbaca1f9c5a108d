"""Taking talks along into an index that is built anew, where their files cannot be read now."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from talksearch.indexer.errors import BadIndexError, DamagedStoreError, UnreadableError, UnspokenError
from talksearch.indexer.passages.metadata_passages import notes
from talksearch.indexer.passages.misheard import misheard
from talksearch.indexer.passages.split import split
from talksearch.indexer.passages.track_words import words_meanwhile
from talksearch.indexer.stores import catalog, catalog_names, catalog_talks, catalog_writer
from talksearch.indexer.stores.tracks import read_tracks
from talksearch.indexer.talks.reach import missing, out_of_reach
from talksearch.indexer.talks.read import open_transcript
from talksearch.indexer.talks.walk import Root

from .scan import content_digest
from .sizing import PassageSizer


def carry_over(old: Path, fresh: Path, sizer: PassageSizer) -> list[str]:
    """Put the talks of an old index into a fresh one whose files could not be read for it; return their ids.

    They have the words and times that they had; their passages are cut anew, and wait for their vectors. What was
    moved, was deleted, or is read as something else now is not taken along, and neither is what is damaged.

    Args:
        old: The index that is replaced.
        fresh: The one that was built, with all that can be read.
        sizer: How the fresh one splits talks.
    """
    try:
        opened = catalog.open_catalog(old, any_format=True)
        with closing(opened) as before, closing(catalog.open_catalog(fresh, write=True)) as now:
            roots = [Root(Path(path)) for path in catalog.roots(before)]
            lost = _lost(before, now, roots)
            taken = []
            for talk_id, path in lost.items():
                if not _take_along(before, now, talk_id, sizer):
                    continue
                taken.append(talk_id)
                away = next((root for root in roots if root.holds(Path(path)) and missing(root)), None)
                if away is not None:
                    with catalog.transaction(now):
                        catalog_writer.put_roots(now, [str(away.path)])
            return taken
    except (BadIndexError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and not catalog.means_damage(error):
            raise  # no room in the fresh one, say: then nothing may take the old one's place
        return []


def _lost(before: sqlite3.Connection, now: sqlite3.Connection, roots: Collection[Root]) -> dict[str, str]:
    """Return the talks that only the old index has and whose files cannot be read now, with the file of each."""
    known = catalog_talks.talk_paths(now)
    files, read = catalog.files(before), catalog.files(now)
    elsewhere = {content_digest(row) for row in read.values() if row.talk_id}
    return {
        talk_id: path
        for talk_id, path in catalog_talks.talk_paths(before).items()
        if talk_id not in known
        and path in files
        and content_digest(files[path]) not in elsewhere
        and not (path in read and read[path].talk_id)
        and any(root.holds(Path(path)) and _cannot_be_read(path, root) for root in roots)
    }


def _cannot_be_read(path: str, root: Root) -> bool:
    if missing(root) or out_of_reach([path], root):
        return True
    try:
        open_transcript(Path(path))
    except UnspokenError:
        return False
    except UnreadableError:
        return Path(path).exists()
    return False


def _take_along(before: sqlite3.Connection, now: sqlite3.Connection, talk_id: str, sizer: PassageSizer) -> bool:
    """Put a talk of the old index into the fresh one, and say whether it could be read."""
    try:
        talk = catalog_talks.read_talk(before, talk_id, sealed=_has_seals(before))
    except DamagedStoreError:
        return False
    path = catalog_talks.talk_paths(before)[talk_id]
    if talk is None:
        return False
    (number,) = before.execute("SELECT number FROM talks WHERE id = ?", (talk_id,)).fetchone()
    tracks = read_tracks(before, number)
    passages = (*split(talk, sizer.counter(), sizer.max_tokens, sizer.splitting), *notes(talk))
    mishearings, rare_words = misheard(talk)
    rows = [row for row in catalog.files(before).values() if row.talk_id == talk_id]
    with catalog.transaction(now):
        catalog_writer.put_rows(
            now, path, catalog_writer.rows_of(talk, passages, tracks, words_meanwhile(passages, tracks))
        )
        catalog_names.put_names(now, talk_id, mishearings, rare_words)
        catalog_writer.put_files(now, rows)
    return True


def _has_seals(db: sqlite3.Connection) -> bool:
    """Say whether a catalog is of a format whose rows are sealed."""
    return any(column[1] == "seal" for column in db.execute("PRAGMA table_info(talks)"))
