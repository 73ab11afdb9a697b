"""What a target cannot do is collected, all of it, and then refused at once."""

import msgspec
import pytest

from shoal.errors import DeclarationError, PlanError
from shoal.model import Event, External, Sandbox, Service, Store, System, Target, plan
from shoal.model.cache import CachePlan, CacheUse
from shoal.model.catalog import CAPABILITIES, ENGINES, engine
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit, Sharing
from shoal.model.rollout import Split
from shoal.model.service import Access, Endpoint
from shoal.model.system import from_json, to_json
from shoal.model.target import LOCAL, MEMORY, ONE_PROCESS, with_options
from shoal.model.warehouse import FactColumn, FactTable, Warehouse


def shop(needs: tuple[str, ...] = ("transactions",), engine: str = "postgres") -> Service:
    said = (Event(name="shop.sold", schema={"type": "object"}),)
    return Service(
        name="shop", entry="m:s", source="shop.py:1", publishes=said, store=Store(engine=engine, needs=needs)
    )


def codes(system: System, target: Target) -> list[str]:
    return [f.code for f in plan(system, target).findings]


SYSTEM = System(name="sys", services=(shop(),))


@pytest.mark.parametrize("target", [LOCAL, ONE_PROCESS, MEMORY], ids=lambda t: t.shape)
def test_a_plain_system_runs_everywhere(target: Target) -> None:
    planned = plan(SYSTEM, target)
    assert planned.findings == ()
    assert planned.require() is planned


def test_a_memory_store_knows_no_sql() -> None:
    finding = plan(System(name="sys", services=(shop(needs=("transactions", "sql")),)), MEMORY).findings[0]
    assert (finding.code, finding.severity, finding.where) == ("PLAN-STORE-01", "error", "shop.py:1")
    assert CAPABILITIES["sql"] in finding.message
    assert finding.help


def test_a_memory_store_cannot_be_shared_between_processes() -> None:
    system = System(name="sys", services=(shop(engine="memory"),))
    assert codes(system, LOCAL) == ["PLAN-STORE-01"]
    assert codes(system, MEMORY) == []


def test_a_cache_has_an_engine_a_user_and_a_part_of_its_own_where_its_shape_has_room_for_one() -> None:
    system = System(name="sys", services=(msgspec.structs.replace(shop(), cache=CacheUse()),))
    assert from_json(to_json(system)) == system
    planned = plan(system, LOCAL).require()
    assert planned.service("shop").cache == CachePlan(engine="valkey", user="shop", part="sys:shop")
    assert "valkey" in planned.engines
    assert "valkey" not in plan(SYSTEM, LOCAL).engines, "nobody asked for it"
    for shape in (ONE_PROCESS, MEMORY):
        assert "memory-cache" in plan(system, shape).require().engines
    assert codes(system, Target(cache="memory-cache")) == ["PLAN-CACHE-01"]
    with pytest.raises(DeclarationError, match="no cache engine is called 'postgres'"):
        CacheUse(engine="postgres")


def test_the_plan_says_that_documents_know_no_constraints() -> None:
    ruled = Service(name="shop", entry="m:s", source="shop.py:1", store=Store(engine="mongo", migrations="sql"))
    (finding,) = plan(System(name="sys", services=(ruled,)), LOCAL).findings
    assert (finding.code, finding.severity, finding.where) == ("PLAN-STORE-02", "info", "shop.py:1")
    assert codes(System(name="sys", services=(shop(engine="dynamodb"),)), LOCAL) == ["PLAN-STORE-03"]
    assert codes(System(name="sys", services=(shop(engine="mongo"),)), LOCAL) == []
    assert codes(System(name="sys", services=(shop(engine="mongo", needs=("sql",)),)), LOCAL) == ["PLAN-STORE-01"]


def test_a_memory_broker_cannot_be_shared_between_processes() -> None:
    assert codes(SYSTEM, Target(broker="memory-bus")) == ["PLAN-BROKER-01"]


def test_replicas_are_of_known_services_and_in_processes() -> None:
    assert codes(SYSTEM, Target(replicas={"shopp": 2})) == ["PLAN-SIZE-01"]
    assert codes(SYSTEM, with_options(ONE_PROCESS, replicas={"shop": 2})) == ["PLAN-SIZE-02"]
    assert codes(SYSTEM, Target(replicas={"shop": 2})) == []


def test_a_warehouse_that_one_process_has_is_not_shared() -> None:
    at = FactColumn(name="at", kind="time")
    warehouse = Warehouse(tables=(FactTable(name="sales", columns=(at,), time="at"),))
    system = System(name="sys", services=(msgspec.structs.replace(shop(), warehouse=warehouse),))
    planned = plan(system, LOCAL)
    assert planned.findings == ()
    assert "duckdb" in planned.engines
    assert codes(system, Target(replicas={"shop": 2})) == ["PLAN-WAREHOUSE-01"]
    assert codes(system, Target(splits={"shop": Split()})) == ["PLAN-WAREHOUSE-01"]
    assert plan(system, MEMORY).engines == ("memory", "memory-bus", "memory-warehouse")


def test_an_external_without_a_sandbox_is_a_warning_that_stops_nothing() -> None:
    bare = External(name="bank", setting="bank_url", source="s.py:4")
    system = System(name="sys", services=(shop(),), externals=(bare,))
    planned = plan(system, LOCAL).require()
    assert [(f.code, f.severity, f.where) for f in planned.findings] == [("PLAN-EXTERNAL-01", "warning", "s.py:4")]
    stands_in = External(name="bank", setting="bank_url", sandbox=Sandbox(module="bank"))
    assert codes(System(name="sys", services=(shop(),), externals=(stands_in,)), LOCAL) == []


def test_all_errors_are_told_at_once() -> None:
    target = Target(broker="memory-bus", replicas={"bank": 2})
    with pytest.raises(PlanError) as caught:
        plan(System(name="sys", services=(shop(engine="memory"),)), target).require()
    for code in ("PLAN-SIZE-01", "PLAN-STORE-01", "PLAN-BROKER-01", "shop.py:1"):
        assert code in str(caught.value)


def test_rows_of_the_catalogue_name_only_known_capabilities() -> None:
    assert all(row.capabilities <= CAPABILITIES.keys() for row in ENGINES)
    assert len({row.name for row in ENGINES}) == len(ENGINES)
    assert engine("postgres", kind="store").scheme == "postgres"


def test_a_mailbox_stands_in_for_a_mail_server_without_a_sandbox() -> None:
    mail = External(name="mail", protocol="smtp", setting="smtp_url")
    system = System(name="sys", services=(shop(),), externals=(mail,))
    assert "mailbox" in plan(system, LOCAL).engines
    assert "mailbox" not in plan(system, MEMORY).engines
    assert codes(system, LOCAL) == []


def test_a_count_of_requests_is_there_only_where_some_limit_needs_it() -> None:
    def limited(*, shared: Sharing) -> System:
        edge = Edge(limit=RateLimit(requests=1, shared=shared))
        asked = Endpoint(name="a", method="GET", path="/a", access=Access(kind="anyone"), edge=edge)
        return System(name="sys", services=(msgspec.structs.replace(shop(), endpoints=(asked,)),))

    counts = {"limiter", "valkey"}
    assert counts <= {*plan(limited(shared="counted"), LOCAL).engines}
    for system, target in (
        (limited(shared=True), LOCAL),
        (limited(shared=False), LOCAL),
        (limited(shared="counted"), MEMORY),
    ):
        assert not counts & {*plan(system, target).engines}
    assert from_json(to_json(limited(shared="counted"))) == limited(shared="counted")


def test_what_is_not_given_stays_as_the_target_says() -> None:
    apart = msgspec.structs.replace(LOCAL, mesh="sidecars", port=8123, tls=True, replicas={"shop": 2})
    assert with_options(apart) == apart
    assert with_options(apart, mesh="shared", port=8124) == msgspec.structs.replace(apart, mesh="shared", port=8124)
