"""Which encoder an indexing run uses, loaded when it is first needed: an unchanged archive wakes no model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.encoders import (
    known_models,
    machine,
    make_home,
    model_home,
    onnx_encoder,
    selection,
    token_codes,
)
from talksearch.indexer.encoders.base import Encoder, ModelCard, TokenEncoder
from talksearch.indexer.encoders.default_model import default_tokenizer
from talksearch.indexer.encoders.onnx_encoder import OnnxEncoder
from talksearch.indexer.encoders.sentence_encoder import SentenceEncoder, load, load_same
from talksearch.indexer.errors import ModelError
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL
from talksearch.indexer.stores import catalog, copy_check, recipe
from talksearch.indexer.stores.recipe import Recipe

from .sizing import PassageSizer

Prompts = tuple[str | None, str | None]
"""What is put in front of queries and of passages; None: the model's own prompt."""

_SAMPLE = 64
"""Texts on which an exported model is checked."""

_LEAST_FOR_GPU = 2_000
"""With fewer passages waiting, loading the model by sentence-transformers takes longer than a GPU saves."""

_ON_GPU = "sentence-transformers on a GPU"


class EncoderProvider:
    """The encoders of one run on one index.

    The exported model in the model's home does, and for many passages at once the fastest encoder that gives the same
    vectors. Where there is no home yet it is made; only a model that cannot be written as ONNX from its files is loaded
    by sentence-transformers for that.
    """

    def __init__(
        self, folder: Path, known: Recipe | None, model: str | None, prompts: Prompts, given: Encoder | None
    ) -> None:
        """Prepare for a run; nothing is loaded.

        Args:
            folder: The index folder.
            known: The recipe of the index; None for a new one.
            model: The model of a new index, by name or folder; None: the default model.
            prompts: The prompts of a new index.
            given: An encoder that takes the place of all others.
        """
        self.notes: list[str] = []
        """Sentences for the user about what works but slowly."""
        self.splitting = known.splitting if known else Splitting()
        self._folder, self._known, self._model, self._prompts = folder, known, model, prompts
        self._encoder = given
        self._bulk_encoder = given
        self._loading: Future[Encoder] | None = None
        if given and not known:
            recipe.write(folder, Recipe(given.card, self.splitting))

    def start_loading(self) -> None:
        """Start loading the model in another thread, where it is known which: that may take seconds of one core."""
        if self._encoder is None and self._known and self._loading is None:
            thread = ThreadPoolExecutor(1, "talksearch-loading")
            self._loading = thread.submit(self._load_known, self._known.model)
            thread.shutdown(wait=False)

    def get(self) -> Encoder:
        """Return an encoder of this index: the exported model, or the model itself where that is not to be had.

        Raises ModelError.
        """
        if self._encoder is None:
            self._encoder = self._load()
        return self._encoder

    def sizer(self) -> PassageSizer:
        """Return how talks are split. Loads no model where the default model is used, or one that has a home."""
        if self._encoder is None and not self._known:
            card = known_models.find(self._model or DEFAULT_MODEL, *self._prompts)
            if card is not None:
                self._known = Recipe(card, self.splitting)
                recipe.write(self._folder, self._known)
        if self._encoder is None and self._known:
            tokenizer = self._tokenizer_file(self._known)
            if tokenizer:
                return PassageSizer(self.splitting, self._known.model.max_tokens, tokenizer)
        encoder = self.get()
        return PassageSizer(self.splitting, encoder.card.max_tokens, None, encoder.count_tokens)

    def bulk_encoder(self, sample: Sequence[str], waiting: int = 0) -> Encoder:
        """Return the encoder for the passages of this run.

        Args:
            sample: Some of the passages, on which a faster encoder must give the same vectors.
            waiting: How many passages are to be embedded. For few of them, nothing is chosen, and no GPU looked for.
        """
        if self._bulk_encoder is None:
            self._bulk_encoder, description = self._choose(sample, waiting)
            self._learn_directions(self._bulk_encoder)
            known = recipe.read(self._folder)
            if known and description:
                recipe.write(self._folder, replace(known, embedded_by=description))
        return self._bulk_encoder

    def _load(self) -> Encoder:
        if self._loading is not None:
            return self._loading.result()
        if self._known:
            return self._load_known(self._known.model)
        query_prompt, passage_prompt = self._prompts
        encoder = load(
            self._model or DEFAULT_MODEL, query_prompt=query_prompt, passage_prompt=passage_prompt, may_fetch=True
        )
        recipe.write(self._folder, Recipe(encoder.card, self.splitting))
        return encoder

    def _load_known(self, card: ModelCard) -> Encoder:
        home = make_home.find_or_make(card, self.notes.append)
        if home is not None:
            with suppress(ModelError):  # onnxruntime is too old for it, or the like
                return onnx_encoder.load(home, card)
        return load_same(card)

    def _tokenizer_file(self, known: Recipe) -> Path | None:
        if known.model.name == DEFAULT_MODEL:
            return default_tokenizer()
        home = model_home.find(known.model)
        if home is None and known.model.name == MULTILINGUAL_MODEL:
            home = make_home.find_or_make(known.model, self.notes.append)
        return None if home is None else model_home.tokenizer_of(home)

    def _choose(self, sample: Sequence[str], waiting: int) -> tuple[Encoder, str]:
        """Return the encoder for many passages and what the recipe shall say of it; empty leaves that as it is."""
        encoder = self.get()
        if isinstance(encoder, SentenceEncoder):
            exported = self._export(encoder, sample)
            if exported is None:
                return encoder, "sentence-transformers"
            self._encoder = exported
            if not encoder.on_cpu:
                return encoder, _ON_GPU
            encoder = exported
        if not isinstance(encoder, OnnxEncoder):
            return encoder, ""
        if waiting >= _LEAST_FOR_GPU and encoder.card.name != MULTILINGUAL_MODEL and machine.may_have_gpu():
            model = load_same(encoder.card)
            if not model.on_cpu:
                return model, _ON_GPU
        home = model_home.find(encoder.card)
        if home is None:  # deleted meanwhile
            return encoder, ""
        if waiting >= selection.LEAST_TO_SELECT:
            choice = selection.choose(home, encoder, sample)
            return choice.encoder, choice.description
        return encoder, ""

    def _export(self, encoder: SentenceEncoder, sample: Sequence[str]) -> OnnxEncoder | None:
        """Export the model into its home; None, and a note for the user, where it cannot be exported."""
        try:
            home = make_home.from_model(encoder, selection.spread(sample, _SAMPLE), self.notes.append)
            return onnx_encoder.load(home, encoder.card)
        except ModelError as error:
            self.notes.append(
                f"Queries will load the model {encoder.card.name!r} itself, which takes seconds: {error.message}."
            )
            return None

    def _learn_directions(self, encoder: Encoder) -> None:
        """Learn in which directions the tokens of the model differ, where the index does not know yet.

        That is done only before any passage is embedded: codes that were made along other directions would mean
        nothing. Where queries get no vectors of their tokens, as the model is not exported, neither does the index.
        """
        exported = self._encoder
        if not isinstance(exported, OnnxEncoder) or not exported.has_token_vectors:
            return
        if not isinstance(encoder, TokenEncoder):
            return
        if self._has_directions() or self._any_embedded():
            return
        token_codes.write(self._folder, token_codes.of_model(exported))

    def _has_directions(self) -> bool:
        """Say whether there are directions, and this catalog's own: one that is gone may have left its own."""
        if token_codes.read(self._folder) is None or not layout.CATALOG.within(self._folder).exists():
            return token_codes.read(self._folder) is not None
        with closing(catalog.open_catalog(self._folder)) as db:
            return not copy_check.has_directions_of_another(self._folder, db)

    def _any_embedded(self) -> bool:
        if not layout.CATALOG.within(self._folder).exists():
            return False
        with closing(catalog.open_catalog(self._folder)) as db:
            return catalog.has_embedded(db)
