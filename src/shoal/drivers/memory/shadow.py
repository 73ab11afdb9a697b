"""Twins of tables: filled beside them, then put in their place."""

import msgspec

from shoal.drivers.base import Row, Table
from shoal.drivers.memory.state import State

Changes = dict[str, dict[object, Row | None]]


def make(state: State, table: Table) -> Table:
    """Make an empty twin."""
    twin = _twin(table)
    state.tables[twin.name] = {}
    return twin


def remove(state: State, table: Table) -> None:
    """Forget the twin."""
    state.tables.pop(_twin(table).name, None)


def replace(state: State, changes: Changes, table: Table, twin: Table) -> None:
    """Change every row of a table to those of its twin, as a part of a transaction's changes."""
    fresh = {**state.tables.get(twin.name, {}), **changes.get(twin.name, {})}
    live = {**state.tables.get(table.name, {}), **changes.get(table.name, {})}
    changes[table.name] = {**dict.fromkeys(live), **fresh}
    changes[twin.name] = dict.fromkeys(fresh)


def _twin(table: Table) -> Table:
    return msgspec.structs.replace(table, name=f"shoal.twin_{table.name}")
