"""What there is at an address: one talk, or a list of talks whose entries are looked at one by one, as they are needed.

Imports yt-dlp, so it is imported only where a site is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.utils import make_archive_id

from talksearch.indexer.fetch.records import FetchError
from talksearch.indexer.text.untrusted import safe, without_password

from .downloader import Downloader

Info = dict[str, Any]
"""What yt-dlp knows of a talk, a list or an entry of one."""

_DEEPEST = 6
"""How often an address may lead to another one, and how deep lists may lie in lists."""
_OF_NO_SITE = ("generic", "html5mediaembed")
_LISTS = ("playlist", "multi_video", "compat_list")


def is_list(info: Mapping[str, Any]) -> bool:
    """Say whether something is a list of talks."""
    return info.get("_type", "video") in _LISTS


def resolve(downloader: Downloader, entry: Mapping[str, Any]) -> Info:
    """Ask what an address or an entry of a list is: a talk with all that is known of it, or a list.

    The entries of a list are not asked for. Raises what yt-dlp raises, and FetchError.
    """
    downloader.start(downloader.limits.page)
    now: Info = dict(entry)
    for _ in range(_DEEPEST):
        kind = now.get("_type", "video")
        if kind in _LISTS:
            return now
        if kind != "url":
            found = downloader.process_ie_result(now, download=False)
            if not isinstance(found, dict):
                break
            return _without_number(found)
        found = downloader.extract_info(now["url"], download=False, process=False, ie_key=now.get("ie_key"))
        if not isinstance(found, dict):
            break
        now = found
    raise FetchError("It leads to nothing that can be fetched.")


def _without_number(info: Info) -> Info:
    """Take from the title of the first recording on a page the number that yt-dlp gives it, as if there were more."""
    if is_of_no_site(info) and str(info.get("id")).endswith("-1"):
        for name in ("title", "fulltitle"):
            if isinstance(info.get(name), str):
                info[name] = info[name].removesuffix(" (1)")
    return info


def entries_of(downloader: Downloader, info: Mapping[str, Any]) -> Iterator[Info]:
    """Yield the entries of a list, in its order; a page of the list is asked for when its first entry is wanted."""
    entries = iter(info.get("entries") or ())  # a list, a generator, or one of yt-dlp's lists of pages
    while True:
        downloader.start(downloader.limits.page)
        try:
            entry = next(entries)
        except StopIteration:
            return
        if isinstance(entry, dict) and (entry.get("url") or not str(entry.get("_type")).startswith("url")):
            if entry.get("_type", "video") == "video":  # what yt-dlp gives to the entries that a list holds whole
                for name in ("extractor", "extractor_key", "webpage_url"):
                    entry.setdefault(name, info.get(name))
            yield entry


def talk_key(entry: Mapping[str, Any]) -> str:
    """Return which talk an entry is, as yt-dlp's archive of downloads has it; its address where only asking tells.

    A page of no known site has no id of its own: what yt-dlp takes for it is the end of its address, which pages of
    other sites share. So a mark of the whole address is added.
    """
    name, ident = str(entry.get("extractor_key") or entry.get("ie_key") or ""), _one_word(entry.get("id"))
    address = without_password(str(entry.get("url") or entry.get("webpage_url") or ""))
    if not name:
        name, ident = _by_address(address, ident)
    if name and ident and name.lower() not in _OF_NO_SITE:
        return str(make_archive_id(name, ident))
    if entry.get("_type", "video") == "video" and ident:
        return f"generic {generic_id(ident, without_password(str(entry.get('webpage_url') or address)))}"
    return f"address {'%20'.join(address.encode('utf-8', 'replace').decode().split())}"


def is_of_no_site(info: Mapping[str, Any]) -> bool:
    """Say whether a talk was found on a page of no known site."""
    return str(info.get("extractor_key")).lower() in _OF_NO_SITE


def generic_id(ident: str, address: str) -> str:
    """Return an id for a page of no known site.

    >>> generic_id("tides", "https://x.org/tides.html")
    'tides-8b258d2f'
    """
    return f"{_one_word(ident)}-{hashlib.sha256(address.encode(errors='replace')).hexdigest()[:8]}"


def _one_word(ident: object) -> str:
    return "-".join(str(ident or "").encode("utf-8", "replace").decode().split())


def extractor_of(address: str) -> Any:
    """Return yt-dlp's extractor for an address, by the address alone; None where it is none."""
    try:
        return next((one for one in gen_extractor_classes() if one.suitable(address)), None)
    except ValueError:  # an address that cannot be taken apart, such as http://[
        return None


def _by_address(address: str, ident: str) -> tuple[str, str]:
    """Return the name of the extractor that knows an address, and the id in it; nothing is asked for."""
    known = extractor_of(address)
    return (known.ie_key(), ident or _one_word(known.get_temp_id(address))) if known else ("", "")


def title_of(info: Mapping[str, Any]) -> str:
    """Return what something calls itself, fit for a terminal; empty where it does not say.

    yt-dlp adds the time to the `title` of what is live, and not to its `fulltitle`.
    """
    return safe(str(info.get("fulltitle") or info.get("title") or "")).strip()


def day_of(info: Mapping[str, Any]) -> date | None:
    """Return the day that a talk is from, as its sidecar will have it; None where nothing says it."""
    for name in ("release_date", "upload_date"):
        try:
            return datetime.strptime(str(info.get(name)), "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            continue
    for name in ("release_timestamp", "timestamp"):
        stamp = info.get(name)
        if isinstance(stamp, int | float) and 0 < stamp < 4_102_444_800:  # the year 2100
            return datetime.fromtimestamp(stamp, UTC).date()
    return None
