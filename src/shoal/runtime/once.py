"""``python -m shoal.runtime.once SCHEDULE``: run what is due of one schedule of a service, and end.

The ``SHOAL_*`` variables name the service. It ends with 0 when nothing is left to do, with 3 when a run was given
up, and with 1 when it could not begin.
"""

import os
import sys

import uvloop

from shoal.errors import DeclarationError, ShoalError
from shoal.model.schedule import GIVEN_UP
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.load import load
from shoal.runtime.logs import configure
from shoal.runtime.preparing import prepare
from shoal.runtime.process import transport_of
from shoal.runtime.schedules.side import ScheduleSide
from shoal.runtime.telling import Telemetry
from shoal.service.declare import Service


async def due(host: Host, schedule: str) -> bool:
    """Run what is due of one schedule, and nothing else of the service; False when a run was given up.

    Raises:
        DeclarationError: There is no such schedule.
    """
    host.act()
    side = next((side for side in host.sides if isinstance(side, ScheduleSide)), None)
    if host.store is None or side is None or not side.knows(schedule):
        known = ", ".join(one.model.name for one in host.service.schedules) or "none"
        raise DeclarationError(f"{host.service.name} has no schedule {schedule}", hint=f"its schedules are: {known}")
    await prepare(host.service, host.store)
    if host.objects is not None:
        await host.objects.open()
    await host.prepare()
    return await side.once(schedule)


async def run(config: ServiceConfig, schedule: str) -> int:
    """Run it, and return the exit code; raises `ShoalError` when it cannot begin."""
    service = load(config.entry, Service)
    journal = configure(service.name, config.replica, config.version)
    telemetry = Telemetry(config.environ)
    recorder = journal.recorder = telemetry.recorder(service.name, config)
    host = Host(service, config, Fittings(transport=transport_of(config), journal=journal, recorder=recorder))
    async with telemetry:
        try:
            return 0 if await due(host, schedule) else GIVEN_UP
        finally:
            await host.stop()
            journal.flush()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("error: say which schedule: python -m shoal.runtime.once SCHEDULE")
    try:
        sys.exit(uvloop.run(run(ServiceConfig.from_environ(os.environ), sys.argv[1])))
    except TimeoutError:
        sys.exit("error: the store did not come up in time")
    except ShoalError as error:
        sys.exit(f"error: {error}")
