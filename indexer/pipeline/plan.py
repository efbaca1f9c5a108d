"""What an indexing run has to do, worked out from what was remembered and what is there now. Pure: no file is touched.

Files of the same talk are one group: the same YouTube video, the same name in several formats or tracks, or copies of
another talk's files. The best file speaks for the talk; the others fill what it leaves open, and a timed one may give
its times to better words (`read_talks`). So a talk is read again when any of its files is new, changed or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from talksearch.indexer.readers.registry import LAST, format_named
from talksearch.indexer.records import Origin
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.folders import fold
from talksearch.indexer.talks.identify import Identity

from .scan import content_digest
from .spoken_track import is_open, likely_language, primary_language, stated_language, usual_languages


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one talk, the best first."""

    files: tuple[FileRow, ...]
    is_open: bool
    """They are tracks in several languages, and nothing says for sure which one is spoken: their times may tell."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do."""

    read: tuple[Group, ...]
    """New and changed talks."""
    keep: tuple[Group, ...]
    """Talks whose files are all as they were."""
    unreadable: tuple[FileRow, ...]
    """Files that are no transcripts, with the reason in `note`."""
    gone: tuple[str, ...]
    """Paths that were remembered and are no longer there."""


_SHORT = 5
"""Text with less than one word in so many of what another file of the talk has is notes about it: its chapters, say."""

_ORIGINS: dict[Origin, int] = {"human": 0, "unknown": 1, "automatic": 2}
"""A person's text comes before a machine's, as far as it is known which is which."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What the files of a talk tell together."""

    most_words: int
    """Of the longest of them."""
    from_whisper: bool
    """Whisper's JSON is among them; then Whisper likely wrote the captions too, without word times and language."""
    language: str | None
    """Which is spoken, as far as the tracks tell: what a machine translated is not what was said."""
    likely: str | None = None
    """Which is likely spoken, where they do not tell (`spoken_track.likely_language`)."""


def make_plan(
    before: Mapping[str, FileRow],
    now: Mapping[str, FileRow],
    identity_of: Callable[[FileRow], Identity | None],
    held: Collection[str] = (),
) -> Plan:
    """Compare what was remembered (`before`) with what is there (`now`), both by path.

    Args:
        before: What was remembered.
        now: The files of every PATH of the index; those not walked this time as they were remembered.
        identity_of: Tells what was found out about a file.
        held: Files that cannot be read now: their talks stay as they are, whatever else changed about them.
    """
    identities = {path: identity_of(row) for path, row in now.items()}
    readable = {path: identity for path, identity in identities.items() if identity}
    groups = _by_talk(readable, now)
    files_before: dict[str, set[str]] = {}
    for path, row in before.items():
        if row.talk_id:
            files_before.setdefault(row.talk_id, set()).add(path)
    read: list[Group] = []
    keep: list[Group] = []
    usual: Mapping[str, str] | None = None
    for paths in groups.values():
        files = [readable[path] for path in paths]
        same = all(_same(before.get(path), now[path]) for path in paths)
        candidates = _candidates(files)
        open_ = is_open(files)
        if open_ and not same:
            usual = usual or usual_languages([readable[path] for path in paths] for paths in groups.values())
            candidates = replace(candidates, likely=likely_language(files, usual))
        paths.sort(key=partial(_rank_of, readable, candidates))
        group = Group(tuple(now[path] for path in paths), open_)
        talks = {talk for path in paths if (talk := now[path].talk_id)}
        # A file that left the group changes it too, wherever it went: it may have been the one that spoke for the talk.
        left = any(not files_before.get(talk, set()) <= set(paths) for talk in talks)
        changed = not same or left or len(talks) > 1
        waits = any(path in held for path in paths)
        (read if changed and not waits else keep).append(group)
    return Plan(
        read=tuple(read),
        keep=tuple(keep),
        unreadable=tuple(row for path, row in now.items() if identities[path] is None),
        gone=tuple(path for path in before if path not in now),
    )


def _by_talk(readable: Mapping[str, Identity], now: Mapping[str, FileRow]) -> dict[str, list[str]]:
    """Return the paths of each talk, sorted, by the id of its video or by the name that its files share.

    What has only copies of another talk's files is that talk under another name, unless both are videos. A single file
    that two talks share does not make them one: it may say no more than who recorded both.
    """
    named: dict[str, list[str]] = {}
    for path in sorted(readable):
        named.setdefault(readable[path].youtube_id or f"/{_shared_name(readable[path].base)}", []).append(path)
    contents = {key: frozenset(content_digest(now[path]) for path in paths) for key, paths in named.items()}
    holders: dict[str, set[str]] = {}
    for key, digests in contents.items():
        for digest in digests:
            holders.setdefault(digest, set()).add(key)

    @cache
    def with_all(digests: frozenset[str]) -> str:
        """Return who has all these contents: a video before a name, and then who has the most."""
        keys = set.intersection(*sorted((holders[digest] for digest in digests), key=len))
        return min(keys, key=lambda key: (key.startswith("/"), -len(contents[key]), key))

    groups: dict[str, list[str]] = {}
    for key, paths in named.items():
        digests = contents[key]
        is_copy = key.startswith("/") and "" not in digests  # empty where the doctor wants it to be read again
        groups.setdefault(with_all(digests) if is_copy else key, []).extend(paths)
    return {key: sorted(paths) for key, paths in groups.items()}


def _shared_name(base: str) -> str:
    """Return the path without endings and tags as paths are compared: the same name in another form, or case."""
    folder, slash, name = base.rpartition("/")
    return f"{folder}{slash}{fold(name)}"


def _same(before: FileRow | None, now: FileRow) -> bool:
    """Say whether a file is what it was, and what came of it is known."""
    return (
        before is not None
        and (before.digest, before.source) == (now.digest, now.source)
        and bool(now.talk_id or now.note)
    )


def _candidates(files: Sequence[Identity]) -> _Candidates:
    return _Candidates(
        most_words=max(file.words for file in files),
        from_whisper=any((known := format_named(file.format)) and known.whisper == "whole" for file in files),
        language=stated_language(files),
    )


def _rank_of(identities: Mapping[str, Identity], candidates: _Candidates, path: str) -> tuple[object, ...]:
    return _rank(identities[path], path, candidates)


def _rank(identity: Identity, path: str, candidates: _Candidates) -> tuple[object, ...]:
    """Return what the files of a talk are sorted by: how well they say what is said in it, the best first."""
    tag, spoken = identity.language_tag, candidates.language
    known = format_named(identity.format)
    translated = not identity.original and spoken is not None and tag is not None and primary_language(tag) != spoken
    by_whisper = candidates.from_whisper and known is not None and known.whisper == "part"
    origin = "automatic" if by_whisper else identity.origin
    return (
        identity.forced,
        # An index of before counted no words: 0 is unknown.
        0 < identity.words * _SHORT < candidates.most_words and known is not None and known.is_prose,
        translated and origin != "human",
        not identity.timed,
        _ORIGINS[origin],
        translated,
        not identity.original,
        candidates.likely is not None and primary_language(tag) != candidates.likely,
        known.priority if known else LAST,
        identity.youtube_id is None,
        len(path),
        path,
    )
