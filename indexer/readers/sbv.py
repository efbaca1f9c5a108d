"""SubViewer as YouTube Studio writes it (`.sbv`): `0:00:00.599,0:00:04.160`, the text, a blank line."""

from __future__ import annotations

from dataclasses import replace

from talksearch.indexer.records import Transcript

from .caption_tracks import refuse_metadata
from .cue_blocks import blocks_between
from .cue_times import mend
from .finish import finish
from .source_text import SourceText
from .text_files import is_headed_webvtt
from .time_lines import COMMA_TIME_LINE, TimeLine, comma_time_lines


def matches(source: SourceText) -> bool:
    """Say whether a line holds the two times of a cue; damaged ones count where the name says what the file is."""
    if is_headed_webvtt(source):
        return False
    if any("," in line and COMMA_TIME_LINE.fullmatch(line) for line in source.text.split("\n")):
        return True
    return source.ending == "sbv" and bool(source.once(_heads))


def read(source: SourceText) -> Transcript:
    """Read an SBV file.

    Raises:
        UnreadableError: no cues, times that cannot be, or a track for programs, not of what is said.
    """
    found = blocks_between(source.text.split("\n"), source.once(_heads), headed=False, bare=True)
    raw = [replace(cue, text=cue.text.strip("\n").replace("[br]", "\n")) for cue in found.cues]
    refuse_metadata(raw)
    known = Transcript("sbv", (), steps=found.steps, uncertain=found.notes)
    return finish(mend(raw, "SBV file"), known)


def _heads(source: SourceText) -> list[TimeLine]:
    return comma_time_lines(source.text.split("\n"))
