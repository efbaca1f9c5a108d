"""What is done to an index while it is killed, or while its disk is full: each with an archive before it and one after.

The archive is `data/`, a dozen short talks in every shape, with captions of one talk in a second language.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer import layout

DATA = Path(__file__).parents[2] / "data"

_TAKEN = ("captions", "json3", "text", "rolling", "whisper", "api")
"""The folders of `data/` of which the archive is made."""

CHANGED = "The Varnish Question.srt"
"""The transcript whose words `replace` changes."""
UNCHANGED = "Phy5N1ght4b"
"""A talk that no operation changes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial takes place: nothing in it is anybody else's."""

    root: Path

    @property
    def disk(self) -> Path:
        """All that commands write into."""
        return self.root / "disk"

    @property
    def index(self) -> Path:
        """The index, alone in its folder, so that what lies beside it shows."""
        return self.disk / "indexes" / "index"

    @property
    def talks(self) -> Path:
        """The archive."""
        return self.root / "talks"

    @property
    def out(self) -> Path:
        """Where exports go."""
        return self.disk / "out"

    @property
    def scratch(self) -> Path:
        """Where the harness keeps its own files."""
        return self.root / "scratch"

    @property
    def part(self) -> Path:
        """An index that is merged into another one."""
        return self.scratch / "part"

    @property
    def written(self) -> tuple[Path, ...]:
        """Every folder that a command may write into."""
        return tuple(self.disk / name for name in ("indexes", "out", "tmp", "home"))

    def make(self) -> None:
        """Make the folders."""
        for folder in (*self.written, self.talks, self.scratch, self.root / "run"):
            folder.mkdir(parents=True, exist_ok=True)

    def environment(self, base: Mapping[str, str], cache: Path) -> dict[str, str]:
        """Return an environment in which nothing is written outside of this place and the cache."""
        kept = {name: value for name, value in base.items() if not name.startswith(("TALKSEARCH_", "XDG_"))}
        return kept | {
            "PYTHONPATH": str(Path(layout.__file__).parents[2]),
            "HOME": str(self.disk / "home"),
            "TMPDIR": str(self.disk / "tmp"),
            "XDG_RUNTIME_DIR": str(self.root / "run"),
            "TALKSEARCH_CACHE": str(cache),
            "TALKSEARCH_INDEX": str(self.index),
            "TALKSEARCH_ARCHIVE": str(self.disk / "brought"),
            "TALKSEARCH_CONFIG": str(self.disk / "home" / "config.toml"),
            "TALKSEARCH_NO_SERVER": "1",
            "HF_HUB_OFFLINE": "1",
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """A command, and what makes it have something to do."""

    command: tuple[str, ...]
    """What stands behind `talksearch`; TALKS, OUT, PART and INDEX stand for the archive, for where exports go, for an
    index to merge and for the index itself."""
    change: Callable[[Place, random.Random], None]
    """Changes the archive, or damages the index, before the command."""
    has_index: bool = True
    """Whether there is an index before it, which `change` may move away."""
    makes_index: bool = False
    """Whether the command makes the index, so that right after a kill there may be none."""
    finish: tuple[tuple[str, ...], ...] = (("index", "TALKS"),)
    """The commands after which everything must be as if nothing had been killed."""


def make_archive(talks: Path) -> None:
    """Make the archive as it is before every operation, with times of change that a copy keeps."""
    for name in _TAKEN:
        shutil.copytree(DATA / name, talks / name, dirs_exist_ok=True)


def _nothing(_: Place, __: random.Random) -> None:
    """Change nothing."""


def _add(place: Place, _: random.Random) -> None:
    for name in ("zoom", "recordings", "records"):
        shutil.copytree(DATA / name, place.talks / name)


def _replace(place: Place, _: random.Random) -> None:
    captions = place.talks / "captions" / CHANGED
    text = captions.read_text(encoding="utf-8")
    captions.write_text(text.replace("varnish", "lacquer").replace("painting", "panel"), encoding="utf-8")
    for path in (place.talks / "text").glob("*.md"):
        path.write_text(path.read_text(encoding="utf-8").replace("letter", "glyph"), encoding="utf-8")


def _drop(place: Place, _: random.Random) -> None:
    shutil.rmtree(place.talks / "text")
    (place.talks / "captions" / CHANGED).unlink()


def _move(place: Place, _: random.Random) -> None:
    (place.talks / "captions").rename(place.talks / "subtitles")


def _everything(place: Place, rng: random.Random) -> None:
    _add(place, rng)
    _replace(place, rng)
    shutil.rmtree(place.talks / "api")


def _damage(place: Place, rng: random.Random) -> None:
    """Damage what the doctor makes again from something else, each time three things of it."""
    index = place.index
    ways = rng.sample(("chroma", "copy", "columns", "words", "calibration", "topics"), 3)
    if "chroma" in ways:
        shutil.rmtree(layout.CHROMA.within(index))
    if "copy" in ways and "chroma" not in ways:
        layout.VECTORS.within(index).unlink()
    if "columns" in ways:
        path = layout.COLUMNS.within(index)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    if "words" in ways:
        with closing(sqlite3.connect(layout.CATALOG.within(index))) as db:
            db.execute("DELETE FROM words WHERE rowid % 3 = 0")
            db.commit()
    for entry in (layout.CALIBRATION, layout.TOPICS):
        if entry.name.startswith(tuple(ways)):
            entry.within(index).write_text("{", encoding="utf-8")


def _part(place: Place, _: random.Random) -> None:
    """Have the index be a part of the one that is made."""
    shutil.move(place.index, place.part)  # the disk may be one of its own


_MERGE = ("merge", "PART", "--into", "INDEX")

OPERATIONS: dict[str, Operation] = {
    "first": Operation(("index", "TALKS"), _nothing, has_index=False, makes_index=True),
    "add": Operation(("index", "TALKS"), _add),
    "replace": Operation(("index", "TALKS"), _replace),
    "drop": Operation(("index", "TALKS"), _drop),
    "move": Operation(("index", "TALKS"), _move),
    "all": Operation(("index", "TALKS"), _everything),
    "remove": Operation(("remove", UNCHANGED, "the-varnish"), _nothing),
    "doctor": Operation(("doctor",), _damage, finish=(("doctor",), ("index", "TALKS"))),
    "rebuild": Operation(("index", "TALKS", "--rebuild"), _replace),
    "merge": Operation(_MERGE, _part, makes_index=True, finish=(_MERGE, ("index", "TALKS"))),
    "html": Operation(("export", UNCHANGED, "-o", "OUT/talk.html"), _nothing),
    "site": Operation(("export", "--site", "OUT/site"), _nothing),
    "sqlite": Operation(("export", "--format", "sqlite", "-o", "OUT/archive.sqlite3"), _nothing),
}
"""What is killed. `remove` takes out a talk whose files stay, so that the next `index` brings it back."""
