"""Which talks an index holds that is merged of several, worked out from what each of them holds. No index is touched.

A talk that several indexes hold comes in once: what was read from one file, from files with one content, or of one
YouTube video is one talk. Two talks of one id that are neither, such as those of two folders that each hold a
`talk.vtt`, are both there, and the second is told apart by its file, as in an index of both folders.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from talksearch.indexer.stores.catalog import FileRow

from .plan import make_plan
from .scan import content_digest, identity_of
from .told_apart import ids_told_apart


@dataclass(frozen=True, slots=True)
class KnownTalk:
    """A talk of one of the indexes, as far as it takes to tell whether another one holds it too."""

    index: int
    """Which of the indexes."""
    number: int
    """Its number there."""
    id: str
    source: str
    path: str
    """The file that it was read from."""
    youtube_id: str | None
    files: tuple[FileRow, ...]
    """What is remembered of its files."""

    @property
    def file(self) -> FileRow | None:
        """What is remembered of the file that it was read from."""
        return next((row for row in self.files if row.path == self.path), None)


@dataclass(slots=True)
class MergedTalk:
    """A talk of the merged index."""

    talk: KnownTalk
    """Where it comes from."""
    copies: list[KnownTalk] = field(default_factory=list)
    """The same talk in other indexes."""
    id: str = ""
    """Its id in the merged index."""


def plan_merge(indexes: Sequence[Sequence[KnownTalk]]) -> list[MergedTalk]:
    """Return the talks of an index that is merged of some, in the order of these.

    Of one file the state that was read last comes in, and of several files the one that is the best by what an
    indexing run goes by; else the one that was named first.

    Args:
        indexes: The talks of each index.
    """
    merged: list[MergedTalk] = []
    by_key: dict[Hashable, MergedTalk] = {}
    for talks in indexes:
        found: list[MergedTalk] = []
        claimed: set[int] = set()  # two talks of one index are two
        for talk in talks:
            known = next((by_key[key] for key in _keys(talk) if key in by_key), None)
            if known is None or id(known) in claimed or _are_two_videos(known.talk, talk):
                known = MergedTalk(talk)
                merged.append(known)
            elif _is_better(talk, known.talk):
                known.copies.append(known.talk)
                known.talk = talk
            else:
                known.copies.append(talk)
            found.append(known)
            claimed.add(id(known))
        for talk, place in zip(talks, found, strict=True):
            for key in _keys(talk):
                by_key.setdefault(key, place)
    _give_ids(merged)
    return merged


def _keys(talk: KnownTalk) -> Iterator[Hashable]:
    """Yield what tells that a talk is one that another index holds, what tells it most surely first."""
    yield "path", talk.path
    if talk.youtube_id:
        yield "video", talk.youtube_id
    content = content_digest(talk.file) if talk.file else ""
    if content:
        yield "content", content


def _are_two_videos(one: KnownTalk, other: KnownTalk) -> bool:
    return bool(one.youtube_id and other.youtube_id and one.youtube_id != other.youtube_id)


def _is_better(talk: KnownTalk, known: KnownTalk) -> bool:
    """Say whether a talk takes the place of the one that is known of an index that was named before."""
    if talk.file is None or known.file is None or talk.file.digest == known.file.digest:
        return known.file is None and talk.file is not None
    if talk.path == known.path:
        return _changed_ns(talk.file) > _changed_ns(known.file)
    plan = make_plan({}, {row.path: row for row in (known.file, talk.file)}, identity_of)
    return any(group.files[0] == talk.file and len(group.files) > 1 for group in plan.read)


def _changed_ns(file: FileRow) -> int:
    """Return when a file was last changed, as it was when it was read."""
    stamp = json.loads(file.stamp or "[]")
    return int(stamp[0][2]) if stamp else 0


def _give_ids(merged: Sequence[MergedTalk]) -> None:
    taken: set[str] = set()
    for one in merged:
        ids = (one.talk.id, *ids_told_apart(one.talk.id, one.talk.path))
        one.id = next(talk_id for talk_id in ids if talk_id not in taken)
        taken.add(one.id)
