"""A site on loopback: pages, talks of the plugin `harbour`, and everything that sites do wrong.

`asked` has every path that was asked for, in order, so that a test can count.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

PLUGINS = Path(__file__).parent / "plugins"
VTT = """WEBVTT

00:00:01.000 --> 00:00:04.000
The tide comes in twice a day.

00:00:05.000 --> 00:00:08.000
And {0}.
"""


@dataclass(slots=True)
class Answer:
    """What is sent for a path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces_s: float = 0.0
    """Where it is set, the body is sent byte by byte with such a pause between."""
    cut_at: int | None = None
    """Where it is set, the connection is closed after so many bytes."""


Route = Answer | Callable[[], Answer]


class Site:
    """What the site has, and what was asked of it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.routes: dict[str, Route] = {}
        self.asked: list[str] = []
        self.cookies: list[str] = []

    def page(self, path: str, text: str, **answer: Any) -> str:
        """Put a page there; return its address."""
        self.routes[path] = Answer(text.encode(), headers={"Content-Type": "text/html; charset=utf-8"}, **answer)
        return self.address + path

    def track(self, name: str, words: str = "goes out again", text: str | None = None, **answer: Any) -> dict[str, str]:
        """Put a track there; return what an extractor says of it."""
        path = f"/tracks/{name}"
        body = VTT.format(words) if text is None else text
        self.routes[path] = Answer(body.encode(), headers={"Content-Type": "text/vtt"}, **answer)
        return {"url": self.address + path, "ext": name.rpartition(".")[2]}

    def talk(self, ident: str, **info: Any) -> str:
        """Put a talk there, with English captions by people unless it is said otherwise; return its address."""
        path = f"/harbour/talk/{ident}"
        known = {
            "id": ident,
            "title": f"Talk {ident}",
            "channel": "Harbour Talks",
            "upload_date": "20260102",
            "language": "en",
            "duration": 600,
            "formats": [
                {"format_id": "sound", "url": f"{self.address}/sound/{ident}.m4a", "ext": "m4a", "vcodec": "none"}
            ],
            "webpage_url": self.address + path,
        }
        if "subtitles" not in info and "refused" not in info:
            info["subtitles"] = {"en": [self.track(f"{ident}.en.vtt", f"talk {ident} ends")]}
        self.routes[f"/api/talk/{quote(ident, safe='')}.json"] = Answer(json.dumps(known | info).encode())
        return self.address + path

    def channel(self, ident: str, entries: list[Any], **page: Any) -> str:
        """Put a channel there, of ids of talks or of whole entries; return its address."""
        listed = [self.entry(entry) if isinstance(entry, str) else entry for entry in entries]
        known = {"id": ident, "title": f"Channel {ident}", "entries": listed}
        self.routes[f"/api/channel/{ident}.json"] = Answer(json.dumps(known | page).encode())
        return f"{self.address}/harbour/channel/{ident}"

    def entry(self, ident: str, **more: Any) -> dict[str, Any]:
        """Return what a channel says of a talk before it is asked for."""
        address = f"{self.address}/harbour/talk/{quote(ident, safe='')}"
        return {"_type": "url", "ie_key": "Harbour", "id": ident, "url": address, "title": f"Talk {ident}", **more}


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body in one packet; else each answer waits 40 ms for an acknowledgement

        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.cookies.append(self.headers.get("Cookie", ""))
            route = site.routes.get(self.path, Answer(status=404))
            answer = route() if callable(route) else route
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            body = answer.body if answer.cut_at is None else answer.body[: answer.cut_at]
            try:
                if answer.pieces_s:
                    for at in range(len(body)):
                        self.wfile.write(body[at : at + 1])
                        self.wfile.flush()
                        time.sleep(answer.pieces_s)
                else:
                    self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            if answer.cut_at is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving() -> Iterator[Site]:
    """Serve a site that is empty at first, and have yt-dlp know `harbour`."""
    load_plugin()
    site = Site("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def load_plugin() -> None:
    """Have the yt-dlp of this process know `harbour`, whoever has loaded its plugins before."""
    from yt_dlp.plugins import load_all_plugins

    if str(PLUGINS) not in sys.path:
        sys.path.insert(0, str(PLUGINS))
        load_all_plugins()
