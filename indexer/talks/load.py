"""A file to a talk: decode, read, restore, repair, name, time. The one place where these steps meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.mojibake.repair import Repair, repair_text
from talksearch.indexer.readers import decode, scraped_record
from talksearch.indexer.readers.registry import read_with, reader_for
from talksearch.indexer.records import Chapter, Cue, Receipt, Step, Talk, Timing, Transcript
from talksearch.indexer.restore.clean import clean
from talksearch.indexer.restore.normalize import normalize, normalize_text
from talksearch.indexer.text import youtube

from .identify import _address, _is_original, _origin, _video
from .naming import humanised, slug
from .receipt import decoding_step, estimate, reading_steps, repair_cues, repair_step, tidy_lines
from .sidecar import SidecarMetadata, find_recording, is_named_after_folder, language_of, parts, read_sidecar

_LONG_CUE_MS = 300_000
"""A cue of five minutes tells little about when its last word is said."""


@dataclass(frozen=True, slots=True)
class TalkMetadata:
    """What a file and its sidecar say about a talk beside its words, repaired; None or empty where they say nothing."""

    source: str
    title: str | None = None
    channel: str | None = None
    speaker: str | None = None
    description: str = ""
    chapters: tuple[Chapter, ...] = ()
    date: str | None = None
    duration_ms: int | None = None
    url: str | None = None
    language: str | None = None
    steps: tuple[Step, ...] = ()
    """The repairs, by field."""


_FIELDS = ("title", "channel", "speaker", "description", "chapters", "date", "duration_ms", "url", "language")


def read_metadata(path: Path, source: str, data: bytes) -> TalkMetadata:
    """Read what a file says about its talk, and leave its words alone. Raises UnreadableError as `load_talk` does."""
    text, _, _ = decode(data)
    reader = reader_for(text, path.name)
    found = (
        scraped_record.read_header(text) if reader == "record" else read_with(reader, text, path.name, unfolding=False)
    )
    sidecar = read_sidecar(path) or SidecarMetadata()
    stem, tag = parts(path.name)
    video = _video(sidecar, found.url or _address(found.format, text), stem)
    about = _about(path, source, found, sidecar, video, [])
    # A track that may be a translation does not tell which language another file is in.
    return about if _is_original(tag, sidecar) else replace(about, language=None)


def load_talk(path: Path, source: str, data: bytes, others: Iterable[TalkMetadata] = ()) -> Talk:
    """Make a talk of a file.

    Args:
        path: where the file lies; its name and what lies beside it are looked at.
        source: its path relative to the PATH that is indexed, with forward slashes.
        data: its bytes.
        others: what other files of the same talk say about it: taken, in order, for what this file leaves open. They
            are asked for only as long as something is open.

    Raises:
        UnreadableError: it is no transcript, or holds no words, with the reason.
    """
    text, decoding, decode_notes = decode(data)
    reader = reader_for(text, path.name)
    found = read_with(reader, text, path.name)
    cues, cleaning = clean(found, final=False)
    cues, repairing, repair_notes = _repaired(cues)
    if not cues:
        raise UnreadableError(
            "The file holds no speech: nothing is left after marks and sound labels.", "Leave the file out."
        )
    stem, tag = parts(path.name)
    sidecar = read_sidecar(path) or SidecarMetadata()
    steps = [decoding_step(data, text, decoding), *reading_steps(reader, found), *cleaning, *repairing]
    notes = [*decode_notes, *found.uncertain, *repair_notes]
    if sidecar.problem:
        notes.append(sidecar.problem)
    video = _video(sidecar, found.url or _address(found.format, text), stem)
    about = fill_from(_about(path, source, found, sidecar, video, notes), others)
    steps += about.steps
    timing, margin = _timing(found, notes)
    if not found.timed:
        cues, margin, step = estimate(cues, about.duration_ms, about.description, about.chapters)
        steps.append(step)
    return Talk(
        id=video or slug(stem, source),
        source=source,
        title=about.title or humanised(path.absolute().parent.name if is_named_after_folder(path) else stem),
        cues=cues,
        format=found.format,
        timing=timing,
        margin_ms=margin,
        origin=_origin(found.origin, tag, sidecar),
        youtube_id=video,
        url=about.url,
        channel=about.channel,
        speaker=about.speaker,
        language=about.language,
        date=about.date,
        duration_ms=about.duration_ms,
        description=about.description,
        chapters=about.chapters,
        receipt=Receipt(
            words_before=found.words_before,
            words_after=sum(len(cue.text.split()) for cue in cues),
            steps=tuple(steps),
            uncertain=tuple(dict.fromkeys(notes)),
        ),
    )


def _about(
    path: Path, source: str, found: Transcript, sidecar: SidecarMetadata, video: str | None, notes: list[str]
) -> TalkMetadata:
    """The sidecar before the file; a recording beside it where nothing has an address."""
    steps: list[Step] = []
    url = sidecar.url or found.url or (youtube.watch_url(video) if video else None)
    recording = None if url else find_recording(path)
    return TalkMetadata(
        source=source,
        title=_line(sidecar.title or found.title or "", "title", steps, notes) or None,
        description=_text(sidecar.description or found.description, "description", steps, notes),
        channel=_line(sidecar.channel or found.channel or "", "channel", steps, notes) or None,
        speaker=_line(sidecar.speaker or found.speaker or "", "speaker", steps, notes) or None,
        chapters=tuple(
            replace(chapter, title=_line(chapter.title, "chapters", steps, notes) or chapter.title)
            for chapter in sidecar.chapters or found.chapters
        ),
        date=sidecar.date or found.date,
        duration_ms=sidecar.duration_ms or found.duration_ms,
        url=url or (recording.absolute().as_uri() if recording else None),
        language=language_of(parts(path.name)[1]) or language_of(found.language) or sidecar.language,
        steps=tuple(steps),
    )


def fill_from(about: TalkMetadata, others: Iterable[TalkMetadata]) -> TalkMetadata:
    """Take from the other files of a talk what this one leaves open, and note in the receipt from which."""
    missing = [name for name in _FIELDS if not getattr(about, name)]
    files = iter(others)
    while missing and (other := next(files, None)) is not None:
        taken = {name: value for name in missing if (value := getattr(other, name))}
        if taken:
            repairs = [step for step in other.steps if step.field in taken]
            fills = [Step("take-from", name.removesuffix("_ms"), {"from": other.source}) for name in taken]
            about = replace(about, **taken, steps=(*about.steps, *fills, *repairs))
            missing = [name for name in missing if name not in taken]
    return about


def _timing(found: Transcript, notes: list[str]) -> tuple[Timing, int]:
    """Whether times are exact: not when most words stand in raw cues of many minutes, whose inside is worked out.

    Speech in proportion to its characters is off by up to a minute in nine talks of ten of 15 to 100 minutes; shorter
    cues err by less, in proportion to the square root of their length (pauses add up like a random walk).
    """
    if not found.timed:
        return "estimated", 0
    sizes = [(cue.end_ms - cue.start_ms, len(cue.text)) for cue in found.cues]
    long = [(length, size) for length, size in sizes if length >= _LONG_CUE_MS]
    if sum(size for _, size in long) * 2 <= sum(size for _, size in sizes):
        return "exact", 0
    longest = max(length for length, _ in long)
    margin = min(round(60_000 * (longest / 3_600_000) ** 0.5), 90_000)
    notes.append(
        f"Most words stand in cues of more than {_LONG_CUE_MS // 60_000} minutes, the longest of "
        f"{longest // 60_000}; seconds inside them are estimated by the length of the text."
    )
    return "estimated", margin


# --- text repair ----------------------------------------------------------------------------------------------------


def _repaired(cues: Sequence[Cue]) -> tuple[tuple[Cue, ...], list[Step], list[str]]:
    """Repair the text of all cues at once, so that each has the language of all for context, and their speakers."""
    whole = "\n".join(cue.text for cue in cues)
    steps: list[Step] = []
    notes: list[str] = []
    if not whole.isascii():
        repair = repair_text(whole)
        if repair.text.count("\n") != whole.count("\n"):
            # No repair adds or takes line breaks; one that does is not used.
            notes.append("A repair of the text was left out, because it would have changed the lines.")
        elif repair.edits:
            _note(repair, "cues", steps, notes)
    names = {cue.speaker for cue in cues if cue.speaker and not cue.speaker.isascii()}
    renamed = {name: normalize_text(repair_text(name).text) for name in sorted(names)}
    renamed = {name: after for name, after in renamed.items() if after != name}
    if renamed:
        steps.append(Step("repair-text", "speakers", {"count": len(renamed), "names": renamed}))
    for step in steps:
        cues = repair_cues(cues, step)
    tidied = normalize(cues)
    changed = len(cues) - len({id(cue) for cue in cues} & {id(cue) for cue in tidied})
    if changed:
        steps.append(Step("tidy", "cues", {"cues": changed}))
    return tidied, steps, notes


def _note(repair: Repair, where: str, steps: list[Step], notes: list[str]) -> None:
    if not repair.edits:
        return
    steps.append(repair_step(repair, where))
    unsure = repair.uncertain
    if unsure:
        others = f" (or {', '.join(unsure[0].alternatives[:3])})" if unsure[0].alternatives else ""
        notes.append(f"{len(unsure)} repairs in the {where} are not certain, such as {unsure[0].after[:40]!r}{others}.")


def _text(text: str, where: str, steps: list[Step], notes: list[str]) -> str:
    """Repair a text of several lines and take out what is no text."""
    if not text.isascii():
        repair = repair_text(text)
        _note(repair, where, steps, notes)
        text = repair.text
    return tidy_lines(text)


def _line(text: str, where: str, steps: list[Step], notes: list[str]) -> str:
    return " ".join(_text(text, where, steps, notes).split())


# --- names and ids --------------------------------------------------------------------------------------------------
