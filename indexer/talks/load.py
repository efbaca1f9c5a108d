"""A file to a talk: read, restore, repair, name, time. The one place where these steps meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.mojibake import Repair, RepairBudget, repair_text
from talksearch.indexer.records import Chapter, Cue, Receipt, Step, Talk, Timing, Transcript
from talksearch.indexer.restore.clean import clean
from talksearch.indexer.restore.loops import loop_notes
from talksearch.indexer.restore.normalize import normalize, normalize_text
from talksearch.indexer.restore.true_times import Recording, TrueTimes, part_of, true_times
from talksearch.indexer.text import youtube
from talksearch.indexer.text.chapters import chapters_in
from talksearch.indexer.text.counting import count_words
from talksearch.indexer.text.untrusted import as_text

from .balance import balance
from .bounds import LONGEST_DESCRIPTION, LONGEST_LINE, bounded_chapters, bounded_length, bounded_text
from .identify import is_original, track_origin, video_of
from .info_json import SidecarMetadata
from .language_tags import language_of
from .naming import day_of_folder, humanised, id_stem, recorded, slug
from .opened_file import OpenedFile
from .receipt import estimate, reading_steps, repair_cues, repair_step, tidy_lines
from .recordings import names_other_file
from .spoken_language import spoken_language
from .track_names import TrackName, is_kind_of_file
from .two_languages import note_of_two_languages

_LONG_CUE_MS = 300_000
"""A cue of five minutes tells little about when its last word is said."""
_MARGIN_OF_AN_HOUR_MS = 60_000
"""How far off speech in proportion to its characters is within an hour, nine times in ten."""
_LARGEST_MARGIN_MS = 90_000
_FREE_WORK, _WORK_PER_CHARACTER = 50_000, 120
"""How many hypotheses a repair may weigh, a million of which take some seconds: a number for any text, and more
for each character. Those of misread German need 6 each, of Russian 28, of Chinese 90."""
_MOST_WORK, _MOST_WORK_ABOUT = 15_000_000, 1_000_000
"""For all that is said in a file, and for all that is said about it. Four hours of Russian or Chinese, every
letter of it misread, stay below it."""
_MOST_ON_WORDS, _MOST_ON_WORDS_ABOUT = 5_000_000, 500_000
"""How many more of them in words, which decide between Chinese characters where letters do not. Beyond it letters alone
decide."""


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


_FILLED = ("title", "channel", "speaker", "description", "chapters", "date", "duration_ms", "url", "language")
"""Fields that other files of a talk may fill."""


def read_metadata(opened: OpenedFile, source: str) -> TalkMetadata:
    """Read what a file says about its talk, and leave its words alone.

    Args:
        opened: the file.
        source: its path relative to the PATH that is indexed, with forward slashes.

    Raises:
        UnreadableError: it holds no transcript, with the reason.
    """
    read = opened.format.read_header or opened.format.read
    transcript = read(opened.source)
    sidecar = opened.around.sidecar or SidecarMetadata()
    metadata = _metadata(opened, source, transcript, sidecar, [])
    # A track that may be a translation does not tell which language another file is in.
    return metadata if is_original(opened.around.track, sidecar) else replace(metadata, language=None)


def load_talk(opened: OpenedFile, source: str, others: Iterable[TalkMetadata] = ()) -> Talk:
    """Make a talk of a file.

    Args:
        opened: the file.
        source: its path relative to the PATH that is indexed, with forward slashes.
        others: what other files of the same talk say about it: taken, in order, for what this file leaves open. They
            are asked for only as long as something is open.

    Raises:
        UnreadableError: it holds no transcript, or no words, with the reason.
    """
    path, track = opened.path, opened.around.track
    transcript = opened.format.read(opened.source)
    cues, cleaning = clean(transcript, final=False)
    words = balance(opened.format.words_in_file(opened.source), cues, transcript, [*transcript.steps, *cleaning])
    cues, repairing, repair_notes = _repaired(cues)
    if not cues:
        raise UnreadableError(
            "The file holds no speech: nothing is left after marks and sound labels.", "Leave the file out."
        )
    sidecar = opened.around.sidecar or SidecarMetadata()
    steps = [opened.decoding, *reading_steps(opened.format.reader_id, transcript), *cleaning, *repairing]
    notes = [*opened.notes, *transcript.uncertain, *repair_notes, *filter(None, [words.problem])]
    notes += filter(None, [sidecar.problem, note_of_two_languages(transcript.cues)])
    video = _video(opened, transcript, sidecar)
    metadata = fill_from(_metadata(opened, source, transcript, sidecar, notes), others)
    steps += metadata.steps
    timing, margin = _timing(transcript, notes)
    righted = TrueTimes(cues, timed=False)
    if transcript.timed:
        righted = true_times(cues, _recording(metadata, sidecar, track.stem))
    cues = righted.cues
    steps += filter(None, [righted.step])
    notes += filter(None, [righted.note])
    if righted.offset_ms and not sidecar.chapters and transcript.chapters:
        metadata = replace(metadata, chapters=_moved(metadata.chapters, righted.offset_ms))
    if righted.margin_ms:
        timing, margin = "estimated", max(margin, righted.margin_ms)
    if not righted.timed:
        timing = "estimated"
        cues, margin, step = estimate(
            cues,
            metadata.duration_ms,
            metadata.description,
            metadata.chapters,
            starts_with_sound=transcript.starts_with_sound,
        )
        steps.append(step)
    notes += loop_notes(cues, estimated=timing == "estimated")
    spoken = spoken_language(metadata.language, cues)
    steps += filter(None, [spoken.step])
    notes += filter(None, [spoken.note])
    words_after = count_words("\n".join(cue.text for cue in cues)) if repairing else words.indexed
    return Talk(
        id=video or slug(id_stem(path.name), source),
        source=as_text(source),
        title=metadata.title or as_text(_title_of_name(path, track, source)),
        cues=cues,
        format=opened.format.name,
        timing=timing,
        margin_ms=margin,
        origin=track_origin(transcript.origin, track, sidecar),
        youtube_id=video,
        url=metadata.url,
        channel=metadata.channel,
        speaker=metadata.speaker,
        language=spoken.language,
        date=metadata.date,
        duration_ms=metadata.duration_ms,
        description=metadata.description,
        chapters=metadata.chapters,
        receipt=Receipt(
            words_before=words.before,
            words_after=words_after,
            words_folded=words.folded,
            words_left_out=words.left_out_with("repair-text", words.indexed - words_after),
            words_lost=words.lost,
            steps=tuple(steps),
            uncertain=tuple(dict.fromkeys(notes)),
        ),
    )


def _title_of_name(path: Path, track: TrackName, source: str) -> str:
    """Make a title of a file's name; of the folder's, where the file's says only what kind of file it is."""
    if not track.is_kind_of_file:
        return humanised(track.stem)
    # Folders that say no more than the file are passed over, as long as they lie under the PATH that is indexed.
    above = [folder.name for folder in path.absolute().parents[: len(PurePosixPath(source).parts)]]
    return humanised(next((name for name in above if not is_kind_of_file(name)), above[0]) or track.stem)


def _day_of_name(path: Path, track: TrackName) -> str | None:
    stem, folder = track.stem, path.absolute().parent.name
    day = recorded(stem).day
    if track.is_kind_of_file:
        return day or recorded(folder).day
    return day or day_of_folder(folder, humanised(stem))


def _recording(metadata: TalkMetadata, sidecar: SidecarMetadata, stem: str) -> Recording:
    """Return what is known of the recording without looking at the times of its words."""
    chapters = sidecar.chapters or chapters_in(metadata.description)
    return Recording(metadata.duration_ms, max((chapter.start_ms for chapter in chapters), default=0), part_of(stem))


def _moved(chapters: Iterable[Chapter], offset_ms: int) -> tuple[Chapter, ...]:
    return tuple(replace(chapter, start_ms=max(0, chapter.start_ms + offset_ms)) for chapter in chapters)


def _video(opened: OpenedFile, transcript: Transcript, sidecar: SidecarMetadata) -> str | None:
    address = transcript.url or opened.format.address(opened.source)
    return video_of(sidecar, address, opened.around.track.stem)


def _metadata(
    opened: OpenedFile, source: str, transcript: Transcript, sidecar: SidecarMetadata, notes: list[str]
) -> TalkMetadata:
    """Return what is said about a talk: by the sidecar, else by the file; a recording beside it is its address at last.

    Args:
        opened: the file.
        source: its path relative to the PATH that is indexed.
        transcript: what its reader found.
        sidecar: what its sidecar says.
        notes: is added to: sentences about repairs that are not certain.
    """
    path, track = opened.path, opened.around.track
    steps: list[Step] = []
    work = RepairBudget(_MOST_WORK_ABOUT, most_on_words=_MOST_ON_WORDS_ABOUT)
    video = _video(opened, transcript, sidecar)
    folder = path.absolute().parents[len(PurePosixPath(source).parts) - 1]
    named = [address for address in (sidecar.url, transcript.url) if address]
    others = [address for address in named if names_other_file(address, folder)]
    notes += [f"The address {address!r} is of no recording in the archive and was left out." for address in others]
    url = next((address for address in named if address not in others), youtube.watch_url(video) if video else None)
    recording = None if url else opened.around.recording
    title, channel, speaker = (
        bounded_text(getattr(sidecar, name) or getattr(transcript, name) or "", name, LONGEST_LINE, notes)
        for name in ("title", "channel", "speaker")
    )
    description = sidecar.description or transcript.description
    return TalkMetadata(
        source=source,
        title=_line(title, "title", steps, notes, work) or None,
        description=_text(
            bounded_text(description, "description", LONGEST_DESCRIPTION, notes), "description", steps, notes, work
        ),
        channel=_line(channel, "channel", steps, notes, work) or None,
        speaker=_line(speaker, "speaker", steps, notes, work) or None,
        chapters=tuple(
            replace(chapter, title=_line(chapter.title, "chapters", steps, notes, work) or chapter.title)
            for chapter in bounded_chapters(sidecar.chapters or transcript.chapters, notes)
        ),
        date=sidecar.date or transcript.date or _day_of_name(path, track),
        duration_ms=sidecar.duration_ms or bounded_length(transcript.duration_ms, notes),
        url=url or (recording.absolute().as_uri() if recording else None),
        language=language_of(track.tag)
        or language_of(transcript.language)
        or sidecar.language
        or language_of(recorded(track.stem).spoken),
        steps=tuple(steps),
    )


def fill_from(metadata: TalkMetadata, others: Iterable[TalkMetadata]) -> TalkMetadata:
    """Take from the other files of a talk what this one leaves open, and note in the receipt from which."""
    missing = [name for name in _FILLED if not getattr(metadata, name)]
    files = iter(others)
    while missing and (other := next(files, None)) is not None:
        taken = {name: value for name in missing if (value := getattr(other, name))}
        if taken:
            repairs = [step for step in other.steps if step.field in taken]
            fills = [Step("take-from", name.removesuffix("_ms"), {"from": other.source}) for name in taken]
            metadata = replace(metadata, **taken, steps=(*metadata.steps, *fills, *repairs))
            missing = [name for name in missing if name not in taken]
    return metadata


def _timing(transcript: Transcript, notes: list[str]) -> tuple[Timing, int]:
    """Say whether times are exact, and how far off they may be, in milliseconds.

    They are not exact when most words stand in raw cues of many minutes: the times inside these are worked out.
    Speech in proportion to its characters is off by up to a minute in nine talks of ten of 15 to 100 minutes; shorter
    cues err by less, in proportion to the square root of their length (pauses add up like a random walk).
    """
    if not transcript.timed:
        return "estimated", 0
    sizes = [(cue.end_ms - cue.start_ms, len(cue.text)) for cue in transcript.cues]
    long = [(length, size) for length, size in sizes if length >= _LONG_CUE_MS]
    if sum(size for _, size in long) * 2 <= sum(size for _, size in sizes):
        return "exact", 0
    longest = max(length for length, _ in long)
    margin = min(round(_MARGIN_OF_AN_HOUR_MS * (longest / 3_600_000) ** 0.5), _LARGEST_MARGIN_MS)
    notes.append(
        f"Most words stand in cues of more than {_LONG_CUE_MS // 60_000} minutes, the longest of "
        f"{longest // 60_000}; seconds inside them are estimated by the length of the text."
    )
    return "estimated", margin


# --- text repair ----------------------------------------------------------------------------------------------------


def _repaired(cues: Sequence[Cue]) -> tuple[tuple[Cue, ...], list[Step], list[str]]:
    """Repair the text of all cues at once, so that each has the language of all for context, and their speakers."""
    whole = "\n".join(cue.text for cue in cues)
    work = RepairBudget(_MOST_WORK, most_on_words=_MOST_ON_WORDS)
    steps: list[Step] = []
    notes: list[str] = []
    if not whole.isascii():
        repair = _repair(whole, "cues", notes, work)
        if repair.text.count("\n") != whole.count("\n"):
            # No repair adds or takes line breaks; one that does is not used.
            notes.append("A repair of the text was left out, because it would have changed the lines.")
        elif repair.edits:
            _note(repair, "cues", steps, notes)
    names = {cue.speaker for cue in cues if cue.speaker and not cue.speaker.isascii()}
    renamed = {name: normalize_text(_repair(name, "speakers", notes, work).text) for name in sorted(names)}
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


def _repair(text: str, where: str, notes: list[str], whole: RepairBudget) -> Repair:
    """Repair a text, unless that would take too much of `whole`; then it stays as it is, and `notes` says so."""
    repair = repair_text(text, work_for(text, whole))
    if repair.gave_up:
        notes.append(f"The {where} may hold misread letters; to put them back would take too long, so they stay.")
    return repair


def work_for(text: str, whole: RepairBudget) -> RepairBudget:
    """Return how much work the repair of a text may be, which is a part of `whole`."""
    return RepairBudget(_FREE_WORK + _WORK_PER_CHARACTER * len(text), whole)


def _note(repair: Repair, where: str, steps: list[Step], notes: list[str]) -> None:
    if not repair.edits:
        return
    steps.append(repair_step(repair, where))
    unsure = repair.uncertain
    if unsure:
        others = f" (or {', '.join(unsure[0].alternatives[:3])})" if unsure[0].alternatives else ""
        notes.append(f"{len(unsure)} repairs in the {where} are not certain, such as {unsure[0].after[:40]!r}{others}.")


def _text(text: str, where: str, steps: list[Step], notes: list[str], work: RepairBudget) -> str:
    """Repair a text of several lines and take out what is no text."""
    if not text.isascii():
        repair = _repair(text, where, notes, work)
        _note(repair, where, steps, notes)
        text = repair.text
    return tidy_lines(text)


def _line(text: str, where: str, steps: list[Step], notes: list[str], work: RepairBudget) -> str:
    return " ".join(_text(text, where, steps, notes, work).split())
