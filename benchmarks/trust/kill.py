"""Kills every operation that writes, at random moments, and looks at what is left.

    python benchmarks/trust/kill.py [--count 200] [--seed 1] [--only OPERATION... [--number N]] [--quick] [--jobs 2]

A trial runs one command over a small archive and kills it (SIGKILL), alone or with all processes that it started, at a
moment that is drawn evenly over the time that the command takes, or right after one of the changes that it makes to
files, drawn evenly over these. What is claimed of each trial:

- the next command answers: searches, `stats`, `show` and `talks` end without a traceback and say nothing that is not in
  the archive as it was before or is now; where there was an index before, they answer
- the next `index` ends well, and the one after it finds nothing to do
- the index is then the same as after a run that nobody killed: row by row, and vector by vector (`dump.py`)
- nothing is left: in the index, beside it, among temporary files, in the cache, or of processes
- `talksearch doctor --check` finds nothing

A share of the trials (`--fresh`) runs in processes of its own; the others are forks of a process that has imported all
modules, which spares the two seconds in which nothing is written. With `--quick` all are forks, and vectors are made
of the hashes of words: loading the model is most of what a trial costs. `--only OPERATION --number N` repeats one.

Prints for each operation how many trials were made and how many held, and for those that did not hold, why. Exit 1 for
them.
"""

from __future__ import annotations

import random
import sys
from functools import partial

from commands import Kill
from operations import OPERATIONS
from stage import Stage, Undisturbed
from trials import Told, make_trials, parser_of

_DRAWN = 8
"""How often a moment is drawn where the command had ended by then."""


def trial(stage: Stage, name: str, number: int, seed: int, fresh_share: float) -> Told:
    """Kill an operation at a moment that the seed and the number say, and look at what is left."""
    operation, expected = OPERATIONS[name], stage.undisturbed(name)
    rng = random.Random(f"{seed} {name} {number}")
    fresh = rng.random() < fresh_share
    for _ in range(_DRAWN):
        kill = draw(rng, expected, fresh)
        stage.prepare(name, rng)
        outcome = stage.run(operation.command, fresh=fresh, kill=kill, watch=True)
        if outcome.killed:
            break
    wrong = [*stage.wrong(operation, expected), *stage.alive(outcome.session)] if outcome.killed else []
    return Told(name, number, f"{'fresh, ' if fresh else ''}{_described(kill)}", wrong, outcome.killed)


def draw(rng: random.Random, expected: Undisturbed, fresh: bool) -> Kill:
    """Draw a moment: of the time that the operation takes, or of the changes that it makes to files."""
    group = not fresh or rng.random() < 0.5
    if rng.random() < 0.5 and expected.events[fresh]:
        return Kill(event=rng.randint(1, expected.events[fresh]), group=group)
    return Kill(after_s=rng.uniform(0, expected.seconds[fresh]), group=group)


def _described(kill: Kill) -> str:
    when = f"after {kill.after_s:.3f} s" if kill.after_s is not None else f"after change {kill.event}"
    return f"killed {when}, {'the group' if kill.group else 'alone'}"


def main() -> int:
    """Make the trials and print how many held."""
    parser = parser_of(str(__doc__), 200)
    parser.set_defaults(fresh=0.3)
    given = parser.parse_args()
    return make_trials(given, partial(trial, seed=given.seed, fresh_share=0.0 if given.quick else given.fresh))


if __name__ == "__main__":
    sys.exit(main())
