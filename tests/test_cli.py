"""The command line over the sample archive, with the real model that comes with the installation."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import DATA

from talksearch.cli.main import COMMANDS, cli
from talksearch.search import engine
from talksearch.search.options import make_query
from talksearch.search.reader import open_reader

CONTRACT_KEYS = {
    "rank", "score", "talk_id", "title", "source", "youtube_id", "start_s", "end_s", "jump_s", "url", "timing",
    "margin_s", "text",
}  # fmt: skip
TALKS = {json.loads(line)["talk"] for line in (DATA / "judgements.jsonl").read_text(encoding="utf-8").splitlines()}


def run(*args: str, code: int = 0, **options: Any) -> Result:
    result = CliRunner().invoke(cli, args, catch_exceptions=False, **options)
    assert result.exit_code == code, result.output
    return result


def rows(*args: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*args, "--format", "jsonl").stdout.splitlines()]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The sample archive, indexed once: (index folder, report)."""
    folder = tmp_path_factory.mktemp("sample") / "index"
    return folder, run("index", str(DATA), "--index", str(folder)).stdout


@pytest.fixture
def index(built: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALKSEARCH_INDEX", str(built[0]))
    return built[0]


def test_a_folder_without_transcripts_ends_with_a_report_as_well(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    report = run("index", str(tmp_path / "talks"), "--index", str(tmp_path / "own")).stdout
    assert "0 talks in the index" in report


def test_the_report_accounts_for_every_file(built: tuple[Path, str]) -> None:
    report = built[1]
    assert f"{len(TALKS)} talks in the index: {len(TALKS)} added" in report
    for path in DATA.rglob("*"):
        if path.is_file() and path.suffix not in (".json", ".wav", ".md") and not path.name.startswith("."):
            relative = path.relative_to(DATA).as_posix()
            assert relative in TALKS or relative in report, relative
    assert "The file is empty." in report
    assert "another file holds the same talk better" in report


def test_the_time_dilation_metaphor_is_found_at_its_second(index: Path) -> None:
    judged = [json.loads(line) for line in (DATA / "judgements.jsonl").read_text(encoding="utf-8").splitlines()]
    gold = next(row for row in judged if row["query"] == "time dilation metaphor")
    hit = rows("time dilation metaphor")[0]
    assert hit["source"] == gold["talk"]
    assert gold["start_s"] - 15 - hit["margin_s"] <= hit["jump_s"] < gold["end_s"] + hit["margin_s"]
    assert hit["timing"] == "estimated"
    assert hit["url"] == f"https://www.youtube.com/watch?v={hit['youtube_id']}&t={int(hit['jump_s'])}"


def test_the_judgements_are_answered(index: Path, tmp_path: Path) -> None:
    judged = [json.loads(line) for line in (DATA / "judgements.jsonl").read_text(encoding="utf-8").splitlines()]
    queries = tmp_path / "queries.jsonl"
    queries.write_text("".join(json.dumps({"id": row["id"], "query": row["query"]}) + "\n" for row in judged))
    hits: dict[str, list[dict[str, Any]]] = {}
    for hit in rows("search", "--queries", str(queries), "-k", "5"):
        hits.setdefault(hit["query_id"], []).append(hit)
    right = sum(
        any(
            hit["source"] == row["talk"] and row["start_s"] - 15 <= hit["jump_s"] < row["end_s"]
            for hit in hits[row["id"]]
        )
        for row in judged
    )
    assert right >= 0.75 * len(judged)


def test_a_hit_has_the_names_of_the_contract(index: Path) -> None:
    hits = rows("search", "bees in winter", "-k", "3")
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    for hit in hits:
        assert hit.keys() >= CONTRACT_KEYS
        assert 0 <= hit["start_s"] <= hit["end_s"]
        assert hit["start_s"] - 10 <= hit["jump_s"] <= hit["end_s"]
        assert (hit["margin_s"] == 0) == (hit["timing"] == "exact")
        assert (DATA / hit["source"]).is_file()
        assert "query_id" not in hit


def test_text_in_a_pipe_is_plain(index: Path) -> None:
    text = run("time dilation metaphor").stdout
    assert "\x1b" not in text
    assert "https://www.youtube.com/watch?v=" in text


def test_csv_and_markdown(index: Path) -> None:
    table = list(csv.DictReader(io.StringIO(run("bees in winter", "--format", "csv", "-k", "2").stdout)))
    assert [row["rank"] for row in table] == ["1", "2"]
    assert table[0].keys() >= CONTRACT_KEYS
    markdown = run("bees in winter", "--format", "markdown", "-k", "2").stdout
    assert markdown.startswith("1. **")
    assert "](<https://" in markdown


def test_many_queries_in_every_format(index: Path, tmp_path: Path) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"id": "a", "query": "bees"}\n\n{"id": 7, "query": "bread"}\n')
    assert {hit["query_id"] for hit in rows("search", "--queries", str(queries))} == {"a", "7"}
    table = run("search", "--queries", str(queries), "--format", "csv").stdout
    assert table.count("query_id,rank") == 1
    assert "bread\n" in run("search", "--queries", str(queries)).stdout


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"query": ""}', '{"query": 3}'])
def test_a_bad_line_of_queries_is_named(index: Path, tmp_path: Path, line: str) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text(f'{{"query": "bees"}}\n{line}\n')
    result = run("search", "--queries", str(queries), "--format", "jsonl", code=1)
    assert "Line 2" in result.stderr
    assert result.stdout == ""


def test_a_query_that_is_too_long_is_named_by_its_line(index: Path, tmp_path: Path) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"query": "bread"}\n' + json.dumps({"query": "x" * 10_001}) + "\n")
    result = run("search", "--queries", str(queries), "--format", "jsonl", code=1)
    assert "The query in line 2 of" in result.stderr
    assert result.stdout == ""


def test_filters_and_modes_reach_the_engine(index: Path) -> None:
    talk = rows("bees in winter")[0]["talk_id"]
    assert {hit["talk_id"] for hit in rows("cold", "--talk", talk)} == {talk}
    assert {hit["talk_id"] for hit in rows("cold", f"--talk={talk}", "--mode", "lexical")} <= {talk}
    assert rows("cold", "--after", "2999") == []
    once = [hit["talk_id"] for hit in rows("cold", "--per-talk", "1", "-k", "30")]
    assert len(once) == len(set(once))
    assert {hit["talk_id"] for hit in rows("cold", "-k", "50")} <= set(once)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["search"], 2),
        (["search", ""], 2),
        (["x", "--mode", "nonsense"], 2),
        (["x", "-k", "0"], 2),
        (["x", "--after", "someday"], 1),
        (["x", "--talk", "no-such-talk"], 1),
        (["show", "no-such-talk"], 1),
        (["remove", "no-such-talk"], 1),
        (["inspect", "no-such-file"], 2),
        (["index", "no-such-folder"], 1),
        (["x", "--context", "nan"], 2),
        (["x", "--context", "inf"], 2),
        (["show", "b33W1nt3r_7", "--from", "nan"], 2),
        (["show", "b33W1nt3r_7", "--to", "inf"], 2),
        (["show", "b33W1nt3r_7", "--from", "9", "--to", "5"], 2),
        (["show", "b33W1nt3r_7@9", "--to", "5"], 2),
        (["show", "b33W1nt3r_7@99999"], 1),
        (["show", "b33W1nt3r_7", "--from", "99999"], 1),
        (["show", "b33W1nt3r_7@99999", "--raw"], 1),
        (["similar", "b33W1nt3r_7@99999"], 1),
        (["similar", "b33W1nt3r_7@99999999999999999999999"], 1),
        (["similar", "https://youtu.be/b33W1nt3r_7?t=" + "9" * 5000], 1),
        (["show", "a\udcff"], 1),
        (["similar", "a\udcff@3"], 1),
        (["x", "--talk", "a\udcff"], 1),
        (["x", "--channel", "a\udcff"], 0),
        (["x", "--speaker", "a\udcff"], 0),
        (["qqqzzz", "--mode", "lexical"], 0),
    ],
)
def test_exit_codes(index: Path, args: list[str], code: int) -> None:
    result = run(*args, code=code)
    assert result.stdout == ""
    assert result.stderr


@pytest.mark.parametrize("command", ["show", "similar"])
def test_a_moment_after_the_last_words_is_told_how_long_the_talk_is(index: Path, command: str) -> None:
    last = max(cue["end_s"] for cue in rows("show", "b33W1nt3r_7"))
    assert f"b33W1nt3r_7 end at 3:56, which is {last:g} s." in run(command, "b33W1nt3r_7@400", code=1).stderr
    assert run(command, f"b33W1nt3r_7@{last - 0.1:.3f}").stdout


def test_arguments_that_are_not_utf_8_are_asked_with_a_mark_in_their_place(index: Path) -> None:
    assert rows("bees\udcff in winter", "-k", "2") == rows("bees\ufffd in winter", "-k", "2")
    assert rows("bees", "--not", "\udcff") == rows("bees", "--not", "\ufffd")


def test_half_a_character_in_a_file_of_queries_ends_nothing(index: Path, tmp_path: Path) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"query": "bees"}\n{"id": 5, "query": "\\ud800 bees"}\n{"query": "bread"}\n')
    for form in ("jsonl", "text", "csv", "markdown"):
        run("search", "--queries", str(queries), "--format", form)
    assert {hit["query_id"] for hit in rows("search", "--queries", str(queries))} == {"1", "5", "3"}


def test_a_file_of_queries_may_begin_with_a_byte_order_mark(index: Path, tmp_path: Path) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"query": "bees"}\n', encoding="utf-8-sig")
    marked = rows("search", "--queries", str(queries))
    queries.write_text('{"query": "bees"}\n', encoding="utf-8")
    assert marked
    assert marked == rows("search", "--queries", str(queries))


def test_no_queries_make_a_table_without_rows(index: Path, tmp_path: Path) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text("\n")
    empty = run("search", "--queries", str(queries), "--format", "csv").stdout
    assert empty == run("bees", "--format", "csv").stdout.splitlines(keepends=True)[0]
    assert run("search", "--queries", str(queries), "--format", "jsonl").stdout == ""


def test_one_query_and_many_are_answered_alike(index: Path) -> None:
    """A model that starts for one query rounds otherwise than one that is kept: that shows in no hit, only in the last
    digit of a score, and there in few.
    """
    alone, kept = open_reader(index, once=True), open_reader(index)
    judged = [json.loads(line) for line in (DATA / "judgements.jsonl").read_text(encoding="utf-8").splitlines()]
    hits = alike = 0
    for row in judged:
        query = make_query(row["query"], explain=True)
        ours, theirs = ([hit.to_dict() for hit in engine.search(one, query).hits] for one in (alone, kept))
        alike += sum(one == other for one, other in zip(ours, theirs, strict=True))
        hits += len(ours)
        for one, other in zip(ours, theirs, strict=True):
            assert one["score"] == pytest.approx(other["score"], abs=1.01e-3)
            assert one["heat"] == pytest.approx(other["heat"], abs=1.01e-3)
            for key in ("score", "heat", "explain"):
                del one[key], other[key]
            assert one == other
    assert hits > 100
    assert alike >= 0.95 * hits


def test_no_index_is_an_error_that_says_what_to_do() -> None:
    assert "talksearch index" in run("anything", code=1).stderr


def test_commands_that_are_advised_are_for_the_index_that_was_given(
    built: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none, given = tmp_path / "no index", str(built[0])
    for args in (("talks", "--index", str(none)), ("--index", str(none), "a ship"), ("show", "x", f"--index={none}")):
        assert f"Make one: talksearch index --index '{none}' PATH" in run(*args, code=1).stderr
    again = run("index", "--index", given, "--model", "another", code=1).stderr
    assert f": talksearch index --index {given} --rebuild --model another" in again
    monkeypatch.setenv("TALKSEARCH_INDEX", str(none))
    assert "Make one: talksearch index PATH" in run("talks", code=1).stderr


def test_talks_show_and_stats(index: Path) -> None:
    listed = rows("talks")
    assert {talk["source"] for talk in listed} == TALKS
    for talk in listed:
        cues = rows("show", talk["talk_id"])
        assert [cue["start_s"] for cue in cues] == sorted(cue["start_s"] for cue in cues)
        assert all(cue["text"] for cue in cues)
        assert talk["title"][:20] in run("show", talk["talk_id"]).stdout
    facts = rows("stats")[0]
    assert facts["talks"] == len(TALKS)
    assert facts["embedded"] == facts["passages"] == sum(talk["passages"] for talk in listed)
    assert "all-MiniLM-L6-v2" in run("stats").stdout


def test_an_id_that_begins_with_a_dash_is_no_option(index: Path) -> None:
    assert "-Harr0wBr1x" in {talk["talk_id"] for talk in rows("talks")}
    assert "Harrow" in run("show", "-Harr0wBr1x").stdout
    assert {hit["talk_id"] for hit in rows("rope", "--talk", "-Harr0wBr1x")} == {"-Harr0wBr1x"}


def test_inspect_touches_no_index_and_prints_passages(tmp_path: Path) -> None:
    passages = rows("inspect", str(DATA / "captions"))
    assert passages
    assert all(passage.keys() >= CONTRACT_KEYS for passage in passages)
    text = run("inspect", str(DATA / "records")).stdout
    assert "unfold" in text
    assert "words" in text
    assert not (tmp_path / "index").exists()


def test_remove_and_index_again(built: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built[0], copy)
    monkeypatch.setenv("TALKSEARCH_INDEX", str(copy))
    assert run("remove", "-Harr0wBr1x").stdout == "Removed -Harr0wBr1x.\n"
    assert "-Harr0wBr1x" not in {talk["talk_id"] for talk in rows("talks")}
    report = run("index", str(DATA)).stdout
    assert "1 added" in report
    report = run("index", str(DATA)).stdout
    assert " 0 added, 0 replaced" in report
    assert "0 embedded in this run" in report


def test_repair_is_a_filter(tmp_path: Path) -> None:
    file = tmp_path / "titles.txt"
    healthy = "healthy: “naïve” ﬁ！\r\n"
    file.write_bytes(("cafÃ© noir dâ€™Ã©tÃ©\n" + healthy).encode())
    result = run("repair", str(file), "--explain")
    assert result.stdout_bytes.decode() == "café noir d’été\n" + healthy
    assert "line 1" in result.stderr
    assert "repaired" in result.stderr
    assert run("repair", input=healthy.encode()).stdout_bytes.decode() == healthy
    file.write_bytes(b"caf\xe9")
    assert "not UTF-8" in run("repair", str(file), code=1).stderr


def test_every_command_has_help_with_an_example() -> None:
    assert "talksearch index" in run("--help").stdout
    for name in COMMANDS:
        assert f"  talksearch {'' if name == 'search' else name}" in run(name, "--help").stdout


def test_the_shell_completes_talk_ids(index: Path) -> None:
    environment = {"_TALKSEARCH_COMPLETE": "bash_complete", "COMP_WORDS": "talksearch show _P", "COMP_CWORD": "2"}
    result = CliRunner().invoke(cli, [], prog_name="talksearch", env=environment)
    assert re.search(r"_Pr355Type9", result.output)


def test_untrusted_text_cannot_act(tmp_path: Path) -> None:
    archive = tmp_path / "evil"
    archive.mkdir()
    title = "\x1b]0;owned\x07[bold]x[/nope] <script>alert(1)</script> **y** \u202eabc"
    (archive / "a.info.json").write_text(json.dumps({"title": title, "webpage_url": "https://x/\x1b[31m>y"}))
    (archive / "a.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nhello [/b] &lt;img src=x&gt; \x1b[31mred \x07\n")
    run("index", str(archive))
    for form in ("text", "markdown"):
        shown = run("hello", "--format", form, "--mode", "lexical").stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)
    assert "<script" not in run("hello", "--format", "markdown", "--mode", "lexical").stdout
    assert "[/b]" in run("hello", "--mode", "lexical").stdout


def test_the_version_is_the_project_s() -> None:
    project = tomllib.loads((DATA.parent / "pyproject.toml").read_text())["project"]
    assert project["version"] in run("--version").stdout


def test_an_index_is_built_anew_from_inside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = tmp_path / "talks" / "ship.vtt"
    talk.parent.mkdir()
    talk.write_text("WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nThe ship keeps its own time.\n", encoding="utf-8")
    folder = tmp_path / "index"
    run("index", str(talk.parent), "--index", str(folder))
    with monkeypatch.context() as inside:
        inside.chdir(folder)
        assert "1 talk in the index: 1 added" in run("index", "--rebuild", "--index", ".").stdout
