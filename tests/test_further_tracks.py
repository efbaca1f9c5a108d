"""Two tracks of one talk in two languages are one talk: either finds it, and one hit shows it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer import doctor
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.pipeline.carry_over import carry_over
from talksearch.indexer.pipeline.plan import make_plan
from talksearch.indexer.pipeline.read_talks import SkippedFile, TalkResult, read_group
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.pipeline.scan import identity_of, scan_file
from talksearch.indexer.pipeline.sizing import PassageSizer
from talksearch.indexer.stores import catalog
from talksearch.indexer.stores.columns import update as columns
from talksearch.indexer.stores.tracks import read_tracks, tracks_of
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Filters, Query
from talksearch.search.ranking.encoded_query import EncodedQuery, query_postings
from talksearch.search.ranking.postings import cooccurrences
from talksearch.search.reader import open_reader
from talksearch.search.results.grade import variant_postings

ENGLISH = [
    "Welcome everybody, I am glad that so many of you came here today.",
    "We begin with the old harbour and the people who worked in it.",
    "The crane lifted stones, barrels and wool from the decks of ships.",
    "Then the river changed its bed and left the harbour dry for years.",
    "The merchants moved to the coast and took their warehouses along.",
    "What stayed behind was a town with too many churches and no trade.",
    "Today the warehouses are flats, and students live where wool was kept.",
    "The lighthouse is still there, although no vessel passes it any more.",
    "Its keeper wrote a diary, which the archive lent us for this lecture.",
    "He complains about the fog, the oil and the loneliness of winter nights.",
    "On his last page he counts the vessels that he has seen go under.",
    "That is the end, thank you very much, and now I take your questions.",
]
GERMAN = [
    "Willkommen zusammen, ich freue mich, dass heute so viele von euch gekommen sind.",
    "Wir beginnen mit dem alten Hafen und den Leuten, die dort gearbeitet haben.",
    "Der Kran hob Steine, Fässer und Wolle von den Decks der Schiffe.",
    "Dann verlegte der Fluss sein Bett und ließ den Hafen jahrelang trocken zurück.",
    "Die Kaufleute zogen an die Küste und nahmen ihre Speicher mit.",
    "Zurück blieb eine Stadt mit zu vielen Kirchen und ohne Handel.",
    "Heute sind die Speicher Wohnungen, und Studenten leben, wo Wolle lagerte.",
    "Der Leuchtturm steht noch immer, obwohl kein Schiff mehr vorbeifährt.",
    "Sein Wärter schrieb ein Tagebuch, das uns das Archiv für diesen Vortrag lieh.",
    "Er klagt über den Nebel, das Öl und die Einsamkeit der Winternächte.",
    "Auf der letzten Seite zählt er die Schiffe, die er untergehen sah.",
    "Das ist das Ende, vielen Dank, und jetzt beantworte ich eure Fragen.",
]
FRENCH = [
    "Bienvenue à tous, je suis ravie que vous soyez si nombreux aujourd'hui.",
    "Commençons par le vieux port et par les gens qui y travaillaient.",
    "La grue levait des pierres, des tonneaux et de la laine.",
    "Puis le fleuve changea de lit et laissa le port à sec pendant des années.",
    "Les marchands partirent vers la côte et emportèrent leurs entrepôts.",
    "Il resta une ville avec trop d'églises et sans commerce.",
    "Aujourd'hui les entrepôts sont des appartements pour les étudiants.",
    "Le phare est toujours là, bien qu'aucun vaisseau n'y passe plus.",
    "Son gardien a tenu un journal que les archives nous ont prêté.",
    "Il se plaint du brouillard, de l'huile et de la solitude des nuits d'hiver.",
    "À la dernière page il compte les bateaux qu'il a vus sombrer.",
    "C'est la fin, merci beaucoup, et maintenant vos questions.",
]
ITALIAN = [
    "Benvenuti a tutti, sono felice che oggi siate venuti in così tanti.",
    "Cominciamo dal vecchio porto e dalla gente che ci lavorava.",
    "La gru sollevava pietre, botti e lana dai ponti delle navi.",
    "Poi il fiume cambiò letto e lasciò il porto all'asciutto per anni.",
]
OTHER = [f"In this other talk sentence {at} is about bread, and how long dough number {at} rests." for at in range(12)]
STEP_MS = 6_000
SIZER = PassageSizer(Splitting(), 200, None, CountingEncoder().count_tokens)


def vtt(lines: list[str], *, shift_ms: int = 0, step_ms: int = STEP_MS) -> str:
    """Return captions with a line every six seconds; translations have other borders, so they may be shifted."""

    def clock(ms: int) -> str:
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"

    return "WEBVTT\n\n" + "".join(
        f"{clock(at * step_ms + shift_ms)} --> {clock((at + 1) * step_ms - 300 + shift_ms)}\n{line}\n\n"
        for at, line in enumerate(lines)
    )


def srt(lines: list[str]) -> str:
    cues = vtt(lines).removeprefix("WEBVTT\n\n").strip().split("\n\n")
    return "\n\n".join(f"{at}\n{cue[:29].replace('.', ',')}{cue[29:]}" for at, cue in enumerate(cues, 1)) + "\n"


def names(files: Iterable[SkippedFile]) -> list[str]:
    return [Path(file.path).name for file in files]


# --- which files are tracks ------------------------------------------------------------------------------------------


def read(folder: Path, files: dict[str, str]) -> TalkResult:
    """Read the talk of an English track and of other files beside it."""
    for name, text in {"harbour.en-orig.vtt": vtt(ENGLISH), **files}.items():
        (folder / name).write_text(text)
    now = {str(path): scan_file(path, path.name, None) for path in sorted(folder.iterdir())}
    (group,) = make_plan({}, now, identity_of).read
    return read_group(group, SIZER)


def tracks_in(result: TalkResult) -> list[tuple[str, str, str]]:
    assert result.talk_rows
    return [(track.language, track.origin, track.source) for track in result.talk_rows.tracks]


def test_a_track_of_another_cut_does_not_speak_for_a_talk_whose_other_tracks_agree(tmp_path: Path) -> None:
    tracks = {"de": vtt(GERMAN, shift_ms=400), "en": vtt(ENGLISH), "fr": vtt(FRENCH, shift_ms=200)}
    cut = {"it": vtt(ITALIAN, shift_ms=400_000)}
    for tag, text in {**tracks, **cut}.items():
        (tmp_path / f"porto.{tag}.vtt").write_text(text)
    now = {str(path): scan_file(path, path.name, None) for path in sorted(tmp_path.iterdir())}
    (group,) = make_plan({}, now, identity_of).read
    italian_first = replace(group, files=tuple(sorted(group.files, key=lambda row: ".it." not in row.path)))
    result = read_group(italian_first, SIZER)
    assert Path(result.talk_path).name != "porto.it.vtt"
    assert len(tracks_in(result)) == 2
    assert [(names([file]), "silent" in file.reason or "past" in file.reason) for file in result.duplicates] == [
        (["porto.it.vtt"], True)
    ]
    stated = read_group(replace(italian_first, is_open=False), SIZER)
    assert (Path(stated.talk_path).name, tracks_in(stated)) == ("porto.it.vtt", [])


def test_the_track_in_another_language_is_kept_and_the_report_says_so(tmp_path: Path) -> None:
    result = read(tmp_path, {"harbour.de.vtt": vtt(GERMAN, shift_ms=400)})
    assert (names(result.tracks), result.duplicates, result.skipped) == (["harbour.de.vtt"], [], [])
    assert result.tracks[0].reason == "is the German track of harbour.en-orig.vtt"
    assert tracks_in(result) == [("de", "unknown", "harbour.de.vtt")]
    assert [row.note for row in result.file_rows] == ["", "is the German track of harbour.en-orig.vtt"]


def test_a_track_is_cleaned_as_a_talk_is(tmp_path: Path) -> None:
    damaged = vtt([line.encode().decode("cp1252", "replace") for line in GERMAN]).replace("Kran", "<i>Kran</i>&nbsp;")
    result = read(tmp_path, {"harbour.de.vtt": damaged})
    assert result.talk_rows
    assert [cue.text for cue in result.talk_rows.tracks[0].cues] == GERMAN


@pytest.mark.parametrize(
    ("files", "kept", "copies"),
    [
        ({"harbour.de.vtt": vtt(GERMAN), "harbour.de.srt": srt(GERMAN)}, [("de", "unknown")], 1),
        ({"harbour.de-AT.vtt": vtt(GERMAN), "harbour.de-CH.vtt": vtt(GERMAN)}, [("de-AT", "unknown")], 1),
        ({"harbour.de-en.vtt": vtt(GERMAN)}, [("de", "translated")], 0),
        ({"harbour.de.forced.vtt": vtt(GERMAN)}, [], 1),
        ({"harbour.vtt": vtt(GERMAN)}, [("en", "automatic")], 0),
    ],
)
def test_one_track_for_each_language(
    tmp_path: Path, files: dict[str, str], kept: list[tuple[str, str]], copies: int
) -> None:
    result = read(tmp_path, files)
    assert [track[:2] for track in tracks_in(result)] == kept
    assert len(result.duplicates) == copies


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("harbour.de.vtt", vtt(GERMAN, step_ms=60_000), "its times run past the talk's end, so that it cannot be the"),
        ("harbour.de.txt", "\n".join(GERMAN), "it has no times, so that it cannot be the German track"),
        ("harbour.de.vtt", vtt(ENGLISH, shift_ms=200), "was read from harbour.en-orig.vtt"),
    ],
)
def test_what_is_no_track_stays_another_copy(tmp_path: Path, name: str, text: str, reason: str) -> None:
    result = read(tmp_path, {name: text})
    assert (tracks_in(result), names(result.duplicates), result.tracks) == ([], [name], [])
    assert reason in result.duplicates[0].reason


def test_a_damaged_track_is_a_line_in_the_report(tmp_path: Path) -> None:
    result = read(tmp_path, {"harbour.de.vtt": "WEBVTT\n\n00:00.000 --> 00:04.000\n[Musik]\n"})
    assert (names(result.skipped), tracks_in(result), result.tracks) == (["harbour.de.vtt"], [], [])


def test_a_talk_has_no_more_tracks_than_are_worth_it(tmp_path: Path) -> None:
    codes = ["bg", "cs", "da", "el", "es", "fi", "fr", "hu", "it", "nl"]
    result = read(tmp_path, {f"harbour.{code}.vtt": vtt([f"{code}{at} {code}" for at in range(12)]) for code in codes})
    assert [track[0] for track in tracks_in(result)] == codes[:8]
    assert [copy.reason.partition("; ")[2] for copy in result.duplicates] == [
        "the talk has 8 tracks in other languages already"
    ] * 2


def test_every_cue_of_a_track_counts_with_a_passage(tmp_path: Path) -> None:
    result = read(tmp_path, {"harbour.de.vtt": vtt([*GERMAN, "Nachtrag", "Applaus"])})
    assert result.talk_rows
    said = {term for passage in result.talk_rows.passages for term in passage.track_terms.split()}
    assert {"nachtrag", "applaus", "leuchtturm"} <= said


# --- runs and answers ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three talks; of the first there are tracks in German and in French, with other borders of cues."""
    folder = tmp_path_factory.mktemp("tracks") / "talks"
    folder.mkdir()
    (folder / "harbour.en-orig.vtt").write_text(vtt(ENGLISH, shift_ms=1_500))
    (folder / "harbour.de.vtt").write_text(vtt(GERMAN))
    (folder / "harbour.fr.vtt").write_text(vtt(FRENCH, shift_ms=3_000))
    (folder / "bread.vtt").write_text(vtt(OTHER))
    build(folder)
    return folder


def build(archive: Path) -> Report:
    return build_index(archive.parent / "index", [archive], encoder=CountingEncoder(), processes=1)


def search(archive: Path, text: str, **options: object) -> Answer:
    with closing(open_reader(archive.parent / "index", encoder=CountingEncoder())) as reader:
        return engine.search(reader, Query(text, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "query", "mode"),
    [
        (4, "Kaufleute Küste Speicher", "lexical"),
        (4, "Kaufleute Küste Speicher", "hybrid"),
        (7, "Leuchtturm", "lexical"),
        (7, "phare vaisseau", "lexical"),
        (9, "Nebel Öl", "hybrid"),
        (5, "églises commerce", "hybrid"),
    ],
)
def test_what_a_track_says_opens_the_original_where_it_says_so(archive: Path, line: int, query: str, mode: str) -> None:
    hits = search(archive, query, mode=mode).hits
    first = hits[0]
    assert ENGLISH[line] in first.text
    assert (first.source, first.jump_ms, first.matches) == ("harbour.en-orig.vtt", line * STEP_MS + 1_500, ())
    spans = [(hit.start_ms, hit.end_ms) for hit in hits if hit.source == first.source]
    assert len(spans) == len(set(spans))


@pytest.mark.parametrize(
    "quote", ['"Sein Wärter schrieb ein Tagebuch"', '"wärter schrieb ein tagebuch, das uns das archiv"']
)
def test_a_quote_that_only_a_track_says_opens_the_original_and_shows_the_track(archive: Path, quote: str) -> None:
    answer = search(archive, quote, facets=True)
    (hit,) = answer.hits
    assert (hit.source, hit.jump_ms, hit.quote) == ("harbour.en-orig.vtt", 8 * STEP_MS + 1_500, None)
    assert ENGLISH[8] in hit.text
    assert hit.beside
    assert (hit.beside.language, hit.beside.text) == ("de", GERMAN[8])
    assert answer.note == "Nobody says this in the original; the German track does, word for word."
    assert answer.facets


def test_a_quote_of_a_track_may_run_on_into_the_next_cue(archive: Path) -> None:
    (hit,) = search(archive, '"la solitude des nuits d\'hiver à la dernière page il compte"').hits
    assert hit.beside
    assert hit.beside.text.startswith(FRENCH[9])
    assert FRENCH[10] in hit.beside.text


def test_a_quote_that_is_said_is_not_looked_for_in_tracks_and_what_no_track_says_is_not_found(
    archive: Path,
) -> None:
    (hit,) = search(archive, '"Its keeper wrote a diary"').hits
    assert hit.quote
    assert not hit.beside
    assert search(archive, '"Sein Wärter schrieb einen Brief"').hits == ()
    assert search(archive, '"Sein Wärter schrieb ein Tagebuch"', filters=Filters(talks=("bread",))).hits == ()


def test_a_quote_of_a_track_in_a_query_leaves_the_passages_that_are_said_meanwhile(archive: Path) -> None:
    hits = search(archive, 'diary of the lighthouse "schrieb ein Tagebuch"').hits
    assert hits
    assert all(ENGLISH[8] in hit.text for hit in hits)


def test_a_language_that_only_tracks_are_in_is_said_where_a_filter_leaves_nothing(archive: Path) -> None:
    note = search(archive, "harbour", filters=Filters(language="german")).note
    assert note.startswith("Nothing in the index passes the filter language “german”. The filter is of what was said;")
    assert "1 talk in another language has a track in “german”" in note
    assert "track" not in search(archive, "harbour", filters=Filters(language="ja")).note


def test_a_language_that_no_track_is_in_is_said_where_it_shall_stand_beside_hits(archive: Path) -> None:
    assert (
        "No track is in “klingon”; there are tracks in French, German."
        in search(archive, "harbour", beside="klingon").note
    )
    assert "No track" not in search(archive, "harbour", beside="german").note


def test_a_track_that_ends_early_says_nothing_beside_what_follows(tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "harbour.en-orig.vtt").write_text(vtt(ENGLISH), encoding="utf-8")
    (folder / "harbour.de.vtt").write_text(vtt(GERMAN[:5]), encoding="utf-8")
    build_index(tmp_path / "index", [folder], encoder=CountingEncoder())
    with open_reader(tmp_path / "index", encoder=CountingEncoder()) as reader:
        assert reader.db.execute("SELECT count(*) FROM tracks").fetchone() == (1,)
        hits = engine.search(reader, Query("song", beside="de")).hits  # nobody says it, in any language
    assert {hit.beside is None for hit in hits} == {True, False}


def test_words_of_a_passage_and_of_a_track_are_not_said_together(archive: Path) -> None:
    with closing(open_reader(archive.parent / "index", encoder=CountingEncoder())) as reader:
        quick = reader.table()
        assert quick.columns
        rows = reader.db.execute("SELECT terms, track_terms FROM words WHERE track_terms != ''").fetchall()
        for terms, track_terms in rows:
            seam, within = (terms.split()[-1], track_terms.split()[0]), track_terms.split()[:2]
            assert quick.cooccurrences(*seam).tolist() == cooccurrences(reader.db, *seam).tolist() == []
            assert len(quick.cooccurrences(*within)) == len(cooccurrences(reader.db, *within)) > 0
        assert rows


def test_words_that_only_tracks_say_are_evidence_without_meaning(archive: Path) -> None:
    with closing(open_reader(archive.parent / "index", encoder=CountingEncoder())) as reader:
        table, encoded = reader.table(), EncodedQuery(("leuchtturm", "lighthous", "bread"))
        lists = variant_postings(table, encoded, query_postings(table, encoded).terms)
        assert [places.tolist() for places in lists] == [table.postings("leuchtturm").tolist()]
        assert len(lists[0])


def test_a_track_that_goes_and_comes_changes_what_finds_the_talk_and_no_vector(archive: Path) -> None:
    folder, english = archive.parent / "index", "lighthouse vessel diary"
    with_tracks = search(archive, english)
    assert search(archive, "Leuchtturm", mode="lexical").hits

    def check(runs: Report, changed: int, tracks: list[str]) -> None:
        assert (len(runs.replaced), runs.embedded, names(runs.tracks)) == (changed, 0, tracks)
        assert runs.duplicates == runs.skipped == []
        with closing(catalog.open_catalog(folder)) as db:
            assert columns.check(folder, db, CountingEncoder().card.dimension, mend=False)

    check(build(archive), 0, ["harbour.de.vtt", "harbour.fr.vtt"])
    for language in ("de", "fr"):
        (archive / f"harbour.{language}.vtt").rename(archive.parent / language)
    check(build(archive), 1, [])
    assert search(archive, "Leuchtturm", mode="lexical").hits == ()
    # The talk has the same passages as with its tracks, and its own words find them in the very same way.
    alone = search(archive, english)
    assert [(hit.passage_id, hit.jump_ms, hit.matches) for hit in alone.hits] == [
        (hit.passage_id, hit.jump_ms, hit.matches) for hit in with_tracks.hits
    ]
    assert [hit.score for hit in alone.hits] == pytest.approx([hit.score for hit in with_tracks.hits])
    for language in ("de", "fr"):
        (archive.parent / language).rename(archive / f"harbour.{language}.vtt")
    check(build(archive), 1, ["harbour.de.vtt", "harbour.fr.vtt"])
    assert search(archive, "Leuchtturm", mode="lexical").hits
    with closing(catalog.open_catalog(folder)) as db:
        assert [track.language for track in tracks_of(db, 2)] == ["de", "fr"]


def test_a_talk_that_cannot_be_read_takes_its_tracks_along_into_a_new_index(archive: Path, tmp_path: Path) -> None:
    catalog.open_catalog(tmp_path, write=True).close()
    query = "SELECT terms, track_terms FROM words JOIN passages p ON p.number = words.rowid"
    away = archive.rename(archive.with_name("away"))
    try:
        carry_over(archive.parent / "index", tmp_path, SIZER)
    finally:
        away.rename(archive)
    with (
        closing(catalog.open_catalog(tmp_path)) as db,
        closing(catalog.open_catalog(archive.parent / "index")) as before,
    ):
        assert sorted(db.execute(query)) == sorted(before.execute(query))
        tracks = [track for number in (1, 2) for track in read_tracks(db, number)]
        assert [track.source for track in tracks] == ["harbour.de.vtt", "harbour.fr.vtt"]
        assert "Leuchtturm" in tracks[0].cues[7].text


def test_the_doctor_finds_lost_words_of_a_track_again(archive: Path) -> None:
    folder = archive.parent / "index"
    query = "SELECT rowid, terms, track_terms FROM words ORDER BY rowid"
    with closing(catalog.open_catalog(folder, write=True)) as db:
        before = db.execute(query).fetchall()
        db.execute("DELETE FROM words")
    doctor.examine(folder, encoder=CountingEncoder())
    with closing(catalog.open_catalog(folder)) as db:
        assert db.execute(query).fetchall() == before
    assert any(terms for _, _, terms in before)


def test_a_talk_whose_words_are_lost_is_read_again_all_the_same(archive: Path) -> None:
    with closing(catalog.open_catalog(archive.parent / "index", write=True)) as db:
        db.execute("DELETE FROM words")
    track = archive / "harbour.de.vtt"
    track.write_text(vtt([*GERMAN[:-1], "Zugabe"]))
    assert len(build(archive).replaced) == 1
    track.write_text(vtt(GERMAN))
    build(archive)
    doctor.examine(archive.parent / "index", encoder=CountingEncoder())
    assert search(archive, "Leuchtturm", mode="lexical").hits
