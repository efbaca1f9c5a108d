"""A host of podcasts on 127.0.0.1: it answers what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the host says; a plain bytes or text stands for one of these with 200."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    slow_s: float = 0.0
    """How long it waits after each piece of ten bytes."""
    cut_at: int | None = None
    """Where it breaks the connection off, once for each request that does not ask for the rest."""


@dataclass
class Host:
    url: str = ""
    files: dict[str, Answer | str | bytes | list[Answer | str | bytes]] = field(default_factory=dict)
    """By path. Of a list each request takes the first, until one is left."""
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, path: str) -> Answer:
        known = self.files.get(path, Answer(b"not here", 404))
        if isinstance(known, list):
            known = known.pop(0) if len(known) > 1 else known[0]
        if isinstance(known, str):
            return Answer(known.encode())
        return Answer(known) if isinstance(known, bytes) else known


@contextmanager
def host() -> Iterator[Host]:
    served = Host()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else head and body are 40 milliseconds apart

        def do_GET(self) -> None:
            served.asked.append(self.path)
            served.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = served.answer(self.path)
            body, status = answer.body, answer.status
            headers = dict(answer.headers)
            if answer.etag:
                headers["ETag"] = answer.etag
                if self.headers.get("If-None-Match") == answer.etag:
                    body, status = b"", 304
            start = 0
            if answer.cut_at is not None and (asked := self.headers.get("Range", "")):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                status, headers["Content-Range"] = 206, f"bytes {start}-{len(body) - 1}/{len(body)}"
            headers.setdefault("Content-Length", str(len(body) - start))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            end = len(body) if answer.cut_at is None or start else answer.cut_at
            step = 10 if answer.slow_s else 1 << 20
            try:
                for at in range(start, end, step):
                    self.wfile.write(body[at : min(at + step, end)])
                    time.sleep(answer.slow_s)
            except OSError:
                pass
            if end < len(body):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that hang up: what is said would stand among what a command prints."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


NAMESPACES = (
    'xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:psc="http://podlove.org/simple-chapters" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
)


def rss(*items: str, title: str = "Harbour Talks", head: str = "<language>en</language>") -> str:
    """A feed of some items."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {NAMESPACES}><channel><title>{title}</title>'
        f"<link>https://harbour.example/</link>{head}{''.join(items)}</channel></rss>"
    )


def item(number: int, *inside: str, day: str = "", title: str = "", guid: str | None = None) -> str:
    """An item: by default that of a day in June 2025, with its sound."""
    named = f"<guid isPermaLink='false'>{guid if guid is not None else f'tag:harbour.example,2025:{number}'}</guid>"
    return (
        f"<item><title>{title or f'Tides {number}'}</title>{named if guid != '' else ''}"
        f"<pubDate>{day or f'{number:02} Jun 2025 10:00:00 GMT'}</pubDate>"
        f"<link>https://harbour.example/{number}</link>"
        f'<enclosure url="/{number}.mp3" type="audio/mpeg" length="9"/>{"".join(inside)}</item>'
    )


def transcript(path: str, kind: str = "text/vtt", language: str = "en", more: str = "") -> str:
    return f'<podcast:transcript url="{path}" type="{kind}" language="{language}" {more}/>'


def vtt(*lines: str, speaker: str = "") -> str:
    """Captions of some lines, four seconds each."""
    cues = [
        f"00:{4 * n // 60:02}:{4 * n % 60:02}.000 --> 00:{4 * (n + 1) // 60:02}:{4 * (n + 1) % 60:02}.000\n"
        f"{f'<v {speaker}>' if speaker else ''}{line}\n"
        for n, line in enumerate(lines)
    ]
    return "WEBVTT\n\n" + "\n".join(cues)
