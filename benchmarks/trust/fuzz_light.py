"""What `fuzz.py` tries thousands of times a second: what reads questions, times, markup and parameters; readers alone.

The whole way of a file, to the rows of an index, takes many times as long (`fuzz_targets.read_file_of`). As there, a
target takes an input's name and bytes, and whatever it raises, `TalksearchError` apart, is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from starlette.requests import Request

from talksearch.cli.web import addresses, parameters
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.readers.durations import parse_duration
from talksearch.indexer.records import Cue, Transcript, Word
from talksearch.indexer.restore import markup
from talksearch.indexer.restore.clean import clean
from talksearch.indexer.restore.normalize import normalize, normalize_text
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.text import clock, damaged_clock, speaker_labels, terms, untrusted, youtube
from talksearch.indexer.text.chapters import chapters_in
from talksearch.indexer.text.counting import count_words, resolve_entities
from talksearch.indexer.text.language_names import language_name
from talksearch.search import links, moments
from talksearch.search.options import SEARCH_OPTIONS, make_query
from talksearch.search.query import first_day, last_day, split_quotes

LATEST_MS = 100 * 3_600_000
"""Behind which no cue may begin or end."""


class BrokenPromiseError(Exception):
    """Something does not hold of an answer. The first argument names the promise and never holds the input."""


def require(holds: bool, promise: str) -> None:
    """Raise BrokenPromiseError where a promise does not hold."""
    if not holds:
        raise BrokenPromiseError(promise)


def check_cues(cues: tuple[Cue, ...]) -> None:
    """Check what restored cues must be, whatever their file held. Raises BrokenPromiseError."""
    for cue in cues:
        require(0 <= cue.start_ms <= cue.end_ms <= LATEST_MS, "a cue lies within the bounds of time")
        require(bool(cue.text) and cue.text == " ".join(cue.text.split()), "a cue is one line of text")
        require(all(0 <= word.start_ms <= LATEST_MS for word in cue.words), "a word lies within the bounds of time")
        cue.text.encode("utf-8")  # raises for a lone surrogate
    require(all(one.start_ms <= other.start_ms for one, other in pairwise(cues)), "cues are in order")


def read(name: str, data: bytes) -> None:
    """Read a transcript and restore its cues; nothing beside it is looked at, and no text is repaired."""
    opened = open_file(Path("/") / name, data)
    opened.format.address(opened.source)
    cues, _ = clean(opened.format.read(opened.source))
    check_cues(cues)


def cue(_: str, data: bytes) -> None:
    """Restore cues whose texts are the lines that were given, with and without words and times."""
    raw = []
    for n, line in enumerate(_text(data).split("\n\n")[:8]):
        start = n * 2_000
        words = tuple(Word(word, start) for word in line.split()) if n % 3 == 2 else ()
        raw.append(Cue(start, start + 2_500, line, words=words))
    for timed in (True, False):
        given = tuple(raw) if timed else tuple(Cue(0, 0, one.text) for one in raw)
        cues, _ = clean(Transcript("vtt", given, timed))
        check_cues(cues)
        require(normalize(cues) == cues, "what is normal stays")
    for one in raw:
        markup.show_plain(one)


def text(_: str, data: bytes) -> None:
    """Read a line as everything that a line may be: a time, a label, chapters, an address, terms."""
    line = _text(data)
    for read_time in (clock.parse_clock, damaged_clock.read_damaged_clock, parse_duration):
        found = read_time(line)
        require(found is None or isinstance(found, int), "a time is a whole number or none")
    for chapter in chapters_in(line):
        require(bool(chapter.title) and chapter.start_ms >= 0, "a chapter has a time and a title")
    for start, end in ((term.start, term.end) for term in terms.spans(line)):
        require(0 <= start < end <= len(line), "a term lies in its text")
    speaker_labels.label_of(line)
    speaker_labels.names_in(line.split("\n"))
    count_words(line)
    resolve_entities(line)
    normal = normalize_text(line)
    require(normalize_text(normal) == normal, "what is normal stays")
    shown = untrusted.safe(line)
    require(not any(char < " " and char not in "\n\t" for char in shown), "what a terminal is shown is harmless")
    video = youtube.find_id(line)
    require(video is None or youtube.is_id(video), "an id is one")
    language_name(line[:20])


def options_of(given: dict[str, object]) -> dict[str, object]:
    """Return what `make_query` may be given by name; `text` is what it is given first, and no option."""
    return {key: value for key, value in given.items() if key != "text"}


def question(_: str, data: bytes) -> None:
    """Make a query of a text and options, without asking an index."""
    line = data.decode("utf-8", "surrogateescape")
    options: dict[str, object] = {}
    with suppress(ValueError, RecursionError):
        given = json.loads(data)
        if isinstance(given, list) and len(given) == 2 and isinstance(given[1], dict):
            line, options = given[0], options_of(given[1])
    if isinstance(line, str):
        split_quotes(line)
        moments.split_moment(line)
        links.link_at(line, links.seconds_of(line) or 0.0)
        for day in (first_day, last_day):
            with suppress(TalksearchError):
                day(line[:12])
    asked = make_query(line, **options)
    asked.text.encode("utf-8")
    terms.terms(asked.text)


def parameter(_: str, data: bytes) -> None:
    """Read the parameters of a request, without answering it."""
    path, _, query = data.decode("latin-1").partition("?")
    passed = query.encode("latin-1").translate(None, _NOT_IN_A_TARGET)
    request = Request({"type": "http", "method": "GET", "path": path, "query_string": passed, "headers": []})
    parameters.languages_read(path)
    given = parameters.parameters(request, "q", "moment", "t", "like", "limit", "offset", ignore_foreign=True)
    here = addresses.PageAddress(addresses.talk_path(path), addresses.shortened(given))
    addresses.at_moment(here, path, addresses.moment_of(parameters.last(given, "t")) or 0)
    addresses.web_link(parameters.last(given, "q"))
    for option in SEARCH_OPTIONS:
        with suppress(TalksearchError):
            option.parse(given.get(option.public_name, [path]))
    parameters.milliseconds(request, "t")
    parameters.whole_number(given, "limit", 5, most=100)
    make_query(parameters.last(given, "q"), **parameters.options(given))


_NOT_IN_A_TARGET = bytes([*range(0x21), *range(0x7F, 0x100)])
"""Bytes that the parser of requests refuses in a target."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


LIGHT: dict[str, Callable[[str, bytes], None]] = {
    "read": read, "cue": cue, "text": text, "question": question, "parameter": parameter,
}  # fmt: skip
