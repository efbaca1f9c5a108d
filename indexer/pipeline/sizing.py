"""How an indexing run counts tokens, in whatever process it splits talks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tokenizers

from talksearch.indexer.passages.split import Splitting


@dataclass(frozen=True, slots=True)
class PassageSizer:
    """How talks are split: the words of a passage are counted by the model's own tokenizer."""

    splitting: Splitting
    room: int
    """Tokens that fit."""
    tokenizer: Path | None
    """A tokenizer's file, so that any process can count; None where only `count` can."""
    count: Callable[[str], int] | None = None
    """Counts the tokens of a word in this process, where there is no such file."""

    def counter(self) -> Callable[[str], int]:
        """Return what counts the tokens of a word."""
        return self.count or _counter(str(self.tokenizer))


@cache
def _counter(path: str) -> Callable[[str], int]:
    loaded = tokenizers.Tokenizer.from_file(path)
    loaded.no_truncation()
    loaded.no_padding()  # the default's file pads every text to 128 tokens
    return cache(lambda word: len(loaded.encode(word, add_special_tokens=False).ids))
