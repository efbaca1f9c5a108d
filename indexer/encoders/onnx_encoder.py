"""The light encoder: the index's model as ONNX, beside the index, for queries and for building fast.

It starts in a fraction of a second because it needs only onnxruntime and tokenizers. `export` makes it from a loaded
sentence-transformers model and keeps it only if it gives the same vectors.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import tokenizers
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from talksearch.indexer.errors import ModelError
from talksearch.indexer.stores.vectors import Floats, Ints

from . import int8_blockwise, token_codes
from .base import (
    DEFAULT_MAX_TOKENS,
    AskedTokens,
    KeepTokens,
    ModelCard,
    SentenceEncoder,
    default_folder,
    first_line,
    load_same,
)

FOLDER = "encoder"
MODEL, _TOKENIZER, _CARD = "model.onnx", "tokenizer.json", "card.json"
_VECTOR_ONLY = ["embedding"]

_FAILED = (
    onnx_errors.Fail,
    onnx_errors.InvalidArgument,
    onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf,
    onnx_errors.NoModel,
    onnx_errors.NoSuchFile,
    onnx_errors.NotImplemented,
    onnx_errors.RuntimeException,
    OSError,
    ValueError,  # a message that quotes damaged bytes is no text
)

SAME_COSINE = 0.999
"""How near to the model's own a vector must be for two encoders to count as the same."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of like length, as the model takes them."""

    rows: list[int]
    """Which texts they are."""
    ids: Ints
    """Token ids (n, length); padding has id 0."""
    mask: Ints
    """1 where there is a token (n, length)."""
    own: npt.NDArray[np.bool_]
    """Where there is a token of the text, not a mark that the model puts around it (n, length)."""


class LightEncoder:
    """A model that was exported to ONNX."""

    def __init__(self, folder: Path, card: ModelCard, session: onnxruntime.InferenceSession) -> None:
        """Load it from its folder, the model itself as a session that was started."""
        self._session = session
        self._tokenizer = tokenizer(folder, card)
        self._card = card
        self._tokens = cache(self._count)

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._card

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word, remembered from call to call."""
        return self._tokens(word)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension), with the passage prompt in front of each text."""
        return self._encode([self._card.passage_prompt + text for text in texts])

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,), with the query prompt in front of the text."""
        row: Floats = self._encode([self._card.query_prompt + text])[0]
        return row

    @property
    def knows_tokens(self) -> bool:
        """Whether the model gives a vector to each token."""
        return len(self._session.get_outputs()) > 1

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""
        return self._encode([self._card.passage_prompt + text for text in texts], keep)

    def encode_query_by_token(self, text: str) -> AskedTokens:
        """Return what `encode_query` returns, and the vectors of the query's tokens, if the model gives them."""
        found = self._tokenizer.encode(self._card.query_prompt + text)
        ids = np.array([found.ids], np.int64)
        vectors, *others = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        if not others:
            return AskedTokens(vectors[0], np.empty((0, 0), np.float32), ())
        prompt = len(self._card.query_prompt)
        offsets = found.offsets  # a list that is made anew whenever it is asked for
        own = [at for at in _own(found) if offsets[at][1] > prompt]
        spans = tuple((max(0, offsets[at][0] - prompt), offsets[at][1] - prompt) for at in own)
        return AskedTokens(vectors[0], others[0][0][own], spans)

    def _encode(self, texts: Sequence[str], keep: KeepTokens | None = None) -> Floats:
        vectors = np.empty((len(texts), self._card.dimension), np.float32)
        names = None if keep else _VECTOR_ONLY
        for batch in batches(self._tokenizer, texts):
            found = self._session.run(names, {"input_ids": batch.ids, "attention_mask": batch.mask})
            vectors[batch.rows] = found[0]
            if keep:
                for row, own, every in zip(batch.rows, batch.own, found[1], strict=True):
                    keep(row, every[own])
        return vectors

    def _count(self, word: str) -> int:
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids)


def _own(encoding: tokenizers.Encoding) -> list[int]:
    """Return which tokens are the text's own, not marks that the model puts around it."""
    return [at for at, mark in enumerate(encoding.special_tokens_mask) if not mark]


def load(folder: Path, *, queries: bool = False, once: bool = False) -> LightEncoder:
    """Load the light encoder of an index folder. Raises ModelError when there is none, or it is damaged.

    `queries`: it will encode no more than a text at a time. `once`: and hardly more than one in all, so that starting
    counts for more than running.
    """
    try:
        card = _read_card(folder)
        session = _session(folder / FOLDER, queries or once, once)
        return LightEncoder(folder / FOLDER, card, session)
    except FileNotFoundError as error:
        raise ModelError(f"The index {folder} has no light encoder.", _MAKE_AGAIN) from error
    except Exception as error:
        raise ModelError(
            f"The encoder in {folder / FOLDER} cannot be loaded: {first_line(error).rstrip('.')}.", _MAKE_AGAIN
        ) from error


_MAKE_AGAIN = "Make it again: talksearch doctor"


def problem(folder: Path, card: ModelCard, texts: Sequence[str], known: Floats) -> str:
    """Say what is wrong with the light encoder of an index that was made with the model of a card; empty where nothing
    is.

    `known` are the vectors that the index has of some of its passages (n, dimension).
    """
    try:
        light = load(folder)
        if light.card != card:
            return f"The encoder in {folder / FOLDER} is of another model than the index."
        found = light.encode_passages(texts) if len(texts) else known
        light.encode_query("word")
    except ModelError as error:
        return error.message
    except _FAILED as error:
        return f"The encoder in {folder / FOLDER} does not run: {first_line(error).rstrip('.')}."
    if len(texts) and not float(np.median((found * known).sum(axis=1))) >= _KNOWN_COSINE:
        return f"The encoder in {folder / FOLDER} gives other vectors than those of the index."
    return ""


_KNOWN_COSINE = 0.99
"""How near to what the index has a vector must usually be: many passages may have been embedded in 8 bits, and `fast`
allows no single one to be further off.
"""


def _read_card(folder: Path) -> ModelCard:
    return ModelCard(**json.loads((folder / FOLDER / _CARD).read_text(encoding="utf-8")))


def is_there(folder: Path) -> bool:
    """Say whether an index folder has a light encoder, without looking into it."""
    return (folder / FOLDER / _CARD).exists()


def make_again(folder: Path, card: ModelCard, sample: Sequence[str]) -> LightEncoder:
    """Export the model of an index once more: `export`. Raises ModelError also where the model cannot be loaded, or is
    another one by now.
    """
    return export(load_same(card), folder, sample or ["word"])


def quicken(folder: Path, *, check: bool = False) -> bool:
    """Leave beside the light encoder a second copy of it for queries, which starts in a quarter of the time and, with
    weights in bytes (`blockwise`), runs in two thirds of the time. Returns whether it did.

    The graph is as onnxruntime rewrites it for itself, and the weights are a file of their own, which is mapped and not
    read: a query touches a few rows of the table of tokens. It belongs to one version of onnxruntime and one model
    (`_quick`), takes at most as much disk as the model, and may be deleted. It is kept only if it gives the same
    vectors, or with bytes nearly the same and sooner than with floats.

    A copy that is there stays, unless half of it is missing or, with `check`, which takes as long as to make it, it
    does not start or gives other vectors.
    """
    model = folder / FOLDER / MODEL
    if not model.exists():
        return False
    if is_quick(folder) if check else any(map(_whole, _quick(model))):
        return False
    for old in model.parent.glob("quick-*"):
        old.unlink()
    return _quicken_with_bytes(folder, model) or _quicken_with_floats(folder, model)


def _quicken_with_bytes(folder: Path, model: Path) -> bool:
    quick, narrowed = _quick(model)[0], model.with_name("narrowed.onnx")
    try:
        _start(model, _options())  # what is damaged is told here, and onnx need not tell it
        found = _made(folder, narrowed, quick) if int8_blockwise.write(model, narrowed) else None
    except _FAILED:
        found = None
    finally:
        narrowed.unlink(missing_ok=True)
    if found and found.seconds < found.seconds_of_model:
        return True
    _remove(quick)
    return False


def _quicken_with_floats(folder: Path, model: Path) -> bool:
    return _made(folder, model, _quick(model)[1]) is not None


def _made(folder: Path, model: Path, quick: Path) -> _Compared | None:
    """Make a copy for queries of a model; None, and no copy, where that cannot be done or its vectors are others."""
    try:
        if _rewrite(model, quick) and (found := _compare(folder, quick)).same:
            return found
    except _FAILED:  # without this copy all works, only slower
        pass
    _remove(quick)
    return None


def is_quick(folder: Path) -> bool:
    """Say whether the copy for queries is there, starts, and gives the vectors of the model beside it, or nearly."""
    model = folder / FOLDER / MODEL
    try:
        return any(_whole(quick) and _compare(folder, quick).same for quick in _quick(model))
    except _FAILED:
        return False


_FAR_COSINE = 0.995
"""How near to the model's own each vector of a copy with bytes must be; all of them in the mean, and each of a copy
with floats, `SAME_COSINE`."""


def _rewrite(model: Path, quick: Path) -> bool:
    """Write a model as onnxruntime rewrites it for itself, with its weights in a file of their own. Returns False where
    it cannot.
    """
    fresh = quick.with_name(f"fresh-{quick.name}")
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED  # for any processor
    options.optimized_model_filepath = str(fresh)
    options.add_session_config_entry(
        "session.optimized_model_external_initializers_file_name", quick.with_suffix(".bin").name
    )
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    try:
        _start(model, options)
        fresh.replace(quick)
        return True
    except _FAILED:  # an older onnxruntime may not know how to multiply bytes
        return False
    finally:
        fresh.unlink(missing_ok=True)


def _remove(quick: Path) -> None:
    for path in (quick, quick.with_suffix(".bin")):
        path.unlink(missing_ok=True)


def _whole(quick: Path) -> bool:
    """Say whether both files of a copy are there, without looking into them."""
    try:
        return all(path.stat().st_size for path in (quick, quick.with_suffix(".bin")))
    except FileNotFoundError:
        return False


@dataclass(frozen=True, slots=True)
class _Compared:
    """A copy for queries beside the model: cosines of their vectors, and how long each took for all queries."""

    cosine: float
    lowest: float
    least: float
    """How low the lowest may be."""
    seconds: float
    seconds_of_model: float

    @property
    def same(self) -> bool:
        """Whether its vectors are near enough; damaged weights may give what is no number."""
        return self.cosine >= SAME_COSINE and self.lowest >= self.least


def _compare(folder: Path, quick: Path) -> _Compared:
    from talksearch.indexer.stores.calibration import NULL_QUERIES  # a query does not wait for it

    alone = _options()
    alone.intra_op_num_threads = 1
    model, card = folder / FOLDER / MODEL, _read_card(folder)
    sessions = _start(quick, _for_queries()), _start(model, alone)
    encoders = [LightEncoder(folder / FOLDER, card, session) for session in sessions]
    times, cosines = [0.0, 0.0], []
    for at, text in enumerate(NULL_QUERIES[: _COMPARED + 1]):
        vectors = []
        for which, encoder in enumerate(encoders):
            started = perf_counter()
            vectors.append(encoder.encode_query(text))
            if at:  # the first takes longer
                times[which] += perf_counter() - started
        cosines.append(float(vectors[0] @ vectors[1]))
    least = _FAR_COSINE if quick == _quick(model)[0] else SAME_COSINE
    return _Compared(float(np.mean(cosines)), float(np.min(cosines)), least, *times)


_COMPARED = 32
"""Queries on which a copy is compared with the model."""


def _quick(model: Path) -> tuple[Path, Path]:
    """Return where copies of a model for queries are: with weights in bytes, with weights in floats. There is one."""
    name = f"quick-{onnxruntime.__version__}-{model.stat().st_size}"
    return model.with_name(f"{name}-bytes.onnx"), model.with_name(f"{name}-floats.onnx")


def _session(folder: Path, queries: bool, once: bool) -> onnxruntime.InferenceSession:
    model = folder / MODEL
    if queries:
        in_bytes, in_floats = _quick(model)
        for quick in (in_bytes, in_floats):
            options = _for_queries()
            if once and quick == in_floats:  # packing floats for the processor takes longer than it saves
                options.add_session_config_entry("session.disable_prepacking", "1")
            try:
                return _start(quick, options)
            except _FAILED:  # missing, or of another version: the model itself does as well
                pass
    options = _options()
    if queries:
        options.intra_op_num_threads = 1
    return _start(model, options)


def _for_queries() -> onnxruntime.SessionOptions:
    """Return the options for a copy that was rewritten. One text is too little work to share out, and threads that wait
    for more would take time from other queries.
    """
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return options


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


def _start(model: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def default_counter(folder: Path) -> tuple[Callable[[str], int], int]:
    """Return (how to count a word's tokens, how many fit): by the index's own tokenizer, or the default model's."""
    try:
        card = _read_card(folder)
        loaded = tokenizers.Tokenizer.from_file(str(folder / FOLDER / _TOKENIZER))
        room = card.max_tokens
    except FileNotFoundError:
        loaded = tokenizers.Tokenizer.from_file(str(default_folder() / _TOKENIZER))
        room = DEFAULT_MAX_TOKENS
    loaded.no_truncation()
    loaded.no_padding()  # the default's file pads every text to 128 tokens
    return cache(lambda word: len(loaded.encode(word, add_special_tokens=False).ids)), room


def tokenizer(folder: Path, card: ModelCard) -> tokenizers.Tokenizer:
    """Load the exported tokenizer, cutting texts at what fits the model."""
    loaded = tokenizers.Tokenizer.from_file(str(folder / _TOKENIZER))
    loaded.no_padding()
    prompt = max(
        len(loaded.encode(text, add_special_tokens=False).ids) for text in (card.query_prompt, card.passage_prompt)
    )
    loaded.enable_truncation(card.max_tokens + 2 + prompt)
    return loaded


def batches(encode: tokenizers.Tokenizer, texts: Sequence[str], size: int = 32, multiple: int = 1) -> Iterator[Batch]:
    """Yield the texts as batches for the model, those of like length together; lengths are multiples of `multiple`."""
    every = encode.encode_batch(list(texts))
    lengths = [len(one) for one in every]
    order = sorted(range(len(every)), key=lengths.__getitem__)
    for at in range(0, len(order), size):
        rows = order[at : at + size]
        shape = len(rows), -(-max(lengths[row] for row in rows) // multiple) * multiple
        ids, mask, own = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
        for line, row in enumerate(rows):
            ids[line, : lengths[row]] = every[row].ids
            mask[line, : lengths[row]] = 1
            own[line, : lengths[row]] = np.array(every[row].special_tokens_mask) == 0
        yield Batch(rows, ids, mask, own)


def export(encoder: SentenceEncoder, folder: Path, sample: Sequence[str]) -> LightEncoder:
    """Write the light encoder of a model into an index folder and return it.

    `sample` is text of the archive on which both must agree, and whose tokens show in which directions tokens differ
    (`tokens`), which is asked only before any passage is embedded: codes that were made along others would mean
    nothing. Raises ModelError when the model cannot be exported or the two disagree; the index then works with
    sentence-transformers itself.
    """
    import torch

    model = encoder.model
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    (target / _CARD).unlink(missing_ok=True)  # written last: without it there is no encoder, whatever else is there
    for old in (*target.glob("quick-*"), *target.glob("bytes-*")):
        old.unlink()
    fast = getattr(model.tokenizer, "backend_tokenizer", None)
    if fast is None:
        raise ModelError("its tokenizer is not one that the tokenizers library can run")
    fast.save(str(target / _TOKENIZER))
    device = model.device
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _pipeline(model.to("cpu").eval()),
                (torch.ones((2, 4), dtype=torch.int64), torch.ones((2, 4), dtype=torch.int64)),
                str(target / MODEL),
                input_names=["input_ids", "attention_mask"],
                output_names=[*_VECTOR_ONLY, "tokens"],
                dynamic_axes={
                    "input_ids": {0: "n", 1: "t"},
                    "attention_mask": {0: "n", 1: "t"},
                    "embedding": {0: "n"},
                    "tokens": {0: "n", 1: "t"},
                },
                opset_version=17,
                dynamo=False,  # the newer exporter needs onnxscript as well
            )
        light = LightEncoder(target, encoder.card, _start(target / MODEL, _options()))
        ours, theirs = _by_token(light, sample)
        worst = agreement(light, encoder, sample[:_CHECKED], ours[:_CHECKED])
    except Exception as error:
        raise ModelError(f"it cannot be exported: {str(error).splitlines()[0] if str(error) else error!r}") from error
    finally:
        model.to(device)
    if not worst >= SAME_COSINE:
        raise ModelError(f"its export gives other vectors (cosine {worst:.4f})")
    if theirs is not None and token_codes.read(folder) is None and not _has_embedded(folder):
        token_codes.write(folder, token_codes.learn(theirs))
    (target / _CARD).write_text(json.dumps(encoder.card.as_json()), encoding="utf-8")
    return light


def _has_embedded(folder: Path) -> bool:
    from talksearch.indexer.stores import catalog  # whoever only encodes a query need not wait for it

    if not (folder / catalog.FILE_NAME).exists():
        return False
    with closing(catalog.open_catalog(folder)) as db:
        return db.execute("SELECT 1 FROM passages WHERE embedded LIMIT 1").fetchone() is not None


_CHECKED = 32
"""Texts on which an export is compared with the model itself. What it gets wrong it gets wrong of nearly any."""


def _by_token(encoder: LightEncoder, texts: Sequence[str]) -> tuple[Floats, Floats | None]:
    """Return the vectors of passages (n, dimension) and those of all their tokens, if the model gives them."""
    if not encoder.knows_tokens:
        return encoder.encode_passages(texts), None
    found: list[Floats] = []
    vectors = encoder.encode_by_token(texts, lambda _, own: found.append(np.array(own)))
    return vectors, np.concatenate(found)


def agreement(one: Any, other: Any, sample: Sequence[str], known: Floats | None = None) -> float:
    """Return the lowest cosine between the vectors that two encoders give the same passages and queries.

    `known` are those of the first for the passages, where they are known (n, dimension).
    """
    ours = one.encode_passages(sample) if known is None else known
    passages = (ours * other.encode_passages(sample)).sum(axis=1)
    queries = [float(one.encode_query(text) @ other.encode_query(text)) for text in sample[:4]]
    return min(float(passages.min()), *queries)


def _pipeline(model: Any) -> Any:
    """Return a torch module that takes token ids and a mask through all modules of the model, to the vector and, where
    the model has them, the vectors of the tokens.
    """
    import torch

    needs_types = "token_type_ids" in model.tokenizer.model_input_names

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            if needs_types:
                features["token_type_ids"] = torch.zeros_like(input_ids)
            for module in self.model:
                features = module(features)
            vector = torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)
            found = features.get("token_embeddings")
            by_token = found is not None and found.shape[:2] == input_ids.shape  # else there are no vectors of tokens
            return (vector, found) if by_token else vector

    return Pipeline()
