"""From declared sagas to the pure model: what their steps call, and what they know as a schema."""

from typing import TYPE_CHECKING

import msgspec

from shoal.model.saga import Saga, Step
from shoal.model.service import Schema
from shoal.service.marks import operations_of
from shoal.service.personal import refuse_personal
from shoal.service.reach import leaves_no_trace
from shoal.service.sagas import SagaDeclaration, StepDeclaration, bound
from shoal.service.signature import Signature, analyse

if TYPE_CHECKING:
    from shoal.service.declare import Service


def describe_saga(service: "Service", declared: SagaDeclaration, schema: Schema) -> Saga:
    """Describe one saga; raises `DeclarationError` for a step that asks for what nothing provides."""
    refuse_personal(declared.state, "the saga's state")
    steps = tuple(_step(service, declared, step) for step in declared.steps)
    return msgspec.structs.replace(declared.model, steps=steps, state=schema)


def _step(service: "Service", saga: SagaDeclaration, declared: StepDeclaration) -> Step:
    work = analyse(service, bound(saga.kind, declared.work), event=saga.state)
    undo = None if declared.compensate is None else bound(saga.kind, declared.compensate)
    return msgspec.structs.replace(
        declared.step,
        contained=all(leaves_no_trace(param.kind) for param in work.at("injected")),
        calls=_calls(work),
        undo_calls=() if undo is None else _calls(analyse(service, undo, event=saga.state)),
    )


def _calls(signature: Signature) -> tuple[str, ...]:
    found = {
        f"{operation.service}.{operation.name}"
        for param in signature.at("injected")
        for operation in (operations_of(param.kind) or {}).values()
    }
    return tuple(sorted(found))
