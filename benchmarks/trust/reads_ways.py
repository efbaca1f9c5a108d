"""The ways in which `reads.py` reads an index."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hash_encoder import HashEncoder
from reads_archive import QUERIES

from talksearch.indexer.errors import TalksearchError
from talksearch.search.current import CurrentIndex
from talksearch.search.index import Index
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

_ALL_HITS = 50
"""More hits than there are, so that none is cut off among equal ones."""

MODES = ("lexical", "hybrid", "semantic")

Read = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read of an index in one way: reads by their names."""

    folder: Path
    named: dict[str, Read]
    open_again: Callable[[], None] = lambda: None


def hits_of(answer: dict[str, Any]) -> Any:
    """Return what is compared of an answer: its note about vectors that wait, and its hits in the order of scores."""
    hits = [(-round(hit["score"], 3), hit["talk_id"], round(hit["start_s"], 3), hit["text"]) for hit in answer["hits"]]
    waits = "vector" in answer["note"]
    return ["waits" if waits else "", [hit[1:] for hit in sorted(hits)]]


def searches(ask: Callable[[str, str], dict[str, Any]]) -> dict[str, Read]:
    """Return a read for each query in each mode."""
    asked = [(text, mode) for text in QUERIES for mode in MODES]
    return {f"{mode} {text}": partial(lambda text, mode: hits_of(ask(text, mode)), text, mode) for text, mode in asked}


def kept(folder: Path) -> Reads:
    """Return reads of an index that stays open."""
    held: list[Index] = []

    def open_again() -> None:
        while held:
            held.pop().close()

    def ask(text: str, mode: Any) -> dict[str, Any]:
        if not held:
            held.append(_opened(folder, once=False))
        return held[0].search(Query(text, k=_ALL_HITS, mode=mode)).to_dict()

    return Reads(folder, searches(ask), open_again)


def fresh(folder: Path) -> Reads:
    """Return reads of an index that is opened for each."""

    def ask(text: str, mode: Any) -> dict[str, Any]:
        with _opened(folder, once=True) as index:
            return index.search(Query(text, k=_ALL_HITS, mode=mode)).to_dict()

    return Reads(folder, searches(ask))


def _opened(folder: Path, *, once: bool) -> Index:
    """Open an index as `open_index` does, with the encoder of this benchmark."""
    return Index(folder, CurrentIndex(folder, lambda _, __: open_reader(folder, encoder=HashEncoder(), once=once)))


def catalog_only(folder: Path) -> Reads:
    """Return reads of the catalog, and the figures."""
    from talksearch.indexer.stores import catalog, catalog_talks
    from talksearch.search.stats import gather

    def talk(name: str) -> Any:
        with catalog.open_snapshot(folder) as db:
            known = [talk for talk in catalog_talks.read_talks(db) if talk.id.startswith(name)]
            return [(cue.start_ms, cue.text) for cue in catalog_talks.read_cues(db, known[0].id)] if known else None

    def talks() -> Any:
        with catalog.open_snapshot(folder) as db:
            return [talk.title for talk in catalog_talks.read_talks(db)]

    def figures() -> Any:
        told = gather(folder)
        return [told[key] for key in ("talks", "passages", "cues")]

    return Reads(
        folder,
        {"changing": lambda: talk("changing"), "leaving": lambda: talk("leaving"), "talks": talks, "stats": figures},
    )


def cli(folder: Path) -> Reads:
    """Return reads by the command line."""
    from click.testing import CliRunner

    from talksearch.cli.main import cli as command

    os.environ["TALKSEARCH_NO_SERVER"] = "1"

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, [*arguments, "--index", str(folder)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code:
            raise TalksearchError(result.stderr)
        return result.stdout

    def search() -> Any:
        lines = run("search", QUERIES[0], "--mode", "lexical", "-k", "50", "--format", "jsonl").splitlines()
        return hits_of({"hits": [json.loads(line) for line in lines], "note": ""})

    def lines(*arguments: str) -> Any:
        return [json.loads(line)["title"] for line in run(*arguments).splitlines()]

    return Reads(
        folder,
        {
            "search": search,
            "show": lambda: run("show", "changing"),
            "export": lambda: run("export", "changing", "--format", "srt"),
            "talks": lambda: lines("talks", "--format", "jsonl"),
            "stats": lambda: json.loads(run("stats", "--format", "jsonl"))["talks"],
        },
    )


def http(folder: Path) -> Reads:
    """Return reads of a server, which is started for them and ends with this process."""
    context = multiprocessing.get_context("spawn")  # the process that reads may have had SQLite open, which no fork may
    told, tell = context.Pipe(False)
    context.Process(target=_serve, args=(folder, tell), daemon=True).start()
    url: str = told.recv()

    def get(path: str, **parameters: str) -> Any:
        try:
            with urllib.request.urlopen(f"{url}{path}?{urllib.parse.urlencode(parameters)}", timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise TalksearchError(f"{error.code}: {error.read().decode()[:300]}") from error

    def ask(text: str, mode: str) -> dict[str, Any]:
        return dict(get("api/search", q=text, mode=mode, k=str(_ALL_HITS)))

    def talk() -> Any:
        return [(cue["start_s"], cue["text"]) for cue in get("api/talks/changing")["cues"]]

    return Reads(
        folder,
        {
            **searches(ask),
            "talk": talk,
            "talks": lambda: [talk["title"] for talk in get("api/talks")["talks"]],
            "stats": lambda: get("api/stats")["talks"],
        },
    )


def _serve(folder: Path, tell: Any) -> None:
    from talksearch.cli.server.serve import serve

    os.environ["XDG_RUNTIME_DIR"] = str(folder.parent)
    serve(folder, "127.0.0.1", 0, encoder=HashEncoder(), tell=lambda serving: tell.send(serving.url), warn=_say)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


WAYS: dict[str, Callable[[Path], Reads]] = {
    "kept": kept,
    "fresh": fresh,
    "http": http,
    "catalog": catalog_only,
    "cli": cli,
}
