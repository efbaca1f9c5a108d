"""Which encoder an indexing run uses, loaded when it is first needed: an unchanged archive wakes no model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from talksearch.indexer.encoders import model_folder, onnx_encoder, onnx_export, selection
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.encoders.onnx_encoder import OnnxEncoder
from talksearch.indexer.encoders.sentence_encoder import SentenceEncoder, default_card, default_folder, load, load_same
from talksearch.indexer.errors import ModelError
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.settings import DEFAULT_MODEL
from talksearch.indexer.stores import catalog, recipe
from talksearch.indexer.stores.recipe import Recipe

from .sizing import PassageSizer

_SAMPLE = 64
"""Texts that an exported model is checked on, and whose tokens show how tokens differ."""


class EncoderProvider:
    """The encoders of one run on one index.

    For a new index the model is loaded, its recipe written, and the light encoder left beside the index. After that the
    light one does, and for many passages at once the fastest that gives the same vectors.
    """

    def __init__(
        self,
        folder: Path,
        known: Recipe | None,
        model: str | None,
        prompts: tuple[str | None, str | None],
        given: Encoder | None,
    ) -> None:
        """`known` is the index's recipe, None for a new one; an encoder `given` is used for everything."""
        self.notes: list[str] = []
        """Sentences for the user about what works but slowly."""
        self.splitting = known.splitting if known else Splitting()
        self._folder, self._known, self._model, self._prompts = folder, known, model, prompts
        self._encoder = given
        self._bulk = given
        self._loading: Future[SentenceEncoder] | None = None
        if given and not known:
            recipe.write(folder, Recipe(given.card, self.splitting))

    def begin(self) -> None:
        """Begin to load the model in another thread where it will be needed: it takes seconds, mostly of one core."""
        if self._encoder is None and self._known and not model_folder.is_there(self._folder):
            thread = ThreadPoolExecutor(1, "talksearch-loading")
            self._loading = thread.submit(load_same, self._known.model)
            thread.shutdown(wait=False)

    def get(self) -> Encoder:
        """Return an encoder for this index: the light one, or the model itself where there is none yet."""
        if self._encoder is None and self._loading is not None:
            self._encoder = self._loading.result()
        elif self._encoder is None and self._known:
            try:
                self._encoder = onnx_encoder.load(self._folder)
            except ModelError:
                self._encoder = load_same(self._known.model)
        elif self._encoder is None:
            query, passage = self._prompts
            self._encoder = load(self._model or DEFAULT_MODEL, query_prompt=query, passage_prompt=passage)
            recipe.write(self._folder, Recipe(self._encoder.card, self.splitting))
        return self._encoder

    def measure(self) -> PassageSizer:
        """Return how talks are split. Wakes no model where the index, or the default model, has a tokenizer's file."""
        if self._encoder is None and not self._known and (self._model or DEFAULT_MODEL) == DEFAULT_MODEL:
            card = default_card(*self._prompts)
            recipe.write(self._folder, Recipe(card, self.splitting))
            self._known = Recipe(card, self.splitting)
        if self._encoder is None and self._known:
            beside = self._folder / model_folder.FOLDER
            own = beside if model_folder.is_there(self._folder) else None
            if own is None and self._known.model.name == DEFAULT_MODEL:
                own = default_folder()
            if own:
                return PassageSizer(self.splitting, self._known.model.max_tokens, own / "tokenizer.json")
        encoder = self.get()
        return PassageSizer(self.splitting, encoder.card.max_tokens, None, encoder.count_tokens)

    def for_texts(self, texts: Sequence[str], waiting: int = 0) -> Encoder:
        """Return the encoder for passages of which `texts` are a sample, on which a faster one must give the same.

        `waiting` is how many passages are to be embedded with it; the more, the longer the choice may take.
        """
        if self._bulk is None:
            self._bulk, how = self._choose(texts, waiting)
            known = recipe.read(self._folder)
            if known and how:
                recipe.write(self._folder, replace(known, embedded_by=how))
        return self._bulk

    def _any_embedded(self) -> bool:
        if not (self._folder / catalog.FILE_NAME).exists():
            return False
        with closing(catalog.open_catalog(self._folder)) as db:
            return catalog.has_embedded(db)

    def _choose(self, texts: Sequence[str], waiting: int) -> tuple[Encoder, str]:
        encoder = self.get()
        if isinstance(encoder, SentenceEncoder):
            try:
                self._encoder = onnx_export.export(
                    encoder,
                    self._folder,
                    texts[:: -(-len(texts) // _SAMPLE)],
                    learn_directions=not self._any_embedded(),
                )
            except ModelError as error:
                self.notes.append(
                    f"Queries will load the model {encoder.card.name!r} itself, which takes seconds: {error.message}."
                )
                return encoder, "sentence-transformers"
            if not encoder.on_cpu:
                return encoder, "sentence-transformers on a GPU"
            encoder = self._encoder
        if isinstance(encoder, OnnxEncoder) and waiting >= selection.KEPT_WORTH_IT:
            known = selection.remembered(self._folder, encoder, texts)
            if known is not None:
                return known, ""
        if isinstance(encoder, OnnxEncoder) and waiting >= selection.WORTH_IT:
            choice = selection.select_encoder(self._folder, encoder, texts, waiting)
            return choice.encoder, choice.how
        return encoder, ""
