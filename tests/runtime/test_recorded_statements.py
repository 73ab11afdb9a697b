"""Every statement of a request is a span beneath it, with its text and without its values."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from shoal import Postgres, Problem, Service, System, Transaction, anyone, event, record
from shoal.drivers.base import Store
from shoal.drivers.base.observing import Asking, observing
from shoal.errors import Unavailable
from shoal.runtime.asgi import request
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.deadline import Budget
from shoal.runtime.host import Fittings, Host
from shoal.runtime.recording import closed, opened, recording
from shoal.runtime.statements import KEPT, Statements, summary, tell, without_literals
from shoal.runtime.telling import Telemetry
from shoal.runtime.trace import Context, begin, current
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.settings import TelemetrySettings
from shoal.telemetry.spans import SERVER
from tests.runtime.database import database
from tests.telemetry.received import Seen, recorded

CANARY = "c4n4ry-v4lue"
SAMPLED = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


@event("inn.arrived")
class Arrived(msgspec.Struct, frozen=True):
    guest: str


@record("guests", key="id")
class Guest(msgspec.Struct, frozen=True):
    id: str
    room: int


inn = Service("inn", store=Postgres(), publishes=[Arrived])


@inn.put("/guests/{id}", access=anyone)
async def arrive(id: str, tx: Transaction) -> None:
    if await tx.get(Guest, id) is not None:
        raise Problem(409, "here", "already")
    tx.put(Guest(id, 7))
    tx.publish(Arrived(id))


@inn.post("/moves", access=anyone)
async def move(tx: Transaction) -> None:
    await tx.execute(f"update guests set room = 8 where id = '{CANARY}'")  # noqa: S608 - as an author may, to our regret


@inn.post("/guests", access=anyone)
async def repeat(tx: Transaction) -> None:
    await tx.execute("insert into guests values ('ada', 1), ('ada', 2)")


@inn.post("/mistakes", access=anyone)
async def mistake(tx: Transaction) -> None:
    await tx.execute("select room from nowhere where id = $1", CANARY)


system = System("town", services=[inn])
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Inn:
    """The service on a database of its own."""

    def __init__(self, store: Store) -> None:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
        config = ServiceConfig(system="town", entry="inn", store_url="postgres://x/y", environ=environ)
        self.recorder = Telemetry(environ).recorder("inn", config)
        self.host = Host(inn, config, Fittings(transport=LocalTransport(), store=store, recorder=self.recorder))

    async def ask(self, method: str, path: str) -> tuple[int, list[Seen]]:
        """Ask, and return the statements of the answer with it."""
        asked = asyncio.create_task(request(self.host, method, path, SAMPLED, b""))
        status, _, _ = await asked
        found = recorded([self.recorder])
        (served,) = [span for span in found if span.kind == "SERVER"]
        statements = [span for span in found if "db.system.name" in span.attributes]
        assert {span.parent_id for span in statements} == {served.span_id}
        return status, statements


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="inn_running")
async def _inn() -> AsyncIterator[Inn]:
    async with database() as server:
        store = server.store(await server.empty())
        running = Inn(store)
        await store.open()
        async with store.session() as session:
            await session.execute("create table guests (id text primary key, room bigint not null)")
        await running.host.start()
        recorded([running.recorder])
        yield running
        await running.host.stop()


@pytest.mark.live
async def test_reads_and_the_commit_are_one_span_each(inn_running: Inn) -> None:
    status, (read, written) = await inn_running.ask("PUT", f"/guests/{CANARY}")
    assert status == 204
    assert (read.name, read.kind, read.status) == ("SELECT guests", "CLIENT", 0)
    assert read.attributes["db.collection.name"] == "guests"
    assert read.attributes["db.operation.name"] == "SELECT"
    assert read.attributes["db.namespace"].startswith("db_")
    assert "$1" in read.attributes["db.query.text"]
    assert {"INSERT guests", "INSERT shoal.outbox"} <= set(written.name.split(", "))
    assert CANARY not in str((read, written))


@pytest.mark.live
async def test_values_within_the_services_own_sql_are_taken_out(inn_running: Inn) -> None:
    status, statements = await inn_running.ask("POST", "/moves")
    assert status == 204
    assert [span.name for span in statements] == ["BEGIN", "UPDATE guests", "COMMIT"]
    assert statements[1].attributes["db.query.text"] == "update guests set room = ? where id = ?"


@pytest.mark.live
async def test_a_statement_that_failed_says_how(inn_running: Inn) -> None:
    status, statements = await inn_running.ask("POST", "/mistakes")
    assert status == 500
    failed = statements[1]
    assert (failed.status, failed.attributes["error.type"]) == (2, "shoal.errors.EngineError")
    assert statements[-1].name == "ROLLBACK"
    assert CANARY not in str(statements)


@pytest.mark.live
async def test_a_conflict_is_an_answer(inn_running: Inn) -> None:
    status, statements = await inn_running.ask("POST", "/guests")
    assert status == 409
    assert (statements[1].status, statements[1].attributes["error.type"]) == (0, "shoal.errors.Conflict")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('select "id" from "products" where "id" = $1 for update', ["SELECT products"]),
        ("select a.x from orders a left join lines l on l.o = a.id", ["SELECT orders", "SELECT lines"]),
        (
            'with w0 as (insert into "shoal"."outbox" (a) values ($1)) update x set y = 1',
            ["INSERT shoal.outbox", "UPDATE x"],
        ),
        ("insert into t (a) values ($1) on conflict (a) do update set b = 1", ["INSERT t"]),
        ("delete from only t", ["DELETE t"]),
        ("commit; reset all", ["COMMIT"]),
        ("select 1 from (select 2) x", ["SELECT"]),
        ("", []),
    ],
)
async def test_a_statement_is_named_after_what_it_does(text: str, said: list[str]) -> None:
    assert summary(text) == said


@given(st.text(st.characters(exclude_characters="\\'", exclude_categories=["Cs"]), min_size=1), st.integers(0))
async def test_no_literal_is_told(text: str, number: int) -> None:
    told = without_literals(f"select a1 from t2 where b = '{text}''s' and c = {number} and d = $12")  # noqa: S608 - told, not run
    assert told == "select a1 from t2 where b = ? and c = ? and d = $12"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (r"update t set a = 'C:\', b = 'secret'", "update t set a = ?, b = ?"),
        (r"select E'it\'s', 'secret'", "select ?, ?"),
        ("select 1 -- don't\nfrom t where a = 'secret'", "select ?  \nfrom t where a = ?"),
        ("select /* it's */ 'secret', $q$it's$q$, 'more'", "select   ?, ?, ?"),
        ("select \"it's\" from t where a like'secret'", 'select "it\'s" from t where a like?'),
        ("select 'secret", "select ?"),
    ],
)
async def test_no_quote_elsewhere_brings_a_literal_to_light(text: str, told: str) -> None:
    assert without_literals(text) == told


@pytest.fixture(name="recorder")
def _recorder() -> Iterator[Recorder]:
    settings = TelemetrySettings.from_environ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    recorder = Recorder(settings, {"service.name": "inn"})
    before = recording.set(recorder), observing.set(Statements())
    yield recorder
    recording.reset(before[0])
    observing.reset(before[1])


async def test_commands_of_other_engines_are_spans_too(recorder: Recorder) -> None:
    trace, span = opened(begin(), SERVER, "GET /")
    current.set(Context(trace, Budget(1.0), span=span))
    with Asking("redis", "GET"):
        pass
    with pytest.raises(Unavailable), Asking("aws.dynamodb", "put_item", "orders"):
        raise Unavailable("throttled")
    closed(span)
    with Asking("redis", "PING"):  # the request is over: whatever goes on belongs to nobody
        pass
    current.set(None)
    with Asking("redis", "PING"):
        pass
    got, put, _ = recorded([recorder])
    assert (got.name, got.kind, got.parent_id, got.status) == ("GET", "CLIENT", trace.span_id, 0)
    assert got.attributes == {"db.system.name": "redis", "db.operation.name": "GET"}
    assert (put.name, put.status, put.attributes["error.type"]) == (
        "put_item orders",
        2,
        "shoal.errors.Unavailable",
    )
    assert put.attributes["db.collection.name"] == "orders"


async def test_statements_made_of_pieces_do_not_fill_the_memory() -> None:
    statements = Statements()
    for number in range(KEPT + 10):
        statements._prepare("postgresql", "db", f"select c{number} from t")  # noqa: S608 - likewise
    assert len(statements._known) <= KEPT


async def test_a_long_statement_is_cut() -> None:
    assert len(tell("postgresql", "db", "select " + "x, " * 5000).fixed) < 2500
