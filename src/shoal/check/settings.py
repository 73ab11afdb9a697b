"""What an author says in ``[tool.shoal.check]``: which rules are asked, how they count, and what they allow."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.model.finding import Severity

FailOn = Literal["error", "warning", "info", "never"]

Options = TypeVar("Options", bound=msgspec.Struct)

TABLE = "pyproject.toml [tool.shoal.check]"
"""Where it is said."""

_TOLD = re.compile(r"(PLAN|DEPLOY)(-[A-Z]+)*(-\d+)?")
"""Codes that are no rule's, and their beginnings: what a plan says."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The table ``[tool.shoal.check]`` of ``pyproject.toml``."""

    enable: tuple[str, ...] = ()
    """Codes, or beginnings of codes, that are asked although they are not by themselves."""
    disable: tuple[str, ...] = ()
    """Codes, or beginnings of codes, that are not asked. The longer of two that say otherwise holds."""
    severity: dict[str, Severity] = {}
    """Code → what its findings count for."""
    options: dict[str, dict[str, Any]] = {}
    """Code → what the rule is told."""
    fail_on: FailOn = "warning"
    """The least severity that makes the check fail."""
    baseline: str = ""
    """File of findings that are let pass for now; none where it is empty."""

    def asks(self, code: str, *, enabled: bool) -> bool:
        """Tell whether a rule is asked."""
        on = max((len(word) for word in self.enable if code.startswith(word)), default=-1)
        off = max((len(word) for word in self.disable if code.startswith(word)), default=-1)
        return enabled if on == off else on > off


def read(table: Mapping[str, Any], codes: Collection[str]) -> Settings:
    """Read the table.

    Args:
        table: What ``pyproject.toml`` has at ``tool.shoal.check``.
        codes: Every code that there is.

    Raises:
        DeclarationError: It has a key, a value or a code that nobody knows.
    """
    try:
        found = msgspec.convert(table, Settings, strict=True)
    except msgspec.ValidationError as error:
        hint = f"its keys are: {', '.join(Settings.__struct_encode_fields__)}"
        raise DeclarationError(str(error), hint=hint, where=TABLE) from error
    known(found.enable, codes, f"{TABLE} enable")
    known(found.disable, codes, f"{TABLE} disable")
    known([word for word in found.options if word not in codes], (), f"{TABLE} options", near=codes)
    known([word for word in found.severity if word not in codes], (), f"{TABLE} severity", near=codes)
    return found


def known(words: Collection[str], codes: Collection[str], where: str, near: Collection[str] = ()) -> tuple[str, ...]:
    """Return what begins some code each, or is what a plan says.

    Args:
        words: Codes, or their beginnings.
        codes: Every code that there is.
        where: Where they are said.
        near: Codes that may have been meant, where they are others.

    Raises:
        DeclarationError: One begins none.
    """
    for word in words:
        if not word or not (_TOLD.fullmatch(word) or any(code.startswith(word) for code in codes)):
            close = difflib.get_close_matches(word, near or codes, n=1)
            hint = f"did you mean {close[0]}?" if close else "shoal explain lists them"
            raise DeclarationError(f"there is no rule {word!r}", hint=hint, where=where)
    return tuple(words)


def options(settings: Settings, code: str, kind: type[Options]) -> Options:
    """Read the options of a rule.

    Raises:
        DeclarationError: It has no such option, or not of that value.
    """
    try:
        return msgspec.convert(settings.options.get(code, {}), kind, strict=True)
    except (msgspec.ValidationError, DeclarationError) as error:
        fields: Sequence[msgspec.structs.FieldInfo] = msgspec.structs.fields(kind)
        takes = ", ".join(f"{f.encode_name} (now {f.default!r})" for f in fields)
        hint = f"{code} takes {takes or 'no options'}"
        raise DeclarationError(str(error), hint=hint, where=f"{TABLE} options.{code}") from error
