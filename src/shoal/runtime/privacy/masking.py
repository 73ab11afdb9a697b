"""What is said of a failure shows nothing of the personal fields of the event that was handled."""

from collections.abc import Iterator
from typing import Any

import msgspec

from shoal.runtime.consuming.attempts import Try
from shoal.runtime.consuming.item import Item

_SHORTEST = 3
"""Characters of a value that is looked for; a shorter one would be found by accident."""


def masked(item: Item, failure: Try) -> Try:
    """Replace what stood sealed in the event, wherever the failure repeats it."""
    values = _values(item)
    return (
        failure
        if not values
        else msgspec.structs.replace(
            failure,
            error=_without(values, failure.error),
            stack=tuple(_without(values, line) for line in failure.stack),
        )
    )


def without(item: Item, text: str) -> str:
    """Replace what stood sealed in the event, wherever a text repeats it."""
    return _without(_values(item), text)


def _values(item: Item) -> list[str]:
    """Collect what stood sealed, the longest first: one may be a part of another."""
    if item.opened is None or item.envelope is None:
        return []
    sealed, opened = msgspec.json.decode(item.envelope.data), msgspec.json.decode(item.opened)
    fields = opened.items() if isinstance(opened, dict) else ()
    found = {text for name, value in fields if sealed.get(name) != value for text in _texts(value)}
    return sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True)


def _texts(value: Any) -> Iterator[str]:
    """Spell every value within one."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _without(values: list[str], text: str) -> str:
    for value in values:
        text = text.replace(value, "***")
    return text
