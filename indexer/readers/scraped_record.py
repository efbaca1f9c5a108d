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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Cue, Step, Transcript, Word
from talksearch.indexer.text.plain import count_words, is_sound, tokens_of

from .flattened import PAUSE_MARK_MS, SOUND_MARK_MS, Line, Unfolded, cut_lines, unfold

_SIMPLE_KEYS = ("timestamp", "title", "url", "status", "duration")
_CONTENT_KEYS = ("content", "transcript")
_KEY = re.compile(r"^[ \t]*(timestamp|title|url|status|duration|description|content|transcript)[ \t]*[:：](.*)$", re.I)
_GOOD_STATUS = {"", "success", "succeeded", "successful", "ok", "okay", "done", "complete", "completed", "200", "true"}
_SHORT_OF_A_TALK = 30
"""Words. Where the status is not success, content shorter than this is taken for the scraper's message."""

_RESIDUE = re.compile(
    r"^\s*WEBVTT\b(?:[ \t]+-[^\n]*)?\s*(?:Kind:\s*\S+\s*)?(?:Language:\s*(?P<language>[A-Za-z]{2,3}(?:-\w+)*))?\s*",
)
_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_CUE_TIMES = re.compile(
    _CLOCK + r"[ \t]*-->[ \t]*" + _CLOCK + r"((?:[ \t]+(?:align|position|line|size|vertical|region):\S+)*)"
)
_TAG = re.compile(r"<[^<>]*>")
_TAG_TIME = re.compile(r"<(?:(\d{1,3}):)?(\d{1,2}):(\d{2})\.(\d{3})>")
_COUNTER = re.compile(r"(?:^|\s)(\d+)\s*$")
_BLOCK_NOTE = re.compile(r"^(?:NOTE|STYLE|REGION)\b")
_MARK = re.compile(r"[\[(]((?:\d{1,2}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?)[\])]")
_LINE_MARK = re.compile(r"^[ \t]*[\[(]?((?:\d{1,2}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?)[\])]?[ \t:\-–]*(?=\s|$)", re.M)


def matches(text: str) -> bool:
    """Whether the text is a scraped record: it begins with one of the keys and holds three of them, content included.

    >>> matches("Title: On time\\nURL: https://youtu.be/DTcRLlMv4_o\\nContent:\\nSo good morning.")
    True
    >>> matches("Title: a word before a colon\\n\\nProse.")
    False
    """
    keys = []
    for row in _rows(text):
        found = _KEY.match(row)
        if found:
            keys.append(found[1].lower())
        elif row.strip() and not keys:
            return False
    distinct = set(keys)
    has_body = distinct & {*_CONTENT_KEYS, "status"}
    return len(distinct) >= 3 and bool(has_body) and bool(distinct & {"title", "url", "timestamp"})


def read(text: str, *, unfolding: bool = True) -> Transcript:
    """Read a scraped record; with `unfolding` False its content is cut into lines as it stands, repeats and all.

    Returns a transcript with format `record`. `cues` are collapsed; where `timed` is false their start is 0, and an
    `end_ms` of `PAUSE_MARK_MS` marks a cue that is followed by a pause (see `talksearch.indexer.readers.flattened`).
    Raises UnreadableError where the record holds no transcript, with the scraper's own reason.
    """
    header, content = _checked(text)
    body = _read_content(content, unfolding)
    status = header.get("status", "").strip()
    uncertain = body.uncertain
    if status.lower() not in _GOOD_STATUS:
        uncertain = (*uncertain, f"The record's status is “{status}”, so the transcript may be incomplete.")
    return _transcript(header, body, uncertain)


def read_header(text: str) -> Transcript:
    """Read what a record says about its talk: a transcript as `read` returns it, without cues. Raises as `read` does
    where there is no transcript.
    """
    header, content = _checked(text)
    _, language = _strip_residue(content)
    return _transcript(header, _Body((), False, False, language, 0, ()), ())


def _checked(text: str) -> tuple[dict[str, str], str]:
    """Split a record into its values by key and its content. Raises UnreadableError where that is no transcript."""
    rows = _rows(text)
    header, content = _header(rows, _keys(rows))
    status = header.get("status", "").strip()
    if not tokens_of(_strip_residue(content)[0]):
        raise _no_content(status, "")
    if status.lower() not in _GOOD_STATUS and count_words(content) < _SHORT_OF_A_TALK:
        raise _no_content(status, content)
    return header, content


def read_content(text: str, *, unfolding: bool = True) -> Transcript:
    """Read what would be the content of a record: captions that were copied, without keys above them.

    Returns a transcript as `read` does, without title and address. A few keys may still be there, as in a text of
    `Duration:` and `Transcript:`: the captions begin where they say so.
    Raises UnreadableError where there are no words.
    """
    rows = _rows("\n" + text)
    header, content = _header(rows, [(0, "content", ""), *_keys(rows)])
    if not tokens_of(_strip_residue(content)[0]):
        raise _no_content("", "")
    body = _read_content(content, unfolding)
    return _transcript({key: header.get(key, "") for key in ("duration", "description")}, body, body.uncertain)


def _transcript(header: dict[str, str], body: _Body, uncertain: tuple[str, ...]) -> Transcript:
    return Transcript(
        format="record",
        cues=body.cues,
        timed=body.timed,
        origin="automatic" if body.rolling else "unknown",
        title=header.get("title") or None,
        url=header.get("url") or None,
        language=body.language,
        duration_ms=parse_duration(header.get("duration", "")),
        description=header.get("description", ""),
        words_before=body.words_before,
        steps=body.steps,
        uncertain=uncertain,
    )


def _no_content(status: str, content: str) -> UnreadableError:
    said = " ".join(part for part in (status, " ".join(tokens_of(content))) if part)
    reason = f"The record holds no transcript; its status is “{said}”." if said else "The record holds no transcript."
    return UnreadableError(reason, "Fetch the captions again, or leave the file out.")


def parse_duration(text: str) -> int | None:
    """Read a length of time, in milliseconds; None where it is none.

    >>> [parse_duration(t) for t in ("20:54", "1:43:29", "1254", "20m 54s", "PT1H2M", "21 minutes", "N/A")]
    [1254000, 6209000, 1254000, 1254000, 3720000, 1260000, None]
    """
    text = text.strip().lower()
    clock = re.fullmatch(r"(?:(\d+):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,3}))?", text)
    if clock:
        hours, minutes, seconds, fraction = clock.groups()
        milliseconds = int((fraction or "0").ljust(3, "0"))
        return _positive((int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + milliseconds)
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:s|sec|secs|seconds?)?", text)
    if number:
        return _positive(round(float(number[1]) * 1000))
    units = re.fullmatch(
        r"(?:pt)?\s*(?:(\d+)\s*h[a-z]*)?[\s,]*(?:(\d+)\s*m[a-z]*)?[\s,]*(?:(\d+(?:\.\d+)?)\s*s[a-z]*)?",
        text,
    )
    if units and any(units.groups()):
        hours, minutes, seconds = units.groups()
        return _positive(round((int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)) * 1000))
    return None


def _positive(milliseconds: int) -> int | None:
    return milliseconds if milliseconds > 0 else None


def _rows(text: str) -> list[str]:
    # Not splitlines: in broken encodings U+0085 and its like are parts of letters, not line ends.
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _keys(rows: Sequence[str]) -> list[tuple[int, str, str]]:
    """The rows that look like a key: row, key, and what stands behind the colon."""
    return [(i, found[1].lower(), found[2]) for i, row in enumerate(rows) if (found := _KEY.match(row))]


def _header(rows: Sequence[str], keys: Sequence[tuple[int, str, str]]) -> tuple[dict[str, str], str]:
    """Split the rows of a record, some of which look like keys, into its values by key and its content.

    A description may hold anything, lines that look like keys included. So the keys are read in two places only: from
    the top down to `Description:`, and in the unbroken rows of keys right above the content. The content begins at the
    last row that says so, or at the first one behind which captions begin.
    """
    content_row, content = _find_content(rows, keys)
    described = next((i for i, key, _ in keys if key == "description" and i < content_row), content_row)
    values: dict[str, str] = {}
    heads = [item for item in keys if item[0] < described and item[1] in _SIMPLE_KEYS]
    for position, (i, key, rest) in enumerate(heads):
        until = heads[position + 1][0] if position + 1 < len(heads) else described
        if key not in values:
            values[key] = _trim(" ".join(_trim(row) for row in (rest, *rows[i + 1 : until]) if _trim(row)))
    tail = content_row
    key_rows = {i: (key, rest) for i, key, rest in keys}
    i = content_row - 1
    while i > described:
        key, rest = key_rows.get(i, ("", ""))
        if key in _SIMPLE_KEYS and key not in values:
            values[key] = _trim(rest)
            tail = i
        elif _trim(rows[i]):
            break
        i -= 1
    if described < content_row:
        first = key_rows[described][1]
        values["description"] = "\n".join([first, *rows[described + 1 : tail]]).strip(" \t\n")
    return values, content


def _find_content(rows: Sequence[str], keys: Sequence[tuple[int, str, str]]) -> tuple[int, str]:
    """The row of `Content:` and what follows it; the number of rows and nothing where there is none."""
    candidates = [(i, rest) for i, key, rest in keys if key in _CONTENT_KEYS]
    chosen: tuple[int, str] | None = None
    for i, rest in candidates:
        content = "\n".join([rest, *rows[i + 1 :]])
        if _RESIDUE.match(content) or _CUE_TIMES.match(content.lstrip()):
            chosen = (i, content)
            break
        if _trim(content) or chosen is None:
            chosen = (i, content)
    return chosen if chosen is not None else (len(rows), "")


def _trim(value: str) -> str:
    # Not strip(): a no-break space may be half of a letter in a broken encoding.
    return value.strip(" \t\r\n")


@dataclass(frozen=True, slots=True)
class _Body:
    """What the content gave."""

    cues: tuple[Cue, ...]
    timed: bool
    rolling: bool
    language: str | None
    words_before: int
    steps: tuple[Step, ...]
    uncertain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    """One stretch of content with a time of its own."""

    start_ms: int
    end_ms: int
    text: str
    """As shown, without tags."""
    times: tuple[int, ...] = ()
    """For each token of `text` when it begins, -1 where no tag says so; empty where no tag was there."""


def _strip_residue(content: str) -> tuple[str, str | None]:
    """The content without the head of a caption file, and the language which that head names."""
    found = _RESIDUE.match(content)
    return (content[found.end() :], found["language"]) if found else (content, None)


def _read_content(content: str, unfolding: bool) -> _Body:
    speech, language = _strip_residue(content)
    if len(_CUE_TIMES.findall(speech)) >= 1:
        return _timed_body(_caption_blocks(speech), language, "times in the text")
    marks = _mark_blocks(speech)
    if marks:
        return _timed_body(marks, language, "marks in the text")
    text = _TAG.sub("", speech)
    unfolded = unfold(text) if unfolding else _as_it_stands(text)
    cues = tuple(Cue(0, PAUSE_MARK_MS if line.pause_after else 0, line.text) for line in unfolded.lines)
    if len(cues) > 1 and is_sound(cues[0].text):
        # Sounds are taken out later; that the speech begins behind one is worth keeping.
        cues = (cues[0], replace(cues[1], end_ms=cues[1].end_ms | SOUND_MARK_MS), *cues[2:])
    steps: tuple[Step, ...] = ()
    if unfolded.folded:
        detail = {
            "copies": unfolded.copies,
            "lines": len(unfolded.lines),
            "lines_said_once": sum(line.times == 1 for line in unfolded.lines),
            "words_before": unfolded.words_before,
            "words_after": unfolded.words_after,
        }
        steps = (Step("unfold-rolling", "cues", detail),)
    return _Body(cues, False, unfolded.folded, language, unfolded.words_before, steps)


def _as_it_stands(text: str) -> Unfolded:
    words = count_words(text)
    return Unfolded(tuple(Line(line, 1) for line in cut_lines(text)), 1, words, words)


def _clock_ms(groups: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = groups
    return ((int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)) * 1000 + int(fraction or 0)


def _caption_blocks(speech: str) -> list[_Block]:
    """Cut at the cue times, with line breaks or without; counters of SRT and notes are left out."""
    found = list(_CUE_TIMES.finditer(speech))
    blocks = []
    for i, match in enumerate(found):
        last = i + 1 == len(found)
        payload = speech[match.end() : len(speech) if last else found[i + 1].start()]
        if "\n" in payload:
            payload = _without_notes(payload)
        if not last:
            counter = _COUNTER.search(payload)
            if counter and counter[1] == str(i + 2):
                payload = payload[: counter.start()]
        start, end = _clock_ms(match.groups()[:4]), _clock_ms(match.groups()[4:8])
        text, times = _tagged(payload)
        blocks.append(_Block(start, max(start, end), text, times))
    return blocks


def _without_notes(payload: str) -> str:
    kept: list[str] = []
    note = False
    blank = False
    for row in payload.split("\n"):
        if not row.strip():
            blank, note = True, note and bool(row)
        elif blank and _BLOCK_NOTE.match(row):
            note = True
        if not note:
            kept.append(row)
    return "\n".join(kept)


def _tagged(payload: str) -> tuple[str, tuple[int, ...]]:
    """Take the tags out: the text as shown, and for each token the time of the tag right before it, else -1."""
    tokens: list[str] = []
    times: list[int] = []
    glue = False
    time = -1
    for piece in re.split(r"(<[^<>]*>)", payload):
        if piece.startswith("<"):
            stamp = _TAG_TIME.fullmatch(piece)
            if stamp:
                time = _clock_ms(stamp.groups())
            continue
        words = tokens_of(piece)
        if not words:
            glue = glue and not piece
            continue
        if glue and not piece[0].isspace():
            tokens[-1] += words[0]
            words = words[1:]
        for word in words:
            tokens.append(word)
            times.append(time)
            time = -1
        glue = not piece[-1].isspace()
    if all(t < 0 for t in times):
        return " ".join(tokens), ()
    return " ".join(tokens), tuple(times)


def _mark_blocks(speech: str) -> list[_Block]:
    """Cut at `[12:34]` anywhere, or `12:34` at the beginning of lines; empty where that is not the text's clock."""
    for pattern in (_MARK, _LINE_MARK):
        found = list(pattern.finditer(speech))
        times = [parse_duration(match[1]) or 0 for match in found]
        # A clock starts near the top, has three marks at least and does not run backwards.
        if len(found) < 3 or any(a > b for a, b in pairwise(times)):
            continue
        if count_words(speech[: found[0].start()]) > 50:
            continue
        blocks = []
        lead = speech[: found[0].start()]
        if tokens_of(lead):
            blocks.append(_Block(0, times[0], " ".join(tokens_of(lead))))
        for i, match in enumerate(found):
            until, end = (found[i + 1].start(), times[i + 1]) if i + 1 < len(found) else (len(speech), -1)
            text = " ".join(tokens_of(_TAG.sub("", speech[match.end() : until])))
            # The last mark has no end: two and a half words a second (150 a minute) from its start.
            end = end if end >= 0 else times[i] + max(1000, count_words(text) * 400)
            blocks.append(_Block(times[i], end, text))
        return blocks
    return []


def _timed_body(blocks: Sequence[_Block], language: str | None, where: str) -> _Body:
    before = sum(count_words(block.text) for block in blocks)
    cues, rolling = _collapse(blocks)
    steps: tuple[Step, ...] = ()
    if not rolling:
        flat = _unfold_blocks(blocks)
        if flat:
            cues, rolling = flat, True
    if rolling:
        after = sum(count_words(cue.text) for cue in cues)
        counts = {"blocks": len(blocks), "lines": len(cues), "words_before": before, "words_after": after}
        detail = {"from": where, **counts}
        steps = (Step("collapse-rolling", "cues", detail),)
    return _Body(cues, True, rolling, language, before, steps)


def _collapse(blocks: Sequence[_Block]) -> tuple[tuple[Cue, ...], bool]:
    """Cues of the blocks; of rolling captions only what each block adds to the line above it.

    Rolling is a property of the whole text: at least half of the blocks after another begin with the line that the
    block before added. In a text that does not roll, a cue that begins like the last one really says it again.
    """
    shown = [tuple(tokens_of(block.text)) for block in blocks]
    added: list[tuple[str, ...]] = []
    above: tuple[str, ...] = ()
    rolled = follows = 0
    for tokens in shown:
        if above and tokens:
            follows += 1
        if above and tokens[: len(above)] == above:
            rolled += 1
            new = tokens[len(above) :]
        else:
            new = tokens
        added.append(new)
        above = (new or above) if tokens else ()
    if follows < 4 or rolled < follows / 2:
        cues = [_cue(block, tokens, 0) for block, tokens in zip(blocks, shown, strict=True) if tokens]
        return tuple(cues), False
    rows = zip(blocks, shown, added, strict=True)
    return tuple(_cue(block, new, len(tokens) - len(new)) for block, tokens, new in rows if new), True


def _cue(block: _Block, new: Sequence[str], skipped: int) -> Cue:
    """A cue of the tokens a block adds, with word times where each word but the first has one."""
    words: tuple[Word, ...] = ()
    times = block.times[skipped:]
    if times and len(new) > 1 and all(t >= 0 for t in times[1:]):
        first = times[0] if times[0] >= 0 else block.start_ms
        words = tuple(Word(text, t) for text, t in zip(new, (first, *times[1:]), strict=True))
    elif len(new) == 1 and block.times:
        words = (Word(new[0], block.start_ms),)
    return Cue(block.start_ms, block.end_ms, " ".join(new), words=words)


def _unfold_blocks(blocks: Sequence[_Block]) -> tuple[Cue, ...]:
    """Unfold flattened captions with marks between: lines get their times by their place between the marks."""
    unfolded = unfold(" ".join(block.text for block in blocks))
    if not unfolded.folded:
        return ()
    anchors: list[tuple[int, int]] = []
    position = 0
    for block in blocks:
        anchors.append((position, block.start_ms))
        position += len(tokens_of(block.text))
    anchors.append((position, blocks[-1].end_ms))
    starts = [_between(anchors, line.start) for line in unfolded.lines]
    ends = [*starts[1:], blocks[-1].end_ms]
    return tuple(
        Cue(start, max(start, end), line.text) for line, start, end in zip(unfolded.lines, starts, ends, strict=True)
    )


def _between(anchors: Sequence[tuple[int, int]], position: int) -> int:
    """The time of a token between two anchors (position, ms), in proportion."""
    i = max(k for k, anchor in enumerate(anchors[:-1]) if anchor[0] <= position)
    (left, start), (right, end) = anchors[i], anchors[i + 1]
    return start if right == left else start + (end - start) * (position - left) // (right - left)
