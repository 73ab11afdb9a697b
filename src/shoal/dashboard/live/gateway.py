"""The gateway: routes and their limits, consumers, faults on purpose, second versions, paths of old applications."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from shoal import model
from shoal.dashboard.live.map import told
from shoal.dashboard.live.running import Live
from shoal.errors import HostError
from shoal.local import control, faults
from shoal.local.canary import read_states
from shoal.local.layout import layout_of
from shoal.local.state import RunState
from shoal.model.fault import Fault, edges, read_edge
from shoal.model.plan import Plan, Route, plan
from shoal.model.target import LOCAL, with_options


class Injection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault that is asked for."""

    edge: str
    """``caller:callee``, perhaps with ``.endpoint``."""
    delay: float = 0.0
    """Seconds."""
    abort: int = 0
    percent: float = 100.0


class Clearing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which faults are to end."""

    edge: str = ""
    """All of them when empty."""


class CanaryWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become of a second version."""

    do: Literal["weigh", "promote", "abort"]
    service: str
    weight: float = 0.0


class TurnWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a path of an old application is to stand."""

    route: str
    state: str
    weight: float = 0.0
    sample: float = 0.0


async def shown(live: Live) -> dict[str, Any]:
    """Return all that the page shows; what only a running system knows is empty while nothing runs."""
    system = await live.system()
    planned = plan(system, with_options(LOCAL))
    run = live.run()
    return {
        "live": run is not None,
        "url": run.gateway if run is not None else "",
        "port": system.gateway.port,
        "tls": planned.tls is not None,
        "issuer": system.gateway.issuer,
        "issuers": [msgspec.to_builtins(one) for one in system.gateway.issuers],
        "consumers": [msgspec.to_builtins(one) for one in system.gateway.consumers],
        "routes": [_route(route, system) for route in planned.routes],
        "ways": [
            {"caller": caller, "callee": callee, "endpoints": names}
            for (caller, callee), names in sorted(edges(planned).items())
        ],
        "mesh": _mesh(planned, _carrier(run)),
        **(await _moving(live) if run is not None else {"faults": [], "canaries": [], "strangler": [], "problem": ""}),
    }


async def present(live: Live) -> list[Fault]:
    """List what goes wrong on purpose now; nothing where no proxy runs."""
    try:
        sockets, planned = await _proxies(live)
        return list(await faults.present(sockets, planned))
    except HostError:
        return []


async def inject(live: Live, wish: Injection) -> dict[str, Any]:
    """Strike a way from the next request on, in place of what struck it before."""
    way = read_edge(wish.edge)
    fault = Fault(
        caller=way.caller, callee=way.callee, endpoint=way.endpoint, delay=wish.delay, abort=wish.abort,
        percent=wish.percent,
    )  # fmt: skip
    sockets, planned = await _proxies(live)
    await faults.add(sockets, planned, fault)
    return _fault(fault)


async def clear(live: Live, wish: Clearing) -> dict[str, Any]:
    """End every fault, or those of one way."""
    sockets, planned = await _proxies(live)
    await faults.clear(sockets, planned, read_edge(wish.edge) if wish.edge else None)
    return {"faults": [_fault(fault) for fault in await faults.present(sockets, planned)]}


async def canary(live: Live, wish: CanaryWish) -> Any:
    """Give a second version another weight, make it the only one, or take it away."""
    values = {"weight": wish.weight} if wish.do == "weigh" else {}
    return await _ask(live, f"canary.{wish.do}", service=wish.service, **values)


async def turn(live: Live, wish: TurnWish) -> Any:
    """Move a path of an old application on, or back."""
    return await _ask(live, "strangle.set", **msgspec.to_builtins(wish))


async def _moving(live: Live) -> dict[str, Any]:
    found = await present(live)
    problem = ""
    routes: Any = []
    if (await live.system()).gateway.legacy:
        try:
            routes = await _ask(live, "strangle.status")
        except HostError as error:
            problem = str(error)
    return {
        "faults": [_fault(fault) for fault in found],
        "canaries": [msgspec.to_builtins(state) for state in read_states(layout_of(live.where.root).home)],
        "strangler": routes,
        "problem": problem,
    }


async def _ask(live: Live, do: str, **values: object) -> Any:
    return await control.ask(control.socket_of(live.running().runtime), do, **values)


async def _proxies(live: Live) -> tuple[tuple[Path, ...], Plan]:
    run = live.running()
    planned = plan(await live.system(), with_options(LOCAL, mesh=run.mesh))
    return faults.proxies(layout_of(live.where.root)), planned


def _fault(fault: Fault) -> dict[str, Any]:
    return {**msgspec.to_builtins(fault), "edge": fault.edge, "spelled": fault.spelled, "told": told(fault)}


def _carrier(run: RunState | None) -> str:
    """Say who carries calls between services; nobody has to where they are in one process."""
    if run is None:
        return LOCAL.mesh
    return "one process" if run.shape == "one-process" else run.mesh


def _mesh(planned: Plan, mesh: str) -> dict[str, Any]:
    """Say how many ways between services are encrypted, with both sides known."""
    ways = sum(len({call.service for call in service.calls}) for service in planned.services)
    return {"mode": mesh, "ways": ways, "secured": ways if mesh in ("shared", "sidecars") else 0}


def _route(route: Route, system: model.System) -> dict[str, Any]:
    endpoint = system.service(route.service).endpoint(route.endpoint)
    edge = route.edge
    return {
        "service": route.service,
        "endpoint": route.endpoint,
        "method": route.method,
        "path": route.path,
        "inside": route.inside,
        "access": route.access.kind,
        "needs": [*route.access.roles, *route.access.scopes, *route.access.consumers],
        "limit": _limit(edge.limit),
        "timeout": route.policy.timeout,
        "attempts": route.policy.attempts,
        "cache": edge.cache is not None,
        "largest": edge.largest,
        "version": msgspec.to_builtins(edge.version),
        "source": endpoint.source if endpoint else "",
    }


def _limit(limit: Any) -> str:
    if limit is None:
        return ""
    return f"{limit.requests} per {limit.per:g} s, burst {limit.size}, by {limit.by}"
