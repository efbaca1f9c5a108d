"""Finding passages in an index and the second to jump to. Reads what `indexer` wrote."""
