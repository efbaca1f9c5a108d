"""What services write about themselves is no speech; a talk about such a service is."""

from __future__ import annotations

import pytest
from test_who_speaks import NAMES, SAID, made, srt, turns

from talksearch.indexer.readers.head_lines import date_in
from talksearch.indexer.text.boilerplate import is_boilerplate, is_edge

OTTER = turns("{name}  {short}\n{words}\n\n")
LABELLED = [f"{NAMES[number % 2]}: {words}" for number, words in enumerate(SAID)]
NOTICE = (
    "This editable transcript was computer generated and might contain errors. People can also change the text after "
    "it was created."
)
SONIX = (
    "Sonix is the world’s most advanced automated transcription, translation, and subtitling platform. Fast, accurate, "
    "and affordable."
)
TEXTS = {
    "Otter": OTTER + "Transcribed by https://otter.ai\n",
    "Otter, from Word": (
        "Mill council\nTue, Mar 12, 2024 3:03PM • 14:02\nSUMMARY KEYWORDS\nrye, wheel, engine\nSPEAKERS\n"
        "Mara Lind, Tom Abebe\n\n" + OTTER
    ),
    "Teams": (
        "AI-generated content may be incorrect\nMill council-20240312_150300-Meeting Recording\n"
        "March 12, 2024, 3:03PM\n14m 2s\n\nMara Lind started transcription\n\n" + OTTER
        + "Mara Lind stopped transcription\n"
    ),
    "Teams, German": (
        "KI-generierte Inhalte können fehlerhaft sein\nMühlenrat-20240312_150300-Besprechungsaufzeichnung\n"
        "12. März 2024, 15:03\n14 Min. 2 Sek.\n\nMara Lind hat die Transkription gestartet\n\n"
        + turns("{name}\n{m} Minuten {s} Sekunden{short}\n{name} {m} Minuten {s} Sekunden\n{words}\n")
    ),
    "Google Meet": (
        "Mill council (2024-03-12 15:03 GMT) - Transcript\nAttendees\nMara Lind, Tom Abebe\nTranscript\n"
        + turns("{clock}\n{name}: {words}\n") + f"Transcription ended after 00:14:02\n{NOTICE}\n"
    ),
    "Fathom": (
        "Mill council - March 12\nVIEW RECORDING - 14 mins (No highlights): https://fathom.video/share/abc\n\n---\n\n"
        + turns("{short} - {name}\n  {words}\n\n")
    ),
    "TurboScribe": (
        "(Transcribed by TurboScribe.ai. Go Unlimited to remove this message.)\n\n"
        + turns("[{name}] ({minutes} - {end})\n{words}\n\n")
    ),
    "Rev": turns("{name} ({minutes}):\n{words}\n\n")
    + "This transcript was exported on Mar 12, 2024 - view latest version here.\n",
    "Sonix": turns("{name}: [{clock}] {words}\n\n") + SONIX + "\n",
    "Zoom": "AI can make mistakes. Review for accuracy.\n\n" + turns("[{name}] {clock}\n{words}\n\n"),
    "Notta": "Mill council\nMar 12, 2024 | 14min | Created by Mara\n\n" + turns("{name} {minutes}\n{words}\n\n"),
    "without times": turns("{name}: {words}\n") + "\nTranscribed by Otter.ai\n",
}  # fmt: skip
CAPTIONS = {
    "Panopto": ["[Auto-generated transcript. Edits may have been applied for clarity.]", *LABELLED],
    "Whisper": [*LABELLED, "Subtitles by the Amara.org community"],
    "Whisper, German": [*LABELLED[:3], "Untertitelung des ZDF, 2020", *LABELLED[3:]],
    "Whisper, French": [*LABELLED[:3], "Sous-titrage ST' 501", *LABELLED[3:]],
    "Whisper, Russian": [*LABELLED, "Субтитры создавал DimaTorzok"],
    "Whisper, Chinese": [*LABELLED, "字幕由 Amara.org 社区提供"],
    "adverts": [
        "Advertise your product or brand here\ncontact www.OpenSubtitles.org today",
        *LABELLED,
        "Support us and become VIP member\nto remove all ads from www.OpenSubtitles.org",
    ],
    "TED": ["Translator: Ida Berg\nReviewer: Jo Lund", *LABELLED],
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_heads_and_feet_of_texts_are_no_speech(text: str) -> None:
    talk = made(text, "talk.txt")
    assert [(cue.speaker, cue.text) for cue in talk.cues] == list(zip([*NAMES] * 3, SAID, strict=True))


@pytest.mark.parametrize("rows", CAPTIONS.values(), ids=CAPTIONS)
def test_cues_of_services_are_no_speech(rows: list[str]) -> None:
    talk = made(srt(*rows), "talk.srt")
    assert [(cue.speaker, cue.text) for cue in talk.cues] == list(zip([*NAMES] * 3, SAID, strict=True))
    step = next(step for step in talk.receipt.steps if step.name == "drop-boilerplate")
    assert step.detail["lines_left_out"]
    assert step.detail["words_left_out"] > 1


def test_what_stands_above_turns_tells_about_the_talk() -> None:
    talk = made(TEXTS["Teams"], "talk.txt")
    assert (talk.title, talk.date) == ("Mill council", "2024-03-12")
    assert "incorrect" not in talk.description
    assert "14m 2s" in talk.description


@pytest.mark.parametrize(
    "rows",
    [
        ["We use otter.ai for this", "Transcribed by hand it takes days", "and transcribed by Otter it takes minutes",
         "Otter is quick", "We like otter.ai"],
        ["subtitles are made by volunteers", "of the Amara.org community", "Thanks for watching!"],
        ["Speakers", "They are loud", "and large", "Speakers are loud"],
        ["My sister started recording", "and I stopped the recording", "Recordings are long", "AI can make mistakes"],
        ["Captions are hard", "and transcription is dear", "We convert your audio", "Copyright is a right"],
        ["Sous-titrage est un métier", "et la transcription aussi", "Le contenu compte", "Merci d'avoir regardé"],
    ],
)  # fmt: skip
def test_talks_about_services_stay_whole(rows: list[str]) -> None:
    talk = made(srt(*rows), "talk.srt")
    assert [cue.text for cue in talk.cues] == rows


@pytest.mark.parametrize(
    ("line", "anywhere"),
    [
        ("Captions by GetTranscribed.com", True), ("Transcript generated by Microsoft Teams", True),
        ("Legendas pela comunidade Amara.org", True), ("Napisy stworzone przez społeczność Amara.org", True),
        ("자막 제공 및 광고를 포함하고 있습니다", True), ("Tom Abebe a démarré la transcription", True),
        ("Translated by Ida Berg", False), ("End of transcript", False), ("© 2024 The Mill", False),
    ],
)  # fmt: skip
def test_lines_of_services(line: str, anywhere: bool) -> None:
    assert is_boilerplate(line) is anywhere
    assert is_edge(line)


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("March 12, 2024, 3:03PM", "2024-03-12"), ("12. März 2024, 15:03", "2024-03-12"), ("12/2024", None),
        ("3 de agosto de 2023 10:00", "2023-08-03"), ("le 1er août 2023", "2023-08-01"),
        ("2024年3月12日", "2024-03-12"),
        ("12.03.2024 15:03", "2024-03-12"), ("Friday 32 March 2024", None), ("We met on the first of March", None),
    ],
)  # fmt: skip
def test_dates_above_turns(line: str, date: str | None) -> None:
    assert date_in(line) == date
