"""Engines that somebody may ask for and that carry no system, or that nobody could try here; and which can. Pure."""

from collections.abc import Mapping

import msgspec


class Unfit(msgspec.Struct, frozen=True, kw_only=True):
    """Why an engine is none of the catalog's."""

    reason: str
    """What it is or does instead, to follow its name."""
    instead: str
    """What to choose."""


BROKERS: Mapping[str, Unfit] = {
    "cloudtasks": Unfit(
        reason="hands each task to one address of HTTP, in no order: nobody can subscribe to an event",
        instead="choose pubsub, which is Google's too; a task for later is a schedule or a saga's timer",
    ),
    "eventbridge": Unfit(
        reason="delivers in no order, and keeps for nobody what he has not handled",
        instead="choose sns, whose FIFO topics and queues keep the order of a key on Amazon",
    ),
    "eventgrid": Unfit(
        reason="delivers in no order, and keeps an event for a day",
        instead="choose servicebus, which is Azure's too, or kafka with the address of Event Hubs",
    ),
    "eventhubs": Unfit(
        reason="has no driver of its own, since it is asked by Kafka's protocol",
        instead="choose kafka with its address",
    ),
    "kinesis": Unfit(
        reason="has no driver, since all readers of one of its shards share five requests a second",
        instead="choose sns, or kafka with the address of Amazon MSK",
    ),
}
"""By the name that somebody would ask for."""
