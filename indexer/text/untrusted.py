"""Text and addresses that nobody vouches for, made fit to be shown: no control characters, no links that run code."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# C0, DEL and C1 controls, lone surrogates, and the marks that turn the direction of text around.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


_USER = re.compile(r"^([A-Za-z][\w+.-]*:)?//[^/?#]*@")
_LINKABLE = re.compile(r"(?:https?|file)://[!-~]+")

_NO_CHARACTER = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which stand for no character."""


def safe(text: str) -> str:
    """Return untrusted text fit for a terminal: line breaks and tabs become spaces, other controls vanish.

    >>> safe("a\\x1b[31mb\\nc")
    'a[31mb c'
    """
    if text.isprintable():  # as nearly all texts are: what is taken out below is not
        return text
    return _UNSAFE.sub("", re.sub(r"[\t\n\r]+", " ", text))


def as_text(given: str) -> str:
    """Return what somebody gave with U+FFFD for what is no character, as Unicode advises: a lone surrogate.

    An argument or a name of a file that is not UTF-8 has one for each of its bytes, and JSON can spell half a pair.
    Neither an encoder nor SQLite takes them.

    >>> as_text("bit\\udcffcoin"), as_text("bees 🐝")
    ('bit\ufffdcoin', 'bees 🐝')
    """
    return _NO_CHARACTER.sub("\ufffd", given)


def is_linkable(url: str) -> bool:
    """Say whether something is a plain address of the web or of a file, fit to be a link; `urlsplit` takes it then.

    >>> [is_linkable(url) for url in ("https://x.org/?t=1", "file:///a%20b", "javascript:alert(1)", "https://x/ y")]
    [True, True, False, False]
    """
    try:
        urlsplit(url)
    except ValueError:  # such as http://[
        return False
    return _LINKABLE.fullmatch(url) is not None


def safe_address(url: str) -> str:
    """Return an untrusted address fit to be printed: no user and password, no control characters, not too long.

    >>> safe_address("https://ada:secret@feeds.example/a.xml")
    'https://feeds.example/a.xml'
    """
    return safe(without_password(url))[:300]


def without_password(url: str) -> str:
    """Return an address without the user and the password in it.

    >>> without_password("https://ada:s@x@feeds.example/a"), without_password("mailto:ada@example.org")
    ('https://feeds.example/a', 'mailto:ada@example.org')
    """
    return _USER.sub(r"\1//", url)
