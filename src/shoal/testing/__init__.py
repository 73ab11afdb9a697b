"""Test a whole system: in one process in milliseconds, or on its real engines.

With the ``testing`` extra, pytest offers the fixtures ``system`` and ``live``; see `shoal.testing.plugin`.
"""

from shoal.testing.clock import MovableClock
from shoal.testing.events import Events
from shoal.testing.http import Response
from shoal.testing.live import LiveSystem
from shoal.testing.memory import MemorySystem

__all__ = ["Events", "LiveSystem", "MemorySystem", "MovableClock", "Response"]
