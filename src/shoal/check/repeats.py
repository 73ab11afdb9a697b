"""Which of the author's own code tries again what has failed."""

import ast
from collections.abc import Iterable, Iterator

from shoal.check.graph import Handler, Site
from shoal.check.source import Function, Module, Source
from shoal.check.subject import Subject

DECORATORS = frozenset(
    {"tenacity.retry", "stamina.retry", "retrying.retry", "backoff.on_exception", "backoff.on_predicate"}
)
ATTEMPTS = frozenset({"tenacity.AsyncRetrying", "tenacity.Retrying", "stamina.retry_context"})
"""What gives one attempt after the other to a loop."""
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_LEAVING = (ast.Raise, ast.Return, ast.Break)


def repeated(subject: Subject, handler: Handler, sites: Iterable[Site]) -> list[Site]:
    """List those of a handler's calls that its own code makes again when they fail."""
    certain = [site for site in sites if site.certain]
    functions = subject.graph.reached(handler) if certain else ()
    spans = [span for function in functions for span in _spans(subject.source, function)]
    return [
        site
        for site in certain
        if any(file == site.where.file and first <= site.where.line <= last for file, first, last in spans)
    ]


def _spans(source: Source, function: Function) -> Iterator[tuple[str, int, int]]:
    """List file, first and last line of what is tried again when it fails."""
    path, node = function.module.shown, function.node
    for decorator in node.decorator_list:
        name = function.module.name_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
        own = source.named(name)
        if name in DECORATORS or (own is not None and any(_tries(own))):
            yield path, node.lineno, node.end_lineno or node.lineno
    for node_, _looped in function.body:
        asked = _asking(function.module, node_)
        if asked is not None and (own := source.named(asked[0])) is not None and any(_tries(own)):
            yield path, asked[1].lineno, asked[1].end_lineno or asked[1].lineno
    for first, last in _tries(function):
        yield path, first, last


def _asking(module: Module, node: ast.AST) -> tuple[str, ast.Call] | None:
    """Read a call that is given methods to call: ``insist(products.prices)``; None of anything else."""
    if isinstance(node, ast.Call) and any(isinstance(arg, ast.Attribute) for arg in node.args):
        name = module.known(node.func)
        return (name, node) if name else None
    return None


def _tries(function: Function) -> Iterator[tuple[int, int]]:
    """List first and last line of what a function does again when it fails: in loops of its own, or of a library."""
    for loop, _looped in function.body:
        if isinstance(loop, _LOOPS):
            for part in ast.walk(loop):
                if isinstance(part, ast.Try) and _again(loop, part):
                    yield part.lineno, part.body[-1].end_lineno or part.lineno
            asked = loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else None
            if isinstance(asked, ast.Call) and function.module.name_of(asked.func) in ATTEMPTS:
                yield loop.lineno, loop.end_lineno or loop.lineno


def _again(loop: ast.For | ast.AsyncFor | ast.While, part: ast.Try) -> bool:
    """Tell whether a loop goes on after an error, and ends when there is none: else each round is another thing."""
    handled = {id(node) for handler in part.handlers for node in ast.walk(handler)}
    ends = any(isinstance(node, ast.Break | ast.Return) and id(node) not in handled for node in ast.walk(loop))
    return (ends or isinstance(loop, ast.While)) and any(_goes_on(handler) for handler in part.handlers)


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether the loop goes on after an error: its handler leaves it on no way."""
    return not any(isinstance(part, _LEAVING) for statement in handler.body for part in ast.walk(statement))
