"""What `fuzz.py` tries: each part of the program that reads what comes from outside, and what must hold of its answer.

A target takes an `Input` and returns nothing. Whatever it raises, `TalksearchError` apart, is a finding.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import numpy as np
from fuzz_inputs import FILES, Input
from fuzz_light import LATEST_MS, LIGHT, BrokenPromiseError, check_cues, options_of, require

from talksearch.indexer.encoders.base import ModelCard
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.mojibake import RepairBudget, repair_text
from talksearch.indexer.mojibake import replay as replay_edits
from talksearch.indexer.passages.metadata_passages import notes
from talksearch.indexer.passages.misheard import misheard
from talksearch.indexer.passages.split import split
from talksearch.indexer.passages.track_words import words_meanwhile
from talksearch.indexer.records import Talk
from talksearch.indexer.stores.catalog_writer import rows_of
from talksearch.indexer.talks.balance import UNBALANCED
from talksearch.indexer.talks.identify import identify
from talksearch.indexer.talks.load import load_talk, read_metadata, work_for
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.read import read_file
from talksearch.indexer.talks.replay import replay
from talksearch.search import engine
from talksearch.search.options import checked, make_query
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader

_IN_A_TARGET = "".join(map(chr, range(0x21, 0x7F)))
_WORDS = ("time", "ship", "bee", "bridge", "bread", "rain", "code", "song")


def _broken(promise: str) -> NoReturn:
    raise BrokenPromiseError(promise)


class Setting:
    """What the targets need beside an input: a folder of their own, and an index of `data/`."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz", dir=memory if memory.is_dir() else None))
        (self.folder / "empty").mkdir()
        self.count = itertools.count()

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @cache  # noqa: B019 - one value a process
    def index(self) -> IndexReader:
        """Return what reads an index of `data/`, made with an encoder that takes no time."""
        from talksearch.indexer import build_index

        build_index(self.folder / "index", [Path(__file__).parents[2] / "data"], encoder=Counting())
        return open_reader(self.folder / "index", encoder=Counting())

    @cache  # noqa: B019 - one value a process
    def pool(self) -> Any:
        """Return what a server asks for its answers."""
        from talksearch.cli.pool.index_pool import IndexPool

        self.index()
        return IndexPool(self.folder / "index", workers=1, warn=lambda _: None, encoder=Counting())

    @cache  # noqa: B019 - one value a process
    def app(self) -> Any:
        """Return the web pages and the API."""
        from talksearch.cli.web.app import application

        return application(self.pool(), "127.0.0.1")

    @cache  # noqa: B019 - one value a process
    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop in which requests are answered."""
        return asyncio.new_event_loop()


class Counting:
    """An encoder whose vectors count eight words."""

    card = ModelCard("counting", "", len(_WORDS), 200)

    def count_tokens(self, word: str) -> int:
        """Return about how many tokens a word has."""
        return 1 + len(word) // 6

    def encode_passages(self, texts: Any) -> Any:
        """Return the vectors of texts."""
        return np.array([self.encode_query(text) for text in texts], np.float32)

    def encode_query(self, text: str) -> Any:
        """Return the vector of a text."""
        words = text.lower().split()
        counts = np.array([words.count(word) for word in _WORDS], np.float32) + 0.01
        return counts / np.linalg.norm(counts)


def read_file_of(setting: Setting, tried: Input) -> None:
    """Read a transcript as an indexing run does, to the rows that it would write."""
    path = setting.folder / "empty" / tried.name
    opened = open_file(path, tried.data)
    identify(opened)
    read_metadata(opened, tried.name)
    talk = load_talk(opened, tried.name)
    check_talk(talk)
    if replay(tried.data, tried.name, talk.receipt) != talk.cues:
        _broken("a receipt replays to the same cues")
    # The longest of the checks, made with every eighth file; which, its bytes say.
    if sum(tried.data) % 8 == 0 and load_talk(open_file(path, tried.data), tried.name) != talk:
        _broken("a file gives the same talk twice")


def read_beside(setting: Setting, tried: Input) -> None:
    """Read a transcript that has something beside it."""
    folder = setting.folder / str(next(setting.count))
    folder.mkdir()
    try:
        (folder / tried.name).write_bytes(tried.data)
        path = folder / "talk.vtt"
        if tried.name.endswith(".m3u8"):
            path = folder / tried.name
            for name in ("seg1.vtt", "seg2.vtt"):
                (folder / name).write_text(FILES["a.vtt"])
        else:
            path.write_text(FILES["a.vtt"])
        check_talk(load_talk(open_file(path, read_file(path)), path.name))
    finally:
        shutil.rmtree(folder)


def check_talk(talk: Talk) -> None:
    """Check what every talk must be, whatever its file held. Raises BrokenPromiseError."""
    check_cues(talk.cues)
    # What is left of broken markup may be no word, and a key of a head may be none of it: the receipt names those.
    receipt = talk.receipt
    is_told = any(UNBALANCED in note for note in receipt.uncertain)
    require(is_told or not receipt.words_lost, "no word is lost in silence")
    told = receipt.words_after + receipt.words_folded + sum(receipt.words_left_out.values()) + receipt.words_lost
    require(is_told or receipt.words_before == told, "the words of a receipt add up")
    if talk.duration_ms is not None and not 0 <= talk.duration_ms <= LATEST_MS:
        _broken("a length is one")
    for text in _texts(asdict(talk)):
        text.encode("utf-8")  # raises for a lone surrogate
    shown = " ".join([talk.title, talk.channel or "", talk.speaker or "", *(cue.text for cue in talk.cues)])
    if any(char < " " or "\x7f" <= char < "\xa0" for char in shown):
        _broken("what is shown holds no control characters")
    passages = split(talk, lambda text: 1 + len(text) // 6, 250)
    misheard(talk)
    everything = (*passages, *notes(talk))
    json.dumps(asdict(rows_of(talk, everything, [], words_meanwhile(everything, []))), default=str)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list | tuple) else []


def repair(_: Setting, tried: Input) -> None:
    """Repair a text that was read in a wrong code page."""
    text = tried.data.decode("utf-8", "replace")
    work = partial(work_for, text, RepairBudget(1e7))
    repaired = repair_text(text, work())
    if replay_edits(text, repaired.edits) != repaired.text:
        _broken("edits replay to the repaired text")
    if sum(tried.data) % 8 == 0 and repair_text(text, work()) != repaired:
        _broken("a text is repaired the same twice")
    if text.isascii() and repaired.edits:
        _broken("healthy text stays")


def ask(setting: Setting, tried: Input) -> None:
    """Ask the index of `data/`."""
    with suppress(ValueError, RecursionError):  # what is no JSON is a question as it stands
        given = json.loads(tried.data)
        if isinstance(given, list) and len(given) == 2 and isinstance(given[1], dict):
            asked = make_query(given[0], **options_of(given[1]))
            answer = engine.search(setting.index(), asked, is_asked=False)
            _check_hits(answer.hits)
            return
    text = tried.data.decode("utf-8", "surrogateescape")
    for mode in ("lexical", "quote"):
        _check_hits(engine.search(setting.index(), checked(Query(text, mode=mode)), is_asked=False).hits)


def _check_hits(hits: Any) -> None:
    if [hit.rank for hit in hits] != list(range(1, len(hits) + 1)):
        _broken("ranks count from 1")
    if any(not hit.start_ms <= hit.end_ms for hit in hits):
        _broken("a hit ends behind its beginning")


def request(setting: Setting, tried: Input) -> None:
    """Ask the web pages and the API."""
    target = quote(tried.data, safe=_IN_A_TARGET)  # the parser of requests lets no other bytes through
    path, _, query = target.partition("?")
    sent: list[dict[str, Any]] = []
    asked = itertools.count()
    numbers = f"10.0.{next(setting.count) // 200 % 250}.1"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path or "/", "root_path": "",
        "raw_path": path.encode("latin-1"), "query_string": query.encode("latin-1"),
        "headers": [(b"host", b"127.0.0.1")],
        "client": (numbers, 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        if next(asked):
            await asyncio.Event().wait()  # a client that stays until it has its answer
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    setting.loop().run_until_complete(setting.app()(scope, receive, send))
    if not sent or sent[0]["status"] >= 500:
        body = b"".join(message.get("body", b"") for message in sent)
        if b"no index" not in body:
            _broken(f"no request to {urlsplit(path).path[:8]!r} breaks the server")


def call(setting: Setting, tried: Input) -> None:
    """Call a tool of the Model Context Protocol."""
    import mcp_types

    from talksearch.cli.assistants import mcp_server

    with suppress(ValueError, RecursionError):
        given = json.loads(tried.data)
        if isinstance(given, list) and len(given) == 2 and isinstance(given[0], str) and isinstance(given[1], dict):
            params = mcp_types.CallToolRequestParams(name=given[0], arguments=given[1])
            setting.loop().run_until_complete(mcp_server._call_tool(setting.pool(), None, params))


def _light(light: Callable[[str, bytes], None], _: Setting, tried: Input) -> None:
    light(tried.name, tried.data)


Target = Callable[[Setting, Input], None]

TARGETS: dict[str, Target] = {
    **{name: partial(_light, light) for name, light in LIGHT.items()},
    "file": read_file_of, "beside": read_beside, "repair": repair, "query": ask, "http": request, "mcp": call,
}  # fmt: skip


def try_once(setting: Setting, tried: Input) -> None:
    """Give an input to its target. Returns where the answer is a sentence; raises whatever else comes."""
    with suppress(TalksearchError):
        TARGETS[tried.target](setting, tried)
