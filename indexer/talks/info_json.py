"""yt-dlp's `.info.json`: what of it can be used. Other files that describe talks are read into its keys as well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from talksearch.indexer.records import Chapter
from talksearch.indexer.text import youtube
from talksearch.indexer.text.sites import takes_time
from talksearch.indexer.text.untrusted import is_linkable

from .language_tags import language_of

_LONGEST_S = 100 * 3600
_LONGEST_TEXT = 4_000
"""Characters of all but a description; YouTube's titles have 100 at most."""
_LONGEST_DESCRIPTION = 1_000_000
"""Characters; YouTube allows 5000."""


@dataclass(frozen=True, slots=True)
class SidecarMetadata:
    """What a sidecar says about a talk; None where it says nothing usable."""

    title: str | None = None
    channel: str | None = None
    speaker: str | None = None
    date: str | None = None
    """`YYYY-MM-DD`."""
    url: str | None = None
    duration_ms: int | None = None
    description: str = ""
    chapters: tuple[Chapter, ...] = ()
    language: str | None = None
    youtube_id: str | None = None
    entry: str | None = None
    """What an export or a feed calls the talk: transcripts that it names alike are of one talk."""
    human_tracks: frozenset[str] = frozenset()
    """Language tags of the tracks that people wrote."""
    automatic_tracks: frozenset[str] = frozenset()
    problem: str | None = None
    """What was wrong with the sidecar, a sentence; the rest of it was used as far as possible."""


def from_info(info: dict[str, Any], name: str = "the sidecar") -> SidecarMetadata:
    """Take from a parsed `.info.json` what can be used.

    >>> from_info({"title": ["x"], "duration": -5, "id": "DTcRLlMv4_o", "extractor": "youtube"}).problem
    'the sidecar: duration is no length of time; title is not text.'
    """
    wrong: list[str] = []

    def text(*keys: str) -> str | None:
        for key in keys:
            value = info.get(key)
            if isinstance(value, str) and len(value) > (
                _LONGEST_DESCRIPTION if key == "description" else _LONGEST_TEXT
            ):
                wrong.append(f"{key} is too long")
            elif isinstance(value, str):
                if value.strip():
                    return value.strip()
            elif value is not None:
                wrong.append(f"{key} is not text")
        return None

    url = text("webpage_url", "original_url", "url")
    if url is not None and not re.match(r"(?:https?|file|rtmp)://", url):
        wrong.append("webpage_url is no address")
        url = None
    media = info.get("url")
    if (
        info.get("extractor") == "podcast"
        and isinstance(media, str)
        and is_linkable(media)
        and not takes_time(url or "")
    ):
        url = media  # the page of an episode opens at its beginning, its sound at any second
    if url is not None and len(url) > 2000:
        url = None
    named_id = text("id", "display_id")
    video = youtube.find_id(url or "")
    extractor = str(info.get("extractor_key") or info.get("extractor") or "")
    if video is None and extractor.lower().startswith("youtube") and named_id and youtube.is_id(named_id):
        video = named_id
    length = info.get("duration")
    duration = _milliseconds(length)
    if duration is not None and not 0 < duration < _LONGEST_S * 1000:
        duration = None
    if length is not None and duration is None:
        wrong.append("duration is no length of time")
    chapters = _chapters(info.get("chapters"), wrong)
    if duration is not None:
        chapters = tuple(chapter for chapter in chapters if chapter.start_ms <= duration)
    language = text("language")
    is_tag = language is None or re.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", language)
    if language is not None and not is_tag and language_of(language) is None:
        wrong.append("language is no language tag")
        language = None
    automatic = _tracks(info.get("automatic_captions"))
    originals = sorted(tag for tag in automatic if tag.lower().endswith("-orig"))
    if language is None and len(originals) == 1:  # the track that YouTube translated all others from
        language = originals[0]
    return SidecarMetadata(
        title=text("title", "fulltitle"),
        channel=text("channel", "uploader", "series"),
        speaker=text("speaker", "creator", "artist"),
        date=_date(info, wrong),
        url=url or (youtube.watch_url(video) if video else None),
        duration_ms=duration,
        description=text("description") or "",
        chapters=chapters,
        language=language_of(language),
        youtube_id=video,
        human_tracks=_tracks(info.get("subtitles")),
        automatic_tracks=automatic,
        problem=f"{name}: {'; '.join(dict.fromkeys(wrong))}." if wrong else None,
    )


def _milliseconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return round(value * 1000) if abs(value) < 1e9 else None  # NaN is not, and neither is what no float holds


def _chapters(value: object, wrong: list[str]) -> tuple[Chapter, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        wrong.append("chapters is no list")
        return ()
    out = []
    for entry in value:
        start = _milliseconds(entry.get("start_time")) if isinstance(entry, dict) else None
        title = entry.get("title") if isinstance(entry, dict) else None
        if start is None or not 0 <= start < _LONGEST_S * 1000 or not isinstance(title, str) or not title.strip():
            wrong.append("a chapter has no title or no time")
            continue
        out.append(Chapter(start, title.strip()))
    return tuple(sorted(out, key=lambda chapter: chapter.start_ms))


def _date(info: dict[str, Any], wrong: list[str]) -> str | None:
    for key in ("release_date", "upload_date"):
        value = info.get(key)
        if value is None:
            continue
        match = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})", str(value))
        try:
            if match:
                return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        except ValueError:
            pass
        wrong.append(f"{key} is no day")
    stamp = _milliseconds(info.get("timestamp"))
    if stamp is not None and 0 < stamp < 4_102_444_800_000:  # the year 2100
        return datetime.fromtimestamp(stamp / 1000, UTC).date().isoformat()
    return None


def _tracks(value: object) -> frozenset[str]:
    return frozenset(key for key in value if isinstance(key, str)) if isinstance(value, dict) else frozenset()
