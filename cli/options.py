"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args

import click

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.mirrors import is_address
from talksearch.indexer.settings import resolve
from talksearch.indexer.text.untrusted import safe, safe_address
from talksearch.search.options import SEARCH_OPTIONS, SearchOption, option_named

from .several import keep_current, one_folder
from .terminal import INDEX_GIVEN

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from .messages import Format

Command = TypeVar("Command", bound=Callable[..., Any])

Player = Literal["auto", "mpv", "vlc", "browser"]

PLAYERS: tuple[Player, ...] = get_args(Player)
"""What a hit is opened in. `auto`: a recording on this machine in mpv or VLC, whichever is installed; anything else in
the browser."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""How an address begins; a drive of Windows has one letter."""

ANY_TALK_ID = {"ignore_unknown_options": True}
"""Settings of commands whose argument is a talk: an id may begin with "-", so what is no option is a talk."""


class PathOrAddress(click.Path):
    """A PATH of this machine, or the address of a folder on another one, which stays a text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what a word of the command line means."""
        return value if isinstance(value, str) and is_address(value) else super().convert(value, param, ctx)


class IndexFolder(click.Path):
    """The folder of an index, which is never an address."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what a word of the command line means. Raises BadParameter where that is an address."""
        if isinstance(value, str) and _ADDRESS.match(value):
            advice = (
                " Addresses of stores stand behind --store." if re.match("lance|chroma", value, re.IGNORECASE) else ""
            )
            self.fail(f"{safe_address(value)!r} is an address, and an index is a folder of this machine.{advice}")
        return super().convert(value, param, ctx)


def finite(_: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse "nan", which click takes for a number within any range, and "inf"."""
    if value is not None and not isfinite(value):
        raise click.BadParameter(f"{value} is not a number of seconds.", param=parameter)
    return value


def index_option(command: Command) -> Command:
    """Add `--index DIR` to a command that works with one index."""
    return _index_option("The folder of the index. [TALKSEARCH_INDEX; default: in your data folder]", _the_only)(
        command
    )


def indexes_option(command: Command) -> Command:
    """Add `--index DIR` to a command that reads; of several folders it gets the one that stands for them."""

    @wraps(command)
    def with_one_folder(*arguments: Any, index_dir: tuple[Path, ...], **options: Any) -> Any:
        return command(*arguments, index_dir=one_folder(index_dir), **options)

    return _several_option(cast("Command", with_one_folder))


def lasting_indexes_option(command: Command) -> Command:
    """Add `--index DIR` as `indexes_option` does, to a command that goes on: what changes in several is followed.

    The command may have an argument `indexes`, by which some are given as well.
    """

    @wraps(command)
    def with_one_folder(
        *arguments: Any, index_dir: tuple[Path, ...], indexes: tuple[Path, ...] = (), **options: Any
    ) -> Any:
        given = (*index_dir, *indexes)
        if indexes:  # hints name them as those that stand behind --index
            click.get_current_context().meta[INDEX_GIVEN] = tuple(map(str, given))
        folder = one_folder(given)
        keep_current(given)
        return command(*arguments, index_dir=folder, **options)

    return _several_option(cast("Command", with_one_folder))


def _several_option(command: Command) -> Command:
    return _index_option(
        "The folder of the index; several, each with --index, are asked as one. [TALKSEARCH_INDEX; default: in your"
        " data folder]",
        None,
    )(command)


def _index_option(
    about: str, callback: Callable[[click.Context, click.Parameter, Any], Any] | None
) -> Callable[[Command], Command]:
    return click.option(
        "--index",
        "index_dir",
        type=IndexFolder(),
        multiple=True,
        callback=callback,
        metavar="DIR",
        help=about,
    )


def _the_only(context: click.Context, _: click.Parameter, folders: tuple[Path, ...]) -> Path | None:
    if len(folders) > 1:
        raise click.UsageError(
            f"{context.info_name} works with one index, and --index was given {len(folders)} times."
            " Give the command once for each."
        )
    return folders[0] if folders else None


def store_option(command: Command) -> Command:
    """Add `--store URL` to a command that may ask a store in the place of an index."""
    return click.option(
        "--store",
        "store_url",
        metavar="URL",
        help="A store on other machines to ask, in the place of an index.",
    )(command)


def refuse_both(index_dir: Path | None, store_url: str | None) -> None:
    """Raise click's UsageError where an index and a store are given."""
    if index_dir is not None and store_url is not None:
        raise click.UsageError("Give --index or --store, not both.")


def archive_option(command: Command) -> Command:
    """Add `--to FOLDER` to a command."""
    return click.option(
        "--to",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="The folder that talks are brought into. [TALKSEARCH_ARCHIVE; default: ~/talks]",
    )(command)


def format_option(*formats: Format) -> Callable[[Command], Command]:
    """Add `--format` with these formats to a command."""
    return click.option("--format", type=click.Choice(formats), default="text", show_default=True, help="How to print.")


def complete_talk(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the id of a talk, its title beside it where the shell shows that."""
    # Only completion needs these two, and `--help` and a search that a server answers must not wait for them.
    from click.shell_completion import CompletionItem

    from talksearch.indexer.stores import catalog, catalog_talks

    try:
        given = context.params.get("index_dir")
        talks = []
        for folder in given if isinstance(given, tuple) and given else [given or None]:
            with catalog.open_snapshot(resolve(folder).index) as db:
                talks += [talk for talk in catalog_talks.read_talks(db) if talk.id.startswith(incomplete)]
    except TalksearchError:
        return []
    return [CompletionItem(talk.id, help=safe(talk.title)) for talk in talks]


def search_options(command: Command) -> Command:
    """Add all options of a search to a command; `make_query` makes a query of them."""
    for option in reversed(SEARCH_OPTIONS):
        command = search_option(option)(command)
    return command


def mode_option(command: Command) -> Command:
    """Add `--mode` to a command."""
    return search_option(option_named("mode"))(command)


def search_option(option: SearchOption) -> Callable[[Command], Command]:
    """Return what adds one option of a search to a command. A value out of bounds is a wrong call, which click tells.

    An option of one letter has one dash.
    """
    name = option.public_name.replace("_", "-")
    return click.option(
        f"-{name}" if len(name) == 1 else f"--{name}",
        option.name,
        type=_click_type(option),
        default=option.default,
        show_default=bool(option.default),
        multiple=option.kind == "talks",
        is_flag=option.kind == "flag",
        callback=finite if option.kind == "seconds" else None,
        shell_complete=complete_talk if option.kind == "talks" else None,
        metavar=option.metavar,
        help=option.help,
    )


def _click_type(option: SearchOption) -> click.ParamType[Any] | None:
    match option.kind:
        case "integer":
            return click.IntRange(option.minimum, option.maximum)
        case "seconds":
            return click.FloatRange(option.minimum, option.maximum)
        case "choice":
            return click.Choice(option.choices)
        case "flag":
            return None
    return click.STRING
