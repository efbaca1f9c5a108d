"""A file to a talk: decode, read, restore, repair, name, time. The one place where these steps meet."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.mojibake.repair import Repair, repair_text
from talksearch.indexer.readers import decode, read, scraped_record, sniff, youtube_xml
from talksearch.indexer.readers.cue_blocks import TIME_LINE, clock
from talksearch.indexer.readers.cue_times import count_units
from talksearch.indexer.readers.timed_text import matches as has_times
from talksearch.indexer.readers.vtt import origin_of
from talksearch.indexer.readers.youtube_transcript_api import video_in
from talksearch.indexer.records import Chapter, Cue, Origin, Receipt, Step, Talk, Timing, Transcript
from talksearch.indexer.restore.clean import clean
from talksearch.indexer.restore.normalize import tidy, tidy_text
from talksearch.indexer.text import youtube

from .receipt import decoding_step, estimate, read_with, reader_for, reading_steps, repair_cues, repair_step, tidy_lines
from .sidecar import Metadata, find_recording, is_named_after_folder, language_of, parts, read_sidecar

_JSON_TEXT = re.compile(r'"(?:text|body|utf8)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_TAG = re.compile(r"<[^>]*>")
_IN_XML = ("srv1", "srv2", "srv3", "ttml", "sami")
_LONG_CUE_MS = 300_000
"""A cue of five minutes tells little about when its last word is said."""
_MUCH_TEXT = 150
_MANY_WORDS = 100
_FASTEST = 15
"""Characters and words in a cue, and words a second, beyond which a reader is asked whether the times can be true.
`readers.times` draws the same line."""


@dataclass(slots=True)
class Identity:
    """What a file is, as far as grouping files into talks needs to know."""

    format: str
    youtube_id: str | None
    base: str
    """The path without endings and language tag: files of one talk share it."""
    language_tag: str | None
    timed: bool
    origin: Origin
    original: bool
    """The track is in the language that is spoken, as far as its name and sidecar tell; not a translation."""
    words: int = 0
    """About how many words it has, whatever repeats counted once; 0 where that was not looked at."""


def identify(path: Path, data: bytes) -> Identity:
    """Find out what a file is without reading all of it.

    Raises:
        UnreadableError: it is no transcript, with the reason.
    """
    text, _, _ = decode(data)
    form = sniff(text, path.name)
    stem, tag = parts(path.name)
    about = read_sidecar(path)
    origin, timed = _glance(form, text, path.name)
    return Identity(
        format=form,
        youtube_id=_video(about, _address(form, text), stem),
        base=path.with_name(stem).as_posix(),
        language_tag=tag,
        timed=timed,
        origin=_origin(origin, tag, about),
        original=_is_original(tag, about),
        words=_words(form, text),
    )


def _words(form: str, text: str) -> int:
    """Count words about: lines of captions, which may roll, and segments, which JSON often has twice, count once."""
    if "json" in form or form == "ytapi":
        return len(" ".join(set(_JSON_TEXT.findall(text))).split())
    if form in _IN_XML:
        return len(_TAG.sub(" ", text).split())
    if form == "ass":
        return sum(len(line.split(",", 9)[-1].split()) for line in text.splitlines() if line.startswith("Dialogue:"))
    lines = {_TAG.sub("", line) for line in text.splitlines() if "-->" not in line}
    return len(" ".join(lines).split())


def _glance(form: str, text: str, name: str) -> tuple[Origin, bool]:
    """Origin and whether there are times, from the beginning of a file."""
    if form in ("vtt", "srt"):
        return origin_of(text, name), _has_true_times(text, name)
    if form in ("whisper-json", "tsv"):
        return "automatic", True
    if form == "json3":
        return ("automatic" if '"aAppend"' in text or '"tOffsetMs"' in text else "human"), True
    if form == "srv3":
        return ("automatic" if youtube_xml.AUTOMATIC.search(text) else "human"), True
    if form in (*_IN_XML, "ass", "microdvd"):
        return origin_of("", name), form != "ttml" or re.search(r"\s(?:begin|end|dur)\s*=", text) is not None
    if form == "ytapi":
        found = re.search(r'"is_generated":\s*(true|false)', text)
        return ("unknown" if not found else "automatic" if found[1] == "true" else "human"), True
    if form == "json":
        services = r'"(?:utterances|results?|response|chunks|monologues|words)"\s*:'
        return ("automatic" if re.search(services, text) else "unknown"), True
    if form == "record":
        head, _, content = text.partition("\nContent:")
        content = content or head
        timed = "-->" in content or len(re.findall(r"[\[(](?:\d{1,2}:)?\d{1,3}:[0-5]\d[\])]", content[:20_000])) >= 3
        timed = timed or has_times(content)
        return ("automatic" if content.count("<c>") > 2 or "WEBVTT Kind: captions" in content else "unknown"), timed
    if form in ("text", "markdown"):
        return "unknown", has_times(text)
    return "unknown", True


def _has_true_times(text: str, name: str) -> bool:
    """Say whether the times of cues mean anything: not where many words stand in a cue of no length.

    Only a file that looks like that is read, so that its reader decides.
    """
    heads = list(TIME_LINE.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    crammed = any(
        end - head.end() > _MUCH_TEXT
        and (units := count_units(text[head.end() : end])) >= _MANY_WORDS
        and units > _FASTEST * _length_s(head)
        for head, end in zip(heads, ends, strict=True)
    )
    if crammed or (len(heads) > 3 and len({head[2] for head in heads}) == 1):
        try:
            return read(text, name).timed
        except UnreadableError:
            return True  # what is wrong with it is said when it is read
    return True


def _length_s(head: re.Match[str]) -> float:
    start, end = clock(head[1], head[2]), clock(head[3], head[4])
    return max(0, (end or 0) - (start or 0)) / 1000


def _address(form: str, text: str) -> str | None:
    """An address near the top of the file that says which video it is."""
    if form == "record":
        match = re.search(r"^[ \t]*URL[ \t]*:[ \t]*(\S+)", text[:20_000], re.IGNORECASE | re.MULTILINE)
        return match[1] if match else None
    if form == "ytapi":
        match = re.search(r'"video_id":\s*"([A-Za-z0-9_-]{11})"', text)
        alone = re.match(r'\s*\{\s*"([^"]{11})"\s*:', text)
        video = match[1] if match else video_in(alone[1]) if alone else None
        return youtube.watch_url(video) if video else None
    if form in ("text", "markdown"):
        return "\n".join(text.split("\n", 40)[:40])
    return None


def _video(about: Metadata | None, address: str | None, stem: str) -> str | None:
    """Sidecar before file before name."""
    return (about.youtube_id if about else None) or youtube.find_id(address or "") or youtube.id_from_name(stem)


def _origin(found: Origin, tag: str | None, about: Metadata | None) -> Origin:
    """What the file shows, else what the sidecar says of its track: only a track that people wrote is certain."""
    if found != "unknown" or about is None or tag is None:
        return found
    if tag in about.human_tracks:
        return "human"
    return "automatic" if tag in about.automatic_tracks else found


def _is_original(tag: str | None, about: Metadata | None) -> bool:
    if tag is None or tag.lower().endswith("-orig"):
        return True
    spoken = about.language if about else None
    if spoken is None:
        return False
    return (language_of(tag) or "").split("-")[0] == spoken.split("-")[0] and not re.search(r"-[a-z]{2}$", tag)


@dataclass(frozen=True, slots=True)
class About:
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


def about_talk(path: Path, source: str, data: bytes) -> About:
    """Read what a file says about its talk, and leave its words alone. Raises UnreadableError as `load_talk` does."""
    text, _, _ = decode(data)
    reader = reader_for(text, path.name)
    found = (
        scraped_record.read_header(text) if reader == "record" else read_with(reader, text, path.name, unfolding=False)
    )
    sidecar = read_sidecar(path) or Metadata()
    stem, tag = parts(path.name)
    video = _video(sidecar, found.url or _address(found.format, text), stem)
    about = _about(path, source, found, sidecar, video, [])
    # A track that may be a translation does not tell which language another file is in.
    return about if _is_original(tag, sidecar) else replace(about, language=None)


def load_talk(path: Path, source: str, data: bytes, others: Iterable[About] = ()) -> Talk:
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
    sidecar = read_sidecar(path) or Metadata()
    steps = [decoding_step(data, text, decoding), *reading_steps(reader, found), *cleaning, *repairing]
    notes = [*decode_notes, *found.uncertain, *repair_notes]
    if sidecar.problem:
        notes.append(sidecar.problem)
    video = _video(sidecar, found.url or _address(found.format, text), stem)
    about = _filled(_about(path, source, found, sidecar, video, notes), others)
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


def _about(path: Path, source: str, found: Transcript, sidecar: Metadata, video: str | None, notes: list[str]) -> About:
    """The sidecar before the file; a recording beside it where nothing has an address."""
    steps: list[Step] = []
    url = sidecar.url or found.url or (youtube.watch_url(video) if video else None)
    recording = None if url else find_recording(path)
    return About(
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


def _filled(about: About, others: Iterable[About]) -> About:
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
    renamed = {name: tidy_text(repair_text(name).text) for name in sorted(names)}
    renamed = {name: after for name, after in renamed.items() if after != name}
    if renamed:
        steps.append(Step("repair-text", "speakers", {"count": len(renamed), "names": renamed}))
    for step in steps:
        cues = repair_cues(cues, step)
    tidied = tidy(cues)
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

# yt-dlp puts these for the characters that Windows forbids in file names.
_FULL_WIDTH = str.maketrans("：｜？＊＜＞＂／＼⧸⧹", ':|?*<>"/\\/\\')
_SLUG_LENGTH = 32


def humanised(stem: str) -> str:
    """Make a title of a file name's stem: without index number and YouTube id, with spaces, its signs as they were.

    >>> humanised("011-v4jolM-bPpA-Lecture 11： Symmetry ｜ Linz"), humanised("my_first-talk")
    ('Lecture 11: Symmetry | Linz', 'my first talk')
    """
    title = unicodedata.normalize("NFC", stem)
    video = youtube.id_from_name(stem)
    if video:
        title = re.sub(
            rf"(?:^\d{{1,5}}[-_. ]+)?[-_ .]*[\[(]?{re.escape(video)}[\])]?[-_ .]*", " ", title, count=1
        ).strip()
    rest = re.sub(r"^\d{1,4}(?:[-_.]+| +- +)(?=\D)", "", title).strip()
    title = rest if any(char.isalpha() for char in rest) else title
    title = title.translate(_FULL_WIDTH)
    if " " not in title:
        title = title.replace("_", " ")
        # Dashes between words become spaces, those inside a date stay.
        title = re.sub(r"(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])", " ", title)
    title = " ".join(title.split()).strip(" -_")
    return title or stem or "Untitled"


def slug(stem: str, source: str) -> str:
    """Make an id of a name and of where the file lies: the same name in two folders gives two ids.

    >>> slug("Ünder the Sea!", "a/Ünder the Sea!.vtt")[:13], slug("会议", "b/会议.vtt")[:-7]
    ('under-the-sea', '会议')
    """
    mark = hashlib.sha256(source.encode(errors="surrogateescape")).hexdigest()[:6]
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    letters = sum(char.isalnum() for char in stem)
    if sum(char.isalnum() for char in plain) * 2 < letters:
        plain = unicodedata.normalize("NFC", stem)
    name = re.sub(r"[\W_]+", "-", plain.lower()).strip("-")[:_SLUG_LENGTH].strip("-")
    return f"{name or 'talk'}-{mark}"
