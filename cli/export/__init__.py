"""Talks and hits as files of other programs: captions, playlists, chapters, databases, pages.

Values in, text or bytes out: each format is one value in `registry`. The commands and the web pages import this folder;
it imports neither of them.
"""
