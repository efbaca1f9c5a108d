"""Runs every operation on a disk that has less and less room, and looks at what is left.

    python benchmarks/trust/full.py [--count 180] [--only OPERATION... [--number N]] [--jobs 2] [--quick] [--limit]

A trial runs one command over a small archive on a disk of its own (a tmpfs, which takes root) on which so many
kilobytes are free: each operation on a ladder of sizes from none to about twice what it writes. Where a disk of its own
cannot be had, or with `--limit`, no file may become larger than that (RLIMIT_FSIZE). What is claimed of each trial:

- the command ends well, or with exit code 1 and a sentence that says that the disk is full: no signal, no traceback,
  nothing about damage
- the index answers then as `kill.py` claims it, on the disk that is still full
- with room again, all that `kill.py` claims of the next run holds

Prints for each operation how many trials met a full disk and how many of these held, and for those that did not, why.
Exit 1 for them.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

from commands import Outcome
from operations import OPERATIONS
from stage import Stage
from trials import Told, make_trials, parser_of

_DISK_BYTES = 96 << 20
_LADDER = (0, 4, 12, 32, 64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
"""Kilobytes that are free, one for each trial of an operation."""
_FILLER = "filler"
_FULL = re.compile(r"^talksearch: The disk of .* is full", re.MULTILINE)
_NOT_SAID = re.compile(r"damaged|malformed|corrupt|--rebuild|Traceback")


def trial(stage: Stage, name: str, number: int, limited: bool) -> Told:
    """Run an operation with as much room as the number says, and look at what is left."""
    operation, expected = OPERATIONS[name], stage.undisturbed(name)
    kilobytes = _LADDER[number % len(_LADDER)]
    mounted = not limited and _mount(stage.place.disk)
    try:
        stage.prepare(name, random.Random(f"{name} {number}"))
        if mounted:
            _fill(stage.place.disk, kilobytes << 10)
        outcome = stage.run(operation.command, largest_file=None if mounted else kilobytes << 10)
        wrong = list(_wrong(outcome))
        if outcome.status:
            wrong += stage.wrong_now(operation, expected)
            (stage.place.disk / _FILLER).unlink(missing_ok=True)
            wrong += stage.wrong_later(operation, expected)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", stage.place.disk], check=True)
    how = f"{kilobytes} kB free" if mounted else f"files of at most {kilobytes} kB"
    return Told(name, number, how, wrong, disturbed=bool(outcome.status))


def _wrong(outcome: Outcome) -> list[str]:
    """Return what is wrong about how a command ended that had too little room."""
    if outcome.status == 0:
        return []
    if outcome.status == 1 and _FULL.search(outcome.said) and not _NOT_SAID.search(outcome.said):
        return []
    return [f"it ended with {outcome.status}: {outcome.said[-700:]}"]


def _mount(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "talksearch", folder]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


def _fill(disk: Path, free: int) -> None:
    """Leave so many bytes of a disk free."""
    with (disk / _FILLER).open("wb") as file:
        state = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, max(1, state.f_bavail * state.f_frsize - free))


def main() -> int:
    """Make the trials and print how many held."""
    parser = parser_of(str(__doc__), len(OPERATIONS) * len(_LADDER))
    parser.add_argument("--limit", action="store_true", help="limit the size of files instead of the disk")
    given = parser.parse_args()
    return make_trials(given, partial(trial, limited=given.limit))


if __name__ == "__main__":
    sys.exit(main())
