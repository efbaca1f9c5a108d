"""Making the overview of an archive (`overview`), and keeping it in the index.

Nothing of it needs the encoder. It depends on the state of the catalog alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from talksearch.indexer import disk, layout
from talksearch.indexer.stores import catalog, catalog_talks, seals
from talksearch.indexer.stores.lock import index_write_lock

from . import overview
from .facets import Facets, count_values, languages_taken_in
from .overview import Overview, TalkFacts
from .questions import questions
from .ranking.passage_table import PassageTable
from .reader import IndexReader, open_reader

FEW_TALKS = 5
"""How many of the newest and of the longest talks are told."""


def is_kept(folder: Path) -> bool:
    """Say whether an index keeps its overview, made of the catalog as it is now.

    Raises BadIndexError where there is no index.
    """
    with closing(catalog.open_catalog(folder)) as db:
        return overview.read(folder, catalog.version(db)) is not None


def is_outdated(folder: Path) -> bool:
    """Say whether the overview that an index keeps is damaged, or of another state; False where it keeps none.

    Raises BadIndexError where there is no index.
    """
    return layout.OVERVIEW.within(folder).exists() and not is_kept(folder)


def keep(folder: Path) -> None:
    """Have an index keep its overview, where it does not yet.

    Raises BadIndexError where there is no index, LockedError while another process writes to it, and TalksearchError
    where it cannot be written.
    """
    if is_kept(folder):
        return
    with disk.refusals_told(folder), index_write_lock(folder), open_reader(folder) as reader:
        overview.write(folder, catalog.version(reader.db), make_overview(reader))


def make_overview(reader: IndexReader) -> Overview:
    """Return what an archive holds."""
    with catalog.snapshot(reader.db):
        db, table = reader.db, reader.table()
        held = seals.holds_sql("talks", "t")  # this is kept, so nothing of it may be damaged
        facts_of_all = f"SELECT number, {catalog_talks.FACTS} FROM talks t WHERE {held} ORDER BY title, id"  # noqa: S608
        rows = db.execute(facts_of_all).fetchall()
        talks = {number: TalkFacts._make(facts) for number, *facts in rows}
        dated = [talk for talk in talks.values() if talk.date]
        years = [int(talk.date[:4]) for talk in dated if talk.date]
        return Overview(
            talks=len(talks),
            length_ms=catalog.speech_ms(db),
            first_year=min(years, default=None),
            last_year=max(years, default=None),
            facets=_facets(table, talks),
            newest=tuple(sorted(dated, key=lambda talk: talk.date or "", reverse=True)[:FEW_TALKS]),
            longest=tuple(sorted(talks.values(), key=lambda talk: -talk.length_ms)[:FEW_TALKS]),
            questions=questions(table, _main_language(talks.values())),
        )


def _facets(table: PassageTable, talks: dict[int, TalkFacts]) -> Facets:
    languages = [(number, talk.language) for number, talk in talks.items() if talk.language]
    speakers = [(number, talk.speaker) for number, talk in talks.items() if talk.speaker]
    speakers += table.speakers_of_talks()
    return Facets(
        channel=count_values((number, talk.channel) for number, talk in talks.items() if talk.channel),
        speaker=count_values(speakers),
        language=count_values(languages, languages_taken_in(tag for _, tag in languages)),
        year=count_values((number, talk.date[:4]) for number, talk in talks.items() if talk.date),
        timing=count_values((number, talk.timing) for number, talk in talks.items()),
    )


def _main_language(talks: Iterable[TalkFacts]) -> str | None:
    """Return the language of most talks; None where that of most is not known."""
    counts = Counter(talk.language for talk in talks)
    return min(counts, key=lambda language: (-counts[language], language or ""), default=None)
