"""Processes of the running shop on request: more replicas, fewer, one that is stopped, an engine that is restarted."""

from typing import Any

import pytest

from shoal.errors import ShoalError
from shoal.local import control
from shoal.testing import LiveSystem
from tests.live.shopping import until

pytestmark = pytest.mark.live


async def ask(live: LiveSystem, do: str, **values: object) -> Any:
    return await control.ask(control.socket_of(live.state.runtime), do, **values)


async def answers(live: LiveSystem) -> int:
    return (await live.get("/products")).status


async def told(live: LiveSystem, wanted: dict[str, str], gone: str = "") -> None:
    """Wait until the state says so of these processes, and nothing of one that is gone."""

    async def so() -> bool | None:
        found: dict[str, str] = {p.name: p.status for p in live.state.processes}
        return True if gone not in found and wanted.items() <= found.items() else None

    await until(so, within=10, what=f"{wanted}")


async def test_a_service_answers_while_its_replicas_come_and_go(live: LiveSystem) -> None:
    before = [p.name for p in live.state.processes if p.service == "products"]
    try:
        await ask(live, "service.scale", service="products", replicas=len(before) + 1)
        await told(live, dict.fromkeys((*before, f"products-{len(before)}"), "ready"))
        await ask(live, "process.stop", name=before[0])
        await told(live, {before[0]: "stopped"})
        assert [await answers(live) for _ in range(8)] == [200] * 8
        await ask(live, "process.start", name=before[0])
    finally:
        await ask(live, "process.start", name=before[0])
        await ask(live, "service.scale", service="products", replicas=len(before))
    await told(live, dict.fromkeys(before, "ready"), f"products-{len(before)}")
    assert [await answers(live) for _ in range(4)] == [200] * 4


async def test_an_engine_is_restarted_and_found_again(live: LiveSystem) -> None:
    pid = live.process("mailbox").pid
    await ask(live, "process.restart", name="mailbox")
    await told(live, {"mailbox": "ready"})
    assert live.process("mailbox").pid != pid


async def test_how_a_process_was_started_is_told_without_secrets(live: LiveSystem) -> None:
    told = await ask(live, "process.show", name="orders-0")
    assert told["environment"]["OTEL_SERVICE_NAME"] == "orders"
    passwords = (live.root / ".shoal" / "secrets" / "passwords.json").read_text("utf-8")
    words = [word for word in passwords.split('"') if len(word) > 15]
    assert words
    assert not any(word in str(told) for word in words)


async def test_what_does_not_run_is_named(live: LiveSystem) -> None:
    with pytest.raises(ShoalError, match="no process is called 'orders-9'"):
        await ask(live, "process.stop", name="orders-9")
