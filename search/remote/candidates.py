"""Candidates: which terms a store is asked for, and which of the talks that it finds are fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from talksearch.indexer.stores.remote.engine import FoundPassage
from talksearch.indexer.text.letters import unaccented
from talksearch.indexer.text.terms import spans, terms
from talksearch.search.ranking.characters import with_characters
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.ranking.term_variants import expand_terms
from talksearch.search.ranking.vocabulary import said_among
from talksearch.search.reader import IndexReader

MOST_TALKS = 32
"""How many talks are fetched for a query: those of the best candidates."""

FOUND = 200
"""How many passages are asked for, by meaning and by words each."""

_RANK_CONSTANT = 60
"""Of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""

_MOST_TERMS = 64
"""How many terms a store is asked for at most: those of the query first."""

_MOST_NEAR = 5
"""How many terms that are spelt nearly like one that nobody says are asked for."""

_SHORTEST_NEAR = 5
"""Letters of the shortest term that others are looked for in the place of."""

_NEAR = 0.599
"""How alike their letters must be."""


def best_talks(lists: Iterable[Sequence[FoundPassage]], count: int) -> list[str]:
    """Return the talks of the best candidates, best first, by reciprocal rank fusion of lists that are best first.

    A talk counts by its best passage in each list: what the others say for it, ranking tells from the whole talk.
    """
    scores: dict[str, float] = {}
    for found in lists:
        seen: set[str] = set()
        for rank, candidate in enumerate(found, 1):
            if candidate.talk_id not in seen:
                seen.add(candidate.talk_id)
                scores[candidate.talk_id] = scores.get(candidate.talk_id, 0.0) + 1 / (_RANK_CONSTANT + rank)
    return sorted(scores, key=lambda talk_id: (-scores[talk_id], talk_id))[:count]


def terms_to_ask(reader: IndexReader, text: str) -> tuple[list[str], list[str]]:
    """Return the terms that a store is asked for, and those of the query that nobody says.

    Which terms stand in a row, only the talks tell that are fetched. So their parts are asked for.

    Args:
        reader: The talks that are held, with the vocabulary of the store.
        text: The query, without quotation marks.
    """
    db = reader.db
    wanted = query_terms(db, text)
    variants = with_characters(reader.table(), wanted, expand_terms(db, text, wanted, reader.compounds))
    others = [text for known in variants.values() for text in known.terms]
    said = set(said_among(db, wanted))
    unsaid = [term for term in wanted if term not in said and " " not in term]
    words = {span.text: text[span.start : span.end] for span in spans(text)}
    near = [other for term in unsaid for other in _in_its_place(reader, words.get(term, term))]
    asked = [part for phrase in (*wanted, *others, *near) for part in phrase.split()]
    stop_terms = {term for (term,) in db.execute("SELECT term FROM common")} - set(wanted)
    return list(dict.fromkeys(term for term in asked if term not in stop_terms))[:_MOST_TERMS], unsaid


def _in_its_place(reader: IndexReader, word: str) -> list[str]:
    """Return what may stand in the place of a word that nobody says: its two parts, and what is spelt like it."""
    plain = "".join(character for character in unaccented(word) if character.isalnum())
    cuts = [(plain[:cut], plain[cut:]) for cut in range(1, len(plain))]
    term_of = {part: "".join(terms(part)) for pair in cuts for part in pair}
    said = set(said_among(reader.db, filter(None, term_of.values())))
    parts = [
        part
        for first, second in cuts
        if term_of[first] in said and term_of[second] in said
        for part in (term_of[first], term_of[second])
    ]
    return [*parts, *_spelt_like(reader, plain)]


def _spelt_like(reader: IndexReader, plain: str) -> list[str]:
    if len(plain) < _SHORTEST_NEAR or not plain.isalpha():
        return []
    from rapidfuzz import process  # few queries hold a word that nobody says
    from rapidfuzz.distance import Levenshtein

    rows = reader.db.execute(
        "SELECT term FROM vocabulary WHERE length(term) BETWEEN ? AND ?", (len(plain) - 2, len(plain) + 2)
    )
    near = process.extract(
        plain,
        [term for (term,) in rows],
        scorer=Levenshtein.normalized_similarity,
        score_cutoff=_NEAR,
        limit=_MOST_NEAR,
    )
    return [term for term, _, _ in near]


def quoted_terms(text: str) -> list[str]:
    """Return the terms of a quote, each once; the rarest of them find it."""
    return list(dict.fromkeys(terms(text)))
