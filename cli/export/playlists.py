"""Talks and hits as playlists: extended M3U for VLC and others, and the edit decision list of mpv."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Talk
from talksearch.indexer.text.untrusted import safe
from talksearch.search.hit import when

from .recordings import Stretch, address_of, is_media, stretch_of
from .selection import Selection, Written


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing to play."""

    title: str
    address: str
    stretch: Stretch | None = None
    """None for the whole recording."""
    length_ms: int | None = None


def m3u(selection: Selection) -> Written:
    """Return an extended M3U in which each entry is a talk, or the stretch of a hit.

    `#EXTVLCOPT` is VLC's way to say where to begin and end (wiki.videolan.org/VLC_HowTo/Play_playlist_items). Players
    that do not know it play from the beginning.

    Raises QueryError where no recording is known of anything that was selected.
    """
    items, notes = _items(selection)
    lines = ["#EXTM3U"]
    for item in items:
        length_s = -1 if item.length_ms is None else round(item.length_ms / 1000)
        lines.append(f"#EXTINF:{length_s},{item.title}")
        if item.stretch:
            lines.append(f"#EXTVLCOPT:start-time={item.stretch.start_ms / 1000:g}")
            lines.append(f"#EXTVLCOPT:stop-time={item.stretch.end_ms / 1000:g}")
        lines.append(item.address)
    return Written("\n".join(lines) + "\n", tuple(notes))


def edl(selection: Selection) -> Written:
    """Return an EDL of mpv, which plays the stretches one after the other as one recording with a chapter for each.

    mpv opens the recordings of an EDL without the help that finds them on a page, so only files and addresses of
    recordings are in it. Numbers in percent signs say how many bytes of text follow
    (https://github.com/mpv-player/mpv/blob/master/DOCS/edl-mpv.rst).

    Raises QueryError where nothing of what was selected is left: mpv takes no empty EDL.
    """
    items, notes = _items(selection)
    lines = ["# mpv EDL v0"]
    for item in items:
        if not is_media(item.address):
            notes.append(f"mpv cannot open a page in an EDL, left out: {item.title}, {item.address}")
            continue
        parts = [_counted(item.address)]
        if item.stretch:
            parts.append(f"start={item.stretch.start_ms / 1000:.3f}")
            parts.append(f"length={(item.stretch.end_ms - item.stretch.start_ms) / 1000:.3f}")
        lines.append(",".join([*parts, f"title={_counted(item.title)}"]))
    if items and len(lines) == 1:
        raise QueryError(
            "mpv can open none of these recordings in an EDL: it takes files and addresses of recordings, no pages.",
            "Write m3u instead.",
        )
    return Written("\n".join(lines) + "\n", tuple(notes))


def _items(selection: Selection) -> tuple[list[_Item], list[str]]:
    """Return what is to be played, and a sentence for each talk that has no recording.

    Raises QueryError where none has one: a playlist of nothing would look like one that failed to load.
    """
    items: list[_Item] = []
    notes: list[str] = []
    talks = {talk.id: talk for talk in selection.talks} if selection.kind == "hits" else {}
    for title, talk, stretch in _wanted(selection, talks):
        address = address_of(talk)
        if address is None:
            notes.append(f"No recording is known, left out: {title}")
            continue
        length_ms = stretch.end_ms - stretch.start_ms if stretch else talk.duration_ms
        items.append(_Item(title, address, stretch, length_ms))
    if notes and not items:
        raise QueryError(
            "No recording is known of anything that was selected.",
            "Put recordings beside their transcripts, under the same names, and run: talksearch index",
        )
    return items, list(dict.fromkeys(notes))


def _wanted(selection: Selection, talks: dict[str, Talk]) -> Iterator[tuple[str, Talk, Stretch | None]]:
    if selection.kind == "hits":
        for hit in selection.hits:
            if hit.talk_id in talks:
                yield _line(f"{hit.title} — {when(hit)}"), talks[hit.talk_id], stretch_of(hit)
        return
    for talk in selection.talks:
        yield _line(talk.title), talk, None


def _line(title: str) -> str:
    """Return a title as one line of a playlist."""
    return " ".join(safe(title).split())


def _counted(text: str) -> str:
    """Return a text of an EDL with its length in bytes before it, so that nothing in it means anything.

    >>> _counted("a,b=é")
    '%6%a,b=é'
    """
    return f"%{len(text.encode())}%{text}"
