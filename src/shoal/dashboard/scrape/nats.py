"""NATS: connections, messages, what waits in each stream and for each consumer (``/varz`` and ``/jsz``)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shoal.dashboard.scrape.sample import Sample
from shoal.local.probe import get

_STREAMS = "/jsz?streams=true&consumers=true&limit=1000"


class Server(msgspec.Struct, frozen=True):
    """What ``/varz`` says that matters."""

    mem: int = 0
    cpu: float = 0.0
    connections: int = 0
    subscriptions: int = 0
    slow_consumers: int = 0
    in_msgs: int = 0
    out_msgs: int = 0
    in_bytes: int = 0
    out_bytes: int = 0


class _State(msgspec.Struct, frozen=True):
    messages: int = 0
    bytes: int = 0


class _Consumer(msgspec.Struct, frozen=True):
    name: str = ""
    num_pending: int = 0
    num_ack_pending: int = 0
    num_redelivered: int = 0


class _Stream(msgspec.Struct, frozen=True):
    name: str = ""
    state: _State = _State()
    consumer_detail: tuple[_Consumer, ...] = ()


class _Account(msgspec.Struct, frozen=True):
    stream_detail: tuple[_Stream, ...] = ()


class Streams(msgspec.Struct, frozen=True):
    """What ``/jsz`` says that matters."""

    account_details: tuple[_Account, ...] = ()


@dataclass(frozen=True, slots=True)
class Nats:
    """One server; `ports` is the file in which it says where it listens."""

    ports: Path
    engine: str = "nats"
    name: str = "nats"

    async def ask(self) -> list[Sample]:
        """Ask its monitoring interface."""
        ports: dict[str, Any] = json.loads(self.ports.read_text("ascii"))
        port = int(ports.get("monitoring", 0))
        server, streams = await get(port, "/varz"), await get(port, _STREAMS)
        return [*of_server(server.body), *of_streams(streams.body)]


def of_server(body: bytes) -> Iterator[Sample]:
    """Read ``/varz``; raises `ValueError` for what is none."""
    found = msgspec.json.decode(body, type=Server)
    yield Sample("nats.memory.usage", found.mem, "gauge", "By")
    yield Sample("nats.cpu.utilization", found.cpu / 100, "gauge", "1")
    yield Sample("nats.connections", found.connections, "gauge", "{connection}")
    yield Sample("nats.subscriptions", found.subscriptions, "gauge", "{subscription}")
    yield Sample("nats.slow_consumers", found.slow_consumers, "sum", "{connection}")
    for way, messages, size in (("in", found.in_msgs, found.in_bytes), ("out", found.out_msgs, found.out_bytes)):
        yield Sample("nats.messages", messages, "sum", "{message}", {"nats.direction": way})
        yield Sample("nats.io", size, "sum", "By", {"nats.direction": way})


def of_streams(body: bytes) -> Iterator[Sample]:
    """Read ``/jsz``; raises `ValueError` for what is none."""
    accounts = msgspec.json.decode(body, type=Streams).account_details
    for stream in (stream for account in accounts for stream in account.stream_detail):
        said = {"nats.stream": stream.name}
        yield Sample("nats.stream.messages", stream.state.messages, "gauge", "{message}", said)
        yield Sample("nats.stream.size", stream.state.bytes, "gauge", "By", said)
        for consumer in stream.consumer_detail:
            whose = said | {"nats.consumer": consumer.name}
            yield Sample("nats.consumer.pending", consumer.num_pending, "gauge", "{message}", whose)
            yield Sample("nats.consumer.unacknowledged", consumer.num_ack_pending, "gauge", "{message}", whose)
            yield Sample("nats.consumer.redelivered", consumer.num_redelivered, "gauge", "{message}", whose)
