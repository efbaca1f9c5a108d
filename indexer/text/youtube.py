"""YouTube ids, in addresses and in names of files."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_HOST = r"(?:[a-z0-9-]+\.)*(?:youtube(?:-nocookie|kids|education)?\.[a-z]{2,3}(?:\.[a-z]{2})?|youtu\.be)"
_ADDRESS = re.compile(rf"(?:https?:)?(?://)?(?<![\w.@-]){_HOST}(?::\d+)?/[^\s<>\"'`]*", re.IGNORECASE)
_PATHS = ("shorts", "live", "embed", "v", "e", "vi", "video", "watch", "clip")
_BRACKETED = re.compile(r"\[([A-Za-z0-9_-]{11})\](?=[^\[\]()]*$)")
_MARKED = re.compile(
    r"(?:^|[^A-Za-z0-9])(?:(?:youtube|yt|id|v|watch)[ _=-]{1,3}|\()([A-Za-z0-9_-]{11})(?=$|[^A-Za-z0-9_-])", re.I
)
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[-_]+")
_COMMON_TEXT = """
    th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro
    ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so
    rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl
    ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke fr oo av ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt
    oc fa ef cu rn sc gi da yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go ht ru ug ds lt pi rc rr eg au ck
    ew mu br bi pt ak pu ui rg ib tl ny ki rk ys ob mm fu ph og ms ye ud mb ip ub oi rl gu dr hr cc tw ft wn nu af
    hu nn eo vo rv nf xp gn sm fl iz ok nl my gl aw ju oa eq sy sl ps jo lf nv je nk kn gs dy hy ze ks xt bs ik dd
    pt xi ax ja ka ko zo zi za ku
"""
_PAIRS = frozenset(_COMMON_TEXT.split())
"""Pairs of letters that are frequent inside words in Latin letters."""


def is_id(text: str) -> bool:
    """Say whether a text has the form of a YouTube id: 11 characters of base64url."""
    return bool(_ID.fullmatch(text))


def is_host(host: str) -> bool:
    """Say whether a host is one of YouTube's.

    >>> is_host("music.youtube.com"), is_host("youtu.be"), is_host("youtube.com.example.org")
    (True, True, False)
    """
    return bool(re.fullmatch(_HOST, host, re.IGNORECASE))


def find_id(url_or_text: str) -> str | None:
    """Find the id of the first YouTube address in a text; None where there is none.

    >>> find_id("see https://youtu.be/DTcRLlMv4_o?si=x&t=5"), find_id("m.youtube.com/watch?list=P&v=-uJSdfo4z7c#a")
    ('DTcRLlMv4_o', '-uJSdfo4z7c')
    >>> find_id("https://www.youtube.com/@channel/videos") is None
    True
    """
    if "you" not in url_or_text.lower():
        return None
    for match in _ADDRESS.finditer(url_or_text):
        video_id = _id_of(match[0])
        if video_id:
            return video_id
    return None


def _id_of(address: str, depth: int = 0) -> str | None:
    address = address.replace("&amp;", "&").rstrip(".,;:!?)]}*")
    parts = _split(address)
    if parts is None:
        return None
    host, path, query, fragment = parts
    steps = [step for step in path.split("/") if step]
    if host.endswith("youtu.be"):
        return _exact(steps[0]) if steps else None
    for key, value in parse_qsl(query) + parse_qsl(fragment.lstrip("!/?")):
        if key in ("v", "vi"):
            return _exact(value)
    for key, value in parse_qsl(query):
        # Attribution links carry the path inside: ?a=…&u=%2Fwatch%3Fv%3D…
        if key in ("u", "url", "next", "q") and depth < 3 and ("v=" in value or "/" in value):
            inner = (
                value if "://" in value else f"https://www.youtube.com{value if value.startswith('/') else '/' + value}"
            )
            video_id = _id_of(inner, depth + 1) if re.match(rf"https?://{_HOST}/", inner, re.IGNORECASE) else None
            if video_id:
                return video_id
    if len(steps) >= 2 and steps[0].lower() in _PATHS:
        return _exact(steps[1])
    return None


def _split(address: str) -> tuple[str, str, str, str] | None:
    address = re.sub(r"^(?:https?:)?(?://)?", "", address, flags=re.IGNORECASE)
    try:
        parts = urlsplit(f"https://{address}")
        host = parts.hostname or ""
    except ValueError:
        return None
    return host.lower(), unquote(parts.path), parts.query, parts.fragment


def _exact(text: str) -> str | None:
    """An id where the text begins with exactly 11 characters of one."""
    match = re.match(r"([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-])", text)
    return match[1] if match else None


def watch_url(video_id: str) -> str:
    """Return the address of a video's page."""
    return f"https://www.youtube.com/watch?v={video_id}"


# --- ids in file names ----------------------------------------------------------------------------------------------


def id_from_name(stem: str) -> str | None:
    """Find the YouTube id in a file name without ending and language tag.

    yt-dlp writes `Title [ID]`, youtube-dl wrote `Title-ID`, others `001-ID-Title`, `Title_ID`, or the id alone. In
    brackets at the end, eleven characters of base64url that are no plain word are an id. Without brackets a token is
    one only when it looks drawn by lot (`looks_random`): a title's words can have eleven letters too, and a wrong id
    merges two talks and sends links to another video.

    >>> [id_from_name(n) for n in ("Talk [-uJSdfo4z7c]", "001-93f-ayezCqE-Lecture 2", "A_7VJzouE9rNE", "x-lightning-x")]
    ['-uJSdfo4z7c', '93f-ayezCqE', '7VJzouE9rNE', None]
    """
    stem = stem.strip()
    match = _BRACKETED.search(stem)
    if match and not _is_plain(match[1]):
        return match[1]
    match = _MARKED.search(stem)
    if match and looks_random(match[1]):
        return match[1]
    if is_id(stem):
        return stem if looks_random(stem) else None
    places = []
    if len(stem) > 12 and stem[-12] in "-_ ." and is_id(stem[-11:]):
        places.append(stem[-11:])
    head = re.match(r"(?:\d{1,5}[-_. ]{1,3})?([A-Za-z0-9_-]{11})(?=[-_ .])", stem)
    if head:
        places.append(head[1])
    random_tokens = {token for token in places if looks_random(token)}
    return random_tokens.pop() if len(random_tokens) == 1 else None


def _is_plain(token: str) -> bool:
    """Whether a bracketed token is a word, a number or a date rather than an id."""
    if token.isdigit() or re.fullmatch(r"\d{2,4}([-_])\d{2}\1\d{2,4}.?", token):
        return True
    return bool(re.fullmatch(r"[A-Z]?[a-z]{10,}|[A-Z]{11}", token)) or token.islower() or _randomness(token) < 2.0


def looks_random(token: str, least: float = 4.0) -> bool:
    """Say whether eleven characters look drawn from the 64 of base64url and not written by a person.

    Measured: of 227 ids of real talks 97.4 %, of ids drawn by lot 94 % pass; of 20,430 groups of title words joined to
    eleven characters 0.24 % do, all with figures set between words.

    Points: 1 for each change between small letters, capitals, digits and `-_` other than a word's first capital, a
    number's border or a dash between words (those give 0.4); 1 for each pair of letters that is rare in words; minus
    for each run of letters that reads like a word. A random id gathers about 9, words and dates below 3; from `least`
    on it counts as random.

    >>> [looks_random(t) for t in ("DTcRLlMv4_o", "yLY7iMLTaoE", "lightning-x", "EuroPython2", "2024-05-01")]
    [True, True, False, False, False]
    """
    # 11 characters drawn by lot lack capitals, or small letters, once in 170 times; names and dates often do.
    if not is_id(token) or token.islower() or token.isupper():
        return False
    # And they fall into many short runs, where names made of words and numbers fall into a few.
    return len(_RUN.findall(token)) > 3 and _randomness(token) >= least


def _randomness(token: str) -> float:
    score = 0.0
    for run in re.findall(r"[A-Za-z]+", token):
        # Words inside a run: small letters with at most one capital in front, or capitals alone.
        for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", run):
            lowered = word.lower()
            pairs = [lowered[i : i + 2] for i in range(len(lowered) - 1)]
            rare = sum(pair not in _PAIRS for pair in pairs)
            score += rare
            if len(word) >= 3 and rare == 0 and re.search("[aeiouy]", lowered):
                score -= (len(word) - 2) * 0.5
    kinds = ["u" if c.isupper() else "l" if c.islower() else "d" if c.isdigit() else "-" for c in token]
    for i in range(1, len(token)):
        a, b = kinds[i - 1], kinds[i]
        if a == b:
            score += 0.5 if a == "-" else 0.0
        elif "-" in (a, b):
            score += 0.2
        elif a == "u" and b == "l":
            # A capital at the beginning of a word is nothing special.
            score += 0.0 if i == 1 or kinds[i - 2] in "-l" else 1.0
        elif a == "l" and b == "u":
            score += 0.7
        else:  # a digit inside letters
            inside = 0 < i < len(token) - 1 and kinds[i - 1 if b == "d" else i] != "-"
            score += 1.0 if inside else 0.5
    if token[0] in "-_" or token[-1] in "-_":
        score += 1.0
    return score
