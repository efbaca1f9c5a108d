"""Every format that talks and hits are written in, as one value each in one list, and what they are asked by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from talksearch.indexer.errors import UsageError

from . import captions, data, database, markdown, pages, playlists
from .selection import Kind, Selection, Written

_KINDS: dict[Kind, str] = {
    "talk": "one talk",
    "talks": "several talks",
    "hits": "the hits of a query",
    "archive": "the whole archive",
}
"""What a format can hold, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format of files for other programs."""

    name: str
    """As `--format` and the HTTP API call it."""
    media_type: str
    ending: str
    """Of its files, without the dot. Several formats may share one; then the first of them is meant by it."""
    takes: frozenset[Kind]
    """What it can hold."""
    write: Callable[[Selection], Written]
    """Writes what `takes` names; raises UsageError where there is nothing in it that the format can hold."""


_ONE = frozenset[Kind](("talk",))
_ONE_OR_HITS = frozenset[Kind](("talk", "hits"))
_SEVERAL = frozenset[Kind](("talk", "talks", "hits"))
_ALL = frozenset[Kind](("talk", "talks", "hits", "archive"))

FORMATS: tuple[ExportFormat, ...] = (
    ExportFormat("vtt", "text/vtt", "vtt", _ONE, captions.vtt),
    ExportFormat("srt", "application/x-subrip", "srt", _ONE, captions.srt),
    ExportFormat("json", "application/json", "json", _SEVERAL, data.everything),
    ExportFormat("markdown", "text/markdown", "md", _SEVERAL, markdown.page),
    ExportFormat("html", "text/html", "html", _ONE_OR_HITS, pages.page),
    ExportFormat("m3u", "audio/x-mpegurl", "m3u8", _ALL, playlists.m3u),
    ExportFormat("edl", "application/x-edl", "edl", _SEVERAL, playlists.edl),
    ExportFormat("chapters", "application/json+chapters", "chapters.json", _ONE_OR_HITS, data.chapters),
    ExportFormat("sqlite", "application/vnd.sqlite3", "sqlite", _ALL, database.database),
    ExportFormat("podcast", "application/json", "podcast.json", _ONE, data.podcast),
)
"""Every format, in the order of the help. Whoever writes files, names them or offers them asks this list.

To add one:

1. Write a function in a module beside this one that takes a `Selection` and returns a `Written`: text or bytes, and a
   sentence about each thing that the format could not hold. A library that writes the format comes before our own code.
2. Add an `ExportFormat`, which gives it to the command line and to the HTTP API.
3. Add it to docs/export.md with what it holds and what it cannot; where this project can read the format, a test in
   tests/test_export_captions.py reads it back.
4. `make docs`.
"""


def format_named(name: str) -> ExportFormat | None:
    """Return the format that is called so; None where none is."""
    return next((known for known in FORMATS if known.name == name), None)


def format_of(file_name: str) -> ExportFormat | None:
    """Return the format that a file is called after, by its ending or its own name; None where it is called after none.

    >>> [format_of(name).name for name in ("talk.chapters.json", "a.json", "hits.M3U", "talk.md") if format_of(name)]
    ['chapters', 'json', 'm3u', 'markdown']
    """
    lowered = file_name.lower()
    fitting = [known for known in FORMATS if lowered.endswith((f".{known.ending}", f".{known.name}"))]
    return max(fitting, key=lambda known: len(known.ending), default=None)


def export(format: ExportFormat, selection: Selection) -> Written:
    """Write a selection in a format. Raises UsageError where the format cannot hold it, with what it can."""
    if selection.kind not in format.takes:
        holds = [_KINDS[kind] for kind in _KINDS if kind in format.takes]
        others = [known.name for known in FORMATS if selection.kind in known.takes]
        raise UsageError(
            f"{format.name} holds {_listed(holds)}, not {_KINDS[selection.kind]}.",
            f"For {_KINDS[selection.kind]}: {_listed(others)}.",
        )
    return format.write(selection)


def _listed(words: list[str]) -> str:
    """Return words as a sentence lists them.

    >>> _listed(["vtt"]), _listed(["vtt", "srt", "json"])
    ('vtt', 'vtt, srt or json')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
