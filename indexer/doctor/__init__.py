"""Checking an index against itself and the files it was made of, and mending what can be mended without them.

`examine` goes through what docs/index.md says must hold, a module for each kind: `database` the file of the catalog,
`rows` its seals, `files` what is remembered of files, `words` the word index, `tokens`, `stores` the vectors, `derived`
what is made of all that. It stands above `pipeline`: only `cli` may import it.
"""

from __future__ import annotations

from .examine import examine
from .findings import Finding

__all__ = ["Finding", "examine"]
