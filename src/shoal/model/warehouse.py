"""What a service keeps in a warehouse: tables of facts, and the reports that read them."""

import re
from typing import Literal

from shoal.errors import DeclarationError
from shoal.model import catalog
from shoal.model.data import Data

ColumnKind = Literal["text", "integer", "number", "boolean", "time", "date"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class FactColumn(Data, frozen=True, kw_only=True):
    """One column of a fact table."""

    name: str
    kind: ColumnKind


class FactTable(Data, frozen=True, kw_only=True):
    """One table of facts: rows are appended, never changed."""

    name: str
    columns: tuple[FactColumn, ...]
    time: str
    """Column that says when a fact happened."""
    keep_days: int = 0
    """Days after which facts are removed; 0 keeps them for ever."""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse names that some engine would not take, and a time that is none."""
        for name in (self.name, *(column.name for column in self.columns)):
            if not _NAME.fullmatch(name) or self.name.startswith("shoal_"):
                raise DeclarationError(
                    f"{name!r} of fact table {self.name} is no name that every warehouse takes",
                    hint="use lower-case letters, digits and '_', at most 63, and do not begin with 'shoal_'",
                    where=self.source,
                )
        if not any(column.name == self.time and column.kind == "time" for column in self.columns):
            times = [column.name for column in self.columns if column.kind == "time"]
            raise DeclarationError(
                f"fact table {self.name} is ordered by {self.time!r}, which is no field that holds a time",
                hint=f"its times are: {', '.join(times) or 'none; add `at: datetime`'}",
                where=self.source,
            )
        if self.keep_days < 0:
            raise DeclarationError(f"keep_days={self.keep_days} of {self.name}", hint="0 keeps for ever", where="")


class Report(Data, frozen=True, kw_only=True):
    """One question that is asked again and again."""

    name: str
    table: str
    groups: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    source: str = ""


class Warehouse(Data, frozen=True, kw_only=True):
    """A service's own warehouse."""

    engine: str = "duckdb"
    production: str = ""
    """Engine that it is meant for, where that is another one than on a laptop."""
    why: str = ""
    """Why that engine suits it."""
    tables: tuple[FactTable, ...] = ()
    reports: tuple[Report, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an engine that nobody knows."""
        for engine in filter(None, (self.engine, self.production)):
            catalog.engine(engine, kind="warehouse")
