"""Where the author wrote something, as ``package/module.py:line``."""

import inspect
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any


def of_function(function: Callable[..., Any]) -> str:
    """Locate a function."""
    code = inspect.unwrap(function).__code__
    return f"{module_path(function.__module__, code)}:{code.co_firstlineno}"


def of_class(cls: type) -> str:
    """Locate a class; without a line when its source cannot be read."""
    path = module_path(cls.__module__)
    try:
        return f"{path}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return path


def of_caller() -> tuple[str, str]:
    """Locate the caller's caller: its module name and its place."""
    frame = sys._getframe(2)  # noqa: SLF001 - the one cheap way to know who declares
    module = frame.f_globals.get("__name__", "")
    return module, f"{module_path(module, frame.f_code)}:{frame.f_lineno}"


def module_path(module: str, code: CodeType | None = None) -> str:
    """Turn a module's name into the path of its file below the import root."""
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None) or (code.co_filename if code else "")
    path = module.replace(".", "/")
    return f"{path}/__init__.py" if file.endswith("__init__.py") else f"{path}.py"
