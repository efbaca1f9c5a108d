"""What came from an address, told by how it begins; what a host calls it is often wrong."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterator
from typing import Literal

from talksearch.indexer.readers.xml_tree import root_of
from talksearch.indexer.text.untrusted import safe_address

from .addresses import web_address
from .records import FetchError
from .web import LIMITS, Page

Content = Literal["feed", "opml", "page", "json", "recording", "nothing", "other"]

_LOOKED_AT = 20_000
_ROOTS: dict[str, Content] = {"rss": "feed", "rdf": "feed", "feed": "feed", "channel": "feed", "opml": "opml"}
"""Outermost elements: RSS 0.9x and 2.0, RDF (RSS 0.90 and 1.0), Atom, RSS without `<rss>` as some write it, OPML."""
_PLAYERS = re.compile(
    r"<(?:video|audio|iframe|embed|object)\b|og:(?:video|audio)|\"(?:Video|Audio)Object\"", re.IGNORECASE
)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")
_LINK = re.compile(r"<link\b[^<>]{1,2000}", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-zA-Z]{1,20})\s{0,9}=\s{0,9}(?:[\"']([^\"']*)[\"']|([^\s\"'<>]+))")
_LONGEST_HEAD = 1_000_000
SENTENCES: dict[Content, str] = {
    "feed": "a feed",
    "opml": "a list of subscriptions (OPML)",
    "page": "a web page",
    "json": "JSON",
    "recording": "a recording",
    "nothing": "nothing",
    "other": "something that is no feed",
}
"""What came, as a part of a sentence."""


def content_of(page: Page) -> Content:
    """Tell what an address gave."""
    if page.content_type.startswith(("audio/", "video/")) and not page.data:
        return "recording"
    text = _beginning(page.data).lstrip()
    if not text:
        return "nothing"
    root = root_of(text).lower()
    if root in _ROOTS:
        return _ROOTS[root]
    if root in ("html", "head", "body") or text[:14].lower() == "<!doctype html":
        return "page"
    if text[0] in "{[":
        return "json"
    # A feed behind a line of blanks, a warning of the program that made it, or a comment.
    inside = re.search(r"<(rss|rdf:RDF|feed|opml)\b[^<>]*(?:xmlns|version)", text)
    if inside:
        return "opml" if inside[1] == "opml" else "feed"
    return (
        "page" if page.content_type == "text/html" or re.search(r"<(?:p|div|title)\b", text, re.IGNORECASE) else "other"
    )


def unpacked(page: Page) -> bytes:
    """Return the bytes of a page; those of a file that is itself packed by gzip (`feed.xml.gz`) unpacked.

    Raises:
        FetchError: It cannot be unpacked, or is larger than any feed.
    """
    if not page.data.startswith(b"\x1f\x8b"):
        return page.data
    try:
        parser = zlib.decompressobj(wbits=31)
        data = parser.decompress(page.data, LIMITS.feed.bytes)
    except zlib.error:
        raise FetchError(f"{safe_address(page.url)} sends what cannot be unpacked.", "Try it later.") from None
    if parser.unconsumed_tail:
        raise FetchError(f"{safe_address(page.url)} unpacks to more than a feed has.", "Look at it in a browser.")
    return data


def feeds_named(page: Page) -> tuple[tuple[str, str], ...]:
    """Return the addresses of the feeds that a page names (`<link rel="alternate">`), each with its title."""
    named: dict[str, str] = {}
    for tag in _LINK.findall(page.data[:_LONGEST_HEAD].decode("utf-8", errors="replace")):
        given = {name.lower(): html.unescape(quoted or plain) for name, quoted, plain in _ATTRIBUTE.findall(tag)}
        is_feed = given.get("type", "").lower() in _FEED_TYPES and "alternate" in given.get("rel", "").lower().split()
        address = web_address(given.get("href", ""), page.url)
        if is_feed and address and given.get("href") and "comments" not in given.get("title", "").lower():
            named.setdefault(address, given.get("title", ""))
    return tuple(named.items())


def has_player(page: Page) -> bool:
    """Say whether a page plays something, as far as its source shows."""
    return _PLAYERS.search(page.data.decode("latin-1")) is not None


def _beginning(data: bytes) -> str:
    data = b"".join(_first(data))
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace").lstrip("\ufeff")
    if data[:2] in (b"<\x00", b"\x00<"):
        return data.decode("utf-16-le" if data[0] else "utf-16-be", errors="replace")
    return data.decode("latin-1")


def _first(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\x1f\x8b"):
        try:
            yield zlib.decompressobj(wbits=31).decompress(data, _LOOKED_AT)
        except zlib.error:
            yield b""
    else:
        yield data[:_LOOKED_AT]
