"""Titles, days and ids from the names of files."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date
from typing import NamedTuple

from talksearch.indexer.text import youtube
from talksearch.indexer.text.letters import unaccented

from .language_tags import has_shortest_code, is_language
from .recordings import without_quality
from .track_names import RECORDINGS, without_ending

_FULL_WIDTH = str.maketrans("：｜？＊＜＞＂／＼⧸⧹", ':|?*<>"/\\/\\')
"""What yt-dlp writes for the characters that Windows forbids in file names."""
_SLUG_LENGTH = 32
"""Characters of an id before the mark that tells where the file lies."""
_DAY = r"(?P<year>(?:19|20)\d\d)[-_./]?(?P<month>[01]\d)[-_./]?(?P<day>[0-3]\d)"
_CLOCK = r"(?P<hour>[0-2]\d)[-_.:]?(?P<minute>[0-5]\d)(?:[-_.:]?[0-5]\d)?"
_RECORDERS = (
    re.compile(rf"^GMT{_DAY}[-_]{_CLOCK}_Recording.*$"),
    re.compile(rf"^{_DAY} {_CLOCK} (?P<title>\D.*?)(?: \d{{9,11}})?$"),
    re.compile(
        rf"^(?P<title>.+?)[-_ ]{{1,3}}{_DAY}[_ ]{_CLOCK}(?:UTC)?[-_ ]{{1,3}}(?:Meeting )?(?:Recording|Transcript)$"
    ),
    re.compile(rf"^(?P<title>.+?) \({_DAY} at {_CLOCK} [^()]+\)(?: ?[-–—]? ?(?:Transcript|Recording|Chat))?$"),
    re.compile(rf"^(?P<title>.+?) [-–—] {_DAY} {_CLOCK} [^-–—]+ [-–—] (?:Transcript|Recording|Chat|Notes by Gemini)$"),
    re.compile(rf"^{_DAY}_[01]_[a-z0-9]{{8}}_(?P<title>.+)$"),
    re.compile(r"^s(?P<year>(?:19|20)\d\d)\.?e(?P<month>[01]\d)(?P<day>[0-3]\d)(?:\d\d)? - (?P<title>.+)$"),
    re.compile(rf"^(?:Replay )?{_DAY}[ _-]{_CLOCK}(?:[ _-]\d{{2}})?$"),
)
"""How programs name files: Zoom in the cloud and on a disk, Teams, Google Meet twice, a script that takes captions from
Kaltura, Pinchflat and ytdl-sub for media servers, OBS Studio."""
_FOLDER_OF_TALK = re.compile(rf"^{_DAY} (?P<title>.+)$")
"""How Pinchflat calls the folder of a recording."""
_CONGRESS = re.compile(r"^[a-z0-9]+-\d+-(?P<spoken>[a-z]{3})-(?:[a-z]{3}-)*(?P<title>\S+)$")
"""How media.ccc.de does, with the language that is spoken first, and those of interpreters behind it."""
_BY_DOWNLOADERS = re.compile(
    r"^(?:y2mate\.(?:com|is)|yt1s\.com|ssyoutube\.com|SaveTube\.\w+) ?[-–_] ?| - YouTube$", re.IGNORECASE
)
"""What programs that download recordings write around a title."""


class NamedRecording(NamedTuple):
    """What the name of a recording says, where a program gave it; None where it does not."""

    title: str | None = None
    day: str | None = None
    """`YYYY-MM-DD`, in the time zone of the recorder."""
    spoken: str | None = None
    """The code of the language that is spoken."""


def recorded(stem: str) -> NamedRecording:
    """Read the name that a program gave to a recording.

    >>> recorded("GMT20240312-150000_Recording"), recorded("33c3-8401-eng-deu-How_bridges_are_made").title
    (NamedRecording(title='Recording of 2024-03-12, 15:00 GMT', day='2024-03-12', spoken=None), 'How bridges are made')
    >>> recorded("Weekly sync-20240312_150000-Meeting Recording")[:2]
    ('Weekly sync', '2024-03-12')
    """
    match = _CONGRESS.match(stem)
    if match and is_language(match["spoken"]):
        return NamedRecording(match["title"].replace("_", " "), None, match["spoken"])
    for pattern in _RECORDERS:
        match = pattern.match(stem)
        day = _day(match) if match else None
        if not match or day is None:
            continue
        title = match.groupdict().get("title")
        if stem.startswith("GMT"):
            title = f"Recording of {day}, {match['hour']}:{match['minute']} GMT"
        return NamedRecording(title, day)
    return NamedRecording()


def day_of_folder(folder: str, title: str) -> str | None:
    """Return the day in the name of a folder, where it says no more than the day and the title of what lies in it.

    >>> day_of_folder("2024-03-12 On Tides", "On Tides"), day_of_folder("2024-03-12 Meeting", "On Tides")
    ('2024-03-12', None)
    """
    match = _FOLDER_OF_TALK.match(folder)
    return _day(match) if match and humanised(match["title"]) == title else None


def humanised(stem: str) -> str:
    """Make a title of a file name's stem: without index number and YouTube id, with spaces, its signs as they were.

    >>> humanised("011-v4jolM-bPpA-Lecture 11： Symmetry ｜ Linz"), humanised("my_first-talk"), humanised("talk_1080p")
    ('Lecture 11: Symmetry | Linz', 'my first talk', 'talk')
    """
    title = unicodedata.normalize("NFC", without_quality(stem))
    title = _BY_DOWNLOADERS.sub("", title) or title
    video = youtube.id_from_name(title)
    if video:
        title = re.sub(
            rf"(?:^\d{{1,5}}[-_. ]+)?[-_ .]*[\[(]?{re.escape(video)}[\])]?[-_ .]*", " ", title, count=1
        ).strip()
    title = recorded(title).title or title
    rest = re.sub(r"^\d{1,4}(?:[-_.]+| +- +)(?=\D)", "", title).strip()
    title = rest if any(char.isalpha() for char in rest) else title
    title = title.translate(_FULL_WIDTH)
    if " " not in title:
        title = title.replace("_", " ")
        # Dashes between words become spaces, those inside a date stay.
        title = re.sub(r"(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])", " ", title)
    title = " ".join(title.split()).strip(" -_")
    return title or stem or "Untitled"


def id_stem(name: str) -> str:
    """Return the part of a file's name that its talk's id is made of.

    It is cut more simply than a track's name is: an id must not change when other files come to lie beside the file, or
    when a later version knows more tags.

    >>> id_stem("talk.en.vtt"), id_stem("talk.eng.sdh.vtt"), id_stem("talk.mp4.srt")
    ('talk', 'talk.eng.sdh', 'talk')
    """
    stem = without_ending(name)
    head, dot, ending = stem.rpartition(".")
    if dot and head and is_language(ending) and has_shortest_code(ending):
        stem = head[:-2] if head.endswith(".a") and len(head) > 2 else head
    head, dot, ending = stem.rpartition(".")
    return head if dot and head and ending.lower() in RECORDINGS else stem


def slug(stem: str, source: str) -> str:
    """Make an id of a name and of where the file lies: the same name in two folders gives two ids.

    The same source in another Unicode form, as another system writes it, gives the same id.

    >>> slug("Ünder the Sea!", "a/Ünder the Sea!.vtt")[:13], slug("会议", "b/会议.vtt")[:-7], slug("Łódź", "x.vtt")[:-7]
    ('under-the-sea', '会议', 'lodz')
    """
    composed = unicodedata.normalize("NFC", source)
    mark = hashlib.sha256(composed.encode(errors="surrogateescape")).hexdigest()[:6]
    plain = unaccented(stem).encode("ascii", "ignore").decode()
    stem = unicodedata.normalize("NFC", stem)
    letters = sum(char.isalnum() for char in stem)
    if sum(char.isalnum() for char in plain) * 2 < letters:
        plain = stem
    name = re.sub(r"[\W_]+", "-", plain.lower()).strip("-")[:_SLUG_LENGTH].strip("-")
    return f"{name or 'talk'}-{mark}"


def _day(match: re.Match[str]) -> str | None:
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"])).isoformat()
    except ValueError:
        return None
