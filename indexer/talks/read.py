"""Reading one file to a talk, so that whatever fails is said of that file alone."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from talksearch.indexer.errors import OutOfReachError, UnreadableError
from talksearch.indexer.records import Talk

from .load import TalkMetadata, load_talk, read_metadata
from .opened_file import OpenedFile, open_file
from .playlist import is_playlist, joined
from .unspoken import refuse_by_name
from .walk import Root, files_under, may_be_transcript

LARGEST_BYTES, LARGEST_JSON_BYTES = 10_000_000, 25_000_000
"""A transcript of a whole day is 5 MB. In JSON a recording of five hours with the times of all letters has 25, of which
each takes less memory: 10 bytes for each byte, where other captions take 20 to 80. So much fits 2 GB."""
MOST_PIECES = 2_000_000
"""Words and lines of a file, in JSON values. A day has 200,000 words, and each takes up to a kilobyte."""
_LONG = 2 * MOST_PIECES
"""Bytes from which on a file may have more."""
_JSON_ENDINGS = (".json", ".json3", ".jsonl")
_SHORTER = "Where it holds several talks, write one file for each."
_SHORTER_JSON = f"{_SHORTER} Where it has a time for each letter, write it without them."


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


def read_talk(path: str | Path, source: str | None = None) -> Talk:
    """Read, restore and repair one transcript, without an index.

    Args:
        path: the file. Its name and what lies beside it (`.info.json`, a recording) are looked at.
        source: what the talk calls it; by default its name. An id that is not YouTube's is made of this.

    Raises:
        UnreadableError: it is no transcript, or a reader fails on it.
    """
    path = Path(path)
    return talk_of(open_transcript(path), path.name if source is None else source)


def open_transcript(path: Path) -> OpenedFile:
    """Decode a file and recognise its format. Raises UnreadableError as `read_talk` does."""
    data = read_file(path)
    with failing_on_one_file():
        return open_file(path, data)


def talk_of(opened: OpenedFile, source: str, others: Iterable[TalkMetadata] = ()) -> Talk:
    """Read, restore and repair a file; `others` say what it leaves open (`load_talk`). Raises as `read_talk` does."""
    with failing_on_one_file():
        return load_talk(opened, source, others)


def metadata_of(opened: OpenedFile, source: str) -> TalkMetadata:
    """Read what a file says about its talk beside its words. Raises UnreadableError as `read_talk` does."""
    with failing_on_one_file():
        return read_metadata(opened, source)


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
    """Return a file's content; a playlist's is the text of the captions that it names.

    Raises:
        OutOfReachError: it cannot be read now.
        UnspokenError: its name says that nobody said what it holds.
        UnreadableError: it is too large or has too many words to be a transcript, or names segments that are not there.
    """
    refuse_by_name(path)
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise UnreadableError("This is a pipe or a device, not a file.")  # to open one could wait for ever
        is_json = path.suffix.lower() in _JSON_ENDINGS
        largest = LARGEST_JSON_BYTES if is_json else LARGEST_BYTES
        if status.st_size > largest:
            raise UnreadableError(
                f"The file has {status.st_size / 1e6:,.0f} MB; a transcript has at most {largest // 1_000_000}.",
                _SHORTER_JSON if is_json else _SHORTER,
            )
        data = joined(path) if is_playlist(path) else path.read_bytes()
    except OSError as error:
        raise OutOfReachError(f"The file cannot be read: {error.strerror}.") from error
    pieces = sum(map(data.count, (b",",) if is_json else (b" ", b"\n", b"\r"))) if len(data) > _LONG else 0
    if pieces > MOST_PIECES:
        raise UnreadableError(
            f"The file has {pieces:,} {'values' if is_json else 'words and lines'}; a transcript has at most "
            f"{MOST_PIECES:,}.",
            _SHORTER_JSON if is_json else _SHORTER,
        )
    return data
