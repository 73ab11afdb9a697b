"""Streams and consumers of a system, as the operator's task reads them (`shoal.runtime.declaring`). Pure."""

import json
from collections.abc import Iterator

from shoal.model.messages import KEPT, LARGEST_MESSAGE
from shoal.model.plan import ConsumerPlan, Plan, StreamPlan


def declarations(plan: Plan, indent: int | None = None) -> str:
    """Write them as JSON, on one line unless it is indented."""
    document = {"streams": [_stream(s) for s in plan.streams], "consumers": [_consumer(c) for c in _consumers(plan)]}
    return json.dumps(document, indent=indent, separators=None if indent else (",", ":"))


def parts(plan: Plan, largest: int) -> Iterator[str]:
    """Write them as JSON in parts of at most so many bytes: each stream with its consumers, however many these are."""
    heard: dict[str, list[object]] = {}
    for one in _consumers(plan):
        heard.setdefault(one.stream, []).append(_consumer(one))
    streams, consumers, size = list[object](), list[object](), 0
    for stream in plan.streams:
        own = [_stream(stream), *heard.get(stream.name, ())]
        more = len(json.dumps(own, separators=(",", ":")))
        if streams and size + more > largest - 64:
            yield _part(streams, consumers)
            streams, consumers, size = [], [], 0
        streams, consumers, size = [*streams, own[0]], [*consumers, *own[1:]], size + more
    if streams:
        yield _part(streams, consumers)


def _part(streams: list[object], consumers: list[object]) -> str:
    return json.dumps({"streams": streams, "consumers": consumers}, separators=(",", ":"))


def _consumers(plan: Plan) -> list[ConsumerPlan]:
    return [c for s in plan.services if s.broker is not None for c in s.broker.consumers]


def _stream(one: StreamPlan) -> dict[str, object]:
    kept: dict[str, object] = {"age": 0.0} if one.letters else {"age": KEPT, "largest": LARGEST_MESSAGE}
    return {"name": one.name, "subjects": list(one.subjects), **kept}


def _consumer(one: ConsumerPlan) -> dict[str, object]:
    return {"stream": one.stream, "name": one.durable, "subjects": list(one.subjects), "ack_wait": one.ack_wait}
