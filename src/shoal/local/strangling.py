"""Take over the paths of old applications while requests flow: where each stands, kept over runs, and comparing."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from shoal.errors import DeclarationError
from shoal.local import admin
from shoal.local.canary import Hold
from shoal.local.engines import parity
from shoal.local.engines.parity import ParityOptions
from shoal.local.engines.recipe import Recipe
from shoal.local.engines.sandbox import SandboxOptions
from shoal.local.engines.sandbox import recipe as sandbox_recipe
from shoal.local.host import private_directory, private_file
from shoal.local.layout import Layout
from shoal.local.parity.record import Parity, forget, parity_file, read
from shoal.local.parity.server import Compared, Settings
from shoal.local.site import Site
from shoal.local.unit import Job, Surroundings, Unit
from shoal.local.world import python_path
from shoal.mesh.edge import EDGE
from shoal.mesh.routes import expression
from shoal.mesh.strangler import prefix
from shoal.model.legacy import State, Turn, comparable
from shoal.model.plan import Plan, plan
from shoal.model.takeover import Takeover, takeovers
from shoal.model.target import Target


class RouteState(msgspec.Struct, frozen=True, kw_only=True):
    """One route of an old application, as people see it."""

    route: str
    method: str
    path: str
    application: str
    service: str
    """``service.endpoint`` that takes over; empty while nobody does."""
    state: State
    weight: float = 0.0
    sample: float = 100.0
    requests: int = 0
    """Answered since the proxy started, whoever did."""
    parity: Parity = Parity()


def turns_file(layout: Layout) -> Path:
    """Locate where the routes stand."""
    return layout.data / "strangle" / "turns.json"


def resumed(plan_: Plan, layout: Layout) -> Plan:
    """Let routes of old applications stand where they stood; those that cannot any more begin anew."""
    if not plan_.system.gateway.legacy:
        return plan_
    try:
        turns = msgspec.json.decode(turns_file(layout).read_bytes(), type=dict[str, Turn])
    except (OSError, msgspec.MsgspecError):
        return plan_
    possible = {name: turn for name, turn in turns.items() if _possible(plan_, name, turn)}
    return plan(plan_.system, msgspec.structs.replace(plan_.target, turns=possible))


def applications(site: Site, around: Surroundings) -> list[Unit]:
    """Make the units of the old applications that we run: as the stand-ins of outside systems are run."""
    found = []
    for application in filter(lambda each: each.module, site.plan.system.gateway.legacy):
        options = SandboxOptions(
            name=application.name, module=application.module, health=application.health,
            port=site.ports[application.name], directory=site.layout.data / "legacy" / application.name,
            root=site.layout.root, path=python_path(site.layout.root),
        )  # fmt: skip
        found.append(Unit(Job(recipe=sandbox_recipe(options), kind="legacy"), around))
    return found


class Strangling:
    """Every old application of a run."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._comparing: Unit | None = None
        self._setting = asyncio.Lock()

    @property
    def units(self) -> list[Unit]:
        """The process that compares, while there is one."""
        return [self._comparing] if self._comparing else []

    async def open(self) -> None:
        """Compare what is to be compared already."""
        if "envoy" in self._hold.plan.engines:
            async with self._setting:
                await self._compare(self._takeovers())

    async def close(self) -> None:
        """Compare no more."""
        comparing, self._comparing = self._comparing, None
        if comparing is not None:
            await comparing.stop()

    async def set(self, values: Mapping[str, Any]) -> RouteState:
        """Move a route on, or back.

        Raises:
            DeclarationError: There is no such route, or it cannot stand there.
        """
        if "envoy" not in self._hold.plan.engines:
            raise DeclarationError("one process has no old application beside it", hint="run without --one-process")
        async with self._setting:  # one process compares for all routes
            one = self._find(str(values["route"]))
            await self._turn(one, _turn(one, values))
            layout = self._hold.around.ground.layout
            private_directory(turns_file(layout).parent)
            private_file(turns_file(layout), msgspec.json.encode(self._hold.plan.target.turns).decode())
            (state,) = await self._states((self._find(one.route.name),))
            return state

    async def _turn(self, one: Takeover, turn: Turn) -> None:
        def turned(target: Target) -> Target:
            return msgspec.structs.replace(target, turns={**target.turns, one.route.name: turn})

        found = takeovers(self._hold.plan.system, turned(self._hold.plan.target))
        try:
            if turn.state == "shadow":
                await self._begin(one)
                await self._compare(found)
            await self._hold.retarget(turned)
        finally:
            await self._compare(self._takeovers())  # also when the route stays where it was

    async def status(self, _: Mapping[str, Any]) -> list[RouteState]:
        """Say where every route stands."""
        return await self._states(self._takeovers())

    def _takeovers(self) -> tuple[Takeover, ...]:
        return takeovers(self._hold.plan.system, self._hold.plan.target)

    def _find(self, name: str) -> Takeover:
        found = self._takeovers()
        for one in found:
            if name in (one.route.name, f"{one.method} {one.path}"):
                return one
        known = ", ".join(one.route.name for one in found) or "none"
        raise DeclarationError(f"no old application has a route {name!r}", hint=f"the routes: {known}")

    async def _states(self, found: tuple[Takeover, ...]) -> list[RouteState]:
        mesh, data = self._hold.site().mesh, self._hold.around.ground.layout.data
        counts = await admin.counters(admin.admin_of(mesh), _counter(".*")) if mesh and found else {}
        compared = read(parity_file(data))
        return [
            RouteState(
                route=one.route.name, method=one.method, path=one.path, application=one.application,
                service=f"{one.service}.{one.endpoint}" if one.service else "",
                state=one.route.state, weight=one.route.weight, sample=one.route.sample,
                requests=counts.get(_counter(prefix(one)), 0), parity=compared.get(one.route.name, Parity()),
            )
            for one in found
        ]  # fmt: skip

    async def _begin(self, one: Takeover) -> None:
        """Forget what was compared before the route came into the shadow, as the service was then."""
        if one.route.state != "shadow":
            await self.close()
            forget(parity_file(self._hold.around.ground.layout.data), one.route.name)

    async def _compare(self, found: tuple[Takeover, ...]) -> None:
        """Run the process that compares exactly while something is in the shadow."""
        wanted = any(one.route.state == "shadow" for one in found)
        if wanted and self._comparing is None:
            unit = self._comparing = Unit(Job(recipe=self._recipe(found), kind="legacy"), self._hold.around)
            try:
                await unit.start()
            except BaseException:
                self._comparing = None  # or the next attempt would take it for one that runs
                raise
            unit.keep()
        elif not wanted and self._comparing is not None:
            await self.close()
            self._hold.around.changed()

    def _recipe(self, found: tuple[Takeover, ...]) -> Recipe:
        mesh, data = self._hold.site().mesh, self._hold.around.ground.layout.data
        assert mesh is not None, "asked before"  # noqa: S101
        routes = tuple(
            Compared(name=r.name, method=r.method, expression=expression(r.path), ignore=r.ignore)
            for r in (one.route for one in found)
            if comparable(r)
        )
        settings = Settings(
            listen=mesh.parity_in().path, ask=mesh.parity_out().path, record=str(parity_file(data)), routes=routes
        )
        return parity.recipe(ParityOptions(settings=settings, file=parity_file(data).with_name("settings.json")))


def _counter(route: str) -> str:
    """Name what Envoy counts of the requests on a route."""
    return f"vhost.{EDGE}.route.{route}.upstream_rq_completed"


def _turn(one: Takeover, values: Mapping[str, Any]) -> Turn:
    try:
        state = msgspec.convert("record" if values["state"] == "legacy" else values["state"], State)
    except msgspec.ValidationError as error:
        raise DeclarationError(f"{values['state']!r} is no state", hint=f"use {', '.join(get_args(State))}") from error
    weight, sample = float(values.get("weight") or 0.0), float(values.get("sample") or one.route.sample)
    if state == "shift" and not 0 < weight <= 100:
        raise DeclarationError(f"a shift of {weight:g} %", hint="say how much the service answers: --weight 10")
    return Turn(state=state, weight=weight if state == "shift" else 0.0, sample=sample)


def _possible(known: Plan, name: str, turn: Turn) -> bool:
    try:
        takeovers(known.system, msgspec.structs.replace(known.target, turns={name: turn}))
    except DeclarationError:
        return False
    return True
