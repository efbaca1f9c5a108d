"""Titles and ids from the names of files."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from talksearch.indexer.text import youtube

_FULL_WIDTH = str.maketrans("：｜？＊＜＞＂／＼⧸⧹", ':|?*<>"/\\/\\')
"""What yt-dlp writes for the characters that Windows forbids in file names."""
_SLUG_LENGTH = 32
"""Characters of an id before the mark that tells where the file lies."""


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
