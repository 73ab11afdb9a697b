"""The kinds of background work there are, and the tables that the framework keeps in a service's store."""

from shoal.drivers.base import OwnTable
from shoal.runtime.side import Builder

SIDES: tuple[Builder, ...] = ()
"""In the order in which they start; they stop in reverse."""

OWN_TABLES: tuple[OwnTable, ...] = ()
