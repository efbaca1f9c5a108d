"""Every format of transcripts, as one value each in one list, and the questions that everybody puts to that list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Origin, Transcript

from . import (
    html_transcript,
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
    youtube_json3,
    youtube_transcript_api,
    youtube_xml,
)
from .caption_tracks import origin_by_cues, origin_by_name
from .file_words import FileWords, in_json, in_lines, in_substation, in_table, in_xml
from .json_source import is_json
from .refusals import json_refusal, text_refusal
from .source_text import SourceText
from .text_files import MARKDOWN_ENDINGS
from .word_counts import words_between_tags, words_in_json, words_in_lines

LAST = 9
"""The priority of what speaks for a talk only where nothing else is there."""


def _unknown(_: SourceText) -> Origin:
    return "unknown"


def _automatic(_: SourceText) -> Origin:
    return "automatic"


def _yes(_: SourceText) -> bool:
    return True


def _no(_: SourceText) -> bool:
    return False


def _nowhere(_: SourceText) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of transcripts: how a file of it is recognised and read, and what may be told without reading it."""

    name: str
    """As an index and its commands call it. It is stored, so it must not change."""
    matches: Callable[[SourceText], bool]
    """Says whether a file has this format; raises UnreadableError where it has, and cannot be read all the same."""
    read: Callable[[SourceText], Transcript]
    """Reads a file into what it says, nothing cleaned yet; raises UnreadableError where there is no transcript."""
    reader: str = ""
    """What receipts call the reader, where that is not `name`: it is stored as well, and tells how to read it again."""
    read_header: Callable[[SourceText], Transcript] | None = None
    """Reads what a file says about its talk, where that is much cheaper than `read`; its cues are not looked at."""
    priority: int = LAST
    """Of the files of a talk that are equal otherwise the lowest speaks: formats with the times of words and with names
    come before those that lost them."""
    is_json: bool = False
    """Its files are JSON: `matches` is asked of no others, and letters of what is said may be escaped."""
    origin: Callable[[SourceText], Origin] = _unknown
    """Tells who wrote the words, as far as that shows without reading the file."""
    is_timed: Callable[[SourceText], bool] = _yes
    """Tells whether its times mean anything."""
    count_words: Callable[[SourceText], int] = words_in_lines
    """Counts the words about: what repeats counts once."""
    words_in_file: Callable[[SourceText], FileWords] = in_lines
    """Counts every word that stands in a file, by its plain shape, to be held against what was indexed."""
    address: Callable[[SourceText], str | None] = _nowhere
    """Returns text near the top of a file that may hold the address of its video."""
    caption_endings: tuple[str, ...] = ()
    """Endings of names that only files of this format have: one without cues is refused as damaged."""
    other_endings: tuple[str, ...] = ()
    """Endings of names that its files have as well as others."""
    is_prose: bool = False
    """It may hold anything, so a short file beside a longer one is notes about the talk, not the talk."""
    names_carry_on: bool = False
    """A name stands once a turn: the lines up to the next name are of the same speaker."""
    whisper: Literal["whole", "part"] | None = None
    """Whisper writes it: `whole` holds all that Whisper knows, `part` lacks the times of words and the language."""

    @property
    def reader_id(self) -> str:
        """What receipts call the reader."""
        return self.reader or self.name


FORMATS: tuple[Format, ...] = (
    # Told by their first characters.
    Format(
        name="ass",
        matches=subtitles.matches_ass,
        read=subtitles.read_ass,
        priority=5,
        origin=origin_by_name,
        count_words=subtitles.words_in_ass,
        words_in_file=in_substation,
        caption_endings=("ass", "ssa"),
    ),
    Format(
        name="sami",
        matches=subtitles.matches_sami,
        read=subtitles.read_sami,
        priority=5,
        origin=origin_by_name,
        count_words=words_between_tags,
        words_in_file=in_xml,
        caption_endings=("smi", "sami"),
    ),
    Format(
        name="microdvd",
        matches=subtitles.matches_microdvd,
        read=subtitles.read_microdvd,
        priority=5,
        origin=origin_by_name,
        other_endings=("sub",),
    ),
    Format(
        name="ttml",
        matches=ttml.matches,
        read=ttml.read,
        priority=3,
        origin=origin_by_name,
        is_timed=ttml.has_times,
        count_words=words_between_tags,
        words_in_file=in_xml,
        caption_endings=("ttml", "dfxp"),
        other_endings=("xml",),
    ),
    Format(
        name="srv3",
        matches=youtube_xml.matches_srv3,
        read=youtube_xml.read_srv3,
        priority=0,
        origin=youtube_xml.origin_of_srv3,
        count_words=words_between_tags,
        words_in_file=in_xml,
        caption_endings=("srv3",),
        other_endings=("xml",),
    ),
    Format(
        name="srv2",
        matches=youtube_xml.matches_srv2,
        read=youtube_xml.read_srv2,
        priority=4,
        origin=origin_by_name,
        count_words=words_between_tags,
        words_in_file=in_xml,
        caption_endings=("srv2",),
        other_endings=("xml",),
    ),
    Format(
        name="srv1",
        matches=youtube_xml.matches_srv1,
        read=youtube_xml.read_srv1,
        priority=4,
        origin=origin_by_name,
        count_words=words_between_tags,
        words_in_file=in_xml,
        caption_endings=("srv1",),
        other_endings=("xml",),
    ),
    # JSON.
    Format(
        name="json3",
        matches=youtube_json3.matches,
        read=youtube_json3.read,
        is_json=True,
        priority=0,
        origin=youtube_json3.origin,
        count_words=words_in_json,
        words_in_file=in_json,
        caption_endings=("json3",),
    ),
    Format(
        name="ytapi",
        matches=youtube_transcript_api.matches,
        read=youtube_transcript_api.read,
        is_json=True,
        priority=4,
        origin=youtube_transcript_api.origin,
        count_words=words_in_json,
        words_in_file=in_json,
        address=youtube_transcript_api.address,
        other_endings=("json",),
    ),
    Format(
        name="whisper-json",
        matches=whisper_json.matches,
        read=whisper_json.read,
        is_json=True,
        priority=1,
        origin=_automatic,
        count_words=words_in_json,
        words_in_file=in_json,
        other_endings=("json",),
        whisper="whole",
    ),
    Format(
        name="json",
        matches=timed_json.matches,
        read=timed_json.read,
        is_json=True,
        priority=1,
        origin=timed_json.origin,
        count_words=words_in_json,
        words_in_file=in_json,
        other_endings=("json", "jsonl", "ndjson", "sjson", "otr"),
    ),
    # Web pages, which may hold all that the formats behind them are told by.
    Format(
        name="html",
        matches=html_transcript.matches,
        read=html_transcript.read,
        priority=6,
        is_timed=html_transcript.has_times,
        count_words=words_between_tags,
        words_in_file=html_transcript.words_in_page,
        other_endings=html_transcript.ENDINGS,
        names_carry_on=True,
    ),
    # Told by their first lines, and by lines that hold times.
    Format(
        name="table",
        matches=table.matches,
        read=table.read,
        words_in_file=in_table,
        priority=6,
        other_endings=("csv", "tsv"),
    ),
    Format(
        name="record",
        matches=scraped_record.matches,
        read=scraped_record.read,
        read_header=scraped_record.read_header,
        priority=7,
        origin=scraped_record.origin,
        is_timed=scraped_record.has_times,
        address=scraped_record.address,
        other_endings=("txt",),
        names_carry_on=True,
    ),
    Format(
        name="srt",
        matches=srt.matches,
        read=srt.read,
        priority=3,
        origin=origin_by_cues,
        is_timed=srt.are_times_true,
        caption_endings=("srt",),
        whisper="part",
    ),
    Format(
        name="vtt",
        matches=vtt.matches,
        read=vtt.read,
        priority=2,
        origin=origin_by_cues,
        is_timed=vtt.are_times_true,
        caption_endings=("vtt", "webvtt"),
        whisper="part",
    ),
    Format(
        name="sbv",
        matches=sbv.matches,
        read=sbv.read,
        priority=5,
        caption_endings=("sbv",),
    ),
    Format(
        name="tsv",
        matches=whisper_tsv.matches,
        read=whisper_tsv.read,
        words_in_file=in_table,
        priority=6,
        origin=_automatic,
        caption_endings=("tsv",),
        whisper="part",
    ),
    # Text, which may be anything else: with times in its lines, and without.
    Format(
        name="markdown",
        reader="timed-text",
        matches=timed_text.matches_markdown,
        read=timed_text.read,
        address=timed_text.address,
        other_endings=MARKDOWN_ENDINGS,
        is_prose=True,
        names_carry_on=True,
    ),
    Format(
        name="text",
        reader="timed-text",
        matches=timed_text.matches,
        read=timed_text.read,
        address=timed_text.address,
        other_endings=("txt", "text", "transcript", "lrc", "docx"),
        is_prose=True,
        names_carry_on=True,
    ),
    Format(
        name="markdown",
        reader="plain",
        matches=plain_text.matches_markdown,
        read=plain_text.read,
        read_header=plain_text.read_header,
        is_timed=_no,
        address=timed_text.address,
        other_endings=MARKDOWN_ENDINGS,
        is_prose=True,
        names_carry_on=True,
    ),
    Format(
        name="text",
        reader="plain",
        matches=plain_text.matches,
        read=plain_text.read,
        read_header=plain_text.read_header,
        is_timed=_no,
        address=timed_text.address,
        other_endings=("txt", "text", "transcript"),
        is_prose=True,
        names_carry_on=True,
    ),
)
"""Every format, in the order in which a file is asked. Nothing else knows formats: whoever recognises, reads, groups or
replays a file asks this list.

To add one:

1. Write a module here with `matches` and `read`, which take a `SourceText`. What `matches` parses it leaves there for
   `read` (`SourceText.once`, `json_source.parsed_json`); `finish` makes the transcript of the cues.
2. Add a `Format` where its turn is: before every format that would take its files for its own. Formats in JSON stand
   together; a file that is JSON is asked by them and by nobody behind them.
3. Fill in the fields whose defaults are not right for it, above all `priority` and the endings of its names.
4. Add a sample and its tests (docs/contributing.md says which).
"""


def sniff(source: SourceText) -> Format:
    """Tell which format a file has.

    Raises:
        UnreadableError: it is no transcript, with what it is instead.
    """
    if not source.stripped:
        raise UnreadableError("The file is empty.", "Nothing to index.")
    in_json = False
    for candidate in FORMATS:
        # What begins with a bracket may be subtitles, so it is parsed only when those are ruled out.
        in_json = in_json or (candidate.is_json and source.once(is_json))
        if candidate.is_json == in_json and candidate.matches(source):
            return candidate
    raise json_refusal(source) if in_json else text_refusal(source, _caption_endings())


def read_with(reader: str, source: SourceText) -> Transcript:
    """Read a file with the reader that a receipt names; no other is tried.

    Raises UnreadableError where the reader finds no transcript, or there is no such reader.
    """
    known = format_of_reader(reader)
    if known is None:
        raise UnreadableError(
            f"The receipt names a reader that nobody knows: {reader}.", "Index the file again: talksearch index"
        )
    return known.read(source)


def format_of_reader(reader: str) -> Format | None:
    """Return the format whose reader a receipt names; None for a reader that is not known."""
    return next((known for known in FORMATS if known.reader_id == reader), None)


def format_named(name: str) -> Format | None:
    """Return the format that an index calls so; None where none is called so."""
    return next((known for known in FORMATS if known.name == name), None)


def is_ending(ending: str) -> bool:
    """Say whether files of some format are named so: `vtt`, `json`, `txt`, in lower case."""
    return any(ending in known.caption_endings or ending in known.other_endings for known in FORMATS)


def _caption_endings() -> frozenset[str]:
    return frozenset(ending for known in FORMATS for ending in known.caption_endings)
