"""The shell of all pages: what is asked on top, answers on the left in `#answers`, a talk on the right in `#talk`.

A script that wants one of the two columns, or both, names them in the header `X-Column` and gets no more than that.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from talksearch.indexer.text.untrusted import safe

from .addresses import PageAddress, address
from .asking import with_catalog
from .embeds import USUAL_HOSTS, content_policy, embed_hosts
from .hints import for_people
from .parameters import Parameters
from .problems import problem, wants_problem
from .templating import rendered

_FIELDS = ("q", "like", "t", "mode", "after", "before", "not", "per_talk", "k", "sort", "page", "topic")
"""The parameters that the form has fields for, or that a new question ends."""


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in one of the columns: a template, and what it shows."""

    template: str
    title: str
    """The title of a page that shows nothing else."""
    values: Mapping[str, object] = field(default_factory=dict)
    count: str = ""
    """What a screen reader is told when the answers change."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def wanted_column(request: Request) -> str:
    """Return what a script asks for: `answers`, `talk`, or `both`; empty for a whole page."""
    column = request.headers.get("x-column", "")
    return column if column in ("answers", "talk", "both") else ""


def shorter(request: Request, here: PageAddress) -> Response | None:
    """Return a redirection to the short address of a page; None where it has that one already, or a script asks."""
    asked = Counter(request.query_params.multi_items())
    short = Counter((name, text) for name, texts in here.given.items() for text in texts)
    if wanted_column(request) or asked == short:
        return None
    return RedirectResponse(address(here.path, here.given), 302)


async def framed(request: Request, column: Column, talk: str = "") -> Column:
    """Return a column of a whole page with the policy that lets the archive's talks play in it, once somebody asks.

    A page keeps the policy that it came with, also when a script puts a talk into it. Of a store, the `talk` of the
    page is known, and those that were read lately.
    """
    if wanted_column(request) or column.status != HTTPStatus.OK:
        return column
    is_store = request.app.state.pool.store is not None
    hosts, damage = await with_catalog(request, _hosts_of_store if is_store else _hosts_and_damage, talk)
    values = {**column.values, "damage": safe(for_people(damage))}
    return replace(column, values=values, headers={**column.headers, "content-security-policy": content_policy(hosts)})


def _hosts_and_damage(db: sqlite3.Connection) -> tuple[tuple[str, ...], str]:
    """Return which hosts may play talks, and a sentence where what lists and counts show is damaged."""
    from talksearch.search.damage import note_on_index  # numpy

    return embed_hosts(db), note_on_index(db)


def _hosts_of_store(db: sqlite3.Connection) -> tuple[tuple[str, ...], str]:
    # Which talks a script will put into the page, nobody knows yet.
    return tuple(sorted({*USUAL_HOSTS, *embed_hosts(db)})), ""


def shown(request: Request, here: PageAddress, left: Column | None, talk: Column | None = None) -> Response:
    """Return a page, or the column of it that a script asks for.

    `left` is None where nothing was asked, beside a talk that stands alone, and where only the talk is asked for.
    """
    main = talk or left
    assert main is not None
    if main.status >= HTTPStatus.BAD_REQUEST and wants_problem(request):
        return problem(main.status, str(main.values["message"]), str(main.values["hint"]))
    values = {
        **(left.values if left else {}),
        **(talk.values if talk else {}),
        "here": here,
        "given": {name: safe(texts[-1]) for name, texts in here.given.items()},
        "kept": _kept(here.given),
        "title": main.title,
        "announced": left.count if left else "",
        "left_template": left.template if left else "",
        "talk_template": talk.template if talk else "",
        "part": wanted_column(request),
    }
    page = rendered("part.html" if values["part"] else "page.html", **values)
    return HTMLResponse(page, main.status, headers={**(left.headers if left else {}), **main.headers})


def _kept(given: Parameters) -> list[tuple[str, str]]:
    """Return the parameters that a form sends along without a field for them."""
    return [(name, safe(text)) for name, texts in given.items() if name not in _FIELDS for text in texts]
