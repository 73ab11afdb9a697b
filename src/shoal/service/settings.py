"""Settings from the environment, typed; secrets that do not print themselves."""

import types
import typing
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from shoal.errors import SettingsError
from shoal.model.names import variable


class Secret:
    """A text that prints as ``***`` wherever it is shown."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self._value)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Base of a service's settings: each field is read from ``SERVICE__FIELD``; nested structs add ``__``."""

    @classmethod
    def load(cls, service: str, environ: Mapping[str, str]) -> Self:
        """Read the settings of `service`; `SettingsError` names every variable that is missing or malformed."""
        problems: list[str] = []
        values = _read(cls, variable(service, ""), environ, problems)
        if not problems:
            return cls(**values)
        raise SettingsError(
            f"settings of {service} are incomplete:\n  " + "\n  ".join(problems),
            hint="set them in the environment of the service; in tests, return them from the fixture system_environ",
        )


def _read(cls: type[Any], prefix: str, environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values = {}
    hints = typing.get_type_hints(cls, include_extras=True)
    for field in msgspec.structs.fields(cls):
        kind, name = hints[field.name], f"{prefix}{field.name}".upper().replace("-", "_")
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if not field.required and not any(key.startswith(f"{name}__") for key in environ):
                continue
            nested = _read(kind, f"{name}__", environ, problems)
            if not problems:
                values[field.name] = kind(**nested)
        elif name in environ:
            _convert(environ[name], kind, name, field.name, values, problems)
        elif field.required:
            problems.append(f"{name} is not set ({cls.__name__}.{field.name}: {_spell(kind)})")
    return values


def _convert(text: str, kind: Any, name: str, field: str, values: dict[str, Any], problems: list[str]) -> None:
    kind = without_none(kind)
    try:
        if kind is Secret:
            values[field] = Secret(text)
        elif typing.get_origin(kind) in (list, tuple, dict, set, frozenset):
            values[field] = msgspec.json.decode(text, type=kind, dec_hook=_secret)
        else:
            values[field] = msgspec.convert(text, kind, strict=False)
    except msgspec.MsgspecError as error:
        problems.append(f"{name} is malformed: {error}")


def _secret(kind: type[Any], value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"Expected `{kind.__name__}`")


def without_none(kind: Any) -> Any:
    """Return the type of an optional value, since a variable that is set is not None."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        rest = [option for option in typing.get_args(kind) if option is not type(None)]
        return rest[0] if len(rest) == 1 else kind
    return kind


def _spell(kind: Any) -> str:
    return str(kind) if isinstance(kind, types.UnionType) else getattr(kind, "__name__", str(kind))
