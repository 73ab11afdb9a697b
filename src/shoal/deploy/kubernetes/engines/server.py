"""What the servers of StatefulSets have in common: names, accounts, budgets, disks."""

from collections.abc import Iterator, Mapping

from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.kinds.account import account
from shoal.deploy.kubernetes.kinds.disruption import disruption
from shoal.deploy.kubernetes.kinds.pod import READABLE
from shoal.deploy.kubernetes.kinds.service import service
from shoal.deploy.kubernetes.kinds.statefulset import claim, statefulset
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Entry, Made, Text, sheet
from shoal.deploy.yaml import Json, Noted

_DISK: Json = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}


def server(
    scope: Scope, name: str, container: Json, *, replicas: int, user: int, ports: dict[str, int], more: Json
) -> Iterator[Made]:
    """Make a StatefulSet and what belongs to it.

    Args:
        scope: What is compiled.
        name: Of the server.
        container: Its one container, with the ports.
        replicas: How many.
        user: As whom it runs.
        ports: Names and numbers.
        more: Of the pod's specification, such as its volumes.
    """
    folder, system = f"engines/{name}", scope.system
    spec: Json = {
        **pod.base(name, user=user, priority=f"{system}-engine"),
        "terminationGracePeriodSeconds": 60,
        **pod.spread(system, name, "engine"),
        "containers": [container],
        **{name: value for name, value in more.items() if name != "volumes"},
        "volumes": [
            Noted(_DISK, "Stands for the disk that is claimed below, which takes its place."),
            *more["volumes"],
        ],
    }
    template = pod.template(labels(system, name, "engine"), spec)
    disk = claim(scope.environments[-1].storage.size, scope.environments[-1].storage.kind)
    body = statefulset(system, name, template, replicas=replicas, claim=disk, parallel=True)
    yield sheet(f"{folder}/statefulset.yaml", body)
    yield sheet(f"{folder}/service.yaml", service(system, name, component="engine", ports=ports))
    yield sheet(
        f"{folder}/peers.yaml", service(system, f"{name}-peers", component="engine", ports=ports, headless=True)
    )
    yield sheet(f"{folder}/serviceaccount.yaml", account(system, name, "engine"))
    yield sheet(f"{folder}/disruption.yaml", disruption(system, name, "engine"))


def container(
    name: str, image: str, *, ports: dict[str, int], cpu: str, memory: str, mounts: list[Json], **more: object
) -> Json:
    """Make the container of a server; its disk is at ``/data``."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        **more,
        "ports": [{"name": port, "containerPort": number, "protocol": "TCP"} for port, number in ports.items()],
        "resources": pod.resources(cpu, memory),
        "securityContext": pod.confined(),
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, *mounts],
    }


def configured(name: str, files: Mapping[str, str]) -> Iterator[Made]:
    """Make a ConfigMap with a hashed name of some files, so that a change restarts the server."""
    for file, text in files.items():
        yield Text(path=f"engines/{name}/{file}", text=text)
    generator: Json = {"name": f"{name}-configuration", "files": [*files]}
    yield Entry(folder=f"engines/{name}", field="configMapGenerator", value=generator)


def config_volume(name: str) -> Json:
    """Mount that ConfigMap."""
    return {"name": "configuration", "configMap": {"name": f"{name}-configuration"}}


def secret_volume(volume: str, secret: str) -> Json:
    """Mount a secret, readable by the pod's group only."""
    return {"name": volume, "secret": {"secretName": secret, "defaultMode": READABLE}}
