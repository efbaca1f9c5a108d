"""The HTTP API is asked what its own description allows and what it forbids. `test_api.py` runs these tests.

They have a process of their own, because to work out what may be asked takes seconds, which every process that collects
the tests would spend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import schemathesis
from fakes import CountingEncoder
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tiny import make_index

from talksearch.cli.pool.index_pool import IndexPool
from talksearch.cli.web import api, guards, openapi
from talksearch.cli.web.app import application

App = Callable[[Any, Any, Any], Awaitable[None]]


def described_for_tests(app: App) -> Any:
    """Return the description with names of talks that there are: no schema can say which, so others are not made up."""
    document = openapi.document(api.OPERATIONS)
    for item in document["paths"].values():
        for parameter in item["get"]["parameters"]:
            match parameter["name"], parameter["in"]:
                case "talk", "path":
                    parameter["schema"] = {"enum": ["ships", "bees"]}
                case "talk", "query":
                    parameter["schema"] = {"type": "array", "items": {"enum": ["ships", "bees"]}}
                case "moment", _:
                    parameter["schema"] = {"enum": ["ships@62", "bees@61"]}
    schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config(seed=1))
    schema.app = app
    schema.config.update(base_url="http://localhost")
    return schema


RUNNING: list[App] = []


async def running(scope: Any, receive: Any, send: Any) -> None:
    await RUNNING[0](scope, receive, send)


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    pool = IndexPool(make_index(tmp_path_factory.mktemp("api")), encoder=CountingEncoder())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guards, "_AT_ONCE", 1_000_000)
        RUNNING[:] = [application(pool, "localhost")]
        yield
    pool.close()


@described_for_tests(running).parametrize()
@settings(max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_the_api_does_what_its_description_says(in_process: None, case: Any) -> None:
    # That a stretch ends after it begins, and begins within the talk, no schema says, nor that k and context have a
    # limit together.
    is_free = case.operation.path != "/api/talks/{talk}" and "context" not in (case.query or {})
    case.call_and_validate(excluded_checks=[] if is_free else [positive_data_acceptance])
