"""The MCP server, asked by the SDK's own client: in this process, and as a program on standard input and output."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from fakes import CountingEncoder
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult
from tiny import make_index

from talksearch.cli.assistants import mcp_server
from talksearch.cli.pool.index_pool import IndexPool
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

TOOLS = {"search_talks", "similar_moments", "list_talks", "read_talk", "index_stats"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("mcp"))


def with_client(folder: Path, ask: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        pool = IndexPool(folder, encoder=CountingEncoder(), workers=2)
        try:
            async with Client(mcp_server.server(pool)) as client:
                return await ask(client)
        finally:
            pool.close()

    return anyio.run(run)


def call(folder: Path, tool: str, **arguments: Any) -> CallToolResult:
    async def ask(client: Client) -> CallToolResult:
        return await client.call_tool(tool, arguments)

    result: CallToolResult = with_client(folder, ask)
    return result


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    return str(getattr(content, "text", ""))


def test_hits_are_those_of_the_engine_with_their_links_in_the_text(index: Path) -> None:
    result = call(index, "search_talks", query="ship time", k=2, avoid="late", context_s=5)
    opened = open_reader(index, encoder=CountingEncoder())
    hits = engine.search(opened, Query("ship time", 2, avoid="late", context_ms=5000, heat=True)).hits
    assert result.structured_content == {"hits": [json.loads(json.dumps(hit.to_dict())) for hit in hits], "note": ""}
    assert all(hit.url in text_of(result) for hit in hits)
    assert hits[0].url.startswith("https://example.org/ships")


def test_filters_reach_the_engine(index: Path) -> None:
    found = call(index, "search_talks", query="rain", talk=["bridges"], mode="lexical", per_talk=1).structured_content
    assert found is not None
    assert [hit["title"] for hit in found["hits"]] == ["Bridges"]
    nothing = text_of(call(index, "search_talks", query="rain", after="2999"))
    assert nothing.startswith("Nothing found.\n")
    assert "the filter after “2999-01-01”" in nothing


def test_similar_moments(index: Path) -> None:
    found = call(index, "similar_moments", moment="bees@62", k=1).structured_content
    assert found is not None
    assert len(found["hits"]) == 1
    assert found["hits"][0]["title"] != "Bees"


def test_talks_are_listed_and_read(index: Path) -> None:
    listed = call(index, "list_talks", title_contains="B", limit=1).structured_content
    assert listed is not None
    assert listed["total"] == 2
    assert [talk["title"] for talk in listed["talks"]] == ["Bees"]
    read = call(index, "read_talk", talk="bees", from_s=120)
    assert read.structured_content is not None
    assert [cue["text"] for cue in read.structured_content["cues"]] == ["said the bee to the bee"]
    assert "said the bee to the bee" in text_of(read)
    assert read.structured_content["next_s"] is None


def test_a_stretch_in_which_nothing_is_said_is_told(index: Path) -> None:
    read = call(index, "read_talk", talk="bees", from_s=70, to_s=100)
    assert read.structured_content is not None
    assert read.structured_content["cues"] == []
    assert "Nothing is said in that stretch of the talk bees-" in text_of(read)
    assert "The next words begin at 2:00." in text_of(read)


def test_half_a_character_is_asked_with_a_mark_in_its_place(index: Path) -> None:
    found = call(index, "search_talks", query="bee \ud800")
    assert found.structured_content == call(index, "search_talks", query="bee \ufffd").structured_content
    nothing = text_of(call(index, "search_talks", query="bee", channel="\ud800"))
    assert nothing.startswith("Nothing found.\n")
    assert "the filter channel “\ufffd”" in nothing


def test_a_long_talk_is_read_in_parts(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_server, "_READ_AT_ONCE", 10)
    first = call(index, "read_talk", talk="bees").structured_content
    assert first is not None
    assert len(first["cues"]) == 1
    assert first["next_s"] == 120
    rest = call(index, "read_talk", talk="bees", from_s=first["next_s"]).structured_content
    assert rest is not None
    assert rest["cues"][0]["text"] == "said the bee to the bee"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search_talks", {"query": " "}, "The query is empty."),
        ("search_talks", {"query": "x", "talk": ["nobody"]}, "nobody"),
        ("search_talks", {"query": "x", "after": "someday"}, "'someday' is not a date. Write a day"),
        ("search_talks", {"query": "x", "k": 0}, "k"),
        ("search_talks", {"query": "x", "mode": "psychic"}, "mode"),
        ("similar_moments", {"moment": "bees"}, "Say which moment"),
        ("similar_moments", {"moment": "bees@9999"}, "end at 2:05, which is 125 s."),
        ("read_talk", {"talk": "nobody"}, "nobody"),
        ("read_talk", {"talk": "bees", "from_s": 9, "to_s": 5}, "A stretch cannot end at 5 s that begins at 9 s."),
        ("read_talk", {"talk": "bees", "from_s": 9999}, "end at 2:05, which is 125 s."),
        ("read_talk", {"talk": "bees", "from_s": 1e300}, "from_s"),
    ],
)
def test_errors_are_sentences(tool: str, arguments: dict[str, Any], said: str, index: Path) -> None:
    result = call(index, tool, **arguments)
    assert result.is_error
    assert said in text_of(result)


def test_an_index_that_is_missing_is_told_and_may_come(tmp_path: Path) -> None:
    async def ask(client: Client) -> list[CallToolResult]:
        before = await client.call_tool("search_talks", {"query": "ship"})
        await anyio.to_thread.run_sync(make_index, tmp_path)
        return [before, await client.call_tool("search_talks", {"query": "ship"})]

    before, after = with_client(tmp_path / "index", ask)
    assert before.is_error
    assert "There is no index" in text_of(before)
    assert not after.is_error
    assert "Ships" in text_of(after)


def test_as_a_program_on_standard_input_and_output(index: Path) -> None:
    program = """
import sys
from pathlib import Path
from fakes import CountingEncoder
from talksearch.cli.assistants import mcp_server

class Chatty(CountingEncoder):
    def encode_query(self, text):
        print("this must not reach the protocol", flush=True)
        return super().encode_query(text)

mcp_server.run(Path(sys.argv[1]), lambda _: None, Chatty())
"""

    async def ask() -> tuple[set[str], list[CallToolResult]]:
        started = StdioServerParameters(
            command=sys.executable, args=["-c", program, str(index)], cwd=Path(__file__).parent
        )
        async with Client(stdio_client(started)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert all(tool.description and tool.output_schema for tool in tools.values())
            assert "avoid" in tools["search_talks"].input_schema["properties"]
            return set(tools), [
                await client.call_tool("search_talks", {"query": "ship"}),
                await client.call_tool("index_stats", {}),
            ]

    tools, (found, facts) = anyio.run(ask)
    assert tools == TOOLS
    assert "https://example.org/ships" in text_of(found)
    assert facts.structured_content is not None
    assert facts.structured_content["talks"] == 3
