"""The first page with the answers to what is asked there, and the archive at a glance: its talks, its topics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talksearch.cli.render.common import counted
from talksearch.indexer.errors import TalksearchError
from talksearch.search.options import make_query

from . import filters_view, talks_view
from .addresses import FILTERS, PageAddress, shortened
from .asking import with_index
from .left_column import left_column, wrong
from .parameters import only, options, parameters
from .shell import Column, framed, shorter, shown

if TYPE_CHECKING:
    from talksearch.indexer.stores.topics import TopicMap
    from talksearch.search.reader import IndexReader
    from talksearch.search.talk_list import TalkList

# The first page must not wait for numpy and its like, so what imports them is imported where it is needed.


async def _first(request: Request) -> Response:
    try:
        here = PageAddress("/", shortened(parameters(request, "q", "like", ignore_foreign=True)))
    except TalksearchError as error:
        return shown(request, PageAddress("/", {}), wrong(error))
    return shorter(request, here) or shown(request, here, await framed(request, await left_column(request, here)))


async def _talks(request: Request) -> Response:
    """Return the list of all talks, or of those that pass filters."""
    try:
        here = PageAddress("/talks", shortened(only(request, (*FILTERS, "sort", "page"), ignore_foreign=True)))
        if short := shorter(request, here):
            return short
        filters = make_query("", **options(here.given)).filters
        undated = replace(filters, after=None, before=None)

        def work(index: IndexReader) -> tuple[TalkList, TalkList]:
            from talksearch.search.remote.listing import talk_list

            found = talk_list(index, filters)
            return found, found if undated == filters else talk_list(index, undated)

        found, of_all_dates = await with_index(request, work)
        listing = talks_view.listing(here, found.talks, [talk.date for talk in of_all_dates.talks])
    except TalksearchError as error:
        return shown(request, PageAddress("/", {}), wrong(error))
    values = {"listing": listing, "chips": filters_view.chips(here), "menus": filters_view.menus(here, found.facets)}
    column = Column("talks.html", "Talks · talksearch", values, listing.count)
    return shown(request, here, await framed(request, column))


async def _map(request: Request) -> Response:
    """Return the map of topics, of all talks or of those that pass filters."""
    try:
        here = PageAddress("/map", shortened(only(request, (*FILTERS, "topic"), ignore_foreign=True)))
        if short := shorter(request, here):
            return short
        filters = make_query("", **options(here.given)).filters

        def work(index: IndexReader) -> tuple[TopicMap | None, TalkList]:
            from talksearch.indexer.stores import topics
            from talksearch.search.remote.listing import talk_list

            return topics.read(index.folder), talk_list(index, filters)

        from . import map_view  # statistics

        topic_map, found = await with_index(request, work)
        drawn = map_view.map_view(here, topic_map, found.talks) if topic_map and topic_map.points else None
    except TalksearchError as error:
        return shown(request, PageAddress("/", {}), wrong(error))
    is_store = request.app.state.pool.store is not None
    values = {
        "map": drawn,
        "is_store": is_store,
        "chips": filters_view.chips(here),
        "menus": filters_view.menus(here, found.facets),
    }
    count = counted("talk", len(found.talks))
    column = Column("map.html", "Map of topics · talksearch", values, count)
    return shown(request, here, await framed(request, column))


ROUTES = (Route("/", _first), Route("/talks", _talks), Route("/map", _map))
