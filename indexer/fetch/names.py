"""Names of files and folders, from titles that nobody can trust."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_LONGEST_BYTES = 180
"""Bytes of a name without its ending; file systems allow 255 for the whole, and `.zh-Hans.info.json` takes some."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+')
"""What no name may hold on some system, and what would turn the order of letters on a terminal."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
"""Names that Windows keeps for devices."""


def stem_of(title: str, day: date | None, mark: str) -> str:
    """Return what the names of a talk's files begin with: its day, its title, and what tells it from others.

    Args:
        title: What it calls itself, of any length.
        day: The day that it is from.
        mark: Letters and digits that no other talk has, which a long title does not cut off.

    >>> stem_of("Tides / explained", date(2026, 1, 2), "abc-1234"), stem_of("", None, "harbour-7")
    ('2026-01-02 Tides explained [abc-1234]', 'Untitled [harbour-7]')
    """
    before, behind = f"{day} " if day else "", f" [{mark}]"
    room = _LONGEST_BYTES - len(before.encode()) - len(behind.encode())
    return f"{before}{safe_name(title, 'Untitled', room)}{behind}"


def safe_name(title: str, otherwise: str, longest: int = _LONGEST_BYTES) -> str:
    """Return a title as a name of one step, which no system refuses and no program takes for an option.

    Args:
        title: What the name should say.
        otherwise: The name where nothing of the title is left; letters and digits.
        longest: Bytes that it may have.

    >>> safe_name("../../etc: why? / how", "talk"), safe_name("...", "talk"), safe_name("CON", "talk")
    ('etc why how', 'talk', '_CON')
    """
    text = unicodedata.normalize("NFC", title.encode("utf-8", "replace").decode())
    text = re.sub(r"\s+", " ", _FORBIDDEN.sub(" ", text)).strip(" .-~")
    text = text.encode()[:longest].decode(errors="ignore").rstrip(" .")
    if not text:
        return otherwise
    return f"_{text}" if _RESERVED.match(text) else text
