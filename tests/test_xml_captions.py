"""Captions in XML: YouTube's srv1 to srv3 and TTML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.pipeline.plan import make_plan
from talksearch.indexer.pipeline.scan import identity_of, scan_file
from talksearch.indexer.readers import decode, read, registry, sniff
from talksearch.indexer.records import Cue, Transcript, Word
from talksearch.indexer.talks.identify import identify
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

ROOT = Path(__file__).parents[1]
JSON3 = sorted([*ROOT.glob("data/**/*.json3"), *(ROOT.parent / "shared" / "archive").glob("**/*.json3")])


def as_srv3(data: dict[str, Any]) -> str:
    """Write the events of json3 as YouTube writes them in srv3."""

    def attributes(names: dict[str, str], values: dict[str, Any]) -> str:
        return "".join(f" {short}={quoteattr(str(values[long]))}" for long, short in names.items() if long in values)

    body = []
    for event in data["events"]:
        inside = "".join(
            escape(segment["utf8"])
            if len(event["segs"]) == 1 and segment.keys() == {"utf8"}
            else f"<s{attributes({'tOffsetMs': 't', 'acAsrConf': 'ac'}, segment)}>{escape(segment['utf8'])}</s>"
            for segment in event.get("segs", [])
        )
        names = {"tStartMs": "t", "dDurationMs": "d", "wWinId": "w", "aAppend": "a"}
        body.append(f"<p{attributes(names, event)}>{inside}</p>")
    return (
        '<?xml version="1.0" encoding="utf-8" ?><timedtext format="3">\n<body>\n'
        + "\n".join(body)
        + "\n</body></timedtext>"
    )


def spoken(found: Transcript) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in found.cues]


def ttml(body: str, about: str = "", head: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" '
        'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
        f'xml:lang="en" {about}><head>{head}</head>\n<body>{body}</body></tt>'
    )


# --- YouTube --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", JSON3, ids=lambda path: path.name)
def test_srv3_gives_the_cues_of_json3(path: Path) -> None:
    text = decode(path.read_bytes())[0]
    of_json, of_xml = read(text, "a.json3"), read(as_srv3(json.loads(text)), "a.srv3")
    assert of_xml.cues == of_json.cues
    assert (of_xml.format, of_xml.origin) == ("srv3", of_json.origin)
    assert of_xml.uncertain == of_json.uncertain
    assert any(cue.words for cue in of_xml.cues) is any(cue.words for cue in of_json.cues)


def test_there_is_a_json3_to_compare_with() -> None:
    assert JSON3


def test_srv3_of_youtube() -> None:
    text = """<?xml version="1.0" encoding="utf-8" ?><timedtext format="3">
<head><pen id="1" fc="#E5E5E5"/><ws id="0"/><wp id="0"/></head>
<body>
<w t="0" id="1" wp="1" ws="1"/>
<p t="160" d="5000" w="1"><s ac="252">un</s><s ac="200">believable</s><s t="320" ac="252"> news</s></p>
<p t="1500" d="3660" w="1" a="1">
</p>
<p t="1510" d="2000" w="1"><s>again</s></p>
</body>
</timedtext>"""
    found = read(text, "Tides [dQw4w9WgXcQ].en.srv3")
    assert found.cues == (
        Cue(160, 1510, "unbelievable news", words=(Word("unbelievable", 160), Word("news", 480))),
        Cue(1510, 3510, "again"),
    )
    assert (found.origin, found.uncertain) == ("automatic", ())


def test_srv3_that_a_person_wrote_is_no_machines() -> None:
    text = (
        '<timedtext format="3"><body><p t="0" d="2000">One\nline &amp; two</p>'
        '<p t="2000" d="9"><s p="1">b</s> c</p></body></timedtext>'
    )
    found = read(text, "a.srv3")
    assert found.origin == "human"
    assert [cue.text for cue in found.cues] == ["One\nline & two", "b c"]


def test_srv1_is_escaped_twice_and_counts_seconds() -> None:
    text = (
        '<?xml version="1.0" encoding="utf-8" ?><transcript>'
        '<text start="0.16" dur="3.2">It&amp;#39;s &amp;quot;R&amp;amp;D&amp;quot;</text>'
        '<text start="3.36">AT&amp;T &amp;copy that</text></transcript>'
    )
    assert spoken(read(text, "a.srv1")) == [(160, 3360, 'It\'s "R&D"'), (3360, 4560, "AT&T &copy that")]


def test_lines_of_srv1_that_stay_while_the_next_is_written_end_where_it_begins() -> None:
    rows = "".join(f'<text start="{n}" dur="3.5">line {n}</text>' for n in range(5))
    assert spoken(read(f"<transcript>{rows}</transcript>", "a.srv1"))[:2] == [
        (0, 1000, "line 0"),
        (1000, 2000, "line 1"),
    ]


def test_srv2_counts_milliseconds_and_appends() -> None:
    plain = '<timedtext><text t="0" d="3200">hi there</text><text t="4000" d="100">x</text></timedtext>'
    assert spoken(read(plain, "a.srv2")) == [(0, 3200, "hi there"), (4000, 4100, "x")]
    assert sniff(plain, "a.xml") == "srv2"
    words = (
        '<timedtext format="2"><text t="0" d="3200" w="1">hi</text><text t="200" append="1" w="1"> there</text>'
        '<text t="900" append="1">\n</text><text t="900" append="1">next</text></timedtext>'
    )
    found = read(words, "a.srv2")
    assert found.cues[0] == Cue(0, 900, "hi there", words=(Word("hi", 0), Word("there", 200)))
    assert found.cues[1].text == "next"


# --- TTML -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "begin", "ms"),
    [
        ("", "00:00:01.000", 1000),
        ("", "00:00:01,5", 1500),
        ("", "1.5s", 1500),
        ("", "90ms", 90),
        ("", "1m", 60_000),
        ('ttp:tickRate="10000000"', "15000000t", 1500),
        ('ttp:frameRate="25"', "30f", 1200),
        ('ttp:frameRate="25"', "00:00:01:12", 1480),
        ("", "00:00:01:15", 1500),
        ('ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', "30f", 1001),
        ('ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', "00:10:00:00", 600_600),
        (
            'ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" ttp:dropMode="dropNTSC"',
            "00:10:00:00",
            599_999,
        ),
        ("", "9.731", 9731),
        ("", "1:02.5", 62_500),
    ],
)
def test_times_of_ttml(about: str, begin: str, ms: int) -> None:
    assert read(ttml(f'<div><p begin="{begin}">Hello</p></div>', about), "a.ttml").cues[0].start_ms == ms


@pytest.mark.parametrize(
    "begin", ["1500", "soon", "00:61:00", "-1s", "1,5", "12:30", "wallclock(2020-01-01)", "9" * 5000]
)
def test_what_is_no_time_of_ttml_is_not_taken_for_one(begin: str) -> None:
    found = read(ttml(f'<div><p begin="{begin}">Hello there</p></div>'), "a.ttml")
    assert (found.timed or begin == "1,5") is (begin == "1,5")
    assert found.timed or "line 3" in found.uncertain[0]
    assert [cue.text for cue in found.cues] == ["Hello there"]


def test_times_inside_others_count_from_these() -> None:
    body = """<div begin="10s" end="60s"><p begin="1s" dur="2s">one</p><p begin="00:00:05" end="8s">two</p>
      <p>three</p></div><div timeContainer="seq" begin="100s"><p dur="2s">four</p><p dur="3s">five</p>
      <p begin="1s" dur="1s">six</p></div>"""
    assert spoken(read(ttml(body), "a.dfxp")) == [
        (10_000, 60_000, "three"),
        (11_000, 13_000, "one"),
        (15_000, 18_000, "two"),
        (100_000, 102_000, "four"),
        (102_000, 105_000, "five"),
        (106_000, 107_000, "six"),
    ]


def test_times_inside_others_that_count_from_the_beginning_all_the_same() -> None:
    body = """<div begin="9.731" end="33.0"><p begin="9.731" end="12.5"><span begin="9.731" end="10.1">He</span><span
      begin="10.1">llo</span> <span begin="11.0">you</span></p><p begin="20.5" end="22.0">there</p></div>"""
    found = read(ttml(body), "song.ttml")
    assert found.cues[0] == Cue(9731, 12_500, "Hello you", words=(Word("Hello", 9731), Word("you", 11_000)))
    assert found.cues[1].start_ms == 20_500


def test_phrases_with_times_of_their_own_are_cues() -> None:
    body = (
        '<p begin="10s" end="30s"><span begin="0s">One phrase of words.</span><br/>'
        '<span begin="8s">And another one here.</span></p>'
    )
    found = read(ttml(body), "a.ttml")
    assert [(cue.start_ms, cue.text) for cue in found.cues] == [
        (10_000, "One phrase of words."),
        (18_000, "And another one here."),
    ]
    alone = '<p><span begin="3s" end="4s">One phrase of words.</span></p>'
    assert spoken(read(ttml(alone), "a.ttml")) == [(3000, 4000, "One phrase of words.")]


def test_breaks_spaces_names_and_language() -> None:
    head = (
        '<metadata><ttm:title>Not said</ttm:title><ttm:agent xml:id="a" type="person">'
        '<ttm:name type="full">Ann Lee</ttm:name></ttm:agent></metadata>'
    )
    body = """<div ttm:agent="a"><p begin="1s" end="2s" region="r1">
        <metadata><ttm:desc>not said either</ttm:desc></metadata>Well,   it
        is<br/>so <span style="s">good</span>.
      </p></div><p begin="3s" end="4s" ttm:agent="nobody">Yes.</p>"""
    found = read(ttml(body, head=head), "a.ttml")
    assert [(cue.text, cue.speaker) for cue in found.cues] == [("Well, it is\nso good.", "Ann Lee"), ("Yes.", None)]
    assert found.language == "en"


@pytest.mark.parametrize(
    "text",
    [
        '<tt><body><div><p begin="1s" end="2s">Hello</p></div></body></tt>',
        '<?xml version="1.0" encoding="utf-16"?>\n<!-- made by hand -->\n<x:tt xmlns:x="http://www.w3.org/2006/10/ttaf1">'
        '<x:body><x:p begin="1s" end="2s">Hello</x:p></x:body></x:tt>',
        '<!DOCTYPE tt PUBLIC "-//W3C" "http://0:9/x.dtd"><tt><body><p begin="1s" dur="1s">Hello</p></body></tt>',
    ],
)
def test_ttml_with_any_prefix_and_any_declaration(text: str) -> None:
    assert spoken(read(text, "a.xml")) == [(1000, 2000, "Hello")]


def test_a_prefix_that_nobody_declared_is_put_right() -> None:
    found = read('<tt ttp:frameRate="25"><body><p begin="25f" end="2s">a: Hello</p></body></tt>', "a.ttml")
    assert spoken(found) == [(1000, 2000, "a: Hello")]
    assert "line 1 (unbound prefix)" in found.uncertain[0]


def test_a_tape_that_begins_at_ten_oclock() -> None:
    about = 'ttp:timeBase="smpte" ttp:frameRate="25"'
    found = read(ttml('<p begin="10:00:03:00" end="10:00:05:00">Good evening.</p>', about), "a.ttml")
    assert spoken(found) == [(3000, 5000, "Good evening.")]
    assert "10:00:03" in found.uncertain[0]
    media = read(ttml('<p begin="10:00:03.0" end="10:00:05.0">Good evening.</p>'), "a.ttml")
    assert media.cues[0].start_ms == 36_003_000


def test_translations_at_the_same_times_are_left_out_and_foreign_sentences_are_not() -> None:
    both = """<div xml:lang="en"><p begin="1s" end="3s">Hello</p><p begin="3s" end="5s">again</p></div>
      <div xml:lang="de"><p begin="1s" end="3s">Hallo</p><p begin="3s" end="5s">nochmals</p></div>"""
    assert [cue.text for cue in read(ttml(both), "a.ttml").cues] == ["Hello", "again"]
    german = read(ttml(both), "a.de.ttml")
    assert ([cue.text for cue in german.cues], german.language) == (["Hallo", "nochmals"], "de")
    assert "en" in german.uncertain[0]
    quoted = '<p begin="1s" end="3s">He said</p><p xml:lang="de" begin="3s" end="5s">Guten Tag</p>'
    assert [cue.text for cue in read(ttml(quoted), "a.ttml").cues] == ["He said", "Guten Tag"]


def test_ttml_without_times_keeps_its_words() -> None:
    found = read(ttml("<p>One.</p><p>Two.</p>"), "a.ttml")
    assert (found.timed, [cue.text for cue in found.cues]) == (False, ["One.", "Two."])


# --- damage and refusals --------------------------------------------------------------------------------------------


def test_of_a_file_that_was_cut_off_everything_is_read() -> None:
    whole = ttml('<p begin="1s" end="2s">One</p>\n<p begin="2s" end="4s">Two words</p>\n<p begin="4s" end="5s">end</p>')
    found = read(whole[: whole.index("words") + 3], "a.ttml")
    assert spoken(found) == [(1000, 2000, "One"), (2000, 4000, "Two wor")]
    assert found.uncertain == (
        "The XML is damaged at line 4 (no element found); only what stands before that was read.",
    )
    assert len(read(whole[: whole.index('<p begin="4s') + 9], "a.ttml").cues) == 2


def test_nowhere_does_a_cut_raise_anything_but_a_sentence() -> None:
    texts = [
        ttml('<div begin="1s"><p begin="1s" end="2s">One<br/>&amp; more</p><p begin="2s">Two</p></div>'),
        '<?xml version="1.0"?><timedtext format="3"><body><p t="1" d="2"><s t="0">a</s></p></body></timedtext>',
        '<transcript><text start="0.0" dur="3.2">It&amp;#39;s</text></transcript>',
    ]
    for text in texts:
        for end in range(1, len(text)):
            try:
                assert read(text[:end], "a.xml").uncertain
            except UnreadableError:
                continue


def test_a_bare_ampersand_costs_nothing() -> None:
    found = read(
        '<tt><body>\n<p begin="1s">R&D &nbsp; &copy; 3 < 4 & \x0bso</p><p begin="2s">on</p></body></tt>', "a.ttml"
    )
    assert [" ".join(cue.text.split()) for cue in found.cues] == ["R&D © 3 < 4 & so", "on"]
    assert found.uncertain == ("The XML is damaged at line 2 (not well-formed (invalid token)); it was put right.",)


def test_before_a_tag_that_does_not_close_everything_is_read() -> None:
    found = read('<tt><body><p begin="1s">One</p>\n<p begin="2s">Two</span> lost</p></body></tt>', "a.ttml")
    assert [cue.text for cue in found.cues] == ["One", "Two"]
    assert "line 2" in found.uncertain[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<!DOCTYPE tt [<!ENTITY a "aaa">]><tt><body><p begin="0s">&a;</p></body></tt>', "declares entities"),
        (
            '<?xml version="1.0"?><!DOCTYPE tt [<!ENTITY a SYSTEM "file:///etc/hosts">]><tt>&a;</tt>',
            "declares entities",
        ),
        ("<tt>" + "<div>" * 50_000, "nested too deeply"),
        ("<tt><head/><body><div/></body></tt>", "no cues"),
        ("<?xml version='1.0'?><tt>", "no cues"),
        ('<timedtext format="3"><body></body></timedtext>', "no cues"),
        ("<transcript>hello there</transcript>", "HTML or XML"),
        ("<?xml version='1.0'?><rss><channel><title>t</title></channel></rss>", "HTML or XML"),
        ("<?xml version='1.0'?><plist><dict/></plist>", "HTML or XML"),
        ("<svg xmlns='http://www.w3.org/2000/svg'><text x='1'>t</text></svg>", "HTML or XML"),
    ],
)
def test_other_xml_is_refused(text: str, said: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(text, "a.xml")
    assert said in caught.value.message


def test_text_that_begins_with_a_name_in_angles_is_no_xml() -> None:
    assert sniff("<tina> hello there\n<roger> and to you\n", "chat.txt") == "text"


# --- the rest of the way --------------------------------------------------------------------------------------------


def test_a_talk_from_srv3_and_its_receipt(tmp_path: Path) -> None:
    data = as_srv3(json.loads(JSON3[0].read_text(encoding="utf-8"))).encode()
    path = tmp_path / "Tides [dQw4w9WgXcQ].en.srv3"
    found = identify(open_file(path, data))
    assert (found.format, found.youtube_id, found.language_tag, found.timed) == ("srv3", "dQw4w9WgXcQ", "en", True)
    srv3, json3 = registry.format_named("srv3"), registry.format_named("json3")
    assert srv3
    assert json3
    assert srv3.priority == json3.priority
    talk = load_talk(open_file(path, data), path.name)
    assert (talk.timing, talk.language, talk.title) == ("exact", "en", "Tides")
    assert replay(data, path.name, talk.receipt) == talk.cues
    assert found.origin == talk.origin
    assert found.words > 0


def test_srv3_speaks_for_a_talk_that_has_vtt_as_well(tmp_path: Path) -> None:
    rows = "".join(f'<p t="{n}000" d="900"><s ac="1">word</s><s t="300"> next</s></p>' for n in range(9))
    (tmp_path / "Tides [dQw4w9WgXcQ].en.srv3").write_text(f'<timedtext format="3"><body>{rows}</body></timedtext>')
    cues = "".join(f"00:0{n}.000 --> 00:0{n}.900\nword<00:0{n}.300><c> next</c>\n\n" for n in range(9))
    (tmp_path / "Tides [dQw4w9WgXcQ].en.vtt").write_text(f"WEBVTT\n\n{cues}")
    now = {str(path): scan_file(path, path.name, None) for path in tmp_path.iterdir()}
    (group,) = make_plan({}, now, identity_of).read
    assert [Path(row.path).suffix for row in group.files] == [".srv3", ".vtt"]
