"""Which events lead where, which failures are undone by whom; and what is said of those that nobody undoes."""

import msgspec
from hypothesis import HealthCheck, given, settings

from shoal.model import Event, Service, Store, Subscription, System, plan
from shoal.model.choreography import Flow, findings, flow, in_order
from shoal.model.target import MEMORY
from shoal.service.describe import describe
from shop.system import system as shop
from tests.model.strategies import systems

Leads = tuple[str, ...] | None
SCHEMA = {"type": "object"}


def service(name: str, *events: str, failing: tuple[str, ...] = (), **hears: Leads) -> Service:
    """Make a service; handlers are given as ``owner_event=what it leads to``."""
    return Service(
        name=name,
        entry=f"{name}:{name}",
        store=Store(),
        publishes=tuple(
            Event(name=f"{name}.{event}", schema=SCHEMA, failure=event in failing, source=f"{name}.py:1")
            for event in events
        ),
        subscriptions=tuple(
            Subscription(
                event=f"{heard.replace('_', '.')}.v1",
                handler=f"on_{heard}",
                leads_to=None if leads is None else tuple(f"{name}.{event}.v1" for event in leads),
            )
            for heard, leads in hears.items()
        ),
    )


def order_system(*, refund: bool = True, told: bool = True) -> System:
    """Build a flow of three steps, of which the last can fail."""
    return System(
        name="sys",
        services=(
            service("orders", "placed", "ended", **({"money_returned": ("ended",)} if told else {})),
            service(
                "money",
                "taken",
                "returned",
                orders_placed=("taken",),
                **({"stock_missing": ("returned",)} if refund else {}),
            ),
            service("stock", "ready", "missing", failing=("missing",), money_taken=("ready", "missing")),
        ),
    )


def test_who_only_shows_a_failure_undoes_nothing() -> None:
    """Caches, streams and read models hear of it, too, by handlers that the framework adds."""
    shown = Subscription(event="stock.missing.v1", handler="cache", leads_to=())
    system = order_system(refund=False, told=False)
    orders = msgspec.structs.replace(system.services[0], subscriptions=(shown,))
    shop = msgspec.structs.replace(system, services=(orders, *system.services[1:]))
    assert [finding.code for finding in findings(shop)] == ["PLAN-SAGA-01"]
    handled = msgspec.structs.replace(shown, handler="cancel")
    orders = msgspec.structs.replace(orders, subscriptions=(handled,))
    assert findings(msgspec.structs.replace(shop, services=(orders, *system.services[1:]))) == []


def undone(found: Flow) -> dict[str, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]]:
    return {f.event: {u.service: (u.by, u.through) for u in f.undone} for f in found.failures}


def test_a_failure_is_undone_step_by_step() -> None:
    found = flow(order_system())
    assert undone(found) == {
        "stock.missing.v1": {
            "orders": (("orders.on_money_returned",), ("money.returned.v1",)),
            "money": (("money.on_stock_missing",), ()),
        }
    }
    assert found.failures[0].compensated
    assert found.roots == ("orders.placed.v1",)
    assert findings(order_system()) == []


def test_a_service_that_never_hears_of_a_failure_is_shown() -> None:
    assert undone(flow(order_system(told=False)))["stock.missing.v1"]["orders"] == ((), ())


def test_a_failure_that_nobody_undoes_is_a_finding() -> None:
    system = order_system(refund=False)
    (found,) = plan(system, MEMORY).findings
    assert (found.code, found.severity, found.where) == ("PLAN-SAGA-01", "warning", "stock.py:1")
    assert "stock.missing.v1" in found.message
    assert "orders, money" in found.message


def test_a_handler_that_acted_on_nothing_before_undoes_nothing() -> None:
    """Somebody who only writes letters hears of the failure, and the money is gone all the same."""
    base = order_system(refund=False)
    system = System(name="sys", services=(*base.services, service("letters", stock_missing=())))
    assert [f.code for f in findings(system)] == ["PLAN-SAGA-01"]


def test_hearing_of_a_failure_by_hearsay_alone_undoes_nothing() -> None:
    letters = service("letters", "sent", stock_missing=("sent",))
    orders = service("orders", "placed", letters_sent=())
    system = System(name="sys", services=(orders, *order_system(refund=False, told=False).services[1:], letters))
    assert undone(flow(system))["stock.missing.v1"]["orders"] == (("orders.on_letters_sent",), ("letters.sent.v1",))
    assert [f.code for f in findings(system)] == ["PLAN-SAGA-01"]


def test_a_failure_of_the_first_step_needs_somebody_who_listens() -> None:
    alone = service("orders", "refused", failing=("refused",))
    assert "no service handles it" in findings(System(name="sys", services=(alone,)))[0].message
    assert findings(System(name="sys", services=(alone, service("letters", orders_refused=())))) == []


def test_what_is_not_said_may_be_anything_that_the_service_publishes() -> None:
    system = System(
        name="sys", services=(service("a", "begun"), service("b", "done", "failed", failing=("failed",), a_begun=None))
    )
    (step,) = flow(system).steps
    assert (step.leads_to, step.known) == (("b.done.v1", "b.failed.v1"), False)
    assert undone(flow(system)) == {"b.failed.v1": {"a": ((), ())}}


def test_what_follows_from_a_failure_is_no_step_before_it() -> None:
    system = System(
        name="sys",
        services=(
            service("a", "begun", "undone", b_failed=("undone",)),
            service("b", "failed", failing=("failed",), a_begun=("failed",), c_again=("failed",)),
            service("c", "again", a_undone=("again",)),
        ),
    )
    assert set(undone(flow(system))["b.failed.v1"]) == {"a"}


def test_every_failure_of_the_shop_is_undone() -> None:
    found = flow(describe(shop))
    assert {f.event: f.compensated for f in found.failures} == {
        "payments.declined.v1": True,
        "inventory.rejected.v1": True,
    }
    assert all(u.by for f in found.failures for u in f.undone), "and everybody who acted before hears of it"
    assert all(step.known for step in found.steps)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(systems())
def test_every_event_has_one_place_in_the_flow(system: System) -> None:
    found = flow(system)
    listed = in_order(found)
    assert len(listed) == len(set(listed))
    assert set(found.roots) | {step.hears for step in found.steps} <= set(listed)
    assert {e.id for s in system.services for e in s.publishes} == set(listed)
