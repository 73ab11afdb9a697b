"""From declared schedules to the pure model."""

from typing import TYPE_CHECKING

from shoal.model.schedule import Schedule
from shoal.service.schedules import ScheduleDeclaration, Tick
from shoal.service.signature import Signature, analyse, outline

if TYPE_CHECKING:
    from shoal.service.declare import Service


def describe_schedules(service: "Service") -> tuple[Schedule, ...]:
    """Describe what a service does by the clock; raises `DeclarationError` for a handler that cannot be called."""
    for declared in service.schedules:
        schedule_signature(service, declared)
    return tuple(declared.model for declared in service.schedules)


def schedule_signature(service: "Service", declared: ScheduleDeclaration) -> Signature:
    """Read the signature of a schedule's handler; whether it takes a `Tick` is its own affair."""
    takes_tick = any(param.kind is Tick for param in outline(declared.handler).params)
    return analyse(service, declared.handler, event=Tick if takes_tick else None)
