"""Finding passages in an index and the second to jump to. Reads what `indexer` wrote."""

import talksearch.indexer  # noqa: F401 - switches onnxruntime's telemetry off before anything can import it
