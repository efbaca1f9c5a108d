"""What a file is, found out without reading all of it: its format, its video, its track."""

from __future__ import annotations

import re
from dataclasses import dataclass

from talksearch.indexer.records import Origin
from talksearch.indexer.text import youtube

from .opened_file import OpenedFile
from .sidecar import SidecarMetadata, language_of, parts, read_sidecar

_REGION = re.compile(r"-[a-z]{2}$")
"""What names the language a track was translated from, as in `fr-en`."""


@dataclass(slots=True)
class Identity:
    """What a file is, as far as grouping files into talks needs to know. An index keeps it by its field names."""

    format: str
    youtube_id: str | None
    base: str
    """The path without endings and language tag: files of one talk share it."""
    language_tag: str | None
    timed: bool
    origin: Origin
    original: bool
    """The track is in the language that is spoken, as far as its name and sidecar tell; not a translation."""
    words: int = 0
    """About how many words it has, whatever repeats counted once; 0 where that was not looked at."""


def identify(opened: OpenedFile) -> Identity:
    """Find out what a file is without reading all of it."""
    path, source = opened.path, opened.source
    stem, tag = parts(path.name)
    sidecar = read_sidecar(path)
    return Identity(
        format=opened.format.name,
        youtube_id=video_of(sidecar, opened.format.address(source), stem),
        base=path.with_name(stem).as_posix(),
        language_tag=tag,
        timed=opened.format.is_timed(source),
        origin=track_origin(opened.format.origin(source), tag, sidecar),
        original=is_original(tag, sidecar),
        words=opened.format.count_words(source),
    )


def video_of(sidecar: SidecarMetadata | None, address: str | None, stem: str) -> str | None:
    """Return the id of the YouTube video that a file belongs to: by its sidecar, else by itself, else by its name."""
    in_sidecar = sidecar.youtube_id if sidecar else None
    return in_sidecar or youtube.find_id(address or "") or youtube.id_from_name(stem)


def track_origin(shown: Origin, tag: str | None, sidecar: SidecarMetadata | None) -> Origin:
    """Return who wrote a track: what the file shows, else what the sidecar says, which lists the tracks by language."""
    if shown != "unknown" or sidecar is None or tag is None:
        return shown
    if tag in sidecar.human_tracks:
        return "human"
    return "automatic" if tag in sidecar.automatic_tracks else shown


def is_original(tag: str | None, sidecar: SidecarMetadata | None) -> bool:
    """Say whether a track is in the language that is spoken, as far as its name and sidecar tell."""
    if tag is None or tag.lower().endswith("-orig"):
        return True
    spoken = sidecar.language if sidecar else None
    if spoken is None:
        return False
    return (language_of(tag) or "").split("-")[0] == spoken.split("-")[0] and not _REGION.search(tag)
