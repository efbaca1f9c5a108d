"""What the multilingual model costs beside the default one: on disk, to start, for a query, and to build.

    python benchmarks/models.py [--archive DIR] [--passages N] [--rounds N]

In one run, on this machine, each model in turn:

- home: bytes of the exported model and its tokenizer, and of the copy that queries start
- start: milliseconds of processor time until a fresh process has its encoder for queries, without the imports
- query: milliseconds of processor time in the median to encode a query
- build: passages a second of wall time, by what an indexing run of this size chooses, on the same passages
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from about import about
from build import SHARED, _index

from talksearch.indexer.encoders import known_models, make_home, onnx_encoder, query_model, selection
from talksearch.indexer.encoders.base import ModelCard
from talksearch.indexer.encoders.null_queries import NULL_QUERIES
from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL
from talksearch.indexer.stores import catalog

_START = """
import sys, time
from talksearch.indexer.encoders import known_models, model_home, onnx_encoder
card = known_models.find(sys.argv[1], None, None)
at = time.process_time()
onnx_encoder.load(model_home.find(card), card, queries=True, once=True)
print(1000 * (time.process_time() - at))
"""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, default=SHARED / "archive" / "nyu")
    parser.add_argument("--passages", type=int, default=512, help="passages by which building is measured")
    parser.add_argument("--rounds", type=int, default=4, help="in how many parts each model takes them")
    options = parser.parse_args()
    for key, value in about("onnxruntime", "numpy").items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory() as scratch:
        _index(Path(scratch) / "words", options.archive, stop_after="embedding")
        with catalog.open_catalog(Path(scratch) / "words") as db:
            rows = db.execute("SELECT text FROM passages WHERE field = 'speech' ORDER BY number").fetchall()
    texts = selection.spread([row[0] for row in rows], options.passages)
    cards = [card for name in (DEFAULT_MODEL, MULTILINGUAL_MODEL) if (card := known_models.find(name, None, None))]
    homes = {card.name: _home(card) for card in cards}
    queries = {card.name: onnx_encoder.load(homes[card.name], card, queries=True) for card in cards}
    bulk = {}
    for card in cards:
        exported = onnx_encoder.load(homes[card.name], card)
        bulk[card.name] = selection.choose(homes[card.name], exported, texts).encoder
        bulk[card.name].encode_passages(texts[:32])
    asked: dict[str, list[float]] = {name: [] for name in queries}
    for text in NULL_QUERIES[:65]:
        for name, encoder in queries.items():
            at = process_time()
            encoder.encode_query(text)
            asked[name].append(1000 * (process_time() - at))
    took = dict.fromkeys(bulk, 0.0)
    for part in range(options.rounds):
        for name, encoder in bulk.items():
            at = perf_counter()
            encoder.encode_passages(texts[part :: options.rounds])
            took[name] += perf_counter() - at
    print(f"{len(texts)} passages")
    print(f"{'':24}{'home, MB':>10}{'copy, MB':>10}{'start, ms':>11}{'query, ms':>11}{'passages/s':>12}")
    for card in cards:
        name, home = card.name, homes[card.name]
        own = sum(file.stat().st_size for file in home.iterdir() if file.is_file())
        copy = sum(file.stat().st_size for file in home.glob("*/quick-*"))
        start = statistics.median(_start(name) for _ in range(5))
        query = statistics.median(asked[name][1:])
        print(f"{name:24}{own / 1e6:10.0f}{copy / 1e6:10.0f}{start:11.0f}{query:11.1f}{len(texts) / took[name]:12.1f}")


def _home(card: ModelCard) -> Path:
    home = make_home.find_or_make(card, print)
    assert home
    query_model.ensure_query_model(home, card)
    return home


def _start(name: str) -> float:
    done = subprocess.run([sys.executable, "-c", _START, name], check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    main()
