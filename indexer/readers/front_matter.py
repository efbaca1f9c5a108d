"""What stands above the first words of a transcript in text: front matter, `Key: value` lines, headings.

YAML front matter is read by hand, as far as people write it above transcripts: flat keys, text folded over indented
lines (`>`, `|`), and lists. TOML between lines of `+++` is read by the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from talksearch.indexer.text.speaker_labels import looks_like_a_name

HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(?P<text>.*?)[ \t]*#*[ \t]*$")
RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$")
_KEY = re.compile(
    r"^[ \t]*(?:[-*][ \t]+)?(?:\*\*|__)?(?P<key>[A-Za-z][A-Za-z _-]{1,24}?)(?:\*\*|__)?:"
    r"(?:\*\*|__)?[ \t]*(?P<value>\S.*)$"
)
_KEYS = {
    "title": "title", "talk": "title", "video": "url", "url": "url", "link": "url", "source": "url", "recording": "url",
    "youtube": "url", "media": "url", "speaker": "speaker", "speakers": "speaker", "presenter": "speaker",
    "channel": "channel", "uploader": "channel", "date": "date", "language": "language", "lang": "language",
}  # fmt: skip
_OPEN_KEY = re.compile(r"^(?P<key>[A-Za-z][\w -]{0,40}?):[ \t]*(?P<sign>[|>][-+0-9]*)?[ \t]*(?:\s#.*)?$")
"""A key of YAML whose value stands on the lines below."""
_ITEM = re.compile(r"^[ \t]*-[ \t]+(?:name:[ \t]*)?(?P<value>\S.*)$")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)")
_EMPHASIS = re.compile(r"(?<![\w*_])(\*{1,3}|__)(?=\S)(.{1,500}?)(?<=\S)\1(?![\w*_])")
_LONGEST = 60
"""Lines of front matter that are read at most: a rule at the top of a long text opens none."""
_MOST_WORDS = {"speaker": 12, "language": 3, "date": 6, "channel": 12, "title": 40}
"""Words that a value has at most above text without times, where it could be what somebody says."""


@dataclass(slots=True)
class Front:
    """What stands above the first words: metadata, and text that is no speech."""

    values: dict[str, str] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


def iso_date(text: str | None) -> str | None:
    """Return `YYYY-MM-DD` where the text begins with such a date.

    >>> iso_date("2024-05-01T10:00"), iso_date("May")
    ('2024-05-01', None)
    """
    match = re.match(r"(\d{4})[-/.](0[1-9]|1[0-2])[-/.](0[1-9]|[12]\d|3[01])(?!\d)", (text or "").strip(" '\""))
    return "-".join(match.groups()) if match else None


def unread_values(front: Front) -> list[str]:
    """Return the values that say something which nobody understands: a date that is none."""
    date = front.values.get("date")
    return [f"Date: {date}"] if date and not iso_date(date) else []


def read_front_matter(lines: Sequence[str], front: Front) -> int:
    """Read front matter, YAML or TOML, and return the position of the first line behind it; 0 where there is none."""
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    opening = lines[first].strip() if first < len(lines) else ""
    if opening not in ("---", "+++"):
        return 0
    closing = ("---", "...") if opening == "---" else ("+++",)
    inside = range(first + 1, min(len(lines), first + _LONGEST))
    last = next((i for i in inside if lines[i].strip() in closing), None)
    if last is None:
        return 0
    if opening == "---":
        _read_yaml(lines[first + 1 : last], front)
        return last + 1
    return last + 1 if _read_toml(lines[first + 1 : last], front) else 0


def _read_toml(lines: Sequence[str], front: Front) -> bool:
    import tomllib  # rarely needed, and it costs

    try:
        data = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    tables = [data, *(value for value in data.values() if isinstance(value, dict))]  # Hugo's [params], Zola's [extra]
    for key, value in [pair for table in tables for pair in table.items()]:
        values = value if isinstance(value, list) else [value]
        text = ", ".join(str(item) for item in values if not isinstance(item, dict | list))
        if text:
            _keep(key, text, front)
    return True


def _read_yaml(lines: Sequence[str], front: Front) -> None:
    below = 0  # lines that belong to the key above them
    for i, line in enumerate(lines):
        if below:
            below -= 1
            continue
        opened = _OPEN_KEY.match(line)
        if opened:
            text, below = _value_below(lines[i + 1 :], folded=opened["sign"] is not None)
            if text:
                _keep(opened["key"], text, front)
            continue
        key = _KEY.match(line)
        if not key:
            continue
        value = _without_comment(key["value"])
        if value[:1] == "[" and value[-1:] == "]":
            value = ", ".join(_unquoted(item) for item in value[1:-1].split(",") if item.strip())
        if value:
            _keep(key["key"], value, front)


def _value_below(lines: Sequence[str], folded: bool) -> tuple[str, int]:
    """Return the value that stands on the lines at the top, and how many these are.

    It is text folded over indented lines, or a list, whose items may stand at the left. Keys that are indented are no
    value of the key above them: they are read as keys.
    """
    parts: list[str] = []
    count = 0
    for line in lines:
        item = None if folded else _ITEM.match(line)
        if line.strip() and not item and line[0] not in " \t":
            break
        if not (folded or item or parts):
            break
        count += 1
        if item:
            parts.append(_unquoted(_without_comment(item["value"])))
        elif folded and line.strip():
            parts.append(line.strip())
    return (" " if folded else ", ").join(parts), count


def _without_comment(value: str) -> str:
    """Behind a space, # begins a comment in YAML, but not inside quotation marks."""
    quoted = re.match(r"(?:'[^']*'|\"[^\"]*\")(?=\s+#)", value)
    if quoted:
        return quoted[0]
    return (value if value[0] in "'\"" else re.sub(r"\s#.*$", "", value)).strip()


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def read_front(line: str, front: Front) -> None:
    """Take a line above the first time apart: a title, a key with a value, or text."""
    heading = HEADING.match(line)
    key = _KEY.match(line)
    if heading:
        if "title" in front.values:
            front.text.append(plain_markdown(heading["text"]))
        else:
            front.values["title"] = plain_markdown(heading["text"])
    elif key and _keep(key["key"], key["value"], front):
        return
    elif line.strip() and not RULE.match(line):
        front.text.append(plain_markdown(line))


def read_keys(lines: Sequence[str], front: Front) -> int:
    """Read a block of `Key: value` lines on top of text without times, and return the position of the line behind it.

    It is metadata where one key at least is known and the block ends with a blank line, a rule or a heading; lines
    with other keys go to `front.text`. It is speech, and 0 is returned, where a key comes back in it or below, or
    where what is behind it is too long or of the wrong kind: "Speaker: Good morning to all of you."
    """
    first = next((i for i, line in enumerate(lines) if line.strip() and not RULE.match(line)), len(lines))
    last = first
    pairs: list[tuple[str, str]] = []
    while last < len(lines) and (key := _KEY.match(lines[last])):
        pairs.append((key["key"].strip().lower(), key["value"].strip()))
        last += 1
    ends = last < len(lines) and (not lines[last].strip() or RULE.match(lines[last]) or HEADING.match(lines[last]))
    known = [(_KEYS[key], value) for key, value in pairs if key in _KEYS]
    if not known or not ends or not all(_is_value(name, value) for name, value in known):
        return 0
    keys = {key for key, _ in pairs}
    if len(keys) < len(pairs):
        return 0
    below = (line for line in lines[last:] if ":" in line[:40])
    if any(line.split(":", 1)[0].strip(" \t*_-").lower() in keys for line in below):
        return 0
    for (name, value), line in zip(pairs, lines[first:last], strict=True):
        if not _keep(name, value, front):
            front.text.append(plain_markdown(line))
    return last


def _is_value(name: str, value: str) -> bool:
    value = value.strip("*_ ")
    if name == "url":
        return "://" in value and len(value.split()) <= 3
    if len(value.split()) > _MOST_WORDS[name] or (name == "date" and not re.search(r"\d", value)):
        return False
    people = re.split(r"[,;&]|\band\b", re.sub(r"\([^()]*\)", "", value))
    return name != "speaker" or all(looks_like_a_name(person.strip()) for person in people if person.strip())


def _keep(key: str, value: str, front: Front) -> bool:
    name = _KEYS.get(key.strip().lower())
    if name is None:
        return False
    value = _unquoted(value)
    if name == "url":
        match = re.search(r"(?<![a-z])[a-z]+://[^\s<>()\[\]\"]+", value)
        if not match:
            return False
        value = match[0]
    front.values.setdefault(name, value.strip("*_ "))
    return True


def plain_markdown(line: str) -> str:
    """Return a line of Markdown as text; a bold name before a colon stays bold, for `clean` takes names from it.

    >>> plain_markdown("> see [the *paper*](https://x.org/a_(b)) **now**")
    'see the paper now'
    """
    line = _LINK.sub(r"\1", line)
    line = re.sub(r"^[ \t]*(?:>[ \t]*)*(?:[-*+•][ \t]+|\d{1,4}[.)][ \t]+(?=\D))?", "", line)
    name = re.match(r"(\*\*|__)([^*_\n]{1,60}?):?\1:?[ \t]+", line)
    if name and ":" in name[0]:
        return f"{name[2]}: " + _EMPHASIS.sub(r"\2", line[name.end() :]).strip()
    return _EMPHASIS.sub(r"\2", line).strip()
