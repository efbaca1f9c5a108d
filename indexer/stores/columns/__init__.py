"""Derived columns: what ranking needs of every passage at once, as arrays in one mapped file.

`reader` is what searches import; `build`, `merge` and `update` write the file after a run, for `pipeline` and `doctor`.
"""
