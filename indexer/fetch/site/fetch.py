"""Talks from sites, through yt-dlp: what there is at an address, and what of it is new and wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from talksearch.indexer.errors import UsageError
from talksearch.indexer.fetch.addresses import as_address
from talksearch.indexer.fetch.archive import Archive
from talksearch.indexer.fetch.limits import FetchLimits
from talksearch.indexer.fetch.pace import RequestPace
from talksearch.indexer.fetch.records import Event, FetchError, Source, Tell
from talksearch.indexer.text.untrusted import safe

if TYPE_CHECKING:
    from .downloader import Downloader

PACE = RequestPace()
"""How gently sites are asked where nothing else is said; looked up when it is needed."""


@dataclass(frozen=True, slots=True)
class SiteListing:
    """What is at an address, before any talk of it is asked for."""

    title: str
    """What it calls itself, fit for a terminal; its host where it does not."""
    is_list: bool
    """Whether it is a channel, a playlist or the like, to which new talks may come; else it is one talk."""


def is_known_site(url: str) -> bool:
    """Say whether yt-dlp knows the site of an address by itself, and not as any page; False where it is not installed.

    Nothing is asked of the network.
    """
    try:
        from yt_dlp.globals import all_plugins_loaded
        from yt_dlp.plugins import load_all_plugins

        from .listing import extractor_of
    except ImportError:
        return False
    try:
        address = _address_of(url)
    except FetchError:
        return False
    if not all_plugins_loaded.value:
        load_all_plugins()
    known = extractor_of(address)
    return known is not None and known.ie_key() != "Generic"


def look_at(
    source: Source, tell: Tell, pace: RequestPace | None = None, limits: FetchLimits | None = None
) -> SiteListing:
    """Ask what an address is: one talk or many, and what it calls itself. Entries of a list are not asked for.

    Raises:
        FetchError: It cannot be asked, or holds nothing that yt-dlp finds.
        AskedTooOftenError: The site says so.
    """
    address = _address_of(source.url)
    with _asking(source, tell, pace, limits) as downloader:
        from . import listing
        from .trouble import told_of

        with told_of(address):
            info = listing.resolve(downloader, {"_type": "url", "url": address})
        title = listing.title_of(info) or str(urlsplit(address).hostname)
        return SiteListing(title, listing.is_list(info))


def fetch_site(
    source: Source, archive: Archive, tell: Tell, pace: RequestPace | None = None, limits: FetchLimits | None = None
) -> Iterator[Event]:
    """Bring in what is new at an address and wanted, and yield what becomes of each talk as it happens.

    Talks that landed, and those that were left and are not due, are passed over without a word and asked for nothing.

    Args:
        source: The address, and what is wanted from there.
        archive: Where talks land and what was left is written down.
        tell: Is told what is waited for.
        pace: How gently the site is asked; `PACE` where it is None.
        limits: How much is taken at once.

    Raises:
        FetchError: The address cannot be asked, or stopped answering. What landed stays.
        AskedTooOftenError: The site says so, after pauses. What landed stays, and the next run goes on there.
        OSError: The disk is full, or cannot be written.
    """
    address = _address_of(source.url)
    with _asking(source, tell, pace, limits) as downloader:
        from .run import SiteRun

        yield from SiteRun(source, archive, downloader).talks_at(address)


@contextmanager
def _asking(source: Source, tell: Tell, pace: RequestPace | None, limits: FetchLimits | None) -> Iterator[Downloader]:
    """Yield what asks sites, and close it at the end."""
    try:
        from .downloader import Downloader
    except ImportError:
        raise FetchError(
            "Talks of sites are fetched with yt-dlp, which is not installed.",
            'Install it: pip install "talksearch[fetch]"',
        ) from None
    with closing(Downloader(source, tell, pace or PACE, limits or FetchLimits())) as downloader:
        yield downloader


def _address_of(url: str) -> str:
    """Return the address of the web that a user means. Raises FetchError where it is none."""
    try:
        address = as_address(url, Path.cwd())
    except UsageError as error:
        raise FetchError(safe(error.message), error.hint) from None
    if not address.lower().startswith(("https://", "http://")):
        raise FetchError(
            f"{safe(url) or 'That'} is no address of the web.", "Addresses begin with https:// or http://."
        )
    return address
