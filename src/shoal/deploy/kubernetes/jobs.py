"""What is done once for a version, before its services start: databases are migrated, streams declared."""

import hashlib
from collections.abc import Iterator

from shoal.deploy.cloud.streams import declarations
from shoal.deploy.kubernetes import configuration
from shoal.deploy.kubernetes.engines import nats
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.kinds.account import account
from shoal.deploy.kubernetes.kinds.externalsecret import external
from shoal.deploy.kubernetes.kinds.job import job
from shoal.deploy.kubernetes.naming import COMPONENT, joined, labels, secret
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Text, Thing, sheet
from shoal.deploy.kubernetes.workloads import container
from shoal.deploy.yaml import Json
from shoal.model.plan import ServicePlan

STREAMS = "streams"
"""Name of who declares streams and consumers."""

OPERATOR = "streams-operator"
"""Secret with the address of the broker for who declares streams."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the Jobs of each environment; their names hold the version, since a Job cannot be changed."""
    declared = f"{declarations(scope.plan, indent=2)}\n" if scope.plan.streams else ""
    stored = [service for service in scope.plan.services if service.store is not None]
    for environment in scope.environments:
        folder = f"overlays/{environment.name}"
        why = "Waits for the store, migrates it under a lock that replicas that start meanwhile wait for, and ends."
        things = tuple(
            Thing(body=_migration(scope, environment, service), source=scope.declared(service).source, why=why)
            for service in stored
        )
        if things:
            yield Sheet(path=f"{folder}/migrations.yaml", things=things)
        if declared:
            yield _streams(scope, environment, declared)
    if declared:
        yield Text(path=f"base/{STREAMS}/streams.json", text=declared)
        generator: Json = {"name": STREAMS, "files": ["streams.json"]}
        yield Entry(folder=f"base/{STREAMS}", field="configMapGenerator", value=generator)
        yield sheet(f"base/{STREAMS}/serviceaccount.yaml", account(scope.system, STREAMS, "job"))


def _version(environment: Environment, *more: str) -> str:
    return hashlib.sha256("\n".join((environment.registry, environment.version, *more)).encode()).hexdigest()[:8]


def _pod(scope: Scope, name: str, main: Json, volumes: list[Json], who: str) -> Json:
    spec: Json = {**pod.base(who), "restartPolicy": "OnFailure", "containers": [main], "volumes": volumes}
    return pod.template({**labels(scope.system, name), COMPONENT: "job"}, spec)


def _migration(scope: Scope, environment: Environment, service: ServicePlan) -> Json:
    secrets, volumes = pod.files(configuration.files(scope, service))
    mount, tmp = pod.scratch()
    main = {
        **container(scope, service),
        "name": "migrate",
        "command": ["python", "-m", "shoal.runtime.migrating"],
        "volumeMounts": [mount, *secrets],
    }
    name = joined(service.name, "migrate", _version(environment, environment.digests.get(service.name, "")))
    return job(scope.system, name, _pod(scope, service.name, main, [tmp, *volumes], service.name))


def _streams(scope: Scope, environment: Environment, declared: str) -> Sheet:
    first = next(service for service in scope.plan.services if service.broker is not None)
    mount, tmp = pod.scratch()
    main = {
        **container(scope, first),
        "name": "declare",
        "command": ["python", "-m", "shoal.runtime.declaring", "/etc/shoal/streams/streams.json"],
        "env": [],
        "envFrom": [{"secretRef": {"name": OPERATOR}}],
        "volumeMounts": [mount, {"name": "streams", "mountPath": "/etc/shoal/streams", "readOnly": True}],
    }
    name = joined(STREAMS, "declare", _version(environment, declared))
    volumes: list[Json] = [tmp, {"name": "streams", "configMap": {"name": STREAMS}}]
    why = "Declares every stream and consumer; safe to repeat. Any image of the system has what it takes."
    things = (
        Thing(body=job(scope.system, name, _pod(scope, STREAMS, main, volumes, STREAMS)), why=why),
        Thing(body=_operator(scope, environment, first)),
    )
    return Sheet(path=f"overlays/{environment.name}/streams.yaml", things=things)


def _operator(scope: Scope, environment: Environment, service: ServicePlan) -> Json:
    assert service.broker is not None  # noqa: S101 - it has events
    if service.broker.engine == "nats" and scope.place(environment, "nats") == "cluster":
        data: Json = {"data": {"SHOAL_BROKER_URL": nats.operator_url()}}
        return external(scope, environment, OPERATOR, {"nats_password": "nats-operator-password"}, template=data)
    return external(scope, environment, OPERATOR, {"SHOAL_BROKER_URL": secret("broker", "operator", "url")})
