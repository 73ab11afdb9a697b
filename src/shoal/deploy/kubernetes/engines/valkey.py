"""Valkey: a cluster of six, three of which have the keys and three of which stand by."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.engines.engine import Engine, disk
from shoal.deploy.kubernetes.engines.server import config_volume, configured, container, secret_volume, server
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.kinds.externalsecret import external
from shoal.deploy.kubernetes.kinds.job import job
from shoal.deploy.kubernetes.naming import USER, labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Thing, sheet
from shoal.deploy.yaml import Json
from shoal.model.plan import ServicePlan

IMAGE = "valkey/valkey:9.1-alpine"
REPLICAS = 6
JOIN = "valkey-join"
"""The Job that makes six servers one cluster."""

_PORTS = {"client": 6379, "bus": 16379}
_USERS = "valkey-users"
_AUTH: Json = {"name": "VALKEYCLI_AUTH", "valueFrom": {"secretKeyRef": {"name": _USERS, "key": "operator"}}}
_CONFIGURATION = """\
bind * -::*
port 6379
# Nobody comes in without a password: the user "default" is off.
protected-mode no
cluster-enabled yes
cluster-config-file /data/nodes.conf
cluster-node-timeout 5000
cluster-allow-reads-when-down yes
appendonly yes
appendfsync everysec
dir /data
maxmemory 192mb
# Nothing is pushed out of a full memory: a write fails instead, which services can do without.
maxmemory-policy noeviction
aclfile /etc/valkey/users/users.acl
include /etc/valkey/users/replication.conf
"""
_START = """\
# nodes.conf knows peers by the addresses that their pods had. When all pods went at once, nobody would find anybody:
# whom this server knows and does not reach is met again, where its name leads now.
say() { valkey-cli --user operator --no-auth-warning "$@"; }
peers() { say cluster nodes | grep -v myself; }
meet() {
  until say ping | grep -q PONG; do sleep 1; done
  while peers | grep -q -e disconnected -e fail; do
    for n in 0 1 2 3 4 5; do
      address="$(getent hosts "valkey-$n.valkey-peers" | cut -d ' ' -f 1)"
      id="$([ -z "$address" ] || say -h "$address" cluster myid)"
      # An address may be another cluster's by now.
      if [ -n "$id" ] && peers | grep -q "^$id "; then say cluster meet "$address" 6379; fi
    done
    sleep 2
  done
}
meet > /dev/null &
exec valkey-server /etc/valkey/configuration/valkey.conf --cluster-announce-ip "$POD_IP"
"""
_SCRIPT = """\
set -eu
say() { server=$1; shift; valkey-cli -h "$server" --user operator --no-auth-warning "$@"; }
for n in 0 1 2 3 4 5; do
  until say "valkey-$n.valkey-peers" ping | grep -q PONG; do sleep 2; done
done
if say valkey-0.valkey-peers cluster info | grep -q 'cluster_slots_assigned:16384'; then exit 0; fi
servers=""
for n in 0 1 2 3 4 5; do
  servers="$servers $(getent hosts "valkey-$n.valkey-peers" | cut -d ' ' -f 1):6379"
done
valkey-cli --user operator --no-auth-warning --cluster create $servers --cluster-replicas 1 --cluster-yes
"""


def _make(scope: Scope) -> Iterator[Made]:
    yield from configured("valkey", {"valkey.conf": _CONFIGURATION, "start.sh": _START})
    mount, tmp = pod.scratch()
    body = container(
        "valkey",
        IMAGE,
        ports=_PORTS,
        cpu="100m",
        memory="256Mi",
        mounts=[
            mount,
            {"name": "configuration", "mountPath": "/etc/valkey/configuration", "readOnly": True},
            {"name": "users", "mountPath": "/etc/valkey/users", "readOnly": True},
        ],
        command=["sh", "/etc/valkey/configuration/start.sh"],
        env=[{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, _AUTH],
        startupProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 2, "failureThreshold": 60},
        readinessProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 5, "failureThreshold": 3},
        livenessProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 10, "failureThreshold": 6},
    )
    more: Json = {"volumes": [tmp, config_volume("valkey"), secret_volume("users", _USERS)]}
    yield from server(scope, "valkey", body, replicas=REPLICAS, user=USER, ports=_PORTS, more=more)
    why = "Makes six servers one cluster, or finds that they are one. A changed one waits for the hour of the last."
    yield sheet("engines/valkey/join.yaml", job(scope.system, JOIN, _joining(scope)), why=why)


def _joining(scope: Scope) -> Json:
    mount, tmp = pod.scratch()
    spec: Json = {
        **pod.base("valkey"),
        "restartPolicy": "OnFailure",
        "containers": [
            {
                "name": JOIN,
                "image": IMAGE,
                "command": ["sh", "-c", _SCRIPT],
                "env": [_AUTH],
                "resources": pod.resources("50m", "64Mi"),
                "securityContext": pod.confined(),
                "volumeMounts": [mount],
            }
        ],
        "volumes": [tmp],
    }
    return pod.template(labels(scope.system, JOIN, "job"), spec)


def _secrets(scope: Scope, environment: Environment) -> Iterator[Thing]:
    """Write the list of users; each sees the keys of its own part."""
    owners = scope.users("valkey")
    commands = " ".join(scope.valkey)
    lines = [
        "user default off",
        "user operator on >{{ .operator }} ~* &* +@all",
        "user replica on >{{ .replica }} +psync +replconf +ping",
        *(f"user {_user(one)} on >{{{{ .{_key(one)} }}}} ~{_part(one)}:* +ping {commands}".rstrip() for one in owners),
    ]
    data = {
        "users.acl": "\n".join(lines) + "\n",
        "replication.conf": 'masteruser replica\nmasterauth "{{ .replica }}"\n',
        "operator": "{{ .operator }}",
    }
    kept = {_key(one): f"{one.name}-valkey-password" for one in owners}
    kept |= {"operator": "valkey-operator-password", "replica": "valkey-replica-password"}
    yield Thing(body=external(scope, environment, _USERS, kept, template={"data": data}))


def _key(service: ServicePlan) -> str:
    return service.name.replace("-", "_")


def _user(service: ServicePlan) -> str:
    return service.cache.user if service.cache is not None else service.name


def _part(service: ServicePlan) -> str:
    return service.cache.part if service.cache is not None else service.name


def _url(_: Scope, service: ServicePlan, __: str) -> str:
    return f"valkey+cluster://{_user(service)}:{{{{ .valkey_password | urlquery }}}}@valkey:6379/{_part(service)}"


ENGINE = Engine(
    name="valkey",
    port=6379,
    peers=(6379, 16379),
    make=_make,
    url=_url,
    secrets=_secrets,
    patches=lambda _, environment: disk(environment, "valkey"),
    jobs=(JOIN,),
)
"""No backup: a service can do without what is in its cache."""
