"""Lists and counts of talks: of an index, or of a store, which tells them by the facts of its talks alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast, get_args

from talksearch.indexer.records import Json, Talk, Timing
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.stores.remote.engine import TalkFacts
from talksearch.search import make_overview
from talksearch.search import overview as overviews
from talksearch.search.facets import Facets, count_values, languages_taken_in
from talksearch.search.make_overview import FEW_TALKS
from talksearch.search.overview import Overview
from talksearch.search.query import Filters
from talksearch.search.ranking.filters import allowed_talks
from talksearch.search.reader import IndexReader
from talksearch.search.talk_list import TalkList, list_talks

from .store_talks import StoreTalks
from .version_folder import file_name


def store_of(reader: IndexReader) -> StoreTalks:
    """Return the store that a reader answers from; only readers of `current_store` have one."""
    assert isinstance(reader.store, StoreTalks)
    return reader.store


def facts_of(reader: IndexReader) -> list[TalkFacts]:
    """Return the facts of all talks of a store, by title."""
    return store_of(reader).facts.all()


def listed_talks(reader: IndexReader, filters: Filters | None = None) -> list[Talk]:
    """Return the talks that pass filters, by title, without their cues. A store tells less of each.

    Raises QueryError where a filter names a talk that is not there.
    """
    passing = filters or Filters()
    if reader.store is None:
        allowed = allowed_talks(reader.table(), passing)
        talks = catalog_talks.read_talks(reader.db)
        return [talk for talk in talks if allowed is None or talk.id in allowed]
    ids = store_of(reader).facts.narrow(passing).talk_ids
    return [
        Talk(
            id=talk.id,
            source=file_name(talk.path),
            title=talk.title,
            cues=(),
            timing=_timing(talk),
            youtube_id=talk.youtube_id,
            channel=talk.channel,
            speaker=talk.speaker,
            language=talk.language,
            date=talk.date,
            duration_ms=talk.duration_ms,
        )
        for talk in facts_of(reader)
        if talk.id in ids
    ]


def talk_list(reader: IndexReader, filters: Filters) -> TalkList:
    """Return the talks that pass some filters, with what else there is to choose from, as `talk_list.list_talks` does.

    Raises QueryError where a filter names a talk that is not there.
    """
    if reader.store is None:
        return list_talks(reader, filters)
    facts = store_of(reader).facts
    every = facts.all()

    def passing(wider: Filters) -> list[TalkFacts]:
        ids = facts.narrow(wider).talk_ids
        return [talk for talk in every if talk.id in ids]

    return TalkList(
        tuple(map(_told, passing(filters))),
        Facets(
            channel=_facets(passing(replace(filters, channel=None))).channel,
            speaker=_facets(passing(replace(filters, speaker=None))).speaker,
            language=_facets(passing(replace(filters, language=None))).language,
            year=_facets(passing(replace(filters, after=None, before=None))).year,
            timing=_facets(passing(replace(filters, timing=None))).timing,
        ),
    )


def overview_of(reader: IndexReader) -> Overview:
    """Return what an archive holds. A store has no questions to ask it."""
    if reader.store is None:
        return make_overview.make_overview(reader)
    talks = facts_of(reader)
    dated = [talk for talk in talks if talk.date]
    years = [int(talk.date[:4]) for talk in dated if talk.date]
    newest = sorted(dated, key=lambda talk: talk.date or "", reverse=True)[:FEW_TALKS]
    longest = sorted(talks, key=lambda talk: -(talk.duration_ms or 0))[:FEW_TALKS]
    return Overview(
        talks=len(talks),
        length_ms=sum(talk.duration_ms or 0 for talk in talks),
        first_year=min(years, default=None),
        last_year=max(years, default=None),
        facets=_facets(talks),
        newest=tuple(map(_told, newest)),
        longest=tuple(map(_told, longest)),
        questions=(),
    )


def gather_stats(reader: IndexReader) -> dict[str, Json]:
    """Return the facts about a store, by the names of `talksearch stats`."""
    store = store_of(reader)
    facts = store.facts.all()
    languages: dict[str, int] = {}
    for talk in facts:
        languages[talk.language or ""] = languages.get(talk.language or "", 0) + 1
    model = reader.recipe.model
    return {
        "store": store.address,
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


def _told(talk: TalkFacts) -> overviews.TalkFacts:
    return overviews.TalkFacts(
        talk.id,
        talk.title,
        talk.channel,
        talk.speaker,
        talk.date,
        talk.language,
        _timing(talk),
        talk.duration_ms or 0,
    )


def _timing(talk: TalkFacts) -> Timing:
    return cast(Timing, talk.timing) if talk.timing in get_args(Timing) else "estimated"


def _facets(talks: Iterable[TalkFacts]) -> Facets:
    known = list(enumerate(talks))
    tags = [(number, talk.language) for number, talk in known if talk.language]
    speakers = [(number, name) for number, talk in known for name in (talk.speaker, *talk.speakers) if name]
    return Facets(
        channel=count_values((number, talk.channel) for number, talk in known if talk.channel),
        speaker=count_values(speakers),
        language=count_values(tags, languages_taken_in(tag for _, tag in tags)),
        year=count_values((number, talk.date[:4]) for number, talk in known if talk.date),
        timing=count_values((number, talk.timing) for number, talk in known),
    )
