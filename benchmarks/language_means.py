"""What the model `multilingual` gives all texts of a language alike: makes `search/ranking/language_means.xz`.

    python benchmarks/language_means.py

For each language that wordfreq has words of, its four hundred commonest words are embedded as ten passages of forty
words each, and the mean of these is kept, in float16: what any text of that language has, whatever it is about. Needs
wordfreq[cjk] for Chinese, Japanese and Korean.
"""

from __future__ import annotations

import io
import lzma
from pathlib import Path

import numpy as np
import wordfreq

from talksearch.indexer.encoders import make_home, onnx_encoder
from talksearch.indexer.encoders.multilingual_model import own_card

FILE = Path(__file__).parents[1] / "search" / "ranking" / "language_means.xz"
WORDS, PASSAGES = 400, 10
UNSPACED = ("zh", "ja")


def main() -> None:
    """Embed, write, and say what was written."""
    card = own_card()
    home = make_home.find_or_make(card, print)
    assert home is not None
    encoder = onnx_encoder.load(home, card)
    means = {}
    for language in sorted(wordfreq.available_languages("small")):
        words = wordfreq.top_n_list(language, WORDS)
        between = "" if language in UNSPACED else " "
        texts = [between.join(words[first::PASSAGES]) for first in range(PASSAGES)]
        means[language] = encoder.encode_passages(texts).mean(axis=0).astype(np.float16)
    written = io.BytesIO()
    np.savez(written, **means)
    FILE.write_bytes(lzma.compress(written.getvalue(), preset=9))
    print(f"{len(means)} languages, {FILE.stat().st_size:,} bytes: {' '.join(means)}")


if __name__ == "__main__":
    main()
