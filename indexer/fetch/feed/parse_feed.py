"""A feed through feedparser, which copes with old, damaged and wrongly encoded ones; and its text for a second look."""

from __future__ import annotations

import io
import re
from typing import Any

from talksearch.indexer.fetch.content import SENTENCES, content_of, unpacked
from talksearch.indexer.fetch.records import FetchError
from talksearch.indexer.fetch.web import Page
from talksearch.indexer.text.untrusted import safe_address

_GIVES_UP = (ValueError, ArithmeticError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)
"""What feedparser raises on some damage: signs that do not exist, encodings with letters in them, chapters without a
start. Met by changing feeds at random."""
_TROUBLES = re.compile(
    r"</?psc:[^<>]*>|&#(?:x[0-9a-f]{6,}|\d{7,}|x0{0,2}d[89a-f][0-9a-f]{2}|0{0,2}(?:5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d"
    r"|573[0-3]\d|5734[0-3]));|<\?xml[^<>]*\?>|[\x00-\x08\x0b\x0c\x0e-\x1f]",
    re.IGNORECASE,
)
"""Elements and declarations; numbers of signs that do not exist, and halves of signs (D800 to DFFF); control signs."""
_BEGINS = re.compile(r"<\?xml|<(?:rss|rdf:RDF|feed|channel)\b", re.IGNORECASE)
"""Where a feed begins, behind blanks and warnings of the program that made it."""


def parse_feed(page: Page) -> tuple[Any, str]:
    """Return what feedparser makes of a feed, and the feed's text from where it begins.

    It is given bytes, never an address, so it asks nothing. Where it gives up, it is given the text once more without
    what it is known to give up at.

    Raises:
        FetchError: It is no feed, with what came instead; it cannot be read; or feedparser is not installed.
    """
    try:
        import feedparser
    except ImportError:
        raise FetchError(
            "Feeds are read by feedparser, which is not installed.", 'Install it: pip install "talksearch[fetch]"'
        ) from None

    def parsed(data: bytes, kind: str) -> Any:
        headers = {"content-location": page.url, "content-type": kind}
        # Of HTML in notes, which become plain text, neither addresses nor elements are looked at.
        return feedparser.parse(
            io.BytesIO(data), response_headers=headers, resolve_relative_uris=False, sanitize_html=False
        )

    content = content_of(page)
    if content != "feed":
        raise FetchError(
            f"{safe_address(page.url)} gives {SENTENCES[content]} where a feed was expected.",
            "Name the feed's own address. Where it was one before, try it later: networks that want a sign-in do that.",
        )
    data = _without_live_items(unpacked(page))
    try:
        feed = parsed(data, _stated_type(page, data))
        text = _decoded(data, str(feed.get("encoding") or ""))
    except _GIVES_UP:
        text = _decoded(data, "utf-8")
        try:
            feed = parsed(_TROUBLES.sub("", text).encode(errors="replace"), "application/xml; charset=utf-8")
        except _GIVES_UP as error:
            raise FetchError(
                f"{safe_address(page.url)} is damaged in a way that no reader of feeds copes with ({error}).",
                "Tell its owner; validators of feeds say what is wrong.",
            ) from None
    begins = _BEGINS.search(text)
    return feed, text[begins.start() :] if begins else text


def _without_live_items(data: bytes) -> bytes:
    """Return a feed without `podcast:liveItem`, what is or will be live: feedparser takes what stands in one for the
    feed's own, such as a language.
    """
    first, *rest = data.split(b"<podcast:liveItem")
    behind = (part.partition(b"</podcast:liveItem>") for part in rest)
    return b"".join([first, *(after if end else b"<podcast:liveItem" + before for before, end, after in behind)])


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding or "utf-8", errors="replace").lstrip("\ufeff")
    except (LookupError, ValueError):  # no encoding, or one that cannot replace what it does not know
        return data.decode("utf-8", errors="replace").lstrip("\ufeff")


def _stated_type(page: Page, data: bytes) -> str:
    """Return a media type by which feedparser lets a feed's own declaration count before what its host says."""
    declared = b"encoding=" in data[:200]
    return "application/xml" + (f"; charset={page.charset}" if page.charset and not declared else "")
