"""TTML, also called DFXP, as broadcasters and YouTube write it: `<tt><body><div><p begin="1.5s" end="00:00:03.2">`.

https://www.w3.org/TR/ttml1/

Times of elements inside others count from those, one after the other where `timeContainer` is `seq`; some programs
write them from the beginning of the recording all the same, which shows where they would lie behind the end of what
they stand in. Not done: `set` and other animation, `timeContainer` on spans, times of regions, ruby (its base and its
reading are both kept), images of text, and SMPTE times with gaps (`markerMode`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Cue, Step, Transcript
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.counting import words_in
from talksearch.indexer.text.terms import is_unspaced

from .caption_tracks import origin_by_name
from .cue_times import RawCue, mend, pieces
from .finish import finish
from .json_values import timed_words
from .segments import put_after, start_after
from .source_text import SourceText
from .ttml_times import Rates, milliseconds_of, rates_of, smpte_ms
from .xml_tree import Node, parse_documents, root_of
from .youtube_xml import clip_overlapping

_SPACE = re.compile(r"[ \t\n\r]+")
_TIME_ATTRIBUTE = re.compile(r"\s(?:begin|end|dur)\s*=")
_NO_SPEECH = frozenset(("metadata", "set", "animate", "title", "desc", "copyright", "agent", "image", "audio"))
"""Elements that may stand among what is said and hold none of it."""
_SAID_ANEW = frozenset(("x-translation", "x-roman", "x-transliteration"))
"""Roles of spans, in Apple's lyrics, that hold what stands beside them in another language or script."""
_READINGS = frozenset(("text", "textContainer", "delimiter"))
"""What a span of ruby is that tells how another is read."""
_FEWEST_SEAMS = 3
"""Places where two timed spans meet, from which it can be told whether words meet there or parts of words."""
_NUMBERED_VOICE = re.compile(r"v(\d{1,3})")


@dataclass(frozen=True, slots=True)
class _Context:
    """What an element takes over from those around it."""

    start_ms: int = 0
    end_ms: int | None = None
    timed: bool = False
    """Some element around has a time."""
    language: str | None = None
    agent: str | None = None
    preserve: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text inside a paragraph; with times where an element in the paragraph gives it its own."""

    text: str
    start_ms: int | None
    end_ms: int | None
    speaker: str | None
    is_word: bool = False
    """The file says that it is a word."""


@dataclass(frozen=True, slots=True)
class _Speech:
    """A cue and its language; `timed` is false where it has no time."""

    cue: RawCue
    language: str | None
    timed: bool


@dataclass(slots=True)
class _Gathered:
    """What is gathered on the way through a file."""

    rates: Rates
    agents: dict[str, str]
    absolute: bool
    """Times inside other elements count from the beginning of the recording."""
    speech: list[_Speech] = field(default_factory=list)
    strange: list[tuple[int, str]] = field(default_factory=list)
    """Line and text of what stands for a time and is none."""
    apart: bool = False
    """Timed spans never have a space between them, so that each holds whole words."""
    misfits: int = 0
    """Elements that begin outside of the time of what they stand in."""
    words_said_anew: int = 0
    """Words of translations and readings, which are left out."""


def matches(source: SourceText) -> bool:
    """Say whether the outermost element is that of TTML."""
    return source.stripped[0] == "<" and root_of(source.stripped) == "tt"


def has_times(source: SourceText) -> bool:
    """Say whether anything in the file has a time."""
    return _TIME_ATTRIBUTE.search(source.text) is not None


def read(source: SourceText) -> Transcript:
    """Read TTML; of several languages the one that the name of the file tells.

    Raises:
        UnreadableError: no cues, times that cannot be, or XML that declares entities.
    """
    steps: list[Step] = []
    root, damage, documents = parse_documents(source.text, "tt")
    if documents > 1:
        steps.append(Step("join-documents", "cues", {"documents": documents}))
    gathered = _gathered(root) if root else None
    if gathered is None or not gathered.speech:
        raise UnreadableError(
            " ".join(("The TTML file has no cues.", *damage)),
            "Fetch it again." if damage else "Captions that are pictures cannot be read.",
        )
    notes = list(damage)
    if gathered.strange:
        count, (line, value) = len(gathered.strange), gathered.strange[0]
        notes.append(f"{count} times are none that TTML knows, the first at line {line} ({value[:20]!r}).")
    speech = _of_one_language(gathered.speech, source.name, notes)
    languages = Counter(entry.language for entry in speech if entry.language)
    language = languages.most_common(1)[0][0] if languages else None
    if gathered.words_said_anew:
        steps.append(Step("leave-out-readings", "cues", {"words_left_out": gathered.words_said_anew}))
    known = Transcript("ttml", (), origin=origin_by_name(source), language=language, steps=tuple(steps))
    if gathered.rates.base == "clock" or not any(entry.timed for entry in speech):
        if gathered.rates.base == "clock":
            notes.append("The times are those of a clock on the wall; the text was kept and its times are estimated.")
        cues = tuple(Cue(0, 0, piece, entry.cue.speaker) for entry in speech for piece in pieces(entry.cue.text))
        return replace(known, cues=cues, timed=False, uncertain=tuple(notes))
    raw = _placed(speech)
    raw.sort(key=lambda cue: cue.start_ms)
    raw = _from_zero(raw, gathered.rates, steps, notes)
    mended = mend(clip_overlapping(raw), "TTML file")
    untimed = sum(not entry.timed for entry in speech)
    return finish(mended, replace(known, steps=tuple(steps), uncertain=tuple(notes)), put_after(untimed))


def _gathered(root: Node) -> _Gathered:
    """Walk through the file; a second time where times inside others turn out not to count from these."""
    rates, agents = rates_of(root), _speakers(root)
    seams = _seams(root)
    apart = len(seams) >= _FEWEST_SEAMS and not any(seams)
    gathered = _Gathered(rates, agents, absolute=False, apart=apart)
    _walk(root, _Context(), gathered)
    if gathered.misfits:
        other = _Gathered(rates, agents, absolute=True, apart=apart)
        _walk(root, _Context(), other)
        if other.misfits < gathered.misfits:
            return other
    return gathered


def _walk(node: Node, around: _Context, gathered: _Gathered) -> int | None:
    """Gather the cues of an element; return when it ends, as far as that is known."""
    here = _inside(node, around, gathered)
    if node.name == "p":
        before = len(gathered.speech)
        _paragraph(node, here, gathered)
        ends = [entry.cue.end_ms for entry in gathered.speech[before:] if entry.cue.end_ms is not None]
        return max(ends, default=here.end_ms)
    in_a_row = node.attributes.get("timeContainer") == "seq"
    last: int | None = None
    for child in node.nodes():
        if child.name not in ("body", "div", "p"):
            continue
        after = in_a_row and last is not None
        end = _walk(child, replace(here, start_ms=last) if after and last is not None else here, gathered)
        last = end if in_a_row or last is None else max(last, end or last)
    return last if here.end_ms is None else here.end_ms


def _inside(node: Node, around: _Context, gathered: _Gathered) -> _Context:
    """Work out what holds inside an element: its time, its language, whose words they are."""
    begin, end, length = (_time_of(node, key, gathered) for key in ("begin", "end", "dur"))
    base = 0 if gathered.absolute else around.start_ms
    start = around.start_ms if begin is None else base + begin
    stops = [stop for stop in (None if end is None else base + end, None if length is None else start + length) if stop]
    if begin is not None and around.timed:
        outside = start < around.start_ms or (around.end_ms is not None and start >= around.end_ms)
        gathered.misfits += outside
    if around.end_ms is not None and around.end_ms > start and (stops or begin is None):
        stops.append(around.end_ms)
    space = node.attributes.get("space")
    return _Context(
        start_ms=start,
        end_ms=min(stops, default=None),
        timed=around.timed or begin is not None or ("begin" not in node.attributes and bool(stops)),
        language=node.attributes.get("lang", "").strip() or around.language,
        agent=node.attributes.get("agent") or around.agent,
        preserve=around.preserve if space is None else space == "preserve",
    )


def _paragraph(node: Node, here: _Context, gathered: _Gathered) -> None:
    """Make cues of a paragraph: one, whose words may have times, or one for each part that has its own."""
    for speaker, group in groupby(_pieces(node, here, here, gathered), key=lambda piece: piece.speaker):
        inside = _with_spaces(list(group), apart=gathered.apart)
        timed = [piece for piece in inside if piece.start_ms is not None and piece.text.strip()]
        words = sum(len(piece.text.split()) for piece in inside)
        if timed and words > 2 * len(timed):
            for part in _parts(inside):
                first = part[0]
                begins = here.start_ms if here.timed else timed[0].start_ms or 0
                start = begins if first.start_ms is None else first.start_ms
                _add(here, gathered, RawCue(start, first.end_ms, "", node.line, speaker), part, timed=True)
            continue
        begin = here.start_ms if here.timed or not timed else timed[0].start_ms or 0
        end = here.end_ms if here.end_ms is not None or not timed else timed[-1].end_ms
        cue = RawCue(begin, end, "", node.line, speaker)
        if timed:
            text, times = timed_words([(piece.text, piece.start_ms) for piece in inside], begin)
            gathered.speech.append(_Speech(replace(cue, text=text, words=times), here.language, True))
        else:
            _add(here, gathered, cue, inside, timed=here.timed)


def _add(here: _Context, gathered: _Gathered, cue: RawCue, part: Sequence[_Piece], *, timed: bool) -> None:
    lines = [line.strip() for line in "".join(piece.text for piece in part).split("\n")]
    text = "\n".join(line for line in lines if line)
    if text:
        gathered.speech.append(_Speech(replace(cue, text=text), here.language, timed))


def _parts(inside: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Part the pieces of a paragraph where a piece has another time; those without one belong to what is before."""
    part: list[_Piece] = []
    for piece in inside:
        new = piece.start_ms is not None and bool(part) and piece.start_ms != part[0].start_ms
        if new and any(entry.text.strip() for entry in part):
            yield part
            part = []
        elif new:
            part = []
        part.append(piece)
    if part:
        yield part


def _pieces(node: Node, here: _Context, paragraph: _Context, gathered: _Gathered) -> Iterator[_Piece]:
    has_own_time = here is not paragraph and here.timed
    for part in node.parts:
        if isinstance(part, str):
            text = part if here.preserve else _SPACE.sub(" ", part)
            start, end = (here.start_ms, here.end_ms) if has_own_time else (None, None)
            yield _Piece(text, start, end, _speaker(here, gathered), node.attributes.get("unit") == "word")
        elif part.name == "br":
            yield _Piece("\n", None, None, _speaker(here, gathered))
        elif _is_said_anew(part):
            gathered.words_said_anew += len(words_in(_text_of(part)))
        elif part.name not in _NO_SPEECH:
            inner = _inside(part, here, gathered)
            if not {"begin", "end", "dur"} & part.attributes.keys():
                # Its times are those around it, which are not its own.
                inner = replace(inner, timed=has_own_time)
            inside = _pieces(part, inner, paragraph, gathered)
            # Voices in the background stand beside the others without a space.
            gap = [_Piece(" ", None, None, _speaker(inner, gathered))] if part.attributes.get("role") == "x-bg" else []
            yield from (*gap, *inside, *gap)


def _is_said_anew(node: Node) -> bool:
    return node.attributes.get("role") in _SAID_ANEW or node.attributes.get("ruby") in _READINGS


def _text_of(node: Node) -> str:
    return "".join(part if isinstance(part, str) else _text_of(part) for part in node.parts)


def _with_spaces(pieces: list[_Piece], *, apart: bool) -> list[_Piece]:
    """Put a space between two words that meet without one: spans that are words, or hold whole words (`apart`)."""
    spaced: list[_Piece] = []
    last = ""
    for piece in pieces:
        text = piece.text
        if text and last and _meet(last, text) and (piece.is_word or (apart and piece.start_ms is not None)):
            text = f" {text}"
        last = text or last
        spaced.append(replace(piece, text=text))
    return spaced


def _meet(before: str, after: str) -> bool:
    """Say whether two texts, one behind the other, would run into one word; a sign alone belongs to what it follows."""
    if before[-1].isspace() or after[0].isspace() or not any(char.isalnum() for char in after):
        return False
    return not (is_unspaced(before[-1]) and is_unspaced(after[0]))


def _seams(node: Node) -> list[bool]:
    """Return, for every place where two timed spans stand side by side, whether there is a space between them."""
    seams: list[bool] = []
    last: Node | None = None
    between = ""
    for part in node.parts:
        if isinstance(part, str):
            between += part
            continue
        seams += _seams(part)
        if part.name != "span" or "begin" not in part.attributes:
            last = None
            continue
        if last is not None:
            around = _text_of(last)[-1:] + between + _text_of(part)[:1]
            seams.append(any(char.isspace() for char in around))
        last, between = part, ""
    return seams


def _speaker(here: _Context, gathered: _Gathered) -> str | None:
    marks = here.agent.split() if here.agent else []
    return next((gathered.agents[mark] for mark in marks if mark in gathered.agents), None)


def _speakers(root: Node) -> dict[str, str]:
    """Return who speaks, by the mark that stands at their words; of several marks those without names are names."""
    nodes = list(_all_nodes(root))
    declared = [node.attributes["id"] for node in nodes if node.name == "agent" and "id" in node.attributes]
    marks = {mark for node in nodes for mark in node.attributes.get("agent", "").split()}.intersection(declared)
    if len(marks) < 2:
        return _agents(root)
    voices = {mark: match[1] for mark in marks if (match := _NUMBERED_VOICE.fullmatch(mark))}
    return {mark: f"Speaker {voices[mark]}" if mark in voices else mark for mark in marks} | _agents(root)


def _all_nodes(node: Node) -> Iterator[Node]:
    for child in node.nodes():
        yield child
        yield from _all_nodes(child)


def _agents(root: Node) -> dict[str, str]:
    """Return the names of those who speak, by the mark that stands at their words."""
    gathered: dict[str, str] = {}
    for node in root.nodes():
        if node.name == "agent":
            names = [_text_of(name) for name in node.nodes()]
            named = " ".join(next((name for name in names if name.strip()), "").split())
            if named and "id" in node.attributes:
                gathered[node.attributes["id"]] = named
        elif node.name in ("head", "metadata"):
            gathered |= _agents(node)
    return gathered


# --- languages ------------------------------------------------------------------------------------------------------


def _of_one_language(speech: list[_Speech], name: str, notes: list[str]) -> list[_Speech]:
    """Leave out the languages that stand beside another at the same times, as translations do.

    A sentence in another language at a time of its own was said.
    """
    counts = Counter(entry.language for entry in speech if entry.language)
    if len(counts) < 2:
        return speech
    tags = name.lower().split(".")
    wanted = max(counts, key=lambda language: (str(language).lower() in tags, counts[language]))
    spans = sorted(
        (entry.cue.start_ms, entry.cue.end_ms or entry.cue.start_ms + 1) for entry in speech if entry.language == wanted
    )
    starts = [start for start, _ in spans]
    beside = []
    for language, count in counts.items():
        here = [entry.cue.start_ms for entry in speech if entry.language == language and entry.timed]
        span_before = [(bisect_right(starts, start) - 1, start) for start in here]
        together = sum(i >= 0 and start < spans[i][1] for i, start in span_before)
        if language != wanted and together * 2 > count:
            beside.append(language)
    if beside:
        notes.append(
            f"The file holds captions in {wanted} and at the same times in {', '.join(beside)}; {wanted} was read."
        )
    return [entry for entry in speech if entry.language not in beside]


# --- times ----------------------------------------------------------------------------------------------------------


def _placed(speech: Sequence[_Speech]) -> list[RawCue]:
    raw: list[RawCue] = []
    for entry in speech:
        raw.append(entry.cue if entry.timed else replace(entry.cue, start_ms=start_after(raw), end_ms=None))
    return raw


def _from_zero(raw: list[RawCue], rates: Rates, steps: list[Step], notes: list[str]) -> list[RawCue]:
    """Count SMPTE times from the beginning of the programme, which tapes have at a full hour, such as 10:00:00:00."""
    hour = smpte_ms(1, 0, 0, 0, rates)
    offset = raw[0].start_ms // hour * hour
    if rates.base != "smpte" or not offset:
        return raw
    steps.append(Step("mend-times", "cues", {"offset_ms": -offset}))
    notes.append(
        f"The time code begins at {show_clock(raw[0].start_ms)}, as on tapes whose programme begins at a full hour; "
        f"{offset // hour} h were taken off."
    )
    return [
        replace(
            cue,
            start_ms=cue.start_ms - offset,
            end_ms=None if cue.end_ms is None else cue.end_ms - offset,
            words=tuple(replace(word, start_ms=word.start_ms - offset) for word in cue.words),
        )
        for cue in raw
    ]


def _time_of(node: Node, key: str, gathered: _Gathered) -> int | None:
    value = node.attributes.get(key)
    if value is None:
        return None
    ms = milliseconds_of(value.strip(), gathered.rates)
    if ms is None:
        gathered.strange.append((node.line, value))
    return ms
