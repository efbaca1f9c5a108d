"""Speakers in the names of cues, as Webex writes them above the time lines: `1 "Ana Ruiz" (3928472)`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from talksearch.indexer.records import Step
from talksearch.indexer.text.lone_names import is_anybody, may_be_a_lone_name, returning
from talksearch.indexer.text.speaker_labels import is_phone_number, names_in

from .raw_cue import RawCue

_NAME = re.compile(
    r"(?:(?:cue|caption)?[ _#-]{0,2}\d+[ \t]*[-–—:.|,)]?[ \t]*)?(?P<quote>[\"'“„«]?)(?P<name>[^\W\d_][^\"“”„«»]*?)"
    r"[\"'”“»]?[ \t]*(?:[-–—:|,][ \t]*\d+|[\[(]\d+[\])])?[ \t]*:?",
    re.IGNORECASE,
)
"""A number, the name, in quotes or not, and a number that stands for the person."""
_PHONE = re.compile(r"\d+[ \t]+\"(\+?[\d*X ().-]+)\"(?:[ \t]*\(\d+\))?")
"""The same for one who came in by telephone."""


def name_in(identifier: str | None) -> str | None:
    """Return the name that an identifier of a cue may hold.

    >>> [name_in(text) for text in ('1 "Ana Ruiz" (3928472)', "12 - Ana Ruiz", "Speaker 1", "intro", "slide-3", None)]
    ['Ana Ruiz', 'Ana Ruiz', 'Speaker 1', None, None, None]
    """
    text = (identifier or "").strip()
    if is_anybody(text):
        return text
    phone = _PHONE.fullmatch(text)
    if phone and is_phone_number(phone[1]):
        return phone[1]
    match = _NAME.fullmatch(text)
    name = match["name"].strip() if match else ""
    return name if name and may_be_a_lone_name(name) else None


def named_by_identifiers(raw: Sequence[RawCue]) -> tuple[list[RawCue], tuple[Step, ...]]:
    """Take the names of cues for those of their speakers, where most of them look like names and come back.

    Where the words of cues name speakers themselves, these are left to whoever cleans the text. Returns the cues, and
    the step that says what was done: none where nothing was.
    """
    names = [name_in(cue.identifier) for cue in raw]
    counts = Counter(name for name in names if name)
    named = counts.total()
    if not named or named * 2 < len(raw) or any(cue.speaker or "<v" in cue.text for cue in raw):
        return list(raw), ()
    known = returning(counts)
    if not known or (len(known) == 1 and named < 3) or names_in(cue.text for cue in raw):
        return list(raw), ()
    cues = [replace(cue, speaker=name) if name else cue for cue, name in zip(raw, names, strict=True)]
    return cues, (Step("name-by-identifiers", "cues", {"names": len(known), "cues_with_name": named}),)
