"""The Model Context Protocol on standard input and output: an assistant searches the archive by itself.

Standard output belongs to the protocol; the SDK keeps anything else that is printed away from it. The SDK's low-level
server is used, because what is wrong with a call shall be told in a sentence, and the list of resources is the catalog.
"""

from __future__ import annotations

import asyncio
import reprlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import mcp_types as mcp
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from talksearch.cli.pool.index_pool import IndexPool
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.errors import QueryError, TalksearchError

from . import prompts, resources
from .first_answer import INSTRUCTIONS, NAME, TITLE, VERSION, Opening, continued
from .hints import told
from .tools import TOOLS

if TYPE_CHECKING:
    from talksearch.indexer.stores.remote.engine import Engine
    from talksearch.search.reader import IndexReader

T = TypeVar("T")

_WORKERS = 2
"""Questions that are answered at the same time: an assistant asks few at once."""

_READS_ONLY = mcp.ToolAnnotations(read_only_hint=True, open_world_hint=False)

_DATA = "text/plain"

Context = Any
"""What the SDK knows of a request, of which nothing is needed here."""


def run(
    folder: Path,
    warn: Callable[[str], None],
    opening: Opening,
    encoder: Encoder | None = None,
    store: Engine | None = None,
) -> None:
    """Answer on standard input and output until the client is gone.

    Args:
        folder: the folder of the index.
        warn: called with a sentence when something works but slowly.
        opening: what the client has said already.
        encoder: takes the place of the index's own (for tests).
        store: a store that is asked in the place of the index.
    """
    pool = IndexPool(folder, workers=_WORKERS, warn=warn, encoder=encoder, store=store)

    async def answer() -> None:
        mcp_server = server(pool)
        async with stdio_server() as streams, continued(opening, *streams) as (requests, answers):
            await mcp_server.run(requests, answers, mcp_server.create_initialization_options())

    try:
        asyncio.run(answer())
    finally:
        pool.close()


def server(pool: IndexPool) -> Server[Any]:
    """Return the server of an index. Each answer tells where there is no index, which may come later."""
    return Server(
        NAME,
        title=TITLE,
        instructions=INSTRUCTIONS,
        version=VERSION,
        on_list_tools=_list_tools,
        on_call_tool=partial(_call_tool, pool),
        on_list_resources=partial(_list_resources, pool),
        on_list_resource_templates=_list_templates,
        on_read_resource=partial(_read_resource, pool),
        on_list_prompts=_list_prompts,
        on_get_prompt=_get_prompt,
        on_completion=partial(_complete, pool),
    )


async def _list_tools(_: Context, __: mcp.PaginatedRequestParams | None) -> mcp.ListToolsResult:
    return mcp.ListToolsResult(
        tools=[
            mcp.Tool(
                name=tool.name,
                title=tool.title,
                description=tool.description,
                input_schema=tool.arguments.schema(),
                annotations=_READS_ONLY,
            )
            for tool in TOOLS
        ]
    )


async def _call_tool(pool: IndexPool, _: Context, call: mcp.CallToolRequestParams) -> mcp.CallToolResult:
    """Answer a call. What is wrong with it is an answer too, in sentences that the assistant reads."""
    try:
        tool = next((tool for tool in TOOLS if tool.name == call.name), None)
        if tool is None:
            names = ", ".join(tool.name for tool in TOOLS)
            raise QueryError(f"There is no tool {reprlib.repr(call.name)}.", f"There are {names}.")
        given, work = tool.arguments.check(call.arguments or {}), tool.work
        text = await _with_index(pool, lambda index: work(index, given))
    except TalksearchError as error:
        return mcp.CallToolResult(content=[mcp.TextContent(text=told(error))], is_error=True)
    return mcp.CallToolResult(content=[mcp.TextContent(text=text)])


async def _list_resources(
    pool: IndexPool, _: Context, page: mcp.PaginatedRequestParams | None
) -> mcp.ListResourcesResult:
    cursor = page.cursor if page else None
    listed = await _or_error(pool, partial(resources.list_resources, cursor=cursor))
    return mcp.ListResourcesResult(
        resources=[
            mcp.Resource(
                uri=one.uri, name=one.title, title=one.title, description=one.description or None, mime_type=_DATA
            )
            for one in listed.resources
        ],
        next_cursor=listed.next_cursor,
    )


async def _list_templates(_: Context, __: mcp.PaginatedRequestParams | None) -> mcp.ListResourceTemplatesResult:
    talk = mcp.ResourceTemplate(
        uri_template=resources.TALK_TEMPLATE,
        name="talk",
        title="A talk",
        description="What is said in a talk, with its times.",
        mime_type=_DATA,
    )
    stretch = mcp.ResourceTemplate(
        uri_template=resources.STRETCH_TEMPLATE,
        name="stretch",
        title="A stretch of a talk",
        description="What is said in a talk from one second to another.",
        mime_type=_DATA,
    )
    return mcp.ListResourceTemplatesResult(resource_templates=[talk, stretch])


async def _read_resource(pool: IndexPool, _: Context, asked: mcp.ReadResourceRequestParams) -> mcp.ReadResourceResult:
    text = await _or_error(pool, partial(resources.read_resource, uri=asked.uri))
    return mcp.ReadResourceResult(contents=[mcp.TextResourceContents(uri=asked.uri, text=text, mime_type=_DATA)])


async def _list_prompts(_: Context, __: mcp.PaginatedRequestParams | None) -> mcp.ListPromptsResult:
    return mcp.ListPromptsResult(
        prompts=[
            mcp.Prompt(
                name=prompt.name,
                title=prompt.title,
                description=prompt.description,
                arguments=[
                    mcp.PromptArgument(name=one.name, description=one.description, required=one.required)
                    for one in prompt.arguments
                ],
            )
            for prompt in prompts.PROMPTS
        ]
    )


async def _get_prompt(_: Context, asked: mcp.GetPromptRequestParams) -> mcp.GetPromptResult:
    try:
        prompt, text = prompts.prompt_text(asked.name, asked.arguments or {})
    except QueryError as error:
        raise _protocol_error(error) from error
    message = mcp.PromptMessage(role="user", content=mcp.TextContent(text=text))
    return mcp.GetPromptResult(description=prompt.description, messages=[message])


async def _complete(pool: IndexPool, _: Context, asked: mcp.CompleteRequestParams) -> mcp.CompleteResult:
    """Complete the id of a talk; nothing else can be completed."""
    if asked.argument.name not in ("talk", "talks"):
        return mcp.CompleteResult(completion=mcp.Completion(values=[]))
    found = await _or_error(pool, partial(resources.complete, typed=asked.argument.value))
    return mcp.CompleteResult(
        completion=mcp.Completion(values=list(found.ids), total=found.total, has_more=len(found.ids) < found.total)
    )


async def _with_index(pool: IndexPool, work: Callable[[IndexReader], T]) -> T:
    """Do something with the index. What nobody waits for any more is not begun."""
    return await asyncio.wrap_future(pool.submit(work))


async def _or_error(pool: IndexPool, work: Callable[[IndexReader], T]) -> T:
    """Do something with the index. Raises MCPError, whose sentence the client shows."""
    try:
        return await _with_index(pool, work)
    except TalksearchError as error:
        raise _protocol_error(error) from error


def _protocol_error(error: TalksearchError) -> MCPError:
    code = mcp.INVALID_PARAMS if isinstance(error, QueryError) else mcp.INTERNAL_ERROR
    return MCPError(code=code, message=told(error))
