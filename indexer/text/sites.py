"""Sites whose addresses can name a second, and how: in the query, the fragment or the path.

It lies below `search`, which makes links, because whoever reads what is known of a talk chooses an address by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from . import youtube

Form = Literal["90", "90s", "1h2m3s", "1:02:03"]
"""How a moment is written."""


@dataclass(frozen=True, slots=True)
class Site:
    """How a site's addresses name a second."""

    hosts: str
    """A pattern for the host, without `www.` and `m.`; subdomains have to be in it."""
    place: Literal["query", "fragment", "path"]
    """Where the moment stands; in a path it is the last step."""
    key: str
    """Its name there; empty in a path."""
    form: Form
    source: str
    """Where this is documented, or seen in what the site's own "share at" gives."""
    path: str = ""
    """A pattern for how the paths of recordings begin; other pages of the site have no time."""
    needs: str = ""
    """A pattern that the query must hold."""


SITES = (
    Site(r"vimeo\.com|player\.vimeo\.com", "fragment", "t", "90s",
         "help.vimeo.com: Link to a specific timecode"),
    Site(r"dailymotion\.com|geo\.dailymotion\.com|dai\.ly", "query", "start", "90",
         "developers.dailymotion.com: player parameters; github.com/nkestrel/mediaurltimestamper"),
    Site(r"player\.twitch\.tv", "query", "time", "1h2m3s", "dev.twitch.tv/docs/embed/video-and-clips"),
    Site(r"twitch\.tv", "query", "t", "1h2m3s",
         "help.twitch.tv: video on demand; github.com/nkestrel/mediaurltimestamper", path=r"/videos/|/[^/]+/v/"),
    Site(r"soundcloud\.com", "fragment", "t", "1:02:03", "help.soundcloud.com: share a track at a time"),
    Site(r"open\.spotify\.com", "query", "t", "90", "support.spotify.com: share from a moment",
         path=r"/(.+/)?episode/"),
    Site(r"podcasts\.apple\.com", "query", "t", "90", "podcasters.apple.com: timed links to episodes"),
    Site(r"overcast\.fm", "path", "", "1:02:03", "overcast.fm: share at a timestamp", path=r"/\+"),
    Site(r"pca\.st|(?:play\.|web\.)?pocketcasts\.com", "query", "t", "90",
         "github.com/Automattic/pocket-casts-android/issues/2405"),
    Site(r"(?:.+\.)?fireside\.fm", "query", "t", "90", "github.com/firesidelabs/fireside/issues/47"),
    Site(r"archive\.org", "query", "start", "90", "archive.org/help: embedding and linking to a time",
         path=r"/(details|embed)/"),
    Site(r".+\.panopto\.(?:com|eu)", "query", "start", "90", "support.panopto.com: share a video from a time",
         path=r"/Panopto/Pages/(?:Viewer|Embed)\.aspx"),
    Site(r".+\.mediaspace\.kaltura\.com", "query", "st", "90", "knowledge.kaltura.com: share with a start time",
         path=r"/media/"),
    Site(r"(?:.+\.)?wistia\.(?:com|net)", "query", "wtime", "90", "docs.wistia.com: link to a specific time",
         path=r"/(?:medias|embed)/"),
    Site(r"players\.brightcove\.net", "query", "t", "90s", "beacon-help.support.brightcove.com: deep linking"),
    Site(r"loom\.com", "query", "t", "90", "support.loom.com: share at the current time", path=r"/(?:share|embed)/"),
    Site(r"drive\.google\.com", "query", "t", "90", "support.google.com/drive: link to a time of a video",
         path=r"/file/d/"),
    Site(r"facebook\.com", "query", "t", "90", "facebook.com: copy video address at the current time",
         path=r"/watch|/.+/videos/"),
    Site(r"(?:vk\.com|vkvideo\.ru)", "query", "t", "1h2m3s", "github.com/nkestrel/mediaurltimestamper", path=r"/video"),
    Site(r"rutube\.ru", "query", "t", "90", "rutube.ru: share from a moment", path=r"/(?:video|play)/"),
    Site(r"bilibili\.com", "query", "t", "90", "github.com/yt-dlp/yt-dlp: extractor/bilibili.py", path=r"/video/"),
    Site(r"nicovideo\.jp|sp\.nicovideo\.jp", "query", "from", "90",
         "qa.nicovideo.jp; github.com/nkestrel/mediaurltimestamper", path=r"/watch/"),
    Site(r"nico\.ms", "query", "from", "90", "the short form of nicovideo.jp"),
    Site(r"rumble\.com", "query", "start", "90", "rumble.com: share at a start time"),
    Site(r"odysee\.com", "query", "t", "90", "github.com/OdyseeTeam/odysee-frontend: share at a time"),
    Site(r"pbs\.org|player\.pbs\.org", "query", "start", "90", "github.com/nkestrel/mediaurltimestamper",
         path=r"/(?:video|viralplayer|partnerplayer)/"),
    Site(r"t\.me", "query", "t", "90", "core.telegram.org/api/links: message links"),
    # Software that anybody may run is told by its paths, wherever it runs.
    Site(r".+", "query", "start", "90", "docs.joinpeertube.org: share, start at",
         path=r"/w/(?!p/)[A-Za-z0-9]{22}(?:$|/)|/(?:w|videos/watch|videos/embed)/[0-9a-f]{8}-[0-9a-f-]{27}(?:$|/)"),
    Site(r".+", "query", "t", "90", "docs.invidious.io: url-parameters", path=r"/watch$",
         needs=r"(?:^|&)v=[A-Za-z0-9_-]{11}(?:&|$)"),
)  # fmt: skip
"""Every site but YouTube, whose addresses `youtube.find_id` reads; the first that fits counts."""

_COMPILED = [
    (re.compile(site.hosts, re.IGNORECASE), re.compile(site.path), re.compile(site.needs), site) for site in SITES
]


def site_of(parts: SplitResult) -> Site | None:
    """Return the site that a split address is one of a recording at; None where it is none of `SITES`."""
    if parts.scheme not in ("http", "https"):
        return None
    host = re.sub(r"^(?:www|m)\.", "", (parts.hostname or "").lower())
    for hosts, path, needs, site in _COMPILED:
        if hosts.fullmatch(host) and path.match(parts.path) and needs.search(parts.query):
            return site
    return None


def takes_time(url: str) -> bool:
    """Say whether the page at an address is known to open at a second that is named in it.

    >>> [takes_time(f"https://{url}") for url in ("youtu.be/DTcRLlMv4_o", "talks.fireside.fm/7", "talks.example/7")]
    [True, True, False]
    """
    try:
        parts = urlsplit(url)
        known = site_of(parts)
    except ValueError:
        return False
    return known is not None or (youtube.is_host(parts.hostname or "") and youtube.find_id(url) is not None)
