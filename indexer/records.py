"""The values that flow through talksearch: words, cues, talks, passages, and the receipt of what was done to a talk.

All of them are frozen and do no I/O. Times are integer milliseconds everywhere inside; seconds appear only in what a
user or another program reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Timing = Literal["exact", "estimated"]
"""`exact`: the times were read from the source. `estimated`: the source had none and they were worked out."""

Origin = Literal["human", "automatic", "unknown"]
"""Who wrote the words down: a person, speech recognition, or nobody knows."""

TrackOrigin = Literal["human", "automatic", "translated", "unknown"]
"""Who wrote a further track of a talk: as `Origin`, or a machine that translated another track."""

Field = Literal["speech", "title", "chapter", "description"]
"""Where the words of a passage stand: said in the talk, or written about it."""

Json = Any
"""A value that `json.dumps` takes."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the moment its sound begins."""

    text: str
    start_ms: int


@dataclass(frozen=True, slots=True)
class Cue:
    """A stretch of speech with its time.

    In a restored talk `text` is one line of plain text: no markup, no entities, no line breaks, never empty. Before
    that (what a reader hands to `clean`) it may hold line breaks and markup.
    """

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    """The name, where the source gives one."""
    turn: bool = False
    """A new speaker begins with this cue, as far as the source marks it (`>>`, or another name)."""
    words: tuple[Word, ...] = ()
    """Where the source times single words: all words of `text`, so that joined by spaces they give `text`."""
    pause_after: bool = False
    """Only in cues that have no times yet: the source shows that a long pause follows. The estimate of times uses it
    up, so it is False in every cue of a `Talk`, and no store holds it."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named part of a talk."""

    start_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to a talk.

    `name` says what (`collapse-rolling`, `repair-text`), `field` to which part (`cues`, `title`, `description`), and
    `detail` holds counts and whatever is needed to do it again, as JSON.
    """

    name: str
    field: str
    detail: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done to a talk between its source and the index, in order."""

    words_before: int = 0
    """Words of the file (`text.counting`): what is said, every repetition, markup and head. Each is indexed, folded,
    left out or lost."""
    words_after: int = 0
    """Words of the cues that are indexed."""
    steps: tuple[Step, ...] = ()
    uncertain: tuple[str, ...] = ()
    """Sentences for people: what could not be decided and was left as it stood."""
    words_folded: int = 0
    """Words that stand in the file again, as rolling captions and copies have them."""
    words_left_out: dict[str, int] = field(default_factory=dict)
    """Words that are not indexed, by the reason: `markup`, `metadata`, `names`, `sounds`, or the step that took them
    out."""
    words_lost: int = 0
    """Words that nothing explains: there should be none, and `uncertain` says which there are."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One talk as it is indexed."""

    id: str
    """The YouTube id where there is one, else a name made from `source`. Unique in an index."""
    source: str
    """The transcript's path relative to the PATH that was indexed, with forward slashes."""
    title: str
    cues: tuple[Cue, ...]
    """In order: `start_ms` never decreases, and every cue has `start_ms <= end_ms`."""
    format: str = "text"
    """The reader that understood it: `vtt`, `srt`, `record`, …"""
    timing: Timing = "exact"
    margin_ms: int = 0
    """For estimated times: nine times in ten the truth lies within this distance. 0 when exact."""
    origin: Origin = "unknown"
    youtube_id: str | None = None
    url: str | None = None
    """The page or file that plays the talk, without a time. None where no recording is known."""
    channel: str | None = None
    speaker: str | None = None
    """The one who gives the talk, where the source's metadata says so. Who says a cue stands in the cue."""
    language: str | None = None
    """A BCP 47 tag such as `en` or `zh-Hant`."""
    date: str | None = None
    """The day it was given or uploaded, `YYYY-MM-DD`."""
    duration_ms: int | None = None
    description: str = ""
    chapters: tuple[Chapter, ...] = ()
    receipt: Receipt = field(default_factory=Receipt)

    @property
    def length_ms(self) -> int:
        """How long it is: what its source says, or else until when somebody speaks, which takes its cues to know."""
        return max((cue.end_ms for cue in self.cues[-1:]), default=0) if self.duration_ms is None else self.duration_ms


@dataclass(frozen=True, slots=True)
class Track:
    """A further track of a talk: what is said in it, in another language than the talk's own, at the talk's times."""

    number: int
    """Counted from 1 in the talk, the best first; the talk's own cues are no track of it."""
    language: str
    """A BCP 47 tag."""
    origin: TrackOrigin
    source: str
    """The file it was read from, as in `Talk.source`."""
    cues: tuple[Cue, ...] = ()
    """Restored, as those of a talk; empty where they were not asked for."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of one talk that can be found: the unit of search."""

    id: str
    """Made from the talk's id, the place in it and the text: the same passage has the same id in every build."""
    talk_id: str
    start_ms: int
    end_ms: int
    first_cue: int
    last_cue: int
    """Positions in `Talk.cues`, both ends included. The outer cues may be covered in part."""
    text: str
    speakers: tuple[str, ...] = ()
    """Everybody who is named as speaking in it, in order."""
    field: Field = "speech"
    """Passages of the other fields are written about a talk (`passages.metadata_passages`): they cover no cues."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a reader found in one file, before anything was cleaned, repaired or estimated.

    Metadata is what the file itself says; a sidecar may say more.
    """

    format: str
    cues: tuple[Cue, ...]
    """In file order. `text` may hold markup, entities and line breaks. Where `timed` is false the times are all 0."""
    timed: bool = True
    starts_with_sound: bool = False
    """Where `timed` is false: a sound label (`[Music]`) stands alone before the first words."""
    origin: Origin = "unknown"
    title: str | None = None
    url: str | None = None
    channel: str | None = None
    speaker: str | None = None
    language: str | None = None
    date: str | None = None
    duration_ms: int | None = None
    description: str = ""
    chapters: tuple[Chapter, ...] = ()
    steps: tuple[Step, ...] = ()
    """What the reader itself had to restore in order to read (unfolding a flattened record, decoding broken bytes)."""
    uncertain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mishearing:
    """Words in a talk's transcript that stand for a word of its title, description, channel or chapters.

    A search for either finds both.
    """

    heard: str
    """The terms (`text.terms.terms`) that the transcript holds, one to three in a row, with spaces between."""
    meant: str
    """The term that was meant."""
    strange: bool
    """Hardly anybody uses the heard words, so a query that holds them means the name, in every talk."""


@dataclass(frozen=True, slots=True)
class RareWord:
    """A word of a talk that few people use: it may be a name, or what a name was misheard as."""

    sound: str
    """How it sounds (`text.phonetics.sound`): words that sound alike are found by it."""
    word: str
    """As the talk has it, in small letters."""
    term: str
    """As the catalog searches for it (`text.terms.terms`)."""
    strange: bool
    """Hardly anybody uses it, so it may be no word at all."""
