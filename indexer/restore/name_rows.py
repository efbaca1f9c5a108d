"""Names on rows of their own and in brackets: `Ana Ruiz`, `- Ana Ruiz -`, `(Ana Ruiz)`, `[Ana Ruiz] words`.

Captions and transcripts write who speaks in many places. A row says little: `Good Evening` above a second row, or
`[Applause]` before words, looks the same. So the names are decided from the file as a whole: they come back, and they
are most of what stands in that place. They are found and taken while the cues still have their rows; a cue is cut where
another voice begins in it. Names before a colon at the beginning of cues are left to `speaker_names`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from talksearch.indexer.readers.registry import format_named
from talksearch.indexer.records import Json, Transcript
from talksearch.indexer.text.lone_names import is_a_role, is_anybody, may_be_a_lone_name, returning
from talksearch.indexer.text.speaker_labels import label_of, names_in

from .markup import Row, Shown, Token, row_of, says
from .sound_labels import is_sound

_LEAD = r"(?:(?:(?<!>)>>+|&gt;&gt;)[ ]?|[-‐‑–—−][ ]?(?=[\[(（【<{]))?"
_BRACKETED = re.compile(
    rf"{_LEAD}(?:\[(?P<square>[^\[\]]+)\]|\((?P<round>[^()]+(?:\([^()]*\))?)\)|<(?P<angle>[^<>]+)>|\{{(?P<curly>[^{{}}]+)\}}"
    r"|（(?P<wide>[^（）]+)）|【(?P<lens>[^【】]+)】|［(?P<full>[^［］]+)］)[ ]?[:：]?[ ]?"
)
_BETWEEN_DASHES = re.compile(
    r"(?P<dash>[-‐‑–—−=~*_#|]{1,4})[ ]?(?P<name>[^\W\d_].*?)[ ]?[:：]?[ ]?(?P<end>[-‐‑–—−=~*_#|]{1,4})[:：]?"
)
_SEPARATED = re.compile(r"(?P<name>[^\W\d_][^–—|>\n]{0,50}?)(?:[ ][-–—|~][ ]|[ ]?>[ ])(?=\S)")
_ALONE = re.compile(r"(?:>>+[ ]?)?(?P<name>[^\W_].*?)[ ]?(?P<colon>[:：]?)")
_OPENING = "[(<{（【［"
_STOPS = '.!?…。！？"”»)]）】］—–-'
_LONE_DASHES = ("-", "‐", "–", "—", ">>")
_MOST_TOKENS = 9
"""Tokens of a row that may be a name: five words, a role, marks."""
_FEW = 0.1
"""Of the cues, below which names in brackets are few: then they must come back three times, and be two."""
_RESTS = 4
"""Three of four rows below names are different ones."""
_OFTEN = 6
"""Rows that come back so often, each three times, are names whatever stands below."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """What may be a name at the beginning of a row."""

    name: str
    end: int
    """Characters of the row until the words behind it, 0 words behind where it is all."""
    sure: bool = False
    """It stands between marks or before a colon, not bare."""


def find_name_rows(shown: Sequence[Shown], transcript: Transcript) -> dict[str, Json]:
    """Find the names that stand alone on rows, in brackets, or before a colon on a second row of a cue.

    Returns what `take_name_rows` needs: `rows`, `brackets`, `labels` and `carried_on`; nothing where there are none, or
    where speakers are known already.
    """
    if are_timed_by_word(shown) or any(row.speaker for cue in shown for row in cue.rows):
        return {}
    known = format_named(transcript.format)
    carries_on = known is not None and known.names_carry_on
    untimed = not transcript.timed
    brackets = _names_in_brackets(shown, untimed)
    rows = _names_on_rows(shown, untimed, brackets)
    labels = frozenset[str]() if brackets or rows else _labels_inside(shown)
    separated = frozenset[str]() if brackets or rows or labels else _names_before_dashes(shown)
    if not (brackets or rows or labels or separated):
        return {}
    return {
        "rows": sorted(rows),
        "brackets": sorted(brackets),
        "labels": sorted(labels),
        "separated": sorted(separated),
        "carried_on": carries_on,
    }


def are_timed_by_word(shown: Sequence[Shown]) -> bool:
    """Say whether many cues have the times of their words: recognition wrote them, which writes no names or notices."""
    timed = sum(cue.rows[-1].tokens[-1][1] is not None for cue in shown if cue.rows)
    return timed * 4 > len(shown)


def take_name_rows(shown: Sequence[Shown], names: dict[str, Json], counts: Counter[str]) -> list[Shown]:
    """Take the names that `find_name_rows` found for speakers of the rows behind them.

    `counts` is added to: `cues_with_name`.
    """
    return list(_Taking(names, counts).cues(shown))


class _Taking:
    """Names being taken out of the rows of cues, one cue after the other."""

    def __init__(self, names: dict[str, Json], counts: Counter[str]) -> None:
        self._rows, self._brackets, self._labels, self._separated = (
            frozenset(names[key]) for key in ("rows", "brackets", "labels", "separated")
        )
        self._carried_on = bool(names["carried_on"])
        self._counts = counts
        self._inside = _inside_pattern(self._brackets, self._labels)

    def cues(self, shown: Sequence[Shown]) -> Iterator[Shown]:
        """Yield the cues that say something, their rows without names and with speakers."""
        last: str | None = None
        """Whoever spoke last, where names carry on."""
        pending: str | None = None
        """A name whose words stand in the cues behind it."""
        for cue in shown:
            begins = pending or (last if self._carried_on else None)
            rows, named, voice = self._taken(cue, begins)
            if named:
                self._counts["cues_with_name"] += 1
            if named and not rows:
                pending = voice
                continue
            pending = None
            last = voice or last
            if rows == cue.rows:
                yield cue
            elif rows:
                key = tuple(token for row in rows for token in row.key)
                yield replace(cue, rows=rows, text_key=key)

    def _taken(self, cue: Shown, voice: str | None) -> tuple[tuple[Row, ...], bool, str | None]:
        """Return the rows of a cue that are left, whether a name was taken, and who speaks last."""
        rows: list[Row] = []
        named = False
        last_row = len(cue.rows) - 1
        for position, row in enumerate(cue.rows):
            if row.speaker or row.tokens[-1][1] is not None:
                rows.append(row)
                continue
            if named and _is_another(row):
                voice = None
            for name, tokens in self._pieces(row, alone_counts=position < last_row or position == 0):
                if name:
                    named, voice = True, name
                if tokens:
                    is_plain = tokens == row.tokens and voice is None and not named
                    rows.append(row if is_plain else row_of(tokens, voice, bool(name) or voice is None))
        if named and len(rows) > 1:  # a row of one dash between two turns
            said = [row for row in rows if any(says(token) for token in row.key)]
            rows = said or rows
        return tuple(rows), named, voice

    def _pieces(self, row: Row, *, alone_counts: bool) -> Iterator[tuple[str | None, tuple[Token, ...]]]:
        """Cut a row at the names in it: pairs of a name (None: whoever spoke before) and the words behind it."""
        text = " ".join(row.key)
        if not self._may_hold(text):
            yield None, row.tokens
            return
        opening = self._opening(text, alone_counts)
        cuts = [(opening.name, 0, opening.end)] if opening else []
        if self._inside:
            done = cuts[0][2] if cuts else 0
            for match in self._inside.finditer(text, done):
                before = text[: match.start()].rstrip()
                if before and len(before) > done and before[-1] in _STOPS:
                    name = next(group for group in match.groups() if group is not None)
                    cuts.append((name.strip(), match.start(), match.end()))
        if not cuts:
            yield None, row.tokens
            return
        if cuts[0][1]:
            yield None, _between(row.tokens, 0, cuts[0][1])
        for (name, start, end), until in zip(cuts, [*(cut[1] for cut in cuts[1:]), len(text)], strict=True):
            kept = _between(row.tokens, end, until)
            mark = _mark_before(row.tokens, kept) if start == 0 else ()
            if until < len(text) and kept and kept[-1][0] in _LONE_DASHES:
                kept = kept[:-1]
            yield name, (*mark, *kept)

    def _may_hold(self, text: str) -> bool:
        return (
            bool(self._rows or self._separated) or text[0] in _OPENING or any(char in text for char in "[(<{（【［>:：")
        )

    def _opening(self, text: str, alone_counts: bool) -> _Opening | None:
        if self._brackets and (found := _bracketed(text)) and found.name in self._brackets:
            return found
        if self._rows and alone_counts and (found := _alone(text)) and found.name in self._rows:
            return found
        if self._separated and (found := _separated(text)) and found.name in self._separated:
            return found
        if self._labels and (label := label_of(text)) and label[0] in self._labels:
            return _Opening(label[0], label[1], sure=True)
        return None


def _is_another(row: Row) -> bool:
    """Say whether a row begins with a dash of dialogue: behind a row of somebody who is named, another speaks."""
    first, *rest = row.key
    return first in _LONE_DASHES and bool(rest) and rest[0].lstrip("\"'“‘¿¡(…")[:1].isupper()


def _mark_before(tokens: Sequence[Token], kept: Sequence[Token]) -> tuple[Token, ...]:
    """Return the mark of another voice (`>>`, a dash) that stands before a name, where it still means something."""
    first = tokens[0][0]
    if first.startswith(">>") and kept:
        return ((">>", tokens[0][1]),)
    opens = bool(kept) and kept[0][0].lstrip("\"'“‘¿¡(…")[:1].isupper()
    return (("-", tokens[0][1]),) if first[0] in "-‐–" and len(first) == 1 and opens else ()


def _between(tokens: Sequence[Token], start: int, end: int) -> tuple[Token, ...]:
    """Return the tokens, joined by spaces, between two characters; one that is cut keeps what is inside."""
    out: list[Token] = []
    position = 0
    for text, time in tokens:
        kept = text[max(start - position, 0) : max(end - position, 0)]
        position += len(text) + 1
        if kept:
            out.append((kept, time))
    return tuple(out)


def _inside_pattern(brackets: frozenset[str], labels: frozenset[str]) -> re.Pattern[str] | None:
    """Return what finds names that are known in the middle of a row."""
    parts = []
    if brackets:
        names = "|".join(re.escape(name) for name in sorted(brackets, key=len, reverse=True))
        parts.append(rf"[\[(<{{（【［][ ]?({names})[ ]?[\])>}}）】］][ ]?[:：]?[ ]?")
    if labels:
        names = "|".join(re.escape(name) for name in sorted(labels, key=len, reverse=True))
        parts.append(rf"(?<![^\W_])({names})[ ]?(?::(?=\s|$)|：)[ ]?")
    return re.compile("|".join(parts)) if parts else None


# --- what may be names ----------------------------------------------------------------------------------------------


def _bracketed(text: str) -> _Opening | None:
    match = _BRACKETED.match(text)
    if not match:
        return None
    name = " ".join(next(group for group in match.groups() if group is not None).rstrip(" :：").split())
    return _Opening(name, match.end(), sure=True)


def _bracketed_inside(text: str, start: int) -> list[str]:
    """Return what may be names in brackets behind the end of a sentence, on a row that begins with one."""
    names = []
    for match in _BRACKETED.finditer(text, start):
        name = next(group for group in match.groups() if group is not None).strip()
        if text[: match.start()].rstrip()[-1:] in _STOPS and len(name.split()) > 1 and may_be_a_lone_name(name):
            names.append(name)
    return [name for name in names if not _is_named_sound(name)]


def _alone(text: str) -> _Opening | None:
    """Return the name that a row may be, bare or between dashes."""
    match = _BETWEEN_DASHES.fullmatch(text)
    if match:
        return _Opening(match["name"].strip(), len(text), sure=True)
    match = _ALONE.fullmatch(text)
    return _Opening(match["name"].strip(), len(text), sure=bool(match["colon"])) if match else None


def _separated(text: str) -> _Opening | None:
    """Return the name that may stand before a dash, a bar or a pointed bracket, and words."""
    match = _SEPARATED.match(text)
    return _Opening(match["name"].strip(), match.end()) if match else None


def _is_named_sound(name: str) -> bool:
    return is_sound(name) or any(is_sound(word) for word in name.split() if len(name.split()) < 4)


def _names_in_brackets(shown: Sequence[Shown], untimed: bool) -> frozenset[str]:
    """Decide which texts in brackets before words are names of speakers.

    They look like names, most of them come back, words follow them, and two take turns, or one speaks nearly always.
    """
    found: Counter[str] = Counter()
    others = before_colon = begun = 0
    with_words: Counter[str] = Counter()
    cues = 0
    for number, cue in enumerate(shown):
        if not cue.rows or cue.rows[0].tokens[-1][1] is not None:
            continue
        cues += 1
        for position, row in enumerate(cue.rows):
            if row.key[0][0] not in "[(<{（【［>-–—‐&":
                continue
            text = " ".join(row.key)
            opening = _bracketed(text)
            if not opening:
                continue
            if not (may_be_a_lone_name(opening.name) or is_a_role(opening.name)) or _is_named_sound(opening.name):
                others += not is_sound(opening.name)
                continue
            found.update([opening.name, *_bracketed_inside(text, opening.end)])
            begun += 1
            before_colon += label_of(text) is not None
            follows = says(text[opening.end :]) or position + 1 < len(cue.rows)
            if not follows and untimed and number + 1 < len(shown):
                follows = bool(shown[number + 1].rows) and shown[number + 1].rows[0].key[0][0] not in _OPENING
            with_words[opening.name] += follows
    total = sum(found.values())
    if total < 2 or with_words.total() * 5 < begun * 4 or others > total:
        return frozenset()
    if before_colon * 2 > total:  # `[Ana]: words` stands among names without brackets; `take-names` knows both
        return frozenset()
    names = returning(found, least=3 if total < _FEW * cues else 2)
    names = frozenset(name for name in names if name not in with_words or with_words[name] * 2 > found[name])
    sure = [name for name in names if found[name] > 1 or is_anybody(name)]
    full = any(len(name.split()) > 1 or is_anybody(name) for name in sure)
    if len(names) > 1 and sure and (full or total * 2 >= cues or (len(sure) > 1 and total >= _FEW * cues)):
        return names
    return names if len(names) == 1 and full and total >= 3 and total * 5 >= cues * 4 else frozenset()


def _names_on_rows(shown: Sequence[Shown], untimed: bool, brackets: frozenset[str]) -> frozenset[str]:
    """Decide which rows above others are names of speakers, not the first rows of captions of two rows."""
    bare: Counter[str] = Counter()
    sure: Counter[str] = Counter()
    rests: dict[str, set[str]] = {}
    places = 0
    rowed = [cue for cue in shown if cue.rows and cue.rows[0].tokens[-1][1] is None]
    for row, below, is_first in _tops(rowed, untimed):
        places += is_first
        if len(row.key) > _MOST_TOKENS:
            continue
        opening = _alone(" ".join(row.key))
        if not opening or not may_be_a_lone_name(opening.name) or _is_named_sound(opening.name):
            continue
        if opening.name in brackets:
            continue
        (sure if opening.sure else bare)[opening.name] += 1
        rests.setdefault(opening.name, set()).add(below)
    names = _accepted(sure, rests, places, most=5) if sure else frozenset()
    together = bare + sure
    return names | (_accepted(together, rests, places, most=5 if untimed else 2, bare=True) if bare else frozenset())


def _tops(cues: Sequence[Shown], untimed: bool) -> Iterator[tuple[Row, str, bool]]:
    """Yield the rows that stand above words, with these words, and whether the row is the first of its cue.

    In a text without times every line is a cue, so those of a turn stand in the cues behind its name.
    """
    if not untimed:
        for cue in cues:
            for position, (row, below) in enumerate(pairwise(cue.rows)):
                yield row, " ".join(below.key), position == 0
        return
    for cue, following in pairwise(cues):
        yield cue.rows[0], " ".join(following.rows[0].key), True


def _are_surely_names(counts: Counter[str], rests: dict[str, set[str]]) -> bool:
    """Say whether rows with nothing around them are names, not the beginnings of sentences that go on below.

    Two thirds come back, and a sentence begins below them; or they come back so often that nothing else is meant.
    """
    total = sum(counts.values())
    back = sum(count for name, count in counts.items() if count > 1 or is_anybody(name))
    if back * 3 < total * 2:
        return False
    if total >= _OFTEN and len(counts) * 3 <= total:
        return True
    below = [text for name in counts for text in rests[name]]
    begins = sum(text.lstrip("\"'“‘¿¡([…-–— ")[:1].isupper() or text[:1].isdigit() for text in below)
    return begins * 3 >= len(below) * 2 or all(is_anybody(name) for name in counts)


def _accepted(
    counts: Counter[str], rests: dict[str, set[str]], places: int, most: int, *, bare: bool = False
) -> frozenset[str]:
    """Return the names among rows that stand above words.

    Args:
        counts: how often each stands there.
        rests: the words that stand below each: captions that say the same again are a song.
        places: how many rows stand above others.
        most: names are at least the `most`-th part of these.
        bare: no mark tells the rows from others.
    """
    total = sum(counts.values())
    if total < 3 or total * most < places:
        return frozenset()
    names = returning(counts)
    if not names or sum(len(rests[name]) for name in counts) * _RESTS < total * (_RESTS - 1):
        return frozenset()
    if bare and not _are_surely_names(counts, rests):
        return frozenset()
    if len(names) == 1:
        (name,) = names
        long = len(name.split()) > 1 or is_anybody(name)
        return names if long and total * 10 >= places * 9 and (total >= 5 or is_anybody(name)) else frozenset()
    return names


def _names_before_dashes(shown: Sequence[Shown]) -> frozenset[str]:
    """Decide which words before a dash are names: most cues have one, they come back, and people take turns.

    A list of words and what they mean looks the same, but each word stands there once.
    """
    found: Counter[str] = Counter()
    cues = 0
    for cue in shown:
        if not cue.rows or cue.rows[0].tokens[-1][1] is not None:
            continue
        cues += 1
        text = " ".join(cue.rows[0].key[: _MOST_TOKENS + 2])
        opening = _separated(text)
        if not opening or label_of(text):
            continue
        if may_be_a_lone_name(opening.name) and not _is_named_sound(opening.name):
            found[opening.name] += 1
    total = found.total()
    if total < 3 or total * 5 < cues * 3:
        return frozenset()
    names = returning(found)
    return names if len(names) > 1 and len(names) * 3 <= total * 2 else frozenset()


def _labels_inside(shown: Sequence[Shown]) -> frozenset[str]:
    """Return names before colons, where one stands on a second row of a cue: `take-names` would not see it there."""
    inside = [
        text
        for cue in shown
        if len(cue.rows) > 1
        for row in cue.rows[1:]
        if ":" in (text := " ".join(row.key)[:90]) or "：" in text
    ]
    if not inside:
        return frozenset()
    names = names_in(" ".join(row.key) for cue in shown for row in cue.rows)
    return names if any((label := label_of(text)) and label[0] in names for text in inside) else frozenset()
