"""Which reader reads a format."""

from __future__ import annotations

from collections.abc import Callable

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Transcript

from . import plain_text as plain
from . import (
    sbv,
    scraped_record,
    sniff,
    srt,
    subtitles,
    table,
    timed_json,
    timed_text,
    ttml,
    vtt,
    whisper_json,
    whisper_tsv,
    youtube_json3,
    youtube_transcript_api,
    youtube_xml,
)
from .json_values import parse

_HINT = "Index the file again: talksearch index"

_READERS: dict[str, Callable[[str, str], Transcript]] = {
    "vtt": vtt.read,
    "srt": srt.read,
    "sbv": lambda text, _: sbv.read(text),
    "tsv": lambda text, _: whisper_tsv.read(text),
    "json3": lambda text, _: youtube_json3.read(parse(text.lstrip())),
    "srv3": lambda text, name: youtube_xml.read(text, name, "srv3"),
    "srv2": lambda text, name: youtube_xml.read(text, name, "srv2"),
    "srv1": lambda text, name: youtube_xml.read(text, name, "srv1"),
    "ttml": ttml.read,
    "ass": lambda text, name: subtitles.read(text, name, "ass"),
    "sami": lambda text, name: subtitles.read(text, name, "sami"),
    "microdvd": lambda text, name: subtitles.read(text, name, "microdvd"),
    "whisper-json": lambda text, _: whisper_json.read(parse(text.lstrip())),
    "ytapi": lambda text, _: youtube_transcript_api.read(parse(text.lstrip())),
    "json": lambda text, _: timed_json.read(parse(text.lstrip())),
    "table": lambda text, _: table.read(text),
    "timed-text": timed_text.read,
}


def reader_for(text: str, name: str) -> str:
    """Find out which reader a file needs. Raises UnreadableError when it is no transcript, with what it is instead."""
    form = sniff(text, name)
    if form in ("text", "markdown"):
        return "timed-text" if timed_text.matches(text) else "plain"
    return form


def read_with(reader: str, text: str, name: str, *, unfolding: bool = True) -> Transcript:
    """Read a decoded file with the reader that is named; no other is tried.

    With `unfolding` False flattened rolling captions are read as they stand. Raises UnreadableError where the reader
    finds no transcript.
    """
    if reader == "record":
        return scraped_record.read(text, unfolding=unfolding)
    if reader == "plain":
        return plain.read(text, name, unfolding=unfolding)
    if reader not in _READERS:
        raise UnreadableError(f"The receipt names a reader that nobody knows: {reader}.", _HINT)
    return _READERS[reader](text, name)
