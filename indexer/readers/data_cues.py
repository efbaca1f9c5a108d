"""Cues of WebVTT that are objects of JSON and hold what is said among other things, as Microsoft's services write them.

The transcripts of Teams with metadata (learn.microsoft.com/graph/api/calltranscript-get) have one object in every cue::

    {"startDateTime": "…", "endDateTime": "…", "speakerName": "Ana Ruiz", "spokenText": "So it is."}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from talksearch.indexer.records import Step
from talksearch.indexer.text.counting import count_words

from .json_keys import roles_of, words_of
from .raw_cue import RawCue

_SAID = frozenset(("spoken", "transcript", "utterance", "sentence", "caption", "speech"))
"""Words of keys whose text is said; that of others may be what a slide shows."""


def said_in_data(raw: Sequence[RawCue]) -> tuple[list[RawCue], tuple[Step, ...]]:
    """Return cues with what is said in the objects that they are, and the step that says so; others as they are.

    Every cue must be such an object, and hold a text that its key calls spoken, or beside a speaker.
    """
    found: list[RawCue] = []
    left_out = 0
    for cue in raw:
        value = _object(cue.text)
        said = value and _said(value)
        if not value or not said:
            return list(raw), ()
        text, speaker = said
        left_out += count_words(cue.text) - count_words(text)
        found.append(replace(cue, text=text, speaker=speaker))
    step = Step("read-data-cues", "cues", {"cues": len(found), "words_left_out": max(0, left_out)})
    return found, (step,) if found else ()


def _object(text: str) -> dict[str, Any] | None:
    text = text.strip()
    if not text.startswith("{") or not text.endswith("}"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _said(value: dict[str, Any]) -> tuple[str, str | None] | None:
    speaker = next(
        (text for key, text in value.items() if isinstance(text, str) and text and "speaker" in words_of(key)), None
    )
    texts = {
        key: text
        for key, text in value.items()
        if isinstance(text, str) and text.strip() and any(role.role == "text" for role in roles_of((key,)))
    }
    spoken = next((key for key in texts if _SAID & set(words_of(key))), None)
    key = spoken or (next(iter(texts), None) if speaker else None)
    return (texts[key], speaker) if key else None
