"""Checksums of the files in a folder, so that a damaged one is noticed before it is used.

To hash a model takes longer than a query. So a file counts as hashed while its size and its time of change are those
that it had when it was; where they differ, as after a backup was put back, it is hashed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from talksearch.indexer import layout

CHECKSUMS = "checksums.json"
"""The file that holds them."""


@dataclass(frozen=True, slots=True)
class _Checksum:
    """What is known of a file."""

    sha256: str
    bytes: int
    mtime_ns: int
    catalog: int = 0
    """What the file belongs with (`stores.state.identity`); 0 where that does not matter."""


def write(folder: Path, names: Iterable[str]) -> None:
    """Note the checksums of some files of a folder, and of no others. Raises OSError."""
    _write(folder, {name: _Checksum(sha256(folder / name), *_stamp(folder / name)) for name in names})


def note(folder: Path, name: str, catalog: int = 0) -> None:
    """Note the checksum of one more file of a folder, just written, and what it belongs with. Raises OSError."""
    _write(folder, {**_read(folder), name: _Checksum(sha256(folder / name), *_stamp(folder / name), catalog)})


def forget(folder: Path, name: str) -> None:
    """Forget what was noted of a file, before it is changed, or another takes its place. Raises OSError.

    Who is ended before `note` then leaves a file of which nothing is noted, and none that seems damaged.
    """
    known = _read(folder)
    if known.pop(name, None):
        _write(folder, known)


def noted_catalog(folder: Path, name: str) -> int | None:
    """Return what was noted that a file belongs with; None where nothing was noted of it."""
    known = _read(folder).get(name)
    return known.catalog if known else None


def may_be_read(folder: Path, name: str, *, thorough: bool = False) -> bool:
    """Say whether a file is as it was written; also where nothing was noted of it. `thorough` as for `are_right`."""
    return name not in _read(folder) or are_right(folder, [name], thorough=thorough)


def are_right(folder: Path, names: Sequence[str] = (), *, thorough: bool = False) -> bool:
    """Say whether files are those whose checksums were noted.

    Args:
        folder: The folder.
        names: The files; without any, all whose checksums were noted, and there must be some.
        thorough: Hash each file, also where its size and time of change are as they were.
    """
    known = _read(folder)
    seen: dict[str, _Checksum] = {}
    for name in names or known:
        checksum = known.get(name)
        if checksum is None:
            return False
        try:
            size, mtime_ns = _stamp(folder / name)
            if size != checksum.bytes:
                return False
            if (thorough or mtime_ns != checksum.mtime_ns) and sha256(folder / name) != checksum.sha256:
                return False
        except OSError:
            return False
        if mtime_ns != checksum.mtime_ns:
            seen[name] = replace(checksum, mtime_ns=mtime_ns)
    if seen:
        now = _read(folder)  # hashing takes a while, in which another file may have been written and noted
        still = {name: checksum for name, checksum in seen.items() if now.get(name) == known[name]}
        with suppress(OSError):  # where it cannot be noted, it is hashed again the next time
            _write(folder, {**now, **still})
    return bool(known)


def _read(folder: Path) -> dict[str, _Checksum]:
    """Return what was noted; nothing where that is missing or damaged."""
    try:
        values = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
        return {name: _Checksum(**fields) for name, fields in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(folder: Path, known: dict[str, _Checksum]) -> None:
    values = {name: asdict(checksum) for name, checksum in known.items()}
    with layout.replace_file(folder / CHECKSUMS) as fresh:
        fresh.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file. Raises OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
