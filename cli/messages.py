"""One question to be answered and what is printed of its answer, as they pass between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talksearch.indexer.records import Json

    from .terminal import Style


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


def request(
    command: str,
    text: str,
    options: Mapping[str, Any],
    form: str,
    look: Style,
    *,
    id_: str | None = None,
    heading: bool = False,
    first: bool = True,
) -> dict[str, Json]:
    """Return one thing to be asked, as a message: `command` is `search` or `similar`, `text` a query or TALK@SECONDS.

    `heading` puts the query above its hits; `first` says that no other was printed before.
    """
    return {
        "command": command,
        "text": text,
        "options": {**options, "id_": id_},
        "form": form,
        "look": [look.color, look.links, look.width],
        "heading": heading,
        "first": first,
    }
