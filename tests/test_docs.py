from __future__ import annotations

import ast
import doctest
import importlib
import os
import pkgutil
import re
import runpy
import tomllib
from itertools import chain
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

DOCUMENTS = [*ROOT.glob("*.md"), ROOT / "NOTICE", *(ROOT / "docs").glob("*.md")]
SOURCES = [path for folder in ("indexer", "search", "cli", "benchmarks", "data", "docs", "tests")
           for path in (ROOT / folder).rglob("*.py")]  # fmt: skip
PYTHON_FILE = re.compile(r"(?<![\w/.-])(?:[\w-]+/)*[\w-]+\.py\b")
PLACEHOLDERS = {"__init__.py", "indexer/readers/NAME.py"}
"""What documents write for a file that every folder has, and for one that is still to be written."""

OLD_MODULES = """
cli/asking cli/client cli/mcp_server cli/render cli/resident cli/serve cli/web cli/wire indexer/align indexer/apart
indexer/blockwise indexer/build indexer/calibration indexer/catalog indexer/clean indexer/columns
indexer/columns_merge indexer/embed indexer/embedding indexer/encoders indexer/estimate indexer/fast indexer/flat
indexer/light indexer/likeness indexer/load indexer/lock indexer/markup indexer/misheard indexer/mojibake
indexer/mojibake_doubt indexer/mojibake_edits indexer/mojibake_gate indexer/mojibake_histories
indexer/mojibake_lattice indexer/mojibake_letters indexer/mojibake_marks indexer/mojibake_model indexer/mojibake_pages
indexer/mojibake_words indexer/narrow indexer/notes indexer/plan indexer/raw indexer/readers/blocks
indexer/readers/front indexer/readers/json3 indexer/readers/jsons indexer/readers/layout indexer/readers/markup_tree
indexer/readers/names indexer/readers/plain indexer/readers/record indexer/readers/stamps indexer/readers/subs
indexer/readers/times indexer/readers/tsv indexer/readers/whisper indexer/readers/word indexer/readers/ytapi
indexer/reading indexer/receipt indexer/recipe indexer/rolling indexer/scan indexer/sidecar indexer/sounds
indexer/speakers indexer/split indexer/store indexer/storing indexer/tidy indexer/tokens indexer/turns indexer/vectors
indexer/words indexer/youtube search/candidates search/compounds search/fuse search/grade search/heard search/heat
search/hits search/known_items search/late search/measure search/memory search/notes search/pinpoint search/postings
search/quote search/quote_align search/quote_places search/quote_said search/quote_words search/rank search/table
search/tie
"""
"""Modules that lay side by side before each got into the folder of its kind; some names are those of folders now."""


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
    for dependency in [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]:
        name = re.split(r"[<>=!~ \[]", dependency)[0]
        assert f"`{name}`" in told, f"docs/dependencies.md does not say why {name} is there"


def test_links_between_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_what_is_tested_is_what_was_built() -> None:
    """`make test` says that it tests the wheel; then nothing may come from the tree."""
    where = Path(str(talksearch.indexer.__file__)).resolve()
    if os.environ.get("TALKSEARCH_TESTED") == "wheel":
        assert ROOT / ".cache" / "wheel" in where.parents
    else:
        assert where.parents[1] == ROOT or "site-packages" in where.parts


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_files_that_documents_name_exist(document: Path) -> None:
    for name in sorted(set(PYTHON_FILE.findall(document.read_text(encoding="utf-8"))) - PLACEHOLDERS):
        count = (ROOT / name).is_file() if "/" in name else sum(path.name == name for path in SOURCES)
        assert count == 1, f"{document.name} names {name}, which is {'no file' if not count else 'several files'}"


def test_nothing_names_a_module_that_was_moved() -> None:
    gone = {old for old in OLD_MODULES.split() if not (ROOT / f"{old}.py").exists()}
    dotted = {old.replace("/", ".") for old in gone if not (ROOT / old).is_dir()}
    for path in [*DOCUMENTS, *SOURCES]:
        text = path.read_text(encoding="utf-8")
        names = {name for name in PYTHON_FILE.findall(text) if name.removesuffix(".py") in gone}
        for name in re.findall(r"\btalksearch((?:\.\w+)+)", text):
            parts = name.strip(".").split(".")
            names |= dotted & {".".join(parts[:length]) for length in (2, 3)}
        assert not names, f"{path.relative_to(ROOT)} names {', '.join(sorted(names))}"


def test_python_files_that_code_names_exist() -> None:
    """Docstrings and comments send readers to files by their paths from the root."""
    for source in SOURCES:
        for name in set(PYTHON_FILE.findall(source.read_text(encoding="utf-8"))) - PLACEHOLDERS:
            if name.partition("/")[0] in ("indexer", "search", "cli", "benchmarks", "tests", "docs") and "/" in name:
                assert (ROOT / name).is_file(), f"{source.relative_to(ROOT)} names {name}"


def test_the_licences_that_the_notice_names_are_there() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    texts = {path.relative_to(ROOT).as_posix() for path in (ROOT / "LICENSES").iterdir()}
    assert set(re.findall(r"LICENSES/[\w.-]+\.txt", notice)) == texts
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["license"].split(" AND ")) == {"Apache-2.0", *(Path(text).stem for text in texts)}


def test_the_notice_names_every_file_of_statistics() -> None:
    named = set(re.findall(r"^  (\w+\.xz) ", (ROOT / "NOTICE").read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {path.name for folder in ("indexer/mojibake", "search") for path in (ROOT / folder).glob("*.xz")}


@pytest.mark.parametrize("benchmark", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_what_benchmarks_import_is_there(benchmark: Path) -> None:
    """Benchmarks run seldom, so a renamed function would go unseen; so do the scripts they give to fresh processes."""
    tree = ast.parse(benchmark.read_text(encoding="utf-8"))
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    scripts = [ast.parse(text) for text in texts if isinstance(text, str) and "\nfrom talksearch." in text]
    for node in (node for script in [tree, *scripts] for node in ast.walk(script)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("talksearch."):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
