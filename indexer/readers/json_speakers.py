"""Who says the entries of a list in JSON: by the entry, what it lies in, a table of names, or a list of turns."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from .json_keys import Path, roles_of, words_of
from .json_layout import flat
from .json_lists import Entry, FoundList
from .json_moments import moment_of
from .json_times import Said, TimedList
from .json_values import string

_SPEAKERS = frozenset((
    "speaker", "speakers", "spk", "participant", "participants", "talker", "voice", "who", "character", "actor",
    "person", "host", "interlocutor",
))  # fmt: skip
_SENDERS = ("from", "sender", "by")
"""Keys above the name of who says something: `from.name`."""
_WEAK = ("role", "channel")
_WEAK_NAMES = frozenset(("name", "user", "username", "display", "full", "first"))
"""Words of keys that tell speakers apart where nothing else does."""
_TABLES = frozenset((
    "speaker", "speakers", "participant", "participants", "attendees", "people", "persons", "voices", "agents",
    "users", "members", "characters", "actors", "speakermap", "speakernames", "parties",
    "guests", "callers",
))  # fmt: skip
_HOLDERS = frozenset((
    "participants", "participant", "speakers", "tracks", "attendees", "channels", "people", "users", "tiers",
))  # fmt: skip
_NAMES = ("name", "display", "displayname", "label", "full", "fullname", "nickname")
_IDS = ("id", "key", "uuid", "speaker", "tag", "index", "number", "speakerid", "participantid")
_NO_NAMES = frozenset((
    "confidence", "score", "count", "email", "mail", "probability", "color", "colour", "avatar", "url", "image",
    "change", "changed", "gender", "language", "start", "end", "time", "duration", "type", "text", "known",
    "embedding", "is", "status", "total", "offset",
))  # fmt: skip
_LABEL = re.compile(r"(?:spk|speaker|ch|s|user|person|participant)?[\W_]*\d{1,4}|[A-Z]{1,2}", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_a-z]\S*(?: \S+){0,3}(?<![.!?…,;])")
"""What a name looks like that stands in a row without a key."""
_SAYING = re.compile(r"(?<!\S)(?:\S+\s+){6}|\A(?>.*?\S\s+\S).*(?:[?!。？！]|[^\W\d_]{4}\.)$", re.DOTALL)
"""What no name looks like: many words, or a sentence."""
_LONG_ID = re.compile(r"(?=.*\d)[0-9a-zA-Z]{16,}|[0-9a-f]{8}-[0-9a-f-]{20,}", re.IGNORECASE)
_NOBODY = frozenset(("uu", "unknown", "none", "null", "undefined", "n/a", "-1", "unidentified"))
_SAMPLE = 200
_LONG_NUMBER = 6


def table_of(value: object) -> dict[str, str]:
    """Return the names that a value gives for ids of speakers, wherever it has such a table."""
    names: dict[str, str] = {}
    waiting: list[tuple[str, object, int]] = [("", value, 0)]
    while waiting:
        key, value, depth = waiting.pop()
        if depth > 8:
            continue
        if isinstance(value, dict):
            if set(words_of(key)) & _TABLES or key.lower() in _TABLES:
                names |= _names_by_key(value)
            waiting += [(inner, value[inner], depth + 1) for inner in value]
        elif isinstance(value, list):
            if set(words_of(key)) & _TABLES:
                names |= _names_by_id(value)
            waiting += [("", inner, depth + 1) for inner in value[:_SAMPLE] if isinstance(inner, (dict, list))]
    return names


def _names_by_key(value: dict[str, Any]) -> dict[str, str]:
    names = {}
    for key, inner in value.items():
        name = _name_in(inner) if isinstance(inner, dict) else string(inner)
        if name and (key.isdigit() or _LABEL.fullmatch(key) or _LONG_ID.fullmatch(key)):
            names[key] = name
    return names


def _names_by_id(entries: list[Any]) -> dict[str, str]:
    names = {}
    for entry in entries:
        name = _name_in(entry) if isinstance(entry, dict) else None
        if name is None:
            continue
        for key, identifier in entry.items():
            word = "".join(words_of(key))
            if word in _IDS and isinstance(identifier, (str, int)) and not isinstance(identifier, bool):
                names[str(identifier)] = name
    return names


def _name_in(entry: dict[str, Any]) -> str | None:
    for key, inner in entry.items():
        words = words_of(key)
        if words and words[-1] in _NAMES and not set(words) & _NO_NAMES and (name := string(inner)):
            return name
    first, last = (
        string(entry.get(key) or entry.get(other))
        for key, other in (("first_name", "firstName"), ("last_name", "lastName"))
    )
    return f"{first} {last}" if first and last else None


def speakers_of(timed: TimedList, names: dict[str, str]) -> list[str | None]:
    """Return who says each entry of a list; None where nothing tells.

    Args:
        timed: the list.
        names: of ids, as `table_of` finds them.
    """
    path, entries = timed.path, [said.entry for said in timed.said]
    rows = [_beside_text(said) for said in timed.said[:_SAMPLE]]
    best = _best_path(rows, names) or _name_column(entries)
    if best is not None:
        rows += [dict(flat(entry.value)) for entry in entries[_SAMPLE:]]
        return _named([row.get(best) for row in rows], names)
    deepest = min(len(entry.around) for entry in entries)
    for level in range(1, deepest + 1):
        holders = [entry.around[-level] for entry in entries]
        named = _of_holders(holders, path, names, is_nearest=level == 1)
        if any(named):
            return named
    return [None] * len(entries)


def _beside_text(said: Said) -> dict[Path, Any]:
    return {path: value for path, value in flat(said.entry.value) if value != said.text}


def _name_column(entries: Sequence[Entry]) -> Path | None:
    """Return the column of rows without keys that has names: short, with a capital, and coming back."""
    if not all(key.isdigit() for key in entries[0].value):
        return None
    for key in entries[0].value:
        cells = [entry.value.get(key) for entry in entries]
        names = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
        if len(names) == len(cells) and len(set(names)) < len(names) and all(map(_NAME.fullmatch, set(names))):
            return (key,)
    return None


def _of_holders(
    holders: Sequence[dict[str, Any]], path: Path, names: dict[str, str], *, is_nearest: bool
) -> list[str | None]:
    distinct = {id(holder): holder for holder in holders}
    plain = {
        key: {name: inner for name, inner in holder.items() if not isinstance(inner, list)}
        for key, holder in distinct.items()
    }
    rows = {key: {found: inner for found, inner in flat(holder) if len(found) <= 2} for key, holder in plain.items()}
    best = _best_path(list(rows.values()), names, weak=is_nearest)
    if best is not None:
        speakers = dict(zip(rows, _named([row.get(best) for row in rows.values()], names), strict=True))
    elif len(path) > 2 and any(set(words_of(key)) & _HOLDERS for key in path[:-1]):
        speakers = {key: _name_in(holder) or _identifier(holder) for key, holder in plain.items()}
    else:
        return [None] * len(holders)
    return [speakers[id(holder)] for holder in holders]


def _identifier(holder: dict[str, Any]) -> str | None:
    """Return an id that is a name."""
    identifier = string(holder.get("id"))
    return identifier if identifier and _NAME.fullmatch(identifier) and not _LABEL.fullmatch(identifier) else None


def _best_path(rows: Sequence[dict[Path, Any]], names: dict[str, str], *, weak: bool = True) -> Path | None:
    """Return the path whose values name the speakers best: names before labels, labels before numbers."""
    best: tuple[int, bool, int, Path] | None = None
    for path in dict.fromkeys(path for row in rows for path in row):
        words = [word for key in path for word in words_of(key)]
        is_strong = bool(set(words) & _SPEAKERS) or (bool(words) and words[0] in _SENDERS and words[-1] in _NAMES)
        is_weak = weak and bool(words) and (words[-1] in _WEAK or set(words) <= _WEAK_NAMES)
        if not (is_strong or is_weak) or set(words) & _NO_NAMES:
            continue
        values = [row[path] for row in rows if isinstance(row.get(path), (str, int)) and str(row[path]).strip()]
        if not values or (not is_strong and len(set(map(str, values))) < 2):
            continue
        if any(_SAYING.search(str(value).strip()) for value in values):  # `display` may be what is said, well written
            continue
        known = [value for value in values if str(value).strip().lower() not in _NOBODY]
        if not known:
            continue
        good = min(_how_good(value, names) for value in known[:20]) * (1 if is_strong else 0)
        rank = (good, "name" in words, -len(words), path)
        if best is None or rank[:3] > best[:3]:
            best = rank
    return best[3] if best else None


def _how_good(value: str | int, names: dict[str, str]) -> int:
    text = str(value).strip()
    if text in names:
        return 4
    if isinstance(value, int) or text.isdigit():
        return 2
    if _LONG_ID.fullmatch(text) or "@" in text:
        return 1
    return 3 if _LABEL.fullmatch(text) else 4


def _named(values: Sequence[Any], names: dict[str, str]) -> list[str | None]:
    numbers: dict[str, int] = {}
    out: list[str | None] = []
    for value in values:
        text = "" if value is None or isinstance(value, (bool, float)) else str(value).strip()
        if not text or text.lower() in _NOBODY:
            out.append(None)
        elif text in names:
            out.append(names[text])
        elif text.isdigit() and len(text) < _LONG_NUMBER:
            out.append(f"Speaker {text}")
        elif text.isdigit() or _LONG_ID.fullmatch(text) or "@" in text:
            out.append(f"Speaker {numbers.setdefault(text, len(numbers) + 1)}")
        else:
            out.append(text)
    return out


# --- turns beside the words -----------------------------------------------------------------------------------------

Turn = tuple[float, str]
"""When somebody begins to speak, in milliseconds, and who."""


def turns_in(lists: Sequence[FoundList], names: dict[str, str]) -> list[Turn]:
    """Return the longest list of turns that has beginnings and speakers and no text, as diarisation writes it."""
    best: list[Turn] = []
    for found in lists:
        rows = [dict(flat(entry.value)) for entry in found.entries]
        paths = list(dict.fromkeys(path for row in rows[:20] for path in row))
        begin = next(
            (path for path in paths for role in roles_of(path) if role.role == "start" and path[-1] != "offset"), None
        )
        who = _best_path(rows, names, weak=False)
        if who is None and found.path and "speakers" in words_of(found.path[-2] if len(found.path) > 1 else ""):
            who = ("name",) if ("name",) in paths else None
        if begin is None or who is None:
            continue
        turns = list(_turns(rows, begin, who, names))
        if len(turns) > len(best):
            best = turns
    return sorted(best)


def _turns(rows: Sequence[dict[Path, Any]], begin: Path, who: Path, names: dict[str, str]) -> Iterator[Turn]:
    unit = next((role.unit for role in roles_of(begin) if role.role == "start"), None)
    speakers = _named([row.get(who) for row in rows], names)
    for row, speaker in zip(rows, speakers, strict=True):
        moment = moment_of(row.get(begin))
        if moment is not None and speaker is not None and not moment.of_a_day:
            yield moment.number * (moment.unit or unit or 1000.0), speaker


def speaking_at(turns: Sequence[Turn], ms: float) -> str | None:
    """Return who speaks at a time, in milliseconds: whose turn began last before it."""
    place = bisect_right(turns, (ms + 1, ""))
    return turns[place - 1][1] if place else None
