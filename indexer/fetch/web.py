"""Asking the web politely: one client that says who it is, takes its time, and takes no more than it can hold.

Only http and https are spoken, also behind a redirect. What is asked on a user's word may lie anywhere, on this machine
too. What somebody else names, a feed or a redirect, may lie no nearer than whoever names it: a feed on the web cannot
make this machine ask its own network, while a feed on the local network may name files there. Names are resolved for
that before they are asked; a name that resolves to another address a moment later is not noticed, and what came of it
would be seen by nobody but the user.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from talksearch.indexer.text.untrusted import safe, safe_address

from .addresses import host_of
from .answers import BrokenOffError, header, in_sentences, pieces, refuse_status
from .cookies import add_cookies, read_cookies
from .distance import distance_of, may_name
from .limits import FetchLimit, FetchLimits
from .pace import RequestPace, too_often, wait_asked_for, waiting
from .records import AskedTooOftenError, FetchError, Source, Tell

if TYPE_CHECKING:
    import httpx

LIMITS = FetchLimits()
_ACCEPTED = "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.8"
"""For hosts that give a page to browsers and a feed to readers of feeds at one address."""
_MOST_REDIRECTS = 8
_MOST_RESUMED = 5
"""How often a recording whose connection breaks is gone on with in one run."""


@dataclass(frozen=True, slots=True)
class Page:
    """What an address gave."""

    url: str
    """Where it came from in the end, behind all redirects; without user and password."""
    data: bytes = b""
    content_type: str = ""
    """In lower case, without parameters; empty where the host does not say."""
    charset: str = ""
    etag: str = ""
    modified: str = ""
    unchanged: bool = False
    """The host says that it is as it was (304); there is no data then."""


@dataclass(slots=True)
class HttpClient:
    """A client, with what it knows of the hosts that it has asked. Made by `open_web`."""

    client: httpx.Client
    tell: Tell
    pace: RequestPace
    refused: set[str]
    """Hosts that are asked nothing more in this run, as `host_of` has them; those that say so now are added."""
    _asked: dict[str, float] = field(default_factory=dict)
    """When each host was asked last."""
    _passwords: dict[str, tuple[str, str]] = field(default_factory=dict)
    """User and password, by the scheme and host that they were given for."""
    _distance: dict[str, int] = field(default_factory=dict)

    def get(
        self, url: str, limit: FetchLimit = LIMITS.feed, *, named_by: str = "", etag: str = "", modified: str = ""
    ) -> Page:
        """Fetch a text, or learn that it is as it was.

        Args:
            url: Its address; a user and a password in it are sent to its host alone, and printed nowhere.
            limit: How much it may take, unpacked.
            named_by: The address of whoever named this one; empty where the user did.
            etag: As the host gave it with what is there already.
            modified: Likewise.

        A recording is not read: its page has the `content_type` and no data. Captions that are called one are.

        Raises:
            FetchError: Nothing can be had from there, with what came instead.
        """
        headers = {"If-None-Match": etag, "If-Modified-Since": modified}
        with self._answer(url, named_by, headers) as (address, response):
            charset = response.charset_encoding or ""
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            page = Page(
                address,
                content_type=kind,
                charset=charset if re.fullmatch(r"[\w.:-]{1,40}", charset) else "",
                etag=header(response, "etag"),
                modified=header(response, "last-modified"),
                unchanged=response.status_code == 304,
            )
            if page.unchanged:
                return page
            coming = pieces(response, address, limit)
            data = next(coming, b"")
            if kind.startswith(("audio/", "video/")) and b"\0" in data:
                return page
            data = b"".join([data, *coming])
        return Page(page.url, data, page.content_type, page.charset, page.etag, page.modified)

    def download(self, url: str, into: Path, *, named_by: str = "") -> Page:
        """Fetch a recording into a file, and go on where a connection breaks. The page has no data.

        Raises:
            FetchError: It cannot be had, or not whole.
            OSError: The disk does not take it.
        """
        etag = ""
        for _ in range(_MOST_RESUMED):
            start = into.stat().st_size if into.exists() and etag else 0
            headers = {
                "Accept-Encoding": "identity",
                "Range": f"bytes={start}-" if start else "",
                "If-Range": etag if start else "",
            }
            try:
                with self._answer(url, named_by, headers) as (address, response):
                    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                    resumed = response.status_code == 206 and response.headers.get("content-range", "").startswith(
                        f"bytes {start}-"
                    )
                    etag = header(response, "etag")
                    etag = "" if etag.startswith("W/") else etag  # a weak one says nothing about single bytes
                    with into.open("ab" if resumed else "wb") as file:
                        for piece in pieces(response, address, LIMITS.recording):
                            file.write(piece)
                    return Page(address, content_type=kind)
            except BrokenOffError as error:
                broken = error
                if not etag:
                    break
        raise FetchError(broken.message, broken.hint) from broken

    @contextmanager
    def _answer(self, url: str, named_by: str, headers: Mapping[str, str]) -> Iterator[tuple[str, httpx.Response]]:
        """Yield what answers in the end, and where: no redirect, no error, and not a host that wants to be left alone.

        A host that asks to wait is waited for, ever longer.
        """
        sent = {name: value for name, value in headers.items() if value}
        for refusals in count(1):
            with self._behind_redirects(url, named_by, sent) as (address, response):
                status = response.status_code
                asked_s = wait_asked_for(status, response.headers.get("retry-after", ""))
                if asked_s is None:
                    refuse_status(response, address)
                    yield address, response
                    return
            wait_s = self.pace.wait_after(refusals, asked_s)
            if wait_s is None:
                self.refused.add(host_of(address))
                raise too_often(address, status, asked_s, host_of(address))
            self.tell(waiting(address, status, wait_s))
            time.sleep(wait_s)

    @contextmanager
    def _behind_redirects(
        self, url: str, named_by: str, headers: Mapping[str, str]
    ) -> Iterator[tuple[str, httpx.Response]]:
        for _ in range(_MOST_REDIRECTS + 1):
            address = self._admitted(url, named_by)
            parts = urlsplit(address)
            password = self._passwords.get(f"{parts.scheme}://{parts.netloc}")
            self._pause(parts.netloc)
            with in_sentences(address):
                request = self.client.build_request("GET", address, headers=dict(headers))
                response = self.client.send(request, stream=True, auth=password)
            try:
                if response.status_code in (301, 302, 303, 307, 308) and "location" in response.headers:
                    named_by, url = named_by or address, _joined(address, response.headers["location"].strip())
                    continue
                with in_sentences(address):
                    yield address, response
                return
            finally:
                response.close()
        raise FetchError(
            f"{safe_address(url)} leads from address to address without end.", "Open it in a browser and name that."
        )

    def _admitted(self, url: str, named_by: str) -> str:
        """Return an address without user and password, which are kept for its host. Raises FetchError."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise FetchError(
                f"{safe_address(url)} is no address of the web.", "Addresses begin with http:// or https://."
            )
        place = parts.netloc.rpartition("@")[2]
        if (name := host_of(url)) in self.refused:
            raise AskedTooOftenError(f"{safe(name)} was asked too often in this run.", "The next run asks again.", name)
        if parts.username is not None and (not named_by or self._same_place(url, named_by)):
            self._passwords[f"{parts.scheme}://{place}"] = (unquote(parts.username), unquote(parts.password or ""))
        if named_by and not self._may_name(urlsplit(named_by).hostname or "", host):
            raise FetchError(
                f"{safe_address(url)} lies on this machine or its network, and is named from outside.",
                "Nothing was asked of it. Fetch it with another program if it is meant.",
            )
        return urlunsplit(parts._replace(netloc=place, fragment=""))

    @staticmethod
    def _same_place(url: str, other: str) -> bool:
        one, two = urlsplit(url), urlsplit(other)
        return (one.scheme, one.netloc.rpartition("@")[2]) == (two.scheme, two.netloc.rpartition("@")[2])

    def _may_name(self, by: str, host: str) -> bool:
        if by == host:
            return True
        for name in (by, host):
            if name not in self._distance:
                self._distance[name] = distance_of(name)
        return may_name(self._distance[by], self._distance[host])

    def _pause(self, host: str) -> None:
        due = self._asked.get(host, 0.0) + self.pace.pause_s
        if host in self._asked and (left := due - time.monotonic()) > 0:
            time.sleep(left)
        self._asked[host] = time.monotonic()


@contextmanager
def open_web(
    tell: Tell, source: Source | None = None, pace: RequestPace | None = None, refused: set[str] | None = None
) -> Iterator[HttpClient]:
    """Make a client. It sends the cookies of the file that the source names; without one it has none.

    Raises:
        FetchError: httpx is not installed, or the file of cookies cannot be read.
    """
    try:
        import httpx
    except ImportError:
        raise FetchError(
            "Feeds are asked through httpx, which is not installed.", 'Install it: pip install "talksearch[fetch]"'
        ) from None
    cookies = _cookies(source.cookies if source else "")
    try:
        client = httpx.Client(
            cookies=cookies,
            follow_redirects=False,
            # One kind of packing: what unpacks to a thousand times its size is then found out piece by piece.
            headers={"User-Agent": user_agent(), "Accept": _ACCEPTED, "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(30.0, connect=20.0),
        )
    except (ImportError, ValueError, OSError) as error:  # a proxy or certificates that the environment names
        raise FetchError(
            f"The network cannot be used as the environment says: {safe(str(error)).rstrip('.')}.",
            "Look at HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from None
    with client:
        yield HttpClient(client, tell, pace or RequestPace(), set() if refused is None else refused)


def user_agent() -> str:
    """Return what this program calls itself to hosts."""
    return f"talksearch/{version('talksearch')} (fetches for one reader what they subscribed to)"


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:  # such as http://[
        return location


def _cookies(file: str) -> CookieJar:
    """Return the jar of cookies for a client: those in a file. Without one it takes none from hosts either."""
    if not file:
        return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    jar = CookieJar()
    add_cookies(jar, read_cookies(file))
    return jar
