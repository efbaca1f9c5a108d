"""Why a file that no format recognises is no transcript: what it is instead, and what can be done."""

from __future__ import annotations

from collections.abc import Container

from talksearch.indexer.errors import UnreadableError

from . import html_transcript, json_talks, text_files, timed_text
from .json_source import is_json_lines, not_a_transcript, parsed_json
from .source_text import SourceText


def json_refusal(source: SourceText) -> UnreadableError:
    """Return the reason why a file in JSON is not read."""
    if is_json_lines(source):
        return not_a_transcript()
    value = parsed_json(source)
    base = source.name.lower().rpartition("/")[2]
    if isinstance(value, dict) and (f".{base}".endswith(".info.json") or {"extractor", "formats"} & value.keys()):
        return UnreadableError("This is metadata that belongs to a transcript (.info.json), not a transcript.", "")
    if json_talks.holds_several(value):
        return UnreadableError("This JSON holds several talks.", "Write one file for each talk.")
    return UnreadableError(
        "This JSON is of no kind of transcript that talksearch knows: it has no list of segments or words with times.",
        "Known: json3, Whisper, youtube-transcript-api, podcast transcripts, and what recognition services give.",
    )


def text_refusal(source: SourceText, caption_endings: Container[str]) -> UnreadableError:
    """Return the reason why a file that is no JSON is not read.

    Args:
        source: the file.
        caption_endings: endings of names that say that a file holds captions.
    """
    ending = source.ending
    if html_transcript.is_page(source):
        return UnreadableError(
            "This is HTML without a transcript: its paragraphs have neither times nor names of who speaks.",
            "Export the captions as VTT or SRT.",
        )
    if text_files.is_markup(source):
        return UnreadableError(
            "This is HTML or XML, not a transcript; of XML, TTML and YouTube's srv1, srv2 and srv3 are read.",
            "Export the captions as VTT or SRT.",
        )
    if ending in caption_endings and timed_text.layout_of(source) is None:
        return UnreadableError(f"The .{ending} file has no cues.", "No line in it holds the times of a cue.")
    if ending == "docx":
        return UnreadableError(
            "A .docx file without times is not taken for a transcript.", "If it is one, save it as plain text."
        )
    if text_files.is_an_ending(ending) and ending not in text_files.TEXT_ENDINGS:
        return UnreadableError(
            f"A .{ending} file without cues is not a transcript.",
            "Known by their times: VTT, SRT, SBV, JSON, TSV, TTML, ASS, SAMI.",
        )
    return UnreadableError(
        "The file holds no times and its name is not that of a transcript.", "Name it .txt to index it."
    )
