"""The tokenizer of XLM-RoBERTa (Conneau et al. 2020, arXiv:1911.02116), of which a text loads no more than it needs.

It is a Unigram model (Kudo 2018, arXiv:1804.10959) over text that was normalised as SentencePiece's `nmt_nfkc` does:
control characters go, all kinds of blanks become one blank, and characters take their compatible form, but for the
wide tilde. A blank then becomes part of the word behind it, and each word stands for itself.

The tokenizers library takes most of a second to load the 250,000 pieces of this model, and a query needs some hundreds.
So the pieces lie in a sorted table that is mapped and not read, those that occur in a text are looked up, and the
library's Unigram model is made of these alone. It finds the same tokens: no other piece could have been part of the
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from talksearch.indexer.arrays import npy_bytes

from .q4_file import Pieces

_SCORES_AND_IDS = "piece-ids.npy"
"""The file beside the table that holds the score and the id of each piece, in the order of the table."""

_SCORE_AND_ID = np.dtype([("score", "<f4"), ("id", "<i4")])

_BLANK = "▁"
"""What stands for a blank in pieces."""

_KEPT, _STAND_IN = "～", "\U0010fffd"
"""The wide tilde, and a character for private use that stands for it while others take their compatible form."""

_SPECIAL = ("  ", "   ", "    ")
"""What the pieces unknown, begin and end are called while a text is cut: no text has blanks then, so none says them."""


_MOST_LETTERS = 16
"""No piece has more letters: SentencePiece's own limit, which this model was trained with."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """The tokens of a text."""

    ids: list[int]
    offsets: list[tuple[int, int]]
    """The characters that each token stands for."""
    special_tokens_mask: list[int]
    """1 for the special tokens that the model puts around a text."""

    def __len__(self) -> int:
        return len(self.ids)


def write(pieces: Pieces, file: Path) -> None:
    """Write the pieces as a sorted table, with a file beside it. Raises OSError, or ValueError for too long a piece."""
    if max(map(len, pieces.texts)) > _MOST_LETTERS:
        raise ValueError(f"it has pieces of more than {_MOST_LETTERS} letters")
    special = {pieces.unknown: 0, pieces.begin: 1, pieces.end: 2}
    texts = np.array([text.encode() for text in pieces.texts])
    said = np.array([number for number in range(len(texts)) if pieces.scores[number] < 0], np.int64)
    order = said[np.argsort(texts[said], kind="stable")]
    values = np.empty(len(special) + len(order), _SCORE_AND_ID)
    values["score"][: len(special)] = pieces.scores.min()  # the library takes the least score for what it does not know
    values["id"][: len(special)] = list(special)
    values["score"][len(special) :], values["id"][len(special) :] = pieces.scores[order], order
    file.write_bytes(npy_bytes(texts[order]))
    file.with_name(_SCORES_AND_IDS).write_bytes(npy_bytes(values))


class UnigramTokenizer:
    """A tokenizer over such a table, with those methods of the tokenizers library's that are used here.

    It may be used by several threads.
    """

    def __init__(self, file: Path) -> None:
        """Map the table. Raises OSError or ValueError where it cannot be read."""
        self._pieces: npt.NDArray[np.bytes_] = np.load(file, mmap_mode="r")
        self._values = np.load(file.with_name(_SCORES_AND_IDS), mmap_mode="r")
        if self._pieces.dtype.kind != "S" or len(self._values) != len(self._pieces) + len(_SPECIAL):
            raise ValueError("its pieces and their scores do not belong together")
        self._longest = self._pieces.dtype.itemsize
        self._most_tokens: int | None = None
        self._normalizer = normalizers.Sequence(
            [
                normalizers.Nmt(),
                normalizers.Replace(_KEPT, _STAND_IN),
                normalizers.NFKC(),
                normalizers.Replace(_STAND_IN, _KEPT),
                normalizers.Replace(Regex(" {2,}"), " "),
            ]
        )
        self._splitter = pre_tokenizers.Metaspace(replacement=_BLANK, prepend_scheme="always")
        _, begin, end = _SPECIAL
        self._frame = processors.TemplateProcessing(single=[begin, "$A", end], special_tokens=[(begin, 1), (end, 2)])

    def enable_truncation(self, max_length: int) -> None:
        """Cut texts at so many tokens, special tokens among them."""
        self._most_tokens = max_length

    def encode(self, text: str, add_special_tokens: bool = True) -> Encoding:
        """Return the tokens of a text."""
        return self.encode_batch([text], add_special_tokens)[0]

    def encode_batch(self, texts: Sequence[str], add_special_tokens: bool = True) -> list[Encoding]:
        """Return the tokens of texts."""
        places = self._places(word for text in texts for word in self._words(text))
        values = self._values[places]
        names = [
            *_SPECIAL,
            *(piece.decode() for piece in self._pieces[places[len(_SPECIAL) :] - len(_SPECIAL)].tolist()),
        ]
        tokenizer = Tokenizer(models.Unigram(list(zip(names, values["score"].tolist(), strict=True)), 0, False))
        tokenizer.normalizer, tokenizer.pre_tokenizer = self._normalizer, self._splitter
        tokenizer.post_processor = self._frame
        if self._most_tokens is not None:
            tokenizer.enable_truncation(self._most_tokens)
        ids = values["id"]
        return [
            Encoding(ids[one.ids].tolist(), one.offsets, one.special_tokens_mask)
            for one in tokenizer.encode_batch(list(texts), add_special_tokens=add_special_tokens)
        ]

    def _words(self, text: str) -> list[str]:
        return [word for word, _ in self._splitter.pre_tokenize_str(self._normalizer.normalize_str(text))]

    def _places(self, words: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return where the values of the special pieces lie, and of all pieces that occur in some words."""
        parts = sorted({part for word in set(words) for part in _parts(word, self._longest)})
        asked = np.array(parts, self._pieces.dtype)
        places = np.minimum(np.searchsorted(self._pieces, asked), len(self._pieces) - 1)
        found = places[self._pieces[places] == asked]
        return np.concatenate([np.arange(len(_SPECIAL)), found + len(_SPECIAL)])


def _parts(word: str, longest: int) -> Iterable[bytes]:
    """Yield the parts of a word that may be pieces: of up to `_MOST_LETTERS` letters and `longest` bytes."""
    letters = [letter.encode() for letter in word]
    for first in range(len(letters)):
        part = b""
        for letter in letters[first : first + _MOST_LETTERS]:
            part += letter
            if len(part) > longest:
                break
            yield part
