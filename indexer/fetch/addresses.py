"""Addresses as they are kept, and when two of them mean the same channel, playlist, feed or folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from urllib.request import url2pathname

from talksearch.indexer.errors import UsageError
from talksearch.indexer.text.untrusted import safe_address

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!\d)")
"""A scheme, of two letters at least: one letter is a drive of Windows, and a number behind the colon is a port."""
_OF_PODCASTS = frozenset(("feed", "pcast", "itpc", "podcast"))
"""Schemes that only say that an address is a feed."""
_YOUTUBE = frozenset(("youtube.com", "youtube-nocookie.com"))
_SAYS_WHO_SHARED = re.compile(r"utm_\w+|si|feature|fbclid|gclid|ab_channel|app|pp")
"""Parameters that say where an address was copied, and nothing of what it leads to."""


def as_address(text: str, base: Path) -> str:
    """Return an address as it is kept: with a scheme, or the absolute path of what lies on this machine.

    A feed of a channel or a playlist that YouTube gives to feed readers has no captions, so it becomes the address of
    the channel or the playlist.

    Args:
        text: What somebody wrote.
        base: The folder that a relative path begins at.

    Raises:
        UsageError: It is neither an address of the web nor a path.

    >>> as_address("feed://pod.example/rss", Path("/")), as_address("youtube.com/@harbour", Path("/"))
    ('https://pod.example/rss', 'https://youtube.com/@harbour')
    >>> as_address("https://www.youtube.com/feeds/videos.xml?channel_id=UCabc", Path("/"))
    'https://www.youtube.com/channel/UCabc'
    >>> as_address("file:///talks/a%20b/", Path("/"))
    '/talks/a b'
    """
    text = text.strip()
    scheme = _SCHEME.match(text)
    if text.lower().startswith(("file:///", "file://localhost/")):
        return os.path.normpath(url2pathname(urlsplit(text).path))
    if scheme is None:
        if _is_path(text, base):
            return os.path.normpath(base / Path(text).expanduser())
        text = f"https://{text}"
    elif scheme[0][:-1].lower() in _OF_PODCASTS:
        # `feed:https://…` and `feed://…` are both in use.
        rest = text[scheme.end() :]
        text = rest if _SCHEME.match(rest) else f"https://{rest.lstrip('/')}"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as http://[, and ports that are no numbers
        usable = False
    if not usable:
        raise UsageError(
            f"{safe_address(text)} is no address of the web, and no path.", "Addresses begin with https:// or http://."
        )
    return _channel_of_feed(text)


def web_address(url: str, base: str) -> str:
    """Return an address of the web that a feed or a page names, whole; empty where it is none.

    >>> web_address("../a b.vtt", "https://pod.example/feeds/x.xml"), web_address("javascript:alert(1)", "https://a/")
    ('https://pod.example/a%20b.vtt', '')
    """
    try:
        whole = urljoin(base, "".join(url.split("\n")).strip().replace(" ", "%20"))
        parts = urlsplit(whole)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return whole if is_web and len(whole) <= 2000 and whole.isprintable() else ""


def key_of(address: str) -> str:
    """Return what is the same of two addresses that mean the same; only for comparing.

    >>> key_of("http://YouTube.com/@harbour/?si=x") == key_of("https://www.youtube.com/@harbour/featured")
    True
    >>> key_of("https://pod.example/rss?show=1") == key_of("https://pod.example/rss?show=2")
    False
    """
    if _SCHEME.match(address) is None:
        return os.path.realpath(address)
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    host = host_of(address)
    if host in _YOUTUBE:
        path = path.removesuffix("/featured")
        if path.startswith("/@"):
            path = path.lower()  # names of channels are the same in letters of any size; ids are not
    query = [(name, value) for name, value in parse_qsl(parts.query, True) if not _SAYS_WHO_SHARED.fullmatch(name)]
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    return urlunsplit(("", f"{host}{port}", path, urlencode(sorted(query)), ""))


def host_of(address: str) -> str:
    """Return the host that an address asks, the same for its subdomains of telephones and the like; empty for a path.

    >>> host_of("https://m.YouTube.com/@harbour"), host_of("https://youtu.be/abc"), host_of("/home/me/talks")
    ('youtube.com', 'youtube.com', '')
    """
    if _SCHEME.match(address) is None:
        return ""
    host = (urlsplit(address).hostname or "").lower()
    host = re.sub(r"^(?:www|m|mobile|music)\.", "", host)
    return "youtube.com" if host == "youtu.be" else host


def _is_path(text: str, base: Path) -> bool:
    return text.startswith(("/", "~", "./", "../", "\\")) or text in (".", "..") or _exists(base / text)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no system takes
        return False


def _channel_of_feed(url: str) -> str:
    """Return the channel or the playlist whose feed an address of YouTube is; any other address as it is."""
    parts = urlsplit(url)
    if host_of(url) not in _YOUTUBE or parts.path != "/feeds/videos.xml":
        return url
    asked = parse_qs(parts.query)
    for name, address in (("channel_id", "channel/"), ("playlist_id", "playlist?list="), ("user", "user/")):
        if name in asked:
            return f"https://www.youtube.com/{address}{asked[name][0]}"
    return url
