"""YouTube's captions in XML: srv3, whose words have times as in json3, and the plain srv1 and srv2.

- srv3: `<timedtext format="3"><body><p t="0" d="4000"><s>word</s><s t="300"> next</s></p>`, milliseconds; the `t` of an
  `<s>` counts from its `<p>`, and `a="1"` marks what is written behind a line that stands, as `aAppend` does in json3.
- srv2: `<timedtext><text t="0" d="3200">`, milliseconds, with `append="1"` likewise.
- srv1: `<transcript><text start="0.0" dur="3.2">`, seconds; its texts are escaped twice.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Origin, Transcript

from . import youtube_json3
from .caption_tracks import origin_by_name
from .cue_blocks import Block, with_starts
from .cue_times import RawCue, mend
from .finish import finish
from .json_values import milliseconds
from .segments import put_after
from .source_text import SourceText
from .xml_tree import Node, parse, root_of

_FIRST = re.compile(r"<(?:[\w.-]+:)?(?:(?P<p>p)\s+(?:[\w:.-]+=\"[^\"]*\"\s*)*t=|(?P<text>text)\s)")
_INDENT = re.compile(r"\s*\n[ \t]+")
"""Space between elements that was written to be read by people."""
_ESCAPED = re.compile(r"&#?\w{1,31};")
_AUTOMATIC = re.compile(r"<p [^<>]*\ba=\"1\"|<s [^<>]*\b(?:t|ac)=\"")
"""What only automatic captions have in srv3."""


def matches_srv1(source: SourceText) -> bool:
    """Say whether a file is srv1."""
    return source.once(_version) == "srv1"


def matches_srv2(source: SourceText) -> bool:
    """Say whether a file is srv2."""
    return source.once(_version) == "srv2"


def matches_srv3(source: SourceText) -> bool:
    """Say whether a file is srv3."""
    return source.once(_version) == "srv3"


def _version(source: SourceText) -> str | None:
    """Tell srv1, srv2 and srv3 apart, by the outermost element and the first that holds speech; None for others."""
    text = source.stripped
    root = root_of(text) if text[0] == "<" else ""
    if root not in ("timedtext", "transcript"):
        return None
    first = _FIRST.search(text)
    if root == "transcript":
        return "srv1" if first and first["text"] else None
    return "srv2" if first and first["text"] else "srv3"


def origin_of_srv3(source: SourceText) -> Origin:
    """Tell who wrote srv3: only captions of a machine roll, and have times of words."""
    return "automatic" if _AUTOMATIC.search(source.text) else "human"


def read_srv1(source: SourceText) -> Transcript:
    """Read srv1.

    Raises:
        UnreadableError: no cues, times that cannot be, or XML that declares entities.
    """
    nodes, notes = _elements(source, "text", "start")
    return _plain(source, "srv1", [_cue(node, "start", "dur", 1000) for node in nodes], notes)


def read_srv2(source: SourceText) -> Transcript:
    """Read srv2. Raises as `read_srv1` does."""
    nodes, notes = _elements(source, "text", "t")
    events = _appended(nodes)
    if not any(segment["utf8"].strip() for event in events for segment in event["segs"]):
        raise _no_cues("srv2", notes)
    if any(len(event["segs"]) > 1 for event in events):
        return _rolling("srv2", events, notes)
    return _plain(source, "srv2", [_cue(node, "t", "d", 1) for node in nodes], notes)


def read_srv3(source: SourceText) -> Transcript:
    """Read srv3. Raises as `read_srv1` does."""
    nodes, notes = _elements(source, "p", "t")
    if not any(_text_of(node).strip() for node in nodes):
        raise _no_cues("srv3", notes)
    return _rolling("srv3", _events(nodes), notes)


def _elements(source: SourceText, name: str, start: str) -> tuple[list[Node], tuple[str, ...]]:
    """Return the elements that hold what is said, and what is wrong with the XML.

    One whose attribute `start` is no time is put where its neighbours tell.
    """
    root, notes = parse(source.text)
    nodes = _all(root, name) if root else []
    per_unit = 1000 if start == "start" else 1
    starts = [_time(node.attributes.get(start), per_unit) for node in nodes]
    if all(milliseconds(node.attributes.get(start), per_unit) is not None for node in nodes):
        return nodes, notes
    blocks = [Block(begin, None, _text_of(node), node.line) for begin, node in zip(starts, nodes, strict=True)]
    unknown = sum(begin is None and bool(block.text.strip()) for begin, block in zip(starts, blocks, strict=True))
    for node, cue in zip(nodes, with_starts(blocks), strict=True):
        node.attributes[start] = str(cue.start_ms / per_unit if per_unit > 1 else cue.start_ms)
    return nodes, (*notes, *put_after(unknown, "cues"))


def _time(value: str | None, per_unit: int) -> int | None:
    """Return a time in milliseconds, also where a comma stands for the point; None where it is none."""
    ms = milliseconds(value, per_unit)
    return milliseconds(value.replace(",", "."), per_unit) if ms is None and value else ms


def _rolling(form: str, events: Iterable[dict[str, Any]], notes: tuple[str, ...]) -> Transcript:
    transcript = youtube_json3.read_events(events, form)
    return replace(transcript, uncertain=(*notes, *transcript.uncertain))


def _no_cues(form: str, notes: tuple[str, ...]) -> UnreadableError:
    return UnreadableError(
        " ".join((f"The {form} file has no cues.", *notes)),
        "Fetch it again." if notes else "The video may have no captions in this language.",
    )


def _all(root: Node, name: str) -> list[Node]:
    """Return every element of a name, wherever it stands, in order."""
    elements: list[Node] = []
    for node in root.nodes():
        elements += [node] if node.name == name else _all(node, name)
    return elements


def _events(nodes: list[Node]) -> Iterator[dict[str, Any]]:
    """Say in json3 what the paragraphs of srv3 say: then both give the same cues."""
    for node in nodes:
        timed = any(part.name == "s" for part in node.nodes())
        segments: list[dict[str, Any]] = []
        for part in node.parts:
            if isinstance(part, Node):
                segment: dict[str, Any] = {"utf8": "\n" if part.name == "br" else _text_of(part)}
                if "t" in part.attributes:
                    segment["tOffsetMs"] = part.attributes["t"]
                if "ac" in part.attributes:
                    segment["acAsrConf"] = part.attributes["ac"]
                segments.append(segment)
            elif not (timed and _INDENT.fullmatch(part)):
                segments.append({"utf8": part})
        event: dict[str, Any] = {
            "tStartMs": node.attributes.get("t"),
            "dDurationMs": node.attributes.get("d"),
            "segs": segments,
        }
        if node.attributes.get("a") == "1":
            event["aAppend"] = 1
        yield event


def _appended(nodes: list[Node]) -> list[dict[str, Any]]:
    """Say in json3 what srv2 says: what is appended belongs to the line before it, until a line break is appended."""
    events: list[dict[str, Any]] = []
    ended = True
    for node in nodes:
        start, text = milliseconds(node.attributes.get("t"), 1), _text_of(node)
        appended = node.attributes.get("append") == "1"
        if start is None:
            continue
        if appended and not text.strip():
            ended = True
            continue
        if appended and not ended:
            offset = start - int(events[-1]["tStartMs"])
            events[-1]["segs"].append({"utf8": text, "tOffsetMs": offset})
            continue
        events.append({"tStartMs": start, "dDurationMs": node.attributes.get("d"), "segs": [{"utf8": text}]})
        ended = False
    return events


def _cue(node: Node, start: str, length: str, per_unit: int) -> RawCue | None:
    begin = _time(node.attributes.get(start), per_unit)
    lasts = _time(node.attributes.get(length), per_unit)
    if begin is None:
        return None
    text = _ESCAPED.sub(lambda match: html.unescape(match[0]), _text_of(node))
    return RawCue(begin, None if lasts is None else begin + max(lasts, 0), text, node.line)


def _plain(source: SourceText, form: str, cues: list[RawCue | None], notes: tuple[str, ...]) -> Transcript:
    raw = [cue for cue in cues if cue]
    if not any(cue.text.strip() for cue in raw):
        raise _no_cues("srv1", notes)
    mended = mend(clip_overlapping(raw), "srv1 file")
    return finish(mended, Transcript(form, (), origin=origin_by_name(source), uncertain=notes))


def clip_overlapping(raw: list[RawCue]) -> list[RawCue]:
    """End cues where the next begin if most overlap: lines that stay while the next is written, as rolling ones do."""
    overlapping = sum(
        cue.end_ms is not None and cue.start_ms < following.start_ms < cue.end_ms for cue, following in pairwise(raw)
    )
    return youtube_json3.clip(raw) if overlapping * 2 > len(raw) else raw


def _text_of(node: Node) -> str:
    """Return the text of an element, whatever stands in it."""
    return "".join(
        part if isinstance(part, str) else "\n" if part.name == "br" else _text_of(part) for part in node.parts
    )
