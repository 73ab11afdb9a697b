"""What consumers of a running system have given up on."""

from shoal.audit import streams
from shoal.audit.letters import buried
from shoal.audit.subject import Letter
from shoal.model import names
from tests.torture.faults import Field


async def letters(field: Field) -> frozenset[Letter]:
    """Read the dead letters of every service."""
    broker, plan = field.subject.broker, field.subject.plan
    assert broker is not None
    present = await broker.positions()
    named = [names.dead_letter_stream(plan.system.name, service.name) for service in plan.services]
    return buried(plan, {name: await streams.read(broker, name, {}) for name in named if name in present})
