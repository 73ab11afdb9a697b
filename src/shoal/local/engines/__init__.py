"""The engines of a laptop, one file each: adding one is a new file and a line here."""

from shoal.local.engines import (
    aws,
    blob,
    dashboard,
    envoy,
    firestore,
    kafka,
    limiter,
    mailbox,
    mongo,
    nats,
    objects,
    postgres,
    pubsub,
    rabbitmq,
    s3,
    valkey,
)
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, Running, start

KINDS: tuple[EngineKind, ...] = (
    *(envoy.KIND, nats.KIND, postgres.KIND, mailbox.KIND),
    *(valkey.KIND, limiter.KIND, objects.KIND, kafka.KIND, mongo.KIND, aws.KIND, rabbitmq.KIND, pubsub.KIND),
    *(s3.KIND, blob.KIND, firestore.KIND, dashboard.KIND),
)

__all__ = ["KINDS", "Addresses", "EngineKind", "Recipe", "Running", "start"]
