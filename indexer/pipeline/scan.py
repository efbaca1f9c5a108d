"""Looking at a file: whether it is a transcript, of which talk, and whether it changed since it was last seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from talksearch.indexer.errors import UnreadableError, UnspokenError
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.identify import Identity, identify
from talksearch.indexer.talks.opened_file import ScannedFiles, open_file
from talksearch.indexer.talks.playlist import is_playlist, segments
from talksearch.indexer.talks.reach import lacking_segment, lacks_content
from talksearch.indexer.talks.read import failing_on_one_file, read_file
from talksearch.indexer.talks.recordings import find_recording
from talksearch.indexer.talks.sidecar import metadata_files, shared_files, shared_metadata


def scan_file(
    path: Path,
    source: str,
    known: FileRow | None,
    scanned: ScannedFiles | None = None,
    held: dict[str, str] | None = None,
) -> FileRow:
    """Return what there is to remember of a file.

    A file that cannot be a transcript has the reason in `note` and no identity. One that gave a talk before and cannot
    be read now, or holds no transcript any more, is returned as it was remembered.

    Args:
        path: The file.
        source: Its place inside the PATH that it was found under.
        known: What an earlier run remembered of it. It is returned as it is where neither the file nor what lies beside
            it changed.
        scanned: Keeps the file, where it had to be opened and is a transcript.
        held: Takes the reason, by path, where a file is returned as it was remembered because it cannot be read now.
    """

    def without(reason: str, digest: str = "") -> FileRow:
        if held is not None and known is not None and known.talk_id and known.source == source:
            held[str(path)] = reason
            return known
        return FileRow(str(path), source, stamp, digest, None, None, reason)

    stamp = ""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        printable = str(path).encode(errors="replace").decode()
        return FileRow(printable, printable, "", "", None, None, "Its name is not valid UTF-8; rename it.")
    try:
        metadata, shared = metadata_files(path), shared_files(path)
        recording = find_recording(path)
        beside = [*metadata, recording] if recording else metadata
        beside = [*beside, *segments(path)] if is_playlist(path) else beside
        stamp = json.dumps([[file.name, *_size_and_mtime(file)] for file in (path, *beside, *shared)])
        if known and (known.stamp, known.source) == (stamp, source):
            return known
        data = read_file(path)
        segment = lacking_segment(path) if is_playlist(path) else None
    except UnspokenError as error:
        return FileRow(str(path), source, stamp, "", None, None, error.message)
    except UnreadableError as error:
        return without(error.message)
    except OSError as error:  # even looking for what lies beside it may be refused
        return without(f"The file cannot be read: {error.strerror}.")
    contents = [_content(file) for file in metadata]
    digest = _digest(data, [*contents, shared_metadata(path)], beside)
    if known and (known.digest, known.source) == (digest, source):
        return replace(known, stamp=stamp)
    reason = lacks_content(data) or _lacking(metadata, contents) or segment
    if reason and (row := without(reason)) is known:
        return row
    try:
        with failing_on_one_file():
            opened = open_file(path, data)
            identity = json.dumps(asdict(identify(opened)), ensure_ascii=False)
    except UnspokenError as error:
        return FileRow(str(path), source, stamp, digest, None, None, error.message)
    except UnreadableError as error:
        return without(error.message, digest)
    if scanned is not None:
        scanned.keep(opened)
    return FileRow(str(path), source, stamp, digest, identity, None)


def content_digest(row: FileRow) -> str:
    """Return the hash of a file's content alone: files with the same one are the same talk, wherever they lie."""
    return row.digest.partition(":")[0]


def identity_of(row: FileRow) -> Identity | None:
    """Return what was found out about a file, None for what is no transcript."""
    return Identity(**json.loads(row.identity)) if row.identity else None


def _content(path: Path) -> bytes | None:
    """Return what a file beside a transcript holds; None where it cannot be read now, which the talk's receipt says."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _lacking(metadata: Sequence[Path], contents: Sequence[bytes | None]) -> str | None:
    """Say which file beside a transcript cannot be read now, or lost its content; None where all are sound."""
    for file, content in zip(metadata, contents, strict=True):
        if content is None or (file.suffix.lower() == ".json" and lacks_content(content)):
            return f"{file.name} beside it cannot be read, or is empty."
    return None


def _digest(data: bytes, metadata: Sequence[bytes | None], beside: Sequence[Path]) -> str:
    """Return the hash of a file's content, and behind a colon that of what lies beside it.

    Args:
        data: The content of the file.
        metadata: What files beside it hold whose content counts, and what such files say of it that are not its alone.
        beside: All files beside it; the names of these count.
    """
    beside_hash = hashlib.blake2b(digest_size=16)
    for content in metadata:
        beside_hash.update(content or b"")
    beside_hash.update("/".join(file.name for file in beside).encode())
    return f"{hashlib.blake2b(data, digest_size=16).hexdigest()}:{beside_hash.hexdigest()}"


def _size_and_mtime(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {error.strerror}.") from error
    return status.st_size, status.st_mtime_ns
