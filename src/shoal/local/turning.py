"""Change how requests flow while they flow: Envoy learns where to send them first, and forgets it last."""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from shoal import files
from shoal.errors import EngineError
from shoal.local import admin, proxies
from shoal.local.probe import until
from shoal.local.world import Site
from shoal.mesh.bootstrap import CLUSTERS
from shoal.mesh.compile import compile_mesh
from shoal.model.artifact import Artifact
from shoal.model.plan import Plan

WITHIN = 10.0
"""Seconds that Envoy may take to follow a change."""


async def turn(site: Site, plan: Plan) -> Site:
    """Let Envoy follow `plan`, which differs in its target, and return the new site once it does.

    No request is dropped: clusters come before the routes that lead to them, and go after the last request that was
    led there has its answer.

    Raises:
        EngineError: Envoy does not follow.
    """
    mesh = site.mesh
    assert mesh is not None, "only a mesh divides requests"  # noqa: S101
    if plan.target.mesh != "shared":  # several proxies: only routes differ
        await proxies.follow(plan, mesh)
        return replace(site, plan=plan)
    root, place = Path(mesh.root), admin.admin_of(mesh)
    old, new = compile_mesh(site.plan, mesh), compile_mesh(plan, mesh)
    before, after = _clusters(old), _clusters(new)
    gone = [name for name in before if name not in after]
    try:
        async with asyncio.timeout(WITHIN):
            await _write(root, [a for a in new if a.path.startswith("eds/") and not (root / a.path).exists()])
            both = [*after.values(), *(before[name] for name in gone)]
            await _write(
                root, [Artifact(path=CLUSTERS, text=json.dumps({"resources": both}))] if gone else new, only="cds"
            )
            await admin.known(place, [name for name in after if name not in before])
            await _routes(root, place, new)
            await _write(root, new, only="lds")
    except TimeoutError:
        raise EngineError("Envoy does not follow the change", hint="shoal logs envoy") from None
    with contextlib.suppress(TimeoutError):  # what takes longer than a drain is cut
        async with asyncio.timeout(site.world.drain):
            await admin.idle(place, gone)
    await _write(root, new, only="cds")
    return replace(site, plan=plan)


async def _routes(root: Path, place: Path, new: Iterable[Artifact]) -> None:
    """Write the routes that differ, and wait until Envoy has taken them."""
    reloaded = await admin.reloads(place)
    entries = await asyncio.to_thread(files.write, root, [a for a in new if a.path.startswith("rds/")])
    changed = [Path(entry.path).stem for entry in entries if entry.change == "changed"]

    async def taken() -> bool | None:
        now = await admin.reloads(place)
        return all(now.get(name, 0) > reloaded.get(name, 0) for name in changed) or None

    await until(taken)


async def _write(root: Path, artifacts: Iterable[Artifact], *, only: str = "") -> None:
    await asyncio.to_thread(files.write, root, [a for a in artifacts if a.path.startswith(only)])


def _clusters(artifacts: Iterable[Artifact]) -> dict[str, object]:
    text = next(a.text for a in artifacts if a.path == CLUSTERS)
    return {cluster["name"]: cluster for cluster in json.loads(text)["resources"]}
