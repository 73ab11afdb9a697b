"""Which of the author's own code tries again what has failed."""

import ast
from collections.abc import Iterable, Iterator

from shoal.check.graph import Handler, Site
from shoal.check.source import Function
from shoal.check.subject import Subject

DECORATORS = frozenset(
    {"tenacity.retry", "stamina.retry", "retrying.retry", "backoff.on_exception", "backoff.on_predicate"}
)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_LEAVING = (ast.Raise, ast.Return, ast.Break)


def repeated(subject: Subject, handler: Handler, sites: Iterable[Site]) -> list[Site]:
    """List those of a handler's calls that its own code makes again when they fail."""
    certain = [site for site in sites if site.certain]
    functions = subject.source.reached(handler.function) if handler.function and certain else ()
    spans = [span for function, _looped in functions for span in _spans(function)]
    return [
        site
        for site in certain
        if any(file == site.where.file and first <= site.where.line <= last for file, first, last in spans)
    ]


def _spans(function: Function) -> Iterator[tuple[str, int, int]]:
    """List file, first and last line of what is tried again when it fails."""
    path, node = function.module.shown, function.node
    for decorator in node.decorator_list:
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        if function.module.name_of(named) in DECORATORS:
            yield path, node.lineno, node.end_lineno or node.lineno
    for loop, _looped in function.body:
        if isinstance(loop, _LOOPS):
            for part in ast.walk(loop):
                if isinstance(part, ast.Try) and _again(loop, part):
                    yield path, part.lineno, part.body[-1].end_lineno or part.lineno


def _again(loop: ast.For | ast.AsyncFor | ast.While, part: ast.Try) -> bool:
    """Tell whether a loop goes on after an error, and ends when there is none: else each round is another thing."""
    handled = {id(node) for handler in part.handlers for node in ast.walk(handler)}
    ends = any(isinstance(node, ast.Break | ast.Return) and id(node) not in handled for node in ast.walk(loop))
    return (ends or isinstance(loop, ast.While)) and any(_goes_on(handler) for handler in part.handlers)


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether the loop goes on after an error: its handler leaves it on no way."""
    return not any(isinstance(part, _LEAVING) for statement in handler.body for part in ast.walk(statement))
