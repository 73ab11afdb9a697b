"""Make topics and subscriptions, or adapt those that there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from shoal.drivers.base import Consumer, Stream
from shoal.drivers.base.declared import ConsumerRecord, StreamRecord
from shoal.drivers.pubsub import wire
from shoal.drivers.pubsub.letters import HELD_SECONDS, renew
from shoal.drivers.pubsub.link import Exists, Gone, Link
from shoal.drivers.pubsub.registry import Registry

_FIXED = ("topic", "filter")
"""What cannot be changed of a subscription."""

_CHANGED = ("ackDeadlineSeconds", "messageRetentionDuration")

Subscriptions = Mapping[str, Mapping[str, Any]]


async def subscriptions(link: Link) -> Subscriptions:
    """Read all subscriptions, by name."""
    return {one["name"].rpartition("/")[2]: one async for one in link.pages("subscriptions")}


def keeping(stream: str) -> Sequence[tuple[str, str]]:
    """List the subscriptions, and the topic of each, that a stream has whose messages stay."""
    return ((wire.letters_name(stream), stream), (wire.turn_name(stream), wire.turn_name(stream)))


async def stream(link: Link, registry: Registry, declared: Stream, present: Subscriptions, now: int) -> None:
    """Make a topic, and where messages stay until they are removed, the subscription that keeps them."""
    former, there = registry.written(declared.name), registry.stream(declared.name) is not None
    made = former.made if former is not None and there else max(now, former.made + 1 if former else 0)
    await _topic(link, declared.name)
    if wire.keeps(declared):
        name = wire.letters_name(declared.name)
        wanted = wire.subscription(link.topic(declared.name), wire.LEAST_DEADLINE, _keeping(link), ())
        await _subscription(link, name, wanted, present.get(name))
        await _turn(link, declared.name, present)
    record = StreamRecord(stream=declared, made=made)
    if record != former:
        await registry.write(record)


async def consumer(
    link: Link, registry: Registry, record: StreamRecord, declared: Consumer, present: Subscriptions, now: int
) -> None:
    """Make the subscription of a consumer.

    Since when it is there is written down before it hears, so whatever breaks off in between, the next time it is new
    once more.
    """
    name = wire.subscription_name(declared.stream, declared.name)
    keeping = _keeping(link) if wire.keeps(record.stream) else record.stream.age
    topic = link.topic(record.stream.name)
    wanted = wire.subscription(topic, wire.deadline(declared), keeping, declared.subjects)
    former = registry.consumer(declared.stream, declared.name)
    found = present.get(name)
    since = 0 if wire.keeps(record.stream) else max(now, record.made + 1)
    if former is not None and found is not None and not _other(found, wanted):
        since = former.since
    if former != (wanted_record := ConsumerRecord(consumer=declared, since=since)):
        await registry.write(wanted_record)
    await _subscription(link, name, wanted, found)


async def _turn(link: Link, stream: str, present: Subscriptions) -> None:
    name = wire.turn_name(stream)
    await _topic(link, name)
    wanted = wire.subscription(link.topic(name), HELD_SECONDS, _keeping(link), ())
    if await _subscription(link, name, wanted, present.get(name)):
        await renew(link, stream)


async def _topic(link: Link, name: str) -> None:
    try:
        await link.ask("PUT", link.topic(name), {})
    except Exists:
        return


async def _subscription(link: Link, name: str, wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    """Make a subscription, or adapt the one that there is; say whether it is new."""
    path = link.subscription(name)
    if found is not None and _other(found, wanted):
        await _remove(link, path)
        found = None
    if found is None:
        try:
            await link.ask("PUT", path, wanted)
        except Exists:
            return False
        return True
    if changed := {field: wanted[field] for field in _CHANGED if found.get(field) != wanted[field]}:
        await link.ask("PATCH", path, {"subscription": {"name": path, **changed}, "updateMask": ",".join(changed)})
    return False


async def _remove(link: Link, path: str) -> None:
    try:
        await link.ask("DELETE", path)
    except Gone:
        return


def _other(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a subscription must be made anew: it hears another topic, or one that is gone, or another filter."""
    return any(found.get(field, "") != wanted.get(field, "") for field in _FIXED)


def _keeping(link: Link) -> int:
    return wire.EMULATED_KEEPING if link.address.emulated else wire.KEEPING
