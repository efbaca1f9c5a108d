"""What all texts of a language have in common, whatever they are about: it is taken out of how near passages are.

A model of many languages puts texts of one language near each other. In an archive of several languages a question is
then nearer to anything in its own language than to its answer in another one. How near a question is to the mean of a
language's texts says how much of that is the language alone (benchmarks/language_means.py makes the means, of common
words). Only the model `multilingual` has such means; what another has to do with languages, nobody here can say.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.text.language_codes import is_same_language

_FILE = Path(__file__).with_name("language_means.xz")


def means_of(languages: Sequence[str]) -> Floats:
    """Return the mean vector of texts in each of some languages (languages, dimension).

    The mean of all languages stands for one that is not among them.
    """
    known = _read()
    usual = np.mean(list(known.values()), axis=0)
    found = (next((known[one] for one in known if is_same_language(one, language)), usual) for language in languages)
    means: Floats = np.array(list(found), np.float32)
    return means


@cache
def _read() -> Mapping[str, Floats]:
    """Return the means by the code of their language."""
    with np.load(io.BytesIO(lzma.decompress(_FILE.read_bytes()))) as held:
        return {language: held[language].astype(np.float32) for language in held.files}
