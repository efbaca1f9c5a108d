"""What lies among transcripts and was not said: chats, tracks of chapters, descriptions, told by content or name."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from talksearch.indexer.errors import UnspokenError
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.text.damaged_clock import read_damaged_clock

from .catalogue import what_it_is
from .chapter_files import is_chapter_file
from .naming import recorded
from .track_names import without_ending

_CHATS = re.compile(r"^meeting_saved_(?:new_)?chat|recording(?:new)?chat$|\.live_chat$", re.IGNORECASE)
"""How Zoom, on a disk and in the cloud, and yt-dlp call chats."""
_CHAT_FILE = re.compile(r"\.(?:re)?chat\.jsonl?$|\.danmaku\.\w+$", re.IGNORECASE)
"""How programs that download the chats of streams do, and those of Bilibili's remarks that fly across the picture."""
_KIND = re.compile(r"WEBVTT[^\n]*\n(?:[^\n]+\n)*?Kind: *(chapters|metadata|descriptions)\b", re.IGNORECASE)
"""The kinds of a text track that are not what is said (html.spec.whatwg.org, `track`), as a file's head has them."""
_KINDS = {
    "chapters": "This is a track of chapters: it names the parts of a talk, and was not said.",
    "metadata": "This is a track of data for programs, as its head says, not of what is said.",
    "descriptions": "This is a track that describes what is seen, as its head says, not what is said.",
}
_FROM = "From|Von|De|Da|Van|Od|От|来自|差出人|보낸 사람"
_DAY = r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}"
_CLOCK = r"\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:[\s\u202f]?[AP]M)?"
_TYPED = (
    re.compile(rf"^\d\d:\d\d:\d\d\s+(?:{_FROM})\s*[:：]?\s+\S[^\n]{{0,200}}?\s?[:：](?:\s|$)"),
    re.compile(rf"^\u200e?\[?{_DAY}, {_CLOCK}(?:\]| -) [^:\n]{{1,60}}: ", re.IGNORECASE),
    re.compile(rf"^[^\[\]\n]{{1,60}}, \[{_DAY},? {_CLOCK}\]:?(?:\s|$)", re.IGNORECASE),
    re.compile(r"^\[\d{1,2}/\d{1,2}(?:/\d{2,4})?,? \d{1,2}:\d\d [AP]M\] \S", re.IGNORECASE),
    re.compile(r"^\[?\d\d:\d\d(?::\d\d)?\]? <[@+%~&]?[^<>\s]{1,30}> \S"),
)
"""Heads of messages: Zoom's in several languages, WhatsApp's, Telegram's, Teams', and those of IRC."""
_LISTS_CHAPTERS = re.compile(r"\s*(?:;FFMETADATA\d|CHAPTER\d+=\d+:\d\d)")
"""How FFmpeg's metadata begin (ffmpeg.org/ffmpeg-formats.html#Metadata-2), and the chapters of OGM."""
_DOWNLOADED = re.compile(r"[a-z][\w:.-]{1,40} [\w-]{5,80}")
"""A row of yt-dlp's download archive: the extractor and the id of a video."""
_ADDRESS = re.compile(r"(?:#.*|https?://\S+)")
_OWN_PAGE = re.compile(
    r"\s*<!doctype html>.{0,500}<meta name=\"generator\" content=\"talksearch\">", re.IGNORECASE | re.DOTALL
)
_HEAD = 20_000
"""Characters by which a list is told."""
_FEWEST_TYPED = 2
_SHARE_TYPED = 0.4
"""Of rows that begin messages; a message may have several rows."""

_TIMES = re.compile(
    r"^[ \t]*([\d:.,]{5,15})[ \t]*-->[ \t]*([\d:.,]{5,15})[^\n]*\n([^\n]*)(?:\n([^\n]*))?", re.MULTILINE
)
_MOST_CHAPTERS = 200
_LONG_MS = 60_000
_SHORTEST_MS = 10_000
_SHORT_WORDS = 9
_SLOWEST_SPEECH = 0.7
"""Words a second; people speak two or three."""
_ENDS_A_SENTENCE = re.compile(r"[.,;…。，]$")


def refuse_by_name(path: Path) -> None:
    """Raise UnspokenError for a file whose name alone says that it holds what was typed, not said."""
    stem = without_ending(path.name)
    day = recorded(stem).day
    if _CHATS.search(stem) or _CHAT_FILE.search(path.name) or (day and re.search(r"(?:^|[ –—-])Chat$", stem)):
        raise UnspokenError("This is a chat: it was typed, not said.")


def refuse_descriptions(source: SourceText) -> None:
    """Raise UnspokenError for a file that describes talks or lists them: a feed, an export, what was downloaded.

    So it does for pages that talksearch itself exported: a site in the archive would double every talk.
    """
    if _OWN_PAGE.match(source.text):
        raise UnspokenError("This page was exported by talksearch, from a transcript that lies elsewhere.")
    if what := what_it_is(source.text):
        raise UnspokenError(f"This is {what}: it describes talks, and was not said.")
    rows = source.text[:_HEAD].split("\n")
    filled = [row.strip() for row in (rows[:-1] if len(source.text) > _HEAD else rows) if row.strip()]
    if all(map(_ADDRESS.fullmatch, filled)) and any("://" in row for row in filled):
        raise UnspokenError("This is a list of addresses, and was not said.")
    # Lines of two words may be a poem; ids have figures, nearly all of them.
    numbered = sum(any(map(str.isdigit, row.partition(" ")[2])) for row in filled)
    if filled and numbered * 2 >= len(filled) and all(map(_DOWNLOADED.fullmatch, filled)):
        raise UnspokenError("This is yt-dlp's list of what it has downloaded, and was not said.")


def refuse_by_content(path: Path, source: SourceText) -> None:
    """Raise UnspokenError for a file whose content was not said: rows of a chat, or chapters of a talk.

    Args:
        path: the file; a name such as `chapters.vtt` makes its content likelier to be chapters.
        source: the file.
    """
    if kind := _KIND.match(source.text.removeprefix("\ufeff")):
        raise UnspokenError(_KINDS[kind[1].lower()])
    if "-->" in source.text[:5000]:
        if _are_chapters(source.text, named=is_chapter_file(path.name)):
            raise UnspokenError("This is a track of chapters: it names the parts of a talk, and was not said.")
    elif _LISTS_CHAPTERS.match(source.text):
        raise UnspokenError("This is a list of chapters, or what a program noted of a recording; it was not said.")
    elif _is_chat(source.text):
        raise UnspokenError("This is a chat: it was typed, not said.")


def _is_chat(text: str) -> bool:
    rows = [row for row in text[:20_000].split("\n") if row.strip()]
    heads = max(sum(bool(typed.match(row)) for row in rows) for typed in _TYPED)
    return heads >= _FEWEST_TYPED and heads >= _SHARE_TYPED * len(rows)


def _are_chapters(text: str, *, named: bool) -> bool:
    """Say whether cues are chapters: each runs to the next, for long, under a few words that are no sentence."""
    if not 2 <= text.count("-->") <= _MOST_CHAPTERS:
        return False
    cues = _TIMES.findall(text)
    if len(cues) < 2 or any(":" not in start for start, *_ in cues):
        return False
    titles = [title.strip() for *_, title, _ in cues]
    words = [len(title.split()) for title in titles]
    second_rows = [second.strip() for *_, second in cues if second.strip()]
    if not named and (second_rows or max(words) > _SHORT_WORDS):  # as nearly all captions show at once
        return False
    told = [(read_damaged_clock(start), read_damaged_clock(end)) for start, end, *_ in cues]
    times = [(start, end) for start, end in told if start is not None and end is not None]
    if len(times) < len(cues):
        return False
    if named:
        said = sum(words) + sum(len(row.split()) for row in second_rows)
        return said * 1000 <= _SLOWEST_SPEECH * (times[-1][1] - times[0][0])
    joined = sum(abs(after[0] - before[1]) <= 1000 for before, after in pairwise(times))
    lengths = sorted(end - start for start, end in times)
    return (
        times[0][0] <= 1000
        and joined == len(cues) - 1
        and lengths[len(lengths) // 2] >= _LONG_MS
        and lengths[0] >= _SHORTEST_MS
        and sum(bool(_ENDS_A_SENTENCE.search(title)) for title in titles) * 3 < len(titles)
    )
