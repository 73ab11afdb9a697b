"""What is armed in this process."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from shoal.failpoints.program import ONCE, VARIABLE, Program, parse

Handler = Callable[[str], Awaitable[None]]
"""What happens at a point, by its name."""

_handlers: list[Handler] = []


def is_armed() -> bool:
    """Tell whether wrappers are wanted."""
    return bool(_handlers)


async def hit(name: str) -> None:
    """Do what is armed at a point."""
    if _handlers:
        await _handlers[-1](name)


@contextmanager
def armed(handler: Handler) -> Iterator[None]:
    """Call `handler` at every point of hosts that are made within the block."""
    _handlers.append(handler)
    try:
        yield
    finally:
        _handlers.remove(handler)


def arm_from(environ: Mapping[str, str]) -> None:
    """Arm what the environment asks for, for the life of the process; `SettingsError` when it cannot be read."""
    if text := environ.get(VARIABLE, "").strip():
        _handlers.append(Program(parse(text), environ.get(ONCE, "")).reach)
