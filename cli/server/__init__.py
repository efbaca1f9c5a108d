"""The server: one process that listens for browsers and for the command line, until it is stopped.

It imports `web`, `pool` and `answers`; only `commands` imports it. `client` and `protocol` are on the path of every
search of the command line, so these two import next to nothing.
"""
