"""A file decoded and recognised once, for everybody who wants to know something of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.readers import decode, registry
from talksearch.indexer.readers.bounds import bounded
from talksearch.indexer.readers.registry import Format
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Step

from .receipt import decoding_step
from .surroundings import Surroundings, surroundings_of
from .unspoken import refuse_by_content, refuse_descriptions

_MOST_CHARACTERS = 4_000_000
"""Of files that are kept between looking at them and reading them. A run that reads more than this has other processes
read, where there are cores for them, and these open the files themselves."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A transcript whose bytes are text and whose format is known.

    Identifying it, reading it and asking it about its talk all take this value, so that none of them decodes or parses
    it again (`SourceText.once`).
    """

    path: Path
    """Where it lies, on whichever machine."""
    around: Surroundings
    """What its name and the folders around it say."""
    source: SourceText
    format: Format
    decoding: Step
    """How its bytes became text, as its receipt says it."""
    notes: tuple[str, ...]
    """Sentences about what is uncertain in that."""


def open_file(path: Path, data: bytes, around: Surroundings | None = None) -> OpenedFile:
    """Decode a file and recognise its format.

    Args:
        path: Where it lies.
        data: Its content (`read.read_file`).
        around: What lies around it, where that is known already; then no disk is looked at.

    Raises:
        UnreadableError: it is no transcript, with what it is instead; UnspokenError where what it holds was not said.
    """
    text, steps, notes = decode(data)
    within = bounded(text)
    source = SourceText(within.text, path.name)
    refuse_descriptions(source)
    known = registry.sniff(source)
    refuse_by_content(path, source)
    around = around or surroundings_of(path)
    decoding = decoding_step(data, text, steps)
    return OpenedFile(path, around, source, known, decoding, (*notes, *within.notes, *filter(None, [around.lacking])))


class ScannedFiles:
    """Files that were opened to see what they are, kept for being read in the same process."""

    def __init__(self, most_characters: int = _MOST_CHARACTERS) -> None:
        self._room = most_characters
        self._files: dict[Path, OpenedFile] = {}

    def keep(self, opened: OpenedFile) -> None:
        """Keep a file, as long as there is room."""
        size = len(opened.source.text)
        if size <= self._room:
            self._room -= size
            self._files[opened.path] = opened

    def take(self, path: Path) -> OpenedFile | None:
        """Hand a file over, which is then no longer kept; None where it was not."""
        return self._files.pop(path, None)

    def clear(self) -> None:
        """Let go of all files."""
        self._files.clear()
