"""The filters of a page: what is chosen, with links that drop it, and what there is to choose, with counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.untrusted import safe
from talksearch.search.facets import Facets

from .addresses import FILTERS, PageAddress, changed

_LABELS = {
    "talk": "Talk",
    "channel": "Channel",
    "speaker": "Speaker",
    "language": "Language",
    "year": "Year",
    "timing": "Times",
    "after": "From",
    "before": "Up to",
}
"""What a filter is called on a page."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set."""

    name: str
    """The public name of its parameter; `year` for the two that name one year."""
    label: str
    value: str
    drop: str
    """The address of the page without it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a filter can have."""

    label: str
    talks: int
    link: str
    """The address of the page with it; without it where it is chosen already."""
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """The values of one filter."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    more: int
    """How many more values there are."""
    of: int | None = None
    """Among how many talks its values were counted; None for all."""


def chips(here: PageAddress, titles: dict[str, str] | None = None) -> list[Chip]:
    """Return the filters that are set. `titles` names the talks among them."""
    given = here.given
    year = _year(here)
    found = []
    for name in FILTERS:
        if name not in given or (year and name == "before"):
            continue
        if year and name == "after":
            found.append(Chip("year", _LABELS["year"], safe(year), changed(here, after=None, before=None)))
            continue
        for text in given[name]:
            value = language_name(text) if name == "language" else (titles or {}).get(text, text)
            found.append(Chip(name, _LABELS[name], safe(value), _without(here, name, text)))
    return found


def menus(here: PageAddress, facets: Facets | None, of: int | None = None) -> list[Menu]:
    """Return what there is to choose; a filter with nothing to choose from is left out.

    Args:
        here: The page.
        facets: What was counted.
        of: Among how many talks, where that is not all.
    """
    if facets is None:
        return []
    found = []
    for name in ("channel", "speaker", "language", "year", "timing"):
        facet = getattr(facets, name)
        chosen = _year(here) if name == "year" else here.given.get(name, [""])[-1]
        choices = tuple(
            Choice(
                label=language_name(one.value) if name == "language" else safe(one.value),
                talks=one.talks,
                link=_choosing(here, name, None if one.value == chosen else one.value),
                is_chosen=one.value == chosen,
            )
            for one in facet.values
        )
        if len(choices) > 1 or any(choice.is_chosen for choice in choices):
            found.append(Menu(name, _LABELS[name], choices, facet.more, of))
    return found


def without(here: PageAddress, names: tuple[str, ...]) -> Iterator[Chip]:
    """Yield the filters of some public names, each with the address of the page without it."""
    for chip in chips(here):
        if chip.name in names or (chip.name == "year" and {"after", "before"} & set(names)):
            yield chip


def _year(here: PageAddress) -> str:
    """Return the year that is chosen, empty where none is, or a longer or shorter time."""
    after, before = (here.given.get(name, [""])[-1] for name in ("after", "before"))
    return after if after == before and len(after) == 4 and after.isdecimal() else ""


def _choosing(here: PageAddress, name: str, value: str | None) -> str:
    return changed(here, after=value, before=value) if name == "year" else changed(here, **{name: value})


def _without(here: PageAddress, name: str, text: str) -> str:
    others = [other for other in here.given[name] if other != text]
    return changed(PageAddress(here.path, {**here.given, name: others}))
