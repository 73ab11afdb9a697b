"""What Envoy and the engines say of themselves becomes values of metrics; who says nothing is told once."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.dashboard.scrape import envoy, nats, rounds, valkey
from shoal.dashboard.scrape.rounds import Rounds
from shoal.dashboard.scrape.sample import Sample, Source
from shoal.dashboard.store.reading import MetricQuery, database, metric
from shoal.dashboard.store.writer import Writer
from shoal.errors import EngineError

STATS = """cluster.gateway.tasks.upstream_rq_total: 60
cluster.gateway.tasks.upstream_rq_time: P0(nan,1) P25(nan,1.025)
cluster.gateway.tasks.upstream_rq_pending_active: 2
cluster.gateway.tasks.circuit_breakers.default.rq_pending_open: 1
cluster.gateway.tasks.circuit_breakers.high.rq_pending_open: 1
cluster.gateway.tasks.ssl.handshake: 7
cluster.gateway.tasks.version_text: ""
cluster.tasks.external.upstream_rq_5xx: 3
server.memory_allocated: 1048576
server.version: 9
listener.admin.downstream_cx_active: 1
"""

JSZ = {
    "streams": 1,
    "account_details": [
        {
            "name": "$G",
            "stream_detail": [
                {
                    "name": "SHOP_ORDERS",
                    "state": {"messages": 12, "bytes": 4096, "first_seq": 1},
                    "consumer_detail": [{"name": "payments-0", "num_pending": 5, "num_ack_pending": 2}],
                }
            ],
        }
    ],
}


def test_envoy_is_heard_by_cluster_and_only_what_matters() -> None:
    found = {(s.name, s.attributes.get("envoy.cluster", "")): (s.kind, s.value) for s in envoy.samples(STATS)}
    assert found == {
        ("envoy.cluster.upstream_rq_total", "gateway.tasks"): ("sum", 60),
        ("envoy.cluster.upstream_rq_pending_active", "gateway.tasks"): ("gauge", 2),
        ("envoy.cluster.circuit_breakers.default.rq_pending_open", "gateway.tasks"): ("gauge", 1),
        ("envoy.cluster.upstream_rq_5xx", "tasks.external"): ("sum", 3),
        ("envoy.server.memory_allocated", ""): ("gauge", 1_048_576),
    }


def test_nats_tells_what_waits_for_whom() -> None:
    found = {(s.name, *s.attributes.values()): s.value for s in nats.of_streams(json.dumps(JSZ).encode())}
    assert found["nats.stream.messages", "SHOP_ORDERS"] == 12
    assert found["nats.consumer.pending", "SHOP_ORDERS", "payments-0"] == 5
    assert found["nats.consumer.unacknowledged", "SHOP_ORDERS", "payments-0"] == 2
    server = {(s.name, *s.attributes.values()): s for s in nats.of_server(b'{"mem": 7, "cpu": 25, "out_msgs": 3}')}
    assert (server["nats.memory.usage",].value, server["nats.cpu.utilization",].value) == (7, 0.25)
    assert (server["nats.messages", "out"].value, server["nats.messages", "out"].kind) == (3, "sum")


def test_valkey_tells_hits_and_memory() -> None:
    lines = (
        "# Stats",
        "keyspace_hits:10",
        "keyspace_misses:4",
        "used_memory:99",
        "valkey_version:8.1",
        "used_memory_human:1M",
    )
    text = "\r\n".join(lines)
    assert {s.name: (s.kind, s.value) for s in valkey.samples(text)} == {
        "redis.keyspace.hits": ("sum", 10),
        "redis.keyspace.misses": ("sum", 4),
        "redis.memory.used": ("gauge", 99),
    }


@given(st.text(max_size=500))
def test_any_text_is_read_without_harm(text: str) -> None:
    assert all(sample.value >= 0 for sample in (*envoy.samples(text), *valkey.samples(text)))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"mem": "much"}'])
def test_an_answer_that_is_none_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(nats.of_server(body))


class Told:
    """An engine that tells what it is given, or fails."""

    engine, name = "made", "made-0"

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.value = 0.0

    async def ask(self) -> list[Sample]:
        if self.failure is not None:
            raise self.failure
        self.value += 1
        return [Sample("made.things", self.value, "sum", "{thing}", {"made.kind": "ö"})]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "run-000001.db")
    yield made
    made.close()


async def test_what_is_told_can_be_read_and_silence_is_told_once(writer: Writer) -> None:
    engine, said = Told(), list[str]()

    def sources() -> Sequence[Source]:
        return [engine]

    made = Rounds(sources, writer, said.append)
    assert [await made.go(), await made.go()] == [1, 1]
    for failure in (OSError("gone"), OSError("gone"), EngineError("no password"), KeyError("no JSON")):
        engine.failure = failure
        assert await made.go() == 0
    engine.failure = None
    assert await made.go() == 1
    engine.failure = ValueError("no JSON")
    await made.go()
    assert [line.partition(": ")[2] for line in said] == [
        "OSError: gone",
        "EngineError: no password",
        "KeyError: 'no JSON'",
        "ValueError: no JSON",
    ]
    assert writer.flush()
    with database(writer.file) as opened:
        (series,) = metric(opened, MetricQuery(name="made.things", service="made")).series
    assert (series.total, series.replica, series.attributes) == (3.0, "made-0", {"made.kind": "ö"})


async def test_a_round_that_fails_is_told_once_and_the_next_is_made(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PAUSE", 0.0)
    said, asked = list[str](), asyncio.Event()
    failures = [KeyError("state"), KeyError("state")]

    def sources() -> Sequence[Source]:
        if failures:
            raise failures.pop()
        loop.call_soon_threadsafe(asked.set)
        return []

    loop = asyncio.get_running_loop()
    asking = asyncio.create_task(rounds.keep_asking(sources, writer, said.append))
    await asyncio.wait_for(asked.wait(), 10)
    asking.cancel()
    assert said == ["metrics of engines: KeyError: 'state'"]
