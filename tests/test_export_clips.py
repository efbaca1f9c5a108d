"""`export --clips`: stretches of local recordings, cut at the second, and a sentence for each that cannot be."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from test_export import film_of, hit, run
from tiny import make_index

from talksearch.cli.export.clips import cut
from talksearch.cli.export.selection import Selection
from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Chapter, Cue, Talk

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="ffmpeg is not installed, so no clips can be cut"
)


@pytest.fixture(scope="module", name="film")
def film_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "a: talk=%é, x.mp4"
    film_of(path, seconds=30)
    return path


def talk_of(film: Path) -> Talk:
    return Talk("t", "t.vtt", "../One: two/", (Cue(0, 5_000, "words"),), url=film.as_uri(), duration_ms=30_000)


def probed(path: Path) -> dict[str, str]:
    out = subprocess.run(
        ["ffprobe", "-loglevel", "error", "-show_format", "-of", "json", path],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    found: dict[str, str] = json.loads(out)["format"]
    return found


@needs_ffmpeg
def test_hits_are_cut_at_the_second_in_the_order_of_their_ranks(film: Path, tmp_path: Path) -> None:
    talk = talk_of(film)
    hits = (hit(talk, 12_000, 14_000), hit(talk, 3_000, 4_000, rank=2))
    clips = list(cut(Selection("hits", (talk,), hits=hits, query="q"), tmp_path / "new" / "clips"))
    assert [clip.problem for clip in clips] == ["", ""]
    names = [clip.path.name for clip in clips if clip.path]
    assert names == ["1-One-two-0h00m11s.mp4", "2-One-two-0h00m02s.mp4"]
    assert sorted(path.name for path in (tmp_path / "new" / "clips").iterdir()) == sorted(names)
    lengths = [float(probed(clip.path)["duration"]) for clip in clips if clip.path]
    assert lengths == pytest.approx([4.5, 3.5], abs=0.15)


@needs_ffmpeg
def test_a_clip_shows_the_second_that_was_asked_for(tmp_path: Path) -> None:
    """Red up to 10 s, then blue; a clip that begins at 10 s is blue from its first picture."""
    film = tmp_path / "film.mp4"
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "color=red:size=64x64:rate=10:duration=10",
         "-f", "lavfi", "-i", "color=blue:size=64x64:rate=10:duration=10", "-filter_complex", "concat", "-g", "300",
         film],
        check=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    talk = talk_of(film)
    (clip,) = cut(Selection("hits", (talk,), hits=(hit(talk, 11_000, 12_000),), query="q"), tmp_path / "clips")
    assert clip.path
    pixels = subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-i", clip.path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True, check=True, timeout=60, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    red, _, blue = pixels[:3]
    assert blue > 200 > 50 > red


@needs_ffmpeg
def test_chapters_are_cut_up_to_the_next(film: Path, tmp_path: Path) -> None:
    talk = replace(talk_of(film), chapters=(Chapter(0, "Begin"), Chapter(12_000, "End")))
    clips = list(cut(Selection("talk", (talk,)), tmp_path))
    assert [clip.path.name for clip in clips if clip.path] == [
        "1-One-two-Begin-0h00m00s.mp4",
        "2-One-two-End-0h00m12s.mp4",
    ]
    assert [float(probed(clip.path)["duration"]) for clip in clips if clip.path] == pytest.approx([12, 18], abs=0.15)


@needs_ffmpeg
def test_what_cannot_be_cut_is_said_and_the_rest_goes_on(film: Path, tmp_path: Path) -> None:
    good = talk_of(film)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    others = {
        "web": "https://example.org/a.mp4",
        "gone": (tmp_path / "gone.mp4").as_uri(),
        "broken": broken.as_uri(),
        "none": None,
    }
    talks = (*(replace(good, id=name, url=url) for name, url in others.items()), good)
    late = hit(good, 500_000, 510_000)
    hits = (*(hit(talk, 3_000, 4_000) for talk in talks), late)
    clips = list(cut(Selection("hits", talks, hits=hits, query="q"), tmp_path / "clips"))
    assert [clip.path is not None for clip in clips] == [False, False, False, False, True, False]
    told = [clip.problem for clip in clips]
    assert "on the web" in told[0]
    assert "not there any more" in told[1]
    assert "ffmpeg failed" in told[2]
    assert "no recording is known" in told[3]
    assert "ends before" in told[5]
    assert [path.name for path in (tmp_path / "clips").iterdir()] == ["5-One-two-0h00m02s.mp4"]


@needs_ffmpeg
def test_nothing_is_overwritten(film: Path, tmp_path: Path) -> None:
    talk = talk_of(film)
    there = tmp_path / "1-One-two-0h00m02s.mp4"
    there.write_text("mine")
    (clip,) = cut(Selection("hits", (talk,), hits=(hit(talk, 3_000, 4_000),), query="q"), tmp_path)
    assert "is there already" in clip.problem
    assert there.read_text() == "mine"


def test_without_ffmpeg_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TalksearchError, match="ffmpeg, which is not installed"):
        list(cut(Selection("talk", (talk_of(tmp_path / "a.mp4"),)), tmp_path / "clips"))
    assert not (tmp_path / "clips").exists()


@needs_ffmpeg
def test_talks_without_chapters_are_not_cut(film: Path, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no chapters"):
        list(cut(Selection("talk", (talk_of(film),)), tmp_path / "clips"))


@needs_ffmpeg
def test_the_command_tells_what_is_on_the_web(tmp_path: Path) -> None:
    index = make_index(tmp_path)
    result = run(index, "--query", "ship", "--mode", "lexical", "-k", "1", "--clips", str(tmp_path / "clips"))
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "the recording is on the web: Ships, 0h00m59s, https://example.org/ships" in result.stderr
    assert "0 clips in" in result.stderr
    assert run(index, "--clips", str(tmp_path / "clips")).exit_code == 2
