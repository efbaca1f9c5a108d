"""What programs can open of a recording, and which stretch of it plays a hit."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.track_names import RECORDINGS
from talksearch.indexer.text.untrusted import is_linkable
from talksearch.search.hit import Hit

LEAD_MS = 1_000
"""How much earlier than its link a hit is played: a player that seeks begins late rather than early."""

TAIL_MS = 1_500
"""How long a hit goes on behind its last word, so that it does not end inside it."""


class Stretch(NamedTuple):
    """From where to where a recording is played, in milliseconds."""

    start_ms: int
    end_ms: int


def stretch_of(hit: Hit) -> Stretch:
    """Return what plays a hit: a little before the second it opens at, up to a little behind its end.

    Where times are estimated the end may come as much later as the margin says.
    """
    return Stretch(max(0, hit.jump_ms - LEAD_MS), max(hit.end_ms, hit.jump_ms) + hit.margin_ms + TAIL_MS)


def address_of(talk: Talk) -> str | None:
    """Return the address that a player is given for a talk; None where no recording is known.

    It holds no space, line break or control character, so no line of a playlist can be smuggled in by it.
    """
    return talk.url if talk.url and is_linkable(talk.url) else None


def file_of(talk: Talk) -> Path | None:
    """Return the local file of a talk's recording; None where it is on the web, or nowhere, or is gone."""
    parts = urlsplit(talk.url) if talk.url and is_linkable(talk.url) else None
    if parts is None or parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = Path(url2pathname(parts.path))
    return path if path.is_file() else None


def is_media(address: str) -> bool:
    """Say whether an address is that of a recording itself, and not of a page that plays it.

    >>> is_media("https://a.org/talk.MP4?x=1"), is_media("file:///a%20b.mkv"), is_media("https://youtu.be/DTcRLlMv4_o")
    (True, True, False)
    """
    return unquote(urlsplit(address).path).rpartition(".")[2].lower() in RECORDINGS
