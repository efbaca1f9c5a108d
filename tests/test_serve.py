from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner, Result
from fakes import CountingEncoder
from tiny import make_index, serving, short_runtime_folder, write_talk

from talksearch.cli.commands import search as search_command
from talksearch.cli.main import cli
from talksearch.cli.messages import AnswerRequest, MessageError, Printed
from talksearch.cli.server import client, protocol
from talksearch.cli.server.serve import Serving, _listening, serve
from talksearch.cli.terminal import Style
from talksearch.indexer.errors import BadIndexError, TalksearchError
from talksearch.indexer.pipeline.run import build_index
from talksearch.search import reader as index_module

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")

PLAIN = Style(color=False, links=False, width=80)
SHIP = AnswerRequest("search", "ship", {}, "jsonl", PLAIN)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("served"))


@pytest.fixture(autouse=True)
def _fake_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search without the server uses the encoder that the server uses."""
    monkeypatch.setattr(index_module, "load_encoder", lambda *_: CountingEncoder())


@pytest.fixture(scope="module")
def served(index: Path) -> Iterator[Serving]:
    with short_runtime_folder(), serving(index) as one:
        yield one


@pytest.fixture
def runtime() -> Iterator[Path]:
    with short_runtime_folder() as folder:
        yield folder


def run(*args: str, **options: Any) -> Result:
    return CliRunner().invoke(cli, args, catch_exceptions=False, **options)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[Printed]:
    """The answers that came from a server."""
    seen: list[Printed] = []

    def ask(*args: Any) -> Iterator[Printed]:
        for printed in client.ask(*args):
            seen.append(printed)
            yield printed

    monkeypatch.setattr(search_command, "ask", ask)
    return seen


# --------------------------------------------------------------------------------------------------- the command line

ASKED = [
    ["ship"],
    ["ship", "-k", "1", "--explain"],
    ["ship", "--format", "jsonl", "--explain"],
    ["ship", "--format", "csv", "--context", "70"],
    ["ship time", "--format", "markdown", "--not", "late"],
    ["ship", "--mode", "lexical", "--per-talk", "1"],
    ["bee", "--mode", "semantic", "--talk", "bees"],
    ['"every bee knows whan rain"'],
    ["rain", "--mode", "quote", "--format", "jsonl"],
    ['ship "nobody has ever said this"'],
    ["qqqzzz", "--mode", "lexical"],
    ["x", "--after", "someday"],
    ["x", "--talk", "no-such-talk"],
    ["similar", "ships@62", "-k", "2"],
    ["similar", "ships@62", "--format", "jsonl", "--explain"],
    ["similar", "ships"],
    ["similar", "no-such-talk@3"],
    ["similar", "ships@99999"],
    ["similar", "ships@99999999999999999999999"],
    ["bee\udcff rain"],
    ["bee", "--channel", "\udcff"],
    ["similar", "\udcff@3"],
]


@pytest.mark.parametrize("args", ASKED, ids=" ".join)
def test_a_server_answers_as_no_server_does(
    args: list[str], index: Path, served: Serving, answered: list[Printed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, since this encoder rounds alike wherever it runs."""
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    through = run(*args)
    assert through.exit_code != 0 or answered
    answered.clear()
    monkeypatch.setenv("TALKSEARCH_NO_SERVER", "1")
    alone = run(*args)
    assert not answered
    assert (through.stdout_bytes, through.stderr, through.exit_code) == (
        alone.stdout_bytes, alone.stderr, alone.exit_code,
    )  # fmt: skip


@pytest.mark.parametrize("form", ["text", "jsonl", "csv", "markdown"])
def test_many_queries_are_answered_alike(
    form: str,
    index: Path,
    served: Serving,
    answered: list[Printed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"id": "a", "query": "bee"}\n{"query": "ship *late*"}\n{"query": "\\"bee of song\\" rain"}\n')
    through = run("search", "--queries", str(queries), "--format", form)
    assert len(answered) == 3
    monkeypatch.setenv("TALKSEARCH_NO_SERVER", "1")
    alone = run("search", "--queries", str(queries), "--format", form)
    assert (through.stdout_bytes, through.stderr) == (alone.stdout_bytes, alone.stderr)
    assert through.exit_code == 0


def test_a_terminal_gets_colours_and_links(index: Path, served: Serving) -> None:
    request = AnswerRequest("search", "ship", {"k": 1}, "text", Style(color=True, links=True, width=60))
    (printed,) = client.ask(index, [request])
    assert "\x1b]8;;https://example.org/ships" in printed.out
    assert "\x1b[1m" in printed.out


def test_open_opens_the_first_hit(index: Path, served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", opened.append)
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    run("ship", "--open")
    monkeypatch.setenv("TALKSEARCH_NO_SERVER", "1")
    run("ship", "--open")
    assert len(opened) == 2
    assert len(set(opened)) == 1
    assert opened[0].startswith("https://example.org/ships")


def test_the_client_wakes_nothing_heavy(index: Path, served: Serving) -> None:
    program = (
        "import sys; from talksearch.cli.main import cli; cli(['ship'], standalone_mode=False);"
        " print(*sorted(sys.modules), file=sys.stderr)"
    )
    environment = {**os.environ, "TALKSEARCH_INDEX": str(index)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60, check=True
    )
    loaded = set(done.stderr.split())
    assert "Ships" in done.stdout
    assert "talksearch.cli.server.client" in loaded
    heavy = {"numpy", "onnxruntime", "rich", "sqlite3", "starlette", "asyncio", "Stemmer", "talksearch.search.engine"}
    assert not loaded & {*heavy, "talksearch.cli.render.hits", "talksearch.indexer.records"}


def test_without_a_server_there_is_no_answer(index: Path, runtime: Path) -> None:
    assert list(client.ask(index, [SHIP])) == []
    assert client.greet(index) is None


def test_a_server_that_stops_midway_leaves_the_rest_to_the_client(
    index: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"query": "bee"}\n{"query": "ship"}\n{"query": "rain"}\n')
    alone = run("search", "--queries", str(queries))
    with serving(index) as one:

        def ask(*args: Any) -> Iterator[Printed]:
            for number, printed in enumerate(client.ask(*args)):
                yield printed
                if number == 0:
                    one.stop()
                    path = one.socket
                    assert path is not None
                    for _ in range(1000):
                        if not path.exists():
                            break
                        threading.Event().wait(0.01)

        monkeypatch.setattr(search_command, "ask", ask)
        assert run("search", "--queries", str(queries)).stdout == alone.stdout


def test_an_index_that_is_gone_is_told_by_the_client_himself(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path)
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    with serving(index):
        index.rename(tmp_path / "away")
        through = run("ship")
        (tmp_path / "away").rename(index)
        assert "Ships" in run("ship").stdout
    index.rename(tmp_path / "away")
    alone = run("ship")
    assert (through.exit_code, through.stderr) == (alone.exit_code, alone.stderr)
    assert "There is no index" in alone.stderr


def test_a_talk_that_is_added_is_found_through_the_server(
    tmp_path: Path, runtime: Path, answered: list[Printed], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path)
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    with serving(index):
        assert "Loaf" not in run("bread").stdout
        write_talk(tmp_path / "talks", "loaf", ["bread and bread"])
        build_index(index, (), encoder=CountingEncoder())
        assert run("bread").stdout.startswith(" 1. Loaf")
    assert len(answered) == 2


# ------------------------------------------------------------------------------------------------------- the messages

ASKED_WITH_ALL = AnswerRequest(
    "similar", "ships@62", {"k": 2, "talks": ("bees", "ships"), "after": None, "context": 0.5, "explain": True}, "csv",
    Style(color=True, links=False, width=60), query_id="q1", heading=True, header=False,
)  # fmt: skip


@pytest.mark.parametrize("request_", [SHIP, ASKED_WITH_ALL], ids=["search", "similar"])
def test_a_request_is_the_same_behind_the_socket(request_: AnswerRequest) -> None:
    received = AnswerRequest.from_json(json.loads(json.dumps(request_.to_json())))
    assert received == request_


@pytest.mark.parametrize(
    "change",
    [
        {"command": "index"}, {"command": None}, {"text": 3}, {"options": []}, {"format": "xml"}, {"style": [1, 2, 3]},
        {"style": [True, True]}, {"query_id": 3}, {"heading": "yes"}, {"header": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_message_of_another_shape_is_no_request(change: dict[str, Any]) -> None:
    message = SHIP.to_json()
    with pytest.raises(MessageError):
        AnswerRequest.from_json({**message, **change})
    for name in change:
        del message[name]
    with pytest.raises(MessageError):
        AnswerRequest.from_json(message)


def test_an_answer_is_the_same_behind_the_socket() -> None:
    printed = Printed("out\n", ("Nothing found.",), "a note", "https://example.org")
    assert Printed.from_json(json.loads(json.dumps(printed.to_json()))) == printed


# ------------------------------------------------------------------------------------------------ who is at the socket


def test_the_socket_is_private_and_goes_with_the_server(index: Path, runtime: Path) -> None:
    with serving(index) as one:
        assert one.socket == protocol.socket_path(index)
        assert one.socket is not None
        assert stat.S_IMODE(one.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(one.socket.parent.stat().st_mode) == 0o700
        assert client.greet(index) == {"ready": True, "url": one.url}
        assert protocol.socket_path(index / ".." / index.name) == one.socket
    assert not one.socket.exists()
    assert client.greet(index) is None


def test_a_second_server_says_that_there_is_one(index: Path, runtime: Path) -> None:
    with (
        serving(index) as one,
        pytest.raises(TalksearchError, match=rf"runs already .*{re.escape(one.url)}"),
    ):
        serve(index, "127.0.0.1", 0, tell=lambda _: None, encoder=CountingEncoder())
    with serving(index):
        pass


def test_a_port_that_is_taken_is_told(index: Path, runtime: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(TalksearchError, match="cannot be used"):
        serve(index, "127.0.0.1", taken.getsockname()[1], tell=lambda _: None, encoder=CountingEncoder())


def test_no_index_is_told_at_the_start(tmp_path: Path, runtime: Path) -> None:
    with pytest.raises(TalksearchError, match="no index"):
        serve(tmp_path / "none", "127.0.0.1", 0, tell=lambda _: None)
    path = protocol.socket_path(tmp_path / "none")
    assert path is not None
    assert not path.exists()


@pytest.mark.parametrize(("recipe", "said"), [('{"format": 99}', "has format 99"), ("nonsense", "damaged recipe")])
def test_an_index_that_cannot_be_read_is_told_at_the_start(
    recipe: str, said: str, tmp_path: Path, runtime: Path
) -> None:
    index = make_index(tmp_path)
    (index / "recipe.json").write_text(recipe, encoding="utf-8")
    with pytest.raises(BadIndexError, match=said):
        serve(index, "127.0.0.1", 0, tell=lambda _: None, encoder=CountingEncoder())


def test_a_socket_that_a_killed_server_left_is_passed_over_and_replaced(
    index: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = protocol.socket_path(index)
    assert path is not None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    assert "Ships" in run("ship").stdout
    assert list(client.ask(index, [SHIP])) == []
    with serving(index):
        assert client.greet(index) is not None


def test_other_code_is_not_asked(
    index: Path, runtime: Path, answered: list[Printed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    with serving(index):
        assert "Ships" in run("ship").stdout
        assert len(answered) == 1
        monkeypatch.setattr(protocol, "code", lambda: "of another version")
        assert "Ships" in run("ship").stdout
        assert (client.greet(index) or {})["ready"] is False
    assert len(answered) == 1


@contextmanager
def _impostor(index: Path, behave: Callable[[socket.socket], None]) -> Iterator[None]:
    """Listen in the place of a server."""
    path = protocol.socket_path(index)
    assert path is not None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def accept() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100_000)
                behave(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield
        thread.join(10)
    path.unlink()


READY = b'{"ready": true}\n'


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"\n", b"nonsense\n", b"[]\n", b'{"ready": 1}\n', b"\xff\n", b'{"ready": tr', b"[" * 100_000 + b"\n",
        READY, READY + b"{}\n", READY + b'{"out": 3, "err": [], "note": "", "url": ""}\n',
        READY + b'{"out": "", "err": [3], "note": "", "url": ""}\n', READY + b'{"pass": true}\n',
    ],
)  # fmt: skip
def test_a_broken_server_is_passed_over(
    reply: bytes, index: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    with _impostor(index, lambda connection: connection.sendall(reply)):
        result = run("ship")
    assert result.stdout.startswith(" 1. Ships")
    assert result.stderr == ""


def test_an_answer_without_end_is_not_waited_for(index: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LONGEST_ANSWER", 10_000)
    hung_up: list[bool] = []

    def behave(connection: socket.socket) -> None:
        connection.sendall(READY)
        while not hung_up:
            try:
                connection.sendall(b"x" * 10_000)
            except OSError:
                hung_up.append(True)

    with _impostor(index, behave):
        assert list(client.ask(index, [SHIP])) == []


def test_a_server_that_hangs_costs_moments(index: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_GREETING_S", 0.1)
    hold = threading.Event()
    with _impostor(index, lambda _: bool(hold.wait(10))):  # type: ignore[arg-type]
        assert list(client.ask(index, [SHIP])) == []
        hold.set()


def test_a_folder_that_others_can_open_is_not_trusted(index: Path, runtime: Path) -> None:
    with serving(index) as one:
        assert one.socket is not None
        one.socket.parent.chmod(0o755)
        assert client.greet(index) is None
        one.socket.parent.chmod(0o700)
        assert client.greet(index) is not None


def test_answers_over_http_go_out_at_once() -> None:
    """Without TCP_NODELAY the end of each answer waits 40 ms for the client to acknowledge its beginning."""

    async def accepted() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with _listening("127.0.0.1", 0, "") as listening:
            async with await asyncio.start_server(connected, sock=listening):
                with socket.create_connection(listening.getsockname()):
                    return await told

    assert asyncio.run(accepted())


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\n", b"[]\n", b"{}\n", b"x" * (protocol.LONGEST_REQUEST + 10) + b"\n", b"\xff\xfe\n"]
)
def test_who_does_not_greet_is_hung_up_on(said: bytes, index: Path, served: Serving) -> None:
    assert served.socket is not None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(served.socket))
        try:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            told = connection.recv(1000)
        except (BrokenPipeError, ConnectionResetError):
            told = b""
    assert b"true" not in told
    assert client.greet(index) == {"ready": True, "url": served.url}


def test_what_nobody_foresaw_is_passed_back_and_logged_in_a_line(index: Path, runtime: Path) -> None:
    said: list[str] = []
    with serving(index, warn=said.append) as one:
        assert one.socket is not None
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as replies:
            connection.settimeout(10)
            connection.connect(str(one.socket))
            connection.sendall(json.dumps(protocol.greeting(index)).encode() + b"\n")
            assert json.loads(replies.readline())["ready"] is True
            for asked in ({}, {"command": "search", "text": 3, "options": {}}):
                connection.sendall(json.dumps(asked).encode() + b"\n")
                assert json.loads(replies.readline()) == {"pass": True}
            connection.sendall(json.dumps(SHIP.to_json()).encode() + b"\n")
            assert "Ships" in json.loads(replies.readline())["out"]
    assert len(said) == 2
    assert all(line.startswith("A request could not be answered here, ") and "\n" not in line for line in said)


# -------------------------------------------------------------------------------------------------------------- HTTP


def get(served: Serving, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    where = urlsplit(served.url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
    connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
    response = connection.getresponse()
    told = response.read().decode()
    connection.close()
    return response.status, {key.lower(): value for key, value in response.getheaders()}, told


def api(served: Serving, path: str) -> Any:
    status, headers, told = get(served, path)
    assert status == 200, told
    assert headers["content-type"] == "application/json"
    return json.loads(told)


def test_the_api_gives_the_hits_of_jsonl(index: Path, served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    for path, args in [
        ("search?q=ship&k=2&explain=1", "ship -k 2 --explain"),
        ("search?q=rain&talk=bees&talk=bridges&not=song&per_talk=1", "rain --talk bees --talk bridges --not song"),
        ("search?q=bee&mode=lexical&context=70&before=2020&channel=", "bee --mode lexical --context 70 --before 2020"),
        ("similar?moment=ships@62&k=1", "similar ships@62 -k 1"),
    ]:
        more = ["--per-talk", "1"] if "per_talk" in path else []
        lines = run(*args.split(), *more, "--format", "jsonl").stdout.splitlines()
        assert api(served, f"/api/{path}")["hits"] == [json.loads(line) for line in lines]


def test_the_api_lists_and_shows_talks(index: Path, served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKSEARCH_INDEX", str(index))
    listed = [json.loads(line) for line in run("talks", "--format", "jsonl").stdout.splitlines()]
    assert api(served, "/api/talks")["talks"] == listed
    shown = api(served, "/api/talks/bees")
    assert shown["talk"] in listed
    assert shown["cues"] == [json.loads(line) for line in run("show", "bees", "--format", "jsonl").stdout.splitlines()]
    part = run("show", "bees", "--from", "100", "--to", "130", "--format", "jsonl").stdout.splitlines()
    assert api(served, "/api/talks/bees?from=100&to=130")["cues"] == [json.loads(line) for line in part]
    assert len(part) == 1
    assert api(served, "/api/talks/bees?from=100&to=110")["cues"] == []
    assert api(served, "/api/stats") == json.loads(run("stats", "--format", "jsonl").stdout)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/search", 400),
        ("/api/search?q=%20", 400),
        ("/api/search?q=x&k=0", 400),
        ("/api/search?q=x&k=1001", 400),
        ("/api/search?q=x&k=ten", 400),
        ("/api/search?q=x&k=%C2%B2", 400),
        ("/api/search?q=x&context=-1", 400),
        ("/api/search?q=x&context=nan", 400),
        ("/api/search?q=x&mode=psychic", 400),
        ("/api/search?q=x&after=someday", 400),
        ("/api/search?q=x&talk=nobody", 400),
        ("/api/search?q=x&colour=red", 400),
        ("/api/search?q=" + "x" * 10_001, 400),
        ("/api/similar", 400),
        ("/api/similar?moment=ships", 400),
        ("/api/similar?moment=nobody@3", 400),
        ("/api/similar?moment=ships@99999999999999999999999", 400),
        ("/api/talks/bees?from=9&to=5", 400),
        ("/api/talks/bees?from=9999", 400),
        ("/api/talks/bees?from=nan", 400),
        ("/api/talks/bees@9999", 404),
        ("/api/talks/nobody", 404),
        ("/api/talks/%3Cscript%3E", 404),
        ("/api/nothing", 404),
        ("/nothing", 404),
    ],
)
def test_a_bad_request_is_told_why(path: str, status: int, served: Serving) -> None:
    found, headers, told = get(served, path)
    assert found == status, told
    assert headers["content-type"] == "application/problem+json"
    told = json.loads(told)
    assert told.keys() == {"type", "title", "status", "detail", "error", "hint"}
    assert all(told.values())
    assert (told["status"], told["detail"]) == (status, told["error"])


def test_only_get_is_answered(served: Serving) -> None:
    status, _, told = get(served, "/api/search?q=bee", "POST")
    assert status == 405
    assert "error" in json.loads(told)


def test_an_index_that_goes_is_503_until_it_is_back(tmp_path: Path, runtime: Path) -> None:
    index = make_index(tmp_path)
    with serving(index) as one:
        index.rename(tmp_path / "away")
        for path in ("/api/search?q=ship", "/api/stats", "/?q=ship"):
            status, _, told = get(one, path)
            assert status == 503
            assert "no index" in told
        (tmp_path / "away").rename(index)
        assert api(one, "/api/search?q=ship")["hits"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/api/search?q=bee", {}),
        ("/api/search?q=bee", {"Host": "localhost:1234"}),
        ("/api/search?q=bee", {"Host": "[::1]"}),
        ("/api/search?q=bee", {"Sec_Fetch_Site": "same-origin"}),
        ("/", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}),
    ],
)
def test_the_machine_itself_may_ask(path: str, headers: dict[str, str], served: Serving) -> None:
    status, given, _ = get(served, path, **headers)
    assert status == 200
    assert not any(name.startswith("access-control") for name in given)
    assert given["content-security-policy"].startswith("default-src 'none';")
    assert given["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8376"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": ""},
        {"Host": "[oops"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    ],
)
def test_other_sites_may_not(headers: dict[str, str], served: Serving) -> None:
    for path in ("/api/search?q=bee", "/?q=bee"):
        status, given, told = get(served, path, **headers)
        assert status == 403
        assert "bee" not in told
        assert not any(name.startswith("access-control") for name in given)


def test_eight_clients_at_once_get_their_own_answers(served: Serving, index: Path) -> None:
    said = {"ship": "Ships", "bee": "Bees", "bridge": "Bridges", "late": "Ships"}

    def over_http(word: str) -> set[str]:
        return {api(served, f"/api/search?q={word}")["hits"][0]["title"] for _ in range(5)}

    def over_the_socket(word: str) -> set[str]:
        request = AnswerRequest("search", word, {}, "jsonl", PLAIN)
        return {json.loads(printed.out.splitlines()[0])["title"] for printed in client.ask(index, [request] * 5)}

    with ThreadPoolExecutor(8) as clients:
        first = [clients.submit(over_http, word) for word in said]
        second = [clients.submit(over_the_socket, word) for word in said]
        assert [future.result() for future in first] == [{title} for title in said.values()]
        assert [future.result() for future in second] == [{title} for title in said.values()]


# ------------------------------------------------------------------------------------------------------------ stopping


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(which: signal.Signals, index: Path, runtime: Path) -> None:
    program = """
import sys
from pathlib import Path
from fakes import CountingEncoder
from talksearch.cli.server.serve import serve

def tell(one):
    print(one.url, flush=True)

serve(Path(sys.argv[1]), "127.0.0.1", 0, encoder=CountingEncoder(), tell=tell)
"""
    server = subprocess.Popen(
        [sys.executable, "-c", program, str(index)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )
    assert server.stdout is not None
    assert server.stdout.readline().startswith("http://127.0.0.1:")
    path = protocol.socket_path(index)
    assert path is not None
    assert path.exists()
    server.send_signal(which)
    _, said = server.communicate(timeout=20)
    assert server.returncode == 0, said
    assert said == ""
    assert not path.exists()
