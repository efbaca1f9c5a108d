"""Bringing in podcasts by their feeds: the episodes that are new, their transcripts, chapters, people and notes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from talksearch.indexer.fetch.archive import Archive
from talksearch.indexer.fetch.content import content_of
from talksearch.indexer.fetch.names import safe_name, stem_of
from talksearch.indexer.fetch.pace import RequestPace
from talksearch.indexer.fetch.records import (
    AskedTooOftenError,
    Event,
    FetchedTalk,
    FetchError,
    SkippedTalk,
    Source,
    Tell,
)
from talksearch.indexer.fetch.web import LIMITS, HttpClient, Page, open_web
from talksearch.indexer.text.untrusted import safe_address

from .episode import Episode, Podcast, read_podcast
from .episode_files import keep_chapters, recording_ending, write_chapters, write_info, write_track
from .podcast_tags import language_tag
from .state import FeedState, read_state, write_state
from .transcripts import Transcript, fetch_transcript, in_language

_NO_TRANSCRIPT = "The feed names no transcript of it."
_UNTIMED = "Its transcript has no times: seconds are estimated."
_SOUND_ALONE = "It has no transcript; its sound was fetched: talksearch transcribe makes one."
_MOST_PAGES = 200


def title_of_feed(page: Page) -> str:
    """Return what a feed calls itself, for subscribing to it.

    Raises:
        FetchError: It is no feed, or one of articles.
    """
    podcast = read_podcast(page)
    if podcast.articles:
        raise FetchError(
            f"{safe_address(page.url)} is a feed of articles: none of its {podcast.articles} has a recording.",
            "Name the feed of a podcast, or the page that plays.",
        )
    return podcast.title


def fetch_feed(
    source: Source,
    archive: Archive,
    tell: Tell,
    page: Page | None = None,
    pace: RequestPace | None = None,
    refused: set[str] | None = None,
) -> Iterator[Event]:
    """Bring in what is new in a feed, the newest first, and yield what became of each episode.

    Episodes that were left earlier and are not due again are passed over without a word, and so are those that landed.

    Args:
        source: The feed's address, with what is wanted.
        archive: The folder, held for writing.
        tell: Is told what is waited for, and what is damaged in the feed.
        page: What the address gave, where it was asked already; it is not asked again.
        pace: How much time is taken.
        refused: Hosts that said in this run that they were asked too often; those that say so now are added.

    Raises:
        FetchError: The feed cannot be had, or is none.
        AskedTooOftenError: A host wants to be left alone; what it has is left for the next run, and what other hosts
            have was brought in before.
        OSError: The disk does not take it.
    """
    if source.cookies_from_browser and not source.cookies:
        tell("Cookies of a browser are not sent to feeds; export them to a file: --cookies FILE.")
    state = read_state(archive, source) if page is None else FeedState()
    landed = 0
    again = dict.fromkeys(state.again)
    too_often: AskedTooOftenError | None = None
    with open_web(tell, source, pace, refused) as web:
        page = page or web.get(source.url, etag=state.etag, modified=state.modified)
        if page.unchanged:
            return
        for episode, podcast in _over_pages(page, state, source, archive, web):
            if episode.key in archive.done:
                continue
            if reason := source.why_unwanted(episode.title, episode.published):
                yield SkippedTalk(episode.key, episode.title, reason, expected=True)
                continue
            if _is_due(episode, archive, source):
                if source.limit is not None and landed >= source.limit:
                    if too_often:
                        raise too_often
                    return  # not written down: the older ones are wanted next time
                try:
                    event = _bring(episode, podcast, source, archive, web)
                except AskedTooOftenError as error:
                    too_often = too_often or error
                    continue
                landed += isinstance(event, FetchedTalk)
                yield event
            if _names_files(episode, source):
                again[episode.key] = None
    if too_often:
        raise too_often
    waiting = tuple(key for key in again if key not in archive.done)
    write_state(archive, source, FeedState(page.etag, page.modified, waiting, to_the_end=True))


def _over_pages(
    page: Page, before: FeedState, source: Source, archive: Archive, web: HttpClient
) -> Iterator[tuple[Episode, Podcast]]:
    """Yield the episodes of a feed, and those of its older pages (RFC 5005, `rel="next"`) once these are through.

    An older page is not asked for where it can have nothing new: all of the feed was read once, and the oldest episode
    of the page before was known; or that one is from before the day that is wanted.
    """
    asked = {page.url}
    while True:
        podcast = read_podcast(page)
        for note in podcast.notes:
            web.tell(note)
        oldest = podcast.episodes[-1] if podcast.episodes else None
        was_known = oldest is not None and (oldest.key in archive.done or oldest.key in archive.waiting)
        for episode in podcast.episodes:
            yield episode, podcast
        is_past = oldest is not None and source.is_older(oldest.published)
        older = podcast.older_page
        if not older or older in asked or len(asked) >= _MOST_PAGES or is_past or (was_known and before.to_the_end):
            return
        asked.add(older)
        page = web.get(older, named_by=podcast.url)


def _is_due(episode: Episode, archive: Archive, source: Source) -> bool:
    """Say whether to look at an episode: also one that had no transcript and has one now, which costs no request, and
    one that was left when something else was wanted.
    """
    left = archive.waiting.get(episode.key)
    came = left is not None and left.reason.startswith(_NO_TRANSCRIPT) and bool(episode.transcripts)
    return came or archive.is_due(episode.key, source.wishes)


def _names_files(episode: Episode, source: Source) -> bool:
    """Say whether there is something to ask for again though the feed stays as it is."""
    return bool(episode.transcripts) or (source.recordings != "none" and bool(episode.media))


def _bring(episode: Episode, podcast: Podcast, source: Source, archive: Archive, web: HttpClient) -> Event:
    """Fetch what is wanted of an episode, and land it; or leave it, and write down why.

    Raises:
        AskedTooOftenError: A host wants to be left alone; nothing is written down.
        OSError: The disk does not take it.
    """
    if source.since and not episode.published:
        return _leave(episode, source, archive, f"It has no day, so it may be from before {source.since.isoformat()}.")
    spoken = episode.language or language_tag(source.language) or podcast.language
    tracks, notes, why_none = _fetch_tracks(episode, podcast, source, spoken, web)
    with archive.staging() as staged:
        stem = stem_of(episode.title, episode.published, episode.mark)
        files = [write_track(staged, stem, track) for track in tracks]
        if source.recordings == "all" or (source.recordings == "missing" and not tracks):
            sound, problem = _fetch_sound(episode, podcast, staged / stem, web)
            files += [sound] if sound else []
            notes += [problem] if problem else []
            if sound and not tracks:
                notes.append(_SOUND_ALONE)
        if not files:
            return _leave(episode, source, archive, " ".join([why_none, *notes]))
        write_info(staged, stem, episode, podcast, spoken)
        notes += _bring_chapters(episode, podcast, staged, stem, web)
        lying = archive.land(episode.key, staged, safe_name(podcast.title, "podcast"))
    order = [file.name for file in files]  # the track in the language that is spoken stands first
    return FetchedTalk(
        episode.key,
        episode.title,
        tuple(sorted(lying, key=lambda file: order.index(file.name) if file.name in order else len(order))),
        " ".join(notes),
    )


def _leave(episode: Episode, source: Source, archive: Archive, reason: str) -> SkippedTalk:
    archive.leave(episode.key, reason, episode.title, episode.published, wishes=source.wishes)
    return SkippedTalk(episode.key, episode.title, reason)


def _fetch_tracks(
    episode: Episode, podcast: Podcast, source: Source, spoken: str, web: HttpClient
) -> tuple[list[Transcript], list[str], str]:
    """Fetch the transcript in the language that is spoken, and one in each further language that is wanted.

    Returns them, what is worth knowing of them, and why there is none where there is none.
    """
    links, others = in_language(episode.transcripts, spoken, spoken)
    track, problems = fetch_transcript(web, links, spoken, podcast.url)
    found, notes = ([track] if track else []), []
    why_none = " ".join(problems) or _NO_TRANSCRIPT
    if not links and others:
        named = ", ".join(sorted(others))
        why_none = f"It has transcripts in {named} and none in {spoken}, which is spoken: take them with --also."
    if track and not track.timed:
        notes.append(_UNTIMED)
    for language in filter(None, map(language_tag, source.also)):
        further, _ = in_language(episode.transcripts, language, spoken)
        further = tuple(link for link in further if link not in links)
        other, problems = fetch_transcript(web, further, language, podcast.url)
        if other and other.language not in {one.language for one in found}:
            found.append(other)
        elif problems:
            notes.append(f"In {language}: {' '.join(problems)}")
    if found and not track:
        notes.append(why_none)
    return found, notes, why_none


def _fetch_sound(episode: Episode, podcast: Podcast, path: Path, web: HttpClient) -> tuple[Path | None, str]:
    """Fetch the recording of an episode, and return where it is, or why it is not."""
    problem = "It has no recording that can be fetched."
    for media in episode.media:
        part = path.with_name(f"{path.name}.part")
        try:
            page = web.download(media.url, part, named_by=podcast.url)
        except AskedTooOftenError:
            raise
        except FetchError as error:
            problem = error.message
            part.unlink(missing_ok=True)
            continue
        with part.open("rb") as file:
            beginning = file.read(4000)
        content = content_of(Page(page.url, beginning, page.content_type))
        if content in ("page", "json", "nothing", "feed"):
            problem = f"{safe_address(media.url)} gives no recording."
            part.unlink()
            continue
        return part.rename(path.with_name(f"{path.name}.{recording_ending(page.url, page.content_type)}")), ""
    return None, problem


def _bring_chapters(episode: Episode, podcast: Podcast, staged: Path, stem: str, web: HttpClient) -> list[str]:
    """Put chapters beside a transcript: those of their own file, else those in the feed. Returns what went wrong, which
    is no reason to leave the episode.
    """
    problem = ""
    if episode.chapters_url:
        try:
            page = web.get(episode.chapters_url, LIMITS.chapters, named_by=podcast.url)
            if keep_chapters(staged, stem, page.data):
                return []
            problem = "Its file of chapters has none that can be read."
        except AskedTooOftenError:
            raise
        except FetchError as error:
            problem = f"Its chapters are missing: {error.message}"
    if episode.chapters:
        write_chapters(staged, stem, episode.chapters)
        return []
    return [problem] if problem else []
