"""What a file is, found out without reading all of it: its format, its video, its track."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import decode, read, sniff, youtube_xml
from talksearch.indexer.readers.cue_blocks import TIME_LINE, clock
from talksearch.indexer.readers.cue_times import count_units
from talksearch.indexer.readers.timed_text import matches as has_times
from talksearch.indexer.readers.vtt import origin_of
from talksearch.indexer.readers.youtube_transcript_api import video_in
from talksearch.indexer.records import Origin
from talksearch.indexer.text import youtube

from .sidecar import SidecarMetadata, language_of, parts, read_sidecar

_JSON_TEXT = re.compile(r'"(?:text|body|utf8)"\s*:\s*"((?:[^"\\]|\\.)*)"')


_TAG = re.compile(r"<[^>]*>")


_IN_XML = ("srv1", "srv2", "srv3", "ttml", "sami")


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
    origin, timed = sniff_origin_and_timing(form, text, path.name)
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


def sniff_origin_and_timing(form: str, text: str, name: str) -> tuple[Origin, bool]:
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


def _video(about: SidecarMetadata | None, address: str | None, stem: str) -> str | None:
    """Sidecar before file before name."""
    return (about.youtube_id if about else None) or youtube.find_id(address or "") or youtube.id_from_name(stem)


def _origin(found: Origin, tag: str | None, about: SidecarMetadata | None) -> Origin:
    """What the file shows, else what the sidecar says of its track: only a track that people wrote is certain."""
    if found != "unknown" or about is None or tag is None:
        return found
    if tag in about.human_tracks:
        return "human"
    return "automatic" if tag in about.automatic_tracks else found


def _is_original(tag: str | None, about: SidecarMetadata | None) -> bool:
    if tag is None or tag.lower().endswith("-orig"):
        return True
    spoken = about.language if about else None
    if spoken is None:
        return False
    return (language_of(tag) or "").split("-")[0] == spoken.split("-")[0] and not re.search(r"-[a-z]{2}$", tag)
