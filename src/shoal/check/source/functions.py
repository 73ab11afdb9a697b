"""Functions of the author's: what they take, what they do with it, and what they refer to."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from shoal.check.finding import Place
from shoal.check.source.kinds import Kind, kind_of
from shoal.check.source.module import Module

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, eq=False)
class Use:
    """A method that is called on something that a function was given: ``tx.find(...)``, ``products.prices(...)``."""

    kind: Kind
    """The type of what it is called on."""
    method: str
    node: ast.Call
    function: "Function"
    looped: bool
    """Whether it happens for each round of a loop of its function."""

    @property
    def where(self) -> Place:
        """Where the method is named."""
        return self.function.module.head(self.node.func)


@dataclass(frozen=True, eq=False)
class Function:
    """One function or method.

    Attributes:
        module: Where it stands.
        node: What it says.
        owner: The class whose method it is, or None.
    """

    module: Module
    node: Definition
    owner: ast.ClassDef | None = None

    @property
    def name(self) -> str:
        """What it is called within its module: ``place_order``, ``ReturnGoods.refund``."""
        return f"{self.owner.name}.{self.node.name}" if self.owner else self.node.name

    @property
    def line(self) -> int:
        """The first line, which is that of a decorator where there is one."""
        return min([self.node.lineno, *(decorator.lineno for decorator in self.node.decorator_list)])

    @property
    def where(self) -> Place:
        """Where it is named: its first line without the decorators."""
        return self.module.head(self.node)

    @cached_property
    def parameters(self) -> dict[str, ast.arg]:
        """Its parameters by name."""
        arguments = self.node.args
        return {a.arg: a for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Parameter → its type, as far as it can be read."""
        found = {name: kind_of(self.module, arg.annotation) for name, arg in self.parameters.items()}
        return {name: kind for name, kind in found.items() if kind is not None}

    @cached_property
    def taken(self) -> frozenset[str]:
        """Types of the parameters with which its body does something, in full."""
        named = {node.id for node, _ in self.body if isinstance(node, ast.Name)}
        return frozenset(kind.name for name, kind in self.kinds.items() if name in named)

    @cached_property
    def body(self) -> tuple[tuple[ast.AST, bool], ...]:
        """Every node of its body, functions within it included, and whether a loop of it goes round it."""
        return tuple(pair for statement in self.node.body for pair in _walk(statement))

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What it does with what it was given, in the order of the source."""
        found = [
            Use(kind, node.func.attr, node, self, looped)
            for node, looped in self.body
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (kind := self.kind(node.func.value)) is not None
        ]
        return tuple(sorted(found, key=lambda use: (use.node.lineno, use.node.col_offset)))

    @cached_property
    def named(self) -> dict[str, bool]:
        """What its body refers to by name, in full, and whether only within loops."""
        found: dict[str, bool] = {}
        for node, looped in self.body:
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                name = self._own(node) or self.module.name_of(node)
                if name and _root(node) not in self._bound:
                    found[name] = found.get(name, True) and looped
        return found

    @cached_property
    def _bound(self) -> frozenset[str]:
        """Names that it binds itself, so that they are nothing of its module: parameters, variables, rounds."""
        stored = {node.id for node, _ in self.body if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        spread = {name for node, _ in self.body if isinstance(node, ast.Global) for name in node.names}
        return frozenset(self.parameters.keys() - {"self"} | stored - spread)

    def kind(self, expression: ast.expr) -> Kind | None:
        """Tell the type of a parameter, or of what ``__init__`` keeps of one; None of anything else."""
        if isinstance(expression, ast.Name):
            return self.kinds.get(expression.id)
        if isinstance(expression, ast.Attribute) and _is_self(expression.value) and self.owner:
            return _kept(self.module, self.owner).get(expression.attr)
        return None

    def _own(self, node: ast.Name | ast.Attribute) -> str:
        if isinstance(node, ast.Attribute) and _is_self(node.value) and self.owner:
            return f"{self.module.name}.{self.owner.name}.{node.attr}"
        return ""


def functions(module: Module) -> Iterator[Function]:
    """List the functions of a module and the methods of its classes; what is defined within one belongs to it."""
    yield from _functions(module, module.tree.body, None)


def _functions(module: Module, body: list[ast.stmt], owner: ast.ClassDef | None) -> Iterator[Function]:
    for node in body:
        if isinstance(node, Definition):
            yield Function(module, node, owner)
        elif isinstance(node, ast.ClassDef):
            yield from _functions(module, node.body, node)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _functions(module, node.body, owner)


def _walk(statement: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """List a node and all within it, and whether a loop goes round each; without recursion, for code may be deep."""
    stack = [(statement, False)]
    while stack:
        node, looped = stack.pop()
        yield node, looped
        for field in node._fields:
            value = getattr(node, field, None)
            if field == "ctx" or not isinstance(value, ast.AST | list):
                continue
            within = looped or _goes_round(node, field)
            for position, child in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(child, ast.comprehension) and not position:  # it is asked once, before the first round
                    stack += [(child.iter, looped), (child.target, looped), *((each, True) for each in child.ifs)]
                elif isinstance(child, ast.AST):
                    stack.append((child, within))


def _goes_round(node: ast.AST, field: str) -> bool:
    if isinstance(node, _LOOPS):
        return field == "body" or (field == "test" and isinstance(node, ast.While))
    return isinstance(node, _COMPREHENSIONS)


def _root(node: ast.expr) -> str:
    """Name that of which something is asked: ``a`` of ``a.b.c``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _kept(module: Module, owner: ast.ClassDef) -> dict[str, Kind]:
    """Read what an object keeps: annotated fields, and ``self.x = x`` of its ``__init__``."""
    found: dict[str, Kind] = {}
    for node in owner.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kind = kind_of(module, node.annotation)
            found |= {} if kind is None else {node.target.id: kind}
        elif isinstance(node, ast.FunctionDef) and node.name == "__init__":
            found |= _assigned(module, node)
    return found


def _assigned(module: Module, init: ast.FunctionDef) -> dict[str, Kind]:
    kinds = {a.arg: kind_of(module, a.annotation) for a in (*init.args.args, *init.args.kwonlyargs)}
    found: dict[str, Kind] = {}
    for target, value in _pairs(init):
        kind = kinds.get(value.id) if isinstance(value, ast.Name) else None
        if isinstance(target, ast.Attribute) and _is_self(target.value) and kind is not None:
            found[target.attr] = kind
    return found


def _pairs(init: ast.FunctionDef) -> Iterator[tuple[ast.expr, ast.expr]]:
    """List what is assigned to what, ``self.a, self.b = a, b`` included."""
    said = [(node.targets, node.value) for node in ast.walk(init) if isinstance(node, ast.Assign)]
    for target, value in ((target, value) for targets, value in said for target in targets):
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=False)
        else:
            yield target, value
