"""Settings, resolved once: a flag wins over a `TALKSEARCH_*` variable, that over config.toml, that over the default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from .errors import TalksearchError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""The model that comes with the installation; any other name or folder is loaded by sentence-transformers."""

_KEYS = ("index", "model")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command works with."""

    index: Path
    """The folder of the index."""
    model: str | None
    """The model asked for. None: the one the index was built with, or the default for a new one."""


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where config.toml is looked for: TALKSEARCH_CONFIG, else the user's configuration folder."""
    given = environment.get("TALKSEARCH_CONFIG")
    return Path(given) if given else Path(platformdirs.user_config_dir("talksearch")) / "config.toml"


def resolve(
    index: Path | None = None, model: str | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Resolve the settings; arguments are the flags given, None where there was none.

    Raises TalksearchError when config.toml cannot be read or holds what is not a setting.
    """
    written = _written(config_file(environment))
    where = index or environment.get("TALKSEARCH_INDEX") or written.get("index")
    if not where:
        where = Path(platformdirs.user_data_dir("talksearch")) / "index"
    return Settings(
        index=Path(where).expanduser(),
        model=model or environment.get("TALKSEARCH_MODEL") or written.get("model"),
    )


def _written(path: Path) -> dict[str, str]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TalksearchError(
            f"The settings in {path} cannot be read: {error}.", "Correct the file or move it away."
        ) from error
    wrong = [key for key, value in values.items() if key not in _KEYS or not isinstance(value, str)]
    if wrong:
        raise TalksearchError(
            f"{path} holds {wrong[0]!r}, which is not a setting or not a text.",
            f"Settings are {' and '.join(_KEYS)}, each a text in quotation marks.",
        )
    return values
