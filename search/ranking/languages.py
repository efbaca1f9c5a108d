"""Which passages are said in another language than the one that asks."""

from __future__ import annotations

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.language_codes import is_same_language

from .passage_table import Mask, PassageTable


def is_foreign(table: PassageTable, places: Ints, language: str | None) -> Mask:
    """Say which passages are in another language than a query (n,).

    None is where it is not known what language the query is in, or the talk of the passage.

    Args:
        table: The passages.
        places: The places of those that are asked about (n,).
        language: The language of the query.
    """
    if language is None:
        return np.zeros(len(places), bool)
    languages = table.languages()
    is_other = {talk: talk is not None and not is_same_language(talk, language) for talk in set(languages)}
    foreign: Mask = np.array([is_other[talk] for talk in languages], bool)[table.layout.talks[places]]
    return foreign
