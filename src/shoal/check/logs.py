"""Which calls of the author's write into a log."""

import ast
from collections.abc import Iterator

from shoal.check.source import Module

LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
MAKERS = frozenset({"logging.getLogger", "structlog.get_logger", "structlog.stdlib.get_logger"})
BOUND = frozenset({"bind", "new", "getChild"})
"""Methods of loggers that return another one."""


def logged(module: Module) -> Iterator[ast.Call]:
    """List the calls of ``logging`` and of structlog, and those by which their loggers are told what to add."""
    bound = [(target, node.value) for node in module.every(ast.Assign) for target in node.targets]
    bound += [(node.target, node.value) for node in module.every(ast.AnnAssign) if node.value]
    loggers = {_name(target) for target, value in bound if _makes(module, value, set())} - {""}
    for call in module.every(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS | BOUND:
            owner = call.func.value
            if _makes(module, owner, loggers) or module.name_of(owner) == "logging":
                yield call


def _makes(module: Module, value: ast.expr | None, loggers: set[str]) -> bool:
    """Tell whether an expression is a logger: one that is made, bound to a name, or told something."""
    if not isinstance(value, ast.Call):
        return value is not None and _name(value) in loggers
    told = isinstance(value.func, ast.Attribute) and value.func.attr in BOUND
    return module.name_of(value.func) in MAKERS or (
        told and isinstance(value.func, ast.Attribute) and _makes(module, value.func.value, loggers)
    )


def _name(node: ast.expr) -> str:
    """Say what a variable, or what an object keeps, is called; empty for anything else."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
