"""Which tracks of a talk are taken, as sites list them."""

from __future__ import annotations

import pytest

from talksearch.indexer.fetch.site.tracks import choose_tracks

YOUTUBES = ("json3", "srv1", "srv2", "srv3", "ttml", "srt", "vtt")
"""The forms that YouTube offers of every track."""


def forms(*endings: str, query: str = "") -> list[dict[str, str]]:
    return [{"ext": ending, "url": f"https://x.example/t.{ending}?{query}"} for ending in endings or ("vtt",)]


def translated(*tags: str) -> dict[str, list[dict[str, str]]]:
    return {tag: forms(*YOUTUBES, query=f"lang=en&tlang={tag}") for tag in tags}


@pytest.mark.parametrize(
    ("info", "wanted", "taken"),
    [
        pytest.param({"subtitles": {"en": forms()}}, {}, ["en"], id="the only one there"),
        pytest.param({"subtitles": {"und": forms()}}, {}, ["und"], id="the only one, which does not say its language"),
        pytest.param({"subtitles": {"en": forms(), "de": forms()}}, {}, [], id="two, and nothing says which"),
        pytest.param(
            {"subtitles": {"en": forms(), "de": forms()}}, {"language": "de-CH"}, ["de"], id="as the user says"
        ),
        pytest.param(
            {"language": "en", "subtitles": {"en": forms(), "de": forms()}}, {"language": "de"}, ["en"], id="as stated"
        ),
        pytest.param(
            {"language": "en-GB", "subtitles": {"en": forms(), "en-US": forms(), "en-GB": forms()}},
            {},
            ["en-GB"],
            id="the region that is spoken",
        ),
        pytest.param(
            {"language": "en", "subtitles": {"en-US": forms(), "en-j3PyPqV-e1s": forms(), "en": forms()}},
            {},
            ["en"],
            id="the plain language before regions and names",
        ),
        pytest.param({"language": "pt", "subtitles": {"pt-BR": forms()}}, {}, ["pt-BR"], id="any region"),
        pytest.param({"language": "no", "subtitles": {"nb": forms()}}, {}, ["nb"], id="another code of the language"),
        pytest.param({"language": "he", "subtitles": {"iw": forms()}}, {}, ["iw"], id="an old code of the language"),
        pytest.param(
            {"subtitles": {}, "automatic_captions": {"en-orig": forms(), "en": forms(), **translated("fr", "de")}},
            {},
            ["en-orig"],
            id="what was heard",
        ),
        pytest.param(
            {"language": "en", "automatic_captions": {"en": forms(), **translated("fr", "de")}},
            {},
            ["en"],
            id="what was heard, where no key says so",
        ),
        pytest.param(
            {"language": "fr", "automatic_captions": translated("fr", "de")}, {}, [], id="never what was translated"
        ),
        pytest.param(
            {"automatic_captions": {"en": forms(), "fr-en": forms()}}, {}, ["en"], id="nor what says it in its tag"
        ),
        pytest.param(
            {"subtitles": {"fr": forms()}, "automatic_captions": {"en-orig": forms()}},
            {"also": ("fr",)},
            ["en-orig", "fr"],
            id="what was heard, and what people wrote besides",
        ),
        pytest.param(
            {"language": "en", "subtitles": {"de": forms()}}, {"also": ("de", "de-AT")}, ["de"], id="only a translation"
        ),
        pytest.param({"language": "en", "subtitles": {"live_chat": forms()}}, {}, [], id="no chat"),
        pytest.param({"language": "en", "subtitles": {"en": forms("scc")}}, {}, [], id="no form that cannot be read"),
        pytest.param({"language": "en", "subtitles": {"en": [{"ext": "vtt"}]}}, {}, [], id="nothing without address"),
        pytest.param({"subtitles": None, "automatic_captions": []}, {}, [], id="nothing"),
        pytest.param({"language": 5, "subtitles": {"en": "x", "de": [None], "fr": {}}}, {}, [], id="nonsense"),
    ],
)
def test_the_tracks_that_are_taken(info: dict[str, object], wanted: dict[str, object], taken: list[str]) -> None:
    assert [track.tag for track in choose_tracks(info, **wanted).tracks] == taken  # type: ignore[arg-type]


def test_people_s_captions_are_taken_as_webvtt_and_a_machine_s_with_the_times_of_words() -> None:
    (human,) = choose_tracks({"language": "en", "subtitles": {"en": forms(*YOUTUBES)}}).tracks
    (machine,) = choose_tracks({"automatic_captions": {"en-orig": forms(*YOUTUBES)}}).tracks
    assert human.form["ext"] == "vtt"
    assert machine.form["ext"] == "json3"


@pytest.mark.parametrize(
    ("info", "note"),
    [
        ({}, "It has no captions."),
        (
            {"language": "ja", "subtitles": {"de": forms(), "en": forms()}, "automatic_captions": {"fr": forms()}},
            "It has no captions in Japanese, which is spoken; there are some in English, French and German.",
        ),
        (
            {"subtitles": {tag: forms() for tag in ("de", "en", "fr", "it", "ja", "nl", "pl")}},
            "Its captions are in Dutch, English, French, German and 3 more, and nothing says which of them is spoken."
            " To say it: --language",
        ),
        (
            {"language": "en", "subtitles": {"de": forms()}, "automatic_captions": {"en-orig": forms()}},
            "Its captions are automatic; people wrote none in its language.",
        ),
    ],
)
def test_what_is_said_of_the_choice(info: dict[str, object], note: str) -> None:
    assert choose_tracks(info).note == note
