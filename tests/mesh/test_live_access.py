"""Between services, only what is declared passes; whoever cannot prove who it is does not get that far."""

import ssl

import pytest

from shoal.mesh.certificates import authority, identity
from shoal.mesh.layout import Pipe
from tests.mesh.samples import ring
from tests.mesh.wire import App, ask, eventually_true, shown_certificate
from tests.mesh.world import World, everyone, issuance, replace, running

pytestmark = pytest.mark.live

COUNT = 4


async def test_declared_calls_pass_with_the_callers_identity(world: World, apps: dict[str, App]) -> None:
    answer = await world.out("orders", "POST /prices", to="products")
    assert (answer.status, answer.json["app"]) == (200, "products")
    assert answer.json["headers"]["x-forwarded-client-cert"].endswith("URI=spiffe://tiny/orders")


@pytest.mark.parametrize(
    ("caller", "line", "to"),
    [
        ("orders", "GET /products", "products"),
        ("orders", "GET /prices", "products"),
        ("orders", "POST /prices/x", "products"),
        ("orders", "POST /prices", "auth"),
        ("orders", "POST /prices", "orders"),
        ("orders", "POST /prices", "gateway"),
        ("auth", "POST /prices", "products"),
    ],
)
async def test_undeclared_calls_do_not_leave(
    world: World, apps: dict[str, App], caller: str, line: str, to: str
) -> None:
    answer = await world.out(caller, line, to=to)
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
    assert answer.json["type"] == "urn:shoal:problem:forbidden"
    assert not [app for app in apps.values() if app.seen]


async def test_every_pair_of_services_and_the_gateway() -> None:
    """Present each certificate at each door, past the outbound listener: one caller in five may pass."""
    async with running(ring(COUNT)) as world, everyone(world) as apps:
        for callee in range(COUNT):
            passed = []
            for caller in world.layout.holders:
                where = world.layout.inbound(f"r{callee}")
                answer = await ask(where, f"GET /r{callee}/work/1", tls=world.holder(caller))
                assert answer.status in (200, 403)
                passed += [caller] if answer.status == 200 else []
            gateway = ["gateway"] if callee == 0 else []
            assert passed == [f"r{(callee - 1) % COUNT}", *gateway]
            assert len(apps[f"r{callee}"].seen) == len(passed)


async def test_a_grant_for_a_template_opens_no_literal_beside_it(world: World, apps: dict[str, App]) -> None:
    door = world.layout.inbound("products")
    assert (await ask(door, "GET /products/42", tls=world.holder("gateway"))).status == 200
    for path in ("/products/secret", "/products/%73ecret", "/products/./secret", "//products/secret"):
        assert (await ask(door, f"GET {path}", tls=world.holder("gateway"))).status == 403
    assert (await ask(door, "GET /products/x%2fsecret", tls=world.holder("gateway"))).status == 400
    assert len(apps["products"].seen) == 1


async def test_a_forged_identity_header_is_overwritten(world: World, apps: dict[str, App]) -> None:
    headers = {"x-forwarded-client-cert": "URI=spiffe://tiny/gateway"}
    seen = (await world.out("orders", "POST /prices", to="products", headers=headers)).json["headers"]
    assert "spiffe://tiny/gateway" not in seen["x-forwarded-client-cert"]


async def test_plaintext_is_refused(world: World, apps: dict[str, App]) -> None:
    with pytest.raises((EOFError, OSError)):
        await ask(world.layout.inbound("products"), "POST /prices")
    assert not apps["products"].seen


async def test_strangers_are_refused(world: World, apps: dict[str, App]) -> None:
    foreign = authority("tiny", issuance())
    strangers = [
        world.client(None),
        world.client(identity(foreign, "spiffe://tiny/orders", issuance())),
        world.client(identity(world.root, "spiffe://elsewhere/orders", issuance())),
        world.client(identity(world.root, "spiffe://tiny/orders", issuance(days=1, ago=2))),
    ]
    for context in strangers:
        with pytest.raises((EOFError, OSError)):
            await ask(world.layout.inbound("products"), "POST /prices", tls=context)
    assert not apps["products"].seen


async def test_old_versions_of_tls_are_refused(world: World) -> None:
    context = world.holder("orders")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        await ask(world.layout.inbound("products"), "POST /prices", tls=context)


async def test_a_server_with_another_identity_is_not_spoken_to(world: World, apps: dict[str, App]) -> None:
    leaf = identity(world.root, "spiffe://tiny/auth", issuance())
    replace(world.layout.key("products"), leaf.key)
    replace(world.layout.certificate("products"), leaf.certificate)

    async def exchanged() -> bool:
        return b"spiffe://tiny/auth" in await shown(world, "products")

    await eventually_true(exchanged)
    assert (await world.out("orders", "POST /prices", to="products")).status == 503
    assert not apps["products"].seen


async def test_new_certificates_are_used_without_a_restart(world: World, apps: dict[str, App]) -> None:
    before = await shown(world, "products")
    world.give_identities(world.root)

    async def renewed() -> bool:
        return await shown(world, "products") != before

    await eventually_true(renewed)
    assert (await world.out("orders", "POST /prices", to="products")).status == 200


async def shown(world: World, service: str) -> bytes:
    """Ask which certificate a service's door shows."""
    where = world.layout.inbound(service)
    assert isinstance(where, Pipe)
    return await shown_certificate(where, world.holder("orders"))
