"""Errors over HTTP: problem details as JSON (RFC 9457), the same on every path."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from talksearch.indexer.errors import QueryError, TalksearchError


def problem(status: int, message: str, hint: str) -> Response:
    """Return an error as the API tells it."""
    return JSONResponse({"error": message, "hint": hint}, status)


def status_of(error: TalksearchError) -> int:
    """Return the status of an error: 400 where the asker can mend it, 503 where the index cannot answer now."""
    return 400 if isinstance(error, QueryError) else 503
