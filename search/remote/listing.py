"""What a store tells of itself and of its talks: lists, counts, and talks by their names."""

from __future__ import annotations

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Json
from talksearch.indexer.stores.remote.engine import TalkFacts
from talksearch.search import moments
from talksearch.search.reader import IndexReader

from .store_talks import StoreTalks


def store_of(reader: IndexReader) -> StoreTalks:
    """Return the store that a reader answers from; only readers of `current_store` have one."""
    assert isinstance(reader.store, StoreTalks)
    return reader.store


def facts_of(reader: IndexReader) -> list[TalkFacts]:
    """Return the facts of all talks of a store, by title."""
    return store_of(reader).facts.all()


def gather_talk(reader: IndexReader, name: str) -> str:
    """Fetch the talk that a name, or a moment of it, means; return its id.

    Raises QueryError where it means none, or several.
    """
    store = store_of(reader)
    without_moment, _ = moments.split_moment(name)
    try:
        return store.gather_talk(reader, name)
    except QueryError:
        if without_moment == name:
            raise
        return store.gather_talk(reader, without_moment)


def require_moment(reader: IndexReader, moment: str) -> tuple[str, int]:
    """Return the talk's id and the milliseconds that TALK@SECONDS means; the talk is fetched.

    Raises as `moments.require_moment` does.
    """
    gather_talk(reader, moment)
    return moments.require_moment(reader.db, moment)


def gather_stats(reader: IndexReader, address: str) -> dict[str, Json]:
    """Return the facts about a store, by the names of `talksearch stats`."""
    store = store_of(reader)
    facts = store.facts.all()
    languages: dict[str, int] = {}
    for talk in facts:
        languages[talk.language or ""] = languages.get(talk.language or "", 0) + 1
    model = reader.recipe.model
    return {
        "store": address,
        "version": store.kept.version.name,
        "talks": len(facts),
        "talks_estimated": sum(talk.timing == "estimated" for talk in facts),
        "hours": round(sum(talk.duration_ms or 0 for talk in facts) / 3_600_000, 2),
        "passages": store.kept.corpus.passages,
        "embedded": store.kept.corpus.vectors,
        "languages": dict(sorted(languages.items(), key=lambda count: -count[1])),
        "model": model.name,
        "dimension": model.dimension,
        "passage_words": reader.recipe.splitting.length,
        "format": reader.recipe.format,
    }
