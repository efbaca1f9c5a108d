"""Whisper models, by name or by folder, and what they run on.

A folder and a model that was fetched before are loaded without asking the network for anything. What is not there is
fetched only where somebody named it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from talksearch.indexer.errors import ModelError, UsageError
from talksearch.indexer.process import cores
from talksearch.indexer.talks.language_tags import language_named
from talksearch.indexer.text.untrusted import safe

from .errors import NEEDS_EXTRA

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

DEFAULT_MODEL = "small"
"""What is taken where nothing is named: the smallest that makes usable text of many languages, by the word error rates
of its authors (Radford et al. 2022, arXiv 2212.04356, appendix D). It has 244 million weights; tiny has 39 million."""

_NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Files of a model's folder. Without the last one, faster-whisper would ask the network for it."""
_OTHER_CODES = {"nb": "no", "cmn": "zh", "fil": "tl", "iw": "he", "jv": "jw"}
"""Languages that Whisper has under another code than the one of today (openai/whisper, `whisper/tokenizer.py`)."""
_MOST_THREADS = 8
"""More threads make hardly any difference to one recording."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model."""

    name: str
    """What it is called in what is written down of it: its name, or that of its folder."""
    given: str
    """What names it again: its name, or the path of its folder."""
    whisper: WhisperModel
    languages: tuple[str, ...]
    """Codes of the languages that it knows, as Whisper has them."""
    device: str
    """`cpu` or `cuda`."""
    weights: str
    """Tells models of one name apart: the size of the weights."""


def load_model(name: str | None, tell: Callable[[str], None] = lambda _: None) -> LoadedModel:
    """Load a model.

    Args:
        name: A folder in CTranslate2's format, or a name that faster-whisper knows, which it fetches where it is not
            there yet. None: DEFAULT_MODEL, if it was fetched before.
        tell: Is called with a sentence where something takes long or is not as it might be.

    Raises:
        ModelError: faster-whisper is not installed, or there is no such model, or it cannot be fetched or loaded.
    """
    try:
        import faster_whisper  # noqa: F401 - says early, and in a sentence, whether it is there
    except ImportError as error:
        raise ModelError(*NEEDS_EXTRA) from error
    wanted = name or DEFAULT_MODEL
    folder = Path(wanted).expanduser()
    if not folder.is_dir():
        folder = _fetched(wanted, tell, may_fetch=name is not None)
    missing = [file for file in _NEEDED if not (folder / file).is_file()]
    if missing:
        raise ModelError(
            f"{folder} is no Whisper model in CTranslate2's format: {' and '.join(missing)} is missing."
            if len(missing) == 1
            else f"{folder} is no Whisper model in CTranslate2's format: {', '.join(missing)} are missing.",
            "A model of OpenAI's or of Transformers is converted by ct2-transformers-converter, with"
            " --copy_files tokenizer.json preprocessor_config.json.",
        )
    whisper = _load(folder, tell)
    is_folder = Path(wanted).expanduser().is_dir()
    return LoadedModel(
        name=folder.resolve().name if is_folder else wanted,
        given=str(folder.resolve()) if is_folder else wanted,
        whisper=whisper,
        languages=tuple(whisper.supported_languages),
        device=whisper.model.device,
        weights=str((folder / "model.bin").stat().st_size),
    )


def called(given: str) -> str:
    """Return what a model is called in a sentence, by what names it: a name, or the path of a folder.

    >>> called("small"), called("/models/mine")
    ('the model small', 'the model in /models/mine')
    """
    return f"the model in {safe(given)}" if os.sep in given else f"the model {safe(given)}"


def language_code(name: str, model: LoadedModel) -> str:
    """Return the code by which Whisper knows a language.

    Args:
        name: A BCP 47 tag, or the language's name in English or in itself.
        model: Whose language it shall be.

    Raises:
        UsageError: the model does not know it.
    """
    tag = (language_named(name) or name).replace("_", "-").lower()
    base = tag.partition("-")[0]
    code = _OTHER_CODES.get(base, base)
    if code in model.languages:
        return code
    if len(model.languages) == 1:
        raise UsageError(
            f"What is asked for is {name!r}, and {called(model.given)} knows English only.",
            "Name a model of many languages, such as --model small.",
        )
    raise UsageError(
        f"The language {name!r} is not one of those that {called(model.given)} knows.",
        f"Give one of its codes: {', '.join(sorted(model.languages))}",
    )


def _fetched(name: str, tell: Callable[[str], None], *, may_fetch: bool) -> Path:
    """Return the folder in which faster-whisper keeps a model, fetched where it is not there and somebody named it."""
    from faster_whisper import available_models, download_model

    names = ", ".join(available_models())
    if name.startswith((".", "/", "~")) or (os.sep in name and name.count("/") != 1):
        raise ModelError(f"There is no folder {name}.", "Give the folder of a Whisper model in CTranslate2's format.")
    try:
        return Path(download_model(name, local_files_only=True))
    except ValueError as error:
        raise ModelError(
            f"There is no folder {name!r}, and faster-whisper knows no model of that name.",
            f"It knows {names}. Or give a folder.",
        ) from error
    except OSError:  # of huggingface_hub: it was not fetched yet
        pass
    if not may_fetch:
        raise ModelError(
            f"The Whisper model {name} is not on this machine, and nothing is fetched that was not asked for.",
            f"To have it fetched once (some 500 MB): talksearch transcribe --model {name} FILE. To name one for every"
            ' command: whisper = "NAME or FOLDER" in config.toml, or TALKSEARCH_WHISPER.',
        )
    tell(f"Fetching the Whisper model {name}, once …")
    try:
        return Path(download_model(name))
    except (OSError, RuntimeError, ValueError) as error:  # whatever the network does; huggingface_hub's are OSErrors
        raise ModelError(
            f"The Whisper model {name} is not on this machine and cannot be fetched ({type(error).__name__}).",
            "Try again where the network is there, or copy a model's folder from another machine: --model FOLDER",
        ) from error


def _load(folder: Path, tell: Callable[[str], None]) -> WhisperModel:
    """Load a folder on a graphics card where CTranslate2 sees one that works, else on the processor, with weights in
    bytes.
    """
    import ctranslate2
    import numpy as np
    from faster_whisper import WhisperModel

    threads = min(cores(), _MOST_THREADS)
    try:
        if ctranslate2.get_cuda_device_count():
            try:
                whisper = WhisperModel(str(folder), device="cuda", compute_type="auto")
                # Libraries of CUDA are looked for when they are first needed.
                whisper.encode(np.zeros((whisper.model.n_mels, 3000), np.float32))
                return whisper
            except (RuntimeError, ValueError) as error:
                tell(f"The graphics card cannot be used ({error}); the processor is.")
        return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
    except (RuntimeError, ValueError, OSError, MemoryError) as error:
        raise ModelError(
            f"The Whisper model in {folder} cannot be loaded: {error}.", "Fetch it once more, or name another one."
        ) from error
    except Exception as error:
        raise ModelError(f"The tokenizer in {folder} cannot be read: {error}.", "Fetch the model once more.") from error
