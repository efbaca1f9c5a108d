"""SubRip (`.srt`), by its time lines alone: numbers and blank lines are often wrong or missing.

ffmpeg keeps the empty upper row of YouTube's rolling cues as an empty line inside the cue; it is kept here, because it
tells that the row below is new.
"""

from __future__ import annotations

import re

from talksearch.indexer.records import Transcript

from .caption_tracks import has_true_times, origin_by_cues, refuse_data, refuse_metadata
from .cue_blocks import read_blocks
from .cue_times import mend
from .finish import finish
from .identifier_names import named_by_identifiers
from .source_text import SourceText
from .text_files import is_headed_webvtt

_NUMBER = re.compile(r"^\d+$", re.MULTILINE)


def matches(source: SourceText) -> bool:
    """Say whether cues are SubRip's, not those of WebVTT whose header is missing.

    The decimal sign tells; where it is missing, the name, and then whether cues have numbers. Raises UnreadableError
    where the cues are data.
    """
    first = source.time_line
    if first is None or is_headed_webvtt(source):
        return False
    is_srt = "," in first or source.ending == "srt" or (source.ending != "vtt" and bool(_NUMBER.search(source.text)))
    if is_srt:
        refuse_data(source, read)
    return is_srt


def are_times_true(source: SourceText) -> bool:
    """Say whether the times of its cues mean anything."""
    return has_true_times(source, read)


def read(source: SourceText) -> Transcript:
    """Read a SubRip file.

    Raises:
        UnreadableError: no cues, times that cannot be, or a track for programs, not of what is said.
    """
    found = read_blocks(source.text)
    refuse_metadata(found.cues)
    raw, naming = named_by_identifiers(found.cues)
    steps = (*found.steps, *naming)
    known = Transcript("srt", (), origin=origin_by_cues(source), steps=steps, uncertain=found.notes)
    return finish(mend(raw, "SubRip file"), known)
