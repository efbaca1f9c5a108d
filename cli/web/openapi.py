"""The API described: an OpenAPI 3.1 document, made of the operations that answer it and the options of a search.

An operation says what it takes, and its route refuses everything else, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from talksearch.indexer.records import Json
from talksearch.search.options import FLAGS, LATEST_S, SearchOption, option_named

from .problems import MEDIA_TYPE

Schema = dict[str, Json]
"""A JSON Schema (2020-12)."""

_DATE = r"^\s*((?!0000)[0-9]{4}(-?(0[1-9]|1[0-2])(-?(0[1-9]|[12][0-9]|3[01]))?)?)?\s*$"

_ERRORS = {
    400: "A parameter is missing, unknown, or cannot have its value.",
    401: "The server has a token, and the request does not hold it.",
    403: "The request names another host, or a page of another site makes it.",
    404: "There is no such talk, recording or path.",
    413: "The request has a body.",
    414: "The address is too long.",
    429: "More is asked from this address than is answered.",
    431: "The headers are too large.",
    503: "There is no index to read now, or too many queries are waiting.",
}
"""What every operation may answer instead, as problem details (RFC 9457)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a request may say in its query."""

    name: str
    help: str
    schema: Callable[[], Schema]
    """Called when the API is described, so that no request waits for what only that needs."""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One path of the API, to GET."""

    path: str
    """With the placeholders of Starlette's routes."""
    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    answers: Callable[[], dict[str, Schema]]
    """The schema of an answer, by its media type."""
    endpoint: Callable[[Request], Awaitable[Response]]
    is_partial: bool = False
    """It answers the header `Range` with parts."""

    @property
    def public_path(self) -> str:
        """The path as OpenAPI writes it.

        >>> Operation("/api/talks/{talk:path}", "talk", "", (), dict, None).public_path
        '/api/talks/{talk}'
        """
        return self.path.replace(":path}", "}")


def parameter_of(option: SearchOption) -> Parameter:
    """Return the parameter that gives an option of a search."""
    return Parameter(option.public_name, option.help, lambda: schema_of(option))


def parameter_named(name: str) -> Parameter:
    """Return the parameter of an option by its name in Python."""
    return parameter_of(option_named(name))


def schema_of(option: SearchOption) -> Schema:
    """Return what values an option of a search takes."""
    match option.kind:
        case "integer" | "seconds":
            kind: Schema = {"type": "integer" if option.kind == "integer" else "number"}
            bounds = {"minimum": option.minimum, "maximum": option.maximum}
            kind |= {name: bound for name, bound in bounds.items() if bound is not None}
        case "choice":
            kind = {"type": "string", "enum": list(option.choices)}
        case "date":
            kind = {"type": "string", "pattern": _DATE, "examples": ["2024", "2024-05", "2024-05-24"]}
        case "talks":
            kind = {"type": "array", "items": {"type": "string"}}
        case "flag":
            kind = {"type": "string", "enum": list(FLAGS)}
        case "text":
            kind = {"type": "string"}
    default = "0" if option.kind == "flag" else option.default
    return {**kind, "default": default} if default not in (None, "", ()) else kind


def seconds() -> Schema:
    """Return the schema of a moment in a talk."""
    return {"type": "number", "minimum": 0, "maximum": LATEST_S}


def document(operations: Sequence[Operation]) -> dict[str, Json]:
    """Return the description of an API."""
    from importlib.metadata import version  # which a first page must not wait for

    return {
        "openapi": "3.1.0",
        "info": {
            "title": "talksearch",
            "version": version("talksearch"),
            "summary": "Search recorded talks by meaning, and open them at the second where it is said.",
            "description": (
                "Everything is GET. Times are seconds. Parameters that do not exist are refused, empty ones count as"
                " not given. Errors are problem details (RFC 9457). Answers only ever gain members."
            ),
        },
        "paths": {operation.public_path: {"get": _operation(operation)} for operation in operations},
        "components": {
            "schemas": {"Problem": PROBLEM, "Hit": HIT, "Talk": TALK, "Cue": CUE},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Needed where the server has a token."}
            },
        },
        "security": [{}, {"token": []}],
    }


def _operation(operation: Operation) -> dict[str, Json]:
    answers = {media_type: {"schema": schema} for media_type, schema in operation.answers().items()}
    problems = {
        str(status): {
            "description": meaning,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, meaning in _ERRORS.items()
    }
    parts = {
        "206": {"description": "The part that the header Range asks for.", "content": {"*/*": {}}},
        "304": {"description": "The recording is still the one that the asker has."},
        "416": {"description": "The recording has no such part."},
    }
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            *([_TALK_IN_PATH] if "{talk" in operation.path else []),
            *map(_parameter, operation.parameters),
        ],
        "responses": {
            "200": {"description": "The answer.", "content": answers},
            **(parts if operation.is_partial else {}),
            **problems,
        },
    }


_TALK_IN_PATH: dict[str, Json] = {
    "name": "talk",
    "in": "path",
    "required": True,
    "description": "A talk's id, or what else names it: the beginning of its id, its path, its YouTube URL.",
    "schema": {"type": "string", "minLength": 1},
}


def _parameter(parameter: Parameter) -> dict[str, Json]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        **({} if parameter.is_required else {"allowEmptyValue": True}),
        "description": parameter.help,
        "schema": parameter.schema(),
    }


# ----------------------------------------------------------------------------------------------------------- answers


def _text(about: str = "") -> Schema:
    return {"type": "string", "description": about} if about else {"type": "string"}


def _maybe(about: str = "", kind: str = "string") -> Schema:
    return {"type": [kind, "null"], "description": about} if about else {"type": [kind, "null"]}


def _number(about: str = "") -> Schema:
    return {"type": "number", "description": about} if about else {"type": "number"}


def _count(about: str = "") -> Schema:
    return {"type": "integer", "description": about} if about else {"type": "integer"}


def _list(items: Schema, about: str = "") -> Schema:
    return {"type": "array", "items": items, "description": about} if about else {"type": "array", "items": items}


def _object(**members: Schema) -> Schema:
    """Return the schema of an object that has all these members, and may gain others."""
    return {"type": "object", "properties": members, "required": list(members)}


def ref(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


_TIMING: Schema = {"enum": ["exact", "estimated"], "description": "Whether the times were read or worked out."}
_MARGIN = _number("Estimated times lie this near nine times in ten; 0 when exact.")

_ABOUT_TALK: dict[str, Schema] = {
    "talk_id": _text(),
    "title": _text(),
    "speaker": _maybe("Who gives the talk, where that is known."),
    "channel": _maybe(),
    "date": _maybe("YYYY-MM-DD."),
    "language": _maybe("A BCP 47 tag."),
    "source": _text("The transcript's path, as it was indexed."),
    "youtube_id": _maybe(),
}
_PLACE: dict[str, Schema] = {"jump_s": _number(), "url": _text("Opens the recording there.")}

PROBLEM = _object(
    type=_text(),
    title=_text(),
    status=_count(),
    detail=_text("What happened."),
    error=_text("The same as detail."),
    hint=_text("What to do."),
)

HIT = _object(
    rank=_count("From 1."),
    score=_number("Only comparable within one answer, and to 0.001."),
    **_ABOUT_TALK,
    start_s=_number("Where the passage begins."),
    end_s=_number("Where the passage ends."),
    jump_s=_number("Where to open the recording; it may lie before the passage."),
    url=_text("Opens the recording at jump_s."),
    timing=_TIMING,
    margin_s=_MARGIN,
    text=_text("What is said."),
    matches=_list(_list(_count()), "Spans of the text that match, in characters."),
    passage_id=_text(),
    note={
        "anyOf": [_object(field=_text("title, chapter or description"), text=_text()), {"type": "null"}],
        "description": "What is written about the talk that the query matches.",
    },
    more_in_talk=_count("Hits of this talk that are left out."),
    copies=_list(
        _object(talk_id=_text(), title=_text(), **_PLACE, timing=_TIMING, margin_s=_MARGIN, more_places=_count()),
        "Other talks in which the same is said.",
    ),
    heat=_list(_number(), "Where along the talk the query lives, from 0 to 1."),
    grade={"enum": ["strong", "fair", "weak", None], "description": "How well it answers."},
    said_by=_maybe("Who speaks."),
    marks=_list(_object(start=_count(), end=_count(), kind=_maybe()), "The matches, and what kind they are."),
    more_places=_count("How often the talk says the same elsewhere."),
    also_at=_list(_object(**_PLACE), "Where it does."),
    beside={
        "anyOf": [
            _object(
                language=_text("A BCP 47 tag."),
                text=_text(),
                start_s=_number(),
                end_s=_number(),
                origin={"enum": ["human", "automatic", "translated", "unknown"], "description": "Who wrote it."},
            ),
            {"type": "null"},
        ],
        "description": "What is said in the asker's language, where the talk has a track in it.",
    },
)

TALK = _object(
    **_ABOUT_TALK,
    url=_maybe("Plays the talk."),
    duration_s=_maybe(kind="number"),
    format=_text("The reader that understood its file."),
    timing=_TIMING,
    margin_s=_MARGIN,
    origin={"enum": ["human", "automatic", "unknown"], "description": "Who wrote the words down."},
    chapters=_list(_object(start_s=_number(), title=_text())),
    passages=_count(),
    end_s=_number("When the last words end."),
)

CUE = _object(
    talk_id=_text(),
    start_s=_number(),
    end_s=_number(),
    speaker=_maybe(),
    text=_text(),
    url=_maybe("Plays the talk there."),
    timing=_TIMING,
    margin_s=_MARGIN,
)

ANSWER = _object(
    hits=_list(ref("Hit"), "Best first."),
    note=_text("What is to be known about how the answer came about; mostly empty."),
)

TALKS = _object(
    talks=_list(ref("Talk"), "By title."),
    total=_count("How many there are, with those that are not on this page."),
    limit=_count(),
    offset=_count(),
    note=_text("What is to be known about the list, as that a part of the index is damaged; mostly empty."),
)

READING = _object(talk=ref("Talk"), cues=_list(ref("Cue"), "What is said in the stretch that was asked for."))

STATS: Schema = {"type": "object", "description": "What `talksearch stats --format jsonl` prints."}
