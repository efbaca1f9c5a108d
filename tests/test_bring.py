"""From an address to an answer: `add` and `sync` through the command line, with real yt-dlp and feeds on loopback."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from click.testing import CliRunner, Result
from loopback.feeds import Answer, Host, host, item, rss, transcript, vtt
from loopback.site import Site, serving
from speech import model_folder, recording

from talksearch.cli.main import cli
from talksearch.cli.render import fetched
from talksearch.indexer.fetch import web
from talksearch.indexer.fetch.archive import HIDDEN
from talksearch.indexer.fetch.pace import RequestPace
from talksearch.indexer.fetch.records import SkippedTalk, Source
from talksearch.indexer.fetch.site import fetch as sites
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.indexer.subscriptions import asking
from talksearch.indexer.subscriptions.file import FILE_NAME, read_subscriptions

DOCUMENT = Path(__file__).parents[1] / "docs" / "bringing-in.md"
LONG_S = 60.0


@pytest.fixture(scope="module")
def harbour() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def site(harbour: Site) -> Site:
    harbour.routes.clear()
    harbour.asked.clear()
    return harbour


@pytest.fixture
def podcasts() -> Iterator[Host]:
    with host() as served:
        yield served


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that is not there yet, and no pauses."""
    monkeypatch.setenv("TALKSEARCH_ARCHIVE", str(tmp_path / "talks"))
    monkeypatch.setenv("TALKSEARCH_NO_SERVER", "1")
    pace = RequestPace(pause_s=0, first_wait_s=0.01, longest_wait_s=0.05, tries=2)
    monkeypatch.setattr(web, "RequestPace", lambda: pace)
    monkeypatch.setattr(asking, "PAUSE_S", 0.0)
    monkeypatch.setattr(sites, "PACE", pace)
    return tmp_path / "talks"


def run(*args: str, code: int | None = 0) -> Result:
    result = CliRunner().invoke(cli, args, catch_exceptions=False)
    assert code in (None, result.exit_code), result.output
    return result


def events(*args: str, code: int = 0) -> list[dict[str, str]]:
    return [json.loads(line) for line in run(*args, "--format", "jsonl", code=code).stdout.splitlines()]


def landed(archive: Path) -> list[str]:
    """Return the names of tracks in an archive; what is half written would be among them."""
    files = (path for path in archive.rglob("*") if path.is_file() and HIDDEN not in path.parts)
    return sorted(path.name for path in files if path.name != FILE_NAME and not path.name.endswith(".info.json"))


def put_talk(site: Site, ident: str, title: str, *lines: str) -> None:
    """Put a talk there with these lines, five seconds each, whose page is on YouTube."""
    cues = "".join(f"00:00:{5 * at:02}.000 --> 00:00:{5 * at + 5:02}.000\n{line}\n\n" for at, line in enumerate(lines))
    track = site.track(f"{ident}.en.vtt", text=f"WEBVTT\n\n{cues}")
    address = f"https://www.youtube.com/watch?v={ident}"
    site.talk(ident, title=title, subtitles={"en": [track]}, webpage_url=address)


def put_feed(podcasts: Host, *numbers: int, title: str = "The Tide Hour") -> str:
    """Put a feed there with these episodes, whose transcripts are there too; return its address."""
    items = [item(number, transcript(f"/{number}.vtt"), title=f"Tides {number}") for number in numbers]
    podcasts.files["/feed"] = Answer(rss(*items, title=title).encode(), etag=f'"{numbers}"')
    for number in numbers:
        podcasts.files[f"/{number}.vtt"] = vtt(f"This is episode {number}.", "A glacier grinds the valley.", "Thanks.")
    return f"{podcasts.url}/feed"


def test_from_a_channel_and_a_feed_to_answers_and_only_what_is_new_is_fetched(
    archive: Path, site: Site, podcasts: Host
) -> None:
    put_talk(site, "keeper00001", "The keeper's evening", "Good evening.", "The lighthouse keeper counts every wave.")
    site.talk("private0001", refused="Private video")
    channel = site.channel("c", ["keeper00001", "private0001"], title="Harbour Talks")
    feed = put_feed(podcasts, 1)
    assert run("add", channel, feed, "--later").stdout == (
        "Subscribed to Harbour Talks.\nSubscribed to The Tide Hour.\n"
        "To fetch what there is and index it: talksearch sync\n"
    )
    assert landed(archive) == []

    report = run("sync").stdout
    assert "    Harbour Talks/2026-01-02 The keeper's evening [" in report
    assert "    left: Talk private0001: " in report
    assert "2 sources asked: 2 talks brought in, 1 left where it is.\n" in report
    assert "2 talks in the index: 2 added" in report
    (hit,) = events("who counts the waves", "-k", "1")
    assert hit["url"] == "https://www.youtube.com/watch?v=keeper00001&t=5"
    assert hit["channel"] == "Harbour Talks"
    (hit,) = events("glacier in a valley", "-k", "1")
    assert hit["url"] == f"{podcasts.url}/1.mp3#t=4"

    site.asked.clear()
    podcasts.asked.clear()
    again = run("sync", "--no-index").stdout
    assert (site.asked, podcasts.asked) == (["/api/channel/c.json"], ["/feed"])
    assert "2 sources asked: nothing new.\n" in again
    assert run("sync", "--no-index", "--quiet").output == ""

    put_talk(site, "bread000001", "Bread at night", "We bake sourdough bread.")
    site.channel("c", ["bread000001", "keeper00001", "private0001"], title="Harbour Talks")
    put_feed(podcasts, 1, 2)
    site.asked.clear()
    podcasts.asked.clear()
    told = run("sync", "--quiet").stdout
    assert site.asked == ["/api/channel/c.json", "/api/talk/bread000001.json", "/tracks/bread000001.en.vtt"]
    assert podcasts.asked == ["/feed", "/2.vtt"]
    assert told.splitlines()[-1] == "2 added; 4 talks in the index."
    assert events("sourdough", "-k", "1")[0]["title"] == "Bread at night"


def test_one_that_fails_is_a_line_and_the_others_go_on(archive: Path, site: Site, podcasts: Host) -> None:
    put_talk(site, "keeper00001", "Keeper", "Good evening.")
    run("add", site.channel("c", ["keeper00001"], title="Harbour Talks"), put_feed(podcasts, 1), "--later")
    with (archive / FILE_NAME).open("a") as file:
        file.write(f'[[subscription]]\nurl = "{podcasts.url}/gone"\ntitle = "Gone"\n')
        file.write('[[subscription]]\nurl = "pod.example"\nsinc = 2024\n')
    result = run("sync", "--no-index")
    assert len(landed(archive)) == 2
    assert re.search(r"^Gone failed: .*404", result.stdout, re.MULTILINE)
    assert "3 sources asked: 2 talks brought in, 1 failed.\n" in result.stdout
    assert "'sinc' is not known. Did you mean since?" in result.stderr


def test_a_run_in_which_everything_failed_ends_with_1(archive: Path, podcasts: Host) -> None:
    result = run("add", f"{podcasts.url}/gone", code=1)
    assert result.stdout.startswith(f"Failed: {podcasts.url}/gone answers 404")
    assert not (archive / FILE_NAME).exists()
    archive.mkdir(exist_ok=True)
    (archive / FILE_NAME).write_text(f'[[subscription]]\nurl = "{podcasts.url}/gone"\n')
    run("sync", "--no-index", "--quiet", code=1)


def test_a_host_that_is_asked_too_often_is_left_alone_and_goes_on_next_time(archive: Path, podcasts: Host) -> None:
    put_feed(podcasts, 1, 2)
    podcasts.files["/1.vtt"] = [Answer(b"slow down", 429)] * 4 + [vtt("Episode one.")]
    podcasts.files["/other"] = rss(item(9, transcript("/9.vtt")), title="Other")
    archive.mkdir()
    blocks = "".join(f'[[subscription]]\nurl = "{podcasts.url}/{path}"\n' for path in ("feed", "other"))
    (archive / FILE_NAME).write_text(blocks)
    told = run("sync", "--no-index", code=1).stdout
    assert "/feed failed: " in told
    assert "/other failed: 127.0.0.1 was asked too often in this run" in told
    assert "/other" not in podcasts.asked
    assert [name[:18] for name in landed(archive)] == ["2025-06-02 Tides 2"]
    while "failed" in run("sync", "--no-index", "--quiet", code=None).stdout:
        pass
    assert [name[:18] for name in landed(archive)] == ["2025-06-01 Tides 1", "2025-06-02 Tides 2"]


def test_a_host_of_transcripts_that_refused_is_asked_no_more_and_feeds_of_others_go_on(
    archive: Path, podcasts: Host
) -> None:
    elsewhere = podcasts.url.replace("127.0.0.1", "localhost")
    podcasts.files = {"/busy.vtt": Answer(b"slow down", 429), "/1.vtt": vtt("A glacier grinds the valley.")}
    podcasts.files["/one"] = rss(item(3, transcript(f"{elsewhere}/busy.vtt")), title="One")
    podcasts.files["/two"] = rss(
        item(2, transcript(f"{elsewhere}/busy.vtt")), item(1, transcript("/1.vtt")), title="Two"
    )
    archive.mkdir()
    blocks = "".join(f'[[subscription]]\nurl = "{podcasts.url}/{path}"\n' for path in ("one", "two"))
    (archive / FILE_NAME).write_text(blocks)
    told = run("sync", "--no-index", code=1).stdout
    assert podcasts.asked == ["/one", "/busy.vtt", "/busy.vtt", "/two", "/1.vtt"]
    assert "/two failed: localhost was asked too often in this run." in told
    assert [name[:18] for name in landed(archive)] == ["2025-06-01 Tides 1"]


def test_between_two_sources_of_one_host_is_a_pause(
    archive: Path, podcasts: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_feed(podcasts, 1)
    podcasts.files["/other"] = rss(title="Other")
    archive.mkdir()
    blocks = "".join(f'[[subscription]]\nurl = "{podcasts.url}/{path}"\n' for path in ("feed", "other"))
    (archive / FILE_NAME).write_text(blocks)
    slept: list[float] = []
    monkeypatch.setattr(asking, "PAUSE_S", 600.0)
    monkeypatch.setattr(asking, "sleep", slept.append)
    run("sync", "--no-index")
    assert len(slept) == 1
    assert 500 < slept[0] <= 600


def test_adding_again_changes_options_and_makes_no_second_subscription(archive: Path, podcasts: Host) -> None:
    feed = put_feed(podcasts, 1)
    run("add", feed, "--limit", "5", "--later")
    assert "was subscribed to already; its options are changed." in run("add", f"{feed}#all", "--match", "3").stdout
    (source,) = read_subscriptions(archive).sources
    assert (source.url, source.limit, source.match) == (feed, 5, "3")
    assert landed(archive) == []
    again = run("add", feed, "--match", "").stdout
    assert "Tides 1" in again
    assert f"To search them: talksearch index {archive}" in again
    assert run("add", feed).stdout == (
        "The Tide Hour was subscribed to already.\nThe Tide Hour: nothing new.\nNothing new.\n"
    )


def test_what_was_left_is_asked_again_once_more_is_wanted(archive: Path, podcasts: Host) -> None:
    podcasts.files["/feed"] = Answer(rss(item(1)).encode(), etag='"1"')
    podcasts.files["/1.mp3"] = Answer(b"ID3 sound", headers={"Content-Type": "audio/mpeg"})
    assert "left: Tides 1: The feed names no transcript" in run("add", f"{podcasts.url}/feed").stdout
    assert "nothing new" in run("sync", "--no-index").stdout
    assert "Tides 1" in run("add", f"{podcasts.url}/feed", "--recordings", "missing").stdout
    assert [name[-4:] for name in landed(archive)] == [".mp3"]


def test_a_path_to_cookies_is_kept_whole(
    archive: Path, podcasts: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n")
    monkeypatch.chdir(tmp_path)
    run("add", put_feed(podcasts, 1), "--cookies", "cookies.txt", "--later")
    (source,) = read_subscriptions(archive).sources
    assert source.cookies == str(tmp_path / "cookies.txt")
    run("add", put_feed(podcasts, 1), "--cookies", "", "--later")
    assert read_subscriptions(archive).sources[0].cookies == ""


def test_of_many_talks_that_were_left_the_reasons_are_counted() -> None:
    outcome = fetched.SourceOutcome(Source("https://a.example", "A"))
    for number in range(30):
        outcome.note(SkippedTalk(f"k {number}", f"Talk {number}", "It has no captions."))
        outcome.note(SkippedTalk(f"o {number}", f"Old {number}", f"It is from {1990 + number}.", expected=True))
    lines = fetched.end_text(outcome).splitlines()
    assert lines[:2] == ["A:", "    left: Talk 0: It has no captions."]
    assert lines[20:] == ["    left: Talk 19: It has no captions.", "    left: 10 talks more: It has no captions."]


def test_one_talk_and_once_subscribe_to_nothing(archive: Path, site: Site, podcasts: Host) -> None:
    put_talk(site, "keeper00001", "Keeper", "Good evening.")
    run("add", f"{site.address}/harbour/talk/keeper00001")
    run("add", put_feed(podcasts, 1), "--once")
    assert len(landed(archive)) == 2
    assert not (archive / FILE_NAME).exists()
    assert "It is one talk" in run("add", f"{site.address}/harbour/talk/keeper00001", "--later", code=1).stdout


def test_a_feed_that_was_looked_at_is_not_fetched_twice(archive: Path, podcasts: Host) -> None:
    run("add", put_feed(podcasts, 1))
    assert podcasts.asked == ["/feed", "/1.vtt"]


def test_a_folder_of_recordings_is_subscribed_to_and_indexed_as_it_lies(archive: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    (recordings / "ship.vtt").write_text(vtt("The ship keeps its own time."))
    assert "Subscribed to recordings.\n" in run("add", str(recordings)).stdout
    assert "1 talk in the index: 1 added" in run("sync").stdout
    assert [path.name for path in recordings.iterdir()] == ["ship.vtt"]
    recordings.rename(tmp_path / "away")
    told = run("sync", code=1).stdout
    assert "recordings failed: The folder" in told
    assert "1 talk in the index" in told


def test_a_talk_that_is_added_again_is_not_fetched_and_its_place_is_told(archive: Path, site: Site) -> None:
    talk = site.talk("keeper1", title="The keeper's evening")
    page = site.page("/p.html", f"<video src='/v.mp4'><track src='{site.track('p.en.vtt')['url']}' srclang=en></video>")
    for address, name in ((talk, "The keeper's evening"), (page, "[p-")):
        run("add", address)
        (track,) = (path for path in archive.glob("*/*.vtt") if name in path.name)
        track.parent.rename(moved := archive / f"moved {name}")
        again = run("add", address).stdout
        assert f" is there already: {moved.name}/{track.name}\nNothing new.\n" in again
        (event,) = events("add", address)
        assert (event["event"], event["files"][0]) == ("known", str(moved / track.name))
    shutil.rmtree(archive / "moved The keeper's evening")
    site.asked.clear()
    gone = run("add", talk).stdout
    assert (
        "was brought in before, and its files are gone. To have it fetched again, delete the line “harbour keeper1”"
        in gone
    )
    assert not [path for path in site.asked if path.startswith("/tracks")]


def test_an_address_that_fails_is_named_once_and_says_what_to_do(archive: Path, site: Site) -> None:
    private = site.talk("private0001", refused="Private video")
    assert run("add", private, code=1).stdout == (
        f"Failed: {private} is private. Where your account may see it, cookies may help: --cookies FILE\n"
        "Nothing brought in, 1 failed.\n"
    )
    tracks = {tag: [site.track(f"t.{tag}.vtt")] for tag in ("en", "de")}
    both = site.talk("both0000001", title="Both", language=None, subtitles=tracks)
    assert "nothing says which of them is spoken. To say it: --language\n" in run("add", both).stdout
    assert ".de.vtt" in run("add", both, "--language", "German").stdout


def test_captions_that_are_not_there_are_told_from_a_talk_that_is_not_there(archive: Path, site: Site) -> None:
    gone = {"en": [{"url": f"{site.address}/tracks/gone.vtt", "ext": "vtt"}]}
    site.talk("tides000001", title="Tides", subtitles=gone)
    told = run("add", site.channel("c", ["tides000001", "nowhere0001"], title="Harbour")).stdout
    assert "    left: Tides: The track en is not there (404).\n" in told
    assert "    left: Talk nowhere0001: It is not there (404).\n" in told


def test_the_line_of_an_episode_names_the_track_in_the_language_that_is_spoken(archive: Path, podcasts: Host) -> None:
    podcasts.files["/feed"] = rss(item(1, transcript("/en.vtt"), transcript("/de.vtt", language="de")))
    podcasts.files |= {"/en.vtt": vtt("The tide comes."), "/de.vtt": vtt("Die Flut kommt.")}
    (line,) = (line for line in run("add", f"{podcasts.url}/feed", "--also", "de").stdout.splitlines() if "vtt" in line)
    assert line.endswith(".en.vtt")
    assert len(landed(archive)) == 2


def test_lists_go_out_and_come_in(archive: Path, podcasts: Host, tmp_path: Path) -> None:
    run("add", put_feed(podcasts, 1), "--limit", "3", "--later")
    run("sync", "--opml", str(tmp_path / "list.opml"))
    (takeout := tmp_path / "subscriptions.csv").write_text("Id,Url,Title\nUCa,http://www.youtube.com/channel/UCa,Bo\n")
    (archive / FILE_NAME).unlink()
    told = run("add", str(tmp_path / "list.opml"), str(takeout)).stdout
    assert told.count("Subscribed to 1 of 1 source in ") == 2
    feed, channel = read_subscriptions(archive).sources
    assert (feed.title, feed.limit) == ("The Tide Hour", 3)
    assert channel.url == "https://www.youtube.com/channel/UCa"
    podcasts.files["/list"] = (tmp_path / "list.opml").read_text()
    assert "Subscribed to 0 of 1 source in " in (again := run("add", f"{podcasts.url}/list").stdout)
    assert "; there already: 1.\n" in again
    changed = run("add", f"{podcasts.url}/list", "--limit", "7").stdout
    assert "; there already: 1, 1 of them with other options now.\n" in changed
    assert read_subscriptions(archive).sources[0].limit == 7
    several = run("add", str(archive / FILE_NAME), f"{podcasts.url}/feed").stdout
    assert "is a file, and add takes addresses" in several
    assert "1 talk brought in, 1 failed." in several


def test_a_list_of_somebody_else_names_no_files_and_no_cookies_of_this_machine(archive: Path, podcasts: Host) -> None:
    podcasts.files["/list"] = (
        '<opml version="2.0" xmlns:t="urn:talksearch:subscription"><body>'
        '<outline xmlUrl="/etc"/><outline xmlUrl="file:///etc"/><outline xmlUrl="~"/>'
        '<outline xmlUrl="https://pod.example/rss" t:cookies_from_browser="firefox" t:cookies="/etc/passwd" t:url="/"/>'
        "</body></opml>"
    )
    told = run("add", f"{podcasts.url}/list")
    assert told.stderr.count("is a path of this machine") == 3
    assert read_subscriptions(archive).sources == (Source("https://pod.example/rss"),)


def test_sync_writes_down_what_has_no_captions(archive: Path, podcasts: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    podcasts.files["/feed"] = rss(item(1, title="Read aloud").replace(".mp3", ".wav"))
    podcasts.files["/1.wav"] = Answer(recording("beckett.wav").read_bytes(), headers={"Content-Type": "audio/wav"})
    run("add", f"{podcasts.url}/feed", "--recordings", "missing", "--later")
    monkeypatch.setenv("TALKSEARCH_WHISPER", str(archive / "no-model"))
    assert "no-model" in run("sync", "--no-index", "--transcribe", code=1).stderr
    monkeypatch.setenv("TALKSEARCH_WHISPER", str(model_folder()))
    run("sync", "--no-index", "--transcribe")
    (written,) = archive.glob("*/*Read aloud*].json")
    assert "Fail better" in written.read_text()


def test_programs_get_an_object_for_each_event(archive: Path, podcasts: Host) -> None:
    feed = put_feed(podcasts, 1)
    told = events("add", feed)
    assert [event["event"] for event in told] == ["subscribed", "landed"]
    assert Path(told[1]["files"][0]).is_file()
    podcasts.files["/feed"] = "no feed at all"
    assert [event["event"] for event in events("sync", "--no-index", code=1)] == ["failed"]


def test_an_index_that_another_process_writes_to_is_no_failure(archive: Path, podcasts: Host, tmp_path: Path) -> None:
    run("add", put_feed(podcasts, 1), "--later")
    with index_write_lock(tmp_path / "index"):
        result = run("sync")
    assert "Another process is writing to the index" in result.stderr
    assert len(landed(archive)) == 1


def test_without_a_subscription_sync_says_how_to_make_one(archive: Path) -> None:
    assert "Make one: talksearch add URL" in run("sync", code=1).stderr


def test_a_file_that_a_user_broke_is_named_with_its_line_and_left_alone(archive: Path, podcasts: Host) -> None:
    archive.mkdir()
    (archive / FILE_NAME).write_text('[[subscription]]\nurl = "https://a.example\n')
    for command in (("sync",), ("add", put_feed(podcasts, 1))):
        assert "is not TOML: " in (told := run(*command, code=1).stderr)
        assert "line 2" in told
    assert landed(archive) == []


@contextmanager
def command(archive: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process of its own, with the pauses that users have."""
    process = subprocess.Popen(
        [sys.executable, "-m", "talksearch.cli", *args],
        env={**os.environ, "TALKSEARCH_ARCHIVE": str(archive)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_run_changes_nothing_and_one_that_is_stopped_leaves_nothing_half(
    archive: Path, podcasts: Host
) -> None:
    run("add", put_feed(podcasts, 1, 2), "--later")
    whole = podcasts.files["/1.vtt"]
    podcasts.files["/1.vtt"] = Answer(str(whole).encode() * 50, slow_s=0.1)
    podcasts.asked.clear()
    with command(archive, "sync", "--no-index") as first:
        end = monotonic() + LONG_S
        while "/1.vtt" not in podcasts.asked:
            assert monotonic() < end
            assert first.poll() is None, first.communicate()
            sleep(0.05)
        second = run("sync", "--no-index", code=1)
        assert "Another process is bringing talks into" in second.stderr
        assert podcasts.asked.count("/feed") == 1
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=LONG_S)
    assert first.returncode == 130, err
    assert err == "Stopped. What was brought in is whole, and the next run goes on from there.\n"
    assert "Tides 2" in out
    assert [name[:18] for name in landed(archive)] == ["2025-06-02 Tides 2"]
    assert not (archive / HIDDEN / "part").exists()
    podcasts.files["/1.vtt"] = whole
    assert "Tides 1" in run("sync", "--no-index").stdout
    assert len(landed(archive)) == 2


def test_a_disk_that_fills_up_is_a_sentence_and_the_next_run_goes_on(archive: Path, podcasts: Host) -> None:
    archive.mkdir()
    mount = shutil.which("mount")
    if not mount or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(archive)], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        run("add", put_feed(podcasts, 1, 2), "--later")
        podcasts.files["/1.vtt"] = vtt(*["A glacier grinds the valley." for _ in range(6000)])
        failed = run("sync", "--no-index", code=1)
        assert "No space left on device" in failed.stderr
        assert "Tides 2" in failed.stdout
        assert [name[:18] for name in landed(archive)] == ["2025-06-02 Tides 2"]
        subprocess.run([mount, "-o", "remount,size=16m", str(archive)], check=True)
        run("sync", "--no-index")
        assert len(landed(archive)) == 2
    finally:
        subprocess.run(["umount", str(archive)], check=True)


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_example_for_cron_is_a_line_that_cron_takes() -> None:
    (line,) = examples("cron")
    assert re.fullmatch(r"(?:[\d*/,-]+ ){5} *\S+/talksearch sync --quiet\n", re.sub(" {2,}", " ", line))
    assert "%" not in line  # which would be a line break


def test_the_units_for_systemd_are_taken_by_it(tmp_path: Path) -> None:
    service, timer = examples("ini")
    for name, text in (("service", service), ("timer", timer)):
        parser = configparser.ConfigParser()
        parser.read_string(text)
        assert parser.sections()[0] == "Unit"
        program = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE)
        (tmp_path / f"talksearch-sync.{name}").write_text(program)
    if analyse := shutil.which("systemd-analyze"):
        units = [str(tmp_path / f"talksearch-sync.{name}") for name in ("service", "timer")]
        told = subprocess.run([analyse, "verify", "--user", *units], capture_output=True, text=True)
        assert "talksearch" not in told.stderr, told.stderr
