"""Which modules a source imports, as far as it can be read: a name that is computed is not seen. Pure."""

import ast
from collections.abc import Iterator


def imported(source: str | bytes, package: str) -> tuple[str, ...]:
    """List every name that a source imports and that may be a module: ``from a import b`` may mean ``a.b``.

    Args:
        source: Python.
        package: The package that it belongs to, from which its relative imports are read; empty for none.

    Raises:
        SyntaxError: It is no Python.
        ValueError: It holds a null byte.
    """
    return tuple(_names(ast.parse(source), package))


def with_parents(module: str) -> list[str]:
    """List a module and its packages, which are imported with it."""
    parts = module.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def candidates(module: str) -> tuple[str, str]:
    """Name the files that a module may be, the one that is taken first in front."""
    path = module.replace(".", "/")
    return f"{path}/__init__.py", f"{path}.py"


def _names(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if node.level else []
            parts = parts[: len(parts) - node.level + 1] if node.level else parts
            base = ".".join(filter(None, (*parts, node.module or "")))
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names if alias.name != "*")
