"""Who is told what engines are asked: a narrow door for telemetry, of which drivers know nothing else."""

from contextvars import ContextVar
from typing import Protocol


class Observer(Protocol):
    """Hears of what was asked of an engine, once it has answered. Must be quick, and raise nothing."""

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
        """Hear of one statement or command.

        Args:
            system: The engine, as OpenTelemetry's ``db.system.name`` spells it.
            text: The statement without the values of its parameters.
            began: When it was sent, in nanoseconds since 1970; it ends now.
            namespace: Database that it was for.
            count: Rows of parameters that travelled with it.
            error: What became of it, if it failed.
        """
        ...


observing: ContextVar[Observer | None] = ContextVar("shoal_observing", default=None)
"""Who observes the work at hand; None where nobody does."""
