"""The dashboard beside a run: it may fail, and nothing of the system waits for it."""

import os
import time
from pathlib import Path

import msgspec

from shoal.errors import ShoalError
from shoal.local import dashboard
from shoal.local.dashboard import NAME, Settings
from shoal.local.engines import dashboard as engine
from shoal.local.forks import Program
from shoal.local.host import private_directory, private_file
from shoal.local.reporter import Reporter
from shoal.local.site import Site
from shoal.local.unit import Job, Surroundings, Unit
from shoal.local.world import python_path


def unit(site: Site, entry: str, around: Surroundings) -> Unit:
    """Make the unit that runs it; started again, it goes on with the file of this run.

    Args:
        site: What runs.
        entry: ``package.module:attribute`` of the system's declaration.
        around: Where the unit works.
    """
    layout, secret = site.layout, dashboard.token_file(site.layout)
    dashboard.token(secret)
    settings = Settings(
        folder=str(layout.telemetry),
        port=site.ports[NAME],
        system=site.plan.system.name,
        key=f"{os.getpid()}-{time.time_ns()}",
        token=str(secret),
        root=str(layout.root),
        entry=entry,
        access=site.mesh.access() if site.mesh is not None else "",
        routes=str(_routes(site)),
    )
    tell_routes(site)
    options = engine.DashboardOptions(
        settings=settings, directory=layout.telemetry, path=f"{_own()}{os.pathsep}{python_path(layout.root)}"
    )
    program = Program(module=engine.MODULE, arguments=(str(engine.settings_file(options)),))
    return Unit(Job(recipe=engine.recipe(options), kind="engine", program=program), around)


def tell_routes(site: Site) -> None:
    """Write under which paths clients find what, for the names of the gateway's spans."""
    if NAME in site.ports:
        private_directory(site.layout.telemetry)
        found = {f"{route.service}.{route.endpoint}": route.path for route in site.plan.routes}
        private_file(_routes(site), msgspec.json.encode(found).decode())


async def start(watching: Unit, reporter: Reporter) -> None:
    """Start it and keep it alive; what keeps it from starting is told, and it is tried again."""
    try:
        await watching.start()
    except ShoalError as error:
        reporter.problem(NAME, str(error))
    watching.keep()


def _routes(site: Site) -> Path:
    return site.layout.telemetry / "routes.json"


def _own() -> Path:
    """Locate this `shoal`."""
    return Path(__file__).parents[2]
