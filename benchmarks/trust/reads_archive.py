"""The archive that `reads.py` reads, in four states, and an encoder that is fast enough to index it over and over."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders.base import ModelCard

_WIDTH = 32

_STARTS, _ENDS = ("ba", "cor", "del", "fin", "gam", "hol"), ("ter", "lin", "mov", "nas", "pid", "rog", "sul")
_WORDS = tuple(start + end for start in _STARTS for end in _ENDS)
"""Words of which the talks consist; none of them is so common that it would not count."""
QUERIES = ("bater corlin delmov", "finnas", "gampid holrog", "who said basul and deltter", "finter gamlin holmov")
STATES = ("first", "second", "third", "without")
"""Of the archive. Three differ in the words of one talk; `without` is the first of them without another talk."""


class HashEncoder:
    """A vector is the sum of vectors that the words' hashes give."""

    def __init__(self) -> None:
        self.card = ModelCard("hashes", "", _WIDTH, 200)

    def count_tokens(self, _: str) -> int:
        """Return 1: a word is a token."""
        return 1

    def encode_query(self, text: str) -> Floats:
        """Return the vector of a text (32,)."""
        vector = np.sum([_vector(word) for word in text.lower().split()] or [_vector("")], axis=0)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of texts (n, 32)."""
        return np.array([self.encode_query(text) for text in texts], np.float32)


@cache
def _vector(word: str) -> Floats:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
    return np.asarray(np.random.default_rng(seed).normal(size=_WIDTH), np.float32)


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
