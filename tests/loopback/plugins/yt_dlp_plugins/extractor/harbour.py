"""A site that yt-dlp knows only in tests: channels, talks and what is wrong with some, as a server on loopback says."""

from urllib.parse import quote, unquote

from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError


class HarbourIE(InfoExtractor):
    _VALID_URL = r"(?P<host>http://127\.0\.0\.1:\d+)/harbour/talk/(?P<id>[^?#]+)"

    def _real_extract(self, url):
        host, ident = self._match_valid_url(url).group("host", "id")
        info = self._download_json(f"{host}/api/talk/{quote(unquote(ident), safe='')}.json", ident)
        if "refused" in info:
            raise ExtractorError(info["refused"], expected=True)
        if info.get("bug"):
            raise KeyError("videoDetails")
        if "unplayable" in info:  # as YouTube's does, so that captions are seen of what cannot be played
            self.raise_no_formats(info["unplayable"], expected=True)
        if info.get("geo"):
            self.raise_geo_restricted(countries=["DE"])
        return info


class HarbourChannelIE(InfoExtractor):
    _VALID_URL = r"(?P<host>http://127\.0\.0\.1:\d+)/harbour/channel/(?P<id>[^?#]+)"

    def _real_extract(self, url):
        host, ident = self._match_valid_url(url).group("host", "id")
        first = self._download_json(f"{host}/api/channel/{ident}.json", ident)
        return self.playlist_result(self._pages(host, ident, first), first.get("id", ident), first.get("title"))

    def _pages(self, host, ident, page):
        yield from page["entries"]
        while page.get("next"):
            page = self._download_json(f"{host}/api/channel/{page['next']}.json", ident)
            yield from page["entries"]
