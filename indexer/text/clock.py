"""Times as people write them: minutes and seconds, with hours where there are some."""

from __future__ import annotations


def show_clock(milliseconds: int) -> str:
    """Return a time as people write it; what is less than a second is left out.

    >>> show_clock(754_000), show_clock(3_723_999)
    ('12:34', '1:02:03')
    """
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
