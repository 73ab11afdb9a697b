"""How far what a handler takes reaches: into its transaction, its store, or beyond."""

import typing
from typing import Any

from shoal.service.context import Clock, Deadline, Principal, ReadReplica, Transaction
from shoal.service.documents import Documents
from shoal.service.http import PageRequest
from shoal.service.marks import operations_of
from shoal.service.objects import Objects
from shoal.service.settings import Settings
from shoal.service.tracing import Trace
from shoal.service.warehouse import Warehouse


def is_documents(kind: Any) -> bool:
    """Tell whether a parameter takes the documents of a type."""
    return typing.get_origin(kind) is Documents


def is_objects(kind: Any) -> bool:
    """Tell whether a parameter takes the objects of a kind."""
    return typing.get_origin(kind) is Objects


def within_transaction(kind: Any) -> bool:
    """Tell whether what a parameter takes lives within the transaction of its handler."""
    return kind in (Transaction, Warehouse) or is_documents(kind) or is_objects(kind)


def reaches_store(kind: Any) -> bool:
    """Tell whether what a parameter takes is in the service's store."""
    return kind is ReadReplica or within_transaction(kind)


def leaves_no_trace(kind: Any) -> bool:
    """Tell whether using an injected value changes nothing outside the transaction; a provided one may do anything.

    Objects that were written outlive a failed transaction by a day at most, and nobody knows their names.
    """
    if kind in (Principal, Deadline, Clock, PageRequest, Trace) or reaches_store(kind):
        return True
    operations = operations_of(kind)
    if operations is not None:
        return all(operation.method == "GET" for operation in operations.values())
    return is_settings(kind)


def waits_outside(kind: Any) -> bool:
    """Tell whether a handler that uses it waits for others than its store."""
    return operations_of(kind) is not None or is_objects(kind)


def is_settings(kind: Any) -> bool:
    """Tell whether a type is read from the environment."""
    return isinstance(kind, type) and issubclass(kind, Settings)
