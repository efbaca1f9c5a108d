"""The archive that `reads.py` reads, in four states."""

from __future__ import annotations

import random
from pathlib import Path

_STARTS, _ENDS = ("ba", "cor", "del", "fin", "gam", "hol"), ("ter", "lin", "mov", "nas", "pid", "rog", "sul")
_WORDS = tuple(start + end for start in _STARTS for end in _ENDS)
"""Words of which the talks consist; none of them is so common that it would not count."""
QUERIES = ("bater corlin delmov", "finnas", "gampid holrog", "who said basul and deltter", "finter gamlin holmov")
STATES = ("first", "second", "third", "without")
"""Of the archive. Three differ in the words of one talk; `without` is the first of them without another talk."""


def write_state(talks: Path, state: str) -> None:
    """Make the archive one of a state."""
    talks.mkdir(exist_ok=True)
    for number in range(6):
        _write_talk(talks / f"talk-{number}.vtt", f"talk {number}")
    _write_talk(talks / "changing.vtt", f"changing {'first' if state == 'without' else state}")
    if state == "without":
        (talks / "leaving.vtt").unlink(missing_ok=True)
    else:
        _write_talk(talks / "leaving.vtt", "leaving")


def _write_talk(path: Path, seed: str) -> None:
    rng = random.Random(seed)
    cues = [" ".join(rng.choices(_WORDS, k=30)) for _ in range(8)]
    text = "WEBVTT\n\n" + "".join(
        f"00:{minute:02}:00.000 --> 00:{minute:02}:20.000\n{words}.\n\n" for minute, words in enumerate(cues)
    )
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
