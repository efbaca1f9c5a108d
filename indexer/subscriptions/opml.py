"""Lists of subscriptions, for other programs and from them: OPML in and out, and the table of YouTube's Takeout.

OPML 2.0 is at https://opml.org/spec2.opml. What only this program knows of a subscription stands in attributes of a
namespace of its own, which that specification allows and other programs pass over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.fetch.addresses import host_of
from talksearch.indexer.fetch.records import Source
from talksearch.indexer.text.untrusted import safe, without_password

from .file import written
from .options import KEYS, Options

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST_BYTES = 10_000_000
"""A list of a hundred thousand feeds; what is larger is something else."""
_OURS = "urn:talksearch:subscription"
"""The namespace of the attributes that are our own."""
_OF_THIS_MACHINE = ("cookies", "cookies_from_browser")
"""What would mean nothing elsewhere, is not for others to read, and not for others to choose."""
_NARROWING = tuple(key for key in KEYS if key not in ("url", "title", *_OF_THIS_MACHINE))
"""What a subscription may say in attributes of ours."""
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class OpmlText:
    """What OPML was made of subscriptions."""

    text: str
    notes: tuple[str, ...]
    """Sentences about what it does not hold."""


def write_opml(sources: Iterable[Source]) -> OpmlText:
    """Return subscriptions as OPML; folders of this machine and cookies stay out, and that is said."""
    from xml.etree import ElementTree  # only written here; what is read goes through defusedxml

    ElementTree.register_namespace("talksearch", _OURS)
    root = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(root, "head"), "title").text = "Subscriptions of talksearch"
    body = ElementTree.SubElement(root, "body")
    notes = []
    for source in sources:
        if not host_of(source.url):
            notes.append(f"{source.url} is a folder of this machine and is not in it.")
            continue
        name = source.title or without_password(source.url)
        if without_password(source.url) != source.url:
            notes.append(f"The address of {name} holds a password, which is in it.")
        attributes = {"type": "rss", "text": name, "title": source.title}
        feed = _feed_of_channel(source.url)
        attributes |= {"xmlUrl": feed, "htmlUrl": source.url if feed != source.url else ""}
        for key, value in written(source).items():
            if key in _OF_THIS_MACHINE:
                notes.append(f"The {key} of {name} are not in it.")
            elif key in _NARROWING:
                attributes[f"{{{_OURS}}}{key}"] = " ".join(value) if isinstance(value, list) else str(value)
        ElementTree.SubElement(body, "outline", {key: value for key, value in attributes.items() if value})
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return OpmlText(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', tuple(notes))


def read_list(content: bytes, name: str) -> list[Options]:
    """Return what a list of subscriptions holds: OPML, or the CSV of YouTube's Takeout.

    Args:
        content: The file.
        name: What the file is called, for errors.

    Raises UnreadableError where it is neither, or holds no subscription.
    """
    if len(content) > LARGEST_BYTES:
        raise UnreadableError(f"{name} is larger than {LARGEST_BYTES // 1_000_000} MB, too large for a list.")
    is_xml = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff\xfe", b"\xfe\xff"))
    wanted = list(_in_opml(content, name) if is_xml else _in_takeout(content, name))
    if not wanted:
        where = "OPML has them in xmlUrl" if is_xml else "A table of YouTube's Takeout has them in its second column"
        raise UnreadableError(f"{name} lists no channel, playlist or feed.", f"{where}: is it the right file?")
    return wanted


def _in_opml(content: bytes, name: str) -> Iterator[Options]:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(content, forbid_dtd=False)
    except DefusedXmlException as error:
        raise UnreadableError(
            f"{name} defines entities of its own, which no list of subscriptions needs, and is not read.",
            "Have the program that made it write it again.",
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableError(
            f"{name} cannot be read as OPML: {error}.", "Have the program that made it write it again."
        ) from error
    if root.tag.lower() != "opml":
        raise UnreadableError(f"{name} is XML, but no OPML: it begins with <{root.tag}>.", "Give a list of feeds.")
    yield from _outlines(root, 0)


def _outlines(element: Element, depth: int) -> Iterator[Options]:
    """Yield what the outlines below an element subscribe to, however they are grouped; each address once."""
    for outline in element:
        # Programs differ in the letters of `xmlUrl`.
        attributes = {key.lower(): value.strip() for key, value in outline.attrib.items() if "}" not in key}
        page = attributes.get("htmlurl", "")
        url = attributes.get("xmlurl") or (attributes.get("url", "") if attributes.get("type") == "link" else "")
        if url:
            ours = {
                key: outline.attrib[f"{{{_OURS}}}{key}"] for key in _NARROWING if f"{{{_OURS}}}{key}" in outline.attrib
            }
            also = {"also": ours["also"].split()} if "also" in ours else {}
            # The feed of a channel, which other programs want, stands in place of the channel itself.
            url = page if page and url == _feed_of_channel(page) else url
            title = " ".join(safe(attributes.get("title") or attributes.get("text", "")).split())
            yield {"url": url, "title": "" if title == without_password(url) else title, **ours, **also}
        if depth < _DEEPEST:
            yield from _outlines(outline, depth + 1)


def _in_takeout(content: bytes, name: str) -> Iterator[Options]:
    """Yield the channels in a table whose rows are id, address and title; the header is in the user's language."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"{name} is neither OPML nor a table of channels: {error}.") from error
    for row in rows:
        if len(row) < 3:
            continue
        _channel_id, address, title = row[:3]
        if address.startswith(("http://", "https://")) and host_of(address) == "youtube.com":
            yield {"url": address.replace("http://", "https://", 1), "title": " ".join(safe(title).split())}


def _feed_of_channel(url: str) -> str:
    """Return the feed that YouTube gives of a channel or a playlist to programs that read feeds; else the address.

    >>> _feed_of_channel("https://www.youtube.com/channel/UCabc")
    'https://www.youtube.com/feeds/videos.xml?channel_id=UCabc'
    """
    parts = urlsplit(url)
    if host_of(url) != "youtube.com":
        return url
    feed = "https://www.youtube.com/feeds/videos.xml"
    match parts.path.strip("/").split("/"):
        case ["channel", channel]:
            return f"{feed}?channel_id={channel}"
        case ["playlist"] if "list" in (asked := parse_qs(parts.query)):
            return f"{feed}?playlist_id={asked['list'][0]}"
    return url
