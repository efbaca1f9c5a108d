"""The map of the code: which room may import which, and how large a module may be.

A room is a folder with modules, or a module that lies directly in `indexer/`, `search/` or `cli/`. Every import counts,
also one inside a function and one that is there for types only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A room may import those on lower floors, and nothing else. To add a room: a word here, and the sentences in its
# `__init__` that say what lives there and what may import it.
FLOORS = (
    # indexer: the way of a transcript
    "indexer.arrays indexer.errors indexer.layout indexer.process indexer.records indexer.worker",
    "indexer.disk",
    "indexer.settings indexer.mojibake indexer.text",
    "indexer.encoders indexer.passages indexer.readers",
    "indexer.restore indexer.stores",
    "indexer.stores.chroma indexer.stores.columns indexer.stores.remote indexer.talks",
    "indexer.mirrors",
    "indexer.pipeline",
    "indexer.doctor indexer.fetch indexer.transcribe",
    "indexer.fetch.feed indexer.fetch.site",
    "indexer.subscriptions",
    "indexer",
    # search: the way of a query
    "search.asker search.facets search.links search.query",
    "search.hit search.overview",
    "search.answer search.emptied search.options search.ranking",
    "search.quotes search.moments",
    "search.results",
    "search.questions search.reader",
    "search.current search.damage search.named_talk search.opened",
    "search.engine search.make_overview search.stats",
    "search.evaluation search.index search.talk_list",
    "search.remote",
    "search",
    # cli: the only part that prints, exits, or knows about terminals and HTTP
    "cli",
    "cli.hints",
    "cli.terminal",
    "cli.failures cli.messages cli.progress",
    "cli.several",
    "cli.main cli.options cli.render",
    "cli.__main__",
    "cli.answers cli.bringing cli.pick cli.sources cli.watch",
    "cli.export cli.pool",
    "cli.assistants cli.web",
    "cli.server",
    "cli.commands",
)
LARGEST = 450
"""Lines of a module; a larger one has more than one owner."""

Modules = dict[str, ast.Module]
"""Modules by their dotted names without `talksearch.`; a package's is that of its folder."""
Arrow = tuple[str, str]


def modules_of(root: Path) -> Modules:
    found: Modules = {}
    for top in ("indexer", "search", "cli"):
        for path in sorted((root / top).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def packages_in(modules: Iterable[str]) -> set[str]:
    names = set(modules)
    return {name.rpartition(".")[0] for name in names} & names


def imports_of(name: str, tree: ast.Module, modules: Modules, packages: set[str]) -> Iterator[str]:
    """Yield the modules that a module imports, in whatever way."""
    package = name if name in packages else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - (node.level - 1)] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])]).removeprefix("talksearch.")
            for alias in node.names:
                target = f"{base}.{alias.name}" if base != "talksearch" else alias.name
                if target in modules:
                    yield target
                elif base in modules:
                    yield base
        elif isinstance(node, ast.Import):
            for alias in node.names:
                target = alias.name.removeprefix("talksearch.")
                if alias.name.startswith("talksearch.") and target in modules:
                    yield target


def arrows_between(modules: Modules) -> set[Arrow]:
    packages = packages_in(modules)
    # What every package of `search` and `cli` imports to switch telemetry off is the ground itself.
    return {
        (name, target)
        for name, tree in modules.items()
        for target in imports_of(name, tree, modules, packages)
        if target != name and not (target == "indexer" and name in ("search", "cli"))
    }


def room_of(name: str, packages: set[str]) -> str:
    return name if name in packages or name.count(".") == 1 else name.rpartition(".")[0]


def breaches(modules: Modules, floors: Iterable[str] = FLOORS) -> list[str]:
    """Return every arrow that leads to the same floor or up, and every room that stands on none, in words."""
    floor = {room: number for number, rooms in enumerate(floors) for room in rooms.split()}
    packages = packages_in(modules)
    rooms = {room_of(name, packages) for name in modules}
    found = [f"{room} stands on no floor" for room in sorted(rooms - floor.keys())]
    for name, target in sorted(arrows_between(modules)):
        here, there = room_of(name, packages), room_of(target, packages)
        if here != there and floor.get(there, -1) >= floor.get(here, len(floor)):
            found.append(f"{name} imports {target}, which does not lie below it")
    return found


def circles(modules: Modules) -> list[list[str]]:
    """Return modules that import each other around a circle (Tarjan's strongly connected components)."""
    arrows: dict[str, list[str]] = {name: [] for name in modules}
    for name, target in sorted(arrows_between(modules)):
        arrows[name].append(target)
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for target in arrows[name]:
            if target not in order:
                visit(target)
            if target in stack:
                lowest[name] = min(lowest[name], lowest[target])
        if lowest[name] == order[name]:
            circle = stack[stack.index(name) :]
            del stack[-len(circle) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for name in modules:
        if name not in order:
            visit(name)
    return found


@pytest.fixture(scope="module")
def modules() -> Modules:
    return modules_of(ROOT)


def test_no_arrow_leads_up(modules: Modules, capsys: pytest.CaptureFixture[str]) -> None:
    assert breaches(modules) == []
    packages = packages_in(modules)
    arrows = {(room_of(name, packages), room_of(target, packages)) for name, target in arrows_between(modules)}
    between = {(here, there) for here, there in arrows if here != there}
    rooms = {room_of(name, packages) for name in modules}
    with capsys.disabled():
        print(
            f"\n{len(modules)} modules in {len(rooms)} rooms on {len(FLOORS)} floors, {len(between)} arrows, "
            f"{len(circles(modules))} circles"
        )


def test_no_module_is_imported_around_a_circle(modules: Modules) -> None:
    assert circles(modules) == []


def test_a_planted_breach_is_found() -> None:
    planted = {
        "indexer": ast.parse(""),
        "indexer.errors": ast.parse("def late():\n    from talksearch.cli import main"),
        "cli": ast.parse(""),
        "cli.main": ast.parse("from talksearch.indexer import errors"),
        "cli.attic": ast.parse(""),
    }
    found = breaches(planted, ("indexer.errors", "indexer", "cli", "cli.main"))
    assert found == [
        "cli.attic stands on no floor",
        "indexer.errors imports cli.main, which does not lie below it",
    ]
    assert circles(planted) == [["cli.main", "indexer.errors"]]


def test_no_module_is_too_large() -> None:
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for top in ("indexer", "search", "cli")
        for path in (ROOT / top).rglob("*.py")
    }
    assert {path: size for path, size in sizes.items() if size > LARGEST} == {}


def test_every_room_says_what_lives_there_and_what_may_import_it(modules: Modules) -> None:
    for package in sorted(packages_in(modules)):
        told = ast.get_docstring(modules[package]) or ""
        assert told.count(".") >= 2, f"{package}/__init__.py says too little"
        assert "import" in told, f"{package}/__init__.py does not say what may import it"


def test_what_is_private_stays_in_its_module(modules: Modules) -> None:
    found = [
        f"{name} imports {alias.name}"
        for name, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("talksearch"))
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert found == []
