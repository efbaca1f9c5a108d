"""A small index for tests that serve one: made in a moment, with an encoder that a person can compute."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import CountingEncoder

from talksearch.cli.server.serve import Serving, serve
from talksearch.indexer.pipeline.run import build_index

TALKS = {
    "ships": ["the ship keeps its own time", "and the ship comes home late"],
    "bees": ["every bee knows when rain is near", "said the bee to the bee"],
    "bridges": ["a bridge is a song in stone", "the bridge fell in the rain"],
}


def write_talk(archive: Path, name: str, lines: list[str], **info: Any) -> None:
    """Write a transcript, each line a cue of five seconds, a minute apart."""
    archive.mkdir(exist_ok=True)
    cues = "".join(f"00:{at:02}:00.000 --> 00:{at:02}:05.000\n{line}\n\n" for at, line in enumerate(lines, 1))
    (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
    about = {"title": name.title(), "webpage_url": f"https://example.org/{name}", **info}
    (archive / f"{name}.info.json").write_text(json.dumps(about), encoding="utf-8")


def make_index(folder: Path) -> Path:
    """Index three talks below a folder; returns the index's folder."""
    for name, lines in TALKS.items():
        write_talk(folder / "talks", name, lines)
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    return folder / "index"


@contextmanager
def short_runtime_folder() -> Iterator[Path]:
    """A runtime folder whose path is short enough for a socket, which that of `tmp_path` may not be."""
    with tempfile.TemporaryDirectory(prefix="ts") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@contextmanager
def serving(index: Path, **options: Any) -> Iterator[Serving]:
    """Serve an index from a thread of this process, on a free port."""
    begun: list[Serving] = []
    ready = threading.Event()

    def tell(one: Serving) -> None:
        begun.append(one)
        ready.set()

    def run() -> None:
        try:
            serve(index, "127.0.0.1", 0, tell=tell, **{"encoder": CountingEncoder(), **options})
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    assert begun
    try:
        yield begun[0]
    finally:
        begun[0].stop()
        thread.join(60)
        assert not thread.is_alive()
