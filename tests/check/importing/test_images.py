"""What an image is taken for."""

import pytest

from shoal.check.importing.images import role


@pytest.mark.parametrize(
    ("image", "name", "what"),
    [
        ("postgres", "db", "store"),
        ("registry.example:5000/library/postgres:18-alpine", "db", "store"),
        ("mcr.microsoft.com/mssql/server:2022-latest", "sql", "store"),
        ("acme/users-db:3@sha256:0123", "users-db", "store"),
        ("bitnami/redis-cluster:7", "carts", "cache"),
        ("apache/kafka-native:4.2.0", "events", "broker"),
        ("rabbitmq:4-management", "queue", "broker"),
        ("otel/opentelemetry-collector-contrib:1", "collector", "aside"),
        ("prom/prometheus", "prometheus", "aside"),
        ("oliver006/redis_exporter:v1", "exporter", "aside"),
        ("acme/shop-discovery-server", "registry", "aside"),
        ("", "loadgenerator", "visitor"),
        ("", "users-db", "store"),
        ("?", "postgres", "store"),  # a variable that nobody knows
        ("?/acme/users:?", "postgres", "service"),
        ("edoburu/pgbouncer:1", "pool", "store"),
        ("ghcr.io/documentdb/documentdb/documentdb-local:pg17", "documents", "store"),
        ("flyway/flyway:11", "x", "aside"),
        ("acme/users", "users-migrate", "aside"),
        ("docker.io/istio/proxyv2:1.20", "x", "aside"),
        ("acme/tests:1", "load-test", "visitor"),
        ("acme/orders:7", "orders", "service"),
        ("acme/invoice-exporter", "invoices", "service"),
        ("acme/shop-ui", "ui", "service"),
        ("acme/server", "server", "service"),
        ("acme/orders", "postgres", "service"),  # its image says what it is
        ("", "", "service"),
        ("@:/", "x", "service"),
    ],
)
def test_what_an_image_is_taken_for(image: str, name: str, what: str) -> None:
    assert role(image, name) == what
