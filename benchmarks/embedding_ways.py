"""Ways to embed an archive faster that were tried, beside the one that an indexing run takes.

    python benchmarks/embedding_ways.py [--archive DIR] [--passages N] [--only speed|late|layers]

- speed: passages a second of `SentenceTransformer.encode`, of the exported model, of its copy with products of bytes,
  of OpenVINO and CTranslate2 where they are installed, on the same texts, in turn, and how near the vectors are
- late: a stretch of several passages that overlap goes through the model once, and the vector of each passage is the
  mean of its tokens there (late chunking, Günther et al. 2024, arXiv:2409.04701): how many tokens less, and what
  it does to finding
- layers: only the first layers, with a linear map to the model's own vectors that was fitted on other talks

Finding is success@5 and MRR@10 of the gold queries of the talks, by meaning alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import onnxruntime
from about import about
from build import SHARED, Passage, _index, _talks

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import make_home, onnx_encoder, selection
from talksearch.indexer.encoders.default_model import default_card, default_folder
from talksearch.indexer.encoders.model_home import MODEL, TOKENS_OUTPUT
from talksearch.indexer.encoders.onnx_encoder import OnnxEncoder
from talksearch.indexer.encoders.onnx_session import session_options
from talksearch.indexer.encoders.tokenizer import batches, load_model_tokenizer
from talksearch.indexer.process import cores
from talksearch.indexer.stores import catalog
from talksearch.search.evaluation import measure
from talksearch.search.evaluation.measure import GoldQuery

Encode = Callable[[Sequence[str]], Floats]

PARTS = 6
"""Parts of the texts; each way takes one in turn."""

LEAST_OVERLAP = 5
"""Tokens that two passages must share at the least to count as neighbours in a stretch."""


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, default=SHARED / "archive" / "nyu")
    parser.add_argument("--passages", type=int, default=4_000, help="passages of the talks that are searched")
    parser.add_argument("--texts", type=int, default=768, help="texts by which speed is measured")
    parser.add_argument("--only", choices=["speed", "late", "layers"])
    options = parser.parse_args()
    for key, value in about("torch", "sentence-transformers", "onnxruntime", "numpy").items():
        print(f"{key}: {value}")
    card = default_card()
    home = make_home.find_or_make(card, print)
    assert home
    golds = [gold for path in sorted((SHARED / "gold").glob("*.jsonl")) for gold in measure.read_gold(path)]
    with tempfile.TemporaryDirectory() as scratch:
        _index(Path(scratch) / "words", options.archive, stop_after="embedding")
        with catalog.open_catalog(Path(scratch) / "words") as db:
            every = [row[0] for row in db.execute("SELECT text FROM passages WHERE field = 'speech' ORDER BY number")]
            talks = _talks(db, golds, options.passages)
    if options.only in (None, "speed"):
        _speed(home, every[:: max(1, len(every) // options.texts)][: options.texts], every)
    if options.only in (None, "late"):
        _late(home, talks)
    if options.only in (None, "layers"):
        _layers(home, talks, every)
    return 0


# ---------------------------------------------------------------------------------------------------------- speed


def _speed(home: Path, texts: Sequence[str], every: Sequence[str]) -> None:
    from sentence_transformers import SentenceTransformer

    card = default_card()
    plain = SentenceTransformer(str(default_folder()), device="cpu")
    exported = onnx_encoder.load(home, card)
    choice = selection.choose(home, exported, every[:: max(1, len(every) // 4_096)])
    ways: dict[str, Encode] = {
        "SentenceTransformer.encode": lambda some: np.asarray(
            plain.encode(list(some), batch_size=32, normalize_embeddings=True), np.float32
        ),
        "exported, 32 at a time": exported.encode_passages,
        "exported, a batch a core": onnx_encoder.load_bulk(home, card, home / MODEL).encode_passages,
        "what a run takes": choice.encoder.encode_passages,
    }
    if importlib.util.find_spec("openvino") is not None:
        from talksearch.indexer.encoders.openvino_encoder import OpenVinoEncoder, can_run

        if can_run():
            ways["OpenVINO in bfloat16"] = OpenVinoEncoder(home, card).encode_passages
    with tempfile.TemporaryDirectory() as scratch:
        if importlib.util.find_spec("ctranslate2") is not None:
            ways["CTranslate2 in int8"] = _ctranslate2(home, Path(scratch) / "model")
        print(f"\nspeed, {len(texts)} passages in {PARTS} parts, each in turn; a run takes: {choice.description}")
        _in_turn(ways, texts)


def _in_turn(ways: dict[str, Encode], texts: Sequence[str]) -> None:
    clock: dict[str, list[float]] = {name: [] for name in ways}
    busy: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, list[Floats]] = {name: [] for name in ways}
    for encode in ways.values():
        encode(texts[:32])
    for part in range(PARTS):
        for name in list(ways)[:: 1 if part % 2 else -1]:
            at, cpu = perf_counter(), process_time()
            vectors[name].append(ways[name](texts[part::PARTS]))
            clock[name].append(perf_counter() - at)
            busy[name].append(process_time() - cpu)
    first = next(iter(ways))
    own = np.concatenate(vectors[first])
    print(f"  {'':<28}{'a second':>9}{'times':>7}{'of processor':>14}{'cosine':>9}{'lowest':>8}")
    for name in ways:
        cosines = (np.concatenate(vectors[name]) * own).sum(axis=1)
        times, of_processor = (float(np.median(np.divide(kind[first], kind[name]))) for kind in (clock, busy))
        print(
            f"  {name:<28}{len(texts) / sum(clock[name]):9.1f}{times:7.2f}{of_processor:14.2f}"
            f"{cosines.mean():9.4f}{cosines.min():8.4f}"
        )


def _ctranslate2(home: Path, folder: Path) -> Encode:
    import ctranslate2
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(default_folder())).convert(str(folder))
    encoder = ctranslate2.Encoder(str(folder), compute_type="int8", inter_threads=cores(), intra_threads=1)
    tokenizer = load_model_tokenizer(home, default_card())

    def encode(texts: Sequence[str]) -> Floats:
        vectors = np.empty((len(texts), default_card().dimension), np.float32)

        def run(batch: Any) -> None:
            ids = [row[: int(mask.sum())].tolist() for row, mask in zip(batch.ids, batch.mask, strict=True)]
            hidden = np.array(encoder.forward_batch(ids).last_hidden_state)
            vectors[batch.rows] = _normalised((hidden * batch.mask[:, :, None]).sum(axis=1))

        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(run, batches(tokenizer, texts, size=4)))
        return vectors

    return encode


# ----------------------------------------------------------------------------------------- late chunking, fewer layers


def _late(home: Path, talks: Sequence[tuple[list[Passage], list[GoldQuery]]]) -> None:
    card = default_card()
    tokenizer = load_model_tokenizer(home, card)
    special = tokenizer.encode("").ids
    session = onnxruntime.InferenceSession(str(home / MODEL), session_options())
    encoder = onnx_encoder.load_bulk(home, card, home / MODEL)
    passages = [
        [encoding.ids[1:-1] for encoding in tokenizer.encode_batch([text for _, text in rows])] for rows, _ in talks
    ]
    own = encoder.encode_passages([text for rows, _ in talks for _, text in rows])
    queries = _queries(encoder, talks)
    right = _found(talks, own, queries)
    tokens = sum(len(ids) + 2 for talk in passages for ids in talk)
    print(f"\nlate chunking, {len(own):,} passages, {len(queries)} queries; alone: {_said(right, right)}")
    for most in (2, 3, 4):
        stretches = [stretch for talk in passages for stretch in _stretches(talk, most, card.max_tokens)]
        vectors: list[Floats] = []
        for ids, parts in stretches:
            given = np.array([[special[0], *ids, special[1]]], np.int64)
            (states,) = session.run([TOKENS_OUTPUT], {"input_ids": given, "attention_mask": np.ones_like(given)})
            vectors += [states[0][1 + start : 1 + end].mean(axis=0) for start, end in parts]
        pooled = _normalised(np.array(vectors))
        share = tokens / sum(len(ids) + 2 for ids, _ in stretches)
        cosine = float((pooled * own).sum(axis=1).mean())
        said = _said(_found(talks, pooled, queries), right)
        print(f"  up to {most} at once: 1/{share:.2f} of the tokens, cosine {cosine:.4f}; {said}")


def _stretches(passages: Sequence[list[int]], most: int, limit: int) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """Return the tokens of stretches of up to `most` passages that overlap, and where each passage lies in them."""
    found: list[tuple[list[int], list[tuple[int, int]]]] = []
    for place, ids in enumerate(passages):
        if found and len(found[-1][1]) < most:
            whole, parts = found[-1]
            before = passages[place - 1]
            shared = next((n for n in range(min(len(before), len(ids)), 0, -1) if before[-n:] == ids[:n]), 0)
            if shared >= LEAST_OVERLAP and len(whole) + len(ids) - shared <= limit:
                parts.append((len(whole) - shared, len(whole) - shared + len(ids)))
                whole += ids[shared:]
                continue
        found.append((list(ids), [(0, len(ids))]))
    return found


def _layers(home: Path, talks: Sequence[tuple[list[Passage], list[GoldQuery]]], every: Sequence[str]) -> None:
    import onnx

    proto = onnx.load(str(home / MODEL))
    ends = [node.output[0] for node in proto.graph.node if node.op_type == "LayerNormalization"][2::2]
    for end in ends:
        proto.graph.output.append(onnx.helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(proto.SerializeToString(), session_options())
    tokenizer = load_model_tokenizer(home, default_card())

    def means(texts: Sequence[str]) -> Floats:
        """The mean of the tokens behind each layer (layers, n, width)."""
        found = np.empty((len(ends), len(texts), default_card().dimension), np.float32)
        for batch in batches(tokenizer, texts):
            states = session.run(ends, {"input_ids": batch.ids, "attention_mask": batch.mask})
            for layer, state in enumerate(states):
                found[layer][batch.rows] = (state * batch.mask[:, :, None]).sum(axis=1) / batch.mask.sum(axis=1)[
                    :, None
                ]
        return found

    texts = [text for rows, _ in talks for _, text in rows]
    asked = set(texts)
    others = [text for text in every if text not in asked]
    known, fitted = means(texts), means(others[:: max(1, len(others) // len(texts))])
    queries = _queries(onnx_encoder.load(home, default_card()), talks)
    own = _normalised(known[-1])
    right = _found(talks, own, queries)
    print(f"\nfewer layers, fitted on {fitted.shape[1]:,} passages of other talks; all: {_said(right, right)}")
    for layer in range(2, len(ends) - 1):
        given = np.c_[fitted[layer], np.ones(fitted.shape[1], np.float32)]
        line, *_ = np.linalg.lstsq(given, fitted[-1], rcond=None)
        vectors = _normalised(np.c_[known[layer], np.ones(len(texts), np.float32)] @ line)
        cosine = float((vectors * own).sum(axis=1).mean())
        print(f"  {layer + 1} of {len(ends)}: cosine {cosine:.4f}; {_said(_found(talks, vectors, queries), right)}")


def _normalised(vectors: Any) -> Floats:
    rows: Floats = np.asarray(vectors, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _queries(encoder: OnnxEncoder, talks: Sequence[tuple[list[Passage], list[GoldQuery]]]) -> Floats:
    return np.array([encoder.encode_query(gold.query) for _, golds in talks for gold in golds])


def _found(talks: Sequence[tuple[list[Passage], list[GoldQuery]]], vectors: Floats, queries: Floats) -> Floats:
    """Return of each query whether an answer is among the nearest five, and 1 / the rank of the first of ten (n, 2)."""
    talk_of = np.repeat(np.arange(len(talks)), [len(rows) for rows, _ in talks])
    starts = [start_ms for rows, _ in talks for start_ms, _ in rows]
    rows = []
    golds = [(talk, gold) for talk, (_, some) in enumerate(talks) for gold in some]
    for (talk, gold), query in zip(golds, queries, strict=True):
        best = np.argsort(-(vectors @ query), kind="stable")[:10].tolist()
        ranks = [
            rank
            for rank, one in enumerate(best, 1)
            if talk_of[one] == talk and measure.jump_error(gold, starts[one]) is not None
        ]
        rows.append((float(bool(ranks) and ranks[0] <= 5), 1 / ranks[0] if ranks else 0.0))
    return np.array(rows)


def _said(found: Floats, beside: Floats) -> str:
    words = []
    for column, name in enumerate(("success@5", "MRR@10")):
        change = found[:, column] - beside[:, column]
        error = change.std() / np.sqrt(len(change))
        words.append(
            f"{name} {found[:, column].mean():.4f}" + (f" ({change.mean():+.4f} ± {error:.4f})" if error else "")
        )
    return ", ".join(words)


if __name__ == "__main__":
    sys.exit(main())
