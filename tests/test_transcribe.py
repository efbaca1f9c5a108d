"""`talksearch transcribe`: real speech through a real model, and what goes wrong on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("faster_whisper")

from speech import RATE, TWO_CITIES, model_folder, recording, samples_of, silence, write_wav

from talksearch.cli.main import cli
from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError, UsageError
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.transcribe import run, work_file
from talksearch.indexer.transcribe.errors import RecordingError
from talksearch.indexer.transcribe.models import LoadedModel, language_code, load_model
from talksearch.indexer.transcribe.pieces import SpeechPiece, pieces
from talksearch.indexer.transcribe.result import result_path
from talksearch.indexer.transcribe.run import HasTranscriptError, transcribe
from talksearch.indexer.transcribe.sound import open_sound, samples

COMMAND = [sys.executable, "-c", "from talksearch.cli.main import cli; cli()"]


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model(model_folder())


@pytest.fixture(scope="module")
def two_cities() -> Floats:
    return samples_of("two_cities.wav")


@pytest.fixture(scope="module")
def long_talk(two_cities: Floats) -> Floats:
    """A minute in four pieces."""
    tried, well = samples_of("beckett.wav"), samples_of("clone-test.wav")
    return np.concatenate([two_cities[: 28 * RATE], silence(7), tried, silence(7), well, silence(7), tried])


def ask(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def made(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


# --- what is written -------------------------------------------------------------------------------------------------


def test_what_is_said_is_written_as_whispers_json(tmp_path: Path, model: LoadedModel) -> None:
    jiwer = pytest.importorskip("jiwer")
    talk = Path(shutil.copy(recording("two_cities.wav"), tmp_path / "Two Cities.wav"))
    done = transcribe(talk, model)
    transcript = made(done.transcript)
    assert done.transcript == tmp_path / "Two Cities.json"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Two Cities.json", "Two Cities.wav"]  # nothing hidden
    assert {"text", "segments", "language"} <= transcript.keys()
    assert transcript["language"] == "en"
    assert [segment["id"] for segment in transcript["segments"]] == list(range(len(transcript["segments"])))
    words = [word for segment in transcript["segments"] for word in segment["words"]]
    assert all(before["start"] <= after["start"] + 0.01 for before, after in pairwise(words))
    assert words[-1]["end"] < 45
    assert all(segment["seek"] <= segment["start"] * 100 + 100 for segment in transcript["segments"])
    plain = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()])
    rate = jiwer.wer(plain(TWO_CITIES.replace("–", "")), plain(transcript["text"]))
    assert rate < 0.05
    talk_read = read_talk(done.transcript)
    assert talk_read.receipt.words_lost == 0
    assert talk_read.receipt.words_after == done.words == len(words)
    assert talk_read.origin == "automatic"
    assert all(cue.words for cue in talk_read.cues)


def test_a_recording_is_found_by_what_was_transcribed_and_opens_at_that_second(tmp_path: Path) -> None:
    archive = tmp_path / "talks of mine"
    archive.mkdir()
    shutil.copy(recording("two_cities.wav"), archive / "Two Cities.wav")
    before = ask("index", archive)
    assert "1 recording has no transcript (44 s), so nothing that is said in it is found:" in before.output
    command = before.output.splitlines()[-1].strip()
    assert command == f"talksearch transcribe --model small '{archive / 'Two Cities.wav'}'"
    after = ask("transcribe", archive, "--model", model_folder())
    assert after.exit_code == 0, after.output
    assert "Two Cities.json: " in after.output
    assert "no transcript" not in ask("index", archive).output
    found = ask("search", "season of darkness", "--format", "jsonl")
    hit = json.loads(found.output.splitlines()[0])
    words = [word for segment in made(archive / "Two Cities.json")["segments"] for word in segment["words"]]
    said = next(word["start"] for word in words if word["word"].strip(" .,") == "darkness")
    assert hit["source"] == "Two Cities.json"
    assert said - 8 <= hit["jump_s"] <= said
    assert hit["url"] == f"{(archive / 'Two Cities.wav').as_uri()}#t={int(hit['jump_s'])}"


def test_a_recording_in_which_frames_are_missing_has_the_times_of_the_player(
    tmp_path: Path, two_cities: Floats
) -> None:
    whole = write_wav(tmp_path / "whole.wav", two_cities)
    gap = _without(whole, tmp_path / "gap.mkv", 10, 20)
    heard = np.concatenate(list(samples(open_sound(gap))))
    assert abs(len(heard) - len(two_cities)) < RATE // 5
    assert not heard[11 * RATE : 19 * RATE].any()
    # Matroska keeps times in milliseconds, so samples are found again where they were, to a hundredth of a second.
    stretch = two_cities[25 * RATE : 26 * RATE]
    at = np.correlate(heard[25 * RATE - 800 : 26 * RATE + 800], stretch).argmax()
    assert abs(int(at) - 800) < RATE // 100


def _without(source: Path, target: Path, first_s: int, last_s: int) -> Path:
    """Copy a recording without the frames of some seconds; the others keep their times."""
    import av

    with av.open(str(source)) as given, av.open(str(target), "w") as taken:
        stream = taken.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for frame in given.decode(audio=0):
            if not first_s <= (frame.time or 0) < last_s:
                taken.mux(stream.encode(frame))
        taken.mux(stream.encode(None))
    return target


# --- going on where it stopped ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_goes_on_and_gives_what_an_undisturbed_one_gives(
    tmp_path: Path, model: LoadedModel, long_talk: Floats, how: signal.Signals, undisturbed_command: dict[str, Any]
) -> None:
    talk = write_wav(tmp_path / "talk.wav", long_talk)
    line = [*COMMAND, "transcribe", str(talk), "--model", model_folder()]
    running = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    work = work_file.work_path(talk)
    until = time.monotonic() + 60
    while time.monotonic() < until and not (work.exists() and work.read_bytes().count(b"\n") >= 2):
        time.sleep(0.02)
    running.send_signal(how)
    _, told = running.communicate(timeout=60)
    if how == signal.SIGINT:
        assert running.returncode == 128 + how
        assert "Stopped. What was finished stays; the same command goes on from there." in told
        assert "Traceback" not in told
    assert not (tmp_path / "talk.json").exists()
    kept = work.read_bytes().count(b"\n")
    assert kept >= 2
    copied = shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-copied"))
    done = transcribe(copied / "talk.wav", model)
    assert done.recognised_ms < done.recording_ms
    # In a process of its own as well: how many threads add up the model's sums, which tests of other things change,
    # shows in their last digits.
    subprocess.run(line, check=True, capture_output=True)
    assert made(tmp_path / "talk.json") == undisturbed_command
    assert sorted(path.name for path in tmp_path.iterdir() if not path.is_dir()) == ["talk.json", "talk.wav"]


@pytest.fixture(scope="module")
def undisturbed_command(tmp_path_factory: pytest.TempPathFactory, long_talk: Floats) -> dict[str, Any]:
    talk = write_wav(tmp_path_factory.mktemp("command") / "talk.wav", long_talk)
    subprocess.run([*COMMAND, "transcribe", str(talk), "--model", model_folder()], check=True, capture_output=True)
    return made(talk.with_suffix(".json"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, model: LoadedModel, long_talk: Floats) -> dict[str, Any]:
    return made(transcribe(write_wav(tmp_path_factory.mktemp("whole") / "talk.wav", long_talk), model).transcript)


def test_pieces_are_the_same_however_sound_comes_and_wherever_they_are_begun(long_talk: Floats) -> None:
    sound = np.concatenate([np.concatenate([long_talk, silence(3)])] * 5)
    whole = list(pieces([sound]))
    blocks = sorted({piece.block for piece in whole})
    assert len(blocks) > 1
    for size in (997, RATE * 7):
        parts = [sound[at : at + size] for at in range(0, len(sound), size)]
        assert _same(list(pieces(parts)), whole)
        assert _same(list(pieces(parts, blocks[1])), [piece for piece in whole if piece.block >= blocks[1]])
    starts = [piece.speech[0][0] for piece in whole]
    assert starts == sorted(set(starts))
    assert max(len(piece.sound) for piece in whole) <= 30 * RATE
    assert all(len(piece.sound) == sum(end - start for start, end in piece.speech) for piece in whole)


def _same(one: list[SpeechPiece], other: list[SpeechPiece]) -> bool:
    return [(piece.block, piece.speech) for piece in one] == [(piece.block, piece.speech) for piece in other] and all(
        np.array_equal(here.sound, there.sound) for here, there in zip(one, other, strict=True)
    )


def test_what_is_kept_of_another_recording_or_model_is_not_gone_on_with(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", silence(1))
    row = {"block": 0, "speech": [[0, 9]], "language": "en", "share": 1.0, "segments": []}
    with work_file.open_work_file(talk, {"model": "a"}) as work:
        work.add(row)
    with work_file.open_work_file(talk, {"model": "a"}) as work:
        assert work.finished == [row]
    with work_file.open_work_file(talk, {"model": "b"}) as work:
        assert work.finished == []
        work.add(row)
    write_wav(talk, silence(2))
    with work_file.open_work_file(talk, {"model": "b"}) as work:
        assert work.finished == []


@pytest.mark.parametrize("damage", [b'{"block": 0, "spee', b"\xff\xfe\n", b"null\n", b'{"block": 0}\n'])
def test_a_line_that_was_cut_off_or_damaged_is_as_if_it_were_not_there(tmp_path: Path, damage: bytes) -> None:
    talk = write_wav(tmp_path / "talk.wav", silence(1))
    row = {"block": 0, "speech": [[0, 9]], "language": "en", "share": 1.0, "segments": []}
    with work_file.open_work_file(talk, {}) as work:
        work.add(row)
    with work.path.open("ab") as file:
        file.write(damage)
    with work_file.open_work_file(talk, {}) as work:
        assert work.finished in ([row], [])  # a whole line that says nothing drops all: it is not this program's file
        work.add(row)
    with work_file.open_work_file(talk, {}) as work:
        assert work.finished[-1] == row


def test_two_runs_at_once_do_not_meet_in_one_recording(tmp_path: Path, model: LoadedModel) -> None:
    talk = write_wav(tmp_path / "talk.wav", silence(1))
    with work_file.open_work_file(talk, {}), pytest.raises(RecordingError, match="Another process is transcribing"):
        transcribe(talk, model)


# --- names, and files of others --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Tides.mp4", "Tides.json"),
        ("Talk v1.2.mp4", "Talk v1.2.json"),
        ("talk.de.mp3", "talk.de.json"),
        ("Learn English.m4a", "Learn English.json"),
        ("Ebbe & Flut [dQw4w9WgXcQ].webm", "Ebbe & Flut [dQw4w9WgXcQ].json"),
        ("Größe (1080p).mkv", "Größe (1080p).json"),
        ("Gro\u0308ße_hd.mp4", "Gro\u0308ße_hd.json"),
        ("講演 [日本語].opus", "講演 [日本語].json"),
        ("a.b.c.d.ogg", "a.b.c.d.json"),
        ("Sommer 2024-05-01 12-30-00.mkv", "Sommer 2024-05-01 12-30-00.json"),
        ("talk.info.mp4", "talk.info.transcript.json"),
        ("talk.chapters.mp4", "talk.chapters.transcript.json"),
        ("talk.live_chat.mp4", "talk.live_chat.transcript.json"),
        ("audio_only.m4a", "audio_only.json"),
        ("-rf.mp3", "-rf.json"),
    ],
)
def test_a_transcripts_name_is_one_by_which_its_recording_is_found(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).touch()
    try:
        path = result_path(tmp_path / name)
    except RecordingError:
        path = Path("none")
    assert path.name == expected


@pytest.mark.parametrize(
    ("name", "told"),
    [(b"a" * 251 + b".wav", "another name, or a shorter one"), (b"bad\xff.wav", "is not valid UTF-8")],
)
def test_a_name_that_leaves_none_for_a_transcript_is_told_before_any_work(
    tmp_path: Path, model: LoadedModel, name: bytes, told: str
) -> None:
    talk = tmp_path / os.fsdecode(name)
    try:
        shutil.copy(recording("beckett.wav"), talk)
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(RecordingError) as raised:
        transcribe(talk, model)
    assert told in f"{raised.value.message} {raised.value.hint}"
    assert list(tmp_path.iterdir()) == [talk]


def test_nobodys_file_is_written_over(tmp_path: Path, model: LoadedModel) -> None:
    talk = Path(shutil.copy(recording("beckett.wav"), tmp_path / "talk.wav"))
    (tmp_path / "talk.json").write_text('{"views": 12}')
    (tmp_path / "talk.transcript.json").symlink_to("nowhere")
    done = transcribe(talk, model)
    assert done.transcript.name == "talk.wav.transcript.json"
    assert made(tmp_path / "talk.json") == {"views": 12}
    with pytest.raises(HasTranscriptError, match=r"talk\.wav\.transcript\.json"):
        transcribe(talk, model)
    before = done.transcript.stat().st_mtime_ns
    transcribe(talk, model, again=True)
    assert done.transcript.stat().st_mtime_ns > before


@pytest.mark.parametrize("name", ["talk.en.vtt", "Subs/talk.vtt", "talk.json"])
def test_a_recording_that_has_a_transcript_is_left_alone(tmp_path: Path, model: LoadedModel, name: str) -> None:
    talk = Path(shutil.copy(recording("beckett.wav"), tmp_path / "talk.wav"))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    cues = '{"text": " Hi there.", "segments": [{"start": 0, "end": 2, "text": " Hi there."}]}'
    vtt = "WEBVTT\n\n00:00.000 --> 00:02.000\nHi there.\n"
    (tmp_path / name).write_text(cues if name.endswith("json") else vtt)
    for again in (False, True):
        with pytest.raises(HasTranscriptError, match="has a transcript"):
            transcribe(talk, model, again=again)
    told = ask("transcribe", tmp_path, "--model", "/nowhere")
    assert (
        told.output
        == "There is nothing to transcribe: no recording lacks a transcript, but for those in which nobody speaks.\n"
    )


# --- recordings, folders and disks that will not do ------------------------------------------------------------------


def _mute_video(path: Path) -> None:
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for _ in range(5):
            file.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        file.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "make", "told"),
    [
        ("empty.mp3", Path.touch, "is empty. Fetch it once more"),
        ("text.mp4", lambda path: path.write_text("hello"), "is no recording, or is cut off"),
        ("mute.mp4", _mute_video, "has no sound"),
        ("silent.wav", lambda path: write_wav(path, silence(3)), "Nobody speaks in"),
        (
            "noise.wav",
            lambda path: write_wav(path, np.random.default_rng(1).normal(0, 0.1, RATE).astype("f4")),
            "Nobody",
        ),
        ("nothing.wav", lambda path: write_wav(path, silence(0)), "there is nothing on it"),
        ("gone.mp4", lambda path: path.symlink_to("nowhere"), "cannot be read: No such file"),
    ],
)
def test_what_cannot_be_transcribed_is_said_and_leaves_nothing(
    tmp_path: Path, model: LoadedModel, name: str, make: Any, told: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(RecordingError) as raised:
        transcribe(tmp_path / name, model)
    assert told in f"{raised.value.message} {raised.value.hint}"
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".no-speech"] == [name]


def test_nobody_is_listened_to_twice_in_a_folder_where_nobody_speaks(tmp_path: Path) -> None:
    write_wav(tmp_path / "jingle.wav", silence(3))
    first = ask("transcribe", tmp_path, "--model", model_folder())
    assert first.exit_code == 0
    assert "Nobody speaks in" in first.output
    assert "It is not named again until it changes." in first.output
    assert "but for those in which nobody speaks." in ask("transcribe", tmp_path).output
    for again in (["--again", tmp_path], [tmp_path / "jingle.wav"]):
        assert "Nobody speaks in" in ask("transcribe", *again, "--model", model_folder()).output
    shutil.copy(recording("beckett.wav"), tmp_path / "jingle.wav")
    assert "12 words" in ask("transcribe", tmp_path, "--model", model_folder()).output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jingle.json", "jingle.wav"]


def test_one_bad_recording_is_a_line_and_the_others_are_transcribed(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m.mp4").write_text("no recording")
    shutil.copy(recording("beckett.wav"), tmp_path / "b.wav")
    done = ask("transcribe", tmp_path / "gone.wav", tmp_path, "--model", model_folder())
    assert done.exit_code == 1
    assert "gone.wav is not there." in done.output
    assert "is no recording, or is cut off" in done.output
    assert "\x1b" not in done.output
    assert "b.json: 12 words, English" in done.output


def test_a_recording_that_is_cut_off_is_transcribed_as_far_as_it_goes(
    tmp_path: Path, model: LoadedModel, two_cities: Floats
) -> None:
    whole = write_wav(tmp_path / "whole.wav", two_cities).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 3])
    assert transcribe(tmp_path / "cut.wav", model).words > 20
    sound = open_sound(tmp_path / "cut.wav")
    assert sound.duration_ms is not None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_to_be_written_is_told_before_any_work(tmp_path: Path, model: LoadedModel) -> None:
    talk = Path(shutil.copy(recording("beckett.wav"), tmp_path / "talk.wav"))
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RecordingError, match="Nothing can be written beside"):
            transcribe(talk, model)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_fills_up_leaves_nothing_half_written_and_the_next_run_goes_on(
    tmp_path: Path, model: LoadedModel, long_talk: Floats, undisturbed: dict[str, Any]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = (len(long_talk) * 2 // 4096 + 8) * 4096
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        talk = write_wav(disk / "talk.wav", long_talk)
        filler = disk / "filler"
        with pytest.raises(RecordingError, match="The disk is full"):
            transcribe(talk, model, tell=lambda _: _fill(filler))
        assert not (disk / "talk.json").exists()
        filler.unlink()
        subprocess.run(["mount", "-o", f"remount,size={size * 2}", str(disk)], check=True)
        done = transcribe(talk, model)
        assert made(done.transcript) == undisturbed
        assert sorted(path.name for path in disk.iterdir()) == ["talk.json", "talk.wav"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _fill(path: Path) -> None:
    """Fill a disk."""
    try:
        with path.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(512))
    except OSError:
        pass


# --- models and languages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nosuch", "faster-whisper knows no model of that name"),
        ("/nowhere/model", "There is no folder /nowhere/model"),
        ("tiny", "is not on this machine and cannot be fetched"),
        ("somebody/whisper-tiny-ct2", "is not on this machine and cannot be fetched"),
        (None, "nothing is fetched that was not asked for"),
    ],
)
def test_a_model_that_is_not_there_is_told_in_a_sentence(
    name: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError) as raised:
        load_model(name)
    assert told in raised.value.message
    assert raised.value.hint


def test_a_folder_that_lacks_a_file_is_no_model_and_nothing_is_asked_for_it(tmp_path: Path) -> None:
    for name in ("config.json", "model.bin"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing"):
        load_model(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path))


def test_a_model_that_knows_english_only_refuses_another_language(model: LoadedModel) -> None:
    assert language_code("English", model) == language_code("en-GB", model) == "en"
    with pytest.raises(UsageError, match="knows English only"):
        language_code("German", model)


def test_a_missing_extra_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_wav(tmp_path / "talk.wav", silence(1))
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    told = ask("transcribe", tmp_path)
    assert told.exit_code == 1
    assert told.output == (
        'talksearch: talksearch transcribe needs faster-whisper.\nInstall it: pip install "talksearch[transcribe]"\n'
    )


def test_no_socket_is_opened_for_a_folder(tmp_path: Path) -> None:
    """Checked in a process of its own, from which the network is taken before anything is loaded."""
    shutil.copy(recording("beckett.wav"), tmp_path / "talk.wav")
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from talksearch.cli.main import cli; cli()"
    )
    call = [sys.executable, "-c", code, "transcribe", str(tmp_path / "talk.wav"), "--model", model_folder()]
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "talk.json: 12 words, English" in done.stdout


def test_the_pace_of_a_run_is_kept_for_estimates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from talksearch.indexer.transcribe import pace

    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    assert pace.pace_of() == pace.TranscriptionSpeed("small", 1.0, False)
    pace.remember("tiny", 10, 5)  # too short to say anything
    assert not pace.pace_of("tiny").measured
    pace.remember("tiny", 4000, 100)
    pace.remember("/models/mine", 300, 100)
    assert pace.pace_of("tiny") == pace.TranscriptionSpeed("tiny", 40.0, True)
    assert pace.pace_of() == pace.TranscriptionSpeed("/models/mine", 3.0, True)
    (tmp_path / "cache" / "whisper-pace.json").write_text("[")
    assert not pace.pace_of("tiny").measured


def test_a_folder_gives_one_recording_of_each_talk_that_lacks_a_transcript(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.m4a", "b.mp4", "c/d_720p.mp4", "c/d.mp3", "e [dQw4w9WgXcQ].webm", ".hidden.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b.txt").write_text("0:00 One, two, three and four.\n0:05 Five, six and seven it is.\n")
    (tmp_path / "captions").mkdir()
    track = tmp_path / "captions" / "of e [dQw4w9WgXcQ].en.vtt"
    track.write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nHi there.\n")
    wanted = [tmp_path / "a.m4a", tmp_path / "c" / "d.mp3"]
    assert run.recordings_to_transcribe(tmp_path) == wanted
    (tmp_path / "a.json").write_text(
        '{"segments": [{"start": 0, "end": 2, "text": " Hi there."}], "talksearch_transcribe": {}}'
    )
    assert run.recordings_to_transcribe(tmp_path) == wanted[1:]
    assert run.recordings_to_transcribe(tmp_path, again=True) == wanted
    track.write_text("")
    assert tmp_path / "e [dQw4w9WgXcQ].webm" in run.recordings_to_transcribe(tmp_path)
