"""Tokenizers of models: counting tokens, and batches of texts of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from talksearch.indexer.arrays import Ints

from .base import ModelCard
from .model_folder import _TOKENIZER, FOLDER, _read_card
from .sentence_encoder import DEFAULT_MAX_TOKENS, default_folder


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of like length, as the model takes them."""

    rows: list[int]
    """Which texts they are."""
    ids: Ints
    """Token ids (n, length); padding has id 0."""
    mask: Ints
    """1 where there is a token (n, length)."""
    own: npt.NDArray[np.bool_]
    """Where there is a token of the text, not a mark that the model puts around it (n, length)."""


def default_counter(folder: Path) -> tuple[Callable[[str], int], int]:
    """Return (how to count a word's tokens, how many fit): by the index's own tokenizer, or the default model's."""
    try:
        card = _read_card(folder)
        loaded = tokenizers.Tokenizer.from_file(str(folder / FOLDER / _TOKENIZER))
        room = card.max_tokens
    except FileNotFoundError:
        loaded = tokenizers.Tokenizer.from_file(str(default_folder() / _TOKENIZER))
        room = DEFAULT_MAX_TOKENS
    loaded.no_truncation()
    loaded.no_padding()  # the default's file pads every text to 128 tokens
    return cache(lambda word: len(loaded.encode(word, add_special_tokens=False).ids)), room


def tokenizer(folder: Path, card: ModelCard) -> tokenizers.Tokenizer:
    """Load the exported tokenizer, cutting texts at what fits the model."""
    loaded = tokenizers.Tokenizer.from_file(str(folder / _TOKENIZER))
    loaded.no_padding()
    prompt = max(
        len(loaded.encode(text, add_special_tokens=False).ids) for text in (card.query_prompt, card.passage_prompt)
    )
    loaded.enable_truncation(card.max_tokens + 2 + prompt)
    return loaded


def batches(encode: tokenizers.Tokenizer, texts: Sequence[str], size: int = 32, multiple: int = 1) -> Iterator[Batch]:
    """Yield the texts as batches for the model, those of like length together; lengths are multiples of `multiple`."""
    every = encode.encode_batch(list(texts))
    lengths = [len(one) for one in every]
    order = sorted(range(len(every)), key=lengths.__getitem__)
    for at in range(0, len(order), size):
        rows = order[at : at + size]
        shape = len(rows), -(-max(lengths[row] for row in rows) // multiple) * multiple
        ids, mask, own = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
        for line, row in enumerate(rows):
            ids[line, : lengths[row]] = every[row].ids
            mask[line, : lengths[row]] = 1
            own[line, : lengths[row]] = np.array(every[row].special_tokens_mask) == 0
        yield Batch(rows, ids, mask, own)
