"""The servers that can be made in the cluster. A new one is a file and a line."""

from shoal.deploy.kubernetes.engines import mongo, nats, opensearch, postgres, valkey

ENGINES = {
    engine.name: engine for engine in (postgres.ENGINE, nats.ENGINE, valkey.ENGINE, mongo.ENGINE, opensearch.ENGINE)
}
