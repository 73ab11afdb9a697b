"""The same names as `shoal.operating.running`."""

from shoal.operating.running import alive, ask, current

__all__ = ["alive", "ask", "current"]
