"""OpenSearch: three servers. They know no users: who may reach them is the network's and the mesh's decision."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.engines.engine import Engine, disk
from shoal.deploy.kubernetes.engines.server import container, server
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Thing
from shoal.deploy.yaml import Json, Noted
from shoal.model import names
from shoal.model.plan import ServicePlan

IMAGE = "opensearchproject/opensearch:3.3.0"
REPLICAS = 3

_PORTS = {"client": 9200, "transport": 9300}
_NODES = [f"opensearch-{n}" for n in range(REPLICAS)]
_HOME = "/usr/share/opensearch"


def _make(scope: Scope) -> Iterator[Made]:
    mount, tmp = pod.scratch()
    body = container(
        "opensearch",
        IMAGE,
        ports=_PORTS,
        cpu="500m",
        memory="2Gi",
        mounts=[
            mount,
            *({"name": "home", "mountPath": f"{_HOME}/{part}", "subPath": part} for part in ("config", "logs")),
        ],
        env=[{"name": name, "value": value} for name, value in _settings(scope).items()]
        + [{"name": "node.name", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        startupProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 5, "failureThreshold": 60},
        readinessProbe=_probe("/_cluster/health?local=true"),
        livenessProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 10, "failureThreshold": 6},
    )
    home: Json = {"name": "home", "emptyDir": {"sizeLimit": "1Gi"}}
    copied = Noted([_copied()], "The image's configuration, in a place where it may be completed.")
    more: Json = {"terminationGracePeriodSeconds": 120, "initContainers": copied, "volumes": [tmp, home]}
    yield from server(scope, "opensearch", body, replicas=REPLICAS, user=1000, ports=_PORTS, more=more)


def _copied() -> Json:
    return {
        "name": "configuration",
        "image": IMAGE,
        "command": ["sh", "-c", f"cp -r {_HOME}/config /home-of-it/ && mkdir -p /home-of-it/logs"],
        "resources": pod.resources("50m", "64Mi"),
        "securityContext": pod.confined(),
        "volumeMounts": [{"name": "home", "mountPath": "/home-of-it"}],
    }


def _settings(scope: Scope) -> dict[str, str]:
    return {
        "cluster.name": scope.system,
        "cluster.initial_cluster_manager_nodes": ",".join(_NODES),
        "discovery.seed_hosts": "opensearch-peers",
        "network.host": "0.0.0.0",  # noqa: S104 - in a pod
        "path.data": "/data",
        "node.store.allow_mmap": "false",
        "DISABLE_INSTALL_DEMO_CONFIG": "true",
        "DISABLE_SECURITY_PLUGIN": "true",
        "OPENSEARCH_JAVA_OPTS": "-Xms1g -Xmx1g",
    }


def _probe(path: str) -> Json:
    return {
        "httpGet": {"path": path, "port": "client"},
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": 3,
    }


def _secrets(_: Scope, __: Environment) -> Iterator[Thing]:
    yield from ()


def _url(scope: Scope, service: ServicePlan, __: str) -> str:
    return f"opensearch://opensearch:9200/{scope.system}-{names.database(service.name)}"


ENGINE = Engine(
    name="opensearch",
    port=9200,
    peers=(9200, 9300),
    make=_make,
    url=_url,
    secrets=_secrets,
    patches=lambda _, environment: disk(environment, "opensearch"),
)
"""No backup: an index is made again from the records that it follows."""
