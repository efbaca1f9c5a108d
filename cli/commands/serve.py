"""`serve` and `mcp`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from talksearch.cli.options import index_option
from talksearch.cli.terminal import warn
from talksearch.indexer.settings import resolve

if TYPE_CHECKING:
    from talksearch.cli.server.serve import Serving

# `--help` must not wait for Starlette and the SDK of MCP, which take seconds: the functions import them.


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8376, show_default=True, help="Which port; 0 takes a free one."
)
@index_option
def serve(host: str, port: int, index_dir: Path | None) -> None:
    """Keep the index warm: a web page, an HTTP API, and answers for the command line in milliseconds.

    While it runs, `search` and `similar` on this index are answered by it, as the same user on this machine, with the
    same hits in the same order; TALKSEARCH_NO_SERVER=1 switches that off. Ctrl-C stops it.

    \b
        talksearch serve
        talksearch serve --port 0 --index ~/other-index
    """
    from talksearch.cli.server import serve as server

    def tell(serving: Serving) -> None:
        warn(f"Serving {settings.index} at {serving.url}")
        if serving.socket is None:
            warn("This system has no Unix sockets: searches on the command line are answered without the server.")
        if serving.public:
            warn(f"Whoever can reach {host} can search this index: there is no password.")

    settings = resolve(index_dir)
    server.serve(settings.index, host, port, tell=tell, warn=warn)


@click.command()
@index_option
def mcp(index_dir: Path | None) -> None:
    """Answer programs that speak the Model Context Protocol, on standard input and output.

    A program such as an assistant starts it by itself; docs/serving.md has what to write into its configuration.

    \b
        talksearch mcp --index ~/talks-index
    """
    from talksearch.cli.assistants import mcp_server

    mcp_server.run(resolve(index_dir).index, warn)
