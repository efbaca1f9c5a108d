"""The untouched source behind a stretch of a talk: the very lines, or characters, of its file.

Readers do not say where in a file a cue stood. It is found afterwards: the words that stood in the talk before any
letter was repaired are looked for in the file, in order. The text was made from this file, so they are there; what lies
between (times, tags, repeats, labels) belongs to the cue that was said last.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.readers.decode import newlines
from talksearch.indexer.readers.registry import format_of_reader
from talksearch.indexer.records import Cue, Receipt, Talk

from .playlist import is_playlist, joined
from .receipt import decode_with
from .replay import replay_decoded

_TOKEN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_NO_SPEECH = re.compile(
    r"<[^<>\n]{0,200}>|\d{1,9}:\d\d(?::\d\d)?(?:[.,]\d+)?|\"[A-Za-z_]\w{0,30}\"\s*:|&#?\w{1,10};|^\d+[ \t\r]*$",
    re.MULTILINE,
)
"""Tags, times, keys of JSON, entities, cue numbers: words in them were never said."""
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[\"\\/bfnrt])")
_NEAR = ((4, 40), (3, 40), (2, 30), (1, 10))
_FAR = ((8, 5000), (6, 1500), (4, 300))
"""How many words of the talk must follow each other in the source for a place to be believed, and how many words of the
source are searched for it, tried in this order. A screen of rolling captions is repeated within some twenty words, and
what is nearest is right; a header or a note between cues is longer."""
_SHORT_LINE = 400
"""Characters. Longer lines are not shown whole: a flattened record is one enormous line, prose is one a paragraph."""
_BLOCK = 12
"""Lines. A cue with its number and time has fewer."""
_REPAIRS = ("repair-text", "tidy", "estimate-times", "align-times")
"""Steps behind which the cues are no longer spelled as in the file."""


class _FileRow(NamedTuple):
    """What an index remembers of the file that a talk was read from."""

    path: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a talk's file, decoded and otherwise untouched, and where in it each cue begins."""

    text: str
    starts: tuple[int, ...]
    """For each cue of the talk, in characters; they never decrease. What precedes the first is no cue's."""
    ends: tuple[int, ...] = ()
    """Where its last word ends, the first time it stands there."""
    json: bool = False

    def span_of(self, first: int, last: int) -> tuple[int, int]:
        """Return where the source of the cues from `first` to `last` (both included) stands, as (start, end).

        Widened to whole lines and whole cue blocks where lines are short, and to whole objects of JSON.
        """
        if self.json:
            end = self.starts[last + 1] if last + 1 < len(self.starts) else len(self.text)
            return _objects(self.text, self.starts[first], end)
        # Blocks and lines may be shared with the cues that follow.
        following = (self._begin(cue) for cue in range(last + 1, len(self.starts)))
        end = next((begin for begin in following if begin >= self.ends[last]), len(self.text))
        return self._begin(first), end

    def _begin(self, cue: int) -> int:
        """Return where the block or line begins in which a cue does."""
        start = self.starts[cue]
        line = self.text.rfind("\n", 0, start) + 1
        end = self.text.find("\n", start)
        long = (len(self.text) if end < 0 else end) - line > _SHORT_LINE
        if long and cue and self.starts[cue - 1] >= line:
            return start  # several cues share a long line
        return _block_start(self.text, line)


def read_source(db: sqlite3.Connection, talk: Talk) -> bytes:
    """Return the bytes of the file that a talk was read from.

    Raises TalksearchError when the file is gone, or is not what it was when it was indexed.
    """
    select = "SELECT t.path, f.digest FROM talks t LEFT JOIN files f ON f.path = t.path WHERE t.id = ?"
    row = _FileRow(*db.execute(select, (talk.id,)).fetchone())
    path, digest = Path(row.path), row.digest or ""
    try:
        data = joined(path) if is_playlist(path) else path.read_bytes()
    except OSError as error:
        raise TalksearchError(
            f"{path}, from which the talk was read, is not there any more ({error.strerror}).",
            "Put it back, or bring the index up to date: talksearch index",
        ) from error
    if hashlib.blake2b(data, digest_size=16).hexdigest() != digest.partition(":")[0]:
        raise TalksearchError(
            f"{path} has changed since it was indexed, so what the talk was read from is not there any more.",
            "Bring the index up to date: talksearch index",
        )
    return data


def locate_cues(data: bytes, name: str, talk: Talk) -> Source:
    """Find the cues of a talk in its file.

    Args:
        data: the file's bytes, as they were when it was indexed (`read_source`).
        name: the file's name, without folders.
        talk: with its cues and receipt.
    """
    text = raw_text(data, talk.receipt)
    cues = _before_repair(text, name, talk)
    reader = next((step.detail["reader"] for step in talk.receipt.steps if step.name == "read"), "")
    known = format_of_reader(reader)
    is_json = known is not None and known.is_json
    places = _places(cues, text, is_json)
    return Source(text, tuple(start for start, _ in places), tuple(end for _, end in places), is_json)


def raw_text(data: bytes, receipt: Receipt) -> str:
    """Return the text of a file, decoded as it was for the talk, with its line ends as they are.

    Raises TalksearchError where the receipt does not say how: it was written by an earlier version.
    """
    if not receipt.steps or receipt.steps[0].name != "decode":
        raise TalksearchError(
            "The index does not say how the talk was read; an earlier version made it.",
            "Build it again: talksearch index --rebuild",
        )
    return decode_with(data, receipt.steps[0].detail, line_ends=False)


def _before_repair(text: str, name: str, talk: Talk) -> Sequence[Cue]:
    """Return the cues as the file spells them; as they were indexed where that gives another number of cues."""
    steps = tuple(step for step in talk.receipt.steps if step.name not in _REPAIRS)
    cues = replay_decoded(newlines(text), name, Receipt(steps=steps))
    return cues if len(cues) == len(talk.cues) else talk.cues


def _places(cues: Sequence[Cue], text: str, escaped: bool) -> tuple[tuple[int, int], ...]:
    """Return where in the text each cue begins and ends; one that is not found stands where the next one begins."""
    words: list[str] = []
    first_word: list[int] = []
    for cue in cues:
        first_word.append(len(words))
        words += [match[0] for match in _TOKEN.finditer(cue.text.casefold())]
    known = set(words)
    # Whisper writes the whole text first, and then what has times.
    begin = max(0, text.find('"segments"')) if escaped else 0
    tokens = [(word, start) for word, start in _tokens(text, escaped) if word in known and start >= begin]
    spoken = [word for word, _ in tokens]
    token_of_word = _in_order(words, frozenset(first_word), spoken)
    located: list[tuple[int, int] | None] = []
    previous = -1
    for i, end in zip(first_word, [*first_word[1:], len(words)], strict=True):
        matched = [(k, place) for k, place in enumerate(token_of_word[i:end]) if place is not None]
        if not matched:
            located.append(None)
            continue
        place = max(matched[0][1] - matched[0][0], previous + 1)
        copy = _first_copy(words[i:end], spoken, place, previous)
        previous = matched[-1][1]
        last = tokens[max(copy, previous - (place - copy))]
        located.append((tokens[copy][1], last[1] + len(last[0])))
    following = len(text)
    spans: list[tuple[int, int]] = []
    for span in reversed(located):
        spans.append(span or (following, following))
        following = spans[-1][0]
    return tuple(reversed(spans))


def _first_copy(line: Sequence[str], tokens: Sequence[str], place: int, previous: int) -> int:
    """Go back over copies of a line that stand right before it, as in rolling captions.

    Args:
        line: its words.
        tokens: the words of the source.
        place: where among them the line was found.
        previous: where the line before it ends.
    """
    size = len(line)
    while place - size > previous and tokens[place - size : place] == line:
        place -= size
    return place


def _tokens(text: str, escaped: bool) -> Iterator[tuple[str, int]]:
    """Yield the words of a source and where they stand; times, tags and keys are passed over."""
    places: list[int] | None = None
    if escaped and "\\" in text:
        text, places = _unescaped(text)
    blank = _NO_SPEECH.sub(lambda match: match[0] if match[0].startswith("&") else " " * len(match[0]), text)
    for match in _TOKEN.finditer(blank):
        yield match[0].casefold(), places[match.start()] if places else match.start()


def _unescaped(text: str) -> tuple[str, list[int]]:
    r"""Resolve the escapes of JSON strings; the second value says where each character stood.

    >>> _unescaped(r"a\u00e9\nb")
    ('aé b', [0, 1, 7, 9])
    """
    out: list[str] = []
    places: list[int] = []
    done = 0
    for match in _ESCAPE.finditer(text):
        out.append(text[done : match.start()])
        places += range(done, match.start())
        code = match[0]
        out.append(chr(int(code[2:], 16)) if code[1] == "u" else code[1] if code[1] in '"\\/' else " ")
        places.append(match.start())
        done = match.end()
    out.append(text[done:])
    places += range(done, len(text))
    return "".join(out), places


def _in_order(words: Sequence[str], firsts: frozenset[int], tokens: Sequence[str]) -> list[int | None]:
    """Find each word of a talk among the words of its source: the first place that keeps the order.

    Both go forward together. Where they part, and where a cue begins (`firsts`), the nearest place is taken at which
    some words agree again.

    >>> _in_order("a b c d e".split(), frozenset({0, 2}), "x a b a b c d e".split())
    [3, 4, 5, 6, 7]
    """
    places: list[int | None] = [None] * len(words)
    i = j = 0
    while i < len(words) and j < len(tokens):
        if words[i] != tokens[j] or i in firsts:
            step = _resume(words, tokens, i, j)
            if step is None:
                i += 1
                continue
            i, j = i + step[0], step[1]
        places[i] = j
        i, j = i + 1, j + 1
    return places


def _resume(words: Sequence[str], tokens: Sequence[str], i: int, j: int) -> tuple[int, int] | None:
    """Return (words to leave out, place) of the nearest agreement from `words[i]` and `tokens[j]` on; None for none.

    Args:
        words: of the talk.
        tokens: the words of the source.
        i: the word for which a place is sought.
        j: the first place that may be taken.
    """
    for runs in (_NEAR, _FAR) if i else (_FAR, _NEAR):
        for skipped in range(12 if runs is _NEAR else 4):
            for size, ahead in runs:
                run = words[i + skipped : i + skipped + size]
                for place in range(j, min(len(tokens), j + ahead)):
                    if run and tokens[place] == run[0] and _agree(run, tokens, place):
                        return skipped, place
    return None


def _agree(run: Sequence[str], tokens: Sequence[str], place: int) -> bool:
    """Whether a run of words stands at a place, one word of the source between two of them allowed."""
    for word in run:
        if place < len(tokens) and tokens[place] == word:
            place += 1
        elif place + 1 < len(tokens) and tokens[place + 1] == word:
            place += 2
        else:
            return False
    return True


# --- widening -------------------------------------------------------------------------------------------------------


def _block_start(text: str, line: int) -> int:
    """Return where the cue block of a line begins: behind the blank line above it, if that is near.

    Else the line itself, with a line of only numbers above it.
    """
    above = line
    for _ in range(_BLOCK):
        if above == 0:
            break
        before = text.rfind("\n", 0, above - 1) + 1
        row = text[before : above - 1]
        if not row.strip("\r"):  # YouTube pads rows of a cue with a space
            return above
        if len(row) > _SHORT_LINE:
            break
        above = before
    before = text.rfind("\n", 0, max(line - 1, 0)) + 1
    row = text[before : max(line - 1, 0)]
    return before if row.strip() and not any(char.isalpha() for char in row) else line


def _objects(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a stretch of JSON to whole objects, and to whole lines where nothing else stands on them."""
    start = max(text.rfind("{", 0, start), 0)
    last = text.rfind("}", start, end)
    end = last + 1 if last >= 0 else end
    line = text.rfind("\n", 0, start) + 1
    return (line if not text[line:start].strip() else start), end
