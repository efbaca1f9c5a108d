"""The sample archive: the judgements hold, every shape is there, and make.py still writes what is committed."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[1] / "data"
MADE: dict[str, Any] = runpy.run_path(str(DATA / "make.py"))
TALKS: dict[str, Any] = MADE["talks"]()
JUDGEMENTS = [json.loads(line) for line in (DATA / "judgements.jsonl").read_text("utf-8").splitlines()]
KINDS = {"question", "heading", "quote", "rare word", "name", "paraphrase"}
IDS_OF_YOUTUBE_END_IN = "AEIMQUYcgkosw048"
"""Eleven characters of base64 carry 66 bits and an id has 64, so that the last one can be only one of these."""
COMMON = """
a about again all also am an and any are as at back be before by can do does down for from had has have he her here him
his how i if in is it its just know like me much my no not of off on one only or our out over own said she so some than
that the their them then there they this those to up us was we were what when where which while who whose why will with
would you your people
"""

# shape, file, what must stand in its bytes
SHAPES = [
    ("scraped record, mojibake", "seed/*.txt", "Title: ã€é•".encode()),
    (
        "scraped record, lines three times",
        "seed/*.txt",
        b"please sit. Uh, thank you, please sit, please sit. Uh, thank",
    ),
    (
        "scraped record, flattened",
        "records/flat_text/*.txt",
        b"\nContent:\nWEBVTT Kind: captions Language: en [music] So,",
    ),
    (
        "scraped record, times kept",
        "records/flat_timed/*.txt",
        b" 00:00:10.550 --> 00:00:10.560 align:start position:0% ",
    ),
    ("rolling captions, word times", "rolling/001-*.en-orig.vtt", b"<c> uh,</c>"),
    ("rolling captions, padding", "rolling/001-*.en-orig.vtt", b" align:start position:0%\n \n \n\n"),
    ("rolling captions, no punctuation", "rolling/Wintering*.en-orig.vtt", b"okay so is this on it's on hi"),
    ("rolling captions, second name", "rolling/Wintering*].en.vtt", b"Language: en\n\n"),
    ("yt-dlp metadata", "rolling/001-*.info.json", b'"chapters": [{'),
    ("Zoom", "zoom/*.vtt", b"WEBVTT\r\n\r\n1\r\n00:03:41.400 --> 00:03:47.880\r\nOluwaseun Brandt: Okay"),
    ("SRT", "captions/*.srt", b"\xef\xbb\xbf1\r\n00:00:00,640 --> "),
    ("SBV", "captions/*.sbv", b"0:00:00.640,0:00:05.840\n>> MAYOR: "),
    ("json3", "json3/*.json3", b'"tOffsetMs": '),
    ("Whisper JSON", "whisper/*.json", b'"words": [{"word": " Hello,", "start": 0.64'),
    ("Whisper TSV", "whisper/*.tsv", b"start\tend\ttext\n640\t"),
    ("Markdown with times", "text/*.md", b"\n[1:00:22] **"),
    ("HTML of a podcast", "recordings/*.html", b"</cite>\n<time>0:00</time>\n<p>"),
    ("youtube-transcript-api", "api/*.json", b'[{"text": "\\u5927\\u5bb6'),
    ("hand-made WebVTT", "recordings/*.vtt", b"position:50%\n<v Margit Solheim>"),
    ("recording beside its transcript", "recordings/*.wav", b"RIFF"),
    ("plain text", "text/*.txt", b"A Round of Thirty Years\n\nThank you"),
    ("unreadable: binary", "broken/*.srt", b"\x00\x00\x01\xba"),
    ("unreadable: empty", "broken/*.vtt", b""),
]


def bare(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.lower())


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [judgement for judgement in JUDGEMENTS if judgement["kind"] in kinds]


def spoken(judgement: dict[str, Any]) -> list[Any]:
    start, end = judgement["start_s"] * 1000, judgement["end_s"] * 1000
    talk = TALKS[judgement["id"].rpartition("-")[0]]
    return [word for word in talk.words if start <= word.start and word.end <= end]


def answer(judgement: dict[str, Any]) -> list[str]:
    """The words spoken in the span of a judgement."""
    joiner = "" if judgement["talk_lang"].startswith("zh") else " "
    return bare(joiner.join(word.text for word in spoken(judgement)))


def test_the_files_are_what_make_py_writes() -> None:
    assert {path for path, content in MADE["files"]().items() if (DATA / path).read_bytes() != content} == set()


def test_every_file_is_written_by_make_py_or_known() -> None:
    # Hidden files belong to git and to the desktop.
    known = {"README.md", "make.py", "talks.toml", *MADE["files"]()}
    there = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert {path for path in there - known if not path.startswith(".") and "__pycache__" not in path} == set()


def test_the_folder_is_small() -> None:
    assert sum(len(content) for content in MADE["files"]().values()) + (DATA / "talks.toml").stat().st_size < 600_000


def test_there_are_enough_talks_of_a_talk_s_length() -> None:
    assert len(TALKS) >= 8
    assert [key for key, talk in TALKS.items() if not 350 <= len(talk.words) <= 900] == []


@pytest.mark.parametrize(("shape", "pattern", "holds"), SHAPES, ids=[shape for shape, _, _ in SHAPES])
def test_every_shape_is_there(shape: str, pattern: str, holds: bytes) -> None:
    (file,) = DATA.glob(pattern.replace("[", "[[]"))
    content = file.read_bytes()
    assert holds in content
    if shape == "unreadable: empty":
        assert content == b""
    if shape == "Zoom":
        assert content.count(b"\n") == content.count(b"\r\n")


def test_the_lost_bytes_of_the_mojibake_are_lost() -> None:
    # Were they all there, undoing the one wrong decoding would give the title back.
    title = (DATA / "seed/000_7c41e09bd25af386.txt").read_text("utf-8").splitlines()[1].removeprefix("Title: ")
    with pytest.raises(UnicodeDecodeError):
        title.encode("cp1254").decode("utf-8")
    original = TALKS["keynote"].meta["title"].encode()
    assert title.encode("cp1254") == bytes(byte for byte in original if byte not in b"\x81\x8d\x8e\x8f\x90\x9d\x9e\xad")


def test_no_link_can_lead_to_a_real_video() -> None:
    ids = [talk.meta["id"] for talk in TALKS.values() if "id" in talk.meta]
    assert len(ids) >= 5
    assert [i for i in ids if not re.fullmatch(r"[\w-]{11}", i) or i[-1] in IDS_OF_YOUTUBE_END_IN] == []


def test_judgements_are_well_formed() -> None:
    assert len(JUDGEMENTS) >= 30
    assert len({judgement["id"] for judgement in JUDGEMENTS}) == len(JUDGEMENTS)
    wanted = {"id", "query", "talk", "start_s", "end_s", "kind", "origin", "lang", "talk_lang"}
    for judgement in JUDGEMENTS:
        assert set(judgement) - {"youtube_id"} == wanted
        assert judgement["origin"] == "talksearch"
    assert {judgement["kind"] for judgement in JUDGEMENTS} == KINDS


def test_judgements_point_into_talks_that_exist() -> None:
    for judgement in JUDGEMENTS:
        talk = TALKS[judgement["id"].rpartition("-")[0]]
        assert (DATA / judgement["talk"]).is_file(), judgement["talk"]
        assert talk.words[0].start <= judgement["start_s"] * 1000 < judgement["end_s"] * 1000 <= talk.words[-1].end
    assert {judgement["id"].rpartition("-")[0] for judgement in JUDGEMENTS} == set(TALKS)


@pytest.mark.parametrize("judgement", [j for j in JUDGEMENTS if "rolling/" in j["talk"]], ids=lambda j: j["id"])
def test_seconds_stand_in_the_file(judgement: dict[str, Any]) -> None:
    # Read from the committed file, not from make.py: a word that begins there, or a cue.
    written = re.findall(r"(\d\d):(\d\d):(\d\d\.\d\d\d)", (DATA / judgement["talk"]).read_text("utf-8"))
    assert judgement["start_s"] in {int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in written}


@pytest.mark.parametrize("judgement", of_kind("quote"), ids=lambda j: j["id"])
def test_a_quote_is_said_there(judgement: dict[str, Any]) -> None:
    joiner = "" if judgement["talk_lang"].startswith("zh") else " "
    assert joiner.join(bare(judgement["query"])) in joiner.join(answer(judgement))


@pytest.mark.parametrize("judgement", of_kind("name"), ids=lambda j: j["id"])
def test_a_name_is_said_there_or_its_bearer_speaks(judgement: dict[str, Any]) -> None:
    said = "".join(answer(judgement)) + "".join(word.speaker.lower() for word in spoken(judgement))
    assert "".join(bare(judgement["query"])) in said.replace(" ", "")


@pytest.mark.parametrize("judgement", of_kind("rare word"), ids=lambda j: j["id"])
def test_a_rare_word_is_said_there(judgement: dict[str, Any]) -> None:
    said = " ".join(answer(judgement))
    assert [word for word in bare(judgement["query"]) if word not in said] == []


@pytest.mark.parametrize("judgement", of_kind("paraphrase"), ids=lambda j: j["id"])
def test_a_paraphrase_shares_no_telling_word(judgement: dict[str, Any]) -> None:
    assert set(bare(judgement["query"])) & set(answer(judgement)) - set(COMMON.split()) == set()


def test_the_demo_query_has_one_right_answer_and_a_tempting_wrong_one() -> None:
    (demo,) = [judgement for judgement in JUDGEMENTS if judgement["query"] == "time dilation metaphor"]
    assert demo["talk"].startswith("seed/")
    assert {"time", "dilation", "metaphor"} <= set(answer(demo))
    lecture = {word.text for word in TALKS["relativity"].words}
    assert {"time", "dilation"} <= lecture
    assert "metaphor" not in lecture
