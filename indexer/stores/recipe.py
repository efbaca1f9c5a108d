"""The recipe of an index: everything that its passages and vectors depend on. An index refuses what has another one."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from talksearch.indexer import disk, layout
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.records import Json

from .seals import holds_sql, seal

if TYPE_CHECKING:
    from talksearch.indexer.encoders.base import ModelCard
    from talksearch.indexer.passages.split import Splitting

FORMAT = 8
"""Raised when an older index can no longer be read, or when talks must be cleaned and split anew."""

FORMAT_BEFORE = 7
"""The one format that `upgrade` turns into the present one, so that nothing need be embedded again."""


MEND = "Mend it: talksearch doctor"
"""What to do about a damaged recipe."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an index was made."""

    model: ModelCard
    splitting: Splitting
    format: int = FORMAT
    embedded_by: str = ""
    """In words, for people: what ran the model when many passages were last embedded, and the measurement by which it
    was chosen. Every way of running it that `encoders.selection` allows gives the same vectors or nearly."""


class NamedModel(NamedTuple):
    """What a recipe of any format says of its model."""

    name: str
    query_prompt: str
    passage_prompt: str


def write(folder: Path, recipe: Recipe) -> None:
    """Write the recipe of an index."""
    _write_json(folder, asdict(recipe))


def _write_json(folder: Path, values: dict[str, Json]) -> None:
    with layout.replace_file(layout.RECIPE.within(folder)) as fresh:
        fresh.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> Recipe | None:
    """Return the recipe of an index folder; None where there is no index.

    Raises BadIndexError when it cannot be understood: damaged, or of another format than this version reads.
    """
    from talksearch.indexer.encoders.base import ModelCard  # a server that looks at an index must not wait for these
    from talksearch.indexer.passages.split import Splitting

    values = read_json(folder)
    if values is None:
        return None
    try:
        return Recipe(
            ModelCard(**values["model"]),
            Splitting(**values["splitting"]),
            embedded_by=str(values.get("embedded_by", "")),
        )
    except (KeyError, TypeError) as error:
        raise _damaged(folder, error) from error


def keep_copy(folder: Path, db: sqlite3.Connection) -> None:
    """Keep a copy of the recipe in the catalog, to mend it by. Call it inside a `catalog.transaction`."""
    text = layout.RECIPE.within(folder).read_text(encoding="utf-8")
    if kept_copy(db) != text:
        db.execute("DELETE FROM recipe")
        db.execute("INSERT INTO recipe (text, seal) VALUES (?, ?)", (text, seal(text)))


def kept_copy(db: sqlite3.Connection) -> str | None:
    """Return the copy of the recipe that the catalog keeps; None where it has none that holds."""
    row = db.execute(f"SELECT text FROM recipe WHERE {holds_sql('recipe')}").fetchone()  # noqa: S608 - our own names
    return str(row[0]) if row else None


def check_copy(folder: Path, db: sqlite3.Connection) -> None:
    """Raise BadIndexError where the recipe of an index is not the one that its catalog keeps."""
    kept = kept_copy(db)
    here = read_json(folder)
    if kept is None or here is None:
        return
    there = json.loads(kept)
    other = [name for name in ("model", "splitting") if here.get(name) != there.get(name)]
    if other:
        raise _unusable(folder, f"has another {' and '.join(other)} in its recipe than it was made with", MEND)


def put_back(folder: Path, text: str) -> None:
    """Write the recipe anew from its copy."""
    with layout.replace_file(layout.RECIPE.within(folder)) as fresh:
        fresh.write_text(text, encoding="utf-8")


def read_json(folder: Path) -> dict[str, Json] | None:
    """Return the recipe of an index folder as it is written; None where there is no index.

    Raises BadIndexError when it is no recipe, or of another format than this version reads.
    """
    try:
        values: dict[str, Json] = json.loads(layout.RECIPE.within(folder).read_text(encoding="utf-8"))
        if values["format"] == FORMAT:
            return values
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk.refusal(layout.RECIPE.within(folder), error) or error from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    raise _of_another_format(folder, values["format"])


def check_format(folder: Path) -> None:
    """Raise BadIndexError where the recipe of an index folder names another format than this version reads.

    A recipe that is missing or damaged names none.
    """
    named = format_of(folder)
    if named not in (None, FORMAT):
        raise _of_another_format(folder, named)


def read_model(folder: Path) -> NamedModel | None:
    """Return the model that the recipe of an index of any format names; None where that cannot be read."""
    try:
        model = json.loads(layout.RECIPE.within(folder).read_text(encoding="utf-8"))["model"]
        named = NamedModel(model["name"], model["query_prompt"], model["passage_prompt"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return named if all(isinstance(value, str) for value in named) else None


def format_of(folder: Path) -> Json:
    """Return the format that the recipe of an index folder names; None where it names none, or cannot be read."""
    try:
        return json.loads(layout.RECIPE.within(folder).read_text(encoding="utf-8")).get("format")
    except (OSError, ValueError, AttributeError):
        return None


def raise_format(folder: Path) -> None:
    """Let the recipe of an index of the format before say that it has the present one; any other stays as it is."""
    if format_of(folder) == FORMAT_BEFORE:
        values = json.loads(layout.RECIPE.within(folder).read_text(encoding="utf-8"))
        _write_json(folder, {**values, "format": FORMAT})


def _damaged(folder: Path, error: Exception) -> BadIndexError:
    return _unusable(folder, f"has a damaged recipe ({error})", MEND)


def _of_another_format(folder: Path, named: Json) -> BadIndexError:
    problem = f"has format {named}, and this version of talksearch reads format {FORMAT}"
    if named == FORMAT_BEFORE:
        return _unusable(folder, problem, "Bring it up to date, in seconds: talksearch index")
    if isinstance(named, int) and named > FORMAT:
        return _unusable(
            folder, problem, "Use the version that made it, or build it again with this one: talksearch index --rebuild"
        )
    hint = "Build it again, from the same PATHs and with the same model: talksearch index --rebuild"
    return _unusable(folder, problem, hint)


def _unusable(folder: Path, problem: str, hint: str) -> BadIndexError:
    return BadIndexError(f"The index {folder} {problem}.", hint)


def check_model(folder: Path, recipe: Recipe, model: str | None) -> None:
    """Raise BadIndexError where a model is given and the index was made with another one."""
    if model is not None and model != recipe.model.name:
        raise BadIndexError(
            f"The index {folder} was made with the model {recipe.model.name!r}, not with {model!r};"
            " vectors of two models cannot be compared.",
            f"Build it again with the other model: talksearch index --rebuild --model {model}",
        )
