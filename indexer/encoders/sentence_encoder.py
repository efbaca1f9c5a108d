"""The model itself, by sentence-transformers: the default model of the installation, or any by name or folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError
from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL

from . import trust
from .base import KeepTokens, ModelCard, first_line
from .default_model import check_room, default_folder, fingerprint_of_weights
from .tokenizer import token_counter

_BATCH = 32
"""Texts that go through the model at once."""

_TEXTS_WITH_TOKENS = 256
"""Texts whose token vectors are held at once: a vector for each token takes much memory."""

_PROGRAMS = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt", "*.joblib", "*.h5", "*.msgpack", "*.onnx", "*.py")
"""Files of the hub that are not fetched: programs, and weights in forms that are not used."""

_TALKATIVE_LOGGERS = ("sentence_transformers", "transformers", "torch.onnx")
"""Loggers of the libraries that write advice for developers onto the user's terminal."""


class SentenceEncoder:
    """A model loaded by sentence-transformers."""

    def __init__(self, model: Any, card: ModelCard) -> None:
        self.model = model
        self._card = card
        # `verbose` would have transformers warn of words that are too long for the model.
        self._count_tokens = token_counter(partial(model.tokenizer.encode, verbose=False))

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._card

    @property
    def on_cpu(self) -> bool:
        """Whether it runs on the processor; sentence-transformers takes a GPU where there is one."""
        return str(self.model.device.type) == "cpu"

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word, remembered from call to call."""
        return self._count_tokens(word)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension), with the passage prompt in front of each text."""
        return self._encode(self.model.encode_document, texts, self._card.passage_prompt)

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,), with the query prompt in front of the text."""
        vector: Floats = self._encode(self.model.encode_query, [text], self._card.query_prompt)[0]
        return vector

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""
        vectors = np.empty((len(texts), self._card.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        tokenizer = self.model.tokenizer
        special = sorted({*tokenizer.all_special_ids} - {tokenizer.unk_token_id})  # an unknown word is still a word
        for first in range(0, len(order), _TEXTS_WITH_TOKENS):
            positions = order[first : first + _TEXTS_WITH_TOKENS]
            outputs = self.model.encode_document(
                [texts[position] for position in positions],
                prompt=self._card.passage_prompt,
                output_value=None,
                show_progress_bar=False,
                batch_size=_BATCH,
            )
            for position, output in zip(positions, outputs, strict=True):
                vectors[position] = output["sentence_embedding"].float().cpu().numpy()
                present = output["attention_mask"].bool()
                is_text = ~np.isin(output["input_ids"][present].cpu().numpy(), special)
                keep(position, output["token_embeddings"][present].float().cpu().numpy()[is_text])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _encode(self, encode: Any, texts: Sequence[str], prompt: str) -> Floats:
        vectors = encode(
            list(texts), prompt=prompt, normalize_embeddings=True, show_progress_bar=False, batch_size=_BATCH
        )
        return np.asarray(vectors, dtype=np.float32)


def load(
    name: str = DEFAULT_MODEL,
    *,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    may_fetch: bool = False,
) -> SentenceEncoder:
    """Load a model by name or folder, the default model from the installation itself.

    Args:
        name: The name or the folder.
        query_prompt: What wins over the model's own prompt for queries.
        passage_prompt: Likewise for passages.
        may_fetch: A model that is not on this machine may be fetched: the user named it just now. What an index names
            never is, since the index may be a stranger's.

    Raises:
        ModelError: The model cannot be loaded, has no room for text, holds programs that this user never trusted, or
            is the default model with other weights than the published ones, or the multilingual one.
    """
    if name == MULTILINGUAL_MODEL:
        raise ModelError(f"The model {name!r} is run by ONNX Runtime alone.", "Make it ready again: talksearch doctor")
    try:
        folder = default_folder() if name == DEFAULT_MODEL else folder_of(name, may_fetch=may_fetch)
        is_trusted = trust.check(name, folder)
        with quiet_libraries():
            from sentence_transformers import SentenceTransformer  # takes seconds, which a query must never pay

            model = SentenceTransformer(
                str(folder),
                trust_remote_code=is_trusted,
                local_files_only=True,
                model_kwargs=None if is_trusted else {"use_safetensors": True},
            )
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise _not_loaded(name, error) from error
    plain = ModelCard(
        name=name,
        fingerprint=fingerprint_of_weights(folder) if _is_folder(name) else folder.name,
        dimension=int(model.get_embedding_dimension() or len(model.encode("a"))),
        max_tokens=int(model.max_seq_length or 512) - 2,
    )
    encoder = SentenceEncoder(model, plain)
    card = own_card(encoder).with_prompts(query_prompt, passage_prompt, encoder.count_tokens)
    check_room(card)
    return SentenceEncoder(model, card)


def trust_model(name: str) -> None:
    """Note that this user trusts the programs in a model's files as they are now; it is fetched where it is not here.

    Raises ModelError where it cannot be read or fetched. The models that come in a wheel hold none.
    """
    if name in (DEFAULT_MODEL, MULTILINGUAL_MODEL):
        return
    try:
        trust.trust(folder_of(name, may_fetch=True, with_programs=True))
    except (OSError, ValueError) as error:
        raise _not_loaded(name, error) from error


def folder_of(name: str, *, may_fetch: bool, with_programs: bool = False) -> Path:
    """Return the folder of a model: the one that is named, or that in which the hub's library keeps it.

    The name of the latter is the revision. What is fetched are weights and settings; pickles and modules of its own
    only `with_programs`.

    Raises OSError and ValueError, as the hub's library does, where the model is not there and may not be fetched.
    """
    if _is_folder(name):
        return default_folder() if name == DEFAULT_MODEL else Path(name)
    if _names_folder(name):
        raise FileNotFoundError(name)
    from huggingface_hub import snapshot_download  # takes a moment, and most people use no such model

    names = [name] if "/" in name else [f"sentence-transformers/{name}", name]
    tries = [(on_hub, local) for local in ((True, False) if may_fetch else (True,)) for on_hub in names]
    for on_hub, local in tries:
        try:
            folder = Path(
                snapshot_download(
                    on_hub, local_files_only=local, ignore_patterns=None if with_programs else list(_PROGRAMS)
                )
            )
        except (OSError, ValueError):
            if (on_hub, local) == tries[-1]:
                raise
            continue
        # One that was fetched in part, or without its programs, is completed where that may be.
        if not local or not may_fetch or (not with_programs and any(folder.rglob("*.safetensors"))):
            return folder
    raise FileNotFoundError(name)


def own_card(encoder: SentenceEncoder) -> ModelCard:
    """Return the card of a model with the prompts that come with it."""
    prompts = {key: str(value) for key, value in dict(getattr(encoder.model, "prompts", None) or {}).items()}
    passage_prompt = next((prompts[key] for key in ("document", "passage", "corpus") if prompts.get(key)), "")
    return encoder.card.with_prompts(prompts.get("query", ""), passage_prompt, encoder.count_tokens)


def load_same(card: ModelCard) -> SentenceEncoder:
    """Load the model of a card. Raises ModelError as `load` does, and when it is another model by now."""
    encoder = load(card.name, query_prompt=card.query_prompt, passage_prompt=card.passage_prompt)
    if encoder.card != card:
        raise changed_model(card)
    return encoder


def changed_model(card: ModelCard) -> ModelError:
    """Return the error of a model that is another one by now than its card says."""
    return ModelError(
        f"The model {card.name!r} is no longer the one that the index was made with.",
        f"Build the index again with it: talksearch index --rebuild --model {card.name}",
    )


def _not_loaded(name: str, error: Exception) -> ModelError:
    """Return the error of a model that cannot be loaded, with what brings it."""
    if _names_folder(name) and not Path(name).exists():
        return ModelError(
            f"The folder {name} of the model is not there.",
            "Bring it back, or build the index again with another model: talksearch index --rebuild --model NAME",
        )
    what = f"The model {name!r} cannot be loaded: {first_line(error)}"
    if _names_folder(name) or Path(name).exists() or name == DEFAULT_MODEL:
        return ModelError(what, "Give a folder that holds a whole sentence-transformers model.")
    on_hub = name if "/" in name else f"sentence-transformers/{name}"
    return ModelError(what, f"Download it once, where the hub can be reached: hf download {on_hub}")


def _is_folder(name: str) -> bool:
    return name == DEFAULT_MODEL or Path(name).is_dir()


def _names_folder(name: str) -> bool:
    """Say whether the name of a model can only be a folder: on the hub, names are `NAME` or `OWNER/NAME`."""
    return Path(name).is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' progress bars and advice away from the terminal, and leave their settings as they were."""
    from transformers.utils import logging as transformers_logging  # as heavy as the libraries that it quiets

    loggers = [logging.getLogger(name) for name in _TALKATIVE_LOGGERS]
    levels = [logger.level for logger in loggers]
    had_bars = transformers_logging.is_progress_bar_enabled()
    try:
        transformers_logging.disable_progress_bar()
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if had_bars:
            transformers_logging.enable_progress_bar()
