"""What `talksearch mcp` answers before the SDK is there: what that would answer, and nobody gets it twice."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import mcp_types
import pytest
from fakes import CountingEncoder
from mcp.shared.message import SessionMessage
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from tiny import make_index

from talksearch.cli.assistants import mcp_server
from talksearch.cli.assistants.first_answer import Opening, answer_first, continued
from talksearch.cli.pool.index_pool import IndexPool

CLIENT = {"name": "some client", "version": "1"}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST_PROMPTS = {"jsonrpc": "2.0", "id": "b", "method": "prompts/list"}


def initialize(version: str = "2025-06-18", number: int | str = 1, **params: Any) -> dict[str, Any]:
    asked = {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT, **params}
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": asked}


def first(line: str) -> tuple[Opening | None, str]:
    """Let a line be read; returns what it was, and what was written."""
    written = io.BytesIO()
    return answer_first(io.BytesIO(line.encode()), written), written.getvalue().decode()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def pool(index: Path) -> Iterator[IndexPool]:
    pool = IndexPool(index, workers=1, encoder=CountingEncoder())
    yield pool
    pool.close()


def told(pool: IndexPool, opening: Opening, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all that a client hears from the SDK's server after an opening and some messages."""
    heard: list[dict[str, Any]] = []

    async def session() -> None:
        say, said = anyio.create_memory_object_stream[SessionMessage | Exception](len(messages))
        tell, hear = anyio.create_memory_object_stream[SessionMessage](99)
        for message in messages:
            say.send_nowait(SessionMessage(mcp_types.jsonrpc_message_adapter.validate_python(message)))
        requests = [message for message in messages if "id" in message]
        due = len(requests) + (isinstance(opening.message, mcp_types.JSONRPCRequest) and not opening.is_answered)
        server = mcp_server.server(pool)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:

                async def listen() -> None:
                    async for message in hear:
                        heard.append(message.message.model_dump(by_alias=True, exclude_unset=True))
                        if len(heard) == due:
                            say.close()

                tasks.start_soon(listen)
                async with continued(opening, said, tell) as (for_server, from_server):
                    await server.run(for_server, from_server, server.create_initialization_options())

    anyio.run(session)
    return heard


@pytest.mark.parametrize("version", [*HANDSHAKE_PROTOCOL_VERSIONS, "2026-07-28", "1999-01-01", ""])
def test_it_is_the_answer_of_the_server(version: str, pool: IndexPool) -> None:
    opening, written = first(json.dumps(initialize(version)) + "\n")
    assert opening is not None
    assert opening.is_answered
    assert written.endswith("\n")
    asked = mcp_types.jsonrpc_message_adapter.validate_python(initialize(version))
    assert [json.loads(written)] == told(pool, Opening(asked, is_answered=False))


@pytest.mark.parametrize("number", [0, 7, "seven", "7"])
def test_it_has_the_number_of_the_request(number: int | str) -> None:
    _, written = first(json.dumps(initialize(number=number)) + "\n")
    assert json.loads(written)["id"] == number


def test_the_server_goes_on_and_answers_no_second_time(pool: IndexPool) -> None:
    opening, _ = first(json.dumps(initialize()) + "\n")
    assert opening is not None
    (answer,) = told(pool, opening, INITIALIZED, LIST_PROMPTS)
    assert answer["id"] == "b"
    assert len(answer["result"]["prompts"]) == 2


def test_what_was_granted_is_not_refused_afterwards(pool: IndexPool) -> None:
    odd = {"capabilities": {"sampling": {}, "tasks": {"requests": {}}, "unheard": [1]}, "_meta": {"progressToken": "p"}}
    opening, written = first(json.dumps(initialize(**odd)) + "\n")
    assert opening is not None
    assert "result" in json.loads(written)
    (answer,) = told(pool, opening, INITIALIZED, LIST_PROMPTS)
    assert "result" in answer


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize"}),
        json.dumps(initialize(protocolVersion=3)),
        json.dumps(initialize(clientInfo="me")),
    ],
)
def test_other_requests_are_left_to_the_server(line: str, pool: IndexPool) -> None:
    opening, written = first(line + "\n")
    assert opening is not None
    assert written == ""
    assert not opening.is_answered
    (answer,) = told(pool, opening)
    assert answer["id"] == 1


@pytest.mark.parametrize("line", ["", "{", "[]", "null", json.dumps(INITIALIZED), '{"jsonrpc": "2.0", "id": 1}'])
def test_after_a_line_that_asks_nothing_the_server_is_there(line: str, pool: IndexPool) -> None:
    opening, written = first(line + "\n")
    assert opening is not None
    assert written == ""
    answers = told(pool, opening, initialize(), INITIALIZED, LIST_PROMPTS)
    assert [answer["id"] for answer in answers] == [1, "b"]


def test_a_client_that_is_gone_is_no_opening() -> None:
    assert first("") == (None, "")


def test_nothing_that_takes_long_is_imported_before_the_answer() -> None:
    program = (
        "import io, sys; from talksearch.cli.main import cli; import talksearch.cli.commands.serve;"
        "from talksearch.cli.assistants.first_answer import answer_first;"
        f"opening = answer_first(io.BytesIO({json.dumps(initialize()).encode()!r}), io.BytesIO());"
        "assert opening.is_answered; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "mcp_types" in loaded
    assert not loaded & {"mcp", "mcp_types.methods", "starlette", "asyncio", "numpy", "sqlite3", "rich"}


def test_the_list_of_tools_does_not_wait_for_what_answers_them() -> None:
    program = (
        "import sys, talksearch.cli.assistants.mcp_server; from talksearch.cli.assistants.tools import TOOLS;"
        "[tool.arguments.schema() for tool in TOOLS]; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "mcp.server" in loaded
    assert not loaded & {"numpy", "onnxruntime", "tokenizers", "talksearch.search.engine", "talksearch.search.reader"}


def test_what_is_said_all_at_once_is_answered_once_each(index: Path) -> None:
    said = "".join(json.dumps(message) + "\n" for message in (initialize(), INITIALIZED, LIST_PROMPTS))
    command = [sys.executable, "-m", "talksearch.cli", "mcp", "--index", str(index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(said)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert [answer["id"] for answer in answers] == [1, "b"]
        assert process.stdout.read() == ""
        assert process.wait(30) == 0


def test_a_client_that_goes_before_it_speaks_costs_nothing(index: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "talksearch.cli", "mcp", "--index", str(index)]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=True)
    assert done.stdout == b""
    assert b"mcp.server" not in done.stderr
