"""Talks from sites, through yt-dlp: `fetch` is asked; `run` goes through a list, and `bring` brings in one talk of it.

All but `fetch` and `tracks` import yt-dlp, so `fetch` imports them late. Only `subscriptions` may import this room.
"""
