"""Horizontal bars as SVG, drawn without any library: `python benchmarks/chart.py FIGURES.json CHART.svg`.

FIGURES is what a benchmark wrote with a key "chart": {"title", "unit", "bars": [[name, value], ...]}.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

_ROW, _LEFT, _WIDTH, _TOP = 30, 250, 760, 44


def bars(title: str, unit: str, rows: Sequence[tuple[str, float]]) -> str:
    """Return a chart of named values as SVG; it is legible on light and dark pages.

    >>> "7.3 s" in bars("Cold", "s", [("tutorial", 7.3), ("talksearch", 0.4)])
    True
    """
    most = max((value for _, value in rows), default=0.0) or 1.0
    room = _WIDTH - _LEFT - 90
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_TOP + _ROW * len(rows) + 10}"'
        ' font-family="sans-serif" font-size="14" fill="#777">',
        f"<title>{escape(title)}</title>",
        f'<text x="10" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
    ]
    for index, (name, value) in enumerate(rows):
        y = _TOP + index * _ROW
        width = max(1.0, room * value / most)
        lines += [
            f'<text x="{_LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="22" fill="#4a7fb5"/>',
            f'<text x="{_LEFT + width + 8:.1f}" y="{y + 16}">{value:,.3g} {escape(unit)}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    """Draw the chart of a benchmark's figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    parser.add_argument("chart", type=Path)
    options = parser.parse_args()
    chart = json.loads(options.figures.read_text(encoding="utf-8"))["chart"]
    rows = [(name, value) for name, value in chart["bars"]]
    options.chart.write_text(bars(chart["title"], chart["unit"], rows), encoding="utf-8")


if __name__ == "__main__":
    main()
