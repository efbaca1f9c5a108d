"""Live captions that show a line again and again while it grows and is corrected: the last version counts.

Each cue of such a file repeats the line so far. The line is said once, from the time of its first version on; a word is
said when it first appeared in its place. Words that were corrected are left out, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

from talksearch.indexer.records import Json
from talksearch.indexer.text.counting import bag_of
from talksearch.indexer.text.sentences import ends_with_stop
from talksearch.indexer.text.terms import is_unspaced

from .markup import Row, Shown

_SCREEN = 80
"""Words. No screen of captions shows more at a time."""
_PAUSE_MS = 5_000
"""A line that goes on after a longer pause is another line."""
_VERSIONS = 3
"""A line that is shown in fewer versions may be two lines, of which the second repeats the first."""
_LONG_CHAIN = 5
"""One line of so many versions tells that the file grows; of fewer it takes two lines."""
_NEIGHBOURS = 8
"""How many cues on each side decide whether a stretch of a file grows."""
_CLOSE = 6
"""Pairs of cues among twice as many neighbours that go on with a line of at least three versions."""
_SLOW = 3.0
"""Words a second. What is shown more slowly may all have been said, repetitions too."""
_EXAMPLES = 20
"""Corrected words that a receipt lists."""
_ALIKE = 0.6
"""Share of letters that two words have in common where one corrects the other."""


@dataclass(frozen=True, slots=True)
class _Version:
    """The words of a cue as they are compared: small, without signs; in scripts without spaces single characters."""

    units: tuple[str, ...]
    owners: tuple[int, ...]
    """To which word of the cue each unit belongs."""


_NOTHING = _Version((), ())


def merge_revisions(shown: Sequence[Shown]) -> tuple[Sequence[Shown], dict[str, Json]]:
    """Make one cue of all the versions of a line.

    Only where captions grow: among the cues around at least half go on with the line of the cue before, and some lines
    have three versions or more. Speech that repeats itself has a stop behind every version, and time to be said.

    Returns the cues, and counts for the receipt: none where nothing grew.
    """
    grows = [_may_grow(before, cue) for before, cue in pairwise(shown)]
    places = _possible_lines(shown, grows)
    if not places:  # as in most files
        return shown, {}
    grows = _only_near(places, grows)
    pairs = [*grows, False]
    versions = [_version_of(cue) if pairs[i] or pairs[i - 1] else _NOTHING for i, cue in enumerate(shown)]
    follows = [may and _follows(a, b) for may, (a, b) in zip(grows, pairwise(versions), strict=True)]
    grown = [
        yes and a.units != b.units for yes, (a, b) in zip(follows, pairwise(versions), strict=True)
    ]  # not one that is only held
    chains = list(_chains(follows, len(shown)))
    sizes = [_size_of(versions[a:b], grown[a : b - 1]) for a, b in chains]
    strong = [size for size in sizes if size >= _VERSIONS]
    if not (len(strong) >= 2 or max(strong, default=0) >= _LONG_CHAIN) or _was_all_said(shown, chains, sizes):
        return shown, {}
    in_strong = list(grown)
    for (first, end), size in zip(chains, sizes, strict=True):
        if size < _VERSIONS:
            in_strong[first : end - 1] = [False] * (end - 1 - first)
    near = _where_it_grows(in_strong)
    out: list[Shown] = []
    merged: list[tuple[int, Sequence[Shown]]] = []
    for (first, end), size in zip(chains, sizes, strict=True):
        cues = shown[first:end]
        if size < 2 or not near[first] or (size < _VERSIONS and not _only_grows(versions[first:end])):
            out += cues
        else:
            merged.append((len(out), cues))
            out.append(_merged(cues, versions[first:end]))
    if not merged:
        return shown, {}
    folded: Counter[str] = Counter()
    corrected: Counter[str] = Counter()
    out, moved = _with_later_rows(out, corrected, folded)
    for place, cues in merged:
        last = bag_of(" ".join([*out[place].text_key, *moved.get(place, ())]))
        for cue in cues[:-1]:
            bag = bag_of(" ".join(cue.text_key))
            folded += bag & last
            corrected += bag - last
    detail: dict[str, Json] = {
        "cues_before": len(shown),
        "lines": len(merged),
        "words_folded": folded.total(),
        "words_corrected": corrected.total(),
    }
    if corrected:
        detail["corrected"] = list(corrected)[:_EXAMPLES]
    return out, detail


def _may_grow(before: Shown, cue: Shown) -> bool:
    """Say without much ado whether a cue may show the line of the one before again, with more or other words."""
    a, b = before.text_key, cue.text_key
    if not a or not b:
        return False
    if a[0] != b[0] and len(a) > 2 and a[1:3] != b[1:3] and a[0].casefold() != b[0].casefold():
        return False
    if len(a) > _SCREEN or len(b) > _SCREEN or not before.start_ms <= cue.start_ms <= before.end_ms + _PAUSE_MS:
        return False
    fewer = min(len(a), len(b))
    if fewer <= 2:
        return a[0][0].casefold() == b[0][0].casefold()
    return sum(x == y for x, y in zip(a, b, strict=False)) * 2 >= fewer - 1


def _possible_lines(shown: Sequence[Shown], grows: Sequence[bool]) -> list[int]:
    """Return the pairs of cues that may belong to lines of so many versions as it takes (`_VERSIONS`).

    None where nowhere enough of them are close together: where lines roll, a cue goes on with the one before every
    other time, which makes two versions of each.
    """
    places: list[int] = []
    run: list[int] = []
    for position, yes in enumerate([*grows, False]):
        if not yes:
            places += run if len(run) >= _VERSIONS - 1 else []
            run = []
        elif shown[position].text_key != shown[position + 1].text_key:
            run.append(position)
    least = min(_CLOSE, len(grows) // 2)
    close = any(b - a <= 2 * _NEIGHBOURS for a, b in zip(places, places[least - 1 :], strict=False))
    return places if close and len(places) >= max(least, _VERSIONS) else []


def _only_near(places: Sequence[int], grows: Sequence[bool]) -> list[bool]:
    """Forget pairs that are far from those that may belong to a line, so that they need not be looked at."""
    near = [False] * len(grows)
    for place in places:
        a, b = max(0, place - 2 * _NEIGHBOURS), min(len(grows), place + 2 * _NEIGHBOURS)
        near[a:b] = [True] * (b - a)
    return [yes and close for yes, close in zip(grows, near, strict=True)]


def _version_of(cue: Shown) -> _Version:
    units: list[str] = []
    owners: list[int] = []
    for position, token in enumerate(cue.text_key):
        plain = token.casefold()
        if not plain.isalnum():
            plain = "".join(char for char in plain if char.isalnum())
        if plain.isascii():
            if plain:
                units.append(plain)
                owners.append(position)
            continue
        for unit in plain if any(map(is_unspaced, plain)) else [plain]:
            units.append(unit)
            owners.append(position)
    return _Version(tuple(units), tuple(owners))


def _follows(before: _Version, cue: _Version) -> bool:
    """Say whether a cue shows the line of the one before: longer, with other words, or the same."""
    v, w = before.units, cue.units
    if not v or not w:
        return False
    shared = 0
    for a, b in zip(v, w, strict=False):
        if a != b:
            break
        shared += 1
    if _goes_on(v, w):
        return True
    if len(w) < len(v) and (len(w) < 3 or len(w) * 5 < len(v) * 3 or (shared == len(w) and len(v) - len(w) > 2)):
        return False  # a line that begins anew
    if not shared and _scrolls(v, w):
        return False
    kept = sum(block.size for block in SequenceMatcher(None, v, w, autojunk=False).get_matching_blocks())
    if kept * 3 >= len(v) * 2 or (shared >= 2 and kept * 2 >= len(v)):
        return True
    return len(v) <= 2 and len(w) <= len(v) + 2 and _are_alike(before, cue)


def _are_alike(before: _Version, cue: _Version) -> bool:
    """Say whether the letters of one may correct those of the other."""
    return SequenceMatcher(None, "".join(before.units), "".join(cue.units), autojunk=False).ratio() >= _ALIKE


def _only_grows(versions: Sequence[_Version]) -> bool:
    return all(b.units[: len(a.units)] == a.units for a, b in pairwise(versions))


def _scrolls(v: tuple[str, ...], w: tuple[str, ...]) -> bool:
    """Say whether the second begins with the end of the first, as when lines move up."""
    return any(v[-size:] == w[:size] for size in range(1, min(len(v), len(w)) + 1))


def _chains(follows: Sequence[bool], count: int) -> Iterator[tuple[int, int]]:
    """Yield where each line begins and ends among the cues."""
    first = 0
    for position in range(1, count):
        if not follows[position - 1]:
            yield first, position
            first = position
    yield first, count


def _size_of(versions: Sequence[_Version], grown: Sequence[bool]) -> int:
    """Count the versions of a line; 1 where most do not go on from the one before, as the verses of a litany."""
    only_longer = sum(_goes_on(a.units, b.units) and a.units != b.units for a, b in pairwise(versions))
    return sum(grown) + 1 if only_longer * 2 >= sum(grown) else 1


def _goes_on(v: tuple[str, ...], w: tuple[str, ...]) -> bool:
    """Say whether the second begins with the first, whose last word may have been heard in part."""
    last = len(v) - 1
    return w[:last] == v[:last] and len(w) > last and w[last].startswith(v[last])


def _was_all_said(shown: Sequence[Shown], chains: Sequence[tuple[int, int]], sizes: Sequence[int]) -> bool:
    """Say whether the versions of lines are sentences that a speaker repeats, longer each time.

    Most of them end with a stop, and there is time to say them all.
    """
    stops = versions = words = length_ms = 0
    for (first, end), size in zip(chains, sizes, strict=True):
        if size < _VERSIONS:
            continue
        for cue in shown[first : end - 1]:
            versions += 1
            stops += ends_with_stop(cue.text_key[-1])
        words += sum(len(cue.text_key) for cue in shown[first:end])
        length_ms += shown[end - 1].end_ms - shown[first].start_ms
    return stops * 2 > versions and words * 1000 <= _SLOW * length_ms


def _where_it_grows(grown: Sequence[bool]) -> list[bool]:
    """Say for each cue whether at least half of the pairs before, behind or around it go on with a line.

    `grown`: for each pair of cues whether it belongs to a line of enough versions (`_VERSIONS`).
    """
    sums = [0]
    for yes in grown:
        sums.append(sums[-1] + yes)
    near = []
    for position in range(len(grown) + 1):
        windows = [
            (max(0, position - before), min(len(grown), position + behind))
            for before, behind in ((_NEIGHBOURS, _NEIGHBOURS), (2 * _NEIGHBOURS, 0), (0, 2 * _NEIGHBOURS))
        ]
        near.append(any(b > a and (sums[b] - sums[a]) * 2 >= b - a for a, b in windows))
    return near


def _merged(cues: Sequence[Shown], versions: Sequence[_Version]) -> Shown:
    """Return the last version, from the time of the first on, with the time when each word first appeared."""
    first, last = cues[0], cues[-1]
    merged = replace(last, start_ms=first.start_ms, turn=any(cue.turn for cue in cues))
    if len({cue.start_ms for cue in cues}) == 1 or any(time is not None for row in last.rows for _, time in row.tokens):
        return merged
    times = [first.start_ms] * len(versions[0].units)
    for (before, version), cue in zip(pairwise(versions), cues[1:], strict=True):
        times = _carried_on(before.units, version.units, times, cue.start_ms)
    return replace(merged, rows=tuple(_timed_rows(last.rows, versions[-1], times, first.start_ms)))


def _timed_rows(rows: Sequence[Row], version: _Version, times: Sequence[int], start_ms: int) -> list[Row]:
    """Give every word of rows the time of its first unit; a sign that is no word has the time before it."""
    by_word: dict[int, int] = {}
    for owner, time in zip(version.owners, times, strict=True):
        by_word.setdefault(owner, time)
    timed: list[Row] = []
    position, latest = 0, start_ms
    for row in rows:
        tokens = []
        for text, _ in row.tokens:
            latest = max(latest, by_word.get(position, latest))
            tokens.append((text, latest))
            position += 1
        timed.append(Row(tuple(tokens), row.speaker, row.named, row.key))
    return timed


def _with_later_rows(
    cues: Sequence[Shown], corrected: Counter[str], folded: Counter[str]
) -> tuple[list[Shown], dict[int, tuple[str, ...]]]:
    """Let a row be as it stands above the next one, where it was corrected when it moved up, and stand there once.

    `corrected` and `folded` are added to: the words of rows that are replaced. Returns the cues, and the words that no
    longer stand in one, by its place: they stand in the one before.
    """
    out = list(cues)
    moved: dict[int, tuple[str, ...]] = {}
    for position, (before, cue) in enumerate(pairwise(cues)):
        if len(cue.rows) != 2 or not before.rows or cue.rows[0].key == before.rows[-1].key:
            continue
        old, new = before.rows[-1], cue.rows[0]
        a, b = _row_version(old), _row_version(new)
        if abs(len(a.units) - len(b.units)) > 1 or not _are_alike(a, b):
            continue
        known = [before.start_ms if (ms := old.tokens[owner][1]) is None else ms for owner in a.owners]
        times = _carried_on(a.units, b.units, known, before.end_ms)
        row = _timed_rows([new], b, times, before.start_ms)[0]
        out[position] = _with_rows(out[position], (*out[position].rows[:-1], row))
        out[position + 1] = _with_rows(cue, cue.rows[1:])
        moved[position + 1] = new.key
        bag, later = bag_of(" ".join(old.key)), bag_of(" ".join(new.key))
        folded += bag & later
        corrected += bag - later
    return out, moved


def _with_rows(cue: Shown, rows: tuple[Row, ...]) -> Shown:
    return replace(cue, rows=rows, text_key=tuple(word for row in rows for word in row.key))


def _row_version(row: Row) -> _Version:
    return _version_of(Shown(0, 0, (row,), text_key=row.key))


def _carried_on(v: tuple[str, ...], w: tuple[str, ...], times: Sequence[int], now_ms: int) -> list[int]:
    """Return when each unit of a version first stood in its place, from what is known of the version before."""
    out: list[int] = []
    for kind, a, b, c, d in SequenceMatcher(None, v, w, autojunk=False).get_opcodes():
        known = list(times[a:b])[: d - c] if kind in ("equal", "replace") else []
        out += known + [now_ms] * (d - c - len(known))
    return out
