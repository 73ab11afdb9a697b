"""Find and read the system that a command is about."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from shoal import model
from shoal.errors import DeclarationError, ShoalError
from shoal.operating import looking, settings
from shoal.operating.where import Where
from shoal.service.system import System

if TYPE_CHECKING:
    from shoal.load import Load

T = TypeVar("T")

DEFAULT = "system:system"


def entry(context: Where) -> str:
    """Return ``module:attribute`` of the system: ``--system``, ``pyproject.toml`` or the default."""
    return context.system or _configured(context.root) or DEFAULT


def require(context: Where) -> None:
    """Refuse a folder without a system before anything is made in it; no code of the author's runs."""
    where = entry(context)
    _importable(context.root)
    if importlib.util.find_spec(where.partition(":")[0].partition(".")[0]) is None:
        raise _absent(where, context.root)


def present(context: Where) -> bool:
    """Say whether the folder has a system at all; no code of the author's runs."""
    _importable(context.root)
    return importlib.util.find_spec(entry(context).partition(":")[0].partition(".")[0]) is not None


def read(context: Where) -> model.System:
    """Import the system's declaration and describe it.

    Raises:
        DeclarationError: It is not there, cannot be imported, or is impossible.
    """
    from shoal.service.describe import describe

    return describe(declared(context))


def declared(context: Where) -> System:
    """Import the system's declaration."""
    where = entry(context)
    try:
        return _imported(context, where, System)
    except DeclarationError as error:
        raise _hinted(error, where, context.root) from error


def forget(where: Where, system: model.System) -> None:
    """Let the next import of the system read its files anew; for who outlives a change of them."""
    tops = {module.partition(".")[0] for module in (entry(where), *(s.entry for s in system.services))}
    tops = {top.partition(":")[0] for top in tops}
    for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
        del sys.modules[name]
    importlib.invalidate_caches()


def traffic(context: Where, wanted: str = "") -> "Load[Any]":
    """Import what is declared of visitors: `wanted`, ``[tool.shoal] load``, or ``load:load`` beside the system."""
    from shoal.load import Load

    beside = ".".join((*entry(context).partition(":")[0].split(".")[:-1], "load"))
    where = wanted or _configured(context.root, "load") or f"{beside}:load"
    try:
        found: Load[Any] = _imported(context, where, Load)
    except DeclarationError as error:
        if "there is no module" not in error.message:
            raise
        raise DeclarationError(
            f"there is no load {where} in {context.root}",
            hint="declare it there: load = Load([Journey(...)]), or name it: shoal load MODULE:ATTRIBUTE",
        ) from error
    return found


def _imported(context: Where, where: str, kind: type[T]) -> T:
    from shoal.runtime.load import load

    _importable(context.root)
    try:
        return load(where, kind)
    except ShoalError:
        raise
    except Exception as error:
        raise DeclarationError(
            f"cannot import {where.partition(':')[0]}: {_reason(error)}",
            where=_place(error, context.root),
            hint="correct the module; nothing was started",
        ) from error


def _importable(root: Path) -> None:
    if sys.path[:1] != [str(root)]:
        sys.path.insert(0, str(root))


def _configured(root: Path, what: str = "system") -> str:
    found = settings.table(root).get(what, "")
    if not isinstance(found, str):
        hint = f"it may say {settings.KEYS[what]}"
        raise DeclarationError(f"[tool.shoal] {what} = {found!r} is no text", where=settings.FILE, hint=hint)
    return found


def _hinted(error: ShoalError, where: str, root: Path) -> ShoalError:
    return _absent(where, root) if "there is no module" in error.message else error


def _absent(where: str, root: Path) -> DeclarationError:
    return DeclarationError(f"there is no system {where} in {root}", hint=looking.hint(where, root))


def _reason(error: Exception) -> str:
    if isinstance(error, SyntaxError) and error.text:
        caret = " " * max(0, (error.offset or 1) - 1 - (len(error.text) - len(error.text.lstrip())))
        return f"{error.msg}\n    {error.text.strip()}\n    {caret}^"
    return f"{type(error).__name__}: {error}"


def _place(error: Exception, root: Path) -> str:
    """Point to the author's last line on the way to the error."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(error.filename, root)}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(root)]
    frames = [f for f in frames if "site-packages" not in f.filename]
    return f"{_relative(frames[-1].filename, root)}:{frames[-1].lineno}" if frames else ""


def _relative(file: str, root: Path) -> str:
    path = Path(file)
    return str(path.relative_to(root)) if path.is_relative_to(root) else file
