"""NATS JetStream: three servers, every stream on all of them."""

import json
from collections.abc import Iterator

from shoal.deploy.kubernetes.engines.engine import Engine, disk
from shoal.deploy.kubernetes.engines.server import config_volume, configured, container, secret_volume, server
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.kinds.externalsecret import external
from shoal.deploy.kubernetes.naming import USER
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Thing
from shoal.deploy.yaml import Json, Noted
from shoal.model.permissions import permissions
from shoal.model.plan import ServicePlan

IMAGE = "nats:2.15-alpine"
REPLICAS = 3
OPERATOR = "operator"
"""The user who declares streams."""

_PORTS = {"client": 4222, "peers": 6222, "monitoring": 8222}
_CLUSTER, _PEERS = "nats-cluster", "peers.conf"
_PASSWORDS = "nats-passwords"


def _make(scope: Scope) -> Iterator[Made]:
    yield from configured("nats", {"nats.conf": configuration(scope)})
    mount, tmp = pod.scratch()
    body = container(
        "nats",
        IMAGE,
        ports=_PORTS,
        cpu="250m",
        memory="512Mi",
        mounts=[
            mount,
            {"name": "configuration", "mountPath": "/etc/nats", "readOnly": True},
            {"name": "peers", "mountPath": "/etc/nats-cluster", "readOnly": True},
        ],
        args=["--config", "/etc/nats/nats.conf"],
        env=[{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        envFrom=[{"secretRef": {"name": _PASSWORDS}}],
        startupProbe=_probe("/healthz", 90),
        readinessProbe=_probe("/healthz?js-server-only=true", 3),
        livenessProbe=Noted(
            _probe("/healthz?js-enabled-only=true", 6), "Not the streams: they are away while others elect."
        ),
        lifecycle={
            "preStop": Noted(
                {"exec": {"command": ["nats-server", "--signal", "ldm=/tmp/nats.pid"]}},
                "Clients go to other servers before this one stops.",
            )
        },
    )
    more: Json = {"volumes": [tmp, config_volume("nats"), secret_volume("peers", _CLUSTER)]}
    yield from server(scope, "nats", body, replicas=REPLICAS, user=USER, ports=_PORTS, more=more)


def configuration(scope: Scope) -> str:
    """Write the servers' file: who may say and hear what; passwords come from the environment."""
    known = "".join(_user(service) for service in scope.users("nats"))
    return f"""\
# Who may publish and subscribe to what is what the services declare; passwords are variables.
server_name: $POD_NAME
port: 4222
http_port: 8222
pid_file: /tmp/nats.pid
lame_duck_duration: 30s
max_payload: 1MB

jetstream {{
  store_dir: /data
  # Acknowledged means on the disk. Otherwise it is flushed every two minutes.
  sync_interval: always
}}

cluster {{
  name: {scope.system}
  port: 6222
  # Who the servers are to each other, in a secret: a variable can be no part of an address.
  include "../nats-cluster/{_PEERS}"
}}

authorization {{
  users: [
    {{ user: {OPERATOR}, password: $OPERATOR_PASSWORD, permissions: {{ publish: ">", subscribe: ">" }} }}
{known}  ]
}}
"""


def _user(service: ServicePlan) -> str:
    assert service.broker is not None  # noqa: S101 - it uses the broker
    rights = permissions(service.broker)
    return f"""\
    {{
      user: {json.dumps(service.broker.user)}, password: ${_variable(service)}
      permissions: {{
        publish: {{ allow: [{_subjects(rights.publish)}] }}
        subscribe: {{ allow: [{_subjects(rights.subscribe)}] }}
      }}
    }}
"""


def _subjects(names: tuple[str, ...]) -> str:
    return "".join(f"\n          {json.dumps(name)}" for name in names) + "\n        "


def _variable(service: ServicePlan) -> str:
    return f"{service.name}_password".replace("-", "_").upper()


def _secrets(scope: Scope, environment: Environment) -> Iterator[Thing]:
    values = {_variable(service): f"{service.name}-nats-password" for service in scope.users("nats")}
    values |= {"OPERATOR_PASSWORD": "nats-operator-password"}
    yield Thing(body=external(scope, environment, _PASSWORDS, values))
    routes = "".join(
        f'  "nats://cluster:{{{{ .password | urlquery }}}}@nats-{n}.nats-peers:6222"\n' for n in range(REPLICAS)
    )
    text = f'authorization {{ user: cluster, password: "{{{{ .password }}}}", timeout: 2 }}\nroutes: [\n{routes}]\n'
    template: Json = {"data": {_PEERS: text}}
    yield Thing(body=external(scope, environment, _CLUSTER, {"password": "nats-cluster-password"}, template=template))


def _url(_: Scope, service: ServicePlan, __: str) -> str:
    return f"nats://{service.name}:{{{{ .nats_password | urlquery }}}}@nats:4222"


def operator_url() -> str:
    """Write the address for who declares streams; each is kept by all servers."""
    return f"nats://{OPERATOR}:{{{{ .nats_password | urlquery }}}}@nats:4222?replicas={REPLICAS}"


def _probe(path: str, failures: int) -> Json:
    return {
        "httpGet": {"path": path, "port": "monitoring"},
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


ENGINE = Engine(
    name="nats",
    port=4222,
    peers=(6222,),
    make=_make,
    url=_url,
    secrets=_secrets,
    patches=lambda _, environment: disk(environment, "nats"),
)
"""No backup: what it holds is in the outboxes of its producers, from which the relay publishes it again."""
