"""One run over one address of a site: which of its talks are asked for, and what becomes of each.

Imports yt-dlp, so it is imported only where a site is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

from talksearch.indexer.fetch.archive import Archive
from talksearch.indexer.fetch.records import AskedTooOftenError, Event, FetchError, KnownTalk, SkippedTalk, Source
from talksearch.indexer.text.untrusted import safe, without_password

from .bring import bring, refused_by
from .downloader import Downloader
from .landed_files import landed_files
from .listing import Info, day_of, entries_of, is_list, resolve, talk_key, title_of
from .trouble import is_of_site, raise_if_not_the_talks, sentence_of, told_of

_DEEPEST = 4
"""Lists within lists: a channel has its tabs, a course its weeks."""
_MOST_SEEN = 200_000
"""Talks and lists of one run; some lists never end, as calendars do."""
_ENOUGH_OLDER = 10
"""So many talks in a row that are too old end a list whose newest stand first."""
_OUT_OF_ORDER = timedelta(days=7)
"""How far the days of such a list may rise all the same: a talk is uploaded, and shown some days later."""
_ENOUGH_FAILURES = 3
"""So many talks in a row that the network or the site refused: then it is no talk's fault."""


@dataclass(slots=True)
class _Order:
    """What the days of a list say of its order."""

    first: date | None = None
    last: date | None = None
    falls: bool = True
    """No day was later than the one before, but for what is allowed."""
    older: int = 0
    """Talks in a row, up to the last, that are too old."""

    def see(self, day: date | None, *, is_older: bool) -> None:
        self.older = self.older + 1 if is_older else 0
        if day is not None:
            self.falls &= self.last is None or day <= self.last + _OUT_OF_ORDER
            self.first, self.last = self.first or day, day

    @property
    def is_past(self) -> bool:
        """Say whether all that follows is too old."""
        falls = self.falls and self.first is not None and self.last is not None and self.last < self.first
        return falls and self.older >= _ENOUGH_OLDER


@dataclass(slots=True)
class SiteRun:
    """What a run knows of itself. Errors are those of `fetch.fetch_site`."""

    source: Source
    archive: Archive
    downloader: Downloader
    seen: set[str] = field(default_factory=set)
    """Talks and lists that were met: lists name some twice, and may hold one another."""
    landed: int = 0
    failures: int = 0
    """Talks in a row that the network or the site refused."""

    def talks_at(self, address: str) -> Iterator[Event]:
        """Yield what becomes of the talks at an address. A talk that was left before is asked for, whenever it is due:
        its address was given.
        """
        entry = {"_type": "url", "url": address}
        named = talk_key(entry)
        if named in self.archive.done and (files := landed_files(self.archive.folder, named, address)):
            yield KnownTalk(named, self.source.title, files)
            return
        self.seen.add(named)
        with told_of(address):
            info = resolve(self.downloader, entry)
        if is_list(info):
            yield from self._listed(info, 1)
        elif (key := talk_key(info)) in self.archive.done:
            if named not in self.archive.done:
                self.archive.mark_done(named)
            own = str(info.get("webpage_url") or address)
            yield KnownTalk(key, title_of(info), landed_files(self.archive.folder, key, own))
        else:
            yield self._bring(info, key, named, "")

    def _listed(self, info: Info, depth: int) -> Iterator[Event]:
        """Yield what becomes of the talks of a list that are not known, as far as the run goes."""
        own = f"list {without_password(str(info.get('webpage_url') or info.get('id')))}"
        if depth > _DEEPEST or own in self.seen:
            return
        self.seen.add(own)
        title, order = title_of(info), _Order()
        entries = entries_of(self.downloader, info)
        while not self._is_full and not order.is_past and len(self.seen) < _MOST_SEEN:
            try:
                with told_of(title or own):
                    entry = next(entries, None)
            except FetchError as error:
                if depth == 1 or isinstance(error, AskedTooOftenError):
                    raise
                yield SkippedTalk(own, title, error.message)  # the next tab of a channel may do
                return
            if entry is None:
                return
            named = talk_key(entry)
            if named in self.seen:
                continue
            self.seen.add(named)
            day = self._day(entry, named)
            if left := self._known_to_be_unwanted(entry, named, day):
                order.see(day, is_older=self.source.is_older(day))
                yield left
                continue
            if not self.archive.is_due(named, self.source.wishes):
                order.see(day, is_older=False)
                continue
            found = self._resolved(entry, named)
            if isinstance(found, SkippedTalk):
                yield found
            elif is_list(found):
                yield from self._listed(found, depth + 1)
            else:
                order.see(day_of(found), is_older=self.source.is_older(day_of(found)))
                yield from self._listed_talk(found, named, title)

    def _listed_talk(self, info: Info, named: str, list_title: str) -> Iterator[Event]:
        """Yield what becomes of a talk that a list calls `named`, and that may be known by its own key."""
        key = talk_key(info)
        is_met = key != named and key in self.seen
        self.seen.add(key)
        if key in self.archive.done:
            self.archive.mark_done(named)
        elif not is_met and self.archive.is_due(key, self.source.wishes):
            yield self._bring(info, key, named, list_title)

    @property
    def _is_full(self) -> bool:
        return self.source.limit is not None and self.landed >= self.source.limit

    def _day(self, entry: Info, key: str) -> date | None:
        """Return the day of a talk of a list, as far as it is known without asking.

        The day in a list may be rounded ("2 years ago"), and then is the latest that it can be. So it tells that a talk
        is too old, and never that it is not.
        """
        before = self.archive.waiting.get(key)
        days = [day for day in (day_of(entry), before.published if before else None) if day is not None]
        return min(days, default=None)

    def _known_to_be_unwanted(self, entry: Info, key: str, day: date | None) -> SkippedTalk | None:
        """Return that a talk of a list is left, where its entry or what was found out before tells that already."""
        if key in self.archive.done:
            return None
        before = self.archive.waiting.get(key)
        title = title_of(entry) or (before.title if before else "")
        reason = self.source.why_unwanted(title, day)
        return SkippedTalk(key, title or safe(key), reason, expected=True) if reason else None

    def _resolved(self, entry: Info, named: str) -> Info | SkippedTalk:
        """Ask what an entry of a list is; where that fails, it is left."""
        try:
            if reason := refused_by(entry, self.source):
                raise FetchError(reason)
            return resolve(self.downloader, entry)
        except Exception as error:  # noqa: BLE001 - 1800 extractors raise whatever they happen to
            return self._leave(error, (named,), title_of(entry), day_of(entry))

    def _bring(self, info: Info, key: str, named: str, list_title: str) -> Event:
        """Bring in a talk that was asked for, or leave it."""
        title, day = title_of(info), day_of(info)
        keys = tuple(dict.fromkeys((key, named)))
        if reason := self.source.why_unwanted(title, day):
            self.failures = 0
            for each in keys:
                self.archive.leave(each, reason, title, day, expected=True)
            return SkippedTalk(key, title or safe(key), reason, expected=True)
        try:
            landed = bring(self.downloader, info, key, self.source, self.archive, list_title)
        except Exception as error:  # noqa: BLE001 - as above
            return self._leave(error, keys, title, day)
        if named != key:
            self.archive.mark_done(named)
        self.landed += 1
        self.failures = 0
        return landed

    def _leave(self, error: Exception, keys: tuple[str, ...], title: str, day: date | None) -> SkippedTalk:
        """Leave a talk and write it down; raise where the fault is not its own."""
        raise_if_not_the_talks(error)
        reason = sentence_of(error)
        is_sites = is_of_site(error)
        for key in keys:
            self.archive.leave(key, reason, title, day, wishes=self.source.wishes, soon=is_sites)
        self.failures = self.failures + 1 if is_sites else 0
        if self.failures >= _ENOUGH_FAILURES:
            host = urlsplit(self.source.url).hostname or self.source.url
            raise FetchError(
                f"{host} does not answer any more: {reason}", "What was brought in stays; run it again later."
            ) from error
        return SkippedTalk(keys[0], title or safe(keys[0]), reason)
