"""Tokenizers of models: loading them, counting tokens, and batches of texts of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from talksearch.indexer.arrays import Ints
from talksearch.indexer.errors import ModelError

from .base import ModelCard, first_line
from .model_home import PIECES, tokenizer_of
from .unigram_tokenizer import UnigramTokenizer

Tokenizer = tokenizers.Tokenizer | UnigramTokenizer
"""A tokenizer of the library, or one that loads no more of its pieces than a text needs."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of like length, as the model takes them."""

    rows: list[int]
    """Which texts they are."""
    ids: Ints
    """Token ids (n, length); padding has id 0."""
    mask: Ints
    """1 where there is a token (n, length)."""
    is_text: npt.NDArray[np.bool_]
    """Where there is a token of the text, not a special token that the model puts around it (n, length)."""


def load_tokenizer(file: Path) -> Tokenizer:
    """Load a tokenizer that neither cuts texts nor pads them. Raises ModelError where it cannot be read."""
    try:
        if file.name == PIECES:
            return UnigramTokenizer(file)
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises `Exception` itself and has no class of its own
        raise ModelError(f"The tokenizer {file} cannot be read: {first_line(error).rstrip('.')}.") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()  # the default model's file pads every text to 128 tokens
    return tokenizer


def load_model_tokenizer(folder: Path, card: ModelCard) -> Tokenizer:
    """Load the tokenizer of an exported model, which cuts texts at what fits the model. Raises ModelError."""
    tokenizer = load_tokenizer(tokenizer_of(folder))
    count_tokens = token_counter(tokenizer.encode)
    prompt = max(count_tokens(card.query_prompt), count_tokens(card.passage_prompt))
    tokenizer.enable_truncation(card.max_tokens + 2 + prompt)
    return tokenizer


def token_counter(encode: Callable[..., Sized]) -> Callable[[str], int]:
    """Return a function that counts the tokens of a word and remembers the words it has counted.

    Special tokens, which the model puts around a text, do not count. `encode` is that method of a tokenizer: of the
    tokenizers library, or of transformers for a model whose tokenizer the former cannot run.
    """
    return cache(lambda word: len(encode(word, add_special_tokens=False)))


def file_token_counter(file: Path) -> Callable[[str], int]:
    """Return the `token_counter` of a tokenizer's file, which a process loads once. Raises ModelError."""
    try:
        status = file.stat()
    except OSError as error:
        raise ModelError(f"The tokenizer {file} cannot be read: {error.strerror}.") from error
    return _file_token_counter(file, status.st_size, status.st_mtime_ns)


@cache
def _file_token_counter(file: Path, _size: int, _mtime_ns: int) -> Callable[[str], int]:
    """Remember the counter of a file until the file changes: an index that is rebuilt may have another model's."""
    return token_counter(load_tokenizer(file).encode)


def by_length(tokenizer: Tokenizer, texts: Sequence[str]) -> list[int]:
    """Return the positions of texts in the order in which `batches` takes them: by their lengths in tokens."""
    return _by_length([len(encoding) for encoding in tokenizer.encode_batch(list(texts))])


def _by_length(lengths: Sequence[int]) -> list[int]:
    return sorted(range(len(lengths)), key=lengths.__getitem__)


def batches(tokenizer: Tokenizer, texts: Sequence[str], size: int = 32, length_step: int = 1) -> Iterator[Batch]:
    """Yield the texts as batches for the model, texts of like length together.

    Args:
        tokenizer: The model's tokenizer, which cuts texts at what fits.
        texts: The texts, with their prompts.
        size: How many texts a batch holds; the last one may hold fewer.
        length_step: Lengths in tokens are rounded up to a multiple of it.
    """
    encodings = tokenizer.encode_batch(list(texts))
    lengths = [len(encoding) for encoding in encodings]
    order = _by_length(lengths)
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        shape = len(rows), -(-max(lengths[row] for row in rows) // length_step) * length_step
        ids, mask, is_text = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
        for line, row in enumerate(rows):
            ids[line, : lengths[row]] = encodings[row].ids
            mask[line, : lengths[row]] = 1
            is_text[line, : lengths[row]] = np.array(encodings[row].special_tokens_mask) == 0
        yield Batch(rows, ids, mask, is_text)
