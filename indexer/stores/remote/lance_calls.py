"""Calls to LanceDB: how a store is connected to, and what the errors of its engine mean, in sentences.

LanceDB raises ValueError, RuntimeError and OSError, and says in words alone what happened, so the words are looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from talksearch.indexer import disk
from talksearch.indexer.errors import StoreError
from talksearch.indexer.text.untrusted import safe

from .silence import object_storage, require_answer
from .store_statistics import MOST_BYTES, too_large

Purpose = Literal["read", "write"]

Connection = Any
"""A `lancedb.DBConnection`. It has no types."""

Table = Any
"""A `lancedb.table.Table`."""

_TIMEOUTS_S: Mapping[Purpose, int] = {"read": 5, "write": 60}
"""How long a request to object storage may take: a part of a large file goes up in one."""

_RETRIES: Mapping[Purpose, int] = {"read": 1, "write": 3}
"""How often a request that failed is made again. LanceDB does so a few times by itself."""

_RETRIES_S: Mapping[Purpose, int] = {"read": 5, "write": 60}
"""Until when, in seconds."""

_GONE = re.compile(r"no longer exists|Was it cleaned up|Object at location .* not found|Not found: |NoSuchKey")
_NO_BUCKET = re.compile(r"NoSuchBucket|bucket does not exist", re.IGNORECASE)
_REFUSED = re.compile(
    r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|Access Denied|Forbidden|Unauthorized|ExpiredToken|"
    r"InvalidToken|CredentialsNotLoaded|credentials provider|no providers in chain|\b40[13]\b",
    re.IGNORECASE,
)
_OUT_OF_REACH = re.compile(
    r"ConnectError|connect error|dns error|error sending request|Connection refused|timed out|timeout|RetryError|"
    r"Network is unreachable|Connection reset",
    re.IGNORECASE,
)
_MAY_NOT = re.compile(r"Permission denied|Read-only file system|os error (13|30)\b", re.IGNORECASE)
_CONFLICT = re.compile(
    r"commit conflict|CommitConflict|concurrent (writers|transaction)|incompatible transaction", re.I
)
_TOLD = 300
"""Characters of an error that no pattern knows, in a sentence."""


@dataclass(frozen=True, slots=True)
class LanceLocation:
    """Where a store lies."""

    url: str
    """Its address, as it was given."""
    location: str
    """A folder, or `s3://bucket/prefix`."""

    @property
    def is_bucket(self) -> bool:
        """Whether it lies on object storage."""
        return self.location.startswith("s3://")


def connect(place: LanceLocation, purpose: Purpose) -> Connection:
    """Return a connection to a store.

    Raises StoreError where LanceDB is not installed; where object storage says nothing, which LanceDB would ask six
    times; where a folder is to be read and is not there, which LanceDB would make; and where something else lies in its
    place.
    """
    folder = Path(place.location)
    if not place.is_bucket and (folder.exists() or purpose == "read") and not folder.is_dir():
        raise (
            nothing_there(place.url)
            if not folder.exists()
            else StoreError(f"The address {place.url} names a file, where a folder belongs.", "Use another address.")
        )
    os.environ.setdefault("LANCEDB_LOG", "error")  # it warns on standard error of what is no trouble here
    try:
        import lancedb
    except ImportError as error:
        raise StoreError(
            f"The store {place.url} needs lancedb.", 'Install it: pip install "talksearch[distributed]"'
        ) from error
    if place.is_bucket:
        require_answer(place.url, object_storage())
    return lancedb.connect(place.location, storage_options=_options(place, purpose))


def nothing_there(url: str) -> StoreError:
    """Return what to raise where there is no store."""
    return StoreError(f"There is no store at {url}.", f"Put an index there: talksearch index PATH --store {url}")


def table_names(connection: Connection) -> set[str]:
    """Return the names of all tables of a store."""
    names: set[str] = set()
    token: str | None = None
    while True:
        page = connection.list_tables(limit=1_000, page_token=token)
        names.update(page.tables)
        token = page.page_token
        if not token or not page.tables:
            return names


def require_bounded(table: Table) -> None:
    """Raise StoreError where rows of a table hold more than any may, before such a row is read.

    LanceDB tells the size of no single value, only that of all, and how many rows and parts there are. So a row that is
    too large is noticed where it is one of few; among thousands, by whoever has read it.
    """
    stats = table.stats()
    if stats["total_bytes"] > MOST_BYTES * max(stats["num_rows"], stats["fragment_stats"]["num_fragments"], 1):
        raise too_large()


@contextmanager
def errors_told(place: LanceLocation) -> Iterator[None]:
    """Raise a StoreError, a sentence, in the place of whatever LanceDB raises."""
    try:
        yield
    except (ValueError, RuntimeError, OSError, NotImplementedError) as error:
        raise _told(place, error) from error


def is_conflict(error: Exception) -> bool:
    """Say whether LanceDB raised an error because another process changed the same part of a table meanwhile."""
    return _CONFLICT.search(str(error)) is not None


def _options(place: LanceLocation, purpose: Purpose) -> dict[str, str] | None:
    """Return what LanceDB is told of object storage. Credentials it finds by itself: in the environment, in a file."""
    if not place.is_bucket:
        return None
    options = {
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        "timeout": f"{_TIMEOUTS_S[purpose]}s",
        "connect_timeout": "3s",
        "client_max_retries": str(_RETRIES[purpose]),
        "client_retry_timeout": str(_RETRIES_S[purpose]),
    }
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        options |= {"endpoint": endpoint, "allow_http": str(endpoint.startswith("http://")).lower()}
    return options


def _told(place: LanceLocation, error: Exception) -> StoreError:
    said = " ".join(safe(str(error)).split())
    store = f"store {place.url}"
    if _NO_BUCKET.search(said):
        return StoreError(f"The bucket of the {store} is not there.", "Make it, or see whether its name is right.")
    if _REFUSED.search(said):
        return StoreError(
            f"The {store} refuses access.",
            "See AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or AWS_PROFILE, and what these may do there.",
        )
    if not place.is_bucket and disk.full_in_words(Path(place.location), said):
        return StoreError(
            f"The disk of the {store} is full.", "Make room there, and give the same command again: it goes on."
        )
    if _GONE.search(said):
        return StoreError(f"The state of the {store} that was asked is not there any more.", "Ask again.")
    if isinstance(error, NotADirectoryError | FileNotFoundError | FileExistsError) and not place.is_bucket:
        return StoreError(f"The folder of the {store} cannot be made: {error.strerror}.", "Use another address.")
    if _MAY_NOT.search(said):
        return StoreError(
            f"The {store} cannot be read or written: permission denied.", "See who may read and write its folder."
        )
    if is_conflict(error):
        return StoreError(f"Other processes write to the {store} all the time.", "Give the same command again.")
    if place.is_bucket and _OUT_OF_REACH.search(said):
        return StoreError(
            f"The {store} cannot be reached, or takes too long.",
            "See the network, and AWS_ENDPOINT_URL where it is not at Amazon. Nothing is lost: ask again.",
        )
    return StoreError(f"The {store} does not do what it is asked: {said[:_TOLD]}", "Ask again later.")
