"""Recordings on Vimeo and on a PeerTube: the transcript follows their players, and leads them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes import CountingEncoder
from tiny import write_talk

from browser.chrome import expect
from browser.other_players_stub import answer_as
from talksearch.indexer.pipeline.run import build_index

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    from browser.chrome import Watch

HOSTS = {"vimeo": "player.vimeo.com", "peertube": "tube.example.org"}
COMMANDS = {
    "vimeo": [
        {"method": "setCurrentTime", "value": 180},
        {"method": "play"},
        {"method": "setPlaybackRate", "value": 1.5},
        {"method": "pause"},
    ],
    "peertube": [
        {"id": 1, "method": "peertube::seek", "params": 180},
        {"id": 1, "method": "peertube::play"},
        {"id": 1, "method": "peertube::setPlaybackRate", "params": 1.5},
        {"id": 1, "method": "peertube::pause"},
    ],
}
"""What each of them is told by a click on the line at 3:00, by a choice of speed and by the space bar."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others")
    said = ["the ship is late", "the bee is early", "the bread is gone", "the rain is over"]
    write_talk(folder / "talks", "vimeo", said, webpage_url="https://vimeo.com/76979871")
    said = ["the tube is open", "the code is free", "the song is long", "the bridge is high"]
    write_talk(folder / "talks", "peertube", said, webpage_url="https://tube.example.org/w/kkGMgK9ZtnKfYAgnEtQxbv")
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    return folder / "index"


def line_at(page: Page, second: int) -> Locator:
    return page.locator(f"#transcript [data-s='{second}']")


def told(page: Page) -> list[dict[str, Any]]:
    """Return the messages that the frame has got, but for the greetings."""
    text = page.frame_locator("#player iframe").locator("#told").text_content() or "[]"
    messages: list[dict[str, Any]] = json.loads(text)
    return [one for one in messages if one["method"] not in ("addEventListener", "peertube::__ready")]


@pytest.mark.parametrize("kind", HOSTS)
def test_the_transcript_follows_the_player_and_leads_it(
    kind: str, context: BrowserContext, page: Page, watch: Watch
) -> None:
    asked = answer_as(kind, context, HOSTS[kind])
    page.goto(f"/talk/{kind}?t=119")
    assert watch.outside == []
    page.locator("#play").click()
    # It plays on to the line at 2:00.
    expect(line_at(page, 60)).to_have_attribute("aria-current", "true")
    expect(line_at(page, 120)).to_have_attribute("aria-current", "true")
    assert len(asked) == 1
    assert re.search(r"[?&#](t|start)=119s", asked[0]) or kind == "vimeo"  # what is behind `#` is not asked for
    frame = page.locator("#player iframe")
    expect(frame).to_have_attribute("class", "")  # it is no longer dimmed
    # A PeerTube is on whatever host a talk names, so it may open no dialog and lead the page nowhere.
    sandbox = "allow-scripts allow-same-origin allow-popups allow-presentation"
    assert frame.get_attribute("sandbox") == (sandbox if kind == "peertube" else None)
    line_at(page, 180).click()
    page.get_by_label("Speed").select_option("1.5")
    expect(line_at(page, 180)).to_have_attribute("aria-current", "true")
    page.locator("#transcript").press("Space")
    page.wait_for_timeout(300)
    assert told(page) == COMMANDS[kind]
    # It knows that it stands still, so the same key lets it play again.
    page.wait_for_timeout(300)
    page.locator("#transcript").press("Space")
    page.wait_for_timeout(300)
    assert told(page)[len(COMMANDS[kind]) :] == [COMMANDS[kind][1]]
    expect(page.locator(".silent")).to_be_hidden()
    watch.outside.clear()
