"""What lies beside the files of a talk that a site gave: its `.info.json`, and what tells the names of all of them.

Imports yt-dlp, so it is imported only where a site is asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from yt_dlp import YoutubeDL

from talksearch.indexer.fetch.names import safe_name
from talksearch.indexer.talks.language_tags import is_language
from talksearch.indexer.text import youtube
from talksearch.indexer.text.untrusted import without_password

_LONGEST_ID = 40
_SHORTEST_ID = 4
_KEPT_TEXT = """
id display_id title fulltitle alt_title description channel channel_id channel_url uploader uploader_id uploader_url
creator creators artist artists series season season_number episode episode_number location license language duration
upload_date release_date timestamp release_timestamp release_year webpage_url extractor
extractor_key chapters tags categories live_status was_live availability age_limit playlist_title playlist_id
epoch _type _version
"""
_KEPT = frozenset(_KEPT_TEXT.split())
"""What a talk is. Left out are addresses that expire, headers and cookies, formats, comments and counts."""


def info_json(info: Mapping[str, Any], language: str | None) -> str:
    """Return the `.info.json` of a talk, as yt-dlp writes it, with what says something of the talk.

    Of its tracks it has the languages, as they tell who wrote a track that lies beside it; translations of automatic
    captions are left out. `language` is which one is spoken, where the site does not say.
    """
    kept = {name: value for name, value in info.items() if name in _KEPT}
    addresses = {name: value for name, value in kept.items() if name.endswith("_url") and isinstance(value, str)}
    kept |= {name: without_password(address) for name, address in addresses.items()}
    kept["language"] = kept.get("language") or language
    for name in ("subtitles", "automatic_captions"):
        tracks = info.get(name)
        if isinstance(tracks, dict):
            kept[name] = {
                str(tag or "und"): [] for tag in tracks if name == "subtitles" or _is_heard(str(tag), language)
            }
    clean = YoutubeDL.sanitize_info(kept, remove_private_keys=True)
    return json.dumps(clean, ensure_ascii=False, indent=1).encode("utf-8", "replace").decode()


def mark_of(ident: str, extractor: str) -> str:
    """Return what tells the files of a talk from those of others: its id, as far as names can hold it.

    One that may be read as a number, a language or an id of YouTube's has the extractor before it.

    >>> mark_of("abc-1234", "Harbour"), mark_of("7", "Harbour")
    ('abc-1234', 'harbour-7')
    """
    mark = safe_name(ident, "", _LONGEST_ID).strip("[](){}")
    if mark != ident:
        mark = f"{mark[:24]}-{hashlib.sha256(ident.encode(errors='replace')).hexdigest()[:8]}".lstrip("-")
    is_taken = youtube.is_id(mark) and not extractor.lower().startswith("youtube")
    if len(mark) < _SHORTEST_ID or is_language(mark) or is_taken:
        mark = f"{safe_name(extractor, 'site', 24).lower()}-{mark}"
    return mark


def _is_heard(tag: str, language: str | None) -> bool:
    return tag.lower().endswith("-orig") or (
        language is not None and tag.partition("-")[0] == language.partition("-")[0]
    )
