"""What other learned rankers than linear weights would do: trees, and an adapter of the query vector.

    pip install lightgbm
    python benchmarks/learned.py [--index DIR] [--limit N]

The evidence, the passages and the judging are those of benchmarks/weights.py: MRR@10 on each source with what was
learned on the others, and their mean.

- trees: LightGBM, LambdaMART (Burges, From RankNet to LambdaRank to LambdaMART, 2010), over all evidence, what each
  passage lacks of the query's best in it, and the query's length; alone, and half of it added to the shipped score
- adapter: the query vector q becomes q + V(Uq), of a low rank, learned by the same list-wise loss as the weights while
  all other evidence keeps its shipped weight. What it reaches on what it was trained on is shown to tell that it
  learns.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import torch
from weights import KEPT, NAMES, ROOT, SOURCES, Asking, gather, mrr, shipped

from talksearch.search.ranking.fusion import Array
from talksearch.search.reader import open_reader

Asked = dict[str, list[Asking]]
LEAVES = (4, 7, 15)
ADAPTERS = ((16, 0.01, 60), (16, 0.1, 100), (64, 0.03, 60))
"""Rank, what its size costs, steps."""


def main() -> None:
    """Gather, learn, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, default=150, help="queries of a source, drawn at random")
    options = parser.parse_args()
    index = open_reader(options.index)
    asked = {source: gather(index, source, options.limit) for source in SOURCES}
    print(f"{'':<44}" + "".join(f"{source:>10}" for source in SOURCES) + f"{'mean':>8}")
    line("as shipped", [mean([mrr(one, score(one)) for one in asked[source]]) for source in SOURCES])
    for leaves in LEAVES:
        alone, added = [], []
        for source in SOURCES:
            model = trees([one for other in SOURCES if other != source for one in asked[other]], leaves)
            found = [(one, model.predict(evidence(one))) for one in asked[source]]
            alone.append(mean([mrr(one, values) for one, values in found]))
            added.append(mean([mrr(one, score(one) + values / 2) for one, values in found]))
        line(f"trees of {leaves} leaves", alone)
        line(f"shipped + trees of {leaves} leaves / 2", added)
    for rank, cost, steps in ADAPTERS:
        found = []
        for source in SOURCES:
            adapter = adapt([asked[other] for other in SOURCES if other != source], rank, cost, steps)
            found.append(mean([mrr(one, turned(one, adapter)) for one in asked[source]]))
        line(f"adapter of rank {rank}, cost {cost}", found)
        adapter = adapt(list(asked.values()), rank, cost, steps)
        every = [mean([mrr(one, turned(one, adapter)) for one in asked[source]]) for source in SOURCES]
        line("  on what it was trained on (no result)", every)


def line(label: str, values: Sequence[float]) -> None:
    """Print the figures of one ranker."""
    print(f"{label:<44}" + "".join(f"{value:>10.3f}" for value in values) + f"{mean(values):>8.4f}", flush=True)


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return float(np.mean(values))


def score(one: Asking) -> Array:
    """Return what the shipped weights give the passages of a query."""
    found: Array = one.evidence[:, [NAMES.index(name) for name in KEPT]] @ shipped()
    return found


def evidence(one: Asking) -> Array:
    """Return what trees see of the passages of a query."""
    own = np.hstack([one.evidence, score(one)[:, None]])
    return np.hstack([own, own - own.max(axis=0), np.full((len(own), 1), (own[:, NAMES.index("around")] > 0).sum())])


def trees(asked: Sequence[Asking], leaves: int) -> Any:
    """Return trees that rank right passages high."""
    told = [one for one in asked if one.right.any() and not one.right.all()]
    given = lightgbm.Dataset(
        np.vstack([evidence(one) for one in told]),
        np.concatenate([one.right.astype(int) for one in told]),
        group=[len(one.right) for one in told],
    )
    parameters = {
        "objective": "lambdarank", "lambdarank_truncation_level": 10, "num_leaves": leaves, "learning_rate": 0.05,
        "min_data_in_leaf": 100, "verbosity": -1, "seed": 0, "deterministic": True, "num_threads": 2,
    }  # fmt: skip
    return lightgbm.train(parameters, given, num_boost_round=80)


def adapt(sources: Sequence[Sequence[Asking]], rank: int, cost: float, steps: int) -> Any:
    """Return the adapter (dimension, dimension) under which right passages are likeliest; each source counts alike."""
    torch.manual_seed(0)
    told = [(one, 1 / len(own)) for own in sources for one in own if one.right.any() and not one.right.all()]
    asked = torch.tensor(np.array([one.asked for one, _ in told]))
    most, width = max(len(one.right) for one, _ in told), asked.shape[1]
    vectors, base = torch.zeros(len(told), most, width), torch.full((len(told), most), -1e9)
    right = torch.zeros(len(told), most, dtype=torch.bool)
    for at, (one, _) in enumerate(told):
        count = len(one.right)
        vectors[at, :count] = torch.tensor(one.vectors)
        base[at, :count] = torch.tensor(score(one), dtype=torch.float32)
        right[at, :count] = torch.tensor(one.right)
    deviations = torch.tensor([[one.deviation] for one, _ in told], dtype=torch.float32)
    shares = torch.tensor([share for _, share in told])
    into = (torch.randn(width, rank) * 0.05).requires_grad_()
    out = torch.zeros(rank, width, requires_grad=True)
    climb = torch.optim.Adam([into, out], 3e-3)
    for _ in range(steps):
        moved = torch.nn.functional.normalize(asked + asked @ into @ out, dim=1)
        scores = base + torch.einsum("kne,ke->kn", vectors, moved - asked) / deviations
        likely = torch.logsumexp(scores.masked_fill(~right, -1e9), 1) - torch.logsumexp(scores, 1)
        loss = -(likely * shares).sum() / shares.sum() + cost * ((into @ out) ** 2).sum()
        climb.zero_grad()
        loss.backward()
        climb.step()
    return (into @ out).detach().numpy()


def turned(one: Asking, adapter: Any) -> Array:
    """Return the shipped scores of the passages with the query's vector adapted."""
    moved = one.asked + one.asked @ adapter
    found: Array = score(one) + one.vectors @ (moved / np.linalg.norm(moved) - one.asked) / one.deviation
    return found


if __name__ == "__main__":
    main()
