"""The further tracks of a talk in the catalog, and what they say at a time."""

from __future__ import annotations

from pathlib import Path

from fakes import put_talk

from talksearch.indexer.records import Cue, Talk, Track
from talksearch.indexer.stores import catalog, tracks

TALK = Talk("abc", "a.en.vtt", "Ships", (Cue(0, 9_000, "The ship leaves."),), language="en")
GERMAN = Track(
    1,
    "de",
    "human",
    "a.de.vtt",
    (Cue(0, 3_000, "Das Schiff"), Cue(3_000, 6_000, "verlässt"), Cue(6_000, 9_000, "den Hafen.")),
)
JAPANESE = Track(2, "ja", "translated", "a.ja.vtt", (Cue(0, 4_000, "船が"), Cue(4_000, 9_000, "出る。")))


def test_tracks_come_back_and_say_what_is_said_at_a_time(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put_talk(db, "/x/a.en.vtt", TALK, [])
    tracks.put_tracks(db, 1, [GERMAN, JAPANESE])
    assert [(track.number, track.language, track.origin, track.source) for track in tracks.tracks_of(db, 1)] == [
        (1, "de", "human", "a.de.vtt"),
        (2, "ja", "translated", "a.ja.vtt"),
    ]
    assert tracks.track_text(db, 1, 1, 0, 9_000) == "Das Schiff verlässt den Hafen."
    assert tracks.track_text(db, 1, 1, 1_000, 5_000) == "Das Schiff verlässt"
    assert tracks.track_text(db, 1, 1, 2_600, 6_400) == "verlässt"
    assert tracks.track_text(db, 1, 2, 0, 9_000) == "船が出る。"
    assert tracks.track_cues(db, 1, 1, 4_000, 9_000) == list(GERMAN.cues[1:])


def test_tracks_are_replaced_and_go_with_what_they_say(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put_talk(db, "/x/a.en.vtt", TALK, [])
    tracks.put_tracks(db, 1, [GERMAN])
    tracks.put_tracks(db, 1, [JAPANESE])
    assert [track.language for track in tracks.tracks_of(db, 1)] == ["ja"]
    assert tracks.track_text(db, 1, 1, 0, 9_000) == ""
    tracks.drop_tracks(db, 1)
    assert (tracks.tracks_of(db, 1), tracks.track_text(db, 1, 2, 0, 9_000)) == ([], "")
