"""The web page and the HTTP API of a server.

Pages of other sites must not reach it through the user's browser: a request has to name this machine as its host, so
that no other name can be bound to this address, and what the browser says comes from another site is refused. The
template escapes everything that it shows, and the page may load and run nothing at all.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from talksearch.cli.answers import similar
from talksearch.cli.render import common, hits, talks
from talksearch.indexer.errors import QueryError, TalksearchError, UsageError
from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import is_linkable, safe
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.hit import Hit, byline, how_good, more_places, noted, pieces, voice, when
from talksearch.search.moments import LATEST_S, cue_range, talk_and_moment
from talksearch.search.options import SEARCH_OPTIONS, OptionValue, make_query, option_named, parse_number
from talksearch.search.reader import IndexReader
from talksearch.search.stats import gather

from .index_pool import IndexPool

T = TypeVar("T")

Parameters = Mapping[str, list[str]]
"""The texts that were given for each parameter, none of them empty."""

_MOMENT_EXAMPLE = "Such as /api/similar?moment=DTcRLlMv4_o@777"
_STRETCH_EXAMPLE = "Such as /api/talk/ID?from=60&to=120"
_PATHS = "There are /api/search, /api/similar, /api/talks, /api/talk/ID and /api/stats, all to GET."

_LONGEST_TEXT = 10_000
"""Characters of a parameter."""

_PLACES = 40
"""How many places that say the same a hit has links to."""

_TEMPLATE = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
_PAGE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_TEMPLATE)


def _style_hash() -> str:
    style = re.search(r"<style>(.*?)</style>", _TEMPLATE, re.DOTALL)
    assert style is not None
    return base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()


_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_style_hash()}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def application(pool: IndexPool, host: str) -> Starlette:
    """Return the web page and API of a server that listens on `host`."""
    guard = Middleware(BaseHTTPMiddleware, dispatch=partial(_guarded, host))
    routes = [
        Route("/", _page),
        Route("/api/search", _search),
        Route("/api/similar", _similar),
        Route("/api/talks", _talks),
        Route("/api/talk/{talk:path}", _talk),
        Route("/api/stats", _stats),
    ]
    handlers: dict[Any, Any] = {
        TalksearchError: _failed, UsageError: _misused, HTTPException: _refused, Exception: _broken,
    }  # fmt: skip
    app = Starlette(routes=routes, middleware=[guard], exception_handlers=handlers)
    app.state.pool = pool
    return app


# --------------------------------------------------------------------------------------------------------- who may ask


async def _guarded(host: str, request: Request, answer: RequestResponseEndpoint) -> Response:
    headers = request.headers
    host_header = headers.get("host", "")
    other_origin = headers.get("origin", f"http://{host_header}") != f"http://{host_header}"
    other_site = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    # A link from another site may open the page, for a person to look at; nothing else may be had from there.
    opens_page = (
        headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
        and request.url.path == "/"
    )
    if not _is_here(host_header, host):
        response = _error(
            403, f"This server is not called {host_header!r}.", "Ask it by its address, such as 127.0.0.1."
        )
    elif other_origin or (other_site and not opens_page):
        response = _error(403, "Pages of other sites may not ask.", "Ask from the server's own page or a program.")
    else:
        response = await answer(request)
    response.headers.update(_HEADERS)
    return response


def _is_here(host_header: str, host: str) -> bool:
    """Say whether a Host header means this machine: by an address, which nobody can bind anew, or by its own name.

    >>> [_is_here(name, "127.0.0.1") for name in ("localhost:80", "127.0.0.1:8376", "[::1]:80", "evil.example", "")]
    [True, True, True, False, False]
    """
    try:
        name = urlsplit(f"//{host_header}").hostname or ""
        if name in ("localhost", host.lower()):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _error(status: int, message: str, hint: str) -> Response:
    return JSONResponse({"error": message, "hint": hint}, status)


async def _failed(_: Request, error: TalksearchError) -> Response:
    return _error(_status(error), error.message, error.hint)


def _status(error: TalksearchError) -> int:
    return 400 if isinstance(error, QueryError) else 503


async def _misused(request: Request, error: UsageError) -> Response:
    is_reading = request.url.path.startswith("/api/talk/")
    return _error(400, error.message, _STRETCH_EXAMPLE if is_reading else _MOMENT_EXAMPLE)


async def _refused(_: Request, error: HTTPException) -> Response:
    return _error(error.status_code, f"{error.detail}.", _PATHS)


async def _broken(_: Request, __: Exception) -> Response:
    return _error(500, "Something went wrong inside.", "What it was stands where the server was started.")


# ------------------------------------------------------------------------------------------------------------ the API


async def _search(request: Request) -> Response:
    given = _parameters(request, "q")
    query = make_query(_last(given, "q"), **_options(given))
    return _answered(await _with_index(request, partial(engine.search, query=query)))


async def _similar(request: Request) -> Response:
    given = _parameters(request, "moment")
    moment = _last(given, "moment")
    if not moment:
        raise QueryError("Say which moment.", _MOMENT_EXAMPLE)
    query = make_query("", **_options(given))
    return _answered(await _with_index(request, partial(similar, moment=moment, query=query)))


def _answered(answer: Answer) -> Response:
    return JSONResponse(answer.to_dict())


async def _talks(request: Request) -> Response:
    def work(index: IndexReader) -> list[dict[str, Json]]:
        sizes = catalog.talk_sizes(index.db)
        return [talks.talk_json(talk, *sizes.get(talk.id, (0, 0))) for talk in catalog.read_talks(index.db)]

    return JSONResponse({"talks": await _with_index(request, work)})


async def _talk(request: Request) -> Response:
    name = request.path_params["talk"]
    from_ms, to_ms = (_milliseconds(request, parameter) for parameter in ("from", "to"))

    def work(index: IndexReader) -> dict[str, Json] | QueryError:
        try:
            talk, moment_ms = talk_and_moment(index.db, name)
        except QueryError as error:
            return error
        positions, _ = cue_range(talk, moment_ms if from_ms is None else from_ms, to_ms)
        size = catalog.talk_sizes(index.db).get(talk.id, (0, 0))
        return {"talk": talks.talk_json(talk, *size), "cues": list(talks.cues_json(talk, positions))}

    reading = await _with_index(request, work)
    return _error(404, reading.message, reading.hint) if isinstance(reading, QueryError) else JSONResponse(reading)


async def _stats(request: Request) -> Response:
    return JSONResponse(await _with_index(request, lambda index: gather(index.folder)))


async def _with_index(request: Request, work: Callable[[IndexReader], T]) -> T:
    pool: IndexPool = request.app.state.pool
    return await asyncio.wrap_future(pool.submit(work))


def _parameters(request: Request, *others: str) -> Parameters:
    """Return what was given for the options of a search and for `others`; empty texts are left out, as a form sends
    them. Raises QueryError where there is no such parameter, or its text is too long.
    """
    names = (*others, *(option.public_name for option in SEARCH_OPTIONS))
    given: dict[str, list[str]] = {}
    for name, text in request.query_params.multi_items():
        if name not in names:
            raise QueryError(f"There is no parameter {name!r}.", f"There are {', '.join(names)}.")
        if len(text) > _LONGEST_TEXT:
            raise QueryError(f"The text has {len(text):,} characters.", f"Give at most {_LONGEST_TEXT:,}.")
        if text.strip():
            given.setdefault(name, []).append(text)
    return given


def _options(given: Parameters) -> dict[str, OptionValue]:
    """Return the options of a search that were given. Raises QueryError where one cannot have its value."""
    return {
        option.name: option.parse(given[option.public_name]) for option in SEARCH_OPTIONS if option.public_name in given
    }


def _last(given: Parameters, name: str) -> str:
    """Return the last text that was given for a parameter; empty where there is none."""
    return given.get(name, [""])[-1]


def _milliseconds(request: Request, name: str) -> int | None:
    """Return a time that is given in seconds; None where there is none. Raises QueryError where it is no time."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    seconds = parse_number(text)
    if seconds is None or seconds > LATEST_S:
        raise QueryError(f"{name} is {text!r}.", f"Give a number of seconds from 0 to {LATEST_S:,.0f}.")
    return round(seconds * 1000)


# ----------------------------------------------------------------------------------------------------------- the page


async def _page(request: Request) -> Response:
    answer: Answer | None = None
    error: TalksearchError | None = None
    given: Parameters = {}
    try:
        given = _parameters(request, "q", "like")
        options = _options(given)
        if "q" in given:
            query = make_query(_last(given, "q"), **options)
            answer = await _with_index(request, partial(engine.search, query=query))
        elif "like" in given:
            moment, query = _last(given, "like"), make_query("", **options)
            answer = await _with_index(request, partial(similar, moment=moment, query=query))
    except TalksearchError as raised:
        error = raised
    page = _PAGE.render(
        given={name: safe(texts[-1]) for name, texts in given.items()},
        talks=[safe(name) for name in given.get("talk", [])],
        modes=option_named("mode").choices,
        note=safe(answer.note) if answer else "",
        answered=answer is not None,
        hits=[_shown(hit, given) for hit in answer.hits] if answer else [],
        error=safe(error.message) if error else "",
        hint=safe(error.hint) if error else "",
    )
    return HTMLResponse(page, _status(error) if error else 200)


def _shown(hit: Hit, given: Parameters) -> dict[str, object]:
    """Return what the page shows of a hit: texts without control characters, for the template to escape."""
    middle_s = (hit.start_ms + hit.end_ms) // 2 / 1000
    others = {name: texts[-1] for name, texts in given.items() if name not in ("like", "per_talk", "talk")}
    return {
        "title": safe(hit.title),
        "link": _link(hit.url),
        "url": safe(hit.url),
        "facts": safe(" · ".join(filter(None, (byline(hit), hit.date, how_good(hit))))),
        "when": when(hit),
        "heat": hits.heat_line(hit.heat),
        "note": safe(noted(hit)),
        "language": hit.language or "",
        "parts": [(safe(text), is_marked) for text, is_marked in pieces(hit.text, hit.matches)],
        "is_said": hit.mark_kind == "said",
        "voice": safe(voice(hit)),
        "places": [
            {"when": f"{common.mark(hit.timing)}{show_clock(place.jump_ms)}", "link": _link(place.url)}
            for place in hit.also_at[:_PLACES]
        ],
        "more_places": more_places(len(hit.also_at)) if hit.also_at else "",
        "has_more_places": len(hit.also_at) > _PLACES,
        "differs": safe(hits.difference(hit.quote)) if hit.quote is not None and hit.quote.score < 1 else "",
        "copies": [
            {
                "title": safe(copy.title),
                "when": f"{common.mark(copy.timing)}{show_clock(copy.jump_ms)}",
                "link": _link(copy.url),
                "more": more_places(copy.more_places) if copy.more_places else "",
            }
            for copy in hit.copies
        ],
        "more": hit.more_in_talk,
        "more_link": f"?{urlencode({**others, 'talk': hit.talk_id})}",
        "like_link": f"?{urlencode({'like': f'{hit.talk_id}@{middle_s}'})}",
        "why": safe(hits.why(hit.explain)) if hit.explain is not None else "",
    }


def _link(url: str) -> str:
    """Return an address that may be a link; empty for what is not of the web and not a file."""
    return url if is_linkable(url) else ""
