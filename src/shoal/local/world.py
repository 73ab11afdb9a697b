"""Decide what a plan leaves to the machine: ports, passwords, sockets, and the recipe of each engine."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from shoal.local import front, identities, key_sets, keys, ports, proxies, secrets
from shoal.local.dashboard import FIRST_PORT
from shoal.local.dashboard import NAME as DASHBOARD
from shoal.local.engines import Recipe, sandbox
from shoal.local.environment import elsewhere
from shoal.local.forks import Program
from shoal.local.host import private_directory, private_file
from shoal.local.layout import Layout
from shoal.local.logs import LARGEST, older
from shoal.local.ports import LOOPBACK
from shoal.local.servers.ports import SMTP
from shoal.local.servers.table import SERVERS
from shoal.local.site import Site, World
from shoal.mesh.layout import Layout as MeshLayout
from shoal.mesh.layout import Pipe, Tcp, layout_for
from shoal.model.plan import Plan
from shoal.model.system import External, Sandbox

REGISTRY = "shoal registry"
"""Name of the registry among the ports."""


def require(plan: Plan, layout: Layout) -> None:
    """Refuse, before anything is changed, what this machine cannot carry; raises `HostError`."""
    if proxies.FIRST in plan.engines:
        mesh = layout_for(plan, root=str(layout.mesh), sockets=str(layout.sockets))
        proxies.require_watches(plan, proxies.laid_out(plan, mesh))


def settle(plan: Plan, layout: Layout, *, ports: Mapping[str, int] | None = None, dashboard: bool = False) -> Site:
    """Take the decisions, making passwords and keys where there are none.

    Args:
        plan: What runs.
        layout: Where.
        ports: Those of engines that run already; chosen anew when None.
        dashboard: Whether a dashboard takes the services' telemetry; one among `ports` does.
    """
    wanted = (*_wanted_ports(plan), *([DASHBOARD] if dashboard else []))
    found = kept_ports(layout.home / "ports.json", wanted) if ports is None else dict(ports)
    mesh = _mesh(plan, layout, found) if "envoy" in plan.engines else None
    issuer = plan.system.gateway.issuer
    key = secrets.signing_key(layout.secrets) if issuer is not None else None
    world = World(
        passwords=secrets.passwords(layout.secrets, plan, operators(plan)),
        key=key,
        postgres=str(layout.postgres_sockets),
        ports=found,
        broker=plan.target.broker,
        broker_url=elsewhere(plan, os.environ),
        valkey=str(layout.valkey_socket),
        externals={e.name: address for e in plan.externals if (address := _address(e, found))},
        outbound={s.name: _outbound(plan, mesh, s.name) for s in plan.services} if mesh else {},
        telemetry=f"http://{LOOPBACK}:{found[DASHBOARD]}" if DASHBOARD in found else "",
        root=str(layout.root),
        rings=str(layout.secrets / "rings"),
        warehouses=str(layout.data / "warehouses"),
        objects=str(layout.data / "objects"),
        key_set=str(keys.ensure(layout.secrets)) if plan.system.gateway.consumers else "",
    )
    return Site(plan=plan, layout=layout, mesh=mesh, world=world)


def operators(plan: Plan) -> list[str]:
    """Name the servers of stores whose operator needs a password."""
    return [name for name, server in SERVERS.items() if name in plan.engines and server.store_operator is not None]


def write_mesh(site: Site) -> None:
    """Write the configuration of Envoy, its certificates and the keys that verify tokens."""
    if site.mesh is None:
        return
    for folder in site.mesh.directories:
        private_directory(Path(folder))
    _set_aside(Path(site.mesh.access()))
    identities.ensure(site.layout.secrets, site.plan, site.mesh)
    front.ensure(site.layout.secrets, site.plan, site.mesh)
    if site.world.key is not None:
        private_file(Path(site.mesh.jwks()), site.world.key.public.read_text("utf-8"))
    key_sets.place(site.plan.system.gateway, site.layout, site.mesh)
    proxies.write(site.plan, site.mesh)


def _set_aside(log: Path) -> None:
    """Keep the edge's access log from growing over many runs; Envoy itself writes it."""
    if log.exists() and log.stat().st_size > LARGEST:
        log.replace(older(log))


def engine_recipe(site: Site, engine: str) -> Recipe:
    """Return how to run one engine of the plan, or one of its proxies."""
    if engine in SERVERS:
        return SERVERS[engine].recipe(site)
    assert site.mesh is not None, "the plan has proxies, so its mesh is laid out"  # noqa: S101
    return proxies.recipe(site.plan, site.mesh, engine)


def sandbox_recipe(site: Site, external: External, stand_in: Sandbox) -> tuple[Recipe, Program]:
    """Return how to run the stand-in of an external, by command or in a fork."""
    options = sandbox.SandboxOptions(
        name=external.name, module=stand_in.module, health=stand_in.health, port=site.ports[external.name],
        directory=site.layout.data / "sandboxes" / external.name, root=site.layout.root,
        path=python_path(site.layout.root),
    )  # fmt: skip
    return sandbox.recipe(options), Program(module=stand_in.module)


def python_path(root: Path) -> str:
    """Return the search path of authors' modules: the project first, then what was given to us."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join([str(root), *(str(Path(p).absolute()) for p in given if p)])


def kept_ports(file: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Give each name a loopback port; the one it had last time while that is free."""
    try:
        known = msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError):
        known = {}
    found: dict[str, int] = {}
    for name in names:
        port = known.get(name, 0)
        if name == DASHBOARD:  # whose port people see, so it is a low one
            port = ports.first_free(port or FIRST_PORT)
        while port in {0, *found.values()} or not ports.is_free(port):
            port = ports.free_port()
        found[name] = port
    if known != known | found:
        private_file(file, msgspec.json.encode(known | found).decode())
    return found


def _wanted_ports(plan: Plan) -> tuple[str, ...]:
    names = [REGISTRY, *(port for name, server in SERVERS.items() if name in plan.engines for port in server.ports)]
    names += [a.name for a in plan.system.gateway.legacy if a.module and "envoy" in plan.engines]
    return (*names, *(e.name for e in plan.externals if e.sandbox is not None))


def _mesh(plan: Plan, layout: Layout, found: Mapping[str, int]) -> MeshLayout:
    laid_out = layout_for(plan, root=str(layout.mesh), sockets=str(layout.sockets))
    old = {
        f"legacy.{a.name}": Tcp(host=ports.LOOPBACK, port=a.port or found.get(a.name, 0))
        for a in plan.system.gateway.legacy
    }
    laid_out = replace(laid_out, overrides={**laid_out.overrides, **old})
    return proxies.laid_out(plan, replace(laid_out, authorities=key_sets.authorities(laid_out.authorities)))


def _outbound(plan: Plan, mesh: MeshLayout, service: str) -> str:
    """Say where a service sends its calls: to its listener, or to whom a folder of replicas lists."""
    if plan.target.mesh == "off":
        return f"direct:{mesh.root}/eds"
    address = mesh.outbound(service)
    return f"unix:{address.path}" if isinstance(address, Pipe) else ""


def _address(external: External, found: Mapping[str, int]) -> str:
    if external.sandbox is not None:
        return f"{external.protocol}://{ports.LOOPBACK}:{found[external.name]}"
    if external.protocol == "smtp" and SMTP in found:
        return f"smtp://{ports.LOOPBACK}:{found[SMTP]}"
    return ""
