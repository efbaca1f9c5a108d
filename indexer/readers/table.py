"""Tables whose header names the columns: CSV and TSV with a start and a text, and often an end and a speaker."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Step, Transcript

from . import whisper_tsv
from .cue_times import RawCue, mend
from .finish import finish
from .frames import frames_ms, is_frames, rate_of
from .json_values import milliseconds, string
from .segments import put_after, speaker_of, start_after, times_of, unit_of
from .source_text import SourceText

_COLUMNS = {
    "start": "start begin from in startat timestart timein starttime starttimestamp begintime timestamp time timecode"
    " offset ts t0 starttimecode timecodestart timecodein starttc tcin intime inpoint startzeit"
    " beginn inicio tiempoinicial debut inizio",
    "end": "end to out stop endat timeend timeout endtime endtimestamp stoptime t1 endtimecode timecodeend timecodeout"
    " endtc tcout outtime outpoint endzeit ende fin tiempofinal fine",
    "duration": "duration dur length",
    "speaker": "speaker speakername speakerlabel speakerid name who voice participant sprecher sprecherin"
    " locuteur hablante orador",
    "text": "text transcript transcription body content caption subtitle sentence utterance dialogue speech texte texto"
    " testo untertitel",
    "rate": "framerate fps framespersecond timebase",
    "talk": "videoid youtubeid talkid talk video episodeid episode filename file source",
}
"""What columns are called, without spaces and signs; of two for one thing the one counts that stands first here."""
_ROLES = {name: role for role, names in _COLUMNS.items() for name in names.split()}
_TIMES = ("start", "end", "duration")
_UNITS = {"ms": "_ms", "msec": "_ms", "milliseconds": "_ms", "millis": "_ms", "s": "s", "sec": "s", "secs": "s",
          "seconds": "s"}  # fmt: skip
_SWALLOWED = re.compile(r"\n[ \t]*\"?[\d:.]+\"?[,;\t]\"?[\d:.]+")
"""A row inside a cell: a quotation mark that nobody closed."""
_COLON_MS = re.compile(r"(\d:\d\d:\d\d):(\d{3})(?!\d)")
_HALF_DAY = re.compile(r"(\d{1,2})(:\d\d)(:\d\d(?:[.,]\d{1,9})?)?[ \t\u202f]?([AaPp])\.?[Mm]\.?(?![^\W\d_])")
_FROM_TO = re.compile(r"(\d[\d:;.,]*)\s*(?:-+>?|[–—→]|to)\s*(\d[\d:;.,]*)")
_LONGEST_HEADER = 1_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the header of a table says."""

    delimiter: str
    keys: tuple[str, ...]
    """The key of each column, as `segments` knows them; empty for a column of no use."""


_RULE = re.compile(r"[ \t]*(?::?-+:?[ \t]*)?")
"""A cell of the line below the header of a table in Markdown."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a table, as objects with the keys of the columns, and what had to be done to read their times."""

    rows: list[dict[str, Any]]
    """Under `row` stands the number of the last line of each."""
    steps: tuple[Step, ...] = ()


def matches(source: SourceText) -> bool:
    """Say whether the first line names a start and a text, and most rows that hold a text have a time.

    Whisper's own table is read by `whisper_tsv`, which knows that its times are milliseconds.
    """
    if whisper_tsv.is_whispers(source) or _columns(source) is None:
        return False
    rows = source.once(_table).rows
    timed = [times_of(row)[0] is not None for row in rows if string(row.get("text"))]
    return sum(timed) * 2 > len(timed)


def read(source: SourceText) -> Transcript:
    """Read a table that `matches`.

    Raises:
        UnreadableError: no cues, times that cannot be, or rows that are longer than the header.
    """
    table = source.once_more(_table)
    rows = table.rows
    if len({row["talk"] for row in rows if "talk" in row}) > 1:
        raise UnreadableError("The rows of this table belong to several talks.", "Write one file for each talk.")
    entries = [(words, row) for row in rows if (words := string(row.get("text")))]
    per_unit, steps = unit_of(entries)
    raw: list[RawCue] = []
    untimed = 0
    for words, row in entries:
        start, end = times_of(row, per_unit)
        if start is None:
            untimed += 1
            start = start_after(raw)
        raw.append(RawCue(start, end, words, row["row"], speaker=speaker_of(row)))
    return finish(mend(raw, "table"), Transcript("table", (), steps=(*table.steps, *steps)), put_after(untimed, "rows"))


def _columns(source: SourceText) -> _Columns | None:
    """Read the header; None where it does not name a start and a text."""
    header = source.stripped.split("\n", 1)[0]
    if len(header) > _LONGEST_HEADER:
        return None
    for delimiter in "\t,;|":
        cells = [cell.strip().strip('"').strip() for cell in header.split(delimiter)]
        named = [(_key(cell), cell) for cell in cells]
        keys = tuple(key if key == "text" or (key, cell) == _first_of(key, named) else "" for key, cell in named)
        if {"start", "start_ms"} & set(keys) and keys.count("text") == 1:
            return _Columns(delimiter, keys)
    return None


def _first_of(key: str, named: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the column of those with a key whose name comes first in `_COLUMNS`."""

    def rank(column: tuple[str, str]) -> int:
        names = _COLUMNS.get(key.removesuffix("_ms"), "").split()
        name = "".join(_words(column[1]))
        return names.index(name) if name in names else len(names)

    return min((column for column in named if column[0] == key), key=rank)


def _words(name: str) -> list[str]:
    plain = name if name.isascii() else "".join(c for c in unicodedata.normalize("NFD", name) if c.isascii())
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower())


def _key(name: str) -> str:
    """Return the key of a column: `Start (ms)` is `start_ms`, `Start time` is `start`.

    >>> [_key(name) for name in ("Start (ms)", "end_time", "startMs", "Speaker Name", "Text", "id", "duration_s")]
    ['start_ms', 'end', 'start_ms', 'speaker', 'text', '', 'duration']
    """
    words = _words(name)
    unit = _UNITS.get(words[-1], "") if len(words) > 1 else ""
    role = _ROLES.get("".join(words[:-1] if unit else words), "")
    return f"{role}_ms" if unit == "_ms" and role in ("start", "end", "duration") else role


def _table(source: SourceText) -> _Table:
    """Read the rows, with times that count frames as seconds, and ranges of times as two. Raises as `_rows` does."""
    rows = _rows(source)
    for row in rows:
        row |= {key: _HALF_DAY.sub(_of_day, _COLON_MS.sub(r"\1.\2", row[key])) for key in _TIMES if key in row}
        if "end" not in row and (both := _FROM_TO.fullmatch(str(row.get("start", "")))):
            row["start"], row["end"] = both[1], both[2]
    frames = [row[key] for row in rows for key in _TIMES if key in row and is_frames(row[key])]
    if len(frames) * 2 <= sum("start" in row for row in rows):
        return _Table(rows)
    rate = rate_of(frames, next((row["rate"] for row in rows if "rate" in row), None))
    for row in rows:
        for key in _TIMES:
            if key in row and (ms := frames_ms(row[key], rate)) is not None:
                row[key] = f"{ms / 1000:.3f}s"
    detail = {"frames_per_second": rate.per_second, "from": "the file" if rate.said else "the largest number"}
    return _Table(rows, (Step("read-frames", "cues", detail),))


def _of_day(match: re.Match[str]) -> str:
    """Write `2:23 PM` as `14:23:00`; as it stands where that is no time of day."""
    hours = int(match[1])
    if not 0 < hours < 13:
        return match[0]
    return f"{hours % 12 + 12 * (match[4] in 'Pp')}{match[2]}{match[3] or ':00'}"


def _rows(source: SourceText) -> list[dict[str, Any]]:
    """Return the rows as objects with the keys of the columns, and under `row` the number of their last line.

    Raises UnreadableError where there is no header, or a row is longer than it.
    """
    columns = _columns(source)
    if columns is None:
        raise UnreadableError("The first line names no columns with a start and a text.", "Nothing to index.")
    delimiter, keys = columns.delimiter, columns.keys
    numbered = _cells(source.stripped, delimiter, delimiter != "\t")
    text_column = keys.index("text")
    if delimiter != "\t" and any(
        len(cells) > text_column and _SWALLOWED.search(cells[text_column]) for _, cells in numbered
    ):
        numbered = _cells(source.stripped, delimiter, False)
    rows: list[dict[str, Any]] = []
    for number, cells in numbered[1:]:
        if len(cells) > len(keys) and any(cell.strip() for cell in cells[len(keys) :]):
            if text_column != len(keys) - 1:
                raise UnreadableError(
                    f"Line {number} of the table has more columns than its header.",
                    "Put the texts in quotation marks, or their column last.",
                )
            # A text with commas that nobody quoted.
            cells = [*cells[:text_column], delimiter.join(cells[text_column:])]
        row: dict[str, Any] = {
            key: cell.strip() for key, cell in zip(keys, cells, strict=False) if key and cell.strip()
        }
        if not row or all(_RULE.fullmatch(cell) for cell in cells):
            continue
        if len(cells) == 1 and rows and milliseconds(cells[0].strip()) is None:  # a line break inside a text
            rows[-1]["text"] = f"{rows[-1].get('text', '')}\n{cells[0].strip()}"
            continue
        rows.append({**row, "row": number})
    return rows


def _cells(text: str, delimiter: str, quoted: bool) -> list[tuple[int, list[str]]]:
    """Cut a table into rows of cells, each with the number of its last line. Raises UnreadableError."""
    reader = csv.reader(
        text.splitlines(keepends=True),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    rows = []
    try:
        for cells in reader:
            if not quoted:
                cells = [
                    cell[1:-1].replace('""', '"')
                    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")
                    else cell
                    for cell in (cell.strip() for cell in cells)
                ]
            rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise UnreadableError(f"The table is broken at line {reader.line_num}: {error}.", "Export it again.") from error
    return rows
