"""What is said of a failure shows nothing of the personal fields of the event that was handled."""

import msgspec

from shoal.runtime.consuming.attempts import Try
from shoal.runtime.consuming.item import Item

_SHORTEST = 3
"""Characters of a value that is looked for; a shorter one would be found by accident."""


def masked(item: Item, failure: Try) -> Try:
    """Replace what stood sealed in the event, wherever the failure repeats it."""
    if item.opened is None or item.envelope is None:
        return failure
    sealed, opened = msgspec.json.decode(item.envelope.data), msgspec.json.decode(item.opened)
    values = [
        value
        for name, value in (opened.items() if isinstance(opened, dict) else ())
        if isinstance(value, str) and len(value) >= _SHORTEST and sealed.get(name) != value
    ]
    return msgspec.structs.replace(
        failure,
        error=_without(values, failure.error),
        stack=tuple(_without(values, line) for line in failure.stack),
    )


def _without(values: list[str], text: str) -> str:
    for value in values:
        text = text.replace(value, "***")
    return text
