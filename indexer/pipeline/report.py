"""What an indexing run tells while it runs, and what it reports when it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .read_talks import SkippedFile


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    phase: Literal["fetching", "looking", "reading", "embedding", "merging", "carrying", "publishing"]
    done: int
    """Files fetched or looked at, talks read or merged, or passages that got their vectors, by the phase."""
    total: int
    """Of how many; 0 where that is not known."""
    talks: int = 0
    """Talks read so far."""
    passages: int = 0
    """Passages read so far, or embedded so far."""


@dataclass(frozen=True, slots=True)
class HeldTalk:
    """A talk that stayed as it was because a file of it cannot be read now."""

    talk_id: str
    path: str
    """The file."""
    reason: str
    """A sentence."""
    root: str | None = None
    """The PATH that is out of reach as a whole; None where it can be looked at."""


Tell = Callable[[Progress], None]
"""Is called now and then with how far a run is."""


@dataclass(slots=True)
class Report:
    """What a run did."""

    added: list[str] = field(default_factory=list)
    """Ids of talks that are new in the index."""
    replaced: list[str] = field(default_factory=list)
    """Ids of talks that were read anew because a file changed."""
    kept: list[str] = field(default_factory=list)
    """Ids of talks that stayed as they were."""
    dropped: list[str] = field(default_factory=list)
    """Ids of talks that were taken out because their files are gone."""
    held: list[HeldTalk] = field(default_factory=list)
    """Talks that stayed as they were because a file of theirs cannot be read now; they are among `kept` too."""
    duplicates: list[SkippedFile] = field(default_factory=list)
    """Files that hold a talk which another file holds better."""
    tracks: list[SkippedFile] = field(default_factory=list)
    """Files that are further tracks of a talk, in another language, by which it is found as well."""
    skipped: list[SkippedFile] = field(default_factory=list)
    """Files that could not be read as transcripts."""
    unbalanced: list[SkippedFile] = field(default_factory=list)
    """Files with words that are neither indexed nor left out for a reason, and which these are."""
    other_files: int = 0
    """How many files are not transcripts by their names: sidecars, recordings, images and so on."""
    untranscribed: list[Path] = field(default_factory=list)
    """Recordings under the PATHs that were looked at of which there is no transcript."""
    repairs: Counter[str] = field(default_factory=Counter)
    """How many of the talks read in this run needed each kind of repair."""
    notes: list[str] = field(default_factory=list)
    """Sentences about the run itself."""
    embedded: int = 0
    """How many passages went through the model."""
    seconds: float = 0.0
    """How long the run took."""
