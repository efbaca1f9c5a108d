"""How an indexing run measures passages, in whatever process it splits talks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.encoders.tokenizer import file_token_counter
from talksearch.indexer.passages.split import Splitting


@dataclass(frozen=True, slots=True)
class PassageSizer:
    """How talks are split: the tokens of a passage are those of the model's own tokenizer."""

    splitting: Splitting
    max_tokens: int
    """Tokens that fit into a passage."""
    tokenizer: Path | None
    """The tokenizer's file, so that any process can count; None where only `count_tokens` can."""
    count_tokens: Callable[[str], int] | None = None
    """Counts the tokens of a word in this process, where there is no such file."""

    def counter(self) -> Callable[[str], int]:
        """Return the function that counts the tokens of a word. Raises ModelError where the file cannot be read."""
        if self.count_tokens is not None:
            return self.count_tokens
        if self.tokenizer is None:
            raise ValueError("a sizer needs a tokenizer's file or a function that counts")
        return file_token_counter(self.tokenizer)
