"""Which language is spoken in a talk with tracks in several, as far as their names and the other talks tell.

Pure: it knows of each file what was found out when it was looked at, and reads none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from talksearch.indexer.talks.identify import Identity
from talksearch.indexer.talks.language_tags import language_of, translated_from
from talksearch.indexer.talks.naming import humanised
from talksearch.indexer.text.language_codes import language_code
from talksearch.indexer.text.languages import shares_of_languages

EVERYWHERE = "*"
"""Stands for the folders of all talks."""
_MOST = 0.5
"""The share of talks that a language must have more of to be the usual one."""
_SURE_TITLE = 0.95
"""How likely a title's language must be among those of the tracks to say more than what the talks beside it are in."""
_LIKELY_TITLE = 0.7
"""How likely it must be to say anything: a word or two may stand in a title of another language."""


def primary_language(tag: str | None) -> str | None:
    """Return the language of a tag without region and script."""
    language = language_of(tag)
    return language_code(language) if language else None


def stated_language(files: Sequence[Identity]) -> str | None:
    """Tell from the tracks of a talk which language is spoken; None where they do not say.

    A sidecar or `-orig` says so. Else `fr-en` is a translation from English where an English track, or another
    translation from English, lies beside it (alone, `pt-br` is not Breton). Else it is the language of the tracks that
    show a machine's hand: YouTube's translations have lost it.
    """
    tagged = [(file, tag, primary_language(tag)) for file in files if (tag := file.language_tag)]
    of_originals = [language for file, _, language in tagged if file.original]
    if of_originals:
        return of_originals[0]
    sources = Counter(source for _, tag, _ in tagged if (source := translated_from(tag)))
    untranslated = {language for _, tag, language in tagged if not translated_from(tag)}
    for language, count in sources.most_common():
        if language in untranslated or count > 1:
            return language
    recognized = {language for file, _, language in tagged if file.origin == "automatic"}
    return recognized.pop() if len(recognized) == 1 else None


def is_open(files: Sequence[Identity]) -> bool:
    """Say whether a talk has tracks in several languages, and no file says which of them is spoken."""
    if any(file.language_tag is None and not file.forced for file in files):
        return False  # what has no tag is in no language of its own
    return len(_languages(files)) > 1 and stated_language(files) is None


def likely_language(files: Sequence[Identity], usual: Mapping[str, str]) -> str | None:
    """Return which of the languages of a talk is likely spoken, where no file says so; None where nothing tells.

    Args:
        files: the tracks of the talk. Their common name is its title, or begins as it does.
        usual: the languages of the talks beside it (`usual_languages`).
    """
    languages = _languages(files)
    shares = shares_of_languages(humanised(PurePosixPath(files[0].base).name), languages)
    titled = max(shares, key=lambda language: shares[language], default=None)
    if titled and shares[titled] >= _SURE_TITLE:
        return titled
    around = usual.get(_folder(files)) or usual.get(EVERYWHERE)
    if around in languages:
        return around
    return titled if titled and shares[titled] >= _LIKELY_TITLE else None


def usual_languages(talks: Iterable[Sequence[Identity]]) -> dict[str, str]:
    """Return the language that most talks of a folder are in, of those that say one, by folder, and that of all talks.

    Args:
        talks: the files of each.
    """
    counts: dict[str, Counter[str]] = {}
    for files in talks:
        languages = _languages(files)
        if language := stated_language(files) or (languages[0] if len(languages) == 1 else None):
            for place in (_folder(files), EVERYWHERE):
                counts.setdefault(place, Counter())[language] += 1
    most = {place: count.most_common(1)[0] for place, count in counts.items()}
    return {place: language for place, (language, count) in most.items() if count > _MOST * counts[place].total()}


def _folder(files: Sequence[Identity]) -> str:
    return files[0].base.rpartition("/")[0]


def _languages(files: Iterable[Identity]) -> list[str]:
    """Return the languages that the tracks of a talk say, sorted."""
    return sorted({language for file in files if (language := primary_language(file.language_tag))})
