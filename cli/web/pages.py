"""The page that is asked and answered."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from talksearch.cli.answers import similar
from talksearch.cli.render import common, hits
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import is_linkable, safe
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.hit import Hit, byline, how_good, more_places, noted, pieces, voice, when
from talksearch.search.options import make_query, option_named

from .asking import with_index
from .parameters import Parameters, last, options, parameters
from .problems import status_of
from .templating import rendered

_PLACES = 40
"""How many places that say the same a hit has links to."""


async def _page(request: Request) -> Response:
    answer: Answer | None = None
    error: TalksearchError | None = None
    given: Parameters = {}
    try:
        given = parameters(request, "q", "like")
        chosen = options(given)
        if "q" in given:
            query = make_query(last(given, "q"), **chosen)
            answer = await with_index(request, partial(engine.search, query=query))
        elif "like" in given:
            moment, query = last(given, "like"), make_query("", **chosen)
            answer = await with_index(request, partial(similar, moment=moment, query=query))
    except TalksearchError as raised:
        error = raised
    page = rendered(
        "page.html",
        given={name: safe(texts[-1]) for name, texts in given.items()},
        talks=[safe(name) for name in given.get("talk", [])],
        modes=option_named("mode").choices,
        note=safe(answer.note) if answer else "",
        answered=answer is not None,
        hits=[_shown(hit, given) for hit in answer.hits] if answer else [],
        error=safe(error.message) if error else "",
        hint=safe(error.hint) if error else "",
    )
    return HTMLResponse(page, status_of(error) if error else 200)


def _shown(hit: Hit, given: Parameters) -> dict[str, object]:
    """Return what the page shows of a hit: texts without control characters, for the template to escape."""
    middle_s = (hit.start_ms + hit.end_ms) // 2 / 1000
    others = {name: texts[-1] for name, texts in given.items() if name not in ("like", "per_talk", "talk")}
    return {
        "title": safe(hit.title),
        "link": _link(hit.url),
        "url": safe(hit.url),
        "facts": safe(" · ".join(filter(None, (byline(hit), hit.date, how_good(hit))))),
        "when": when(hit),
        "heat": hits.heat_line(hit.heat),
        "note": safe(noted(hit)),
        "language": hit.language or "",
        "parts": [(safe(text), is_marked) for text, is_marked in pieces(hit.text, hit.matches)],
        "is_said": hit.mark_kind == "said",
        "voice": safe(voice(hit)),
        "places": [
            {"when": f"{common.mark(hit.timing)}{show_clock(place.jump_ms)}", "link": _link(place.url)}
            for place in hit.also_at[:_PLACES]
        ],
        "more_places": more_places(len(hit.also_at)) if hit.also_at else "",
        "has_more_places": len(hit.also_at) > _PLACES,
        "differs": safe(hits.difference(hit.quote)) if hit.quote is not None and hit.quote.score < 1 else "",
        "copies": [
            {
                "title": safe(copy.title),
                "when": f"{common.mark(copy.timing)}{show_clock(copy.jump_ms)}",
                "link": _link(copy.url),
                "more": more_places(copy.more_places) if copy.more_places else "",
            }
            for copy in hit.copies
        ],
        "more": hit.more_in_talk,
        "more_link": f"?{urlencode({**others, 'talk': hit.talk_id})}",
        "like_link": f"?{urlencode({'like': f'{hit.talk_id}@{middle_s}'})}",
        "why": safe(hits.why(hit.explain)) if hit.explain is not None else "",
    }


def _link(url: str) -> str:
    """Return an address that may be a link; empty for what is not of the web and not a file."""
    return url if is_linkable(url) else ""


ROUTES = (Route("/", _page),)
