"""Whether the server of a store says anything at all: one that accepts connections and is silent is told soon.

The clients of engines cannot tell a silent server from a slow one in less than what the slowest answer may take, times
the attempts that they make. So a plain request is made beside them: whoever answers it, be it with an error, is there.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException

from talksearch.indexer.errors import StoreError

PATIENCE_S = 5.0
"""Seconds in which a server must begin to answer a request that it need not think about: as long as a reader's client
waits for one answer of object storage."""


def object_storage(environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the service of object storage: the one that the environment names, or Amazon's."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    named = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    return named or f"https://s3.{region}.amazonaws.com"


def says_nothing(server: str, patience_s: float | None = None) -> bool:
    """Say whether a server lets a request wait, or cannot be spoken to within that time.

    One that refuses connections says something, and so does one that answers with an error, or in another language.

    Args:
        server: `http://host:port`, or with https.
        patience_s: How long it may take to begin, in seconds; by default `PATIENCE_S`.
    """
    if not server.startswith(("http://", "https://")):
        return False
    asked = urllib.request.Request(server, method="HEAD")  # noqa: S310 - the scheme was looked at
    try:
        urllib.request.urlopen(asked, timeout=PATIENCE_S if patience_s is None else patience_s).close()  # noqa: S310
    except TimeoutError:
        return True
    except urllib.error.URLError as error:
        return isinstance(error.reason, TimeoutError)
    except (OSError, HTTPException, ValueError):
        pass
    return False


def require_answer(url: str, server: str) -> None:
    """Raise StoreError where the server that holds a store says nothing.

    Args:
        url: The store's URL.
        server: As `says_nothing` takes it.
    """
    if says_nothing(server):
        raise silent(url)


def silent(url: str) -> StoreError:
    """Return what to raise where the server of a store says nothing."""
    return StoreError(
        f"The store {url} cannot be reached: its server accepts no connection, or says nothing.",
        "See whether it runs, and the network. Nothing is lost: ask again.",
    )
