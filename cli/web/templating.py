"""The templates of the pages, and what they may call. Jinja escapes every value that is shown."""

from __future__ import annotations

from pathlib import Path

import jinja2

from . import assets

_FOLDER = Path(__file__).with_name("templates")
_JINJA = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_JINJA.globals["asset"] = assets.address


def rendered(template: str, **values: object) -> str:
    """Return a page. `template` is the name of a file in templates/."""
    return _JINJA.get_template(template).render(values)
