"""``shoal why`` on a running system: from the id of a refusal to the line that declared it, through real services."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.live.shopping import until

pytestmark = pytest.mark.live

SYSTEM = """
import asyncio
from typing import Protocol
from shoal import Problem, RateLimit, Service, System, anyone, contract, get, internal

@contract("stock")
class StockApi(Protocol):
    @get("/stock/{item}", access=internal, attempts=1, timeout=0.4)
    async def left(self, item: str) -> int: ...

    @get("/broken", access=internal, attempts=1)
    async def broken(self) -> int: ...

    @get("/prices/{item}", access=internal, attempts=1)
    async def price(self, item: str) -> int: ...

shop = Service("shop")
shop.breaker(StockApi.broken, volume_threshold=2)

@shop.fallback(StockApi.price, volume_threshold=2)
async def no_price(item: str) -> int:
    return 0

stock = Service("stock", contracts=[StockApi])

@stock.implements(StockApi.left)
async def left(item: str) -> int:
    if item == "slow":
        await asyncio.sleep(5)
    if item == "gone":
        raise Problem(404, "not-found", "there is none")
    return 7

@stock.implements(StockApi.broken)
async def broken() -> int:
    raise Problem(500, "broken")

@stock.implements(StockApi.price)
async def price(item: str) -> int:
    raise Problem(500, "broken")

@shop.get("/prices/{item}", access=anyone)
async def show_price(item: str, stock: StockApi) -> int:
    return await stock.price(item)

@shop.get("/broken", access=anyone)
async def ask_broken(stock: StockApi) -> int:
    return await stock.broken()

@shop.get("/items/{item}", access=anyone)
async def show(item: str, stock: StockApi) -> int:
    return await stock.left(item)

@shop.get("/search", access=anyone, limit=RateLimit(requests=1, per=3600))
async def search() -> int:
    return 1

system = System("why", services=[shop, stock])
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    project = tmp_path_factory.mktemp("why")
    (project / "why_system.py").write_text(SYSTEM)
    try:
        running = start_live(project, "why_system:system", tmp_path_factory.mktemp("run"), "--no-telemetry")
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    yield running
    running.stop()


def line_of(text: str) -> str:
    """Name the line of the system's module that begins with a text."""
    number = next(n for n, line in enumerate(SYSTEM.splitlines(), 1) if line.startswith(text))
    return f"why_system.py:{number}"


async def why(live: LiveSystem, wanted: str, hop: str, *, logger: str = "") -> dict[str, Any]:
    """Explain a request once the log has the hop, and that of a process its line."""

    async def there() -> dict[str, Any] | None:
        done = live.run("why", wanted, "--json")
        found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"steps": []}
        logged = not logger or logger in {entry["source"] for entry in found.get("logs", ())}
        return found if logged and hop in {step["hop"] for step in found["steps"]} else None

    return await until(there, within=30, what=f"the line of {hop} for {wanted}")


async def test_a_refusal_of_the_gateway_leads_to_the_closest_operation(live: LiveSystem) -> None:
    answer = await live.get("/item/3")
    found = await why(live, answer.json()["trace_id"], "edge")
    assert (found["cause"], found["status"]) == ("no-route", 404)
    assert found["declared"] == line_of('@shop.get("/items')


async def test_a_limit_is_shown_with_its_line(live: LiveSystem) -> None:
    await live.get("/search")
    answer = await live.get("/search")
    assert answer.status == 429
    trace = answer.json()["trace_id"]
    await why(live, trace, "edge")
    done = live.run("why", trace)
    assert done.returncode == 0
    assert "more often than 1 per 3600 s" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(line_of('@shop.get("/search"'))


async def test_a_slow_callee_is_found_behind_the_caller_that_answered(live: LiveSystem) -> None:
    answer = await live.get("/items/slow")
    assert answer.status == 504
    found = await why(live, answer.headers["x-trace-id"], "outbound.shop", logger="shop-0")
    assert found["cause"] == "timed-out"
    assert found["hop"] in {"outbound.shop", "inbound.stock"}, "both wait for the same moment, and one is first"
    assert re.fullmatch(r"stock\.left gave no answer within .*", found["reason"])
    assert found["declared"].startswith("why_system.py:")
    assert {step["hop"] for step in found["steps"]} >= {"edge", "inbound.shop", "outbound.shop", "inbound.stock"}


async def test_the_answer_of_a_callee_is_its_own(live: LiveSystem) -> None:
    answer = await live.get("/items/gone")
    assert answer.status == 502
    found = await why(live, answer.headers["x-trace-id"], "inbound.stock", logger="stock-0")
    assert (found["cause"], found["hop"]) == ("service", "inbound.stock")
    assert found["reason"] == "stock.left itself answered 404 (not-found)"


async def test_an_open_circuit_is_told_from_a_failed_call(live: LiveSystem) -> None:
    async def opened() -> str | None:
        answer = await live.get("/broken")
        return answer.headers["x-trace-id"] if answer.status == 503 else None

    trace = await until(opened, within=20, what="an open circuit")

    found = await why(live, trace, "inbound.shop", logger="shop-0")
    assert found["cause"] == "circuit-open"
    assert found["reason"] == "shop did not call stock.broken: its circuit is open after failures"
    assert found["declared"] == line_of("shop.breaker(")


async def test_a_fallback_behind_a_200_leads_to_its_function(live: LiveSystem) -> None:
    answer = await live.get("/prices/3")
    assert (answer.status, answer.json()) == (200, 0)
    found = await why(live, answer.headers["x-trace-id"], "inbound.stock", logger="shop-0")
    assert (found["cause"], found["status"]) == ("fallback", 200)
    assert found["reason"] == "shop went on with the fallback of stock.price: the call failed"

    async def opened() -> dict[str, Any] | None:
        trace = (await live.get("/prices/3")).headers["x-trace-id"]
        found = await why(live, trace, "inbound.shop", logger="shop-0")
        return found if "open" in found["reason"] else None

    found = await until(opened, within=30, what="an open circuit behind a 200")
    assert (found["cause"], found["status"]) == ("fallback", 200)
    done = live.run("why", found["trace_id"])
    assert "its circuit is open after failures" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(line_of("@shop.fallback("))


async def test_an_injected_fault_is_named(live: LiveSystem) -> None:
    assert live.run("fault", "add", "shop:stock", "--abort", "503").returncode == 0

    async def struck() -> str | None:
        answer = await live.get("/items/3")
        return answer.headers["x-trace-id"] if answer.status >= 500 else None

    found = await why(live, await until(struck, within=20, what="the fault"), "outbound.shop")
    assert live.run("fault", "clear").returncode == 0
    assert found["cause"] == "fault"
    assert found["reason"] == "a fault was injected between shop and stock"


async def test_a_request_that_went_well_is_explained_too(live: LiveSystem) -> None:
    async def good() -> str | None:
        answer = await live.get("/items/3", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
        return answer.headers["x-trace-id"] if answer.status == 200 else None

    assert await until(good, within=20, what="an answer") == "ab" * 16
    found = await why(live, "ab" * 16, "inbound.stock")
    assert (found["status"], found["trace_id"]) in {(200, "ab" * 16), (503, "ab" * 16), (502, "ab" * 16)}


def test_an_unknown_id_and_a_short_one_are_told_apart(live: LiveSystem) -> None:
    unknown = live.run("why", "deadbeefdeadbeef")
    assert (unknown.returncode, "no hop has seen" in unknown.stderr, "hint: take" in unknown.stderr) == (1, True, True)
    short = live.run("why", "dead")
    assert (short.returncode, "too short" in short.stderr) == (1, True)
    assert "Examples:" in live.run("why", "--help").stdout


def test_where_nothing_has_run_there_is_no_log(tmp_path: Path, live: LiveSystem) -> None:
    done = LiveSystem(tmp_path, live.declared, (*live._command[:4], str(tmp_path), *live._command[5:]), live._environ)
    answer = done.run("why", "deadbeefdeadbeef")
    assert (answer.returncode, "there is no access log" in answer.stderr) == (1, True), answer.stderr
