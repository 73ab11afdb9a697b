"""Orders through the whole shop, on its real engines."""

import msgspec
import pytest

from shoal.testing import LiveSystem
from tests.live.outside import ledger, mails
from tests.live.shopping import end_of, order, sign_in, until

pytestmark = pytest.mark.live


async def test_an_order_is_paid_reserved_confirmed_and_announced(live: LiveSystem) -> None:
    customer = await sign_in(live)
    placed = await order(live, customer)
    assert placed.status == 201
    ended = await end_of(live, customer, placed.json()["order_id"])
    assert ended["status"] == "CONFIRMED"

    async def mail() -> str | None:
        found = [m["body"] for m in mails(live, customer.email) if placed.json()["order_id"] in m["body"]]
        return found[0] if found else None

    assert await until(mail, within=10, what="the e-mail")


async def test_one_trace_runs_through_every_service(live: LiveSystem) -> None:
    customer = await sign_in(live)
    placed = await order(live, customer)
    await end_of(live, customer, placed.json()["order_id"])

    async def services() -> set[str] | None:
        result = live.run("logs", "--trace", placed.trace_id, "-o", "json")
        lines = [msgspec.json.decode(line) for line in result.stdout.splitlines() if line.startswith("{")]
        found = {line["service"] for line in lines if line.get("trace_id") == placed.trace_id}
        return found if {"orders", "products", "payments", "inventory", "notifications"} <= found else None

    await until(services, within=10, what="the trace in every service's log")


async def test_a_declined_card_cancels_the_order_and_moves_no_money(live: LiveSystem) -> None:
    customer = await sign_in(live)
    before = _moved(live)
    placed = await order(live, customer, card="tok_declined")
    ended = await end_of(live, customer, placed.json()["order_id"])
    assert ended["status"] == "CANCELLED"
    assert _moved(live) == before


def _moved(live: LiveSystem) -> tuple[object, object]:
    totals = ledger(live)["totals"]
    return totals["charges"], totals["refunds"]


async def test_an_empty_shelf_cancels_the_order_and_refunds_once(live: LiveSystem) -> None:
    customer = await sign_in(live)
    admin = live.token("the-admin", roles=["admin"])
    emptied = await live.put("/stock/KIT-0112", json={"available": 0}, token=admin)
    assert emptied.status == 200, emptied.body
    placed = await order(live, customer, sku="KIT-0112")
    order_id = placed.json()["order_id"]
    assert (await end_of(live, customer, order_id))["status"] == "CANCELLED"
    effects = [entry for key, entry in ledger(live)["keys"].items() if order_id in key]
    assert sorted(entry["path"] for entry in effects) == ["/v1/payment_intents", "/v1/refunds"]
    assert [entry["effects"] for entry in effects] == [1, 1]


async def test_a_repeated_command_has_one_effect_and_one_answer(live: LiveSystem) -> None:
    customer = await sign_in(live)
    first = await order(live, customer, key="again")
    second = await order(live, customer, key="again")
    other = await order(live, customer, key="again", quantity=2)
    assert second.body == first.body
    assert other.status == 422
    listed = await live.get("/orders", token=customer.token)
    assert listed.json()["pagination"]["total"] == 1


async def test_others_cannot_see_an_order(live: LiveSystem) -> None:
    owner, other = await sign_in(live), await sign_in(live)
    placed = await order(live, owner)
    assert (await live.get(f"/orders/{placed.json()['order_id']}", token=other.token)).status == 404
