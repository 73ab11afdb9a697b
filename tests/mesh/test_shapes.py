"""One Envoy, or one per service: the same listeners and clusters, divided, and each key in one place only."""

import json
from typing import Any

import msgspec
import pytest

from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import Layout, edge_alone, layout_for, sidecar
from shoal.model.fault import edges
from shoal.model.plan import GATEWAY, Plan, plan
from shoal.model.rollout import Split
from shoal.model.system import System
from shoal.model.target import LOCAL, Mesh
from tests.mesh.samples import PAIR, TINY, ring

SYSTEMS = {"pair": PAIR, "tiny": TINY, "ring": ring(5)}
ROOT = "/r"


def decided(system: System, mesh: Mesh) -> Plan:
    first = Split(weight=30, override="anyone")
    return plan(system, msgspec.structs.replace(LOCAL, mesh=mesh, splits={system.services[0].name: first}))


def files(plan: Plan, layout: Layout) -> dict[str, Any]:
    return {a.path: json.loads(a.text) for a in compile_mesh(plan, layout)}


def named(compiled: dict[str, Any], path: str) -> dict[str, str]:
    """Read resources by name, with the directory of their Envoy taken out."""
    found = {}
    for resource in compiled[path]["resources"]:
        text = json.dumps(resource)
        for name in SERVICES:
            text = text.replace(f"{ROOT}/sidecars/{name}/", f"{ROOT}/")
        found[resource["name"]] = text
    return found


SERVICES = sorted({service.name for system in SYSTEMS.values() for service in system.services})


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
@pytest.mark.parametrize("path", ["lds/listeners.json", "cds/clusters.json"])
def test_sidecars_have_together_what_one_proxy_has(system: System, path: str) -> None:
    whole = named(files(decided(system, "shared"), layout_for(decided(system, "shared"), root=ROOT)), path)
    planned = decided(system, "sidecars")
    edge = edge_alone(layout_for(planned, root=ROOT))
    parts = [named(files(planned, edge), path)]
    parts += [named(files(planned, sidecar(edge, service.name)), path) for service in planned.services]
    common = set.intersection(*(set(part) for part in parts))
    assert {name: text for part in parts for name, text in part.items()} == whole
    counted = [name for part in parts for name in part if name not in common]
    assert len(counted) == len(set(counted))


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_a_sidecar_knows_its_own_key_and_no_other(system: System) -> None:
    planned = decided(system, "sidecars")
    edge = edge_alone(layout_for(planned, root=ROOT))
    layouts = {GATEWAY: edge, **{s.name: sidecar(edge, s.name) for s in planned.services}}
    for holder, layout in layouts.items():
        compiled = files(planned, layout)
        secrets = {path for path in compiled if path.startswith("sds/")}
        assert secrets == {"sds/trust.json", f"sds/{holder}.json"}
        text = json.dumps(compiled)
        assert {s for s in (*SERVICES, GATEWAY) if f"/identities/{s}/" in text} == {holder}


def test_without_a_mesh_the_edge_reaches_replicas_itself() -> None:
    planned = decided(TINY, "off")
    compiled = files(planned, edge_alone(layout_for(planned, root=ROOT)))
    assert list(named(compiled, "lds/listeners.json")) == ["edge"]
    hops = {c["name"]: c for c in compiled["cds/clusters.json"]["resources"] if c["name"].startswith("gateway.")}
    assert set(hops) == {f"gateway.{route.service}" for route in planned.routes}
    for name, cluster in hops.items():
        assert cluster["eds_cluster_config"]["service_name"] == name.removeprefix("gateway.")
        assert "transport_socket" not in cluster
    assert {f"eds/{service.name}.json" for service in planned.services} <= set(compiled)


def test_without_a_mesh_only_the_edge_can_be_struck() -> None:
    assert {caller for caller, _ in edges(decided(TINY, "off"))} == {GATEWAY}
    assert {caller for caller, _ in edges(decided(TINY, "sidecars"))} > {GATEWAY}


@pytest.mark.parametrize("shape", ["one-process", "memory"])
def test_one_process_has_no_mesh_to_choose(shape: Any) -> None:
    found = plan(PAIR, msgspec.structs.replace(LOCAL, shape=shape, mesh="sidecars")).findings
    assert "PLAN-MESH-01" in {finding.code for finding in found}
