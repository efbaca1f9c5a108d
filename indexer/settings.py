"""Settings, resolved once: a flag wins over a `TALKSEARCH_*` variable, that over config.toml, that over the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    server: bool = True
    """Whether a resident engine may answer, where one runs (`talksearch serve`)."""


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where config.toml is looked for: TALKSEARCH_CONFIG, else the user's configuration folder."""
    given = environment.get("TALKSEARCH_CONFIG")
    if given:
        return Path(given)
    import platformdirs  # a search should not wait for what it can do without

    return Path(platformdirs.user_config_dir("talksearch")) / "config.toml"


def resolve(
    index: Path | None = None, model: str | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Resolve the settings; arguments are the flags given, None where there was none.

    Raises TalksearchError when config.toml cannot be read or holds what is not a setting.
    """
    written = _written(config_file(environment))
    where = index or environment.get("TALKSEARCH_INDEX") or written.get("index")
    if not where:
        import platformdirs

        where = Path(platformdirs.user_data_dir("talksearch")) / "index"
    return Settings(
        index=Path(where).expanduser(),
        model=model or environment.get("TALKSEARCH_MODEL") or written.get("model"),
        server=environment.get("TALKSEARCH_NO_SERVER", "") in ("", "0"),
    )


def _written(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
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
