"""The values of bringing talks in: what is asked of an address, and what became of each talk there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from talksearch.indexer.errors import TalksearchError

Recordings = Literal["none", "missing", "all"]
"""Which recordings are fetched beside their captions: none, those of talks that have no captions, or all. Sound alone
is enough, and is what is taken."""


_LONGEST_TITLE = 500
"""Characters of a title that are held against a regular expression; a longer one could keep it busy for hours."""


class FetchError(TalksearchError):
    """An address cannot be asked, or gives nothing that can be used. The other subscriptions go on."""


class AskedTooOftenError(FetchError):
    """A site says that it was asked too often (429), after pauses. Nothing more is asked of it in this run."""

    def __init__(self, message: str, hint: str = "", host: str = "") -> None:
        super().__init__(message, hint)
        self.host = host
        """Which host is left alone, as `addresses.host_of` has it; empty for that of the source."""


@dataclass(frozen=True, slots=True)
class Source:
    """An address, with what is wanted from there. A subscription is a source that `sync` asks again."""

    url: str
    """An address on the web, or the absolute path of a folder of recordings."""
    title: str = ""
    """What it calls itself; empty until it was asked."""
    since: date | None = None
    """Nothing older than this day."""
    match: str = ""
    """A regular expression that a talk's title must hold, whatever the case of its letters; `options.make_source` says
    whether it is one."""
    limit: int | None = None
    """How many talks a run brings at most, the newest first."""
    language: str = ""
    """The language that is spoken, where the site does not say; a BCP 47 tag."""
    also: tuple[str, ...] = ()
    """Further languages whose tracks are taken where people wrote them."""
    recordings: Recordings = "none"
    cookies: str = ""
    """A file of cookies in Netscape's format; none are sent where it is empty."""
    cookies_from_browser: str = ""
    """A browser's name, as yt-dlp takes it; its cookies are read only where it is named."""

    @property
    def wishes(self) -> str:
        """What decides whether a talk that can be reached has anything that is wanted; the same for the same wishes."""
        cookies = "cookies" if self.cookies or self.cookies_from_browser else ""
        return f"{self.language} {','.join(self.also)} {self.recordings} {cookies}".strip()

    def is_older(self, day: date | None) -> bool:
        """Say whether a day is before what is wanted; False where it is not known."""
        return self.since is not None and day is not None and day < self.since

    def why_unwanted(self, title: str, day: date | None) -> str:
        """Return why a talk is not wanted, a sentence; empty where it is, as far as its title and day are known."""
        if title and self.match and not re.search(self.match, title[:_LONGEST_TITLE], re.IGNORECASE):
            return "Its title is not among those wanted."
        return f"It is from {day}, older than wanted." if self.is_older(day) else ""


@dataclass(frozen=True, slots=True)
class FetchedTalk:
    """A talk that was brought in."""

    key: str
    """Which talk it is, the same in every run: yt-dlp's `extractor id`, or `feed` and a hash of the episode's guid."""
    title: str
    files: tuple[Path, ...]
    """Where its files lie now; a track or a recording first, then what is beside it."""
    note: str = ""
    """What is worth knowing of it, a sentence: automatic captions in place of people's, an untimed transcript."""


@dataclass(frozen=True, slots=True)
class SkippedTalk:
    """A talk that was left where it is."""

    key: str
    title: str
    reason: str
    """Why, a sentence: no captions yet, private, older than wanted."""
    expected: bool = False
    """Whether it is left because the user wants it so (`since`, `match`); such talks are counted, not listed."""


@dataclass(frozen=True, slots=True)
class KnownTalk:
    """A talk that was asked for by its own address, and landed in an earlier run. It is not fetched again."""

    key: str
    title: str
    """Empty where the site was not asked."""
    files: tuple[Path, ...]
    """Where its files lie, a track first; none where they were deleted."""


Event = FetchedTalk | SkippedTalk | KnownTalk

Tell = Callable[[str], None]
"""Is told what is waited for, a sentence, so that a person knows why nothing happens."""
