"""What one request sets off is one trace: from the gateway to the e-mail, and from a return to the money back."""

from typing import Any

import pytest

from shoal.testing import LiveSystem
from tests.dashboard.live.acting import Pages
from tests.live.shopping import end_of, order, sign_in

pytestmark = pytest.mark.live

ORDERED = {
    ("gateway", "POST /orders", "server"),
    ("orders", "POST /orders", "server"),
    ("orders", "GET /prices", "client"),
    ("products", "GET /prices", "server"),
    ("orders", "send orders.placed.v1", "producer"),
    ("orders", "publish orders.placed.v1", "internal"),
    ("payments", "process orders.placed.v1", "consumer"),
    ("payments", "charge card", "client"),
    ("inventory", "process orders.placed.v1", "consumer"),
    ("orders", "send orders.confirmed.v1", "producer"),
    ("notifications", "process orders.confirmed.v1", "consumer"),
    ("notifications", "send mail", "client"),
}
RETURNED = {("orders", "step refund", "internal"), ("payments", "refund charge", "client")}


def told(trace: Any) -> set[tuple[str, str, str]]:
    return {(span["service"], span["name"], span["kind"]) for span in trace["spans"]}


async def test_an_order_and_its_return_are_one_trace_each(live: LiveSystem) -> None:
    pages, customer = Pages(live), await sign_in(live)
    placed = await order(live, customer)
    await end_of(live, customer, order_id := placed.json()["order_id"])
    path = f"/api/traces/{placed.trace_id}"
    await pages.until(f"/api/traces?text={placed.trace_id}", lambda found: found["items"])
    trace = await pages.until(path, lambda found: found if told(found) >= ORDERED else None)
    spans = {span["span_id"]: span for span in trace["spans"]}
    roots = [span for span in spans.values() if span["parent_id"] not in spans]
    assert [(one["service"], one["kind"]) for one in roots] == [("gateway", "server")], "all hang together"
    statements = [span for span in spans.values() if "db.query.text" in span["attributes"]]
    assert {"orders", "payments"} <= {span["service"] for span in statements}
    heard = [span for span in spans.values() if span["name"] == "process orders.placed.v1"]
    assert all(span["attributes"]["shoal.queue_ms"] >= 0 for span in heard), "what it waited is told apart"
    given_back = await live.post(f"/orders/{order_id}/return", token=customer.token)
    assert given_back.status == 202, given_back.body
    await pages.until(f"/api/traces?text={given_back.trace_id}", lambda found: found["items"])
    await pages.until(f"/api/traces/{given_back.trace_id}", lambda found: told(found) >= RETURNED)
