"""What languages are called, in English."""

from __future__ import annotations

from functools import lru_cache

from .untrusted import safe

_COMMON = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bangla", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "en-GB": "English (United Kingdom)", "en-US": "English (United States)",
    "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "pt-BR": "Portuguese (Brazil)", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese", "zh-Hans": "Chinese (Simplified)",
    "zh-Hant": "Chinese (Traditional)",
}  # fmt: skip
"""The names that `langcodes` gives to the tags that most talks have: asking it takes a tenth of a second at first, and
the first page of a server waits for that."""


@lru_cache(1024)  # tags come from requests, too
def language_name(tag: str) -> str:
    """Return what a language is called in English; its tag where it is not known.

    >>> language_name("de"), language_name("de-CH"), language_name("xq")
    ('German', 'German (Switzerland)', 'xq')
    """
    if tag in _COMMON:
        return _COMMON[tag]
    import langcodes

    try:
        language = langcodes.Language.get(tag)
    except ValueError:
        return safe(tag)
    return str(language.display_name()) if language.is_valid() else safe(tag)
