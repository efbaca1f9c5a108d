"""Errors over HTTP: problem details as JSON (RFC 9457) for programs, a page for people, the same on every path."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Json
from talksearch.indexer.text.untrusted import safe

from .hints import for_people, for_programs
from .templating import rendered

MEDIA_TYPE = "application/problem+json"

Headers = Mapping[str, str]


def problem(status: int, message: str, hint: str, headers: Headers | None = None) -> Response:
    """Return an error as the API tells it. `error` and `hint` are members of our own."""
    return JSONResponse(problem_json(status, message, hint), status, headers, MEDIA_TYPE)


def problem_json(status: int, message: str, hint: str) -> dict[str, Json]:
    """Return the members of an error's problem details."""
    title = HTTPStatus(status).phrase
    return {
        "type": "about:blank", "title": title, "status": status, "detail": message, "error": message,
        "hint": for_programs(hint),
    }  # fmt: skip


def error_page(status: int, message: str, hint: str, headers: Headers | None = None) -> Response:
    """Return an error as a page."""
    title = HTTPStatus(status).phrase
    page = rendered("error.html", status=status, title=title, message=safe(message), hint=safe(for_people(hint)))
    return HTMLResponse(page, status, headers)


def refused(request: Request, status: int, message: str, hint: str, headers: Headers | None = None) -> Response:
    """Return an error in the form in which its asker reads it."""
    return (error_page if wants_page(request) else problem)(status, message, hint, headers)


def wants_page(request: Request) -> bool:
    """Say whether an error is for a person: a browser asks for text/html, and not below /api/."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def wants_problem(request: Request) -> bool:
    """Say whether a program asks for a page, and wants to be told in JSON what is wrong with it."""
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def status_of(error: TalksearchError) -> int:
    """Return the status of an error: 400 where the asker can mend it, 503 where the index cannot answer now."""
    return 400 if isinstance(error, QueryError) else 503
