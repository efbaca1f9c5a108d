"""One talk of a site, from what yt-dlp knows of it to whole files in the archive.

Imports yt-dlp, so it is imported only where a site is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.fetch.archive import Archive
from talksearch.indexer.fetch.names import safe_name, stem_of
from talksearch.indexer.fetch.records import FetchedTalk, FetchError, Source
from talksearch.indexer.talks.read import failing_on_one_file, open_transcript
from talksearch.indexer.talks.track_names import RECORDINGS
from talksearch.indexer.text.untrusted import safe, without_password

from .downloader import Downloader
from .info_json import info_json, mark_of
from .listing import Info, day_of, generic_id, is_of_no_site, title_of
from .tracks import ChosenTrack, TrackChoice, choose_tracks
from .trouble import meaning_of, raise_if_not_the_talks, raise_if_too_often, sentence_of

_LONGEST_TAG = 40
_NOT_OVER = {
    "is_live": "It is live now; it is looked at again when it is over.",
    "is_upcoming": "It has not begun yet.",
    "post_live": "It has just ended, and its site is still making it ready.",
}
_FOR_FEW = {
    "private": "It is private.",
    "premium_only": "It is for those who pay.",
    "subscriber_only": "It is for members only.",
    "needs_auth": "It is shown only to those who have signed in.",
}


def refused_by(entry: Info, source: Source) -> str:
    """Say why an entry of a list is not worth asking for, as far as the list tells; empty where it does not."""
    has_cookies = bool(source.cookies or source.cookies_from_browser)
    hidden = "" if has_cookies else _FOR_FEW.get(str(entry.get("availability")), "")
    return hidden or _NOT_OVER.get(str(entry.get("live_status")), "")


def bring(
    downloader: Downloader, info: Info, key: str, source: Source, archive: Archive, list_title: str
) -> FetchedTalk:
    """Fetch the files of a talk and land them.

    Args:
        downloader: What asks the site.
        info: The talk, resolved.
        key: Which talk it is.
        source: What is wanted.
        archive: Where it lands.
        list_title: The title of the list that it stands in, for a talk that names no channel; may be empty.

    Raises:
        FetchError: It has nothing that can be taken; the message is why, a sentence of the talk.
        AskedTooOftenError, OSError, and what yt-dlp raises.
    """
    if not_over := _NOT_OVER.get(str(info.get("live_status"))):
        raise FetchError(not_over)
    choice = choose_tracks(info, source.language, source.also)
    has_recording = _is_recording(info)
    is_recorded = has_recording and (
        source.recordings == "all" or (source.recordings == "missing" and not choice.tracks)
    )
    if not choice.tracks and not is_recorded:
        raise FetchError(_why_nothing(downloader, info, choice))
    address = without_password(str(info.get("webpage_url") or source.url))
    ident = str(info.get("id") or "")
    ident = generic_id(ident, address) if is_of_no_site(info) else ident
    stem = stem_of(title_of(info), day_of(info), mark_of(ident, str(info.get("extractor_key") or "")))
    with archive.staging() as staged:
        files, notes = _save_tracks(downloader, info, choice, staged / stem)
        if is_recorded:
            files.append(_save_recording(downloader, info, staged / stem))
        files.append(_beside(staged / stem, "info.json"))
        files[-1].write_text(info_json(info, choice.language), encoding="utf-8")
        landed = {path.name: path for path in archive.land(key, staged, _folder_of(info, list_title, address))}
    note = " ".join(filter(None, (choice.note, *notes)))
    return FetchedTalk(key, title_of(info) or key, tuple(landed[path.name] for path in files), note)


def _save_tracks(downloader: Downloader, info: Info, choice: TrackChoice, stem: Path) -> tuple[list[Path], list[str]]:
    """Fetch the tracks of a talk; return them, and why others than the first are missing. Raises as `bring` does."""
    files: list[Path] = []
    notes: list[str] = []
    for number, track in enumerate(choice.tracks):
        path = _beside(stem, f"{safe_name(track.tag, 'und', _LONGEST_TAG)}.{str(track.form['ext']).lower()}")
        try:
            _save_track(downloader, track, path, info)
        except Exception as error:
            raise_if_not_the_talks(error)
            reason = sentence_of(error, f"The track {safe(track.tag)}")  # the talk itself is there
            if number == 0:
                raise FetchError(reason) from error
            notes.append(reason)
            path.unlink(missing_ok=True)
        else:
            files.append(path)
    return files, notes


def _save_track(downloader: Downloader, track: ChosenTrack, path: Path, info: Info) -> None:
    form: dict[str, Any] = {**track.form, "http_headers": track.form.get("http_headers") or info.get("http_headers")}
    downloader.save(form, path, downloader.limits.track, is_track=True)
    what = f"Its captions ({safe(track.tag)})"
    if not path.stat().st_size:
        raise FetchError(f"{what} are empty.")
    try:
        opened = open_transcript(path)
        with failing_on_one_file():
            opened.format.read(opened.source)
    except UnreadableError as error:
        raise FetchError(f"{what} cannot be read: {error.message}") from None
    if opened.format.is_prose:
        raise FetchError(f"{what} are none: what arrived has no times.")


def _save_recording(downloader: Downloader, info: Info, stem: Path) -> Path:
    path = _beside(stem, str(info["ext"]).lower())
    downloader.save(info, path, downloader.limits.recording, is_track=False)
    with path.open("rb") as file:
        if file.read(64).lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"{")):
            raise FetchError("Its recording cannot be had: what arrived is a page.")
    return path


def _beside(stem: Path, ending: str) -> Path:
    return stem.with_name(f"{stem.name}.{ending}")


def _is_recording(info: Mapping[str, Any]) -> bool:
    return (
        str(info.get("url")).lower().startswith(("https://", "http://"))
        and str(info.get("ext")).lower() in RECORDINGS
        and not info.get("_has_drm")
    )


def _why_nothing(downloader: Downloader, info: Info, choice: TrackChoice) -> str:
    """Say why nothing of a talk can be had. Where it is not shown at all, yt-dlp has only warned.

    Raises AskedTooOftenError where that is what it warned of.
    """
    warnings = downloader.messages.warnings
    for warning in warnings:
        raise_if_too_often(warning)
        if "missing subtitles" in warning:
            return "Its site keeps captions back from programs; cookies may help, or asking again later."
    if any(info.get(name) for name in ("formats", "url", "subtitles", "automatic_captions")):
        return choice.note
    for warning in warnings:
        if known := meaning_of(warning):
            return known
    return _FOR_FEW.get(str(info.get("availability")), choice.note)


def _folder_of(info: Mapping[str, Any], list_title: str, address: str) -> str:
    for name in ("channel", "uploader", "series"):
        if isinstance(info.get(name), str) and (folder := safe_name(info[name], "")):
            return folder
    return safe_name(list_title, "") or safe_name(urlsplit(address).hostname or "", "talks")
