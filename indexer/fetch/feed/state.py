"""What was there when a feed was read to its end, so that a host need not send it again while it is the same.

It is believed only where the same is wanted as then, and nothing that was left for its host's sake is due again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from talksearch.indexer.fetch.archive import HIDDEN, Archive
from talksearch.indexer.fetch.records import Source
from talksearch.indexer.layout import replace_file

_FILE = "feeds.json"


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed as it was."""

    etag: str = ""
    modified: str = ""
    again: tuple[str, ...] = ()
    """Keys of episodes that were left though the feed names what to fetch: their files may come to be there."""
    to_the_end: bool = False
    """Whether all of it was read."""


def read_state(archive: Archive, source: Source) -> FeedState:
    """Return what is known of a feed; nothing where it has to be read again whatever its host says."""
    known = _read(archive).get(_name(source))
    if not isinstance(known, dict) or known.get("wanted") != _wanted(source):
        return FeedState()
    again = known.get("again")
    keys = tuple(str(key) for key in again) if isinstance(again, list) else ()
    if any(archive.is_due(key) for key in keys):
        return FeedState()
    return FeedState(str(known.get("etag") or ""), str(known.get("modified") or ""), keys, to_the_end=True)


def write_state(archive: Archive, source: Source, state: FeedState) -> None:
    """Write down that a feed was read to its end."""
    known = _read(archive)
    known[_name(source)] = {
        "etag": state.etag,
        "modified": state.modified,
        "wanted": _wanted(source),
        "again": list(state.again),
    }
    with replace_file(archive.folder / HIDDEN / _FILE) as fresh:
        fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")


def _read(archive: Archive) -> dict[str, object]:
    try:
        value = json.loads((archive.folder / HIDDEN / _FILE).read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _name(source: Source) -> str:
    """Return a name for a feed that does not give its address away: it may hold a password."""
    return hashlib.sha256(source.url.encode(errors="replace")).hexdigest()[:16]


def _wanted(source: Source) -> str:
    wanted = (source.since, source.match, source.limit, source.language, source.also, source.recordings, source.cookies)
    return hashlib.sha256(repr(wanted).encode(errors="replace")).hexdigest()[:16]
