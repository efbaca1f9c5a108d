"""What a caption track shows of itself: whether a machine wrote it, and whether its times mean anything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from talksearch.indexer.errors import UnreadableError, UnspokenError
from talksearch.indexer.records import Origin, Transcript
from talksearch.indexer.text.clock import parse_clock

from .raw_cue import RawCue, count_units
from .source_text import SourceText
from .time_lines import TIME_LINE, signed_clock

_ORIGINAL_TRACK = re.compile(r"\.[a-z]{2,3}-orig\.[a-z0-9]+$", re.IGNORECASE)
_WORD_TIME = re.compile(r"<\d[\d:.]*><c>|<c>[^<]*</c>\s*<\d")
_HELD_MS = 10
"""How long YouTube shows the finished row of automatic captions by itself before the next one begins to grow."""
_JSON = re.compile(r"\{\s*(?:\}|[\"'][\w$. -]{1,60}[\"']\s*:)|\[\s*(?:\]|[\[{\"\d-])")
_CAPTION_TAGS = r"(?:b|i|u|s|c|v|p|br|em|strong|font|span|div|ruby|rt|rp|rb|lang|big|small|sub|sup|\d[\d:.]*)"
_XML = re.compile(rf"<(?!/?{_CAPTION_TAGS}(?:[\s.>/]|$))([A-Za-z_][\w:.-]*)(\s+[\w:.-]+\s*=|\s*/>)?", re.IGNORECASE)
_MARKS = re.compile(r"<[^<>\n]*>")
_ADDRESS = re.compile(
    r"(?:https?|ftp|wss?|rtmp|data|blob):\S+|(?:[\w./-]+/)?[\w%-]+\.(?:jpe?g|png|gif|webp|svg|mp4|webm|m4s|ts|pdf|html?)"
    r"(?:[?#]\S*)?",
    re.IGNORECASE,
)
_ENCODED = re.compile(
    r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[A-Za-z0-9+/_-]{40,}={0,2}|(?:0x)?(?:[0-9a-fA-F]{2}){20,}"
)
_READING = re.compile(
    r"\[?\b[A-Za-z_][\w ]{0,20}\s*[:=]\s*-?[\d./+-]+[a-zA-Z%°]{0,4}\b\]?|\b(?:ISO|SS|EV|F/|GPS)[ /]?\(?-?[\d.]+"
    r"|\b(?:lat|lon|lng|alt|speed|heading|bearing) -?\d[\d.]*(?: ?(?:k?m/h|kph|mph|kn|m|ft)\b|°)?"
)
_CLOCK_ALONE = re.compile(r"(?:\d{4}[-/.:]\d\d[-/.:]\d\d|\d\d[-/.]\d\d[-/.]\d{4})[ T]+\d\d:\d\d:\d\d(?:[.,:]\d+)?Z?")
_DECIMAL = re.compile(r"(?<!\d)-?\d+[.,]\d+")
_FIRST_CUES = 8
_SAMPLE = 20
"""Cues from all over a file that are looked at before all are."""
_CUES_LOOKED_AT = 400
_CHARACTERS_LOOKED_AT = 100_000
_MUCH_TEXT = 150
"""Characters in a cue that may be more than its time allows."""
_MANY_WORDS = 100
"""Words in such a cue beyond which the reader is asked whether the times of the file mean anything."""
_DENSE = 600
"""Characters a second of captions, time lines and markup and all, that no file of speech has."""
_FASTEST = 15
"""Words a second that nobody says; `cue_times` draws the same line."""


def origin_by_cues(source: SourceText) -> Origin:
    """Tell who wrote WebVTT or SubRip by its name and cues."""
    return origin_of(source.text, source.name)


def origin_by_name(source: SourceText) -> Origin:
    """Tell who wrote captions in which only the name tells."""
    return origin_of("", source.name)


def origin_of(text: str, name: str) -> Origin:
    """Tell YouTube's automatic captions by what only they have: word times, or rows held for 10 ms, or the name.

    Everything else is unknown: people and machines write the same plain cues.
    """
    if _ORIGINAL_TRACK.search(name):
        return "automatic"
    held = cues = 0
    for head in islice(TIME_LINE.finditer(text), _CUES_LOOKED_AT):
        start, end = parse_clock(head[2]), parse_clock(head[4])
        cues += 1
        if start is not None and end is not None and 0 <= end - start <= _HELD_MS:
            held += 0 <= text.find("\n", head.end(), head.end() + 250) < text.find("\n\n", head.end(), head.end() + 250)
    if cues >= 4 and held * 5 >= cues:
        return "automatic"
    timed_words = len(_WORD_TIME.findall(text[:_CHARACTERS_LOOKED_AT]))
    return "automatic" if timed_words >= max(2, cues // 4) else "unknown"


def has_true_times(source: SourceText, read: Callable[[SourceText], Transcript]) -> bool:
    """Say whether the times of cues mean anything: not where many words stand in a cue of no length.

    Only a file that looks like that is read, so that its reader decides.
    """
    text = source.text
    heads = list(TIME_LINE.finditer(text))
    if not heads:  # all of its times are damaged
        return True
    ends = [*(head.start() for head in heads[1:]), len(text)]
    crammed = any(
        end - head.end() > _MUCH_TEXT
        and (units := count_units(text[head.end() : end])) >= _MANY_WORDS
        and units > _FASTEST * _length_s(head)
        for head, end in zip(heads, ends, strict=True)
    )
    if crammed or (len(heads) > 3 and (len({head[2] for head in heads}) == 1 or _is_dense(text, heads))):
        try:
            return read(source).timed
        except UnreadableError:
            return True  # what is wrong with it is said when it is read
    return True


def _is_dense(text: str, heads: Sequence[re.Match[str]]) -> bool:
    """Say whether the whole file may hold more than its time allows."""
    first, last = signed_clock(heads[0][1], heads[0][2]), signed_clock(heads[-1][1], heads[-1][2])
    return len(text) > _DENSE * max((last or 0) - (first or 0), 0) / 1000


def _length_s(head: re.Match[str]) -> float:
    start, end = signed_clock(head[1], head[2]), signed_clock(head[3], head[4])
    return max(0, (end or 0) - (start or 0)) / 1000


def refuse_data(source: SourceText, read: Callable[[SourceText], Transcript]) -> None:
    """Raise UnspokenError for a track of data; only one whose first cues look like that is read."""
    text = source.text
    heads = list(islice(TIME_LINE.finditer(text), _FIRST_CUES + 1))
    if not heads:
        return
    ends = [*(head.start() for head in heads[1:]), len(text)]
    bodies = [text[head.end() : end].partition("\n")[2].strip() for head, end in zip(heads, ends, strict=True)]
    cues = [body.partition("\n\n")[0] for body in bodies if body]
    if sum(_data_in(cue) is not None for cue in cues) * 2 > len(cues):
        try:
            read(source)
        except UnspokenError:
            raise
        except UnreadableError:
            return  # what is wrong with it is said when it is read


def refuse_metadata(raw: Sequence[RawCue]) -> None:
    """Raise UnspokenError where most cues hold data for programs, not what is said: a metadata track.

    A talk about such data shows some of it, and says more.
    """
    cues = [text for cue in raw if (text := cue.text.strip())]
    some = cues[:: max(1, len(cues) // _SAMPLE)]
    if sum(_data_in(text) is not None for text in some) * 2 <= len(some):
        return
    kinds = Counter(kind for text in cues if (kind := _data_in(text)))
    if kinds.total() * 2 > len(cues):
        kind, count = kinds.most_common(1)[0]
        raise UnspokenError(
            f"This is a track of data for programs ({kind} in {count} of {len(cues)} cues), not of what is said.",
            "Leave it out.",
        )


def _data_in(text: str) -> str | None:
    """Tell what data for programs a cue is; None where it is speech, or may be.

    >>> [_data_in(text) for text in ('{"slide": 1}', "<slide n='1'/>", "x.org/1.png", "52.52, 13.4", "<i>So</i>")]
    ['JSON', 'XML', 'addresses', 'numbers', None]
    """
    if text[0] in "{[" and text[-1] in "]}" and _JSON.match(text):
        return "JSON"
    if text[0] == "<" and text[-1] == ">" and _is_xml(text):
        return "XML"
    tokens = _MARKS.sub(" ", text).split()
    if tokens and all(_ADDRESS.fullmatch(token) for token in tokens):
        return "addresses"
    if _ENCODED.fullmatch("".join(tokens)) and len(tokens) * 40 <= len(text):
        return "encoded bytes"
    if len(_READING.findall(text)) >= 3 and sum(map(str.isalpha, _READING.sub("", text))) < len(text) // 4:
        return "readings of instruments"
    if len(_DECIMAL.findall(text)) >= 2 and not any(char.isalpha() for char in text):
        return "numbers"
    return "times of a clock" if _CLOCK_ALONE.fullmatch(" ".join(tokens)) else None


def _is_xml(text: str) -> bool:
    """Say whether a cue is an element of XML with attributes or elements in it, no mark of captions."""
    if text.startswith("<?xml"):
        return True
    elements = _XML.findall(text)
    return _XML.match(text) is not None and (len({name for name, _ in elements}) > 1 or bool(elements[0][1]))
