"""The token that a server may have: who holds it may ask. Programs send it, a browser signs in with it once.

The browser keeps a cookie made of the token and not the token itself, so that a cookie that is seen gives no other
program anything to send. No address ever holds either.
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .guards import STATIC, Check
from .problems import problem, wants_page
from .templating import rendered

PATH = "/sign-in"

_COOKIE_DAYS = 30
_OPEN = (PATH, "/favicon.ico")
"""Paths that need no token, beside the files of the page."""


def holds_token(token: str) -> Check:
    """Return a check that a request holds a token, as a Bearer in its header or by the cookie of the sign-in page."""

    def check(request: Request) -> Response | None:
        path, headers = request.url.path, request.headers
        if path in _OPEN or path.startswith(STATIC):
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(given.strip(), token):
            return None
        if _same(request.cookies.get(_cookie_name(token), ""), _cookie(token)):
            return None
        asks = {"www-authenticate": "Bearer"}
        if not wants_page(request):
            what = "That is not the token of this server." if given else "This server has a token."
            return problem(401, what, "Send it in a header: Authorization: Bearer TOKEN", asks)
        if headers.get("sec-fetch-site") == "cross-site":
            # A browser sends no strict cookie with a link of another site; it does when the page loads itself anew.
            asks["refresh"] = "0"
        return _form(401, f"{path}?{request.url.query}" if request.url.query else path, headers=asks)

    return check


def _cookie(token: str) -> str:
    return hmac.new(token.encode(), b"signed in", "sha256").hexdigest()


def _cookie_name(token: str) -> str:
    """Return a name that two servers of one host do not share: cookies know no ports."""
    return f"talksearch_{hmac.new(token.encode(), b'name', 'sha256').hexdigest()[:8]}"


def _same(given: str, expected: str) -> bool:
    """Compare in a time that says nothing about how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _form(status: int, wanted: str, message: str = "", headers: dict[str, str] | None = None) -> Response:
    page = rendered("sign_in.html", action=PATH, wanted=wanted, message=message)
    return HTMLResponse(page, status, headers)


async def _sign_in(request: Request) -> Response:
    token: str = request.app.state.token
    if request.method != "POST":
        return _form(200, "/")
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    given, wanted = (fields.get(name, [""])[-1] for name in ("token", "wanted"))
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or not wanted.isprintable():
        wanted = "/"  # only a place on this server
    if not _same(given.strip(), token):
        return _form(403, wanted, "That is not the token.")
    response = RedirectResponse(wanted, 303)
    response.set_cookie(
        _cookie_name(token), _cookie(token), max_age=_COOKIE_DAYS * 86_400, httponly=True, samesite="strict"
    )
    return response


ROUTES = (Route(PATH, _sign_in, methods=["GET", "POST"]),)
