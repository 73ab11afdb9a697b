"""What the runtime asks of an engine: narrow Protocols whose docstrings are the contract.

Every driver translates its client's exceptions at its border: `Unavailable` when trying again may help, `Conflict`
(or `Duplicate`) when the engine holds something that contradicts the change, `Unstorable` for a value that it can hold
nowhere, `TimedOut` when a statement took too long, `EngineError` for the rest. No driver retries by itself. All
methods may be cancelled; a cancelled commit may or may not have happened.
"""

from shoal.drivers.base.admin import Account, StoreAdmin
from shoal.drivers.base.broker import (
    Broker,
    BrokerAdmin,
    Consumer,
    Delivery,
    Kept,
    Outcome,
    Position,
    Published,
    Stream,
)
from shoal.drivers.base.cache import Cache, Found
from shoal.drivers.base.keyring import KeyRing, Wrapped
from shoal.drivers.base.messages import Announced, Mark, Message, Pending, Sent
from shoal.drivers.base.rows import ColumnKind, OwnTable, PersonalColumn, Query, Row, Table
from shoal.drivers.base.store import Backlog, Lease, Lent, Migration, OutboxLease, Reads, Receipt, Session, Store
from shoal.drivers.base.warehouse import (
    Aggregate,
    FactBatch,
    FactColumn,
    FactKind,
    FactTable,
    Group,
    Measure,
    ReportQuery,
    Warehouse,
    check_columns,
)

__all__ = [
    "Account",
    "Aggregate",
    "Announced",
    "Backlog",
    "Broker",
    "BrokerAdmin",
    "Cache",
    "ColumnKind",
    "Consumer",
    "Delivery",
    "FactBatch",
    "FactColumn",
    "FactKind",
    "FactTable",
    "Found",
    "Group",
    "Kept",
    "KeyRing",
    "Lease",
    "Lent",
    "Mark",
    "Measure",
    "Message",
    "Migration",
    "OutboxLease",
    "Outcome",
    "OwnTable",
    "Pending",
    "PersonalColumn",
    "Position",
    "Published",
    "Query",
    "Reads",
    "Receipt",
    "ReportQuery",
    "Row",
    "Sent",
    "Session",
    "Store",
    "StoreAdmin",
    "Stream",
    "Table",
    "Warehouse",
    "Wrapped",
    "check_columns",
]
