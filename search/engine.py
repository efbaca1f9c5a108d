"""Answering queries from one index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cache, partial

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders.base import QueryEncoding
from talksearch.indexer.errors import QueryError
from talksearch.indexer.stores import asked, calibration, catalog
from talksearch.indexer.stores.calibration import Calibration
from talksearch.indexer.stores.languages import knows_languages
from talksearch.indexer.text.terms import terms
from talksearch.search.answer import Answer, Like
from talksearch.search.facets import Facets
from talksearch.search.hit import QuoteMatch
from talksearch.search.ranking import late_interaction
from talksearch.search.ranking.characters import with_characters
from talksearch.search.ranking.encoded_query import EncodedQuery, passages_with_names
from talksearch.search.ranking.filters import allowed_passages
from talksearch.search.ranking.late_interaction import QueryTokens, TokenScorer
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.ranking.missing_note import missing_vectors_note
from talksearch.search.ranking.names import with_names
from talksearch.search.ranking.rank import Ranking, Source, rank
from talksearch.search.ranking.term_variants import expand_terms, variant_terms
from talksearch.search.results.assemble import Assembly, Origin, quote_hits, to_hits
from talksearch.search.results.beside import (
    beside_note,
    foreign_query_note,
    hits_of_tracks,
    language_of_tracks_note,
    with_beside,
)
from talksearch.search.results.count_facets import answering, count_facets, places_of_hits
from talksearch.search.results.grade import Grader, fair_cosine, grader, ungraded_note, verdict
from talksearch.search.results.passage_view import view_passage

from .asker import query_language
from .damage import around_damage
from .emptied import emptied_by
from .moments import SpokenPassage, passage_at
from .query import Filters, Mode, Query, split_quotes
from .reader import IndexReader

_MOST_QUOTES = 1_000
"""How many places of a quote are looked for where not all are shown. Where as many passages surely say a quote, no
others are looked for."""

_FEW_QUOTES = 30
"""How many places of a quote are looked for at least: a talk that says it again is told by more than one."""

_MOST_INEXACT_QUOTES = 30
"""How many places of a longer quote are looked for beside those that surely say it: most of them say it only nearly."""

_FIRST_HITS = 5
"""Whoever asks looks at about so many hits; their talks count as asked for."""

_TELLING_TERMS = 6
"""How many terms of a passage stand for it when passages like it are looked for."""

Allow = Callable[[Filters], Ints | None]
"""Returns the numbers of the passages that may be hits with some filters, sorted; None allows all."""


def search(reader: IndexReader, query: Query, *, is_asked: bool = True) -> Answer:
    """Answer a query. Raises QueryError when it is empty or a filter names what is not there.

    A query that stands in quotation marks as a whole asks for the quote. Where marks stand around a part of it, only
    the passages that say that part may be hits.

    Args:
        reader: The index.
        query: What to look for, how, and what to show.
        is_asked: Whether somebody wants to know. While vectors are missing, the talks of the first hits are then noted
            (`stores.asked`), so that they get theirs first.
    """
    if not query.text.strip():
        raise QueryError("The query is empty.", 'Say what you look for: talksearch "time dilation metaphor"')
    if reader.store is not None:
        reader.store.gather(reader, query)
    with catalog.snapshot(reader.db):
        answer = around_damage(reader, query, lambda: _search_beside(reader, query))
        if is_asked and reader.store is None:
            _note_asked(reader, answer)
        return answer


def _search_beside(reader: IndexReader, query: Query) -> Answer:
    """Answer a query, with what tracks of the talks say beside it."""
    answer = _with_emptied_note(reader, query, _search(reader, query), _search)
    note = _joined(answer.note, beside_note(reader.db, query))
    return replace(answer, hits=with_beside(reader.db, query, answer.hits), note=note)


def _search(reader: IndexReader, query: Query) -> Answer:
    """Answer a query inside a snapshot."""
    text, quotes = split_quotes(query.text)
    is_quote = query.mode == "quote" or quotes == (text,)
    # Encoding comes first, because it takes longest and goes on beside the rest.
    encoded = None if is_quote else _encode(reader, text, with_vector=_compares_vectors(reader, query), by_token=True)
    if encoded is None:
        return _answer_quote(reader, query, text)
    allowed, note = _allowed(reader, query.filters, quotes, encoded, query.mode)
    answer = _answer(
        reader,
        query,
        encoded,
        allowed,
        lambda filters: _allowed(reader, filters, quotes, encoded, query.mode)[0],
    )
    return replace(answer, note=_joined(note, answer.note))


def _note_asked(reader: IndexReader, answer: Answer) -> None:
    """Note the talks of the first hits, where passages of the index wait for vectors."""
    if reader.db.execute("SELECT 1 FROM passages WHERE NOT embedded LIMIT 1").fetchone():
        ids = list(dict.fromkeys(hit.talk_id for hit in answer.hits[:_FIRST_HITS]))
        number_of = dict(
            reader.db.execute(f"SELECT id, number FROM talks WHERE id IN ({catalog.placeholders(len(ids))})", ids)  # noqa: S608
        )
        asked.note(reader.folder, [number_of[talk_id] for talk_id in ids])


def _allowed(
    reader: IndexReader, filters: Filters, quotes: Sequence[str], encoded: EncodedQuery, mode: Mode
) -> tuple[Ints | None, str]:
    """Return the numbers of the passages that may be hits, sorted, None for all; and what the user must know of it."""
    allowed = _passing(reader, filters)
    if encoded.is_name and mode != "semantic":
        named = passages_with_names(reader.table(), encoded)
        allowed = named if allowed is None else np.intersect1d(allowed, named)
    note = ""
    for quote in quotes:
        saying = _passages_saying(reader, quote, allowed)
        if len(saying):
            allowed = saying
        else:
            note = f"Nobody says {quote!r}, not even nearly; the rest was looked for."
    return allowed, note


def _passing(reader: IndexReader, filters: Filters) -> Ints | None:
    """Return the numbers of the passages that pass some filters, sorted; None where all do.

    Those of a store pass where they are of talks that were gathered.
    """
    if reader.store is not None:
        return reader.store.allowed(filters)
    if filters != Filters():
        return allowed_passages(reader.table(), filters)
    # The word index still finds passages that are left aside.
    return np.sort(reader.table().layout.numbers) if reader.avoided.columns else None


def _with_emptied_note(
    reader: IndexReader, query: Query, answer: Answer, ask: Callable[[IndexReader, Query], Answer] | None = None
) -> Answer:
    """Return an answer that says which filter left nothing of it, where one did.

    `ask` answers the query once more; without it whatever a filter lets through is a hit.
    """
    if answer.hits or query.filters == Filters():
        return answer

    def passes(filters: Filters) -> bool:
        if reader.store is not None:
            return reader.store.passes(filters)
        allowed = allowed_passages(reader.table(), filters)
        return allowed is None or len(allowed) > 0

    def finds(filters: Filters) -> bool:
        if not passes(filters):
            return False
        shorter = replace(query, filters=filters, k=1, heat=False, timeline=False, facets=False)
        if reader.store is not None and ask is not None:
            reader.store.gather(reader, shorter)
        return ask is None or bool(ask(reader, shorter).hits)

    emptied = emptied_by(query.filters, finds, passes)
    if emptied is None:
        return answer
    tracks = ""
    if query.filters.language and "language" in emptied.filters:
        tracks = language_of_tracks_note(reader.db, query.filters.language)
    return replace(answer, emptied=emptied.filters, note=_joined(emptied.sentence, tracks, answer.note))


def similar(reader: IndexReader, query: Query, talk_id: str, at_ms: int) -> Answer:
    """Find passages like the one that is said in a talk at a moment, that moment itself left out.

    Raises QueryError when nothing is said there.

    Args:
        reader: The index.
        query: How many hits, from which talks and in which mode. Its text does not count.
        talk_id: The talk's id.
        at_ms: The moment, in milliseconds from the talk's start.
    """
    if reader.store is not None:
        reader.store.gather_talk(reader, talk_id)
        with catalog.snapshot(reader.db):
            likeness = _likeness(reader, query, passage_at(reader.db, talk_id, at_ms))
        reader.store.gather_like(query, likeness.terms, likeness.vector, talk_id)
    with catalog.snapshot(reader.db):
        return around_damage(reader, query, lambda: _similar(reader, query, talk_id, at_ms))


def _similar(reader: IndexReader, query: Query, talk_id: str, at_ms: int) -> Answer:
    """Find passages like one inside a snapshot."""
    passage = passage_at(reader.db, talk_id, at_ms)
    answer = _answer(
        reader,
        query,
        _likeness(reader, query, passage),
        _passing(reader, query.filters),
        partial(_passing, reader),
        Origin(passage.number, passage.start_ms, passage.end_ms),
    )
    like = Like(talk_id, passage.title, passage.start_ms, passage.end_ms, passage.text)
    answer = replace(answer, hits=with_beside(reader.db, query, answer.hits), like=like)
    return _with_emptied_note(reader, query, answer)


def _likeness(reader: IndexReader, query: Query, passage: SpokenPassage) -> EncodedQuery:
    """Return what passages like one are looked for by."""
    # Its rarest terms say what it is about; all of them would find whoever talks alike.
    table = reader.table()
    weights = table.term_weights(query_terms(reader.db, passage.text))
    telling = tuple(sorted(weights, key=lambda term: -weights[term])[:_TELLING_TERMS])
    stored = table.vector(table.place(passage.number))
    vector: Callable[[], Floats] | None = None
    if stored is not None:
        vector = partial(np.asarray, stored)
    elif _compares_vectors(reader, query):
        vector = _vector_of(reader.encode(passage.text))
    return EncodedQuery(telling, {}, vector, is_query=False)


def _compares_vectors(reader: IndexReader, query: Query) -> bool:
    """Say whether a query is compared with vectors: its mode asks for it, and there are some."""
    return query.mode != "lexical" and reader.has_vectors()


def _answer_quote(reader: IndexReader, query: Query, text: str) -> Answer:
    """Return the places in which a text was said."""
    # Most searches are for no quote, and start sooner without rapidfuzz.
    from talksearch.search.quotes import find, in_tracks

    allowed = _passing(reader, query.filters)
    count = max(query.k, _FEW_QUOTES) if query.per_talk is None else _MOST_QUOTES

    def matches(most: int) -> list[QuoteMatch]:
        found = find.find_quotes(reader.db, text, allowed, most)
        return found if reader.store is None else reader.store.in_order(found)

    quotes = matches(count)
    hits = quote_hits(reader.db, query, quotes)
    if len(quotes) == count < _MOST_QUOTES and any(hit.also_at for hit in hits):
        # Where a talk says it over and over, other talks stand behind, and the count is of all places.
        hits = quote_hits(reader.db, query, matches(_MOST_QUOTES))
    note = ""
    if not hits:
        hits, note = hits_of_tracks(reader.db, query, in_tracks.find_in_tracks(reader.db, text, allowed))
    answer = Answer(tuple(hits), tuple(terms(text)), note)
    if not query.facets:
        return answer
    table = reader.table()

    def saying(filters: Filters) -> Ints:
        passing = _passing(reader, filters)
        found = [quoted.passages[0] for quoted in find.find_quotes(reader.db, text, passing, _MOST_QUOTES)]
        found = found or [quoted.passage for quoted in in_tracks.find_in_tracks(reader.db, text, passing)]
        numbers = np.array(found, np.int64)
        places = table.places(numbers)
        return places[places >= 0]

    return replace(answer, facets=count_facets(table, query.filters, saying))


def _passages_saying(reader: IndexReader, quote: str, allowed: Ints | None) -> Ints:
    """Return the numbers of the passages in which a quote lies, sorted."""
    # Most searches are for no quote, and start sooner without rapidfuzz.
    from talksearch.search.quotes import find, in_tracks
    from talksearch.search.quotes.quote import is_long

    sure = find.saying_surely(reader.db, quote, allowed)
    if len(sure) >= _MOST_QUOTES:
        return sure
    others = allowed
    if len(sure):  # to find where a quote begins and ends takes long, and is not needed here
        numbers = reader.table().layout.numbers if allowed is None else allowed
        others = np.setdiff1d(numbers, sure, assume_unique=True)
    count = _MOST_INEXACT_QUOTES if is_long(quote) else _MOST_QUOTES
    quotes = find.find_quotes(reader.db, quote, others, count)
    saying = np.array([number for quoted in quotes for number in quoted.passages], np.int64)
    if not len(sure) and not len(saying):
        saying = np.array([quoted.passage for quoted in in_tracks.find_in_tracks(reader.db, quote, allowed)], np.int64)
    return np.unique(np.concatenate([sure, saying]))


def _answer(
    reader: IndexReader,
    query: Query,
    encoded: EncodedQuery,
    allowed: Ints | None,
    allow: Allow,
    origin: Origin | None = None,
) -> Answer:
    """Rank the passages for an encoded query, and return the best ones as hits.

    Args:
        reader: The index.
        query: How to rank, and what to show.
        encoded: What to look for.
        allowed: The numbers of the passages that may be hits, sorted; None allows all.
        allow: Returns what may be with other filters, which facets are counted with.
        origin: The passage that others like it are looked for; None for a query.
    """
    table = reader.table()
    if query.mode == "semantic" and encoded.vector is None:
        return Answer((), encoded.terms, missing_vectors_note(table))
    avoided = None
    if query.avoid.strip():
        avoided = _encode(reader, query.avoid, with_vector=encoded.vector is not None)
    usual = calibration.read(reader.folder, reader.recipe.model)
    if usual is not None and reader.store is not None:  # it is that of the writer that has put most
        usual = calibration.grown(usual, table.vector_count)
    calibrated = usual if encoded.is_query else None
    term_weights = table.term_weights(encoded.terms)  # before the vector is waited for
    view = cache(partial(view_passage, reader.db, encoded.variants, term_weights))
    source = Source(table, reader.encoder_pool)
    ranked = ranking = rank(source, query, encoded, avoided, allowed, view)
    scorer = _token_scorer(reader, encoded, term_weights)
    if scorer and query.mode == "hybrid":
        ranking = replace(ranking, candidates=late_interaction.rerank(ranking.candidates, scorer))
    grade_of = partial(_grader_of, query, encoded, calibrated, knows_languages(reader.recipe.model.name))
    grade = grade_of(ranking)
    said = (*encoded.terms, *variant_terms(encoded.variants))
    named = frozenset(name for variants in encoded.variants.values() for name in variants.speakers)
    fair = fair_cosine(usual)
    hits = to_hits(Assembly(reader.db, query, said, ranking, view, origin, grade, scorer, fair, named))
    # Where a name was taken for another, the note says so, and a person is not the less found for speaking often.
    nothing_good = "" if encoded.note else verdict(hits)
    if nothing_good:
        hits = [replace(hit, matches=()) for hit in hits]
    facets: Facets | None = None
    if query.facets:

        def answering_with(filters: Filters) -> Ints:
            if filters != query.filters:
                other = rank(source, query, encoded, avoided, allow(filters))
                return answering(table, other, grade_of(other))
            shown = places_of_hits(table, hits)
            return np.union1d(shown, answering(table, ranked, grade_of(ranked)))

        facets = count_facets(table, query.filters, answering_with)
    ungraded = ""
    if encoded.is_query and hits and not ranking.note:
        # A note of the ranking says that vectors are waited for or lost. Then that is why nothing was measured.
        ungraded = ungraded_note(query.mode, calibrated, table)
    foreign = foreign_query_note(reader.db, query, reader.recipe.model.name) if nothing_good or not hits else ""
    note = _joined(encoded.note, ranking.note, ungraded, nothing_good, foreign)
    return Answer(tuple(hits), encoded.terms, note, facets=facets)


def _grader_of(
    query: Query, encoded: EncodedQuery, calibrated: Calibration | None, knows: bool, ranking: Ranking
) -> Grader | None:
    """Return what grades the candidates of a ranking; None for a passage that others like it are looked for."""
    return grader(ranking, query.mode, encoded, calibrated, knows_languages=knows) if encoded.is_query else None


def _encode(reader: IndexReader, text: str, *, with_vector: bool, by_token: bool = False) -> EncodedQuery:
    """Return a text as what is looked for, while its vector is still in the making.

    Args:
        reader: The index.
        text: The query.
        with_vector: Whether the text is compared with vectors.
        by_token: Whether it may be compared token by token as well.
    """
    directions = reader.directions() if by_token else None
    encoding = reader.encode(text) if with_vector else None
    wanted = query_terms(reader.db, text)
    expanded = with_characters(reader.table(), wanted, expand_terms(reader.db, text, wanted, reader.compounds))
    variants, note, is_name = with_names(reader.table(), text, wanted, expanded)
    language = partial(_language_of, reader, text)
    if encoding is None:
        return EncodedQuery(wanted, variants, note=note, is_name=is_name, language=language)
    tokens: Callable[[Mapping[str, float]], QueryTokens | None] | None = None
    if directions is not None:
        tokens = partial(_query_tokens, text, encoding, directions)
    return EncodedQuery(wanted, variants, _vector_of(encoding), tokens, note=note, is_name=is_name, language=language)


def _language_of(reader: IndexReader, text: str) -> str | None:
    """Return the language of a text, where its words tell it."""
    known = set(filter(None, reader.table().languages())) if reader.store is None else reader.store.languages()
    return query_language(text, known)


def _vector_of(encoding: Future[QueryEncoding]) -> Callable[[], Floats]:
    """Return what waits for the vector of an encoding."""
    return lambda: encoding.result().vector


def _query_tokens(
    text: str, encoding: Future[QueryEncoding], directions: Floats, term_weights: Mapping[str, float]
) -> QueryTokens | None:
    """Wait for the encoding of a query, and return its tokens that count."""
    return late_interaction.query_tokens(text, encoding.result(), directions, term_weights)


def _token_scorer(reader: IndexReader, encoded: EncodedQuery, term_weights: Mapping[str, float]) -> TokenScorer | None:
    """Return what compares passages with the query token by token; None where that is not known."""
    tokens = encoded.tokens(term_weights) if encoded.tokens else None
    if tokens is None:
        return None
    codes: dict[int, bytes] = {}  # a hit is compared again when its jump is placed

    def read_codes(numbers: Sequence[int]) -> dict[int, bytes]:
        missing = [number for number in numbers if number not in codes]
        if missing:
            codes.update(catalog.read_tokens(reader.db, missing))
            reader.lacks_codes |= not codes.keys() >= set(missing)
        return {number: codes[number] for number in numbers if number in codes}

    return TokenScorer(tokens, read_codes, reader.count_tokens)


def _joined(*notes: str) -> str:
    return " ".join(filter(None, notes))
