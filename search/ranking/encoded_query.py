"""Encoded queries: a text to look for as terms and as vectors, and where its terms are said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from talksearch.indexer.arrays import Floats, Ints

from .late_interaction import QueryTokens
from .passage_table import Mask, PassageTable
from .term_variants import TermVariants, postings_with_variants
from .term_weight import QueryPostings


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """A text to look for, as terms and as vectors."""

    terms: tuple[str, ...]
    variants: Mapping[str, TermVariants] = field(default_factory=dict)
    """How else the terms may have been written down."""
    vector: Callable[[], Floats] | None = None
    """Waits for the vector, which may still be in the making; None where only words count."""
    tokens: Callable[[Mapping[str, float]], QueryTokens | None] | None = None
    """Given how much each term tells, waits for what the query's tokens mean; None where that does not count."""
    is_query: bool = True
    """Terms that follow each other belong together, and a talk about them is likely meant. False for a passage, whose
    words only say what it is about."""
    note: str = ""
    """Which names were looked for in place of words that nobody says; empty where none were."""
    is_name: bool = False
    """It is nothing but such names, which ask for what is said by a person or names it; a vector knows no names."""
    language: Callable[[], str | None] | None = None
    """Tells the language that it is in (ISO 639), None where its words do not tell; what that takes is read when it is
    first asked. None where nobody can tell."""


def passages_with_names(table: PassageTable, query: EncodedQuery) -> Ints:
    """Return the numbers of the passages that hold any term of a query, in whatever way, sorted."""
    places = [postings_with_variants(table, term, query.variants.get(term)) for term in query.terms]
    numbers: Ints = np.unique(table.layout.numbers[np.concatenate(places)])
    return numbers


def query_postings(table: PassageTable, query: EncodedQuery, excluded: Mask | None = None) -> QueryPostings:
    """Return where the terms of a query are said, in whatever way they were written down.

    `excluded` passages (n,) hold no words.
    """

    def counted(places: Ints) -> Ints:
        return places if excluded is None else places[~excluded[places]]

    neighbours = pairwise(query.terms if query.is_query else ())
    places = [counted(postings_with_variants(table, term, query.variants.get(term))) for term in query.terms]
    return QueryPostings(
        places,
        [counted(table.cooccurrences(first, second)) for first, second in neighbours],
        [
            table.term_weight(term, held, query.variants[term].terms if term in query.variants else ())
            for term, held in zip(query.terms, places, strict=True)
        ],
    )
