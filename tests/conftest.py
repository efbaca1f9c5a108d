from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SHARED = Path(__file__).parents[1] / ".." / "shared"
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session", autouse=True)
def _shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The model is made ready once for all tests, whichever process runs them, and not in the cache of who does."""
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALKSEARCH_CACHE", str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """What a shell runs in the background ignores Ctrl-C, and so would every process that tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_early_process() -> None:
    """All runs but the first of a process import chromadb in it, which is once for all tests."""
    from talksearch.indexer.stores.chroma import writer

    next(writer._begun)


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the default model that a test may damage; what the test runs finds this one."""
    from talksearch.indexer.encoders import make_home, query_model
    from talksearch.indexer.encoders.default_model import default_card

    shared = make_home.find_or_make(default_card(), print)
    assert shared is not None
    query_model.ensure_query_model(shared, default_card())
    home = tmp_path / "cache" / "models" / shared.name
    shutil.copytree(shared, home)
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    return home


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can touch the index, the talks or the settings of who runs it."""
    monkeypatch.setenv("TALKSEARCH_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("TALKSEARCH_ARCHIVE", str(tmp_path / "talks"))
    monkeypatch.setenv("TALKSEARCH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("TALKSEARCH_MODEL", raising=False)
    monkeypatch.delenv("TALKSEARCH_WHISPER", raising=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests wait for other processes and for clocks. Still more took longer."""
    from talksearch.indexer.process import cores

    return 1 + cores()


LONGEST = (
    "hostile_shell", "model_home", "telemetry", "killed", "disk_full", "transcribe", "workers", "kills", "mojibake",
    "engines", "doctor", "encoders", "receipt", "watch",
)  # fmt: skip
"""The files of tests that take longest begin first, so that nobody waits for one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
    if not (SHARED / "archive").is_dir():
        skip = pytest.mark.skip(reason="the real talks in ../shared are not here")
        for item in items:
            if "realdata" in item.keywords:
                item.add_marker(skip)
