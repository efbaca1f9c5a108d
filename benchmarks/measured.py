"""What benchmarks of queries have in common: the index that is asked, and what it is compared with."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.encoders.default_model import default_folder
from talksearch.indexer.settings import DEFAULT_MODEL
from talksearch.indexer.stores import recipe
from talksearch.indexer.stores.chroma.collection import COLLECTION
from talksearch.indexer.stores.recipe import Recipe

QUERIES = (
    "time dilation metaphor", "why the launch was called off", "how bees survive the winter", "salt on steel cables",
    "the budget for next year", "what a gradient is", "who should sign the message", "remote control design",
    "privacy of transactions", "teaching children to read", "the cost of storage", "open questions about consensus",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """An index that is asked."""

    home: Path
    """The home of its model."""
    passages: int
    columns: bool
    """Whether queries find what they need in one file of columns."""


def measured(index: Path) -> Measured:
    """Return what an index is, and have all made that queries use on this kind of machine.

    The index may come from another kind, or from elsewhere; what a query would then make, or do without, is made before
    anything is measured. That happens in a process of its own: Linux tells as the peak memory of a process also that of
    the one that started it, up to then.

    Exits with a sentence where there is no index, or its model has no home here.
    """
    done = subprocess.run([sys.executable, __file__, str(index)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    home, passages, columns = json.loads(done.stdout)
    return Measured(Path(home), passages, columns)


def recipe_of(index: Path) -> Recipe:
    """Return the recipe of an index. Exits with a sentence where there is no index."""
    made = recipe.read(index)
    if made is None:
        raise SystemExit(f"there is no index in {index}")
    return made


def tutorial_script(index: Path, chroma: Path | None = None) -> list[str]:
    """Return the command, but for the query, that asks `tutorial.py` over an index's Chroma store, or over another."""
    name = recipe_of(index).model.name
    model = str(default_folder()) if name == DEFAULT_MODEL else name
    script = str(Path(__file__).with_name("tutorial.py"))
    return [sys.executable, script, model, str(chroma or layout.CHROMA.within(index)), COLLECTION]


def _look(index: Path) -> tuple[str, int, bool]:
    from talksearch.indexer.encoders import model_home, query_model
    from talksearch.search.reader import open_reader

    card = recipe_of(index).model
    opened = open_reader(index)
    opened.encoder()
    home = model_home.find(card)
    if home is None:
        raise SystemExit(f"the model {card.name!r} has no home on this machine; this makes it: talksearch doctor")
    query_model.ensure_query_model(home, card)
    passages = opened.db.execute("SELECT count(*) FROM passages").fetchone()[0]
    return str(home), passages, opened.table().columns is not None


if __name__ == "__main__":
    print(json.dumps(_look(Path(sys.argv[1]))))
