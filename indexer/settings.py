"""Settings, resolved once: a flag wins over a `TALKSEARCH_*` variable, that over config.toml, that over the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import TalksearchError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""The model that comes with the installation."""

MULTILINGUAL_MODEL = "multilingual"
"""The model that comes with `talksearch[languages]`; any other name or folder is loaded by sentence-transformers."""

DEFAULT_ARCHIVE = "~/talks"
"""The folder that talks are brought into where nothing names another."""

_KEYS = ("index", "archive", "model", "beside", "whisper")
"""The settings that config.toml may hold."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command works with."""

    index: Path
    """The folder of the index."""
    model: str | None
    """The model asked for. None: the one the index was built with, or the default for a new one."""
    archive: Path
    """The folder that talks are brought into."""
    beside: str | None = None
    """The language of what stands beside hits, where a search names none."""
    whisper: str | None = None
    """The Whisper model by which recordings are transcribed, by name or folder."""
    server: bool = True
    """Whether a resident engine may answer, where one runs (`talksearch serve`)."""


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where config.toml is looked for: TALKSEARCH_CONFIG, else the user's configuration folder."""
    configured = environment.get("TALKSEARCH_CONFIG")
    if configured:
        return Path(configured)
    import platformdirs  # most commands start without it

    return Path(platformdirs.user_config_dir("talksearch")) / "config.toml"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of what can be made again: TALKSEARCH_CACHE, else the user's cache folder."""
    configured = environment.get("TALKSEARCH_CACHE")
    if configured:
        return Path(configured).expanduser()
    import platformdirs  # takes a few milliseconds

    return Path(platformdirs.user_cache_dir("talksearch"))


def resolve(
    index: Path | None = None,
    model: str | None = None,
    archive: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Resolve the settings.

    Args:
        index: The folder of the index that a flag gives, if one does.
        model: The model that a flag gives, if one does.
        archive: The folder to bring talks into that a flag gives, if one does.
        environment: Environment variables.

    Raises:
        TalksearchError: config.toml cannot be read, or holds what is not a setting.
    """
    config = _read_config(config_file(environment))
    folder = index or environment.get("TALKSEARCH_INDEX") or config.get("index")
    if not folder:
        import platformdirs  # most commands start without it

        folder = Path(platformdirs.user_data_dir("talksearch")) / "index"
    return Settings(
        index=Path(folder).expanduser(),
        model=model or environment.get("TALKSEARCH_MODEL") or config.get("model"),
        archive=Path(
            archive or environment.get("TALKSEARCH_ARCHIVE") or config.get("archive") or DEFAULT_ARCHIVE
        ).expanduser(),
        beside=environment.get("TALKSEARCH_BESIDE") or config.get("beside"),
        whisper=environment.get("TALKSEARCH_WHISPER") or config.get("whisper"),
        server=environment.get("TALKSEARCH_NO_SERVER", "") in ("", "0"),
    )


def _read_config(path: Path) -> dict[str, str]:
    """Return the settings in config.toml; none where there is no such file."""
    if not path.exists():
        return {}
    import tomllib  # most users have no such file

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TalksearchError(
            f"The settings in {path} cannot be read: {error}.", "Correct the file or move it away."
        ) from error
    unknown = [key for key, value in values.items() if key not in _KEYS or not isinstance(value, str)]
    if unknown:
        raise TalksearchError(
            f"{path} holds {unknown[0]!r}, which is not a setting or not a text.",
            f"Settings are {', '.join(_KEYS[:-1])} and {_KEYS[-1]}, each a text in quotation marks.",
        )
    return values
