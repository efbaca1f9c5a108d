"""A server that holds a store and says nothing, or refuses, is told soon; one that is only slow is waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from stored import talk, write

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote import silence
from talksearch.indexer.stores.remote.address import open_engine, server_of
from talksearch.search import open_store
from talksearch.search.remote import asking

REFUSED = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>{code}</Code><Message>{message}</Message><RequestId>656c76696e67</RequestId></Error>"""


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that accepts connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield int(listening.getsockname()[1])


@contextmanager
def server_saying(status: int, body: str, after_s: float = 0.0) -> Iterator[int]:
    """The port of a server that answers everything with the same, which takes it a while."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(after_s)
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body.encode())

        do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 - the names that http.server asks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield int(running.server_address[1])
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "who")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")


def test_silence_is_told_within_ten_seconds() -> None:
    assert asking.BEFORE_ASKED_S + silence.PATIENCE_S < 10


@pytest.mark.parametrize("kind", ["lance+s3", "chroma"])
def test_a_silent_server_is_told_before_its_client_gives_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "PATIENCE_S", 0.5)
    with silent_server() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        address = "lance+s3://talks/x" if kind == "lance+s3" else f"chroma://127.0.0.1:{port}"
        started = time.monotonic()
        with pytest.raises(StoreError, match="accepts no connection, or says nothing") as caught:
            open_store(address).stats()
        assert time.monotonic() - started < 10
        assert address in caught.value.message
        with pytest.raises(StoreError, match="says nothing"):
            open_engine(address).revisions(7)


def test_a_server_that_falls_silent_is_told_while_its_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "PATIENCE_S", 0.3)
    monkeypatch.setattr(asking, "BEFORE_ASKED_S", 0.2)
    released = threading.Event()
    with silent_server() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        started = time.monotonic()
        with pytest.raises(StoreError, match="says nothing"):
            asking.start("lance+s3://talks/x", lambda: released.wait(20))()
        assert time.monotonic() - started < 10
    released.set()


def test_a_slow_answer_of_a_server_that_is_there_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "BEFORE_ASKED_S", 0.1)

    def work() -> str:
        time.sleep(1.0)
        return "at last"

    with server_saying(503, "", after_s=0.2) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        assert asking.start("lance+s3://talks/x", work)() == "at last"


def test_an_answer_comes_as_soon_as_it_is_there_though_the_server_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "BEFORE_ASKED_S", 0.1)

    def work() -> str:
        time.sleep(0.5)
        return "here"

    with silent_server() as port:
        started = time.monotonic()
        assert asking.start(f"chroma://127.0.0.1:{port}", work)() == "here"
        assert time.monotonic() - started < silence.PATIENCE_S - 1


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("lance:///srv/talks", None),
        ("embedded://index", None),
        ("lance+s3://talks/x", "http://127.0.0.1:9000"),
        ("chroma://localhost", "http://localhost:8000"),
        ("https://db.example?tenant=t&database=d", "https://db.example:443"),
    ],
)
def test_which_server_holds_a_store(url: str, server: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert server_of(url) == server


def test_object_storage_is_at_amazon_where_nothing_else_is_said() -> None:
    assert silence.object_storage({"AWS_REGION": "eu-west-1"}).startswith("https://s3.eu-west-1.")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."),
        ("AccessDenied", "Access Denied"),
    ],
)
def test_credentials_that_object_storage_refuses_are_told(
    code: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server_saying(403, REFUSED.format(code=code, message=message)) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"store lance\+s3://talks/x refuses access") as caught:
            open_store("lance+s3://talks/x").stats()
        assert "AWS_SECRET_ACCESS_KEY" in caught.value.hint
        assert "hush" not in caught.value.message + caught.value.hint
        with pytest.raises(StoreError, match="refuses access"):
            write(open_engine("lance+s3://talks/x"), [talk("bees", "bee dance")])
        assert time.monotonic() - started < 10
