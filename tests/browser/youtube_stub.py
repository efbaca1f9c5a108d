"""A stand-in for YouTube's frame: it speaks the messages of its player, and remembers what it was told.

The protocol is that of YouTube's own `www-widgetapi.js`: JSON texts through `postMessage`. The page says `listening`
until it is answered; then the frame sends `initialDelivery`, `onReady`, and `infoDelivery` some times a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Frame, Page, Route

HOST = "https://www.youtube-nocookie.com/"

_FRAME = """<!doctype html><title>player</title><p id="told"></p><script>
const start = Number(new URLSearchParams(location.search).get("start") || 0);
const state = {currentTime: start, playerState: 1, playbackRate: 1, duration: 240, muted: false, volume: 100};
const told = [];
let asker = null;
const say = (event, info) => asker.source.postMessage(JSON.stringify({event, info, id: asker.id}), asker.origin);
const deliver = () => asker && say("infoDelivery", {...state});
addEventListener("message", (event) => {
  const message = JSON.parse(event.data);
  told.push(message);
  document.getElementById("told").textContent = JSON.stringify(told);
  if (message.event === "listening" && !asker) {
    asker = {source: event.source, origin: event.origin, id: message.id};
    say("initialDelivery", {...state, apiInterface: [], availablePlaybackRates: [0.25, 0.5, 1, 1.25, 1.5, 2]});
    say("onReady", null);
  }
  if (message.event !== "command") return;
  const [value] = message.args || [];
  if (message.func === "seekTo") state.currentTime = value;
  if (message.func === "setPlaybackRate") state.playbackRate = value;
  if (message.func === "playVideo") { state.playerState = 1; say("onStateChange", 1); }
  if (message.func === "pauseVideo") { state.playerState = 2; say("onStateChange", 2); }
  deliver();
});
setInterval(() => {
  if (state.playerState === 1) state.currentTime += 0.25 * state.playbackRate;
  deliver();
}, 250);
</script>"""


def answer_as_youtube(context: BrowserContext) -> list[str]:
    """Answer what is asked of YouTube with a frame that speaks; returns the addresses asked for, as they come."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(content_type="text/html", body=_FRAME)

    context.route(f"{HOST}**", answer)
    return asked


def never_answer(context: BrowserContext) -> list[str]:
    """Leave what is asked of YouTube without an answer; returns the addresses asked for, as they come."""
    asked: list[str] = []
    context.route(f"{HOST}**", lambda route: asked.append(route.request.url))
    return asked


def frame_of(page: Page) -> Frame:
    """Return the frame in which the stand-in runs."""
    return next(frame for frame in page.frames if frame.url.startswith(HOST))
