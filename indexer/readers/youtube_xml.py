"""YouTube's captions in XML: srv3, whose words have times as in json3, and the plain srv1 and srv2.

- srv3: `<timedtext format="3"><body><p t="0" d="4000"><s>word</s><s t="300"> next</s></p>`, milliseconds; the `t` of an
  `<s>` counts from its `<p>`, and `a="1"` marks what is written behind a line that stands, as `aAppend` does in json3.
- srv2: `<timedtext><text t="0" d="3200">`, milliseconds, with `append="1"` likewise.
- srv1: `<transcript><text start="0.0" dur="3.2">`, seconds; its texts are escaped twice.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Transcript

from . import youtube_json3
from .cue_times import RawCue, mend
from .json_values import milliseconds
from .vtt import count_words, origin_of
from .xml_tree import Node, parse

_FIRST = re.compile(r"<(?:[\w.-]+:)?(?:(?P<p>p)\s+(?:[\w:.-]+=\"[^\"]*\"\s*)*t=|(?P<text>text)\s)")
_INDENT = re.compile(r"\s*\n[ \t]+")
"""Space between elements that was written to be read by people."""
_ESCAPED = re.compile(r"&#?\w{1,31};")
AUTOMATIC = re.compile(r"<p [^<>]*\ba=\"1\"|<s [^<>]*\b(?:t|ac)=\"")
"""What only automatic captions have in srv3."""


def format_of(text: str, root: str) -> str | None:
    """Tell srv1, srv2 and srv3 apart, by the outermost element and the first that holds speech; None for others."""
    if root not in ("timedtext", "transcript"):
        return None
    first = _FIRST.search(text)
    if root == "transcript":
        return "srv1" if first and first["text"] else None
    return "srv2" if first and first["text"] else "srv3"


def read(text: str, name: str, form: str) -> Transcript:
    """Read srv1, srv2 or srv3, as `form` says.

    Raises:
        UnreadableError: no cues, times that cannot be, or XML that declares entities.
    """
    root, notes = parse(text)
    nodes = _all(root, "p" if form == "srv3" else "text") if root else []
    if form == "srv1":
        found = _plain([_cue(node, "start", "dur", 1000) for node in nodes], name, notes)
        return replace(found, uncertain=(*notes, *found.uncertain))
    events = _events(nodes) if form == "srv3" else _appended(nodes)
    if not any(segment["utf8"].strip() for event in events for segment in event["segs"]):
        raise _no_cues(form, notes)
    if form == "srv2" and not any(len(event["segs"]) > 1 for event in events):
        found = replace(_plain([_cue(node, "t", "d", 1) for node in nodes], name, notes), format="srv2")
    else:
        found = replace(youtube_json3.read({"events": events}), format=form)
    return replace(found, uncertain=(*notes, *found.uncertain))


def _no_cues(form: str, notes: tuple[str, ...]) -> UnreadableError:
    return UnreadableError(
        " ".join((f"The {form} file has no cues.", *notes)),
        "Fetch it again." if notes else "The video may have no captions in this language.",
    )


def _all(root: Node, name: str) -> list[Node]:
    """Every element of a name, wherever it stands, in order."""
    found: list[Node] = []
    for node in root.nodes():
        found += [node] if node.name == name else _all(node, name)
    return found


def _events(nodes: list[Node]) -> list[dict[str, Any]]:
    """Say in json3 what the paragraphs of srv3 say: then both give the same cues."""
    events: list[dict[str, Any]] = []
    for node in nodes:
        timed = any(part.name == "s" for part in node.nodes())
        segments: list[dict[str, Any]] = []
        for part in node.parts:
            if isinstance(part, Node):
                segment: dict[str, Any] = {"utf8": "\n" if part.name == "br" else _said(part)}
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
        events.append(event)
    return events


def _appended(nodes: list[Node]) -> list[dict[str, Any]]:
    """Say in json3 what srv2 says: what is appended belongs to the line before it, until a line break is appended."""
    events: list[dict[str, Any]] = []
    ended = True
    for node in nodes:
        start, text = milliseconds(node.attributes.get("t"), 1), _said(node)
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
    begin = milliseconds(node.attributes.get(start), per_unit)
    lasts = milliseconds(node.attributes.get(length), per_unit)
    if begin is None:
        return None
    said = _ESCAPED.sub(lambda match: html.unescape(match[0]), _said(node))
    return RawCue(begin, None if lasts is None else begin + max(lasts, 0), said, node.line)


def _plain(cues: list[RawCue | None], name: str, notes: tuple[str, ...]) -> Transcript:
    raw = [cue for cue in cues if cue]
    if not any(cue.text.strip() for cue in raw):
        raise _no_cues("srv1", notes)
    mended = mend(clip_overlapping(raw), "srv1 file")
    return Transcript(
        format="srv1",
        cues=mended.cues,
        timed=mended.timed,
        origin=origin_of("", name),
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=mended.steps,
        uncertain=mended.uncertain,
    )


def clip_overlapping(raw: list[RawCue]) -> list[RawCue]:
    """End cues where the next begin if most overlap: lines that stay while the next is written, as rolling ones do."""
    over = sum(a.end_ms is not None and a.start_ms < b.start_ms < a.end_ms for a, b in pairwise(raw))
    return youtube_json3.clip(raw) if over * 2 > len(raw) else raw


def _said(node: Node) -> str:
    """The text of an element, whatever stands in it."""
    return "".join(part if isinstance(part, str) else "\n" if part.name == "br" else _said(part) for part in node.parts)
