"""Stand-ins for what the supervisor lends to those who change a running system: no process, no proxy."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from shoal import model
from shoal.errors import EngineError
from shoal.local import layout, world
from shoal.local.canary import Hold
from shoal.local.course import Course
from shoal.local.reporter import Quiet
from shoal.local.site import Site
from shoal.local.unit import Job, Surroundings
from shoal.model.target import Target


class Listening(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}

    def problem(self, source: str, text: str) -> None:
        self.problems[source] = text


@dataclass(eq=False)
class FakeUnit:
    """A process that starts unless its turn to fail has come."""

    job: Job
    around: Surroundings
    failing: set[int] = field(default_factory=set)
    """Numbers of starts that fail, shared by all."""
    started: list["FakeUnit"] = field(default_factory=list)
    ready: bool = False
    stopped: bool = False

    @property
    def state(self) -> Any:
        return SimpleNamespace(name=self.job.recipe.name)

    async def start(self) -> None:
        self.started.append(self)
        number = len(self.started)
        await asyncio.sleep(0)
        if number in self.failing or self.stopped:
            raise EngineError(f"{self.state.name} ended before it was ready")
        self.ready = True

    def keep(self) -> None:
        pass

    def hurry(self) -> None:
        pass

    def follow(self, recipe: object) -> None:
        pass

    async def stop(self) -> None:
        self.ready, self.stopped = False, True
        await asyncio.sleep(0)


def units(failing: set[int], started: list[FakeUnit]) -> Callable[[Job, Surroundings], FakeUnit]:
    """Make units that fail at these of their starts."""
    return lambda job, around: FakeUnit(job, around, failing, started)


class FakeReplicas:
    """The replicas of a service that are never run."""

    def __init__(
        self, site: Site, mesh: object, service: Any, around: object, *, version: str = "", code: Path | None = None
    ) -> None:
        self.service, self.code = service, code
        self.units: list[FakeUnit] = []
        self.became: list[Path] = []
        self.stopped = False
        assert (site, mesh, around, version) is not None

    async def start(self, *, strict: bool) -> None:
        await asyncio.sleep(0)
        assert strict

    async def become(self, code: Path) -> None:
        await asyncio.sleep(0)
        self.became.append(code)

    async def stop(self) -> None:
        self.stopped = True


@asynccontextmanager
async def site(system: model.System, folder: Path, target: Target) -> AsyncIterator[Site]:
    """Settle a system in a folder, with its mesh written."""
    place = layout.layout_of(folder)
    layout.make(place)
    try:
        found = world.settle(model.plan(system, target).require(), place)
        world.write_mesh(found)
        yield found
    finally:
        layout.clear(place)


def surroundings(found: Site, reporter: Quiet | None = None) -> Surroundings:
    """Stand where no process is started."""
    ground = cast("Any", SimpleNamespace(layout=found.layout))
    return Surroundings(ground=ground, reporter=reporter or Quiet(), changed=lambda: None)


def hold(course: Course, services: Any = None) -> Hold:
    """Lend a course."""
    return Hold(
        site=lambda: course.site,
        services=services or {},
        around=surroundings(course.site),
        retarget=course.retarget,
    )
