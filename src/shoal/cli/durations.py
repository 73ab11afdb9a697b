"""How long something takes or lies back, as options say it."""

import re

import click

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""In seconds."""

_SHORT = ("ms", "s", "m")


def seconds(text: str) -> float:
    """Read ``30s``, ``5m``, ``2h`` or ``1d``; 0 when nothing is said."""
    if not text:
        return 0.0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no span of time such as 30s, 5m or 2h", param_hint="--since")
    return float(match[1]) * _UNITS[match[2]]


def milliseconds(text: str, option: str) -> float | None:
    """Read a duration such as ``200ms`` or ``1.5s``; None when nothing is said."""
    if not text:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no duration such as 200ms or 1.5s", param_hint=option)
    return float(match[1]) * _UNITS[match[2]] * 1000


def duration(text: str) -> float:
    """Read seconds, such as ``2s``, ``150ms`` or ``0.5``."""
    unit = next((unit for unit in _SHORT if text.endswith(unit)), "")
    try:
        return float(text.removesuffix(unit)) * _UNITS.get(unit, 1.0)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no duration; write 2s, 150ms or 0.5") from error
