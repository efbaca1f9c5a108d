"""The tools: what each takes, and the text that it answers with.

Text is all that they answer with. Some clients show an assistant the text of an answer, some its structured content,
some both: what stands in one of them only is lost on some, and what stands in both is read twice.

A client asks for the list of tools before anything else, and must not wait for numpy: calls import what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from talksearch.cli.answers import search, similar
from talksearch.cli.render.common import counted, timing_sentence
from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Cue, Json, Talk
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.letters import folded
from talksearch.search.answer import Answer
from talksearch.search.options import LATEST_S, SEARCH_OPTIONS, SearchOption, make_query

from .arguments import Arguments, argument
from .cue_lines import lines_of, seconds
from .hints import for_assistants
from .quoting import Quotation, fenced, field, literal, tokens

if TYPE_CHECKING:
    from talksearch.search.reader import IndexReader

MOST_HITS = 1000
"""Hits that can be reached, page by page: as many as a search may have."""

READ_TOKENS = 8_000
"""Tokens of a talk that one answer gives: half an hour of most talks."""

LIST_TOKENS = 3_800
"""Tokens of a list of talks."""

_CHAPTERS = 60
"""Chapters that are named where a talk is read from its beginning."""

_NUMBERS = 2
"""Tokens that a cue takes beside its text; lines join several of them."""

Values = Mapping[str, Any]
"""Checked arguments, by the names of their options."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that an assistant can ask for. No tool changes anything."""

    name: str
    title: str
    description: str
    arguments: Arguments
    work: Callable[[IndexReader, Values], str]


def _search(index: IndexReader, given: Values) -> str:
    options = {name: value for name, value in given.items() if name not in ("query", "offset")}
    k, offset = given["k"], given["offset"]
    query = make_query(given["query"], **{**options, "k": _hits_to_ask_for(k, offset)})
    return _page(index, search(index, query), offset, k)


def _similar(index: IndexReader, given: Values) -> str:
    k, offset = given["k"], given["offset"]
    answer = similar(index, given["moment"], make_query("", k=_hits_to_ask_for(k, offset)))
    return _page(index, answer, offset, k, "Moments like that one")


def _hits_to_ask_for(k: int, offset: int) -> int:
    """Return how many hits tell a page and whether there are more. Raises QueryError where the page lies too far on."""
    if offset + k > MOST_HITS:
        raise QueryError(
            f"offset {offset} and k {k} reach beyond {MOST_HITS:,} hits.", "Ask a narrower query, or set filters."
        )
    return min(offset + k + 1, MOST_HITS)


def _page(index: IndexReader, answer: Answer, offset: int, k: int, found: str = "") -> str:
    from .hit_page import hit_page

    return hit_page(index.db, replace(answer, note=for_assistants(answer.note)), offset, k, found)


def _list(index: IndexReader, given: Values) -> str:
    from talksearch.search.remote.listing import listed_talks

    wanted = folded(given["title_contains"])
    matching = [talk for talk in listed_talks(index) if wanted in folded(talk.title)]
    sizes = catalog_talks.talk_sizes(index.db) if index.store is None else {}
    offset, room = given["offset"], float(LIST_TOKENS)
    rows: list[str] = []
    for talk in matching[offset : offset + given["limit"]]:
        row = literal(_talk_row(talk, sizes.get(talk.id, (0, 0))[1]))
        room -= tokens(row)
        if rows and room < 0:
            break
        rows.append(row)
    until = offset + len(rows)
    many = counted("talk", len(matching))
    if not rows:
        return fenced([f"{many}, none from offset {offset} on." if matching else "There is no such talk."], ())
    of = f", {offset + 1} to {until}" if len(rows) < len(matching) else ""
    head = f"{many}{of}, by title, each as [talk, title, speaker, channel, date, language, length]:"
    more = f"There are more: the same call with offset {until}." if until < len(matching) else ""
    return fenced([head], [Quotation("", tuple(rows))], [more])


def _talk_row(talk: Talk, end_ms: int) -> Json:
    """Return what a list tells of a talk."""
    names = [field(name) or "" for name in (talk.title, talk.speaker, talk.channel)]
    return [talk.id, *names, talk.date or "", talk.language or "", show_clock(talk.duration_ms or end_ms)]


def _read(index: IndexReader, given: Values) -> str:
    return stretch(index, given["talk"], given["from_s"], given["to_s"], READ_TOKENS)


def stretch(index: IndexReader, name: str, from_s: float | None, to_s: float | None, most_tokens: float) -> str:
    """Return what is said in a talk, or in a part of it: as much as fits, and where to go on."""
    from talksearch.search.moments import cue_range, talk_and_moment
    from talksearch.search.named_talk import gather_named

    gather_named(index, name)
    talk, moment_ms = talk_and_moment(index.db, name)
    from_ms = moment_ms if from_s is None else round(from_s * 1000)
    positions, silence = cue_range(talk, from_ms, None if to_s is None else round(to_s * 1000))
    given = _as_many_as_fit(talk.cues, positions, most_tokens)
    about: dict[str, Json] = {
        "talk": talk.id,
        "title": field(talk.title),
        "speaker": field(talk.speaker),
        "channel": field(talk.channel),
        "date": talk.date,
        "language": talk.language,
        "url": talk.url,
    }
    chapters: list[Json] = [
        [seconds(chapter.start_ms), field(chapter.title)]
        for chapter in talk.chapters[:_CHAPTERS]
        if from_ms is None and to_s is None
    ]
    if chapters:
        about["chapters"] = chapters
    head = literal({key: value for key, value in about.items() if value})
    lines = tuple(line.literal() for line in lines_of(talk.cues[given.start : given.stop]))
    said = f"What is said, each line as [seconds, speaker, text]. {timing_sentence(talk)}".rstrip()
    on = ""
    if given.stop < positions.stop:
        until = f" and to_s {to_s:g}" if to_s is not None else ""
        on = f"It goes on: read_talk with the same talk, from_s {talk.cues[given.stop].start_ms / 1000:.10g}{until}."
    return fenced([silence or said], [Quotation("", (head, *lines))], [on])


def _as_many_as_fit(cues: Sequence[Cue], positions: range, most_tokens: float) -> range:
    """Return the first positions, as many as fit into one answer, and at least one of them."""
    size = 0.0
    for position in positions:
        size += tokens(cues[position].text) + _NUMBERS
        if size > most_tokens and position > positions.start:
            return range(positions.start, position)
    return positions


def _stats(index: IndexReader, given: Values) -> str:  # noqa: ARG001 - every tool is given its arguments
    from talksearch.search.remote.listing import gather_stats
    from talksearch.search.stats import gather

    facts = gather(index.folder) if index.store is None else gather_stats(index)
    return fenced(["What the index holds:"], [Quotation("", (literal(facts),))])


_OFFSET = SearchOption(
    "offset", "offset", "integer", "How many hits to pass over: the page behind is asked for with it.",
    default=0, minimum=0, maximum=MOST_HITS - 1,
)  # fmt: skip
_QUERY = SearchOption(
    "query", "query", "text", 'What to look for; in "quotation marks", what was said word for word.', default=""
)
_MOMENT = SearchOption(
    "moment", "moment", "text", "TALK@SECONDS, such as DTcRLlMv4_o@777, or a URL with a time.", default=""
)
_TALK = SearchOption("talk", "talk", "text", "An id, a YouTube URL, or the beginning of an id.", default="")

TOOLS = (
    Tool(
        "search_talks",
        "Search the talks",
        "Find passages of recorded talks that answer a query. The answer begins with how good the best are; each hit"
        " has a url that opens the recording at its second.",
        Arguments(
            "search_talks",
            (
                _QUERY,
                *(
                    argument(option.name, {"context": "context_s", "avoid": "avoid"}.get(option.name, ""))
                    for option in SEARCH_OPTIONS
                ),
                _OFFSET,
            ),
            ("query",),
        ),
        _search,
    ),
    Tool(
        "similar_moments",
        "Find moments like one",
        "Find passages like the one that is said at a moment of a talk.",
        Arguments("similar_moments", (_MOMENT, argument("k"), _OFFSET), ("moment",)),
        _similar,
    ),
    Tool(
        "list_talks",
        "List the talks",
        "List the talks that can be searched: id, title, speaker, channel, date, language, length.",
        Arguments(
            "list_talks",
            (
                SearchOption("title_contains", "title_contains", "text", "Only talks with this in their title.", ""),
                SearchOption("limit", "limit", "integer", "At most so many.", 100, minimum=1, maximum=1000),
                SearchOption("offset", "offset", "integer", "How many talks to pass over.", 0, minimum=0),
            ),
        ),
        _list,
    ),
    Tool(
        "read_talk",
        "Read a talk",
        "Read what is said in a talk, or in a part of it, with its times; a long talk in parts.",
        Arguments(
            "read_talk",
            (
                _TALK,
                SearchOption("from_s", "from_s", "seconds", "From this second on.", minimum=0, maximum=LATEST_S),
                SearchOption("to_s", "to_s", "seconds", "Up to this second.", minimum=0, maximum=LATEST_S),
            ),
            ("talk",),
        ),
        _read,
    ),
    Tool(
        "index_stats",
        "About the index",
        "Say what the index holds, how large it is and how it was made.",
        Arguments("index_stats", ()),
        _stats,
    ),
)
"""All of them, in the order in which they are listed."""
