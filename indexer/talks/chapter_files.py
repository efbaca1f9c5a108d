"""Chapters in a file of their own beside a transcript, in the ways of many programs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers.bounds import bounded
from talksearch.indexer.readers.decode import decode
from talksearch.indexer.readers.xml_tree import Node, parse
from talksearch.indexer.records import Chapter, Json
from talksearch.indexer.text.clock import clock_ms

from .folders import Listing, fold, listing, never_ends
from .language_tags import is_language, is_word
from .track_names import is_named_after_folder, split_among, track_name, without_ending

_ENDINGS = ("vtt", "webvtt", "srt", "txt", "json", "xml", "ffmetadata", "cue", "psc")
_LANGUAGE = r"(?:[._-](?P<tag>[a-z]{2,3}(?:[-_][a-z]{2,4})?))?"
_NAMED = re.compile(
    rf"^(?P<stem>.+?)[._-]chapters?{_LANGUAGE}\.(?:{'|'.join(_ENDINGS)})$|^(?P<whole>.+)\.(?:ffmetadata|cue|psc)$",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"^chapters?{_LANGUAGE}\.(?:{'|'.join(_ENDINGS)})$", re.IGNORECASE)
_CAPTIONS = re.compile(r"\.(?:vtt|webvtt|srt|sbv|ttml|json3|srv[123]|ass)$", re.IGNORECASE)
_LARGEST_BYTES = 2_000_000
_LONGEST_MS = 100 * 3_600_000
_MOST_DIGITS = 18
"""Of a start, in whichever unit; Python refuses to read numbers of thousands."""
_CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{2}(?:[.,:]\d{1,9})?"
_ARROW = re.compile(rf"^[ \t]*({_CLOCK})[ \t]*-->.*\n((?:[^\n]*\S[^\n]*\n?)+)", re.MULTILINE)
_TAG = re.compile(r"<[^<>]*>")
_OGM = re.compile(rf"^CHAPTER(\d+)=({_CLOCK})\s*\nCHAPTER\1NAME=(.*)$", re.MULTILINE | re.IGNORECASE)
_LABEL = re.compile(r"^(\d{1,9}(?:[.,]\d{1,9})?)\t\d{1,9}(?:[.,]\d{1,9})?\t(.*\S)", re.MULTILINE)
_ROW = re.compile(rf"^[\W_]{{0,3}}({_CLOCK})[)\]]?[ \t,;|.–—-]*(\S.*?)[ \t]*$", re.MULTILINE)
_FFMETADATA = re.compile(r"^\[CHAPTER\](.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_CUE_SHEET_LINE = re.compile(
    r"^[ \t]*(?:TITLE \"(.*)\"[ \t]*$|(TRACK)\b|INDEX 01 (\d{1,6}):(\d\d):(\d\d))", re.MULTILINE
)
"""A line of a cue sheet that tells of a track: its title, its number before that, its beginning behind it."""
_TITLE_KEYS = ("title", "name", "label", "text", "headline", "gist")
_SECONDS_KEYS = ("startTime", "start_time", "start", "time", "from", "offset", "startSeconds", "seconds")
_MILLISECONDS_KEYS = ("startOffsetMs", "start_ms", "startMs", "startTimeMs", "start_offset_ms")


def is_chapter_file(name: str) -> bool:
    """Say whether a file is called what files of chapters are called: `talk.chapters.json`, `chapters.vtt`."""
    return _talk_named(name) is not None or _names_no_talk(name)


def find_chapters(path: Path) -> Path | None:
    """Find the chapters beside a transcript: `talk.chapters.vtt`, or `chapters.vtt` where its folder is its own.

    The folder is its own where the file's name says no more than what kind of file it is, or where all captions in it
    are tracks of one talk.
    """
    folder = listing(path.parent)
    named, alone = _among(folder)
    # `talk.de.chapters.vtt` are those of `talk.de.vtt`, and of any other track that has none of its own.
    stems = (fold(without_ending(path.name)), fold(track_name(path).stem))
    by_name = next((named[stem] for stem in stems if stem in named), None)
    found = by_name or (alone if alone and (holds_one_talk(folder) or is_named_after_folder(path)) else None)
    return path.with_name(found) if found and found != path.name else None


def read_chapters(path: Path) -> tuple[Chapter, ...]:
    """Read a file of chapters, in order; none where it holds none that can be read. Never raises.

    Read are WebVTT and SubRip, rows of a time and a title as for YouTube and mp4chaps, the chapters of podcasts
    (github.com/Podcastindex-org/podcast-namespace), Podlove Simple Chapters, Matroska's XML, FFmpeg's metadata, OGM,
    Audacity's labels, and cue sheets.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES or never_ends(path):
            return ()
        chapters = _chapters(bounded(decode(path.read_bytes())[0]).text)
    except (OSError, UnreadableError):
        return ()
    found = [Chapter(start, " ".join(title.split())) for start, title in chapters if title.strip()]
    return tuple(sorted((one for one in found if 0 <= one.start_ms < _LONGEST_MS), key=lambda one: one.start_ms))


def _chapters(text: str) -> list[tuple[int, str]]:
    stripped = text.lstrip()
    if stripped[:1] in ("{", "["):
        try:
            found = list(_in_json(json.loads(text)))
        except (ValueError, RecursionError):
            found = []
        if found:
            return found
    if stripped[:1] == "<":
        node, _ = parse(text)
        return list(_in_xml(node)) if node else []
    if arrows := _ARROW.findall(f"{text}\n"):
        return [(_clock(start), html.unescape(_TAG.sub("", title))) for start, title in arrows]
    if pieces := _FFMETADATA.findall(text):
        return [one for piece in pieces if (one := _in_ffmetadata(piece))]
    if ogm := _OGM.findall(text):
        return [(_clock(start), title) for _, start, title in ogm]
    if tracks := list(_cue_sheet_tracks(text)):
        return tracks
    if labels := _LABEL.findall(text):
        return [(round(float(start.replace(",", ".")) * 1000), title) for start, title in labels]
    return [(_clock(start), title) for start, title in _ROW.findall(text)]


def _cue_sheet_tracks(text: str) -> Iterator[tuple[int, str]]:
    """Yield when each track of a cue sheet begins, in milliseconds, and its title; there are 75 frames in a second."""
    title = ""
    for line in _CUE_SHEET_LINE.finditer(text):
        if line[1] or line[2]:
            title = line[1] or ""
        elif line[3] and title:
            yield (int(line[3]) * 60 + int(line[4])) * 1000 + int(line[5]) * 1000 // 75, title
            title = ""


def _in_json(value: Json) -> Iterator[tuple[int, str]]:
    """Yield the chapters of a list of objects that have a title and a start, the first such list in a value."""
    if isinstance(value, dict):
        lists = [value["chapters"]] if "chapters" in value else value.values()
        for inner in lists:
            if found := list(_in_json(inner)):
                yield from found
                return
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict) and (chapter := _json_chapter(entry)):
                yield chapter


def _json_chapter(entry: dict[str, Json]) -> tuple[int, str] | None:
    tags = entry.get("tags")
    titled = {**(tags if isinstance(tags, dict) else {}), **entry}
    title = next((titled[key] for key in _TITLE_KEYS if isinstance(titled.get(key), str)), None)
    for keys, unit in ((_MILLISECONDS_KEYS, 1), (_SECONDS_KEYS, 1000)):
        for key in keys:
            start = _number(entry.get(key), unit)
            if start is not None and title:
                return start, title
    return None


def _number(value: Json, unit: int) -> int | None:
    if isinstance(value, str):
        if re.fullmatch(_CLOCK, value.strip()):
            return _clock(value.strip())
        value = float(value) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        return None
    return round(value * unit)


def _in_xml(root: Node) -> Iterator[tuple[int, str]]:
    for node in _all(root):
        if node.name == "chapter" and re.fullmatch(_CLOCK, node.attributes.get("start", "")):
            yield _clock(node.attributes["start"]), node.attributes.get("title", "")
        elif node.name == "ChapterAtom":
            inside = {inner.name: inner for inner in _all(node)}
            start, title = (_said(inside.get(name)) for name in ("ChapterTimeStart", "ChapterString"))
            if re.fullmatch(_CLOCK, start):
                yield _clock(start), title


def _all(node: Node) -> Iterator[Node]:
    yield node
    for inner in node.nodes():
        yield from _all(inner)


def _said(node: Node | None) -> str:
    return "".join(part for part in node.parts if isinstance(part, str)).strip() if node else ""


def _in_ffmetadata(piece: str) -> tuple[int, str] | None:
    keys = {key.lower(): value for key, value in re.findall(r"^(\w+)=(.*)$", piece, re.MULTILINE)}
    base = re.fullmatch(r"(\d{1,18})/(\d{1,18})", keys.get("timebase", "1/1000000000").strip())
    start = keys.get("start", "").strip()
    if not base or not start.isdecimal() or len(start) > _MOST_DIGITS or int(base[2]) == 0:
        return None
    return int(start) * 1000 * int(base[1]) // int(base[2]), re.sub(r"\\(.)", r"\1", keys.get("title", ""))


def _clock(text: str) -> int:
    """Return the milliseconds of `M:SS`, `H:MM:SS.mmm` or `H:MM:SS:mmm`."""
    whole, *behind = text.split(":") if text.count(":") < 3 else [text]
    if not behind:
        head, _, fraction = text.rpartition(":")
        return clock_ms(f"{head}.{fraction}")
    return clock_ms(":".join((whole, *behind)))


def _talk_named(name: str) -> str | None:
    """Return the name of the talk in the name of its chapters, None where it is no such name."""
    match = _NAMED.match(name)
    if not match or not _may_be_tag(match["tag"]):
        return None
    return match["stem"] or match["whole"]


def _names_no_talk(name: str) -> bool:
    match = _ALONE.match(name)
    return match is not None and _may_be_tag(match["tag"])


def _may_be_tag(tag: str | None) -> bool:
    """Say whether what stands behind `chapters` is a language: `chapters_of.vtt` is a talk."""
    return tag is None or (is_language(tag) and not is_word(tag))


@lru_cache(maxsize=16)
def holds_one_talk(folder: Listing) -> bool:
    """Say whether all captions in a folder are tracks of one talk."""
    captions = [name for name in folder.names if _CAPTIONS.search(name) and not is_chapter_file(name)]
    return len({fold(split_among(name, folder).stem) for name in captions}) == 1


@lru_cache(maxsize=16)
def _among(folder: Listing) -> tuple[dict[str, str], str | None]:
    """Return the files of chapters in a folder by the stem of their talk, and the one that names none."""
    named: dict[str, str] = {}
    for name in folder.names:
        if talk := _talk_named(name):
            named[fold(talk)] = name
    for name in list(named.values()):
        named.setdefault(fold(split_among(f"{_talk_named(name)}.vtt", folder).stem), name)
    alone = next((name for name in folder.names if _names_no_talk(name)), None)
    return named, alone
