"""A model as workers get it: one file of ONNX and its tokenizer, by content. Each machine lays it out once, in a cache.

What is shipped is the very file that this machine would embed with alone, so that workers give the same vectors, on
whatever processors they run, and need no model of their own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import checksums, model_home
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.encoders.int8_products import sums_are_cut
from talksearch.indexer.encoders.onnx_encoder import OnnxEncoder
from talksearch.indexer.encoders.tokenizer import Tokenizer, by_length, load_model_tokenizer
from talksearch.indexer.errors import ModelError, WorkersError

_WORKERS = "workers"
"""The folder in the cache that holds what workers were shipped."""

_UNFINISHED = ".new"
"""How the names of folders end in which files are being laid out."""

_UNFINISHED_S = 86_400
"""After so many seconds, such a folder was left by a process that was ended."""


@dataclass(frozen=True, slots=True)
class FilesByContent:
    """Files that belong together, under the name that their content gives them."""

    digest: str
    paths: Mapping[str, Path]
    """Where each lies on this machine, by the name that it has among them."""

    def content(self) -> dict[str, bytes]:
        """Read them all."""
        return {name: path.read_bytes() for name, path in self.paths.items()}


@dataclass(frozen=True, slots=True, eq=False)
class ShippedModel:
    """What workers embed with."""

    card: ModelCard
    files: FilesByContent
    directions: Floats | None
    """The directions of the codes of tokens (`token_codes`); None where the index keeps none."""
    is_uncut: bool
    """Its products of bytes are right only where sums are not cut (`int8_products.sums_are_cut`)."""
    tokenizer: Tokenizer
    """What tells this machine how long texts are, so that workers take those together that go together here."""

    def order(self, texts: Sequence[str]) -> list[int]:
        """Return the positions of texts in the order in which the model takes them alone.

        Products of bytes have one range for all texts of a batch. Only in the same batches are vectors the same.
        """
        return by_length(self.tokenizer, [self.card.passage_prompt + text for text in texts])


def files_by_content(paths: Mapping[str, Path]) -> FilesByContent:
    """Hash some files. Raises OSError."""
    told = "\n".join(f"{name} {checksums.sha256(path)}" for name, path in sorted(paths.items()))
    return FilesByContent(hashlib.sha256(told.encode()).hexdigest()[:32], paths)


def shipped_model(encoder: Encoder, directions: Floats | None) -> ShippedModel:
    """Return the model behind an encoder that was chosen for many passages, as it can be shipped.

    Raises WorkersError where it has no form that a worker could run without the libraries that made it.
    """
    card = encoder.card
    home = model_home.find(card)
    if home is None:
        raise WorkersError(
            f"The model {card.name!r} cannot be shipped to workers: it is not written as ONNX.",
            "Index without --workers.",
        )
    chosen = encoder.model if isinstance(encoder, OnnxEncoder) else None
    tokenizer = model_home.tokenizer_of(home)
    floats = home / model_home.MODEL
    return ShippedModel(
        card,
        files_by_content({model_home.MODEL: chosen or floats, tokenizer.name: tokenizer}),
        directions,
        is_uncut=chosen not in (None, floats) and not sums_are_cut(),
        tokenizer=load_model_tokenizer(home, card),
    )


def lay_out(digest: str, fetch: Callable[[], Mapping[str, bytes]]) -> Path:
    """Return a folder of this machine's cache with files that were shipped; they are fetched where it has none.

    Raises ModelError where others than this user could have put files there, and OSError where it cannot be written.
    """
    folder = model_home.homes_folder().parent / _WORKERS / digest
    if folder.is_dir() and checksums.are_right(folder):
        if not model_home.is_private(folder):
            raise ModelError(f"Others than this user can write into {folder}.", "Delete that folder.")
        return folder
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear_unfinished(folder.parent)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, suffix=_UNFINISHED))  # with mode 0700
    try:
        for name, data in fetch().items():
            (fresh / os.path.basename(name)).write_bytes(data)  # noqa: PTH119 - whatever it is called, it stays here
        checksums.write(fresh, sorted(file.name for file in fresh.iterdir()))
        if folder.exists() and not checksums.are_right(folder):
            shutil.rmtree(folder, ignore_errors=True)
        try:
            fresh.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process of this machine was quicker
                raise
        return folder
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _clear_unfinished(parent: Path) -> None:
    """Delete what workers left that were ended while they laid files out, as all are at the end of a run."""
    for begun in parent.glob(f"*{_UNFINISHED}"):
        with suppress(FileNotFoundError):  # another process clears as well, or is through
            if time.time() - begun.stat().st_mtime > _UNFINISHED_S:
                shutil.rmtree(begun, ignore_errors=True)
