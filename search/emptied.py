"""Which filter leaves nothing of an answer, in a sentence for whoever set it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from itertools import combinations
from typing import NamedTuple

from .query import Filters


class Emptied(NamedTuple):
    """Which filters left nothing of an answer."""

    filters: tuple[str, ...]
    """Their public names (`options.SearchOption`), in the order of `Filters`. Where the answer has something without
    any one of several, or any two, these are all of them, each of which may be dropped."""
    sentence: str


def emptied_by(filters: Filters, finds: Callable[[Filters], bool], passes: Callable[[Filters], bool]) -> Emptied | None:
    """Return which of the filters of a query left nothing; None where nothing is found without them either.

    The fewest filters are named that are to blame: one, else two, else all of them.

    Args:
        filters: the filters that an answer without hits was given with.
        finds: says whether the query finds anything with other filters.
        passes: says whether any passage passes some filters, whatever is looked for.
    """
    active = [field.name for field in fields(Filters) if getattr(filters, field.name)]
    barred = [name for name in active if not passes(_only(filters, [name]))]
    if barred:
        return _emptied(barred, f"Nothing in the index passes {_named(filters, barred)}.")
    for count in range(1, len(active) + 1):
        blamed = [names for names in combinations(active, count) if finds(_without(filters, names))]
        if len(blamed) == 1:
            them = "it" if count == 1 else "them"
            found = f"Nothing is found with {_named(filters, blamed[0])}; without {them} there is something."
            return _emptied(blamed[0], found)
        if blamed:
            together = [name for name in active if any(name in names for names in blamed)]
            without = "one" if count == 1 else f"{count}"
            found = f"Nothing is found with {_named(filters, together)}; without {without} of them there is something."
            return _emptied(together, found)
    return None


def _emptied(names: Iterable[str], sentence: str) -> Emptied:
    return Emptied(tuple(map(_public, names)), sentence)


def _public(name: str) -> str:
    return "talk" if name == "talks" else name


def _only(filters: Filters, names: Iterable[str]) -> Filters:
    return replace(Filters(), **{name: getattr(filters, name) for name in names})


def _without(filters: Filters, names: Iterable[str]) -> Filters:
    empty = Filters()
    return replace(filters, **{name: getattr(empty, name) for name in names})


def _named(filters: Filters, names: Sequence[str]) -> str:
    """Return filters with their values, as every front calls them."""
    values = {name: getattr(filters, name) for name in names}
    named = [
        f"{_public(name)} “{', '.join(value) if isinstance(value, tuple) else value}”" for name, value in values.items()
    ]
    if len(named) == 1:
        return f"the filter {named[0]}"
    return f"the filters {', '.join(named[:-1])} and {named[-1]}"
