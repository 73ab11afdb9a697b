"""Find a declaration by ``package.module:attribute``."""

import importlib
from typing import TypeVar

from shoal.errors import DeclarationError

T = TypeVar("T")


def load(entry: str, kind: type[T]) -> T:
    """Import a module and return its attribute, or raise `DeclarationError` that says what is there instead."""
    module_name, _, attribute = entry.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise DeclarationError(
            f"there is no module {error.name!r} (looking for {entry})",
            hint="start from the project's folder, or use -C DIR",
        ) from error
    found = getattr(module, attribute or "", None)
    if isinstance(found, kind):
        return found
    known = [name for name, value in vars(module).items() if isinstance(value, kind)]
    raise DeclarationError(
        f"{entry} is no {kind.__name__}",
        hint=f"{module_name} has: {', '.join(known)}" if known else f"define one in {module_name}",
    )
