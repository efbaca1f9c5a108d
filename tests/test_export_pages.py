"""Pages of talks and hits, and sites of them: nothing untrusted acts, and the index of words holds every word."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from test_export import TALK, hit, run, written
from tiny import make_index

from talksearch.cli.export import files
from talksearch.cli.export.pages import player_of, sections_of
from talksearch.cli.export.selection import Selection
from talksearch.cli.export.site import write_site
from talksearch.cli.export.word_index import WordIndex, piece_of, terms_of
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Chapter, Cue

EVIL = "<script>alert(1)</script>\"'&\x1b[31m</style>"


def page_of(selection: Selection) -> str:
    content = written("html", selection).content
    assert isinstance(content, str)
    return content


def test_a_page_of_a_talk_has_its_lines_as_links_with_their_seconds() -> None:
    page = page_of(Selection("talk", (TALK,)))
    address = "https://example.org/a%2Cb.mp4"
    assert f'<a href="{address}#t=60" data-s="60" data-at="60">second words</a>' in page
    assert f'<video controls preload="none" src="{address}"' in page
    assert '<p class="who">Ann</p>' in page


def test_nothing_in_a_talk_or_a_hit_acts_in_a_page() -> None:
    evil = replace(
        TALK, title=EVIL, channel=EVIL, cues=(Cue(0, 1_000, EVIL, EVIL),), chapters=(Chapter(0, EVIL), Chapter(9, EVIL))
    )
    found = hit(evil, 0, 1_000, text=EVIL, title=EVIL, said_by=EVIL, url="javascript:alert(1)", matches=((0, 5),))
    pages = (
        page_of(Selection("talk", (evil,))),
        page_of(Selection("talk", (replace(evil, url="javascript:alert(1)"),))),
        page_of(Selection("hits", (evil,), hits=(found,), query=EVIL)),
    )
    for page in pages:
        assert "<script>alert" not in page
        assert "javascript:" not in page
        assert "\x1b" not in page
        assert page.count("</style>") == 1


@pytest.mark.parametrize("url", ["https://example.org/page", None])
def test_what_no_page_can_play_has_only_its_link(url: str | None) -> None:
    assert player_of(replace(TALK, url=url)) is None
    assert "<video" not in page_of(Selection("talk", (replace(TALK, url=url),)))


def test_the_policy_names_the_style_and_the_script_that_stand_in_the_page() -> None:
    page = page_of(Selection("talk", (TALK,)))
    policy = re.search(r'content-security-policy" content="([^"]*)"', page)
    assert policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{directive} &#39;sha256-{digest}&#39;" in policy[1]


def test_a_page_loads_nothing_before_a_click() -> None:
    page = page_of(Selection("talk", (replace(TALK, youtube_id="DTcRLlMv4_o", url="https://youtu.be/DTcRLlMv4_o"),)))
    assert "<iframe" not in page
    assert " src=" not in page
    assert "frame-src https://www.youtube-nocookie.com" in page


def test_paragraphs_are_numbered_through_all_chapters() -> None:
    sections = sections_of(TALK)
    assert [(section.title, [one.anchor for one in section.paragraphs]) for section in sections] == [
        ("", ["p0"]),
        ("Two", ["p1"]),
    ]


def test_a_site_lists_talks_and_every_word_of_them_is_in_its_index(tmp_path: Path) -> None:
    other = replace(TALK, id="Ü/../x", title="Café", cues=(Cue(0, 1, "相對 Words"),), chapters=(), url=None)
    assert write_site(Selection("archive", iter([TALK, other])), tmp_path / "site") == 2
    site = tmp_path / "site"
    pages = sorted(path.name for path in (site / "talks").iterdir())
    assert pages == ["t.html", "Ü-..-x.html"]
    index = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="talks/%C3%9C-..-x.html"' in index
    assert re.findall(r'data-number="(\d)" data-first="(\d)"', index) == [("0", "0"), ("1", "2")]
    assert 'href="../page.css"' in (site / "talks" / "t.html").read_text(encoding="utf-8")
    assert places(site, "first") == [0]
    assert places(site, "words") == [0, 1, 2]
    assert places(site, "相") == [2]
    pieces = re.search(r'data-pieces="([\d ]+)"', index)
    assert pieces
    assert {f"{number}.js" for number in pieces[1].split()} == {path.name for path in (site / "words").iterdir()}
    texts = (site / "texts" / "0.js").read_text(encoding="utf-8")
    assert texts == 'talksearch.texts(0,[["0:00","first words"],["1:00","second words"]]);\n'


def places(site: Path, term: str) -> list[int]:
    text = (site / "words" / f"{piece_of(term)}.js").read_text(encoding="utf-8")
    match = re.fullmatch(r"talksearch\.words\(\d+,(.*)\);\n", text)
    assert match
    steps = json.loads(match[1])[term]
    return [sum(steps[: end + 1]) for end in range(len(steps))]


def test_a_site_is_replaced_and_talks_that_are_gone_go(tmp_path: Path) -> None:
    site = tmp_path / "site"
    other = replace(TALK, id="other")
    write_site(Selection("talks", (TALK, other)), site)
    (site / "mine.txt").write_text("mine")
    write_site(Selection("talk", (TALK,)), site)
    assert [path.name for path in (site / "talks").iterdir()] == ["t.html"]
    assert (site / "mine.txt").read_text() == "mine"


def test_a_folder_with_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TalksearchError, match="something else than a site"):
        write_site(Selection("talk", (TALK,)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_site_that_cannot_be_written_names_its_own_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_replace", full)
    with pytest.raises(TalksearchError, match="No space left on device") as raised:
        write_site(Selection("talk", (TALK,)), tmp_path / "site")
    assert raised.value.hint == "Make room there, or name another with --site."


def test_a_list_of_files_that_leads_out_of_its_folder_removes_nothing(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    site = tmp_path / "site"
    site.mkdir()
    (site / "talksearch-site.json").write_text('["../victim"]')
    with pytest.raises(TalksearchError, match="something else than a site"):
        write_site(Selection("talk", (TALK,)), site)
    assert victim.read_text() == "mine"


def test_talks_whose_ids_differ_in_capitals_have_different_files(tmp_path: Path) -> None:
    write_site(Selection("talks", (replace(TALK, id="Ab"), replace(TALK, id="aB"))), tmp_path / "site")
    names = [path.name.casefold() for path in (tmp_path / "site" / "talks").iterdir()]
    assert len(set(names)) == 2


def test_terms_have_neither_accents_nor_capitals() -> None:
    assert terms_of("ÉCOLE x_y 2024. Straße") == ["ecole", "x", "y", "2024", "strasse"]


def test_places_are_counted_through_all_talks() -> None:
    index = WordIndex()
    assert [index.add(["a b", "b"]), index.add(["b"])] == [0, 2]
    pieces = dict(index.pieces())
    assert pieces[piece_of("b")] == f'talksearch.words({piece_of("b")},{{"b":[0,1,1]}});\n'


def test_the_command_writes_a_site_of_the_whole_archive(tmp_path: Path) -> None:
    result = run(make_index(tmp_path), "--site", str(tmp_path / "site"))
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "3 talks in" in result.stderr
    assert (tmp_path / "site" / "index.html").read_text(encoding="utf-8").count("<li ") == 3
    refused = run(tmp_path / "index", "--query", "x", "--site", str(tmp_path / "site"))
    assert refused.exit_code == 2
