"""The HTTP API: JSON with the keys of the command line.

To add an operation: a function here, and a line in `OPERATIONS`, which makes its route and describes it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from talksearch.cli.answers import search, similar
from talksearch.cli.render import talks
from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.letters import folded
from talksearch.search.options import LONGEST_TEXT, SEARCH_OPTIONS, make_query

from . import media, openapi
from .asking import with_catalog, with_index
from .hints import for_programs
from .openapi import Operation, Parameter, parameter_named, parameter_of
from .parameters import Parameters, last, milliseconds, only, options, whole_number
from .problems import problem
from .templating import rendered

if TYPE_CHECKING:
    from sqlite3 import Connection

    from talksearch.cli.export.registry import ExportFormat
    from talksearch.cli.export.selection import Selection
    from talksearch.search.answer import Answer
    from talksearch.search.query import Query
    from talksearch.search.reader import IndexReader

# The server must not wait for numpy before its first page, so what imports it is imported by the workers.

MOMENT_EXAMPLE = "Such as /api/similar?moment=DTcRLlMv4_o@777"

_PAGE, _LARGEST_PAGE = 100, 1_000
"""Talks on a page where nothing is said, and at most."""

_REPEATABLE = tuple(option.public_name for option in SEARCH_OPTIONS if option.kind == "talks")
"""The parameters that may stand in an address several times."""

_FAR = 1_000_000_000
"""The highest number of a talk at which a page may begin."""


async def _search(request: Request) -> Response:
    given = _given(request)
    query = make_query(last(given, "q"), **options(given))

    return _told(await with_index(request, partial(search, query=query)))


async def _similar(request: Request) -> Response:
    given = _given(request)
    moment = last(given, "moment")
    if not moment:
        raise QueryError("Say which moment.", MOMENT_EXAMPLE)
    query = make_query("", **options(given))
    return _told(await with_index(request, partial(similar, moment=moment, query=query)))


def _told(answer: Answer) -> Response:
    return JSONResponse(replace(answer, note=for_programs(answer.note)).to_dict())


async def _talks(request: Request) -> Response:
    given = _given(request)
    limit = whole_number(given, "limit", _PAGE, least=1, most=_LARGEST_PAGE)
    offset = whole_number(given, "offset", 0, most=_FAR)
    query = make_query("", **options(given))
    page = await with_index(
        request, partial(_talks_on_page, query=query, title=last(given, "title"), limit=limit, offset=offset)
    )
    return JSONResponse(page, headers=_neighbours(given, page["total"], limit, offset))


def _talks_on_page(index: IndexReader, query: Query, title: str, limit: int, offset: int) -> dict[str, Json]:
    from talksearch.search.damage import note_on_index
    from talksearch.search.remote.listing import listed_talks

    wanted = folded(title)
    found = [talk for talk in listed_talks(index, query.filters) if wanted in folded(talk.title)]
    sizes, note = {}, ""
    if index.store is None:
        sizes = catalog_talks.talk_sizes(index.db)
        note = for_programs(index.avoided.note or note_on_index(index.db))  # a query may have hidden passages
    listed = [talks.talk_json(talk, *sizes.get(talk.id, (0, 0))) for talk in found[offset : offset + limit]]
    return {"talks": listed, "total": len(found), "limit": limit, "offset": offset, "note": note}


def _neighbours(given: Parameters, total: int, limit: int, offset: int) -> dict[str, str]:
    """Return the header with the addresses of the pages before and after one (RFC 8288)."""
    starts = {"prev": max(0, offset - limit) if offset else None, "next": offset + limit}
    kept = {name: texts for name, texts in given.items() if name not in ("limit", "offset")}
    links = [
        f'</api/talks?{urlencode({**kept, "limit": limit, "offset": start}, doseq=True)}>; rel="{relation}"'
        for relation, start in starts.items()
        if start is not None and start < total
    ]
    return {"link": ", ".join(links)} if links else {}


async def _talk(request: Request) -> Response:
    _given(request)
    name = request.path_params["talk"]
    from_ms, to_ms = (milliseconds(request, parameter) for parameter in ("from", "to"))

    def work(db: Connection) -> dict[str, Json] | QueryError:
        from talksearch.search.moments import cue_range, talk_and_moment

        try:
            talk, moment_ms = talk_and_moment(db, name)
        except QueryError as error:
            return error
        positions, _ = cue_range(talk, moment_ms if from_ms is None else from_ms, to_ms)
        size = catalog_talks.talk_sizes(db).get(talk.id, (0, 0))
        return {"talk": talks.talk_json(talk, *size), "cues": list(talks.cues_json(talk, positions))}

    return _found(await with_catalog(request, work, name))


def _found(reading: dict[str, Json] | QueryError) -> Response:
    return problem(404, reading.message, reading.hint) if isinstance(reading, QueryError) else JSONResponse(reading)


async def _talk_elsewhere(request: Request) -> Response:
    """Lead from where a talk was before to where it is now."""
    asked = request.url.query
    address = f"/api/talks/{quote(request.path_params['talk'], safe='/:@')}{f'?{asked}' if asked else ''}"
    return RedirectResponse(address, 308)


async def _export_talk(request: Request) -> Response:
    given = _given(request)
    name = request.path_params["talk"]

    def work(db: Connection) -> Response:
        from talksearch.cli.export.selection import select_talks
        from talksearch.search.ranking.filters import find_talk

        try:
            talk_id = find_talk(db, name)
        except QueryError as error:
            return problem(404, error.message, error.hint)
        return _exported(given, select_talks(db, [talk_id]), talk_id)

    return await with_catalog(request, work, name)


async def _export_hits(request: Request) -> Response:
    given = _given(request)
    query = make_query(last(given, "q"), **options(given))

    def work(index: IndexReader) -> Response:
        from talksearch.cli.export.selection import select_hits

        hits = search(index, query).hits
        return _exported(given, select_hits(index.db, query.text, hits), query.text)

    return await with_index(request, work)


def _exported(given: Parameters, selection: Selection, name: str) -> Response:
    """Return a selection as a file to keep; 404 where it has nothing that the format holds. Raises QueryError where
    there is no such format.
    """
    from talksearch.cli.export import files, registry

    wanted = last(given, "format")
    form = registry.format_named(wanted)
    if form is None:
        names = ", ".join(known.name for known in registry.FORMATS)
        raise QueryError(f"format is {wanted!r}." if wanted else "Say in which format.", f"There are {names}.")
    try:
        written = registry.export(form, selection)
    except QueryError as error:
        return problem(404 if selection.kind in form.takes else 400, error.message, error.hint)
    file_name = quote(f"{files.file_name(name)}.{form.ending}")
    kept = {"content-disposition": f"attachment; filename*=UTF-8''{file_name}"}
    return Response(written.content, media_type=form.media_type, headers=kept)


async def _stats(request: Request) -> Response:
    _given(request)
    pool = request.app.state.pool

    def work(_: Connection) -> dict[str, Json]:
        from talksearch.search.stats import gather

        return gather(pool.folder)

    def of_store(index: IndexReader) -> dict[str, Json]:
        from talksearch.search.remote.listing import gather_stats

        return gather_stats(index)

    asked = with_catalog(request, work) if pool.store is None else with_index(request, of_store)
    return JSONResponse(await asked)


async def _document(request: Request) -> Response:
    _given(request)
    return JSONResponse(_described())


async def _reference(_: Request) -> Response:
    return HTMLResponse(rendered("api.html", api=_described()))


@cache
def _described() -> dict[str, Json]:
    return openapi.document(OPERATIONS)


def _given(request: Request) -> Parameters:
    """Return what was given for the parameters of the operation.

    Raises QueryError where there is no such parameter, or one is given twice that may stand only once: pages take the
    last, since links are shared and added to, but a program that says two things has made a mistake.
    """
    operation = _BY_ENDPOINT[request.scope["endpoint"]]
    given = only(request, [parameter.name for parameter in operation.parameters])
    for name, texts in given.items():
        if len(texts) > 1 and name not in _REPEATABLE:
            raise QueryError(f"{name} is given {len(texts)} times.", "Give it once.")
    return given


# --------------------------------------------------------------------------------------------------------- operations


def _json(schema: openapi.Schema) -> dict[str, openapi.Schema]:
    return {"application/json": schema}


def _formats(kind: str) -> list[ExportFormat]:
    from talksearch.cli.export.registry import FORMATS

    return [known for known in FORMATS if kind in known.takes]


def _format_parameter(kind: str) -> Parameter:
    return Parameter(
        "format",
        "In which format.",
        lambda: {"type": "string", "enum": [known.name for known in _formats(kind)]},
        is_required=True,
    )


def _files(kind: str) -> dict[str, openapi.Schema]:
    return {known.media_type: {} for known in _formats(kind)}


_OPTIONS = tuple(map(parameter_of, SEARCH_OPTIONS))
_Q = Parameter(
    "q",
    "What to look for; in quotation marks, what was said word for word.",
    lambda: {"type": "string", "pattern": r"\S", "maxLength": LONGEST_TEXT},
    is_required=True,
)

OPERATIONS = (
    Operation("/api/search", "search", "Find passages that answer a query, best first.", (_Q, *_OPTIONS),
              lambda: _json(openapi.ANSWER), _search),
    Operation("/api/similar", "similar", "Find passages like the one that is said at a moment.",
              (Parameter("moment", "TALK@SECONDS, or an address with a time in it.",
                         lambda: {"type": "string", "pattern": r"\S"}, is_required=True), *_OPTIONS),
              lambda: _json(openapi.ANSWER), _similar),
    Operation("/api/export", "exportHits", "Take the hits of a query along as a file.",
              (_Q, _format_parameter("hits"), *_OPTIONS), lambda: _files("hits"), _export_hits),
    Operation("/api/talks", "talks", "List the talks, page by page; the header Link leads to the neighbours.",
              (Parameter("title", "Only talks whose title holds this.", lambda: {"type": "string"}),
               *map(parameter_named, ("channel", "speaker", "language", "after", "before", "timing")),
               Parameter("limit", "How many.", lambda: {
                   "type": "integer", "minimum": 1, "maximum": _LARGEST_PAGE, "default": _PAGE}),
               Parameter("offset", "How many to pass over.", lambda: {
                   "type": "integer", "minimum": 0, "maximum": _FAR, "default": 0})),
              lambda: _json(openapi.TALKS), _talks),
    Operation("/api/talks/{talk:path}/export", "exportTalk", "Take a talk along as a file.",
              (_format_parameter("talk"),), lambda: _files("talk"), _export_talk),
    Operation("/api/talks/{talk:path}", "talk", "Read a talk, or a stretch of it; TALK may be TALK@SECONDS.",
              (Parameter("from", "From this second on.", openapi.seconds),
               Parameter("to", "Up to this second.", openapi.seconds)),
              lambda: _json(openapi.READING), _talk),
    Operation("/api/stats", "stats", "Say what the index holds, and how large it is.", (),
              lambda: _json(openapi.STATS), _stats),
    Operation("/media/{talk:path}", "media", "Play the recording of a talk that lies on this machine; by its id.", (),
              lambda: {media_type: {} for media_type in sorted(set(media.MEDIA_TYPES.values()))}, media.recording,
              is_partial=True),
    Operation("/openapi.json", "description", "This description.", (), lambda: _json({"type": "object"}), _document),
)  # fmt: skip
"""All of the API, in the order in which it is described; of two paths that fit, the first is taken."""

_BY_ENDPOINT = {operation.endpoint: operation for operation in OPERATIONS}

ROUTES = (
    *(Route(operation.path, operation.endpoint, name=operation.name) for operation in OPERATIONS),
    Route("/api/talk/{talk:path}", _talk_elsewhere),
    Route("/api", _reference),
)
