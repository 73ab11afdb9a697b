"""The base of everything that the model says."""

import functools
import inspect
from collections.abc import Callable
from types import FrameType
from typing import Any, get_type_hints

import msgspec

from shoal.errors import DeclarationError
from shoal.model.fitting import fits, spelled


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the model's data: frozen, by keyword, strict about unknown fields.

    What an author writes directly is also checked against its annotations, and refused with its place.
    """

    def __init_subclass__(cls) -> None:
        """Let every class check itself with regard to who made it."""
        super().__init_subclass__()
        own: Callable[[Any], None] | None = cls.__dict__.get("__post_init__")

        def check(self: Data) -> None:
            here = inspect.currentframe()
            frame = here.f_back if here else None
            if frame is None or not _is_authors(frame):
                return None if own is None else own(self)
            try:
                _check_kinds(self)
                if own is not None:
                    own(self)
            except DeclarationError as error:
                error.where = error.where or _place(frame)
                raise
            return None

        cls.__post_init__ = check  # type: ignore[attr-defined]


def _check_kinds(data: Data) -> None:
    for name, kind in _hints(type(data)).items():
        value = getattr(data, name)
        if not fits(value, kind):
            raise DeclarationError(
                f"{type(data).__name__}({name}={value!r}) is of a wrong type", hint=f"{name}= takes {spelled(kind)}"
            )


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _is_authors(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] not in ("shoal", "msgspec")


def _place(frame: FrameType) -> str:
    module = frame.f_globals.get("__name__", "").replace(".", "/")
    file = f"{module}/__init__.py" if frame.f_code.co_filename.endswith("__init__.py") else f"{module}.py"
    return f"{file}:{frame.f_lineno}"
