"""Every word of a file is accounted for: indexed, folded, or left out for a reason; what is lost is said."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import CountingEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.cli.render.reports import report_text
from talksearch.indexer import build_index
from talksearch.indexer.readers import registry
from talksearch.indexer.readers.file_words import FileWords
from talksearch.indexer.records import Cue, Receipt, Step, Transcript
from talksearch.indexer.talks.balance import balance
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.text.counting import bag_of, count_words, without_entities, words_in

SAID = (
    "So the weir was closed in March,",
    "and nobody could say who had the key.",
    "We asked the miller's widow twice.",
    "She laughed and showed us the drawer.",
    "It held eleven keys, none with a label.",
)


def clock(ms: int, comma: str = ".") -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{comma}{rest:03d}"


def as_vtt(lines: list[str]) -> str:
    cues = [f"{clock(i * 4000)} --> {clock(i * 4000 + 3900)} align:start position:0%\n{x}" for i, x in enumerate(lines)]
    return "WEBVTT\nKind: captions\nLanguage: en\n\nNOTE made by hand\n\n" + "\n\n".join(cues) + "\n"


def as_srt(lines: list[str]) -> str:
    return "\n\n".join(
        f"{i + 1}\n{clock(i * 4000, ',')} --> {clock(i * 4000 + 3900, ',')}\n{line}" for i, line in enumerate(lines)
    )


def as_rolling(lines: list[str]) -> str:
    blocks = []
    for i, line in enumerate(lines):
        first, *others = line.split()
        timed = "".join(f"<{clock(i * 4000 + 300 * k)}><c> {word}</c>" for k, word in enumerate(others, 1))
        above = lines[i - 1] if i else " "
        begin, end = clock(i * 4000), clock(i * 4000 + 3990)
        blocks.append(f"{begin} --> {end} align:start position:0%\n{above}\n{first}{timed}")
        blocks.append(f"{end} --> {clock(i * 4000 + 4000)} align:start position:0%\n{line}\n ")
    return "WEBVTT\nKind: captions\nLanguage: en\n\n" + "\n\n".join(blocks) + "\n"


def as_text(lines: list[str]) -> str:
    return "Title: The keys of the weir\nDate: 2024-03-12\n\n" + "\n".join(
        f"[{i * 4 // 60:02d}:{i * 4 % 60:02d}] {line}" for i, line in enumerate(lines)
    )


def as_plain(lines: list[str]) -> str:
    return "\n".join(lines)


def as_json(lines: list[str]) -> str:
    segments = [{"start": i * 4.0, "end": i * 4.0 + 3.9, "text": line} for i, line in enumerate(lines)]
    return json.dumps({"title": "The keys", "model": {"name": "large one"}, "segments": segments})


def as_csv(lines: list[str]) -> str:
    rows = (f'"{clock(i * 4000)}","{clock(i * 4000 + 3900)}","{line}"' for i, line in enumerate(lines))
    return "\n".join(["Start,End,Text", *rows])


def as_ttml(lines: list[str]) -> str:
    rows = "".join(f'<p begin="{clock(i * 4000)}" end="{clock(i * 4000 + 3900)}">{x}</p>' for i, x in enumerate(lines))
    head = "<head><metadata><ttm:title>Of keys</ttm:title></metadata></head>"
    return f'<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="x">{head}<body><div>{rows}</div></body></tt>'


FORMS = {
    "a.vtt": as_vtt,
    "a.srt": as_srt,
    "rolling.vtt": as_rolling,
    "timed.txt": as_text,
    "plain.txt": as_plain,
    "a.json": as_json,
    "a.csv": as_csv,
    "a.ttml": as_ttml,
}


def receipt_of(folder: Path, name: str, text: str) -> Receipt:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_talk(path).receipt


def fates(receipt: Receipt) -> int:
    return receipt.words_after + receipt.words_folded + sum(receipt.words_left_out.values()) + receipt.words_lost


@pytest.mark.parametrize("name", FORMS)
def test_every_word_of_a_file_has_a_fate(tmp_path: Path, name: str) -> None:
    receipt = receipt_of(tmp_path, name, FORMS[name](list(SAID)))
    assert receipt.words_after == count_words(" ".join(SAID))
    assert receipt.words_lost == 0
    assert fates(receipt) == receipt.words_before
    assert not [note for note in receipt.uncertain if "balance" in note]


def test_what_is_said_again_is_folded_and_what_is_not_said_has_its_reason(tmp_path: Path) -> None:
    rolling = receipt_of(tmp_path, "r.vtt", as_rolling(list(SAID)))
    # Every line stands there when it is new and when it is held; all but the last are the upper line once more.
    assert rolling.words_folded == 2 * count_words(" ".join(SAID)) - count_words(SAID[-1])
    lines = ["[Music]", f"<v Ana Ruiz>{SAID[0]}", f"<v Ben Okafor>{SAID[1]}"]
    named = receipt_of(tmp_path, "n.vtt", as_vtt(lines))
    assert named.words_left_out["sounds"] == 1
    assert named.words_after == count_words(" ".join(SAID[:2]))
    assert fates(named) == named.words_before


@pytest.mark.parametrize("name", FORMS)
def test_a_reader_that_loses_a_line_is_found_out(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter knows nothing of cues: a reader that drops one cannot hide it, whatever it says of itself."""

    def losing(known: registry.Format) -> registry.Format:
        def read(source: registry.SourceText) -> Transcript:
            transcript = known.read(source)
            return replace(transcript, cues=(*transcript.cues[:-4], *transcript.cues[-2:]))

        return replace(known, read=read)

    monkeypatch.setattr(registry, "FORMATS", tuple(map(losing, registry.FORMATS)))
    receipt = receipt_of(tmp_path, name, FORMS[name]([*SAID, *(f"Zither {line} quokka" for line in SAID)]))
    assert receipt.words_lost > 0
    assert fates(receipt) == receipt.words_before
    assert any(note.startswith("The words do not balance") for note in receipt.uncertain)


def test_a_word_that_nobody_wrote_is_found_out() -> None:
    text = as_srt(list(SAID))
    source = registry.SourceText(text, "a.srt")
    known = registry.sniff(source)
    cues = (*known.read(source).cues, Cue(30_000, 31_000, "and an albatross"))
    found = balance(known.words_in_file(source), cues, Transcript("srt", cues), ())
    assert (found.lost, found.invented) == (0, 3)
    assert "albatross" in (found.problem or "")


def test_a_step_is_not_believed_without_the_words() -> None:
    """A word that is said to be folded must still stand among those that are indexed."""
    source = registry.SourceText(as_srt(list(SAID)), "a.srt")
    known = registry.sniff(source)
    transcript = known.read(source)
    steps = [Step("collapse-rolling", "cues", {"words_folded": 100})]
    found = balance(known.words_in_file(source), transcript.cues[1:], transcript, steps)
    assert found.lost > 0
    assert "weir" in (found.problem or "")


def test_a_balance_that_does_not_close_is_a_line_of_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.format_named("srt")
    assert known is not None

    def read(source: registry.SourceText) -> Transcript:
        transcript = known.read(source)
        return replace(transcript, cues=transcript.cues[:-1])

    losing = tuple(replace(each, read=read) if each.name == "srt" else each for each in registry.FORMATS)
    monkeypatch.setattr(registry, "FORMATS", losing)
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "weir.srt").write_text(as_srt(list(SAID)), encoding="utf-8")
    report = build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    assert [Path(file.path).name for file in report.unbalanced] == ["weir.srt"]
    assert "eleven" in report.unbalanced[0].reason
    shown = report_text(report, 1, 1, 1)
    assert "1 file with words of which nobody knows what became:" in shown


WORDS = st.text(st.characters(categories=["Ll", "Lu", "Lo", "Nd"]), min_size=1, max_size=9)
LINES = st.lists(st.lists(WORDS, min_size=3, max_size=9).map(" ".join), min_size=6, max_size=14)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, name=st.sampled_from(sorted(FORMS)))
def test_every_word_of_any_file_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], name: str
) -> None:
    """“Every word of your files is in the index, or the receipt says where it went.” (README)"""
    talk_lines = [f"Well {line} then." for line in lines]
    receipt = receipt_of(tmp_path_factory.mktemp("talk"), name, FORMS[name](talk_lines))
    assert receipt.words_lost == 0
    assert fates(receipt) == receipt.words_before


DAMAGED_TIMES = st.sampled_from(
    (
        "00:00:{0:02d},249.0999 --> 00:00:{1:02d},25.1",
        "00:00:{0:02d}:500 --> 00:00:{1:02d}:900",
        "00：00：{0:02d}，500 --> 00：00：{1:02d}，900",
        "00.00.{0:02d}.500 --> 00.00.{1:02d}.900",
        "00:00:{0:02d},5 -> 00:00:{1:02d},9",
        "0:00:{0:02d},000 --> NaN:NaN:NaN,NaN",
        "00:00:{0:02d},5: --> 00:00:{1:02d},9:",
        "00: 00: {0:02d}, 500 -> 00: 00: {1:02d}, 900",
        "00:00:{0:02d},500 --> ",
        " --> 00:00:{1:02d},900",
        "00:00:{0:02d},500 —> 00:00:{1:02d},900",
        "?? --> ??",
    )
)


@settings(max_examples=80, deadline=None)
@given(damage=st.lists(DAMAGED_TIMES, min_size=5, max_size=5), broken=st.sets(st.integers(0, 4)), header=st.booleans())
def test_no_damaged_time_loses_a_word_or_becomes_one(
    tmp_path_factory: pytest.TempPathFactory, damage: list[str], broken: set[int], header: bool
) -> None:
    """A line that holds an arrow is a time, or begins a cue of its own; words are never lost to it."""
    blocks = []
    for i, line in enumerate(SAID):
        comma = "." if header else ","
        sound = f"{clock(i * 4000, comma)} --> {clock(i * 4000 + 3900, comma)}"
        blocks.append(f"{i + 1}\n{damage[i].format(i * 4, i * 4 + 3) if i in broken else sound}\n{line}")
    text = ("WEBVTT\n\n" if header else "") + "\n\n".join(blocks) + "\n"
    path = tmp_path_factory.mktemp("talk") / ("a.vtt" if header else "a.srt")
    path.write_text(text, encoding="utf-8")
    talk = read_talk(path)
    assert [word for cue in talk.cues for word in words_in(cue.text)] == words_in(" ".join(SAID))
    assert talk.receipt.words_lost == 0


ASS = """[Script Info]
Title: Weir
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:03.00,Default,Ana,0,0,0,,{\\i1}The weir{\\i0} was closed,\\Nand nobody knew.
Comment: 0,0:00:01.00,0:00:03.00,Default,Ana,0,0,0,,Not said by anybody
Dialogue: 0,0:00:04.00,0:00:06.00,Default,Ben,0,0,0,,We asked twice.
"""
TTML_PIECES = (
    '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="3s"><span begin="1s">The ri</span>'
    '<span begin="2s">ver rose.</span></p></div></body></tt>'
)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.ass", ASS, "The weir was closed, and nobody knew. We asked twice."),
        (
            "a.sub",
            "{1}{1}25\n{25}{75}The weir was|closed.\n{100}{150}{y:i}We asked.\n",
            "The weir was closed. We asked.",
        ),
        ("a.srt", "1.\n00:00:01,000 --> 00:00:03,000\n{i}The over<i>flow</i>ing{/i} weir.\n", "The overflowing weir."),
        ("b.srt", "7\n00:00:01,000 --> 00:00:03,000\nIf a <b and c> d, stop.\n", "If a <b and c> d, stop."),
    ],
)
def test_markup_of_every_kind_is_told_from_words(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    talk = read_talk(tmp_path / name)
    assert " ".join(cue.text for cue in talk.cues) == said
    assert talk.receipt.words_lost == 0
    assert not [note for note in talk.receipt.uncertain if "balance" in note]
    assert fates(talk.receipt) == talk.receipt.words_before


def test_a_word_that_a_tag_cuts_is_the_same_word() -> None:
    source = registry.SourceText(TTML_PIECES, "a.ttml")
    known = registry.sniff(source)
    cues = (Cue(1000, 3000, "The river rose."),)
    found = balance(known.words_in_file(source), cues, Transcript("ttml", cues), ())
    assert (found.lost, found.invented, found.left_out) == (0, 0, {"joined": 1})


def test_words_are_counted_in_every_script() -> None:
    assert count_words("C'est l’été à l'école") == 4
    assert words_in("橋を tap 한국어 שלום สวัส") == ["橋", "を", "tap", "한국어", "שלום", *"สวัส"]
    assert bag_of(without_entities("&lt;b&gt; &amp;amp; no no")) == {"b": 1, "no": 2}


@pytest.mark.parametrize("wholes", [["a " * 6_000], [f"{n}x {n}y" for n in range(9_000)]], ids=["one", "many"])
def test_words_that_tags_cut_again_and_again_take_a_time_that_grows_with_the_file(wholes: list[str]) -> None:
    pieces, said = " ".join(wholes), " ".join(whole.replace(" ", "") for whole in wholes)
    file = FileWords(count_words(pieces), bag_of(pieces), text=pieces)
    cues = (Cue(0, 4_000, said),)
    started = time.process_time()
    found = balance(file, cues, Transcript("ttml", cues), ())
    assert time.process_time() - started < 2
    assert found.problem is None
