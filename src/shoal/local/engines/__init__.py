"""The engines of a laptop, one file each: adding one is a new file and a line here."""

from shoal.local.engines import aws, envoy, kafka, limiter, mailbox, mongo, nats, postgres, rabbitmq, valkey
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, Running, start

KINDS: tuple[EngineKind, ...] = (
    *(envoy.KIND, nats.KIND, postgres.KIND, mailbox.KIND),
    *(valkey.KIND, limiter.KIND, kafka.KIND, mongo.KIND, aws.KIND, rabbitmq.KIND),
)

__all__ = ["KINDS", "Addresses", "EngineKind", "Recipe", "Running", "start"]
