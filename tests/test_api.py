"""The HTTP API and what stands before it: paging, problems, limits, the token, its description, and who has gone."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from click.testing import CliRunner
from fakes import CountingEncoder
from starlette.requests import Request
from test_media import get as fetch
from tiny import make_index, serving, short_runtime_folder, write_talk

from talksearch.cli.main import cli
from talksearch.cli.render.talks import cues_json, talk_json
from talksearch.cli.server.serve import Serving, serve
from talksearch.cli.web import api, guards, openapi
from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Cue, Talk
from talksearch.search import engine
from talksearch.search.hit import HIT_KEYS
from talksearch.search.options import SEARCH_OPTIONS

PROBLEM = "application/problem+json"
TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def served(index: Path) -> Iterator[Serving]:
    with short_runtime_folder(), serving(index) as one:
        yield one


@pytest.fixture
def runtime() -> Iterator[Path]:
    with short_runtime_folder() as folder:
        yield folder


def get(served: Serving, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    status, given, told = fetch(served, path, method, **headers)
    return status, given, told.decode()


def answer(served: Serving, path: str) -> Any:
    status, headers, told = get(served, path)
    assert status == 200, told
    assert headers["content-type"] == "application/json"
    return json.loads(told)


# -------------------------------------------------------------------------------------------------------------- talks


def test_talks_are_listed_page_by_page(served: Serving) -> None:
    titles: list[str] = []
    path = "/api/talks?limit=2"
    while path:
        status, headers, told = get(served, path)
        page = json.loads(told)
        assert (status, page["total"], page["limit"]) == (200, 3, 2)
        titles += [talk["title"] for talk in page["talks"]]
        following = re.search('<([^>]*)>; rel="next"', headers.get("link", ""))
        path = following[1] if following else ""
    assert titles == ["Bees", "Bridges", "Ships"]
    assert '</api/talks?limit=2&offset=0>; rel="prev"' in headers["link"]


def test_talks_are_narrowed(tmp_path: Path, runtime: Path) -> None:
    write_talk(tmp_path / "talks", "old", ["a song of code"], channel="Café Nord", upload_date="20190101")
    write_talk(tmp_path / "talks", "new", ["time and rain"], channel="Harbour", upload_date="20240601", language="de")
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    with serving(tmp_path / "index") as one:
        for query, expected in [
            ("", ["New", "Old"]),
            ("title=NE", ["New"]),
            ("title=no+such", []),
            ("channel=cafe", ["Old"]),
            ("after=2024", ["New"]),
            ("before=2019-06&title=", ["Old"]),
            ("title=o&after=2024", []),
        ]:
            page = answer(one, f"/api/talks?{query}")
            assert [talk["title"] for talk in page["talks"]] == expected, query
            assert page["total"] == len(expected)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "offset=1.5", "after=x", "k=3"])
def test_what_no_page_can_be_is_refused(query: str, served: Serving) -> None:
    status, headers, _ = get(served, f"/api/talks?{query}")
    assert (status, headers["content-type"]) == (400, PROBLEM)


def test_a_talk_has_one_address_and_the_old_one_leads_there(served: Serving) -> None:
    status, headers, _ = get(served, "/api/talk/bees@62?from=60&to=70")
    assert (status, headers["location"]) == (308, "/api/talks/bees@62?from=60&to=70")
    assert answer(served, headers["location"])["talk"]["title"] == "Bees"
    assert get(served, "/api/talk//evil.example/x")[1]["location"].startswith("/api/talks/")


def test_a_talk_and_hits_are_files_to_keep(served: Serving) -> None:
    status, headers, told = get(served, "/api/talks/bees/export?format=srt")
    assert (status, headers["content-type"]) == (200, "application/x-subrip")
    assert re.fullmatch(r"attachment; filename\*=UTF-8''bees[-\w]*\.srt", headers["content-disposition"])
    assert "every bee knows when rain is near" in told
    status, headers, told = get(served, "/api/export?q=bee&format=m3u&k=1")
    assert (status, told.count("#EXTINF")) == (200, 1)
    for path, expected in [
        ("/api/talks/bees/export", 400),
        ("/api/talks/bees/export?format=wav", 400),
        ("/api/talks/nobody/export?format=srt", 404),
        ("/api/talks/bees/export?format=chapters", 404),  # it has none
        ("/api/export?q=bee&format=srt", 400),
        ("/api/export?format=m3u", 400),
    ]:
        status, headers, told = get(served, path)
        assert (status, headers["content-type"]) == (expected, PROBLEM), path
        assert json.loads(told)["hint"], path


# ----------------------------------------------------------------------------------------------------------- problems


def sample(operation: openapi.Operation) -> str:
    """Return an address at which an operation answers."""
    given = {"q": "ship", "moment": "ships@62", "format": "json"}
    needed = {one.name: given[one.name] for one in operation.parameters if one.is_required}
    return operation.public_path.replace("{talk}", "ships") + (f"?{urlencode(needed)}" if needed else "")


every_operation = pytest.mark.parametrize("operation", api.OPERATIONS, ids=lambda operation: operation.name)


@every_operation
def test_every_path_refuses_what_it_does_not_know(operation: openapi.Operation, served: Serving) -> None:
    path = sample(operation)
    status, headers, told = get(served, f"{path}{'&' if '?' in path else '?'}colour=red")
    problem = json.loads(told)
    assert (status, headers["content-type"]) == (400, PROBLEM)
    assert problem["error"] == "There is no parameter 'colour'."
    assert all(parameter.name in problem["hint"] for parameter in operation.parameters)


@every_operation
def test_every_path_is_only_read_and_says_so(operation: openapi.Operation, served: Serving) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        status, headers, told = get(served, sample(operation), method)
        assert (status, headers["content-type"]) == (405, PROBLEM)
        assert {name.strip() for name in headers["allow"].split(",")} == {"GET", "HEAD"}
        assert json.loads(told)["status"] == 405


@pytest.mark.parametrize("path", ["/", "/?q=ship", "/api", "/api/talks", "/openapi.json", "/favicon.ico"])
def test_head_is_answered_wherever_get_is(path: str, served: Serving) -> None:
    status, headers, told = get(served, path, "HEAD")
    assert (status, told) == (200, "")
    assert headers["content-length"] == get(served, path)[1]["content-length"]


def test_an_error_is_a_page_for_people_and_a_problem_for_programs(served: Serving) -> None:
    status, headers, page = get(served, "/nowhere", Accept="text/html,*/*")
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Not Found.</h1>" in page
    for path, accept in [("/nowhere", "application/json"), ("/nowhere", "*/*"), ("/api/nowhere", "text/html")]:
        status, headers, told = get(served, path, Accept=accept)
        assert (status, headers["content-type"]) == (404, PROBLEM)
        assert json.loads(told) == {
            "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found.", "error": "Not Found.",
            "hint": "There are /, /talks, /map, /talk/ID, /media/ID and what /openapi.json describes.",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/api/search?q=ship&talk=nobody", "List them: /api/talks."),
        ("/api/talks/nobody", "List them: /api/talks."),
        ("/api/search", "Say what you look for, as in /api/search?q=time+dilation."),
        ("/api/talks/ships@9999", "Name an earlier second, or read the talk: /api/talks/TALK."),
    ],
)
def test_a_hint_names_paths_and_no_commands(path: str, hint: str, served: Serving) -> None:
    assert json.loads(get(served, path)[2])["hint"] == hint


@pytest.mark.parametrize("path", ["/?q=ship&talk=nobody", "/talk/nobody"])
def test_a_hint_on_a_page_names_what_can_be_done_there(path: str, served: Serving) -> None:
    told = get(served, path, Accept="text/html")[2]
    assert "<p>They are listed under Talks.</p>" in told
    assert "talksearch talks" not in told


def test_a_program_says_once_what_may_stand_once(served: Serving) -> None:
    status, _, told = get(served, "/api/search?q=ship&q=bee")
    assert (status, json.loads(told)["detail"]) == (400, "q is given 2 times.")
    assert get(served, "/api/talks/ships?from=1&from=2")[0] == 400
    assert get(served, "/api/search?q=ship&talk=ships&talk=bees")[0] == 200
    # Links are shared and added to, so a page takes the last.
    status, headers, _ = get(served, "/?q=ship&q=bee", Accept="text/html")
    assert (status, headers["location"]) == (302, "/?q=bee")


def test_a_page_that_cannot_be_is_a_problem_for_programs(served: Serving) -> None:
    status, headers, told = get(served, "/?q=ship&after=someday", Accept="application/json")
    assert (status, headers["content-type"]) == (400, PROBLEM)
    assert "is not a date" in json.loads(told)["detail"]
    assert get(served, "/?q=ship&after=someday")[1]["content-type"].startswith("text/html")


def test_what_nobody_foresaw_is_a_problem_with_all_headers(
    served: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("secret")

    monkeypatch.setattr(engine, "search", broken)
    status, headers, told = get(served, "/api/search?q=ship")
    assert (status, headers["content-type"]) == (500, PROBLEM)
    assert "secret" not in told
    assert guards.HEADERS.items() <= headers.items()


# ------------------------------------------------------------------------------------------------- compression, limits


def test_texts_are_compressed_and_small_ones_are_not(served: Serving) -> None:
    status, headers, data = fetch(served, "/openapi.json", Accept_Encoding="gzip")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert json.loads(gzip.decompress(data))["openapi"].startswith("3.1")
    assert int(headers["content-length"]) == len(data)
    assert "content-encoding" not in fetch(served, "/openapi.json")[1]
    assert "content-encoding" not in fetch(served, "/api/search", Accept_Encoding="gzip")[1]


def test_what_is_too_large_is_refused(served: Serving) -> None:
    for length in (33_000, 70_000, 500_000):
        assert get(served, "/api/search?q=" + "x" * length)[0] == 414
    assert get(served, "/api/search?q=bee", X_Large="x" * 17_000)[0] == 431
    assert get(served, "/api/search?q=bee", Content_Length="1")[0] == 413
    assert get(served, "/sign-in", "POST", Content_Length="5000")[0] == 413
    assert get(served, "/sign-in", "POST", Transfer_Encoding="chunked")[0] == 411


def request_of(path: str = "/api/search", client: str = "127.0.0.1", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": pairs, "client": (client, 1), "server": ("127.0.0.1", 80), "scheme": "http",
    })  # fmt: skip


def test_a_client_that_asks_without_end_is_slowed_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_AT_ONCE", 10)
    monkeypatch.setattr(guards, "_PER_S", 2)
    now = [0.0]
    check = guards.asks_slowly(lambda: now[0])
    assert [check(request_of()) for _ in range(10)] == [None] * 10
    refused = check(request_of())
    assert refused is not None
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert check(request_of(client="10.0.0.9")) is None
    assert check(request_of("/media/x")) is check(request_of("/static/x")) is None
    now[0] = 1.0  # two more
    assert [check(request_of()) is None for _ in range(3)] == [True, True, False]


def test_clients_that_ask_no_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_AT_ONCE", 1)
    monkeypatch.setattr(guards, "_CLIENTS", 3)
    now = [0.0]
    check = guards.asks_slowly(lambda: now[0])
    for number in range(100):
        now[0] += 1.0
        assert check(request_of(client=f"10.0.0.{number}")) is None
    (left,) = [cell.cell_contents for cell in check.__closure__ or () if isinstance(cell.cell_contents, dict)]  # type: ignore[attr-defined]
    assert 0 < len(left) <= 4


def test_one_household_is_one_client_however_many_addresses_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_AT_ONCE", 2)
    check = guards.asks_slowly(lambda: 0.0)
    assert [check(request_of(client=f"2001:db8:0:1::{number}")) is None for number in (1, 2, 3)] == [True, True, False]
    assert check(request_of(client="2001:db8:0:2::1")) is None


def test_a_link_of_another_site_opens_a_talk_and_nothing_else(served: Serving) -> None:
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert get(served, "/talk/ships?utm_source=letter", **link)[0] in (200, 302)
    for path in ("/api/search?q=bee", "/media/ships", "/openapi.json", "/static/style.css"):
        assert get(served, path, **link)[0] == 403
    assert get(served, "/talk/ships", **{**link, "Sec_Fetch_Dest": "iframe"})[0] == 403
    assert get(served, "/static/style.css", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403


def test_headers_are_filled_in_where_a_response_has_none() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        own = [(b"content-security-policy", b"default-src 'none'; frame-src https://www.youtube-nocookie.com")]
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    asyncio.run(guards.guarded(app, [])(request_of().scope, receive, send))
    headers = [name for name, _ in sent[0]["headers"]]
    assert headers.count(b"content-security-policy") == 1
    assert b"cross-origin-opener-policy" in headers
    assert dict(sent[0]["headers"])[b"content-security-policy"].endswith(b"youtube-nocookie.com")


# ---------------------------------------------------------------------------------------------------------- the token


def test_other_machines_need_a_token(index: Path, runtime: Path) -> None:
    with pytest.raises(TalksearchError, match="needs a token") as raised:
        serve(index, "0.0.0.0", 0, tell=lambda _: None, encoder=CountingEncoder())
    assert "secrets.token_urlsafe()" in raised.value.hint
    begun: list[Serving] = []

    def tell(one: Serving) -> None:
        begun.append(one)
        one.stop()

    serve(index, "0.0.0.0", 0, token=TOKEN, tell=tell, encoder=CountingEncoder())
    assert begun[0].public


@pytest.fixture
def guarded(index: Path, runtime: Path) -> Iterator[Serving]:
    with serving(index, token=TOKEN) as one:
        yield one


def test_programs_send_the_token(guarded: Serving) -> None:
    for path in ("/api/search?q=bee", "/openapi.json", "/media/x", "/", "/nowhere", "/api"):
        status, headers, told = get(guarded, path)
        assert (status, headers["www-authenticate"], headers["content-type"]) == (401, "Bearer", PROBLEM)
        assert TOKEN not in told
    for wrong in ("", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff", TOKEN):
        assert get(guarded, "/api/search?q=bee", Authorization=wrong)[0] == 401
    assert "That is not the token of this server." in get(guarded, "/api/search?q=bee", Authorization="Bearer x")[2]
    assert get(guarded, "/api/search?q=bee", Authorization=f"bearer {TOKEN}")[0] == 200
    assert get(guarded, f"/api/search?q=bee&token={TOKEN}")[0] == 401
    assert get(guarded, "/static/style.css")[0] == 200


def post(served: Serving, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, str], str]:
    from http.client import HTTPConnection

    where = urlsplit(served.url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", "/sign-in", urlencode(fields), own)
    response = connection.getresponse()
    told = response.read().decode()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, told


def test_a_browser_signs_in_once(guarded: Serving) -> None:
    status, headers, page = get(guarded, "/?q=bee", Accept="text/html")
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert 'method="post"' in page
    assert 'value="/?q=bee"' in page
    status, headers, page = post(guarded, {"token": "wrong", "wanted": "/?q=bee"})
    assert (status, "set-cookie" in headers) == (403, False)
    assert 'role="alert"' in page
    status, headers, _ = post(guarded, {"token": f" {TOKEN}\n", "wanted": "/?q=bee"})
    assert (status, headers["location"]) == (303, "/?q=bee")
    cookie = headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    assert get(guarded, "/?q=bee", Cookie=cookie.partition(";")[0])[0] == 200
    assert get(guarded, "/?q=bee", Cookie=f"{cookie.partition('=')[0]}=x")[0] == 401
    assert get(guarded, "/?q=bee", Authorization=f"Bearer {cookie.partition('=')[2].partition(';')[0]}")[0] == 401


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "/a\r\nb: c"])
def test_signing_in_leads_to_no_other_place(wanted: str, guarded: Serving) -> None:
    status, headers, _ = post(guarded, {"token": TOKEN, "wanted": wanted})
    assert (status, headers["location"]) == (303, "/")


def test_other_sites_sign_nobody_in(guarded: Serving) -> None:
    assert post(guarded, {"token": TOKEN}, Origin="https://evil.example")[0] == 403
    assert post(guarded, {"token": TOKEN}, Sec_Fetch_Site="cross-site")[0] == 403


def test_a_link_of_another_site_finds_the_signed_in(guarded: Serving) -> None:
    """A strict cookie is not sent with it, but is when the page that was answered loads itself anew."""
    link = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document", "Accept": "text/html"}
    assert get(guarded, "/talk/ships", Sec_Fetch_Site="cross-site", **link)[1]["refresh"] == "0"
    assert "refresh" not in get(guarded, "/talk/ships", Sec_Fetch_Site="same-origin", **link)[1]


def test_without_a_token_there_is_nothing_to_sign_in_to(served: Serving) -> None:
    assert post(served, {"token": "", "wanted": "/"})[0] == 404
    assert get(served, "/sign-in")[0] == 404


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (None, "cannot be read"),
        ("", "holds no token"),
        ("short", "holds no token"),
        ("with a space", "no token"),
    ],
)
def test_a_file_without_a_token_is_told(held: str | None, said: str, tmp_path: Path, runtime: Path) -> None:
    file = tmp_path / "token"
    if held is not None:
        file.write_text(held, encoding="utf-8")
    result = CliRunner().invoke(cli, ["serve", "--index", str(tmp_path), "--token-file", str(file)])
    assert result.exit_code == 1
    assert said in result.stderr
    assert "secrets.token_urlsafe()" in result.stderr


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o644, True)])
def test_a_token_that_others_can_read_is_told(mode: int, is_told: bool, tmp_path: Path, runtime: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")
    file.chmod(mode)
    result = CliRunner().invoke(cli, ["serve", "--index", str(tmp_path), "--token-file", str(file)])
    assert (f"chmod 600 {file}" in result.stderr) == is_told


# ---------------------------------------------------------------------------------------- before warm, and who has gone


class HeldEncoder(CountingEncoder):
    """One that encodes no query before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def encode_query(self, text: str) -> Floats:
        assert self.go.wait(60)
        return super().encode_query(text)


def test_pages_and_talks_are_answered_before_the_model_is_there(index: Path, runtime: Path) -> None:
    encoder = HeldEncoder()
    with serving(index, encoder=encoder, workers=2) as one:
        try:
            for path in ("/", "/api", "/api/talks/bees", "/api/stats", "/openapi.json", "/static/style.css"):
                assert get(one, path)[0] == 200
            asked = threading.Thread(target=lambda: found.append(get(one, "/api/search?q=ship")[0]))
            found: list[int] = []
            asked.start()
            assert get(one, "/api/talks/bees")[0] == 200
            assert found == []
        finally:
            encoder.go.set()
        asked.join(60)
        assert found == [200]


def test_a_server_that_is_stopped_while_it_warms_ends(index: Path, runtime: Path) -> None:
    encoder = HeldEncoder()
    with serving(index, encoder=encoder, workers=2) as one:
        assert get(one, "/api/stats")[0] == 200
        encoder.go.set()


def test_the_server_listens_and_shows_its_first_page_before_it_imports_what_answers() -> None:
    program = "import sys, talksearch.cli.server.serve, talksearch.cli.web.pages; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "starlette.applications" in loaded
    assert "talksearch.cli.web.start_view" in loaded
    heavy = {"numpy", "onnxruntime", "tokenizers", "chromadb", "langcodes", "talksearch.indexer.readers.registry"}
    assert not loaded & {*heavy, "talksearch.search.engine", "talksearch.search.reader"}


def test_who_has_gone_is_not_answered_and_turns_nobody_away(
    index: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 clients ask and leave while the workers are busy; a client who waits is answered, and theirs never asked."""
    answered: list[str] = []
    before = engine.search

    def search(*args: Any, **options: Any) -> Any:
        answered.append(args[1].text)
        return before(*args, **options)

    monkeypatch.setattr(engine, "search", search)
    encoder = HeldEncoder()
    encoder.go.set()
    with serving(index, encoder=encoder, workers=1) as one:
        assert get(one, "/api/search?q=ship")[0] == 200  # it is warm
        encoder.go.clear()
        where = urlsplit(one.url)
        address = (where.hostname or "", where.port or 0)
        try:
            for number in range(300):
                with socket.create_connection(address) as leaving:
                    leaving.sendall(f"GET /api/search?q=gone{number} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            found: list[int] = []
            staying = [
                threading.Thread(target=lambda: found.append(get(one, "/api/search?q=stays")[0])) for _ in range(100)
            ]
            for thread in staying:
                thread.start()
            assert get(one, "/api/talks/bees")[0] == 200  # all that came before has been taken up
        finally:
            encoder.go.set()
        for thread in staying:
            thread.join(60)
    assert found == [200] * 100
    assert answered.count("stays") == 100
    assert sum(text.startswith("gone") for text in answered) <= 2  # what a worker had begun


# --------------------------------------------------------------------------------------------------------- description


def test_the_description_has_every_path_of_the_api() -> None:
    described = openapi.document(api.OPERATIONS)["paths"]
    paths = {route.path.replace(":path}", "}") for route in api.ROUTES}
    assert paths - {"/api", "/api/talk/{talk}"} == set(described)
    assert {path for path in paths if path.startswith(("/api/", "/media"))} - {"/api/talk/{talk}"} <= set(described)


@pytest.mark.parametrize("option", SEARCH_OPTIONS, ids=lambda option: option.name)
def test_the_description_has_every_option_as_it_is(option: Any) -> None:
    for path in ("/api/search", "/api/similar", "/api/export"):
        parameters = openapi.document(api.OPERATIONS)["paths"][path]["get"]["parameters"]
        (described,) = [parameter for parameter in parameters if parameter["name"] == option.public_name]
        assert (described["description"], described["required"]) == (option.help, False)
        schema = described["schema"]
        assert (schema.get("minimum"), schema.get("maximum")) == (option.minimum, option.maximum)
        if option.kind == "choice":
            assert tuple(schema["enum"]) == option.choices
        if option.kind != "flag":
            assert (schema.get("default") or None) == (option.default or None)


def test_the_description_has_every_key_of_what_is_answered(served: Serving) -> None:
    assert set(openapi.HIT["properties"]) == set(HIT_KEYS)
    talk = Talk("a", "a.vtt", "A", (Cue(0, 1, "a"),))
    assert set(openapi.TALK["properties"]) == set(talk_json(talk, 1, 1))
    assert set(openapi.CUE["properties"]) == set(next(cues_json(talk)))
    assert set(openapi.PROBLEM["properties"]) == set(json.loads(get(served, "/api/search")[2]))


def test_the_description_can_be_read_without_a_script(served: Serving) -> None:
    _, _, page = get(served, "/api")
    for operation in api.OPERATIONS:
        assert operation.public_path in page
        assert all(f"<code>{parameter.name}</code>" in page for parameter in operation.parameters)
    assert all(f"<code>{key}</code>" in page for key in HIT_KEYS)


def test_the_api_does_what_its_description_says() -> None:
    beside = Path(__file__).with_name("api_as_described.py")
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(beside)]
    ran = subprocess.run(tests, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert f"{len(api.OPERATIONS)} passed in " in ran.stdout, ran.stdout


@pytest.mark.parametrize("path", ["/api/search?q=bee", "/api/similar?moment=bees@61", "/api/export?q=bee&format=json"])
def test_an_answer_cannot_be_too_large_to_send(path: str, served: Serving) -> None:
    status, _, told = get(served, f"{path}&k=1000&context=3600")
    assert status == 400
    assert "Give at most 100 seconds for so many hits, or ask for fewer." in told
    assert get(served, f"{path}&k=1000&context=100")[0] == 200
    assert get(served, f"{path}&context=3600")[0] == 200
