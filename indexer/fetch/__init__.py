"""From an address to plain files in a folder that the user owns: sites through yt-dlp, podcasts by their feeds.

This is the only room that asks the network for anything, and nothing else in `indexer` may import it: indexing works on
what lies on the disk. `cli` may import it.
"""
