"""The file of cookies that a user named, in Netscape's format, as extensions of browsers and other programs write it.

No sentence about such a file shows a line of it: that would be a secret on a terminal, in a log or in a mail of cron's.
"""

from __future__ import annotations

import re
from http.cookiejar import Cookie, CookieJar
from pathlib import Path

from talksearch.indexer.text.untrusted import safe

from .records import FetchError

_LARGEST = 5_000_000
_HTTP_ONLY = "#HttpOnly_"
"""Before a row whose cookie is hidden from scripts; to other programs it is a remark."""
_ROW = re.compile(r"(?:[^\t]*\t){4}(?:\d+(?:\.\d+)?)?\t[^\t]*\t[^\t]*")
"""Domain, whether its parts count, path, whether it is for https alone, when it ends, name, value."""


def read_cookies(file: str) -> str:
    """Return the text of a file of cookies.

    Raises:
        FetchError: It cannot be read, or is no such file.
    """
    hint = "Name a file in Netscape's format (cookies.txt), as browser extensions write it."
    try:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(_LARGEST + 1)
    except OSError as error:
        raise FetchError(f"The file of cookies {safe(file)} cannot be read: {error.strerror or error}.", hint) from None
    except UnicodeDecodeError:
        raise FetchError(f"The file of cookies {safe(file)} is not text.", hint) from None
    if len(text) > _LARGEST:
        raise FetchError(f"The file of cookies {safe(file)} is larger than {_LARGEST // 1_000_000} MB.", hint)
    for number, line in enumerate(text.splitlines(), start=1):
        row = line.removeprefix(_HTTP_ONLY)
        if row.strip() and not row.startswith("#") and not _ROW.fullmatch(row):
            raise FetchError(f"The file of cookies {safe(file)} is damaged at line {number}.", hint)
    return text


def add_cookies(jar: CookieJar, text: str) -> None:
    """Put the cookies in a text of `read_cookies` into a jar.

    `MozillaCookieJar` reads such files as well, and prints a row where it does not like what others write.
    """
    for line in text.splitlines():
        row = line.removeprefix(_HTTP_ONLY)
        if not row.strip() or row.startswith("#"):
            continue
        domain, _, path, secure, ends, name, value = row.split("\t")
        # An end of 0, or none, stands for cookies of a session, which count as long as it lasts.
        expires = int(float(ends or 0)) or None
        is_dotted = domain.startswith(".")
        jar.set_cookie(
            Cookie(
                0, name, value, None, False, domain, is_dotted, is_dotted, path, True, secure == "TRUE",
                expires, expires is None, None, None, {},
            )
        )  # fmt: skip
