"""Which encoder an indexing run uses, loaded when it is first needed: an unchanged archive wakes no model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.encoders import model_folder, onnx_encoder, onnx_export, selection
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.encoders.default_model import default_card, default_folder
from talksearch.indexer.encoders.onnx_encoder import OnnxEncoder
from talksearch.indexer.encoders.sentence_encoder import SentenceEncoder, load, load_same
from talksearch.indexer.errors import ModelError
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.settings import DEFAULT_MODEL
from talksearch.indexer.stores import catalog, recipe
from talksearch.indexer.stores.recipe import Recipe

from .sizing import PassageSizer

Prompts = tuple[str | None, str | None]
"""What is put in front of queries and of passages; None: the model's own prompt."""

_EXPORT_SAMPLE = 64
"""Texts on which an exported model is checked, and whose tokens show how tokens differ."""


class EncoderProvider:
    """The encoders of one run on one index.

    For a new index the model is loaded, its recipe written, and the exported model left beside the index. After that
    the exported model does, and for many passages at once the fastest encoder that gives the same vectors.
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
        self._loading: Future[SentenceEncoder] | None = None
        if given and not known:
            recipe.write(folder, Recipe(given.card, self.splitting))

    def start_loading(self) -> None:
        """Start loading the model in another thread where it will be needed: that takes seconds, mostly of one core."""
        if self._encoder is None and self._known and not model_folder.has_exported_model(self._folder):
            thread = ThreadPoolExecutor(1, "talksearch-loading")
            self._loading = thread.submit(load_same, self._known.model)
            thread.shutdown(wait=False)

    def get(self) -> Encoder:
        """Return an encoder of this index: the exported model, or the model itself where it is not exported yet.

        Raises ModelError.
        """
        if self._encoder is None:
            self._encoder = self._load()
        return self._encoder

    def sizer(self) -> PassageSizer:
        """Return how talks are split. Wakes no model where the index, or the default model, has a tokenizer's file."""
        is_default = (self._model or DEFAULT_MODEL) == DEFAULT_MODEL
        if self._encoder is None and not self._known and is_default:
            self._known = Recipe(default_card(*self._prompts), self.splitting)
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
            waiting: How many passages are to be embedded. The more, the longer the choice may take.
        """
        if self._bulk_encoder is None:
            self._bulk_encoder, description = self._choose(sample, waiting)
            known = recipe.read(self._folder)
            if known and description:
                recipe.write(self._folder, replace(known, embedded_by=description))
        return self._bulk_encoder

    def _load(self) -> Encoder:
        if self._loading is not None:
            return self._loading.result()
        if self._known:
            try:
                return onnx_encoder.load(self._folder)
            except ModelError:
                return load_same(self._known.model)
        query_prompt, passage_prompt = self._prompts
        encoder = load(self._model or DEFAULT_MODEL, query_prompt=query_prompt, passage_prompt=passage_prompt)
        recipe.write(self._folder, Recipe(encoder.card, self.splitting))
        return encoder

    def _tokenizer_file(self, known: Recipe) -> Path | None:
        if model_folder.has_exported_model(self._folder):
            return layout.ENCODER.within(self._folder) / model_folder.TOKENIZER
        return default_folder() / model_folder.TOKENIZER if known.model.name == DEFAULT_MODEL else None

    def _choose(self, sample: Sequence[str], waiting: int) -> tuple[Encoder, str]:
        """Return the encoder for many passages and what the recipe shall say of it; empty leaves that as it is."""
        encoder = self.get()
        if isinstance(encoder, SentenceEncoder):
            exported = self._export(encoder, sample)
            if exported is None:
                return encoder, "sentence-transformers"
            self._encoder = exported
            if not encoder.on_cpu:
                return encoder, "sentence-transformers on a GPU"
            encoder = exported
        if isinstance(encoder, OnnxEncoder) and waiting >= selection.LEAST_TO_REMEMBER:
            remembered = selection.remembered(self._folder, encoder, sample)
            if remembered is not None:
                return remembered, ""
        if isinstance(encoder, OnnxEncoder) and waiting >= selection.LEAST_TO_SELECT:
            choice = selection.select_encoder(self._folder, encoder, sample, waiting)
            return choice.encoder, choice.description
        return encoder, ""

    def _export(self, encoder: SentenceEncoder, sample: Sequence[str]) -> OnnxEncoder | None:
        """Export the model beside the index; None, and a note for the user, where it cannot be exported."""
        try:
            return onnx_export.export(
                encoder,
                self._folder,
                sample[:: -(-len(sample) // _EXPORT_SAMPLE)],
                learn_directions=not self._any_embedded(),
            )
        except ModelError as error:
            self.notes.append(
                f"Queries will load the model {encoder.card.name!r} itself, which takes seconds: {error.message}."
            )
            return None

    def _any_embedded(self) -> bool:
        if not layout.CATALOG.within(self._folder).exists():
            return False
        with closing(catalog.open_catalog(self._folder)) as db:
            return catalog.has_embedded(db)
