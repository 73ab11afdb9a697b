"""Engines are chosen by part and by name, and what cannot be is refused with what can."""

import msgspec
import pytest

from shoal.errors import DeclarationError, PlanError
from shoal.model import Event, SearchUse, Service, Store, System, Warehouse, plan
from shoal.model.choice import choose, chosen
from shoal.model.target import LOCAL, MEMORY, Target

SOLD = Event(name="books.sold", schema={"type": "object"})
SYSTEM = System(
    name="s",
    services=(
        Service(name="books", entry="a:b", store=Store(engine="postgres"), search=SearchUse()),
        Service(name="desk", entry="a:b"),
    ),
)
FACTS = Service(
    name="facts",
    entry="a:b",
    store=Store(engine="postgres"),
    warehouse=Warehouse(engine="duckdb", production="redshift"),
)


def test_a_broker_a_store_and_a_search_are_chosen() -> None:
    target = choose(LOCAL, SYSTEM, ["broker=kafka", "books.store=memory", "books.search=opensearch"])
    assert (target.broker, target.stores, target.searches) == ("kafka", {"books": "memory"}, {"books": "opensearch"})
    assert chosen(target) == ("broker=kafka", "books.store=memory", "books.search=opensearch")
    assert choose(LOCAL, SYSTEM, chosen(target)) == target
    assert msgspec.json.decode(msgspec.json.encode(target), type=Target) == target


def test_a_warehouse_is_chosen_in_production_and_not_on_a_laptop() -> None:
    system = System(name="s", services=(FACTS,))
    target = choose(Target(name="aws"), system, ["facts.warehouse=bigquery"])
    assert target.warehouses == {"facts": "bigquery"}
    assert chosen(target) == ("facts.warehouse=bigquery",)
    found = plan(system, target).service("facts").warehouse
    assert found is not None
    assert found.engine == "bigquery"
    with pytest.raises(DeclarationError, match="names no part of the system") as caught:
        choose(LOCAL, system, ["facts.warehouse=bigquery"])
    assert "a laptop's warehouse is DuckDB" in caught.value.hint


def test_several_processes_may_have_a_warehouse_in_production() -> None:
    system = System(name="s", services=(FACTS,))
    with pytest.raises(PlanError, match="several processes of facts need a warehouse"):
        plan(system, Target(replicas={"facts": 2})).require()
    plan(system, Target(name="aws", replicas={"facts": 2}, warehouses={"facts": "redshift"})).require()


def test_nothing_chosen_is_what_it_was() -> None:
    assert choose(LOCAL, SYSTEM, []) == LOCAL
    assert chosen(LOCAL) == ()


@pytest.mark.parametrize(
    ("choice", "message", "hint"),
    [
        ("kafka", "is not NAME=ENGINE", "broker, books.store, books.search"),
        ("brocker=kafka", "names no part of the system", "broker, books.store"),
        ("desk.store=memory", "names no part of the system", "broker, books.store"),
        ("broker=postgres", "no broker engine is called 'postgres'", "nats, kafka, sns, rabbitmq, pubsub"),
        ("broker=eventbridge", "eventbridge is no broker for a system: it delivers in no order", "choose sns"),
        ("broker=eventgrid", "eventgrid is no broker for a system", "choose servicebus"),
        ("broker=cloudtasks", "cloudtasks is no broker for a system", "choose pubsub"),
        ("books.search=postgres", "no search engine is called 'postgres'", "postgres-search, opensearch"),
        ("books.store=kafka", "no store engine is called 'kafka'", "postgres"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_what_can(choice: str, message: str, hint: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        choose(LOCAL, SYSTEM, [choice])
    assert hint in caught.value.hint


def test_two_engines_for_one_part_are_refused() -> None:
    with pytest.raises(DeclarationError, match="'kafka' and 'nats' for broker"):
        choose(LOCAL, SYSTEM, ["broker=kafka", "broker=nats"])


def test_a_store_that_lives_in_one_process_is_refused_where_there_are_several() -> None:
    with pytest.raises(PlanError, match="can be reached from several processes"):
        plan(SYSTEM, choose(LOCAL, SYSTEM, ["books.store=memory"])).require()


def test_indexes_that_live_in_one_process_are_refused_where_records_do_not() -> None:
    with pytest.raises(PlanError, match="the indexes of books need an engine that can be reached"):
        plan(SYSTEM, choose(LOCAL, SYSTEM, ["books.search=memory-search"])).require()
    plan(SYSTEM, choose(LOCAL, SYSTEM, ["books.search=opensearch"])).require()


def test_the_plan_says_what_the_broker_leaves_to_us() -> None:
    said = System(
        name="s", services=(Service(name="books", entry="a:b", store=Store(engine="postgres"), publishes=(SOLD,)),)
    )
    findings = {f.code: f for f in plan(said, Target(broker="kafka")).findings}
    assert findings["PLAN-BROKER-02"].message.endswith("known-ids, members, places, removal")
    assert findings["PLAN-BROKER-02"].severity == "info"
    for target in (LOCAL, MEMORY):
        assert "PLAN-BROKER-02" not in {f.code for f in plan(said, target).findings}
    assert "PLAN-BROKER-02" not in {f.code for f in plan(SYSTEM, Target(broker="kafka")).findings}
