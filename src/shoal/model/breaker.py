"""When a caller stops asking a callee that is failing, and what answers instead. Pure data."""

from shoal.errors import DeclarationError
from shoal.model.data import Data


class Breaker(Data, frozen=True, kw_only=True):
    """A circuit breaker around a call, in each process of the caller."""

    circuit: str = ""
    """``products``, or ``products.prices``: calls whose breakers name one circuit open together."""
    timeout: float = 0.0
    """Seconds until an attempt counts as failed; 0 takes the operation's own timeout."""
    error_threshold: float = 50.0
    """Percent of the calls within `window` that fail when the circuit opens."""
    volume_threshold: int = 10
    """Calls within `window` below which nothing is concluded."""
    reset_timeout: float = 30.0
    """Seconds that it stays open before one call is let through to see."""
    window: float = 10.0
    """Seconds over which calls are counted."""
    cached: float = 0.0
    """Seconds for which the last good answer to the same question may stand in; 0 keeps none."""
    fallback: str = ""
    """Name of the function that answers when the callee does not; empty without one."""
    source: str = ""
    """Where the breaker is declared: ``package/module.py:line``."""
    fallback_source: str = ""
    """Where the function is; empty without one."""

    def __post_init__(self) -> None:
        """Refuse what would never open, or never close."""
        bounds = {
            "timeout": (self.timeout, 0, 3600),
            "error_threshold": (self.error_threshold, 0.1, 100),
            "volume_threshold": (self.volume_threshold, 1, 1_000_000),
            "reset_timeout": (self.reset_timeout, 0.01, 3600),
            "window": (self.window, 0.1, 3600),
            "cached": (self.cached, 0, 86_400),
        }
        for name, (value, least, most) in bounds.items():
            if not least <= value <= most:
                raise DeclarationError(
                    f"the breaker of {self.circuit} has {name}={value!r}", hint=f"use {least} to {most}"
                )
