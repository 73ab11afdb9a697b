"""The proof can fail: a rendering that is broken in one place does otherwise than the table says."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shoal.mesh.layout import Pipe
from tests.conformance.edge import runner
from tests.conformance.edge.client import sender
from tests.conformance.edge.sample import SAMPLE as EDGE
from tests.conformance.edge.scene import keys_of, kinds
from tests.conformance.mesh import bounds, table
from tests.istiod.cluster import read
from tests.istiod.known import Unknown
from tests.mesh.wire import ask
from tests.mesh.world import key_set, new_signer
from tests.twice import compare, test_edge, test_mesh
from tests.twice.scene import Document, Twice, proven

pytestmark = [pytest.mark.asyncio, pytest.mark.live]

Mutant = Callable[[Document], None]
"""Breaks the specification of one object."""


def of(documents: Sequence[Document], kind: str, name: str) -> Document:
    (found,) = (one for one in documents if (one["kind"], one["metadata"]["name"]) == (kind, name))
    spec: Document = found["spec"]
    return spec


def broken(documents: Sequence[Document], kind: str, name: str, mutant: Mutant) -> list[Document]:
    found = copy.deepcopy(list(documents))
    mutant(of(found, kind, name))
    return found


def without_a_rule(spec: Document) -> None:
    spec["rules"].pop()


def without_exceptions(spec: Document) -> None:
    for to in (to for rule in spec["rules"] for to in rule["to"]):
        to["operation"].pop("notPaths", None)


def for_anybody(spec: Document) -> None:
    for rule in spec["rules"]:
        del rule["from"]


def in_plain_text(spec: Document) -> None:
    spec["mtls"]["mode"] = "PERMISSIVE"


def with_times_swapped(spec: Document) -> None:
    times = ("300ms", "30s")
    for rule in spec.get("http", ()):
        rule["timeout"] = dict(zip(times, times[::-1], strict=True)).get(rule["timeout"], rule["timeout"])
    for rule in spec.get("rules", ()):
        said = rule["timeouts"]
        said["request"] = dict(zip(times, times[::-1], strict=True)).get(said["request"], said["request"])


def without_bounds(spec: Document) -> None:
    spec["trafficPolicy"]["connectionPool"]["http"]["http2MaxRequests"] = 1000


def with_more_repeats(spec: Document) -> None:
    for rule in spec["http"]:
        rule["retries"]["retryOn"] += ",5xx"


CALLS_BROKEN: tuple[tuple[str, str, Mutant, str], ...] = (
    ("AuthorizationPolicy", "stock", without_a_rule, "access"),
    ("AuthorizationPolicy", "stock", without_exceptions, "access"),
    ("AuthorizationPolicy", "stock", for_anybody, "access"),
    ("PeerAuthentication", "default", in_plain_text, "access"),
    ("VirtualService", "stock", with_times_swapped, "bounds"),
    ("HTTPRoute", "stock", with_times_swapped, "bounds"),
    ("DestinationRule", "scales", without_bounds, "bounds"),
    ("VirtualService", "stock", with_more_repeats, "bounds"),
)


async def differing_calls(world: Twice, *, only: str) -> set[str]:
    """List what is otherwise than on the laptop and as the tables say."""
    way, known = test_mesh.ways(world, ambient=False), compare.by_row(compare.known("istio-calls"))
    if only == "bounds":
        return {one.__name__ for one in bounds.BOUNDS if await one(way, world.apps)}
    rows = {name: row for name, row in table.cases().items() if name.startswith(only)}
    found = {name: {compare.short(o) for o in await table.run(row, way.call)} for name, row in rows.items()}
    return {name for name, some in found.items() if some != known.get(name, set())}


@pytest.mark.parametrize(("kind", "name", "mutant", "only"), CALLS_BROKEN)
async def test_a_broken_rendering_of_calls_is_seen(kind: str, name: str, mutant: Mutant, only: str) -> None:
    documents = test_mesh.documents("istio")
    async with proven(broken(documents, kind, name, mutant)) as world:
        assert await differing_calls(world, only=only)


def for_any_audience(spec: Document) -> None:
    for rule in spec["jwtRules"]:
        del rule["audiences"]


def for_any_role(spec: Document) -> None:
    for rule in spec["rules"]:
        rule["when"] = [one for one in rule.get("when", ()) if "roles" not in one["key"]]


def without_refusals(spec: Document) -> None:
    spec["rules"] = [{"when": [{"key": "request.headers[x-nobody]", "values": ["*"]}]}]


def with_headers_kept(spec: Document) -> None:
    for rule in spec["rules"]:
        rule["filters"] = [one for one in rule["filters"] if one["type"] != "RequestHeaderModifier"]


EDGE_BROKEN: tuple[tuple[str, str, Mutant, str], ...] = (
    ("AuthorizationPolicy", "edge", without_a_rule, "cors: a preflight"),
    ("AuthorizationPolicy", "edge", for_any_role, "authorization"),
    ("AuthorizationPolicy", "edge-refused", without_refusals, "sockets"),
    ("RequestAuthentication", "edge", for_any_audience, "authentication"),
    ("HTTPRoute", "catalog", with_headers_kept, "headers"),
)


@pytest.mark.parametrize(("kind", "name", "mutant", "only"), EDGE_BROKEN)
async def test_a_broken_rendering_of_the_gateway_is_seen(kind: str, name: str, mutant: Mutant, only: str) -> None:
    documents, signer = test_edge.documents("istio"), new_signer("one")
    tokens = {**kinds(signer), **keys_of(EDGE)[0]}
    known = compare.by_row(compare.known("istio"))
    async with proven(broken(documents, kind, name, mutant), keys={test_edge.KEYS: key_set(signer)}) as world:
        send = sender(f"{test_edge.BASE}:{world.place.port}", world.root.certificate, world.names)
        differ = []
        for row_name, row in test_edge.CASES.items():
            if row_name.startswith(only):
                found = {compare.short(one) for one in await runner.run(row, send, tokens)}
                differ += [row_name] if found != known.get(row_name, set()) else []
    assert differ


async def test_an_escaped_slash_is_one_where_istio_is_installed_so() -> None:
    async with proven(test_mesh.documents("istio"), merging=True) as world:
        for path in ("/items/x%2fsecret", "/items%2fsecret", "//items//secret", "/items/x%5csecret"):
            found = await ask(Pipe(path=world.place.inbound("stock")), f"GET {path}", tls=world.holder("till"))
            assert found.status == 403, path
        assert not world.apps["stock"].seen


async def test_nobody_passes_by_the_waypoint() -> None:
    async with proven(test_mesh.documents("istio-ambient"), "istio-ambient") as world:
        for account, status in (("till", 0), ("edge-istio", 0), ("waypoint", 200)):
            where = Pipe(path=world.place.inbound("stock"))
            try:
                found = (await ask(where, "GET /items/7", tls=world.holder(account))).status
            except (EOFError, OSError):
                found = 0
            assert found == status, account


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("AuthorizationPolicy", "provider", {"name": "elsewhere"}),
        ("DestinationRule", "exportTo", ["."]),
        ("HTTPRoute", "useDefaultGateways", "All"),
        ("Gateway", "addresses", []),
        ("VirtualService", "gateways", ["mesh"]),
        ("Telemetry", "metrics", []),
    ],
)
async def test_what_is_not_translated_is_an_error(kind: str, field: str, value: Any) -> None:
    documents = test_mesh.documents("istio")
    found = next(one for one in documents if one["kind"] == kind)
    with pytest.raises(Unknown, match=field):
        read(broken(documents, kind, found["metadata"]["name"], lambda spec: spec.update({field: value})), "x")


async def test_a_kind_that_is_not_translated_is_an_error() -> None:
    documents = test_mesh.documents("istio")
    strange = {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "odd"}}
    with pytest.raises(Unknown, match="EnvoyFilter odd is not translated"):
        read([*documents, strange], "cluster.local")


@pytest.mark.parametrize("backwards", [False, True])
async def test_linkerd_lets_in_the_same_whichever_route_is_older(backwards: bool) -> None:
    known = compare.by_row(compare.known("linkerd-calls"))
    async with proven(test_mesh.documents("linkerd"), "linkerd", backwards=backwards) as world:
        way = test_mesh.ways(world, ambient=False)
        rows = {name: test_mesh.spelled(row) for name, row in table.cases().items()}
        found = {name: {compare.short(one) for one in await table.run(row, way.call)} for name, row in rows.items()}
        for path, status in (("/health", 200), ("/ready", 200), ("/metrics", 404), ("/items/7", 403)):
            assert (await ask(Pipe(path=world.place.inbound("stock")), f"GET {path}")).status == status
    assert {name: some for name, some in found.items() if some} == {
        name: some for name, some in known.items() if not name.startswith("bounds")
    }
