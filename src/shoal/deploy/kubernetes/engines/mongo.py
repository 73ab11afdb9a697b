"""MongoDB: a replica set of three, a user for each service's database, a copy each night."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.engines.engine import Engine, disk
from shoal.deploy.kubernetes.engines.server import container, secret_volume, server
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.kinds.externalsecret import external
from shoal.deploy.kubernetes.kinds.job import job
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Thing, sheet
from shoal.deploy.yaml import Json, Noted
from shoal.model import names
from shoal.model.plan import ServicePlan

IMAGE = "mongo:8.0"
REPLICAS = 3
SETUP, COPY = "mongo-setup", "mongo-copy"

_PORTS = {"client": 27017}
_KEYS = "mongo-keys"
_HOME: Json = {"name": "HOME", "value": "/tmp"}  # where its shell keeps what it must  # noqa: S108
_HOSTS = ",".join(f"mongo-{n}.mongo-peers:27017" for n in range(REPLICAS))


def _make(scope: Scope) -> Iterator[Made]:
    mount, tmp = pod.scratch()
    body = container(
        "mongo",
        IMAGE,
        ports=_PORTS,
        cpu="250m",
        memory="1Gi",
        mounts=[mount, {"name": "own-key", "mountPath": "/etc/mongo", "readOnly": True}],
        command=["mongod"],
        args=[
            "--dbpath=/data",
            "--replSet=rs0",
            "--bind_ip_all",
            "--keyFile=/etc/mongo/key",
            "--wiredTigerCacheSizeGB=0.4",
        ],
        startupProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 2, "failureThreshold": 90},
        readinessProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 5, "failureThreshold": 3},
        livenessProbe={"tcpSocket": {"port": "client"}, "periodSeconds": 10, "failureThreshold": 6},
        lifecycle=Noted(
            {"postStart": {"exec": {"command": ["sh", "-c", _FIRST]}}},
            "The first user can only be made from inside, while there is none (localhost exception).",
        ),
        env=[_HOME, {"name": "ROOT_PASSWORD", "valueFrom": {"secretKeyRef": {"name": _KEYS, "key": "root"}}}],
    )
    own: Json = {"name": "own-key", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    alone = Noted([_key()], "The server wants a key that is its own and nobody else's to read, which no Secret can be.")
    more: Json = {"initContainers": alone, "volumes": [tmp, secret_volume("keys", _KEYS), own]}
    yield from server(scope, "mongo", body, replicas=REPLICAS, user=999, ports=_PORTS, more=more)
    why = "Makes the users of the services, again and again without harm."
    yield sheet("engines/mongo/setup.yaml", job(scope.system, SETUP, _task(scope, SETUP, _users(scope))), why=why)
    yield sheet("engines/mongo/copy.yaml", _copy(scope))


_FIRST = """\
[ "$(hostname)" = mongo-0 ] || exit 0
for n in $(seq 60); do
  mongosh --quiet --eval '
    try { rs.status() } catch (e) { if (e.codeName === "NotYetInitialized") rs.initiate({_id: "rs0", members: [
      {_id: 0, host: "mongo-0.mongo-peers:27017"}, {_id: 1, host: "mongo-1.mongo-peers:27017"},
      {_id: 2, host: "mongo-2.mongo-peers:27017"}]}) }
    try { db.getSiblingDB("admin").createUser({user: "root", pwd: process.env.ROOT_PASSWORD, roles: ["root"]}) }
    catch (e) { if (!/already exists|requires authentication|not authorized/.test(e.message)) throw e }' && exit 0
  sleep 1
done
"""


def _key() -> Json:
    """Copy the key into memory, readable for the server alone."""
    return {
        "name": "key",
        "image": IMAGE,
        "command": ["install", "-m", "0400", "/keys/key", "/own/key"],
        "resources": pod.resources("20m", "32Mi"),
        "securityContext": pod.confined(),
        "volumeMounts": [
            {"name": "keys", "mountPath": "/keys", "readOnly": True},
            {"name": "own-key", "mountPath": "/own"},
        ],
    }


def _users(scope: Scope) -> list[str]:
    """Write the commands that make one user for each database; passwords come from the environment."""
    made = "".join(
        f"make('{names.database(one.name)}', process.env.{_variable(one)});\n" for one in scope.users("mongo")
    )
    script = f"""\
function make(name, password) {{
  const own = db.getSiblingDB(name), roles = [{{role: 'readWrite', db: name}}, {{role: 'dbAdmin', db: name}}];
  const found = own.getUser(name), user = {{pwd: password, roles}};
  found ? own.updateUser(name, user) : own.createUser({{user: name, ...user}});
}}
{made}"""
    url = f"mongodb://root@{_HOSTS}/admin?replicaSet=rs0"
    connect = f"""\
const db = connect('{url}'.replace('root@', 'root:' + encodeURIComponent(process.env.ROOT_PASSWORD) + '@'));
"""
    return ["mongosh", "--nodb", "--quiet", "--eval", connect + script]


def _task(scope: Scope, name: str, command: list[str], *, claims: str = "") -> Json:
    mount, tmp = pod.scratch()
    env = [_HOME, {"name": "ROOT_PASSWORD", "valueFrom": {"secretKeyRef": {"name": _KEYS, "key": "root"}}}]
    if not claims:
        env += [
            {"name": _variable(one), "valueFrom": {"secretKeyRef": {"name": _KEYS, "key": names.database(one.name)}}}
            for one in scope.users("mongo")
        ]
    spec: Json = {
        **pod.base("mongo", user=999),
        "restartPolicy": "OnFailure",
        "containers": [
            {
                "name": name,
                "image": IMAGE,
                "command": command,
                "env": env,
                "resources": pod.resources("50m", "256Mi"),
                "securityContext": pod.confined(),
                "volumeMounts": [mount, *([{"name": "copies", "mountPath": "/copies"}] if claims else [])],
            }
        ],
        "volumes": [tmp, *([{"name": "copies", "persistentVolumeClaim": {"claimName": claims}}] if claims else [])],
    }
    return pod.template(labels(scope.system, name, "job"), spec)


def _copy(scope: Scope) -> Json:
    """Copy everything each night onto a disk of its own, beside last week's until it is whole.

    A snapshot of that disk is a matter of the cloud.
    """
    connect = (
        'mongodump --uri "mongodb://root@' + _HOSTS + '/?replicaSet=rs0&authSource=admin" --password "$ROOT_PASSWORD"'
    )
    script = f'set -eu\nfile="/copies/$(date +%u).gz"\n{connect} --gzip --archive="$file.new"\nmv "$file.new" "$file"\n'
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": COPY, "labels": labels(scope.system, COPY, "job")},
        "spec": {
            "schedule": Noted("0 2 * * *", "One file for each day of the week."),
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 1,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 2,
                    "template": _task(scope, COPY, ["sh", "-c", script], claims="mongo-copies"),
                }
            },
        },
    }


def _copies(scope: Scope, environment: Environment) -> Iterator[Thing]:
    """Make the disk for the copies."""
    storage = environment.storage
    body: Json = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "mongo-copies", "labels": labels(scope.system, "mongo", "engine")},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **({"storageClassName": storage.kind} if storage.kind else {}),
            "resources": {"requests": {"storage": storage.size}},
        },
    }
    yield Thing(body=body)


def _variable(service: ServicePlan) -> str:
    return f"{names.database(service.name)}_password".upper()


def _secrets(scope: Scope, environment: Environment) -> Iterator[Thing]:
    kept = {names.database(one.name): f"{one.name}-mongo-password" for one in scope.users("mongo")}
    kept |= {"root": "mongo-root-password", "key": "mongo-key"}
    yield Thing(body=external(scope, environment, _KEYS, kept), why="The key is how the servers know each other.")


def _url(_: Scope, service: ServicePlan, __: str) -> str:
    own = names.database(service.name)
    return f"mongodb://{own}:{{{{ .mongo_password | urlquery }}}}@{_HOSTS}/{own}?replicaSet=rs0&authSource={own}"


ENGINE = Engine(
    name="mongo",
    port=27017,
    peers=(27017,),
    make=_make,
    url=_url,
    secrets=_secrets,
    patches=lambda _, environment: disk(environment, "mongo"),
    jobs=(SETUP, COPY),
    extras=_copies,
)
