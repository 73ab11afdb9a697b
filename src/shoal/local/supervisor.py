"""Run a plan on this machine: engines, what they hold, services; at once what can be, and nothing by the clock."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from shoal.errors import ShoalError
from shoal.local import adopt, edge, engines, front, identities, provision, proxies, reaper, strangling, watching
from shoal.local.admin import admin_of
from shoal.local.canary import Hold
from shoal.local.course import Course
from shoal.local.dashboard import NAME as DASHBOARD
from shoal.local.environment import missing_settings
from shoal.local.ground import Ground, take
from shoal.local.health import keep_healthy
from shoal.local.one_process import Single
from shoal.local.operations import Operations
from shoal.local.ports import check_port
from shoal.local.registry import Register, RegistryServer
from shoal.local.replicas import Replicas, engines_of
from shoal.local.reporter import Quiet, Reporter
from shoal.local.scribe import Scribe
from shoal.local.servers.table import SERVERS
from shoal.local.site import Site
from shoal.local.state import RunState, Status, write_state
from shoal.local.together import together
from shoal.local.unit import Job, Surroundings, Unit
from shoal.local.world import REGISTRY, engine_recipe, require, sandbox_recipe, settle, write_mesh
from shoal.model import catalog
from shoal.model.choice import chosen
from shoal.model.listing import Directory
from shoal.model.plan import Plan

_EDGE_SECONDS = 10.0
_SHOWN = ("mailbox", DASHBOARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a plan.

    Args:
        entry: ``package.module:attribute`` of the system's declaration; a single process needs it.
        fresh: Remove what engines and sandboxes kept.
        reload: Replace a service when a file of its module's folder changes.
        strict: Give up when a service cannot start, instead of trying again.
        dashboard: Take the services' telemetry and show it.
        reporter: Who is told.
    """

    entry: str = ""
    fresh: bool = False
    reload: bool = False
    strict: bool = False
    dashboard: bool = False
    reporter: Reporter = field(default_factory=Quiet)


class Supervisor:
    """One run of a plan. `start`, `wait` and `stop` it, or `run` it, all in one event loop."""

    def __init__(self, plan: Plan, root: Path, options: Options | None = None, *, ground: Ground | None = None) -> None:
        self._planned, self.root = plan, root.resolve()
        given = options or Options()
        self._scribe = Scribe(given.reporter, self.root, self._note)
        self.options = replace(given, reporter=self._scribe)
        self._ground = ground
        self._engines: dict[str, Unit] = {}
        self._sandboxes: list[Unit] = []
        self._services: dict[str, Replicas] = {}
        self._single: Single | None = None
        self._course: Course | None = None
        self._register = Register()
        self._registry = RegistryServer(lambda: self.directory)
        self._registry_url = ""
        self._status: Status = "starting"
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._asked, self._hurried = asyncio.Event(), asyncio.Event()
        self._keeping: list[asyncio.Future[Any]] = []
        self._noted: asyncio.Handle | None = None
        self._operations: Operations | None = None

    @property
    def plan(self) -> Plan:
        """What runs, or will."""
        return self._course.plan if self._course else self._planned

    @property
    def _site(self) -> Site | None:
        return self._course.site if self._course else None

    @property
    def gateway(self) -> str:
        """Base URL of the gateway."""
        return front.base_url(self.plan)

    @property
    def units(self) -> list[Unit]:
        """Every process that is meant to run."""
        replicas = [unit for service in self._services.values() for unit in service.units]
        single = [self._single.unit] if self._single else []
        asked = self._operations.units if self._operations else []
        return [*self._engines.values(), *self._sandboxes, *replicas, *single, *asked]

    @property
    def state(self) -> RunState:
        """What runs now."""
        return RunState(
            system=self.plan.system.name,
            root=str(self.root),
            shape=self.plan.target.shape,
            mesh=self.plan.target.mesh,
            engines=chosen(self.plan.target),
            pid=os.getpid(),
            born=reaper.born(os.getpid()),
            status=self._status,
            started_at=self._started_at,
            gateway=self.gateway,
            registry=self._registry_url,
            authority=self._site.mesh.trust() if self.plan.tls and self._site and self._site.mesh else "",
            runtime=str(self._ground.layout.runtime) if self._ground else "",
            urls=self._urls(),
            processes=tuple(unit.state for unit in self.units),
            problems=dict(self._scribe.problems),
        )

    @property
    def directory(self) -> Directory:
        """Every service, as the registry lists it."""
        outbound = self._site.world.outbound if self._site is not None else {}
        return self._register.directory(self.plan, tuple(unit.state for unit in self.units), outbound, self.gateway)

    async def run(self) -> None:
        """Start everything, wait until asked to stop, also while starting, and stop it."""
        starting = asyncio.ensure_future(self.start())
        asked = asyncio.ensure_future(self._asked.wait())
        try:
            await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                starting.result()
                await asked
        finally:
            for task in (starting, asked):
                task.cancel()
            await asyncio.gather(starting, asked, return_exceptions=True)
            await self.stop()

    def request_stop(self) -> None:
        """Ask `run` to end. Call it in the event loop."""
        self._asked.set()

    async def start(self) -> None:
        """Start everything and return when all of it answers.

        Raises:
            HostError: The machine lacks something, or the project is running already.
            SettingsError: Services lack settings.
            EngineError: An engine cannot start; with ``strict`` also a service.
        """
        began = time.monotonic()
        try:
            missing_settings(self.plan, os.environ)
            if self._ground is None:
                self._ground = await take(self.root)
            check_port(self.plan.port)
            require(self.plan, self._ground.layout)
            if self.options.fresh:
                self._ground.wipe()  # last: whatever else is wrong must cost no data
            await self._start(self._ground)
            if self._operations is not None:
                await self._operations.open(self._ground.layout.runtime)
        except ShoalError:
            self._status = "failed"
            raise
        self._status = "ready"
        self._write()
        self.options.reporter.ready(self.state, time.monotonic() - began)
        if self.options.reload:
            self._watch()

    async def stop(self) -> None:
        """Stop in order: the edge takes no more requests, services drain, the proxy and the engines end."""
        if self._ground is None:
            return
        failed = self._status == "failed"
        self._status = "stopping"
        self._write()
        await self._unwatch()
        await self._close_edge()
        if self._operations is not None:
            await self._operations.close()
        services = [s.stop() for s in self._services.values()] + ([self._single.unit.stop()] if self._single else [])
        await asyncio.gather(*services, return_exceptions=True)  # one that cannot be stopped is left to the guardian
        outside = [unit.stop() for unit in self._sandboxes]
        await asyncio.gather(
            *outside, *self._stop_engines(*proxies.running(self._engines), "mailbox"), return_exceptions=True
        )
        await asyncio.gather(*self._stop_engines(*self._engines), return_exceptions=True)
        await self._leave("failed" if failed else "stopped")

    async def kill(self) -> None:
        """End every process without asking, so that a `stop` under way has nothing left to wait for."""
        self._hurried.set()
        await asyncio.gather(*(unit.kill() for unit in self.units), return_exceptions=True)

    async def reload(self, service: str) -> float:
        """Replace the replicas of a service by fresh ones; see `Replicas.reload`."""
        return await self._services[service].reload()

    def _watch(self) -> None:
        from shoal.local.reload import Sources, watch  # noqa: PLC0415 - its library is not needed to start

        sources = Sources(self.root, {s.name: s.entry for s in self.plan.services})
        single = {s.name: self._single for s in self.plan.services} if self._single else {}
        self._keep(watch(sources, {**self._services, **single}, self.options.reporter, self._adopt))

    async def _adopt(self) -> None:
        """Follow the declaration when a change of code has changed it."""
        reporter, course = self.options.reporter, self._course
        if not self.options.entry or course is None:
            return
        try:
            system = await adopt.declared(self.root, self.options.entry)
            if adopt.same(system, self.plan.system):
                reporter.solved("system")
                return
            before = course.site
            if not await course.adopt(system, self._engines, self._services):
                reporter.event("system", "its services, engines or surroundings have changed: stop it and run it again")
            else:
                if self._operations is not None:
                    self._operations.follow(course.site)
                reporter.event("system", "routes and permissions follow the new declaration")
                watching.tell_routes(course.site)
                await adopt.refresh(before, course.site, {**self._services, "": self._single}, reporter)
        except (ShoalError, OSError) as error:
            reporter.problem("system", f"{error}\nroutes and permissions stay as they were")
        else:
            reporter.solved("system")

    async def _start(self, ground: Ground) -> None:
        plan = strangling.resumed(self.plan, ground.layout)
        site = settle(plan, ground.layout, dashboard=self.options.dashboard)
        course = self._course = Course(site)
        self._registry_url = await self._registry.start(site.ports[REGISTRY])
        write_mesh(site)
        around = Surroundings(ground=ground, reporter=self.options.reporter, changed=self._note)
        self._make(site, around)
        self._operations = Operations(
            Hold(
                site=lambda: course.site,
                services=self._services,
                units=lambda: self.units,
                around=around,
                retarget=course.retarget,
            )
        )
        self._write()
        if site.world.broker_url:
            await provision.declare_broker(site.plan, site.world, site.layout.data / "declared-streams")
        await together(
            *(self._start_engine(site, name) for name in self._engines),
            *(self._start_kept(unit) for unit in self._sandboxes),
            *(self._start_service(replicas) for replicas in self._services.values()),
            *([self._start_single(site, self._single)] if self._single else []),
        )

    def _make(self, site: Site, around: Surroundings) -> None:
        for name in site.plan.engines:
            if name in {kind.name for kind in engines.KINDS}:
                self._engines[name] = Unit(Job(recipe=engine_recipe(site, name), kind="engine"), around)
        if self.options.dashboard:
            self._engines[DASHBOARD] = watching.unit(site, self.options.entry, around)
        for external in site.plan.externals:
            if external.sandbox is not None:
                recipe, program = sandbox_recipe(site, external, external.sandbox)
                self._sandboxes.append(Unit(Job(recipe=recipe, kind="sandbox", program=program), around))
        if site.mesh is not None:
            self._sandboxes += strangling.applications(site, around)
            for service in site.plan.services:
                mesh = proxies.before(site.plan, site.mesh, service.name)
                self._services[service.name] = Replicas(site, mesh, service, around)
            for name in set(proxies.proxies(site.plan, site.mesh)) - {proxies.FIRST}:
                self._engines[name] = Unit(Job(recipe=engine_recipe(site, name), kind="engine"), around)
        else:
            self._single = Single(site, self.options.entry, around)
        self._provided = {name: asyncio.Event() for name in self._engines}

    async def _start_engine(self, site: Site, name: str) -> None:
        unit = self._engines[name]
        if name == DASHBOARD:
            await watching.start(unit, self.options.reporter)
            return
        await unit.start()
        unit.keep()
        note = site.layout.data / name / "declared"
        if name in SERVERS and SERVERS[name].store_operator is not None:
            await provision.declare_stores(site.plan, site.world, name, note)
        elif name in SERVERS and SERVERS[name].objects_operator is not None:
            await provision.declare_objects(site.plan, site.world, name)
        elif site.mesh is not None and name == "envoy":
            renewing = identities.keep(lambda: self._site, lambda said: self.options.reporter.event("identities", said))
            self._keep(proxies.keep_logs(site.plan, site.mesh), renewing)
        if name == catalog.server(site.world.broker):
            await provision.declare_broker(site.plan, site.world, note.with_name("declared-streams"))
            said = partial(self.options.reporter.event, name)
            self._keep(provision.watch_broker(lambda: self.plan, site.world, said))
            self._keep(*([keep_healthy(unit, said)] if name == "nats" else []))
        self._provided[name].set()

    def _keep(self, *chores: Coroutine[Any, Any, None]) -> None:
        """Do this until the run ends."""
        self._keeping += map(asyncio.ensure_future, chores)

    async def _start_kept(self, unit: Unit) -> None:
        await unit.start()
        unit.keep()

    async def _start_service(self, replicas: Replicas) -> None:
        await replicas.warm()
        await self._await_engines(*engines_of(replicas.service))
        await replicas.start(strict=self.options.strict)

    async def _start_single(self, site: Site, single: Single) -> None:
        await single.unit.warm()
        names = {name for service in site.plan.services for name in engines_of(service)}
        await self._await_engines(*names)
        await single.start()

    async def _await_engines(self, *names: str) -> None:
        for name in names:
            if name in self._provided:
                await self._provided[name].wait()

    def _stop_engines(self, *names: str) -> list["asyncio.Future[None]"]:
        return [asyncio.ensure_future(self._engines[name].stop()) for name in names if name in self._engines]

    async def _close_edge(self) -> None:
        proxy = self._engines.get("envoy")
        if proxy is None or not proxy.ready or self._site is None or self._site.mesh is None:
            return
        closing = asyncio.ensure_future(edge.close(self._site.mesh, admin_of(self._site.mesh)))
        hurried = asyncio.ensure_future(self._hurried.wait())
        await asyncio.wait({closing, hurried}, timeout=_EDGE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in (closing, hurried):
            task.cancel()
        await asyncio.gather(closing, hurried, return_exceptions=True)

    async def _unwatch(self) -> None:
        tasks, self._keeping = self._keeping, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _leave(self, status: Status) -> None:
        self._status = status
        await self._registry.stop()
        self._write()
        self._scribe.close()
        ground, self._ground = self._ground, None
        if ground is not None:
            await ground.leave()

    def _urls(self) -> dict[str, str]:
        shown = [*self._sandboxes, *(unit for name, unit in self._engines.items() if name in _SHOWN)]
        return {unit.state.name: unit.addresses["http"] for unit in shown if "http" in unit.addresses}

    def _note(self) -> None:
        """Write the state once per turn of the event loop, however much has changed."""
        if self._noted is None:
            self._noted = asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._noted = None
        if self._ground is not None:
            _ = self.directory  # which notes the time of what has changed
            with contextlib.suppress(OSError):  # a full disk must not stop what runs
                write_state(self.root, self.state)


@contextlib.asynccontextmanager
async def running(plan: Plan, root: Path, options: Options | None = None) -> AsyncIterator[Supervisor]:
    """Run a plan for the length of a block: everything answers inside it, nothing is left after it."""
    supervisor = Supervisor(plan, root, options)
    try:
        await supervisor.start()
        yield supervisor
    finally:
        await supervisor.stop()
