"""Subtitles of players: SubStation Alpha (`.ass`, `.ssa`) and MicroDVD (`.sub`) through pysubs2, and SAMI (`.smi`).

pysubs2 ends at the first line that it does not understand and says nothing of lines, so it is given the cues alone,
one a line, and never the styles: a broken colour costs no words. SAMI is read here, because pysubs2 joins the languages
of a cue without a space, loses the last cue of a file that was cut off, and guesses ends that the file tells.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Step, Transcript
from talksearch.indexer.text.counting import words_in
from talksearch.indexer.text.damaged_clock import plain_signs, read_damaged_clock, says_no_time

from .ass_karaoke import is_sung, marked_rows, stands_again, sung_rows
from .caption_tracks import origin_by_name
from .cue_blocks import Block, with_starts
from .cue_times import LONGEST_MS, RawCue, mend
from .finish import finish
from .segments import put_after
from .source_text import SourceText

if TYPE_CHECKING:
    from pysubs2 import SSAEvent

_ASS = re.compile(
    r"(?:`{3}[a-z+]*[ \t]*\n\s*)?(?:[;!][^\n]*\n\s*)*"
    r"(?:\[(?:Script Info|V4\+{0,2} Styles|Events|Aegisub[\w ]*)\][ \t]*$|Dialogue:[^,\n]*,[ \t]*-?\d+:\d)",
    re.IGNORECASE | re.MULTILINE,
)
_SPOKEN = re.compile(r"^[ \t]*Dialogue:", re.IGNORECASE | re.MULTILINE)
_DIALOGUE = re.compile(r"[ \t]*Dialogue:[ \t]*(.*)", re.IGNORECASE)
_FORMAT = re.compile(r"[ \t]*Format:[ \t]*(.*\bText\b.*)", re.IGNORECASE)
_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_ASS_TIME = re.compile(r"-?\d{1,2}:(?:\d{1,2}:\d{1,2}[.,]\d{1,3}|\d\d:\d\d)")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?=\{[^{}]*\\p0[^{}]*\}|$)", re.DOTALL)
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_COMMA_IN_TIME = re.compile(r"(?<=\d:\d\d:\d\d),(?=\d{1,3}[ \t]*,)")
"""A comma for the point of a time, which parts the fields as well."""
_NO_NAMES = frozenset(("default", "ntp", "text", "sign", "signs", "song", "comment"))

_SAMI = re.compile(r"(?:<!--.*?-->\s*)?<SAMI\b", re.IGNORECASE | re.DOTALL)
_SYNC = re.compile(r"<SYNC\b([^<>]*)>", re.IGNORECASE)
_START = re.compile(r"\bStart\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]*))", re.IGNORECASE)
_MILLISECONDS = re.compile(r"(-?\d{1,9})(?:\.\d+)?\s*(?:ms)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d{1,3}(?:[,. ]\d{3})+")
_CLASS = re.compile(r"<P\b[^<>]*?\bClass\s*=\s*[\"']?([\w-]+)[^<>]*>", re.IGNORECASE)
_NAMED_CLASS = re.compile(r"\.([\w-]+)\s*\{[^{}]*?\blang\s*:\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)", re.IGNORECASE)
_BR = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_NOT_SAID = re.compile(r"<!--[^<]*?-->|</?(?:P|SYNC|BODY|SAMI)\b[^<>]*>|<[^<>]*\Z", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")

_FRAME = r"[ \t]*([^{}\[\]\n]{0,20}?)[ \t]*"
_MICRODVD = re.compile(rf"[ \t]*[{{\[]{_FRAME}[}}\]][ \t]*[{{\[]{_FRAME}[}}\]](.*)")
_COUNT = re.compile(r"-?\d{1,8}(?:\.\d{1,9})?")
_MICRODVD_HEAD = re.compile(
    r"\{[ \t]*(?:\d{1,8}[ \t]*\}[ \t]*\{[ \t]*\d{0,8}[ \t]*\}|DEFAULT\}[ \t]*\{)", re.IGNORECASE
)
_BRACES = str.maketrans("｛｝［］", "{}[]")
_RATE = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*(?:fps)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Line:
    """A cue as it is given to pysubs2, and where it stood."""

    text: str
    line: int
    ends: bool = True


def matches_ass(source: SourceText) -> bool:
    """Say whether a file begins like SubStation Alpha and holds dialogue.

    >>> matches_ass(SourceText("[Events]\\nDialogue: 0")), matches_ass(SourceText("[Events]"))
    (True, False)
    """
    text = source.stripped
    return text[0] in "[;!D`" and _ASS.match(text) is not None and _SPOKEN.search(text) is not None


def matches_sami(source: SourceText) -> bool:
    """Say whether a file begins like SAMI."""
    return source.stripped[0] == "<" and _SAMI.match(source.stripped) is not None


def matches_microdvd(source: SourceText) -> bool:
    """Say whether a file begins like MicroDVD. Raises UnreadableError where it does not say how long a frame lasts.

    >>> matches_microdvd(SourceText("{1}{1}25.000")), matches_microdvd(SourceText('{"a": 1}'))
    (True, False)
    """
    if source.stripped[0] != "{" or not _MICRODVD_HEAD.match(source.stripped):
        return False
    _frame_rate(source.stripped)  # without it there are no times
    return True


def read_ass(source: SourceText) -> Transcript:
    """Read SubStation Alpha.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    steps: list[Step] = []
    notes: list[str] = []
    raw = _dialogue(source.text, steps, notes)
    known = Transcript("ass", (), origin=origin_by_name(source), steps=tuple(steps), uncertain=tuple(notes))
    return finish(mend(raw, "SubStation file"), known)


def read_sami(source: SourceText) -> Transcript:
    """Read SAMI; of several languages the one that the name of the file tells. Raises as `read_ass` does."""
    notes: list[str] = []
    raw, language = _synchronized(source, notes)
    known = Transcript("sami", (), origin=origin_by_name(source), language=language, uncertain=tuple(notes))
    return finish(mend(raw, "SAMI file"), known)


def read_microdvd(source: SourceText) -> Transcript:
    """Read MicroDVD. Raises as `read_ass` does, and where nothing says how many frames pass in a second."""
    notes: list[str] = []
    raw = _frames(source.text, notes)
    known = Transcript("microdvd", (), origin=origin_by_name(source), uncertain=tuple(notes))
    return finish(mend(raw, "MicroDVD file"), known)


def words_in_ass(source: SourceText) -> int:
    """Count the words of dialogue, about; formatting among them counts too."""
    rows = (row for row in source.text.splitlines() if row.startswith("Dialogue:"))
    return sum(len(row.split(",", len(_FIELDS) - 1)[-1].split()) for row in rows)


def _events(lines: Sequence[str], form: str, fps: float | None = None) -> list[SSAEvent]:
    from pysubs2 import SSAFile  # 20 ms, which every other command would pay

    return list(SSAFile.from_string("\n".join(lines), format_=form, fps=fps))


# --- SubStation Alpha -----------------------------------------------------------------------------------------------


def _dialogue(text: str, steps: list[Step], notes: list[str]) -> list[RawCue]:
    """Read the dialogue; comments, drawings, overrides in braces and second copies of a line for effects are left out.

    Lines stand in any order (by style, by translator), so they are sorted.
    """
    lines: list[_Line] = []
    behind = "0:00:00.00"
    broken = drawings = drawn = 0
    order: Sequence[str] = _FIELDS
    for number, row in enumerate(text.split("\n"), 1):
        if match := _FORMAT.match(row):
            named = [field.strip().lower() for field in match[1].split(",")]
            order = named if {"start", "end"} <= set(named) and named[-1] == "text" else order
        elif match := _DIALOGUE.match(row):
            row = _COMMA_IN_TIME.sub(".", match[1], count=2)
            fields = dict(zip(order, row.split(",", len(order) - 1), strict=False))
            if "text" not in fields:
                continue
            start, end = (_ass_time(fields[key]) for key in ("start", "end"))
            if not _ASS_TIME.fullmatch(start):
                broken += 1
                start = end = behind
            ends = _ASS_TIME.fullmatch(end) is not None and start != end
            behind = end if ends else start
            spoken = _DRAWING.sub("", fields["text"])
            if len(spoken) < len(fields["text"]):
                drawings += 1
                drawn += len(words_in(_OVERRIDE.sub("", fields["text"]))) - len(words_in(_OVERRIDE.sub("", spoken)))
            given = (start, behind, "", fields.get("name", "").strip(), "0", "0", "0", "", spoken)
            lines.append(_Line(f"Dialogue: 0,{','.join(given)}", number, ends))
    notes += put_after(broken, "lines of dialogue")
    raw = []
    seen: set[tuple[int, int, str]] = set()
    copies = words = 0
    events = _events([line.text for line in lines], "ass")
    plain = [(event.start, _rows(_without_overrides(event.text))) for event in events]
    for place, (line, event) in enumerate(zip(lines, events, strict=True)):
        spoken_text = plain[place][1]
        key = (event.start, event.end, spoken_text)
        if key in seen and spoken_text:
            copies += 1
            words += len(spoken_text.split())
        if spoken_text and key not in seen:
            end_ms = event.end if line.ends else None
            if is_sung(event.text):
                spoken_text = sung_rows(event.text, event.start)
            elif "{" in event.text and stands_again(plain, place):
                spoken_text = marked_rows(event.text)
            raw.append(RawCue(event.start, end_ms, spoken_text, line.line, _speaker(event.name)))
        seen.add(key)
    if copies:
        steps.append(Step("drop-copies", "cues", {"cues": copies, "words_folded": words}))
    if drawings:
        steps.append(Step("leave-out-drawings", "cues", {"cues": drawings, "words_left_out": drawn}))
    return sorted(raw, key=lambda cue: cue.start_ms)


def _ass_time(text: str) -> str:
    """Return a time as pysubs2 reads it, of a damaged one what is certain; anything else as it stands."""
    text = text.strip()
    if _ASS_TIME.fullmatch(text):
        return text
    ms = read_damaged_clock(plain_signs(text))
    if ms is None or not 0 <= ms < 100 * 3_600_000:
        return text
    return f"{ms // 3_600_000}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms // 10 % 100:02d}"


def _speaker(name: str) -> str | None:
    name = " ".join(name.split())
    return name if any(char.isalpha() for char in name) and name.lower() not in _NO_NAMES else None


# --- SAMI -----------------------------------------------------------------------------------------------------------


def _synchronized(source: SourceText, notes: list[str]) -> tuple[list[RawCue], str | None]:
    """Return the cues of one class, which in SAMI is a language, and that language.

    A cue lasts until the next `<SYNC>`.
    """
    text = source.text
    heads = list(_SYNC.finditer(text))
    styles = text[: heads[0].start()] if heads else ""
    languages = {match[1].lower(): match[2] for match in _NAMED_CLASS.finditer(styles)}
    bodies = [
        text[head.end() : following.start() if following else len(text)]
        for head, following in zip(heads, [*heads[1:], None], strict=False)
    ]
    counts = Counter(match[1].lower() for body in bodies for match in _CLASS.finditer(body))
    tags = source.name.lower().split(".")
    names = {style: languages.get(style, style) for style in counts}

    def preference(style: str) -> tuple[bool, int]:
        return bool({names[style].lower(), names[style][:2].lower()} & set(tags)), counts[style]

    wanted = max(counts, key=preference, default=None)  # what the file's name says, else what has most cues
    if wanted and len(counts) > 1:
        others = ", ".join(names[style] for style in counts if style != wanted)
        notes.append(f"The file holds captions in several languages; {names[wanted]} was read, not {others}.")
    blocks: list[Block] = []
    done = number = 0
    for head, body in zip(heads, bodies, strict=True):
        number += text.count("\n", done, head.start())
        done = head.start()
        speech = _of_class(body, wanted)
        if speech is not None:
            blocks.append(Block(_start_of(head[1]), None, speech, number + 1))
    notes += put_after(sum(block.start_ms is None and bool(block.text) for block in blocks), "cues")
    return _until_next(with_starts(blocks)), languages.get(wanted or "")


def _start_of(attributes: str) -> int | None:
    """Return the start that a `<SYNC>` tells, in milliseconds; None where it tells none.

    >>> [_start_of(text) for text in (" Start=1000", ' start="1,500ms"', " Start=0:00:03.5", " Start=NaN")]
    [1000, 1500, 3500, None]
    """
    match = _START.search(attributes)
    text = plain_signs(match[1] or match[2] or match[3] or "").strip() if match else ""
    thousands = _THOUSANDS.match(text)
    if thousands and (thousands[0].count(",") or thousands[0].count(" ") or thousands[0].count(".") > 1):
        text = re.sub("[,. ]", "", thousands[0])
    if ms := _MILLISECONDS.fullmatch(text):
        return int(ms[1])
    return read_damaged_clock(text)


def _until_next(raw: list[RawCue]) -> list[RawCue]:
    """End every cue where the next of its class begins; an empty one only clears the screen."""
    return [
        replace(cue, end_ms=following.start_ms if following else None)
        for cue, following in zip(raw, [*raw[1:], None], strict=False)
    ]


def _of_class(body: str, wanted: str | None) -> str | None:
    """Return what a stretch says in a class; None where it is of others. What stands before the first is of all."""
    parts = list(_CLASS.finditer(body))
    if not parts:
        return _plain(body)
    speech = [
        body[part.end() : following.start() if following else len(body)]
        for part, following in zip(parts, [*parts[1:], None], strict=True)
        if part[1].lower() == wanted
    ]
    return "\n".join(filter(None, map(_plain, [body[: parts[0].start()], *speech]))) if speech else None


def _plain(body: str) -> str:
    """Keep the words and the rows of a stretch of SAMI; a line break of its source is a space, as in HTML."""
    body = _NOT_SAID.sub(" ", body)
    rows = (html.unescape(_TAG.sub("", row)).replace("\xa0", " ") for row in _BR.split(body))
    return "\n".join(" ".join(row.split()) for row in rows if row.strip())


# --- MicroDVD -------------------------------------------------------------------------------------------------------


def _frame_rate(text: str) -> float:
    """Return how many frames pass in a second, as the first cue tells: `{1}{1}25.000`.

    Raises UnreadableError where it does not.
    """
    for row in text.split("\n"):
        match = _MICRODVD.match(row)
        if not match:
            continue
        rate = _RATE.fullmatch(match[3])
        if rate and match[1] in ("0", "1") and match[2] in ("0", "1", ""):
            frames = float(rate[1].replace(",", "."))
            if 5 <= frames <= 240:
                return frames
        break
    raise UnreadableError(
        "The file counts frames (MicroDVD) and does not say how many pass in a second.",
        "Put the recording's frame rate above its first line, such as {1}{1}25.000, or export the captions as SRT.",
    )


def _frames(text: str, notes: list[str]) -> list[RawCue]:
    """Read the cues. One whose first frame is no number is put behind the one before it."""
    rate = _frame_rate(text)
    lines: list[_Line] = []
    behind = unknown = 0
    for number, row in enumerate(text.split("\n"), 1):
        match = _MICRODVD.match(plain_signs(row).translate(_BRACES))
        first, last = (_frame(match[1]), _frame(match[2])) if match else (None, None)
        if match and (first is not None or says_no_time(match[1]) or not match[1]):
            unknown += first is None
            start = behind if first is None else first
            ends = last is not None and last >= start
            behind = last if last is not None and ends else start
            lines.append(_Line(f"{{{start}}}{{{behind}}}{_behind_frames(row)} ", number, ends))
        elif row.strip() and len(lines) > 1:
            lines[-1] = replace(lines[-1], text=f"{lines[-1].text}|{row.strip()}")
        elif row.strip():
            unknown += 1
            lines.append(_Line(f"{{{behind}}}{{{behind}}}{row.strip()} ", number, False))
    notes += put_after(unknown, "cues")
    events = _events([line.text for line in lines[1:]], "microdvd", rate)
    return [
        RawCue(
            min(event.start, LONGEST_MS),
            event.end if line.ends else None,
            _rows(_without_overrides(event.text)),
            line.line,
        )
        for line, event in zip(lines[1:], events, strict=True)
    ]


def _without_overrides(text: str) -> str:
    """Return the text of an event on its lines, in linear time, which pysubs2's `plaintext` does not take."""
    return _OVERRIDE.sub("", text).replace(r"\h", " ").replace(r"\n", "\n").replace(r"\N", "\n")


def _frame(text: str) -> int | None:
    """Return the number of a frame, never below zero; None where it is none.

    >>> [_frame(text) for text in ("25", "112.5", "1,025", "-5", "NaN", "")]
    [25, 112, 1025, 0, None, None]
    """
    text = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    return max(0, int(float(text))) if _COUNT.fullmatch(text) else None


def _behind_frames(row: str) -> str:
    """Return the text of a row, as it stands, behind the two frames."""
    at = -1
    for _ in range(2):
        at = min(i for i in (row.find(sign, at + 1) for sign in "}]｝］") if i >= 0)
    return row[at + 1 :]


def _rows(text: str) -> str:
    return "\n".join(row.strip() for row in text.split("\n") if row.strip())
