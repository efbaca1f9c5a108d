"""How many words a file has, about, without reading it: whatever captions and JSON repeat counts once."""

from __future__ import annotations

import re

from .source_text import SourceText

_JSON_TEXT = re.compile(r'"(?:text|body|utf8)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_TAG = re.compile(r"<[^<>]*>")


def words_in_lines(source: SourceText) -> int:
    """Count the words of captions and text. The lines of captions may roll, so a line that repeats counts once."""
    lines = {_TAG.sub("", line) for line in source.text.splitlines() if "-->" not in line}
    return len(" ".join(lines).split())


def words_in_json(source: SourceText) -> int:
    """Count the words of segments, which JSON often has twice."""
    return len(" ".join(set(_JSON_TEXT.findall(source.text))).split())


def words_between_tags(source: SourceText) -> int:
    """Count the words of captions in XML."""
    return len(_TAG.sub(" ", source.text).split())
