"""A warehouse in a file of this machine, on DuckDB; its library is imported when one is opened, and not before.

URLs: ``duckdb:///folder/file.duckdb``, relative to nothing: the path begins with the third slash.
"""

from urllib.parse import unquote, urlsplit

from shoal.drivers.base import Warehouse
from shoal.drivers.duckdb.warehouse import DuckWarehouse

__all__ = ["DuckWarehouse", "warehouse"]


def warehouse(url: str) -> Warehouse:
    """Return the warehouse of a URL, not yet open."""
    return DuckWarehouse(unquote(urlsplit(url).path))
