"""Ids in addresses and file names, and links to a second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talksearch.indexer.text.youtube import find_id, id_from_name, is_id, looks_random

ID = "-uJSdfo4z7c"


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/watch?v={}",
        "http://youtube.com/watch?v={}&t=12s",
        "https://m.youtube.com/watch?list=PL1&v={}&index=2",
        "https://music.youtube.com/watch?v={}&si=abcdefghijk",
        "https://youtu.be/{}",
        "https://youtu.be/{}?si=UcWQUpp4pbdO_8cr",
        "youtu.be/{}?t=5",
        "https://www.youtube.com/shorts/{}",
        "https://www.youtube.com/shorts/{}?feature=share",
        "https://www.youtube.com/live/{}?si=x",
        "https://www.youtube.com/embed/{}?start=10",
        "https://www.youtube-nocookie.com/embed/{}",
        "https://www.youtube.com/v/{}?version=3",
        "https://www.youtube.com/e/{}",
        "//www.youtube.com/watch?v={}",
        "www.youtube.com/watch?app=desktop&amp;v={}&amp;t=3",
        "https://www.youtube.com/attribution_link?a=xyz&u=%2Fwatch%3Fv%3D{}%26feature%3Dshare",
        "https://www.youtube.com/watch?v={}#t=10",
        "See (https://youtu.be/{}).",
        "[video](https://www.youtube.com/watch?v={})",
        "HTTPS://WWW.YOUTUBE.COM/watch?v={}",
    ],
)
def test_an_id_is_found_in_every_form(address: str) -> None:
    for video in (ID, "_XkhZQ-hNLs", "DTcRLlMv4_o"):
        assert find_id(address.format(video)) == video


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no address",
        "https://www.youtube.com/",
        "https://www.youtube.com/@channel",
        "https://vimeo.com/123456789",
        "https://www.youtube.com/playlist?list=PLabcdefghijk",
        "https://www.youtube.com/watch?v=short",
        "https://www.youtube.com/watch?v=waytoolong12",
        "https://youtu.be/",
        "https://notyoutube.com/watch?v=DTcRLlMv4_o",
        "https://example.org/?u=DTcRLlMv4_o",
        "https://www.youtube.com/channel/UCUHKG3S9N_QeIE2jQXd2-VQ",
        "http://[",
        "mail@youtube.com/watch",
    ],
)
def test_no_id_is_made_up(text: str) -> None:
    assert find_id(text) is None


@pytest.mark.parametrize(
    ("stem", "video"),
    [
        (f"A talk [{ID}]", ID),
        ("Another one [DTcRLlMv4_o]", "DTcRLlMv4_o"),
        (f"A talk-{ID}", ID),
        ("A-talk-DTcRLlMv4_o", "DTcRLlMv4_o"),
        ("011-v4jolM-bPpA-Lecture 11： Symmetry", "v4jolM-bPpA"),
        ("029-_XkhZQ-hNLs-Tutorial 1： Topology", "_XkhZQ-hNLs"),
        ("1X_CEO_Unlocking_Abundance_83v-_dqSA-Y", "83v-_dqSA-Y"),
        ("DTcRLlMv4_o", "DTcRLlMv4_o"),
        ("20240501_youtube_DTcRLlMv4_o", "DTcRLlMv4_o"),
    ],
)
def test_an_id_is_found_in_a_file_name(stem: str, video: str) -> None:
    assert id_from_name(stem) == video


@pytest.mark.parametrize(
    "stem",
    [
        "lightning-x",
        "chaincode-podcast__assumeutxo",
        "lightning-history-and-everything-else",
        "Talk-MachineLearn",
        "history-and",
        "2024-05-01-meeting",
        "acde_2026-02-12_230",
        "Talk [MachineLearn]",
        "Talk [unplugged-x]",
        "lecture01",
        "EuroPython2",
        "keynote-EuroPython2",
        "PyConDE2024",
        "talk-DjangoConEU",
        "Interview with [Alan Turing]",
        "Show [20240501123]",
        "International",
        "meeting_notes_20240501_a",
        "SPEAKER_001",
        "episode-0012345678",
        "Bdb001",
        "ES2002a",
        "IMG_2024010",
        "",
        "Lecture_3_Multilinear_Algebra_International_Winter_School_on_Gravity",
        "q-and-a-part2",
        "Q_and_A_2021",
    ],
)
def test_words_in_file_names_are_no_ids(stem: str) -> None:
    """A wrong id merges two talks and sends links to another video."""
    assert id_from_name(stem) is None


def test_most_ids_drawn_by_lot_look_so() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    state = 1
    passed = 0
    for _ in range(2000):
        token = ""
        for _ in range(11):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            token += alphabet[state >> 58]
        passed += looks_random(token)
    assert passed >= 0.92 * 2000


@given(st.text(max_size=80))
def test_nothing_breaks_the_search_for_ids(text: str) -> None:
    for found in (
        find_id(text),
        find_id(f"https://youtu.be/{text}"),
        find_id(f"https://youtube.com/{text}"),
        id_from_name(text),
    ):
        assert found is None or is_id(found)
