"""What TubeArchivist keeps of its videos outside its database: a backup of the index, and what it embeds in recordings.

Source: its own code (github.com/tubearchivist/tubearchivist: `appsettings/src/backup.py`, `video/src/meta_embed.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from talksearch.indexer.records import Json
from talksearch.indexer.text import youtube

from .entry import Info, MetadataEntry, day_in

BACKUP = re.compile(r"^es_video-\d{8}-\d+\.json$")
"""How the backup calls the files that describe videos."""
_CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")


def is_folder_of_channel(folder: Path) -> bool:
    """Say whether a folder is named as TubeArchivist names those of channels: by the channel's id."""
    return _CHANNEL_ID.fullmatch(folder.name) is not None


def id_of(folder: Path, stem: str) -> str | None:
    """Return the YouTube id that a file in the folder of a channel is named by; None for any other file."""
    return stem if is_folder_of_channel(folder) and youtube.is_id(stem) else None


def entries_in_backup(text: str) -> Iterator[MetadataEntry]:
    """Yield the videos of a backup: lines of JSON, of which every second one is a document."""
    for line in text.splitlines():
        if '"youtube_id"' not in line:
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and (info := info_of(value)):
            yield MetadataEntry(info, None, frozenset((info["id"],)))


def info_of(video: Json) -> Info | None:
    """Return what a document says of a video; None where it is of no video."""
    if not isinstance(video, dict) or not isinstance(video.get("youtube_id"), str):
        return None
    channel, player = video.get("channel"), video.get("player")
    return {
        "id": video["youtube_id"],
        "extractor": "youtube",
        "title": video.get("title"),
        "channel": channel.get("channel_name") if isinstance(channel, dict) else None,
        "upload_date": day_in(video.get("published")),
        "duration": player.get("duration") if isinstance(player, dict) else None,
        "description": video.get("description"),
    }
