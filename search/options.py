"""The options of a search, one value each, from which every front derives name, type, bounds, default and help.

The command line makes its options of them, HTTP reads its parameters by them, MCP describes its tools with them, and
`make_query` checks by them what any of these was given. This module is on the path of every command-line search, also
of one that a server answers, so it imports only what costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from talksearch.indexer.errors import QueryError

if TYPE_CHECKING:
    from .query import Query

Kind = Literal["integer", "seconds", "choice", "text", "date", "talks", "flag"]
"""What values an option takes. `talks`: any number of talks, each by its id or whatever else names it."""

OptionValue = int | float | str | bool | tuple[str, ...] | None
"""The value of an option, as `make_query` takes it."""

LONGEST_TEXT = 10_000
"""Characters of the longest query. A model reads the first few hundred words of one, and aligning a quote costs the
square of its length."""

LATEST_S = 1_000_000_000
"""Seconds after which no talk says anything: 32 years. A later moment stands for this one."""

_FILTERS = ("talks", "speaker", "channel", "language", "after", "before", "timing")
"""The options that are fields of `query.Filters`, in its order."""
FLAGS = {"1": True, "true": True, "True": True, "0": False, "false": False, "False": False}
"""What a flag may be as a text: as people write it, JSON and Python."""
_NUMBER = re.compile(r"\d{1,10}(?:\.\d{1,30})?(?:[eE][-+]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class SearchOption:
    """One option of a search."""

    name: str
    """The keyword of `make_query`, and the name of the parameter in MCP (`context` is `context_s` and `talks` is `talk`
    there)."""
    public_name: str
    """The parameter in HTTP; on the command line it has dashes in front, and dashes for its underscores."""
    kind: Kind
    help: str
    """What the option does, in one sentence."""
    default: OptionValue = None
    """None: there is no such limit or filter."""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    """All values, where the kind is `choice`."""
    metavar: str | None = None
    """What stands for the value in the help of the command line; None where its type says enough."""

    def check(self, value: object) -> OptionValue:
        """Return a value as it stands in a query; lists become tuples. Raises QueryError when it cannot be one."""
        if value is None and self.default is None:
            return None
        match self.kind:
            case "integer" if isinstance(value, int) and self._is_within(value):
                return value
            case "seconds" if isinstance(value, int | float) and self._is_within(value):
                return float(value)
            case "choice" if isinstance(value, str) and value in self.choices:
                return value
            case "text" | "date" if isinstance(value, str):
                return value
            case "flag" if isinstance(value, bool):
                return value
            case "talks" if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
                return tuple(value)
        raise self.error(value)

    def parse(self, texts: Sequence[str]) -> OptionValue:
        """Return the value that texts stand for, as a URL or a form gives them: all of them for talks, else the last.

        Raises QueryError when they stand for none.
        """
        if self.kind == "talks":
            return tuple(texts)
        text = texts[-1]
        if self.kind == "flag":
            if text not in FLAGS:
                raise self.error(text)
            return FLAGS[text]
        if self.kind in ("integer", "seconds"):
            number = parse_number(text, whole=self.kind == "integer")
            if number is None:
                raise self.error(text)
            return self.check(number)
        return self.check(text)

    def error(self, value: object) -> QueryError:
        """Return the error that says which value this option does not take, and which ones it takes."""
        is_whole = isinstance(value, float) and value.is_integer()
        written = f"{value:,.0f}" if is_whole else repr(value)  # 1e9 would be 1000000000.0
        return QueryError(f"{self.public_name} is {written}.", f"Give {self._expected()}.")

    def _is_within(self, number: float) -> bool:
        return (
            not isinstance(number, bool)  # which Python takes for a number
            and (self.minimum is None or number >= self.minimum)
            and (self.maximum is None or number <= self.maximum)
            and (isinstance(number, int) or isfinite(number))
        )

    def _expected(self) -> str:
        match self.kind:
            case "integer" | "seconds":
                number = "a whole number" if self.kind == "integer" else "a number of seconds"
                least = "" if self.minimum is None else f" from {self.minimum:,}"
                return number + least + (" on" if self.maximum is None else f" to {self.maximum:,}")
            case "choice":
                return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
            case "talks":
                return "a list of talks"
            case "flag":
                return "true or false"
        return "a text"


SEARCH_OPTIONS = (
    SearchOption("k", "k", "integer", "How many hits.", default=10, minimum=1, maximum=1000),
    SearchOption(
        "mode",
        "mode",
        "choice",
        "By meaning and words, by meaning only, by words only, or what was said word for word or nearly.",
        default="hybrid",
        choices=("hybrid", "semantic", "lexical", "quote"),
    ),
    SearchOption("talks", "talk", "talks", "Only in this talk (repeatable).", default=(), metavar="ID"),
    SearchOption(
        "speaker", "speaker", "text", "Only where this person speaks; part of the name will do.", metavar="NAME"
    ),
    SearchOption("channel", "channel", "text", "Only from this channel; part of the name will do.", metavar="NAME"),
    SearchOption(
        "language", "language", "text", "Only talks in this language, such as en, zh-Hant or German.", metavar="TAG"
    ),
    SearchOption("after", "after", "date", "Only from this day, month or year on.", metavar="DATE"),
    SearchOption("before", "before", "date", "Only up to and including this day, month or year.", metavar="DATE"),
    SearchOption(
        "timing",
        "timing",
        "choice",
        "Only talks whose times are exact, or only those whose times were estimated.",
        choices=("exact", "estimated"),
    ),
    SearchOption("avoid", "not", "text", "Turn away from what is said in these words.", default="", metavar="TEXT"),
    SearchOption("per_talk", "per_talk", "integer", "At most N hits of one talk.", minimum=1, metavar="N"),
    SearchOption(
        "context",
        "context",
        "seconds",
        "Show so much around each hit.",
        default=0.0,
        minimum=0,
        maximum=3600,
        metavar="SECONDS",
    ),
    SearchOption(
        "beside",
        "beside",
        "text",
        "Show beside each hit what a track of its talk in this language says; by default in the query's own language.",
        metavar="LANG",
    ),
    SearchOption("explain", "explain", "flag", "Say why each hit is one.", default=False),
)
"""Every option of a search, in the order of the help.

To add one: (1) a line here, which gives it to the command line, to HTTP and to MCP; (2) a field in `query.Query` or
`query.Filters`, and the line in `make_query` that fills it; (3) `make docs`. tests/test_options.py fails where a front
lacks an option, or has another default or other bounds.
"""

_BY_NAME = {option.name: option for option in SEARCH_OPTIONS}


def option_named(name: str) -> SearchOption:
    """Return an option by its name in Python."""
    return _BY_NAME[name]


def parse_number(text: str, *, whole: bool = False) -> float | None:
    """Return the number from 0 on that a text is, written as in JSON; None where it is something else.

    >>> parse_number("2.5"), parse_number("2", whole=True), parse_number("nan"), parse_number("-1"), parse_number("²")
    (2.5, 2, None, None, None)
    >>> parse_number("5e-3"), parse_number("5e-3", whole=True)
    (0.005, None)
    """
    if not _NUMBER.fullmatch(text) or (whole and not text.isdecimal()):
        return None
    return int(text) if whole else float(text)


def make_query(text: str, **options: object) -> Query:
    """Return the query that a text and options by their names describe; those not given have their defaults.

    Raises QueryError when there is no option of a name, and where `checked` does.
    """
    from .query import Filters, Query  # a search that a server answers must not wait for it

    unknown = options.keys() - _BY_NAME.keys()
    if unknown:
        raise QueryError(f"There is no option {min(unknown)!r}.", f"There are {', '.join(_BY_NAME)}.")
    # `checked` makes sure that each value has the type of its field.
    given: dict[str, Any] = {option.name: options.get(option.name, option.default) for option in SEARCH_OPTIONS}
    filters = Filters(*(given[name] for name in _FILTERS))
    query = Query(text, given["k"], given["mode"], filters, given["per_talk"], avoid=given["avoid"], heat=True)
    context = option_named("context").check(given["context"])
    shown = replace(query, context_ms=round(float(context) * 1000), explain=given["explain"], beside=given["beside"])  # type: ignore[arg-type]
    return checked(shown)


def checked(query: Query) -> Query:
    """Return a query with every value in the form in which it is looked for; every search asks this first.

    What is no character in a text, such as a byte of an argument that is not UTF-8, becomes U+FFFD; a month or a year
    becomes its first or last day; empty filters are none. Raises QueryError where an option cannot have its value.
    """
    # A search that a server answers must not wait for it.
    from talksearch.indexer.text.untrusted import as_text

    from .query import MOST_TALKS, Filters, Query, first_day, last_day, refuse_endless, refuse_long_quotes

    if not isinstance(query, Query) or not isinstance(query.text, str) or not isinstance(query.filters, Filters):
        raise QueryError("That is no query.", "Give a text, or a Query with a text and Filters.")
    given: dict[str, Any] = {name: getattr(query.filters, name) for name in _FILTERS}
    given |= {name: getattr(query, name) for name in ("k", "mode", "per_talk", "avoid", "explain", "beside")}
    values: dict[str, Any] = {name: option_named(name).check(value) for name, value in given.items()}
    option_named("context").check(query.context_ms / 1000 if isinstance(query.context_ms, int | float) else None)

    def filter_text(name: str) -> str | None:
        return _short(as_text(values[name]), name.capitalize()) if values[name] else None

    text = _short(as_text(query.text), "The query")
    refuse_endless(text)
    if values["mode"] == "quote":
        refuse_long_quotes([text])
    if len(values["talks"]) > MOST_TALKS:
        raise QueryError(f"The search names {len(values['talks']):,} talks.", f"Give at most {MOST_TALKS:,}.")
    return replace(
        query,
        text=text,
        k=values["k"],
        mode=values["mode"],
        filters=Filters(
            talks=tuple(map(as_text, values["talks"])),
            speaker=filter_text("speaker"),
            channel=filter_text("channel"),
            language=filter_text("language"),
            after=first_day(values["after"]) if values["after"] else None,
            before=last_day(values["before"]) if values["before"] else None,
            timing=values["timing"],
        ),
        per_talk=values["per_talk"],
        avoid=_short(as_text(values["avoid"]), "The text to turn away from"),
        explain=values["explain"],
        beside=as_text(values["beside"]) if values["beside"] else None,
    )


def _short(text: str, name: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise QueryError(f"{name} has {len(text):,} characters.", f"Give at most {LONGEST_TEXT:,}.")
    return text
