"""Which language a tag or a name means: codes of ISO 639, BCP 47, and names in English and in the language itself.

The tables are those of `langcodes`: the subtag registry of IANA, and the names of languages in Unicode's CLDR.
"""

from __future__ import annotations

import re
from functools import lru_cache

import langcodes

_YOUTUBES_TEXT = """
abk ase bho ceb chr crs fil gaa haw hmn kha khk kri lua luo mfe mni nso nds pam pcm sco sgn sit tlh tum und vro war yue
cmn nan
"""
_WITHOUT_TWO_LETTERS = frozenset(_YOUTUBES_TEXT.split())
"""Languages that YouTube offers and ISO 639-1 lacks. Of the 8,000 codes of three letters many are words of titles."""
_WORDS_TEXT = """
am an as be co he hi ho id ii in io is it la lo me mr my na no or os pa pi si so st ta to uk
aka arm ave ben cat cos dan est fin hat her ice ido iii kin lat lit mac mar may nor pan per ron run sag san sin son sun
tam tat ton tur vol war win
"""
_WORDS = frozenset(_WORDS_TEXT.split())
"""Codes that are words of titles too: in English among the 100,000 words of a billion at least ten (`wordfreq`: a Zipf
frequency of 4, of codes with two letters 5), and some that are words of other languages."""
_MACHINES_TEXT = "en de fr es pt ru ja zh ko it ar hi id tr vi nl pl sv uk"
_MACHINES = frozenset(_MACHINES_TEXT.split())
"""Languages that machines translate from, in tags such as `fr-en`. A second part that is none of them is a region."""
_SCRIPTS = frozenset(("Hans", "Hant", "Latn", "Cyrl", "Arab", "Deva"))
"""Writing systems that tags name in letters of any size: `zh-hans`, `ZH-HANT`."""
_NAMING = ("en", "de", "fr", "es", "it", "pt", "ru", "ja", "zh", "ko")
"""Languages whose names for languages are known, beside the name that a language has for itself."""
_OF_DUBBERS = {"castellano": "es-ES", "latino": "es-419"}
"""How Spanish tracks are called, of Spain and of America."""
_NO_LANGUAGE = frozenset(("und", "mul", "mis", "zxx"))
"""Codes of ISO 639 for what is undetermined, several languages, uncoded, and no language at all."""
_SCRIPT_OR_REGION = re.compile(r"[A-Z][a-z]{3}|[A-Z]{2}|\d{3}")
_NO_PARTS = frozenset(("orig", "x"))
"""What ends the parts of a tag that say a language."""
_CHINESE_TONGUES = frozenset(("cmn", "yue", "nan"))
"""What stands behind `zh` in tags of before 2009 and says which Chinese is spoken; nothing was translated from it."""
_TAG = re.compile(
    r"(?P<language>[A-Za-z]{2,3})"
    r"(?P<rest>(?:[-_](?:[A-Z][a-z]{3}|[A-Z]{2}|\d{3}|orig|x-[a-z]{2,8}|[a-z]{4}|[a-z]{2,3}))*)"
    r"(?:-[A-Za-z0-9_-]{11})?"
)


def is_code(code: str) -> bool:
    """Say whether a text is a code that names of files carry: of two letters, or of three for such a language.

    >>> [is_code(code) for code in ("en", "eng", "ger", "fil", "DE", "one", "xx", "En")]
    [True, True, True, True, True, False, False, False]
    """
    if not (code.islower() or code.isupper()) or not code.isascii() or not code.isalpha():
        return False
    return _known(code.lower())


def is_word(code: str) -> bool:
    """Say whether a code of a language may as well be a word of a title: `it`, `no`, `may`."""
    return code.lower() in _WORDS


def is_language(tag: str) -> bool:
    """Say whether a text is a language tag as caption files carry it: `en`, `eng`, `en-orig`, `en-j3PyPqV-e1s`.

    >>> [is_language(t) for t in ("en", "es-419", "zh-Hans-en", "zh_Hant", "one", "part", "EN", "v2")]
    [True, True, True, True, False, False, True, False]
    """
    match = _TAG.fullmatch(tag)
    return match is not None and is_code(match["language"])


def has_region(tag: str) -> bool:
    """Say whether a tag says more than a language, so that it can be no word: `pt-BR`, `zh_Hant`, `en-orig`.

    >>> [has_region(tag) for tag in ("pt-BR", "zh_Hant", "en", "fr-en")]
    [True, True, False, False]
    """
    return bool(re.search(r"[-_](?:[A-Z][a-z]{3}|[A-Z]{2}|\d{3}|orig|x-[a-z]+)(?:$|[-_])", tag))


def has_shortest_code(tag: str) -> bool:
    """Say whether a tag begins with the shortest code of its language: `en` and `fil`, not `eng`."""
    code = re.split("[-_]", tag)[0].lower()
    return len(code) == 2 or code in _WITHOUT_TWO_LETTERS


def language_of(tag: str | None) -> str | None:
    """Return the BCP 47 tag in a file's language tag.

    >>> language_of("en-orig"), language_of("zh_Hans"), language_of("iw"), language_of("ger"), language_of(None)
    ('en', 'zh-Hans', 'he', 'de', None)
    >>> language_of("pt-br"), language_of("en-us"), language_of("fr-en"), language_of("en-zh-Hans")
    ('pt-BR', 'en-US', 'fr', 'en')

    Recognition services spell it out, or say that they do not know:

    >>> language_of("zh-hans"), language_of("SR-LATN-RS")
    ('zh-Hans', 'sr-Latn-RS')
    >>> language_of("german"), language_of("Chinese"), language_of("auto"), language_of("und")
    ('de', 'zh', None, None)
    """
    if not tag:
        return None
    (first, *rest), _ = _parts(tag.replace("_", "-"))
    if len(first) > 3 or not first.isascii():
        return language_named(tag.replace("_", " ").strip())
    if first.lower() in _NO_LANGUAGE:
        return None
    language, *implied = _standard(first.lower()).split("-")
    kept: list[str] = []
    for part in rest[:2]:
        if _SCRIPT_OR_REGION.fullmatch(part):
            kept.append(part)
        elif part.title() in _SCRIPTS:
            kept.append(part.title())
        elif (region := _region(first, part)) is not None:
            kept.append(region)
    return "-".join([language, *(kept or implied)])


def translated_from(tag: str) -> str | None:
    """Return the language that a track was translated from, as its tag says: `fr-en` was, `en-us` and `pt-BR` were not.

    >>> translated_from("fr-en"), translated_from("en-us"), translated_from("pt-BR"), translated_from("de")
    ('en', None, None, None)
    >>> [translated_from(tag) for tag in ("zh-Hans-en", "en-zh-Hans", "es-419-en", "de-pt-BR", "fr-en-j3PyPqV-e1s")]
    ['en', 'zh', 'en', 'pt', 'en']
    """
    _, source = _parts(tag)
    return source[0] if source else None


def _parts(tag: str) -> tuple[list[str], list[str]]:
    """Split a tag into what it says of the track's language, and of the one that a machine translated from.

    The first always has a part, if an empty one; the second has none where nothing was translated. Either language may
    have a script and a region. Where small letters mean a region or a language, what follows them tells: nothing stands
    behind a region.

    >>> _parts("en-zh-Hans"), _parts("pt-br"), _parts("en-ca-ES"), _parts("zh-yue")
    ((['en'], ['zh', 'Hans']), (['pt', 'br'], []), (['en'], ['ca', 'ES']), (['zh', 'yue'], []))
    """
    match = _TAG.fullmatch(tag)
    parts = (match["language"] + match["rest"] if match else tag).split("-")
    for at, part in enumerate(parts[1:], start=1):
        if part in _NO_PARTS:
            break
        if not re.fullmatch("[a-z]{2,3}", part) or not _known(part) or (at == 1 and part in _CHINESE_TONGUES):
            continue
        is_followed = at + 1 < len(parts) and _SCRIPT_OR_REGION.fullmatch(parts[at + 1]) is not None
        if is_followed or _region(parts[0], part) is None:
            return parts[:at], parts[at:]
    return parts, []


@lru_cache(maxsize=4096)
def language_named(name: str) -> str | None:
    """Return the BCP 47 tag of a language by its name, in English or in the language itself; None for other words.

    Only languages that have a code of `is_code` are found so: there are languages called Even, Fox and Day. Names in a
    few other large languages are known as well. In smaller ones languages are called as countries or other things are
    here: India, Java, Male.

    >>> [language_named(name) for name in ("German", "deutsch", "Français", "日本語", "Brazilian Portuguese", "Bridge")]
    ['de', 'de', 'fr', 'ja', 'pt-BR', None]
    >>> [language_named(name) for name in ("Alemán", "Second", "Person", "India", "JavaScript", "Latinoamérica")]
    ['de', None, None, None, None, None]
    """
    if len(name) < 2 or (name.isascii() and len(name) < 4) or re.search(r"[\d()\[\]{}]", name):
        return None
    if name.lower() in _OF_DUBBERS:
        return _OF_DUBBERS[name.lower()]
    code = _exactly_named("language", name, "und")
    own = () if code is None else (code.partition("-")[0],)
    if code is None or not any(_exactly_named("language", name, spoken) for spoken in (*_NAMING, *own)):
        return None
    found = langcodes.find(name)
    return str(found) if found.language and _known(found.language) else None


def region_named(name: str, language: str = "en") -> str | None:
    """Return the code of a region or a script by its name in English or in the language it is said of.

    >>> region_named("United States"), region_named("Simplified"), region_named("Brasil", "pt")
    ('US', 'Hans', 'BR')
    """
    spoken = language.partition("-")[0]
    tries = ((what, tongue) for tongue in dict.fromkeys(("en", spoken)) for what in ("territory", "script"))
    return next((code for what, tongue in tries if (code := _exactly_named(what, name, tongue))), None)


def _exactly_named(what: str, name: str, language: str) -> str | None:
    """Return the code of a language, region or script by its name in a language; `und` stands for all of them.

    `name_to_code` takes what begins like a name for it: "Second" would be Czech, as "seco" is in some language.
    """
    from language_data import names  # 25 MB of tables, which few names of files need

    if not name.isprintable():  # a NUL among them ends in the tables' SystemError
        return None
    try:
        code = names.name_to_code(what, name, language)
    except (OSError, UnicodeEncodeError):  # nobody says how languages are called in it; the name is not UTF-8
        return None
    return str(code) if code and names.normalize_name(name) in names.TRIES[f"{language}/name_to_{what}"] else None


@lru_cache(maxsize=4096)
def _known(code: str) -> bool:
    if len(code) == 2:
        return bool(langcodes.tag_is_valid(code))
    return code in _WITHOUT_TWO_LETTERS or (len(code) == 3 and len(_standard(code).split("-")[0]) == 2)


@lru_cache(maxsize=4096)
def _standard(code: str) -> str:
    """Return the shortest code of a language that is in use: `de` for `deu` and `ger`, `he` for `iw`."""
    return langcodes.standardize_tag(code) if langcodes.tag_is_valid(code) else code


def _region(language: str, part: str) -> str | None:
    """Return the region that a second part in small letters means, as in `en-us`; None where it names a language."""
    if not re.fullmatch("[a-z]{2}", part) or (part in _MACHINES and part != language):
        return None
    return part.upper() if langcodes.tag_is_valid(f"und-{part.upper()}") else None
