"""The command line: the only place that prints, exits, or knows about terminals."""

import talksearch.indexer  # noqa: F401 - switches onnxruntime's telemetry off before anything can import it
