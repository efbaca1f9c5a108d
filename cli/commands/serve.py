"""`serve` and `mcp`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talksearch.cli.options import IndexFolder, lasting_indexes_option, refuse_both, store_option
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.process import collections_paused
from talksearch.indexer.settings import resolve

if TYPE_CHECKING:
    from talksearch.cli.server.serve import Serving
    from talksearch.indexer.stores.remote.engine import Engine

_SHORTEST_TOKEN = 16
"""Letters of a token: with fewer, it could be guessed."""

# `--help` must not wait for Starlette and the SDK of MCP, which take seconds: the functions import them.


@click.command()
@click.argument("indexes", nargs=-1, type=IndexFolder(), metavar="[INDEX]...")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8376, show_default=True, help="Which port; 0 takes a free one."
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file with the token that requests must hold. [TALKSEARCH_TOKEN: the token itself]",
)
@store_option
@lasting_indexes_option
def serve(host: str, port: int, token_file: Path | None, index_dir: Path | None, store_url: str | None) -> None:
    """Keep the index warm: a web page, an HTTP API, and answers for the command line in milliseconds.

    While it runs, `search` and `similar` on this index or store are answered by it, as the same user on this machine,
    with the same hits in the same order; TALKSEARCH_NO_SERVER=1 switches that off. Ctrl-C stops it. Where other
    machines can reach it, it needs a token. Several INDEXes are served as one, and what changes in them is followed.

    \b
        talksearch serve
        talksearch serve ~/talks-2023 ~/talks-2024
        talksearch serve --port 0 --index ~/other-index
        talksearch serve --store lance:///srv/talks
        talksearch serve --host 192.168.1.20 --token-file ~/token
    """
    with collections_paused():
        from talksearch.cli.server import serve as server

    def tell(serving: Serving) -> None:
        warn(f"Serving {settings.index if store is None else store.address} at {serving.url}")
        if serving.socket is None and store is None:
            warn("This system has no Unix sockets: searches on the command line are answered without the server.")
        if serving.public:
            warn(f"Whoever has the token and can reach {host} can search this index; nothing is encrypted on the way.")

    refuse_both(index_dir, store_url)
    settings, store = resolve(index_dir), _engine(store_url)
    server.serve(settings.index, host, port, token=_token(token_file), tell=tell, warn=warn, store=store)


def _engine(store_url: str | None) -> Engine | None:
    """Return the store at a URL; None where none is named. Raises StoreError where the URL names none."""
    if store_url is None:
        return None
    from talksearch.indexer.stores.remote.address import open_engine

    return open_engine(store_url)


def _token(file: Path | None) -> str:
    """Return the token of a file, else of the environment; empty where there is none.

    The command line itself takes none, since everybody on a machine sees how its processes were called.

    Raises TalksearchError where the file cannot be read, or holds no good token.
    """
    from talksearch.cli.server.serve import HOW_TO_MAKE_ONE

    source = f"The file {file}" if file else "TALKSEARCH_TOKEN"
    try:
        token = (file.read_text(encoding="utf-8") if file else os.environ.get("TALKSEARCH_TOKEN", "")).strip()
    except (OSError, UnicodeError) as error:
        raise TalksearchError(f"{source} cannot be read: {error}.", HOW_TO_MAKE_ONE) from error
    if (file or token) and (len(token) < _SHORTEST_TOKEN or not all("!" <= letter <= "~" for letter in token)):
        raise TalksearchError(
            f"{source} holds no token: {_SHORTEST_TOKEN} or more ASCII letters, figures and marks without spaces.",
            HOW_TO_MAKE_ONE,
        )
    if file and os.name == "posix" and file.stat().st_mode & 0o077:
        warn(f"Other users of this machine can read the token: chmod 600 {file}")
    return token


@click.command()
@store_option
@lasting_indexes_option
def mcp(index_dir: Path | None, store_url: str | None) -> None:
    """Answer programs that speak the Model Context Protocol, on standard input and output.

    A program such as an assistant starts it by itself; docs/assistants.md has what to write into its configuration.

    \b
        talksearch mcp --index ~/talks-index
    """
    from talksearch.cli.assistants.first_answer import answer_first

    refuse_both(index_dir, store_url)
    folder, store = resolve(index_dir).index, _engine(store_url)
    with collections_paused():
        # Unbuffered: what it reads beyond the first line, the SDK would not find.
        with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as lines:
            opening = answer_first(lines, sys.stdout.buffer)
        if opening is None:  # the client is gone
            return
        from talksearch.cli.assistants import mcp_server
    mcp_server.run(folder, warn, opening, store=store)
