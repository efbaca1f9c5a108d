"""The address of a store, as `--store` takes it: which engine, and where.

    lance:///srv/talks                 LanceDB in a folder, the user's own or a share
    lance:///C:/talks                  the same on Windows
    lance+s3://bucket/prefix           LanceDB on object storage that speaks S3
    chroma://host:8000                 a Chroma server
    https://host?tenant=T&database=D   the same over TLS, or Chroma Cloud

Who may read and write is never part of an address: addresses stand in the lists of processes, in histories and in logs.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from talksearch.indexer.errors import StoreError
from talksearch.indexer.text.untrusted import safe, safe_address

from .engine import Engine
from .silence import object_storage

Kind = Literal["lance", "lance+s3", "chroma"]

FORMS = "lance:///folder, lance+s3://bucket/prefix or chroma://host:port"
"""What addresses look like, for sentences."""

_SECRET = re.compile(r"token|secret|passw|passwd|apikey|api_key|access_?key|credential|signature", re.IGNORECASE)
"""What the names of parameters that hold a secret have in them."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""What names of buckets look like (Amazon S3, "General purpose bucket naming rules")."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
"""What names of tenants and databases of Chroma look like."""

_DRIVE = re.compile(r"/[A-Za-z]:(/|$)")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where a store is."""

    kind: Kind
    url: str
    """As it was given."""
    location: str
    """What the engine opens: a folder, `s3://bucket/prefix`, or a server as `http://host:port/tenant/database`."""


def parse_address(url: str) -> StoreAddress:
    """Return what the URL of a store means.

    Raises:
        StoreError: It is none, no engine of that name is known, or something secret stands in it.

    >>> parse_address("lance+s3://talks/2024/").location
    's3://talks/2024'
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _refused(url, f"is no address ({error})") from error
    if "@" in parts.netloc or any(_SECRET.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise StoreError(
            f"The address {safe_address(url.partition('?')[0])} holds a user, a password or a token.",
            "Take it out. S3 takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile that AWS_PROFILE names;"
            " Chroma takes TALKSEARCH_STORE_TOKEN, or the file that TALKSEARCH_STORE_TOKEN_FILE names.",
        )
    if not url.isprintable():
        raise _refused(url, "holds characters that nobody sees")
    match parts.scheme:
        case "lance":
            return StoreAddress("lance", url, _folder(url))
        case "lance+s3":
            return StoreAddress("lance+s3", url, _bucket(url))
        case "chroma" | "https":
            return StoreAddress("chroma", url, _server(url))
        case "" if parts.path.startswith("/"):
            raise _refused(url, "names no engine", f"Write lance://{safe_address(url)}")
        case "":
            raise _refused(url or "''", "names no engine")
        case "http":
            raise _refused(url, "names no engine", f"For a Chroma server without TLS, write chroma://{parts.netloc}")
        case "s3":
            raise StoreError(f"The address {safe_address(url)} names no engine.", f"Write lance+{safe_address(url)}")
        case scheme:
            raise _refused(url, f"names the engine {scheme!r}, which this version of talksearch does not know")


def server_of(url: str) -> str | None:
    """Return the address of the server that holds a store, given its URL; None where none does, or it is no address."""
    try:
        address = parse_address(url)
    except StoreError:
        return None
    if address.kind == "lance+s3":
        return object_storage()
    return address.location.rsplit("/", 2)[0] if address.kind == "chroma" else None


def require_installed(address: StoreAddress) -> None:
    """Raise StoreError where a package is missing that the engine of a store needs."""
    missing = [name for name in ("lancedb", "pyarrow") if address.kind != "chroma" and find_spec(name) is None]
    if missing:
        raise StoreError(
            f"The store {safe_address(address.url)} needs {' and '.join(missing)}, which"
            f" {'is' if len(missing) == 1 else 'are'} not installed.",
            'Install it: pip install "talksearch[distributed]"',
        )


def open_engine(url: str) -> Engine:
    """Return the engine of a store. Whether it answers, its first call tells.

    Raises as `parse_address` and `require_installed` do.
    """
    address = parse_address(url)
    require_installed(address)
    if address.kind == "chroma":
        from .chroma_service import open_service

        return open_service(address.url, address.location)
    from .lance import LanceEngine  # imported late: it takes a second
    from .lance_calls import LanceLocation

    return LanceEngine(LanceLocation(address.url, address.location))


def _folder(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc:
        raise StoreError(
            f"The address {safe_address(url)} names a machine where a folder belongs.",
            f"Write three slashes before the folder: lance:///{parts.netloc}{parts.path}",
        )
    if parts.query or parts.fragment:
        raise _refused(url, "has a ? or a # in it; write %3F and %23 for those of a folder's name")
    path = unquote(parts.path)
    if not path.startswith("/") or not path.strip("/") or "\0" in path:
        raise _refused(url, "names no folder")
    if sys.platform == "win32" and _DRIVE.match(path):
        path = path[1:]
    return os.path.normpath(path)


def _bucket(url: str) -> str:
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise _refused(url, "has a ? or a # in it; region and endpoint come from AWS_REGION and AWS_ENDPOINT_URL")
    if not _BUCKET.fullmatch(parts.netloc):
        if not parts.netloc:
            raise _refused(url, "names no bucket")
        raise _refused(
            url,
            f"names the bucket {safe(parts.netloc)!r}, which none can be called",
            "Names of buckets have 3 to 63 small letters, digits, dots and hyphens.",
        )
    if any(part in (".", "..") for part in parts.path.split("/")):
        raise _refused(url, "has a . or .. in its prefix")
    return f"s3://{parts.netloc}{parts.path}".rstrip("/")


def _server(url: str) -> str:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise _refused(url, "has a port that is none") from error
    if not parts.hostname:
        raise _refused(url, "names no machine")
    if parts.path.strip("/") or parts.fragment:
        raise _refused(url, "has a path; a Chroma server has tenants and databases: ?tenant=T&database=D")
    chosen = {"tenant": "default_tenant", "database": "default_database"}
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := next((name for name in given if name not in chosen), None):
        raise _refused(url, f"has the parameter {unknown!r}; there are tenant and database")
    chosen |= given
    if empty := next((name for name, value in chosen.items() if not _NAME.fullmatch(value)), None):
        raise _refused(url, f"has a {empty} that is none")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    protocol, usual = ("https", 443) if parts.scheme == "https" else ("http", 8000)
    return f"{protocol}://{host}:{port or usual}/{chosen['tenant']}/{chosen['database']}"


def _refused(url: str, problem: str, advice: str = f"Addresses of stores look like {FORMS}") -> StoreError:
    return StoreError(f"The address {safe(safe_address(url))} {problem}.", advice)
