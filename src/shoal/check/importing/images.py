"""What images are known to be: engines that keep data, brokers, what only looks on, and who only asks."""

import re

from shoal.check.importing.facts import Role

_TABLE: tuple[tuple[Role, str], ...] = (
    ("visitor", r"load-?(?:gen\w*|test\w*|runner)|traffic-?gen\w*|seed(?:-data)?"),
    ("visitor", r"locust\w*|k6|artillery|jmeter|gatling"),
    ("aside", r"otel[\w-]*|opentelemetry-collector[\w-]*|jaeger[\w-]*|all-in-one|zipkin[\w-]*|skywalking[\w-]*"),
    ("aside", r"prometheus|alertmanager|grafana[\w-]*|loki|tempo|promtail|cadvisor|heapster[\w-]*|kiali|datadog"),
    ("aside", r"fluentd[\w-]*|fluent-bit|logstash|kibana|opensearch-dashboards|filebeat|vector|apm-server"),
    ("aside", r"(?:redis|postgres|mysqld?|mongodb?|kafka|nginx|node|blackbox|statsd|rabbitmq)[-_]exporter"),
    ("aside", r"zookeeper|cp-zookeeper|schema-registry|cp-schema-registry|apicurio[\w-]*|kafdrop|akhq"),
    ("aside", r"consul|etcd|vault|nacos[\w-]*|[\w-]*eureka[\w-]*|[\w-]*(?:config|discovery|registry|admin)-server"),
    ("aside", r"adminer|pgadmin\d?|phpmyadmin|mongo-express|redis-commander|(?:kafka|swagger|temporal)-ui|seq"),
    ("aside", r"portainer|dockerize|watchtower|localstack|azurite|mailhog|mailpit|healthchecks?|[\w-]*webstatus"),
    ("aside", r"flagd[\w-]*|unleash[\w-]*|[\w-]+-init|proxyv2|cloud[-_]?sql[-_]proxy|gce-proxy"),
    ("aside", r"flyway|liquibase|(?:[\w-]+[-_])?(?:migrat(?:e|ions?|or))"),
    ("store", r"postgres(?:ql)?[\w-]*|postgis|pgvector|timescaledb[\w-]*|citus|cockroach|yugabyte"),
    ("store", r"(?:percona-)?mysql(?:-server)?|mariadb[\w-]*|mssql[\w-]*|sql-?server[\w-]*|azure-sql-edge|oracle-xe"),
    ("store", r"mongo(?:db)?(?:-community-server|-server)?|couchdb|couchbase|(?:dynamodb|documentdb)-local"),
    ("store", r"cassandra|scylla|neo4j"),
    ("store", r"elasticsearch[\w-]*|opensearch|solr|influxdb|clickhouse[\w-]*|arangodb|foundationdb"),
    ("store", r"pgbouncer[\w-]*|pgpool[\w-]*|proxysql"),
    ("store", r"[\w-]+[-_](?:db|database|mysql|mongo(?:db)?|postgres(?:ql)?)"),
    ("cache", r"redis[\w-]*|valkey[\w-]*|memcached|keydb|dragonfly|hazelcast|[\w-]+[-_](?:redis|memcached|cache)"),
    ("broker", r"rabbitmq[\w-]*|(?:cp-)?kafka(?:-native)?|redpanda|nats(?:-streaming)?|activemq[\w-]*|artemis"),
    ("broker", r"pulsar[\w-]*|mosquitto"),
)
"""Role → what the last word of an image's name looks like."""

_KNOWN = tuple((role, re.compile(pattern)) for role, pattern in _TABLE)
_ALONE = tuple(known for known in _KNOWN if known[0] in ("aside", "visitor"))


def role(image: str, name: str) -> Role:
    """Say what runs: by its image, and where that is not known, by what it is called.

    Args:
        image: As it is written; empty, or a sign, where nobody knows.
        name: Of the unit.
    """
    parts = image.lower().partition("@")[0].split("/")
    last = parts[-1].partition(":")[0]
    if last == "server" and len(parts) > 1:  # mcr.microsoft.com/mssql/server
        last = parts[-2]
    for found, pattern in _KNOWN:
        if pattern.fullmatch(last):
            return found
    named = _ALONE if re.search(r"\w", last) else _KNOWN
    for found, pattern in named:  # what only looks on, or only asks, is often an image of one's own
        if pattern.fullmatch(name.lower()):
            return found
    return "service"
