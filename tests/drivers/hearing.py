"""An `Observer` that keeps what it hears."""

from collections.abc import Iterator
from contextlib import contextmanager

from shoal.drivers.base.observing import observing


class Hearing:
    """What engines were asked: ``system command target``, or ``system text``; with ``!`` before what failed."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def asked(
        self,
        system: str,
        text: str,
        began: int,
        *,
        namespace: str = "",
        count: int = 1,
        error: BaseException | None = None,
    ) -> None:
        assert began > 0
        assert count == 1
        self.all.append(f"{'!' if error else ''}{system} {namespace} {text}".replace("  ", " "))

    def commanded(
        self, system: str, command: str, began: int, *, target: str = "", error: BaseException | None = None
    ) -> None:
        assert began > 0
        self.all.append(f"{'!' if error else ''}{system} {command} {target}".rstrip())


@contextmanager
def hearing() -> Iterator[Hearing]:
    """Hear what is asked in the block."""
    found = Hearing()
    before = observing.set(found)
    try:
        yield found
    finally:
        observing.reset(before)
