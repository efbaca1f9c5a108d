"""Raw cues to restored cues: markup, rolling captions, turns, sound labels, names. What was done comes as steps."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from .readers.names import bold_names_in, label_of, names_in, split_bold
from .records import Cue, Step, Transcript, Word

_Token = tuple[str, int | None]
"""A word as shown, and when it is said where the source times it."""

HELD_MS = 50
"""YouTube holds the finished line for 10 ms before the next is written below it; nobody says anything in that time."""
_SCREEN = 60
"""Words. No screen of captions shows more at a time."""
_NEIGHBOURS = 8
"""How many cues on each side decide whether a stretch of a file rolls."""

# --- markup ---------------------------------------------------------------------------------------------------------

_TAG = re.compile(
    r"<!--.*?-->|<(?P<time>(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})>|<v(?:\.[^\s<>]*)?(?:[ \t]+(?P<voice>[^<>]*))?>"
    r"|</?(?:c|v|i|b|u|s|em|strong|ruby|lang|font|span|p|div|big|small|sub|sup)(?:[.\s][^<>]*)?/?>"
    r"|(?P<rt><rt>.*?(?:</rt>|$))|(?P<br><br[ \t]*/?>)|(?P<ass>\{\\[^{}]*\})|\{[ibu]\}|\{/[ibu]\}",
    re.IGNORECASE | re.DOTALL,
)
_WORD_TIME = re.compile(r"<((?:\d+:)?\d{2}:\d{2}\.\d{3})>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
# U+00A0 and U+0085 are spaces, but also halves of letters in text whose encoding was misread; these stay until it is
# repaired (`tidy`).
_SPACE = re.compile(
    r"(?:[ \t\n\r\f\v\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|(?<![\xc2-\xf4\x80-\xbf])[\xa0\x85])+"
)
_DEBRIS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u206a-\u206f\ufeff\ufff9-\ufffb\u180e]"
)
_SUSPECT = re.compile("[\x80-\x9f\xad]")
_JOINERS = re.compile("[\u200c\u200d]")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a cue as it is shown."""

    tokens: tuple[_Token, ...]
    speaker: str | None = None
    named: bool = False
    """The row, or the part of it, begins with a voice tag."""
    key: tuple[str, ...] = ()
    """Its words without times: what rows are compared by."""


def _row(tokens: Sequence[_Token], speaker: str | None, named: bool = False) -> _Row:
    return _Row(tuple(tokens), speaker, named, tuple([text for text, _ in tokens]))


@dataclass(frozen=True, slots=True)
class _Shown:
    """A cue as it is shown: its rows that say something, and whether an empty one stands above them."""

    start_ms: int
    end_ms: int
    rows: tuple[_Row, ...]
    top_empty: bool = False
    text_key: tuple[str, ...] = ()
    """All words of all rows."""
    turn: bool = False


def clean(transcript: Transcript, *, final: bool = True) -> tuple[tuple[Cue, ...], tuple[Step, ...]]:
    """Restore the cues of a transcript.

    Args:
        transcript: as a reader returns it.
        final: with False, characters that may be halves of misread letters stay for the text repair; whoever repairs
            calls `tidy` afterwards.

    Returns:
        Cues as `Cue` documents them, none empty, `start_ms` never decreasing, and the steps taken with their counts.
        Times of untimed transcripts are left as they are.
    """
    counts: Counter[str] = Counter()
    shown = [_show(cue, counts) for cue in transcript.cues]
    steps: list[Step] = []
    if transcript.timed:
        shown, rolled = collapse(shown)
        steps += rolled
    # In automatic captions a dash is a minus sign; turns are marked with `>>` there.
    dashes = transcript.origin != "automatic"
    parts = [part for cue in shown for part in _parts(cue, transcript.timed, dashes)]
    parts = _turns(parts, counts)
    cues = [cue for cue in (_without_sounds(part, counts) for part in parts) if cue is not None]
    cues = _speakers(cues, transcript, counts)
    out = tidy(cues) if final else tuple(cues)
    if transcript.timed:
        out = _in_order(out)
    for name, keys in _STEP_COUNTS.items():
        detail = {key: counts[key] for key in keys if counts[key]}
        if detail:
            steps.append(Step(name, "cues", detail))
    return out, tuple(steps)


_STEP_COUNTS = {
    "strip-markup": ("tags", "comments", "entities"),
    "mark-turns": ("turns",),
    "drop-sounds": ("sounds", "notes", "cues_of_sound_only"),
    "take-names": ("names", "cues_with_name"),
    "drop-invisible": ("invisible",),
}


def _show(cue: Cue, counts: Counter[str]) -> _Shown:
    text = cue.text
    rows: list[_Row] = []
    top_empty = False
    if "<" not in text and "&" not in text and "{" not in text:
        if cue.words:
            rows = [_row([(word.text, word.start_ms) for word in cue.words], cue.speaker)]
        else:
            for line in text.split("\n"):
                words = tuple(_words(line, counts))
                if words:
                    rows.append(_Row(tuple([(word, None) for word in words]), cue.speaker, False, words))
                elif not rows:
                    top_empty = True
    elif cue.words and "<" not in text:
        timed = tuple((_unescape(word.text, counts), word.start_ms) for word in cue.words)
        timed = tuple((token, ms) for text, ms in timed for token in _words(text, counts))
        rows = [_row(timed, cue.speaker)]
    else:
        voice = cue.speaker
        for line in _TAG.sub(_line_break, text).split("\n") if "<br" in text.lower() else text.split("\n"):
            found, voice = _marked_up(line, cue, voice, counts)
            if found:
                rows += found
            elif not rows:
                top_empty = True
    text_key = rows[0].key if len(rows) == 1 else tuple(token for row in rows for token in row.key)
    return _Shown(cue.start_ms, cue.end_ms, tuple(rows), top_empty and bool(rows), text_key, cue.turn)


def _line_break(match: re.Match[str]) -> str:
    return "\n" if match["br"] else match[0]


def _words(line: str, counts: Counter[str]) -> list[str]:
    if line.isascii() and line.isprintable():
        return line.split()
    return [token for token in _SPACE.split(_seen(line, counts)) if token]


def _seen(text: str, counts: Counter[str]) -> str:
    """Take out what cannot be seen."""
    if text.isascii() and text.isprintable():
        return text
    cleaned = _DEBRIS.sub("", text)
    counts["invisible"] += len(text) - len(cleaned)
    return cleaned


def _unescape(text: str, counts: Counter[str]) -> str:
    """Resolve entities that end in a semicolon, also when they were escaped twice.

    Without the semicolon `&copy` may be anything: "AT&T" and "R&D" are no entities.
    """
    for _ in range(3):
        if "&" not in text:
            break
        resolved, found = _ENTITY.subn(lambda match: html.unescape(match[0]), text)
        if resolved == text:
            break
        counts["entities"] += found
        text = resolved
    return text


def _marked_up(line: str, cue: Cue, voice: str | None, counts: Counter[str]) -> tuple[list[_Row], str | None]:
    """Rows of one line with tags: more than one where the voice changes inside it."""
    plain = line.replace("<c>", "").replace("</c>", "")
    pieces = _WORD_TIME.split(plain)
    if len(pieces) > 1 and "<" not in "".join(pieces[::2]) and "{" not in plain:
        counts["tags"] += len(pieces) // 2
        tokens = _word_timed(pieces, cue, counts)
        return ([_row(tokens, voice)] if tokens else []), voice
    rows: list[_Row] = []
    tokens = []
    time: int | None = None
    timed = False
    glue = False
    named = False
    done = 0

    def add(piece: str) -> None:
        nonlocal glue
        piece = _seen(_unescape(piece, counts), counts)
        if not piece:
            return
        words = _words(piece, counts)
        if not words:
            glue = False
            return
        if glue and tokens and not _SPACE.match(piece):
            tokens[-1] = (tokens[-1][0] + words[0], tokens[-1][1])
            words = words[1:]
        tokens.extend((word, time) for word in words)
        glue = not _SPACE.match(piece[-1])

    for match in _TAG.finditer(line):
        add(line[done : match.start()])
        done = match.end()
        if match["time"]:
            time = _clock(match["time"])
            timed = True
            counts["tags"] += 1
        elif match["voice"] is not None:
            if tokens:
                rows.append(_row(tokens, voice, named))
                tokens = []
                glue = False
            voice, named = _voice(match["voice"], counts) or voice, True
            counts["tags"] += 1
        elif match[0].startswith("<!--"):
            counts["comments"] += 1
        else:
            counts["tags"] += 1
    add(line[done:])
    if tokens:
        rows.append(_row(tokens, voice, named))
    if not timed and rows:
        return rows, voice
    return [_timed(row, cue) for row in rows], voice


def _word_timed(pieces: Sequence[str], cue: Cue, counts: Counter[str]) -> list[_Token]:
    """Words of a line as YouTube writes it: texts with times between."""
    tokens: list[_Token] = []
    last, latest = cue.start_ms, cue.end_ms
    glue = False
    for i in range(0, len(pieces), 2):
        if i:
            last = max(last, min(_clock(pieces[i - 1]), latest))
        piece = pieces[i]
        if not piece:
            continue
        if "&" in piece:
            piece = _unescape(piece, counts)
        piece = _seen(piece, counts)
        if not piece:
            continue
        words = _words(piece, counts)
        if not words:
            glue = False
            continue
        if glue and tokens and not piece[0].isspace():
            tokens[-1] = (tokens[-1][0] + words[0], tokens[-1][1])
            words = words[1:]
        for word in words:
            tokens.append((word, last))
        glue = not piece[-1].isspace()
    return tokens


def _voice(name: str, counts: Counter[str]) -> str | None:
    return " ".join(_words(_unescape(name, counts), counts)) or None


def _clock(text: str) -> int:
    if len(text) == 12 and text[8] == ".":
        return ((int(text[:2]) * 60 + int(text[3:5])) * 60 + int(text[6:8])) * 1000 + int(text[9:])
    *rest, seconds = text.replace(",", ".").split(":")
    whole, _, fraction = seconds.partition(".")
    minutes = 0
    for part in rest:
        minutes = minutes * 60 + int(part)
    return (minutes * 60 + int(whole)) * 1000 + int(fraction.ljust(3, "0"))


def _timed(row: _Row, cue: Cue) -> _Row:
    """Give every token of a row with word times one: those before the first tag begin with the cue."""
    tokens: list[_Token] = []
    last = cue.start_ms
    for text, time in row.tokens:
        if time is not None:
            last = min(max(last, time), max(cue.end_ms, last))
        tokens.append((text, last))
    return _Row(tuple(tokens), row.speaker, row.named, row.key)


# --- rolling captions -----------------------------------------------------------------------------------------------


def collapse(shown: Sequence[_Shown]) -> tuple[list[_Shown], list[Step]]:
    """Undo rolling: keep of every cue the rows that are new on the screen.

    A row is not new when it is what the cue before left there. That is read from the order of rows and cues, never
    from the words inside a row, and only where the file rolls: among the cues around (`_NEIGHBOURS` on each side) at
    least half begin with the row that the cue before ended with. Where rows were joined into one line, the same is
    read from whole cues: one that begins with what the cue before added. Who says a line twice is shown twice by
    YouTube too, the second time below the first.
    """
    shown = list(shown)
    kept, twins = _without_twins(shown)
    pairs = list(pairwise(kept))
    # Rows joined into one line by a converter leave hardly a cue of two rows.
    by_rows = sum(len(cue.rows) > 1 or cue.top_empty for cue in kept) * 5 > sum(bool(cue.rows) for cue in kept)
    if by_rows:
        rolls = _regime([_row_evidence(before, cue) for before, cue in pairs])
    else:
        rolls = _regime([_joined_evidence(before, cue) for before, cue in pairs], least=4)
    # Where cues follow each other without a gap, a gap is a cleared screen whose empty cue was dropped.
    touching = sum(before.end_ms == cue.start_ms for before, cue in pairs) * 10 >= len(pairs) * 8
    out: list[_Shown] = []
    screens: Counter[int] = Counter()
    seen: list[int] = []
    last_new: tuple[str, ...] = ()
    folded = 0
    blank_before = True
    for i, cue in enumerate(kept):
        if not cue.rows:
            blank_before = True
            continue
        before = kept[i - 1] if i else None
        if before is not None and touching and before.end_ms < cue.start_ms:
            blank_before = True
        new: tuple[_Row, ...] = cue.rows
        if blank_before:
            last_new = ()
        if before is not None and before.rows and not blank_before:
            if _is_held(before, cue):
                new = ()
            elif rolls[i - 1] and by_rows:
                new = cue.rows[_carried(before, cue, _is_held_at(kept, i - 1)) :]
            elif rolls[i - 1] and len(cue.rows) == 1 and not cue.top_empty:
                new = _joined_new(before, cue, last_new)
        blank_before = False
        if new is not cue.rows:
            carried = len(cue.rows) - len(new) or int(new != cue.rows)  # a part of a joined row is a line too
            folded += carried
            for j in seen[max(0, len(seen) - carried) :]:
                screens[j] += 1
        if not new:
            # A line first seen for some milliseconds lasts as long as it stays.
            if out and out[-1].end_ms - out[-1].start_ms <= HELD_MS:
                out[-1] = replace(out[-1], end_ms=max(out[-1].end_ms, cue.end_ms))
            continue
        last_new = tuple(token for row in new for token in row.key)
        start = cue.start_ms
        for _ in new:
            seen.append(len(seen))
            screens[seen[-1]] = 1
        out.append(cue if new is cue.rows else replace(cue, start_ms=start, rows=new))
    if not folded and not twins:
        return [cue for cue in shown if cue.rows], []
    if folded:
        out = _clip(out)
    said = Counter(screens.values())
    lines_before = sum(len(cue.rows) for cue in shown)
    lines_after = sum(len(cue.rows) for cue in out)
    detail = {
        "lines_before": lines_before,
        "lines_after": lines_after,
        "words_before": sum(len(cue.text_key) for cue in shown),
        "words_after": sum(len(row.tokens) for cue in out for row in cue.rows),
        "lines_shown_times": {str(times): lines for times, lines in sorted(said.items())},
        "cues_standing_twice": twins,
    }
    return out, [Step("collapse-rolling", "cues", detail)]


def _without_twins(shown: list[_Shown]) -> tuple[list[_Shown], int]:
    """Drop a cue that has time and text of the one before: a track that was written twice."""
    kept = shown[:1]
    for cue in shown[1:]:
        last = kept[-1]
        if not (
            cue.start_ms == last.start_ms and cue.end_ms == last.end_ms and cue.text_key == last.text_key and cue.rows
        ):
            kept.append(cue)
    return kept, len(shown) - len(kept)


def _is_held(before: _Shown, cue: _Shown) -> bool:
    """Whether a cue only holds rows that the one before ended with: too short for anybody to speak."""
    if cue.end_ms - cue.start_ms > HELD_MS or before.end_ms - before.start_ms <= HELD_MS:
        return False
    n = len(cue.rows)
    return _keys(cue.rows) == _keys(before.rows[-n:]) or (n == 1 and _ends_with(before.text_key, cue.text_key))


def _is_held_at(cues: Sequence[_Shown], i: int) -> bool:
    return i > 0 and bool(cues[i - 1].rows) and _is_held(cues[i - 1], cues[i])


def _keys(rows: Sequence[_Row]) -> list[tuple[str, ...]]:
    return [row.key for row in rows]


def _ends_with(whole: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return bool(part) and whole[-len(part) :] == part


def _row_evidence(before: _Shown, cue: _Shown) -> bool | None:
    """Whether the pair rolls by rows; None where it says nothing (a single row, or the same words everywhere)."""
    if not before.rows or not cue.rows:
        return None
    if _is_held(before, cue):
        return True if _keys(cue.rows) == _keys(before.rows[-len(cue.rows) :]) else None
    if len(cue.rows) < 2 or cue.top_empty:
        return None
    last = before.rows[-1].key
    if len({*_keys(before.rows), *_keys(cue.rows)}) == 1:
        return None
    return cue.rows[0].key == last or any(
        _keys(before.rows[-k:]) == _keys(cue.rows[:k]) for k in range(2, min(len(before.rows), len(cue.rows)) + 1)
    )


def _joined_evidence(before: _Shown, cue: _Shown) -> bool | None:
    """Whether a cue of one row begins with the end of the one before, or with all of it, and goes on."""
    if len(before.rows) != 1 or len(cue.rows) != 1:
        return None
    if _is_held(before, cue):
        return True
    if before.text_key == cue.text_key:
        return None
    if cue.start_ms - before.end_ms > HELD_MS or len(cue.text_key) > _SCREEN:
        return False
    shared = _overlap(before.text_key, cue.text_key)
    words = sum(_says(word) for word in cue.text_key[:shared])
    # One word may follow itself by chance; a line has more, or is all that was shown.
    return words > 1 or (words == 1 and shared == min(len(before.text_key), len(cue.text_key)))


def _overlap(before: tuple[str, ...], cue: tuple[str, ...]) -> int:
    """Length of the longest end of one that begins the other."""
    for length in range(min(len(before), len(cue)), 0, -1):
        if before[-length:] == cue[:length]:
            return length
    return 0


def _regime(evidence: Sequence[bool | None], least: int = 1) -> list[bool]:
    """For each pair, whether at least half of the telling pairs around it speak for rolling."""
    yes = [0]
    telling = [0]
    for item in evidence:
        yes.append(yes[-1] + (item is True))
        telling.append(telling[-1] + (item is not None))
    if yes[-1] < least:
        return [False] * len(evidence)
    out = []
    total = len(evidence)
    for i in range(total):
        a, b = max(0, i - _NEIGHBOURS), min(total, i + _NEIGHBOURS + 1)
        # Pairs that tell nothing widen the view.
        while telling[b] - telling[a] < min(_NEIGHBOURS, telling[-1]) and (a > 0 or b < total):
            a, b = max(0, a - _NEIGHBOURS), min(total, b + _NEIGHBOURS)
        seen = telling[b] - telling[a]
        out.append(seen > 0 and (yes[b] - yes[a]) * 2 >= seen and yes[b] - yes[a] > 0)
    return out


def _carried(before: _Shown, cue: _Shown, held: bool) -> int:
    """How many rows of a cue were left there by the one before it."""
    if cue.top_empty:
        return 0
    rows, old = _keys(cue.rows), _keys(before.rows)
    if held:  # what is held is exactly what stays
        return len(old) if rows[: len(old)] == old else 0
    most = min(len(rows), len(old))
    matching = [k for k in range(1, most + 1) if old[-k:] == rows[:k]]
    if not matching:
        return 0
    # One row is written at a time, so all but the last of several rows were there before.
    return len(rows) - 1 if len(rows) - 1 in matching else matching[-1]


def _joined_new(before: _Shown, cue: _Shown, last_new: tuple[str, ...]) -> tuple[_Row, ...]:
    """What a joined cue adds behind the line that the cue before added, or behind their longest overlap."""
    key = cue.text_key
    if last_new and key[: len(last_new)] == last_new and _ends_with(before.text_key, last_new):
        carried = len(last_new)
    else:
        carried = _overlap(before.text_key, key)
    if not carried:
        return cue.rows
    rest = cue.rows[0].tokens[carried:]
    return (_row(rest, cue.rows[0].speaker),) if rest else ()


def _clip(cues: Sequence[_Shown]) -> list[_Shown]:
    """End a line where the next one begins: it stays on the screen longer, but the speaker has gone on."""
    out = []
    for i, cue in enumerate(cues):
        following = cues[i + 1].start_ms if i + 1 < len(cues) else None
        end = cue.end_ms
        if following is not None and (end > following or end - cue.start_ms <= HELD_MS):
            end = max(following if end > following else min(following, cue.start_ms + 5_000), cue.start_ms)
        out.append(cue if end == cue.end_ms else replace(cue, end_ms=end))
    return out


# --- turns and sounds -----------------------------------------------------------------------------------------------

_DASH = re.compile(r"^[-‐‑–—−](?=[^\W\d_]|$)")


@dataclass(frozen=True, slots=True)
class _Part:
    """Words that will be one cue."""

    start_ms: int
    end_ms: int
    tokens: tuple[_Token, ...]
    speaker: str | None
    turn: bool
    own_start: bool
    """The start was read, not worked out."""


def _parts(cue: _Shown, timed: bool, dashed: bool) -> Iterator[_Part]:
    """Cut a cue where the voice changes: at voice tags, and between rows that begin with a dash."""
    groups: list[tuple[list[_Token], str | None, bool]] = []
    dashes = [dashed and _dash(row) for row in cue.rows]
    dialogue = any(dashes) and (len(cue.rows) == 1 or all(dashes) or sum(dashes) >= 2 or dashes[0])
    for row, dash in zip(cue.rows, dashes, strict=True):
        tokens = list(row.tokens)
        turn = False
        if dialogue and dash:
            turn = True
            text = _DASH.sub("", tokens[0][0], count=1)
            tokens = [(text, tokens[0][1]), *tokens[1:]] if text else tokens[1:]
        if groups and groups[-1][1] == row.speaker and not turn and not (row.named and row.speaker is None):
            groups[-1][0].extend(tokens)
        elif tokens:
            groups.append((tokens, row.speaker, turn))
    yield from _share(cue.start_ms, cue.end_ms, groups, cue.turn, timed)


def _dash(row: _Row) -> bool:
    """Whether a row begins like dialogue: `- Yes`, `-Yes`; not `-5`, `-cos x`, or the dash that goes on a sentence."""
    first = row.tokens[0][0]
    if first[0] not in "-‐‑–—−" or first.startswith("--"):
        return False
    if len(first) == 1:
        return len(row.tokens) > 1 and _opens(row.tokens[1][0]) and first in "-‐–"
    return first[0] in "-‐" and _opens(first[1:])


def _opens(word: str) -> bool:
    """Whether a word may begin a sentence: no small letter, no figure."""
    word = word.lstrip("\"'“‘¿¡([…♪")
    return bool(word) and word[0].isalpha() and not word[0].islower()


def _share(
    start: int, end: int, groups: Sequence[tuple[Sequence[_Token], str | None, bool]], turn: bool, timed: bool
) -> Iterator[_Part]:
    """Give parts of one cue their times: those of their words, else by their share of its characters."""
    if len(groups) == 1:
        tokens, speaker, own = groups[0]
        yield _Part(start, end, tuple(tokens), speaker, own or turn, True)
        return
    sizes = [sum(len(text) + 1 for text, _ in tokens) for tokens, _, _ in groups]
    total = sum(sizes) or 1
    begins: list[int] = []
    done = 0
    for i, (tokens, _, _) in enumerate(groups):
        time = tokens[0][1] if i else None
        guess = start + (end - start) * done // total if timed else start
        begins.append(max(guess if time is None else time, begins[-1] if begins else start))
        done += sizes[i]
    for i, (tokens, speaker, own) in enumerate(groups):
        last = i + 1 == len(groups)
        stop = end if last else begins[i + 1] if timed else start
        yield _Part(begins[i], max(stop, begins[i]), tuple(tokens), speaker, own or (turn and not i), i == 0)


def _turns(parts: list[_Part], counts: Counter[str]) -> list[_Part]:
    """Cut at `>>`, the mark of captions for another voice; inside a line only where lines begin with it too."""
    if not any(token.startswith(">>") for part in parts for token, _ in part.tokens[:1]):
        counts["turns"] += sum(part.turn for part in parts)
        return parts
    out: list[_Part] = []
    for part in parts:
        if not any(token.startswith(">>") for token, _ in part.tokens):
            out.append(part)
            continue
        groups: list[tuple[list[_Token], str | None, bool]] = [([], part.speaker, part.turn)]
        for text, time in part.tokens:
            if text.startswith(">>"):
                rest = text.lstrip(">")
                groups.append(([(rest, time)] if rest else [], None if part.speaker is None else part.speaker, True))
            else:
                groups[-1][0].append((text, time))
        # Marks without words behind them (`>>` at the end of a line) hand their turn to the next cue.
        filled = [group for group in groups if group[0]]
        if filled:
            out += _share(part.start_ms, part.end_ms, filled, False, True)
            # `_share` marks no turn for a first part that has none of its own.
        if not groups[-1][0] and groups[-1][2]:
            out.append(_Part(part.end_ms, part.end_ms, (), part.speaker, True, True))
    handed: list[_Part] = []
    pending = False
    for part in out:
        if not part.tokens:
            pending = True
            continue
        handed.append(replace(part, turn=True) if pending else part)
        pending = False
    counts["turns"] += sum(part.turn for part in handed)
    return handed


_SOUND_WORDS_TEXT = """
music musik musique música musica muziek musikk musiikki musiikkia muzyka muzică hudba zene müzik muzik glazba
музыка музика μουσική מוזיקה موسيقى موسیقی संगीत เพลง ดนตรี เสียงดนตรี 音楽 音乐 音樂 음악 nhạc applause applaus
applaudissements aplausos applausi applauso applåder bifald oklaski aplauze potlesk taps alkış alkışlar
aplodisman аплодисменты оплески χειροκρότημα χειροκροτήματα suosionosoituksia taputuksia aploditeja תשואות تصفيق
تشویق तालियां तालियाँ ปรบมือ เสียงปรบมือ 拍手 掌声 掌聲 鼓掌 박수 clapping cheering cheers laughter laughs laughing laugh
chuckle chuckles chuckling giggles giggling gelächter lachen rires rire risas risos risate gelach skratt latter
naurua nauru śmiech râsete smích nevetés kahkaha gülüşmeler gülme смех сміх γέλια γέλιο צחוק ضحك خنده हँसी हंसी
หัวเราะ เสียงหัวเราะ 笑い 笑 笑声 笑聲 웃음 coughs coughing cough sneezes sneezing sniffs sniffles sniffling snorts
snorting sighs sighing sigh gasps gasping gasp groans groaning grunts grunting screams screaming scream shouts
shouting whistling whistles whistle cries crying sobbing sobs moans moaning breathing exhales inhales yawns
burps hums humming whispering whispers booing boos beep beeps beeping bell bells ringing rings buzzing buzzer
static silence foreign chatter chattering murmuring jingle fanfare drumroll bleep click clicks clicking clatter
clattering thud thuds knocking typing engine räuspern husten seufzt hustet tos tosse toux soupir kašel vzdech
"""
_SOUND_WORDS = frozenset(_SOUND_WORDS_TEXT.split())
_SOUND_PHRASES = frozenset(
    (
        "clears throat", "clearing throat", "throat clearing", "tepuk tangan", "vỗ tay", "âm nhạc", "tiếng cười",
        "tiếng vỗ tay", "מחיאות כפיים", "no audio", "no speech", "no sound", "background noise",
        "speaking foreign language",
        "speaking in foreign language", "foreign language", "bip", "tertawa", "sound effect", "sound effects",
        "phone rings",
        "phone ringing", "door opens", "door closes", "crowd noise", "audience noise", "blank_audio", "blank audio",
    )
)  # fmt: skip
_SOUND_MANNER_TEXT = """
upbeat soft gentle light dramatic tense calm solemn cheerful lively electronic ambient instrumental rock
classical piano guitar intro outro theme opening closing background playing plays continues fades fade in out
stops starts audience crowd people all everyone both loud loudly quiet quietly heavy heavily deep deeply long
short and the with of a nervous nervously wild scattered rhythmic standing ovation continues singing lyrics
speaker host mic microphone door phone dog
"""
_SOUND_MANNER = frozenset(_SOUND_MANNER_TEXT.split())
_BRACKETED = re.compile(r"\[[^\[\]]{1,60}\]|\([^()]{1,60}\)|【[^【】]{1,30}】|（[^（）]{1,30}）|\*[a-z ]{3,30}\*")
_NOTES = re.compile(r"[♩♪♫♬🎵🎶]+")


def is_sound(label: str) -> bool:
    """Say whether what stands in brackets names a sound that is not speech.

    >>> [is_sound(text) for text in ("Music", "sighs and gasps", "Gelächter", "points to slide", " __ ", "inaudible")]
    [True, True, True, False, False, False]
    """
    text = unicodedata.normalize("NFC", label).strip(" .!:;,♪♫*_\t>-–").lower()
    if text in _SOUND_PHRASES or text in _SOUND_WORDS:
        return True
    words = [word.strip(".,!") for word in text.replace("/", " ").split()]
    if not words or len(words) > 5:
        return False
    for phrase in ("clears throat", "clearing throat"):
        text = text.replace(phrase, "sighs")
    words = [word.strip(".,!") for word in text.replace("/", " ").split()]
    return all(word in _SOUND_WORDS or word in _SOUND_MANNER for word in words) and any(
        word in _SOUND_WORDS for word in words
    )


def _without_sounds(part: _Part, counts: Counter[str]) -> Cue | None:
    tokens = part.tokens
    text = " ".join([token for token, _ in tokens])
    if "[" in text or "(" in text or "♪" in text or not text.isascii() or "*" in text:
        spans = [match.span() for match in _BRACKETED.finditer(text) if match[0][1:-1] and is_sound(match[0][1:-1])]
        counts["sounds"] += len(spans)
        notes = [match.span() for match in _NOTES.finditer(text)]
        counts["notes"] += len(notes)
        if spans or notes:
            tokens = _cut(tokens, sorted([*spans, *notes]))
            text = " ".join([token for token, _ in tokens])
            if not _says(text):
                counts["cues_of_sound_only"] += 1
                return None
    if not text:
        return None
    timed = bool(tokens) and all(time is not None for _, time in tokens)
    words = tuple(Word(token, time) for token, time in tokens if time is not None) if timed else ()
    start = part.start_ms
    if words and tokens[0] is not part.tokens[0] and words[0].start_ms > start:
        start = words[0].start_ms  # a label was cut off in front
    return Cue(start, max(part.end_ms, start), text, part.speaker, part.turn, words)


def _says(text: str) -> bool:
    return any(char.isalnum() or ord(char) > 0x2FFF for char in text)


def _cut(tokens: Sequence[_Token], spans: Sequence[tuple[int, int]]) -> tuple[_Token, ...]:
    """Take stretches of characters out of tokens joined by spaces."""
    out: list[_Token] = []
    at = 0
    for text, time in tokens:
        kept = "".join(char for i, char in enumerate(text, at) if not any(a <= i < b for a, b in spans))
        at += len(text) + 1
        if kept and (_says(kept) or kept == text):
            out.append((kept, time))
        elif kept and out:  # punctuation behind a label
            out[-1] = (out[-1][0] + kept, out[-1][1]) if kept in ".,!?;:" and out[-1][0][-1].isalnum() else out[-1]
    return tuple(out)


# --- names ----------------------------------------------------------------------------------------------------------


def _speakers(cues: list[Cue], transcript: Transcript, counts: Counter[str]) -> list[Cue]:
    """Take names before colons for speakers where the file as a whole says that they are, and mark their turns."""
    if not any(cue.speaker for cue in cues):
        bold = bold_names_in(cue.text for cue in cues)
        if bold:
            cues = list(_by_bold(cues, bold, transcript.timed))
        unnamed = [cue.text for cue in cues if cue.speaker is None]
        names = names_in(unnamed)
        if names:
            cues = [_named(cue, names) for cue in cues]
        if (names or bold) and transcript.format in ("text", "markdown", "record") and cues:
            cues = _carry_on(cues)
    named = [cue.speaker for cue in cues if cue.speaker]
    if named:
        counts["names"] = len(set(named))
        counts["cues_with_name"] = len(named)
    out = []
    last: str | None = None
    for cue in cues:
        if cue.speaker and last is not None and cue.speaker != last and not cue.turn:
            cue = replace(cue, turn=True)
        last = cue.speaker or last
        out.append(cue)
    return out


def _by_bold(cues: Sequence[Cue], names: frozenset[str], timed: bool) -> Iterator[Cue]:
    pending: str | None = None  # a name at the end of a cue, whose words begin the next
    for cue in cues:
        pieces: list[tuple[str | None, str]] = [(None, cue.text)]
        if "**" in cue.text:
            pieces = split_bold(cue.text, names)
        if pending and pieces and pieces[0][0] is None:
            pieces[0] = (pending, pieces[0][1])
        pending = pieces[-1][0] if pieces and not pieces[-1][1] else None
        groups = [([(word, None) for word in text.split(" ")], name, False) for name, text in pieces if text]
        if len(groups) == 1:
            text = next(text for _, text in pieces if text)
            yield replace(cue, text=text, speaker=groups[0][1], words=cue.words if text == cue.text else ())
            continue
        for part in _share(cue.start_ms, cue.end_ms, groups, cue.turn, timed) if groups else ():
            yield Cue(part.start_ms, part.end_ms, " ".join(word for word, _ in part.tokens), part.speaker, part.turn)


def _named(cue: Cue, names: frozenset[str]) -> Cue:
    found = label_of(cue.text) if cue.speaker is None else None
    if not found or found[0] not in names:
        return cue
    name, at = found
    text = cue.text[at:]
    if not text.strip():
        return cue
    gone = len(cue.text[:at].split())
    words = cue.words[gone:] if cue.words else ()
    if words and " ".join(word.text for word in words) != text:
        words = ()
    return replace(cue, text=text, speaker=name, words=words)


def _carry_on(cues: list[Cue]) -> list[Cue]:
    """In written transcripts a name stands once a turn: the lines up to the next name are of the same speaker."""
    out = []
    name: str | None = None
    for cue in cues:
        name = cue.speaker or name
        out.append(cue if cue.speaker or name is None else replace(cue, speaker=name))
    return out


# --- the last touch -------------------------------------------------------------------------------------------------


def tidy(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """Take out what `clean(final=False)` left for the text repair: C1 controls, soft hyphens, odd spaces."""
    out = []
    for cue in cues:
        if cue.text.isascii():
            out.append(cue)
            continue
        text = tidy_text(cue.text)
        if text == cue.text:
            out.append(cue)
            continue
        if not text:
            continue
        words = tuple(
            Word(piece, word.start_ms) for word in cue.words for piece in tidy_text(word.text).split(" ") if piece
        )
        if " ".join(word.text for word in words) != text:
            words = ()
        out.append(replace(cue, text=text, words=words))
    return tuple(out)


def tidy_text(text: str) -> str:
    """Remove characters that are never speech and make every space a plain one.

    Zero-width joiners stay between the letters of scripts that write with them, and in emoji.

    >>> tidy_text("a\\u200bb\\u00a0 c\\u202ed"), tidy_text("می\\u200cخواهم") == "می\\u200cخواهم"
    ('ab cd', True)
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    text = _DEBRIS.sub("", text)
    text = _SUSPECT.sub(lambda match: " " if match[0] == "\x85" else "", text)
    text = _JOINERS.sub(lambda match: match[0] if _joins(text, match.start()) else "", text)
    return " ".join(text.split())


def _joins(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not before or not after:
        return False
    return all(ord(char) >= 0x590 and not char.isspace() for char in (before, after))


def _in_order(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """Never let a start decrease or an end stand before its start; word times stay inside their cue's order."""
    out: list[Cue] = []
    last = 0
    for cue in cues:
        start = max(cue.start_ms, last)
        end = max(cue.end_ms, start)
        if (start, end) != (cue.start_ms, cue.end_ms):
            words = tuple(Word(word.text, max(word.start_ms, start)) for word in cue.words)
            cue = replace(cue, start_ms=start, end_ms=end, words=words)
        last = start
        out.append(cue)
    return tuple(out)
