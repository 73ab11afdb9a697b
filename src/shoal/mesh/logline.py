"""What a process wrote in the trace of a request."""

from shoal.model.data import Data


class LogLine(Data, frozen=True, kw_only=True):
    """One line that a process wrote in the trace of the request."""

    time: float = 0.0
    """Seconds since 1970."""
    source: str
    """Process, such as ``orders-0``."""
    service: str = ""
    """Service that wrote it; empty for an engine."""
    level: str
    message: str
    problem: str = ""
    """Code of the problem that a request ended with."""
    failure: str = ""
    """What kind of failure of a call it was: a class of `shoal.errors`."""
    call: str = ""
    """The operation that was called, or would have been."""
    fallback: str = ""
    """What answered instead of the callee: ``cached`` or ``default``; empty when the callee did."""
