"""What was not declared is refused: by Envoy, by the broker and by the database themselves."""

import asyncio
import contextlib
import http.client
import socket

import asyncpg
import msgspec
import nats
import pytest

from shoal.local.layout import layout_of
from shoal.local.secrets import Passwords
from shoal.local.urls import nats_url, postgres_url
from shoal.mesh.layout import Pipe, layout_for
from shoal.model import catalog
from shoal.testing import LiveSystem
from shoal.testing.http import Response
from tests.live.shopping import require_nats, sign_in, until

pytestmark = pytest.mark.live


async def test_without_a_valid_token_envoy_refuses(live: LiveSystem) -> None:
    customer = await sign_in(live)
    head, body, signature = customer.token.split(".")
    tokens = {
        "none": "",
        "expired": live.token("somebody", lifetime=-3600.0),
        "for another audience": live.token("somebody", audience="another"),
        "forged": f"{head}.{body}.{signature[::-1]}",
        "unsigned": f"{head}.{body}.",
        "garbage": "garbage",
    }
    for name, token in tokens.items():
        answer = await live.get("/orders", token=token)
        assert answer.status == 401, name
        assert answer.headers["content-type"] == "application/problem+json", name
        assert "x-trace-id" not in answer.headers, f"{name}: the request reached a service"
    assert (await live.get("/orders", token=customer.token)).status == 200


async def test_what_is_internal_or_undeclared_is_not_there(live: LiveSystem) -> None:
    for path in ("/prices?skus=KIT-0110", "/health", "/ready", "/metrics", "/openapi.json", "/nowhere"):
        answer = await live.get(path)
        assert answer.status == 404, path
        assert "x-trace-id" not in answer.headers, path


def _call(live: LiveSystem, caller: str, callee: str, path: str) -> Response:
    """Call as `caller` does: through its own outbound listener, whose certificate is its own."""
    layout = layout_of(live.root)
    mesh = layout_for(live.plan, root=str(layout.mesh), sockets=str(layout.sockets))
    address = mesh.outbound(caller)
    assert isinstance(address, Pipe)
    connection = http.client.HTTPConnection(callee)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(address.path)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def test_a_call_that_was_never_declared_is_refused_by_envoy(live: LiveSystem) -> None:
    assert _call(live, "orders", "products", "/prices?skus=KIT-0110").status == 200
    for caller, callee, path in (
        ("notifications", "products", "/prices?skus=KIT-0110"),
        ("orders", "products", "/products"),
        ("orders", "inventory", "/stock/KIT-0110"),
        ("payments", "orders", "/orders"),
    ):
        answer = _call(live, caller, callee, path)
        assert answer.status == 403, f"{caller} → {callee}{path}"
        assert "x-trace-id" not in answer.headers, "the call reached the service"


def _passwords(live: LiveSystem) -> Passwords:
    return msgspec.json.decode((layout_of(live.root).secrets / "passwords.json").read_bytes(), type=Passwords)


def _broker_port(live: LiveSystem) -> int:
    ports = msgspec.json.decode((layout_of(live.root).home / "ports.json").read_bytes(), type=dict[str, int])
    return ports["broker"]


async def test_a_service_opens_no_database_but_its_own(live: LiveSystem) -> None:
    folder, passwords = str(layout_of(live.root).postgres_sockets), _passwords(live)
    stores = [service.store for service in live.plan.services if service.store is not None]
    roles = [store.role for store in stores if catalog.server(store.engine) == "postgres"]
    assert len(roles) > 1
    for role in roles:
        for other in (*roles, "postgres", "template1"):
            url = postgres_url(folder, role, passwords.stores[role], other)
            if role == other:
                await (await asyncpg.connect(url)).close()
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await asyncpg.connect(url)


async def test_a_service_neither_says_nor_hears_what_it_did_not_declare(live: LiveSystem) -> None:
    require_nats(live)
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error))

    async def all_refused() -> bool | None:
        heard = " ".join(errors).lower()
        return True if all(f'"{subject.lower()}"' in heard for subject in refused) else None

    refused = ("shop.event.payments.>", "shop.event.orders.confirmed.v1", "$JS.API.STREAM.DELETE.SHOP_ORDERS")
    url = nats_url(_broker_port(live), "notifications", _passwords(live).brokers["notifications"])
    client = await nats.connect(url, error_cb=note, inbox_prefix=b"_INBOX_notifications", allow_reconnect=False)
    try:
        await client.subscribe(refused[0])
        for subject in refused[1:]:
            await client.publish(subject, b"{}")
        await client.flush()
        await until(all_refused, within=10, what="the broker to refuse all three")
    finally:
        await client.close()
    assert all("permissions violation" in error.lower() for error in errors)


async def test_the_broker_lets_nobody_in_without_a_password(live: LiveSystem) -> None:
    require_nats(live)
    reader, writer = await asyncio.open_connection("127.0.0.1", _broker_port(live))
    try:
        assert (await reader.readline()).startswith(b"INFO")
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        assert b"Authorization Violation" in await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()
