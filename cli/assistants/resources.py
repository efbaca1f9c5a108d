"""Talks and stretches of them as resources: `talk://ID`, and `talk://ID?from=SECONDS&to=SECONDS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Talk
from talksearch.indexer.text.letters import folded
from talksearch.indexer.text.untrusted import safe
from talksearch.search.options import LATEST_S, parse_number

from .quoting import field, seen
from .tools import stretch

if TYPE_CHECKING:
    from talksearch.search.reader import IndexReader

TALK_TEMPLATE = "talk://{talk}"
STRETCH_TEMPLATE = "talk://{talk}{?from,to}"

PAGE = 100
"""Talks of one page of the list, and ids that are offered to complete what was typed, of which MCP allows no more."""

_RESOURCE_TOKENS = 40_000
"""Tokens of a talk that its resource gives, two hours or more: a user adds it on purpose. It says where it goes on."""


@dataclass(frozen=True, slots=True)
class TalkResource:
    """A talk as it is listed."""

    uri: str
    title: str
    description: str


class TalkList(NamedTuple):
    """A page of the list."""

    resources: tuple[TalkResource, ...]
    next_cursor: str | None


class Completions(NamedTuple):
    """Ids that complete what was typed."""

    ids: tuple[str, ...]
    total: int


def list_resources(index: IndexReader, cursor: str | None) -> TalkList:
    """Return a page of all talks. Raises QueryError where the cursor is none that a page gave."""
    from talksearch.search.remote.listing import listed_talks

    offset = parse_number(cursor, whole=True) if cursor else 0
    if offset is None:
        raise QueryError("That is no cursor of this list.", "Give the next_cursor of the page before, or none.")
    talks = listed_talks(index)
    until = int(offset) + PAGE
    return TalkList(tuple(map(_resource, talks[int(offset) : until])), str(until) if until < len(talks) else None)


def read_resource(index: IndexReader, uri: str) -> str:
    """Return what is said in a talk or a stretch. Raises QueryError where a URI names none."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # such as talk://[
        parts = urlsplit("")
    name = unquote(parts.netloc + parts.path)
    if parts.scheme != "talk" or not name:
        raise QueryError(f"{safe(uri)} is no resource of this server.", f"There is {STRETCH_TEMPLATE}.")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = [key for key in given if key not in ("from", "to")]
    if unknown:
        raise QueryError(f"A talk's URI has no parameter {unknown[0]!r}.", "It has from and to, in seconds.")
    from_s, to_s = (_seconds(key, given[key]) if given.get(key) else None for key in ("from", "to"))
    return stretch(index, name, from_s, to_s, _RESOURCE_TOKENS)


def complete(index: IndexReader, typed: str) -> Completions:
    """Return ids of talks that begin with what was typed, then those whose titles hold it."""
    from talksearch.search.remote.listing import listed_talks

    last = typed.rpartition(",")[2].strip()  # a prompt takes several ids
    talks = listed_talks(index)
    found = [talk.id for talk in talks if talk.id.startswith(last)]
    found += [talk.id for talk in talks if folded(last) in folded(talk.title)]
    ids = tuple(dict.fromkeys(found))
    return Completions(ids[:PAGE], len(ids))


def _resource(talk: Talk) -> TalkResource:
    facts = [field(name) for name in (talk.speaker, talk.channel, talk.date, talk.language)]
    title = seen(field(talk.title) or talk.id)
    return TalkResource(f"talk://{quote(talk.id, safe='')}", title, " · ".join(seen(fact) for fact in facts if fact))


def _seconds(key: str, text: str) -> float:
    number = parse_number(text)
    if number is None or number > LATEST_S:
        raise QueryError(f"{key} is {safe(text)!r}.", "Give a number of seconds, such as 754.5.")
    return number
