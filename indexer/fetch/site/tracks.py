"""Which tracks of a talk are taken: people's in the language that is spoken, else what a machine wrote of it.

Sites list tracks by language tags, each with a list of forms (`ext`, and `url` or `data`), in yt-dlp's `subtitles` for
people's and `automatic_captions` for machines'. YouTube translates the latter into 150 languages; `LANG-orig`, or an
address without `tlang=`, is what was heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talksearch.indexer.talks.language_tags import language_of, translated_from
from talksearch.indexer.text.language_codes import is_same_language, language_code
from talksearch.indexer.text.language_names import language_name

_PEOPLES_FORMS = ("vtt", "json3", "srv3", "srt", "ttml", "dfxp", "srv2", "srv1", "sbv", "ass", "ssa", "json")
"""WebVTT first: it keeps names and all that is said, and every player shows it."""
_MACHINES_FORMS = ("json3", "srv3", *(form for form in _PEOPLES_FORMS if form not in ("json3", "srv3")))
"""json3 and srv3 first: they have the times of words and repeat no line. YouTube's WebVTT of the same captions rolls,
so that each line stands in it three times and has to be put together again."""
_NOT_SAID = frozenset(("live_chat", "live-chat", "rechat", "danmaku", "comments", "chat", "storyboards", "thumbnails"))
"""Keys under which sites list what viewers wrote, or pictures."""
_PROTOCOLS = frozenset(("", "http", "https", "m3u8_native", "m3u8", "http_dash_segments"))
"""Ways to fetch that need no other program."""


@dataclass(frozen=True, slots=True)
class ChosenTrack:
    """A track that is taken, in the form that is read best."""

    tag: str
    """The language as the site calls it, `en-orig` say; `und` where it does not say."""
    form: Mapping[str, Any]
    """What yt-dlp knows of it: `ext`, and `url` or `data`."""


@dataclass(frozen=True, slots=True)
class TrackChoice:
    """The tracks that are taken of a talk, and what is to be said of them."""

    tracks: tuple[ChosenTrack, ...]
    """The one in the talk's own language first; empty where none is to be taken."""
    language: str | None
    """The language that is spoken, a BCP 47 tag, as far as anything says it."""
    note: str = ""
    """A sentence: why none is taken, or what is taken in place of people's."""


def choose_tracks(info: Mapping[str, Any], language: str = "", also: Iterable[str] = ()) -> TrackChoice:
    """Choose the tracks of a talk by what its site says of it.

    The language that is spoken is the one that the site states, else that of the only `LANG-orig`, else the one given,
    else that of the only track that is no translation.

    Args:
        info: yt-dlp's of one talk.
        language: Which language is spoken where the site does not say; a BCP 47 tag.
        also: Further languages whose tracks are taken where people wrote them.

    >>> forms = [{"ext": "vtt", "url": "https://x.org/t"}]
    >>> choose_tracks({"subtitles": {"de": forms, "en-GB": forms}, "language": "en"}).tracks[0].tag
    'en-GB'
    >>> choose_tracks({"subtitles": {"de": forms, "en": forms}}).note
    'Its captions are in English and German, and nothing says which of them is spoken. To say it: --language'
    """
    people = dict(_usable(info.get("subtitles"), _PEOPLES_FORMS))
    machine = _heard(dict(_usable(info.get("automatic_captions"), _MACHINES_FORMS)))
    spoken = _spoken(info, language, people, machine)
    if spoken is None and (people or machine):
        return TrackChoice(
            (),
            None,
            f"Its captions are in {_names([*people, *machine])}, and nothing says which of them is spoken. To say it:"
            " --language",
        )
    own = _best(people, spoken)
    further = [tag for wanted in also for tag in _best(people, language_of(wanted)) if tag not in own]
    tracks = [ChosenTrack(tag, people[tag]) for tag in (*own, *dict.fromkeys(further))]
    known = language_of(spoken)
    if own:
        return TrackChoice(tuple(tracks), known)
    heard = _best(machine, spoken)
    if heard:
        automatic = ChosenTrack(heard[0], machine[heard[0]])
        return TrackChoice(
            (automatic, *tracks), known, "Its captions are automatic; people wrote none in its language."
        )
    if spoken is None or not (people or machine):
        return TrackChoice((), spoken, "It has no captions.")
    missing = f"It has no captions in {language_name(spoken)}, which is spoken"
    if tracks:
        return TrackChoice(tuple(tracks), spoken, f"{missing}; those in {_names(further)} were taken.")
    return TrackChoice((), spoken, f"{missing}; there are some in {_names([*people, *machine])}.")


def _usable(listed: object, forms: tuple[str, ...]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield each language that has a track in a form that can be read, with its best form."""
    if not isinstance(listed, dict):
        return
    for key, entries in listed.items():
        tag = str(key or "und")
        if tag.lower() in _NOT_SAID or not isinstance(entries, list):
            continue
        known = [entry for entry in entries if isinstance(entry, dict) and _can_be_fetched(entry, forms)]
        if known:
            yield tag, min(known, key=lambda entry: forms.index(str(entry["ext"]).lower()))


def _can_be_fetched(entry: Mapping[str, Any], forms: tuple[str, ...]) -> bool:
    if str(entry.get("ext")).lower() not in forms or str(entry.get("protocol") or "") not in _PROTOCOLS:
        return False
    return isinstance(entry.get("data"), str) or str(entry.get("url")).lower().startswith(("https://", "http://"))


def _heard(automatic: dict[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the automatic captions that are no translations: those marked so, else those whose address says so."""
    originals = {tag: form for tag, form in automatic.items() if tag.lower().endswith("-orig")}
    return originals or {
        tag: form
        for tag, form in automatic.items()
        if translated_from(tag) is None and "tlang" not in parse_qs(urlsplit(str(form.get("url") or "")).query)
    }


def _spoken(info: Mapping[str, Any], given: str, people: Iterable[str], machine: Iterable[str]) -> str | None:
    """Return the language that is spoken; `und` where the only track does not say its own."""
    stated = info.get("language")
    originals = [tag for tag in machine if tag.lower().endswith("-orig")]
    for tag in (stated if isinstance(stated, str) else "", originals[0] if len(originals) == 1 else "", given):
        if known := language_of(tag):
            return known
    languages = {language_code(known): known for tag in (*people, *machine) if (known := language_of(tag) or "und")}
    return next(iter(languages.values())) if len(languages) == 1 else None


def _best(tracks: Mapping[str, Mapping[str, Any]], wanted: str | None) -> list[str]:
    """Return the tag of the track that is nearest to a language: the same, then without a region, then any region."""
    if wanted is None:
        return []
    same = [tag for tag in tracks if is_same_language(language_of(tag) or "und", wanted)]
    return sorted(same, key=lambda tag: (language_of(tag) != wanted, "-" in (language_of(tag) or ""), len(tag), tag))[
        :1
    ]


def _names(tags: Iterable[str]) -> str:
    """Return the languages of tags as they stand in a sentence: `English, French and German`."""
    names = sorted(
        {language_name(known) if (known := language_of(tag)) else "a language that is not named" for tag in tags}
    )
    shown = names if len(names) <= 5 else [*names[:4], f"{len(names) - 4} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
