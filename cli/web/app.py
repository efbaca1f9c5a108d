"""The web pages and the HTTP API of a server, put together: routes, errors, and the guards before them.

The templates escape everything that they show; `guards` says who may ask.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from talksearch.cli.pool.index_pool import BusyError, IndexPool
from talksearch.indexer.errors import TalksearchError, UsageError

from . import api, assets, sign_in
from .guards import asks_slowly, comes_from_here, guarded, is_small
from .problems import refused, status_of
from .recent_answers import remember

_STRETCH_EXAMPLE = "Such as /api/talks/ID?from=60&to=120"
_PATHS = "There are /, /talks, /map, /talk/ID, /media/ID and what /openapi.json describes."
_GONE = 499
"""The status of an answer that nobody waits for any more, as nginx counts it; it goes nowhere."""


def application(pool: IndexPool, host: str, token: str = "") -> ASGIApp:
    """Return the web pages and the API of a server that listens on `host`; a token, where there is one, guards them."""
    handlers: dict[Any, Any] = {
        TalksearchError: _failed, UsageError: _misused, HTTPException: _refused, ClientDisconnect: _left,
        Exception: _broken,
    }  # fmt: skip
    routes = [*api.ROUTES, *assets.ROUTES, *(sign_in.ROUTES if token else ())]
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.default = _pages
    app.state.pool, app.state.token, app.state.recall = pool, token, remember()
    checks = [comes_from_here(host), is_small, asks_slowly(), *([sign_in.holds_token(token)] if token else [])]
    return guarded(app, checks)


# A server must not wait for what pages import, numpy among it: the first who asks for a page does, or its warming.


@cache
def load_pages() -> Router:
    """Return the pages of the archive; the first call imports what they need."""
    from . import pages

    return Router(pages.ROUTES, redirect_slashes=False)


@cache
def load_talk_page() -> Router:
    """Return the pages of talks, as `load_pages` does."""
    from . import talk_page

    return Router(talk_page.ROUTES, redirect_slashes=False)


async def _pages(scope: Scope, receive: Receive, send: Send) -> None:
    load = load_talk_page if scope["path"].startswith("/talk/") else load_pages
    router = load() if load.cache_info().currsize else await asyncio.to_thread(load)
    await router(scope, receive, send)


async def _failed(request: Request, error: TalksearchError) -> Response:
    headers = {"retry-after": "2"} if isinstance(error, BusyError) else None
    return refused(request, status_of(error), error.message, error.hint, headers)


async def _misused(request: Request, error: UsageError) -> Response:
    example = _STRETCH_EXAMPLE if request.url.path.startswith("/api/talks/") else api.MOMENT_EXAMPLE
    return refused(request, 400, error.message, error.hint or example)


async def _refused(request: Request, error: HTTPException) -> Response:
    message = error.detail if error.detail.endswith(".") else f"{error.detail}."
    return refused(request, error.status_code, message, _PATHS, error.headers)


async def _left(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=_GONE)


async def _broken(request: Request, _: Exception) -> Response:
    return refused(request, 500, "Something went wrong inside.", "What it was stands where the server was started.")
