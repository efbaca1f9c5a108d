"""Readers: one module a format, chosen by what a file holds; its name only breaks ties."""

from __future__ import annotations

import json
import re
from typing import Any

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Transcript

from . import (
    plain_text,
    sbv,
    scraped_record,
    srt,
    subtitles,
    table,
    timed_json,
    timed_text,
    ttml,
    vtt,
    whisper_json,
    whisper_tsv,
    xml_tree,
    youtube_json3,
    youtube_transcript_api,
    youtube_xml,
)
from .cue_blocks import TIME_LINE
from .decode import decode
from .json_values import parse

__all__ = ["FORMATS", "decode", "read", "sniff"]

FORMATS = (
    "vtt", "srt", "sbv", "json3", "srv3", "srv2", "srv1", "ttml", "ass", "sami", "microdvd", "whisper-json", "tsv",
    "ytapi", "json", "table", "record", "markdown", "text",
)  # fmt: skip

_TEXT_NAMES = (
    "txt",
    "text",
    "md",
    "markdown",
    "mdown",
    "rst",
    "transcript",
    "asc",
    "org",
    "utf8",
    "vtt",
    "srt",
    "sbv",
    "tsv",
    "lrc",
)
_CAPTION_NAMES = (
    "vtt", "srt", "sbv", "json3", "tsv", "srv1", "srv2", "srv3", "ttml", "dfxp", "ass", "ssa", "smi", "sami",
)  # fmt: skip
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|\?xml|tt[ >:]|transcript[ >]|timedtext|svg|rss|feed)", re.IGNORECASE)
_NOT_TALKS = re.compile(
    r"(?:requirements[\w.-]*|constraints[\w.-]*|cmakelists|robots|licen[sc]e[\w.-]*|copying[\w.-]*|sha\d*sums?|checksums?"
    r"|filelist|urls?|batch|archive|downloaded)\.(?:txt|md)",
    re.IGNORECASE,
)


def sniff(text: str, name: str) -> str:
    """Tell which of `FORMATS` a decoded file is.

    Args:
        text: the file as `decode` returns it.
        name: its name; it decides between formats only where the content fits both.

    Raises:
        UnreadableError: it is no transcript, with what it is instead.
    """
    return _sniff(text, name)[0]


def read(text: str, name: str) -> Transcript:
    """Read a decoded file into what it says, nothing cleaned yet.

    Raises:
        UnreadableError: it is no transcript, or one without a cue that can be used.
    """
    form, data = _sniff(text, name)
    if form == "json3":
        return youtube_json3.read(data)
    if form == "whisper-json":
        return whisper_json.read(data)
    if form == "ytapi":
        return youtube_transcript_api.read(data)
    if form == "json":
        return timed_json.read(data)
    if form == "vtt":
        return vtt.read(text, name)
    if form == "srt":
        return srt.read(text, name)
    if form == "sbv":
        return sbv.read(text)
    if form in ("srv1", "srv2", "srv3"):
        return youtube_xml.read(text, name, form)
    if form == "ttml":
        return ttml.read(text, name)
    if form in ("ass", "sami", "microdvd"):
        return subtitles.read(text, name, form)
    if form == "tsv":
        return whisper_tsv.read(text)
    if form == "table":
        return table.read(text)
    if form == "record":
        return scraped_record.read(text)
    if timed_text.matches(text):
        return timed_text.read(text, name)
    return plain_text.read(text, name)


def _sniff(text: str, name: str) -> tuple[str, Any]:
    """The format, and the parsed value where it is JSON."""
    ending = name.lower().rpartition(".")[2] if "." in name else ""
    head = text.lstrip()
    if not head:
        raise UnreadableError("The file is empty.", "Nothing to index.")
    told = _sniff_by_beginning(head)
    if told:
        return told, None
    if head[0] in "{[":
        found = _sniff_json(head, name, ending)
        if found:
            return found
    if not _is_whispers(head) and table.matches(text):
        return "table", None
    if scraped_record.matches(text):
        return "record", None
    times = TIME_LINE.search(text)
    if head.startswith("WEBVTT"):
        if times:
            return "vtt", None
        if (
            len(
                re.sub(r"WEBVTT|(?:Kind|Language):[ \t]*\S*|^NOTE.*(?:\n.+)*|-->", "", head, flags=re.MULTILINE).split()
            )
            < 3
        ):
            raise UnreadableError(
                "The WebVTT file has no cues.", "The recording may have no captions in this language."
            )
        return "text", None
    if times:
        return _subtitles(text, ending), None
    if sbv.TIME_LINE.search(text):
        return "sbv", None
    if whisper_tsv.HEADER.match(head) or _is_whispers(head):
        return "tsv", None
    if _MARKUP.match(head):
        raise UnreadableError(
            "This is HTML or XML, not a transcript; of XML, TTML and YouTube's srv1, srv2 and srv3 are read.",
            "Export the captions as VTT or SRT.",
        )
    if ending in _CAPTION_NAMES and not timed_text.matches(text):
        raise UnreadableError(f"The .{ending} file has no cues.", "No line in it holds the times of a cue.")
    return _sniff_text(text, name, ending), None


def _sniff_by_beginning(head: str) -> str | None:
    """Tell the captions in XML and the subtitles of players, which say at once what they are."""
    found = subtitles.format_of(head)
    if found == "microdvd":
        subtitles.rate_of(head)  # without it there are no times
    if found or head[0] != "<":
        return found
    root = xml_tree.root_of(head)
    return "ttml" if root == "tt" else youtube_xml.format_of(head, root)


def _is_whispers(head: str) -> bool:
    """Whether it is Whisper's own table, in whole milliseconds."""
    header = whisper_tsv.HEADER.match(head)
    first = whisper_tsv.ROW.match(head, header.end()) if header else whisper_tsv.ROW.match(head)
    return first is not None and (header is not None or len(whisper_tsv.ROW.findall(head)) * 2 > head.count("\n"))


def _subtitles(text: str, ending: str) -> str:
    """WebVTT without its header, or SubRip: the decimal sign tells, and where it is missing the name."""
    match = TIME_LINE.search(text)
    first = match[0] if match else ""
    if "," in first:
        return "srt"
    return "vtt" if ending == "vtt" else "srt" if ending == "srt" or re.search(r"^\d+$", text, re.MULTILINE) else "vtt"


def _sniff_json(head: str, name: str, ending: str) -> tuple[str, Any] | None:
    looks_like_json = ending.startswith("json") or ending.endswith("json") or head[0] == "{"
    if not looks_like_json and not re.match(r"\[\s*[\[{\"\]]", head):
        return None
    try:
        data = parse(head)
    except UnreadableError:
        if _is_json_lines(head):
            raise UnreadableError("This is a list of JSON objects, one a line, not a transcript.", "") from None
        if ending.startswith("json") or re.match(r"[\[{]\s*[\[{\"]", head):
            raise
        return None
    lines = isinstance(data, list) and head[0] == "{"
    if lines and _of_several_talks(data):
        raise UnreadableError("The lines of this file belong to several talks.", "Write one file for each talk.")
    if youtube_json3.matches(data):
        return "json3", data
    if youtube_transcript_api.matches(data) and not whisper_json.matches(data):
        return "ytapi", data
    # OpenAI's answers with times of words have an empty list of segments.
    segments = not isinstance(data, dict) or data.get("segments") or data.get("transcription")
    if whisper_json.matches(data) and (segments or not timed_json.matches(data)):
        return "whisper-json", data
    if timed_json.matches(data):
        return "json", data
    if lines:
        raise UnreadableError("This is a list of JSON objects, one a line, not a transcript.", "")
    base = name.lower().rpartition("/")[2]
    if isinstance(data, dict) and (f".{base}".endswith(".info.json") or {"extractor", "formats"} & data.keys()):
        raise UnreadableError("This is metadata that belongs to a transcript (.info.json), not a transcript.", "")
    if youtube_transcript_api.holds_several(data):
        raise UnreadableError("This JSON holds several talks.", "Write one file for each talk.")
    raise UnreadableError(
        "This JSON is of no kind of transcript that talksearch knows: it has no list of segments or words with times.",
        "Known: json3, Whisper, youtube-transcript-api, podcast transcripts, and what recognition services give.",
    )


def _of_several_talks(entries: list[Any]) -> bool:
    """Whether JSON lines are hits or records of several talks, not the segments of one."""
    keys = ("talk", "talk_id", "video_id", "youtube_id", "episode", "source", "file", "query", "rank")
    return any(len({str(entry[key]) for entry in entries if key in entry}) > 1 for key in keys)


def _is_json_lines(head: str) -> bool:
    first = head.split("\n", 1)[0]
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def _sniff_text(text: str, name: str, ending: str) -> str:
    markdown = ending in ("md", "markdown", "mdown")
    if ending == "docx":
        if timed_text.matches(text):
            return "text"
        raise UnreadableError(  # folders of talks hold programmes and abstracts as well
            "A .docx file without times is not taken for a transcript.", "If it is one, save it as plain text."
        )
    if ending and ending not in _TEXT_NAMES and not (len(ending) > 5 or not ending.isalnum() or ending.isdigit()):
        raise UnreadableError(
            f"A .{ending} file without cues is not a transcript.",
            "Known by their times: VTT, SRT, SBV, JSON, TSV, TTML, ASS, SAMI.",
        )
    if timed_text.matches(text):
        return "markdown" if markdown else "text"
    base = name.rpartition("/")[2]
    if "." not in base or base.startswith(".") or _NOT_TALKS.fullmatch(base):
        raise UnreadableError(
            "The file holds no times and its name is not that of a transcript.", "Name it .txt to index it."
        )
    return "markdown" if markdown else "text"
