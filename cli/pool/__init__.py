"""An index that is kept open and warm for many questions at once, and the process that keeps it, tuned.

The web pages, the assistants, the server and the commands import it; it imports none of them. `process_tuning` is on
the path of searches on the command line, so this file imports nothing.
"""
