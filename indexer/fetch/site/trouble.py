"""What went wrong while a site was asked, in one sentence; and whose fault it is: the talk's, the site's or the disk's.

yt-dlp wraps errors in errors, writes addresses, options of its own and requests for bug reports into their messages,
and has no classes for what happens most: a video that is private, for members, gone. For those its messages are read.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from yt_dlp.networking.exceptions import CertificateVerifyError, HTTPError, ProxyError, RequestError, TransportError
from yt_dlp.utils import ExtractorError, GeoRestrictedError, UnsupportedError, UserNotLive, YoutubeDLError

from talksearch.indexer.fetch.archive import OF_THE_DISK
from talksearch.indexer.fetch.records import AskedTooOftenError, FetchError
from talksearch.indexer.text.untrusted import safe, safe_address

_LONGEST = 200
"""Characters of a message that is shown as it is."""
_KNOWN = (
    (r"members?[- ]only|join this channel|available to .*members|subscribers? only|patrons", "It is for members only."),
    (r"private", "It is private."),
    (r"confirm your age|age[- ]restricted|inappropriate for some", "It is shown only to adults who have signed in."),
    (r"available (?:in|from) your (?:country|location)|geo.?restrict", "It is not shown in this country."),
    (r"premieres? in|will begin|has not (?:yet )?(?:started|begun)|scheduled", "It has not begun yet."),
    (r"(?:been|was) (?:removed|terminated|deleted|closed)|no longer available|does not exist|video unavailable",
     "It is no longer there."),
    (r"did not get any data", "It is empty."),
    (r"drm", "It is locked (DRM)."),
    (r"ffmpeg", "It is encrypted or packed so that yt-dlp alone cannot open it."),
    (r"requires? payment|rent|purchase|premium", "It is for those who pay."),
    (r"log ?in|sign ?in|registered users|authenticat|account", "It is shown only to those who have signed in."),
)  # fmt: skip
"""What messages of extractors hold, in this order, and what that means."""
_FOR_SOME = ("is private.", "for members only.", "have signed in.", "for those who pay.")
"""How sentences end that say that a talk is shown to some."""
_TOO_OFTEN = re.compile(r"not a bot|rate[- ]?limit|too many requests", re.IGNORECASE)
_AROUND = re.compile(
    r"^(?:\s*ERROR:\s*)?(?:\[[\w:+.-]+\]\s*)?(?:[^\s:]{1,64}:\s+)?|;? *please report this issue.*$|\(caused by .*$"
    r"|\x1b\[[0-9;]*m|(?:You might want|Use --|See +http|Set --|Try using|To work ?around|Confirm you are on).*$",
    re.IGNORECASE | re.DOTALL,
)
"""What yt-dlp writes around a message: its extractor and id, options of its command line, where to report it."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it, the nearest first; nothing that lies below an error of the network."""
    waiting, seen = [error], set[int]()
    while waiting:
        now = waiting.pop(0)
        if id(now) in seen:
            continue
        seen.add(id(now))
        yield now
        if isinstance(now, RequestError):
            continue
        held = getattr(now, "exc_info", None)
        inner = (getattr(now, "cause", None), held[1] if held else None, now.__cause__, now.__context__)
        waiting += [one for one in inner if isinstance(one, BaseException)]


def raise_if_not_the_talks(error: Exception) -> None:
    """Raise what led to an error where that is not the talk's: a disk that is full, a site that was asked too often.

    Raises:
        OSError: The disk.
        AskedTooOftenError: The site says so, whatever yt-dlp made of it.
    """
    network = _of_network(error)
    for cause in causes(error):
        if isinstance(cause, AskedTooOftenError):
            raise cause
        if isinstance(cause, OSError) and cause.errno in OF_THE_DISK and network is None:
            raise cause
    raise_if_too_often(str(error))


def raise_if_too_often(message: str) -> None:
    """Raise AskedTooOftenError where a message says so that came with an answer that looks as any other."""
    if _TOO_OFTEN.search(message):
        raise AskedTooOftenError(
            "The site takes these requests for a robot's, or says that they are too many.",
            "Wait some hours, and run it again: it goes on where it stopped.",
        )


@contextmanager
def told_of(what: str) -> Iterator[None]:
    """Turn whatever yt-dlp raises into a FetchError, a sentence that begins with what was asked for.

    What `raise_if_not_the_talks` raises passes through.
    """
    try:
        yield
    except FetchError:
        raise
    except Exception as error:
        raise_if_not_the_talks(error)
        reason = sentence_of(error, safe_address(what))
        hint = "Open it in a browser to see whether it is there."
        if is_of_site(error):
            hint = "Try it later."
        elif reason.endswith(_FOR_SOME):
            hint = "Where your account may see it, cookies may help: --cookies FILE"
        raise FetchError(reason, hint) from error


def is_of_site(error: Exception) -> bool:
    """Say whether an error is the network's or the whole site's, so that the next talk would meet it as well."""
    network = _of_network(error)
    return isinstance(network, TransportError) or (isinstance(network, HTTPError) and network.status >= 500)


def sentence_of(error: Exception, what: str = "It") -> str:
    """Say what went wrong in one sentence, fit for a terminal.

    Args:
        error: What was raised.
        what: What the sentence is of: its first words.
    """
    for cause in causes(error):
        if isinstance(cause, FetchError):
            return cause.message
        if isinstance(cause, GeoRestrictedError):
            return f"{what} is not shown in this country."
        if isinstance(cause, UserNotLive):
            return f"{what} is not live now, and has nothing else."
        if isinstance(cause, UnsupportedError):
            return f"{what} holds no recording that yt-dlp knows how to find."
    network = _of_network(error)
    if network is not None:
        return f"{what} {_network_sentence(network)}"
    return _by_message(error, what)


def _of_network(error: Exception) -> RequestError | None:
    return next((cause for cause in causes(error) if isinstance(cause, RequestError)), None)


def _network_sentence(error: RequestError) -> str:
    if isinstance(error, HTTPError):
        if error.redirect_loop:
            return "leads around in a circle."
        known = {401: "asks for a password (401).", 403: "is refused by its site (403).", 404: "is not there (404)."}
        kept = (
            "is no longer there (410)." if error.status == 410 else f"cannot be had: its site answers {error.status}."
        )
        return known.get(error.status, kept)
    if isinstance(error, CertificateVerifyError):
        return "cannot be had: the certificate of its site is not valid."
    if isinstance(error, ProxyError):
        return "cannot be had: the proxy refuses."
    below = list(_below(error))
    if any(isinstance(one, http.client.IncompleteRead) for one in below):
        return "broke off in the middle."
    if any(isinstance(one, socket.gaierror) for one in below):
        return "cannot be had: its host is not known, or there is no network."
    if any(isinstance(one, TimeoutError) or "timed out" in str(one) for one in below):
        return "cannot be had: its site does not answer in time."
    if any(isinstance(one, ConnectionRefusedError) for one in below):
        return "cannot be had: its site refuses the connection."
    if any(isinstance(one, ssl.SSLError) for one in below):
        return "cannot be had: its site cannot be talked to over TLS."
    return f"cannot be had: {_cleaned(str(error)) or 'the connection failed'}."


def _below(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        now = waiting.pop()
        if id(now) in seen:
            continue
        seen.add(id(now))
        yield now
        inner = (getattr(now, "cause", None), now.__cause__, now.__context__, *now.args)
        waiting += [one for one in inner if isinstance(one, BaseException)]


def meaning_of(message: str) -> str:
    """Return the sentence for what a message of yt-dlp means; empty where it means nothing that is known.

    >>> meaning_of("[youtube] x: Private video. Sign in if you've been granted access")
    'It is private.'
    """
    known = (sentence for pattern, sentence in _KNOWN if re.search(pattern, message, re.IGNORECASE))
    return next(known, "")


def _by_message(error: Exception, what: str) -> str:
    of_extractor = next((cause for cause in causes(error) if isinstance(cause, ExtractorError)), None)
    bug = next((cause for cause in causes(error) if not isinstance(cause, YoutubeDLError)), None)
    if bug is not None and (of_extractor is None or not of_extractor.expected):
        return f"yt-dlp failed on it ({type(bug).__name__}: {_cleaned(str(bug))})."
    message = str(of_extractor.orig_msg if of_extractor else error)
    if known := meaning_of(message):
        return known.replace("It", what, 1)
    cleaned = _cleaned(message)
    return f"{what} cannot be had: {cleaned}." if cleaned else f"{what} cannot be had."


def _cleaned(message: str) -> str:
    text = safe(_AROUND.sub("", message).strip().partition("\n")[0]).strip(" .;:,")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
