"""Podcasts by their feeds: `fetch` is asked; `episode` reads a feed, `transcripts` chooses what is taken of an episode.

Nothing in it is asked but what the feed names. Only `subscriptions` may import this room.
"""
