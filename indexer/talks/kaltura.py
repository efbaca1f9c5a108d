"""What is exported from Kaltura: entries, caption assets and cue points, as JSON, as XML, and as CSV of its scripts.

Sources: the answers of its API (developer.kaltura.com: `media.list`, `captionAsset.list`, `cuePoint.list`), the schema
of its feeds (`syndication.xsd`), and the columns that scripts which dump an account write.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping

from talksearch.indexer.readers.xml_tree import Node
from talksearch.indexer.records import Json
from talksearch.indexer.text.clock import parse_clock

from .entry import Info, MetadataEntry, all_named, child, day_in, is_address, seconds_in, text_of

ID = re.compile(r"(?<![A-Za-z0-9])[01]_[a-z0-9]{8}(?![A-Za-z0-9])")
"""An id of an entry or of an asset, as names of files carry it. Behind it may stand `_`, as scripts write it."""
_CHAPTER = 2
"""`KalturaThumbCuePointSubType`: 1 is a slide, 2 a chapter."""


def entries_in(value: Json) -> Iterator[MetadataEntry]:
    """Yield what the API's JSON says: one object, a list of them, or an answer that holds a list (`objects`)."""
    if isinstance(value, list):
        for one in value:
            yield from entries_in(one)
    elif isinstance(value, dict) and isinstance(value.get("objects"), list):
        yield from entries_in(value["objects"])
    elif isinstance(value, dict) and (entry := _entry({_key(key): one for key, one in value.items()})):
        yield entry


def entries_in_xml(root: Node) -> Iterator[MetadataEntry]:
    """Yield what the API's XML says, which names the kind of every object (`objectType`)."""
    for node in all_named(root, "item", "result"):
        if child(node, "objectType") is not None:
            yield from entries_in({inner.name: text_of(inner) for inner in node.nodes()})


def entries_in_table(text: str) -> Iterator[MetadataEntry]:
    """Yield what a table with the columns `Entry ID` and `Entry Name` says."""
    try:
        for row in csv.DictReader(io.StringIO(text)):
            record = {_key(name): value for name, value in row.items() if isinstance(name, str)}
            if entry := _entry(record):
                yield entry
    except csv.Error:
        return


def item_of_feed(item: Node) -> tuple[str | None, frozenset[str], Info]:
    """Return what Kaltura adds to an item of a feed: the entry's id, the ids of its captions, and metadata.

    Its `media` has the length in milliseconds.
    """
    id_ = text_of(child(item, "entryId")) or None
    media = child(item, "media")
    length = seconds_in(text_of(child(media, "duration"))) if media else None
    captions = (node.attributes.get("captionAssetId", "") for node in all_named(item, "subTitle"))
    chapters = [
        {"start_time": start / 1000, "title": text_of(child(scene, "title"))}
        for scene in all_named(item, "scene-thumb-cue-point")
        if text_of(child(scene, "subType")) == str(_CHAPTER)
        and (start := parse_clock(text_of(child(scene, "sceneStartTime")))) is not None
    ]
    info: Info = {
        "title": text_of(child(item, "name")),
        "upload_date": day_in(text_of(child(item, "createdAt"))),
        "duration": length / 1000 if length else None,
        "chapters": chapters,
    }
    return id_, frozenset(filter(None, (id_, *captions))), info


def _key(name: str) -> str:
    """Return the name of a field in the form in which API and tables have it alike.

    >>> _key("Entry ID"), _key("entry_id"), _key("createdAt")
    ('entryid', 'entryid', 'createdat')
    """
    return re.sub(r"[\W_]+", "", name).lower()


def _entry(record: Mapping[str, Json]) -> MetadataEntry | None:
    kind = str(record.get("objecttype") or "")
    own = str(record.get("id") or "")
    id_ = str(record.get("entryid") or own)
    if not ID.fullmatch(id_):
        return None
    if kind.endswith("CaptionAsset"):
        return MetadataEntry({}, id_, frozenset((id_, own)))
    if kind.endswith("CuePoint") or kind == "KalturaAnnotation":
        start = seconds_in(record.get("starttime"))
        if start is None or not record.get("title") or str(record.get("subtype")) != str(_CHAPTER):
            return None
        return MetadataEntry(
            {"chapters": [{"start_time": start / 1000, "title": record["title"]}]}, id_, frozenset((id_,))
        )
    length = seconds_in(record.get("msduration"))
    files = (str(record.get("filename") or "").rpartition(".")[0], *str(record.get("captionsid") or "").split(","))
    addresses = (str(record.get(key) or "") for key in ("link", "pageurl", "dataurl"))
    info: Info = {
        "title": record.get("entryname") or (record.get("name") if "entryname" not in record else None),
        "channel": _category(record.get("categories") or record.get("categorynames")),
        "upload_date": day_in(record.get("createdat")),
        "webpage_url": next(filter(is_address, addresses), None),
        "duration": length / 1000 if length else seconds_in(record.get("duration")),
        "description": record.get("description"),
    }
    return MetadataEntry(info, id_, frozenset(name.strip() for name in (id_, *files) if name.strip()))


def _category(names: Json) -> str | None:
    """Return the name of the first category, which MediaSpace calls a channel, without those above it."""
    first = re.split(r"[,;]", names)[0] if isinstance(names, str) else ""
    return first.replace("&gt;", ">").rpartition(">")[2].strip() or None


def joined(entries: Iterable[MetadataEntry]) -> list[MetadataEntry]:
    """Join what is said of one entry in several places: its chapters stand one by one, its captions apart."""
    by_id: dict[str, list[MetadataEntry]] = {}
    for number, entry in enumerate(entries):
        by_id.setdefault(entry.id or f" {number}", []).append(entry)
    whole: list[MetadataEntry] = []
    for parts in by_id.values():
        if len(parts) == 1:
            whole += parts
            continue
        info: Info = {}
        for part in parts:
            info |= {key: value for key, value in part.info.items() if value and key != "chapters"}
        chapters = [chapter for part in parts for chapter in part.info.get("chapters") or []]
        info |= {"chapters": chapters} if chapters else {}
        whole.append(MetadataEntry(info, parts[0].id, frozenset().union(*(part.names for part in parts))))
    return whole
