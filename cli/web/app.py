"""The web pages and the HTTP API of a server.

Pages of other sites must not reach it through the user's browser: a request has to name this machine as its host, so
that no other name can be bound to this address, and what the browser says comes from another site is refused. The
templates escape everything that they show.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from talksearch.cli.pool.index_pool import IndexPool
from talksearch.indexer.errors import TalksearchError, UsageError

from . import api, assets, pages
from .problems import problem, status_of

_STRETCH_EXAMPLE = "Such as /api/talk/ID?from=60&to=120"
_PATHS = "There are /api/search, /api/similar, /api/talks, /api/talk/ID and /api/stats, all to GET."

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def application(pool: IndexPool, host: str) -> Starlette:
    """Return the web pages and the API of a server that listens on `host`."""
    guard = Middleware(BaseHTTPMiddleware, dispatch=partial(_guarded, host))
    handlers: dict[Any, Any] = {
        TalksearchError: _failed, UsageError: _misused, HTTPException: _refused, Exception: _broken,
    }  # fmt: skip
    routes = [*pages.ROUTES, *api.ROUTES, *assets.ROUTES]
    app = Starlette(routes=routes, middleware=[guard], exception_handlers=handlers)
    app.state.pool = pool
    return app


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
        response = problem(
            403, f"This server is not called {host_header!r}.", "Ask it by its address, such as 127.0.0.1."
        )
    elif other_origin or (other_site and not opens_page):
        response = problem(403, "Pages of other sites may not ask.", "Ask from the server's own page or a program.")
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


async def _failed(_: Request, error: TalksearchError) -> Response:
    return problem(status_of(error), error.message, error.hint)


async def _misused(request: Request, error: UsageError) -> Response:
    is_reading = request.url.path.startswith("/api/talk/")
    return problem(400, error.message, _STRETCH_EXAMPLE if is_reading else api.MOMENT_EXAMPLE)


async def _refused(_: Request, error: HTTPException) -> Response:
    return problem(error.status_code, f"{error.detail}.", _PATHS)


async def _broken(_: Request, __: Exception) -> Response:
    return problem(500, "Something went wrong inside.", "What it was stands where the server was started.")
