from __future__ import annotations

from pathlib import Path

import pytest

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.settings import resolve


def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('index = "/from/file"\nmodel = "filed"\n')
    environment = {"TALKSEARCH_CONFIG": str(file)}
    assert resolve(environment=environment).index == Path("/from/file")
    environment["TALKSEARCH_INDEX"] = "/from/variable"
    assert resolve(environment=environment).index == Path("/from/variable")
    assert resolve(Path("/from/flag"), environment=environment).index == Path("/from/flag")
    assert resolve(environment=environment).model == "filed"
    assert resolve(model="flagged", environment=environment).model == "flagged"
    assert resolve(environment={"TALKSEARCH_CONFIG": str(tmp_path / "none")}).model is None
    assert resolve(environment=environment).whisper is None
    file.write_text('whisper = "/models/mine"\n')
    assert resolve(environment=environment).whisper == "/models/mine"
    assert resolve(environment={**environment, "TALKSEARCH_WHISPER": "small"}).whisper == "small"


def test_talks_are_brought_into_a_folder_that_is_named_likewise(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    environment = {"TALKSEARCH_CONFIG": str(file)}
    assert resolve(environment=environment).archive == Path.home() / "talks"
    file.write_text('archive = "~/lectures"\n')
    assert resolve(environment=environment).archive == Path.home() / "lectures"
    environment["TALKSEARCH_ARCHIVE"] = "/from/variable"
    assert resolve(environment=environment).archive == Path("/from/variable")
    assert resolve(archive=Path("/from/flag"), environment=environment).archive == Path("/from/flag")


@pytest.mark.parametrize("text", ["index = ", "colour = 'x'", "index = 3", b"\xff"])
def test_a_bad_file_is_named(tmp_path: Path, text: str | bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TalksearchError, match=r"config\.toml"):
        resolve(environment={"TALKSEARCH_CONFIG": str(file)})
