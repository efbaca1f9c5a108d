"""What a fault is, and where it is planted."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from small_index import Indexes

_FLIPS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """A copy of the sound index in which a fault is planted, and what else a fault may be taken from."""

    index: Path
    indexes: Indexes
    home: Path
    """The home of the model. Only a fault of a home may touch it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault."""

    name: str
    plant: Callable[[Case], None]
    in_home: bool = False
    """Whether it lies in the home of the model, which is copied only then."""
    becomes_other: bool = False
    """Whether the index is that of other talks from then on, because its catalog decides."""
    harmless: bool = False
    """Whether what it damages means nothing, so that nothing need be found."""
    limit: str = ""
    """Why a search cannot tell it and only the doctor finds it, where that is so."""


def flip(content: bytes, bits: int = _FLIPS, seed: int = 7, start: int = 0, end: int | None = None) -> bytes:
    """Return bytes of which some bits between two places are flipped."""
    drawn, changed = random.Random(seed), bytearray(content)
    last = len(changed) if end is None else end
    for place in drawn.sample(range(start * 8, last * 8), min(bits, (last - start) * 8)):
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed)
