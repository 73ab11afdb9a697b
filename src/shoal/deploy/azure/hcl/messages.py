"""Topics, subscriptions and their rules, as their driver makes them."""

from collections.abc import Iterator

from shoal.deploy.azure import naming
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import HERE, at
from shoal.deploy.azure.resources import Bus, Subscription, Topic
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Raw, Value, block, items


def bus(one: Bus, context: Context) -> Iterator[Block]:
    """Write the namespace; there are no keys of it."""
    premium = one.tier == "Premium"
    said: dict[str, Value] = {
        "name": called(context.scope, "bus"),
        **HERE,
        "sku": one.tier,
        **({"capacity": 1, "premium_messaging_partitions": 1} if premium else {}),
        "local_auth_enabled": False,
        "minimum_tls_version": "1.2",
        "public_network_access_enabled": not premium,
        "tags": Raw("local.tags"),
    }
    yield resource("azurerm_servicebus_namespace", one.name, *items(said), notes=notes(one, context))


def topic(one: Topic, context: Context) -> Iterator[Block]:
    """Write a topic."""
    said: dict[str, Value] = {"name": one.name, "namespace_id": at(Ref("bus", "main", "id")), "support_ordering": True}
    if one.seconds:
        said["default_message_ttl"] = duration(one.seconds)
    yield resource("azurerm_servicebus_topic", one.name, *items(said), notes=notes(one, context))


def subscription(one: Subscription, context: Context) -> Iterator[Block]:
    """Write a subscription, and what it lets through besides what the operator's job takes away."""
    said: dict[str, Value] = {
        "name": one.key,
        "topic_id": at(Ref("topic", one.topic, "id")),
        "requires_session": True,
        "lock_duration": duration(one.lock),
        "max_delivery_count": one.deliveries,
        **({"default_message_ttl": duration(one.seconds)} if one.seconds else {}),
    }
    yield resource("azurerm_servicebus_subscription", one.name, *items(said), notes=notes(one, context))
    for subject in one.subjects:
        name = naming.rule(subject)
        rule: dict[str, Value] = {
            "name": name,
            "subscription_id": at(Ref("subscription", one.name, "id")),
            "filter_type": "CorrelationFilter",
        }
        through = block("correlation_filter", label=subject)
        yield resource("azurerm_servicebus_subscription_rule", f"{one.name}/{name[:14]}", *items(rule, through))


def duration(seconds: int) -> str:
    """Write seconds as Azure gives them back: the largest unit that fits."""
    for unit, size in (("D", 86_400), ("H", 3600), ("M", 60)):
        if seconds % size == 0:
            return f"P{seconds // size}D" if unit == "D" else f"PT{seconds // size}{unit}"
    return f"PT{seconds}S"
