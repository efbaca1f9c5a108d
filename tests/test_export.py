"""`talksearch export`: which format is meant, where it is written, and what files for players and databases hold."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import CountingEncoder
from tiny import make_index, write_talk

from talksearch.cli.commands.export import FORMAT_NAMES
from talksearch.cli.export import files
from talksearch.cli.export.registry import FORMATS, ExportFormat, export, format_named
from talksearch.cli.export.selection import Selection, Written, select_archive, select_hits, select_talks
from talksearch.cli.main import cli
from talksearch.indexer.errors import QueryError, TalksearchError, UsageError
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Chapter, Cue, Talk
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.reader import open_reader


@pytest.fixture(scope="module", name="index")
def index_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("export"))


def run(index: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", *arguments, "--index", str(index)])


def hit(talk: Talk, start_ms: int, end_ms: int, **facts: object) -> Hit:
    known = Hit(
        rank=1,
        score=2.5,
        passage_id="p",
        talk_id=talk.id,
        title=talk.title,
        source=talk.source,
        youtube_id=None,
        channel=None,
        speaker=None,
        date=None,
        language=None,
        start_ms=start_ms,
        end_ms=end_ms,
        jump_ms=start_ms,
        url=f"{talk.url}#t={start_ms // 1000}",
        timing="exact",
        margin_ms=0,
        text="a passage",
    )
    return replace(known, **facts)  # type: ignore[arg-type]


def written(name: str, selection: Selection) -> Written:
    known = format_named(name)
    assert known
    return export(known, selection)


TALK = Talk(
    "t",
    "t.vtt",
    "One, two\n#EXTVLCOPT:start-time=0\nthree",
    (Cue(0, 5_000, "first words", "Ann"), Cue(60_000, 65_000, "second words")),
    url="https://example.org/a%2Cb.mp4",
    duration_ms=90_500,
    chapters=(Chapter(60_000, "Two"),),
)


def test_the_command_offers_every_format_of_the_registry() -> None:
    assert tuple(known.name for known in FORMATS) == FORMAT_NAMES


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_every_format_writes_all_that_it_says_it_takes(index: Path, known: ExportFormat) -> None:
    db = catalog.open_catalog(index)
    ids = [talk.id for talk in catalog_talks.read_talks(db)]
    with open_reader(index, encoder=CountingEncoder()) as reader:
        hits = engine.search(reader, Query("ship", k=2, mode="lexical")).hits
    assert hits
    hits = tuple(one for one in hits if one.talk_id == hits[0].talk_id)
    selections = {
        "talk": replace(select_talks(db, ids[:1]), talks=[replace(TALK, id=ids[0])]),
        "talks": replace(select_talks(db, ids), talks=[replace(TALK, id="a"), replace(TALK, id="b")]),
        "hits": replace(select_hits(db, "ship", hits), talks=[replace(TALK, id=hits[0].talk_id)]),
        "archive": replace(select_archive(db), talks=iter([TALK])),
    }
    for kind, selection in selections.items():
        assert selection.kind == kind
        if kind in known.takes:
            assert export(known, selection).content
        else:
            with pytest.raises(UsageError, match="holds"):
                export(known, selection)


def test_a_talk_is_written_to_standard_output_and_nothing_else(index: Path) -> None:
    result = run(index, "ships", "--format", "srt")
    assert result.exit_code == 0
    assert result.stdout.startswith("1\n00:01:00,000 --> 00:01:05,000\nthe ship keeps its own time\n")
    assert result.stderr == ""


def test_a_dash_is_standard_output(index: Path) -> None:
    result = run(index, "ships", "--format", "vtt", "-o", "-")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("WEBVTT\n")
    assert not Path("-").exists()


def test_the_ending_of_the_file_says_the_format(index: Path, tmp_path: Path) -> None:
    file = tmp_path / "ships.vtt"
    file.write_text("old")
    assert run(index, "ships", "-o", str(file)).exit_code == 0
    assert file.read_text().startswith("WEBVTT\n")
    assert [path.name for path in tmp_path.iterdir()] == ["ships.vtt"]
    result = run(index, "ships", "-o", str(tmp_path / "ships.xyz"))
    assert result.exit_code == 2
    assert "ships.xyz does not say which format it is." in result.stderr


def test_hits_are_written_with_what_was_asked(index: Path) -> None:
    result = run(index, "--query", "ship", "--mode", "lexical", "-k", "1", "--format", "markdown")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# ship\n\n1. **Ships**")
    assert "(<https://example.org/ships#t=60>)" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ships", "--format", "vtt", "-k", "3"], 2, "-k belongs to a search."),
        (["ships", "--query", "x", "--format", "json"], 2, "Give talks or a --query, not both."),
        (["--query", "ship", "--mode", "lexical", "--format", "vtt"], 2, "vtt holds one talk, not the hits"),
        (["ships", "bees", "--format", "srt"], 2, "srt holds one talk, not several talks."),
        (["--format", "json"], 2, "json holds one talk, several talks or the hits of a query, not the whole"),
        (["nobody", "--format", "vtt"], 1, "nobody"),
        (["ships", "--format", "chapters"], 1, "There are no chapters to write."),
        (["ships"], 2, "Say in which format."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_sentence(index: Path, arguments: list[str], code: int, message: str) -> None:
    result = run(index, *arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert result.stdout == ""


def test_a_folder_is_not_written_over(index: Path, tmp_path: Path) -> None:
    result = run(index, "ships", "--format", "vtt", "-o", str(tmp_path))
    assert result.exit_code == 1
    assert "is a folder" in result.stderr


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "talk.vtt"
    file.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(TalksearchError, match="No space left"):
        files.write_whole(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["talk.vtt"]


def test_a_written_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    file, link = tmp_path / "talk.vtt", tmp_path / "link.vtt"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    files.write_whole(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "title",
    ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\x00b\x1b[31m", "nul.txt", "." * 300, "漢" * 300, "a/../b", "-rf"],
)  # fmt: skip
def test_no_title_leads_out_of_a_folder(title: str, tmp_path: Path) -> None:
    name = files.file_name(title)
    assert name
    assert Path(name).name == name
    assert not name.startswith((".", "-"))
    assert len(name.encode()) <= 101
    (tmp_path / name).write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_m3u_plays_the_stretches_of_hits_and_no_title_adds_a_line() -> None:
    content = written("m3u", Selection("hits", (TALK,), hits=(hit(TALK, 60_000, 65_000),), query="x")).content
    assert content == (
        "#EXTM3U\n"
        "#EXTINF:8,One, two #EXTVLCOPT:start-time=0 three — 1:00\n"
        "#EXTVLCOPT:start-time=59\n"
        "#EXTVLCOPT:stop-time=66.5\n"
        "https://example.org/a%2Cb.mp4\n"
    )


def test_talks_without_a_recording_are_told() -> None:
    wanted = Selection("talks", (TALK, replace(TALK, id="u", title="Lost", url=None)))
    content, notes = written("m3u", wanted).content, written("m3u", wanted).notes
    assert content == "#EXTM3U\n#EXTINF:90,One, two #EXTVLCOPT:start-time=0 three\nhttps://example.org/a%2Cb.mp4\n"
    assert notes == ("No recording is known, left out: Lost",)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a.org/x.mp4\n#EXTM3U", "ftp://a.org/x.mp4"])
def test_no_address_is_played_that_is_none_of_the_web_or_of_a_file(url: str) -> None:
    with pytest.raises(QueryError, match="No recording is known"):
        written("m3u", Selection("talk", (replace(TALK, url=url),)))


def test_edl_counts_the_bytes_of_names_and_leaves_pages_out() -> None:
    page = replace(TALK, id="p", title="Page", url="https://www.youtube.com/watch?v=DTcRLlMv4_o")
    hits = (hit(TALK, 60_000, 65_000, title="é, x=y\n#"), hit(page, 1_000, 2_000, rank=2))
    result = written("edl", Selection("hits", (TALK, page), hits=hits, query="x"))
    assert result.content == (
        "# mpv EDL v0\n%29%https://example.org/a%2Cb.mp4,start=59.000,length=7.500,title=%18%é, x=y # — 1:00\n"
    )
    assert len(result.notes) == 1
    assert "Page" in result.notes[0]
    with pytest.raises(QueryError, match="mpv can open none"):
        written("edl", Selection("talk", (page,)))
    with pytest.raises(QueryError, match="No recording is known"):
        written("edl", Selection("talk", (replace(TALK, url=None),)))


def test_hits_of_one_talk_are_chapters_in_the_order_of_time() -> None:
    hits = (hit(TALK, 60_000, 65_000, text="later"), hit(TALK, 0, 5_000, text="sooner", rank=2))
    content = written("chapters", Selection("hits", (TALK,), hits=hits, query="x")).content
    assert isinstance(content, str)
    assert content.index("sooner") < content.index("later")
    other = replace(TALK, id="o")
    with pytest.raises(UsageError, match="these hits are of several"):
        written("chapters", Selection("hits", (TALK, other), hits=(*hits, hit(other, 0, 1)), query="x"))


def test_a_chapter_of_a_long_hit_has_a_title_of_one_line() -> None:
    said = hit(TALK, 0, 5_000, text="many words " * 40)
    content = written("chapters", Selection("hits", (TALK,), hits=(said,), query="x")).content
    (chapter,) = json.loads(content)["chapters"]
    assert chapter["title"] == ("many words " * 7).strip() + "…"


@pytest.mark.parametrize("known", [known for known in FORMATS if "hits" in known.takes], ids=lambda known: known.name)
def test_no_hits_are_an_empty_file_and_no_error(known: ExportFormat) -> None:
    assert export(known, Selection("hits", (), query="nothing")).notes == ()


def test_markdown_has_chapters_speakers_and_links_and_nothing_acts_in_it() -> None:
    talk = replace(TALK, title="*A* <b>", cues=(*TALK.cues, Cue(70_000, 71_000, "a [b](javascript:x) <script>")))
    content = written("markdown", Selection("talk", (talk,))).content
    assert isinstance(content, str)
    assert content.startswith("# \\*A\\* &lt;b\\>\n")
    assert "[0:00](<https://example.org/a%2Cb.mp4#t=0>) **Ann:** first words\n\n## Two\n\n[1:00](<" in content
    assert "a \\[b\\]\\(javascript:x\\) &lt;script\\>" in content


def database(content: str | bytes, tmp_path: Path) -> sqlite3.Connection:
    assert isinstance(content, bytes)
    path = tmp_path / "x.sqlite"
    path.write_bytes(content)
    return sqlite3.connect(path)


def test_the_database_holds_talks_cues_chapters_and_hits_that_refer_to_each_other(tmp_path: Path) -> None:
    hits = (hit(TALK, 60_000, 65_000), hit(TALK, 0, 5_000, rank=2))
    with closing(database(written("sqlite", Selection("hits", (TALK,), hits=hits, query="q")).content, tmp_path)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT rank, query, cues.text FROM hits JOIN cues ON cues.id = cue_id").fetchall() == [
            (1, "q", "second words"),
            (2, "q", "first words"),
        ]
        assert db.execute("SELECT start_s, title, url FROM chapters").fetchall() == [
            (60.0, "Two", "https://example.org/a%2Cb.mp4#t=60")
        ]
        assert db.execute("SELECT time, speaker, text, url FROM lines").fetchall() == [
            ("0:00:00", "Ann", "first words", "https://example.org/a%2Cb.mp4#t=0"),
            ("0:01:00", None, "second words", "https://example.org/a%2Cb.mp4#t=60"),
        ]


def test_the_full_text_of_the_database_follows_its_cues(tmp_path: Path) -> None:
    def found(term: str) -> list[int]:
        rows = db.execute("SELECT rowid FROM cues_fts WHERE cues_fts MATCH ?", (term,))
        return [number for (number,) in rows]

    with closing(database(written("sqlite", Selection("talk", (TALK,))).content, tmp_path)) as db:
        assert found("second") == [2]
        db.execute("UPDATE cues SET text = 'corrected' WHERE id = 2")
        assert (found("second"), found("corrected")) == ([], [2])
        db.execute("DELETE FROM cues WHERE id = 1")
        db.execute("INSERT INTO cues (talk_id, start_s, end_s, text) VALUES ('t', 1, 2, 'new one')")
        assert (found("first"), found("new")) == ([], [3])


@pytest.mark.skipif(not (shutil.which("mpv") and shutil.which("ffmpeg")), reason="mpv or ffmpeg is not installed")
def test_mpv_plays_just_the_hits(tmp_path: Path) -> None:
    film = tmp_path / "a, talk=%é.mp4"
    film_of(film, seconds=20)
    talk = replace(TALK, url=film.as_uri())
    hits = (hit(talk, 4_000, 5_000, title="A, é"), hit(talk, 12_000, 13_000, rank=2))
    playlist = tmp_path / "hits.edl"
    playlist.write_bytes(str(written("edl", Selection("hits", (talk,), hits=hits, query="x")).content).encode())
    played = subprocess.run(
        ["mpv", "--no-config", "--vo=null", "--ao=null", "--frames=1", "--term-playing-msg=PLAYS ${=duration}",
         playlist],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "PLAYS 7.000000" in played.stdout  # twice one second, with what goes before and behind


def film_of(path: Path, seconds: int) -> None:
    """Make a film in which each second has a tone and a picture of its own."""
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", f"testsrc=size=64x64:rate=10:duration={seconds}",
         "-f", "lavfi", "-i", f"sine=duration={seconds}", "-c:v", "mpeg4", "-c:a", "aac", path],
        check=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_local_recording_is_what_is_played(tmp_path: Path) -> None:
    write_talk(tmp_path / "talks", "rain", ["it rains on the ship"])
    (tmp_path / "talks" / "rain.info.json").write_text('{"title": "Rain"}')
    (tmp_path / "talks" / "rain.mp4").write_bytes(b"film")
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    result = run(tmp_path / "index", "--format", "m3u")
    assert result.stdout.splitlines()[-1] == (tmp_path / "talks" / "rain.mp4").as_uri()


def test_what_a_killed_export_left_is_cleared_and_that_of_a_running_one_stays(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f".site.html.{ended.pid}.1.part"
    running = tmp_path / f".site.html.{os.getpid()}.1.part"
    other = tmp_path / ".notes.part"
    for file in (left, running, other):
        file.write_text("half")
    files.clear_parts(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted((running, other))


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open there keeps its name")
@pytest.mark.parametrize("point", ["os.fdopen", "pathlib.Path.chmod", "pathlib.Path.replace"])
def test_an_export_that_is_killed_leaves_the_file_of_before(tmp_path: Path, point: str) -> None:
    """And the next one has its own, and clears what was left."""
    target = tmp_path / "talk.srt"
    target.write_text("before")
    owner, name = point.rsplit(".", 1)
    killed = (
        "import os, pathlib, sys\n"
        "from talksearch.cli.export.files import write_whole\n"
        f"{owner}.{name} = lambda *_: os._exit(9)\n"
        "write_whole(pathlib.Path(sys.argv[1]), 'after' * 100_000)\n"
    )
    assert subprocess.run([sys.executable, "-c", killed, target], env={**os.environ}, check=False).returncode == 9
    assert target.read_text() == "before"
    files.clear_parts(tmp_path)
    files.write_whole(target, "after")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("talk.srt", "after")]


def test_a_database_is_made_without_a_file_that_a_killed_export_would_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    target = tmp_path / "talks.sqlite"
    assert CliRunner().invoke(cli, ["export", "-o", str(target), "--index", str(index)]).exit_code == 0
    with closing(sqlite3.connect(target)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM talks").fetchone() == (3,)
