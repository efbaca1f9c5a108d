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

from .cue_times import LONGEST_MS, RawCue, mend
from .segments import put_after
from .vtt import count_words, origin_of

if TYPE_CHECKING:
    from pysubs2 import SSAEvent

_ASS = re.compile(
    r"(?:[;!][^\n]*\n\s*)*"
    r"(?:\[(?:Script Info|V4\+{0,2} Styles|Events|Aegisub[\w ]*)\][ \t]*$|Dialogue:[^,\n]*,[ \t]*-?\d+:\d)",
    re.IGNORECASE | re.MULTILINE,
)
_SPOKEN = re.compile(r"^[ \t]*Dialogue:", re.IGNORECASE | re.MULTILINE)
_DIALOGUE = re.compile(r"[ \t]*Dialogue:[ \t]*(.*)", re.IGNORECASE)
_FORMAT = re.compile(r"[ \t]*Format:[ \t]*(.*\bText\b.*)", re.IGNORECASE)
_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_ASS_TIME = re.compile(r"-?\d{1,2}:(?:\d{1,2}:\d{1,2}[.,]\d{1,3}|\d\d:\d\d)")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?=\{[^{}]*\\p0[^{}]*\}|$)", re.DOTALL)
_NO_NAMES = frozenset(("default", "ntp", "text", "sign", "signs", "song", "comment"))

_SAMI = re.compile(r"(?:<!--.*?-->\s*)?<SAMI\b", re.IGNORECASE | re.DOTALL)
_SYNC = re.compile(r"<SYNC\b[^<>]*?\bStart\s*=\s*[\"']?\s*(-?\d{1,9})(?:ms)?\b[^<>]*>", re.IGNORECASE)
_CLASS = re.compile(r"<P\b[^<>]*?\bClass\s*=\s*[\"']?([\w-]+)[^<>]*>", re.IGNORECASE)
_NAMED_CLASS = re.compile(r"\.([\w-]+)\s*\{[^{}]*?\blang\s*:\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)", re.IGNORECASE)
_BR = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_NOT_SAID = re.compile(r"<!--[^<]*?-->|</?(?:P|SYNC|BODY|SAMI)\b[^<>]*>|<[^<>]*\Z", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")

_MICRODVD = re.compile(r"[ \t]*\{[ \t]*(\d{1,8})[ \t]*\}[ \t]*\{[ \t]*(\d{1,8})?[ \t]*\}(.*)")
_MICRODVD_HEAD = re.compile(
    r"\{[ \t]*(?:\d{1,8}[ \t]*\}[ \t]*\{[ \t]*\d{0,8}[ \t]*\}|DEFAULT\}[ \t]*\{)", re.IGNORECASE
)
_RATE = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*(?:fps)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Line:
    """A cue as it is given to pysubs2, and where it stood."""

    text: str
    line: int
    ends: bool = True


def format_of(head: str) -> str | None:
    """Tell which of `ass`, `sami` and `microdvd` a text is by how it begins; None for none of them.

    >>> format_of("[Events]\\nDialogue: 0"), format_of("<SAMI>"), format_of("{1}{1}25.000"), format_of('{"a": 1}')
    ('ass', 'sami', 'microdvd', None)
    """
    if head[0] == "{":
        return "microdvd" if _MICRODVD_HEAD.match(head) else None
    if head[0] == "<":
        return "sami" if _SAMI.match(head) else None
    return "ass" if head[0] in "[;!D" and _ASS.match(head) and _SPOKEN.search(head) else None


def read(text: str, name: str, form: str) -> Transcript:
    """Read one of the formats that `format_of` tells.

    Raises:
        UnreadableError: no cues, times that cannot be, or frames of which nobody says how many pass in a second.
    """
    notes: list[str] = []
    steps: list[Step] = []
    language: str | None = None
    if form == "ass":
        raw = _read_ass(text, steps, notes)
    elif form == "sami":
        raw, language = _read_sami(text, name, notes)
    else:
        raw = _read_microdvd(text)
    mended = mend(raw, {"ass": "SubStation file", "sami": "SAMI file", "microdvd": "MicroDVD file"}[form])
    return Transcript(
        format=form,
        cues=mended.cues,
        timed=mended.timed,
        origin=origin_of("", name),
        language=language,
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=(*steps, *mended.steps),
        uncertain=(*notes, *mended.uncertain),
    )


def _events(lines: Sequence[str], form: str, fps: float | None = None) -> list[SSAEvent]:
    from pysubs2 import SSAFile  # 20 ms, which every other command would pay

    return list(SSAFile.from_string("\n".join(lines), format_=form, fps=fps))


# --- SubStation Alpha -----------------------------------------------------------------------------------------------


def _read_ass(text: str, steps: list[Step], notes: list[str]) -> list[RawCue]:
    """Read the dialogue; comments, drawings, overrides in braces and second copies of a line for effects are left out.

    Lines stand in any order (by style, by translator), so they are sorted.
    """
    lines: list[_Line] = []
    behind = "0:00:00.00"
    broken = 0
    order: Sequence[str] = _FIELDS
    for number, row in enumerate(text.split("\n"), 1):
        if match := _FORMAT.match(row):
            named = [field.strip().lower() for field in match[1].split(",")]
            order = named if {"start", "end"} <= set(named) and named[-1] == "text" else order
        elif match := _DIALOGUE.match(row):
            fields = dict(zip(order, match[1].split(",", len(order) - 1), strict=False))
            if "text" not in fields:
                continue
            start, end = (fields[key].strip() for key in ("start", "end"))
            if not _ASS_TIME.fullmatch(start):
                broken += 1
                start = end = behind
            ends = _ASS_TIME.fullmatch(end) is not None and start != end
            behind = end if ends else start
            spoken = _DRAWING.sub("", fields["text"])
            given = (start, behind, "", fields.get("name", "").strip(), "0", "0", "0", "", spoken)
            lines.append(_Line(f"Dialogue: 0,{','.join(given)}", number, ends))
    notes += put_after(broken, "lines of dialogue")
    raw = []
    seen: set[tuple[int, int, str]] = set()
    copies = 0
    for line, event in zip(lines, _events([line.text for line in lines], "ass"), strict=True):
        said = "\n".join(part.strip() for part in event.plaintext.split("\n") if part.strip())
        key = (event.start, event.end, said)
        copies += key in seen and bool(said)
        if said and key not in seen:
            end_ms = event.end if line.ends else None
            raw.append(RawCue(event.start, end_ms, said, line.line, _speaker(event.name)))
        seen.add(key)
    if copies:
        steps.append(Step("drop-copies", "cues", {"cues": copies}))
    return sorted(raw, key=lambda cue: cue.start_ms)


def _speaker(name: str) -> str | None:
    name = " ".join(name.split())
    return name if any(char.isalpha() for char in name) and name.lower() not in _NO_NAMES else None


# --- SAMI -----------------------------------------------------------------------------------------------------------


def _read_sami(text: str, name: str, notes: list[str]) -> tuple[list[RawCue], str | None]:
    """Read the cues of one class, which in SAMI is a language; a cue lasts until the next `<SYNC>`."""
    heads = list(_SYNC.finditer(text))
    styles = text[: heads[0].start()] if heads else ""
    languages = {match[1].lower(): match[2] for match in _NAMED_CLASS.finditer(styles)}
    bodies = [
        text[head.end() : following.start() if following else len(text)]
        for head, following in zip(heads, [*heads[1:], None], strict=False)
    ]
    counts = Counter(match[1].lower() for body in bodies for match in _CLASS.finditer(body))
    tags = name.lower().split(".")
    named = {one: languages.get(one, one) for one in counts}

    def worth(one: str) -> tuple[bool, int]:
        return bool({named[one].lower(), named[one][:2].lower()} & set(tags)), counts[one]

    wanted = max(counts, key=worth, default=None)  # what the file's name says, else what has most cues
    if wanted and len(counts) > 1:
        others = ", ".join(named[one] for one in counts if one != wanted)
        notes.append(f"The file holds captions in several languages; {named[wanted]} was read, not {others}.")
    raw: list[RawCue] = []
    done = number = 0
    for head, body in zip(heads, bodies, strict=True):
        number += text.count("\n", done, head.start())
        done = head.start()
        said = _of_class(body, wanted)
        if said is not None:
            raw.append(RawCue(int(head[1]), None, said, number + 1))
    return _until_next(raw), languages.get(wanted or "")


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
    said = [
        body[part.end() : following.start() if following else len(body)]
        for part, following in zip(parts, [*parts[1:], None], strict=True)
        if part[1].lower() == wanted
    ]
    return "\n".join(filter(None, map(_plain, [body[: parts[0].start()], *said]))) if said else None


def _plain(body: str) -> str:
    """Keep the words and the rows of a stretch of SAMI; a line break of its source is a space, as in HTML."""
    body = _NOT_SAID.sub(" ", body)
    rows = (html.unescape(_TAG.sub("", row)).replace("\xa0", " ") for row in _BR.split(body))
    return "\n".join(" ".join(row.split()) for row in rows if row.strip())


# --- MicroDVD -------------------------------------------------------------------------------------------------------


def rate_of(text: str) -> float:
    """Return how many frames pass in a second, as the first cue tells: `{1}{1}25.000`.

    Raises UnreadableError where it does not.
    """
    for row in text.split("\n"):
        match = _MICRODVD.match(row)
        if not match:
            continue
        rate = _RATE.fullmatch(match[3])
        if rate and match[1] in "01" and match[2] in ("0", "1", None):
            frames = float(rate[1].replace(",", "."))
            if 5 <= frames <= 240:
                return frames
        break
    raise UnreadableError(
        "The file counts frames (MicroDVD) and does not say how many pass in a second.",
        "Put the recording's frame rate above its first line, such as {1}{1}25.000, or export the captions as SRT.",
    )


def _read_microdvd(text: str) -> list[RawCue]:
    rate = rate_of(text)
    lines: list[_Line] = []
    for number, row in enumerate(text.split("\n"), 1):
        match = _MICRODVD.match(row)
        if match:
            ends = match[2] is not None and int(match[2]) >= int(match[1])
            given = f"{{{match[1]}}}{{{match[2] if ends else match[1]}}}{match[3]} "
            lines.append(_Line(given, number, ends))
        elif row.strip() and lines:
            lines[-1] = replace(lines[-1], text=f"{lines[-1].text}|{row.strip()}")
    events = _events([line.text for line in lines[1:]], "microdvd", rate)
    return [
        RawCue(min(event.start, LONGEST_MS), event.end if line.ends else None, _rows(event.plaintext), line.line)
        for line, event in zip(lines[1:], events, strict=True)
    ]


def _rows(text: str) -> str:
    return "\n".join(row.strip() for row in text.split("\n") if row.strip())
