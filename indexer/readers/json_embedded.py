"""Transcripts that stand in JSON as one text: captions as WebVTT or SubRip, lines with times, HTML of oTranscribe."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Step, Transcript
from talksearch.indexer.text.clock import CLOCK, show_clock
from talksearch.indexer.text.counting import count_words

from . import srt, subtitles, timed_text, vtt
from .json_lists import strings_in
from .source_text import SourceText
from .time_lines import TIME_LINE

_STAMP = re.compile(
    r"<span\b[^<>]*\bdata-timestamp=[\"'](\d{1,9}(?:\.\d{1,9})?)[\"'][^<>]*>(?:(?!<span\b).)*?</span>", re.DOTALL
)
_LINE_END = re.compile(r"</(?:p|div|li)>|<br\s*/?>", re.IGNORECASE)
_CLOCK = re.compile(r"^\[([\d:.]+)\]", re.MULTILINE)
_LYRIC = re.compile(r"\s*\[(?:\d{1,2}:\d\d\.\d{2,3}|[a-z]{2,6}:[^\]\n]*)\]")
_FEWEST_STAMPED = 3
"""Lines that begin with a time, in one text that is a transcript."""
_ANY_CLOCK = re.compile(CLOCK)
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
        elif "[Events]" in text and text.lstrip("\ufeff \n").startswith("[Script Info]"):
            yield SourceText(text, "a.ass"), subtitles.read_ass
        elif "\n" in text and ":" in text and (lines := _turns_in(text)) is not None:
            yield lines, _read_turns
        elif "\n" in text and len(_CLOCK.findall(text)) >= _FEWEST_STAMPED:
            lines = SourceText(text, "a.lrc" if _LYRIC.match(text) else "a.txt")
            if timed_text.layout_of(lines) is not None:
                yield lines, _read_stamped


def _turns_in(text: str) -> SourceText | None:
    """Return a text of turns whose heads have a name and a time; None for any other."""
    lines = SourceText(text, "a.txt")
    layout = timed_text.layout_of(lines)
    stamps = layout.stamps.values() if layout else ()
    named = sum(stamp.speaker is not None for stamp in stamps)
    return lines if named >= _FEWEST_STAMPED and named * 3 >= len(stamps) * 2 else None


def _read_stamped(source: SourceText) -> Transcript:
    return _without(timed_text.read(source), _CLOCK.findall(source.text))


def _read_turns(source: SourceText) -> Transcript:
    layout = timed_text.layout_of(source)
    heads = [layout.lines[i] for i in layout.stamps] if layout else []
    return _without(timed_text.read(source), [clock[0] for line in heads if (clock := _ANY_CLOCK.search(line))])


def _without(found: Transcript, stamps: list[str]) -> Transcript:
    """Note the times that are words of the JSON, and markup of the text."""
    left_out = {"tokens": len(stamps), "words_left_out": count_words("\n".join(stamps))}
    return replace(found, steps=(*found.steps, Step("leave-out-tokens", "cues", left_out)))


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
