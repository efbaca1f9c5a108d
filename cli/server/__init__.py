"""The server: the pool of open indexes, the socket of the command line, the web page and API, and MCP.

It imports `render` and `answers`; only `commands` imports it. `client` and `protocol` are on the path of every search
of the command line, so these two import next to nothing.
"""
