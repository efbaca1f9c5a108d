"""The group of all commands: what is no command is a query, and errors become messages and exit codes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from talksearch.indexer.errors import TalksearchError, UsageError

from .terminal import utf8_output, warn

COMMANDS = {
    "index": ("index", "index"),
    "search": ("search", "search"),
    "similar": ("search", "similar"),
    "talks": ("talks", "talks"),
    "show": ("talks", "show"),
    "stats": ("talks", "stats"),
    "inspect": ("inspect", "inspect"),
    "repair": ("inspect", "repair"),
    "remove": ("index", "remove"),
    "doctor": ("index", "doctor"),
    "eval": ("evaluate", "evaluate"),
    "serve": ("serve", "serve"),
    "mcp": ("serve", "mcp"),
}
"""Every command with the module of `commands` that holds it and its function there. To add one: a function there, a
line here, and `make docs`."""


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
        index_args = 2 if args[:1] == ["--index"] else 1 if args and args[0].startswith("--index=") else 0
        if args[index_args : index_args + 1] and args[index_args] in COMMANDS:
            args = [args[index_args], *args[:index_args], *args[index_args + 1 :]]
        elif args and args[0] not in ("--help", "--version"):
            args = ["search", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of talksearch becomes its message and exit code 1, a wrong call usage and code 2."""
        utf8_output()
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.UsageError(error.message, self._invoked(ctx)) from error
        except TalksearchError as error:
            warn(f"talksearch: {error.message}")
            if error.hint:
                warn(error.hint)
            ctx.exit(1)

    def _invoked(self, ctx: click.Context) -> click.Context:
        """Return a context of the command that was run, from which click takes the usage that it shows."""
        name = ctx.invoked_subcommand or ""
        command = self.get_command(ctx, name)
        return click.Context(command, parent=ctx, info_name=name) if command else ctx


@click.group(cls=CommandGroup)
@click.version_option(package_name="talksearch")
def cli() -> None:
    """Search an archive of recorded talks by meaning, and open them at the second where it is said.

    \b
        talksearch index ~/talks
        talksearch "time dilation metaphor"

    Whatever is not one of the commands below is a query.
    """
