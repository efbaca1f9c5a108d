"""yt-dlp as this program uses it: quiet, gentle, bounded, and with nothing of the user's but what was named.

This module imports yt-dlp, so it is itself imported only where a site is asked (`fetch`).
"""

from __future__ import annotations

import io
import math
import os
import re
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from yt_dlp import YoutubeDL
from yt_dlp.cookies import CookieLoadError
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
from yt_dlp.utils import DownloadError, YoutubeDLError

from talksearch.indexer.fetch.cookies import read_cookies
from talksearch.indexer.fetch.distance import distance_of, may_name
from talksearch.indexer.fetch.limits import FetchLimit, FetchLimits
from talksearch.indexer.fetch.pace import RequestPace, too_often, wait_asked_for, waiting
from talksearch.indexer.fetch.records import AskedTooOftenError, FetchError, Source, Tell
from talksearch.indexer.text.untrusted import safe

_SOUND = "ba[abr<=96][ext=m4a]/ba[abr<=96]/wa/ba/w"
"""Sound alone, of a quality that speech needs; with a picture, the smallest, only where there is nothing else. Each is
one file, so that nothing has to be put together or converted."""
_FILES_PAUSE = 5
"""How many times as long as between two pages is waited between two tracks or recordings, of which sites refuse many in
a row first."""
_SOCKET_S = 20.0
_PIECE = 1 << 16


class QuietLogger:
    """yt-dlp's logger: nothing reaches the terminal, and warnings are kept, as some say why a talk has nothing."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, message: str) -> None:
        """Pass over what yt-dlp does."""

    info = debug
    error = debug
    """Errors are raised as well."""

    def warning(self, message: str) -> None:
        """Keep a warning."""
        self.warnings.append(message)


class _Budget:
    """What the step that is under way may still take."""

    def __init__(self, limit: FetchLimit) -> None:
        self.limit = limit
        self.bytes = 0
        self.until = time.monotonic() + limit.seconds

    def spend(self, count: int) -> None:
        """Raise FetchError where more was taken than is allowed, in bytes or seconds."""
        self.bytes += count
        if self.bytes > self.limit.bytes:
            raise FetchError(f"It is larger than {self.limit.bytes / 1e6:g} MB, and was not taken.")
        if time.monotonic() > self.until:
            raise FetchError(f"It did not arrive within {self.limit.seconds:g} seconds.")


class Downloader(YoutubeDL):  # type: ignore[misc]
    """yt-dlp, where each request passes through one gate: it may have to wait there, and what comes back is bounded.

    Extractors and downloaders ask the network for everything through `urlopen`, so the gate is there.
    """

    def __init__(self, source: Source, tell: Tell, pace: RequestPace, limits: FetchLimits) -> None:
        self.messages = QuietLogger()
        self.limits = limits
        self._tell = tell
        self._pace = pace
        self._budget = _Budget(limits.page)
        self._distances: dict[str, int] = {}
        self._named_by = self._distance(source.url)
        self._too_often: AskedTooOftenError | None = None
        self._broken: RequestError | None = None
        """The last error of the network in the step that is under way."""
        super().__init__(_settings(source, self.messages, pace))
        self._load_named_cookies(source)

    def start(self, limit: FetchLimit) -> None:
        """Begin a step that may take so much."""
        self.messages.warnings.clear()
        self._broken = None
        self._budget = _Budget(limit)

    def save(self, form: Mapping[str, Any], path: Path, limit: FetchLimit, *, is_track: bool) -> None:
        """Fetch one file to a path, with yt-dlp's own downloader for the way in which it is offered.

        Raises what yt-dlp raises, OSError, FetchError where it is larger than it may be, and AskedTooOftenError.
        """
        self.start(limit)
        if isinstance(form.get("data"), str):
            path.write_text(form["data"], encoding="utf-8", newline="")
            return
        try:
            done, _ = self.dl(str(path), dict(form), subtitle=is_track)
        except DownloadError:
            if self._broken is not None:  # after a retry yt-dlp raises a text alone
                raise self._broken from None
            raise
        self.params["sleep_interval_subtitles"] = self.params["sleep_interval"] = _FILES_PAUSE * self._pace.pause_s
        if done is False or not path.is_file():
            raise FetchError("It cannot be had: nothing arrived.")
        for other in path.parent.iterdir():  # what a downloader kept beside it while it worked
            if other.name.startswith(f"{path.name}."):
                other.unlink()

    def urlopen(self, req: Any) -> Any:
        """Ask for one thing; wait and ask again where the site says that this was too often.

        Raises:
            AskedTooOftenError: It still says so after the last wait, or asks for a longer one. Every later call raises
                it at once, as extractors go on after many an error.
            FetchError: The step has taken more than it may, or a site on the web names a host of the local network.
        """
        self._refuse_near(req if isinstance(req, str) else str(req.url))
        for refusals in count(1):
            if self._too_often is not None:
                raise self._too_often
            self._budget.spend(0)
            try:
                response = super().urlopen(req)
                self._refuse_near(response.url)  # a redirect was followed already; what it gave is not taken
                return self._bounded(response)
            except HTTPError as error:
                asked_s = wait_asked_for(error.status, str(error.response.headers.get("Retry-After") or ""))
                if asked_s is None:
                    self._broken = error
                    raise
                error.close()
                address = error.response.url
                wait_s = self._pace.wait_after(refusals, asked_s)
                if wait_s is None:
                    self._too_often = too_often(address, error.status, asked_s)
                    raise self._too_often from None
                self._tell(waiting(address, error.status, wait_s))
                time.sleep(wait_s)
                self._budget.until += wait_s
            except RequestError as error:
                self._broken = error
                raise
        raise AssertionError("the loop has no end")

    def _refuse_near(self, url: str) -> None:
        """Raise FetchError for a host that lies nearer than the address that the user named."""
        if not may_name(self._named_by, self._distance(url)):
            raise FetchError("It names a host of this machine's own network, which is not asked on a stranger's word.")

    def _distance(self, url: str) -> int:
        host = urlsplit(url).hostname or ""
        if host not in self._distances:
            self._distances[host] = distance_of(host)
        return self._distances[host]

    def _bounded(self, response: Response) -> Response:
        """Let a response be read only as far as the budget goes, and in pieces as they arrive.

        A plain `read` waits until all bytes are there, and a server that sends one in a while would hold it for days.
        """
        budget = self._budget

        def read(amount: int | None = None) -> bytes:
            pieces: list[bytes] = []
            left = math.inf if amount is None or amount < 0 else amount
            while left > 0:
                try:
                    piece = _read_piece(response, int(min(left, _PIECE)))
                except RequestError as error:
                    self._broken = error
                    raise
                budget.spend(len(piece))
                if not piece:
                    break
                pieces.append(piece)
                left -= len(piece)
            if response.fp.closed:
                response.close()
            return b"".join(pieces)

        response.read = read
        return response

    def _load_named_cookies(self, source: Source) -> None:
        try:
            _ = self.cookiejar
        except (YoutubeDLError, CookieLoadError) as error:
            named = source.cookies or f"the browser {source.cookies_from_browser}"
            reason = str(error).partition("\n")[0]
            raise FetchError(
                f"The cookies of {named} cannot be read: {safe(reason.removeprefix('ERROR: '))}.",
                "Name a file in Netscape's format, as browser extensions write it, or a browser that is installed.",
            ) from None


def _settings(source: Source, messages: QuietLogger, pace: RequestPace) -> dict[str, Any]:
    browser = re.fullmatch(r"([^:]+)(?::(.+))?", source.cookies_from_browser)
    return {
        "logger": messages,
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "cachedir": False,
        "format": _SOUND,
        "fixup": "never",
        "updatetime": False,
        "continuedl": False,
        "skip_unavailable_fragments": False,
        "hls_prefer_native": True,
        # A path that cannot be: ffmpeg would fetch by itself, past the gate, what yt-dlp cannot.
        "ffmpeg_location": f"{os.devnull}/none",
        "socket_timeout": _SOCKET_S,
        "retries": 1,
        "extractor_retries": 1,
        "fragment_retries": 1,
        "sleep_interval_requests": pace.pause_s,
        # A talk may have captions though nothing of it can be played here.
        "ignore_no_formats_error": True,
        "extract_flat": "in_playlist",
        "lazy_playlist": True,
        # Of an address of a talk within a list only the talk was asked for.
        "noplaylist": True,
        "default_search": "error",
        "geo_bypass": False,
        "extractor_args": {"youtubetab": {"approximate_date": [""]}},
        # A copy in memory: yt-dlp writes the file anew when it ends.
        "cookiefile": io.StringIO(read_cookies(source.cookies)) if source.cookies else None,
        "cookiesfrombrowser": (browser[1], browser[2], None, None) if browser else None,
    }


def _read_piece(response: Response, amount: int) -> bytes:
    """Return what has arrived, at most so many bytes; none at the end."""
    body = response.fp
    try:
        if hasattr(body, "decode_content"):  # urllib3's
            return bytes(body.read1(amount, decode_content=True))
        return bytes(body.read1(amount) if hasattr(body, "read1") else body.read(amount))
    except Exception as error:  # as yt-dlp's own `read` does: each library that it uses has its own errors
        raise TransportError(cause=error) from error
