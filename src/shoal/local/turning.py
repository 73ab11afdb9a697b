"""Change how requests flow while they flow: Envoy learns where to send them first, and forgets it last."""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from shoal import files
from shoal.errors import EngineError, HostError
from shoal.files import Entry
from shoal.local import admin, proxies
from shoal.local.probe import until
from shoal.local.site import Site
from shoal.mesh.bootstrap import CLUSTERS
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import Layout
from shoal.model.artifact import Artifact
from shoal.model.plan import Plan

WITHIN = 10.0
"""Seconds that Envoy may take to follow a change."""


async def turn(site: Site, plan: Plan) -> Site:
    """Let Envoy follow `plan`, which differs in its target, and return the new site once it does.

    No request is dropped: clusters come before the routes that lead to them, and go after the last request that was
    led there has its answer.

    Raises:
        EngineError: Envoy does not follow; what it reads is as before.
    """
    assert site.mesh is not None, "only a mesh divides requests"  # noqa: S101
    layouts = proxies.proxies(plan, site.mesh).values()
    ways = [(mesh, compile_mesh(site.plan, mesh), compile_mesh(plan, mesh)) for mesh in layouts]
    try:
        for mesh, old, new in ways:
            if old != new or _told(Path(mesh.root)) != _clusters(new):
                await _lead(site, mesh, old, new)
    except BaseException as error:
        for mesh, old, _ in ways:
            _turn_back(mesh, old)
        if isinstance(error, TimeoutError):
            raise EngineError(
                "Envoy does not follow the change, and is led as before", hint="shoal logs envoy"
            ) from None
        raise
    return replace(site, plan=plan)


async def back(site: Site) -> None:
    """Let every proxy read what leads requests on this site, after a change that one of them did not take.

    Routes come first; clusters that they no longer lead to go when nothing is under way to them. A proxy for which
    nothing can be written is left, and the others are not.
    """
    assert site.mesh is not None, "only a mesh divides requests"  # noqa: S101
    ways = [(mesh, compile_mesh(site.plan, mesh)) for mesh in proxies.proxies(site.plan, site.mesh).values()]
    for mesh, old in ways:
        _turn_back(mesh, old)
    try:
        with contextlib.suppress(HostError):
            await asyncio.gather(*(_left(site, mesh, old) for mesh, old in ways))
    finally:
        for mesh, old in ways:
            with contextlib.suppress(HostError):
                _write(Path(mesh.root), [a for a in old if not a.path.startswith("eds/")])


async def _left(site: Site, mesh: Layout, old: Sequence[Artifact]) -> None:
    """Wait until the clusters that only a change has brought are idle; what takes longer than a drain is cut."""
    gone = [name for name in _told(Path(mesh.root)) if name not in _clusters(old)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(site.world.drain):
            await admin.idle(admin.admin_of(mesh), gone)


async def _lead(site: Site, mesh: Layout, old: Sequence[Artifact], new: Sequence[Artifact]) -> None:
    root, place = Path(mesh.root), admin.admin_of(mesh)
    planned, after = _clusters(old), _clusters(new)
    before = _told(root) or planned
    gone = [name for name in before if name not in after]
    async with asyncio.timeout(WITHIN):
        _write(root, [a for a in new if a.path.startswith("eds/") and not (root / a.path).exists()])
        both = [*after.values(), *(before[name] for name in gone)]
        _write(root, [Artifact(path=CLUSTERS, text=json.dumps({"resources": both}))] if gone else new, only="cds")
        await admin.known(place, [name for name in after if name not in planned])
        await _routes(root, place, new)
        _write(root, new, only="lds")
    await _left(site, mesh, new)
    _write(root, new, only="cds")


def _turn_back(mesh: Layout, old: Sequence[Artifact]) -> None:
    """Write what led requests before, routes first. Clusters stay: those that nothing leads to go with the next change.

    Envoy may have taken the new routes although it has not said so, and requests on them are not to be cut. What cannot
    be written is left.
    """
    with contextlib.suppress(HostError):
        _write(Path(mesh.root), old, only="rds")
        _write(Path(mesh.root), old, only="lds")


async def _routes(root: Path, place: Path, new: Iterable[Artifact]) -> None:
    """Write the routes that differ, and wait until Envoy has taken them."""
    reloaded = await admin.reloads(place)
    entries = _write(root, new, only="rds")
    changed = [Path(entry.path).stem for entry in entries if entry.change == "changed"]

    async def taken() -> bool | None:
        now = await admin.reloads(place)
        return all(now.get(name, 0) > reloaded.get(name, 0) for name in changed) or None

    await until(taken)


def _write(root: Path, artifacts: Iterable[Artifact], *, only: str = "") -> tuple[Entry, ...]:
    """Write at once: a thread would go on writing after a timeout, and undo what is turned back."""
    return files.write(root, [a for a in artifacts if a.path.startswith(only)])


def _told(root: Path) -> dict[str, object]:
    """Read which clusters Envoy has been told of, also by a change that was given up; nothing where nothing can be."""
    try:
        return _named((root / CLUSTERS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _clusters(artifacts: Iterable[Artifact]) -> dict[str, object]:
    return _named(next(a.text for a in artifacts if a.path == CLUSTERS))


def _named(text: str) -> dict[str, object]:
    return {cluster["name"]: cluster for cluster in json.loads(text)["resources"]}
