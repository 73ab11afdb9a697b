"""Values given as ``k=v``."""

from collections.abc import Iterable
from typing import Any

import click
import msgspec


def pairs(words: Iterable[str], *, option: str) -> dict[str, Any]:
    """Read ``k=v`` words; a value that is JSON counts as that, any other as text."""
    found = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{word!r} is not K=V", param_hint=option)
        found[name] = value(text)
    return found


def value(text: str) -> Any:
    """Read JSON, or take the text as it is."""
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text
