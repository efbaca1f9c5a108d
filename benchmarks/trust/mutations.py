"""Small faults to plant in a module, one at a time: what `mutants.py` tries the tests with.

Each is one change of the syntax tree: another operator, comparison, number, text or truth value, a condition the other
way round, a statement left out, `None` returned, `break` for `continue`, an end of a slice left open, an argument left
out. Nothing is planted in what does not run or cannot show: annotations, docstrings, imports, decorators, and
`strict=` of `zip`, which states what the code around it makes sure of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Mutation:
    """A change of one node of a tree."""

    line: int
    scope: str
    """The function or class that it lies in, with those around it; empty in the module itself."""
    node: ast.AST
    parent: ast.AST
    field: str
    position: int | None
    """Where the node stands in its parent's field, if that is a list."""
    replacement: ast.AST | None
    """None takes the node out of a list."""

    @property
    def name(self) -> str:
        """What it is, whatever line it stands on: `scope: before → after`."""
        after = "nothing" if self.replacement is None else _shown(self.replacement, self.parent)
        return f"{self.scope}: {_shown(self.node, self.parent)} → {after}"

    def plant(self) -> None:
        """Change the tree that it was found in."""
        if self.position is None:
            setattr(self.parent, self.field, self.replacement)
        elif self.replacement is None:
            del getattr(self.parent, self.field)[self.position]
        else:
            getattr(self.parent, self.field)[self.position] = self.replacement
        ast.fix_missing_locations(self.parent)


_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Pow: ast.Mult,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "startswith": "endswith", "endswith": "startswith"}
_UNTOUCHED = ("annotation", "returns", "decorator_list", "type_params", "ctx", "names")
"""Fields of nodes in which nothing is planted."""


def mutations(tree: ast.Module) -> list[Mutation]:
    """Return every fault that can be planted in a module, in a fixed order. Each changes the tree that was given."""
    return list(_below(tree, ""))


def _below(node: ast.AST, scope: str) -> Iterator[Mutation]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}" if scope else node.name
    for field, value in ast.iter_fields(node):
        if field in _UNTOUCHED:
            continue
        for position, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _cannot_show(child):
                continue
            for replacement in _replacements(node, field, child, len(value) if isinstance(value, list) else 0):
                yield Mutation(
                    getattr(child, "lineno", getattr(node, "lineno", 0)),
                    scope,
                    child,
                    node,
                    field,
                    position,
                    replacement,
                )
            yield from _below(child, scope)


def _shown(node: ast.AST, parent: ast.AST) -> str:
    """Return a node as code on one line; a sign of comparison says little, so what it compares stands beside it."""
    if isinstance(node, ast.cmpop):
        if isinstance(parent, ast.Compare) and len(parent.ops) == 1:
            return " ".join(ast.unparse(ast.Compare(parent.left, [node], parent.comparators)).split())
        return type(node).__name__
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())


def _cannot_show(node: ast.AST) -> bool:
    """Say whether a node is a docstring, an import, or a statement that the code around it already made sure of."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr) or (
        isinstance(node, ast.keyword) and node.arg == "strict"
    )


def _replacements(parent: ast.AST, field: str, node: ast.AST, siblings: int) -> Iterator[ast.AST | None]:
    """Yield what may stand in place of a node; None for nothing."""
    match node:
        case ast.cmpop():
            yield from (other() for other in _COMPARED[type(node)])
        case ast.BinOp() if other := _OPERATORS.get(type(node.op)):
            yield ast.BinOp(node.left, other(), node.right)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for left_out in range(len(node.values)):
                rest = [value for number, value in enumerate(node.values) if number != left_out]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.Constant():
            yield from _other_values(node.value)
        case ast.Name() | ast.Attribute() if field == "func":
            name = node.id if isinstance(node, ast.Name) else node.attr
            if other := _NAMES.get(name):
                yield ast.Name(other, ast.Load()) if isinstance(node, ast.Name) else ast.Attribute(node.value, other)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Slice():
            if node.lower and node.upper:
                yield ast.Slice(None, node.upper, node.step)
                yield ast.Slice(node.lower, None, node.step)
        case ast.keyword() if siblings and isinstance(parent, ast.Call):
            yield None
        case ast.stmt():
            yield from _other_statements(node)
    if field == "ifs":
        yield ast.Constant(True)
    # A comparison is turned round by its sign, and a `not` is left out, as everywhere.
    is_condition = field == "ifs" or (field == "test" and isinstance(parent, ast.If | ast.While))
    if is_condition and isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.BoolOp | ast.NamedExpr):
        yield ast.UnaryOp(ast.Not(), node)


def _other_values(value: object) -> Iterator[ast.AST]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield ast.Constant(value + 1)
            if isinstance(value, int) or value:
                yield ast.Constant(value - 1 if isinstance(value, int) else value / 2)
        case str():
            yield ast.Constant(f"XX{value}XX" if value else "XX")


def _other_statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=value) if value is not None and not (
            isinstance(value, ast.Constant) and value.value is None
        ):
            yield ast.Return(ast.Constant(None))
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.AugAssign():
            yield ast.Pass()
            yield ast.Assign([node.target], node.value)
        case ast.Expr() | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield ast.Pass()
