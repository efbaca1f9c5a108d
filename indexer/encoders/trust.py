"""What a model's files may do: weights as data always, programs only where the user said so of these very files.

A pickle is a program: whoever made the file decides what runs when it is loaded (the Python documentation of `pickle`).
So is a module of a model's own. Both are refused unless this user trusted them (`talksearch index --trust`). Trust
belongs to the files' content, and is noted beside the homes of models in the user's cache: never in an index, which may
come from a stranger and name any folder.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.errors import ModelError

from . import checksums, model_home

_NOTED = "trusted.json"
"""The file beside the homes that holds the digests of all that is trusted."""

_PICKLED = frozenset({".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib"})
"""Ends of the names of pickles. Weights that the libraries load are called otherwise: `_WEIGHTS`."""

_WEIGHTS = {"pytorch_model": "model", "adapter_model": "adapter_model"}
"""How the names of pickled weights begin that sentence-transformers and transformers load (they end in `.bin`), and how
those of the same weights as safetensors, which they take first where they are there."""

_LIBRARY = "sentence_transformers."
"""How the type of a module begins that comes with sentence-transformers, whatever its version."""


def programs_in(folder: Path) -> list[Path]:
    """Return the files in a model's folder that would run when it is loaded: pickles, and modules of its own.

    Raises ModelError where the folder cannot be read, or its modules.json is none.
    """
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        modules = _modules_of(folder)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"The model in {folder} cannot be read: {error}.", "Give a folder that holds a whole model."
        ) from error
    found = [path for path in files if _is_pickled(path)]
    if any(not kind.startswith(_LIBRARY) for kind in modules):
        found += [path for path in files if path.suffix == ".py"] or [folder / "modules.json"]
    return found


def check(name: str, folder: Path) -> bool:
    """Say whether a model's folder may run programs of its own; most hold none, and need no trust.

    Raises ModelError where it holds programs and this user never trusted them, or they have changed since.
    """
    programs = programs_in(folder)
    if is_trusted(folder):
        return True
    if programs:
        shown = ", ".join(str(path.relative_to(folder)) for path in programs[:3])
        more = f" and {len(programs) - 3} more" if len(programs) > 3 else ""
        raise ModelError(
            f"The model {name!r} is not loaded: {shown}{more} could run any program on this machine.",
            f"Take the model as safetensors; or, where you trust who made it: talksearch index --trust --model {name}",
        )
    return False


def trust(folder: Path) -> None:
    """Note that this user trusts the files in a model's folder as they are now. Raises ModelError."""
    noted = _noted() | {digest(folder)}
    path = _path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with layout.replace_file(path) as fresh:
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(sorted(noted)) + "\n", encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"That you trust this model cannot be noted in {path}: {error.strerror or error}.",
            "Name a folder that can be written in TALKSEARCH_CACHE.",
        ) from error


def is_trusted(folder: Path) -> bool:
    """Say whether this user trusted exactly these files. Raises ModelError where they cannot be read."""
    noted = _noted()
    return bool(noted) and digest(folder) in noted


def digest(folder: Path) -> str:
    """Return a hash of the names and contents of all files in a folder. Raises ModelError."""
    whole = hashlib.sha256()
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                whole.update(f"{path.relative_to(folder).as_posix()}\0{checksums.sha256(path)}\n".encode())
    except OSError as error:
        raise ModelError(
            f"The model in {folder} cannot be read: {error.strerror or error}.", "Give a folder that can be read."
        ) from error
    return whole.hexdigest()


def _path() -> Path:
    return model_home.homes_folder() / _NOTED


def _noted() -> frozenset[str]:
    """Return the digests that this user noted; none where others could have written them."""
    path = _path()
    try:
        if not (model_home.is_private(path.parent) and model_home.is_private(path)):
            return frozenset()
        noted = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(map(str, noted)) if isinstance(noted, list) else frozenset()


def _is_pickled(path: Path) -> bool:
    """Say whether a file is a pickle that would be loaded: a copy as safetensors beside it comes first."""
    if path.suffix == ".bin":
        stem = next((stem for stem in _WEIGHTS if path.name.startswith(stem)), None)
        return stem is not None and not _has_safetensors(path.parent, _WEIGHTS[stem])
    return path.suffix in _PICKLED and not _has_safetensors(path.parent, "model")


def _has_safetensors(folder: Path, stem: str) -> bool:
    return any(path.name.startswith(stem) for path in folder.glob("*.safetensors"))


def _modules_of(folder: Path) -> list[str]:
    """Return the types of a model's modules; none where the folder does not say. Raises OSError and ValueError."""
    path = folder / "modules.json"
    if not path.exists():
        return []
    modules = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ValueError("its modules.json holds no list of modules")
    return [str(module.get("type", "")) for module in modules]
