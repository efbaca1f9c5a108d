"""What plays a talk inside the page: the local recording, or the embed of the site that has it.

An embed is loaded only after somebody asked for it. Until then the page names its host and loads nothing from there.
The addresses of embeds are documented at developers.google.com/youtube/player_parameters,
developer.vimeo.com/player/sdk/embed and docs.joinpeertube.org/api/embed-player.
"""

from __future__ import annotations

import mimetypes
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

from talksearch.indexer.records import Talk

from .guards import HEADERS

Kind = Literal["video", "audio", "youtube", "vimeo", "peertube"]

_YOUTUBE = "www.youtube-nocookie.com"
_VIMEO = "player.vimeo.com"
_HOST = re.compile(r"(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?")
"""A host that may stand in a header: nothing in it ends a directive."""
_VIMEO_PATH = re.compile(r"/(?:video/)?(?P<id>\d+)(?:/(?P<hash>[0-9a-f]+))?/?")
_PEERTUBE_PATH = re.compile(
    r"/(?:w|videos/watch|videos/embed)/(?P<id>[A-Za-z0-9]{22}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?"
)
"""PeerTube runs on any host, so it is told by its paths (docs.joinpeertube.org)."""
_ADDRESSES = (
    "SELECT url FROM talks WHERE youtube_id IS NULL AND url LIKE 'https://%'"
    " AND (url LIKE '%vimeo.com/%' OR url LIKE '%/w/%' OR url LIKE '%/videos/%')"
)
"""Every address that may be one of Vimeo's or PeerTube's."""

_MOST_HOSTS = 100
"""Hosts that a policy names: it is a header, of which browsers and proxies take some kilobytes."""


@dataclass(frozen=True, slots=True)
class Embed:
    """What plays a talk inside the page."""

    kind: Kind
    src: str
    """The address of the frame, or of the local recording on this server; without a time."""
    host: str = ""
    """Where a frame is loaded from; empty for a local recording."""

    def at(self, seconds: float) -> str:
        """Return the address that begins at a second, for a page without scripts.

        >>> Embed("youtube", "https://www.youtube-nocookie.com/embed/x?rel=0", _YOUTUBE).at(134.5)
        'https://www.youtube-nocookie.com/embed/x?rel=0&start=134&autoplay=1'
        >>> Embed("video", "/media/x").at(134.5)
        '/media/x#t=134.5'
        """
        match self.kind:
            case "youtube":
                return f"{self.src}&start={int(seconds)}&autoplay=1"
            case "vimeo":
                return f"{self.src}&autoplay=1#t={int(seconds)}s"
            case "peertube":
                return f"{self.src}&start={int(seconds)}s&autoplay=1"
        return f"{self.src}#t={seconds:g}"


def embed_of(talk: Talk) -> Embed | None:
    """Return what plays a talk inside the page; None where only a link can."""
    if talk.youtube_id:
        return Embed("youtube", f"https://{_YOUTUBE}/embed/{quote(talk.youtube_id)}?playsinline=1&rel=0", _YOUTUBE)
    if talk.url and talk.url.startswith("file:"):
        kind = mimetypes.guess_type(talk.url)[0] or ""
        return Embed("audio" if kind.startswith("audio/") else "video", f"/media/{quote(talk.id, safe='')}")
    return _elsewhere(talk.url or "")


def _elsewhere(url: str) -> Embed | None:
    """Return the embed of an address of Vimeo or PeerTube.

    >>> _elsewhere("https://vimeo.com/76979871/0a1b2c").src
    'https://player.vimeo.com/video/76979871?dnt=1&h=0a1b2c'
    >>> _elsewhere("https://tube.example.org/w/kkGMgK9ZtnKfYAgnEtQxbv").src
    'https://tube.example.org/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv?api=1'
    >>> _elsewhere("https://example.org/talk") is None
    True
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # read, it raises where no port is so high
    except ValueError:
        return None
    host = parts.netloc.lower()
    if parts.scheme != "https" or not _HOST.fullmatch(host):
        return None
    if host.removeprefix("www.") in ("vimeo.com", _VIMEO):
        found = _VIMEO_PATH.fullmatch(parts.path)
        if found is None:
            return None
        key = found["hash"] or "".join(parse_qs(parts.query).get("h", [])[:1])
        return Embed("vimeo", f"https://{_VIMEO}/video/{found['id']}?dnt=1{f'&h={quote(key)}' if key else ''}", _VIMEO)
    found = _PEERTUBE_PATH.fullmatch(parts.path)
    return Embed("peertube", f"https://{host}/videos/embed/{found['id']}?api=1", host) if found else None


USUAL_HOSTS = (_YOUTUBE, "player.vimeo.com")
"""Hosts of embeds that any archive may need."""


def embed_hosts(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the hosts from which the embeds of an index's talks are loaded, sorted; those with most talks of many."""
    talks = Counter(embed.host for (url,) in db.execute(_ADDRESSES) if (embed := _elsewhere(url)))
    hosts = {host for host, _ in talks.most_common(_MOST_HOSTS)}
    if db.execute("SELECT 1 FROM talks WHERE youtube_id IS NOT NULL LIMIT 1").fetchone():
        hosts.add(_YOUTUBE)
    return tuple(sorted(hosts))


def content_policy(hosts: Sequence[str]) -> str:
    """Return the policy of a page that may show embeds of these hosts, once somebody asks for one.

    A page keeps the policy with which it was loaded, also when a script puts another talk into it. So it allows the
    hosts of the archive, not only of the talk that it opened with.
    """
    frames = f"; frame-src {' '.join(f'https://{host}' for host in hosts)}" if hosts else ""
    return HEADERS["content-security-policy"] + frames
