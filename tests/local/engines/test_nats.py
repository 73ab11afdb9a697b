"""NATS: permissions, durability, ports that stay, and users that change."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import nats
import pytest
from nats.aio.client import Client

from shoal.errors import HostError
from shoal.local.engines import Running, start
from shoal.local.engines import nats as engine
from shoal.local.engines.nats import NatsOptions, NatsUser
from shoal.local.ports import free_port
from shoal.local.probe import connect, get, until

ALL = NatsUser(name="all", password='pä$$ "word', publish=(">",), subscribe=(">",))
ORDERS = NatsUser(name="orders", password="o", publish=("orders.>",), subscribe=("_INBOX.>",))


@pytest.fixture
def options(place: Path) -> NatsOptions:
    return NatsOptions(directory=place / "nats", users=(ALL, ORDERS))


@asynccontextmanager
async def running(options: NatsOptions, output: list[str]) -> AsyncIterator[Running]:
    found = await start(engine.recipe(options), on_line=output.append)
    try:
        yield found
    finally:
        await found.process.stop()


@asynccontextmanager
async def client(server: Running, user: NatsUser, errors: list[Exception] | None = None) -> AsyncIterator[Client]:
    async def heard(error: Exception) -> None:
        if errors is not None:
            errors.append(error)

    connection = await nats.connect(
        server.addresses["nats"],
        user=user.name,
        password=user.password,
        error_cb=heard,
        allow_reconnect=False,
        connect_timeout=5,
    )
    try:
        yield connection
    finally:
        await connection.close()


def test_the_configuration_refuses_what_is_not_listed(options: NatsOptions) -> None:
    document = json.loads(engine.render(replace(options, users=(NatsUser(name="n", password="p"),))))
    assert document["authorization"]["users"][0]["permissions"] == {
        "publish": {"deny": ">"},
        "subscribe": {"deny": ">"},
    }
    assert document["jetstream"]["sync_interval"] == "always"
    assert document["host"] == "127.0.0.1"
    assert "p" not in repr(NatsUser(name="n", password="p")).replace("publish", "")


@pytest.mark.live
async def test_a_server_flushes_always_and_keeps_its_file_private(options: NatsOptions, output: list[str]) -> None:
    async with running(options, output) as server:
        report = await get(urlsplit(server.addresses["monitoring"]).port or 0, "/jsz")
        assert json.loads(report.body)["config"]["sync_always"] is True
        assert engine.configuration(options).stat().st_mode & 0o777 == 0o600


@pytest.mark.live
async def test_messages_and_ports_survive_a_restart(options: NatsOptions, output: list[str]) -> None:
    async with running(options, output) as server:
        first = server.addresses
        async with client(server, ALL) as connection:
            stream = connection.jetstream()
            await stream.add_stream(name="orders", subjects=["orders.>"])
            await stream.publish("orders.placed", b"1")
    async with running(options, output) as server:
        assert server.addresses == first
        async with client(server, ALL) as connection:
            assert (await connection.jetstream().stream_info("orders")).state.messages == 1


@pytest.mark.live
async def test_subjects_that_were_not_granted_are_refused(options: NatsOptions, output: list[str]) -> None:
    errors: list[Exception] = []
    async with running(options, output) as server, client(server, ORDERS, errors) as connection:
        await connection.publish("orders.placed", b"")
        await connection.publish("payments.captured", b"")
        await connection.subscribe("orders.>")
        await _reported(errors, 2)
    said = " ".join(str(error).lower() for error in errors)
    assert 'permissions violation for publish to "payments.captured"' in said
    assert 'permissions violation for subscription to "orders.>"' in said
    assert "orders.placed" not in said


@pytest.mark.live
@pytest.mark.parametrize("stranger", [{"user": "all", "pass": "wrong"}, {"user": "who", "pass": ""}, {}])
async def test_strangers_are_refused(options: NatsOptions, output: list[str], stranger: dict[str, str]) -> None:
    async with running(options, output) as server:
        # By hand: the client library leaves its socket open when its first connection is refused.
        reader, writer = await connect(urlsplit(server.addresses["nats"]).port or 0)
        writer.write(b"CONNECT " + json.dumps({"verbose": False, **stranger}).encode() + b"\r\nPING\r\n")
        said = await reader.read(-1)
        writer.close()
    assert b"Authorization Violation" in said
    assert b"PONG" not in said


@pytest.mark.live
async def test_users_change_while_the_server_runs(options: NatsOptions, output: list[str]) -> None:
    added = NatsUser(name="new", password="n", publish=("a",))
    async with running(options, output) as server, client(server, ALL) as bystander:
        engine.reload(server.process, replace(options, users=(*options.users, added)))
        await _said(output, "Reloaded server configuration")
        async with client(server, added) as newcomer:
            assert newcomer.is_connected
        assert bystander.is_connected


async def _reported(errors: list[Exception], count: int) -> None:
    async def check() -> bool | None:
        return len(errors) >= count or None

    async with asyncio.timeout(20):
        await until(check)


async def _said(output: list[str], words: str) -> None:
    async def check() -> bool | None:
        return any(words in line for line in output) or None

    async with asyncio.timeout(20):
        await until(check)


@pytest.mark.live
async def test_a_chosen_port_is_used_and_a_busy_one_refused(
    options: NatsOptions, output: list[str], place: Path
) -> None:
    chosen = replace(options, port=free_port())
    async with running(chosen, output) as server:
        assert urlsplit(server.addresses["nats"]).port == chosen.port
        with pytest.raises(HostError, match=f"port {chosen.port} is already in use"):
            await start(engine.recipe(replace(chosen, directory=place / "two")), on_line=output.append)


@pytest.mark.live
async def test_a_killed_server_comes_back_on_its_port(options: NatsOptions, output: list[str]) -> None:
    first = await start(engine.recipe(options), on_line=output.append)
    await first.process.kill()
    async with running(options, output) as second:
        assert second.addresses == first.addresses


@pytest.mark.live
async def test_a_remembered_port_that_was_taken_is_given_up(
    options: NatsOptions, output: list[str], place: Path
) -> None:
    other = replace(options, directory=place / "other")
    async with running(options, output) as first:
        other.directory.mkdir()
        (other.directory / "ports.json").write_text((options.directory / "ports.json").read_text())
        async with running(other, output) as second:
            assert second.addresses["nats"] != first.addresses["nats"]
