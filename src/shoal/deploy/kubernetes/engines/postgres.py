"""PostgreSQL by CloudNativePG: three instances, a database and a role for each service, copies if there is a place."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import configuration
from shoal.deploy.kubernetes.engines.engine import Engine
from shoal.deploy.kubernetes.kinds.externalsecret import external
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing, sheet
from shoal.deploy.yaml import Json, Noted
from shoal.model import names
from shoal.model.plan import ServicePlan

IMAGE = "ghcr.io/cloudnative-pg/postgresql:18-standard-trixie"
_API = "postgresql.cnpg.io/v1"
_ROOM = 100
"""Connections of one service: all of its replicas, and one more of them while they are replaced, share these."""

_OPERATORS = 30
"""Connections of nobody's service: the operator of the cluster, its replicas, and who looks."""

_POOL = 16
"""Most connections of a replica in one pool, as the driver has it when nothing is said."""

_OUTSIDE = {"sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}


def _make(scope: Scope) -> Iterator[Made]:
    why = "One server for all, as on a laptop; each role may enter its own database and no other."
    yield sheet("engines/postgres/cluster.yaml", _cluster(scope), why=why)
    databases = tuple(
        Thing(body=_database(scope, service), source=scope.declared(service).source)
        for service in scope.users("postgres")
    )
    yield Sheet(path="engines/postgres/databases.yaml", things=databases)


def _cluster(scope: Scope) -> Json:
    system, owners = scope.system, scope.users("postgres")
    return {
        "apiVersion": _API,
        "kind": "Cluster",
        "metadata": {"name": "postgres", "labels": labels(system, "postgres", "engine")},
        "spec": {
            "instances": 3,
            "imageName": IMAGE,
            "primaryUpdateStrategy": "unsupervised",
            "enablePDB": Noted(value=True, why="The primary, and one replica at least, are not evicted."),
            "priorityClassName": f"{system}-engine",
            "minSyncReplicas": Noted(1, "A commit is on two disks before it is answered."),
            "maxSyncReplicas": 1,
            "inheritedMetadata": {
                "labels": Noted(
                    {**labels(system, "postgres", "engine"), **_OUTSIDE},
                    "No part of the mesh: it has certificates of its own, and an operator that is none either.",
                ),
                "annotations": {"linkerd.io/inject": "disabled"},
            },
            "affinity": {
                "enablePodAntiAffinity": True,
                "podAntiAffinityType": "preferred",
                "topologyKey": "topology.kubernetes.io/zone",
            },
            "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
            "storage": {"size": scope.environments[-1].storage.size},
            "postgresql": _server(owners),
            "bootstrap": {"initdb": {"database": "shoal", "owner": "shoal"}},
            "managed": {"roles": [_role(service) for service in owners]},
        },
    }


def _server(owners: list[ServicePlan]) -> Json:
    entries = [f"hostssl {_own(one)} {_own(one)} all scram-sha-256" for one in owners]
    return {
        "parameters": {
            "max_connections": str(_ROOM * len(owners) + _OPERATORS),
            "shared_buffers": "256MB",
            "synchronous_commit": "on",
        },
        "pg_hba": Noted([*entries, "host all all all reject"], "By TLS only, each role into its own database."),
    }


def _role(service: ServicePlan) -> Json:
    secret = f"{service.name}-postgres"
    return {
        "name": _own(service),
        "ensure": "present",
        "login": True,
        "connectionLimit": _ROOM,
        "passwordSecret": {"name": secret},
    }


def _database(scope: Scope, service: ServicePlan) -> Json:
    return {
        "apiVersion": _API,
        "kind": "Database",
        "metadata": {"name": service.name, "labels": labels(scope.system, "postgres", "engine")},
        "spec": {
            "name": _own(service),
            "owner": _own(service),
            "cluster": {"name": "postgres"},
            "databaseReclaimPolicy": Noted("retain", "Who removes this object removes no data."),
            **({"extensions": [{"name": "pg_trgm", "ensure": "present"}]} if service.search is not None else {}),
        },
    }


def _own(service: ServicePlan) -> str:
    return names.database(service.name)


def _secrets(scope: Scope, environment: Environment) -> Iterator[Thing]:
    for service in scope.users("postgres"):
        data = {"username": _own(service), "password": "{{ .password }}"}
        template: Json = {
            "type": "kubernetes.io/basic-auth",
            "metadata": {"labels": {"cnpg.io/reload": "true"}},
            "data": data,
        }
        kept = {"password": f"{service.name}-postgres-password"}
        body = external(scope, environment, f"{service.name}-postgres", kept, template=template)
        yield Thing(body=body, source=scope.declared(service).source)


def pool(scope: Scope, service: ServicePlan) -> int:
    """Say how many connections each pool of a replica may have, so that most replicas find room.

    A store has one connection beside its pool, for the relay; an index of words has a pool of its own.
    """
    most = max(scope.size(environment, service).most for environment in scope.environments)
    pools = 2 if service.search is not None and service.search.engine == "postgres-search" else 1
    return max(1, min(_POOL, (_ROOM // (most + 1) - 1) // pools))


def _url(scope: Scope, service: ServicePlan, role: str) -> str:
    scheme = (
        "documents"
        if role == "store" and service.store is not None and service.store.engine == "documents"
        else "postgres"
    )
    own, authority = _own(service), f"{configuration.AUTHORITIES}/{configuration.AUTHORITY}"
    enter = f"{own}:{{{{ .postgres_password | urlquery }}}}@postgres-rw:5432/{own}"
    return f"{scheme}://{enter}?sslmode=verify-full&sslrootcert={authority}&pool={pool(scope, service)}"


def _patches(_: Scope, environment: Environment) -> Iterator[Json]:
    storage = environment.storage
    spec: Json = {"storage": {"size": storage.size, **({"storageClass": storage.kind} if storage.kind else {})}}
    if storage.backup:
        spec["backup"] = {
            "retentionPolicy": storage.keep,
            "barmanObjectStore": {
                "destinationPath": storage.backup,
                "s3Credentials": {
                    "accessKeyId": {"name": storage.secret, "key": "ACCESS_KEY_ID"},
                    "secretAccessKey": {"name": storage.secret, "key": "ACCESS_SECRET_KEY"},
                },
                "wal": {"compression": "gzip"},
                "data": {"compression": "gzip"},
            },
        }
    yield {"apiVersion": _API, "kind": "Cluster", "metadata": {"name": "postgres"}, "spec": spec}


def _backup(scope: Scope, environment: Environment) -> Iterator[Thing]:
    """Make a full copy each night, where there is a place for it; changes are copied as they come."""
    body: Json = {
        "apiVersion": _API,
        "kind": "ScheduledBackup",
        "metadata": {"name": "postgres", "labels": labels(scope.system, "postgres", "engine")},
        "spec": {
            "schedule": Noted("0 0 2 * * *", "Six fields: the first is seconds."),
            "backupOwnerReference": "self",
            "cluster": {"name": "postgres"},
        },
    }
    if environment.storage.backup:
        yield Thing(body=body)


ENGINE = Engine(
    name="postgres",
    port=5432,
    peers=(5432, 8000),
    make=_make,
    url=_url,
    secrets=_secrets,
    patches=_patches,
    extras=_backup,
    meshed=False,
    pods={"cnpg.io/cluster": "postgres"},
)
