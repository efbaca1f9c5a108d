"""The indexes that are merged: open, each in one of its states, and all made in one way."""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores import catalog, recipe, sums
from talksearch.indexer.stores.recipe import Recipe

from .carry_vectors import VectorSource, open_source

_OF_ONE_INDEX = re.compile(r"(?<=: )talksearch (?:index|doctor)\b")
"""What a hint advises about one index."""


@dataclass(frozen=True, slots=True)
class Part:
    """An index that is merged, open in one of its states."""

    folder: Path
    db: sqlite3.Connection
    recipe: Recipe
    vectors: VectorSource
    words_hold: bool
    """Whether its word index is as the last run noted it."""


@contextmanager
def open_parts(folders: Sequence[Path]) -> Iterator[list[Part]]:
    """Open indexes that are to be merged, each in one of its states, and hold that they were made in one way.

    Raises BadIndexError.
    """
    with ExitStack() as stack:
        parts: list[Part] = []
        for folder in folders:
            with _hints_naming(folder):
                db = stack.enter_context(catalog.open_snapshot(folder))
                recipe.check_copy(folder, db)
                known = recipe.read(folder)
            if known is None:
                raise BadIndexError(
                    f"There is no finished index in {folder}.",
                    f"Finish it: talksearch index --index {shlex.quote(str(folder))}",
                )
            words_hold = not sums.differing(db, ("words",))
            parts.append(Part(folder, db, known, open_source(folder, db, known.model.dimension), words_hold))
            require_one_way(parts[0].folder, parts[0].recipe, folder, known)
        yield parts


@contextmanager
def _hints_naming(folder: Path) -> Iterator[None]:
    """Have what is advised about an index name it: of several, the command alone tells which it means."""
    try:
        yield
    except BadIndexError as error:
        named = f"\\g<0> --index {shlex.quote(str(folder))}"
        raise type(error)(error.message, _OF_ONE_INDEX.sub(named, error.hint)) from error


def require_one_way(first: Path, wanted: Recipe, folder: Path, known: Recipe) -> None:
    """Raise BadIndexError where two indexes were not made in one way, and say in what they differ."""
    one, other = wanted.model, known.model
    if one.name != other.name:
        difference = f"with the model {other.name!r}, and {first} with {one.name!r}"
    elif (one.fingerprint, one.dimension) != (other.fingerprint, other.dimension):
        difference = f"with other weights of the model {one.name!r} than {first}"
    elif (one.query_prompt, one.passage_prompt, one.max_tokens) != (
        other.query_prompt,
        other.passage_prompt,
        other.max_tokens,
    ):
        difference = f"with other prompts than {first}"
    elif wanted.splitting != known.splitting:
        difference = f"of passages of {known.splitting.length} words, and {first} of {wanted.splitting.length}"
    else:
        return
    raise BadIndexError(
        f"The index {folder} was made {difference}; what they hold cannot be compared.",
        "Build one of them again as the other was:"
        f" talksearch index --index {shlex.quote(str(folder))} --rebuild --model {shlex.quote(one.name)}",
    )
