"""What a file is, found out without reading all of it: its format, its video, its track."""

from __future__ import annotations

from dataclasses import dataclass

from talksearch.indexer.records import Origin
from talksearch.indexer.text import youtube

from .info_json import SidecarMetadata
from .language_tags import language_of, translated_from
from .naming import recorded
from .opened_file import OpenedFile
from .recordings import same_talk
from .track_names import TrackName, folder_of_talk


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
    forced: bool = False
    """It holds only what is said in another language than the rest, or stands on signs."""


def identify(opened: OpenedFile) -> Identity:
    """Find out what a file is without reading all of it."""
    path, source = opened.path, opened.source
    track, sidecar = opened.around.track, opened.around.sidecar
    return Identity(
        format=opened.format.name,
        youtube_id=video_of(sidecar, opened.format.address(source), track.stem),
        base=(
            folder_of_talk(path) / (sidecar.entry if sidecar and sidecar.entry else same_talk(track.stem))
        ).as_posix(),
        language_tag=track.tag,
        timed=opened.format.is_timed(source),
        origin=track_origin(opened.format.origin(source), track, sidecar),
        original=is_original(track, sidecar),
        words=opened.format.count_words(source),
        forced="forced" in track.kinds,
    )


def video_of(sidecar: SidecarMetadata | None, address: str | None, stem: str) -> str | None:
    """Return the id of the YouTube video that a file belongs to: by its sidecar, else by itself, else by its name."""
    in_sidecar = sidecar.youtube_id if sidecar else None
    return in_sidecar or youtube.find_id(address or "") or youtube.id_from_name(stem)


def track_origin(shown: Origin, track: TrackName, sidecar: SidecarMetadata | None) -> Origin:
    """Return who wrote a track: what the file shows, else its name, else the sidecar, which lists tracks."""
    if shown != "unknown":
        return shown
    if "auto" in track.kinds or "translated" in track.kinds:
        return "automatic"
    if "human" in track.kinds:
        return "human"
    if sidecar is None or track.tag is None:
        return shown
    if track.tag in sidecar.human_tracks:
        return "human"
    return "automatic" if track.tag in sidecar.automatic_tracks else shown


def is_original(track: TrackName, sidecar: SidecarMetadata | None) -> bool:
    """Say whether a track is in the language that is spoken, as far as its name and sidecar tell."""
    if track.tag is None or "orig" in track.kinds:
        return "translated" not in track.kinds
    spoken = (sidecar.language if sidecar else None) or language_of(recorded(track.stem).spoken)
    if spoken is None or "translated" in track.kinds:
        return False
    return _first(language_of(track.tag)) == _first(spoken) and translated_from(track.tag) is None


def _first(language: str | None) -> str:
    return (language or "").partition("-")[0]
