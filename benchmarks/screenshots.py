"""Screenshots of the pages over any index, for the documents and for whoever judges how they look.

    python benchmarks/screenshots.py [--index DIR] [--query TEXT] [OUT]

Serves the index, takes the pages in light, in dark and on a phone with the system's own Chromium, writes PNGs to OUT
(.cache/screenshots) and prints their names. It needs what the tests in a browser need: `pip install playwright`, and
chromium and ffmpeg from the system.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from pathlib import Path

from talksearch.cli.server.serve import Serving, serve

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser.chrome import SCREENSHOTS, launched, missing  # noqa: E402
from browser.shots import take_screenshots  # noqa: E402


def main() -> None:
    """Serve, look, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=SCREENSHOTS)
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "demo-index")
    parser.add_argument("--query", default="time dilation metaphor", help="a question that the index answers well")
    options = parser.parse_args()
    if lacking := missing():
        sys.exit(lacking)
    from playwright.sync_api import sync_playwright

    begun: list[Serving] = []
    ready = threading.Event()

    def tell(one: Serving) -> None:
        begun.append(one)
        ready.set()

    # A folder of its own, so that a server that runs already stays out of this.
    with tempfile.TemporaryDirectory(prefix="ts") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        threading.Thread(target=serve, args=(options.index, "127.0.0.1", 0), kwargs={"tell": tell}, daemon=True).start()
        if not ready.wait(60):
            sys.exit(f"The index {options.index} could not be served.")
        with sync_playwright() as playwright:
            browser = launched(playwright)
            for path in take_screenshots(browser, begun[0].url, options.out, options.query):
                print(path)
            browser.close()
        begun[0].stop()


if __name__ == "__main__":
    main()
