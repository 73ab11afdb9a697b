"""What the pages ask of a running shop and do to it, through the real process of the dashboard."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from shoal.testing import LiveSystem
from tests.dashboard.live.acting import Pages
from tests.live.shopping import end_of, order, require_nats, sign_in, subject_of

pytestmark = pytest.mark.live

RESERVED = "inventory.reserved.v1"


@pytest.fixture
def pages(live: LiveSystem) -> Pages:
    return Pages(live)


def edge(drawn: Any, id_: str) -> Any:
    return next(edge for edge in drawn["edges"] if edge["id"] == id_)


async def test_an_order_is_seen_on_the_map_and_in_the_replay(live: LiveSystem, pages: Pages) -> None:
    customer = await sign_in(live)
    await order(live, customer)
    path = "/api/map?last=60"
    await pages.until(path, lambda drawn: edge(drawn, "orders.placed.v1→payments")["standing"] == "active")
    drawn = await pages.get(path)
    assert drawn["live"]
    assert [e["id"] for e in drawn["edges"] if e["standing"] == "undeclared"] == []
    assert edge(drawn, "gateway→orders")["count"] > 0
    assert edge(drawn, "payments→payment-provider")["standing"] == "active"
    assert edge(drawn, "inventory→products")["circuit"], "its breaker says how it stands"
    frames = (await pages.get("/api/map/replay?seconds=60"))["frames"]
    assert [round((f["until"] - f["since"]) / 1000) for f in frames] == [10] * 6
    assert any(e["source"] == "gateway" for frame in frames for e in frame["edges"])
    assert (await pages.get("/api/map/mermaid")).startswith("flowchart LR")


async def test_a_service_is_told_with_its_golden_signals(live: LiveSystem, pages: Pages) -> None:
    customer = await sign_in(live)
    await live.get("/orders", token=customer.token)

    def asked(told: Any) -> Any:
        return next((o for o in told["operations"] if o["name"] == "GET /orders" and o["count"]), None)

    found = await pages.until("/api/services/orders", asked)
    assert found["p99"] > 0
    assert found["source"].startswith("shop/orders/service.py:")
    told = await pages.get("/api/services/orders")
    (replica,) = told["replicas"]
    assert (replica["name"], replica["status"]) == ("orders-0", "ready")
    assert replica["memory"] > 1_000_000
    assert replica["active"] == 0
    assert {way["source"] for way in told["callers"]} > {"gateway"}
    assert sum((await pages.get("/api/services/orders/series"))["signals"]["rate"]) > 0


async def test_nothing_is_changed_without_the_token_of_the_page(pages: Pages) -> None:
    for path in ("/api/letters/purge", "/api/gateway/fault", "/api/data/payments/reset", "/api/explorer/call"):
        assert (await pages.without_token(path))["status"] == 403


async def test_events_are_told_with_who_hears_them_and_the_way_of_each(live: LiveSystem, pages: Pages) -> None:
    require_nats(live)
    placed = await order(live, await sign_in(live))
    found = next(e for e in (await pages.get("/api/events"))["items"] if e["id"] == "orders.placed.v1")
    assert {c["service"] for c in found["consumers"]} == {"inventory", "orders", "payments", "analytics"}
    assert all(c["lag"] is not None for c in found["consumers"])
    assert "OrderPlaced" in found["form"]["named"]
    waiting = (await pages.get("/api/outboxes"))["items"]
    assert {one["service"]: one["error"] for one in waiting}["orders"] == ""
    key = placed.json()["order_id"]

    def mine(told: Any) -> Any:
        return next((e for e in told["items"] if e["key"] == key), None)

    event = await pages.until("/api/events/orders.placed.v1", mine)
    assert event["data"]["order_id"] == key
    way = f"/api/events/orders.placed.v1/{event['id']}/delivery?trace={event['trace_id']}"

    def everywhere(told: Any) -> Any:
        wanted = {"orders", "payments", "inventory", "analytics"}
        return told["items"] if wanted <= {step["service"] for step in told["items"]} else None

    assert (await pages.until(way, everywhere))[0]["after"] == 0


async def test_an_event_is_tried_before_it_is_announced(live: LiveSystem, pages: Pages) -> None:
    require_nats(live)
    path, data = f"/api/events/{RESERVED}/publish", {"order_id": "ord_nobody"}
    tried = {t["service"]: t["rehearsal"] for t in (await pages.post(path, {"data": data, "dry": True}))["tried"]}
    assert tried["orders"]["error"]
    assert not tried["analytics"]["error"]
    refused = await pages.post(path, {"data": {"order_id": 7}}, status=409)
    assert "order_id" in refused["detail"]
    assert refused["hint"]
    personal = {"data": {"user_id": "u", "email": "a@b.c", "name": "A", "signed_up_at": "2026-01-01T00:00:00Z"}}
    sealed = await pages.post("/api/events/users.signed_up.v1/publish", personal, status=409)
    assert "personal data" in sealed["detail"]


async def test_an_announced_event_reaches_its_stream(live: LiveSystem, pages: Pages) -> None:
    require_nats(live)
    kind, data = "products.price_changed.v1", None
    found = next(e for e in (await pages.get("/api/events"))["items"] if e["id"] == kind)
    schema = found["form"]["named"][found["form"]["schema"]["$ref"].rpartition("/")[2]]
    plain = {"string": "2026-01-01T00:00:00Z", "integer": 1}
    data = {name: plain.get(field.get("type"), "x") for name, field in schema["properties"].items()}
    sent = await pages.post(f"/api/events/{kind}/publish", {"data": data})
    await pages.until(f"/api/events/{kind}", lambda told: any(e["id"] == sent["id"] for e in told["items"]))


async def test_operations_are_called_as_a_test_user_with_the_trace_under_the_answer(
    live: LiveSystem, pages: Pages
) -> None:
    subject = subject_of(await sign_in(live))
    listed = {f"{o['service']}.{o['name']}": o for o in (await pages.get("/api/explorer"))["items"]}
    assert listed["orders.place_order"]["body"]["named"]["NewOrder"]
    assert listed["products.prices"]["callers"]
    body = {"lines": [{"sku": "KIT-0110"}], "payment_method": "tok_visa"}
    wish = {"service": "orders", "operation": "place_order", "body": body, "subject": subject}
    answer = await pages.post("/api/explorer/call", wish)
    assert answer["status"] == 201
    assert answer["sent"]["Authorization"] == "Bearer ***"
    await pages.until(f"/api/traces?text={answer['trace_id']}", lambda told: told["items"])
    inside = {"service": "products", "operation": "prices", "values": {"skus": "KIT-0110"}, "caller": "orders"}
    assert (await pages.post("/api/explorer/call", inside))["status"] == 200
    absent = await pages.post("/api/explorer/call", {"service": "orders", "operation": "nothing"}, status=409)
    assert "place_order" in absent["hint"]


async def test_a_call_becomes_a_test_that_passes(live: LiveSystem, pages: Pages) -> None:
    subject, body = subject_of(await sign_in(live)), {"lines": [{"sku": "KIT-0110"}], "payment_method": "tok_visa"}
    wish = {"service": "orders", "operation": "place_order", "body": body, "subject": subject, "status": 201}
    code = await pages.post("/api/explorer/code", wish)
    assert f"Bearer $(shoal token --sub {subject})" in code["curl"]
    assert json.dumps(body, separators=(",", ":")) in code["curl"]
    scope: dict[str, Any] = {}
    exec(compile(code["pytest"], "saved.py", "exec"), scope)  # noqa: S102 - what the page writes is a test
    await scope["test_orders_place_order_answers_201"](live)


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"service": "products", "operation": "prices", "values": {"skus": "KIT-0110"}}, 200),
        ({"service": "payments", "operation": "refund", "body": {"order_id": "ord_nobody"}}, 409),
    ],
)
async def test_a_call_from_inside_becomes_a_command_and_a_test_that_passes(
    live: LiveSystem, pages: Pages, wish: dict[str, Any], status: int
) -> None:
    code = await pages.post("/api/explorer/code", wish | {"caller": "orders", "status": status})
    assert code["curl"].startswith(f"shoal call {wish['service']}.{wish['operation']} ")
    assert code["curl"].endswith(" --from orders")
    scope: dict[str, Any] = {}
    exec(compile(code["pytest"], "saved.py", "exec"), scope)  # noqa: S102 - what the page writes is a test
    await asyncio.to_thread(scope[f"test_{wish['service']}_{wish['operation']}_answers_{status}"], live)


async def test_a_store_answers_questions_and_nothing_else(live: LiveSystem, pages: Pages) -> None:
    kept = await pages.get("/api/data/payments")
    assert {t["name"] for t in kept["tables"]} > {"payments"}
    assert [m["number"] for m in kept["migrations"]] == [1, 2]
    path = "/api/data/payments/ask"
    answer = await pages.post(path, {"sql": "select g as n, null as nothing from generate_series(1, 9) g", "rows": 3})
    assert (answer["columns"], answer["rows"], answer["more"]) == (
        ["n", "nothing"],
        [[1, None], [2, None], [3, None]],
        True,
    )
    assert (await pages.post(path, {"sql": "-- one\nselect 1 as a where false;"}))["rows"] == []
    unbounded = "(select g from generate_series(1, 9) g) union all (select 0)"
    assert (await pages.post(path, {"sql": unbounded, "rows": 3}))["more"]
    for sql in ("delete from payments", "create table x (a int)", "select 1; drop table payments", "nonsense"):
        refused = await pages.post(path, {"sql": sql}, status=409)
        assert refused["hint"]
    other = await pages.post(path, {"sql": "select * from orders.public.orders"}, status=409)
    assert "cross-database" in other["detail"]
    assert (await pages.post("/api/data/web/ask", {"sql": "select 1"}, status=409))["hint"]


async def test_statements_are_listed_by_what_they_took(live: LiveSystem, pages: Pages) -> None:
    await order(live, await sign_in(live))
    statements = await pages.until("/api/data/payments/statements", lambda told: told["items"])
    assert all(one["count"] for one in statements)


async def test_a_fault_strikes_and_ends(live: LiveSystem, pages: Pages) -> None:
    try:
        struck = await pages.post("/api/gateway/fault", {"edge": "gateway:payments.show_payment", "abort": 503})
        assert struck["edge"] == "gateway→payments.show_payment"
        shown = await pages.get("/api/gateway")
        assert [fault["spelled"] for fault in shown["faults"]] == ["gateway:payments.show_payment"]
        assert edge(await pages.get("/api/map"), "gateway→payments")["fault"]
    finally:
        assert (await pages.post("/api/gateway/clear", {}))["faults"] == []
    refused = await pages.post("/api/gateway/fault", {"edge": "payments:orders", "abort": 503}, status=409)
    assert "callers are" in refused["hint"] or "it calls" in refused["hint"]


async def test_what_was_done_from_a_page_and_by_a_command_is_noted(live: LiveSystem, pages: Pages) -> None:
    await pages.post("/api/sagas/retry", {"id": "nobody-knows-it"}, status=409)
    command = [
        sys.executable,
        "-m",
        "shoal.cli",
        "-C",
        str(live.root),
        "--system",
        "shop.system:system",
        "dlq",
        "purge",
        "payments-404",
        "--yes",
    ]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, text=True, timeout=60)
    assert "there is no dead letter payments-404" in done.stderr
    shell, page = (await pages.get("/api/actions?bad=true&limit=2"))["items"]
    assert (shell["does"], shell["on"], shell["by"]) == ("purge letters", "payments-404", "shell")
    assert (page["does"], page["on"], page["by"]) == ("retry saga", "nobody-knows-it", "page")
    assert shell["who"] == page["who"]


async def test_a_path_of_an_old_application_is_moved_and_moved_back(pages: Pages) -> None:
    routes = (await pages.get("/api/gateway"))["strangler"]
    route = routes[0]["route"]
    moved = await pages.post("/api/gateway/turn", {"route": route, "state": "shadow", "sample": 50.0})
    assert moved["state"] == "shadow"
    await pages.post("/api/gateway/turn", {"route": route, "state": routes[0]["state"], "weight": routes[0]["weight"]})
    await pages.post("/api/gateway/canary", {"do": "promote", "service": "orders"}, status=409)


async def test_mails_are_found_by_their_address(live: LiveSystem, pages: Pages) -> None:
    customer = await sign_in(live)
    bought = (await order(live, customer)).json()["order_id"]
    await end_of(live, customer, bought)
    (mail,) = await pages.until(f"/api/mail?find={customer.email}", lambda told: told["items"])
    assert customer.email in mail["to"][0]
