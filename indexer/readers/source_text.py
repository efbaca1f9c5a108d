"""What a reader is given: the text and the name of a file, and what was worked out from them already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from .time_lines import first_time_line, is_headed

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class SourceText:
    """A decoded file. Every recogniser and reader takes it, so that whatever one has parsed the next need not parse."""

    text: str
    """As `decode` gives it: line ends are `\\n`."""
    name: str = ""
    """The file's name without folders. It decides between formats only where the content fits several."""
    unfold: bool = True
    """Whether rolling captions that were flattened into one line are unfolded, or read with every repetition."""
    _results: dict[Callable[[SourceText], object], object] = field(default_factory=dict, repr=False)

    @property
    def ending(self) -> str:
        """What stands behind the last dot of the name, in lower case; empty where there is no dot."""
        return self.name.lower().rpartition(".")[2] if "." in self.name else ""

    @property
    def stripped(self) -> str:
        """The text without the space before its first character."""
        return self.once(_without_leading_space)

    @property
    def time_line(self) -> str | None:
        """The first line of the kind `00:01.000 --> 00:02.000`, as in WebVTT and SubRip.

        Only where the name or the header says that the file holds captions a damaged one counts.
        """
        return self.once(_first_time_line)

    def once(self, compute: Callable[[SourceText], Result]) -> Result:
        """Return what a function makes of this file; it is called the first time only, unless it raises."""
        if compute not in self._results:
            self._results[compute] = compute(self)
        return cast(Result, self._results[compute])

    def once_more(self, compute: Callable[[SourceText], Result]) -> Result:
        """Return what `once` does, and let go of it: whoever reads a file last need not hold what it was made of."""
        result = self.once(compute)
        del self._results[compute]
        return result


def _without_leading_space(source: SourceText) -> str:
    return source.text.lstrip()


def _first_time_line(source: SourceText) -> str | None:
    return first_time_line(source.text, captions=source.ending in ("srt", "vtt", "webvtt") or is_headed(source.text))
