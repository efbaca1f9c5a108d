"""The home of a model: a folder in the user's cache that holds it as ONNX, once for all indexes of this user.

It also holds, for each kind of machine, what was found out about running it there. Its name is made of the model and
its weights, so an index finds it by its recipe, and models of one name with other weights have homes of their own.
Prompts are not part of it. All of it can be made again (`make_home`), and may be deleted at any time.

A home is made in a folder beside it, by one process while others wait, and renamed into place when it is whole. Its
files are used as long as they are those whose checksums were noted then.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from talksearch.indexer import disk
from talksearch.indexer.errors import DiskFullError, ModelError
from talksearch.indexer.settings import cache_folder

from . import checksums
from .base import ModelCard

MODEL = "model.onnx"
"""The exported model."""

TOKENIZER = "tokenizer.json"
"""The model's tokenizer, as the tokenizers library reads it. A model folder of sentence-transformers has the same."""

PIECES = "pieces.npy"
"""The pieces of a tokenizer that is not loaded whole (`unigram_tokenizer`), in a home that has no TOKENIZER."""

VECTOR_OUTPUT = "embedding"
"""The output of the exported model that holds the vectors of texts (n, dimension)."""

TOKENS_OUTPUT = "tokens"
"""The output that holds the vectors of tokens (n, length, width). A model that gives tokens no vectors lacks it."""

_EXPORT = 1
"""Raised when the same model is exported in another way: homes of the old way are then no longer used."""

_temporary: dict[str, tempfile.TemporaryDirectory[str]] = {}
"""Homes that this process made for itself, by name, because the cache cannot be written. They end with the process."""


def homes_folder() -> Path:
    """Return the folder that holds the homes of all models."""
    return cache_folder() / "models"


def home_of(card: ModelCard) -> Path:
    """Return where the home of a model lies, or would lie.

    How many tokens of text fit the model is no part of its name: it depends on the prompts.
    """
    identity = json.dumps([card.name, card.fingerprint, card.dimension, _EXPORT])
    return homes_folder() / f"{_slug(card.name)}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def homes_of(name: str) -> list[Path]:
    """Return the homes that may be of a model, by its name alone."""
    return sorted(homes_folder().glob(f"{_slug(name)}-{'[0-9a-f]' * 12}"))


def tokenizer_of(home: Path) -> Path:
    """Return the file in a home by which `tokenizer.load_tokenizer` loads the model's tokenizer."""
    pieces = home / PIECES
    return pieces if pieces.exists() else home / TOKENIZER


def machine_folder(home: Path) -> Path:
    """Return the folder within a home for what is true of this kind of machine only; it may not be there yet."""
    from .machine import machine_key  # takes numpy, and a server must listen before it has that

    return home / machine_key()


def find(card: ModelCard, *, thorough: bool = False) -> Path | None:
    """Return the home of a model; None where there is none, or its files are not those that were put there.

    With `thorough`, each file is hashed (`checksums.are_right`). Raises ModelError where others than this user could
    have put files there.
    """
    home = home_of(card)
    if home.exists():
        if not is_private(home):
            raise ModelError(
                f"Others than you can write into {home}, so the model {card.name!r} in it is not used.",
                "Delete that folder, and it is made again; or name a folder of your own in TALKSEARCH_CACHE.",
            )
        if checksums.are_right(home, thorough=thorough):
            return home
    made = _temporary.get(home.name)
    return Path(made.name) if made else None


def is_lasting(home: Path) -> bool:
    """Say whether a home outlives this process."""
    return all(Path(made.name) != home for made in _temporary.values())


def make(card: ModelCard, write: Callable[[Path], None], warn: Callable[[str], None]) -> Path:
    """Return the home of a model, made where there is none that is whole.

    Where the cache cannot be written, it is made for this process alone.

    Args:
        card: The model.
        write: Writes MODEL, and TOKENIZER or PIECES, into a folder that is given.
        warn: Is called with a sentence where the home is for this process alone.

    Raises:
        ModelError: `write` raised it; or others could put files into the home; or nothing can be written anywhere.
    """
    home = home_of(card)
    try:
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(home):
            found = find(card)
            if found is None or not is_lasting(found):
                _put_in_place(home, write)
        return home
    except OSError as error:
        made = _temporary.get(home.name)
        if made is None:
            made = _make_temporary(write)
            _temporary[home.name] = made
            warn(
                f"The cache folder {home.parent} cannot be written ({error.strerror or error}), so each run makes the"
                f" model {card.name!r} ready anew. TALKSEARCH_CACHE may name another folder."
            )
        return Path(made.name)


def forget(card: ModelCard) -> None:
    """Delete the home of a model, where there is one and it can be deleted."""
    shutil.rmtree(home_of(card), ignore_errors=True)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold a home for writing, and wait until no other process does. Raises OSError where it cannot be written."""
    import filelock  # a query takes no lock

    with filelock.FileLock(home.with_name(f".{home.name}.lock")):
        yield


def size_of(card: ModelCard) -> int:
    """Return how many bytes the home of a model takes on disk; 0 where there is none."""
    return sum(file.stat().st_size for file in home_of(card).rglob("*") if file.is_file())


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", Path(name).name.lower()).strip("-")[:40] or "model"


def _put_in_place(home: Path, write: Callable[[Path], None]) -> None:
    for leftover in home.parent.glob(f".{home.name}.*.new"):  # of a process that was ended
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(dir=home.parent, prefix=f".{home.name}.", suffix=".new"))  # with mode 0700
    try:
        if not is_private(fresh):
            raise PermissionError(errno.EPERM, "others can write into folders that are made there")
        _fill(fresh, write)
        if home.exists():
            shutil.rmtree(home)
        fresh.rename(home)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _make_temporary(write: Callable[[Path], None]) -> tempfile.TemporaryDirectory[str]:
    try:
        made = tempfile.TemporaryDirectory(prefix="talksearch-")
        _fill(Path(made.name), write)
        return made
    except OSError as error:
        told = disk.refusal(Path(tempfile.gettempdir()), error)
        if isinstance(told, DiskFullError):
            raise told from error
        raise ModelError(
            f"The model cannot be written into a temporary folder: {error.strerror or error}.",
            "Name a folder that can be written in TALKSEARCH_CACHE.",
        ) from error


def _fill(folder: Path, write: Callable[[Path], None]) -> None:
    write(folder)
    checksums.write(folder, sorted(file.name for file in folder.iterdir()))


def is_private(folder: Path) -> bool:
    """Say whether nobody but this user, and the system's own, could have put files into a folder."""
    if os.name != "posix":
        return True
    status = folder.lstat()
    return status.st_uid in (os.getuid(), 0) and not status.st_mode & 0o022
