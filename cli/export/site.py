"""An archive as static pages: a list that looks for words in all talks, and a page for each talk.

It works from any path and from a disk, without a server: nothing in it is fetched but scripts that lie beside it. Our
own index of words and not Pagefind's, which a page that was opened as a file may not load.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

from talksearch.cli.render.common import counted
from talksearch.indexer import disk
from talksearch.indexer.errors import DiskFullError, TalksearchError
from talksearch.indexer.records import Talk
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.lines import join_lines
from talksearch.indexer.text.untrusted import safe

from .files import clear_parts, file_name, write_whole
from .pages import TEMPLATES, policy, rendered, sections_of, talk_page
from .selection import Selection
from .word_index import WordIndex, script

_ASSETS = ("page.css", "page.js", "search.js")
_LIST = "talksearch-site.json"
"""Names the files of a site, so that a folder is known for one, and those of talks that are gone can be removed."""


def write_site(selection: Selection, folder: Path) -> int:
    """Write talks as a site into a folder; returns how many talks it has.

    A folder that is there must be empty, or hold a site, which is replaced: files of talks that are not selected any
    more are removed, others are left alone.

    Raises TalksearchError where the folder holds something else, or cannot be written.
    """
    for place in (folder, *(path for path in folder.glob("*") if path.is_dir() and not path.is_symlink())):
        clear_parts(place)
    before = _files_before(folder)
    written: list[str] = []

    def put(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text, option="--site")
        written.append(name)

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _LIST, json.dumps(before), option="--site")
        rows, pieces = _put_talks(selection.talks, put)
        facts = {"title": "Talks", "count": counted("talk", len(rows)), "talks": rows, "pieces": pieces}
        put("index.html", rendered("index.html", policy=policy(None), **facts))
        for name in _ASSETS:
            put(name, (TEMPLATES / name).read_text(encoding="utf-8"))
        write_whole(folder / _LIST, json.dumps(sorted(written)), option="--site")
        for name in set(before) - set(written):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        if error.errno in disk.FULL:
            message = disk.full(folder, error.strerror or "").message
            raise DiskFullError(message, "Make room there, or name another folder with --site.") from error
        raise TalksearchError(
            f"The site in {folder} cannot be written: {error.strerror}.", "Name another folder with --site."
        ) from error
    return len(rows)


def _put_talks(talks: Iterable[Talk], put: Callable[[str, str], None]) -> tuple[list[dict[str, object]], list[int]]:
    """Write the pages and texts of all talks and the index of their words.

    Returns what the list shows of each, and the numbers of the pieces of the index.
    """
    index = WordIndex()
    rows: list[dict[str, object]] = []
    names: set[str] = set()
    for number, talk in enumerate(talks):
        name = file_name(talk.id)
        if name.casefold() in names:  # some file systems do not tell capitals from small letters
            name = f"{name}-{number}"
        names.add(name.casefold())
        paragraphs = [paragraph for section in sections_of(talk) for paragraph in section.paragraphs]
        texts = [join_lines(line.text for line in paragraph.lines) for paragraph in paragraphs]
        clocks = [paragraph.clock for paragraph in paragraphs]
        put(f"talks/{name}.html", talk_page(talk, "site_talk.html", home="../index.html"))
        put(f"texts/{number}.js", script("texts", number, list(zip(clocks, texts, strict=True))))
        end_ms = max([talk.duration_ms or 0, *(cue.end_ms for cue in talk.cues[-1:])])
        facts = (talk.speaker, talk.channel if talk.channel != talk.speaker else None, talk.date, show_clock(end_ms))
        rows.append(
            {
                "number": number,
                "first": index.add(texts) if texts else -1,
                "file": quote(f"{name}.html"),
                "title": safe(talk.title),
                "language": talk.language or "",
                "facts": safe(" · ".join(fact for fact in facts if fact)),
            }
        )
    pieces = []
    for number, text in index.pieces():
        put(f"words/{number}.js", text)
        pieces.append(number)
    return rows, pieces


def _files_before(folder: Path) -> list[str]:
    """Return the names of the files of the site that is there. Raises TalksearchError where something else is."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return []
        names = json.loads((folder / _LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        names = None
    inside = folder.resolve()
    if not isinstance(names, list) or not all(
        isinstance(name, str) and (folder / name).resolve().is_relative_to(inside) for name in names
    ):
        raise TalksearchError(f"{folder} holds something else than a site of talksearch.", "Name a new folder.")
    return names
