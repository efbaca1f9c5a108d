from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SHARED = Path(__file__).parents[1] / ".." / "shared"
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can touch the index or the settings of who runs it."""
    monkeypatch.setenv("TALKSEARCH_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("TALKSEARCH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("TALKSEARCH_MODEL", raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not (SHARED / "archive").is_dir():
        skip = pytest.mark.skip(reason="the real talks in ../shared are not here")
        for item in items:
            if "realdata" in item.keywords:
                item.add_marker(skip)
