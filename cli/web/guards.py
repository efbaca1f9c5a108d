"""What stands before every page and every answer: who may ask, how much at once, and the headers of what goes out.

It is plain ASGI around the whole application, so that a recording streams through untouched, an asker who goes is
noticed behind it, and an answer to an error that nobody foresaw has the same headers as any other. A check takes a
request and returns what it is refused with, or None.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .networks import network_of
from .problems import refused

Check = Callable[[Request], Response | None]

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",  # with `no-referrer`, browsers send forms of our own from the origin `null`
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""The headers of every response that does not set its own: a page that embeds a player needs another policy."""

_LONGEST_ADDRESS, _LONGEST_HEADERS, _LONGEST_BODY = 32_768, 16_384, 4_096
"""Bytes of a request: its path and query, its headers, and the body of the one form that sends one."""

_AT_ONCE, _PER_S = 1_000, 100
"""Requests that a client may make at once, and how many more each second: far more than a person who types causes."""

_CLIENTS = 10_000
"""Clients whose requests are counted; beyond that, those that have made none lately are forgotten."""

_LEAST_COMPRESSED, _COMPRESSION_LEVEL = 1_000, 4
"""Bytes below which an answer goes out as it is, since it fits into one packet; and how hard zlib tries."""

_PAGES = ("/", "/talks", "/map")
"""The pages that a link of another site may open, beside those of talks."""

_MEDIA = "/media/"
STATIC = "/static/"


def guarded(app: ASGIApp, checks: Sequence[Check]) -> ASGIApp:
    """Return an application that answers what all checks let through, with texts compressed and `HEADERS` filled in."""
    compressed = GZipMiddleware(app, _LEAST_COMPRESSED, _COMPRESSION_LEVEL)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                filled = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(pair for pair in filled if pair[0] not in given)]
            await send(message)

        request = Request(scope)
        refusal = next((told for check in checks if (told := check(request)) is not None), None)
        # A recording is compressed already, and its ranges count bytes of the file.
        answers = refusal or (app if request.url.path.startswith(_MEDIA) else compressed)
        await answers(scope, receive, send_with_headers)

    return answer


def comes_from_here(host: str) -> Check:
    """Return a check that a request names this machine, and that no page of another site makes it.

    So no other name can be bound to this address (DNS rebinding), and nothing is had through a user's browser. A link
    from another site may open a page, for a person to look at. `host` is where the server listens.
    """

    def check(request: Request) -> Response | None:
        headers, path = request.headers, request.url.path
        host_header = headers.get("host", "")
        if not _is_here(host_header, host):
            message = f"This server is not called {host_header!r}."
            return refused(request, 403, message, "Ask it by its address, such as 127.0.0.1.")
        opens_page = (
            headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
            and request.method == "GET"
            and (path in _PAGES or path.startswith("/talk/"))
        )
        if not _is_own_origin(headers.get("origin"), host_header) or (is_of_other_site(request) and not opens_page):
            hint = "Ask from the server's own page or a program."
            return refused(request, 403, "Pages of other sites may not ask.", hint)
        return None

    return check


def is_of_other_site(request: Request) -> bool:
    """Say whether a browser says that a page of another site makes a request, or a link in it."""
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


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


def _is_own_origin(origin: str | None, host_header: str) -> bool:
    """Say whether an Origin header, where there is one, names the server itself; a proxy may have taken off the TLS.

    >>> [_is_own_origin(origin, "a:80") for origin in (None, "http://a:80", "https://a:80", "http://a", "null")]
    [True, True, True, False, False]
    """
    return origin is None or origin in (f"http://{host_header}", f"https://{host_header}")


def is_small(request: Request) -> Response | None:
    """Check that a request is not larger than any that can be answered."""
    scope, headers = request.scope, request.headers
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _LONGEST_ADDRESS:
        return refused(request, 414, "The address is too long.", f"Give at most {_LONGEST_ADDRESS:,} bytes.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > _LONGEST_HEADERS:
        return refused(request, 431, "The headers are too large.", f"Give at most {_LONGEST_HEADERS:,} bytes.")
    if "transfer-encoding" in headers:
        return refused(request, 411, "The length of the body is not given.", "Give a Content-Length.")
    longest = _LONGEST_BODY if request.method == "POST" else 0
    if int(headers.get("content-length") or 0) > longest:
        return refused(
            request, 413, "The body is too large.", f"Give at most {longest:,} bytes." if longest else "Give none."
        )
    return None


def asks_slowly(clock: Callable[[], float] = time.monotonic) -> Check:
    """Return a check that no client asks without end, each by its address; files of the page and recordings are free.

    A client has so many requests at once, and some of them come back each second (a token bucket).
    """
    left: dict[str, tuple[float, float]] = {}  # by network: requests left, and when that was so

    def check(request: Request) -> Response | None:
        if request.url.path.startswith((_MEDIA, STATIC)):
            return None
        now_s = clock()
        network = network_of(request.client.host) if request.client else ""
        before, then_s = left.get(network, (float(_AT_ONCE), now_s))
        now = min(float(_AT_ONCE), before + (now_s - then_s) * _PER_S)
        if now < 1:
            hint = f"Ask again in a moment; {_PER_S} requests a second are answered."
            return refused(request, 429, "Too much is asked from this address.", hint, {"retry-after": "1"})
        if len(left) >= _CLIENTS:
            for other in [other for other, (_, seen_s) in left.items() if (now_s - seen_s) * _PER_S >= _AT_ONCE]:
                del left[other]
        left[network] = (now - 1, now_s)
        return None

    return check
