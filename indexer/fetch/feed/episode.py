"""A podcast and its episodes as values, read from the bytes of a feed.

feedparser reads what feeds have in common (`parse_feed`). What it loses is read from the same text by `podcast_tags`,
and joined by the order of the items, else by their guids.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from talksearch.indexer.fetch.addresses import web_address
from talksearch.indexer.fetch.web import Page
from talksearch.indexer.records import Chapter
from talksearch.indexer.text.clock import parse_clock
from talksearch.indexer.text.untrusted import safe_address

from .parse_feed import parse_feed
from .podcast_tags import Media, Person, PodcastTags, TranscriptLink, language_tag, read_tags
from .show_notes import plain_line

_GLOBAL = re.compile(
    r"[a-z][a-z0-9+.-]*://\S{4,}|(?:tag|urn):\S{4,}|\S*[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\S*", re.IGNORECASE
)
"""Guids that no other feed has: addresses, `tag:` and `urn:`, UUIDs. Others, such as `12`, count within one podcast."""
_LONGEST_S = 100 * 3600
_SPEAKING = ("cast", "")
"""Groups of the namespace whose people are heard; others write, cut and draw."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode, as far as its feed tells."""

    key: str
    """`feed` and a hash: the same in every run, and wherever the feed moves to."""
    title: str
    published: date | None = None
    page: str = ""
    """The address of its page."""
    media: tuple[Media, ...] = ()
    """Its recordings, sound first."""
    notes: str = ""
    """As the feed has them, HTML or plain text; of ten thousand only those of episodes that land become plain text."""
    language: str = ""
    """As the item itself says; a BCP 47 tag."""
    duration_s: int | None = None
    author: str = ""
    people: tuple[Person, ...] = ()
    transcripts: tuple[TranscriptLink, ...] = ()
    chapters_url: str = ""
    chapters: tuple[Chapter, ...] = ()

    @property
    def mark(self) -> str:
        """What tells its files from those of an episode of the same day and title."""
        return self.key.rpartition(" ")[2][:8]


@dataclass(frozen=True, slots=True)
class Podcast:
    """A feed."""

    url: str
    """Where it came from, without user and password."""
    title: str
    author: str
    language: str
    """A BCP 47 tag; empty where the feed does not say."""
    episodes: tuple[Episode, ...]
    """Newest first; those without a day last, in the order of the feed."""
    notes: tuple[str, ...]
    """Sentences about what is damaged in the feed."""
    older_page: str = ""
    """The address of the page of the feed that goes on behind this one (RFC 5005)."""
    articles: int = 0
    """How many items it has, where none of them has a recording or a transcript."""


def read_podcast(page: Page) -> Podcast:
    """Read a feed.

    Raises:
        FetchError: It is none, with what came instead; it cannot be read; or feedparser is not installed.
    """
    parsed, text = parse_feed(page)
    own, tags, damage = read_tags(text, page.url)
    feed = parsed.feed
    title = plain_line(str(feed.get("title") or "")) or urlsplit(page.url).hostname or "podcast"
    found = [_episode(entry, extra, title, own, page.url) for entry, extra in _joined(parsed.entries, tags)]
    episodes = [episode for episode in _told_apart(found) if episode.media or episode.transcripts]
    episodes.sort(key=_newest_first)
    notes = tuple(f"{safe_address(page.url)}: {note}" for note in damage)
    return Podcast(
        url=page.url,
        title=title,
        author=plain_line(str(feed.get("author") or feed.get("publisher") or "")),
        language=language_tag(feed.get("language")),
        episodes=tuple(episodes),
        notes=notes,
        older_page=_linked(feed, "next", page.url),
        articles=len(found) if not episodes else 0,
    )


def _newest_first(episode: Episode) -> int:
    return -(episode.published or date.min).toordinal()


def speaking(people: tuple[Person, ...]) -> tuple[str, ...]:
    """Return the names of those who are heard, in the order of the feed."""
    return tuple(dict.fromkeys(person.name for person in people if person.group in _SPEAKING))


def _joined(entries: list[Any], tags: list[PodcastTags]) -> list[tuple[Any, PodcastTags]]:
    if len(entries) == len(tags):
        return list(zip(entries, tags, strict=True))
    by_guid: dict[str, PodcastTags] = {}
    for one in tags:
        by_guid.setdefault(one.guid, one)
    by_guid.pop("", None)
    return [(entry, by_guid.get(str(entry.get("id") or ""), PodcastTags())) for entry in entries]


def _episode(entry: Any, tags: PodcastTags, podcast: str, own: PodcastTags, base: str) -> Episode:
    enclosures = [link for link in entry.get("links", ()) if link.get("rel") == "enclosure"]
    enclosures += entry.get("media_content", ())
    media = [
        Media(address, str(one.get("type") or "").lower())
        for one in enclosures
        if (address := web_address(str(one.get("href") or one.get("url") or ""), base)) and _plays(one, address)
    ]
    media = list({one.url: one for one in (*media, *tags.alternates)}.values())
    first = media[0].url if media else ""
    media.sort(key=lambda one: not one.type.startswith("audio/"))
    link = str(entry.get("link") or "")
    page = web_address(link, base) if link else ""
    title = plain_line(str(entry.get("title") or entry.get("itunes_title") or ""))
    if not title and (day := _day(entry)):
        title = f"Episode of {day.isoformat()}"
    notes = [str(one.get("value") or "") for one in entry.get("content", ())] + [str(entry.get("summary") or "")]
    return Episode(
        key=_key(str(entry.get("id") or "").strip() or first or page or title, podcast),
        title=title or "Episode without a title",
        published=_day(entry),
        page="" if page in {one.url for one in media} else page,
        media=tuple(media),
        notes=next((note for note in notes if note.strip()), ""),
        language=language_tag(entry.get("dc_language") or entry.get("language")),
        duration_s=_seconds(str(entry.get("itunes_duration") or "")),
        author=plain_line(str(entry.get("author") or "")),
        people=tags.people or own.people,
        transcripts=tags.transcripts,
        chapters_url=tags.chapters_url,
        chapters=tags.chapters,
    )


def _linked(feed: Any, relation: str, base: str) -> str:
    links = (one.get("href") for one in feed.get("links", ()) if one.get("rel") == relation)
    return next((address for link in links if link and (address := web_address(str(link), base))), "")


def _plays(given: Any, address: str) -> bool:
    """Say whether an enclosure is a recording: feeds of other things have pictures and documents."""
    kind = str(given.get("type") or "").lower()
    medium = str(given.get("medium") or "").lower()
    if kind.startswith(("image/", "text/", "application/pdf")) or medium in ("image", "document", "executable"):
        return False
    return not re.search(r"\.(?:jpe?g|png|gif|webp|svg|pdf|epub|zip)$", urlsplit(address).path, re.IGNORECASE)


def _key(guid: str, podcast: str) -> str:
    """Return which episode it is. A guid that other feeds may have as well counts within a podcast of its title: the
    title stays when a feed moves, its address does not.
    """
    scope = "" if _GLOBAL.fullmatch(guid) else " ".join(podcast.casefold().split())
    whole = f"{scope}\n{guid}".encode(errors="replace")
    return f"feed {hashlib.sha256(whole).hexdigest()[:16]}"


def _told_apart(episodes: list[Episode]) -> list[Episode]:
    """Return the episodes with a key for each: feeds that give one guid to several have all but the oldest told by
    their recording as well, so that the keys stay as further ones come.
    """
    count = Counter(episode.key for episode in episodes)
    out: dict[str, Episode] = {}
    taken: dict[str, str] = {}
    for episode in sorted(episodes, key=lambda one: one.published or date.max):
        first = min((one.url for one in episode.media), default=episode.page)
        key = episode.key
        if count[key] > 1 and taken.setdefault(key, first) != first:
            key = _key(f"{key}\n{first}", "")
        out.setdefault(key, replace(episode, key=key))
    return list(out.values())


def _day(entry: Any) -> date | None:
    """Return the day of an episode in UTC; None where there is none, or one that cannot be."""
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        parts = dict.get(entry, name)  # not its own `get`, which takes one day for another and warns of it
        try:
            day = date(*parts[:3]) if parts else None
        except (ValueError, TypeError, OverflowError):
            continue
        if day and date(1990, 1, 1) <= day <= datetime.now(UTC).date() + timedelta(days=366):
            return day
    return None


def _seconds(text: str) -> int | None:
    """Return the seconds of `itunes:duration`: `1:02:03`, `62:03`, or `3723`.

    >>> [_seconds(text) for text in ("1:02:03", "62:03", "3723", "about an hour", "0")]
    [3723, 3723, 3723, None, None]
    """
    text = text.strip()[:20]
    ms = parse_clock(text) if ":" in text else None
    value = ms // 1000 if ms else int(float(text)) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text) else 0
    return value if 0 < value < _LONGEST_S else None
