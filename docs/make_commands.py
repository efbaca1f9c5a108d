"""Print docs/commands.md: the help of every command, as the program itself prints it."""

from __future__ import annotations

import os

import click

from talksearch.cli.main import COMMANDS, cli

ORDER = ("index", "search", "talks", "show", "stats", "inspect", "repair", "remove")


def reference() -> str:
    """Return the command reference as Markdown."""
    os.environ["COLUMNS"] = "100"
    names = [*ORDER, *sorted(COMMANDS.keys() - set(ORDER))]
    parts = ["# Commands", "Written by `make docs` from `--help`; a test fails when the two differ."]
    parts += [f"```text\n{_help(cli, 'talksearch')}\n```"]
    parts += [f"## {name}\n\n```text\n{_help(_command(name), f'talksearch {name}')}\n```" for name in names]
    return "\n\n".join(parts) + "\n"


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _help(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100)
    return command.get_help(context)


if __name__ == "__main__":
    print(reference(), end="")
