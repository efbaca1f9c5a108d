"""Whether a file is JSON, and its value, which is parsed once and handed to every reader of JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from talksearch.indexer.errors import UnreadableError

from . import json_values
from .source_text import SourceText

_TALK_KEYS = ("talk", "talk_id", "video_id", "youtube_id", "episode", "source", "file", "query", "rank")
"""Keys that name a talk. Lines of JSON that differ in one of them are hits or records of several talks."""
_OPENS_LIST = re.compile(r"\[\s*[\[{\"\]]")
_OPENS_VALUE = re.compile(r"[\[{]\s*[\[{\"]")


def parsed_json(source: SourceText) -> Any:
    """Return the value of a file in JSON; objects that stand one after the other are a list.

    Raises UnreadableError where it is no JSON, with the line where it breaks.
    """
    return source.once(_parse)


def _parse(source: SourceText) -> Any:
    return json_values.parse(source.stripped)


def is_json(source: SourceText) -> bool:
    """Say whether a file is JSON, which a text in brackets is not.

    Raises UnreadableError where it is meant to be JSON and is broken, or holds lines of several talks.
    """
    text, ending = source.stripped, source.ending
    looks_like_json = text[0] == "{" or ending.startswith("json") or ending.endswith("json")
    if text[0] not in "{[" or not (looks_like_json or _OPENS_LIST.match(text)):
        return False
    try:
        value = parsed_json(source)
    except UnreadableError:
        if _begins_with_json_line(text):
            raise not_a_transcript() from None
        if ending.startswith("json") or _OPENS_VALUE.match(text):
            raise
        return False
    if is_json_lines(source) and _is_of_several_talks(value):
        raise UnreadableError("The lines of this file belong to several talks.", "Write one file for each talk.")
    return True


def is_json_lines(source: SourceText) -> bool:
    """Say whether a file in JSON is objects that stand one after the other."""
    return source.stripped[0] == "{" and isinstance(parsed_json(source), list)


def not_a_transcript() -> UnreadableError:
    """Return the reason why JSON lines that no reader knows are not read."""
    return UnreadableError("This is a list of JSON objects, one a line, not a transcript.", "")


def _is_of_several_talks(entries: list[Any]) -> bool:
    """Whether JSON lines are hits or records of several talks, not the segments of one."""
    return any(len({str(entry[key]) for entry in entries if key in entry}) > 1 for key in _TALK_KEYS)


def _begins_with_json_line(text: str) -> bool:
    first = text.split("\n", 1)[0]
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True
