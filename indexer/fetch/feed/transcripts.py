"""Which of an episode's transcripts is taken, and what it is: judged by the readers, whatever the feed calls it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.fetch.content import SENTENCES, content_of
from talksearch.indexer.fetch.records import AskedTooOftenError, FetchError
from talksearch.indexer.fetch.web import LIMITS, HttpClient, Page
from talksearch.indexer.readers.registry import Format
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.read import failing_on_one_file
from talksearch.indexer.text.counting import count_words

from .podcast_tags import TranscriptLink

_FEWEST_WORDS = 20
"""Of a text without times: less is a remark, or an error that a host calls a success."""
_KINDS = {
    "application/json": "json", "text/json": "json", "text/vtt": "vtt", "application/srt": "srt", "text/srt": "srt",
    "application/x-subrip": "srt", "text/html": "html", "application/xhtml+xml": "html", "text/plain": "txt",
}  # fmt: skip
_BY_ENDING = {"json": "json", "vtt": "vtt", "webvtt": "vtt", "srt": "srt", "html": "html", "htm": "html", "txt": "txt"}
_RANKS = ("json", "vtt", "srt", "", "html", "txt")
"""What keeps most comes first: JSON has the speaker of each segment apart from what they say, WebVTT may have, SubRip
has times alone, and text often none."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript that was fetched, and can be read."""

    language: str
    """A BCP 47 tag; empty where nobody says."""
    ending: str
    """Of its file's name: what its content is."""
    data: bytes
    timed: bool


def in_language(
    links: Sequence[TranscriptLink], language: str, otherwise: str
) -> tuple[tuple[TranscriptLink, ...], frozenset[str]]:
    """Return the transcripts in a language, the best first, and the languages of all others.

    Args:
        links: As the item names them.
        language: The one that is wanted, a BCP 47 tag; empty for any.
        otherwise: What a transcript is in that does not say: what is spoken, as the namespace has it.
    """
    tagged = [(link, link.language or otherwise) for link in links]
    exact = [link for link, tag in tagged if tag.lower() == language.lower()] if language else []
    near = [link for link, tag in tagged if _first(tag) == _first(language) and link not in exact] if language else []
    wanted = [*sorted(exact, key=_rank), *sorted(near, key=_rank)] if language else sorted(links, key=_rank)
    others = frozenset(tag for link, tag in tagged if link not in wanted and tag)
    return tuple(wanted), others


def fetch_transcript(
    web: HttpClient, links: Sequence[TranscriptLink], language: str, feed: str
) -> tuple[Transcript | None, tuple[str, ...]]:
    """Fetch the first of some transcripts that can be read and has times; one without times where no other is.

    Returns it, and why each before it was not taken.

    Raises:
        AskedTooOftenError: The host wants to be left alone; a worse one is not taken for that.
    """
    untimed: Transcript | None = None
    problems: list[str] = []
    for link in links:
        try:
            page = web.get(link.url, LIMITS.track, named_by=feed)
            found = judge(page, _kind(link), link.language or language)
        except AskedTooOftenError:
            raise
        except (FetchError, UnreadableError) as error:
            problems.append(error.message)
            continue
        if found.timed:
            return found, tuple(problems)
        untimed = untimed or found
    return untimed, tuple(problems)


def judge(page: Page, kind: str, language: str) -> Transcript:
    """Read a transcript to find out whether it is one.

    Raises:
        UnreadableError: It is none, with what it is instead.
    """
    content = content_of(page)
    if content in ("recording", "nothing", "feed", "opml") or (content == "page" and kind != "html"):
        raise UnreadableError(f"The transcript is not there: its address gives {SENTENCES[content]}.", "")
    with failing_on_one_file():
        opened = open_file(Path(f"episode.{kind or _ending_of(page.url) or 'txt'}"), page.data)
        ending = _ending(opened.format, kind)
        if ending != opened.path.suffix[1:]:
            opened = open_file(Path(f"episode.{ending}"), page.data)
        transcript = opened.format.read(opened.source)
    words = count_words("\n".join(cue.text for cue in transcript.cues))
    if not words or (not transcript.timed and words < _FEWEST_WORDS):
        raise UnreadableError(f"The transcript holds {words} words.", "")
    return Transcript(language, ending, page.data, transcript.timed)


def _ending(known: Format, kind: str) -> str:
    endings = (*known.caption_endings, *known.other_endings)
    return kind if kind in endings else endings[0]


def _kind(link: TranscriptLink) -> str:
    return _KINDS.get(link.type) or _BY_ENDING.get(_ending_of(link.url), "")


def _rank(link: TranscriptLink) -> int:
    kind = _kind(link)
    return _RANKS.index("") if link.captions and kind in ("html", "txt") else _RANKS.index(kind)


def _ending_of(url: str) -> str:
    match = re.search(r"\.([a-z0-9]{2,6})$", urlsplit(url).path.lower())
    return match[1] if match else ""


def _first(tag: str) -> str:
    return tag.partition("-")[0].lower()
