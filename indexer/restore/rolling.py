"""Rolling captions, which show every line two or three times, to cues that hold each line once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from talksearch.indexer.readers.cue_times import count_units
from talksearch.indexer.readers.pace import FASTEST
from talksearch.indexer.records import Json

from .markup import Row, Shown, row_of, says

HELD_MS = 50
"""YouTube holds the finished line for 10 ms before the next is written below it; nobody says anything in that time."""
_SCREEN = 60
"""Words. No screen of captions shows more at a time."""
_TALL_SHARE = 10
"""A file has three rows where more than one cue in so many has."""
_COPIES = 3
"""A line that is shown again twice, faster than it can be said, is not said again."""
_STAYING = 12
"""Pairs of cues that overlap may be so by chance where there are fewer."""
_NEIGHBOURS = 8
"""How many cues on each side decide whether a stretch of a file rolls."""
_FEWEST_JOINED = 4
"""Cues of one row begin with the end of the cue before by chance where there are fewer that do."""
_LONGEST_SHORT_LINE_MS = 5_000
"""A line that was first seen for some milliseconds is said within this time."""


@dataclass(frozen=True, slots=True)
class _Regime:
    """How the captions of a file roll."""

    by_rows: bool
    """Read from the rows of cues; else from whole cues, whose rows a converter joined into one line."""
    rolls: Sequence[bool]
    """Whether the file rolls there, for each pair of neighbouring cues (n - 1)."""
    tall: bool
    """The screen has three rows or more, so that an empty one at the top only is not filled yet."""
    touching: bool
    """Cues follow each other without a gap, so that a gap is a cleared screen whose empty cue was dropped."""


@dataclass(slots=True)
class _Roll:
    """Rolling captions, taken in cue by cue: what is new in each."""

    cues: list[Shown] = field(default_factory=list)
    """Cues with only the rows that were new on the screen."""
    times_shown: list[int] = field(default_factory=list)
    """For each line so far, in how many cues it stood."""
    folded: int = 0
    """Rows that were left out, because they stood on the screen already."""
    last_added: tuple[str, ...] = ()
    """The words that the last cue with something new added, as long as the screen was not cleared."""

    def clear_screen(self) -> None:
        """Take in that what was shown is gone."""
        self.last_added = ()

    def add(self, cue: Shown, new: tuple[Row, ...]) -> None:
        """Take in a cue, whose rows are `new` or stood there before it."""
        carried = len(cue.rows) - len(new) or int(new != cue.rows)  # a part of a joined row is a line too
        self.folded += carried
        for line in range(max(0, len(self.times_shown) - carried), len(self.times_shown)):
            self.times_shown[line] += 1
        if not new:
            self._hold(cue.end_ms)
            return
        self.last_added = tuple(token for row in new for token in row.key)
        self.times_shown += [1] * len(new)
        self.cues.append(replace(cue, rows=new) if carried else cue)

    def _hold(self, end_ms: int) -> None:
        """Let a line that was first seen for some milliseconds last as long as it stays."""
        if self.cues and self.cues[-1].end_ms - self.cues[-1].start_ms <= HELD_MS:
            self.cues[-1] = replace(self.cues[-1], end_ms=max(self.cues[-1].end_ms, end_ms))


def collapse(shown: Sequence[Shown]) -> tuple[list[Shown], dict[str, Json]]:
    """Undo rolling: keep of every cue the rows that are new on the screen.

    A row is not new when it is what the cue before left there. That is read from the order of rows and cues, never
    from the words inside a row, and only where the file rolls: among the cues around (`_NEIGHBOURS` on each side) at
    least half begin with the row that the cue before ended with. Where rows were joined into one line, the same is
    read from whole cues: one that begins with what the cue before added. A line that is said twice is shown twice by
    YouTube too, the second time below the first.

    Returns the cues, and counts for the receipt: none where nothing rolled.
    """
    cues, twins = _without_twins(list(shown))
    cues, unspoken = _without_unspoken(cues)
    twins += unspoken
    regime = _regime_of(cues)
    roll = _Roll()
    for position, cue in enumerate(cues):
        if not cue.rows:
            continue
        before = cues[position - 1] if position else None
        if before is None or not before.rows or (regime.touching and before.end_ms < cue.start_ms):
            roll.clear_screen()
            roll.add(cue, cue.rows)
        else:
            roll.add(cue, _new_rows(cues, position, regime, roll.last_added))
    stays = not roll.folded and _lines_stay(cues)
    if not roll.folded and not twins and not stays:
        return [cue for cue in shown if cue.rows], {}
    collapsed = _clip(roll.cues) if roll.folded or stays else roll.cues
    words_before = sum(len(cue.text_key) for cue in shown)
    words_after = sum(len(row.tokens) for cue in collapsed for row in cue.rows)
    detail: dict[str, Json] = {
        "lines_before": sum(len(cue.rows) for cue in shown),
        "lines_after": sum(len(cue.rows) for cue in collapsed),
        "words_before": words_before,
        "words_after": words_after,
        "words_folded": words_before - words_after,
        "lines_shown_times": {str(times): lines for times, lines in sorted(Counter(roll.times_shown).items())},
        "cues_standing_twice": twins,
    }
    if stays:
        detail["lines_that_stayed"] = len(collapsed)
    return collapsed, detail


def _regime_of(cues: Sequence[Shown]) -> _Regime:
    pairs = list(pairwise(cues))
    # Rows joined into one line by a converter leave hardly a cue of two rows.
    by_rows = sum(len(cue.rows) > 1 or cue.top_empty for cue in cues) * 5 > sum(bool(cue.rows) for cue in cues)
    if by_rows:
        rolls = _where_it_rolls([_row_evidence(before, cue) for before, cue in pairs])
    else:
        rolls = _where_it_rolls([_joined_evidence(before, cue) for before, cue in pairs], least=_FEWEST_JOINED)
    tall = sum(len(cue.rows) > 2 for cue in cues) * _TALL_SHARE > sum(bool(cue.rows) for cue in cues)
    touching = sum(before.end_ms == cue.start_ms for before, cue in pairs) * 10 >= len(pairs) * 8
    return _Regime(by_rows, rolls, tall, touching)


def _new_rows(cues: Sequence[Shown], position: int, regime: _Regime, last_added: tuple[str, ...]) -> tuple[Row, ...]:
    """Return the rows of a cue that the one before did not leave on the screen.

    Args:
        cues: all cues.
        position: of the cue; the screen was not cleared since the one before it.
        regime: how the captions roll.
        last_added: the words of the line that was added last.
    """
    before, cue = cues[position - 1], cues[position]
    if _is_held(before, cue):
        return ()
    if not regime.rolls[position - 1]:
        return cue.rows
    if regime.by_rows:
        return cue.rows[_carried(before, cue, _is_held_at(cues, position - 1), regime.tall) :]
    return _joined_new(before, cue, last_added) if len(cue.rows) == 1 and not cue.top_empty else cue.rows


def _without_twins(shown: list[Shown]) -> tuple[list[Shown], int]:
    """Drop a cue that has time, voices and text of the one before: a track that was written twice."""
    kept = shown[:1]
    for cue in shown[1:]:
        last = kept[-1]
        if not (
            cue.start_ms == last.start_ms
            and cue.end_ms == last.end_ms
            and cue.text_key == last.text_key
            and cue.rows
            and [row.speaker for row in cue.rows] == [row.speaker for row in last.rows]
        ):
            kept.append(cue)
    return kept, len(shown) - len(kept)


def _without_unspoken(cues: list[Shown]) -> tuple[list[Shown], int]:
    """Let one cue stand for those that show the same again and again, too shortly for anybody to say it so often.

    So captions are that mark word by word what is said, when their marks are lost.
    """
    kept: list[Shown] = []
    place = 0
    while place < len(cues):
        first = last = cues[place]
        end = place + 1
        while end < len(cues) and cues[end].text_key == first.text_key and cues[end].start_ms - last.end_ms <= HELD_MS:
            last = cues[end]
            end += 1
        copies = end - place
        if copies >= _COPIES and first.rows:
            units = count_units(" ".join(first.text_key))
            if units * copies * 1000 > FASTEST * (last.end_ms - first.start_ms):
                kept.append(replace(first, end_ms=max(first.end_ms, last.end_ms)))
                place = end
                continue
        kept += cues[place:end]
        place = end
    return kept, len(cues) - len(kept)


def _lines_stay(cues: Sequence[Shown]) -> bool:
    """Say whether every line stays on the screen while the one below is written: times roll, though no words do.

    So YouTube's own tracks have it where each line is a cue of its own. Where people talk over each other only some
    cues overlap.
    """
    pairs = [(before, cue) for before, cue in pairwise(cues) if len(before.rows) == 1 and len(cue.rows) == 1]
    over = sum(before.start_ms < cue.start_ms < before.end_ms <= cue.end_ms for before, cue in pairs)
    return len(pairs) >= _STAYING and over * 5 >= len(pairs) * 4


def _is_held(before: Shown, cue: Shown) -> bool:
    """Say whether a cue only holds rows that the one before ended with: too short for anybody to speak."""
    if cue.end_ms - cue.start_ms > HELD_MS or before.end_ms - before.start_ms <= HELD_MS:
        return False
    n = len(cue.rows)
    return _keys(cue.rows) == _keys(before.rows[-n:]) or (n == 1 and _ends_with(before.text_key, cue.text_key))


def _is_held_at(cues: Sequence[Shown], i: int) -> bool:
    return i > 0 and bool(cues[i - 1].rows) and _is_held(cues[i - 1], cues[i])


def _keys(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    return [row.key for row in rows]


def _ends_with(whole: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return bool(part) and whole[-len(part) :] == part


def _row_evidence(before: Shown, cue: Shown) -> bool | None:
    """Say whether a pair of cues rolls by rows.

    None where it tells nothing: a single row, the same words everywhere, or the same screen again, which a prayer or a
    chorus shows too.
    """
    if not before.rows or not cue.rows:
        return None
    if _is_held(before, cue):
        return True if _keys(cue.rows) == _keys(before.rows[-len(cue.rows) :]) else None
    if len(cue.rows) < 2 or cue.top_empty:
        return None
    last = before.rows[-1].key
    if len({*_keys(before.rows), *_keys(cue.rows)}) == 1 or _keys(before.rows) == _keys(cue.rows):
        return None
    return cue.rows[0].key == last or any(
        _keys(before.rows[-k:]) == _keys(cue.rows[:k]) for k in range(2, min(len(before.rows), len(cue.rows)) + 1)
    )


def _joined_evidence(before: Shown, cue: Shown) -> bool | None:
    """Say whether a cue of one row begins with the end of the one before, or with all of it, and goes on."""
    if len(before.rows) != 1 or len(cue.rows) != 1:
        return None
    if _is_held(before, cue):
        return True
    if before.text_key == cue.text_key:
        return None
    if cue.start_ms - before.end_ms > HELD_MS or len(cue.text_key) > _SCREEN:
        return False
    shared = _overlap(before.text_key, cue.text_key)
    words = sum(says(word) for word in cue.text_key[:shared])
    # One word may follow itself by chance; a line has more, or is all that was shown.
    return words > 1 or (words == 1 and shared == min(len(before.text_key), len(cue.text_key)))


def _overlap(before: tuple[str, ...], cue: tuple[str, ...]) -> int:
    """Return the length of the longest end of the first that begins the second."""
    for length in range(min(len(before), len(cue)), 0, -1):
        if before[-length:] == cue[:length]:
            return length
    return 0


def _where_it_rolls(evidence: Sequence[bool | None], least: int = 1) -> list[bool]:
    """Say for each pair of cues whether at least half of the telling pairs around it speak for rolling."""
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
        out.append(yes[b] > yes[a] and (yes[b] - yes[a]) * 2 >= telling[b] - telling[a])
    return out


def _carried(before: Shown, cue: Shown, held: bool, tall: bool) -> int:
    """Return how many rows of a cue were left there by the one before it.

    Args:
        before: the cue before it.
        cue: the cue.
        held: the cue before it only held rows.
        tall: the screen has three rows or more.
    """
    if cue.top_empty and not tall:
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


def _joined_new(before: Shown, cue: Shown, last_new: tuple[str, ...]) -> tuple[Row, ...]:
    """Return what a joined cue adds behind the line that the cue before added, or behind their longest overlap."""
    key = cue.text_key
    if last_new and key[: len(last_new)] == last_new and _ends_with(before.text_key, last_new):
        carried = len(last_new)
    else:
        carried = _overlap(before.text_key, key)
    if not carried:
        return cue.rows
    rest = cue.rows[0].tokens[carried:]
    return (row_of(rest, cue.rows[0].speaker),) if rest else ()


def _clip(cues: Sequence[Shown]) -> list[Shown]:
    """End a line where the next one begins: it stays on the screen longer, but the speaker has gone on."""
    out = []
    for i, cue in enumerate(cues):
        following = cues[i + 1].start_ms if i + 1 < len(cues) else None
        end = cue.end_ms
        if following is not None and end > following:
            end = max(following, cue.start_ms)
        elif following is not None and end - cue.start_ms <= HELD_MS:
            end = max(min(following, cue.start_ms + _LONGEST_SHORT_LINE_MS), cue.start_ms)
        out.append(cue if end == cue.end_ms else replace(cue, end_ms=end))
    return out
