"""The HTTP API: JSON with the keys of the command line."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from talksearch.cli.answers import similar
from talksearch.cli.render import talks
from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.moments import cue_range, talk_and_moment
from talksearch.search.options import make_query
from talksearch.search.reader import IndexReader
from talksearch.search.stats import gather

from .asking import with_index
from .parameters import last, milliseconds, options, parameters
from .problems import problem

MOMENT_EXAMPLE = "Such as /api/similar?moment=DTcRLlMv4_o@777"


async def _search(request: Request) -> Response:
    given = parameters(request, "q")
    query = make_query(last(given, "q"), **options(given))
    return _answered(await with_index(request, partial(engine.search, query=query)))


async def _similar(request: Request) -> Response:
    given = parameters(request, "moment")
    moment = last(given, "moment")
    if not moment:
        raise QueryError("Say which moment.", MOMENT_EXAMPLE)
    query = make_query("", **options(given))
    return _answered(await with_index(request, partial(similar, moment=moment, query=query)))


def _answered(answer: Answer) -> Response:
    return JSONResponse(answer.to_dict())


async def _talks(request: Request) -> Response:
    def work(index: IndexReader) -> list[dict[str, Json]]:
        sizes = catalog.talk_sizes(index.db)
        return [talks.talk_json(talk, *sizes.get(talk.id, (0, 0))) for talk in catalog.read_talks(index.db)]

    return JSONResponse({"talks": await with_index(request, work)})


async def _talk(request: Request) -> Response:
    name = request.path_params["talk"]
    from_ms, to_ms = (milliseconds(request, parameter) for parameter in ("from", "to"))

    def work(index: IndexReader) -> dict[str, Json] | QueryError:
        try:
            talk, moment_ms = talk_and_moment(index.db, name)
        except QueryError as error:
            return error
        positions, _ = cue_range(talk, moment_ms if from_ms is None else from_ms, to_ms)
        size = catalog.talk_sizes(index.db).get(talk.id, (0, 0))
        return {"talk": talks.talk_json(talk, *size), "cues": list(talks.cues_json(talk, positions))}

    reading = await with_index(request, work)
    return problem(404, reading.message, reading.hint) if isinstance(reading, QueryError) else JSONResponse(reading)


async def _stats(request: Request) -> Response:
    return JSONResponse(await with_index(request, lambda index: gather(index.folder)))


ROUTES = (
    Route("/api/search", _search),
    Route("/api/similar", _similar),
    Route("/api/talks", _talks),
    Route("/api/talk/{talk:path}", _talk),
    Route("/api/stats", _stats),
)
