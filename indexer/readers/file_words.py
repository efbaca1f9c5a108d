"""Every word that stands in a file, counted by its plain shape: no reader is asked, and nothing is known of cues.

The balance of a talk holds this against what was indexed (`talks.balance`). So what a reader loses is missed here,
however it was lost. What is markup is told by its form alone: tags, clock times, numbers of cues, comments.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import StringIO

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.text.counting import bag_of, count_words, without_entities, words_in

from .json_lists import opened
from .json_source import parsed_json
from .source_text import SourceText

Bag = Counter[str]
_FEWEST_LETTERS = 10


@dataclass(frozen=True, slots=True)
class FileWords:
    """The words of a file, each with how often it stands there."""

    count: int
    """How many there are, all of them."""
    words: Bag
    """Those that are not markup for certain: tags, and lines that hold nothing but the times of a cue."""
    metadata: Bag = field(default_factory=Counter)
    """Those of them that stand where a file describes itself: its head, its front matter, its keys."""
    text: str = ""
    """What they stand in, without the markup that is certain; `markup_in` and `labels_in` tell more of it."""
    taken: tuple[str, ...] = ()
    """The tags that were taken for markup: a text may hold what only looks like one."""
    fields: dict[str, Bag] = field(default_factory=dict)
    """Of files that are made of fields (JSON, tables), the words of each, by its name: `segments.*.text`. Which fields
    hold what is said shows when they are held against what was indexed. Empty for all others."""


_TAG = re.compile(r"<[^<>]{0,2000}>")
_OVERRIDE = re.compile(r"\{\\[^{}\n]*\}|\{/?[ibu]\}|\{\d*\}|\{[A-Za-z]:[^{}\n]*\}")
_MARK = "\x1e"
_COMMA_IN_TIME = re.compile(r"(?<=\d:\d\d:\d\d),(?=\d{1,3}[ \t]*,)")
_SUBSTATION_FIELDS = 9
"""Before the text of a line of dialogue."""
_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)
_TIME_LINE = re.compile(
    r"[ \t]*(?:\d{2,3}:)?\d\d:\d\d[.,]\d{3}[ \t]+-->[ \t]+(?:\d{2,3}:)?\d\d:\d\d[.,]\d{3}"
    r"(?:[ \t]+(?:align|line|position|size|region|vertical):[\w.%,-]*)*[ \t]*"
)
_COMMENT = re.compile(
    r"<!--(?:(?!<!--).)*?-->|(?:\A|(?<=\n\n))(?:NOTE|STYLE|REGION|WEBVTT)(?:[ \t][^\n]*)?(?:\n(?![ \t]*\n)[^\n]*)*",
    re.DOTALL,
)
_ARROW_LINE = re.compile(r"^.{0,200}(?:--?[ \t]*>|[–—]>|→).{0,200}$", re.MULTILINE)
_ON_ARROW_LINES = re.compile(r"(?<![^\s>])[^\s>]*\d[^\s>]*|\b(?:NaN|undefined)\b", re.IGNORECASE)
_SETTING = re.compile(r"\b(?:align|line|position|size|region|vertical):(?:[\w.%,-]+|(?=\s))")
_CLOCK = re.compile(r"(?<![\w])#?-?\d{1,6}(?:[:：;][ \t]?-?\d{1,3}){1,3}(?:[.,，．;-]\d{1,18}){0,2}(?![\w'’])")
_NUMBER_LINE = re.compile(r"^[ \t]*(?:[#№]|\*\*|__)?\d{1,9}[.):]?(?:\*\*|__)?[ \t]*$", re.MULTILINE)
_LABEL_TIMES = re.compile(r"^\d{1,6}[.,]\d{1,9}\t\d{1,6}[.,]\d{1,9}(?=\t|$)", re.MULTILINE)
"""Rows of a label track, as Audacity writes them."""
_IDENTIFIER = re.compile(r"(?<=\n\n)[^\n]+(?=\n(?:\x1e|(?=[^\n]*\d)[^\n]*(?:--?[ \t]*>|[–—]>|→)))")
_FLATTENED_HEAD = re.compile(r"\bWEBVTT(?:[ \t]+(?:Kind|Language):[ \t]*[\w-]+)*")
_LABEL = re.compile(r"\[[^\[\]]{1,60}\]|\([^()]{1,60}\)|【[^【】]{1,30}】|（[^（）]{1,30}）|\*[a-z ]{3,30}\*")
_ADDRESS = re.compile(r"\]\([^()\s]*\)|\bhttps?://[^\s)\]>\"']+")
_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRAME_RATE = re.compile(
    r"\A\s*\{[01]?\}\{[01]?\}[ \t]*\d{1,3}(?:[.,]\d{1,6})?[ \t]*(?:fps)?[ \t]*(?=\n)", re.IGNORECASE
)
"""The first line of MicroDVD."""
_VTT_HEAD = re.compile(r"\A\s*WEBVTT.*?(?=^[ \t]*-?\d+[:：.]\d|\Z)", re.DOTALL | re.MULTILINE)
_KEYS = re.compile(
    r"\A(?:\s*(?:#+[ \t][^\n]*|\[[a-z]{2,10}:[^\n]*\]|[*_]*(?:title|date|recorded|channel|speakers?|hosts?|guests?|url"
    r"|link|source|video|duration|length|language|description|event|series|location|tags|topics?|authors?|id|type|status)[*_]*[:：][^\n]*)"
    r"(?:\n|\Z))+",
    re.IGNORECASE,
)
_RECORD_HEAD = re.compile(
    r"\A(?=\s*(?:timestamp|title|url|status)[ \t]*[:：]).*?^(?:content|transcript)[ \t]*[:：]",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*[\w.+-]*[ \t]*$", re.MULTILINE)
_CODE = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n(?:(?!\x1e|-->).)*?(?:^[ \t]*\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
"""What stands between two fences, unless these are captions."""
_MARKUP: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_COMMENT, ("NOTE", "STYLE", "REGION", "WEBVTT", "<!--")),
    (_CODE, ("```", "~~~")),
    (_FENCE, ("```", "~~~")),
    (_LABEL_TIMES, ("\t",)),
    (_IDENTIFIER, ()),
    (_NUMBER_LINE, ()),
    (_FLATTENED_HEAD, ("WEBVTT",)),
    (_ADDRESS, ("](", "://")),
    (_CLOCK, ()),
    (_SETTING, ("align:", "position:", "line:", "size:", "region:", "vertical:")),
)
"""Forms of markup, in the order in which they are taken out, and signs of which a text with such markup has one."""
_UNSAID_ELEMENTS = re.compile(
    r"<(head|style|metadata|title|script)\b[^<>]*>(?:(?!<\1\b).)*?</\1[ \t]*>"
    r"|<\?(?:(?!<\?).)*?\?>|<!DOCTYPE[^>]{0,2000}>",
    re.DOTALL | re.IGNORECASE,
)


def in_lines(source: SourceText) -> FileWords:
    """Count the words of captions and of texts."""
    text = without_entities(source.text)
    if "\\" in text:  # SubStation's line break, and its blank
        text = text.replace("\\N", "\n").replace("\\h", " ")
    forms = (_FRAME_RATE, _VTT_HEAD, _RECORD_HEAD, _FRONT_MATTER, _KEYS)
    head = next((match for form in forms if (match := form.match(text))), None)
    rest = text[head.end() :] if head else text
    keys = _KEYS.match(rest) if head and head.re is _FRONT_MATTER else None
    metadata = bag_of("\n".join(match[0] for match in (head, keys) if match))
    taken: list[str] = []
    if "<" in rest:
        rest = _BREAK.sub("\n", rest)
        taken += _TAG.findall(rest)
        rest = _TAG.sub("", rest)
    if "{" in rest:
        taken += _OVERRIDE.findall(rest)
        rest = _OVERRIDE.sub("", rest)
    if "-->" in rest:
        rest = _without_time_lines(rest)
    words = bag_of(rest)
    if head:
        words.update(words_in(head[0]))
    return FileWords(count_words(text), words, metadata, rest, tuple(taken))


def in_substation(source: SourceText) -> FileWords:
    """Count the words of SubStation Alpha: of dialogue what stands behind the last of its fields is said."""
    said: list[str] = []
    described: list[str] = []
    for row in source.text.split("\n"):
        fields = _COMMA_IN_TIME.sub(".", row, count=2).split(",", _SUBSTATION_FIELDS)
        if row.lstrip().startswith("Dialogue:") and len(fields) > _SUBSTATION_FIELDS:
            said.append(fields.pop())
        described.append(",".join(fields))
    spoken = in_lines(SourceText("\n".join(said), source.name))
    metadata = bag_of("\n".join(described))
    return replace(
        spoken,
        count=spoken.count + metadata.total(),
        words=spoken.words + metadata,
        metadata=spoken.metadata + metadata,
    )


def _without_time_lines(text: str) -> str:
    """Take out lines that hold the times of a cue and nothing else, and the numbers above them.

    A mark stays for each (`_MARK`), so that what stands above it is still known for the name of a cue.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if "-->" in line and _TIME_LINE.fullmatch(line):
            if lines and lines[-1].isdigit():
                lines.pop()
            line = _MARK
        lines.append(line)
    return "\n".join(lines)


def markup_in(text: str) -> Bag:
    """Return the words of a text that are markup by their shape: damaged times, numbers and names of cues, comments."""
    taken: list[str] = []
    for form, signs in _MARKUP:
        if not signs or any(sign in text for sign in signs):
            taken += [match[0] for match in form.finditer(text)]
            text = form.sub("", text)
    for line in _ARROW_LINE.findall(text):  # what is left of a damaged time
        taken += _ON_ARROW_LINES.findall(line)
    return bag_of("\n".join(taken))


def labels_in(text: str) -> list[str]:
    """Return what stands in brackets, brackets included: sounds, for the most part."""
    return [match[0] for match in _LABEL.finditer(text)]


def in_xml(source: SourceText) -> FileWords:
    """Count the words of captions in XML: those between tags. What stands in tags is none."""
    unsaid = "\n".join(match[0] for match in _UNSAID_ELEMENTS.finditer(source.text))
    text = without_entities(_TAG.sub(" ", _UNSAID_ELEMENTS.sub(" ", source.text)))
    metadata = bag_of(without_entities(_TAG.sub(" ", unsaid)))
    words = bag_of(text)
    words.update(metadata)
    return FileWords(words.total(), words, metadata, text)


def in_json(source: SourceText) -> FileWords:
    """Count the words of the texts in JSON; keys and numbers are none."""
    try:
        value = parsed_json(source)
    except UnreadableError:
        return FileWords(0, Counter())
    fields: dict[str, list[str]] = {}
    for name, text in _texts_in(opened(value)):
        fields.setdefault(name, []).append(text)
    return _of_fields({name: "\n".join(texts) for name, texts in fields.items()})


def _texts_in(value: object) -> Iterator[tuple[str, str]]:
    """Yield every text of a JSON value with the path that leads to it, without the numbers of entries."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            # What is counted up is no name of a field.
            waiting += [(f"{path}.{'*' if key[:1].isdigit() else key}", value[key]) for key in reversed(value)]
        elif isinstance(value, list) and _are_letters(value):
            yield f"{path}.*", "".join(value)
        elif isinstance(value, list):
            # The cells of a row are fields of their own.
            is_row = path.endswith("*") and any(isinstance(cell, str) for cell in value)
            waiting += [(f"{path}.{i if is_row else '*'}", entry) for i, entry in reversed(list(enumerate(value)))]


def _are_letters(value: list[object]) -> bool:
    """Say whether a list is a text letter by letter, as services that time every letter write it."""
    return len(value) >= _FEWEST_LETTERS and all(isinstance(cell, str) and len(cell) <= 1 for cell in value)


def in_table(source: SourceText) -> FileWords:
    """Count the words of a table, column by column; the first row is its head."""
    first = source.stripped.split("\n", 1)[0]
    delimiter = max("\t,;|", key=first.count)
    columns: dict[str, StringIO] = {}  # a cell is short: texts of their own take five times their memory
    try:
        for row in csv.reader(source.text.splitlines(keepends=True), delimiter=delimiter):
            for number, cell in enumerate(row):
                columns.setdefault(str(number), StringIO()).write(f"{cell}\n")
    except csv.Error:  # a cell that never ends
        return in_lines(source)
    return replace(_of_fields({name: cells.getvalue() for name, cells in columns.items()}), metadata=bag_of(first))


def _of_fields(fields: dict[str, str]) -> FileWords:
    words: Bag = Counter()
    bags: dict[str, Bag] = {}
    whole: list[str] = []
    for name, written in fields.items():
        text = _TAG.sub("", _BREAK.sub("\n", without_entities(written)))
        bags[name] = bag_of(text)
        words.update(bags[name])
        whole.append(text)
    return FileWords(words.total(), words, text="\n".join(whole), fields=bags)
