"""Make topics and subscriptions, or adapt those that there are."""

import contextlib
from collections.abc import Mapping, Sequence

import msgspec

from shoal.drivers.base import Consumer, Stream
from shoal.drivers.base.declared import ConsumerRecord, StreamRecord
from shoal.drivers.base.together import together
from shoal.drivers.servicebus import atom, wire
from shoal.drivers.servicebus.atom import Atom, Exists, Fields
from shoal.drivers.servicebus.registry import Registry

Topics = Mapping[str, Mapping[str, Fields]]
"""The subscriptions of each topic, by name."""


async def topics(manages: Atom) -> Topics:
    """Read all topics, and the subscriptions of each."""
    found = [*await manages.list("$Resources/topics")]
    return dict(zip(found, await together(manages.list(f"{name}/Subscriptions") for name in found), strict=True))


async def ground(manages: Atom) -> None:
    """Make the place where it is written down what there is."""
    await _topic(manages, wire.REGISTRY)
    await _letters(manages, wire.REGISTRY)


async def stream(manages: Atom, registry: Registry, declared: Stream, present: Topics, now: int) -> None:
    """Make a topic, and where messages stay until they are removed, the subscription that keeps them."""
    former, there = registry.written(declared.name), declared.name in present
    made = former.made if former is not None and there else max(now, former.made + 1 if former else 0)
    await _topic(manages, declared)
    if wire.keeps(declared):
        await _letters(manages, declared)
    record = StreamRecord(stream=declared, made=made)
    if record != former:
        await registry.write(record)


async def consumer(
    manages: Atom, registry: Registry, record: StreamRecord, declared: Consumer, present: Topics, now: int
) -> None:
    """Make the subscription of a consumer.

    Since when it is there is written down before it hears, so whatever breaks off in between, the next time it is new
    once more.
    """
    name, place = wire.subscription_name(declared.name), wire.place(declared)
    there = name in present.get(declared.stream, {})
    former = registry.consumer(declared.stream, declared.name)
    since = 0 if wire.keeps(record.stream) else max(now, record.made + 1)
    if former is not None and there:
        since = former.since
        if not _hears(declared, former.consumer) and not wire.keeps(record.stream):  # it hears what it missed
            await registry.write(msgspec.structs.replace(record, made=max(now, record.made + 1)))
    if former != (wanted := ConsumerRecord(consumer=declared, since=since)):
        await registry.write(wanted)
    if not there:
        with contextlib.suppress(Exists):
            await manages.make(place, atom.subscription(wire.lock(declared), wire.DELIVERIES, record.stream.age))
    await _rules(manages, place, wire.rules(declared.subjects))


def _hears(declared: Consumer, former: Consumer) -> bool:
    """Tell whether a subscription had all that is declared now."""
    return {*declared.subjects} <= {*former.subjects} or not wire.rules(former.subjects)


async def _rules(manages: Atom, place: str, subjects: Sequence[str]) -> None:
    """Let through what is declared, before anything is no longer let through."""
    found = await manages.list(f"{place}/Rules")
    wanted = {wire.rule_name(subject): subject for subject in subjects or [""]}
    for name, subject in wanted.items():
        if name not in found:
            with contextlib.suppress(Exists):
                await manages.make(f"{place}/Rules/{name}", atom.rule(name, subject))
    for name in found:
        if name not in wanted:
            await manages.take_away(f"{place}/Rules/{name}")


async def _topic(manages: Atom, declared: Stream) -> None:
    with contextlib.suppress(Exists):  # what is set of it is left alone
        await manages.make(declared.name, atom.topic(declared.age))


async def _letters(manages: Atom, declared: Stream) -> None:
    described = atom.subscription(wire.LETTERS_LOCK, wire.DELIVERIES, 0.0)
    with contextlib.suppress(Exists):
        await manages.make(wire.entity(declared.name, wire.LETTERS), described)
