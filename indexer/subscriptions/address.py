"""What an address is that a user names: a feed, a site, a list of subscriptions, or something on the disk.

A site that yt-dlp has an extractor of its own for is told by its address alone. Whatever else lies on the web is asked
once and judged by what it gives, and what it gave is handed on, so that nothing is fetched twice.

On the disk, a folder and a recording are taken as they lie, and a list of subscriptions is read. A `file:` address is
the path that it names. A feed in a file is refused: it was saved once and will never have a new episode, so subscribing
to it would be a promise that nobody keeps; where it says what its own address is, that is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from talksearch.indexer.fetch.addresses import as_address
from talksearch.indexer.fetch.content import content_of, feeds_named, has_player
from talksearch.indexer.fetch.pace import RequestPace
from talksearch.indexer.fetch.records import AskedTooOftenError, FetchError, Source, Tell
from talksearch.indexer.fetch.site.fetch import is_known_site
from talksearch.indexer.fetch.web import Page, open_web
from talksearch.indexer.text.untrusted import safe, safe_address

from .opml import LARGEST_BYTES

Kind = Literal["feed", "site", "opml", "folder", "file"]

_FEED = re.compile(r"^https?://(?:rss|feeds?)\.|[/.](?:rss|feeds?|atom|podcast|xml)(?:[/?#]|$)", re.IGNORECASE)
"""Addresses that look like feeds: sites that yt-dlp knows have such as well, so these are asked all the same."""
_SELF = re.compile(
    r"<(?:\w+:)?link\b(?=[^>]*\brel=[\"']self[\"'])[^>]*\bhref=[\"'](https?://[^\"']+)[\"']", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ResolvedAddress:
    """What an address is."""

    kind: Kind
    url: str
    """The address as `addresses.as_address` writes it; an absolute path for what lies on the disk."""
    page: Page | None = None
    """What it gave: the bytes of a feed, a list of subscriptions or another file, as far as such a list can be long."""
    note: str = ""
    """A sentence: which feed a page names that nothing else is to be had from."""


def kind_of(url: str, tell: Tell, source: Source | None = None, pace: RequestPace | None = None) -> ResolvedAddress:
    """Tell what an address is, asking the web at most once.

    Args:
        url: As a user writes it: with a scheme or without, or a path.
        tell: Is told what is waited for.
        source: With the cookies that are to be sent, if any.
        pace: How much time is taken.

    Raises:
        FetchError: It is nothing that talks can be brought in from, with what it is instead.
        UsageError: It is neither an address of the web nor a path.
    """
    address = as_address(url, Path.cwd())
    if not re.match("https?://", address, re.IGNORECASE):
        return _on_disk(Path(address))
    known = is_known_site(address)
    if known and not _FEED.search(address):
        return ResolvedAddress("site", address)
    try:
        with open_web(tell, source, pace) as web:
            page = web.get(address)
    except AskedTooOftenError:
        raise
    except FetchError:
        if known:
            return ResolvedAddress("site", address)
        raise
    content = content_of(page)
    if content == "feed":
        return ResolvedAddress("feed", address, page)
    if content == "opml":
        return ResolvedAddress("opml", address, page)
    if known or content in ("page", "recording"):
        return ResolvedAddress("site", address, note=_note_of(page) if content == "page" and not known else "")
    raise FetchError(
        f"{safe_address(address)} gives {'nothing' if content == 'nothing' else 'neither a feed nor a page'}.",
        "Open it in a browser, and name the address of the feed, the channel or the page that plays.",
    )


def _on_disk(path: Path) -> ResolvedAddress:
    if path.is_dir():
        return ResolvedAddress("folder", str(path))
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise FetchError(f"{safe(str(path))} cannot be read: {error.strerror}.", "Correct the path.") from None
    page = Page(str(path), data)
    content = content_of(page)
    if content == "opml":
        return ResolvedAddress("opml", str(path), page)
    if content == "feed":
        own = _SELF.search(data[:10_000].decode("latin-1"))
        raise FetchError(
            f"{safe(str(path))} is a feed that was saved, and will have no new episode.",
            f"Add its own address: talksearch add {safe_address(own[1])}" if own else "Add the feed's own address.",
        )
    return ResolvedAddress("file", str(path), page)


def _note_of(page: Page) -> str:
    feeds = () if has_player(page) else feeds_named(page)
    if not feeds:
        return ""
    named = " or ".join(safe_address(address) for address, _ in feeds[:3])
    return f"The page plays nothing that can be seen in it, and names a feed: talksearch add {named}"
