"""The promise to clients: what was acknowledged happened, once; what was not happened once or not at all."""

from collections import Counter
from typing import Any

import msgspec

from shoal.audit.subject import Subject
from shoal.audit.survey import Survey
from shoal.errors import DeclarationError
from shoal.service.audit import Answer, Operation, Verdict


async def operations(subject: Subject, _: Survey) -> Verdict:
    """Compare what clients saw with what services recorded in the commit of the effect."""
    if not subject.operations:
        return Verdict(unchecked="no client kept a record; give one with --operations FILE")
    counts: Counter[str] = Counter(acknowledged=0, indeterminate=0, happened=0)
    violations = []
    for operation in subject.operations:
        found = await answered(subject, operation)
        counts[_kind(operation)] += 1
        counts["happened"] += operation.status == 0 and found is not None
        if complaint := _complaint(operation, found):
            violations.append(f"{operation.key} of {operation.caller or 'anybody'}: {complaint}")
    return Verdict(counts=dict(counts), violations=tuple(violations))


async def answered(subject: Subject, operation: Operation) -> Answer | None:
    """Look up the receipt of an operation."""
    store = subject.stores.get(operation.service)
    if store is None:
        raise DeclarationError(
            f"an operation names the service {operation.service!r}, which has no store",
            hint=f"stores have: {', '.join(sorted(subject.stores))}",
        )
    receipt = await store.receipt(f"{operation.endpoint}\n{operation.caller}\n{operation.key}")
    return None if receipt is None else Answer(status=receipt.status, body=_json(receipt.body))


def _kind(operation: Operation) -> str:
    if operation.status == 0:
        return "indeterminate"
    return "acknowledged" if operation.status < 400 else "refused"


def _complaint(operation: Operation, found: Answer | None) -> str:
    if _kind(operation) != "acknowledged":
        return ""  # one receipt at most can bear its key, so it happened once or not at all
    if found is None:
        return f"it was answered {operation.status}, and nothing was recorded"
    if (found.status, found.body) != (operation.status, operation.body):
        return f"it was answered {operation.status}, and another answer was recorded ({found.status})"
    return ""


def _json(body: bytes) -> Any:
    return msgspec.json.decode(body) if body else None
