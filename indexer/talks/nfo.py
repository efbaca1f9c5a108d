"""`.nfo`, the metadata that Kodi and Jellyfin read; Pinchflat, TubeSync and ytdl-sub write it beside recordings.

Source: the pages of Kodi's wiki on NFO files (kodi.wiki/view/NFO_files), and what the programs named above write.
"""

from __future__ import annotations

import re

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers.xml_tree import Node, parse
from talksearch.indexer.text import youtube

from .entry import Info, all_named, child, day_in, is_address, seconds_in, text_of

_OF_TALKS = ("episodedetails", "movie", "musicvideo", "video")
"""The outermost elements of files that describe one recording."""


def info_in(text: str) -> Info:
    """Return what an `.nfo` says of the recording beside it; nothing where it is of another kind.

    Its `runtime` is left out: Kodi counts it in minutes and TubeSync in seconds. What Kodi measured counts
    (`durationinseconds`).

    >>> info_in("<movie><title>Tides</title><aired>2024-03-12</aired></movie>")
    {'title': 'Tides', 'upload_date': '2024-03-12'}
    """
    root = _root(text)
    if root is None or root.name not in _OF_TALKS:
        return {}
    day = next((day for name in ("aired", "premiered", "releasedate") if (day := day_in(_said(root, name)))), None)
    # ytdl-sub writes the day before the title, and the address before the description.
    title = _said(root, "title")
    title = title.removeprefix(f"{day} - ") if day else title
    first, _, rest = (plot := _said(root, "plot") or _said(root, "outline")).partition("\n")
    url = first.strip() if is_address(first.strip()) else ""
    ids = {node.attributes.get("type", "").lower(): text_of(node) for node in all_named(root, "uniqueid")}
    if youtube.is_id(ids.get("youtube", "")):
        url = url or youtube.watch_url(ids["youtube"])
    actors = [_said(node, "name") for node in all_named(root, "actor")]
    found = {
        "title": title,
        "channel": _said(root, "showtitle") or _said(root, "studio"),
        "speaker": _said(root, "artist") or (actors[0] if len(actors) == 1 else ""),
        "upload_date": day,
        "webpage_url": url,
        "duration": seconds_in(_deep(root, "durationinseconds")),
        "description": rest.strip() if url and is_address(first.strip()) else plot,
        "language": _language(root),
    }
    return {key: value for key, value in found.items() if value}


def show_in(text: str) -> str | None:
    """Return the name of the show, or channel, that a `tvshow.nfo` describes.

    >>> show_in("<tvshow><title>Harbour Talks</title></tvshow>")
    'Harbour Talks'
    """
    root = _root(text)
    return (_said(root, "title") or None) if root is not None and root.name == "tvshow" else None


def damage_in(text: str) -> str | None:
    """Return what keeps an `.nfo` from being read to its end, as the end of a sentence; None where nothing does.

    Art made of letters, or an address alone, which Kodi takes as well, is no damage.

    >>> damage_in("<movie><title>Tid"), damage_in("https://www.example.org/film/1")
    ('is cut off: only what stands before the cut was read', None)
    """
    if not text.lstrip().startswith("<"):
        return None
    root = _root(text)
    if root is None:
        return "is broken XML and was not read"
    ends = re.search(rf"</(?:[\w.-]+:)?{re.escape(root.name)}\s*>", text) or not root.parts
    return None if ends else "is cut off: only what stands before the cut was read"


def _root(text: str) -> Node | None:
    # Behind the XML there may be an address for scrapers; `parse` keeps what stands before it.
    try:
        return parse(text)[0]
    except UnreadableError:
        return None


def _said(node: Node, name: str) -> str:
    return text_of(child(node, name))


def _deep(root: Node, name: str) -> str:
    return next((text_of(node) for node in all_named(root, name)), "")


def _language(root: Node) -> str:
    tracks = [text_of(child(node, "language")) for node in all_named(root, "audio")]
    tracks = [tag for tag in tracks if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", tag)]
    return tracks[0] if len(set(tracks)) == 1 else ""
