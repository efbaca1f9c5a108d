"""Walking folders: every file under the PATHs given, what it is, and whether it changed since it was last seen."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from talksearch.indexer.errors import TalksearchError, UnreadableError
from talksearch.indexer.records import Talk
from talksearch.indexer.stores.catalog import FILE_NAME, FileRow
from talksearch.indexer.talks.load import About, Identity, about_talk, identify, load_talk
from talksearch.indexer.talks.sidecar import find_description, find_recording, find_sidecar

LARGEST_BYTES = 100_000_000
"""A transcript of a whole day is 5 MB; what is larger than this is something else."""

# Files that no reader needs to open. Everything else is judged by its content.
_NOT_TEXT = re.compile(
    r"\.(3gp|7z|aac|aiff|avi|avif|bin|bmp|bz2|class|db|dll|dmg|doc|dylib|eot|epub|exe|flac|flv|gif|gz|heic|ico|iso|jar"
    r"|jpe?g|m4[av]|mkv|mov|mp[34]|mpe?g|od[pst]|og[gv]|opus|otf|part|pdf|png|pptx?|py[cdo]|rar|so|sqlite3?|svg|tar|tgz"
    r"|tiff?|ttf|wasm|wav|web[mp]|wm[av]|woff2?|xlsx?|xz|zip|zst)$",
    re.IGNORECASE,
)


# What a folder says about itself.
_ABOUT = re.compile(
    r"(readme|licen[cs]e|copying|changelog|contributing|authors|notice)(\.(md|markdown|rst|txt))?$", re.IGNORECASE
)

# What lies beside a recording and is not said in it: what yt-dlp writes, and tracks of chapters.
_BESIDE = re.compile(r"\.(info\.json|description|chapters\.(vtt|srt))$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Root:
    """A PATH that was indexed, absolute: a folder, or a single file."""

    path: Path

    def source_of(self, path: Path) -> str:
        """Return a file's path relative to this PATH, with forward slashes; a single file's is its name."""
        return path.name if path == self.path else path.relative_to(self.path).as_posix()

    def holds(self, path: Path) -> bool:
        """Say whether a file lies under this PATH."""
        return path == self.path or self.path in path.parents


def as_root(path: Path) -> Root:
    """Return the PATH that a user means, however it is written. Links in it stay, because they may come to lead
    elsewhere.
    """
    return Root(Path(os.path.normpath(path.absolute())))


def files_under(root: Root) -> Iterator[Path]:
    """Yield every file under a PATH, sorted; hidden ones and the insides of an index are passed over.

    Links to folders are followed after everything else, and no folder is walked twice: loops end, and what lies in the
    archive itself keeps the path it has there. A link that leads nowhere, a pipe and a folder that cannot be entered
    are yielded themselves, so that they become lines of the report. Raises TalksearchError when the PATH is not there:
    an archive on a disk that is not plugged in has not vanished.
    """
    if root.path.is_file():
        yield root.path
        return
    if not root.path.is_dir():
        raise TalksearchError(
            f"{root.path} is not there.",
            f"Plug in its disk, or correct the path; to take its talks out: talksearch remove {root.path}",
        )
    walked: set[str] = set()
    links: deque[Path] = deque()
    yield from _files_in(root.path, walked, links)
    while links:
        yield from _files_in(links.popleft(), walked, links)


def _files_in(folder: Path, walked: set[str], links: deque[Path]) -> Iterator[Path]:
    """Yield the files of a folder that was not `walked` yet, and put off links to folders."""
    real = os.path.realpath(folder)
    if real in walked:
        return
    walked.add(real)
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        yield folder  # looked at, it becomes a line in the report
        return
    for path in inside:
        if path.name.startswith("."):
            continue
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where nothing inside a folder may be looked at
            yield path
        elif path.is_symlink():
            if not _is_index(path):
                links.append(path)
        elif not _is_index(path):
            yield from _files_in(path, walked, links)


def _is_index(path: Path) -> bool:
    try:
        return (path / FILE_NAME).exists()
    except OSError:  # it cannot be entered
        return False


def may_be_transcript(path: Path) -> bool:
    """Say whether a file is worth opening, by its name: not a sidecar, a recording, an image, a README."""
    return not (_BESIDE.search(path.name) or _NOT_TEXT.search(path.name) or _ABOUT.match(path.name))


def look(path: Path, source: str, known: FileRow | None) -> FileRow:
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


def talks_under(path: Path) -> Iterator[tuple[Path, Talk | UnreadableError]]:
    """Read every transcript under a PATH for itself, without an index: its talk, or why there is none."""
    root = Root(path.absolute())
    for file in files_under(root):
        if not may_be_transcript(file):
            continue
        try:
            yield file, read_talk(file, root.source_of(file))
        except UnreadableError as error:
            yield file, error


def read_talk(path: Path, source: str, others: Iterable[About] = ()) -> Talk:
    """Read, restore and repair one file; `others` say what it leaves open (`load_talk`).

    Raises UnreadableError when it is no transcript or a reader fails on it.
    """
    data = read_file(path)
    with failing_on_one_file():
        return load_talk(path, source, data, others)


def read_about(path: Path, source: str) -> About:
    """Read what a file says about its talk beside its words. Raises UnreadableError as `read_talk` does."""
    data = read_file(path)
    with failing_on_one_file():
        return about_talk(path, source, data)


@contextmanager
def failing_on_one_file() -> Iterator[None]:
    """Turn a defect of a reader into a file that cannot be read: one file must never end a run over thousands."""
    try:
        yield
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise UnreadableError(
            f"A reader failed on it ({type(error).__name__}: {error}).",
            "That is a defect of talksearch; please report it.",
        ) from error


def read_file(path: Path) -> bytes:
    """Return a file's content. Raises UnreadableError when it cannot be read, or is too large to be a transcript."""
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise UnreadableError("This is a pipe or a device, not a file.")  # to open one could wait for ever
        if status.st_size > LARGEST_BYTES:
            raise UnreadableError(f"The file is larger than {LARGEST_BYTES // 1_000_000} MB.")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"The file cannot be read: {error.strerror}.") from error


def identity_of(row: FileRow) -> Identity | None:
    """Return what was found out about a file, None for what is no transcript."""
    return Identity(**json.loads(row.identity)) if row.identity else None


def merge_roots(known: Sequence[str], given: Sequence[Path]) -> tuple[list[Root], list[Root]]:
    """Return (all PATHs of the index, the PATHs to walk now).

    A PATH inside one that was indexed before stays part of that one, so that its files keep their names; a PATH around
    earlier ones takes their place.
    """
    walk = [as_root(path) for path in given]
    roots = [Root(Path(path)) for path in known]
    for root in walk:
        if not any(other.holds(root.path) for other in roots):
            roots = [other for other in roots if not root.holds(other.path)] + [root]
    return roots, walk


def root_of(roots: Sequence[Root], path: Path) -> Root:
    """Return the PATH of the index that a file belongs to."""
    return next(root for root in roots if root.holds(path))


def relocated(rows: Mapping[str, FileRow], roots: Sequence[Root]) -> dict[str, FileRow]:
    """Return the remembered files that still belong to a PATH of the index."""
    return {path: row for path, row in rows.items() if any(root.holds(Path(path)) for root in roots)}
