"""What a change of the declared system means for those who rely on its contracts, and whom it names."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal.model import Access, Call, Endpoint, Event, Gateway, Issuer, Service, Store, Subscription, System
from shoal.model.change import OUTSIDE, Change
from shoal.model.claims import Claim
from shoal.model.contracts import artifacts, read
from shoal.model.evolution import evolve
from shoal.model.service import Parameter
from tests.model.strategies import systems

TEXT = {"type": "string"}
ROLES = Access(roles=("clerk",))


def thing(*required: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {k: fields.get(k, TEXT) for k in (*required, *fields)},
        "required": list(required),
    }


PLACED = Event(name="orders.placed", key="id", schema=thing("id", "total"), source="orders.py:3")
SKUS = Parameter(name="sku", place="query", schema=TEXT, required=False)
SHOW = Endpoint(
    name="show",
    method="GET",
    path="/orders/{id}",
    parameters=(Parameter(name="id", place="path", schema=TEXT), SKUS),
    response=thing("id", "state"),
    source="orders.py:9",
)
PLACE = Endpoint(
    name="place",
    method="POST",
    path="/orders",
    idempotent=True,
    status=201,
    request=thing("sku", note=TEXT),
    response=thing("id"),
    source="orders.py:20",
)
PRICE = Endpoint(
    name="price", method="GET", path="/price", access=Access(kind="internal"), response=TEXT, source="orders.py:30"
)


def system(*endpoints: Endpoint, events: tuple[Event, ...] = (PLACED,), hears: str = "orders.placed.v1") -> System:
    """Build a system in which `desk` relies on everything that `orders` offers."""
    orders = Service(
        name="orders", entry="o:o", endpoints=endpoints, publishes=events, store=Store(), source="orders.py:1"
    )
    desk = Service(
        name="desk",
        entry="d:d",
        subscriptions=(Subscription(event=hears, handler="print_it", source="desk.py:5"),) if hears else (),
        calls=tuple(Call(service="orders", endpoint=e.name, source="desk.py:8") for e in endpoints),
        store=Store(),
    )
    gateway = Gateway(issuer=Issuer(service="orders", audience="a", name="n"))
    return System(name="sys", services=(orders, desk), gateway=gateway)


def changes(before: System, after: System) -> tuple[Change, ...]:
    return evolve(read({a.path: a.text for a in artifacts(before)}), after)


def altered(item: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(item, **fields)


def served(endpoint: Endpoint, **fields: Any) -> tuple[Change, ...]:
    return changes(system(endpoint), system(altered(endpoint, **fields)))


def said(**fields: Any) -> tuple[Change, ...]:
    after = altered(PLACED, **fields)
    return changes(system(), system(events=(after,), hears=after.id))


def test_a_breaking_change_of_an_event_names_everything() -> None:
    (found,) = said(schema=thing("id"))
    assert found == Change(
        contract="orders.placed.v1",
        service="orders",
        file="orders/events/placed.v1.json",
        breaking=True,
        rule="field-removed",
        path="$.total",
        message="the field is gone",
        old="required",
        new="absent",
        where="orders.py:3",
        breaks=("desk.print_it (desk.py:5)",),
    )


def test_a_breaking_change_of_an_operation_names_everything() -> None:
    (found,) = served(SHOW, response=thing("id"))
    assert (found.contract, found.rule, found.path) == ("GET /orders/{id}", "field-removed", "answer $.state")
    assert (found.where, found.file) == ("orders.py:9", "orders/http.json")
    assert found.breaks == ("desk (desk.py:8)", OUTSIDE)


def test_an_internal_operation_has_no_clients_outside() -> None:
    (found,) = served(PRICE, response={"type": "integer"})
    assert found.breaks == ("desk (desk.py:8)",)


BREAKING: dict[str, tuple[Endpoint, dict[str, Any], str]] = {
    "method": (SHOW, {"method": "POST"}, "route"),
    "path": (SHOW, {"path": "/order/{id}"}, "route"),
    "status": (PLACE, {"status": 202}, "status"),
    "a role": (SHOW, {"access": ROLES}, "access"),
    "a scope": (SHOW, {"access": Access(scopes=("s",))}, "access"),
    "a claim": (SHOW, {"access": Access(claims=(Claim(name="tier", values=("gold",)),))}, "access"),
    "from anyone to a principal": (altered(SHOW, access=Access(kind="anyone")), {"access": Access()}, "access"),
    "from outside to inside": (SHOW, {"access": Access(kind="internal")}, "access"),
    "from inside to a principal": (PRICE, {"access": Access()}, "access"),
    "other roles": (altered(SHOW, access=ROLES), {"access": Access(roles=("boss",))}, "access"),
    "a parameter must be sent": (
        SHOW,
        {"parameters": (*SHOW.parameters, altered(SKUS, name="n", required=True))},
        "parameter-required",
    ),
    "an optional parameter must be sent": (
        SHOW,
        {"parameters": (SHOW.parameters[0], altered(SKUS, required=True))},
        "parameter-required",
    ),
    "a parameter of another type": (
        SHOW,
        {"parameters": (SHOW.parameters[0], altered(SKUS, schema={"type": "integer"}))},
        "type",
    ),
    "a field must be sent": (PLACE, {"request": thing("sku", "note")}, "field-required"),
    "a body must be sent": (altered(PLACE, request_required=False), {"request_required": True}, "body-required"),
    "an answer without a body": (SHOW, {"response": None, "status": 200}, "answer-removed"),
    "no longer idempotent": (PLACE, {"idempotent": False}, "idempotency"),
}
HARMLESS: dict[str, tuple[Endpoint, dict[str, Any]]] = {
    "another name": (SHOW, {"name": "look"}),
    "another name of a parameter of the path": (
        SHOW,
        {"path": "/orders/{order}", "parameters": (altered(SHOW.parameters[0], name="order"), SKUS)},
    ),
    "a parameter less": (SHOW, {"parameters": SHOW.parameters[:1]}),
    "a parameter more": (SHOW, {"parameters": (*SHOW.parameters, altered(SKUS, name="n"))}),
    "a field less to send": (PLACE, {"request": thing("sku")}),
    "a field that may be sent": (PLACE, {"request": thing("sku", note=TEXT, more=TEXT)}),
    "a field that needs not be sent": (PLACE, {"request": thing(sku=TEXT, note=TEXT)}),
    "a field more in the answer": (SHOW, {"response": thing("id", "state", "more")}),
    "a role more": (altered(SHOW, access=ROLES), {"access": Access(roles=("clerk", "boss"))}),
    "no role": (altered(SHOW, access=ROLES), {"access": Access()}),
    "open to anyone": (SHOW, {"access": Access(kind="anyone")}),
    "words": (SHOW, {"summary": "Say more."}),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_callers_is_found(name: str) -> None:
    endpoint, fields, rule = BREAKING[name]
    found = served(endpoint, **fields)
    assert {(c.rule, c.breaking, c.where) for c in found} == {(rule, True, endpoint.source)}
    assert all("desk (desk.py:8)" in c.breaks for c in found)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nobody_is_told_as_such(name: str) -> None:
    endpoint, fields = HARMLESS[name]
    (found,) = served(endpoint, **fields)
    assert (found.rule, found.breaking, found.breaks) == ("compatible", False, ())


def test_a_harmless_change_says_where() -> None:
    assert [c.path for c in served(SHOW, response=thing("id", "state", "more"))] == ["answer $.more"]
    assert [c.path for c in said(schema=thing("id", "total", "more"))] == ["$.more"]
    assert [c.path for c in said(schema=thing("id", "total") | {"description": "x"})] == ["wording"]


def test_an_operation_that_is_gone_breaks_its_callers() -> None:
    (gone,) = changes(system(SHOW), system())
    assert (gone.rule, gone.breaking, gone.where, gone.breaks) == ("removed", True, "orders.py:1", (OUTSIDE,))


def test_what_is_new_breaks_nobody() -> None:
    other = Event(name="orders.sent", schema=thing("id"))
    found = changes(system(), system(SHOW, events=(PLACED, other)))
    assert {(c.contract, c.rule, c.breaking) for c in found} == {
        ("orders.sent.v1", "added", False),
        ("GET /orders/{id}", "added", False),
    }


@pytest.mark.parametrize(("field", "value"), [("key", ""), ("mode", "binary")])
def test_how_an_event_travels_is_part_of_its_contract(field: str, value: str) -> None:
    (found,) = said(**{field: value})
    assert (found.rule, found.breaking) == (field, True)


def test_an_event_that_is_gone_breaks_whoever_waits_for_it() -> None:
    (gone,) = changes(system(), system(events=(), hears=""))
    assert (gone.rule, gone.breaking, gone.where) == ("removed", True, "orders.py:1")


def test_an_older_version_may_go_when_a_newer_one_has_come() -> None:
    second = altered(PLACED, version=2, schema=thing("id"))
    found = changes(system(), system(events=(second,), hears="orders.placed.v2"))
    assert {(c.contract, c.rule, c.breaking) for c in found} == {
        ("orders.placed.v1", "superseded", False),
        ("orders.placed.v2", "added", False),
    }
    (gone,) = [c for c in found if c.rule == "superseded"]
    assert "add an upcaster" in gone.message, "whoever takes only the newer version is deaf to what is left of it"
    assert [who.partition(" ")[0] for who in gone.breaks] == ["desk.print_it"]


def test_a_newer_version_must_not_go_when_an_older_one_stays() -> None:
    second = altered(PLACED, version=2)
    (gone,) = changes(system(events=(PLACED, second)), system())
    assert (gone.contract, gone.rule, gone.breaking) == ("orders.placed.v2", "removed", True)


def test_a_version_must_not_change_because_a_newer_one_has_come() -> None:
    first, second = altered(PLACED, schema=thing("id")), altered(PLACED, version=2)
    found = changes(system(), system(events=(first, second)))
    assert [c.rule for c in found if c.breaking] == ["field-removed"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_changes_every_difference_has_a_name(data: st.DataObject) -> None:
    before, after = data.draw(systems()), data.draw(systems())
    found = changes(before, after)
    same = {a.path: a.text for a in artifacts(before)} == {a.path: a.text for a in artifacts(after)}
    assert not (same and found)
    assert all(c.message and c.file and c.rule for c in found)
    assert all(not c.breaks or c.breaking or c.rule == "superseded" for c in found)
