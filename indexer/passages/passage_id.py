"""The ids of passages: the same passage has the same id in every index."""

from __future__ import annotations

import hashlib

from talksearch.indexer.records import Field


def passage_id(talk_id: str, start_ms: int, text: str, field: Field = "speech") -> str:
    """Return the id of a passage: that of its talk, and a hash of it, of where the passage begins and of its text.

    >>> passage_id("DTcRLlMv4_o", 61_000, "time dilation")
    'DTcRLlMv4_o:f28ea01c57346120'
    """
    place = "" if field == "speech" else f"{field}\0"
    content = f"{talk_id}\0{place}{start_ms}\0{text}"
    return f"{talk_id}:{hashlib.blake2b(content.encode(), digest_size=8).hexdigest()}"
