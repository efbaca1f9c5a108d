"""Looking at everything that lies under the PATHs of an index, and telling what is gone from what is out of reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.opened_file import ScannedFiles
from talksearch.indexer.talks.reach import missing, out_of_reach
from talksearch.indexer.talks.recordings import is_recording
from talksearch.indexer.talks.walk import Root, files_under, may_be_transcript, merge_roots, relocated, root_of

from .report import HeldTalk, Progress, Report, Tell
from .scan import content_digest, scan_file


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to index."""

    roots: list[Root]
    """The PATHs of the index."""
    now: dict[str, FileRow]
    """Every file under them that may be a transcript, by path; those out of reach as they were remembered."""
    held: dict[str, str]
    """Files of talks that cannot be read now, by path, with the reason."""
    recordings: list[Path]
    """The recordings under the PATHs that were looked at."""


def look(
    known_roots: Sequence[str],
    paths: Sequence[Path],
    before: Mapping[str, FileRow],
    scanned: ScannedFiles,
    report: Report,
    tell: Tell,
    unreachable: Mapping[Path, str] = MappingProxyType({}),
) -> Seen:
    """Look at every file under some PATHs.

    Args:
        known_roots: The PATHs of the index so far.
        paths: Those to look at; without any, all of the index.
        before: The files that earlier runs looked at.
        scanned: Keeps the files that had to be opened.
        report: Counts the files that are no transcripts by their names, and takes what is out of reach.
        tell: Is called with a `Progress` now and then.
        unreachable: PATHs that are copies of folders which cannot be looked at now, with the reason.

    Raises:
        TalksearchError: there is nothing to look at, or none of the PATHs is there, or one that was never indexed.
    """
    roots, walked = merge_roots(known_roots, paths or [Path(path) for path in known_roots])
    if not walked:
        raise TalksearchError("There is nothing to index yet.", "Name a folder: talksearch index PATH")
    now = {
        path: row
        for path, row in relocated(before, roots).items()
        if not any(root.holds(Path(path)) for root in walked)
    }
    held: dict[str, str] = {}
    recordings: list[Path] = []
    away = _missing_roots(walked, before)
    away |= {root: unreachable[root.path] for root in walked if root.path in unreachable}
    for root in walked:
        if root in away:
            continue
        for path in files_under(root):
            if not may_be_transcript(path):
                report.other_files += 1
                if is_recording(path.name):
                    recordings.append(path)
                continue
            source = root_of(roots, path).source_of(path)
            now[str(path)] = scan_file(path, source, before.get(str(path)), scanned, held)
            tell(Progress("looking", len(now), 0))
    absent = _absent(walked, away, before, now)
    elsewhere = {content_digest(row) for row in now.values()}
    for name, reason in absent.items():
        # What was moved is known by its content, and is looked at where it is now.
        if before[name].talk_id and content_digest(before[name]) not in elsewhere:
            now[name], held[name] = before[name], reason
    remaining = _forget_moved(roots, now)
    report.notes += [
        f"{root.path} is not there, and nothing lies only in it: it is no longer looked at."
        for root in roots
        if root not in remaining
    ]
    report.held += [
        HeldTalk(row.talk_id, path, held[path], _root_away(path, away))
        for path, row in now.items()
        if path in held and row.talk_id
    ]
    return Seen(remaining, now, held, recordings)


def _missing_roots(walked: Sequence[Root], before: Mapping[str, FileRow]) -> dict[Root, str]:
    """Return the PATHs that cannot be walked now and hold files of the index, with the reason.

    Where that is so of all, the walk itself says so: nothing can be done, which a person must be told.
    """
    away = {
        root: reason
        for root in walked
        if any(root.holds(Path(path)) for path in before) and (reason := missing(root)) is not None
    }
    return away if len(away) < len(walked) or any(root.path.is_dir() for root in away) else {}


def _absent(
    walked: Sequence[Root], away: Mapping[Root, str], before: Mapping[str, FileRow], now: Mapping[str, FileRow]
) -> dict[str, str]:
    """Return the files of the index that were not met and are not gone, by path, with the reason."""
    absent: dict[str, str] = {}
    for root in walked:
        inside = [path for path in before if path not in now and root.holds(Path(path))]
        absent |= dict.fromkeys(inside, away[root]) if root in away else out_of_reach(inside, root)
    return absent


def _root_away(path: str, away: Mapping[Root, str]) -> str | None:
    return next((str(root.path) for root in away if root.holds(Path(path))), None)


def _forget_moved(roots: Sequence[Root], now: dict[str, FileRow]) -> list[Root]:
    """Take files out of `now` that were moved: their PATH is not there any more, and their content lies elsewhere.

    Returns the PATHs without those of which nothing is left. A file whose content lies nowhere else stays: its disk may
    be unplugged.
    """
    missing_roots = [root for root in roots if not root.path.exists()]
    if not missing_roots:
        return list(roots)
    inside = {path for path in now if any(root.holds(Path(path)) for root in missing_roots)}
    elsewhere = {content_digest(row) for path, row in now.items() if path not in inside}
    for path in inside:
        if content_digest(now[path]) in elsewhere or not now[path].digest:
            del now[path]
    return [root for root in roots if root not in missing_roots or any(root.holds(Path(path)) for path in now)]
