"""Web pages that hold a transcript: podcasts' `text/html`, pages that players seek by, and pages that hold none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talksearch.indexer.errors import UnreadableError, UnspokenError
from talksearch.indexer.readers import sniff
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Talk
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.replay import replay

SAID = (
    "The lighthouse keeper wrote down every ship that passed during the storm.",
    "Nobody had told her that the lamp would burn all the oil in one night.",
    "In the morning she walked to the village and borrowed what was left.",
    "The people there gave her bread and a new wick for the lamp.",
)
PODCAST = "".join(
    f"<cite>{name}:</cite>\n<time>0:{i * 6:02d}</time>\n<p>\n  {line}\n</p>\n"
    for i, (name, line) in enumerate(zip(("Kevin", "Alban ", "Kevin", "Alban"), SAID, strict=True))
)


def _talk(folder: Path, page: str, name: str = "talk.html") -> Talk:
    path = folder / name
    path.write_text(page, encoding="utf-8")
    talk = read_talk(path)
    assert talk.receipt.words_lost == 0
    assert not [note for note in talk.receipt.uncertain if "balance" in note]
    return talk


def _around(inside: str, head: str = "<title>On Tides</title>") -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}<script>var planted = "words of a script";</script></head><body>'
        "<nav><a href='/'>Home of the site</a> <a href='?t=30'>About everybody</a></nav><h1>On Tides</h1>"
        '<div class="player"><span>0:00</span> / <span>0:24</span><button>Play it now</button></div>'
        f"<main>{inside}</main><aside>More of the same</aside><footer>Copyright of somebody</footer></body></html>"
    )


def test_the_html_of_podcasts_keeps_times_and_names(tmp_path: Path) -> None:
    talk = _talk(tmp_path, PODCAST)
    assert [(cue.start_ms, cue.speaker, cue.text) for cue in talk.cues] == [
        (i * 6000, name, line) for i, (name, line) in enumerate(zip(("Kevin", "Alban") * 2, SAID, strict=True))
    ]
    assert (talk.format, talk.timing) == ("html", "exact")
    # What is said, four names, and four clocks of two numbers each.
    assert talk.receipt.words_before == len(" ".join(SAID).split()) + 4 + 8
    assert [cue.text for cue in replay(PODCAST.encode(), "talk.html", talk.receipt)] == list(SAID)


def test_turns_without_a_time_lie_between_their_neighbours_and_that_is_said(tmp_path: Path) -> None:
    page = PODCAST.replace("<time>0:06</time>\n", "").replace("<time>0:12</time>\n", "")
    talk = _talk(tmp_path, page)
    starts = [cue.start_ms for cue in talk.cues]
    assert starts[0] == 0 < starts[1] < starts[2] < starts[3] == 18_000
    assert any("2 of 4 turns have no time" in note for note in talk.receipt.uncertain)


def test_a_podcast_without_any_time_is_estimated(tmp_path: Path) -> None:
    page = "".join(f"<cite>{name}</cite><p>{line}</p>" for name, line in zip(("Ana", "Ben") * 2, SAID, strict=True))
    talk = _talk(tmp_path, page)
    assert talk.timing == "estimated"
    assert {cue.speaker for cue in talk.cues} == {"Ana", "Ben"}


@pytest.mark.parametrize(
    "lines",
    [
        [f'<p data-start="{i * 6}.0" data-end="{i * 6 + 5}">{line}</p>' for i, line in enumerate(SAID)],
        [f'<p data-m="{i * 6000}" data-d="5000">{line}</p>' for i, line in enumerate(SAID)],
        [
            f'<p><a href="#t={i * 6}">link</a> </p><p>{line}</p>'.replace("link", f"0:{i * 6:02d}")
            for i, line in enumerate(SAID)
        ],
        [f'<li><a href="https://v.example.org/1?t=0m{i * 6}s">{line}</a></li>' for i, line in enumerate(SAID)],
        [f'<p><time datetime="PT{i * 6}S">at {i * 6} s</time> {line}</p>' for i, line in enumerate(SAID)],
        [f'<p><span class="timestamp">[00:00:{i * 6:02d}]</span> {line}' for i, line in enumerate(SAID)],
        [f"<tr><td>00:{i * 6:02d}</td><td>{line}</td></tr>" for i, line in enumerate(SAID)],
        [f"<div class=row><div>0:{i * 6:02d}</div><div>{line}</div></div>" for i, line in enumerate(SAID)],
    ],
)
def test_only_what_is_said_is_read_of_a_page_and_at_its_time(tmp_path: Path, lines: list[str]) -> None:
    tag = "table" if lines[0].startswith("<tr") else "div"
    talk = _talk(tmp_path, _around(f"<{tag}>{''.join(lines)}</{tag}>"))
    assert [(cue.start_ms, cue.text) for cue in talk.cues] == [(i * 6000, line) for i, line in enumerate(SAID)]
    assert (talk.title, talk.language) == ("On Tides", "en")


def test_words_with_times_keep_them(tmp_path: Path) -> None:
    words = [
        "".join(f'<span data-m="{start + i * 400}" data-d="300">{word} </span>' for i, word in enumerate(line.split()))
        for start, line in zip((0, 6000), SAID, strict=False)
    ]
    speaker = '<span data-m="0" class="speaker">Alexandra: </span>'
    page = _around(f"<article><section><p>{speaker}{words[0]}</p><p>{words[1]}</p></section></article>")
    talk = _talk(tmp_path, page)
    assert [cue.text for cue in talk.cues] == list(SAID[:2])
    assert talk.cues[0].speaker == "Alexandra"
    assert [word.start_ms for word in talk.cues[1].words][:3] == [6000, 6400, 6800]


def test_headings_between_turns_are_not_said(tmp_path: Path) -> None:
    inside = "".join(f'<h2>Part {i}</h2><p data-start="{i * 6}">{line}</p>' for i, line in enumerate(SAID))
    assert [cue.text for cue in _talk(tmp_path, _around(inside)).cues] == list(SAID)


def test_scripts_and_styles_are_never_text(tmp_path: Path) -> None:
    planted = "<script>alert('planted')</script><style>.planted{}</style><!-- planted --><template>planted</template>"
    page = _around("".join(f'<p data-start="{i * 6}">{planted}{line}</p>' for i, line in enumerate(SAID)))
    assert "planted" not in " ".join(cue.text for cue in _talk(tmp_path, page).cues)


@pytest.mark.parametrize(
    "page",
    [
        _around("".join(f"<p>{line}</p>" for line in SAID)),
        _around(
            "<ul>"
            + "".join(f'<li><a href="?t={i * 300}">{i * 5}:00</a> Intro to bees</li>' for i in range(9))
            + "</ul>"
        ),
        _around(
            "".join(
                f'<p><time datetime="2024-03-{i + 1:02d}">{i + 1} March</time> {line}</p>'
                for i, line in enumerate(SAID)
            )
        ),
        _around("".join(f'<p><span class="t">{20 - i}:0{i}</span> {line}</p>' for i, line in enumerate(SAID * 3))),
        _around(
            "<table>"
            + "".join(f"<tr><td>{hour}:30</td><td>A talk on the sea</td></tr>" for hour in range(9, 17))
            + "</table>"
        ),
        "<html>",
        "<html><body><p data-start='0'>",
        "Nothing that is a page",
        "<html>" + "<div>" * 5000 + "x",
    ],
)
def test_a_page_without_a_transcript_is_refused_with_a_sentence(page: str) -> None:
    with pytest.raises(UnreadableError, match="HTML without a transcript"):
        sniff(page, "page.html")


def test_a_page_that_talksearch_exported_is_no_second_talk(tmp_path: Path) -> None:
    page = _around("".join(f'<p data-start="{i * 6}">{line}</p>' for i, line in enumerate(SAID)))
    (tmp_path / "own.html").write_text(page.replace("<title>", '<meta name="generator" content="talksearch"><title>'))
    with pytest.raises(UnspokenError, match="exported by talksearch"):
        read_talk(tmp_path / "own.html")


def test_a_file_of_another_name_is_a_page_by_its_first_line(tmp_path: Path) -> None:
    assert _talk(tmp_path, PODCAST, "episode.txt").format == "html"
    assert _talk(tmp_path, "\n".join(SAID) + "\n<p>", "notes.txt").format == "text"


@given(
    st.lists(
        st.sampled_from(["<p data-start='1'>", "</p>", "<cite>A</cite>", "<time>0:0", "1</time>", "<a href='#t=1", "'>",
                         "<script>", "</script>", "words ", "<h1>", "</div>", "&#0;", "<!--", "-->", "<![CDATA["]),
        max_size=40,
    )
)  # fmt: skip
def test_no_page_makes_the_reader_fail(parts: list[str]) -> None:
    source = SourceText("<html>" + "".join(parts), "page.html")
    try:
        known = sniff(source.text, source.name)
    except UnreadableError:
        return
    assert known is not None


def test_a_page_of_hours_that_closes_nothing_is_read_in_seconds() -> None:
    turns = "".join(f"<p><a href='#t={i * 3}'>0:00</a> {SAID[i % 4]}</p><div><div>" for i in range(4_000))
    began = time.process_time()
    sniff(_around(turns), "page.html")
    assert time.process_time() - began < 10
