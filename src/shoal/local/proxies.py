"""The proxies of a mesh on this machine: one for all, or one for the edge and one for each service."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from shoal import files
from shoal.errors import HostError
from shoal.local.admin import admin_of
from shoal.local.engines import Recipe, envoy
from shoal.local.host import private_directory
from shoal.local.rotation import keep_bounded
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import Layout, edge_alone, sidecar
from shoal.model.artifact import Artifact
from shoal.model.plan import Plan

FIRST = "envoy"
"""Name of the proxy that has the edge."""

ENOUGH_WATCHES = 1024
"""Instances of inotify with which a user can run several systems."""

_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
_SPARE = 2
"""Instances of inotify for listeners and clusters; each further path that Envoy watches takes one (seen with 1.40)."""

_STOP = "stop another system (shoal ps)"


def laid_out(plan: Plan, everyone: Layout) -> Layout:
    """Lay out the proxy that has the edge: it has everyone's listeners, or the edge's alone."""
    return everyone if plan.target.mesh == "shared" else edge_alone(everyone)


def proxies(plan: Plan, edge: Layout) -> dict[str, Layout]:
    """Lay out every proxy, by the name of its process; `edge` is that of the first."""
    found = {FIRST: edge}
    if plan.target.mesh == "sidecars":
        found |= {f"{FIRST}-{service.name}": sidecar(edge, service.name) for service in plan.services}
    return found


def before(plan: Plan, edge: Layout, service: str) -> Layout:
    """Lay out the proxy that stands before a service's replicas."""
    return proxies(plan, edge).get(f"{FIRST}-{service}", edge)


def recipe(plan: Plan, edge: Layout, name: str) -> Recipe:
    """Describe how to run one of them; a sidecar has little to do, so one thread does it."""
    layout = proxies(plan, edge)[name]
    return envoy.recipe(
        envoy.EnvoyOptions(
            name=name,
            bootstrap=Path(layout.root) / "bootstrap.json",
            admin=admin_of(layout),
            concurrency=2 if name == FIRST else 1,
        )
    )


def write(plan: Plan, edge: Layout) -> None:
    """Write what every proxy reads, for a start."""
    for layout in proxies(plan, edge).values():
        for folder in layout.directories:
            private_directory(Path(folder))
        files.write_all(Path(layout.root), compile_mesh(plan, layout))


async def follow(plan: Plan, edge: Layout) -> None:
    """Write what has changed while they run; replicas are announced by who starts them."""
    for layout in proxies(plan, edge).values():
        artifacts = [a for a in compile_mesh(plan, layout) if not a.path.startswith("eds/")]
        await asyncio.to_thread(files.write, Path(layout.root), artifacts)


def require_watches(plan: Plan, edge: Layout) -> None:
    """Refuse to start more proxies than this user may have watch their files; only Linux bounds that.

    Raises:
        HostError: Too few instances of inotify are left; the message says how many are needed.
    """
    if not _LIMIT.exists():
        return
    needed, count = _watched(plan, edge), len(proxies(plan, edge))
    if count == 1:
        _require(needed, "the proxy watches files with", _STOP)
    else:
        _require(needed, f"{count} proxies watch files with", "run without --sidecars")


def require_more_watches(old: Plan, new: Plan, edge: Layout, what: str) -> None:
    """Refuse `what` where it makes running proxies watch more files than this user may: Envoy would end itself.

    Raises:
        HostError: Too few instances of inotify are left; the message says how many are needed.
    """
    if _LIMIT.exists():
        more = _watched(new, edge) - _watched(old, edge)
        _require(more, f"{what} would be watched with", _STOP)


def _watched(plan: Plan, edge: Layout) -> int:
    return sum(watches(compile_mesh(plan, layout)) for layout in proxies(plan, edge).values())


def _require(needed: int, what: str, otherwise: str) -> None:
    limit, used = watchable(), watching()
    if needed > limit - used:
        instances = "1 instance" if needed == 1 else f"{needed} instances"
        raise HostError(
            f"{what} {instances} of inotify; of the {limit} that a user may have, {used} are taken",
            hint=f"sudo sysctl fs.inotify.max_user_instances={max(ENOUGH_WATCHES, used + needed)}, or {otherwise}",
        )


def watches(artifacts: tuple[Artifact, ...]) -> int:
    """Count the instances of inotify that one proxy takes: one for each path that it watches, and its own."""
    read = [a for a in artifacts if a.path.startswith(("sds/", "eds/", "rds/", "ecds/"))]
    texts = "".join(a.text for a in artifacts)
    named = [a for a in read if f'{a.path}"' in texts]
    return _SPARE + len(named) + sum('"watched_directory"' in a.text for a in read)


def watchable() -> int:
    """Return how many instances of inotify a user may have; more than enough where nothing bounds them."""
    return int(_LIMIT.read_text("utf-8")) if _LIMIT.exists() else ENOUGH_WATCHES


def watching(processes: Path = Path("/proc")) -> int:
    """Count the instances of inotify that this user's processes have."""
    found = 0
    for process in processes.glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.getuid():
                handles = [str(handle.readlink()) for handle in (process / "fd").iterdir()]
                found += handles.count("anon_inode:inotify")
        except OSError:
            continue  # it ended, or hides itself
    return found


def running(engines: Iterable[str]) -> list[str]:
    """Pick the names of proxies out of those of engines."""
    return [name for name in engines if name == FIRST or name.startswith(f"{FIRST}-")]


async def keep_logs(plan: Plan, edge: Layout) -> None:
    """Keep the access log of every proxy bounded, until cancelled."""
    layouts = proxies(plan, edge).values()
    await asyncio.gather(*(keep_bounded(Path(layout.access()), admin_of(layout)) for layout in layouts))
