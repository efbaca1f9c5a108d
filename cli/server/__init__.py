"""The resident engine: the pool of open indexes, the socket of the command line, the web page and API, MCP."""
