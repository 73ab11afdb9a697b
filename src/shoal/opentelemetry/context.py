"""What the API takes for its context. It is loaded while the API itself is, and so knows nothing of it yet."""

from contextvars import Token
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.opentelemetry.bridge import Present, State, Values


class RuntimeContext:
    """Hands everything on to `bridge.Present`, which is made when it is first needed."""

    def __init__(self) -> None:
        self._made: Present | None = None

    @property
    def _present(self) -> "Present":
        if self._made is None:
            from shoal.opentelemetry.bridge import Present  # noqa: PLC0415 - see above

            self._made = Present()
        return self._made

    def attach(self, context: "Values") -> "Token[State | None]":
        """Make a context the present one."""
        return self._present.attach(context)

    def get_current(self) -> "Values":
        """Return the present context."""
        return self._present.get_current()

    def detach(self, token: "Token[State | None]") -> None:
        """Return to what was present before."""
        self._present.detach(token)
