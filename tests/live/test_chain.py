"""A chain of three services on real proxies: its deadline, faults on its ways, and who may go them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoal.errors import DeclarationError, HostError
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.live.shopping import until

pytestmark = pytest.mark.live

SYSTEM = """
import asyncio
from pathlib import Path
from typing import Protocol
from shoal import CallFailed, Deadline, Problem, Service, System, anyone, contract, get, internal

first, second, third = Service("first"), Service("second"), Service("third")
NOTES = Path("FOLDER")

@contract("second")
class SecondApi(Protocol):
    @get("/second", access=internal, timeout=60)
    async def work(self, hold: bool) -> list[float]: ...

@contract("third")
class ThirdApi(Protocol):
    @get("/third", access=internal, timeout=60)
    async def work(self, hold: bool) -> list[float]: ...

@third.implements(ThirdApi.work)
async def last(hold: bool, deadline: Deadline) -> list[float]:
    left = deadline.remaining()
    try:
        if hold:
            (NOTES / "began").touch()
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        (NOTES / "cancelled").touch()
        raise
    return [left]

@second.implements(SecondApi.work)
async def middle(hold: bool, deadline: Deadline, api: ThirdApi) -> list[float]:
    left = deadline.remaining()
    try:
        return [left, *await api.work(hold)]
    finally:
        (NOTES / "ended").touch()

@first.get("/chain", access=anyone, timeout=2)
async def begin(deadline: Deadline, api: SecondApi, hold: bool = False) -> list[float]:
    left = deadline.remaining()
    return [left, *await api.work(hold)]

@first.get("/outcome", access=anyone)
async def outcome(api: SecondApi) -> str:
    try:
        await api.work(False)
    except CallFailed as error:
        return f"{type(error).__name__} {error.status}"
    return "fine"

system = System("chain", services=[first, second, third])
"""


@pytest.fixture(scope="module", name="notes")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notes")


@pytest.fixture(scope="module")
def chain(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    project = tmp_path_factory.mktemp("chain")
    (project / "chain_system.py").write_text(SYSTEM.replace("FOLDER", str(notes)), "utf-8")
    try:
        started = start_live(project, "chain_system:system", project, "--no-telemetry")
    except HostError as error:
        pytest.skip(str(error))
    yield started
    started.stop()


async def test_a_deadline_shrinks_on_its_way(chain: LiveSystem) -> None:
    left = (await chain.get("/chain")).json()
    assert 2 >= left[0] > left[1] > left[2] > 0, "each had its own 60 s, and what its caller had left counts"


async def test_work_past_its_deadline_is_cancelled_in_every_service(chain: LiveSystem, notes: Path) -> None:
    (notes / "ended").unlink(missing_ok=True)
    answer = await chain.get("/chain?hold=true")
    assert answer.status == 504
    assert (notes / "began").exists()

    async def cancelled() -> bool | None:
        return all((notes / name).exists() for name in ("ended", "cancelled")) or None

    await until(cancelled, within=20, what="the end of the work that nobody waits for")


async def test_a_fault_lasts_as_long_as_its_block(chain: LiveSystem) -> None:
    assert (await chain.get("/outcome")).json() == "fine"
    async with chain.fault("first", "second", abort=500):
        assert (await chain.get("/outcome")).json() == "CallFailed 500"
        async with chain.fault("gateway", "first", endpoint="outcome", abort=418):
            assert (await chain.get("/outcome")).status == 418
            assert (await chain.get("/chain")).status != 418
        assert (await chain.get("/outcome")).json() == "CallFailed 500"
    assert (await chain.get("/outcome")).json() == "fine"


async def test_a_fault_on_no_way_is_refused_and_one_that_fails_ends(chain: LiveSystem) -> None:
    with pytest.raises(DeclarationError, match="first does not call third"):
        async with chain.fault("first", "third", abort=500):
            pass
    with pytest.raises(ZeroDivisionError):
        async with chain.fault("first", "second", abort=500):
            raise ZeroDivisionError
    assert (await chain.get("/outcome")).json() == "fine"


async def test_a_late_callee_is_a_timeout_of_its_caller(chain: LiveSystem) -> None:
    async with chain.fault("second", "third", delay=30):
        assert (await chain.get("/chain")).status == 504


def test_the_command_says_what_it_did_as_json(chain: LiveSystem) -> None:
    made = chain.run("fault", "add", "first→second.work", "--delay", "150ms", "--percent", "2.5", "--json")
    fault = {"caller": "first", "callee": "second", "endpoint": "work", "delay": 0.15, "abort": 0, "percent": 2.5}
    assert json.loads(made.stdout) == fault, made.stderr
    listed = chain.run("fault", "list", "--json")
    assert (listed.returncode, json.loads(listed.stdout)) == (1, [fault | {"endpoint": ""}])
    assert chain.run("fault", "clear", "first:second").returncode == 0
    listed = chain.run("fault", "list", "--json")
    assert (listed.returncode, json.loads(listed.stdout)) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("first:nobody", "--abort", "500"), 1, "services: first, second, third, gateway"),
        (("first:second",), 2, "say what goes wrong"),
        (("first:second", "--delay", "soon"), 2, "is no duration"),
        (("first", "--abort", "500"), 1, "write caller:callee"),
        (("first:second", "--abort", "500", "--percent", "0"), 1, "more than 0"),
    ],
)
def test_the_command_refuses_nonsense(chain: LiveSystem, arguments: tuple[str, ...], code: int, says: str) -> None:
    refused = chain.run("fault", "add", *arguments)
    assert (refused.returncode, says in refused.stderr) == (code, True), refused.stderr


def test_where_nothing_runs_there_is_nothing_to_break(tmp_path: Path, chain: LiveSystem) -> None:
    refused = chain.run("-C", str(tmp_path), "fault", "list")
    assert refused.returncode == 3
    assert "nothing runs" in refused.stderr


def test_no_fault_outlives_the_run(chain: LiveSystem) -> None:
    assert chain.run("fault", "add", "first:second", "--abort", "500").returncode == 0
    chain.stop()
    project = chain.root
    again = start_live(project, "chain_system:system", project, "--no-telemetry")
    assert json.loads(again.run("fault", "list", "--json").stdout) == []
