"""One source asked, whatever it is: a site, a feed, or a folder of this machine that needs no asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Literal

from talksearch.indexer.errors import TalksearchError, UsageError
from talksearch.indexer.fetch.addresses import host_of
from talksearch.indexer.fetch.archive import Archive
from talksearch.indexer.fetch.records import AskedTooOftenError, Event, FetchError, Source, Tell
from talksearch.indexer.text.untrusted import safe_address

from .opml import read_list
from .options import Options

if TYPE_CHECKING:
    from talksearch.indexer.fetch.web import Page


PAUSE_S = 1.0
"""Between two sources of one host; within a source, those that fetch it take their time themselves."""


@dataclass(slots=True)
class AskedHosts:
    """What a run knows of the hosts that it has asked."""

    refused: set[str] = field(default_factory=set)
    """Those that said that they were asked too often; nothing more is asked of them."""
    asked: dict[str, float] = field(default_factory=dict)
    """When each was asked last, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A source that could not be asked, or not to its end. What landed before stays."""

    reason: str
    """Why, and what to do: one or two sentences."""


@dataclass(frozen=True, slots=True)
class SourceLookup:
    """What an address leads to."""

    kind: Literal["talk", "talks", "folder", "list"]
    """One talk, which nobody subscribes to; talks to which new ones come; a folder of this machine; a list of
    subscriptions, such as OPML."""
    title: str = ""
    wanted: tuple[Options, ...] = ()
    """What a list subscribes to."""
    page: Page | None = None
    """What a feed gave, so that it is not asked twice."""


def look(source: Source, tell: Tell) -> SourceLookup:
    """Find out what an address leads to, with as few requests as that takes.

    Raises:
        FetchError: It cannot be asked, or nothing that can be used is there.
        UnreadableError: It is a file that lists no subscriptions.
        UsageError: It is a file of another kind.
        TalksearchError: What is needed for asking is not installed.
    """
    from talksearch.indexer.fetch.feed.fetch import title_of_feed
    from talksearch.indexer.fetch.site.fetch import look_at

    from . import address

    what = address.kind_of(source.url, tell, source)
    match what.kind:
        case "folder":
            return SourceLookup("folder", Path(what.url).name)
        case "file" | "opml" if what.page:
            if what.kind == "file":
                _refuse_other_files(Path(what.url))
            return SourceLookup("list", wanted=tuple(read_list(what.page.data, what.url)))
        case "feed" if what.page:
            return SourceLookup("talks", title_of_feed(what.page), page=what.page)
    try:
        seen = look_at(source, tell)
    except FetchError as error:
        if what.note:  # the page plays nothing, and names a feed that does
            raise FetchError(error.message, what.note) from error
        raise
    return SourceLookup("talks" if seen.is_list else "talk", seen.title)


def ask(
    source: Source, archive: Archive, tell: Tell, hosts: AskedHosts, page: Page | None = None
) -> Iterator[Event | FailedSource]:
    """Bring what is new from a source, and yield what became of each talk; where it fails, that comes last.

    Args:
        source: What is asked.
        archive: The folder, held for writing.
        tell: Is told what is waited for.
        hosts: What the run knows of the hosts that it has asked; it is kept up to date.
        page: What a feed gave, where it was asked already.

    Raises OSError where the disk cannot be written.
    """
    host = host_of(source.url)
    if host in hosts.refused:
        yield FailedSource(f"{host} was asked too often in this run, so it was left for the next one.")
        return
    if host in hosts.asked:
        sleep(max(0.0, hosts.asked[host] + PAUSE_S - monotonic()))
    try:
        yield from _events(source, archive, tell, hosts.refused, page)
    except AskedTooOftenError as error:
        hosts.refused.add(error.host or host)
        yield FailedSource(f"{error.message} {error.hint}".rstrip())
    except TalksearchError as error:
        yield FailedSource(f"{error.message} {error.hint}".rstrip())
    finally:
        if host:
            hosts.asked[host] = monotonic()


def _events(source: Source, archive: Archive, tell: Tell, refused: set[str], page: Page | None) -> Iterator[Event]:
    from talksearch.indexer.fetch.feed.fetch import fetch_feed
    from talksearch.indexer.fetch.feed.state import FeedState, read_state
    from talksearch.indexer.fetch.site.fetch import fetch_site

    from . import address

    if not host_of(source.url):
        if not Path(source.url).is_dir():
            raise FetchError(
                f"The folder {source.url} is not there.", "Plug in its disk, or correct the path; its talks stay."
            )
        return
    if page or read_state(archive, source) != FeedState():  # then its host may say "unchanged"
        yield from fetch_feed(source, archive, tell, page, refused=refused)
        return
    what = address.kind_of(source.url, tell, source)
    if what.kind == "feed":
        yield from fetch_feed(source, archive, tell, what.page, refused=refused)
    elif what.kind == "opml":
        raise FetchError(
            "This address is a list of subscriptions now.",
            f"Subscribe to what it lists: talksearch add {safe_address(source.url)}",
        )
    else:
        yield from fetch_site(source, archive, tell)


def _refuse_other_files(path: Path) -> None:
    """Raise UsageError for a file that is no table of subscriptions by its name."""
    if path.suffix.lower() != ".csv":
        raise UsageError(
            f"{path} is a file, and add takes addresses, folders and lists of subscriptions.",
            f"For a transcript: talksearch index {path.parent}; for a recording: talksearch transcribe {path}",
        )
