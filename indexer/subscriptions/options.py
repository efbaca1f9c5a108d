"""What a subscription may say, checked in one place: flags, `subscriptions.toml` and OPML all give these values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from talksearch.indexer.errors import UsageError
from talksearch.indexer.fetch.addresses import as_address
from talksearch.indexer.fetch.records import Recordings, Source

Options = Mapping[str, object]
"""What is said of a source, by the names of `Source`: texts as a person writes them, or values as TOML has them."""

_RECORDINGS: tuple[str, ...] = get_args(Recordings)
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def make_source(options: Options, base: Path) -> Source:
    """Return the source that options mean.

    Args:
        options: `url` and whatever else is said.
        base: The folder that paths begin at where they do not begin at the top.

    Raises:
        UsageError: A key is not known, or a value cannot be meant.

    >>> source = make_source({"url": "pod.example/feed", "since": "2024-05", "also": "German"}, Path("/"))
    >>> source.url, source.since, source.also
    ('https://pod.example/feed', datetime.date(2024, 5, 1), ('de',))
    """
    for key in options:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, 1)
            raise UsageError(
                f"{key!r} is not known.", f"Did you mean {near[0]}?" if near else f"Known are {', '.join(KEYS)}."
            )
    if not options.get("url"):
        raise UsageError("There is no url.", 'Write one: url = "https://…", or the path of a folder.')
    values: dict[str, Any] = {
        key: _READERS[key](key, value, base) for key, value in options.items() if value not in ("", None)
    }
    return Source(**values)


def parse_day(text: str) -> date:
    """Return the first day that a date, a month or a year names. Raises UsageError where a text names none.

    >>> parse_day("2024-05-24"), parse_day("2024")
    (datetime.date(2024, 5, 24), datetime.date(2024, 1, 1))
    """
    match = _DATE.fullmatch(text.strip())
    try:
        if match:
            year, month, day = match.groups()
            return date(int(year), int(month or 1), int(day or 1))
    except ValueError:  # such as the 31st of February
        pass
    raise UsageError(f"{text!r} is not a date.", "Write a day, a month or a year: 2024-05-24, 2024-05 or 2024.")


def _text(key: str, value: object, _: Path) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{key} is {value!r}, which is not a text.", f'Put it in quotation marks: {key} = "…"')
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise UsageError(f"{key} holds a line break or another control character.", "Write it without.")
    return value.strip()


def _url(key: str, value: object, base: Path) -> str:
    return as_address(_text(key, value, base), base)


def _day(key: str, value: object, _: Path) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str | int) and not isinstance(value, bool):
        return parse_day(str(value))
    raise UsageError(f"{key} is {value!r}, which is not a date.", f"Write a day: {key} = 2024-05-24")


def _expression(key: str, value: object, base: Path) -> str:
    text = _text(key, value, base)
    try:
        re.compile(text)
    except re.error as error:
        raise UsageError(
            f"{key} is {text!r}, which is no regular expression: {error}.",
            r"Put a backslash before signs that are meant as they stand: \( \) \[ \] \* \+ \?",
        ) from error
    return text


def _count(key: str, value: object, _: Path) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{key} is {value!r}, which is not a number of talks.", f"Write one: {key} = 10")
    return value


def _language(key: str, value: object, base: Path) -> str:
    import langcodes  # its tables take a tenth of a second, and most subscriptions name no language

    from talksearch.indexer.talks.language_tags import language_of

    tag = language_of(_text(key, value, base))
    if tag is None or not langcodes.tag_is_valid(tag):
        raise UsageError(f"{key} is {value!r}, which names no language.", "Write a tag or a name: en, pt-BR, German.")
    return tag


def _languages(key: str, value: object, base: Path) -> tuple[str, ...]:
    each = value if isinstance(value, list | tuple) else (value,)
    return tuple(dict.fromkeys(_language(key, one, base) for one in each))


def _recordings(key: str, value: object, _: Path) -> str:
    if value not in _RECORDINGS:
        raise UsageError(f"{key} is {value!r}.", f"It may be {', '.join(_RECORDINGS[:-1])} or {_RECORDINGS[-1]}.")
    return str(value)


def _path(key: str, value: object, base: Path) -> str:
    return str(base / Path(_text(key, value, base)).expanduser())


_READERS: Mapping[str, Callable[[str, object, Path], object]] = {
    "url": _url,
    "title": _text,
    "since": _day,
    "match": _expression,
    "limit": _count,
    "language": _language,
    "also": _languages,
    "recordings": _recordings,
    "cookies": _path,
    "cookies_from_browser": _text,
}
"""What reads the value of each field of `Source`."""

KEYS = tuple(field.name for field in fields(Source))
"""What may be said of a source, in the order in which a new subscription is written."""
