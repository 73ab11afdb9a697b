"""Spans of time as options say them."""

import re

import click

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


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
    return float(match[1]) * {"ms": 1.0, "s": 1000.0, "m": 60_000.0}[match[2]]
