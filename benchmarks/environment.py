"""What an installation weighs: its largest packages, which dependencies of ours bring them, what importing them costs.

    python benchmarks/environment.py [--most N] [--rounds N] [--no-runs]

Walks the requirements of `talksearch`, as they are installed here (PEP 508 markers for this machine; no extra), and
adds up the sizes of the files that each package says are its own (importlib.metadata), bytecode included where the
installer wrote it. A megabyte has 1,000,000 bytes. Prints what each extra adds, and two tables in Markdown:

- the largest packages: size, which of our dependencies need them, the modules of talksearch that import them, which
  of three commands import them whoever asks for it (`index data` on a machine that never has, the same for another
  index, and a search, each with the processes that it starts), and the seconds of processor that importing takes in a
  fresh process, without those of Python itself (the least of some)
- our own dependencies: their size, and that of all that they bring and no other one does, save those that need them
"""

from __future__ import annotations

import argparse
import ast
import os
import platform
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
US = "talksearch"
MOST_NAMED = 4
"""Where more dependencies need a package, or more modules import it, their number is told."""
SMALLEST_MB = 5.0
"""Our dependencies that take less are told in one row."""

_IMPORT = "import time:"
"""How a line begins with which Python tells that it has imported something (`-X importtime`)."""

Needs = Mapping[str, frozenset[str]]
"""By the name of each package, the packages that it requires, and those that these require."""


def main() -> None:
    """Walk, add up, import, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10, help="how many packages are listed")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is imported")
    parser.add_argument("--no-runs", action="store_true", help="leave out what commands import, and what it costs")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    ours = required_by(US)
    needs: Needs = {name: closure({name: extras}) for name, extras in ours.items()}
    plain = frozenset().union(*needs.values())
    sizes = {name: size_of(distribution(name)) for name in plain}
    print(f"Python {platform.python_version()}, {platform.platform()}")
    print(f"A plain installation: {len(plain)} packages, {sum(sizes.values()):,.0f} MB.")
    for extra in sorted(distribution(US).metadata.get_all("Provides-Extra") or ()):
        wanted = required_by(US, extra)
        more = closure(wanted) - plain
        if not closure(wanted) >= wanted.keys():
            print(f"[{extra}] is not installed here.")
            continue
        print(f"[{extra}] adds {len(more)} packages, {sum(size_of(distribution(name)) for name in more):,.0f} MB.")
    imported = {} if options.no_runs else imported_by_commands()
    print("\n| package | MB | which of ours need it | where we import it | commands that import it | seconds |")
    print("|---|--:|---|---|---|--:|")
    importers = importers_of(plain)
    alone = brought_alone(needs)
    for name in sorted(plain, key=sizes.__getitem__, reverse=True)[: options.most]:
        needed_by = [f"`{our}`" for our in ours if name in needs[our]]
        seconds = "" if options.no_runs else f"{import_s(name, options.rounds):.1f}"
        commands = ", ".join(command for command, names in imported.items() if name in names)
        modules = [f"`{module}`" for module in sorted(importers.get(name, ()))]
        print(f"| `{name}` | {sizes[name]:.0f} | {told(needed_by)} | {told(modules)} | {commands} | {seconds} |")
    print("\n| dependency | MB | MB with all that only it brings | packages |\n|---|--:|--:|--:|")
    small: list[str] = []
    for name, brought in sorted(alone.items(), key=lambda pair: -sum(sizes[one] for one in pair[1])):
        weight = sum(sizes[one] for one in brought)
        if weight < SMALLEST_MB:
            small.append(name)
        else:
            print(f"| `{name}` | {sizes[name]:.0f} | {weight:.0f} | {len(brought)} |")
    weight = sum(sizes[one] for name in small for one in alone[name])
    print(f"| {len(small)} others: {', '.join(sorted(small))} | | {weight:.0f} | |")
    shared = plain.difference(*alone.values())
    print(f"| what several of them need | | {sum(sizes[name] for name in shared):.0f} | {len(shared)} |")


def told(names: list[str]) -> str:
    """Return names in one cell of a table."""
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)}"


def required_by(name: str, extra: str = "") -> dict[str, frozenset[str]]:
    """Return the packages that a package requires on this machine, with one extra or none, and the extras of each."""
    found: dict[str, frozenset[str]] = {}
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            needed = canonicalize_name(requirement.name)
            found[needed] = found.get(needed, frozenset()) | requirement.extras
    return dict(sorted(found.items()))


def closure(packages: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return packages, given with their extras, and all that they require, as far as it is installed."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, extra) for name, extras in packages.items() for extra in ("", *extras)]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        try:
            needed = required_by(*one)
        except PackageNotFoundError:
            continue
        found.add(one)
        waiting += [(name, extra) for name, extras in needed.items() for extra in ("", *extras)]
    return frozenset(name for name, _ in found)


def brought_alone(needs: Needs) -> dict[str, frozenset[str]]:
    """Return, by each of our dependencies, what it brings and no other one does, save those that need itself."""
    return {
        name: brought.difference(*(other for other in needs.values() if name not in other))
        for name, brought in needs.items()
    }


def size_of(package: Distribution) -> float:
    """Return the megabytes of a package's files."""
    paths = (Path(str(file.locate())) for file in package.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def importers_of(names: frozenset[str]) -> dict[str, set[str]]:
    """Return, by package, the modules of talksearch that import it anywhere, as their paths without `.py`."""
    named = {top: {canonicalize_name(name) for name in owners} for top, owners in packages_distributions().items()}
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(path for top in ("indexer", "search", "cli") for path in (ROOT / top).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            else:
                continue
            for owner in set().union(*(named.get(module.partition(".")[0], set()) for module in modules)) & names:
                found[owner].add(path.relative_to(ROOT).with_suffix("").as_posix())
    return found


def imported_by_commands() -> dict[str, set[str]]:
    """Return, by command, the packages that it and the processes that it starts import."""
    named = packages_distributions()
    found: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory(prefix="ts") as folder:
        environment = {
            **os.environ, "PYTHONPROFILEIMPORTTIME": "1", "TALKSEARCH_CACHE": f"{folder}/cache",
            "TALKSEARCH_CONFIG": f"{folder}/none.toml", "XDG_RUNTIME_DIR": folder,
        }  # fmt: skip
        for name, arguments in {
            "first `index`": ("index", str(ROOT / "data"), "--index", f"{folder}/first"),
            "later `index`": ("index", str(ROOT / "data"), "--index", f"{folder}/later"),
            "`search`": ("search", "time dilation metaphor", "--index", f"{folder}/later"),
        }.items():
            command = [sys.executable, "-m", "talksearch.cli", *arguments]
            done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
            tops = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith(_IMPORT)}
            found[name] = {canonicalize_name(owner) for top in tops for owner in named.get(top, ())}
    return found


def import_s(name: str, rounds: int) -> float:
    """Return the seconds of processor that importing a package takes in a fresh process, without Python's own."""
    tops = [top for top, owners in packages_distributions().items() if name in map(canonicalize_name, owners)]
    top = min((top for top in tops if not top.startswith("_")), key=lambda top: (canonicalize_name(top) != name, top))
    return min(_child_s(f"import {top}") for _ in range(rounds)) - min(_child_s("pass") for _ in range(rounds))


def _child_s(program: str) -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


if __name__ == "__main__":
    main()
