"""What a service's user may publish and subscribe to on the broker: what it declared, and nothing else. Pure."""

from shoal.model.data import Data
from shoal.model.plan import BrokerPlan, ConsumerPlan


class Rights(Data, frozen=True, kw_only=True):
    """Subjects that one user may use; the broker refuses the rest."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions(broker: BrokerPlan) -> Rights:
    """List the subjects of a service: its events, its own consumers, and the inbox where answers reach it."""
    consuming = [subject for consumer in broker.consumers for subject in _consume(consumer)]
    looking = [f"$JS.API.STREAM.INFO.{broker.stream}"] if broker.stream else []
    return Rights(
        publish=tuple(sorted({*broker.publish, *consuming, *looking})),
        subscribe=(f"{inbox(broker.user)}.>",),
    )


def inbox(user: str) -> str:
    """Name the prefix of a user's inboxes, which the driver derives from its URL in the same way."""
    return f"_INBOX_{user}"


def _consume(consumer: ConsumerPlan) -> tuple[str, ...]:
    """Ask a consumer for messages, answer them, and begin again with the unanswered (JetStream wire API, ADR-60)."""
    return (
        f"$JS.API.CONSUMER.RESET.{consumer.stream}.{consumer.durable}",
        f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}",
        f"$JS.ACK.{consumer.stream}.{consumer.durable}.>",
    )
