"""Walking folders: every file under the PATHs given, what it is, and whether it changed since it was last seen."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.identify import Identity, identify
from talksearch.indexer.talks.read import failing_on_one_file, read_file
from talksearch.indexer.talks.sidecar import find_description, find_recording, find_sidecar


def scan_file(path: Path, source: str, known: FileRow | None) -> FileRow:
    """Return what there is to remember of a file: the same as before when it and its sidecar did not change.

    A file that cannot be a transcript has the reason in `note` and no identity.
    """
    stamp = ""
    try:
        str(path).encode()
        about = [found for found in (find_sidecar(path), find_description(path)) if found]
        recording = find_recording(path)
        beside = [*about, recording] if recording else about
        stamp = json.dumps([[file.name, *_stamp(file)] for file in (path, *beside)])
        if known and (known.stamp, known.source) == (stamp, source):
            return known
        data = read_file(path)
    except UnicodeEncodeError:
        shown = str(path).encode(errors="replace").decode()
        return FileRow(shown, shown, "", "", None, None, "Its name is not valid UTF-8; rename it.")
    except UnreadableError as error:
        return FileRow(str(path), source, stamp, "", None, None, error.message)
    except OSError as error:  # even what lies beside it may not be looked at
        return FileRow(str(path), source, stamp, "", None, None, f"The file cannot be read: {error.strerror}.")
    # The content by itself first: two files with the same one are the same talk, whatever lies beside them.
    beside_digest = hashlib.blake2b(digest_size=16)
    for metadata in about:
        with suppress(OSError):  # the receipt of the talk says that it cannot be read
            beside_digest.update(metadata.read_bytes())
    beside_digest.update("/".join(file.name for file in beside).encode())
    digest = f"{hashlib.blake2b(data, digest_size=16).hexdigest()}:{beside_digest.hexdigest()}"
    if known and (known.digest, known.source) == (digest, source):
        return replace(known, stamp=stamp)
    try:
        with failing_on_one_file():
            identity = json.dumps(asdict(identify(path, data)), ensure_ascii=False)
    except UnreadableError as error:
        return FileRow(str(path), source, stamp, digest, None, None, error.message)
    return FileRow(str(path), source, stamp, digest, identity, None)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {error.strerror}.") from error
    return status.st_size, status.st_mtime_ns


def identity_of(row: FileRow) -> Identity | None:
    """Return what was found out about a file, None for what is no transcript."""
    return Identity(**json.loads(row.identity)) if row.identity else None
