"""Topics and subscriptions, as their driver makes them."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import at, encrypted
from shoal.deploy.gcp.resources import Subscription, Topic
from shoal.deploy.terraform.values import Block, Value, block, items


def topic(one: Topic, context: Context) -> Iterator[Block]:
    """Write a topic, whose messages stay in the region in which they are published; so order is kept."""
    arguments: dict[str, Value] = {"name": one.name, **encrypted(context, "kms_key_name", "pubsub")}
    stays = block("message_storage_policy", allowed_persistence_regions=[*one.regions])
    yield resource("google_pubsub_topic", one.name, *items(arguments, stays), notes=context.notes(one))


def subscription(one: Subscription, context: Context) -> Iterator[Block]:
    """Write a subscription, which is never let go of because nobody asks."""
    arguments: dict[str, Value] = {
        "name": one.name,
        "topic": at(Ref("topic", one.topic, "name")),
        "enable_message_ordering": True,
        "ack_deadline_seconds": one.deadline,
        "message_retention_duration": f"{one.keeping}s",
        **({"filter": one.filter} if one.filter else {}),
    }
    body = items(arguments, block("expiration_policy", ttl=""))
    yield resource("google_pubsub_subscription", one.name, *body, notes=context.notes(one))
