"""What was brought in, as it is printed: a line a talk, what was left and why, and what the whole run came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from talksearch.indexer.fetch.archive import HIDDEN
from talksearch.indexer.fetch.records import FetchedTalk, KnownTalk, SkippedTalk
from talksearch.indexer.records import Json
from talksearch.indexer.text.untrusted import safe, safe_address, without_password

from .common import INDENT, counted

if TYPE_CHECKING:
    from talksearch.indexer.fetch.records import Source
    from talksearch.indexer.subscriptions.asking import FailedSource

_MOST_NAMED = 20
"""Talks of a source that were left are named up to so many; of more, the reasons are counted."""


@dataclass(slots=True)
class SourceOutcome:
    """What came of asking a source."""

    source: Source
    landed: list[FetchedTalk] = field(default_factory=list)
    left: list[SkippedTalk] = field(default_factory=list)
    known: list[KnownTalk] = field(default_factory=list)
    failed: FailedSource | None = None

    def note(self, event: FetchedTalk | SkippedTalk | KnownTalk | FailedSource) -> None:
        """Add what became of a talk, or of the source as a whole."""
        match event:
            case FetchedTalk():
                self.landed.append(event)
            case SkippedTalk():
                self.left.append(event)
            case KnownTalk():
                self.known.append(event)
            case _:
                self.failed = event

    @property
    def is_news(self) -> bool:
        """Whether there is anything that a run without news would not say."""
        return bool(self.landed or self.failed or any(not left.expected for left in self.left))


def source_name(source: Source) -> str:
    """Return what a source is called: its title, else its address without a password."""
    return safe(source.title) or safe_address(source.url)


def landed_text(landed: FetchedTalk, folder: Path) -> str:
    """Return the line of a talk that landed: its first file, as it lies below the archive's folder."""
    return f"{INDENT}{_below(landed.files[0], folder)}{f'  ({safe(landed.note)})' if landed.note else ''}"


def known_text(known: KnownTalk, folder: Path) -> str:
    """Return the line of a talk that landed before: where it is, or how to have it fetched again."""
    title = safe(known.title) or safe(known.key)
    if known.files:
        return f"{title} is there already: {_below(known.files[0], folder)}"
    line = f"delete the line “{safe(known.key)}” in {safe(str(folder / HIDDEN / 'done.txt'))}"
    return f"{title} was brought in before, and its files are gone. To have it fetched again, {line}."


def _below(file: Path, folder: Path) -> str:
    """Return a path as it lies below the archive's folder, fit for a terminal."""
    return safe(str(file.relative_to(folder) if folder in file.parents else file))


def end_text(outcome: SourceOutcome) -> str:
    """Return what is said of a source when it was asked, below the lines of what landed."""
    name = source_name(outcome.source)
    lines = _left_lines(outcome.left)
    if lines and not outcome.landed:
        lines.insert(0, f"{name}:")
    if outcome.failed:
        reason = safe(outcome.failed.reason)
        is_named = not outcome.source.title and reason.startswith(name)  # an address is long enough to be said once
        lines.append(f"Failed: {reason}" if is_named else f"{name} failed: {reason}")
    elif not (lines or outcome.landed or outcome.known):
        unwanted = sum(talk.expected for talk in outcome.left)
        besides = f"; {counted('talk', unwanted)} not wanted" if unwanted else ""
        lines.append(f"{name}: nothing new{besides}.")
    return "".join(f"{line}\n" for line in lines)


def _left_lines(left: Sequence[SkippedTalk]) -> list[str]:
    """Return which talks of a source were left and why, but for those that the user does not want."""
    unexpected = [talk for talk in left if not talk.expected]
    lines = [f"{INDENT}left: {safe(talk.title) or safe(talk.key)}: {safe(talk.reason)}" for talk in unexpected]
    if len(lines) > _MOST_NAMED:
        more = Counter(talk.reason for talk in unexpected[_MOST_NAMED:])
        lines[_MOST_NAMED:] = [
            f"{INDENT}left: {counted('talk more', count)}: {safe(reason)}" for reason, count in more.most_common(10)
        ]
        if len(more) > 10:
            lines.append(f"{INDENT}left: more, for {len(more) - 10:,} further reasons.")
    return lines


def summary_text(outcomes: Sequence[SourceOutcome]) -> str:
    """Return what a run came to, in one line."""
    landed = sum(len(outcome.landed) for outcome in outcomes)
    left = sum(not talk.expected for outcome in outcomes for talk in outcome.left)
    failed = sum(outcome.failed is not None for outcome in outcomes)
    parts = [f"{counted('talk', landed)} brought in" if landed else "nothing brought in" if failed else "nothing new"]
    if left:
        parts.append(f"{left:,} left where they are" if left > 1 else "1 left where it is")
    if failed:
        parts.append(f"{failed:,} failed")
    told = ", ".join(parts)
    return (
        f"{counted('source', len(outcomes))} asked: {told}." if len(outcomes) > 1 else f"{told[0].upper()}{told[1:]}."
    )


def event_json(source: Source, event: FetchedTalk | SkippedTalk | KnownTalk | FailedSource) -> dict[str, Json]:
    """Return what became of a talk, or of a source as a whole, as an object."""
    row: dict[str, Json] = {"source": without_password(source.url), "source_title": source.title}
    if isinstance(event, FetchedTalk):
        files: list[Json] = [str(file) for file in event.files]
        return {"event": "landed", **row, "key": event.key, "title": event.title, "files": files, "note": event.note}
    if isinstance(event, KnownTalk):
        known: list[Json] = [str(file) for file in event.files]
        return {"event": "known", **row, "key": event.key, "title": event.title, "files": known}
    if isinstance(event, SkippedTalk):
        told: dict[str, Json] = {"key": event.key, "title": event.title, "reason": event.reason}
        return {"event": "left", **row, **told, "expected": event.expected}
    return {"event": "failed", **row, "reason": event.reason}
