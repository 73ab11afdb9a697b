"""Limits at the edge: whose requests count together, what the answers say, and that no header buys another bucket."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.model.artifact import Artifact
from shoal.model.edge import Edge
from shoal.model.issuers import Consumer, OpenId
from shoal.model.limits import RateLimit, Who
from shoal.model.service import Access, Endpoint
from shoal.model.system import Gateway, System
from shoal.model.versioning import Version
from tests.mesh.believers import Signers, lay_out
from tests.mesh.samples import ANYONE, AUTH, ISSUER, PRINCIPAL, endpoint, service
from tests.mesh.wire import Answer, ask, eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SIZE = 3


def limited(path: str, access: Access, by: Who = "principal") -> Endpoint:
    """Declare an endpoint with a bucket that nobody sees filling up: one token comes back in an hour."""
    limit = RateLimit(requests=1, per=3600, burst=SIZE, by=by)
    return replace(endpoint(path[1:], "GET", path, access), edge=Edge(limit=limit))


PATHS = ("/read", "/two", "/forged", "/hurried", "/outside")


def versioned(path: str) -> Endpoint:
    """Declare one that is reached by two paths, and by a header."""
    made = limited(f"/v1{path}", ANYONE)
    edge = replace(made.edge, version=Version(number=1, path=path))
    return replace(made, name="prices", edge=edge)


SHOP = service(
    "products",
    *(limited(path, PRINCIPAL) for path in PATHS),
    limited("/keys", Access(kind="principal", consumers=("x", "y"))),
    limited("/search", ANYONE),
    limited("/kept", ANYONE),
    versioned("/prices"),
    limited("/addresses", ANYONE, by="address"),
    limited("/mine", PRINCIPAL, by="address"),
    limited("/whole", ANYONE, by="everyone"),
    replace(endpoint("quick", "GET", "/quick"), edge=Edge(limit=RateLimit(requests=10, per=0.5, burst=1))),
    endpoint("free", "GET", "/free"),
)
OUTSIDE = OpenId(name="kc", issuer="https://kc.example", audiences=("api",), keys="x", subject="oid")
GATEWAY = Gateway(issuer=ISSUER, issuers=(OUTSIDE,), consumers=(Consumer(name="x"), Consumer(name="y")))
LIMITED = System(name="tiny", services=(SHOP, AUTH), gateway=GATEWAY)
SIGNERS = Signers(LIMITED)
KEYS = [SIGNERS.key(name, lifetime=86_400) for name in ("x", "x", "y")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(LIMITED, lambda world: lay_out(world, SIGNERS)) as started, everyone(started):
        yield started


async def statuses(world: World, line: str, headers: Mapping[str, str], times: int = SIZE + 1) -> list[int]:
    return [(await world.edge(line, headers=headers)).status for _ in range(times)]


def bearer(world: World, subject: str) -> dict[str, str]:
    return world.bearer(world.token({"sub": subject}))


async def test_a_bucket_empties_and_says_so_on_the_way(world: World) -> None:
    headers = bearer(world, "reader")
    answers = [await world.edge("GET /read", headers=headers) for _ in range(SIZE + 1)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=3;w=10800'}
    left = [re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["ratelimit"]) for answer in answers]
    assert [match and match[1] for match in left] == ["2", "1", "0", "0"]
    odd = ("x-ratelimit", "x-envoy")
    assert not [name for answer in answers for name in answer.headers if name.startswith(odd)]


async def test_a_refusal_is_a_problem_that_says_when_to_come_back(world: World) -> None:
    headers = bearer(world, "hurried")
    *_, refused = [await world.edge("GET /hurried", headers=headers) for _ in range(SIZE + 1)]
    assert (refused.status, refused.headers["content-type"]) == (429, "application/problem+json")
    document = {"type": "urn:shoal:problem:too-many-requests", "title": "Too many requests", "status": 429}
    assert refused.json == document | {"trace_id": refused.json["trace_id"]}
    assert refused.headers["retry-after"] == "3600"
    assert refused.headers["ratelimit"].startswith('"default";r=0;t=')


async def test_each_principal_has_a_bucket(world: World) -> None:
    assert await statuses(world, "GET /two", bearer(world, "one")) == [200, 200, 200, 429]
    assert await statuses(world, "GET /two", bearer(world, "two")) == [200, 200, 200, 429]


async def test_principals_of_another_issuer_are_told_apart_by_the_claim_that_it_names(world: World) -> None:
    for subject in ("one", "other"):
        token = SIGNERS.token("kc", oid=subject, sub="same")
        assert await statuses(world, "GET /outside", world.bearer(token)) == [200, 200, 200, 429]
    same = world.token({"sub": "other"})
    assert await statuses(world, "GET /outside", world.bearer(same)) == [200, 200, 200, 429], "of another issuer"


async def test_a_consumer_has_one_bucket_for_all_of_its_keys(world: World) -> None:
    old, new, other = ({"x-api-key": key} for key in KEYS)
    assert await statuses(world, "GET /keys", old, 2) == [200, 200]
    assert await statuses(world, "GET /keys", new, 2) == [200, 429]
    assert await statuses(world, "GET /keys", other, 1) == [200]


async def test_each_endpoint_has_its_own(world: World) -> None:
    headers = bearer(world, "both")
    assert (await statuses(world, "GET /two", headers))[-1] == 429
    assert (await world.edge("GET /read", headers=headers)).status == 200


FORGERIES: tuple[dict[str, str], ...] = (
    {"x-forwarded-for": "10.0.0.{n}"},
    {"x-real-ip": "10.0.0.{n}"},
    {"forwarded": "for=10.0.0.{n}"},
    {"x-envoy-external-address": "10.0.0.{n}"},
    {"x-envoy-downstream-service-cluster": "c{n}"},
    {"x-client-ip": "10.0.0.{n}", "true-client-ip": "10.0.0.{n}", "cf-connecting-ip": "10.0.0.{n}"},
    {"x-shoal-subject": "u{n}", "x-shoal-issuer": "i{n}"},
    {"x-user": "u{n}", "x-consumer": "u{n}", "x-shoal-principal": "u{n}", "x-principal": "u{n}"},
    {"x-request-id": "{n}", "cookie": "session={n}", "user-agent": "{n}"},
    {"host": "h{n}.example.test"},
    {"x-ratelimit-limit": "{n}", "x-ratelimit-remaining": "{n}", "ratelimit": "{n}", "retry-after": "0"},
)


async def test_forged_headers_buy_nothing(world: World) -> None:
    """Empty the bucket of a principal, one token with each forgery, and that of an address likewise."""
    for line, headers in (("GET /forged", bearer(world, "forger")), ("GET /addresses", {})):
        found = []
        for n, forgery in enumerate(FORGERIES):
            forged = {name: value.format(n=n) for name, value in forgery.items()}
            found.append((await world.edge(line, headers=headers | forged)).status)
        assert found == [200] * SIZE + [429] * (len(FORGERIES) - SIZE), line
        assert (await world.edge(f"{line}?user=other&n=1", headers=headers)).status == 429


async def test_good_tokens_that_name_nobody_share_a_bucket(world: World) -> None:
    assert await statuses(world, "GET /forged", world.bearer(world.token(without=("sub",)))) == [200, 200, 200, 429]


async def test_an_unsigned_token_costs_its_owner_nothing(world: World) -> None:
    """Somebody who names a principal without being able to sign as it cannot empty its bucket."""
    good = world.token({"sub": "victim"})
    bad = good[: good.rindex(".")] + "." + "A" * 86
    assert set(await statuses(world, "GET /two", world.bearer(bad))) == {401}
    assert (await world.edge("GET /two", headers=world.bearer(good))).headers["ratelimit"].startswith('"default";r=2')


async def from_address(world: World, line: str, address: str) -> Answer:
    return await asyncio.wait_for(ask(world.layout.edge(), line, local=address), 10)


async def test_each_address_has_a_bucket_where_nobody_is_signed_in(world: World) -> None:
    assert await statuses(world, "GET /search", {}) == [200, 200, 200, 429]
    assert await statuses(world, "GET /search", bearer(world, "anybody"), 1) == [429]
    assert (await from_address(world, "GET /search", "127.0.0.2")).status == 200


async def test_principals_at_one_address_share_its_bucket_where_addresses_count(world: World) -> None:
    found = [(await world.edge("GET /mine", headers=bearer(world, f"p{n}"))).status for n in range(SIZE + 1)]
    assert found == [200, 200, 200, 429]


async def test_everyone_can_share_one_bucket(world: World) -> None:
    found = [(await from_address(world, "GET /whole", f"127.0.0.{n}")).status for n in range(2, 3 + SIZE)]
    assert found == [200, 200, 200, 429]


async def test_all_ways_to_one_operation_have_one_bucket(world: World) -> None:
    ways: tuple[tuple[str, dict[str, str]], ...] = (
        ("GET /prices", {}),
        ("GET /v1/prices", {}),
        ("GET /prices", {"api-version": "1"}),
        ("GET /v1/prices", {"api-version": "1"}),
    )
    found = [(await world.edge(line, headers=headers)).status for line, headers in ways]
    assert found == [200, 200, 200, 429]
    assert [(await world.edge(line, headers=headers)).status for line, headers in ways] == [429] * 4


def routes_of(world: World) -> str:
    return Path(world.layout.path("rds/edge.json")).read_text("utf-8")


async def test_buckets_outlive_a_change_of_the_routes(world: World) -> None:
    assert await statuses(world, "GET /kept", {}) == [200, 200, 200, 429]
    before = routes_of(world)
    for text, status in ((before.replace('"path": "/free"', '"path": "/freed"'), 404), (before, 200)):
        world.write(Artifact(path="rds/edge.json", text=text))

        async def changed(expected: int = status) -> bool:
            return (await world.edge("GET /free")).status == expected

        await eventually_true(changed)
        assert (await world.edge("GET /kept")).status == 429


async def test_tokens_come_back(world: World) -> None:
    async with asyncio.timeout(10):
        found = [(await world.edge("GET /quick")).status for _ in range(3)]
        while found.count(200) < 3:
            found.append((await world.edge("GET /quick")).status)
    assert 429 in found


async def test_without_a_limit_nothing_is_said(world: World) -> None:
    answer = await world.edge("GET /free")
    assert not [name for name in answer.headers if "ratelimit" in name]
    assert (await world.edge("GET /read")).status == 401, "and a refusal by others says only the policy"
    assert "ratelimit" not in (await world.edge("GET /read")).headers
