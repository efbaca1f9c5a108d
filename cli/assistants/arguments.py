"""What the tools take, and sentences about what they do not take. An argument has the type of a search option."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Json
from talksearch.search.options import OptionValue, SearchOption, option_named

_TYPES = {
    "integer": "integer",
    "seconds": "number",
    "choice": "string",
    "text": "string",
    "date": "string",
    "talks": "array",
    "flag": "boolean",
}
"""The types of JSON Schema, by the kinds of options."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """All that a tool takes."""

    tool: str
    options: tuple[SearchOption, ...]
    """Their public names are the names of the arguments; what a call does not give has its default."""
    required: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema by which an assistant knows what to give."""
        return {
            "type": "object",
            "properties": {option.public_name: _property(option, self.required) for option in self.options},
            "required": list(self.required),
            "additionalProperties": False,
        }

    def check(self, given: Mapping[str, Json]) -> dict[str, OptionValue]:
        """Return a value for each argument, by the option's name.

        Raises QueryError with a sentence that names the argument, what was given and what is allowed.
        """
        names = [option.public_name for option in self.options]
        unknown = [name for name in given if name not in names]
        if unknown:
            takes = f"It takes {', '.join(names)}." if names else "It takes none."
            raise QueryError(f"{self.tool} has no argument {reprlib.repr(unknown[0])}.", takes)
        return {option.name: self._value(option, given.get(option.public_name)) for option in self.options}

    def _value(self, option: SearchOption, value: Json) -> OptionValue:
        if value is None:
            if option.public_name in self.required:
                raise QueryError(f"{self.tool} needs {option.public_name}.", option.help)
            return option.default
        if option.kind == "integer" and isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON has one kind of number
        try:
            return option.check(value)
        except QueryError as error:
            raise QueryError(f"{option.public_name} is {reprlib.repr(value)}.", error.hint) from error


def argument(name: str, public_name: str = "") -> SearchOption:
    """Return an option of a search as an argument, where it must be with another name."""
    option = option_named(name)
    return replace(option, public_name=public_name or option.public_name)


def _property(option: SearchOption, required: tuple[str, ...]) -> dict[str, Any]:
    property_: dict[str, Any] = {"type": _TYPES[option.kind], "description": option.help}
    if option.kind == "talks":
        property_["items"] = {"type": "string"}
    if option.choices:
        property_["enum"] = list(option.choices)
    for key, bound in (("minimum", option.minimum), ("maximum", option.maximum)):
        if bound is not None:
            property_[key] = bound
    if option.default is not None and option.public_name not in required:
        property_["default"] = list(option.default) if isinstance(option.default, tuple) else option.default
    return property_
