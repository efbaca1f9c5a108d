"""Checking the home of a model, and making it again: the part of the doctor that all indexes of a model share."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError

from . import checksums, make_home, model_home, onnx_encoder, query_model
from .base import ModelCard


@dataclass(frozen=True, slots=True)
class HomeProblem:
    """Something about a home that is not as it should be."""

    what: str
    """A sentence."""
    mended: bool
    advice: str = ""
    """What to do about it, where that is something else than to have it mended."""


def check(card: ModelCard, texts: Sequence[str], indexed: Floats, *, mend: bool) -> HomeProblem | None:
    """Check that a model's home is whole, gives passages the vectors of an index, and has its query model.

    Args:
        card: The model that the index was made with.
        texts: Some passages of the index.
        indexed: The vectors that the index holds of these (n, dimension).
        mend: Make again what is not as it should be.

    Returns:
        What is not, or was not before it was mended; None where all is.
    """
    try:
        home = model_home.find(card, thorough=True)
    except ModelError as error:
        return HomeProblem(error.message, False, error.hint)
    if home is None:
        problem = f"The encoder of the model {card.name!r} is missing on this machine, or damaged."
    else:
        problem = onnx_encoder.diagnose(home, card, texts, indexed)
        if not problem:
            return _check_query_model(home, card, mend=mend) or _check_machine_folders(home, mend=mend)
    return _make_again(card, texts, problem) if mend else HomeProblem(problem, False)


def _check_query_model(home: Path, card: ModelCard, *, mend: bool) -> HomeProblem | None:
    if query_model.has_query_model(home, card):
        return None
    what = "The copy of the encoder that starts faster was missing, old or damaged."
    if not mend:
        return HomeProblem(what, False)
    if query_model.ensure_query_model(home, card, check=True) or query_model.has_query_model(home, card):
        return HomeProblem(what, True)
    return HomeProblem(
        f"{what} It cannot be made again, so that a question waits longer for its encoder.",
        False,
        f"Make room on the disk of {home}, or name another folder in TALKSEARCH_CACHE.",
    )


def _check_machine_folders(home: Path, *, mend: bool) -> HomeProblem | None:
    """Check what the home holds for each kind of machine; what is damaged is deleted, and made when it is needed."""
    noted = sorted(file.parent for file in home.glob(f"*/**/{checksums.CHECKSUMS}"))
    damaged = [folder for folder in noted if not checksums.are_right(folder, thorough=True)]
    if not damaged:
        return None
    if mend:
        for folder in damaged:
            shutil.rmtree(folder, ignore_errors=True)
    return HomeProblem("Of what the encoder has for one kind of machine, something was damaged.", mend)


def _make_again(card: ModelCard, texts: Sequence[str], problem: str) -> HomeProblem:
    warnings: list[str] = []
    try:
        model_home.forget(card)
        home = make_home.find_or_make_from_model(card, texts, warnings.append)
    except ModelError as error:
        return HomeProblem(f"{problem} It cannot be made again: {error.message}", False, error.hint)
    if warnings:
        return HomeProblem(f"{problem} {' '.join(warnings)}", False, "Name a folder that can be written.")
    query_model.ensure_query_model(home, card)
    return HomeProblem(f"{problem} It was made again.", True)
