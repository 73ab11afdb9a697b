"""What must hold of every system, whatever it declares."""

import msgspec
from hypothesis import given, settings

from shoal.model import Plan, System, Target, plan
from shoal.model.names import PARTS, again_subject, dead_letter_subject, identity, subject
from shoal.model.plan import GATEWAY, Route
from shoal.model.service import Service
from shoal.model.system import from_json, to_json
from tests.model.strategies import TARGETS, systems

EXAMPLES = settings(max_examples=25, deadline=None)


def everything(planned: Plan) -> bytes:
    return msgspec.json.encode(planned, order="deterministic")


@EXAMPLES
@given(systems())
def test_a_system_survives_json_exactly(system: System) -> None:
    assert from_json(to_json(system)) == system
    assert to_json(from_json(to_json(system))) == to_json(system)


@EXAMPLES
@given(systems())
def test_the_bytes_do_not_depend_on_the_order_of_mappings(system: System) -> None:
    turned = [
        msgspec.structs.replace(s, schemas={n: dict(reversed(s.schemas[n].items())) for n in reversed(s.schemas)})
        for s in system.services
    ]
    assert to_json(msgspec.structs.replace(system, services=tuple(turned))) == to_json(system)


@EXAMPLES
@given(systems(), TARGETS)
def test_planning_is_total_and_deterministic(system: System, target: Target) -> None:
    planned = plan(system, target)
    again = plan(from_json(to_json(system)), target)
    assert planned == again
    assert everything(planned) == everything(again)
    assert {s.name for s in planned.services} == {s.name for s in system.services}
    assert planned.engines == tuple(sorted(set(planned.engines)))


@EXAMPLES
@given(systems(), TARGETS)
def test_an_operation_is_open_to_its_declared_callers_and_nobody_else(system: System, target: Target) -> None:
    for service in plan(system, target).services:
        granted = {(g.endpoint, caller) for g in service.grants for caller in g.callers}
        declared = {
            (call.endpoint, identity(system.name, caller.name))
            for caller in system.services
            for call in caller.calls
            if call.service == service.name
        }
        gateway = identity(system.name, GATEWAY)
        exposed = {(e.name, gateway) for e in system.service(service.name).endpoints if e.access.kind != "internal"}
        assert granted == declared | exposed


@EXAMPLES
@given(systems(), TARGETS)
def test_a_service_calls_what_it_declared_where_it_is_served(system: System, target: Target) -> None:
    for planned in plan(system, target).services:
        declared = [(c.service, c.endpoint, c.policy) for c in system.service(planned.name).calls]
        assert [(c.service, c.endpoint, c.policy) for c in planned.calls] == declared
        for call in planned.calls:
            served = system.service(call.service).endpoint(call.endpoint)
            assert served is not None
            assert (call.method, call.path) == (served.method, served.path)


@EXAMPLES
@given(systems(), TARGETS)
def test_nobody_may_say_or_hear_what_it_did_not_declare(system: System, target: Target) -> None:
    for planned in plan(system, target).services:
        service = system.service(planned.name)
        said, heard = _said(system, service), _heard(system, service)
        if planned.broker is None:
            assert not said
            assert not heard
            continue
        assert set(planned.broker.publish) == said
        assert sorted(s for c in planned.broker.consumers for s in c.subjects) == sorted(heard)
        assert not any(w in s for s in heard for w in ("*", ">"))
        assert not any(w in s.removesuffix(".*") for s in said for w in ("*", ">"))


def _said(system: System, service: Service) -> set[str]:
    dead = {dead_letter_subject(system.name, service.name)} if service.subscriptions else set()
    return {subject(system.name, event, "*") for event in system.spoken(service)} | dead


def _heard(system: System, service: Service) -> set[str]:
    again = {again_subject(system.name, service.name)} if service.subscriptions else set()
    heard = {event for s in service.subscriptions for event in (s.event, *s.accepts)}
    return {subject(system.name, event, part) for event in heard for part in range(PARTS)} | again


@EXAMPLES
@given(systems(), TARGETS)
def test_every_subject_has_one_stream_and_every_consumer_its_own(system: System, target: Target) -> None:
    planned = plan(system, target)
    streams = {s.name: s.subjects for s in planned.streams}
    assert len(streams) == len(planned.streams)
    held = [s for subjects in streams.values() for s in subjects]
    assert len(held) == len(set(held))
    consumers = [c for s in planned.services if s.broker for c in s.broker.consumers]
    assert all(_general(s) in streams[c.stream] for c in consumers for s in c.subjects)
    assert len({(c.stream, c.durable) for c in consumers}) == len(consumers)
    said = {s for service in planned.services if service.broker for s in service.broker.publish}
    assert said == {s for s in held if ".again." not in s}


def _general(heard: str) -> str:
    """Name all parts of an event by the subject of one."""
    head, _, part = heard.rpartition(".")
    return f"{head}.*" if part.isdigit() else heard


@EXAMPLES
@given(systems(), TARGETS)
def test_every_store_is_one_services_own(system: System, target: Target) -> None:
    stores = [s.store for s in plan(system, target).services if s.store]
    assert len({s.database for s in stores}) == len({s.role for s in stores}) == len(stores)
    assert [s.store is not None for s in system.services] == [
        s.store is not None for s in plan(system, target).services
    ]


@EXAMPLES
@given(systems(), TARGETS)
def test_the_gateway_routes_what_is_exposed_and_the_closest_first(system: System, target: Target) -> None:
    routes = plan(system, target).routes
    exposed = {(s.name, e.name) for s in system.services for e in s.endpoints if e.exposed}
    assert {(r.service, r.endpoint) for r in routes} == exposed
    for position, later in enumerate(routes):
        for earlier in routes[:position]:
            assert not (_takes(earlier, later) and not _takes(later, earlier))


def _takes(one: Route, other: Route) -> bool:
    """Tell whether one route takes every request of the other, so that it must not stand before it."""
    mine, theirs = one.path.split("/"), other.path.split("/")
    covers = all(m.startswith("{") or m == t for m, t in zip(mine, theirs, strict=False))
    return one.method == other.method and len(mine) == len(theirs) and covers


@EXAMPLES
@given(systems(), TARGETS)
def test_a_memory_target_has_nothing_outside_the_process(system: System, target: Target) -> None:
    planned = plan(system, msgspec.structs.replace(target, shape="memory", store="memory", broker="memory-bus"))
    assert set(planned.engines) <= {"memory", "memory-bus"}
    assert planned.externals == ()
