"""The left column: what answers the question of a page, or what there is where it asks none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from starlette.requests import Request

from talksearch.cli.answers import search, similar
from talksearch.cli.pool.index_pool import state_of
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.text.untrusted import safe
from talksearch.search import overview
from talksearch.search.answer import Answer
from talksearch.search.options import make_query
from talksearch.search.overview import Overview, Version
from talksearch.search.query import Filters, Query

from . import answers_view, filters_view, start_view
from .addresses import PageAddress
from .asking import with_catalog, with_index
from .hints import for_people
from .parameters import Parameters, languages_read, last, options
from .problems import status_of
from .recent_answers import Recall
from .shell import Column

if TYPE_CHECKING:
    from talksearch.search.reader import IndexReader
    from talksearch.search.talk_list import TalkList

# The first page must not wait for numpy, so what imports it is imported by the workers.

_Kept = tuple[Version, Overview]
"""What an archive holds, and the version of the catalog that says so."""


async def left_column(request: Request, here: PageAddress) -> Column:
    """Return the answers to what a page asks, the first look where it asks nothing, or what is wrong with it."""
    try:
        if {"q", "like"} & here.given.keys():
            return answers_column(here, await answered(request, here.given))
        return await _start(request, here)
    except TalksearchError as error:
        return wrong(error)


def wrong(error: TalksearchError) -> Column:
    """Return what says that something cannot be answered, and what to do."""
    values = {"message": safe(error.message), "hint": safe(for_people(error.hint))}
    return Column("wrong.html", "talksearch", values, safe(error.message), status_of(error))


async def _start(request: Request, here: PageAddress) -> Column:
    """Return the first look at the archive. What it holds is kept until the archive changes."""
    filters = make_query("", **options(here.given)).filters
    state = request.app.state
    kept, passing = getattr(state, "first_look", None), None
    is_store = state.pool.store is not None
    if not is_store:
        kept = await with_catalog(request, partial(_known, folder=state.pool.folder, kept=kept))
    if is_store or kept is None or filters != Filters():
        counted, passing = await with_index(request, partial(_counted, kept=kept, filters=filters))
        kept = counted
    state.first_look, seen = kept, kept[1]
    values = {
        "first": start_view.first_look(here, seen, len(passing.talks) if passing else None),
        "chips": filters_view.chips(here),
        "menus": filters_view.menus(here, passing.facets if passing else seen.facets),
    }
    return Column("start.html", "talksearch", values)


def _known(db: Connection, folder: Path, kept: _Kept | None) -> _Kept | None:
    """Return what the archive holds now, where that was kept here or in the index; None where it must be counted."""
    version = catalog.version(db)
    if kept and kept[0] == version:
        return kept
    stored = overview.read(folder, version)
    return (version, stored) if stored else None


def _counted(index: IndexReader, kept: _Kept | None, filters: Filters) -> tuple[_Kept, TalkList | None]:
    """Return what the archive holds, and the talks that pass filters; None where none is set."""
    from talksearch.search.remote.listing import overview_of, talk_list

    # Of a store, every version lies in a folder of its own.
    version = catalog.version(index.db) if index.store is None else (crc32(index.folder.name.encode()), 0)
    seen = kept if kept and (index.store is None or kept[0] == version) else (version, overview_of(index))
    return seen, talk_list(index, filters) if filters != Filters() else None


class Answered(NamedTuple):
    """What a page asked, and the answer."""

    answer: Answer
    lengths_ms: dict[str, int]
    """Of the talks of its hits, by id."""
    titles: dict[str, str]
    """Of the talks that filters name, by id."""


async def answered(request: Request, given: Parameters) -> Answered:
    """Return the answer to a question, or to a moment that others like it are looked for.

    Raises TalksearchError where it cannot be answered.
    """
    reads = languages_read(request.headers.get("accept-language", ""))
    query = replace(make_query(last(given, "q"), **options(given)), timeline=True, facets=True, reads=reads)
    like = "" if query.text else last(given, "like")
    return await with_index(request, partial(_ask, query=query, like=like, recall=request.app.state.recall))


def answers_column(here: PageAddress, found: Answered) -> Column:
    """Return the column that shows an answer."""
    answer = found.answer
    count = answers_view.count_of(answer)
    values = {
        "count": count,
        "total": len(answer.hits),
        "note": safe(for_people(answer.note)),
        "talks": answers_view.by_talk(here, answer, found.lengths_ms),
        "like": answers_view.like_view(answer.like) if answer.like else None,
        "chips": filters_view.chips(here, found.titles),
        "menus": filters_view.menus(here, answer.facets, answer.counted_talks),
        "advice": None if answer.hits or answer.emptied else answers_view.advice(here),
        "emptied": list(filters_view.without(here, answer.emptied)) if not answer.hits else [],
    }
    asked = last(here.given, "q") or (f"Like {answer.like.title}" if answer.like else "")
    return Column("answers.html", f"{safe(asked)} · talksearch", values, count)


def _ask(index: IndexReader, query: Query, like: str, recall: Recall) -> Answered:
    def ask() -> Answer:
        return search(index, query) if query.text else similar(index, like, query)

    # The talks of an answer that another worker made of a store are not held here.
    answer = recall((state_of(index), query, like), ask) if index.store is None else ask()
    lengths_ms = catalog_talks.talk_lengths(index.db, list({hit.talk_id for hit in answer.hits}))
    named = {talk_id: catalog_talks.read_talk(index.db, talk_id, cues=False) for talk_id in query.filters.talks}
    return Answered(answer, lengths_ms, {talk_id: talk.title for talk_id, talk in named.items() if talk})
