"""What can be armed, how it is spelled, and that it costs nothing when it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from shoal import failpoints
from shoal.drivers.memory import MemoryBroker, MemoryStore
from shoal.errors import SettingsError, Unavailable
from shoal.failpoints import EXIT_CODE, ONCE, VARIABLE, Planted, Program, parse, sites
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from tests.simulation import shop

POINT = "endpoint.Endpoint._commit:after-commit"


def host() -> Host:
    config = ServiceConfig(system="sim", entry="tests.simulation.shop:orders")
    return Host(shop.orders, config, Fittings(transport=LocalTransport(), store=MemoryStore(), broker=MemoryBroker()))


def test_the_source_has_points_of_every_kind() -> None:
    assert {site.kind for site in sites()} == {"commit", "publish", "answer", "checkpoint", "reply"}
    assert len({point for site in sites() for point in site.points}) == 2 * len(sites())


async def test_nothing_lies_in_the_way_unless_something_is_armed() -> None:
    assert type(host().store) is MemoryStore
    assert type(host().broker) is MemoryBroker

    async def reach(name: str) -> None:
        pass

    with failpoints.armed(reach):
        assert type(host().store) is not MemoryStore
    assert type(host().store) is MemoryStore


def test_the_variable_is_read() -> None:
    assert parse(f"{POINT}=exit@3, relay.Shift._publish:before-publish=hang") == {
        POINT: ("exit", 3),
        "relay.Shift._publish:before-publish": ("hang", 1),
    }


@pytest.mark.parametrize("wrong", [POINT, f"{POINT}=explode", f"{POINT}=exit@0", "nowhere:after-commit=exit"])
def test_what_cannot_be_meant_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=VARIABLE):
        parse(wrong)


async def test_an_action_comes_at_its_hit_and_once() -> None:
    program = Program({POINT: ("exception", 2)})
    await program.reach(POINT)
    with pytest.raises(Planted, match="endpoint"):
        await program.reach(POINT)
    await program.reach(POINT)
    with pytest.raises(Unavailable):
        await Program({POINT: ("unavailable", 1)}).reach(POINT)


async def test_a_point_that_acted_lets_the_next_process_pass(tmp_path: Path) -> None:
    with pytest.raises(Planted):
        await Program({POINT: ("exception", 1)}, str(tmp_path)).reach(POINT)
    await Program({POINT: ("exception", 1)}, str(tmp_path)).reach(POINT)


def test_a_process_ends_there_without_cleaning_up(tmp_path: Path) -> None:
    code = (
        "import asyncio, os\nfrom shoal.failpoints import arm_from\nfrom shoal.failpoints.armed import hit\n"
        f"arm_from(os.environ)\ntry:\n    asyncio.run(hit('{POINT}'))\nfinally:\n    print('cleanup')"
    )
    found = [
        subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", code],
            env={"PYTHONPATH": ":".join(sys.path), VARIABLE: f"{POINT}=exit", ONCE: str(tmp_path)},
            capture_output=True, text=True, timeout=60, check=False,
        )
        for _ in range(2)
    ]  # fmt: skip
    assert [(ended.returncode, ended.stdout.strip()) for ended in found] == [(EXIT_CODE, ""), (0, "cleanup")]
