"""From an address to plain files in a folder that the user owns: what bringing in needs, whatever is asked.

`records` has the values, `archive` the folder, and `web` asks politely; `site` brings talks in through yt-dlp, `feed`
podcasts by their feeds. This room and those below it are the only ones that ask the network for talks: indexing works
on what lies on the disk. Of `indexer`, only `subscriptions` may import it; `cli` may as well.
"""
