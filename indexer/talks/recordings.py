"""The recording that belongs to a transcript, though its name says more: the size of the picture, who is in it."""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .folders import Listing, fold, listing
from .track_names import RECORDINGS, is_kind_of_file, track_name, without_ending

FOLDERS_OF_CAPTIONS = frozenset(("subs", "subtitles", "captions", "transcripts", "sub", "subtitle", "transcript"))
"""Names of folders in which captions lie apart from their recording, which lies in the folder above."""
_SOUND_ALONE = frozenset(("m4a", "mp3", "wav", "ogg", "oga", "opus", "flac", "aac", "aiff", "wma"))

_QUALITY = re.compile(
    r"(?:[ ._-]*[\[(][^\[\]()]*(?<![^\W_])\d{3,4}[pi](?:\d\d)?(?![^\W_])[^\[\]()]*[\])]"
    r"|[._-](?:[hsl][dq]|[uf]hd|[48]k|webm|h\.?26[45]|x26[45]|\d{3,4}[pi](?:\d\d)?|\d{3,4}x\d{3,4})"
    r"|[ ]\d{3,4}p)$",
    re.IGNORECASE,
)
"""What names say of a picture at their end: `_hd`, `-720p`, `_1920x1080`, `(1080p_25fps_H264-128kbit_AAC)`."""
_VIEW = re.compile(
    r"[ ._-](?:avo|gvo|as|gallery(?:_view)?|speaker(?:_view)?|shared_screen(?:_with_\w+)?|audio[ _]?only|audio|video|"
    r"default|source|mp[34](?:-\d)?|opus|low|medium|high|f\d{1,4}(?:-\w+)?|\d{2,3}k(?:bps)?)$",
    re.IGNORECASE,
)
"""What names of recordings alone say besides: Zoom's views, media.ccc.de's formats, Panopto's and yt-dlp's streams."""
_OF_MEETING = re.compile(r"(?<=[\d)])(?: [A-Z]{3,4})?[-_ –—]+(?:Meeting )?(?:Recording|Transcript)(?=$|_)")
"""What Teams, Google Meet and Zoom write behind the time of a meeting."""
_SOUND_OF_MEETING = re.compile(r"audio(?:_only|\d{5,})$", re.IGNORECASE)
"""How Zoom calls the sound of a meeting, in a folder of its own, beside `video1234567890.mp4`."""
_CONGRESS = re.compile(r"^(?P<event>[a-z0-9]+)-(?P<number>\d+)-(?:[a-z]{3}-)+(?P<title>\S+)$")
"""How media.ccc.de names files, with the languages that are in each: `33c3-8401-eng-deu-How_bridges_are_made`."""


def without_quality(stem: str) -> str:
    """Return a name without what it says of the picture.

    >>> without_quality("Talk_hd"), without_quality("Talk (1080p_25fps_H264-128kbit_AAC)"), without_quality("Why HD")
    ('Talk', 'Talk', 'Why HD')
    """
    while (match := _QUALITY.search(stem)) and match.start() > 0:
        stem = stem[: match.start()]
    return stem


def same_talk(stem: str) -> str:
    """Return what the names of one talk's files have in common, however they are written.

    >>> same_talk("33c3-8401-eng-How_bridges_are_made_hd") == same_talk("33c3-8401-eng-deu-How_bridges_are_made")
    True
    """
    plain = _OF_MEETING.sub("", without_quality(stem))
    match = _CONGRESS.match(plain)
    return fold(f"{match['event']}-{match['number']}-{match['title']}" if match else plain)


def find_recording(path: Path) -> Path | None:
    """Find the recording that lies beside a transcript: `talk.mp4`, or `talk_hd.mp4`, for `talk.en.vtt`.

    Of several, one with a picture comes first, then the one of the same name. Where every talk has a folder of its own,
    it is the recording in that folder; where captions have one of their own, as `Subs` beside a film, the one above.
    """
    return next(iter(recordings_of(path)), None)


def recordings_of(path: Path) -> tuple[Path, ...]:
    """Return all recordings of a transcript's talk that lie beside it, the one that `find_recording` gives first."""
    found = _all_in(path, path.parent)
    if not found and path.parent.name.lower() in FOLDERS_OF_CAPTIONS:
        found = _all_in(path, path.parent.parent)
    return found


def is_recording(name: str) -> bool:
    """Say whether a file is a recording, by its name.

    >>> is_recording("Tides.MP4"), is_recording("Tides.vtt")
    (True, False)
    """
    return _ending(name) in RECORDINGS


def has_no_picture(name: str) -> bool:
    """Say whether a recording is of sound alone, by its name."""
    return _ending(name) in _SOUND_ALONE


def talk_of_recording(path: Path) -> str:
    """Return what the recordings of one talk in a folder have in common: its pictures, and its sound alone.

    >>> talk_of_recording(Path("a/Tides_720p.mp4")) == talk_of_recording(Path("b/tides.m4a"))
    True
    """
    recordings = _recordings(listing(path.parent))
    plain = without_ending(path.name)
    if has_no_picture(path.name) and (is_kind_of_file(plain) or _SOUND_OF_MEETING.match(plain)):
        # As in `_all_in`: Zoom's `audio_only.m4a` has the sound of the one picture in its folder.
        shown = {talk for name, (_, talk) in recordings.items() if not has_no_picture(name)}
        if len(shown) == 1:
            return next(iter(shown))
    return same_talk(_without_view(plain))


def names_other_file(url: str, folder: Path) -> bool:
    """Say whether an address is that of a file, and no recording below a folder.

    Whoever wrote a transcript or its sidecar can name any file of this machine, or of another one's share: a server
    would hand it out, and a command that opens a hit would run it. Folders above (`..`) count as other ones, since
    links may lead anywhere.

    >>> [names_other_file(f"file:///{path}", Path("/talks")) for path in ("talks/a/b.mp4", "home/b.mp4", "talks/a.exe")]
    [False, True, True]
    """
    if not url.lower().startswith("file:"):
        return False
    try:
        parts = urlsplit(url)
        path = Path(url2pathname(parts.path))
    except (ValueError, OSError):  # OSError: Windows knows no such path
        return True
    is_here = parts.netloc in ("", "localhost") and ".." not in path.parts and folder in path.parents
    return not is_here or _ending(path.name) not in RECORDINGS


def _all_in(path: Path, folder: Path) -> tuple[Path, ...]:
    stem = track_name(path).stem
    wanted, key = {fold(stem), fold(without_ending(path.name))}, same_talk(stem)
    found = _recordings(listing(folder))
    by_name = [name for name, (plain, _) in found.items() if fold(plain) in wanted]
    by_talk = [name for name, (_, talk) in found.items() if talk == key and name not in by_name]
    if not by_name and not by_talk and is_kind_of_file(stem):
        # Zoom's `video1234567890.mp4` and `audio_only.m4a` are of one meeting: a picture has its sound beside it.
        shown = {talk for name, (_, talk) in found.items() if not has_no_picture(name)}
        if len(shown or {talk for _, talk in found.values()}) == 1:
            by_talk = list(found)
    ranked = [(has_no_picture(name), rank, name) for rank, names in enumerate((by_name, by_talk)) for name in names]
    ranked.sort(key=lambda entry: (*entry[:2], RECORDINGS.index(_ending(entry[2])), len(entry[2])))
    files = (folder / name for *_, name in ranked if name != path.name)
    return tuple(file for file in files if not file.is_dir())


@lru_cache(maxsize=16)
def _recordings(folder: Listing) -> dict[str, tuple[str, str]]:
    """Return the recordings among the names of a folder, each with its plain name and the talk that it may be of."""
    found = {}
    for name in folder.names:
        if _ending(name) in RECORDINGS:
            plain = without_ending(name)
            found[name] = (plain, same_talk(_without_view(plain)))
    return found


def _without_view(stem: str) -> str:
    """Return the name of a recording without all that it says of the recording alone."""
    while (match := _QUALITY.search(stem) or _VIEW.search(stem)) and match.start() > 0:
        stem = stem[: match.start()]
    return stem


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def hidden_beside(recording: Path, ending: str) -> Path:
    """Return the hidden file beside a recording that keeps something of it; the walk over an archive passes over it.

    Its name is short, as that of a recording may be as long as a file system allows.
    """
    digest = hashlib.sha256(os.fsencode(recording.name)).hexdigest()[:16]
    return recording.with_name(f".talksearch-{digest}.{ending}")


def state_of(recording: Path) -> dict[str, int]:
    """Return a recording's size and last change, by which it is known whether it is still the same."""
    about = recording.stat()
    return {"size": about.st_size, "mtime_ns": about.st_mtime_ns}
