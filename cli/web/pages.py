"""The pages: what there is, what answers, and the talk that is open beside it.

One shell shows them all: answers on the left, in `#answers`, and a talk on the right, in `#talk`. A script that wants
only one of the two names it in the header `HX-Target`, and gets what belongs into it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from talksearch.cli.answers import similar
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.untrusted import safe
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.options import make_query, option_named
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader

from . import answers_view, filters_view
from .addresses import Here, address, changed, shortened
from .asking import with_index
from .parameters import Parameters, last, options, parameters
from .problems import status_of
from .templating import rendered


@dataclass(frozen=True, slots=True)
class _Left:
    """What stands on the left of a page: a template, and what it shows."""

    template: str
    title: str
    count: str
    """What a screen reader is told when it changes."""
    values: dict[str, object]
    status: int = 200


async def _first(request: Request) -> Response:
    """Return the first page, or the answer to what is asked."""
    try:
        given = shortened(parameters(request, "q", "like", ignore_foreign=True))
    except TalksearchError as error:
        return _shown(request, Here("/", {}), _wrong(error))
    here = Here("/", given)
    if short := _shorter(request, here):
        return short
    return _shown(request, here, await _left(request, here))


async def _left(request: Request, here: Here) -> _Left:
    """Return what answers the question of a page, or what there is where it asks none."""
    try:
        return await _answered(request, here) if {"q", "like"} & here.given.keys() else await _start(request, here)
    except TalksearchError as error:
        return _wrong(error)


def _shorter(request: Request, here: Here) -> Response | None:
    """Return a redirection to the short address of a page; None where it has that one already, or a script asks."""
    asked = Counter(request.query_params.multi_items())
    if "hx-request" in request.headers or asked == Counter((n, t) for n, texts in here.given.items() for t in texts):
        return None
    return RedirectResponse(address(here.path, here.given), 302)


async def _start(request: Request, here: Here) -> _Left:
    query = make_query("", **options(here.given))
    del query
    return _Left("start.html", "talksearch", "", {"chips": filters_view.chips(here)})


async def _answered(request: Request, here: Here) -> _Left:
    """Return the answer to the question of a page."""
    given = here.given
    query = replace(make_query(last(given, "q"), **options(given)), timeline=True, facets=True)
    answer, lengths_ms, titles = await with_index(request, partial(_ask, query=query, like=last(given, "like")))
    asked = last(given, "q") or f"Like {last(given, 'like')}"
    count = answers_view.count_of(answer)
    emptied = answer.emptied
    values: dict[str, object] = {
        "count": count,
        "note": safe(answer.note),
        "talks": answers_view.by_talk(here, answer, lengths_ms),
        "like": answers_view.like_view(here, answer.like) if answer.like else None,
        "chips": filters_view.chips(here, titles),
        "menus": filters_view.menus(here, answer.facets),
        "emptied": list(filters_view.without(here, emptied)) if not answer.hits else [],
    }
    return _Left("answers.html", f"{safe(asked)} · talksearch", count, values)


def _ask(index: IndexReader, query: Query, like: str) -> tuple[Answer, dict[str, int], dict[str, str]]:
    """Return an answer, the lengths of its talks, and the titles of the talks that filters name."""
    answer = engine.search(index, query) if query.text else similar(index, like, query)
    lengths_ms = catalog.talk_lengths(index.db, list({hit.talk_id for hit in answer.hits}))
    named = {talk_id: catalog.read_talk(index.db, talk_id, cues=False) for talk_id in query.filters.talks}
    return answer, lengths_ms, {talk_id: talk.title for talk_id, talk in named.items() if talk}


def _wrong(error: TalksearchError) -> _Left:
    values: dict[str, object] = {"message": safe(error.message), "hint": safe(error.hint)}
    return _Left("wrong.html", "talksearch", safe(error.message), values, status_of(error))


def _shown(request: Request, here: Here, left: _Left) -> Response:
    """Return a page, or the part of it that a script asks for."""
    is_part = request.headers.get("hx-target", "").endswith("#answers")
    values = {
        **left.values,
        "here": here,
        "given": {name: safe(texts[-1]) for name, texts in here.given.items()},
        "kept": _kept(here.given),
        "modes": option_named("mode").choices,
        "title": left.title,
        "count": left.count,
        "left": left.template,
        "home": changed(Here("/", {})),
    }
    return HTMLResponse(rendered("part.html" if is_part else "page.html", **values), left.status)


def _kept(given: Parameters) -> list[tuple[str, str]]:
    """Return the parameters that a form sends along without a field for them."""
    fields = ("q", "like", "t", "mode", "after", "before", "not", "per_talk", "k")
    return [(name, safe(text)) for name, texts in given.items() if name not in fields for text in texts]


ROUTES = (Route("/", _first),)
