"""Functions of the author's: what they take, what they do with it, and what they refer to."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from shoal.check.finding import Place
from shoal.check.source.kinds import Kind, kind_of, made_of
from shoal.check.source.module import Module

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_ENTERING = frozenset({"enter_context", "enter_async_context"})
"""Methods of `contextlib.ExitStack`, which give what the context that they are given gives."""
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


class Reference(NamedTuple):
    """How a function refers to something."""

    looped: bool
    """Whether only within loops."""
    line: int
    """Where it first does."""
    column: int

    def beside(self, other: "Reference | None") -> "Reference":
        """Take two references to the same thing together."""
        if other is None:
            return self
        return Reference(self.looped and other.looped, *min((self.line, self.column), (other.line, other.column)))


@dataclass(frozen=True, eq=False)
class Function:
    """One function or method.

    Attributes:
        module: Where it stands.
        node: What it says.
        owner: The class whose method it is, or None.
        lent: What parameters without an annotation are given, by those that call it.
    """

    module: Module
    node: Definition
    owner: ast.ClassDef | None = None
    lent: tuple[tuple[str, Kind], ...] = ()

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
        return dict(self.lent) | {name: kind for name, kind in found.items() if kind is not None}

    @cached_property
    def untyped(self) -> frozenset[str]:
        """Parameters that say no type."""
        return frozenset(name for name, arg in self.parameters.items() if arg.annotation is None)

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
        """What it does with what it was given, in the order of the source; a method that it hands on is called."""
        found = [
            Use(kind, node.func.attr, node, self, looped)
            for each, looped in self.body
            for node in ([each, *_handed(each)] if isinstance(each, ast.Call) else ())
            if isinstance(node.func, ast.Attribute) and (kind := self.kind(node.func.value)) is not None
        ]
        return tuple(sorted(found, key=lambda use: (use.node.lineno, use.node.col_offset)))

    @cached_property
    def named(self) -> dict[str, Reference]:
        """What its body refers to by name, in full."""
        found: dict[str, Reference] = {}
        for node, looped in self.body:
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                name = self.own(node) or self.module.name_of(node)
                if name and _root(node) not in self.bound:
                    found[name] = Reference(looped, node.lineno, node.col_offset).beside(found.get(name))
        return found

    @cached_property
    def bound(self) -> frozenset[str]:
        """Names that it binds itself, so that they are nothing of its module: parameters, variables, rounds."""
        spread = {name for node, _ in self.body if isinstance(node, ast.Global) for name in node.names}
        return frozenset(self.parameters.keys() - {"self"} | (self._stored.keys() - spread))

    @cached_property
    def asked(self) -> dict[tuple[str, str], Reference]:
        """Whose methods it refers to.

        Whose: the full name of a class, of a function that returns one of it, or of what is bound to one.
        """
        found: dict[tuple[str, str], Reference] = {}
        for node, looped in self.body:
            whose = self.whose(node.value) if isinstance(node, ast.Attribute) else ""
            if whose and isinstance(node, ast.Attribute):
                reference = Reference(looped, node.lineno, node.col_offset)
                found[whose, node.attr] = reference.beside(found.get((whose, node.attr)))
        return found

    def handing(self, name: str) -> Iterator[tuple[list[ast.expr], dict[str, ast.expr]]]:
        """List what another function, by its full name, is called with; by way of ``functools.partial``, too."""
        for node, _ in self.body:
            if isinstance(node, ast.Call):
                func, args = node.func, node.args
                if self.module.name_of(func) == "functools.partial" and args:
                    func, args = args[0], args[1:]
                if (self.own(func) if isinstance(func, ast.Attribute) else "") == name or (
                    self.module.name_of(func) == name
                ):
                    yield args, {word.arg: word.value for word in node.keywords if word.arg}

    def kind(self, expression: ast.expr) -> Kind | None:
        """Tell the type of a parameter, of what ``__init__`` keeps, or of what is made of a class; else None."""
        return self._kind(expression, self._held)

    def value(self, name: str) -> ast.expr | None:
        """Find what it binds a name to; None where it binds it more than once, or not by an assignment."""
        if name in self.parameters or self._stored[name] != 1:
            return None
        pairs = (pair for node, _ in self.body for pair in _bindings(node))
        return next((value for target, value in pairs if isinstance(target, ast.Name) and target.id == name), None)

    @cached_property
    def _stored(self) -> Counter[str]:
        return Counter(n.id for n, _ in self.body if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))

    @cached_property
    def _held(self) -> dict[str, Kind]:
        """Names that it binds to something whose type is known, to the same each time; ``x = None`` says nothing."""
        bound: dict[str, list[ast.expr]] = {}
        for target, value in (pair for node, _ in self.body for pair in _bindings(node)):
            if isinstance(target, ast.Name):
                bound.setdefault(target.id, []).append(value)
        found: dict[str, Kind] = {}
        for name, values in bound.items():
            kinds = {self._kind(value, found) for value in values if not _is_none(value)}
            kind = kinds.pop() if len(kinds) == 1 and len(values) == self._stored[name] else None
            found |= {} if kind is None else {name: kind}
        return found

    def _kind(self, expression: ast.expr, held: Mapping[str, Kind]) -> Kind | None:
        if isinstance(expression, ast.Name):
            return self.kinds.get(expression.id) or held.get(expression.id)
        if isinstance(expression, ast.Attribute) and _is_self(expression.value) and self.owner:
            return self._keeps.get(expression.attr)
        if not isinstance(expression, ast.Call):
            return None
        if isinstance(expression.func, ast.Attribute) and expression.func.attr in _ENTERING and expression.args:
            return self._kind(expression.args[0], held)
        return None if _root(expression.func) in self.bound else made_of(self.module, expression)

    @cached_property
    def _keeps(self) -> dict[str, Kind]:
        """What its object keeps, that of bases in the same module included."""
        found: dict[str, Kind] = {}
        waiting = [self.owner] if self.owner else []
        for owner in waiting:  # grows while it is read
            found = _kept(self.module, owner) | found
            bases = [self.module.top.get(base.id) for base in owner.bases if isinstance(base, ast.Name)]
            waiting += [base for base in bases if isinstance(base, ast.ClassDef) and base not in waiting]
        return found

    def whose(self, value: ast.expr) -> str:
        """Name what a method is asked of: its class, or what makes or holds one of it."""
        value = value.value if isinstance(value, ast.Await) else value
        kind = self.kind(value)
        if kind is not None:
            return kind.name
        return "" if _root(value) in self.bound else self.module.known(value)

    def own(self, node: ast.Name | ast.Attribute) -> str:
        """Spell in full what is asked of ``self``; empty for anything else."""
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
                    stack.append((child, within or (not position and field == "args" and _maps(node))))


def _goes_round(node: ast.AST, field: str) -> bool:
    if isinstance(node, _LOOPS):
        return field == "body" or (field == "test" and isinstance(node, ast.While))
    return isinstance(node, _COMPREHENSIONS)


def _maps(node: ast.AST) -> bool:
    """Tell whether a call does for each of several what its first argument does for one."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "map"


def _root(node: ast.expr) -> str:
    """Name that of which something is asked: ``a`` of ``a.b.c``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _handed(call: ast.Call) -> Iterator[ast.Call]:
    """List the methods that a call is given, as calls of which nobody knows with what: ``insist(products.prices)``."""
    for arg in call.args:
        if isinstance(arg, ast.Attribute):
            yield ast.copy_location(ast.Call(func=arg, args=[], keywords=[]), arg)


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """List what a statement binds to what: ``a = b``, ``with b as a``; what is waited for counts as what it gives."""
    said: list[tuple[ast.expr, ast.expr | None]] = []
    if isinstance(node, ast.Assign):
        said = [(target, node.value) for target in node.targets]
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        said = [(node.target, node.value)]
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        said = [(node.optional_vars, node.context_expr)]
    for target, value in said:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, map(_waited, value.elts), strict=False)
        elif value is not None:
            yield target, _waited(value)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _waited(value: ast.expr) -> ast.expr:
    return value.value if isinstance(value, ast.Await) else value


def _kept(module: Module, owner: ast.ClassDef) -> dict[str, Kind]:
    """Read what an object keeps: fields of its class, and ``self.x = x`` of its ``__init__``."""
    found: dict[str, Kind] = {}
    for node in owner.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kind = kind_of(module, node.annotation)
            found |= {} if kind is None else {node.target.id: kind}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            kind = made_of(module, node.value)
            found |= {} if kind is None else {node.targets[0].id: kind}
        elif isinstance(node, ast.FunctionDef) and node.name == "__init__":
            found |= _assigned(module, node)
    return found


def _assigned(module: Module, init: ast.FunctionDef) -> dict[str, Kind]:
    kinds = {a.arg: kind_of(module, a.annotation) for a in (*init.args.args, *init.args.kwonlyargs)}
    found: dict[str, Kind] = {}
    for target, value in (pair for node in ast.walk(init) for pair in _bindings(node)):
        kind = kinds.get(value.id) if isinstance(value, ast.Name) else made_of(module, value)
        if isinstance(target, ast.Attribute) and _is_self(target.value) and kind is not None:
            found[target.attr] = kind
    return found
