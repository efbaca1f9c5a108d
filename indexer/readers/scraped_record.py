"""The scraped record: a text file with `Timestamp: Title: URL: Status: Duration: Description: Content:`.

Such files come from scripts that save a page's metadata and its captions in one piece. The content is what differs:
captions with times and tags left in, captions flattened to one line in which every line stands two or three times,
the same with the repeats already gone, text with `[12:34]` between, or a caption file with its line breaks. `read`
hands over finished cues for all of them: rolling captions are already collapsed by their structure, and the steps say
so. Text and metadata are otherwise untouched: entities stay, and broken encodings are repaired later, where the whole
archive is repaired. `Timestamp` is when the record was scraped; it says nothing about the talk and is not read.
"""

from __future__ import annotations

import re

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Origin, Transcript
from talksearch.indexer.text.plain import count_words, has_tokens, tokens_of

from . import line_layout
from .durations import parse_duration
from .pasted_captions import PastedCaptions, read_pasted, without_head
from .record_fields import CONTENT_KEYS, KeyRow, header_and_content, key_of, key_rows, rows_of
from .source_text import SourceText

_GOOD_STATUS = {"", "success", "succeeded", "successful", "ok", "okay", "done", "complete", "completed", "200", "true"}
_SHORT_OF_A_TALK = 30
"""Words. Where the status is not success, content shorter than this is taken for the scraper's message."""
_URL = re.compile(r"^[ \t]*URL[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_MARK = re.compile(r"[\[(](?:\d{1,2}:)?\d{1,3}:[0-5]\d[\])]")
_CHARACTERS_LOOKED_AT = 20_000
_FEWEST_MARKS = 3


def matches(source: SourceText) -> bool:
    """Whether the text is a scraped record: it begins with one of the keys and holds three of them, content included.

    >>> matches(SourceText("Title: On time\\nURL: https://youtu.be/DTcRLlMv4_o\\nContent:\\nSo good morning."))
    True
    >>> matches(SourceText("Title: a word before a colon\\n\\nProse."))
    False
    """
    keys: set[str] = set()
    for row in rows_of(source.text):
        key = key_of(row)
        if key:
            keys.add(key)
        elif row.strip() and not keys:
            return False
    return len(keys) >= 3 and bool(keys & {*CONTENT_KEYS, "status"}) and bool(keys & {"title", "url", "timestamp"})


def origin(source: SourceText) -> Origin:
    """Tell who wrote the captions in a record: a machine, where their tags or their head say so."""
    content = source.once(_content_of)
    return "automatic" if content.count("<c>") > 2 or "WEBVTT Kind: captions" in content else "unknown"


def has_times(source: SourceText) -> bool:
    """Say whether the content of a record has times."""
    content = source.once(_content_of)
    return (
        "-->" in content
        or len(_MARK.findall(content[:_CHARACTERS_LOOKED_AT])) >= _FEWEST_MARKS
        or line_layout.find(content) is not None
    )


def _content_of(source: SourceText) -> str:
    """Return what stands behind `Content:`, without a look at what else it may be; all where it is called otherwise."""
    head, _, content = source.text.partition("\nContent:")
    return content or head


def address(source: SourceText) -> str | None:
    """Return the address that a record names near its top."""
    match = _URL.search(source.text[:_CHARACTERS_LOOKED_AT])
    return match[1] if match else None


def read(source: SourceText) -> Transcript:
    """Read a scraped record.

    Rolling captions are collapsed; where `source.unfold` is false, those that were flattened into one line are cut into
    lines as they stand, repeats and all. Raises UnreadableError where the record holds no transcript, with the
    scraper's own reason.
    """
    header, content = _checked(source)
    status = header.get("status", "").strip()
    notes: tuple[str, ...] = ()
    if status.lower() not in _GOOD_STATUS:
        notes = (f"The record's status is “{status}”, so the transcript may be incomplete.",)
    return _transcript(header, read_pasted(content, unfold_lines=source.unfold), notes)


def read_header(source: SourceText) -> Transcript:
    """Read what a record says about its talk: a transcript as `read` returns it, without cues. Raises as `read` does
    where there is no transcript.
    """
    header, content = _checked(source)
    _, language = without_head(content)
    return _transcript(header, PastedCaptions((), False, False, language, ()))


def _checked(source: SourceText) -> tuple[dict[str, str], str]:
    """Split a record into its values by key and its content. Raises UnreadableError where that is no transcript."""
    rows = rows_of(source.text)
    header, content = header_and_content(rows, key_rows(rows))
    status = header.get("status", "").strip()
    if not has_tokens(without_head(content)[0]):
        raise _no_content(status, "")
    if status.lower() not in _GOOD_STATUS and count_words(content) < _SHORT_OF_A_TALK:
        raise _no_content(status, content)
    return header, content


def read_content(text: str, *, unfold_lines: bool = True) -> Transcript:
    """Read what would be the content of a record: captions that were copied, without keys above them.

    Returns a transcript as `read` does, without title and address. A few keys may still be there, as in a text of
    `Duration:` and `Transcript:`: the captions begin where they say so.
    Raises UnreadableError where there are no words.
    """
    rows = rows_of("\n" + text)
    header, content = header_and_content(rows, [KeyRow(0, CONTENT_KEYS[0], ""), *key_rows(rows)])
    if not has_tokens(without_head(content)[0]):
        raise _no_content("", "")
    captions = read_pasted(content, unfold_lines=unfold_lines)
    return _transcript({key: header.get(key, "") for key in ("duration", "description")}, captions)


def _transcript(header: dict[str, str], captions: PastedCaptions, notes: tuple[str, ...] = ()) -> Transcript:
    return Transcript(
        format="record",
        cues=captions.cues,
        timed=captions.timed,
        starts_with_sound=captions.starts_with_sound,
        origin="automatic" if captions.rolling else "unknown",
        title=header.get("title") or None,
        url=header.get("url") or None,
        language=captions.language,
        duration_ms=parse_duration(header.get("duration", "")),
        description=header.get("description", ""),
        steps=captions.steps,
        uncertain=notes,
    )


def _no_content(status: str, content: str) -> UnreadableError:
    message = " ".join(part for part in (status, " ".join(tokens_of(content))) if part)
    reason = "The record holds no transcript" + (f"; its status is “{message}”." if message else ".")
    return UnreadableError(reason, "Fetch the captions again, or leave the file out.")
