"""A proxy that hands each connection to the next of several servers: enough to see readers share the work.

    python docs/examples/proxy.py PORT READER_PORT...

In earnest, nginx, HAProxy or Caddy stand here. A reader that does not answer is passed over, and the next one asked.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from itertools import cycle

HOST = "127.0.0.1"


async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Hand on what comes, until nothing comes any more."""
    with suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
        target.write_eof()


async def serve(port: int, readers: list[int]) -> None:
    """Listen on a port, and hand each connection to the next reader that answers."""
    turns = cycle(readers)

    async def accept(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        for _ in readers:
            with suppress(OSError):
                answer, asked = await asyncio.open_connection(HOST, next(turns))
                await asyncio.gather(carry(source, asked), carry(answer, target))
                asked.close()
                break
        target.close()

    server = await asyncio.start_server(accept, HOST, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
