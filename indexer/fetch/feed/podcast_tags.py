"""What feeds say in the elements of Podcasting 2.0, which feedparser keeps the last of where an item has several.

Read are `podcast:transcript`, `podcast:chapters`, `podcast:person`, `podcast:alternateEnclosure`
(github.com/Podcastindex-org/podcast-namespace, docs/tags) and Podlove Simple Chapters (podlove.org/simple-chapters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.fetch.addresses import web_address
from talksearch.indexer.readers.xml_tree import Node, parse
from talksearch.indexer.records import Chapter
from talksearch.indexer.talks.language_tags import language_of
from talksearch.indexer.text.clock import parse_clock

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*|[A-Za-z]{4,20}")
"""A tag, or a language that is spelt out."""


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """A transcript that an item names."""

    url: str
    type: str = ""
    """As the feed calls it, in lower case; often wrong."""
    language: str = ""
    """A BCP 47 tag; empty where the feed does not say."""
    captions: bool = False
    """It is said to have times throughout (`rel="captions"`)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part."""

    name: str
    role: str = "host"
    """In lower case; `host` is the default of the namespace."""
    group: str = "cast"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A recording that can be fetched."""

    url: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class PodcastTags:
    """What an item says, or a feed of all its items."""

    guid: str = ""
    transcripts: tuple[TranscriptLink, ...] = ()
    chapters_url: str = ""
    chapters: tuple[Chapter, ...] = ()
    people: tuple[Person, ...] = ()
    alternates: tuple[Media, ...] = ()


def read_tags(text: str, url: str) -> tuple[PodcastTags, list[PodcastTags], tuple[str, ...]]:
    """Read a feed's own tags, and those of its items in their order.

    Args:
        text: The feed.
        url: Where it came from; relative addresses are resolved by it, or by `xml:base`.

    Returns the feed's, the items', and sentences about damage: behind it nothing is read.
    """
    try:
        root, notes = parse(text)
    except UnreadableError as error:
        return PodcastTags(), [], (f"{error.message} Further transcripts of its episodes are not seen.",)
    if root is None:
        return PodcastTags(), [], notes
    base = _base(root, url)
    channel = next((node for node in root.nodes() if node.name == "channel"), root)
    own_base = _base(channel, base)
    items = [_tags(item, _base(item, own_base)) for item in channel.nodes() if item.name in ("item", "entry")]
    if channel is not root:  # RSS 1.0 has its items beside the channel
        items += [_tags(item, _base(item, base)) for item in root.nodes() if item.name == "item"]
    return _tags(channel, own_base), items, notes


def language_tag(text: object) -> str:
    """Return the BCP 47 tag that a feed names; empty where it names none. It becomes a part of the names of files.

    >>> language_tag("en_us"), language_tag("deu"), language_tag("../../x"), language_tag(None)
    ('en-US', 'de', '', '')
    """
    written = str(text or "").strip()
    return (language_of(written) or "") if _TAG.fullmatch(written) else ""


def _base(node: Node, base: str) -> str:
    own = node.attributes.get("base", "")
    return web_address(own, base) or base if own else base


def _tags(item: Node, base: str) -> PodcastTags:
    inside: dict[str, list[Node]] = {}
    for node in item.nodes():
        inside.setdefault(node.name, []).append(node)
    links = [web_address(node.attributes.get("url", ""), base) for node in inside.get("chapters", ())]
    return PodcastTags(
        guid=next((_text(node) for node in (*inside.get("guid", ()), *inside.get("id", ())) if _text(node)), ""),
        transcripts=tuple(_transcripts(inside.get("transcript", ()), base)),
        chapters_url=next((link for link in links if link), ""),
        chapters=tuple(_chapters(inside.get("chapters", ()))),
        people=tuple(_people(inside.get("person", ()), base)),
        alternates=tuple(_alternates(inside.get("alternateEnclosure", ()), base)),
    )


def _transcripts(nodes: Sequence[Node], base: str) -> Iterator[TranscriptLink]:
    for node in nodes:
        given = node.attributes
        if url := web_address(given["url"], _base(node, base)) if given.get("url") else "":
            kind = given.get("type", "").partition(";")[0].strip().lower()
            yield TranscriptLink(url, kind, language_tag(given.get("language")), given.get("rel", "") == "captions")


def _chapters(nodes: Sequence[Node]) -> Iterator[Chapter]:
    """Yield Podlove's chapters, whose times are Normal Play Time: `1:02:03.5`, or seconds."""
    for node in nodes:
        for chapter in node.nodes():
            start, title = chapter.attributes.get("start", "").strip()[:20], chapter.attributes.get("title", "").strip()
            plain = start.replace(".", "", 1)
            ms = round(float(start) * 1000) if plain.isascii() and plain.isdecimal() else parse_clock(start)
            if chapter.name == "chapter" and ms is not None and title:
                yield Chapter(ms, title)


def _people(nodes: Sequence[Node], base: str) -> Iterator[Person]:
    for node in nodes:
        given = node.attributes
        # Feeds from before the namespace was settled have the name as an attribute, and addresses as text.
        if name := " ".join((_text(node) or given.get("name", "")).split())[:200]:
            url = web_address(given["href"], base) if given.get("href") else ""
            role, group = (given.get(key, "").strip().lower() for key in ("role", "group"))
            yield Person(name, role or "host", group or "cast", url)


def _alternates(nodes: Sequence[Node], base: str) -> Iterator[Media]:
    for node in nodes:
        sources = [source.attributes.get("uri", "") for source in node.nodes() if source.name == "source"]
        for address in sources or [_text(node)]:
            if address and (url := web_address(address, base)):
                yield Media(url, node.attributes.get("type", "").strip().lower())


def _text(node: Node) -> str:
    return "".join(part for part in node.parts if isinstance(part, str)).strip()
