"""What a file that describes talks says of one of them: the value that all readers of such files return.

They translate what they find into the keys of yt-dlp's `.info.json`, so that one function checks every value
(`sidecar.from_info`), whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from talksearch.indexer.readers.xml_tree import Node
from talksearch.indexer.records import Json

Info = dict[str, Json]
"""Metadata under yt-dlp's keys: `title`, `channel`, `upload_date`, `webpage_url`, `duration` in seconds, …"""


@dataclass(frozen=True, slots=True)
class MetadataEntry:
    """One talk of a file that describes talks."""

    info: Info
    id: str | None = None
    """What the file calls the talk: all transcripts that belong to one are tracks of one talk."""
    names: frozenset[str] = field(default_factory=frozenset)
    """Ids, and names of files without endings, that a transcript of it may have in its name."""


def merged(infos: Iterable[Info]) -> Info:
    """Return one value for each key, of several the first that says something.

    >>> merged([{"title": "", "duration": 3}, {"title": "Tides", "duration": 4}])
    {'duration': 3, 'title': 'Tides'}
    """
    whole: Info = {}
    for info in infos:
        for key, value in info.items():
            if value not in (None, "", [], {}):
                whole.setdefault(key, value)
    return whole


def day_in(text: object) -> str | None:
    """Return the day in a date as files have it, as `YYYY-MM-DD`: ISO 8601, of mails and feeds, seconds since 1970.

    >>> day_in("Tue, 12 Mar 2024 15:00:00 GMT"), day_in("2024-03-12T15:00:00Z"), day_in("1710255600")
    ('2024-03-12', '2024-03-12', '2024-03-12')
    >>> day_in("2024-May-22, 03:19am"), day_in("20240312"), day_in("soon"), day_in(True)
    ('2024-05-22', '2024-03-12', None, None)
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    text = str(text).strip()[:100]
    if re.fullmatch(r"\d{9,10}(?:\.\d{1,9})?", text):
        return datetime.fromtimestamp(float(text), UTC).date().isoformat()
    if match := re.match(r"\d{4}-?\d\d-?\d\d(?!\d)", text):
        return _day(match[0].replace("-", ""), "%Y%m%d")
    if match := re.match(r"\d{4}-[A-Z][a-z]{2}-\d{1,2}(?!\d)", text):
        return _day(match[0], "%Y-%b-%d")
    try:
        return parsedate_to_datetime(text).date().isoformat()
    except (ValueError, IndexError, TypeError, OverflowError):
        return None


def _day(text: str, form: str) -> str | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return None


def seconds_in(text: object) -> float | None:
    """Return the seconds of a length: a number, `M:SS` or `H:MM:SS`.

    >>> seconds_in("1:02:03"), seconds_in("90"), seconds_in(20.5), seconds_in("an hour")
    (3723.0, 90.0, 20.5, None)
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    match = re.fullmatch(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,9}(?:\.\d{1,9})?)", str(text).strip())
    return int(match[1] or 0) * 3600 + int(match[2] or 0) * 60 + float(match[3]) if match else None


def text_of(node: Node | None) -> str:
    """Return the text right inside an element; empty where there is none."""
    return "".join(part for part in node.parts if isinstance(part, str)).strip() if node else ""


def child(node: Node, name: str) -> Node | None:
    """Return the first element of a name right inside another, whatever its case."""
    return next((inner for inner in node.nodes() if inner.name.lower() == name.lower()), None)


def all_named(node: Node, *names: str) -> Iterator[Node]:
    """Yield every element of one of some names, however deep inside another."""
    if node.name in names:
        yield node
    for inner in node.nodes():
        yield from all_named(inner, *names)


def is_address(text: str) -> bool:
    """Say whether a text is an address of the web, and nothing else."""
    return len(text) <= 2000 and re.fullmatch(r"https?://[!-~]+", text) is not None
