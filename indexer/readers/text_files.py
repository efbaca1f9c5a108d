"""Which files are taken for transcripts in text by their names and first characters, and which are something else."""

from __future__ import annotations

import re

from .source_text import SourceText

TIMED_ENDINGS = frozenset(("vtt", "srt", "sbv", "tsv", "docx"))
"""Names under which lines of text with times are read, and no text without: the captions in them are missing, and
folders of talks hold programmes and abstracts as Word documents."""
MARKDOWN_ENDINGS = ("md", "markdown", "mdown")
TEXT_ENDINGS = frozenset(("txt", "text", "rst", "transcript", "asc", "org", "utf8", "lrc", *MARKDOWN_ENDINGS))
"""Names under which text is read with times and without."""
_LONGEST_ENDING = 5
"""Letters. What stands behind the last dot of a name and is longer is no ending, but a part of the name."""
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|\?xml|tt[ >:]|transcript[ >]|timedtext|svg|rss|feed)", re.IGNORECASE)
_NOT_TALKS = re.compile(
    r"(?:requirements[\w.-]*|constraints[\w.-]*|cmakelists|robots|licen[sc]e[\w.-]*|copying[\w.-]*|sha\d*sums?|checksums?"
    r"|filelist|urls?|batch|archive|downloaded)\.(?:txt|md)",
    re.IGNORECASE,
)


def may_be_timed_text(source: SourceText) -> bool:
    """Say whether a file is read as text if its lines carry times."""
    ending = source.ending
    return is_headed_webvtt(source) or (
        not is_markup(source) and (ending in TEXT_ENDINGS or ending in TIMED_ENDINGS or not is_an_ending(ending))
    )


def may_be_untimed_text(source: SourceText) -> bool:
    """Say whether a file is read as text although nothing in it has a time."""
    ending = source.ending
    return is_headed_webvtt(source) or (
        not is_markup(source)
        and (ending in TEXT_ENDINGS or not is_an_ending(ending))
        and is_name_of_a_talk(source.name)
    )


def is_markdown(source: SourceText) -> bool:
    """Say whether a text is called Markdown by its name."""
    return has_markdown_name(source.name) and not is_headed_webvtt(source)


def has_markdown_name(name: str) -> bool:
    """Say whether a name ends as those of Markdown do."""
    return name.lower().endswith(tuple(f".{ending}" for ending in MARKDOWN_ENDINGS))


def is_headed_webvtt(source: SourceText) -> bool:
    """Say whether a file begins as WebVTT does. Where it holds no cues it is a text that somebody took them out of."""
    return source.stripped.startswith("WEBVTT")


def is_markup(source: SourceText) -> bool:
    """Say whether a file is HTML or XML."""
    return _MARKUP.match(source.stripped) is not None


def is_an_ending(ending: str) -> bool:
    """Say whether what stands behind the last dot of a name tells what kind of file it is.

    >>> [is_an_ending(ending) for ending in ("py", "json3", "1", "transcription", " who we are", "")]
    [True, True, False, False, False, False]
    """
    return 0 < len(ending) <= _LONGEST_ENDING and ending.isalnum() and not ending.isdigit()


def is_name_of_a_talk(name: str) -> bool:
    """Say whether a file with this name may be a talk, not a list of requirements or of checksums.

    >>> [is_name_of_a_talk(name) for name in ("talk.txt", "requirements-dev.txt", "Makefile", ".hidden.txt")]
    [True, False, False, False]
    """
    base = name.rpartition("/")[2]
    return "." in base and not base.startswith(".") and not _NOT_TALKS.fullmatch(base)
