"""Who speaks: the places where programs write names, and what stands in those places and is none."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

SAID = (
    "We open the mill at six every morning.",
    "Does the wheel still turn in winter?",
    "Only when the stream is not frozen over.",
    "Then who grinds the rye for the bakery?",
    "The engine does, and it is loud.",
    "Perhaps the neighbours will get used to it.",
)
NAMES = ("Mara Lind", "Tom Abebe")
STEP_MS = 7_000


def clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}"


def turns(form: str, names: tuple[str, ...] = NAMES) -> str:
    """Write the six sentences down, each as a turn in a form."""
    out = []
    for number, (name, words) in enumerate(zip(cycle(names), SAID, strict=False), 1):
        start = 3_000 + STEP_MS * (number - 1)
        out.append(
            form.format(
                number=number, name=name, words=words, clock=clock(start), end=clock(start + 6_000),
                minutes=clock(start)[3:], short=clock(start)[4:], m=start // 60_000, s=start // 1000 % 60,
                seconds=start // 1000, initials="".join(word[0] for word in name.split()),
            )
        )  # fmt: skip
    return "".join(out)


def made(text: str, name: str) -> Talk:
    """The talk of a file, whose receipt replays and whose words balance."""
    data = text.encode()
    talk = load_talk(open_file(Path(name), data), name)
    assert replay(data, name, talk.receipt) == talk.cues
    assert not [note for note in talk.receipt.uncertain if "balance" in note]
    return talk


def spoken(text: str, name: str = "talk.txt") -> list[tuple[str | None, str]]:
    return [(cue.speaker, cue.text) for cue in made(text, name).cues]


def srt(*rows: str) -> str:
    return "".join(
        f"{number}\n{clock(STEP_MS * number)},000 --> {clock(STEP_MS * number + 6000)},000\n{row}\n\n"
        for number, row in enumerate(rows, 1)
    )


TIMED = {
    "Otter": "{name}  {short}\n{words}\n\n",
    "Otter, a tab": "{name}\t{short}\n{words}\n\n",
    "Rev": "{name} ({minutes}):\n{words}\n\n",
    "Trint": "[{clock}] {name}: {words}\n\n",
    "Sonix": "{name}: [{clock}] {words}\n\n",
    "Happy Scribe": "[{clock}.000] - {name}\n{words}\n\n",
    "tl;dv": "{minutes} {name}\n{words}\n\n",
    "Fathom": "{short} - {name}\n  {words}\n\n",
    "Fathom, new": "@{short} - {name}\n{words}\n\n",
    "Fireflies": "{name} - {minutes}\n{words}\n\n",
    "Notta": "{name} {minutes}\n{words}\n\n",
    "a bar": "{name} | {minutes}\n{words}\n",
    "a bar behind the time": "{minutes} | {name}\n{words}\n",
    "MacWhisper": "[{clock}] {name}\n{words}\n\n",
    "a middle dot": "{name} · {short}\n{words}\n\n",
    "a bullet": "{short} • {name}\n{words}\n\n",
    "a figure dash": "{short} ‒ {name}\n{words}\n",
    "a pointed quotation mark": "{short} » {name}\n{words}\n",
    "a slash": "{short} / {name}\n{words}\n",
    "Plaud": "{clock} {name}\n{words}\n\n",
    "Plaud, Markdown": "**[{minutes} - {end}] {name}:** {words}\n\n",
    "Zoom": "[{name}] {clock}\n{words}\n\n",
    "Riverside": "{name} ({minutes}.0)\n{words}\n\n",
    "Maestra": "{clock}.000 --> {end}.000\n{name}:\n{words}\n\n",
    "Teams, old": "{clock}.000 --> {end}.000\n{name}\n{words}\n",
    "Premiere": "{clock}:00 - {end}:00\n{name}\n{words}\n\n",
    "a name below the time": "{clock}\n{name}\n{words}\n\n",
    "a name above the time": "{name}\n{clock}\n{words}\n\n",
    "initials above": "{initials}\n{name}\n{short}\n{words}\n",
    "Teams, spoken": "{name} {m} minutes {s} seconds\n{words}\n\n",
    "Teams, five lines": "{name}\n{m} minutes {s} seconds{short}\n{name} {m} minutes {s} seconds\n{words}\n",
    "Teams, its page": "{initials}\n{name}\n{m} minutes {s} seconds\n{short}\n{words}\n",
    "Teams, German": "{name}\n{m} Minuten {s} Sekunden{short}\n{name} {m} Minuten {s} Sekunden\n{words}\n",
    "Teams, French": "{name} {m} minutes et {s} secondes\n{words}\n",
    "Teams, Spanish": "{name}\n{m} minutos y {s} segundos{short}\n{name} {m} minutos y {s} segundos\n{words}\n",
    "Teams, Russian": "{name} {m} минут {s} секунд\n{words}\n",
    "Teams, Japanese": "{name} {m} 分 {s} 秒\n{words}\n",
    "seconds only": "{name} {seconds} seconds\n{words}\n",
    "a column": "{clock}\t{name}\t{words}\n",
    "the last column": "{number}\t{minutes} - {end}\t{words}\t{name}\n",
    "a heading": "### {name} [{clock}]\n{words}\n\n",
    "a heading with the time first": "## [{clock}] {name}\n\n{words}\n\n",
    "bold, and the time as code": "**{name}** `{clock}`\n{words}\n\n",
    "brackets beside the time": "[{clock} --> {end}] [{name}] {words}\n",
    "parentheses beside the time": "{clock} ({name}) {words}\n",
    "a day and a time": "{name} 2024-03-12 {clock}\n{words}\n",
}


@pytest.mark.parametrize("form", TIMED.values(), ids=TIMED)
def test_names_beside_times(form: str) -> None:
    talk = made(turns(form), "talk.md" if "#" in form or "**" in form else "talk.txt")
    assert [cue.text for cue in talk.cues] == list(SAID)
    assert [cue.speaker for cue in talk.cues] == [*NAMES] * 3
    assert [cue.start_ms for cue in talk.cues] == [3_000 + STEP_MS * number for number in range(6)]


CAPTIONS = {
    "a row": "{name}\n{words}",
    "a row with a colon": "{name}:\n{words}",
    "between dashes": "- {name} -\n{words}",
    "between long dashes": "— {name} —\n{words}",
    "in brackets": "[{name}] {words}",
    "in brackets, a row": "[{name}]\n{words}",
    "in parentheses": "({name}) {words}",
    "in parentheses, a row": "({name})\n{words}",
    "in parentheses, with a colon": "({name}): {words}",
    "in wide parentheses": "（{name}）{words}",
    "in lenticular brackets": "【{name}】{words}",
    "in pointed brackets": "<{name}> {words}",
    "bold": "<b>{name}</b>: {words}",
    "bold, with the colon": "<b>{name}:</b> {words}",
    "bold, a row": "<b>{name}</b>\n{words}",
    "in colour": '<font color="#fff">{name}:</font> {words}',
    "behind marks of a turn": ">> {name}: {words}",
    "behind a dash": "- {name}: {words}",
    "a voice tag": "<v {name}>{words}</v>",
    "before a dash": "{name} - {words}",
    "before a bar": "{name} | {words}",
    "before a pointed bracket": "{name}> {words}",
}


@pytest.mark.parametrize("form", CAPTIONS.values(), ids=CAPTIONS)
def test_names_in_captions(form: str) -> None:
    text = turns("{number}\n{clock},000 --> {end},000\n" + form + "\n\n")
    assert spoken(text, "talk.srt") == list(zip([*NAMES] * 3, SAID, strict=True))


@pytest.mark.parametrize(
    "names",
    [
        ("Mara", "Tom"), ("Lind, Mara", "Abebe, Ben"), ("Lind, Mara (Mill)", "Abebe, Tom (Bakery)"),
        ("Dr. Mara Lind", "Prof. T. Abebe"), ("MARA LIND", "TOM ABEBE"), ("Speaker 1", "Speaker 2"),
        ("SPEAKER_00", "SPEAKER_01"), ("Interviewer", "Respondent"), ("Unknown", "Mara Lind"),
        ("Aaron van der Lind", "Maria de la Cruz"), ("Jean-Luc d'Arc", "O'Neill"), ("Mara Lind | Mill", "Tom | Bakery"),
        ("田中太郎", "佐藤花子"), ("김민수", "박지영"), ("أحمد علي", "سارة حسن"), ("Анна Иванова", "Пётр Орлов"),
        ("राम शर्मा", "सीता देवी"), ("发言人1", "发言人2"), ("Sprecherin 1", "Sprecher 2"), ("James He", "Will Lind"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("form", "file"),
    [
        ("{number}\n{clock},000 --> {end},000\n{name}\n{words}\n\n", "a.srt"),
        ("{number}\n{clock},000 --> {end},000\n[{name}] {words}\n\n", "a.srt"),
        ("{number}\n{clock},000 --> {end},000\n({name})\n{words}\n\n", "a.srt"),
        ("{number}\n{clock},000 --> {end},000\n{name}: {words}\n\n", "a.srt"),
        ("{clock} {name}\n{words}\n\n", "a.txt"),
        ("{name}\n{short}\n{words}\n", "a.txt"),
        ("{name} {seconds} seconds\n{words}\n", "a.txt"),
    ],
)
def test_what_names_look_like(names: tuple[str, ...], form: str, file: str) -> None:
    assert spoken(turns(form, names), file) == list(zip([*names] * 3, SAID, strict=True))


def test_names_of_cues_are_speakers() -> None:
    text = "WEBVTT\n\n" + turns('{number} "{name}" (4711)\n{clock}.000 --> {end}.000\n{words}\n\n')
    assert spoken(text, "talk.vtt") == list(zip([*NAMES] * 3, SAID, strict=True))


@pytest.mark.parametrize(
    "names", [("intro", "middle", "end"), ("Chapter 1", "Slide 2"), ("cue-1", "cue-2"), ("1a", "2b")]
)
def test_names_of_cues_that_are_no_speakers(names: tuple[str, ...]) -> None:
    text = "WEBVTT\n\n" + turns("{name}\n{clock}.000 --> {end}.000\n{words}\n\n", names)
    assert [name for name, _ in spoken(text, "talk.vtt")] == [None] * 6


def test_names_of_cues_give_way_to_names_in_the_text() -> None:
    text = "WEBVTT\n\n" + turns("{initials} 1\n{clock}.000 --> {end}.000\n{name}: {words}\n\n")
    assert {name for name, _ in spoken(text, "talk.vtt")} == set(NAMES)


TWO_IN_A_CUE = {
    "labels": "{a}: {x}\n{b}: {y}",
    "labels behind dashes": "- {a}: {x}\n- {b}: {y}",
    "brackets": "[{a}] {x}\n[{b}] {y}",
    "labels in one row": "{a}: {x} {b}: {y}",
    "brackets in one row": "[{a}] {x} [{b}] {y}",
    "rows": "{a}\n{x}\n{b}\n{y}",
    "Google Meet": "({a})\n{x}\n-\n \n({b})\n{y}",
    "between dashes": "- {a} -\n{x}\n- {b} -\n{y}",
    "marks of turns": ">> {a}: {x} >> {b}: {y}",
}


@pytest.mark.parametrize("form", TWO_IN_A_CUE.values(), ids=TWO_IN_A_CUE)
def test_a_cue_is_cut_where_another_speaks(form: str) -> None:
    rows = [form.format(a=NAMES[0], b=NAMES[1], x=SAID[i], y=SAID[i + 1]) for i in (0, 2, 4)]
    talk = made(srt(*rows), "talk.srt")
    assert [(cue.speaker, cue.text) for cue in talk.cues] == list(zip([*NAMES] * 3, SAID, strict=True))
    assert [cue.start_ms for cue in talk.cues][::2] == [STEP_MS * number for number in (1, 2, 3)]
    assert all(7_000 < cue.start_ms % STEP_MS + 7_000 < 14_000 for cue in talk.cues[1::2]), "inside its cue"


UNTIMED = {
    "rows": "{name}\n{words}\n\n",
    "rows with colons": "{name}:\n{words}\n\n",
    "labels": "{name}: {words}\n",
    "brackets": "[{name}] {words}\n",
    "rows in brackets": "[{name}]\n{words}\n\n",
    "dashes": "{name} — {words}\n",
    "headings": "## {name}\n\n{words}\n\n",
    "bold rows": "**{name}**\n\n{words}\n\n",
    "bold before the words": "**{name}** {words}\n\n",
}


@pytest.mark.parametrize("form", UNTIMED.values(), ids=UNTIMED)
def test_names_in_text_without_times(form: str) -> None:
    text = turns(form)
    assert spoken(text, "talk.md" if "#" in form or "**" in form else "talk.txt") == list(
        zip([*NAMES] * 3, SAID, strict=True)
    )


@pytest.mark.parametrize("names", [("Q", "A"), ("I", "B"), ("I1", "B1"), ("Me", "Them"), ("M", "F")])
def test_letters_stand_for_people(names: tuple[str, ...]) -> None:
    expected = list(zip([*names] * 3, SAID, strict=True))
    assert spoken(turns("{name}: {words}\n", names)) == expected
    assert spoken(turns("{number}\n{clock},000 --> {end},000\n{name}: {words}\n\n", names), "a.srt") == expected


def test_marks_behind_what_is_said() -> None:
    text = "I: Wie alt ist die Mühle? #00:00:04-5#\nB: Dreihundert Jahre. #00:00:07-1#\nI: So alt. #00:00:09-0#\n"
    talk = made(text, "talk.txt")
    assert [(cue.start_ms, cue.speaker, cue.text) for cue in talk.cues] == [
        (0, "I", "Wie alt ist die Mühle?"), (4_500, "B", "Dreihundert Jahre."), (7_100, "I", "So alt."),
    ]  # fmt: skip
    first = "#00:00:01-0# I: Wie alt ist sie?\n#00:00:04-5# B: Sehr alt.\n#00:00:07-1# I: So alt.\n"
    assert [(cue.start_ms, cue.text) for cue in made(first, "talk.txt").cues] == [
        (1_000, "Wie alt ist sie?"), (4_500, "Sehr alt."), (7_100, "So alt."),
    ]  # fmt: skip


def test_a_time_that_ends_a_line() -> None:
    text = "[0:03] Mara Lind: We open at six. [0:06]\nTom Abebe: Every day? [0:08]\n[0:10] Mara Lind: Every day.\n"
    talk = made(text, "talk.txt")
    assert [(cue.speaker, cue.text) for cue in talk.cues] == [
        ("Mara Lind", "We open at six."), ("Tom Abebe", "Every day?"), ("Mara Lind", "Every day."),
    ]  # fmt: skip
    assert talk.cues[0].start_ms == 3_000
    assert talk.cues[1].end_ms == 8_000
    assert talk.cues[2].start_ms == 10_000


def test_the_half_of_the_day() -> None:
    talk = made(turns("{name} 3:{number:02} PM\n{words}\n"), "talk.txt")
    assert [cue.start_ms - talk.cues[0].start_ms for cue in talk.cues] == [60_000 * number for number in range(6)]
    assert [(cue.speaker, cue.text) for cue in talk.cues] == list(zip([*NAMES] * 3, SAID, strict=True))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            ("THE JUDGE: Please sit down.", "We begin.", "It is late.", "WITNESS: I was there.", "All night.", "Alone.",
             "THE JUDGE: When?", "At nine.", "WITNESS: At ten.", "CLERK: All rise.", "And so on."),
            ["THE JUDGE", None, None, "WITNESS", None, None, "THE JUDGE", None, "WITNESS", "CLERK", None],
        ),
        (
            (">> THE JUDGE: Please sit down.", "We begin.", "It is late.", ">> WITNESS: I was there.", "All night.",
             ">> THE JUDGE: When?", "At nine.", ">> CLERK: All rise.", "And so on."),
            ["THE JUDGE", None, None, "WITNESS", None, "THE JUDGE", None, "CLERK", None],
        ),
        (("<v Mara>One.", "<v Tom>Two.", "CLERK: All rise.", "<v Mara>Three."), ["Mara", "Tom", "CLERK", "Mara"]),
        (("[Mara Lind] One.", "[Tom Abebe] Two.", "[Mara Lind] Three.", "[Clerk] All rise."),
         ["Mara Lind", "Tom Abebe", "Mara Lind", "Clerk"]),
        (("[man] One.", "[woman] Two.", "[door closes]", "[man] Three."), ["man", "woman", "man"]),
    ],
)  # fmt: skip
def test_a_label_that_stands_once_counts_among_others(rows: tuple[str, ...], expected: list[str | None]) -> None:
    assert [name for name, _ in spoken(srt(*rows), "talk.srt")] == expected


NO_NAMES = {
    "captions of two rows": [f"{line[:18]}\n{line[18:]}" for line in SAID],
    "a refrain": ["Sail Away\nSail away now", "The wind is up\nand the sea is wide", "Sail Away\nSail away home"],
    "a song": ["Happy New Year\nto you", "Happy New Year\ndear Mara", "Happy New Year\nto you"],
    "sounds": ["[Music]\nGood evening", "[Applause] Thank you", "[Music] and then", "[Crowd Cheering] Yes",
               "[Phone Ringing] Hello?", "[Phone Ringing]\nWho is it?", "[Dramatic Music] They come",
               "[Dramatic Music] They go"],
    "what was not heard": ["[Inaudible] the wheel", "[Crosstalk] so it is", "[Inaudible] yes", "[Crosstalk] no"] * 2,
    "laughing": ["(laughs) the wheel", "(Laughs) yes", "(Coughs) we said", "(Sighs) I did", "(Laughs) no"],
    "notes": ["Note: the mill is shut", "It is closed", "Note: the gate too", "Warning: never run", "And so on"],
    "sentences with a colon": ["And I said: no", "We left", "And I said: yes", "We came", "Listen: nobody"],
    "questions and answers": ["Question: what is a mill?", "Answer: a house.", "Question: whose?", "Answer: ours."],
    "beginnings of sentences": ["Guten Abend\nmeine Damen", "Die Mühle\nist alt", "Guten Abend\nund willkommen"],
    "the same beginning": ["Vielen Dank\nfür alles", "Vielen Dank\nund bis bald", "Guten Tag\nliebe Leute",
                           "Guten Tag\nund hallo"],
    "answers on a row": ["Yes\nI think so", "No\nI do not", "Yes\nWe do", "No\nNever", "Well\nMaybe"],
    "capitals": ["SO THE OLD WHEEL\nTURNS AGAIN", "AND NOBODY HEARD\nTHE BELL", "I WAS ASLEEP\nIN THE MILL"] * 2,
    "rows in Chinese": ["谢谢\n大家来", "谢谢\n你们", "好的\n我们走", "好的\n开始"],
    "lower thirds": ["Mara Lind\nMiller", "So the wheel turned", "and nobody saw it", "Tom Abebe\nBaker", "Rye"],
    "verses": ["John 3:16\nFor so it is", "and so it goes", "John 3:17\nFor it is not", "so at all"],
    "words put into a quotation": ["He said [the miller] would come", "[The] stream is long", "[sic] it was", "Yes"],
    "dialogue": ["- Yes.\n- No.", "- Why?\n- Because.", "- Well -\nthat is it", "- Hm -\nlet me see"],
    "a form of address": ["Well, Mara: that is it", "Yes, Sir: I do", "Well, Mara: no", "So be it"],
    "parts of a song": ["[Chorus]\nSail away", "[Verse 1]\nThe wind", "[Chorus]\nSail away", "[Verse 2]\nThe sea"],
}  # fmt: skip


@pytest.mark.parametrize("rows", NO_NAMES.values(), ids=NO_NAMES)
def test_what_stands_where_names_do(rows: list[str]) -> None:
    talk = made(srt(*rows), "talk.srt")
    assert {cue.speaker for cue in talk.cues} == {None}
    assert not {"take-name-rows", "take-names"} & {step.name for step in talk.receipt.steps}


WORDS = ("Wheel", "Stone", "Sack", "Flour", "Rye", "Bran", "Weir", "Race", "Gate", "Shaft", "Cog", "Hopper", "Sieve")


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{word}: {SAID[number % 6]}\n" for number, word in enumerate(WORDS)),
        "".join(f"{word} - {words}\n" for word, words in zip(WORDS, SAID, strict=False)),
        "Hallelujah\nthe wheel goes round\nHallelujah\nthe gate is shut\nHallelujah\nwe go home\n",
        "We wait\n5 seconds\nand then we go on with this\n1 minute 5 seconds\nand then it is over for all\n",
        "Mara Lind 3 minutes 7 seconds\nTom Abebe 3 minutes 9 seconds\nCy Young 3 minutes 20 seconds\n",
        "09:00 Opening\n10:30 Coffee\n11:00 Talks\n12:00 Lunch\n13:30 Coffee\n14:00 Talks\n",
        "0:00\nThe Wheel\nit turned again in the night\n1:00\nThe Stream\nit rises every spring and falls\n"
        "2:00\nThe Mill\nit stands at the end of the lane\n",
        "so it is\n0:05\nYes\n0:09\nthe wheel\n0:15\nYes\n0:20\nno more of it\n",
    ],
    ids=["definitions", "words and what they mean", "a poem", "times that are said", "results", "a programme",
         "chapters", "answers between times"],
)  # fmt: skip
def test_texts_without_speakers(text: str) -> None:
    assert {name for name, _ in spoken(text)} == {None}


def test_paragraphs_belong_to_the_turn_they_stand_in() -> None:
    text = "{} {}\nOne is enough.\nAnd more.\n\nA third one.\n\n{} {}\nTwo.\n\n{} {}\nDone.\n"
    mara, tom = NAMES
    expected = [(mara, "One is enough. And more. A third one."), (tom, "Two."), (mara, "Done.")]
    assert spoken(text.format(mara, " 0:03", tom, " 0:20", mara, " 0:30")) == expected
    assert spoken(text.format("00:00:03", mara, "00:00:20", tom, "00:00:30", mara)) == expected
    said = (f"{second} seconds" for second in (3, 20, 30))
    assert spoken(text.format(mara, next(said), tom, next(said), mara, next(said))) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (("Mara Lind\nOne is enough.", "And more of it.", "Tom Abebe\nTwo.", "Mara Lind\nDone."),
         ["Mara Lind", None, "Tom Abebe", "Mara Lind"]),
        (("- Mara: Yes.\n- Tom: No.", "- Mara: Why?\n- Because.", "Mara: So.\nTom: So."),
         ["Mara", "Tom", "Mara", None, "Mara", "Tom"]),
        (("[Mara Lind] One [inaudible] is.", "[Tom Abebe] [inaudible] it is.", "[Mara Lind] (laughs) Done."),
         ["Mara Lind", "Tom Abebe", "Mara Lind"]),
        (("Mara Lind: One.", "Note: two are more.", "Tom Abebe: Two.", "Mara Lind: Done.", "Tom Abebe: So."),
         ["Mara Lind", None, "Tom Abebe", "Mara Lind", "Tom Abebe"]),
        (("Dr. Mara Lind, PhD: One.", "Tom Abebe, IMF: Two.", "Dr. Mara Lind, PhD: Done."),
         ["Dr. Mara Lind, PhD", "Tom Abebe, IMF", "Dr. Mara Lind, PhD"]),
    ],
)  # fmt: skip
def test_cues_without_a_name_among_cues_with_one(rows: tuple[str, ...], expected: list[str | None]) -> None:
    talk = made(srt(*rows), "talk.srt")
    assert [cue.speaker for cue in talk.cues] == expected
    assert sum("[inaudible]" in cue.text for cue in talk.cues) in (0, 2)


@pytest.mark.parametrize(
    "form",
    [
        "{name}\u00a0\u00a0\u00a0{short}\n{words}\n",
        "{name}\n\n{m} minutes {s} seconds{short}\n\n{name} {m} minutes {s} seconds\n\n{words}\n\n",
        "{m} minutes {s} seconds\n{name}\n{words}\n",
        "{name} {m} minutes, {s} seconds\n{words}\n",
        "{name} {m}분 {s}초\n{words}\n",
        "    {name}  {short}\n        {words}\n\n",
        "{clock}\n\n{name}\n\n{words}\n\n",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_blanks_and_line_ends(form: str, line_end: str) -> None:
    text = turns(form).replace("\n", line_end)
    assert spoken(text) == list(zip([*NAMES] * 3, SAID, strict=True))


@pytest.mark.parametrize("form", ["- [{}] {}", "- ({}) {}", "- {}: {}", "– {}: {}"])
def test_a_dash_before_a_name_is_a_mark_and_one_before_words_is_somebody_else(form: str) -> None:
    turns = list(zip(cycle(NAMES), SAID, strict=False))
    rows = [form.format(*turn) for turn in turns]
    rows[1] += "\n- And in spring it floods."
    assert spoken(srt(*rows), "mill.srt") == [*turns[:2], (None, "And in spring it floods."), *turns[2:]]
