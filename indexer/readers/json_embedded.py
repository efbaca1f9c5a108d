"""Transcripts that stand in JSON as one text: captions as WebVTT or SubRip, and the HTML of oTranscribe."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Step, Transcript
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.counting import count_words

from . import srt, timed_text, vtt
from .json_lists import strings_in
from .source_text import SourceText
from .time_lines import TIME_LINE

_STAMP = re.compile(r"<span\b[^>]*\bdata-timestamp=[\"']([\d.]{1,12})[\"'][^>]*>.*?</span>", re.DOTALL)
_LINE_END = re.compile(r"</(?:p|div|li)>|<br\s*/?>", re.IGNORECASE)
_CLOCK = re.compile(r"^\[([\d:]+)\]", re.MULTILINE)
_TAG = re.compile(r"<[^<>]*>")

Reader = Callable[[SourceText], Transcript]


def embedded_in(value: object) -> tuple[SourceText, Reader] | None:
    """Return the longest text in a value that is a transcript with times, and what reads it; None where none is."""
    return max(_texts_in(value), key=lambda pair: len(pair[0].text), default=None)


def _texts_in(value: object) -> Iterator[tuple[SourceText, Reader]]:
    for text in strings_in(value):
        if TIME_LINE.search(text):
            yield (
                (SourceText(text, "a.vtt"), vtt.read)
                if "WEBVTT" in text[:20]
                else (SourceText(text, "a.srt"), srt.read)
            )
        elif "data-timestamp" in text:
            yield SourceText(_lines_of(text), "a.txt"), _read_stamped


def _read_stamped(source: SourceText) -> Transcript:
    found = timed_text.read(source)
    stamps = "\n".join(_CLOCK.findall(source.text))
    step = Step(
        "leave-out-tokens", "cues", {"tokens": len(_CLOCK.findall(source.text)), "words_left_out": count_words(stamps)}
    )
    return replace(found, steps=(*found.steps, step))


def _lines_of(text: str) -> str:
    """Return the text of oTranscribe with a time at the beginning of a line wherever it has one."""
    text = _STAMP.sub(lambda match: f"\n[{show_clock(round(float(match[1]) * 1000))}] ", text)
    text = _TAG.sub("", _LINE_END.sub("\n", text.replace("&nbsp;", " ")))
    return "\n".join(line.strip() for line in html.unescape(text).split("\n") if line.strip())


def read_embedded(source: SourceText, reader: Reader) -> Transcript | None:
    """Read such a text; None where it has no cues after all."""
    try:
        return replace(reader(source), format="json")
    except UnreadableError:
        return None
