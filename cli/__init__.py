"""The command line, the web page, the HTTP API and MCP: the only part that prints, exits, or knows about terminals.

It stands on top: it may import everything, and nothing may import it.
"""

import talksearch.indexer  # noqa: F401 - switches onnxruntime's telemetry off before anything can import it
