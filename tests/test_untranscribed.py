"""Recordings that lack a transcript: which they are, how long they are, and what `index` says of them."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from speech import RATE, silence, write_wav

from talksearch.cli.main import cli
from talksearch.cli.render.transcripts import duration_text, untranscribed_text
from talksearch.indexer.talks import untranscribed
from talksearch.indexer.talks.no_speech import forget_no_speech, has_no_speech, remember_no_speech
from talksearch.indexer.talks.untranscribed import Untranscribed, duration_ms, with_durations, without_transcript
from talksearch.indexer.transcribe.pace import TranscriptionSpeed

VTT = "WEBVTT\n\n00:00.000 --> 00:04.000\nThe tide comes in twice a day.\n"


def lay_out(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(VTT if path.suffix == ".vtt" else "")
    return paths


@pytest.mark.parametrize(
    ("recording", "transcript"),
    [
        ("talk.mp4", "talk.vtt"),
        ("talk.mp4", "talk.en.vtt"),
        ("talk.mp4", "TALK.de-orig.vtt"),
        ("talk_720p.mp4", "talk.en.vtt"),
        ("talk.mp3", "talk (English).vtt"),
        ("talk.mp4", "Subs/talk.vtt"),
        ("film.mp4", "transcripts/film.en.vtt"),
        ("Größe.mkv", "Gro\u0308ße.de.vtt"),
        ("33c3-8401-eng-How_bridges_are_made_hd.mp4", "33c3-8401-eng-deu-How_bridges_are_made.vtt"),
        ("GMT20240501-120000_Recording_1920x1080.mp4", "GMT20240501-120000_Recording.transcript.vtt"),
        ("meeting/video1234567890.mp4", "meeting/captions.vtt"),
        ("talk.json.mp4", "talk.json.vtt"),
    ],
)
def test_a_recording_whose_transcript_has_another_name_or_folder_is_not_named(
    tmp_path: Path, recording: str, transcript: str
) -> None:
    recordings = lay_out(tmp_path, recording)
    assert without_transcript(recordings, ()) == recordings
    assert without_transcript(recordings, lay_out(tmp_path, transcript)) == []


def test_the_recordings_of_one_talk_are_named_once_and_that_of_sound_alone_first(tmp_path: Path) -> None:
    lay_out(tmp_path, "one.vtt")
    recordings = lay_out(
        tmp_path, "one.mp4", "one_1080p.mp4", "one.m4a", "two.mp4", "two.m4a", "zoom/video12345678.mp4",
        "zoom/audio_only.m4a", "other/two.mp4",
    )  # fmt: skip
    assert without_transcript(recordings, [tmp_path / "one.vtt"]) == [
        tmp_path / "other/two.mp4",
        tmp_path / "two.m4a",
        tmp_path / "zoom/audio_only.m4a",
    ]


def test_a_video_whose_captions_lie_anywhere_is_not_named(tmp_path: Path) -> None:
    recordings = lay_out(tmp_path, "videos/Tides [dQw4w9WgXcQ].mp4", "videos/Ebb [aaaaaaaaaaB].mp4")
    assert without_transcript(recordings, (), ["dQw4w9WgXcQ"]) == [recordings[1]]


def test_lengths_are_read_from_heads_and_told_from_sizes_where_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = [write_wav(tmp_path / f"{seconds}.wav", silence(seconds)) for seconds in (4, 8)]
    (tmp_path / "x.mp3").write_bytes(b"no recording")
    assert [one.duration_ms for one in with_durations([*talks, tmp_path / "x.mp3"])] == [4000, 8000, None]
    assert duration_ms(tmp_path / "gone.mp3") is None
    clock = iter([0.0, 0.5, 9.0])
    monkeypatch.setattr(untranscribed.time, "monotonic", lambda: next(clock))
    first, second = with_durations(talks)
    assert first.duration_ms == 4000
    assert second.duration_ms is not None
    assert abs(second.duration_ms - 8000) < 20


@pytest.mark.parametrize("ending", ["mp3", "m4a", "mp4", "wav", "ogg", "opus", "flac", "wma", "aiff", "mkv", "webm"])
def test_no_head_of_a_file_however_broken_raises(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"talk.{ending}"
    heads = (
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
        b"\x00\x00\x00\x20ftypM4A \xff\xff\xff\xffmoov",
        b"RIFF\xff\xff\xff\xffWAVEfmt \x00",
        b"OggS\x00\x02" + b"\xff" * 40,
        b"fLaC\x00\xff\xff\xff",
        b"FORM\x00\x00\x00\x01AIFFCOMM",
        b"\x1a\x45\xdf\xa3\xff",
        b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa\x00b\xcel",
        b"\xff\xfb\x90\x64",
    )
    random = np.random.default_rng(0)
    for head in heads:
        for size in (0, 3, 300):
            path.write_bytes(head + random.bytes(size))
            found = duration_ms(path)
            assert found is None or found > 0


def test_index_names_what_lacks_a_transcript_and_the_command_for_it(tmp_path: Path) -> None:
    archive = tmp_path / "Anna's talks"
    lay_out(archive, "tides.vtt")
    for name in ("tides.wav", "ebb.wav", "flood.wav"):
        write_wav(archive / name, silence(30))
    told = CliRunner().invoke(cli, ["index", str(archive)]).output
    assert "2 recordings have no transcript (1 min 0 s), so nothing that is said in them is found:" in told
    assert f"  {archive / 'ebb.wav'}\n  {archive / 'flood.wav'}\n" in told
    assert "tides.wav" not in told
    assert "To transcribe them, in about 1 min 0 s with the model small" in told
    assert told.endswith(f"  talksearch transcribe --model small '{tmp_path}/Anna'\"'\"'s talks'\n")
    lay_out(archive, "ebb.vtt", "captions/flood.en.vtt")
    assert "no transcript" not in CliRunner().invoke(cli, ["index", str(archive)]).output


def test_the_report_names_ten_and_counts_the_others() -> None:
    recordings = [Untranscribed(Path(f"/talks/{number:02}\x1b.mp4"), 3_600_000) for number in range(25)]
    text = untranscribed_text(
        recordings, [Path("/talks"), Path("/elsewhere")], TranscriptionSpeed("/models/my own", 5.0, True)
    )
    assert text.count("/talks/") == 10
    assert "  and 15 more\n" in text
    assert "(1 day 1 h)" in text
    assert "in about 5 h 0 min with the model in /models/my own (by its last run on this machine):" in text
    assert text.endswith("  talksearch transcribe --model '/models/my own' /talks\n")
    assert "\x1b" not in text
    assert untranscribed_text([], [], TranscriptionSpeed("small", 1.0, False)) == ""
    one = untranscribed_text(
        [Untranscribed(Path("/a b.mp4"), None)], [Path("/")], TranscriptionSpeed("small", 1.0, False)
    )
    assert "1 recording has no transcript (its length is not known), so nothing that is said in it is found:" in one
    assert one.endswith("To transcribe it:\n  talksearch transcribe --model small '/a b.mp4'\n")


@pytest.mark.parametrize(
    "name", ['it\'s "a" $HOME.wav', "-rf.wav", "two\nlines.wav", "red\x1b[31m.wav", "odd\udcff.wav", "\\.wav"]
)
def test_the_command_that_is_named_works_in_a_shell_as_it_is_printed(tmp_path: Path, name: str) -> None:
    recording = tmp_path / name
    try:
        recording.touch()
    except (OSError, ValueError):
        pytest.skip("no such name can be had here")
    text = untranscribed_text([Untranscribed(recording, None)], [tmp_path], TranscriptionSpeed("small", 1.0, False))
    command = text.splitlines()[-1]
    assert command.startswith("  talksearch transcribe --model small ")
    assert command.isprintable()
    words = subprocess.run(
        ["bash", "-c", f"set -- {command}; for word; do printf '%s\\0' \"$word\"; done"],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert words.split(b"\0")[4:-1] == [os.fsencode(recording)]


def test_a_recording_in_which_nobody_speaks_is_not_named_again_until_it_changes(tmp_path: Path) -> None:
    jingle = write_wav(tmp_path / "jingle.wav", silence(30))
    write_wav(tmp_path / "talk.wav", silence(30))
    remember_no_speech(jingle)
    assert "jingle" not in CliRunner().invoke(cli, ["index", str(tmp_path)]).output
    jingle.rename(tmp_path / "other.wav")
    assert "other.wav" in CliRunner().invoke(cli, ["index", str(tmp_path)]).output
    (tmp_path / "other.wav").rename(jingle)
    write_wav(jingle, silence(31))
    assert "jingle.wav" in CliRunner().invoke(cli, ["index", str(tmp_path)]).output
    remember_no_speech(jingle)
    forget_no_speech(jingle)
    assert not has_no_speech(jingle)
    remember_no_speech(tmp_path / "gone.wav")
    assert not has_no_speech(tmp_path / "gone.wav")


def test_thousands_of_recordings_do_not_keep_a_run_waiting(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", silence(60)).read_bytes()
    recordings = [tmp_path / f"{number}.wav" for number in range(3000)]
    for path in recordings:
        path.write_bytes(talk[:200])
    started = time.monotonic()
    assert len(with_durations(without_transcript(recordings, ()))) == 3000
    assert time.monotonic() - started < 5


def test_durations_are_said_as_people_say_them() -> None:
    assert [duration_text(seconds) for seconds in (0.4, 59.7, 61, 3600, 86_400)] == [
        "0.4 s", "60 s", "1 min 1 s", "1 h 0 min", "1 day 0 h",
    ]  # fmt: skip
    assert RATE == 16_000
