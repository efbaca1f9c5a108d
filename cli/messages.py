"""What is to be answered and what is printed of an answer, as values and as the JSON that passes between processes.

A search that a server answers must not wait for anything heavy, so this module imports next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from .terminal import Style

if TYPE_CHECKING:
    from talksearch.indexer.records import Json
    from talksearch.search.options import OptionValue

Command = Literal["search", "similar"]

Format = Literal["text", "jsonl", "csv", "markdown"]
"""How hits are printed. To add one: a word here, a function in `render.hits`, and its `case` in `answers`."""

FORMATS: tuple[Format, ...] = get_args(Format)
"""All of them, for options and messages."""


class MessageError(ValueError):
    """A message has another shape than both ends have agreed on."""


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """One query, or one moment, to be answered, and how its answer is to be printed."""

    command: Command
    text: str
    """A query for `search`, TALK@SECONDS for `similar`."""
    options: Mapping[str, OptionValue]
    """By their names in Python (`search.options`); those not given have their defaults. `make_query` checks them."""
    format: Format
    style: Style
    query_id: str | None = None
    heading: bool = False
    """The query stands above its hits, in the formats for people."""
    header: bool = True
    """A table begins with its line of names; of several answers only the first one's does."""

    def to_json(self) -> dict[str, Json]:
        """Return the request as a message."""
        return {
            "command": self.command,
            "text": self.text,
            "options": dict(self.options),
            "format": self.format,
            "style": [self.style.color, self.style.links, self.style.width],
            "query_id": self.query_id,
            "heading": self.heading,
            "header": self.header,
        }

    @classmethod
    def from_json(cls, message: object) -> AnswerRequest:
        """Return the request that a message holds. Raises MessageError where it holds none."""
        match message:
            case {
                "command": "search" | "similar" as command,
                "text": str(text),
                "options": dict(options),
                "format": str(name_of_format),
                "style": [bool(color), bool(links), int(width)],
                "query_id": str() | None as query_id,
                "heading": bool(heading),
                "header": bool(header),
            }:
                format_ = next((known for known in FORMATS if known == name_of_format), None)
                if format_ is None:
                    raise MessageError("This is no request for an answer.")
                # JSON has no tuples.
                options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
                return cls(command, text, options, format_, Style(color, links, width), query_id, heading, header)
        raise MessageError("This is no request for an answer.")


@dataclass(frozen=True, slots=True)
class Printed:
    """One answer as it is printed."""

    out: str
    """For standard output."""
    err: tuple[str, ...] = ()
    """Lines for standard error, right after it."""
    note: str = ""
    """What is said on standard error at the end of all; empty when there is nothing."""
    url: str = ""
    """Where the first hit opens; empty when there is none."""

    def to_json(self) -> dict[str, Json]:
        """Return the answer as a message."""
        return {"out": self.out, "err": list(self.err), "note": self.note, "url": self.url}

    @classmethod
    def from_json(cls, message: object) -> Printed:
        """Return the answer that a message holds. Raises MessageError where it holds none."""
        match message:
            case {"out": str(out), "err": [*err], "note": str(note), "url": str(url)} if all(
                isinstance(line, str) for line in err
            ):
                return cls(out, tuple(err), note, url)
        raise MessageError("This is no answer.")
