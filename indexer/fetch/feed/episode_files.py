"""The files of an episode, as the readers know them: a track, and beside it what is known, as yt-dlp writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from talksearch.indexer.records import Chapter
from talksearch.indexer.talks.chapter_files import read_chapters
from talksearch.indexer.talks.track_names import RECORDINGS
from talksearch.indexer.text.untrusted import without_password

from .episode import Episode, Podcast, speaking
from .show_notes import plain_notes
from .transcripts import Transcript

EXTRACTOR = "podcast"
"""What `.info.json` says that found the episode; `talks.sidecar` takes the recording for its address by that."""
_BY_TYPE = {
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/mp4": "m4a", "audio/x-m4a": "m4a", "audio/m4a": "m4a",
    "audio/aac": "aac", "audio/aacp": "aac", "audio/ogg": "ogg", "audio/opus": "opus", "audio/flac": "flac",
    "audio/wav": "wav", "audio/x-wav": "wav", "video/mp4": "mp4", "video/x-m4v": "m4v", "video/webm": "webm",
    "audio/webm": "webm", "video/quicktime": "mov",
}  # fmt: skip


def write_track(staged: Path, stem: str, track: Transcript) -> Path:
    """Write a transcript as it was fetched."""
    path = staged / f"{stem}{f'.{track.language}' if track.language else ''}.{track.ending}"
    path.write_bytes(track.data)
    return path


def write_info(staged: Path, stem: str, episode: Episode, podcast: Podcast, language: str) -> None:
    """Write what is known of an episode, in the shape of yt-dlp's `.info.json`."""
    media = without_password(episode.media[0].url) if episode.media else ""
    info = {
        "_type": "video",
        "id": episode.mark,
        "title": episode.title,
        "channel": podcast.title,
        "series": podcast.title,
        "uploader": podcast.author or episode.author,
        "speaker": ", ".join(speaking(episode.people)),
        "people": [
            {"name": one.name, "role": one.role, "group": one.group, "url": without_password(one.url)}
            for one in episode.people
        ],
        "upload_date": episode.published.strftime("%Y%m%d") if episode.published else "",
        "description": plain_notes(episode.notes),
        "language": language,
        "duration": episode.duration_s,
        "webpage_url": without_password(episode.page) or media,
        "url": media,
        "extractor": EXTRACTOR,
        "extractor_key": EXTRACTOR.title(),
    }
    kept = {name: value for name, value in info.items() if value}
    (staged / f"{stem}.info.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")


def write_chapters(staged: Path, stem: str, chapters: Sequence[Chapter]) -> None:
    """Write chapters that stand in the feed, as the chapters of podcasts are written."""
    rows = [{"startTime": chapter.start_ms / 1000, "title": chapter.title} for chapter in chapters]
    text = json.dumps({"version": "1.2.0", "chapters": rows}, ensure_ascii=False, indent=1)
    (staged / f"{stem}.chapters.json").write_text(text, encoding="utf-8")


def keep_chapters(staged: Path, stem: str, data: bytes) -> bool:
    """Write chapters as they were fetched, and say whether there were any that can be read."""
    path = staged / f"{stem}.chapters.json"
    path.write_bytes(data)
    if read_chapters(path):
        return True
    path.unlink()
    return False


def recording_ending(url: str, content_type: str) -> str:
    """Return the ending of a recording's name: what its host calls it, else what its address ends in.

    >>> recording_ending("https://a.example/1.mp3?x=1", ""), recording_ending("https://a.example/play", "audio/mp4")
    ('mp3', 'm4a')
    """
    match = re.search(r"\.(\w{2,4})$", urlsplit(url).path.lower())
    return _BY_TYPE.get(content_type) or (match[1] if match and match[1] in RECORDINGS else "mp3")
