"""A second version of a service beside the first: started, watched, and made the only one or taken away again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from shoal.errors import DeclarationError, EngineError, ShoalError
from shoal.local import admin, proxies
from shoal.local.host import private_file
from shoal.local.imports import Imports
from shoal.local.replicas import Replicas
from shoal.local.site import Site
from shoal.local.unit import Surroundings, Unit
from shoal.mesh.endpoints import endpoint_file
from shoal.mesh.layout import Layout
from shoal.model.plan import Plan, ServicePlan, plan
from shoal.model.rollout import Override, Rollout, Split, version_name
from shoal.model.target import Target
from shoal.model.verdict import Counts, Outcome, judge, since

LOOK_EVERY = 0.5
"""Seconds between two verdicts."""

Stage = Literal["running", "promoting", "promoted", "aborted"]


class CanaryState(msgspec.Struct, frozen=True, kw_only=True):
    """How a second version stands, or how it ended."""

    service: str
    version: str
    code: str
    """Folder of its code."""
    stage: Stage = "running"
    weight: float = 0.0
    mirror: float = 0.0
    override: Override = "inside"
    started_at: str = ""
    ended_at: str = ""
    outcome: Outcome = "waiting"
    reason: str = ""
    """What the verdict, or the end, rests on."""
    automatic: bool = True
    """Whether a bad verdict ends it."""
    promote: bool = False
    """Whether a good verdict makes it the only one."""
    stable: Counts = Counts()
    fresh: Counts = Counts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What the supervisor lends to those who change a running system."""

    site: Callable[[], Site]
    services: Mapping[str, Replicas]
    around: Surroundings
    units: Callable[[], Sequence[Unit]] = tuple
    """Every process that is meant to run."""
    retarget: Callable[[Callable[[Target], Target]], Awaitable[None]]
    """Let requests flow as a changed target says; returns when they do. The change is made of the target that holds
    when no other change is under way, so that none is lost."""

    @property
    def plan(self) -> Plan:
        """What runs."""
        return self.site().plan


@dataclass(slots=True, kw_only=True)
class _Canary:
    """One that runs."""

    state: CanaryState
    replicas: Replicas
    rule: Rollout
    then: tuple[Counts, Counts] = (Counts(), Counts())
    """What both versions had answered when it began, or when Envoy last began to count anew."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Args:
        service: Name.
        code: Folder with the new version's modules.
        weight: Percent of the requests.
        mirror: Percent of the GET requests of which it gets a copy while it has no weight.
        version: Its name.
        replicas: How many processes.
        override: Whose header counts; None takes what the service declares.
        requests: Requests before the verdict; 0 takes what the service declares.
        automatic: Whether a bad verdict ends it.
        promote: Whether a good verdict makes it the only one.
    """

    service: str
    code: str
    weight: float = 10.0
    mirror: float = 0.0
    version: str = "canary"
    replicas: int = 1
    override: Override | None = None
    requests: int = 0
    automatic: bool = True
    promote: bool = False


def canary_file(home: Path) -> Path:
    """Locate the states of all canaries of a project below its ``.shoal``."""
    return home / "canary.json"


def read_states(home: Path) -> tuple[CanaryState, ...]:
    """Read them; none when there never was one."""
    try:
        return msgspec.json.decode(canary_file(home).read_bytes(), type=tuple[CanaryState, ...])
    except (OSError, msgspec.MsgspecError):
        return ()


def require_module(code: Path, module: str) -> None:
    """Refuse a folder without the module: the old one would be imported from elsewhere, and serve as the new one."""
    if Imports((code,)).locate(module) is None:
        raise DeclarationError(
            f"{code} has no module {module}",
            hint=f"--code takes the folder in which {module.partition('.')[0]} lies, as in the project",
        )


class Canaries:
    """Every second version of a run."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._running: dict[str, _Canary] = {}
        self._ended: dict[str, CanaryState] = {}
        self._watching: asyncio.Task[None] | None = None

    @property
    def units(self) -> list[Unit]:
        """Their processes."""
        return [unit for canary in self._running.values() for unit in canary.replicas.units]

    def open(self) -> None:
        """Begin a run: what an earlier one left running ended with it."""
        known = read_states(self._hold.around.ground.layout.home)
        self._ended = {state.service: _outlived(state) for state in known}
        if known != tuple(self._ended.values()):
            self._write()

    def follow(self, site: Site) -> None:
        """Start processes from now on as another plan says."""
        for name, canary in self._running.items():
            canary.replicas.follow(site, _sized(site.plan, name, len(canary.replicas.units)))

    async def start(self, wish: Start) -> CanaryState:
        """Start a second version beside the first, and give it its part of the requests once it answers.

        Raises:
            DeclarationError: It cannot be.
            HostError: The proxies could not watch its files; nothing is started.
            EngineError: It does not start; nothing has changed.
        """
        rule = self._allowed(wish)
        site, before = self._hold.site(), self._before(wish.service)
        self._require_watches(wish)
        service = _sized(site.plan, wish.service, wish.replicas)
        replicas = Replicas(site, before, service, self._hold.around, version=wish.version, code=Path(wish.code))
        override = wish.override or rule.override
        state = CanaryState(
            service=wish.service, version=wish.version, code=wish.code, weight=wish.weight, override=override,
            mirror=wish.mirror, started_at=_now(), automatic=wish.automatic, promote=wish.promote,
        )  # fmt: skip
        canary = self._running[wish.service] = _Canary(state=state, replicas=replicas, rule=rule)
        async with canary.busy:
            try:
                await replicas.start(strict=True)
                canary.then = await self._answered(canary)
                await self._divide(canary, wish.weight)
            except BaseException:
                await self._remove(canary)
                raise
        self._write()
        self._watch()
        return state

    async def weigh(self, service: str, weight: float) -> CanaryState:
        """Give a second version another part of the requests."""
        async with self._alone(service) as canary:
            await self._divide(canary, weight)
            canary.state = msgspec.structs.replace(canary.state, weight=weight)
        self._write()
        return canary.state

    async def promote(self, service: str) -> CanaryState:
        """Make the second version the only one: it takes all requests while the first one's processes are replaced.

        Raises:
            EngineError: The new processes do not start; the second version goes on answering everything.
        """
        async with self._alone(service) as canary:
            canary.state = msgspec.structs.replace(canary.state, stage="promoting")
            try:
                await self._divide(canary, 100.0)
                canary.state = msgspec.structs.replace(canary.state, weight=100.0)
                await self._hold.services[service].become(canary.replicas.code)
                await self._end(canary, "promoted", canary.state.reason)
            except BaseException:
                canary.state = msgspec.structs.replace(canary.state, stage="running", promote=False)
                raise
        return canary.state

    async def abort(self, service: str, reason: str = "asked for") -> CanaryState:
        """Let the first version answer everything again, and take the second one away."""
        async with self._alone(service) as canary:
            await self._end(canary, "aborted", reason)
        return canary.state

    async def stop(self) -> None:
        """Take them all away; the run ends."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await asyncio.gather(*(c.replicas.stop() for c in self._running.values()), return_exceptions=True)
        for canary in self._running.values():
            self._note(canary, "aborted", "the run has ended")
        if self._running:
            self._running.clear()
            self._write()

    async def look(self) -> None:
        """Judge every second version once, and end those that are worse."""
        for canary in list(self._running.values()):
            if canary.busy.locked() or canary.state.stage != "running":
                continue
            stable, fresh = await self._counted(canary)
            if canary.busy.locked() or self._running.get(canary.state.service) is not canary:
                continue  # somebody has moved it, or ended it, meanwhile
            found = judge(stable, fresh, canary.rule)
            canary.state = msgspec.structs.replace(
                canary.state, outcome=found.outcome, reason=found.reason, stable=stable, fresh=fresh
            )
            if found.outcome == "worse" and canary.state.automatic:
                await self.abort(canary.state.service, found.reason)
            elif found.outcome == "fine" and canary.state.promote:
                await self.promote(canary.state.service)
        if self._running:
            self._write()

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = asyncio.create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except (ShoalError, OSError, EOFError, ValueError) as error:
                self._hold.around.reporter.problem("canary", f"no verdict: {error}")
            else:
                self._hold.around.reporter.solved("canary")

    def _allowed(self, wish: Start) -> Rollout:
        plan = self._hold.plan
        declared = plan.system.service(wish.service).traffic.rollout
        if "envoy" not in plan.engines:
            raise DeclarationError("one process holds one version of each service", hint="run without --one-process")
        if plan.target.mesh == "off":
            raise DeclarationError(
                f"the mesh is off: no proxy stands before {wish.service} that could divide its requests",
                hint="run without --mesh off",
            )
        if wish.service in self._running:
            raise DeclarationError(
                f"{wish.service} has a second version already", hint=f"shoal canary promote|abort {wish.service}"
            )
        Split(version=wish.version, weight=wish.weight, mirror=wish.mirror)  # refuses nonsense
        if not Path(wish.code).is_dir():
            raise DeclarationError(f"there is no folder {wish.code}", hint="--code takes the folder of a checkout")
        require_module(Path(wish.code), plan.service(wish.service).entry.partition(":")[0])
        if wish.mirror and wish.weight:
            raise DeclarationError(
                f"{wish.service} would get copies of the requests besides {wish.weight:g} % of them",
                hint="copies are for a version without requests of its own: --mirror with --weight 0",
            )
        return msgspec.structs.replace(declared, requests=wish.requests or declared.requests)

    def _require_watches(self, wish: Start) -> None:
        site = self._hold.site()
        splits = {**site.plan.target.splits, wish.service: Split(version=wish.version)}
        divided = plan(site.plan.system, msgspec.structs.replace(site.plan.target, splits=splits)).require()
        assert site.mesh is not None, "it was asked for just before"  # noqa: S101
        proxies.require_more_watches(site.plan, divided, site.mesh, f"the version {wish.version} of {wish.service}")

    def _find(self, service: str) -> _Canary:
        if service not in self._running:
            known = ", ".join(self._running) or "none"
            raise DeclarationError(f"{service} has no second version", hint=f"those that have one: {known}")
        return self._running[service]

    @contextlib.asynccontextmanager
    async def _alone(self, service: str) -> AsyncIterator[_Canary]:
        """Wait until nobody else changes a second version; refuse when it has ended by then."""
        canary = self._find(service)
        async with canary.busy:
            if self._running.get(service) is not canary:
                raise DeclarationError(
                    f"{service}'s second version {canary.state.version} has ended meanwhile: {canary.state.stage}",
                    hint="shoal canary status",
                )
            yield canary

    async def _divide(self, canary: _Canary, weight: float) -> None:
        state = canary.state
        split = Split(version=state.version, weight=weight, override=state.override, mirror=state.mirror)

        def divided(target: Target) -> Target:
            return msgspec.structs.replace(target, splits={**target.splits, state.service: split})

        await self._hold.retarget(divided)

    async def _end(self, canary: _Canary, stage: Stage, reason: str) -> None:
        await self._remove(canary)
        self._note(canary, stage, reason)
        self._write()
        self._hold.around.reporter.event(
            canary.state.service, f"{canary.state.version} {stage}: {reason or 'asked for'}"
        )

    async def _remove(self, canary: _Canary) -> None:
        """Take requests away from it first, and then its processes."""
        name = canary.state.service

        def undivided(target: Target) -> Target:
            rest = {service: split for service, split in target.splits.items() if service != name}
            return msgspec.structs.replace(target, splits=rest)

        await self._hold.retarget(undivided)  # also where it has no part: Envoy may have heard of one
        await canary.replicas.stop()
        self._running.pop(name, None)
        self._hold.around.changed()
        file = Path(self._before(name).path(endpoint_file(version_name(name, canary.state.version))))
        await asyncio.to_thread(file.unlink, missing_ok=True)

    def _before(self, service: str) -> Layout:
        """Lay out the proxy that divides a service's requests."""
        site = self._hold.site()
        if site.mesh is None:
            raise EngineError("there is no proxy that divides and counts", hint="shoal ps")
        return proxies.before(site.plan, site.mesh, service)

    async def _answered(self, canary: _Canary) -> tuple[Counts, Counts]:
        name = canary.state.service
        place = admin.admin_of(self._before(name))
        fresh = version_name(name, canary.state.version)
        return await admin.answered(place, name), await admin.answered(place, fresh)

    async def _counted(self, canary: _Canary) -> tuple[Counts, Counts]:
        """Count what both versions have answered since it began; a new Envoy counts from nothing."""
        now = await self._answered(canary)
        if any(n.requests < t.requests for n, t in zip(now, canary.then, strict=True)):
            canary.then = (Counts(), Counts())
        return since(now[0], canary.then[0]), since(now[1], canary.then[1])

    def _note(self, canary: _Canary, stage: Stage, reason: str) -> None:
        canary.state = msgspec.structs.replace(canary.state, stage=stage, reason=reason, ended_at=_now())
        self._ended[canary.state.service] = canary.state

    def _write(self) -> None:
        states = {**self._ended, **{name: canary.state for name, canary in self._running.items()}}
        text = msgspec.json.encode(tuple(states.values())).decode()
        private_file(canary_file(self._hold.around.ground.layout.home), text)


def _sized(plan: Plan, service: str, replicas: int) -> ServicePlan:
    """Plan a service with another number of replicas, spread over the zones as its own are."""
    known = plan.service(service)
    spread = plan.target.zones if known.zones else ()
    zones = tuple(spread[number % len(spread)] for number in range(replicas)) if spread else ()
    return msgspec.structs.replace(known, replicas=replicas, zones=zones)


def _outlived(state: CanaryState) -> CanaryState:
    if state.stage not in ("running", "promoting"):
        return state
    return msgspec.structs.replace(state, stage="aborted", reason="the run ended", ended_at=_now())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
