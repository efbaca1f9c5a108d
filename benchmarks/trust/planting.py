"""Plants a fault in a module that is imported already, in this process: for `mutants.py`, which forks one for each."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mutations import Mutation


def name_of(file: str) -> str:
    """Return the name under which a file of the project is imported.

    >>> name_of("search/ranking/fusion.py"), name_of("indexer/restore/__init__.py")
    ('talksearch.search.ranking.fusion', 'talksearch.indexer.restore')
    """
    return "talksearch." + ".".join(Path(file).with_suffix("").parts).removesuffix(".__init__")


def function_around(tree: ast.Module, fault: Mutation) -> tuple[str, ...]:
    """Return the names that lead to the outermost function in whose body a fault lies; none where there is no such."""
    path: list[str] = []
    node: ast.AST = tree
    for name in filter(None, fault.scope.split(".")):
        node = next(
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.FunctionDef | ast.ClassDef)
            and child.name == name
            and child.lineno <= fault.line <= (child.end_lineno or 0)
        )
        path.append(name)
        if isinstance(node, ast.FunctionDef):
            in_body = any(fault.parent is below for statement in node.body for below in ast.walk(statement))
            return tuple(path) if in_body or (fault.parent is node and fault.field == "body") else ()
    return ()


def plant(file: str, tree: ast.Module, fault: Mutation) -> None:
    """Change the module of a file as a fault changes its tree. Raises whatever its import would raise then.

    A function keeps its identity and gets other code, so that whoever imported it has the fault too. Where the fault
    lies elsewhere, the module is run again beside itself, and what it defines takes the place of what it defined.
    """
    module = sys.modules[name_of(file)]
    path = function_around(tree, fault)
    fault.plant()
    code = compile(tree, str(module.__file__), "exec")
    if path:
        function = _function(module, path)
        function.__code__ = _code_at(code, function.__code__)
    else:
        _replace_all(module, code)


def _function(holder: Any, path: tuple[str, ...]) -> FunctionType:
    for name in path:
        holder = vars(holder)[name]
    while not isinstance(holder, FunctionType):  # a property, a cache, a context manager, a class method
        holder = getattr(holder, "fget", None) or getattr(holder, "__wrapped__", None) or holder.__func__
    return holder if not hasattr(holder, "__wrapped__") else holder.__wrapped__


def _code_at(code: CodeType, before: CodeType) -> CodeType:
    """Return the code of a function in that of its module, by its name and its line."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if (constant.co_qualname, constant.co_firstlineno) == (before.co_qualname, before.co_firstlineno):
                return constant
            if before.co_qualname.startswith(f"{constant.co_qualname}."):
                return _code_at(constant, before)
    raise LookupError(before.co_qualname)


def _replace_all(module: ModuleType, code: CodeType) -> None:
    fresh = ModuleType(module.__name__)
    fresh.__dict__.update({key: value for key, value in vars(module).items() if key.startswith("__")})
    sys.modules[module.__name__] = fresh  # dataclasses ask for it
    try:
        exec(code, fresh.__dict__)
    finally:
        sys.modules[module.__name__] = module
    before = dict(vars(module))
    for name, value in vars(fresh).items():
        old = before.get(name)
        if name.startswith("__") or old is value:
            continue
        if isinstance(old, FunctionType) and isinstance(value, FunctionType):
            old.__defaults__, old.__kwdefaults__ = value.__defaults__, value.__kwdefaults__
            continue
        for other in list(sys.modules.values()):
            names = getattr(other, "__dict__", {})
            if other is not fresh and names.get(name) is old and old is not None:
                names[name] = value
