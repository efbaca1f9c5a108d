"""The web page and the HTTP API of a resident engine.

Pages of other sites must not get at it through the user's browser: a request has to name this machine as its host, so
that no other name can be bound to this address, and whatever the browser says comes from another site is refused.
Everything that is shown is escaped by the template, and the page may load and run nothing at all.
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
from typing import Any, TypeVar, get_args
from urllib.parse import urlencode, urlsplit

import click
import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from talksearch.cli.answers import make_query, similar
from talksearch.cli.render import common, hits, talks
from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import is_linkable, safe
from talksearch.search import engine
from talksearch.search.hit import Hit, byline, how_good, when
from talksearch.search.moments import LATEST_S, cue_range, talk_and_moment
from talksearch.search.query import Mode
from talksearch.search.reader import IndexReader
from talksearch.search.stats import gather

from .index_pool import IndexPool

T = TypeVar("T")

_MOMENT = "similar?moment=DTcRLlMv4_o@777"

_LONGEST_QUERY = 10_000
"""Characters of a query."""

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


def application(resident: IndexPool, host: str) -> Starlette:
    """Return the web page and API of a resident engine that listens on `host`."""
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
        TalksearchError: _failed, click.UsageError: _misused, HTTPException: _refused, Exception: _broken,
    }  # fmt: skip
    app = Starlette(routes=routes, middleware=[guard], exception_handlers=handlers)
    app.state.resident = resident
    return app


# --------------------------------------------------------------------------------------------------------- who may ask


async def _guarded(host: str, request: Request, answer: RequestResponseEndpoint) -> Response:
    headers = request.headers
    named = headers.get("host", "")
    elsewhere = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    # A link from elsewhere may open the page, for a person to look at; nothing else may be had from there.
    opened = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if not _is_here(named, host):
        response = _error(403, f"This server is not called {named!r}.", "Ask it by its address, such as 127.0.0.1.")
    elif headers.get("origin", f"http://{named}") != f"http://{named}" or (
        elsewhere and not (opened and request.url.path == "/")
    ):
        response = _error(403, "Pages of other sites may not ask.", "Ask from the server's own page or a program.")
    else:
        response = await answer(request)
    response.headers.update(_HEADERS)
    return response


def _is_here(named: str, host: str) -> bool:
    """Say whether a Host header means this machine: an address, which nobody can bind anew, or a name that is its own.

    >>> [_is_here(name, "127.0.0.1") for name in ("localhost:80", "127.0.0.1:8376", "[::1]:80", "evil.example", "")]
    [True, True, True, False, False]
    """
    try:
        name = urlsplit(f"//{named}").hostname or ""
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


def _status(error: TalksearchError | click.UsageError) -> int:
    return 400 if isinstance(error, QueryError | click.UsageError) else 503


async def _misused(request: Request, error: click.UsageError) -> Response:
    reading = request.url.path.startswith("/api/talk/")
    return _error(400, error.message, f"Such as /api/{'talk/ID?from=60&to=120' if reading else _MOMENT}")


async def _refused(_: Request, error: HTTPException) -> Response:
    known = "There are /api/search, /api/similar, /api/talks, /api/talk/ID and /api/stats, all to GET."
    return _error(error.status_code, f"{error.detail}.", known)


async def _broken(_: Request, __: Exception) -> Response:
    return _error(500, "Something went wrong inside.", "What it was stands where the server was started.")


# ------------------------------------------------------------------------------------------------------------ the API


async def _search(request: Request) -> Response:
    given = _parameters(request, "q")
    query = make_query(_text(given.pop("q", "")), **_options(given))
    answer = await _with_index(request, partial(engine.search, query=query))
    return JSONResponse({"hits": [hit.to_dict() for hit in answer.hits], "note": answer.note})


async def _similar(request: Request) -> Response:
    given = _parameters(request, "moment")
    moment = _text(given.pop("moment", ""))
    if not moment:
        raise QueryError("Say which moment.", f"Such as /api/{_MOMENT}")
    query = make_query("", **_options(given))
    answer = await _with_index(request, partial(similar, moment=moment, query=query))
    return JSONResponse({"hits": [hit.to_dict() for hit in answer.hits], "note": answer.note})


async def _talks(request: Request) -> Response:
    def listed(index: IndexReader) -> list[dict[str, Json]]:
        sizes = catalog.talk_sizes(index.db)
        return [talks.talk_json(talk, *sizes.get(talk.id, (0, 0))) for talk in catalog.read_talks(index.db)]

    return JSONResponse({"talks": await _with_index(request, listed)})


async def _talk(request: Request) -> Response:
    name = request.path_params["talk"]
    from_s, to_s = (_number(request.query_params, key, 0, LATEST_S) for key in ("from", "to"))

    def read(index: IndexReader) -> dict[str, Json] | TalksearchError:
        try:
            found, at_ms = talk_and_moment(index.db, name)
        except QueryError as error:
            return error
        first_ms = at_ms if from_s is None else round(from_s * 1000)
        part, _ = cue_range(found, first_ms, None if to_s is None else round(to_s * 1000))
        size = catalog.talk_sizes(index.db).get(found.id, (0, 0))
        return {"talk": talks.talk_json(found, *size), "cues": list(talks.cues_json(found, part))}

    told = await _with_index(request, read)
    return _error(404, told.message, told.hint) if isinstance(told, TalksearchError) else JSONResponse(told)


async def _stats(request: Request) -> Response:
    return JSONResponse(await _with_index(request, lambda index: gather(index.folder)))


async def _with_index(request: Request, work: Callable[[IndexReader], T]) -> T:
    resident: IndexPool = request.app.state.resident
    return await asyncio.wrap_future(resident.submit(work))


_KNOWN = (
    "k", "mode", "talk", "speaker", "channel", "language", "after", "before", "not", "per_talk", "context", "explain",
)  # fmt: skip


def _parameters(request: Request, *others: str) -> dict[str, Any]:
    """Return what was given: a text each, a list for `talk`; empty ones left out, as a form sends them."""
    params = request.query_params
    for key in params:
        if key not in (*_KNOWN, *others):
            raise QueryError(f"There is no parameter {key!r}.", f"There are {', '.join((*others, *_KNOWN))}.")
    return {key: params.getlist(key) if key == "talk" else value for key, value in params.items() if value.strip()}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a query. Raises QueryError where a value is none that is possible."""
    mode = given.get("mode", "hybrid")
    if mode not in get_args(Mode):
        raise QueryError(f"{mode!r} is no mode.", f"There are {', '.join(get_args(Mode))}.")
    k, per_talk = _number(given, "k", 1, 1000, whole=True), _number(given, "per_talk", 1, 1_000_000, whole=True)
    return {
        "k": 10 if k is None else int(k),
        "mode": mode,
        "talks": [name for name in given.get("talk", ()) if name.strip()],
        **{key: given.get(key) for key in ("speaker", "channel", "language", "after", "before")},
        "avoid": _text(given.get("not", "")),
        "per_talk": None if per_talk is None else int(per_talk),
        "context": _number(given, "context", 0, 3600) or 0.0,
        "explain": given.get("explain", "0") not in ("0", "false"),
    }


def _number(given: Mapping[str, Any], key: str, least: float, most: float, *, whole: bool = False) -> float | None:
    text = given.get(key, "")
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}" if whole else r"\d{1,9}(\.\d{1,9})?", text) or not least <= float(text) <= most:
        kind = "whole number" if whole else "number"
        raise QueryError(f"{key} is {text!r}.", f"Give a {kind} from {least:,g} to {most:,g}.")
    return float(text)


def _text(text: str) -> str:
    if len(text) > _LONGEST_QUERY:
        raise QueryError(f"The text has {len(text):,} characters.", f"Give at most {_LONGEST_QUERY:,}.")
    return text


# ----------------------------------------------------------------------------------------------------------- the page


async def _page(request: Request) -> Response:
    answer, wrong = None, None
    asked: dict[str, Any] = {}
    try:
        asked = _parameters(request, "q", "like")
        options = _options({key: value for key, value in asked.items() if key not in ("q", "like")})
        if "q" in asked:
            query = make_query(_text(asked["q"]), **options)
            answer = await _with_index(request, partial(engine.search, query=query))
        elif "like" in asked:
            query = make_query("", **options)
            answer = await _with_index(request, partial(similar, moment=_text(asked["like"]), query=query))
    except (TalksearchError, click.UsageError) as error:
        wrong = error
    page = _PAGE.render(
        asked={key: safe(value) for key, value in asked.items() if key != "talk"},
        talks=[safe(name) for name in asked.get("talk", [])],
        modes=get_args(Mode),
        note=safe(answer.note) if answer else "",
        answered=answer is not None,
        hits=[_shown(hit, asked) for hit in answer.hits] if answer else [],
        error=safe(wrong.message) if wrong else "",
        hint=safe(wrong.hint) if isinstance(wrong, TalksearchError) else "",
    )
    return HTMLResponse(page, _status(wrong) if wrong else 200)


def _shown(hit: Hit, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a hit: texts without control characters, for the template to escape."""
    middle_s = (hit.start_ms + hit.end_ms) // 2 / 1000
    others = {key: value for key, value in asked.items() if key not in ("like", "per_talk", "talk")}
    return {
        "title": safe(hit.title),
        "link": _link(hit.url),
        "url": safe(hit.url),
        "facts": safe(" · ".join(filter(None, (byline(hit), hit.date, how_good(hit))))),
        "when": when(hit),
        "heat": hits.heat_line(hit.heat),
        "note": safe(hits.noted(hit)),
        "language": hit.language or "",
        "parts": _parts(hit),
        "differs": safe(hits.difference(hit.quote)) if hit.quote is not None and hit.quote.score < 1 else "",
        "copies": [
            {
                "title": safe(one.title),
                "when": f"{common.mark(one.timing)}{show_clock(one.jump_ms)}",
                "link": _link(one.url),
            }
            for one in hit.copies
        ],
        "more": hit.more_in_talk,
        "more_link": f"?{urlencode({**others, 'talk': hit.talk_id})}",
        "like_link": f"?{urlencode({'like': f'{hit.talk_id}@{middle_s}'})}",
        "why": safe(hits.why(hit.explain)) if hit.explain is not None else "",
    }


def _link(url: str) -> str:
    """Return an address that may be a link; empty for what is not of the web and not a file."""
    return url if is_linkable(url) else ""


def _parts(hit: Hit) -> list[tuple[str, bool]]:
    """Return the passage in pieces: (text, whether the query's words are said there)."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for start, end in hit.matches:
        parts += [(safe(hit.text[at:start]), False), (safe(hit.text[start:end]), True)]
        at = end
    return [*parts, (safe(hit.text[at:]), False)]
