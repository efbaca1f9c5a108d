"""A raw cue to its rows of words: tags, entities and word times become what they mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from talksearch.indexer.records import Cue
from talksearch.indexer.text.clock import clock_ms
from talksearch.indexer.text.counting import resolve_entities, words_in

Token = tuple[str, int | None]
"""A word as shown, and when it is said where the source times it."""

_TAG = re.compile(
    r"<!--(?:(?!<!--).)*?-->"
    r"|<(?P<time>(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})>|<v(?:\.[^\s<>]*)?(?:[ \t]+(?P<voice>[^<>]*))?>"
    r"|</?(?:c|v|lang|font|span|p|div)(?:[.\s][^<>]*)?/?>"
    # Bare words behind these are said: "if a <b and c> d".
    r"|</?(?:i|b|u|s|em|strong|ruby|big|small|sub|sup)(?:\.[^\s<>]*)?(?:\s+[\w:-]+\s*=[^<>]*)?\s*/?>"
    r"|(?P<rt><rt>.*?(?:</rt>|$))|(?P<br><br[ \t]*/?>)|(?P<ass>\{\\[^{}]*\})|\{[ibu]\}|\{/[ibu]\}",
    re.IGNORECASE | re.DOTALL,
)
_ANY_TAG = re.compile(r"<[^<>]*>")
_WORD_TIME = re.compile(r"<((?:\d+:)?\d{2}:\d{2}\.\d{3})>")
# U+00A0 and U+0085 are spaces, but also halves of letters in text whose encoding was misread; these stay until it is
# repaired (`tidy`).
_SPACE = re.compile(
    r"(?:[ \t\n\r\f\v\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|(?<![\xc2-\xf4\x80-\xbf])[\xa0\x85])+"
)
DEBRIS = re.compile(
    "\x1b\\[[0-9;?]*[A-Za-z]|"  # a terminal's colours
    "[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u206a-\u206f\ufeff\ufff9-\ufffb\u180e]"
)
"""Characters that are never seen, whatever encoding the text was in."""


# Never changed; frozen ones take three times as long to make, and there are two of them for every cue of an archive.
@dataclass(slots=True)
class Row:
    """One row of a cue as it is shown."""

    tokens: tuple[Token, ...]
    speaker: str | None = None
    named: bool = False
    """The row, or the part of it, begins with a voice tag."""
    key: tuple[str, ...] = ()
    """Its words without times: what rows are compared by."""


def row_of(tokens: Sequence[Token], speaker: str | None, named: bool = False) -> Row:
    """Make a row of its words."""
    return Row(tuple(tokens), speaker, named, tuple([text for text, _ in tokens]))


@lru_cache(maxsize=20_000)
def _untimed(word: str) -> Token:
    """Return a word without a time; most words come again, and then are the same text in the same pair.

    A pair of its own for each word of a talk takes twenty times the memory of what is said.
    """
    return word, None


@dataclass(slots=True)
class Shown:
    """A cue as it is shown: its rows that say something, and whether an empty one stands above them."""

    start_ms: int
    end_ms: int
    rows: tuple[Row, ...]
    top_empty: bool = False
    text_key: tuple[str, ...] = ()
    """All words of all rows."""
    turn: bool = False
    pause_after: bool = False


def has_debris(text: str) -> bool:
    """Say whether a text holds characters that nobody sees."""
    return not (text.isascii() and text.isprintable()) and DEBRIS.search(text) is not None


def says(text: str) -> bool:
    """Say whether a text holds anything to say: a letter, a figure, or a sign of scripts that begin at U+3000."""
    return any(char.isalnum() or ord(char) > 0x2FFF for char in text)


def show_plain(cue: Cue) -> Shown:
    """Cut a raw cue into its rows and their words, and take nothing for markup."""
    if cue.words:
        rows = [row_of([(token, word.start_ms) for word in cue.words for token in _words(word.text)], cue.speaker)]
        return _shown(cue, rows, top_empty=False)
    rows = []
    top_empty = False
    for line in cue.text.split("\n"):
        words = _words(line)
        if words:
            rows.append(row_of([_untimed(word) for word in words], cue.speaker))
        elif not rows:
            top_empty = True
    return _shown(cue, rows, top_empty)


def may_be_marked_up(cue: Cue) -> bool:
    """Say whether a raw cue holds a sign without which there is no markup."""
    return "<" in cue.text or "{" in cue.text or "&" in cue.text


def show(cue: Cue, counts: Counter[str]) -> Shown:
    """Take the markup of a raw cue apart: its rows, their words and times, and whose they are.

    `counts` is added to: `tags`, `comments` and `entities` taken out, and `words_left_out` of ruby. A cue that holds
    none is as `show_plain` has it.
    """
    text = cue.text
    rows: list[Row] = []
    top_empty = False
    tagged = ("<" in text or "{" in text) and _TAG.search(text) is not None
    if not tagged and "&" not in text:
        return show_plain(cue)
    if cue.words and not tagged:
        timed = [(_unescape(word.text, counts), word.start_ms) for word in cue.words]
        rows = [row_of([(token, ms) for text, ms in timed for token in _words(text)], cue.speaker)]
    else:
        voice = cue.speaker
        if "<br" in text.lower():
            counts["tags"] += sum(match["br"] is not None for match in _TAG.finditer(text))
            text = _TAG.sub(_line_break, text)
        for line in text.split("\n"):
            line_rows, voice = _marked_up(line, cue, voice, counts)
            if line_rows:
                rows += line_rows
            elif not rows:
                top_empty = True
    return _shown(cue, rows, top_empty)


def _shown(cue: Cue | Shown, rows: Sequence[Row], top_empty: bool) -> Shown:
    text_key = rows[0].key if len(rows) == 1 else tuple(token for row in rows for token in row.key)
    empty_above = top_empty and bool(rows)
    return Shown(cue.start_ms, cue.end_ms, tuple(rows), empty_above, text_key, cue.turn, cue.pause_after)


def without_invisible(cue: Shown, counts: Counter[str]) -> Shown:
    """Take characters out that nobody sees. `counts` is added to: `invisible`."""
    if not has_debris(" ".join(cue.text_key)):
        return cue
    rows: list[Row] = []
    top_empty = cue.top_empty
    for row in cue.rows:
        seen = [(DEBRIS.sub("", text), time) for text, time in row.tokens]
        counts["invisible"] += sum(map(len, row.key)) - sum(len(text) for text, _ in seen)
        tokens = [token for token in seen if token[0]]
        if tokens:
            rows.append(row_of(tokens, row.speaker, row.named))
        elif not rows:
            top_empty = True
    return _shown(cue, rows, top_empty)


def _line_break(match: re.Match[str]) -> str:
    return "\n" if match["br"] else match[0]


def _words(line: str) -> list[str]:
    if line.isascii() and line.isprintable():
        return line.split()
    return [token for token in _SPACE.split(line) if token]


def _unescape(text: str, counts: Counter[str]) -> str:
    """Resolve entities; `counts` is added to: `entities`."""
    if "&" not in text:
        return text
    text, entities = resolve_entities(text)
    counts["entities"] += entities
    return text


@dataclass(slots=True)
class _Words:
    """The words of a line, taken in piece by piece: a word that a tag cuts is put together again."""

    tokens: list[Token] = field(default_factory=list)
    open_end: bool = False
    """The last piece ended inside a word, unless a space follows."""

    def add(self, piece: str, time: int | None, counts: Counter[str]) -> None:
        """Take in what stands between two tags, and when its words are said; `counts` is added to: `entities`.

        Whether a word goes on behind a tag is decided by what is seen of the piece.
        """
        if "&" in piece:
            piece = _unescape(piece, counts)
        if not piece:
            return
        if piece.isascii() and piece.isprintable():  # as nearly all are, and there is one for every word of an archive
            words, seen = piece.split(), piece
        else:
            words, seen = _words(piece), DEBRIS.sub("", piece)
        if not words:
            self.open_end = False
            return
        if self.open_end and self.tokens and not seen[:1].isspace():
            last, last_time = self.tokens[-1]
            self.tokens[-1] = (last + words[0], last_time)
            words = words[1:]
        for word in words:
            self.tokens.append((word, time))
        if seen:
            self.open_end = not seen[-1].isspace()


def _marked_up(line: str, cue: Cue, voice: str | None, counts: Counter[str]) -> tuple[list[Row], str | None]:
    """Return the rows of one line with tags, and whose voice is the last: rows are several where it changes inside."""
    plain = line.replace("<c>", "").replace("</c>", "")
    pieces = _WORD_TIME.split(plain)
    if len(pieces) > 1 and "<" not in "".join(pieces[::2]) and "{" not in plain:
        counts["tags"] += len(pieces) // 2
        tokens = _word_timed(pieces, cue, counts)
        return ([row_of(tokens, voice)] if tokens else []), voice
    rows: list[Row] = []
    words = _Words()
    time: int | None = None
    named = False
    done = 0
    for match in _TAG.finditer(line):
        words.add(line[done : match.start()], time, counts)
        done = match.end()
        if match["time"]:
            time = clock_ms(match["time"])
        elif match["voice"] is not None:
            if words.tokens:
                rows.append(row_of(words.tokens, voice, named))
                words = _Words()
            voice, named = _voice(match["voice"], counts) or voice, True
        elif match["rt"]:  # how the word before is read, for those who cannot read its signs: nobody says it twice
            counts["words_left_out"] += len(words_in(_ANY_TAG.sub("", match["rt"])))
        counts["comments" if match[0].startswith("<!--") else "tags"] += 1
    words.add(line[done:], time, counts)
    if words.tokens:
        rows.append(row_of(words.tokens, voice, named))
    return (rows if time is None else [_timed(row, cue) for row in rows]), voice


def _word_timed(pieces: Sequence[str], cue: Cue, counts: Counter[str]) -> list[Token]:
    """Return the words of a line as YouTube writes it: texts with times between."""
    words = _Words()
    time_ms = cue.start_ms
    words.add(pieces[0], time_ms, counts)
    for clock, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        time_ms = max(time_ms, min(clock_ms(clock), cue.end_ms))
        words.add(piece, time_ms, counts)
    return words.tokens


def _voice(name: str, counts: Counter[str]) -> str | None:
    return DEBRIS.sub("", " ".join(_words(_unescape(name, counts)))) or None


def _timed(row: Row, cue: Cue) -> Row:
    """Give every token of a row with word times one: those before the first tag begin with the cue."""
    tokens: list[Token] = []
    last = cue.start_ms
    for text, time in row.tokens:
        if time is not None:
            last = min(max(last, time), max(cue.end_ms, last))
        tokens.append((text, last))
    return Row(tuple(tokens), row.speaker, row.named, row.key)
