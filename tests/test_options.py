"""Every front has every option of a search, with the same bounds, choices and default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import anyio
import click
import pytest
from mcp import Client
from tiny import make_index, serving, short_runtime_folder

from talksearch.cli.assistants import mcp_server
from talksearch.cli.main import COMMANDS, cli
from talksearch.cli.pool.index_pool import IndexPool
from talksearch.cli.server.serve import Serving
from talksearch.indexer.errors import QueryError
from talksearch.search.options import SEARCH_OPTIONS, SearchOption, make_query, option_named
from talksearch.search.query import Filters, Mode, Query

every_option = pytest.mark.parametrize("option", SEARCH_OPTIONS, ids=lambda option: option.name)

MCP_NAMES = {"talks": "talk", "context": "context_s"}
QUERY_FIELDS = {"context": "context_ms"}


def default_of(value_class: type, name: str) -> object:
    (field,) = (field for field in fields(value_class) if field.name == name)
    return field.default


@every_option
def test_a_query_has_a_field_with_the_same_default(option: SearchOption) -> None:
    value_class = Filters if option.name in {field.name for field in fields(Filters)} else Query
    assert default_of(value_class, QUERY_FIELDS.get(option.name, option.name)) == option.default


def test_a_query_of_no_options_is_the_default_one() -> None:
    assert make_query("ship") == Query("ship", heat=True)


def test_every_mode_can_be_chosen() -> None:
    assert option_named("mode").choices == get_args(Mode)


@every_option
@pytest.mark.parametrize("command", ["search", "similar"])
def test_the_command_line_has_it(command: str, option: SearchOption) -> None:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    (parameter,) = (parameter for parameter in found.params if parameter.name == option.name)
    assert isinstance(parameter, click.Option)
    assert parameter.opts[0].lstrip("-").replace("-", "_") == option.public_name
    assert parameter.help == option.help
    assert parameter.multiple == (option.kind == "talks")
    assert parameter.is_flag == (option.kind == "flag")
    context = found.make_context(command, ["ship@3"])
    assert context.params[option.name] == option.default
    assert (getattr(parameter.type, "min", None), getattr(parameter.type, "max", None)) == (
        option.minimum, option.maximum,
    )  # fmt: skip
    assert tuple(getattr(parameter.type, "choices", ())) == option.choices


def test_the_command_line_has_no_other_that_reaches_a_query() -> None:
    assert "search" in COMMANDS
    found = cli.get_command(click.Context(cli), "similar")
    assert found is not None
    others = {"moment", "format", "index_dir", "store_url"}
    assert {parameter.name for parameter in found.params} - others == {option.name for option in SEARCH_OPTIONS}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The parameters of the tool that searches, as an assistant sees them."""

    async def ask() -> dict[str, dict[str, Any]]:
        pool = IndexPool(tmp_path_factory.mktemp("none"))
        try:
            async with Client(mcp_server.server(pool)) as client:
                (tool,) = (tool for tool in (await client.list_tools()).tools if tool.name == "search_talks")
                properties: dict[str, dict[str, Any]] = tool.input_schema["properties"]
                return properties
        finally:
            pool.close()

    return anyio.run(ask)


@every_option
def test_mcp_has_it(option: SearchOption, schema: dict[str, dict[str, Any]]) -> None:
    parameter = schema[MCP_NAMES.get(option.name, option.name)]
    kinds = parameter.get("anyOf", [parameter])
    minima, maxima, choices = (
        [kind[key] for kind in kinds if key in kind] or [None] for key in ("minimum", "maximum", "enum")
    )
    assert parameter["description"] == option.help
    assert (parameter.get("default") or None) == (option.default or None)
    assert (minima, maxima) == ([option.minimum], [option.maximum])
    assert tuple(choices[0] or ()) == option.choices


def test_mcp_has_no_other(schema: dict[str, dict[str, Any]]) -> None:
    names = {MCP_NAMES.get(option.name, option.name) for option in SEARCH_OPTIONS}
    assert set(schema) == {"query", "offset", *names}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with short_runtime_folder(), serving(make_index(tmp_path_factory.mktemp("options"))) as one:
        yield one


def good_and_bad_texts(option: SearchOption) -> tuple[list[str], list[str]]:
    """What a URL may give for an option, and what it must not: the bounds, and what lies beyond them."""
    match option.kind:
        case "integer" | "seconds":
            good = [str(bound) for bound in (option.minimum, option.maximum) if bound is not None]
            bad = ["-1", "nan", "ten", "²", *([str(option.minimum - 1)] if option.minimum is not None else [])]
            bad += [str(option.maximum + 1)] if option.maximum is not None else []
            return good, bad
        case "choice":
            return list(option.choices), ["psychic"]
        case "date":
            return ["2024", "2024-05-24"], ["someday"]
        case "talks":
            return ["ships"], ["nobody"]
        case "flag":
            return ["1", "0", "true"], ["maybe"]
    return ["e"], []


@every_option
def test_http_has_it(option: SearchOption, served: Serving) -> None:
    from test_serve import get

    good, bad = good_and_bad_texts(option)
    for text, status in [*((text, 200) for text in good), *((text, 400) for text in bad)]:
        for path in ("/api/search?q=ship", "/api/similar?moment=ships@62", "/?q=ship"):
            found, headers, told = get(served, f"{path}&{option.public_name}={text.replace('²', '%C2%B2')}")
            if found == 302:  # a page leaves out of its address what needs not be said
                found, _, told = get(served, headers["location"])
            assert found == status, (path, text, told)


def test_the_form_of_the_page_sends_only_what_there_is(served: Serving) -> None:
    from test_serve import get

    named = set(re.findall(r'<(?:input|select|button)[^>]* name="(\w+)"', get(served, "/")[2]))
    assert "q" in named
    assert named - {"q", "like"} <= {option.public_name for option in SEARCH_OPTIONS}


@every_option
def test_python_refuses_what_the_other_fronts_refuse(option: SearchOption) -> None:
    assert option.check(option.default) == option.default
    good, bad = good_and_bad_texts(option)
    for text in good:
        option.check(option.parse([text]))
        make_query("ship", **{option.name: option.parse([text])})
    for text in bad if option.kind != "talks" else ():  # only an index knows its talks
        with pytest.raises(QueryError):
            make_query("ship", **{option.name: option.parse([text])})


@pytest.mark.parametrize(
    "options",
    [
        {"k": True}, {"k": "3"}, {"k": 2.0}, {"k": None}, {"per_talk": 0}, {"context": float("nan")}, {"context": "3"},
        {"context": 10**400}, {"mode": None}, {"talks": "ships"}, {"talks": [3]}, {"speaker": 3}, {"explain": 1},
        {"colour": "red"},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_another_type_is_told_in_a_sentence(options: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as raised:
        make_query("ship", **options)
    assert raised.value.message.endswith(".")
    assert raised.value.hint.endswith(".")


def test_a_number_is_told_as_people_write_it() -> None:
    with pytest.raises(QueryError, match=r"context is 1,000,000,000\."):
        make_query("ship", context=1e9)
    with pytest.raises(QueryError, match=r"context is 4000\.5\."):
        make_query("ship", context=4000.5)


def test_a_great_number_is_no_danger() -> None:
    assert make_query("ship", per_talk=10**400).per_talk == 10**400


@pytest.mark.parametrize(("text", "options"), [("x" * 10_001, {}), ("ship", {"avoid": "x" * 10_001})])
def test_a_text_that_would_take_minutes_is_refused(text: str, options: dict[str, Any]) -> None:
    with pytest.raises(QueryError, match="has 10,001 characters") as raised:
        make_query(text, **options)
    assert raised.value.hint == "Give at most 10,000."
    assert make_query(text[:10_000]).text == text[:10_000]


def test_this_file_is_named_where_an_option_is_added() -> None:
    source = Path(__file__).parents[1] / "search" / "options.py"
    assert Path(__file__).name in source.read_text(encoding="utf-8")
