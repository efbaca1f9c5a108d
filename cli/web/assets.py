"""The files that pages load: styles, scripts, the icon. All of them lie in static/, and nothing comes from elsewhere.

A page names a file with the hash of its contents, so a browser may keep it for good, and a new version is another file.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = Path(__file__).with_name("static")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""The media type of each ending that a file in static/ may have."""


def address(name: str) -> str:
    """Return where a page finds a file of static/, by its name."""
    return f"/static/{name}?v={hashlib.sha256(_read(name)).hexdigest()[:12]}"


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _names():
        raise HTTPException(404, f"There is no file {name!r}")
    is_this = f"/static/{name}?v={request.query_params.get('v', '')}" == address(name)
    headers = {"cache-control": "public, max-age=31536000, immutable" if is_this else "no-cache"}
    return Response(_read(name), media_type=_TYPES[Path(name).suffix], headers=headers)


async def _icon(request: Request) -> Response:
    request.path_params["name"] = "icon.svg"
    return await _asset(request)


ROUTES = (Route("/static/{name}", _asset), Route("/favicon.ico", _icon))
