"""The recordings that lie beside transcripts on this machine, streamed to players by the id of their talk.

Which file that is, the catalog alone says: nothing in a request is ever part of a path. Starlette's FileResponse does
the ranges, without which Safari plays nothing and no player jumps.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from pathlib import Path
from sqlite3 import Connection
from urllib.parse import urlsplit
from urllib.request import url2pathname

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from talksearch.indexer.stores import catalog_talks

from .asking import with_catalog
from .parameters import only
from .problems import refused

MEDIA_TYPES = {
    "mp4": "video/mp4", "m4v": "video/mp4", "mkv": "video/x-matroska", "webm": "video/webm", "mov": "video/quicktime",
    "avi": "video/x-msvideo", "flv": "video/x-flv", "mpg": "video/mpeg", "mpeg": "video/mpeg", "wmv": "video/x-ms-wmv",
    "ts": "video/mp2t", "ogv": "video/ogg", "3gp": "video/3gpp", "m4a": "audio/mp4", "mp3": "audio/mpeg",
    "wav": "audio/wav", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg", "flac": "audio/flac",
    "aac": "audio/aac", "aiff": "audio/aiff", "wma": "audio/x-ms-wma",
}  # fmt: skip
"""The media type of each ending of a recording (`track_names.RECORDINGS`): iana.org/assignments/media-types, and what
browsers take where nothing is registered. The system's own table knows half of them."""


_RANGE = re.compile(r"[ \t]*(?P<range>(?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})?|-(?P<suffix>[0-9]{1,18}))[ \t]*")
"""One range of bytes: the first and the last, or so many at the end."""


def recording_of(url: str | None) -> Path | None:
    """Return the file of a talk's address where that is a recording on this machine.

    >>> recording_of("file:///talks/a%20b.mp4").name, recording_of("file:///talks/a.vtt"), recording_of("https://a.org/b.mp4")
    ('a b.mp4', None, None)
    """
    try:
        parts = urlsplit(url or "")
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            return None
        path = Path(url2pathname(parts.path))
    except (ValueError, OSError):  # OSError: Windows knows no such path
        return None
    return path if _ending(path) in MEDIA_TYPES else None


def _ending(path: Path) -> str:
    return path.suffix[1:].lower()


async def recording(request: Request) -> Response:
    """Answer with the recording of a talk, or the parts of it that `Range` asks for; 404 where there is none here."""
    only(request, ())
    talk_id = request.path_params["talk"]

    def address(db: Connection) -> str | None:
        talk = catalog_talks.read_talk(db, talk_id, cues=False)
        return talk.url if talk else None

    # What a store says of recordings is not true of this machine, and others may write to it.
    is_here = request.app.state.pool.store is None
    path = recording_of(await with_catalog(request, address)) if is_here else None
    if path is None:
        hint = "/api/talks lists the talks; the address of one that has a recording here begins with file:."
        return refused(request, 404, f"There is no talk {talk_id!r} with a recording on this machine.", hint)
    status = await asyncio.to_thread(_status, path)
    if status is None:
        hint = "Put it back where it was, or index the folder again."
        return refused(request, 404, f"The recording {path.name!r} of the talk {talk_id} is not there.", hint)
    response = FileResponse(path, media_type=MEDIA_TYPES[_ending(path)], stat_result=status)
    response.headers["cache-control"] = "private, no-cache"
    etag, changed = response.headers["etag"], response.headers["last-modified"]
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": etag, "last-modified": changed})
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", etag) not in (etag, changed):
        asked = ""  # of another version of the file
    ranges = ranges_within(asked, status.st_size)
    if ranges == "":
        message = f"The recording {path.name!r} has {status.st_size:,} bytes, and {asked!r} is none of them."
        headers = {"content-range": f"bytes */{status.st_size}"}
        return refused(request, 416, message, "Ask for bytes that it has.", headers)
    # What is left for FileResponse are ranges that it answers as the standard says.
    others = [pair for pair in request.scope["headers"] if pair[0] not in (b"range", b"if-range")]
    request.scope["headers"] = [*others, *([(b"range", ranges.encode())] if ranges else [])]
    return response


def ranges_within(asked: str, size: int) -> str | None:
    """Return those of the ranges of a Range header that a file of some bytes has; empty where it has none of them.

    None where the header is no valid one of bytes, and so does not count (RFC 9110, 14.2).

    >>> ranges_within("bytes=0-9, 90-, 200-300", 100), ranges_within("bytes=100-", 100), ranges_within("bytes=9-3", 100)
    ('bytes=0-9,90-', '', None)
    """
    unit, _, listed = asked.partition("=")
    matches = [_RANGE.fullmatch(text) for text in listed.split(",") if text.strip()]
    if unit.strip().lower() != "bytes" or not matches:
        return None
    kept = []
    for match in matches:
        if match is None or (match["last"] and match["first"] and int(match["last"]) < int(match["first"])):
            return None
        if int(match["first"]) < size if match["first"] else int(match["suffix"]) > 0 and size > 0:
            kept.append(match["range"])
    return f"bytes={','.join(kept)}" if kept else ""


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a recording that can be read; None where there is none.

    A link counts as what it leads to: not every file is handed out because a link to it is called a recording.
    """
    try:
        status = path.stat()
        # A pipe must not be opened, since that waits for whoever writes into it.
        if not stat.S_ISREG(status.st_mode) or _ending(path.resolve()) not in MEDIA_TYPES:
            return None
        with path.open("rb"):
            return status
    except (OSError, ValueError):  # ValueError: the address holds a character that no path can
        return None
