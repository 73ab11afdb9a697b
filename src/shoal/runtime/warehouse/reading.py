"""`Reports` as handlers see them."""

import datetime as dt
from collections.abc import Mapping
from typing import TypeVar

from shoal.drivers.base import Warehouse
from shoal.errors import DeclarationError, Unavailable, Undeclared
from shoal.runtime.tables import read_stored
from shoal.runtime.warehouse.shapes import columns_of, query_of
from shoal.service.declare import Service
from shoal.service.warehouse import Scalar, report_of

T = TypeVar("T")


class Reader:
    """Implements `shoal.Reports`."""

    def __init__(self, service: Service, warehouse: Warehouse | None) -> None:
        self._service, self._warehouse = service, warehouse
        self._known = frozenset(service.warehouse.reports) if service.warehouse is not None else frozenset()

    async def read(
        self,
        kind: type[T],
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        where: Mapping[str, Scalar] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """Read a report."""
        if kind not in self._known:
            raise Undeclared(
                f"service {self._service.name} reads {kind.__name__}, which is no report of its warehouse",
                hint=f"declare it: DuckDB(..., reports=[..., {kind.__name__}])",
            )
        columns = columns_of(report_of(kind))
        if odd := sorted((where or {}).keys() - columns):
            raise DeclarationError(
                f"report {kind.__name__} is asked where {odd[0]!r} is something, and its table has no such column",
                hint=f"its columns are: {', '.join(sorted(columns))}",
            )
        if self._warehouse is None:  # as in a rehearsal, which reaches nothing outside the store
            raise Unavailable(f"service {self._service.name} has no warehouse here")
        rows = await self._warehouse.report(query_of(kind, since, until, where or {}, limit))
        return [read_stored(row, kind, f"report {kind.__name__}") for row in rows]
