"""All modules of the author's together: what a name refers to, what stands at a place, how far a function reaches."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import msgspec

from shoal.check.finding import Place, at
from shoal.check.source.functions import Definition, Function, Reference, Use, functions
from shoal.check.source.kinds import Kind, given, kind_of
from shoal.check.source.module import Module


class Contract(NamedTuple):
    """A class of the author's that says what a service is asked."""

    service: str
    name: str
    """In full."""
    operations: frozenset[str]
    """Names of its methods."""


class Marked(NamedTuple):
    """A class or a function of the author's with a decorator."""

    module: Module
    node: ast.stmt
    call: ast.Call | None
    """The decorator with its arguments; None where it has none."""

    def said(self, name: str, position: int = -1) -> object:
        """Return what the decorator is told, by name or by position, where that is written out; else None."""
        if self.call is None:
            return None
        named: dict[str | None, ast.expr] = {word.arg: word.value for word in self.call.keywords}
        value = named.get(name) or (self.call.args[position] if 0 <= position < len(self.call.args) else None)
        try:
            return None if value is None else ast.literal_eval(value)
        except ValueError:
            return None


class Source:
    """The author's source. Nothing is parsed before it is asked for.

    Args:
        modules: Every module that the system is declared with.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.modules = tuple(sorted(modules, key=lambda module: module.path))
        self._reached: dict[Function, tuple[tuple[Function, bool], ...]] = {}
        self._uses: dict[Function, tuple[Use, ...]] = {}
        self._methods: dict[tuple[str, str], Function | None] = {}
        self._lending: dict[tuple[Function, tuple[tuple[str, Kind], ...]], Function] = {}

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.modules)

    def module(self, path: str) -> Module | None:
        """Find a module by its path."""
        return self._by_path.get(path)

    def by_name(self, name: str) -> Module | None:
        """Find a module by its dotted name."""
        return self._by_name.get(name)

    def function(self, where: str) -> Function | None:
        """Find the function whose first line is at a place of the model, ``file:line``."""
        place = at(where)
        return self._at_line.get(place.file, {}).get(place.line)

    def named(self, name: str) -> Function | None:
        """Find a function by its full name, also by one under which another module has it."""
        return self._functions.get(self.origin(name))

    def class_named(self, name: str) -> tuple[Module, ast.ClassDef] | None:
        """Find a class of the author's by its full name."""
        owner, _, last = self.origin(name).rpartition(".")
        module = self._by_name.get(owner)
        node = module.top.get(last) if module else None
        return (module, node) if module and isinstance(node, ast.ClassDef) else None

    def value(self, name: str) -> ast.expr | None:
        """Find what a name is bound to at the top of a module or of a class, by its full name; else None."""
        owner, _, last = self.origin(name).rpartition(".")
        module, held = self._by_name.get(owner), self.class_named(owner)
        node = module.top.get(last) if module else held[0].bound_in(held[1]).get(last) if held else None
        return node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None

    def holder(self, name: str) -> Module | None:
        """Find the module in which something at the top of it, or of one of its classes, is bound, by its full name."""
        owner = self.origin(name).rpartition(".")[0]
        held = self.class_named(owner)
        return self._by_name.get(owner) or (held[0] if held else None)

    def origin(self, name: str) -> str:
        """Follow a name to where it is defined: what a package hands on is somebody else's."""
        for _ in range(10):  # a name that leads round in a circle leads nowhere
            owner, _, last = name.rpartition(".")
            module = self._by_name.get(owner)
            if module is None or last in module.top or last not in module.imported:
                return name
            name = module.imported[last]
        return name

    def contract(self, name: str) -> Contract | None:
        """Read a class that is decorated with ``@contract("service")``; None for any other name."""
        found = self._marked.get("shoal.contract", {}).get(self.origin(name))
        if found is None or not isinstance(found.node, ast.ClassDef):
            return None
        service = found.call.args[0] if found.call and found.call.args else None
        if not isinstance(service, ast.Constant):
            return None
        methods = {part.name for part in found.node.body if isinstance(part, ast.AsyncFunctionDef)}
        return Contract(str(service.value), self.origin(name), frozenset(methods))

    @property
    def functions(self) -> Iterable[Function]:
        """Every function of a module, and every method of its classes."""
        return self._functions.values()

    def marked(self, mark: str) -> Mapping[str, Marked]:
        """Map the full names of classes and functions at the top of modules that bear a decorator, ``shoal.event``."""
        return self._marked.get(mark, {})

    def reached(self, function: Function) -> tuple[tuple[Function, bool], ...]:
        """List a function and all others of the author's to which it leads, and whether only in rounds of a loop.

        A function counts as reached where its name stands: called, or handed on to be called.
        """
        if function not in self._reached:
            self._reached[function] = tuple(self._leads(function).items())
        return self._reached[function]

    def uses(self, function: Function) -> Sequence[Use]:
        """List what a function does with what it is given, itself and by those to which it leads."""
        if function not in self._uses:
            self._uses[function] = tuple(
                use if not looped or use.looped else Use(use.kind, use.method, use.node, use.function, looped)
                for one, looped in self.reached(function)
                for use in one.uses
            )
        return self._uses[function]

    def method(self, owner: str, name: str) -> Function | None:
        """Find a method.

        Args:
            owner: Full name of a class of the author's, of a function that returns one of it, or of what is bound to
                one; methods of its bases are its own.
            name: What the method is called.
        """
        if (owner, name) not in self._methods:
            self._methods[owner, name] = None  # a class that is its own base has none
            self._methods[owner, name] = self._method(owner, name)
        return self._methods[owner, name]

    def maker(self, function: Function, value: ast.expr) -> str:
        """Name what a value is an object of, or was made by, in full, the author's or not; empty where nobody knows."""
        name = function.whose(value)
        held = self.value(name)
        holder = self.holder(name) if isinstance(held, ast.Call) else None
        return holder.known(held.func) if holder and isinstance(held, ast.Call) else self.origin(name)

    def _method(self, owner: str, name: str) -> Function | None:
        known = self._class_of(owner)
        if known is None:
            return None
        module, node = known
        found = self._functions.get(f"{module.name}.{node.name}.{name}")
        inherited = (self.method(module.name_of(base), name) for base in node.bases)
        return found or next(filter(None, inherited), None)

    def _class_of(self, name: str) -> tuple[Module, ast.ClassDef] | None:
        """Find a class by its name, or by that of what returns one of it or holds one."""
        for _ in range(10):  # a name that leads round in a circle leads nowhere
            found = self.class_named(name)
            if found is not None or not name:
                return found
            function, value = self.named(name), self.value(name)
            if function is not None:
                kind = given(kind_of(function.module, function.node.returns))
                own = function.owner is not None and kind == "typing.Self"
                name = f"{function.module.name}.{function.owner.name}" if own and function.owner else kind
            else:
                owner = self.holder(name)
                made = value.func if isinstance(value, ast.Call) else value
                name = owner.known(made) if owner and made is not None else ""
        return None

    def following(self, function: Function) -> Iterator[tuple[Function, Reference]]:
        """List the functions to which one refers: by name, as a method of an object, as a decorator of its own."""
        for name, reference in function.named.items():
            other = self._functions.get(name) or self.named(name)
            if other is not None:
                yield self._lent(function, name, other), reference
        for (owner, name), reference in function.asked.items():
            other = self.method(owner, name)
            if other is not None:
                yield other, reference
        for mark in function.node.decorator_list:
            other = self.named(function.module.known(mark.func if isinstance(mark, ast.Call) else mark))
            if other is not None:
                yield other, Reference(looped=False, line=mark.lineno, column=mark.col_offset)

    def _leads(self, function: Function) -> dict[Function, bool]:
        found: dict[Function, bool] = {function: False}
        waiting = [function]
        for one in waiting:  # grows while it is read
            for other, reference in self.following(one):
                looped = reference.looped or found[one]
                if other not in found or (found[other] and not looped):
                    waiting += [other]
                    found[other] = looped
        return found

    def _lent(self, function: Function, name: str, other: Function) -> Function:
        """Return a function with the types of what it is given by another, where it says none itself."""
        lent: dict[str, Kind] = {}
        names = [each for each in other.parameters if each != "self" or not other.owner]
        for args, words in function.handing(name) if other.untyped & set(names) else ():
            for parameter, value in (*zip(names, args, strict=False), *words.items()):
                kind = function.kind(value) if parameter in other.untyped else None
                lent |= {} if kind is None else {parameter: kind}
        if not lent:
            return other
        key = (other, tuple(sorted(lent.items())))
        return self._lending.setdefault(key, replace(other, lent=key[1]))

    def place_of(self, where: str) -> Place:
        """Say where a declaration of the model is, to the column where its line is known."""
        place = at(where)
        module = self.module(place.file)
        if module is None:
            return place
        place = msgspec.structs.replace(place, file=module.shown)
        if not 0 < place.line <= len(module.lines):
            return place
        text = module.lines[place.line - 1]
        bare = text.strip()
        begin = len(text) - len(text.lstrip()) + 1
        return Place(place.file, place.line, begin, place.line, begin + len(bare)) if bare else place

    @cached_property
    def _marked(self) -> dict[str, dict[str, Marked]]:
        found: dict[str, dict[str, Marked]] = {}
        for module in self.modules:
            for name, node in module.top.items():
                for mark in node.decorator_list if isinstance(node, ast.ClassDef | Definition) else ():
                    call = mark if isinstance(mark, ast.Call) else None
                    full = module.name_of(call.func if call else mark)
                    found.setdefault(full, {})[f"{module.name}.{name}"] = Marked(module, node, call)
        return found

    @cached_property
    def called(self) -> Mapping[str, Sequence[tuple[Module, ast.Call]]]:
        """Full name → every call of it, ``requests.get``; what is called on a value has no full name."""
        found: dict[str, list[tuple[Module, ast.Call]]] = {}
        for module in self.modules:
            for call in module.every(ast.Call):
                if name := module.name_of(call.func):
                    found.setdefault(name, []).append((module, call))
        return found

    @cached_property
    def _by_path(self) -> dict[str, Module]:
        return {module.path: module for module in self.modules}

    @cached_property
    def _by_name(self) -> dict[str, Module]:
        return {module.name: module for module in self.modules}

    @cached_property
    def _functions(self) -> dict[str, Function]:
        return {f"{f.module.name}.{f.name}": f for module in self.modules for f in functions(module)}

    @cached_property
    def _at_line(self) -> dict[str, dict[int, Function]]:
        found: dict[str, dict[int, Function]] = {}
        for module in self.modules:
            own = found.setdefault(module.path, {})
            every: list[Definition] = [*module.every(ast.AsyncFunctionDef), *module.every(ast.FunctionDef)]
            nested = (Function(module, node) for node in every)
            for function in (*nested, *functions(module)):  # those that know their class come last
                own[function.line] = function
        return found
