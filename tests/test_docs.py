from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import runpy
import tomllib
from pathlib import Path

import pytest

import talksearch.cli
import talksearch.indexer
import talksearch.search

ROOT = Path(__file__).parents[1]
MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (talksearch.indexer, talksearch.search, talksearch.cli)
    for module in pkgutil.walk_packages(package.__path__)
    if module.name != "__main__"
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_command_reference_is_what_help_prints() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_commands.py"))["reference"]()
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == made, "run: make docs"


def test_every_package_on_disk_is_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = project["tool"]["setuptools"]["package-dir"]
    found = {
        f"talksearch.{'.'.join(path.parent.relative_to(ROOT).parts)}": path.parent.relative_to(ROOT).as_posix()
        for room in ("indexer", "search", "cli")
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert declared == found
    assert sorted(project["tool"]["setuptools"]["packages"]) == sorted(found)


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for dependency in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = re.split(r"[<>=!~ \[]", dependency)[0]
        assert f"`{name}`" in told, f"docs/dependencies.md does not say why {name} is there"


def test_links_between_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
