"""The rules of shared data where their pages end: whose table it is, who hears of a failure, what can be made again."""

from pathlib import Path

import msgspec
import pytest

from shoal.check.finding import Reported
from shoal.check.observed import Observed, SeenSession
from tests.check.projects import report_of

SYSTEM = """\
import msgspec

from shoal import Postgres, Service, Settings, System, Transaction, event, internal, record


@record("sums", key="name")
class Sum(msgspec.Struct, frozen=True):
    name: str


@event("orders.placed", key="id")
class Placed(msgspec.Struct, frozen=True):
    id: str


@event("orders.EVENT", key="id")
class Ended(msgspec.Struct, frozen=True):
    id: str


class Known(Settings, frozen=True, kw_only=True):
    SETTING: str = ""


orders = Service("orders", store=Postgres(migrations="orders"), publishes=[Placed, Ended])
reports = Service("reports", store=Postgres(migrations="reports", sql=True), settings=Known)
ADDRESS = "WRITTEN"


@reports.get("/sums", access=internal)
async def sums(tx: Transaction) -> list[Sum]:
    return await tx.fetch(Sum, "QUERY")


MORE


system = System("shop", services=[orders, reports])
"""
USUAL = {"EVENT": "ended", "SETTING": "colour", "WRITTEN": "", "QUERY": "select name from sums limit 9", "MORE": ""}
ORDERS = "CREATE TABLE orders (id text PRIMARY KEY); CREATE TABLE lines (id text);\n"
REPORTS = "CREATE TABLE sums (name text PRIMARY KEY);\n"


def asked(root: Path, code: str, *, sql: str = "", seen: Observed | None = None, **parts: str) -> list[Reported]:
    """List what a rule finds where these parts of the system are otherwise."""
    text = SYSTEM
    for name, usual in USUAL.items():
        text = text.replace(name, parts.get(name, usual))
    files = {"system.py": text, "orders/001_orders.sql": ORDERS, "reports/001_sums.sql": REPORTS + sql}
    files |= {"observed.json": msgspec.json.encode(seen).decode()} if seen else {}
    return list(report_of(root, files, code, "SH001", "SH002").findings)


@pytest.mark.parametrize(
    "sql",
    [
        "create table days (id text,\norder_id text references lines)",
        'insert into sums\nselect id from public."lines"',
        "select 1 from sums s,\nlines l",
        "create index on\nonly lines (id)",
        "update\nlines set id = ''",
        "select 1 from sums left join\nlines using (id)",
        "select 1 from\norders.lines",
    ],
)
def test_a_table_of_another_service_is_found_in_migrations(sql: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH201", sql=sql)
    table = "orders.lines" if "orders.lines" in sql else "lines"
    assert finding.message == f"reports uses the table {table} of orders"
    assert (finding.where.file, finding.where.line) == ("reports/001_sums.sql", 3)


def test_a_table_of_another_service_is_found_in_what_handlers_run(tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH201", QUERY="select id as name from orders o join orders p on o.id = p.id")
    assert finding.message == "reports uses the table orders of orders"
    assert finding.where.line == 32


@pytest.mark.parametrize(
    "sql",
    [
        "create table orders (id text); select 1 from orders",
        "with lines as (select 1) select 1 from lines",
        "select 1 from sums where name = 'from orders' -- from lines",
        "select orders.name from sums as orders",
        "select 1 from elsewhere",
    ],
)
def test_what_is_ones_own_or_nobodys_is_not_found(sql: str, tmp_path: Path) -> None:
    assert [finding.message for finding in asked(tmp_path, "SH201", sql=sql)] == []


@pytest.mark.parametrize("setting", ["orders_database_url", "orders_db", "main_orders_dsn", "postgres_orders"])
def test_the_address_of_anothers_database_is_found_among_settings(setting: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH201", SETTING=setting)
    assert (str(finding.where), setting in finding.message) == ("system.py:22:5", True)


@pytest.mark.parametrize("setting", ["orders_url", "reports_database_url", "database_url", "reorders_db"])
def test_other_settings_are_not_found(setting: str, tmp_path: Path) -> None:
    assert asked(tmp_path, "SH201", SETTING=setting) == []


def test_the_address_of_a_services_database_is_found_in_the_source(tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH201", WRITTEN="postgresql+asyncpg://me@127.0.0.1:5432/orders?sslmode=disable")
    assert (finding.where.line, finding.message) == (27, "the address of the database of orders stands in the source")
    for other in ("postgresql://127.0.0.1/elsewhere", "http://127.0.0.1/orders", "see postgresql://127.0.0.1/orders"):
        assert asked(tmp_path / other[:4], "SH201", WRITTEN=other) == []


def test_a_visitor_is_known_by_its_process_or_else_by_its_role(tmp_path: Path) -> None:
    def run(**session: str) -> list[str]:
        seen = Observed(run="run 1", sessions=(SeenSession(**session),))  # type: ignore[arg-type]
        return [finding.message for finding in asked(tmp_path, "SH202", seen=seen)]

    found = ["reports was seen in the database of orders"]
    assert run(database="orders", role="orders", service="reports") == found
    assert run(database="orders", role="reports") == found
    assert run(database="orders", role="orders", service="orders") == []
    assert run(database="orders", role="postgres") == []
    assert run(database="elsewhere", role="reports", service="reports") == []


HEARD = "@reports.on(Ended)\nasync def hear(ended: Ended, tx: Transaction) -> None:\n    tx.put(Sum(ended.id))\n"


@pytest.mark.parametrize("name", ["declined", "stock_rejected", "failed"])
def test_a_failure_that_nobody_hears_is_found(name: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH205", EVENT=name)
    assert finding.message == f"orders.{name}.v1 says that something failed, and no service hears it"
    assert finding.where.line == 16
    assert asked(tmp_path / "heard", "SH205", EVENT=name, MORE=HEARD) == []


@pytest.mark.parametrize("name", ["ended", "unfailed", 'failed", failure=True, version=1, mode="structured'])
def test_no_failure_and_what_the_plan_tells_is_not_found(name: str, tmp_path: Path) -> None:
    assert asked(tmp_path, "SH205", EVENT=name) == []


PLACED = "@reports.on(Placed)\nasync def keep(placed: Placed, tx: Transaction) -> None:\n    tx.put(Sum(placed.id))\n"
OTHER = "@reports.post('/sums', access=internal)\nasync def other(tx: Transaction) -> None:\n    tx.put(Sum(''))\n"


def test_a_read_model_of_two_events_is_found(tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH207", MORE=f"{HEARD}\n{PLACED}")
    assert finding.message == "Sum follows from 2 events, and cannot be made again from them"
    assert (finding.where.line, [note.where.line for note in finding.notes]) == (36, [40])


@pytest.mark.parametrize(
    "more",
    [
        HEARD,
        f"{HEARD}\n{PLACED}\n{OTHER}",
        f"{HEARD}\n{PLACED.replace('tx:', 'settings: Known, tx:')}",
        f"{HEARD}\n{PLACED.replace('tx.put', 'await tx.execute(chr(59)); tx.put')}",
    ],
    ids=["one event", "written by others", "of more than events", "by more than records"],
)
def test_what_is_no_read_model_is_not_found(more: str, tmp_path: Path) -> None:
    assert [finding.message for finding in asked(tmp_path, "SH207", MORE=more)] == []


def test_what_nobody_shows_is_not_found(tmp_path: Path) -> None:
    more = f"@record('kept', key='name')\nclass Kept(Sum, frozen=True): ...\n\n\n{HEARD}\n{PLACED}"
    assert (
        asked(tmp_path, "SH207", MORE=more.replace("Sum(ended", "Kept(ended").replace("Sum(placed", "Kept(placed"))
        == []
    )
