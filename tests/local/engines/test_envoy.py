"""Envoy: ready, stopped, refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import EngineError, HostError
from shoal.local.engines import envoy, start
from shoal.local.engines.envoy import EnvoyOptions
from shoal.local.ports import free_port
from shoal.local.probe import get

pytestmark = pytest.mark.live


def answering(port: int) -> dict[str, Any]:
    """Return a listener that answers every request itself."""
    filters = "type.googleapis.com/envoy.extensions.filters"
    manager = f"{filters}.network.http_connection_manager.v3.HttpConnectionManager"
    router = f"{filters}.http.router.v3.Router"
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hello"}}}
    config = {
        "@type": manager,
        "stat_prefix": "edge",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
    }
    return {
        "name": "edge",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": config}]}],
    }


def write(place: Path, *listeners: dict[str, Any]) -> EnvoyOptions:
    options = EnvoyOptions(bootstrap=place / "bootstrap.json", admin=place / "run" / "admin.sock")
    document = {
        "admin": {"address": {"pipe": {"path": str(options.admin)}}},
        "static_resources": {"listeners": listeners},
    }
    options.bootstrap.write_text(json.dumps(document))
    return options


async def test_a_proxy_is_ready_serves_and_stops(place: Path, output: list[str]) -> None:
    port = free_port()
    options = write(place, answering(port))
    for _ in range(2):
        running = await start(envoy.recipe(options), on_line=output.append)
        assert running.addresses == {"admin": str(options.admin)}
        assert (await get(port, "/")).body == b"hello"
        assert await running.process.stop() == 0


async def test_a_killed_proxy_leaves_nothing_that_blocks_the_next(place: Path, output: list[str]) -> None:
    options = write(place, answering(free_port()))
    running = await start(envoy.recipe(options), on_line=output.append)
    await running.process.kill()
    assert options.admin.exists()
    running = await start(envoy.recipe(options), on_line=output.append)
    await running.process.stop()


async def test_a_good_bootstrap_is_valid_and_a_bad_one_refused_with_its_field(place: Path) -> None:
    # Protocol buffers put varying blanks into their messages, so that nobody depends on the wording.
    await envoy.validate(write(place, answering(free_port())).bootstrap)
    with pytest.raises(EngineError, match=r"no\s+such\s+field:\s+'nam'"):
        await envoy.validate(write(place, {"nam": "typo"}).bootstrap)


async def test_a_busy_port_is_explained(place: Path, output: list[str]) -> None:
    first, second = place / "1", place / "2"
    first.mkdir()
    second.mkdir()
    listener = answering(free_port())
    listener["enable_reuse_port"] = False
    running = await start(envoy.recipe(write(first, listener)), on_line=output.append)
    with pytest.raises(EngineError) as caught:
        await start(envoy.recipe(write(second, listener)), on_line=output.append)
    assert "another process holds its port" in caught.value.hint
    await running.process.stop()


async def test_a_long_admin_path_is_refused(place: Path) -> None:
    with pytest.raises(HostError, match="UNIX sockets allow"):
        await envoy.prepare(EnvoyOptions(bootstrap=place / "b", admin=place / ("x" * 100)))
