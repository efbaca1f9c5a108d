"""What is kept of Panopto: a session as its API describes it, and what its viewer is told of one (`DeliveryInfo`).

Sources: the models of its API (`Sessions`), and yt-dlp's extractor for what the viewer is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from talksearch.indexer.records import Json

from .entry import Info, MetadataEntry, day_in, is_address

ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)


def entries_in(value: Json) -> Iterator[MetadataEntry]:
    """Yield the sessions in JSON: one, a list of them, or an answer that holds a list (`Results`)."""
    if isinstance(value, list):
        for one in value:
            yield from entries_in(one)
    elif isinstance(value, dict) and isinstance(value.get("Results"), list):
        yield from entries_in(value["Results"])
    elif isinstance(value, dict) and isinstance(value.get("Delivery"), dict):
        yield _delivery(value["Delivery"], value.get("SessionId"))
    elif isinstance(value, dict) and isinstance(value.get("Urls"), dict) and "Duration" in value:
        yield _session(value)


def id_in_address(url: str) -> str | None:
    """Return the id of the session that an address of Panopto plays.

    >>> id_in_address("https://u.example.org/Panopto/Pages/Viewer.aspx?id=a1b2c3d4-aaaa-bbbb-cccc-1234567890ab")
    'a1b2c3d4-aaaa-bbbb-cccc-1234567890ab'
    """
    match = ID.search(url) if "panopto" in url.lower() else None
    return match[0].lower() if match else None


def viewer_of(url: str) -> str | None:
    """Return the page that plays the session of a podcast's file: only a viewer opens at a second.

    >>> viewer_of("https://u.example.org/Panopto/Podcast/Social/a1b2c3d4-aaaa-bbbb-cccc-1234567890ab.mp4?x=1")
    'https://u.example.org/Panopto/Pages/Viewer.aspx?id=a1b2c3d4-aaaa-bbbb-cccc-1234567890ab'
    """
    id_ = id_in_address(url)
    if id_ is None or not is_address(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if "/Pages/" in parts.path and parse_qs(parts.query).get("id"):
        return url
    return f"{parts.scheme}://{parts.netloc}/Panopto/Pages/Viewer.aspx?id={id_}"


def _session(value: dict[str, Json]) -> MetadataEntry:
    folder = value.get("FolderDetails")
    id_ = value.get("Id")
    info: Info = {
        "title": value.get("Name"),
        "channel": folder.get("Name") if isinstance(folder, dict) else None,
        "upload_date": day_in(value.get("StartTime")),
        "webpage_url": value["Urls"].get("ViewerUrl"),
        "duration": value.get("Duration"),
        "description": value.get("Description"),
    }
    return _with_id(info, id_)


def _delivery(value: dict[str, Json], id_: Json) -> MetadataEntry:
    # `SessionStartTime` is left out: from when it counts is written nowhere, and guesses differ by weeks.
    people = value.get("Contributors")
    names = [one.get("DisplayName") for one in people if isinstance(one, dict)] if isinstance(people, list) else []
    marks = value.get("Timestamps")
    chapters = [
        {"start_time": one.get("Time"), "title": one["Caption"]}
        for one in (marks if isinstance(marks, list) else [])
        if isinstance(one, dict) and one.get("Caption")
    ]
    info: Info = {
        "title": value.get("SessionName"),
        "channel": value.get("SessionGroupLongName") or value.get("SessionGroupShortName"),
        "speaker": names[0] if len(names) == 1 else None,
        "duration": value.get("Duration"),
        "description": value.get("SessionAbstract"),
        "chapters": chapters,
    }
    return _with_id(info, value.get("SessionPublicID") or id_)


def _with_id(info: Info, id_: Json) -> MetadataEntry:
    if not isinstance(id_, str) or not ID.fullmatch(id_):
        return MetadataEntry(info)
    return MetadataEntry(info, id_.lower(), frozenset((id_.lower(),)))
