"""The files and folders of an index."""

from __future__ import annotations

FOLDER = "chroma"
