"""The group of all commands: what is no command is a query, and errors become messages and exit codes."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise, takewhile
from typing import Any

import click

from talksearch.indexer.errors import TalksearchError, UsageError

from .terminal import INDEX_GIVEN, STORE_GIVEN, for_given_index, open_closed_streams, utf8_output, warn

COMMANDS = {
    "add": ("add", "add"),
    "sync": ("sync", "sync"),
    "index": ("index", "index"),
    "merge": ("merge", "merge"),
    "search": ("search", "search"),
    "similar": ("search", "similar"),
    "talks": ("talks", "talks"),
    "show": ("talks", "show"),
    "stats": ("talks", "stats"),
    "inspect": ("inspect", "inspect"),
    "repair": ("inspect", "repair"),
    "remove": ("index", "remove"),
    "doctor": ("index", "doctor"),
    "transcribe": ("transcribe", "transcribe"),
    "export": ("export", "export"),
    "eval": ("evaluate", "evaluate"),
    "serve": ("serve", "serve"),
    "mcp": ("serve", "mcp"),
}
"""Every command with the module of `commands` that holds it and its function there. To add one: a function there, a
line here, and `make docs`."""

_GIVEN = "talksearch.given"
"""Under this key a context keeps what was given: the command, then the rest."""

_NEVER_A_QUERY = ("eval", "mcp")
"""Commands whose names nobody says."""


class CommandGroup(click.Group):
    """A group that imports a command when it is asked for (click's documentation, "Lazily loading subcommands")."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks with a context
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command by its name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"talksearch.cli.commands.{module}"), function)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `--index` behind the command, and `search` in front of what is no command."""
        index_args = _leading_indexes(args)
        if args[index_args : index_args + 1] and args[index_args] in COMMANDS:
            args = [args[index_args], *args[:index_args], *args[index_args + 1 :]]
        elif args and args[0] not in ("--help", "--version"):
            args = ["search", *args]
        ctx.meta[_GIVEN] = tuple(args)
        ctx.meta[INDEX_GIVEN] = _given(args, "--index")
        ctx.meta[STORE_GIVEN] = () if args[:1] == ["index"] else _given(args, "--store")
        return super().parse_args(ctx, args)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line, as click does. What nobody made a sentence of becomes one here, and exit code 1."""
        open_closed_streams()
        try:
            return super().main(*args, **extra)
        except BaseException as error:  # bindings to Rust raise what is no Exception
            if isinstance(error, SystemExit | GeneratorExit | click.ClickException | click.exceptions.Exit):
                raise
            if isinstance(error, MemoryError):  # there may be none for what makes sentences
                os.write(2, b"talksearch: There is not enough memory. Give it more, or run fewer programs beside it.\n")
                sys.exit(1)
            from . import failures  # nothing that only an error needs is loaded before there is one

            if os.environ.get(failures.SHOW_TRACEBACK, "") not in ("", "0"):
                raise
            told = failures.sentence_for(error)
            warn(f"talksearch: {told.message}")
            if told.hint:
                warn(told.hint)
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error becomes its message and exit code 1, a wrong call usage and code 2, Ctrl-C 130."""
        utf8_output()
        try:
            return super().invoke(ctx)
        except UsageError as error:
            message = _joined(error.message, for_given_index(error.hint))
            raise click.UsageError(_joined(message, self._query_hint(ctx)), self._invoked(ctx)) from error
        except click.UsageError as error:
            hint = self._query_hint(ctx)
            if not hint:
                raise
            raise click.UsageError(_joined(error.format_message(), hint), error.ctx or self._invoked(ctx)) from error
        except Exception as error:
            told = error if isinstance(error, TalksearchError) else _met_in_catalog(error)
            if told is None:
                raise
            warn(f"talksearch: {told.message}")
            for hint in filter(None, (told.hint, self._query_hint(ctx))):
                warn(hint)
            ctx.exit(1)
        except KeyboardInterrupt:
            warn("Stopped.")
            ctx.exit(128 + signal.SIGINT)

    def _query_hint(self, ctx: click.Context) -> str:
        """Return how to ask for what was taken for an option or a command though it may be a query; else an empty text.

        A query may begin with "-", or with a command's word, and then nothing tells that it is one.
        """
        name, *given = ctx.meta.get(_GIVEN, ("",))
        command = self.get_command(ctx, name)
        if command is None:
            return ""
        if name == "search":
            odd = next((text for text in takewhile(lambda text: text != "--", given) if _is_odd(command, text)), None)
            return (
                f"A query that begins with a dash stands behind “--”: talksearch -- {shlex.quote(odd)}" if odd else ""
            )
        is_said = not any(text.startswith(("-", "http")) or os.path.lexists(text) for text in given)
        if name in _NEVER_A_QUERY or not is_said:
            return ""
        return f"To search for these words: talksearch search {shlex.join([name, *given])}"

    def _invoked(self, ctx: click.Context) -> click.Context:
        """Return a context of the command that was run, from which click takes the usage that it shows."""
        name = ctx.invoked_subcommand or ""
        command = self.get_command(ctx, name)
        return click.Context(command, parent=ctx, info_name=name) if command else ctx


def _met_in_catalog(error: Exception) -> TalksearchError | None:
    """Return what the user is told of an error of SQLite that means damage; None for any other."""
    sqlite = sys.modules.get("sqlite3")  # a search that a server answers does without it
    if sqlite is None or not isinstance(error, sqlite.Error):
        return None
    from talksearch.indexer.stores import catalog

    return catalog.as_bad_index(error)


def _is_odd(command: click.Command, text: str) -> bool:
    """Say whether a text begins with a dash and is no option of a command, nor one with its value."""
    if not text.startswith("-") or text == "-":
        return False
    options = [option for parameter in command.params for option in parameter.opts if option.startswith("-")]
    if text.startswith("--"):
        return text.split("=", 1)[0] not in options
    return text[:2] not in options or (len(text) > 2 and not text[2:].isdigit())


def _leading_indexes(args: Sequence[str]) -> int:
    """Return how many arguments at the beginning are `--index` with its folder."""
    at = 0
    while args[at : at + 1] == ["--index"] or (at < len(args) and args[at].startswith("--index=")):
        at += 2 if args[at] == "--index" else 1
    return at


def _given(args: Sequence[str], name: str) -> tuple[str, ...]:
    """Return what an option gives, wherever it stands."""
    options = list(takewhile(lambda arg: arg != "--", args))
    given = [after for option, after in pairwise(options) if option == name]
    given += [option.removeprefix(f"{name}=") for option in options if option.startswith(f"{name}=")]
    return tuple(given)


def _joined(message: str, hint: str) -> str:
    return f"{message}\n{hint}" if hint else message


@click.group(cls=CommandGroup)
@click.version_option(package_name="talksearch")
def cli() -> None:
    """Search an archive of recorded talks by meaning, and open them at the second where it is said.

    \b
        talksearch index ~/talks
        talksearch "time dilation metaphor"

    Whatever is not one of the commands below is a query. One that begins with a command's word stands in quotes with
    more words, or behind "search"; one that begins with a dash stands behind "--".
    """
