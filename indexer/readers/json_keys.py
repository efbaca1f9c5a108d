"""What the keys of JSON say about their values: a beginning, an end, a length, what is said, or none of these.

No service is known here. A key is taken apart into its words (`startTimeMs`: start, time, ms), and its whole path
counts, so that `timestamps.from`, `start.seconds` and `content[0].text` mean what they say. The words are those that
recognition services, players, editors and their libraries use in English; `json_layout` judges values whose keys say
nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Path = tuple[str, ...]
"""Keys from an object to a value inside it; places in lists as figures, `*` for every place."""

Role = Literal["start", "end", "length", "span", "text"]

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_RUN_TOGETHER = re.compile(
    r"(?:start|begin|end|stop|time|stamp|offset|duration|length|text|in|at|to|ms|millis|milliseconds|sec|secs|seconds)+"
)
_PIECES = re.compile(
    r"start|begin|end|stop|timestamp|time|stamp|offset|duration|length|text|milliseconds|millis|ms|seconds|secs|sec|in|at|to"
)

_STARTS = frozenset(("start", "starts", "begin", "begins", "beginning", "from", "onset", "enter"))
_ENDS = frozenset(("end", "ends", "stop", "stops", "until", "till", "finish", "leave"))
_LENGTHS = frozenset(("duration", "durations", "dur", "length", "len"))
_MOMENTS = frozenset((
    "time", "times", "timestamp", "timestamps", "ts", "offset", "offsets", "timecode", "timecodes", "tc", "position",
    "timepoint", "moment", "t", "cue", "point", "at",
))  # fmt: skip
_SPANS = frozenset((
    "timestamp", "timestamps", "time", "times", "timing", "span", "interval", "range", "bounds", "segment",
    "selector", "target", "timecode", "timecodes", "ts", "alignment",
))  # fmt: skip
_NO_TIMES = frozenset((
    "char", "chars", "index", "idx", "count", "number", "num", "nr", "confidence", "score", "scores", "prob",
    "probability", "page", "byte", "bytes", "seek", "column", "row", "width", "height", "size", "lat", "lon", "lng",
    "x", "y", "created", "updated", "modified", "published", "date", "expires", "token", "id", "color", "temperature",
    "logprob", "rate", "volume", "adjusted", "percent", "unix", "phones", "phonemes", "read", "reading", "response",
))  # fmt: skip
"""Words of keys whose numbers count something else, or stand for days."""

_TEXTS = (
    "punctuated", "display", "text", "transcript", "transcription", "utterance", "sentence", "caption", "subtitle",
    "body", "content", "line", "lines", "phrase", "speech", "dialogue", "dialog", "lyric", "lyrics", "word", "words",
    "term", "value", "said", "spoken", "plaintext", "txt", "quote", "paragraph", "cue", "chunk", "payload",
    "characters", "monologue", "data", "surface", "snippet",
)  # fmt: skip
"""Words of keys whose text is what is said; where several stand in one object, the first of this list is read."""
_COPIES = frozenset((
    "raw", "lexical", "itn", "masked", "normalized", "normalised", "unformatted", "aligned", "redacted", "original",
    "html", "markdown", "clean", "cleaned", "ssml", "case",
))  # fmt: skip
"""Words of keys that hold the same once more in another spelling; read where nothing else is there."""
_TRANSLATIONS = frozenset(("translation", "translations", "translated", "translate"))
_DOUBTFUL = frozenset(("message", "msg", "comment", "note", "notes", "label", "labels", "question", "answer"))
"""Words of keys whose text may be what is said or what somebody wrote: they count as keys that say nothing."""
_NO_TEXTS = frozenset((
    "title", "name", "names", "summary", "headline", "gist", "description", "topic", "topics", "chapter", "url",
    "uri", "link", "href", "src", "source", "id", "ids", "uuid", "guid", "type", "kind", "language", "lang", "locale",
    "code", "status", "speaker", "speakers", "role", "confidence", "channel", "keyword", "keywords", "category",
    "emotion", "sentiment", "date", "color", "colour", "style", "styles", "class", "phoneme", "phonemes", "phone",
    "phones", "ipa", "pronunciation", "file", "filename", "filepath", "path", "image", "thumbnail", "avatar",
    "author", "user", "username", "email", "entity", "format", "version", "model", "hash", "key", "tag", "tags",
    "icon", "level", "event", "action", "created", "updated", "participant", "voice", "identifier", "region",
    "position", "align", "address", "hostname",
))  # fmt: skip
_HOLDS_TEXTS = frozenset(
    ("channel", "event", "action", "source", "user", "participant", "voice", "region", "file", "type")
)
"""Those of them that may hold, in an object, what is said."""

_UNITS: dict[str, float] = {
    **dict.fromkeys(("ms", "msec", "msecs", "milli", "millis", "millisecond", "milliseconds"), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000.0),
    **dict.fromkeys(("us", "usec", "micro", "micros", "microsecond", "microseconds"), 1e-3),
    **dict.fromkeys(("ns", "nano", "nanos", "nanosecond", "nanoseconds"), 1e-6),
    **dict.fromkeys(("tick", "ticks"), 1e-4),
    **dict.fromkeys(("cs", "centisecond", "centiseconds", "hundredths"), 10.0),
}
"""Milliseconds in one unit, by its name in a key. A tick is that of .NET, 100 ns."""
FRAMES = -1.0
"""The unit of keys that count frames, whose rate stands elsewhere."""

ALTERNATIVES = frozenset(("alternatives", "alternative", "nbest", "hypotheses", "candidates", "alts"))
"""Keys of lists that hold the same words as often as the recogniser has guesses; the first is the best."""
_NOT_SAID = frozenset((
    "highlights", "entities", "keywords", "keyphrases", "ocr", "brands", "faces", "chat", "comments", "comment",
    "danmaku", "phones", "phonemes", "syllables", "visemes", "keyframes", "log", "logs", "thumbnails",
))  # fmt: skip
"""Words of keys below which texts with times were not said, or are parts of words."""
_NO_TRANSCRIPTS = frozenset((
    "chapter", "chapters", "topic", "topics", "summary", "summaries", "labels", "people", "markers", "bookmarks",
    "slides", "slide", "notes", "tasks", "steps", "ingredients", "sections", "locations", "scenes", "shots", "ads",
    "questions", "insight", "outline",
))  # fmt: skip
"""The same of the lists that such keys name themselves; what is said in a chapter may lie in a list below."""
_ASIDE = frozenset((*_TRANSLATIONS, "sentiment", "categories", "safety", "dubbed", "partials", "interim", "redacted"))
"""Words of the keys of lists that hold the words in another form: read where nothing else holds as many."""
_WRITTEN_BY = frozenset((
    "author", "user", "username", "commenter", "likes", "like", "upvotes", "replies", "reply", "avatar", "badges",
    "level", "severity", "logger", "hostname", "pid", "thread", "stack", "reactions", "votes", "subtype", "client",
    "price",
))  # fmt: skip
"""Words of keys that what is typed or logged has, and what is said has not."""


@dataclass(frozen=True, slots=True)
class KeyRole:
    """What a path of keys says about its value."""

    role: Role
    rank: int
    """Of several values of one role, the lowest is meant."""
    unit: float | None = None
    """Milliseconds in one of what a number counts, where the keys say it; `FRAMES` for frames."""


@lru_cache(maxsize=4096)
def words_of(key: str) -> tuple[str, ...]:
    """Take a key apart.

    >>> words_of("startTimeMs"), words_of("MaskedITN"), words_of("start_time"), words_of("endtime"), words_of("nBest")
    (('start', 'time', 'ms'), ('masked', 'itn'), ('start', 'time'), ('end', 'time'), ('nbest',))
    """
    if key.lower() in ALTERNATIVES:
        return (key.lower(),)
    words: list[str] = []
    for part in _PARTS.findall(key):
        lower = part.lower()
        words += _PIECES.findall(lower) if _RUN_TOGETHER.fullmatch(lower) else [lower]
    return tuple(words)


@lru_cache(maxsize=4096)
def roles_of(path: Path) -> tuple[KeyRole, ...]:
    """Return what a path of keys may mean; a key such as `timestamp` may mean a moment or a span.

    >>> [(found.role, found.unit) for found in roles_of(("timestamps", "from"))]
    [('start', None)]
    >>> [(found.role, found.unit) for found in roles_of(("durationInTicks",))]
    [('length', 0.0001)]
    >>> roles_of(("geometry", "x"))
    ()
    """
    every = [part for key in path if not key.isdigit() and key != "*" and (part := words_of(key))]
    if not every:
        return ()
    words = [word for part in every for word in part]
    last = every[-1]
    return (*_time_roles(path, words, last), *_text_roles(words, last))


def _time_roles(path: Path, words: list[str], last: tuple[str, ...]) -> list[KeyRole]:
    known = set(words)
    unit = next((_UNITS[word] for word in reversed(words) if word in _UNITS and (word != "s" or len(words) > 1)), None)
    if known & {"frame", "frames"}:
        unit = FRAMES
    rank = len(words) * 2 + (1 if "offset" in known else 0)
    if path[-1].lower() in ("t0", "t1"):  # whisper.cpp counts its blocks of 10 ms
        return [KeyRole("start" if path[-1].endswith("0") else "end", rank, 10.0)]
    counts_other = known & _NO_TIMES
    if counts_other and not (counts_other == {"date"} and "time" in known and known & (_STARTS | _ENDS)):
        return []
    if known & _LENGTHS:
        return [] if known & {"silence", "pause"} else [KeyRole("length", rank, unit)]
    if known & _ENDS or last == ("to",) or _is_mark(last, "out"):
        return [] if known & _STARTS else [KeyRole("end", rank, unit)]
    if known & _STARTS or _is_mark(last, "in"):
        return [KeyRole("start", rank, unit)]
    spans = bool(set(last) & _SPANS) or (last == ("t",) and bool(known & _SPANS))
    spans = spans or (last == ("value",) and "selector" in known)  # of the W3C's annotations
    if path[-1] in ("0", "1") and spans:
        return [KeyRole("start" if path[-1] == "0" else "end", rank, unit)]
    found = []
    if spans:
        found.append(KeyRole("span", rank, unit))
    is_moment = last[-1] in _MOMENTS or (last[-1] in _UNITS and (last[0] in _MOMENTS or len("".join(last)) > 1))
    if is_moment or (known & _MOMENTS and last[-1] in ("relative", "value", "elapsed")):
        found.append(KeyRole("start", rank + 10, unit))
    return found


def _is_mark(last: tuple[str, ...], which: str) -> bool:
    """Whether a key is the in or out mark of an editor: `in`, `tc_in`, `cueOut`."""
    return which in last and set(last) - {which} <= {
        "tc",
        "time",
        "code",
        "timecode",
        "cue",
        "point",
        "mark",
        "content",
    }


def _text_roles(words: list[str], last: tuple[str, ...]) -> list[KeyRole]:
    known = set(words)
    above = known - set(last) - _HOLDS_TEXTS
    if (above | set(last)) & _NO_TEXTS or known & _DOUBTFUL or known & (_STARTS | _ENDS | _LENGTHS):
        return []
    ranks = [_TEXTS.index(word) for word in words if word in _TEXTS]
    if not ranks or not (set(last) & set(_TEXTS) or last == ("simple", "text")):
        return []
    rank = min(ranks) + 2 * len(words)
    rank += 100 * bool(known & _COPIES) + 200 * bool(known & _TRANSLATIONS)
    return [KeyRole("text", rank)]


def may_be_text(path: Path) -> bool:
    """Say whether text under keys that say nothing may be what is said.

    >>> may_be_text(("msg",)), may_be_text(("speaker", "name")), may_be_text(("2",))
    (True, False, True)
    """
    return not any(word in _NO_TEXTS for key in path for word in words_of(key))


def may_be_time(path: Path) -> bool:
    """Say whether numbers under keys that say nothing may be times."""
    return not any(word in _NO_TIMES for key in path for word in words_of(key))


def holds_no_speech(path: Path) -> bool:
    """Say whether what lies at a path was not said, by its keys: chapters, comments, text on slides.

    >>> holds_no_speech(("chapters", "*")), holds_no_speech(("videos", "*", "transcript", "*"))
    (True, False)
    """
    words = [words_of(key) for key in path if key != "*"]
    return any(set(each) & _NOT_SAID for each in words) or bool(words and set(words[-1]) & _NO_TRANSCRIPTS)


def stands_aside(path: Path) -> bool:
    """Say whether the keys of a path tell of the same words in another form, as translations are."""
    return any(word in _ASIDE for key in path for word in words_of(key))


def is_typed(keys: tuple[str, ...]) -> bool:
    """Say whether an object with such keys is what somebody typed, or what a program logged.

    >>> is_typed(("text", "time", "user", "likes")), is_typed(("text", "time", "speaker"))
    (True, False)
    """
    return any(word in _WRITTEN_BY for key in keys for word in words_of(key))
