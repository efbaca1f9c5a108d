"""Files that describe talks and are none: feeds, exports of platforms, backups. Which they are, and what they say.

Such a file speaks for many transcripts, so it is parsed once. A transcript belongs to the talk whose id, or whose
recording's name, stands in its own name; else to the one talk that is called as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers.decode import decode
from talksearch.indexer.readers.xml_tree import parse
from talksearch.indexer.text import youtube

from . import feeds, kaltura, panopto, tubearchivist
from .chapter_files import holds_one_talk
from .entry import MetadataEntry
from .folders import Listing, fold, listing
from .recordings import same_talk
from .track_names import is_named_after_folder, track_name, without_ending

_ENDINGS = ("json", "xml", "rss", "atom", "csv")
_MOST = 20
"""Files of one ending in a folder. Where there are more they are transcripts, and are not looked into for this."""
_HEAD_BYTES = 65_536
_LARGEST_BYTES = 64_000_000
_LARGEST_XML_BYTES = 16_000_000
_SHORTEST_TITLE = 4
"""Letters and digits of a title by which a transcript is found."""
_OF_ITS_FOLDER = re.compile(
    r"(?:session|entry|media|video|talk)?[ _-]?(?:meta[ _-]?data|info|delivery[ _-]?info)", re.I
)
"""How files are called that describe the one talk in their folder."""
_SAID = re.compile(r"caption(?!assets)|transcript|segment|utterance|cues|words|subtitle|sentence", re.IGNORECASE)
"""What lists of things that are said are called in JSON."""
_DAY_BEFORE = re.compile(r"^\d{4}-?\d\d-?\d\d[ _-]+")
"""What programs that fetch podcasts put before the title in the name of a file, to have them in order."""
_OF_KALTURA = r"Kaltura(?!CaptionAssetItem)\w*(?:Entry|CaptionAsset|CuePoint|Annotation|ListResponse)"
"""Kinds of objects that describe; the items of a caption asset are what is said."""


def _json_entries(read: Callable[[object], Iterator[MetadataEntry]]) -> Callable[[str], Iterable[MetadataEntry]]:
    return lambda text: read(json.loads(text))


def _no_entries(_: str) -> Iterable[MetadataEntry]:
    return ()


def _xml_entries(text: str) -> Iterable[MetadataEntry]:
    root = parse(text)[0] if len(text) <= _LARGEST_XML_BYTES else None
    if root is None:
        return ()
    if root.name == "channel":
        return feeds.entries_of_castget(root)
    return feeds.entries_in(root) if root.name in ("rss", "RDF", "feed") else kaltura.entries_in_xml(root)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file that describes talks."""

    what: str
    """How a sentence calls it."""
    head: re.Pattern[str]
    """What its beginning holds, and that of no transcript."""
    entries: Callable[[str], Iterable[MetadataEntry]]
    is_json: bool = False
    """It is one value in JSON, and not lines of them."""


_KINDS = (
    _Kind(
        "a feed",
        re.compile(r"\s*(?:<\?[^<>]*>\s*|<!--(?:(?!-->).)*-->\s*)*<(?:rss|rdf:RDF|feed)[\s>]", re.S),
        _xml_entries,
    ),
    _Kind(
        "castget's list of what it fetched",
        re.compile(r"\s*(?:<\?[^<>]*>\s*)*<channel\s[^<>]*\b(?:rsslastfetched|version)=\"[^<>]*>\s*<(?:enclosure|/ch)"),
        _xml_entries,
    ),
    _Kind("a list of subscriptions", re.compile(r"\s*(?:<\?[^<>]*>\s*)*<opml[\s>]"), _no_entries),
    _Kind(
        "a backup of TubeArchivist's index",
        re.compile(r'\s*\{"(?:index|create)": *\{"_index": *"ta_'),
        tubearchivist.entries_in_backup,
    ),
    _Kind("an export of Kaltura", re.compile(rf"\s*<.{{0,1000}}<objectType>{_OF_KALTURA}<", re.S), _xml_entries),
    _Kind(
        "an export of Kaltura",
        re.compile(rf"\s*[\[{{].*\"objectType\"\s*:\s*\"{_OF_KALTURA}\"", re.S),
        _json_entries(kaltura.entries_in),
        is_json=True,
    ),
    _Kind(
        "an export of Kaltura",
        re.compile(
            r"(?![^\n]*\b(?:text|captions?|transcript|start)\b)"
            r"\ufeff?\"?entry[ _]?id\"?,(?:[^\n]*,)?\"?entry[ _]?name\"?(?:,|\s)",
            re.I,
        ),
        kaltura.entries_in_table,
    ),
    _Kind(
        "what Panopto says of a session",
        re.compile(r"\s*[\[{](?=.*\"(?:SessionName|ViewerUrl)\"\s*:).*\"Duration\"\s*:", re.S),
        _json_entries(panopto.entries_in),
        is_json=True,
    ),
    _Kind(
        "what Panopto says of a folder or of who may see it",
        re.compile(
            r"\s*\{\s*(?=.*\"(?:IsInherited|FolderUrl)\"\s*:)(?=.*\"(?:Level|Principal|ParentFolder)\"\s*:)", re.S
        ),
        _no_entries,
        is_json=True,
    ),
)


def what_it_is(text: str) -> str | None:
    """Say what a file is that describes talks; None for any other, and for transcripts.

    >>> what_it_is('<?xml version="1.0"?><rss version="2.0"><channel/></rss>'), what_it_is("WEBVTT")
    ('a feed', None)
    """
    kind = _kind_of(text[:_HEAD_BYTES])
    return kind.what if kind and not (kind.is_json and _holds_more(kind, text)) else None


def _holds_more(kind: _Kind, text: str) -> bool:
    """Say whether JSON is more than what describes a talk: somebody may have put what is said into one file with it."""
    try:
        value = json.loads(text)
        described = kind.entries is _no_entries or any(True for _ in kind.entries(text))
    except (ValueError, RecursionError):
        return True
    keys = [key for key, inner in value.items() if isinstance(inner, list)] if isinstance(value, dict) else []
    return not described or any(_SAID.search(key) for key in keys)


def find_entries(path: Path) -> tuple[MetadataEntry, ...]:
    """Find what the files beside a transcript say of its talk, those of its own name first. Never raises."""
    found = []
    for file in catalogues(path):
        entry = _entry_for(path, file)
        if entry is not None:
            found.append(entry)
    return tuple(found)


def catalogues(path: Path) -> list[Path]:
    """Return the files beside a transcript that describe talks; a backup of TubeArchivist may lie one folder above."""
    names = (name for name in _candidates(listing(path.parent)) if name != path.name)
    files = [path.with_name(name) for name in names]
    if tubearchivist.is_folder_of_channel(path.parent):
        above = path.parent.parent
        files += [above / name for name in listing(above).names if tubearchivist.BACKUP.match(name)]
    return [file for file in files if _is_catalogue(file)]


@lru_cache(maxsize=32)
def _candidates(folder: Listing) -> tuple[str, ...]:
    """Return the names in a folder that may be those of files that describe talks."""
    by_ending: dict[str, list[str]] = {}
    for name in folder.names:
        head, _, ending = name.lower().rpartition(".")
        if ending in _ENDINGS and not head.endswith((".info", ".live_chat", ".chapters")):
            by_ending.setdefault(ending, []).append(name)
    few = [name for names in by_ending.values() if len(names) <= _MOST for name in names]
    known = (name for names in by_ending.values() if len(names) > _MOST for name in names if _is_known(name))
    return (*few, *known)


def _is_known(name: str) -> bool:
    return bool(tubearchivist.BACKUP.match(name) or _OF_ITS_FOLDER.fullmatch(name.rpartition(".")[0]))


def _is_catalogue(path: Path) -> bool:
    try:
        stat = path.stat()
    except OSError:
        return False
    return 0 < stat.st_size <= _LARGEST_BYTES and _sniff(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _sniff(path: Path, _mtime_ns: int, _size: int) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return _kind_of(head.decode("utf-8-sig", errors="replace")) is not None


def _kind_of(head: str) -> _Kind | None:
    if head.lstrip()[:1] not in ("<", "{", "[") and not head[:200].lower().lstrip('\ufeff"').startswith("entry"):
        return None
    return next((kind for kind in _KINDS if kind.head.match(head)), None)


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """What a file says, by what a transcript is found by."""

    entries: tuple[MetadataEntry, ...]
    by_name: dict[str, MetadataEntry]
    by_title: dict[str, MetadataEntry | None]
    """None where several talks are called so."""


def _read(path: Path) -> _Catalogue:
    try:
        stat = path.stat()
    except OSError:
        return _catalogue(())
    return _parsed(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _parsed(path: Path, _mtime_ns: int, _size: int) -> _Catalogue:
    try:
        text, _, _ = decode(path.read_bytes())
        kind = _kind_of(text[:_HEAD_BYTES])
        return _catalogue(kaltura.joined(kind.entries(text)) if kind else ())
    except (OSError, UnreadableError, ValueError, RecursionError):
        return _catalogue(())


def _catalogue(entries: Iterable[MetadataEntry]) -> _Catalogue:
    known = tuple(entries)
    by_title: dict[str, MetadataEntry | None] = {}
    for entry in known:
        title = entry.info.get("title")
        if isinstance(title, str) and len(plain := _plain(title)) >= _SHORTEST_TITLE:
            by_title[plain] = None if plain in by_title else entry
    by_name = {fold(name): entry for entry in reversed(known) for name in entry.names}
    return _Catalogue(known, by_name, by_title)


def _entry_for(path: Path, file: Path) -> MetadataEntry | None:
    catalogue = _read(file)
    if not catalogue.entries:
        return None
    names = _names_of(path)
    for name in names:
        if fold(name) in catalogue.by_name:
            return catalogue.by_name[fold(name)]
    for title in (*names[:2], _DAY_BEFORE.sub("", names[0])):
        if (entry := catalogue.by_title.get(_plain(title))) is not None:
            return entry
    if len(catalogue.entries) > 1:
        return None
    stem = file.name.rpartition(".")[0]
    is_own = fold(stem) in map(fold, names) or (
        _OF_ITS_FOLDER.fullmatch(stem) and (is_named_after_folder(path) or holds_one_talk(listing(path.parent)))
    )
    return catalogue.entries[0] if is_own else None


def _names_of(path: Path) -> list[str]:
    """Return what a transcript may be found by: its name without tags, that of its talk, and the ids in it."""
    stem = track_name(path).stem
    whole = without_ending(path.name)
    ids = [*kaltura.ID.findall(whole), *(id_.lower() for id_ in panopto.ID.findall(whole))]
    video = youtube.id_from_name(stem) or tubearchivist.id_of(path.parent, stem)
    return list(dict.fromkeys((stem, same_talk(stem), whole, *ids, *([video] if video else []))))


def _plain(title: str) -> str:
    """Return the letters and digits of a title: names of files lack its other signs."""
    return "".join(filter(str.isalnum, fold(title)))
