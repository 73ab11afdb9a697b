"""What images are known to be: engines that keep data, brokers, what only looks on, and who only asks."""

import re

from shoal.check.importing.facts import Role

_TABLE: tuple[tuple[Role, str], ...] = (
    (
        "visitor",
        r"load-?(?:gen\w*|test\w*|runner)|locust\w*|k6|artillery|jmeter|traffic-?gen\w*|seed(?:-data)?|gatling",
    ),
    (
        "aside",
        r"[\w-]*(?:exporter|operator|-init|-ui|-commander)|adminer|pgadmin\d?|phpmyadmin|mongo-express|seq|mailhog",
    ),
    ("aside", r"otel[\w-]*|opentelemetry-collector[\w-]*|jaeger[\w-]*|all-in-one|zipkin[\w-]*|skywalking[\w-]*|tempo"),
    (
        "aside",
        r"prometheus|alertmanager|grafana[\w-]*|loki|promtail|cadvisor|node-exporter|heapster[\w-]*|kiali|datadog",
    ),
    ("aside", r"fluentd[\w-]*|fluent-bit|logstash|kibana|opensearch-dashboards|filebeat|vector|apm-server"),
    ("aside", r"zookeeper|cp-zookeeper|schema-registry|cp-schema-registry|apicurio[\w-]*|kafka-ui|kafdrop|akhq"),
    ("aside", r"consul|etcd|vault|nacos[\w-]*|[\w-]*eureka[\w-]*|[\w-]*(?:config|discovery|registry|admin)-server"),
    ("aside", r"flagd[\w-]*|unleash[\w-]*"),
    ("aside", r"portainer|dockerize|watchtower|localstack|azurite|mailpit|healthchecks?|[\w-]*webstatus"),
    ("store", r"postgres(?:ql)?[\w-]*|postgis|pgvector|timescaledb[\w-]*|citus|cockroach|yugabyte"),
    ("store", r"(?:percona-)?mysql(?:-server)?|mariadb[\w-]*|mssql[\w/-]*|sql-?server[\w-]*|azure-sql-edge|oracle-xe"),
    ("store", r"mongo(?:db)?(?:-community-server|-server)?|couchdb|couchbase|cassandra|scylla|neo4j|dynamodb-local"),
    ("store", r"elasticsearch[\w-]*|opensearch|solr|influxdb|clickhouse[\w-]*|arangodb|foundationdb"),
    ("store", r"[\w-]+[-_](?:db|database|mysql|mongo(?:db)?|postgres(?:ql)?)"),
    ("cache", r"[\w-]+[-_](?:redis|memcached|cache)"),
    ("cache", r"redis[\w-]*|valkey[\w-]*|memcached|keydb|dragonfly|hazelcast"),
    (
        "broker",
        r"rabbitmq[\w-]*|(?:cp-)?kafka(?:-native)?|redpanda|nats(?:-streaming)?|activemq[\w-]*|artemis|pulsar[\w-]*|mosquitto",
    ),
)
"""Role → what the last word of an image's name looks like."""

_KNOWN = tuple((role, re.compile(pattern)) for role, pattern in _TABLE)
_ALONE = tuple(known for known in _KNOWN if known[0] in ("aside", "visitor"))
_REFERENCE = re.compile(r"(?P<name>[^@\s]*?)(?::(?P<tag>[\w][\w.-]*))?(?:@\S+)?")


def repository(image: str) -> str:
    """Return an image's name without its tag and digest: ``docker.io/library/postgres``."""
    found = _REFERENCE.fullmatch(image)
    return found["name"] if found else image


def tag(image: str) -> str:
    """Return an image's tag; empty where it has none."""
    found = _REFERENCE.fullmatch(image)
    return (found["tag"] or "") if found else ""


def role(image: str, name: str) -> Role:
    """Say what runs: by its image, and where that is not known, by what it is called.

    Args:
        image: As it is written; empty where nobody says.
        name: Of the unit.
    """
    last = repository(image).rpartition("/")[2].lower()
    if "mssql" in image:
        last = "mssql"
    for found, pattern in _KNOWN:
        if pattern.fullmatch(last):
            return found
    for found, pattern in _ALONE:  # what only looks on, or only asks, is often an image of one's own
        if pattern.fullmatch(name.lower()):
            return found
    return "service"
