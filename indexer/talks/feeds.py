"""Feeds that lie beside recordings, and castget's list of what it fetched: which file is which episode.

Read are RSS 2.0 with the elements of podcasts and of Media RSS, as Panopto and Kaltura write it too, Atom, and the
channel files of castget (github.com/mlj/castget: `src/channel.c`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from talksearch.indexer.readers.xml_tree import Node

from . import kaltura, panopto
from .entry import Info, MetadataEntry, all_named, child, day_in, is_address, merged, seconds_in, text_of

_TAG = re.compile(r"<[^<>]*>")
_MARKUP = re.compile(r"</?(?:p|br|a|div|span|ul|li|b|i|em|strong)\b[^<>]*>", re.IGNORECASE)


def entries_in(root: Node) -> Iterator[MetadataEntry]:
    """Yield the episodes of a feed, each with the names of its files and the title of the feed as its channel."""
    channel = child(root, "channel") or root
    title = text_of(child(channel, "title")) or None
    language = text_of(child(channel, "language")) or None
    for item in all_named(root, "item", "entry"):
        yield _episode(item, title, language)


def entries_of_castget(root: Node) -> Iterator[MetadataEntry]:
    """Yield the enclosures that castget fetched: their addresses, by the names that it gave the files."""
    for node in all_named(root, "enclosure"):
        address = node.attributes.get("url", "")
        if is_address(address) and (name := _file_in(address)):
            yield MetadataEntry({"webpage_url": address}, None, frozenset((name,)))


def _episode(item: Node, channel: str | None, language: str | None) -> MetadataEntry:
    id_, names, info = kaltura.item_of_feed(item)
    files = [
        address
        for address in (node.attributes.get("url", "") for node in all_named(item, "enclosure", "content"))
        if is_address(address)
    ]
    page = next(filter(None, map(_address, all_named(item, "link"))), None)
    addresses = [page, *files] if page else files
    session = next(filter(None, map(panopto.id_in_address, addresses)), None)
    viewer = next(filter(None, map(panopto.viewer_of, addresses)), None)
    lengths = (text_of(node) for node in item.nodes() if node.name == "duration")
    days = (text_of(node) for node in item.nodes() if node.name in ("pubDate", "published", "date", "updated"))
    people = [text_of(node) for node in item.nodes() if node.name == "person"]
    described: Info = {
        "title": _plain(_first(item, "title")),
        "channel": _plain(channel or "") or None,
        "speaker": people[0] if len(people) == 1 else None,
        "upload_date": next(filter(None, map(day_in, days)), None),
        "extractor": "podcast",
        "webpage_url": viewer or page or next(iter(files), None),
        "url": next(iter(files), None),
        "duration": next(filter(None, map(seconds_in, lengths)), None),
        "description": _plain(_first(item, "description", "summary", "encoded")),
        "language": language,
    }
    names |= frozenset(filter(None, map(_file_in, files)))
    # The `guid` of an item is no id here: in feeds written by hand many items have the same.
    names |= {session} if session else frozenset()
    return MetadataEntry(merged((info, described)), id_ or session, names)


def _first(item: Node, *names: str) -> str:
    return next((said for name in names if (said := text_of(child(item, name)))), "")


def _address(node: Node) -> str | None:
    said = text_of(node) or (node.attributes.get("href", "") if node.attributes.get("rel") != "enclosure" else "")
    return said if is_address(said) else None


def _file_in(address: str) -> str | None:
    """Return the name of the file that an address ends in, without ending."""
    try:
        name = unquote(urlsplit(address).path).rpartition("/")[2]
    except ValueError:
        return None
    return (name.rpartition(".")[0] or name) or None


def _plain(text: str) -> str:
    """Return a text of a feed, which may be HTML, as plain text."""
    if _MARKUP.search(text):
        text = html.unescape(_TAG.sub("", re.sub(r"<(?:br|/p|/div|/li)\b[^<>]*>", "\n", text, flags=re.IGNORECASE)))
    return text.strip()
