"""Which lines and branches of `indexer/` and `search/` the tests run.

    python benchmarks/trust/branch_coverage.py [--more] [--report] [PYTEST ARGUMENTS...]

Runs the whole suite under coverage.py, with every process that a test starts, and prints one table: the statements
and the branches of each room that ran, and of all. The settings stand in `pyproject.toml` under `tool.coverage`. What
was measured lies in `.cache/coverage`; `--more` adds to it, so that a suite may be run in parts, `--report` prints its
table again, and `coverage html --data-file .cache/coverage/data` shows every line.

A process that is killed outright tells nothing of what it ran, so that what is printed is a lower bound. Tests that
measure time or what a process writes may fail under the tracer: their lines count all the same, and how many failed is
printed. The file is not called `coverage.py`, because a program beside it could then not import the library.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
OUT = ROOT / ".cache" / "coverage"
COUNTS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def main() -> None:
    """Run the suite, put together what each process measured, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--more", action="store_true", help="add to what earlier runs measured")
    parser.add_argument("--report", action="store_true", help="print the table of the last run and run nothing")
    options, pytest_arguments = parser.parse_known_args()
    ended = 0
    if not options.report:
        if not options.more:
            shutil.rmtree(OUT, ignore_errors=True)
        ended = run_suite(pytest_arguments)
        coverage("combine", "--quiet", *(["--append"] if options.more else []))
    coverage("json", "--quiet", "-o", str(OUT / "report.json"))
    print_table(json.loads((OUT / "report.json").read_text(encoding="utf-8"))["files"])
    if ended:
        sys.exit(f"Tests failed (pytest ended with {ended}): what they would have run on to is not counted.")


def coverage(command: str, *arguments: str) -> None:
    """Run a command of coverage.py over what was measured."""
    data_file = ("--data-file", str(OUT / "data"))
    subprocess.run([sys.executable, "-m", "coverage", command, *data_file, *arguments], cwd=ROOT, check=True)


def run_suite(arguments: list[str]) -> int:
    """Run the tests, in two processes unless the arguments say otherwise; return pytest's exit code."""
    package = OUT / "package" / "talksearch"
    package.mkdir(parents=True, exist_ok=True)
    for folder in ("indexer", "search", "cli"):
        if not (package / folder).exists():
            (package / folder).symlink_to(ROOT / folder)
    path = os.pathsep.join(filter(None, [str(package.parent), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "coverage", "run", "--data-file", str(OUT / "data"), "-m", "pytest"]
    several = () if "-n" in arguments else ("-n", "2", "--dist", "loadfile")
    return subprocess.run([*command, *several, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": path}).returncode


def room_of(path: str) -> str:
    """Return the room of a module: its folder, or the module itself where it lies in `indexer/` or `search/`."""
    folder = PurePosixPath(path).parent
    is_room = len(folder.parts) > 1 or path.endswith("__init__.py")
    return folder.as_posix() if is_room else PurePosixPath(path).with_suffix("").as_posix()


def print_table(files: dict[str, dict[str, dict[str, int]]]) -> None:
    """Print a line a room and one for all of them."""
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    for path, told in files.items():
        for name in (room_of(path), "all"):
            rooms[name].update({key: told["summary"][key] for key in COUNTS})
    print(f"{'room':32} {'statements':>10} {'run':>7} {'branches':>9} {'run':>7}")
    for name in [*sorted(rooms.keys() - {"all"}), "all"]:
        lines, run_lines, branches, run_branches = (rooms[name][key] for key in COUNTS)
        print(f"{name:32} {lines:10,} {share(run_lines, lines)} {branches:9,} {share(run_branches, branches)}")


def share(part: int, whole: int) -> str:
    """Return a share in percent, seven characters wide; 100 where there is nothing to run."""
    return f"{100 * part / whole if whole else 100:6.1f}%"


if __name__ == "__main__":
    main()
