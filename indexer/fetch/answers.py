"""What hosts answer, held against what was asked: too much, too slowly, not there, not now. Each is a sentence."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from talksearch.indexer.text.untrusted import safe, safe_address

from .limits import FetchLimit
from .records import FetchError

if TYPE_CHECKING:
    import httpx


class BrokenOffError(FetchError):
    """A connection ended before all had come."""


def header(response: httpx.Response, name: str) -> str:
    """Return a header that is fit to be sent again; empty for any other."""
    value = str(response.headers.get(name, ""))
    return value if len(value) <= 1000 and value.isascii() and value.isprintable() else ""


def pieces(response: httpx.Response, address: str, limit: FetchLimit) -> Iterator[bytes]:
    """Yield a body, unpacked; raise FetchError where it is too large, takes too long or is packed in unknown ways."""
    packed = response.headers.get("content-encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise FetchError(
            f"{safe_address(address)} sends what was not asked for: packed as {safe(packed)}.", "Try it later."
        )
    too_large = FetchError(
        f"{safe_address(address)} gives more than {limit.bytes // 1_000_000} MB, which is more than such a file has.",
        "Look at it in a browser: it may be another file than it is called.",
    )
    stated = response.headers.get("content-length", "")
    if stated.isdecimal() and len(stated) < 20 and int(stated) > limit.bytes:
        raise too_large
    size, end = 0, time.monotonic() + limit.seconds
    for piece in response.iter_bytes():
        size += len(piece)
        if size > limit.bytes:
            raise too_large
        if time.monotonic() > end:
            raise FetchError(
                f"{safe_address(address)} sends too slowly: {size:,} bytes in {limit.seconds / 60:.0f} minutes.",
                "Try it later.",
            )
        yield piece


def refuse_status(response: httpx.Response, address: str) -> None:
    """Raise FetchError for an answer that says that there is nothing."""
    code = response.status_code
    if code in (200, 203, 206, 304):
        return
    hint = "Try it later."
    if code in (401, 402, 403, 407, 451):
        hint = "It may want a user and a password (https://user:password@…), or cookies: --cookies FILE."
    elif code in (404, 410):
        hint = "Correct the address; feeds and files move, and their page names the new one."
    raise FetchError(f"{safe_address(address)} answers {code} ({safe(response.reason_phrase) or 'no reason'}).", hint)


@contextmanager
def in_sentences(address: str) -> Iterator[None]:
    """Turn what the network may do wrong into FetchError."""
    import httpx

    host = safe(urlsplit(address).hostname or "")
    try:
        yield
    except httpx.TimeoutException:
        raise BrokenOffError(f"{host} does not answer in time.", "Try it later.") from None
    except UnicodeError:
        raise FetchError(f"{host} is no name that a host can have.", "Correct the address.") from None
    except httpx.DecodingError:
        raise FetchError(f"{safe_address(address)} sends what cannot be unpacked.", "Try it later.") from None
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        if isinstance(error.__cause__, httpx.InvalidURL) or "location" in str(error):
            raise FetchError(f"{host} leads on to what is no address of the web.", "Look at it in a browser.") from None
        raise BrokenOffError(f"{host} broke the connection off before all had come.", "Try it later.") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        causes = list(_causes(error))
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            raise FetchError(
                f"There is no host called {host}, or no network.", "Correct the address, or try it later."
            ) from None
        if (wrong := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)) is not None:
            if isinstance(wrong, ssl.SSLCertVerificationError):
                raise FetchError(
                    f"{host} cannot prove that it is {host}: {safe(wrong.verify_message)}.", "Ask its owner."
                ) from None
            raise FetchError(
                f"{host} does not speak as https does ({safe(wrong.reason or 'no reason')}).", "Try it with http://."
            ) from None
        if isinstance(error, httpx.ConnectError):
            raise FetchError(f"{host} cannot be reached: {_why(error)}.", "Try it later.") from None
        raise FetchError(f"{host} cannot be asked: {_why(error)}.", "Try it later.") from None


def _why(error: Exception) -> str:
    return safe(re.sub(r"^\[Errno -?\d+\] ", "", str(error))).rstrip(".") or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
