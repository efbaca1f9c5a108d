"""The tokenizer of XLM-RoBERTa (Conneau et al. 2020, arXiv:1911.02116), written as the tokenizers library reads it.

It is a Unigram model (Kudo 2018, arXiv:1804.10959) over text that was normalised as SentencePiece's `nmt_nfkc` does:
control characters go, all kinds of blanks become one blank, and characters take their compatible form, but for the
wide tilde. A blank then becomes part of the word behind it, and each word stands for itself.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from .q4_file import Pieces

_BLANK = "▁"
"""What stands for a blank in pieces."""

_KEPT, _STAND_IN = "～", "\U0010fffd"
"""The wide tilde, and a character for private use that stands for it while others take their compatible form."""


def write(pieces: Pieces, file: Path) -> None:
    """Write the tokenizer of some pieces. Raises OSError."""
    vocabulary = list(zip(pieces.texts, pieces.scores.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, pieces.unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.Replace(_KEPT, _STAND_IN),
            normalizers.NFKC(),
            normalizers.Replace(_STAND_IN, _KEPT),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=_BLANK, prepend_scheme="always")
    # Special tokens are no words of the vocabulary that is looked for in texts: a talk may say "<s>".
    begin, end = (pieces.texts[token] for token in (pieces.begin, pieces.end))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, pieces.begin), (end, pieces.end)]
    )
    file.write_text(tokenizer.to_str(), encoding="utf-8")
