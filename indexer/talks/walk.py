"""Walking folders: every file under the PATHs given."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.stores.catalog import FileRow

from .folders import offloaded
from .playlist import is_segment

_NOT_TEXT = re.compile(
    r"\.(3gp|7z|aac|aiff|avi|avif|bat|bin|bmp|bz2|class|cmd|db|desktop|dll|dmg|doc|dylib|eot|epub|exe|flac|flv|gif|gz"
    r"|heic|hta|ico|iso|jar|jpe?g|jse?|lnk|m4[av]|mkv|mov|mp[34]|mpe?g|msi|od[pst]|og[agv]|opus|otf|part|pdf|pif|png"
    r"|pptx?|ps1|py[cdo]|rar|reg|scr|so|sqlite3?|svg|tar|tgz|tiff?|ttf|vb[es]|wasm|wav|web[mp]|wm[av]|woff2?|ws[fh]"
    r"|xlsx?|xz|zip|zst)$|:Zone\.Identifier$",
    re.IGNORECASE,
)
"""Files that no reader needs to open, or that a system would run when a hit is opened. Everything else is judged by its
content."""
_ABOUT = re.compile(
    r"(readme|licen[cs]e|copying|changelog|contributing|authors|notice)(\.(md|markdown|rst|txt))?$", re.IGNORECASE
)
"""What a folder says about itself."""
_BESIDE = re.compile(
    r"\.(info\.json|description|nfo|annotations\.xml|ffmetadata|cue|psc"
    r"|chapters\.(vtt|webvtt|srt|txt|json|xml|ffmetadata|cue|psc))$",
    re.IGNORECASE,
)
"""What lies beside a recording and is not said in it: what yt-dlp and others write, and tracks of chapters."""
_SUBSCRIPTIONS = re.compile(r"subscriptions\.toml(\.new)?$")
"""What `sync` asks again, as `talksearch.indexer.fetch` writes it."""


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
        return layout.is_index(path)
    except OSError:  # it cannot be entered
        return False


def may_be_transcript(path: Path) -> bool:
    """Say whether a file is worth opening, by its name: not a sidecar, a recording, an image, a README, a stub.

    A segment of captions is not either, where a playlist names it: the playlist speaks for all of them.
    """
    name = path.name
    return not (
        _BESIDE.search(name)
        or _NOT_TEXT.search(name)
        or _ABOUT.match(name)
        or _SUBSCRIPTIONS.match(name)
        or offloaded(name)
        or is_segment(path)
    )


def is_worth_fetching(place: str) -> bool:
    """Say whether a file of another machine is to be copied, by its name: a transcript, or what describes one."""
    name = place.rpartition("/")[2]
    return not (_NOT_TEXT.search(name) or _ABOUT.match(name) or _SUBSCRIPTIONS.match(name) or offloaded(name))


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
