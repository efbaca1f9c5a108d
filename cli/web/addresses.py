"""Addresses of pages: they hold all that was asked and nothing that goes without saying, so they can be shared.

Every link of a page is made here, from what the page itself was asked and what the link changes of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from talksearch.indexer.errors import QueryError
from talksearch.indexer.text.clock import parse_clock
from talksearch.indexer.text.untrusted import is_linkable
from talksearch.search.options import SEARCH_OPTIONS, SearchOption, parse_number

from .parameters import Parameters

FILTERS = ("talk", "channel", "speaker", "language", "after", "before", "timing")
"""The parameters that say which talks may answer."""

_SECOND_MS = 1000

_OF_A_TEXT = ("q", "mode", "not", "explain")
"""The parameters that belong to a question in words, and not to a search for passages like a moment."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The page that is shown: where it is, and what it was asked."""

    path: str
    """`/`, or `/talk/ID` where a talk is open beside the answers."""
    given: Parameters
    """What was asked, short as `shortened` makes it; with `t` where a talk is open at a second."""


def shortened(given: Parameters) -> dict[str, list[str]]:
    """Return parameters without those that say what holds anyway: defaults, a moment beside a question, twice the same.

    >>> shortened({"q": ["a", "bee"], "like": ["x@3"], "k": ["10"], "mode": ["lexical"], "talk": ["x", "y", "x"]})
    {'q': ['bee'], 'mode': ['lexical'], 'talk': ['x', 'y']}
    """
    by_name = {option.public_name: option for option in SEARCH_OPTIONS}
    short: dict[str, list[str]] = {}
    for name, texts in given.items():
        option = by_name.get(name)
        if option is not None and option.kind == "talks":
            short[name] = list(dict.fromkeys(texts))
        elif not (name == "like" and "q" in given) and not (option is not None and _is_default(option, texts)):
            short[name] = [texts[-1]]
    return short


def _is_default(option: SearchOption, texts: Sequence[str]) -> bool:
    try:
        return option.parse(texts) == option.default
    except QueryError:  # whoever answers tells it
        return False


def address(path: str, given: Parameters, changes: Mapping[str, str | None] | None = None) -> str:
    """Return the address of a page.

    Args:
        path: its path, already quoted.
        given: its parameters.
        changes: parameters that take the place of those of the same name; None takes one out.

    >>> address("/", {"q": ["a bee"], "k": ["3"]}, {"k": None, "like": "x@12.5"})
    '/?q=a+bee&like=x@12.5'
    """
    changed = changes or {}
    kept = [(name, text) for name, texts in given.items() if name not in changed for text in texts]
    kept += [(name, text) for name, text in changed.items() if text is not None]
    return f"{path}?{urlencode(kept, safe='@:/')}" if kept else path


def changed(here: PageAddress, **changes: str | None) -> str:
    """Return the address of this page with some parameters changed or, where they are None, taken out."""
    return address(here.path, here.given, changes)


def talk_path(talk_id: str) -> str:
    """Return the path of a talk's page.

    >>> talk_path("a b/c?d")
    '/talk/a%20b/c%3Fd'
    """
    return f"/talk/{quote(talk_id)}"


def at_moment(here: PageAddress, talk_id: str, at_ms: int) -> str:
    """Return the address that opens a talk at a moment, beside what was asked."""
    asked = {name: texts for name, texts in here.given.items() if name != "t"}
    return address(talk_path(talk_id), {"t": [seconds(at_ms)], **asked})


def moment_of(text: str) -> int | None:
    """Return the milliseconds that an address names; None where it names none.

    >>> moment_of("134.5"), moment_of("2:14"), moment_of("90s"), moment_of("soon"), moment_of("")
    (134500, 134000, 90000, None, None)
    """
    number = parse_number(text.removesuffix("s"))
    return parse_clock(text) if number is None else round(min(number, 1e9) * 1000)


def is_open(here: PageAddress, talk_id: str, at_ms: int) -> bool:
    """Say whether a page has a talk open at a moment, to the second.

    >>> is_open(PageAddress("/talk/x", {"t": ["134"]}), "x", 134_246), is_open(PageAddress("/talk/x", {}), "x", 0)
    (True, False)
    """
    moment_ms = moment_of("".join(here.given.get("t", [])[-1:]))
    return here.path == talk_path(talk_id) and moment_ms is not None and abs(moment_ms - at_ms) < _SECOND_MS


def like_moment(here: PageAddress, talk_id: str, at_ms: int) -> str:
    """Return the address that finds passages like a moment, with the filters that were set."""
    kept = {name: texts for name, texts in here.given.items() if name not in ("like", "t", *_OF_A_TEXT)}
    return address("/", {"like": [f"{talk_id}@{seconds(at_ms)}"], **kept})


def web_link(url: str) -> str:
    """Return an address that a page may link to: one of the web, since browsers open no files from there; or empty.

    >>> web_link("https://example.org/a"), web_link("file:///talks/a.mp4"), web_link("httpx:a")
    ('https://example.org/a', '', '')
    """
    return url if url.startswith("http") and is_linkable(url) else ""


def seconds(at_ms: int) -> str:
    """Return milliseconds as seconds, in the fewest digits.

    >>> seconds(134_000), seconds(12_345), seconds(12_500)
    ('134', '12.345', '12.5')
    """
    return f"{at_ms / 1000:.3f}".rstrip("0").rstrip(".")
