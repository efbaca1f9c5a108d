"""Stand-ins for the frames of Vimeo and of PeerTube: they speak the messages of these players, and remember what they
were told.

Vimeo's are JSON texts, `{"method": …, "value": …}` to the player and `{"event": …, "data": …}` from it, which sends
only the events that were asked for (github.com/vimeo/player.js). PeerTube's are those of jschannel in the scope
`peertube`, and its player answers nobody before both sides were ready (docs.joinpeertube.org/api/embed-player).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Route

_PLAYER = """<!doctype html><title>player</title><p id="told">[]</p><script>
const told = [], state = {second: START, plays: true, rate: 1};
const tell = (message) => parent.postMessage(JSON.stringify(message), "*");
addEventListener("message", ({data}) => {
  const message = JSON.parse(data);
  told.push(message);
  document.getElementById("told").textContent = JSON.stringify(told);
  hear(message);
});
setInterval(() => {
  if (!state.plays) return;
  state.second += 0.25 * state.rate;
  update();
}, 250);
PROTOCOL
</script>"""

_VIMEO = """
const wanted = new Set();
const send = (event, data) => { if (wanted.has(event)) tell({event, data}); };
const update = () => send("timeupdate", {seconds: state.second, duration: 300, percent: state.second / 300});
function hear({method, value}) {
  if (method === "addEventListener") wanted.add(value);
  if (method === "setCurrentTime") { state.second = value; update(); }
  if (method === "setPlaybackRate") state.rate = value;
  if (method === "play" || method === "pause") {
    state.plays = method === "play";
    send(method, {seconds: state.second, duration: 300});
  }
  tell({method, value});
}
tell({event: "ready"});
"""

_PEERTUBE = """
let isReady = false;
const update = () => isReady && tell({method: "peertube::playbackStatusUpdate", params: {
  position: state.second, volume: 1, duration: 300, playbackState: state.plays ? "playing" : "paused"}});
function hear({id, method, params}) {
  if (method === "peertube::__ready") { isReady = true; return; }
  if (!isReady) return;
  if (method === "peertube::seek") state.second = params;
  if (method === "peertube::setPlaybackRate") state.rate = params;
  if (method === "peertube::play") state.plays = true;
  if (method === "peertube::pause") state.plays = false;
  tell({id, result: null});
  update();
}
tell({method: "peertube::__ready", params: {type: "publish-request", publish: []}});
"""

_STARTS = {
    "vimeo": "Number(/t=(\\d+)/.exec(location.hash)[1])",
    "peertube": "Number(/start=(\\d+)/.exec(location.search)[1])",
}
"""How each of them is told where to begin."""


def answer_as(kind: str, context: BrowserContext, host: str) -> list[str]:
    """Answer what is asked of a host with a frame that speaks; returns the addresses asked for, as they come.

    `kind` is `vimeo` or `peertube`.
    """
    asked: list[str] = []
    protocol = {"vimeo": _VIMEO, "peertube": _PEERTUBE}[kind]
    body = _PLAYER.replace("START", _STARTS[kind]).replace("PROTOCOL", protocol)

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(content_type="text/html", body=body)

    context.route(f"https://{host}/**", answer)
    return asked
