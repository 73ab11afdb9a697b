"""What an author says in ``[tool.shoal.check]``: which rules are asked, how they count, and what they allow."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

import msgspec

from shoal.check.told import TOLD
from shoal.errors import DeclarationError
from shoal.model.finding import Severity

FailOn = Literal["error", "warning", "info", "never"]

Options = TypeVar("Options", bound=msgspec.Struct)

TABLE = "pyproject.toml [tool.shoal.check]"
"""Where it is said."""

_ABOVE = frozenset({"system", "load", "unaffected"})
"""Keys of the table above."""

_AT = re.compile(r"`\$\.([\w-]+)")
"""Where a value is that is none, as msgspec says it."""

_VALUES = {
    "enable": 'it is a list of codes, or of their beginnings: enable = ["SH105", "SH2"]',
    "disable": 'it is a list of codes, or of their beginnings: disable = ["SH105", "SH2"]',
    "severity": f'each code has one of {", ".join(get_args(Severity))}: SH301 = "warning"',
    "options": "each code has a table of its own: [tool.shoal.check.options.SH101]",
    "fail-on": f"it is one of {', '.join(get_args(FailOn))}",
    "targets": "it is true or false",
    "baseline": 'it is the name of a file: baseline = "check.json"',
}
"""Key → what it may be."""

_NEAR = 0.8
"""How alike a word and a code are that may be meant; any two codes are alike by their first letters."""


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
    targets: bool = False
    """Whether deployed files are compared with the system, and costs with budgets, each time."""
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
        codes: Those of all rules.

    Raises:
        DeclarationError: It has a key, a value or a code that nobody knows.
    """
    for key in table:
        if key not in Settings.__struct_encode_fields__:
            raise _no_key(key)
    try:
        found = msgspec.convert(table, Settings, strict=True)
    except msgspec.ValidationError as error:
        at = _AT.search(str(error))
        raise DeclarationError(str(error), hint=_VALUES[at[1]] if at else "", where=TABLE) from error
    every = [*codes, *TOLD]
    begun(found.enable, every, f"{TABLE} enable")
    begun(found.disable, every, f"{TABLE} disable")
    _whole(found.options, codes, f"{TABLE} options")
    _whole(found.severity, every, f"{TABLE} severity")
    return found


def _no_key(key: str) -> DeclarationError:
    """Say what is meant by a key that there is not."""
    known = Settings.__struct_encode_fields__
    close = difflib.get_close_matches(key.lower().replace("_", "-"), known, n=1, cutoff=0.7)
    hint = f"did you mean {close[0]}?" if close else f"its keys are: {', '.join(known)}"
    if key in _ABOVE:
        hint = f"{key} belongs in [tool.shoal]"
    return DeclarationError(f"there is no key {key!r}", hint=hint, where=TABLE)


def begun(words: Collection[str], codes: Collection[str], where: str) -> tuple[str, ...]:
    """Return words of which each begins some code.

    Args:
        words: Codes, or their beginnings.
        codes: Every code that there is.
        where: Where the words stand.

    Raises:
        DeclarationError: One begins none.
    """
    for word in words:
        if not word or not any(code.startswith(word) for code in codes):
            raise _absent(word, codes, where)
    return tuple(words)


def _whole(words: Collection[str], codes: Collection[str], where: str) -> None:
    for word in words:
        if word not in codes:
            raise _absent(word, codes, where)


def _absent(word: str, codes: Collection[str], where: str) -> DeclarationError:
    return DeclarationError(f"there is no rule {word!r}", hint=meant(word, codes), where=where)


def meant(word: str, codes: Collection[str]) -> str:
    """Say which code may be meant by a word that is none."""
    close = difflib.get_close_matches(word.upper(), codes, n=1, cutoff=_NEAR)
    return f"did you mean {close[0]}?" if close else "shoal explain lists them"


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
