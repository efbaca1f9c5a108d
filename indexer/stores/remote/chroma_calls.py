"""Calls to a Chroma service: all records that pass a filter, and what its errors mean, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from talksearch.indexer.errors import StoreError

from .chroma_records import BATCH
from .store_statistics import too_large

TIMEOUT_S = 20.0
"""How long an answer of the service is waited for."""

Collection = Any
"""A `chromadb.Collection`; chromadb is imported when a store is opened."""


@contextmanager
def errors_told(address: str) -> Iterator[None]:
    """Raise a StoreError, a sentence, in the place of whatever Chroma and its HTTP client raise."""
    import httpx
    from chromadb.errors import AuthorizationError, ChromaAuthError, ChromaError, InvalidDimensionException

    try:
        yield
    except (ChromaAuthError, AuthorizationError) as error:
        raise _refused(address) from error
    except httpx.TimeoutException as error:
        raise StoreError(f"The store {address} did not answer within {TIMEOUT_S:.0f} s.", "Ask again.") from error
    except httpx.TransportError as error:
        raise _out_of_reach(address, str(error)) from error
    except InvalidDimensionException as error:
        raise _another_model(address) from error
    except (ChromaError, ValueError) as error:
        told = " ".join(str(error).split())[:300]
        if "dimension" in told:
            raise _another_model(address) from error
        if "401" in told or "403" in told or "Unauthorized" in told or "Forbidden" in told:
            raise _refused(address) from error
        if "Could not connect" in told:
            raise _out_of_reach(address, "nobody answers") from error
        raise StoreError(f"The store {address} does not do what it is asked: {told}", "Try again later.") from error


def _out_of_reach(address: str, problem: str) -> StoreError:
    return StoreError(
        f"The store {address} cannot be reached: {problem.rstrip('.')}.", "See that it runs: chroma run --path FOLDER"
    )


def _refused(address: str) -> StoreError:
    return StoreError(f"The store {address} refuses the token.", "Put the right one into TALKSEARCH_STORE_TOKEN.")


def _another_model(address: str) -> StoreError:
    return StoreError(
        f"The vectors in the store {address} are of another model.", "Use another store, or the same model."
    )


def all_of(collection: Collection, where: Any, include: list[str], most: int | None = None) -> dict[str, list[Any]]:
    """Return all records that pass a filter, asked for as many at a time as a service gives.

    Args:
        collection: Where they are.
        where: The filter.
        include: What is told of them.
        most: How many characters their documents may have together; by default any number.

    Raises:
        StoreError: They have more.
    """
    characters = 0
    found: dict[str, list[Any]] = {"ids": [], **{name: [] for name in include}}
    while True:
        page = collection.get(where=where, limit=BATCH, offset=len(found["ids"]), include=include)
        characters += sum(map(len, page["documents"])) if most is not None else 0
        if most is not None and characters > most:
            raise too_large()
        for name, values in found.items():
            values.extend(page[name])
        if len(page["ids"]) < BATCH:
            return found
