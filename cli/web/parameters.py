"""The parameters of a request: read by the options of a search, checked, with a sentence for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.requests import Request

from talksearch.indexer.errors import QueryError
from talksearch.search.options import LATEST_S, LONGEST_TEXT, SEARCH_OPTIONS, OptionValue, option_named, parse_number

Parameters = Mapping[str, list[str]]
"""The texts that were given for each parameter, none of them empty."""

MOST_CONTEXT_S = 100_000
"""Seconds around hits that one answer may have in all: some megabytes of text."""


_LONGEST_HEADER = 1_000
"""Characters of a header that are read."""

_TAG = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")


def parameters(request: Request, *others: str, ignore_foreign: bool = False) -> Parameters:
    """Return what was given for the options of a search and for `others`; empty texts are left out, as a form sends
    them.

    Raises QueryError where a text is too long or there is no such parameter. `ignore_foreign` passes over parameters
    that do not exist: those that share a page add some to its address.
    """
    return only(request, (*others, *(option.public_name for option in SEARCH_OPTIONS)), ignore_foreign=ignore_foreign)


def only(request: Request, names: Sequence[str], *, ignore_foreign: bool = False) -> Parameters:
    """Return what was given for parameters of these names, as `parameters` does."""
    given: dict[str, list[str]] = {}
    for name, text in request.query_params.multi_items():
        if name not in names:
            if ignore_foreign:
                continue
            hint = f"There are {', '.join(names)}." if names else "There are none here."
            raise QueryError(f"There is no parameter {name!r}.", hint)
        if len(text) > LONGEST_TEXT:
            raise QueryError(f"The text has {len(text):,} characters.", f"Give at most {LONGEST_TEXT:,}.")
        if text.strip():
            given.setdefault(name, []).append(text)
    return given


def options(given: Parameters) -> dict[str, OptionValue]:
    """Return the options of a search that were given. Raises QueryError where one cannot have its value, or where the
    answer would be larger than any that can be sent while others wait.
    """
    found = {
        option.name: option.parse(given[option.public_name]) for option in SEARCH_OPTIONS if option.public_name in given
    }
    hits, context_s = (found.get(name, option_named(name).default) for name in ("k", "context"))
    if isinstance(hits, int) and isinstance(context_s, int | float) and hits * context_s > MOST_CONTEXT_S:
        hint = f"Give at most {MOST_CONTEXT_S // hits:,} seconds for so many hits, or ask for fewer."
        raise QueryError(f"context is {context_s:,g} s around each of {hits:,} hits.", hint)
    return found


def last(given: Parameters, name: str) -> str:
    """Return the last text that was given for a parameter; empty where there is none."""
    return given.get(name, [""])[-1]


def languages_read(header: str) -> tuple[str, ...]:
    """Return the languages that a browser asks for, the best first, as its header Accept-Language tells (RFC 9110).

    >>> languages_read("en;q=0.5, de-AT, de;q=0.9, *;q=0.1"), languages_read("zh-Hant;q=oops"), languages_read("fr;q=0")
    (('de-AT', 'de', 'en'), ('zh-Hant',), ())
    """
    found: list[tuple[float, str]] = []
    for part in header[:_LONGEST_HEADER].split(","):
        tag, _, weight = (piece.strip() for piece in part.partition(";"))
        quality = parse_number(weight.removeprefix("q=")) if weight else 1.0
        if _TAG.fullmatch(tag) and quality != 0:
            found.append((1.0 if quality is None else quality, tag))
    return tuple(dict.fromkeys(tag for _, tag in sorted(found, key=lambda pair: -pair[0])))


def whole_number(given: Parameters, name: str, default: int, *, least: int = 0, most: int) -> int:
    """Return a whole number that was given, or its default. Raises QueryError where it is none, or out of bounds."""
    text = last(given, name)
    number = parse_number(text, whole=True) if text else default
    if number is None or not least <= number <= most:
        raise QueryError(f"{name} is {text!r}.", f"Give a whole number from {least:,} to {most:,}.")
    return int(number)


def milliseconds(request: Request, name: str) -> int | None:
    """Return a time that is given in seconds; None where there is none. Raises QueryError where it is no time."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    seconds = parse_number(text)
    if seconds is None or seconds > LATEST_S:
        raise QueryError(f"{name} is {text!r}.", f"Give a number of seconds from 0 to {LATEST_S:,}.")
    return round(seconds * 1000)
